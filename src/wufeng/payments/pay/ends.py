"""How payments end, and how parts are captured: pure."""

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from wufeng.base.errors import Code, Problem
from wufeng.payments.pay.model import Payment, PaymentStatus
from wufeng.payments.pay.rules import MOVES, fee_of
from wufeng.risk.model import Reason


def problem_if_not_awaiting(payment: Payment) -> Problem | None:
    """Only a payment in `requires_action` waits for its payer's word."""
    if payment.status is PaymentStatus.REQUIRES_ACTION:
        return None
    detail = f"This payment is {payment.status.value}; there is nothing to confirm."
    return Problem(Code.STATE_CONFLICT, detail)


def problem_if_not_voidable(payment: Payment) -> Problem | None:
    """Only what is held can be released."""
    if payment.status in (PaymentStatus.AUTHORISED, PaymentStatus.PENDING):
        return None
    detail = f"This payment is {payment.status.value}; only an authorised or pending one is voided."
    return Problem(Code.STATE_CONFLICT, detail)


def ended(payment: Payment, status: PaymentStatus, reasons: tuple[Reason, ...] = ()) -> Payment:
    """A payment that ends; one that was captured in part stays captured with that part."""
    if payment.captured_minor > 0:
        status = PaymentStatus.CAPTURED
    assert status in MOVES[payment.status], f"{payment.status} does not become {status}"
    return replace(
        payment,
        status=status,
        reasons=reasons or payment.reasons,
        campaign_held_minor=0,
        needs=None,
        expires_at=None,
    )


class CapturePlan(Struct, frozen=True):
    """What a capture takes: the wallet's part first, then the line's.

    ends                         the payment is captured; what is left of the holds is released
    wallet_left, credit_left     held before it (minor units)
    """

    amount_minor: int
    wallet_minor: int
    credit_minor: int
    wallet_left_minor: int
    credit_left_minor: int
    ends: bool


def held_of(payment: Payment) -> tuple[int, int]:
    """What is still held of the wallet's and the line's part; captures take the wallet's first."""
    wallet_taken_minor = min(payment.wallet_minor, payment.captured_minor)
    credit_taken_minor = payment.captured_minor - wallet_taken_minor
    return payment.wallet_minor - wallet_taken_minor, payment.credit_minor - credit_taken_minor


def plan_capture(payment: Payment, amount_minor: int | None, *, final: bool) -> CapturePlan | Problem:
    """Plan the capture of an authorised payment; no amount means all that is left."""
    if payment.status is not PaymentStatus.AUTHORISED:
        detail = f"This payment is {payment.status.value}; only an authorised one is captured."
        return Problem(Code.STATE_CONFLICT, detail)
    wallet_left_minor, credit_left_minor = held_of(payment)
    left_minor = wallet_left_minor + credit_left_minor
    amount = left_minor if amount_minor is None else amount_minor
    assert amount > 0, "the border refuses a capture of nothing"
    if amount > left_minor:
        return Problem(Code.STATE_CONFLICT, f"{left_minor} minor units are left to capture, not {amount}.")
    from_wallet = min(wallet_left_minor, amount)
    return CapturePlan(
        amount,
        from_wallet,
        amount - from_wallet,
        wallet_left_minor,
        credit_left_minor,
        final or amount == left_minor,
    )


def captured(
    payment: Payment, plan: CapturePlan, fee_rate_ppm: int, at: datetime, subsidy_minor: int = 0
) -> Payment:
    """The payment after a capture. The fee is on the sum captured so far, so that parts round like the whole.

    subsidy_minor  what the part takes of the payment's campaign: what was kept for it first
    """
    captured_minor = payment.captured_minor + plan.amount_minor
    return replace(
        payment,
        status=PaymentStatus.CAPTURED if plan.ends else PaymentStatus.AUTHORISED,
        captured_minor=captured_minor,
        fee_minor=fee_of(captured_minor, fee_rate_ppm),
        captured_at=at,
        campaign_minor=payment.campaign_minor + subsidy_minor,
        campaign_held_minor=0 if plan.ends else max(0, payment.campaign_held_minor - subsidy_minor),
        expires_at=None if plan.ends else payment.expires_at,
    )
