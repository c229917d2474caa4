"""Credit: products, lines, draws, plans, bills, repayments, refunds, arrears, the day close.

What other contexts call works inside their own batch or transaction; their command locks the people of the lines.
"""

from wufeng.credit.draws.commands import approve_captured_part, draws_of_payments, make_billable, post_draws
from wufeng.credit.draws.model import Approved, Declined, Draw, DrawRequest, draw_id
from wufeng.credit.draws.rules import decide_draw
from wufeng.credit.journals import (
    journals_after_refund,
    principal_drawn,
    principal_refunded,
    subsidy_refunded,
)
from wufeng.credit.lines.model import Line, LineState
from wufeng.credit.lines.store import load_lines_of_people, load_states, principal_account, states_of
from wufeng.credit.plans.model import Plan, Terms
from wufeng.credit.products.commands import Products, publish
from wufeng.credit.products.files import read_products, shipped_products
from wufeng.credit.products.model import Product
from wufeng.credit.refunds.commands import refund_draws
from wufeng.credit.refunds.model import Effect, EffectKind, Refunded, RefundRequest, Returned

__all__ = [
    "Approved",
    "Declined",
    "Draw",
    "DrawRequest",
    "Effect",
    "EffectKind",
    "Line",
    "LineState",
    "Plan",
    "Product",
    "Products",
    "RefundRequest",
    "Refunded",
    "Returned",
    "Terms",
    "approve_captured_part",
    "decide_draw",
    "draw_id",
    "draws_of_payments",
    "journals_after_refund",
    "load_lines_of_people",
    "load_states",
    "make_billable",
    "post_draws",
    "principal_account",
    "principal_drawn",
    "principal_refunded",
    "publish",
    "read_products",
    "refund_draws",
    "shipped_products",
    "states_of",
    "subsidy_refunded",
]
