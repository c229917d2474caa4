"""Bills of before numbers were kept: what was told of them says where they stand in their lines' histories."""

from datetime import date, timedelta
from importlib.resources import files

from tests.credit.conftest import House, Payer
from tests.credit.history.test_rewriting import EXTERNAL, assert_rows_are_the_fold, remembered

from wufeng import credit
from wufeng.base.database import Connection
from wufeng.credit.history.model import Issued, Repaid
from wufeng.credit.repayments.model import Target

MIGRATION = files("wufeng.migrations") / "0033_order_of_events.sql"
FORGET = "update bill set seq = null; update line_change set seq = null"
NUMBERS = "select seq from bill order by issued_on, id"
TOLD = "select event.seq from bill join event on object_id = bill.id and kind = 'bill.issued' order by issued_on, id"


async def test_what_was_told_of_bills_says_where_they_stand(house: House, owner: Connection) -> None:
    """The close of the 1st came on the 2nd, and found what had been paid and bought since."""
    payer = await house.payer(wallet_minor=900_000)
    await house.buy(payer, 60_000)
    await house.turn_to(date(2026, 9, 30))
    house.clock.turn_to(house.noon(date(2026, 10, 2)))
    await house.repay(payer, 20_000)
    await house.buy(payer, 7_000)
    await house.close(date(2026, 10, 1))
    await house.turn_to(date(2026, 10, 4))
    await house.repay(payer, Target.BILLED)
    await house.do(house.change(credit.SetDueDay, payer, due_day=20))
    await house.turn_to(date(2026, 11, 3))
    await assert_rows_are_the_fold(house, payer)
    assert await kinds(house, payer) == [Repaid, Issued, Repaid, Issued]

    await owner.execute(FORGET)
    assert await kinds(house, payer) == [Issued, Repaid, Repaid, Issued], "nobody knows that it was late"
    await owner.execute(MIGRATION.read_text())
    assert await owner.fetch(NUMBERS) == await owner.fetch(TOLD)
    assert await kinds(house, payer) == [Repaid, Issued, Repaid, Issued]
    await assert_rows_are_the_fold(house, payer)
    await house.do(house.repaying(payer, 1_000, source=EXTERNAL, value_on=house.on - timedelta(days=1)))
    await assert_rows_are_the_fold(house, payer)
    await house.prove(payer)


async def test_a_number_that_is_kept_stays(house: House, owner: Connection) -> None:
    payer = await house.payer(wallet_minor=900_000)
    await house.buy(payer, 60_000)
    await house.turn_to(date(2026, 10, 2))
    kept = await owner.fetch(NUMBERS)
    assert kept != await owner.fetch(TOLD), "a bill keeps the number before its own event's"
    await owner.execute(MIGRATION.read_text())
    assert await owner.fetch(NUMBERS) == kept


async def kinds(house: House, payer: Payer) -> list[type]:
    """Bills and money in the order of the line's history."""
    history, _ = await remembered(house, payer)
    return [type(one) for one in history.events if isinstance(one, Issued | Repaid)]
