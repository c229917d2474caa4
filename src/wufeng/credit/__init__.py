"""Credit: products, lines, draws, plans, bills, repayments, refunds, arrears, the day close.

What other contexts call works inside their own batch or transaction; their command locks the people of the lines.
"""

from wufeng.base.lanes import Command, Handler
from wufeng.credit.accruals.queries import EarnedInterest, load_interest
from wufeng.credit.accruals.verify import accrual_breaks
from wufeng.credit.applications import close as _application_close
from wufeng.credit.applications import commands as _applications
from wufeng.credit.applications.close import Gather
from wufeng.credit.applications.commands import (
    AcceptApplication,
    Apply,
    DecideReferred,
    ReferApplication,
    WithdrawConsent,
)
from wufeng.credit.applications.policy import shipped_application_policy
from wufeng.credit.applications.publishing import publish_application_policy
from wufeng.credit.bill_plans import commands as _bill_plans
from wufeng.credit.bill_plans.commands import SplitBill
from wufeng.credit.charge_offs import commands as _charge_offs
from wufeng.credit.close import accruing as _accruing
from wufeng.credit.close import commands as _close
from wufeng.credit.close.model import ClosedDay, CloseStep, DayClose, StepResult, StepRun
from wufeng.credit.close.runner import close_day, close_through, dates_to_close
from wufeng.credit.close.steps import close_steps
from wufeng.credit.close.store import load_runs, load_step_runs
from wufeng.credit.debits import commands as _debits
from wufeng.credit.debits.runner import debit_due, debits_follower
from wufeng.credit.draws.commands import approve_captured_part, draws_of_payments, make_billable, post_draws
from wufeng.credit.draws.model import Approved, Declined, Draw, DrawRequest, draw_id
from wufeng.credit.draws.rules import calendar_of, decide_draw
from wufeng.credit.journals import (
    RefundLegs,
    journals_after_refund,
    journals_of_kept,
    legs_of_refund,
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
    SetCap,
    SetDueDay,
    SetLimit,
    Unfreeze,
    open_lines,
    set_caps,
    set_limits,
)
from wufeng.credit.lines.ending import ENDINGS, EndTerms
from wufeng.credit.lines.model import Actor, Line, LineState
from wufeng.credit.lines.store import (
    count_suspended,
    load_lines_of_people,
    load_states,
    load_states_of_people,
    principal_account,
    states_of,
)
from wufeng.credit.offers import LateTerms, PriceOption, late_terms, offers, price_options
from wufeng.credit.plans.model import Plan, Terms
from wufeng.credit.products.commands import Products, open_book, publish, refresh
from wufeng.credit.products.files import read_products, shipped_products
from wufeng.credit.products.model import BillableAt, Mode, Product
from wufeng.credit.refunds.commands import keep_refused, refund_draws
from wufeng.credit.refunds.late import RefundedLate, refund_late
from wufeng.credit.refunds.model import (
    SENT_MAX,
    Effect,
    EffectKind,
    Kept,
    Refunded,
    RefundRequest,
    Refused,
    Returned,
    Sending,
    Sent,
)
from wufeng.credit.refunds.sending import Send, send_nothing
from wufeng.credit.reminders import commands as _reminders
from wufeng.credit.reminders.commands import reminder_steps
from wufeng.credit.repayments import commands as _repayments
from wufeng.credit.repayments.commands import BankAnswered, Repay, ReverseRepayment
from wufeng.credit.repayments.model import Source, SourceKind, Target
from wufeng.credit.sources.model import Held, Pays, SourceType
from wufeng.credit.sources.own import BANK_ACCOUNT, OWN_SOURCES, WALLET
from wufeng.credit.sources.registry import Sources


def handlers(
    products: Products, sources: Sources = OWN_SOURCES, send: Send = send_nothing
) -> dict[type[Command], Handler]:
    """All lane handlers of credit: applications, lines, repayments, the close.

    sources  the kinds that people repay from; who brings a new one (cards, the fund) says so in the composition root
    send     takes what refunds of the past send back; who shows refunds to people gives it there too
    """
    policy = shipped_application_policy()
    return {
        **_applications.handlers(products, policy),
        **_application_close.handlers(products, policy),
        **_lines.handlers(products, sources, policy.offer.person_max_minor),
        **_bill_plans.handlers(products),
        **_repayments.handlers(products, sources, send),
        **_debits.handlers(products, sources),
        **_reminders.handlers(products),
        **_close.handlers(products),
        **_accruing.handlers(products),
        **_charge_offs.handlers(products),
    }


def application_steps(gather: Gather) -> list[CloseStep]:
    """The steps of the day close for applications, after `close_steps`. gather: facts that credit does not read."""
    return _application_close.close_steps(shipped_application_policy(), gather)


__all__ = [
    "BANK_ACCOUNT",
    "ENDINGS",
    "OWN_SOURCES",
    "SENT_MAX",
    "WALLET",
    "AcceptApplication",
    "Actor",
    "Apply",
    "Approved",
    "BankAnswered",
    "BillableAt",
    "CloseLine",
    "CloseStep",
    "ClosedDay",
    "DayClose",
    "DecideReferred",
    "Declined",
    "Draw",
    "DrawRequest",
    "EarnedInterest",
    "Effect",
    "EffectKind",
    "EndTerms",
    "Freeze",
    "Gather",
    "Held",
    "Kept",
    "LateTerms",
    "Line",
    "LineCommand",
    "LineState",
    "Mode",
    "OpenLine",
    "Pays",
    "Plan",
    "PriceOption",
    "Product",
    "Products",
    "ReferApplication",
    "RefundLegs",
    "RefundRequest",
    "Refunded",
    "RefundedLate",
    "Refused",
    "Repay",
    "Returned",
    "ReverseRepayment",
    "Sending",
    "Sent",
    "SetAutoDebit",
    "SetCap",
    "SetDueDay",
    "SetLimit",
    "Source",
    "SourceKind",
    "SourceType",
    "Sources",
    "SplitBill",
    "StepResult",
    "StepRun",
    "Target",
    "Terms",
    "Unfreeze",
    "WithdrawConsent",
    "accrual_breaks",
    "application_steps",
    "approve_captured_part",
    "calendar_of",
    "close_day",
    "close_steps",
    "close_through",
    "count_suspended",
    "dates_to_close",
    "debit_due",
    "debits_follower",
    "decide_draw",
    "draw_id",
    "draws_of_payments",
    "handlers",
    "journals_after_refund",
    "journals_of_kept",
    "keep_refused",
    "late_terms",
    "legs_of_refund",
    "load_interest",
    "load_lines_of_people",
    "load_runs",
    "load_states",
    "load_states_of_people",
    "load_step_runs",
    "make_billable",
    "offers",
    "open_book",
    "open_lines",
    "post_draws",
    "price_options",
    "principal_account",
    "principal_drawn",
    "principal_refunded",
    "publish",
    "publish_application_policy",
    "read_products",
    "refresh",
    "refund_draws",
    "refund_late",
    "reminder_steps",
    "set_caps",
    "set_limits",
    "shipped_products",
    "states_of",
    "subsidy_refunded",
]
