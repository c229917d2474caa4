"""At each close: accrued interest in the ledger = what the lines have earned and no bill holds, account by account."""

import random
from datetime import date, timedelta

import pytest
from tests.credit.conftest import House, Payer

from wufeng import credit
from wufeng.credit.accruals.model import MICRO
from wufeng.credit.accruals.store import sums_at
from wufeng.credit.accruals.sums import NONE, as_of
from wufeng.credit.debts.earning import earned
from wufeng.credit.repayments.model import Source, SourceKind
from wufeng.ledger import AccountKind
from wufeng.lenders.model import lender_id

EXTERNAL = Source(SourceKind.EXTERNAL, None)


async def by_account(house: House, payers: list[Payer], on: date) -> int:
    """What the lines have earned by the end of a date, each looked at; millionths."""
    courses = [earned(await house.debt(payer), on) for payer in payers]
    return sum(as_of(course, on).get(on, NONE).micro for course in courses)


async def by_events(house: House, on: date) -> int:
    """The same by the sums that events have moved."""
    async with house.database.read() as db:
        return sum(delta.micro for delta in (await sums_at(db, house.bucket, on)).values())


async def booked(house: House) -> int:
    """What stands as accrued in the ledger, for all lenders of all products."""
    await house.followers.catch_up()
    lenders = {share.code for product in house.products.offered(house.on) for share in product.lenders}
    ids = [lender_id(house.book.id, code) for code in lenders]
    return sum([await house.folded(id_, AccountKind.ACCRUED_INTEREST) for id_ in ids])


@pytest.mark.parametrize("seed", range(3))
async def test_the_sum_of_events_is_the_sum_of_accounts_on_every_day(house: House, seed: int) -> None:
    rng = random.Random(seed)

    payers = [
        await house.payer(wallet_minor=10_000_000, product=product)
        for product in ("monthly_bill", "daily_interest", "daily_interest", "order_instalments")
    ]
    payments: list[tuple[Payer, object, int]] = []
    repaid: list[tuple[Payer, object]] = []
    for _ in range(70):
        for payer in payers:
            line = await house.line(payer)
            dice = rng.random()
            if dice < 0.12 and line.status == "open":
                amount_minor = rng.randrange(100, 60_000)
                payments.append((payer, await house.buy(payer, amount_minor), amount_minor))
            elif dice < 0.18 and line.used_minor:
                back = timedelta(days=rng.choice([0, 0, 3, 9]))
                value_on = max(house.on - back, line.opened_on)
                amount_minor = rng.randrange(1, line.used_minor + 500)
                answer = await house.send(
                    house.repaying(payer, amount_minor, source=EXTERNAL, value_on=value_on)
                )
                if getattr(answer, "object_id", None):
                    repaid.append((payer, answer.object_id))  # type: ignore[union-attr]
            elif dice < 0.20 and payments:
                who, payment, amount_minor = payments.pop(rng.randrange(len(payments)))
                await house.refund(who, payment, rng.randrange(1, amount_minor + 1))  # type: ignore[arg-type]
            elif dice < 0.21 and repaid:
                who, id_ = repaid.pop()
                await house.send(
                    credit.ReverseRepayment(
                        at=house.at,
                        people=(who.id,),
                        repayment_id=id_,
                        reason="bounced",  # type: ignore[arg-type]
                    )
                )
        yesterday = house.on
        assert await by_events(house, yesterday) == await by_account(house, payers, yesterday)
        earned_minor = await by_events(house, yesterday)
        await house.turn_to(yesterday + timedelta(days=1))
        assert abs(earned_minor // MICRO - await booked(house)) < 3, "whole units, product by product"
    assert await booked(house) > 0
    await house.prove(*payers)
