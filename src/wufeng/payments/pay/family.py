"""What payments with family cards take of a card's month, under the row of its owner, who pays.

One statement loads the cards of a batch that has any, one writes who used them, one their months; a batch without has
none of them. What a payment no longer holds goes back to its card while the month lasts.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from uuid import UUID

from wufeng.base.lanes import Batch
from wufeng.payments.family import rules, store
from wufeng.payments.family.model import Spend, Use
from wufeng.payments.pay.model import Payment
from wufeng.payments.pay.rules import HOLDS_MONEY
from wufeng.payments.pay.state import Table
from wufeng.risk.model import Reason


async def load_cards(batch: Batch, table: Table, spends: Mapping[UUID, Spend]) -> None:
    """Load the cards that new payments (by id) are made with."""
    if spends:
        table.spends |= spends
        cards = {spend.card_id for spend in spends.values()}
        table.cards |= await store.load_cards(batch.db, batch.bucket, cards)


async def load_cards_of(batch: Batch, table: Table, payments: Iterable[Payment]) -> None:
    """Load the cards of payments that waited for who spends."""
    spenders = {payment.id: payment.spender_id for payment in payments if payment.spender_id is not None}
    if spenders:
        cards = await store.load_uses(batch.db, batch.bucket, spenders)
        await load_cards(batch, table, {id_: Spend(cards[id_], spender) for id_, spender in spenders.items()})


def refusals(table: Table, payment: Payment, on: date) -> tuple[Reason, ...]:
    """Why the card of a payment does not pay it; nothing: it does, or there is none."""
    spend = table.spends.get(payment.id)
    if spend is None:
        return ()
    card = table.cards.get(spend.card_id)
    return rules.refusals(card, spend, payment.payer_id, payment.amount_minor, on)


def use_card(table: Table, payment: Payment, on: date) -> None:
    """Take a payment that goes on off its card's month; the card moves on."""
    spend = table.spends.get(payment.id)
    if spend is not None:
        card = table.cards[spend.card_id] = rules.used(table.cards[spend.card_id], payment.amount_minor, on)
        table.uses[payment.id] = Use(payment.id, spend.card_id, card.month_on, payment.amount_minor)


async def record(batch: Batch, table: Table, payments: Sequence[tuple[Payment, date]]) -> None:
    """Write which payments were made with cards, waiting and declined ones too, and the months of those that pay."""
    uses = [
        table.uses.get(payment.id) or Use(payment.id, spend.card_id, rules.month_of(on), 0)
        for payment, on in payments
        if (spend := table.spends.get(payment.id)) is not None
    ]
    if uses:
        paying = {use.card_id for use in uses if use.used_minor}
        await store.record_uses(batch.db, batch.bucket, uses, [table.cards[id_] for id_ in sorted(paying)])


async def release(batch: Batch, changes: Sequence[tuple[Payment, Payment]]) -> None:
    """Give back what payments hold no longer of their cards: before and after an end, a capture or a refund."""
    freed = {
        before.id: freed_minor
        for before, after in changes
        if before.spender_id is not None and (freed_minor := taken_by(before) - taken_by(after)) > 0
    }
    if freed:
        await store.release_uses(batch.db, batch.bucket, freed)


def taken_by(payment: Payment) -> int:
    """What a payment takes of its card's month: all that it may still capture, or has captured; refunds come back."""
    whole_minor = payment.amount_minor if payment.status in HOLDS_MONEY else payment.captured_minor
    return whole_minor - payment.refunded_minor
