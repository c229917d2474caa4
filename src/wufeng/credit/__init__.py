"""Credit: products, lines, draws, plans, bills, repayments, refunds, arrears, the day close.

What other contexts call works inside their own batch or transaction; their command locks the people of the lines.
"""

from wufeng.base.lanes import Command, Handler
from wufeng.credit.close import commands as _close
from wufeng.credit.close.model import ClosedDay, CloseStep, DayClose, StepResult
from wufeng.credit.close.runner import close_day, close_through, dates_to_close
from wufeng.credit.close.steps import close_steps
from wufeng.credit.close.store import load_runs
from wufeng.credit.draws.commands import approve_captured_part, draws_of_payments, make_billable, post_draws
from wufeng.credit.draws.model import Approved, Declined, Draw, DrawRequest, draw_id
from wufeng.credit.draws.rules import decide_draw
from wufeng.credit.journals import (
    journals_after_refund,
    principal_drawn,
    principal_refunded,
    subsidy_refunded,
)
from wufeng.credit.lines import commands as _lines
from wufeng.credit.lines.commands import (
    CloseLine,
    Freeze,
    LineCommand,
    OpenLine,
    SetAutoDebit,
    SetDueDay,
    SetLimit,
    Unfreeze,
)
from wufeng.credit.lines.model import Actor, Line, LineState
from wufeng.credit.lines.store import (
    count_suspended,
    load_lines_of_people,
    load_states,
    principal_account,
    states_of,
)
from wufeng.credit.offers import LateTerms, PriceOption, late_terms, offers, price_options
from wufeng.credit.plans.model import Plan, Terms
from wufeng.credit.products.commands import Products, open_book, publish
from wufeng.credit.products.files import read_products, shipped_products
from wufeng.credit.products.model import Product
from wufeng.credit.refunds.commands import refund_draws
from wufeng.credit.refunds.model import Effect, EffectKind, Refunded, RefundRequest, Returned
from wufeng.credit.repayments import commands as _repayments
from wufeng.credit.repayments.commands import BankAnswered, Repay, ReverseRepayment
from wufeng.credit.repayments.model import Source, SourceKind, Target


def handlers(products: Products) -> dict[type[Command], Handler]:
    """All lane handlers of credit: lines, repayments, the close."""
    return {**_lines.handlers(products), **_repayments.handlers(products), **_close.handlers(products)}


__all__ = [
    "Actor",
    "Approved",
    "BankAnswered",
    "CloseLine",
    "CloseStep",
    "ClosedDay",
    "DayClose",
    "Declined",
    "Draw",
    "DrawRequest",
    "Effect",
    "EffectKind",
    "Freeze",
    "LateTerms",
    "Line",
    "LineCommand",
    "LineState",
    "OpenLine",
    "Plan",
    "PriceOption",
    "Product",
    "Products",
    "RefundRequest",
    "Refunded",
    "Repay",
    "Returned",
    "ReverseRepayment",
    "SetAutoDebit",
    "SetDueDay",
    "SetLimit",
    "Source",
    "SourceKind",
    "StepResult",
    "Target",
    "Terms",
    "Unfreeze",
    "approve_captured_part",
    "close_day",
    "close_steps",
    "close_through",
    "count_suspended",
    "dates_to_close",
    "decide_draw",
    "draw_id",
    "draws_of_payments",
    "handlers",
    "journals_after_refund",
    "late_terms",
    "load_lines_of_people",
    "load_runs",
    "load_states",
    "make_billable",
    "offers",
    "open_book",
    "post_draws",
    "price_options",
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
