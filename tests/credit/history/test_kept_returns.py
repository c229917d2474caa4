"""Money of a refund that its bank refuses stands in the person's favour: a fact of the history from the answer on."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import pytest
from tests.credit.conftest import House, Payer
from tests.credit.history.test_rewriting import EXTERNAL, assert_rows_are_the_fold, remembered

from wufeng import credit, ledger
from wufeng.base.claims import Answer
from wufeng.base.lanes import Batch, Command
from wufeng.ledger import Cause, JournalKind


class Refuse(Command, frozen=True, kw_only=True):
    """A bank's answer to what a refund has sent: what `payments.refunds` posts when it is no."""

    refund_id: UUID


async def refuse(batch: Batch, commands: Sequence[Refuse]) -> list[Answer]:
    for command in commands:
        cause = Cause(command.refund_id, "CNY", batch.book.business_date(command.at), batch.book.id)
        (sent,) = [
            posted
            for posted in await ledger.journals_of(batch.db, batch.bucket, command.refund_id)
            if posted.journal.kind is JournalKind.CREDIT_BALANCE_RETURNED
        ]
        await ledger.post(batch, [ledger.rules.reversal(cause, sent)])
    return [Answer(200, b"") for _ in commands]


async def sent_back(house: House) -> tuple[Payer, UUID]:
    """Somebody who paid 500.00 and got 200.00 of it sent back on the 5th of October; returns the refund."""
    house.lanes.handlers = {**house.lanes.handlers, Refuse: refuse}
    payer = await house.payer(wallet_minor=900_000)
    payment = await house.buy(payer, 50_000)
    await house.turn_to(date(2026, 10, 2))
    await house.repay(payer, 50_000)
    await house.turn_to(date(2026, 10, 5))
    await house.refund(payer, payment, 20_000)
    history, _ = await remembered(house, payer)
    return payer, history.events[-1].refund_id  # type: ignore[union-attr]


async def paid_of_bills(house: House, payer: Payer) -> list[int]:
    return [bill.paid_minor for bill in await house.bills(payer)]


async def test_a_bill_is_paid_by_what_a_bank_refused_and_the_history_knows(house: House) -> None:
    payer, refund_id = await sent_back(house)
    await house.do(Refuse(at=house.at, people=(payer.id,), refund_id=refund_id))
    await assert_rows_are_the_fold(house, payer)
    await house.buy(payer, 40_000)
    await house.turn_to(date(2026, 11, 3))
    assert await paid_of_bills(house, payer) == [50_000, 20_000]
    await assert_rows_are_the_fold(house, payer)
    await house.do(house.repaying(payer, 1_000, source=EXTERNAL, value_on=date(2026, 11, 2)))
    assert await paid_of_bills(house, payer) == [50_000, 21_000]
    await assert_rows_are_the_fold(house, payer)
    await house.prove(payer)


@pytest.mark.parametrize(
    ("answered_on", "paid_minor"), [(date(2026, 10, 31), 20_000), (date(2026, 11, 2), 0)]
)
async def test_bills_before_the_banks_answer_are_not_paid_by_it(
    house: House, answered_on: date, paid_minor: int
) -> None:
    payer, refund_id = await sent_back(house)
    await house.buy(payer, 40_000)
    await house.turn_to(answered_on)
    await house.do(Refuse(at=house.at, people=(payer.id,), refund_id=refund_id))
    await house.turn_to(date(2026, 11, 3))
    assert await paid_of_bills(house, payer) == [50_000, paid_minor]
    await assert_rows_are_the_fold(house, payer)
    await house.do(house.repaying(payer, 1_000, source=EXTERNAL, value_on=date(2026, 11, 1)))
    assert await paid_of_bills(house, payer) == [50_000, paid_minor + 1_000]
    await assert_rows_are_the_fold(house, payer)
    await house.prove(payer)


async def test_a_repayment_that_a_bank_would_not_take_back_can_be_undone(house: House) -> None:
    payer, refund_id = await sent_back(house)
    await house.do(Refuse(at=house.at, people=(payer.id,), refund_id=refund_id))
    history, _ = await remembered(house, payer)
    (repayment,) = history.repayments
    undo = credit.ReverseRepayment(
        at=house.at, people=(payer.id,), repayment_id=repayment.id, reason="bounced"
    )
    await house.do(undo)
    await assert_rows_are_the_fold(house, payer)
    await house.prove(payer)
