"""What can be asked of settlements: draw them up and begin their payouts; and what the bank said of one."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import msgspec
from msgspec.structs import replace

from wufeng import ledger
from wufeng.base.claims import Answer
from wufeng.base.errors import Problem, not_found
from wufeng.base.events import Event
from wufeng.base.ids import Prefix, encode, slot_of
from wufeng.base.lanes import Batch, Command, Handler
from wufeng.ledger.model import Cause, Journal
from wufeng.ledger.rules import (
    merchant_settlement,
    merchant_settlement_returned,
    merchant_settlement_settled,
)
from wufeng.payments.bank.events import SETTLEMENT_PENDING
from wufeng.payments.bank.model import Answered
from wufeng.payments.settlements import rules, store
from wufeng.payments.settlements.events import PAID
from wufeng.payments.settlements.model import (
    DrawUpSettlements,
    Settlement,
    SettlementAnswered,
    SettlementStatus,
)

EVENTS = {
    SettlementStatus.PENDING: SETTLEMENT_PENDING,
    SettlementStatus.PAID: PAID,
    SettlementStatus.FAILED: "settlement.failed",
    SettlementStatus.CARRIED: "settlement.carried",
}
"""Kinds by state; events.py says which of them are told outside."""


def handlers() -> dict[type[Command], Handler]:
    """The lane handlers of settlements."""
    return {DrawUpSettlements: draw_up, SettlementAnswered: answer}


def answer_command(answered: Answered) -> SettlementAnswered:
    """The command by which a payout takes the bank's answer."""
    return SettlementAnswered(
        at=answered.at, settlement_id=answered.id, done=answered.done, code=answered.code
    )


async def draw_up(batch: Batch, commands: Sequence[DrawUpSettlements]) -> list[Answer | Problem]:
    """Draw up what is due to the merchants of this bucket, date by date; answers how many, and whether more wait.

    Each merchant's date gets one settlement, so it may be asked as often as one likes.
    """
    on_which = batch.book.business_date(max(command.at for command in commands))
    room = at_most = max(command.at_most for command in commands)
    settled = await store.lock_settled(batch.db, batch.bucket)
    through = await store.drawn_through(batch.db, batch.book.buckets)
    while through is not None and room > 0:
        on = await store.next_date(batch.db, batch.book, batch.bucket, settled, through)
        if on is None:
            await store.move_settled(batch.db, batch.bucket, through)
            break
        drawn = await _draw_up_date(batch, commands[0], on, on_which, room)
        if drawn < room:  # all merchants of that date have theirs
            await store.move_settled(batch.db, batch.bucket, on)
            settled = on
        room -= drawn
    body = msgspec.json.encode({"settlements": at_most - room, "more": room == 0})
    return [Answer(200, body) for _ in commands]


async def _draw_up_date(
    batch: Batch, command: DrawUpSettlements, on: date, booked_on: date, at_most: int
) -> int:
    """Settle at most so many merchants for one date. What is owed leaves their payables at once."""
    dues = await store.load_due(batch.db, batch.book, batch.bucket, on, at_most)
    drawn = [
        rules.draw_up(due, batch.ids.new(command.at, slot_of(due.merchant_id)), command.at) for due in dues
    ]
    if drawn:
        await store.insert_settlements(batch.db, batch.bucket, drawn)
        journals = [
            merchant_settlement(_cause(batch, s, booked_on), s.merchant_id, s.payout_minor)
            for s in drawn
            if s.payout_minor
        ]
        if journals:
            await ledger.post(batch, journals)
        for settlement in drawn:
            _tell(batch, settlement, booked_on)
    return len(drawn)


async def answer(batch: Batch, commands: Sequence[SettlementAnswered]) -> list[Answer | Problem]:
    """Take the bank's answers. A payout that has its answer stays as it is, whatever is said later."""
    known = await store.lock_settlements(batch.db, batch.bucket, {c.settlement_id for c in commands})
    answers: list[Answer | Problem] = []
    ended: list[Settlement] = []
    journals: list[Journal] = []
    for command in commands:
        settlement = known.get(command.settlement_id)
        if settlement is None:
            answers.append(not_found("settlement"))
            continue
        if settlement.status is SettlementStatus.PENDING:
            on = batch.book.business_date(command.at)
            cause = _cause(batch, settlement, on)
            if command.done:
                settlement = replace(settlement, status=SettlementStatus.PAID, paid_on=on)
                journals.append(merchant_settlement_settled(cause, settlement.payout_minor))
            else:
                settlement = replace(
                    settlement, status=SettlementStatus.FAILED, failure=command.code or "refused"
                )
                journals.append(
                    merchant_settlement_returned(cause, settlement.merchant_id, settlement.payout_minor)
                )
            known[settlement.id] = settlement
            ended.append(settlement)
            _tell(batch, settlement, on)
        answers.append(Answer(200, _body(settlement), settlement.id))
    if ended:
        await ledger.post(batch, journals)
        await store.end_settlements(batch.db, batch.bucket, ended)
    return answers


def _cause(batch: Batch, settlement: Settlement, on: date) -> Cause:
    note = {
        "merchant": encode(Prefix.MERCHANT, settlement.merchant_id),
        "business_date": settlement.business_on.isoformat(),
    }
    return Cause(settlement.id, settlement.currency, on, batch.book.id, msgspec.json.encode(note))


def _tell(batch: Batch, settlement: Settlement, on: date) -> None:
    merchant: UUID = settlement.merchant_id
    kind = EVENTS[settlement.status]
    batch.events.append(Event(kind, settlement.id, _body(settlement), on, merchant_id=merchant))


def _body(settlement: Settlement) -> bytes:
    return msgspec.json.encode(rules.view_of(settlement))
