"""From a payment somebody wants to a payment as it is to be stored, and its money moved: for new and confirmed ones."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from wufeng import credit, ledger
from wufeng.base.lanes import Batch
from wufeng.compliance import store_sums
from wufeng.ledger import Hold, Journal
from wufeng.payments.catalogue import Catalogue
from wufeng.payments.orders.model import Receipt
from wufeng.payments.pay import family, rules, subsidies
from wufeng.payments.pay.model import Payment, PaymentStatus
from wufeng.payments.pay.money import capture_journal, holds_of
from wufeng.payments.pay.rules import Attempt, Decided, Way
from wufeng.payments.pay.state import Table
from wufeng.payments.pay.views import DrawFacts, facts_of_approved
from wufeng.risk import record_decisions
from wufeng.risk.model import Confirmation

STATUS_OF_WAY = {
    Way.CAPTURE: PaymentStatus.CAPTURED,
    Way.AUTHORISE: PaymentStatus.AUTHORISED,
    Way.REVIEW: PaymentStatus.PENDING,
    Way.ASK: PaymentStatus.REQUIRES_ACTION,
    Way.DECLINE: PaymentStatus.DECLINED,
}


class Outcome(Struct, frozen=True, gc=False):
    """A payment as it is to be stored, and what decided it; None when its payer has to say yes first."""

    payment: Payment
    decided: Decided | None
    on: date

    @property
    def draws(self) -> tuple[DrawFacts, ...]:
        """The draw that this very outcome posts."""
        decided = self.decided
        if decided is None or decided.way is not Way.CAPTURE or decided.draw is None:
            return ()
        return (facts_of_approved(decided.draw),)


def decide(
    batch: Batch,
    catalogue: Catalogue,
    table: Table,
    payment: Payment,
    confirmation: Confirmation,
    order_expires_at: datetime | None,
    at: datetime,
    on: date,
) -> Outcome:
    """Decide a payment against the state that the ones before it left, and move that state on."""
    attempt = Attempt(
        payment.id,
        payment.payer_id,
        payment.merchant_id,
        payment.amount_minor,
        payment.scene,
        payment.funding,
        payment.capture,
        confirmation,
        payment.receipt is Receipt.CONFIRM,
        order_expires_at is not None and at >= order_expires_at,
        subsidies.room_of(table, payment.funding, on),
        payment.channel,
        family.refusals(table, payment, on),
    )
    slot = payment.id.int & 0xFFFF
    state = table.states[payment.payer_id]
    decided = rules.authorise(
        attempt, state, table.given, table.products(on), batch.ids.new(at, slot), at, on
    )
    table.states[payment.payer_id] = decided.after
    way, decision = decided.way, decided.decision
    if way is Way.ASK:
        payment = replace(payment, decision_id=decision.id, reasons=decision.reasons)
        needs = Confirmation.PIN
        return Outcome(awaiting(payment, catalogue, order_expires_at, at, needs), decided, on)
    captured_minor, fee_minor = 0, 0
    captured_at: datetime | None = None
    expires_at: datetime | None = None
    if way is Way.CAPTURE:
        captured_minor, captured_at = payment.amount_minor, at
        rate_ppm = table.given.merchants[payment.merchant_id].fee_plan.rate_ppm
        fee_minor = rules.fee_of(captured_minor, rate_ppm)
    elif way is Way.AUTHORISE:
        expires_at = at + timedelta(days=catalogue.authorised_days)
    elif way is Way.REVIEW:
        expires_at = at + timedelta(minutes=table.given.policy.review.minutes)
    holds = way is Way.AUTHORISE or way is Way.REVIEW
    subsidy_minor = subsidies.use_room(table, payment.funding, decided)
    if way is not Way.DECLINE:
        family.use_card(table, payment, on)
    stored = replace(
        payment,
        status=STATUS_OF_WAY[way],
        wallet_minor=decided.wallet_minor,
        credit_minor=decided.credit_minor,
        captured_minor=captured_minor,
        fee_minor=fee_minor,
        campaign_minor=0 if holds else subsidy_minor,
        campaign_held_minor=subsidy_minor if holds else 0,
        wallet_hold_id=batch.ids.new(at, slot) if holds and decided.wallet_minor else None,
        line_hold_id=batch.ids.new(at, slot) if holds and decided.credit_minor else None,
        decision_id=decision.id,
        reasons=decision.reasons,
        needs=None,
        expires_at=expires_at,
        captured_at=captured_at,
    )
    return Outcome(stored, decided, on)


def awaiting(
    payment: Payment,
    catalogue: Catalogue,
    order_expires_at: datetime | None,
    at: datetime,
    needs: Confirmation,
) -> Payment:
    """A payment that waits for its payer, at most until its order expires. Asking again gives no more time.

    needs  the weakest confirmation that will do
    """
    until = payment.expires_at or at + timedelta(minutes=catalogue.confirm_minutes)
    if order_expires_at is not None:
        until = min(until, order_expires_at)
    return replace(
        payment, status=PaymentStatus.REQUIRES_ACTION, expires_at=until, needs=needs, confirmed_by=None
    )


async def carry_out(batch: Batch, table: Table, outcomes: Sequence[Outcome]) -> None:
    """Record the decisions and move the money of outcomes: journals and draws, or holds."""
    await family.record(batch, table, [(outcome.payment, outcome.on) for outcome in outcomes])
    decided = [(outcome, outcome.decided) for outcome in outcomes if outcome.decided is not None]
    if not decided:
        return
    let_through = [
        (outcome, one) for outcome, one in decided if one.way is not Way.DECLINE and one.way is not Way.ASK
    ]
    payers = {outcome.payment.payer_id for outcome, _ in let_through}
    await store_sums(
        batch.db, batch.bucket, {payer: table.states[payer].sums for payer in sorted(payers & table.counted)}
    )
    await record_decisions(
        batch.db,
        batch.bucket,
        [one.decision for _, one in decided],
        {payer: table.states[payer].features for payer in payers},
    )
    journals: list[Journal] = []
    holds: list[Hold] = []
    drawn: dict[date, list[credit.Approved]] = {}
    for outcome, one in let_through:
        payment = outcome.payment
        wallet_id = table.guard(payment.payer_id).wallet_id
        if one.way is not Way.CAPTURE:
            holds += holds_of(payment, wallet_id)
            continue
        if one.draw is not None:
            drawn.setdefault(outcome.on, []).append(one.draw)
        journals.append(
            capture_journal(
                payment,
                batch.book.id,
                wallet_id,
                one.wallet_minor,
                one.draw,
                payment.fee_minor,
                outcome.on,
            )
        )
    for on, draws in drawn.items():
        await credit.post_draws(batch, table.catalogue.products, draws, on)
    if journals:
        await ledger.post(batch, journals)
    await ledger.place_holds(batch, holds)
