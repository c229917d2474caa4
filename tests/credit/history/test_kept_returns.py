"""Money of a refund that its bank refuses pays what is open on the line from the answer on: a fact of its history."""

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

import msgspec
import pytest
from tests.credit.conftest import House, Payer
from tests.credit.history.test_rewriting import EXTERNAL, assert_rows_are_the_fold, remembered
from tests.credit.repayments.test_repaying import answered, bank

from wufeng import credit, ledger
from wufeng.base.claims import Answer
from wufeng.base.lanes import Batch, Command
from wufeng.credit.refunds.model import Effect, EffectKind
from wufeng.credit.repayments.model import Target
from wufeng.ledger import Cause, JournalKind

OCTOBER = date(2026, 10, 2)


class Refuse(Command, frozen=True, kw_only=True):
    """A bank's answers to what refunds have sent: what `payments.refunds` does when they are no."""

    line_id: UUID
    refunds: tuple[tuple[UUID, int], ...]  # with what each had sent


def refusing(house: House, payer: Payer, *refunds: tuple[UUID, int]) -> Refuse:
    assert payer.line_id is not None
    return Refuse(at=house.at, people=(payer.id,), line_id=payer.line_id, refunds=refunds)


def teach(house: House) -> None:
    """Let the house hear banks' refusals."""

    async def refuse(batch: Batch, commands: Sequence[Refuse]) -> list[Answer]:
        on = max(batch.book.business_date(command.at) for command in commands)
        refused = [
            credit.Refused(
                refund_id=refund_id,
                line_id=command.line_id,
                number=0,
                of=1,
                amount_minor=amount_minor,
                on=on,
            )
            for command in commands
            for refund_id, amount_minor in command.refunds
        ]
        kept = await credit.keep_refused(batch, refused, house.products)
        journals = []
        for one, done in zip(refused, kept, strict=True):
            cause = Cause(one.refund_id, "CNY", on, batch.book.id)
            (sent,) = [
                posted
                for posted in await ledger.journals_of(batch.db, batch.bucket, one.refund_id)
                if posted.journal.kind is JournalKind.CREDIT_BALANCE_RETURNED
            ]
            journals += [ledger.rules.reversal(cause, sent), *credit.journals_of_kept(done, cause)]
        await ledger.post(batch, journals)
        return [Answer(200, msgspec.json.encode([done.effects for done in kept])) for _ in commands]

    house.lanes.handlers = {**house.lanes.handlers, Refuse: refuse}


async def refused(house: House, payer: Payer, *refunds: tuple[UUID, int]) -> list[tuple[Effect, ...]]:
    answer = await house.do(refusing(house, payer, *refunds))
    return msgspec.json.decode(answer.body, type=list[tuple[Effect, ...]])


async def sent_back(house: House, **more: object) -> tuple[Payer, UUID]:
    """Somebody who paid 500.00 from a bank and got 200.00 of it sent back on the 5th of October; returns the refund."""
    teach(house)
    payer = await house.payer(wallet_minor=900_000, **more)
    payment = await house.buy(payer, 50_000)
    await house.turn_to(OCTOBER)
    asked = await house.do(house.repaying(payer, 50_000, source=await bank(house, payer)))
    await house.do(answered(house, payer, asked, ok=True))
    await house.turn_to(date(2026, 10, 5))
    await house.refund(payer, payment, 20_000)
    history, _ = await remembered(house, payer)
    return payer, history.events[-1].refund_id  # type: ignore[union-attr]


async def paid_of_bills(house: House, payer: Payer) -> list[int]:
    return [bill.paid_minor for bill in await house.bills(payer)]


async def test_with_nothing_open_it_waits_for_the_next_bill_and_the_history_knows(house: House) -> None:
    payer, refund_id = await sent_back(house)
    assert await refused(house, payer, (refund_id, 20_000)) == [
        (Effect(EffectKind.CREDIT_BALANCE, 20_000, payer.line_id),)
    ]
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
    ("answered_on", "kind", "asked_minor", "paid_minor"),
    [
        (date(2026, 10, 31), EffectKind.UNBILLED, 20_000, 0),  # spending is paid before its bill
        (date(2026, 11, 2), EffectKind.BILL, 40_000, 20_000),  # a bill is paid at once, not with the next
    ],
)
async def test_it_pays_what_is_open_when_the_bank_answers(
    house: House, answered_on: date, kind: EffectKind, asked_minor: int, paid_minor: int
) -> None:
    payer, refund_id = await sent_back(house)
    await house.buy(payer, 40_000)
    await house.turn_to(answered_on)
    ((effect,),) = await refused(house, payer, (refund_id, 20_000))
    assert (effect.kind, effect.amount_minor) == (kind, 20_000)
    assert (await house.line(payer)).credit_balance_minor == 0
    await assert_rows_are_the_fold(house, payer)
    await house.turn_to(date(2026, 11, 3))
    bill, _ = sorted(await house.bills(payer), key=lambda bill: bill.due_on, reverse=True)
    assert (bill.total_minor, bill.paid_minor) == (asked_minor, paid_minor)
    await assert_rows_are_the_fold(house, payer)
    await house.do(house.repaying(payer, 1_000, source=EXTERNAL, value_on=date(2026, 11, 1)))
    assert (await house.line(payer)).used_minor == 19_000
    await assert_rows_are_the_fold(house, payer)
    await house.prove(payer)


async def test_it_ends_arrears_interest_and_suspension_on_the_day_of_the_answer(house: House) -> None:
    """The bill is late by eight days when the bank says no; the interest of those days is paid with it."""
    payer, refund_id = await sent_back(house)
    await house.buy(payer, 10_000)
    await house.turn_to(date(2026, 11, 18))
    assert (await house.line(payer)).status == "suspended"
    ((paid, kept),) = await refused(house, payer, (refund_id, 20_000))
    interest_minor = paid.amount_minor - 10_000
    assert interest_minor > 0
    assert (paid.kind, kept.kind, kept.amount_minor) == (
        EffectKind.BILL,
        EffectKind.CREDIT_BALANCE,
        10_000 - interest_minor,
    )
    line = await house.line(payer)
    assert (line.status, line.used_minor, line.credit_balance_minor) == ("open", 0, kept.amount_minor)
    assert f"bill.paid {date(2026, 11, 18)}" in await house.events("bill.paid")
    await assert_rows_are_the_fold(house, payer)
    await house.prove(payer)


async def test_two_answers_of_one_line_see_one_another(house: House) -> None:
    payer, refund_id = await sent_back(house)
    history, _ = await remembered(house, payer)
    await house.refund(payer, history.rows.draws[0].payment_id or payer.id, 30_000)
    history, _ = await remembered(house, payer)
    second_id = history.events[-1].refund_id  # type: ignore[union-attr]
    await house.buy(payer, 25_000)
    await house.turn_to(date(2026, 11, 2))
    first, second = await refused(house, payer, (refund_id, 20_000), (second_id, 30_000))
    assert [(one.kind, one.amount_minor) for one in first] == [(EffectKind.BILL, 20_000)]
    assert [(one.kind, one.amount_minor) for one in second] == [
        (EffectKind.BILL, 5_000),
        (EffectKind.CREDIT_BALANCE, 25_000),
    ]
    await assert_rows_are_the_fold(house, payer)
    await house.prove(payer)


async def test_of_a_charged_off_line_it_recovers_the_loss(house: House) -> None:
    payer, refund_id = await sent_back(house)
    await house.buy(payer, 40_000)
    await house.turn_to(date(2026, 11, 10) + timedelta(days=181))
    line = await house.line(payer)
    assert line.status == "closing"
    ((effect,),) = await refused(house, payer, (refund_id, 20_000))
    assert (effect.kind, effect.amount_minor) == (EffectKind.BILL, 20_000)
    after = await house.line(payer)
    assert (after.billed_minor, after.credit_balance_minor) == (line.billed_minor - 20_000, 0)
    await assert_rows_are_the_fold(house, payer)
    await house.repay(payer, Target.ALL)
    assert (await house.line(payer)).status == "closed"
    await house.followers.catch_up()
    assert (await ledger.verify(house.database, [house.bucket])).breaks == ()


async def test_money_that_comes_late_finds_it_paid_otherwise(house: House) -> None:
    """Dated before the bank's answer, it pays the bill first; so what the bank refused stays in favour."""
    payer, refund_id = await sent_back(house)
    await house.buy(payer, 10_000)
    await house.turn_to(date(2026, 11, 5))
    await refused(house, payer, (refund_id, 20_000))
    await house.do(house.repaying(payer, 10_000, source=EXTERNAL, value_on=date(2026, 11, 2)))
    assert (await house.line(payer)).credit_balance_minor == 20_000
    await assert_rows_are_the_fold(house, payer)
    await house.prove(payer)


async def test_a_repayment_that_a_bank_would_not_take_back_can_be_undone(house: House) -> None:
    payer, refund_id = await sent_back(house)
    await refused(house, payer, (refund_id, 20_000))
    history, _ = await remembered(house, payer)
    (repayment,) = history.repayments
    undo = credit.ReverseRepayment(
        at=house.at, people=(payer.id,), repayment_id=repayment.id, reason="bounced"
    )
    await house.do(undo)
    await assert_rows_are_the_fold(house, payer)
    await house.prove(payer)
