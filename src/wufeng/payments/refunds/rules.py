"""How a refund is split, and what of the fee goes with it: pure."""

from datetime import date
from fractions import Fraction

from msgspec import Struct

from wufeng.base.errors import Code, Problem, invalid_field
from wufeng.base.money import round_half_even
from wufeng.payments.pay.model import Payment
from wufeng.payments.refunds.model import Refund, RefundReason


class RefundPlan(Struct, frozen=True):
    """A refund's parts: what lowers the line's debt, what returns to the wallet, and the merchant's fee given back."""

    credit_minor: int
    wallet_minor: int
    fee_returned_minor: int


def plan_refund(payment: Payment, amount_minor: int, fee_returned_minor: int) -> RefundPlan | Problem:
    """Plan a refund of a captured amount.

    fee_returned_minor  what earlier refunds of the payment gave back of the fee; a capture since then may have changed
                        both the fee and how it rounds, so it is not computed again

    The drawn part is refunded first, the wallet's last: a debt stops growing before money is handed out, so that a
    purchase on credit cannot be turned into cash by returning a part of it; and no rounding decides who gets a fen.
    """
    assert amount_minor > 0, "the border refuses a refund of nothing"
    left_minor = payment.captured_minor - payment.refunded_minor
    if amount_minor > left_minor:
        detail = f"{left_minor} minor units are left to refund, not {amount_minor}."
        return Problem(Code.STATE_CONFLICT, detail)
    wallet_captured_minor = min(payment.wallet_minor, payment.captured_minor)
    credit_captured_minor = payment.captured_minor - wallet_captured_minor
    credit_refunded_minor = payment.refunded_minor - payment.wallet_refunded_minor
    credit_minor = min(amount_minor, credit_captured_minor - credit_refunded_minor)
    return RefundPlan(
        credit_minor,
        amount_minor - credit_minor,
        max(0, fee_to_return(payment, payment.refunded_minor + amount_minor) - fee_returned_minor),
    )


def fee_to_return(payment: Payment, refunded_minor: int) -> int:
    """The merchant's fee that goes back with a sum refunded: rounded once over the sum, so that parts round like the
    whole, and all of it with all.
    """
    return round_half_even(Fraction(payment.fee_minor * refunded_minor, payment.captured_minor))


def problem_of_value_on(payment: Payment, captured_on: date, value_on: date, on: date) -> Problem | None:
    """Why a refund may not count from a date: it comes neither in the future nor before what it gives back.

    captured_on  of the payment, for the last time
    """
    if value_on > on:
        return invalid_field("/value_on", "It is not in the future.")
    if payment.captured_minor and value_on < captured_on:
        return invalid_field("/value_on", f"Not before {captured_on}, on which the last of it was captured.")
    return None


def problem_if_other_request(
    refund: Refund, amount_minor: int, reason_code: RefundReason, value_on: date | None, made_on: date
) -> Problem | None:
    """One number names one refund of a payment: another amount, fault or value date under it is a mistake.

    value_on  as asked for; None: none was named      made_on  the date on which the refund was made
    """
    if refund.amount_minor != amount_minor:
        detail = f"Refund {refund.refund_no} is over {refund.amount_minor}, not {amount_minor} minor units."
        return Problem(Code.STATE_CONFLICT, detail)
    if refund.reason_code is not reason_code:
        detail = f"Refund {refund.refund_no} was made for {refund.reason_code}, not {reason_code}."
        return Problem(Code.STATE_CONFLICT, detail)
    if (value_on or made_on) != (refund.value_on or made_on):
        counts = f"counts from {refund.value_on or made_on}, not from {value_on or 'the day it was made'}."
        return Problem(Code.STATE_CONFLICT, f"Refund {refund.refund_no} {counts}")
    return None


def problem_if_below_floor(owed_minor: int, given_back_minor: int, floor_minor: int) -> Problem | None:
    """Whether a refund would take what a merchant is owed too far below zero.

    owed_minor  as the folded balance says: behind by what the follower has not folded yet
    """
    if owed_minor - given_back_minor >= -floor_minor:
        return None
    detail = "The merchant's balance does not cover this refund. Pay in, or wait for new payments."
    return Problem(Code.STATE_CONFLICT, detail)
