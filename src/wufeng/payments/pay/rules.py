"""Whether a payment may be made, and from what: pure functions over frozen structs."""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from wufeng.base import faults
from wufeng.base.errors import Code, Problem
from wufeng.credit.draws import model as draws
from wufeng.credit.draws.rules import decide_draw
from wufeng.credit.lines.model import LineState
from wufeng.credit.products.model import Product
from wufeng.identity.merchants.model import PPM, Merchant, MerchantStatus, Scene
from wufeng.identity.people.model import Outcome as TestOutcome
from wufeng.identity.people.model import PersonGuard, PersonStatus
from wufeng.payments.pay.model import Capture, Payment, PaymentStatus
from wufeng.risk.model import AuthLevel, Decision, Features, Outcome, PaymentFacts, Policy, Reason
from wufeng.risk.rules import fold_payment, in_order, judge

MOVES: dict[PaymentStatus, frozenset[PaymentStatus]] = {
    PaymentStatus.REQUIRES_ACTION: frozenset(
        {
            PaymentStatus.PENDING,
            PaymentStatus.AUTHORISED,
            PaymentStatus.CAPTURED,
            PaymentStatus.DECLINED,
            PaymentStatus.EXPIRED,
        }
    ),
    PaymentStatus.PENDING: frozenset(
        {
            PaymentStatus.AUTHORISED,
            PaymentStatus.CAPTURED,
            PaymentStatus.DECLINED,
            PaymentStatus.FAILED,
            PaymentStatus.VOIDED,
        }
    ),
    PaymentStatus.AUTHORISED: frozenset(
        {PaymentStatus.CAPTURED, PaymentStatus.VOIDED, PaymentStatus.EXPIRED}
    ),
    PaymentStatus.CAPTURED: frozenset(),
    PaymentStatus.DECLINED: frozenset(),
    PaymentStatus.VOIDED: frozenset(),
    PaymentStatus.EXPIRED: frozenset(),
    PaymentStatus.FAILED: frozenset(),
}

TEST_OUTCOMES = {
    TestOutcome.ALWAYS_DECLINED: Outcome.DECLINE,
    TestOutcome.STEP_UP: Outcome.STEP_UP,
    TestOutcome.REVIEW: Outcome.REVIEW,
}


class PayerState(Struct, frozen=True):
    """What is known of a payer inside a batch; each payment sees the state that the ones before it left.

    wallet_minor  the wallet's available money
    lines         the lines that the batch's payments name, by id
    """

    guard: PersonGuard
    wallet_minor: int
    lines: Mapping[UUID, LineState]
    features: Features


class Attempt(Struct, frozen=True):
    """One payment about to be decided."""

    payment: Payment
    auth_level: AuthLevel
    order_expired: bool


class Given(Struct, frozen=True):
    """What decides beside the payer's state: the same for all payments of a batch."""

    policy: Policy
    products: Mapping[UUID, Product]  # by line
    merchants: Mapping[UUID, Merchant]
    listed: Collection[tuple[str, UUID]]


class Way(StrEnum):
    """What is to be done with a decided payment."""

    CAPTURE = "capture"
    AUTHORISE = "authorise"
    REVIEW = "review"
    ASK = "ask"
    DECLINE = "decline"


class Decided(Struct, frozen=True):
    """The answer: the way, the payment's parts, the draw if credit is used, the payer's state afterwards."""

    way: Way
    decision: Decision
    wallet_minor: int
    credit_minor: int
    draw: draws.Approved | None
    after: PayerState


def authorise(
    attempt: Attempt, state: PayerState, given: Given, decision_id: UUID, at: datetime, on: date
) -> Decided:
    """Decide one payment. Every check whose inputs exist runs; reasons stand in API.md's order.

    at, on  the instant and the business date of the command, on the book's clock
    """
    payment = attempt.payment
    merchant = given.merchants[payment.merchant_id]
    facts = PaymentFacts(
        payer_id=payment.payer_id,
        merchant_id=payment.merchant_id,
        amount_minor=payment.amount_minor,
        at=at,
        on=on,
        auth_level=attempt.auth_level,
        payer_frozen=state.guard.status is not PersonStatus.ACTIVE,
        merchant_closed=merchant.status is not MerchantStatus.ACTIVE,
        test_outcome=TEST_OUTCOMES.get(state.guard.outcome),
    )
    verdict = judge(facts, state.features, given.listed, given.policy)
    reasons = list(verdict.reasons)
    declined = verdict.outcome is Outcome.DECLINE
    if attempt.order_expired:
        reasons.append(Reason.ORDER_EXPIRED)

    wallet_minor, credit_minor = funding_parts(payment, state.wallet_minor)
    line_id = payment.funding.line_id
    draw: draws.Approved | None = None
    product: str | None = None
    if credit_minor and line_id is None:
        reasons.append(Reason.INSUFFICIENT_BALANCE)
    elif credit_minor:
        assert line_id is not None
        line = state.lines.get(line_id)
        answer = decide_draw(
            line, _draw_request(payment, line_id, credit_minor), given.products.get(line_id), on
        )
        if isinstance(answer, draws.Declined):
            reasons.extend(answer.reasons)
        else:
            draw = answer
        product = f"{line.line.product}@{line.line.product_version}" if line else None

    if declined or any(reason not in verdict.reasons for reason in reasons):
        outcome = Outcome.DECLINE
    else:
        outcome = verdict.outcome
    decision = Decision(
        id=decision_id,
        payment_id=payment.id,
        payer_id=payment.payer_id,
        merchant_id=payment.merchant_id,
        amount_minor=payment.amount_minor,
        at=at,
        outcome=outcome,
        reasons=in_order(reasons),
        rules=verdict.rules,
        policy=given.policy.name,
        product=product,
        auth_level=attempt.auth_level,
        features=state.features,
    )
    way = _way(outcome, payment.capture)
    if way in (Way.DECLINE, Way.ASK):
        return Decided(way, decision, 0, 0, None, state)
    after = _after(state, payment, wallet_minor, draw, attempt.auth_level, at, on)
    return Decided(way, decision, wallet_minor, credit_minor, draw, after)


def funding_parts(payment: Payment, wallet_available_minor: int) -> tuple[int, int]:
    """The wallet's part and the part to be drawn: the wallet first, as far as it goes and only if it is to be used."""
    from_wallet = (
        min(max(wallet_available_minor, 0), payment.amount_minor) if payment.funding.use_wallet else 0
    )
    return from_wallet, payment.amount_minor - from_wallet


def _draw_request(payment: Payment, line_id: UUID, credit_minor: int) -> draws.DrawRequest:
    return draws.DrawRequest(
        id=draws.draw_id(payment.id),
        line_id=line_id,
        payment_id=payment.id,
        merchant_id=payment.merchant_id,
        amount_minor=credit_minor,
        scene=Scene(payment.scene),
        tenor=payment.funding.tenor,
        merchant_share_ppm=payment.funding.merchant_share_ppm,
    )


def _way(outcome: Outcome, capture: Capture) -> Way:
    if outcome is Outcome.DECLINE:
        return Way.DECLINE
    if outcome is Outcome.STEP_UP:
        return Way.ASK
    if outcome is Outcome.REVIEW:
        return Way.REVIEW
    return Way.CAPTURE if capture is Capture.NOW else Way.AUTHORISE


def _after(
    state: PayerState,
    payment: Payment,
    wallet_minor: int,
    draw: draws.Approved | None,
    auth_level: AuthLevel,
    at: datetime,
    on: date,
) -> PayerState:
    lines = state.lines
    if draw is not None and not faults.planted(faults.Plant.SKIP_LIMIT):
        lines = {**lines, draw.after.line.id: draw.after}
    return PayerState(
        guard=state.guard,
        wallet_minor=state.wallet_minor - wallet_minor,
        lines=lines,
        features=fold_payment(state.features, payment.amount_minor, at, on.toordinal(), auth_level),
    )


def fee_of(amount_minor: int, rate_ppm: int) -> int:
    """The merchant's fee on an amount: rounded half-even once."""
    whole, rest = divmod(amount_minor * rate_ppm, PPM)
    if faults.planted(faults.Plant.ROUND_TWICE):
        return whole + 1
    return whole + (2 * rest > PPM or (2 * rest == PPM and whole % 2 == 1))


def problem_if_not_awaiting(payment: Payment) -> Problem | None:
    """Only a payment in `requires_action` waits for its payer's word."""
    if payment.status is PaymentStatus.REQUIRES_ACTION:
        return None
    return Problem(
        Code.STATE_CONFLICT, f"This payment is {payment.status.value}; there is nothing to confirm."
    )


class CapturePlan(Struct, frozen=True):
    """What a capture takes: the wallet's hold first, then the line's; and whether the rest is released.

    number  which capture of the payment this is, from 0
    """

    amount_minor: int
    wallet_minor: int
    credit_minor: int
    ends: bool


def plan_capture(payment: Payment, amount_minor: int | None, *, final: bool) -> CapturePlan | Problem:
    """Plan the capture of an authorised payment; no amount means all that is left."""
    if payment.status is not PaymentStatus.AUTHORISED:
        return Problem(
            Code.STATE_CONFLICT,
            f"This payment is {payment.status.value}; only an authorised one is captured.",
        )
    left_minor = payment.amount_minor - payment.captured_minor
    amount = left_minor if amount_minor is None else amount_minor
    if amount > left_minor:
        return Problem(Code.STATE_CONFLICT, f"{left_minor} minor units are left to capture, not {amount}.")
    wallet_left_minor = max(0, payment.wallet_minor - payment.captured_minor)
    from_wallet = min(wallet_left_minor, amount)
    return CapturePlan(amount, from_wallet, amount - from_wallet, final or amount == left_minor)


def captured(payment: Payment, amount_minor: int, fee_rate_ppm: int, at: datetime, *, ends: bool) -> Payment:
    """The payment after a capture. The fee is on the sum captured so far, so that parts round like the whole."""
    captured_minor = payment.captured_minor + amount_minor
    return replace(
        payment,
        status=PaymentStatus.CAPTURED if ends else PaymentStatus.AUTHORISED,
        captured_minor=captured_minor,
        fee_minor=fee_of(captured_minor, fee_rate_ppm),
        captured_at=at,
        expires_at=None if ends else payment.expires_at,
    )
