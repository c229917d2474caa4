"""Whether a payment may be made, and from what: pure functions over frozen structs."""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from wufeng.base import faults
from wufeng.compliance import Breach, CodeKind, Factors, LimitPolicy, Spend, Sums
from wufeng.compliance.limits.model import NOTHING_PAID
from wufeng.compliance.limits.rules import breaches, breaks_cooling, fold_spend
from wufeng.credit.draws import model as draws
from wufeng.credit.draws.rules import decide_draw
from wufeng.credit.lines.model import LineState
from wufeng.credit.lines.rules import ceiling_minor
from wufeng.credit.products.model import Product
from wufeng.identity.merchants.model import PPM, Merchant, MerchantStatus, Scene
from wufeng.identity.people.model import Outcome as TestOutcome
from wufeng.identity.people.model import PersonGuard, PersonStatus
from wufeng.payments.orders.model import Channel
from wufeng.payments.pay.model import Capture, Funding, PaymentStatus
from wufeng.risk.model import Confirmation, Decision, Features, Outcome, PaymentFacts, Policy, Reason
from wufeng.risk.rules import fold_payment, in_order, judge, sums_on

S = PaymentStatus
MOVES: dict[PaymentStatus, frozenset[PaymentStatus]] = {
    S.REQUIRES_ACTION: frozenset({S.PENDING, S.AUTHORISED, S.CAPTURED, S.DECLINED, S.EXPIRED}),
    S.PENDING: frozenset({S.AUTHORISED, S.CAPTURED, S.DECLINED, S.FAILED, S.VOIDED}),
    S.AUTHORISED: frozenset({S.AUTHORISED, S.CAPTURED, S.VOIDED, S.EXPIRED}),  # itself: a part capture
    S.CAPTURED: frozenset(),
    S.DECLINED: frozenset(),
    S.VOIDED: frozenset(),
    S.EXPIRED: frozenset(),
    S.FAILED: frozenset(),
}
"""API.md's table of states."""

HOLDS_MONEY = frozenset({S.PENDING, S.AUTHORISED})
"""States in which what is not captured yet is held."""

HOLDS_ORDER = frozenset({S.PENDING, S.AUTHORISED, S.CAPTURED})
"""States in which a payment keeps its order: no other may be started."""

TEST_OUTCOMES = {
    TestOutcome.ALWAYS_DECLINED: Outcome.DECLINE,
    TestOutcome.STEP_UP: Outcome.STEP_UP,
    TestOutcome.REVIEW: Outcome.REVIEW,
}

TEST_CONFIRMATIONS = {TestOutcome.NEEDS_PASSKEY: Confirmation.PASSKEY}
"""What test people are asked for in any case; all others for nothing beyond the policy."""


def least_confirmation(outcome: TestOutcome, *, spends: bool) -> Confirmation:
    """What a payer with that outcome is asked for in any case.

    spends  a family card's holder pays, who always proves to be there: what may be paid without that is its owner's
    """
    asked = TEST_CONFIRMATIONS.get(outcome, Confirmation.NONE)
    return max(asked, Confirmation.PIN) if spends else asked


CODE_KINDS = {
    Channel.STATIC_CODE: CodeKind.STATIC,
    Channel.DYNAMIC_CODE: CodeKind.SHOWN,
    Channel.PAY_CODE: CodeKind.SHOWN,
    Channel.OFFLINE_CODE: CodeKind.OFFLINE,
    Channel.RIDE: CodeKind.SHOWN,
}
"""Channels that the rules for bar codes are about. Fares were shown to gates by code, and paid later."""

REASON_OF_BREACH = {
    Breach.ACCOUNT: Reason.TIER_LIMIT,
    Breach.CODE: Reason.CODE_LIMIT,
    Breach.COOLING: Reason.DEVICE_UNTRUSTED,
}


class PayerState(Struct, frozen=True, gc=False):
    """What is known of a payer inside a batch; each payment sees the state that the ones before it left.

    wallet_minor  the wallet's available money
    sums          what they have paid, where a payment of the batch counts: by balance or by code
    lines         all lines of a payer whom a payment of the batch lets draw, by id: they share the person's cap
    """

    guard: PersonGuard
    wallet_minor: int
    lines: Mapping[UUID, LineState]
    features: Features
    sums: Sums = NOTHING_PAID


class Attempt(Struct, frozen=True, gc=False):
    """One payment about to be decided.

    campaign_room_minor  what it may take of its campaign's budget, below 0 when the campaign is over; None: no campaign
    refused              why the payer's family card, which somebody else pays with, does not pay it
    """

    payment_id: UUID
    payer_id: UUID
    merchant_id: UUID
    amount_minor: int
    scene: Scene
    funding: Funding
    capture: Capture
    confirmation: Confirmation
    awaits_receipt: bool
    order_expired: bool
    campaign_room_minor: int | None = None
    channel: Channel = Channel.APP
    refused: tuple[Reason, ...] = ()


class Given(Struct, frozen=True):
    """What decides beside the payer's state: the same for all payments of a batch."""

    policy: Policy
    merchants: Mapping[UUID, Merchant]
    listed: Collection[tuple[str, UUID]]
    limits: LimitPolicy


class Way(StrEnum):
    """What is to be done with a decided payment."""

    CAPTURE = "capture"
    AUTHORISE = "authorise"
    REVIEW = "review"
    ASK = "ask"
    DECLINE = "decline"


class Decided(Struct, frozen=True, gc=False):
    """The answer: the way, the payment's parts, the draw if credit is used, the payer's state afterwards."""

    way: Way
    decision: Decision
    wallet_minor: int
    credit_minor: int
    draw: draws.Approved | None
    after: PayerState


def authorise(
    attempt: Attempt,
    state: PayerState,
    given: Given,
    products: Mapping[UUID, Product],
    decision_id: UUID,
    at: datetime,
    on: date,
) -> Decided:
    """Decide one payment. Every check whose inputs exist runs; reasons stand in API.md's order.

    products  the versions that the payer's lines draw by on `on`, by line
    at, on    the instant and the business date of the command, on the book's clock
    """
    merchant = given.merchants[attempt.merchant_id]
    facts = PaymentFacts(
        payer_id=attempt.payer_id,
        merchant_id=attempt.merchant_id,
        amount_minor=attempt.amount_minor,
        at=at,
        on=on,
        confirmation=attempt.confirmation,
        payer_frozen=state.guard.status is not PersonStatus.ACTIVE,
        merchant_closed=merchant.status is not MerchantStatus.ACTIVE,
        test_outcome=TEST_OUTCOMES.get(state.guard.outcome),
    )
    verdict = judge(facts, state.features, given.listed, given.policy)
    refusals: list[Reason] = [*attempt.refused, *([Reason.ORDER_EXPIRED] if attempt.order_expired else [])]
    wallet_minor, credit_minor = funding_parts(attempt.funding, attempt.amount_minor, state.wallet_minor)
    spend = spend_of(attempt.amount_minor, wallet_minor, attempt.channel, attempt.confirmation)
    refusals += [REASON_OF_BREACH[breach] for breach in _breaches(spend, state, given.limits, at, on)]
    line_id = attempt.funding.line_id
    draw: draws.Approved | None = None
    product: str | None = None
    if wallet_minor > max(state.wallet_minor, 0) or (credit_minor and line_id is None):
        refusals.append(Reason.INSUFFICIENT_BALANCE)
    if credit_minor and line_id is not None:
        line, version = state.lines.get(line_id), products.get(line_id)
        ceiling = ceiling_minor(line_id, state.lines, products, on) if line is not None else None
        answer = decide_draw(line, draw_request(attempt, line_id, credit_minor), version, on, ceiling)
        if isinstance(answer, draws.Declined):
            refusals.extend(answer.reasons)
        elif _lacks_subsidy(attempt, answer):
            refusals.append(Reason.CAMPAIGN_OVER)
        else:
            draw = answer
        product = f"{version.id}@{version.version}" if line is not None and version is not None else None

    outcome = Outcome.DECLINE if refusals else verdict.outcome
    decision = Decision(
        id=decision_id,
        payment_id=attempt.payment_id,
        payer_id=attempt.payer_id,
        merchant_id=attempt.merchant_id,
        amount_minor=attempt.amount_minor,
        at=at,
        outcome=outcome,
        reasons=in_order((*verdict.reasons, *refusals)) if refusals else verdict.reasons,
        rules=verdict.rules,
        policy=given.policy.name,
        product=product,
        confirmation=attempt.confirmation,
        features=state.features,
    )
    way = _way(outcome, attempt.capture)
    if way is Way.DECLINE or way is Way.ASK:
        return Decided(way, decision, 0, 0, None, state)
    after = _after(state, attempt, way, wallet_minor, draw, spend, at, on)
    return Decided(way, decision, wallet_minor, credit_minor, draw, after)


def counts(channel: Channel, funding: Funding) -> bool:
    """Whether a payment counts against the limits of the law: what the wallet pays, and what is paid by code."""
    return funding.use_wallet or channel in CODE_KINDS


def never_pays(channel: Channel, amount_minor: int, limits: LimitPolicy) -> bool:
    """Whether no confirmation could let a payment through, so that nobody is asked for one."""
    return channel is Channel.OFFLINE_CODE and amount_minor > limits.offline.payment_max_minor


def spend_of(amount_minor: int, wallet_minor: int, channel: Channel, confirmation: Confirmation) -> Spend:
    """A payment, or a part of one, as the limits of the law see it."""
    factors = Factors.FEW
    if confirmation >= Confirmation.PASSKEY:
        factors = Factors.SIGNED
    elif confirmation is Confirmation.PIN:
        factors = Factors.TWO
    return Spend(amount_minor, wallet_minor, CODE_KINDS.get(channel, CodeKind.NONE), factors)


def _breaches(
    spend: Spend, state: PayerState, limits: LimitPolicy, at: datetime, on: date
) -> tuple[Breach, ...]:
    found = breaches(spend, state.sums, state.guard.tier, limits, on)
    until = state.guard.cooling_until
    if until is not None and at < until:
        day_minor = sums_on(state.features, on.toordinal()).paid_minor
        if breaks_cooling(spend.amount_minor, day_minor, limits):
            found += (Breach.COOLING,)
    return found


def _lacks_subsidy(attempt: Attempt, draw: draws.Approved) -> bool:
    """Whether the campaign that the price was shown with does not carry it any more: it is never put on the payer."""
    room_minor = attempt.campaign_room_minor
    return room_minor is not None and draw.plan.subsidy_minor > room_minor


def funding_parts(funding: Funding, amount_minor: int, wallet_available_minor: int) -> tuple[int, int]:
    """The wallet's part and the part to be drawn: those that were shown, or the wallet first, as far as it goes and
    only if it is to be used.
    """
    if not funding.use_wallet:
        return 0, amount_minor
    if funding.wallet_minor is not None:
        return funding.wallet_minor, amount_minor - funding.wallet_minor
    from_wallet = min(max(wallet_available_minor, 0), amount_minor)
    return from_wallet, amount_minor - from_wallet


def draw_request(attempt: Attempt, line_id: UUID, credit_minor: int) -> draws.DrawRequest:
    """The draw that a payment wants."""
    return draws.DrawRequest(
        id=draws.draw_id(attempt.payment_id),
        line_id=line_id,
        payment_id=attempt.payment_id,
        merchant_id=attempt.merchant_id,
        amount_minor=credit_minor,
        scene=attempt.scene,
        tenor=attempt.funding.tenor,
        merchant_share_ppm=attempt.funding.merchant_share_ppm,
        awaits_receipt=attempt.awaits_receipt,
    )


def _way(outcome: Outcome, capture: Capture) -> Way:
    if outcome is Outcome.ALLOW:
        return Way.CAPTURE if capture is Capture.NOW else Way.AUTHORISE
    if outcome is Outcome.DECLINE:
        return Way.DECLINE
    return Way.ASK if outcome is Outcome.STEP_UP else Way.REVIEW


def _after(
    state: PayerState,
    attempt: Attempt,
    way: Way,
    wallet_minor: int,
    draw: draws.Approved | None,
    spend: Spend,
    at: datetime,
    on: date,
) -> PayerState:
    lines = state.lines
    if draw is not None and not faults.planted(faults.Plant.SKIP_LIMIT):
        after = draw.after if way is Way.CAPTURE else _held(lines[draw.request.line_id], draw)
        lines = {**lines, draw.request.line_id: after}
    return PayerState(
        state.guard,
        state.wallet_minor - wallet_minor,
        lines,
        fold_payment(state.features, attempt.amount_minor, at, on.toordinal(), attempt.confirmation),
        fold_spend(state.sums, spend, on) if counts(attempt.channel, attempt.funding) else state.sums,
    )


def _held(line: LineState, draw: draws.Approved) -> LineState:
    """A line with the draw reserved, not used: nothing is owed yet."""
    return replace(line, held_minor=line.held_minor + draw.request.amount_minor)


def fee_of(amount_minor: int, rate_ppm: int) -> int:
    """The merchant's fee on an amount: rounded half-even once."""
    whole, rest = divmod(amount_minor * rate_ppm, PPM)
    if faults.planted(faults.Plant.ROUND_TWICE):
        return whole + 1
    return whole + (2 * rest > PPM or (2 * rest == PPM and whole % 2 == 1))
