"""Two people live the same; the bank of one answers at once, that of the other days later. Their rows are the same."""

from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace
from tests.thorough import examples

from wufeng import credit
from wufeng.payments.pay.model import Funding

from .conftest import Payer, Town
from .test_refunds_dated_back import (
    EXTERNAL,
    asked_of_the_bank,
    close_days,
    refunded,
    turn_clock_to,
    turn_to,
)
from .test_undoing import owed, undo


class Twins:
    """The two, and what the bank of the second still has to say."""

    def __init__(self, town: Town, timely: Payer, late: Payer) -> None:
        self.town = town
        self.both = (timely, late)
        self.accounts: dict[Payer, list[Any]] = {}
        self.payments: dict[Payer, list[dict[str, Any]]] = {timely: [], late: []}
        self.asked: list[credit.BankAnswered] = []
        self._refunds = 0

    async def buy(self, amount_minor: int, tenor: int = 1) -> None:
        for payer in self.both:
            funding = Funding(use_wallet=False, line_id=payer.line_id, tenor=tenor)
            number = f"{len(self.payments[payer])}{payer.id}"
            self.payments[payer].append(
                (await self.town.pay(payer, number, amount_minor, funding=funding))[1]
            )
        self.town.turn(seconds=5)

    async def ask(self, amount_minor: int, account: int = 0) -> None:
        timely, late = self.both
        await self.town.repay(timely, amount_minor, self.accounts[timely][account])
        self.asked.append(
            await asked_of_the_bank(self.town, late, amount_minor, self.accounts[late][account])
        )
        self.town.turn(seconds=5)

    async def bring(self, amount_minor: int) -> None:
        for payer in self.both:
            await self.town.repay(payer, amount_minor, source=EXTERNAL)
        self.town.turn(seconds=5)

    async def refund(self, number: int, amount_minor: int, value_on: date | None = None) -> None:
        self._refunds += 1
        for payer in self.both:
            payment = self.payments[payer][number]
            await refunded(self.town, payer, payment, f"r{self._refunds}", amount_minor, value_on)
        self.town.turn(seconds=5)

    async def undo(self, number: int) -> None:
        for payer in self.both:
            status, body = await undo(self.town, payer, self.payments[payer][number])
            assert status < 300, body
        self.town.turn(seconds=5)

    async def answer(self, *order: int) -> None:
        """What was asked of the late one's bank, in this order; of none: in that in which it was asked."""
        late = self.both[1]
        for number in order or range(len(self.asked)):
            answer = replace(self.asked[number], at=self.town.at)
            assert (await self.town.ask(late.bucket, answer))[0] == 200
            self.town.turn(seconds=5)

    async def wait(self, days: int) -> None:
        """So many days pass; none: it is the same day."""
        if days:
            await turn_to(self.town, self.town.book.business_date(self.town.at) + days * timedelta(days=1))

    async def assert_same(self) -> None:
        seen = [(await self._repayments(payer), await owed(self.town, payer)) for payer in self.both]
        assert seen[0] == seen[1]

    async def _repayments(self, payer: Payer) -> list[dict[str, Any]]:
        return await self.town.fetch(
            "select source, amount_minor, principal_minor, charges_minor, returned_minor from repayment"
            " where person_id = $1 order by id",
            payer.id,
        )


@pytest.fixture
async def twins(town: Town) -> Twins:
    both = Twins(town, *await town.people(2))
    both.accounts = {payer: [await town.bank_account(payer) for _ in range(2)] for payer in both.both}
    return both


@pytest.mark.parametrize("days", [0, 1])
@pytest.mark.parametrize("parts", [(60_000,), (30_000, 30_000), (20_000, 20_000, 20_000)])
@pytest.mark.parametrize("asks", [(100_000,), (30_000, 70_000)])
async def test_refunds_on_the_day_on_which_the_bank_was_asked(
    town: Town, twins: Twins, asks: tuple[int, ...], parts: tuple[int, ...], days: int
) -> None:
    await twins.buy(100_000)
    await turn_to(town, date(2026, 10, 4))
    await twins.bring(50_000)
    await turn_to(town, date(2026, 10, 5))
    for amount_minor in asks:
        await twins.ask(amount_minor)
    await twins.wait(days)
    for part_minor in parts:
        await twins.refund(0, part_minor)
    await turn_to(town, date(2026, 10, 8))
    await twins.answer()
    await twins.assert_same()


@pytest.mark.parametrize("value_on", [None, date(2026, 10, 4)])
async def test_a_plan_that_was_paid_before_its_refund_that_day_has_cost_what_it_cost(
    town: Town, twins: Twins, value_on: date | None
) -> None:
    """Its fee was paid when the refund came: the refund gives back the share of it that it gives of what is paid."""
    await twins.buy(30_000, tenor=3)
    await turn_to(town, date(2026, 10, 4))
    await twins.ask(30_250)
    if value_on is not None:
        await turn_to(town, date(2026, 10, 5))
    await twins.refund(0, 30_000, value_on)
    await turn_to(town, date(2026, 10, 8))
    await twins.answer()
    await twins.assert_same()


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("days", [0, 1])
async def test_answers_in_another_order_than_they_were_asked_for(
    town: Town, twins: Twins, order: tuple[int, ...], days: int
) -> None:
    await twins.buy(20_000)
    await twins.buy(50_000)
    await turn_to(town, date(2026, 10, 4))
    await twins.ask(35_000)
    await twins.wait(days)
    await twins.ask(40_000)
    await turn_to(town, date(2026, 10, 6))
    await twins.refund(0, 10_000, date(2026, 9, 3))
    await turn_to(town, date(2026, 10, 8))
    await twins.answer(*order)
    await turn_to(town, date(2026, 10, 9))
    await twins.refund(0, 10_000)
    await twins.refund(1, 50_000)
    await twins.assert_same()


@pytest.mark.parametrize("days", [0, 1])
@pytest.mark.parametrize("second_on", [None, date(2026, 9, 3)])
async def test_two_answers_on_the_day_of_a_refund_that_is_dated_back(
    town: Town, twins: Twins, days: int, second_on: date | None
) -> None:
    await twins.buy(50_000)
    await turn_to(town, date(2026, 10, 2))
    await twins.ask(25_000)
    await twins.ask(20_000)
    await twins.refund(0, 30_000, date(2026, 9, 3))
    await twins.refund(0, 20_000, second_on)
    await twins.wait(days)
    await twins.answer()
    await twins.assert_same()


@pytest.mark.parametrize("days", [0, 1])
async def test_a_plan_that_was_settled_before_its_bill_was_made(town: Town, twins: Twins, days: int) -> None:
    """Asked for in the first minute of the bill day, before the close: nothing of it is on that bill."""
    await twins.buy(90_000, tenor=3)
    await turn_to(town, date(2026, 9, 30))
    town.clock.turn_to(town.book.start_of(date(2026, 10, 1)) + timedelta(minutes=1))
    await twins.ask(90_000)
    await close_days(town)
    await twins.wait(days)
    await twins.answer()
    await twins.assert_same()


WHAT = ("ask", "ask", "bring", "refund", "refund", "refund", "dated", "dated", "undo", "day", "day")


@pytest.mark.parametrize("seed", range(examples(6, 200)))
async def test_any_life(town: Town, twins: Twins, seed: int) -> None:
    """No wallet pays in it: what a wallet was sent back, because a bank had not answered, stays with it."""
    random, left = Random(seed), []
    for _ in range(random.randint(2, 3)):
        left.append(random.choice([10_000, 30_000, 50_000]))
        await twins.buy(left[-1])
    await turn_to(town, random.choice([date(2026, 9, 6), date(2026, 10, 2), date(2026, 10, 4)]))
    for _ in range(random.randint(3, 7)):
        await live(town, twins, random, left)
    await twins.wait(random.randint(0, 2))
    await twins.answer()
    await twins.assert_same()


async def live(town: Town, twins: Twins, random: Random, left: list[int]) -> None:
    """Something happens to both. left: of each payment, has not been refunded."""
    what, on = random.choice(WHAT), town.book.business_date(town.at)
    refundable = [number for number, minor in enumerate(left) if minor]
    if what == "ask" and (owed_minor := (await owed(town, twins.both[0]))[0]):
        await twins.ask(random.choice([owed_minor, owed_minor // 2, 20_000]), random.randint(0, 1))
    elif what == "bring":
        await twins.bring(10_000)
    elif what == "day":
        await twins.wait(random.randint(1, 2))
    elif what == "undo" and refundable:
        number = random.choice(refundable)
        left[number] = 0
        await twins.undo(number)
    elif refundable:
        number = random.choice(refundable)
        amount_minor = random.choice([left[number], left[number] // 2])
        left[number] -= amount_minor
        days = random.choice([1, 2, 4, 30])
        value_on = max(date(2026, 9, 3), on - timedelta(days=days)) if what == "dated" else None
        await twins.refund(number, amount_minor, value_on)


@pytest.mark.parametrize("asked_on", [date(2026, 10, 1), date(2026, 10, 2)])
async def test_a_late_close_finds_what_was_answered_before_it(town: Town, asked_on: date) -> None:
    """Its bill stands after the money, which has paid some of it already: the line is told otherwise as any other."""
    [payer] = await town.people()
    await town.pay(payer, "o1", 50_000)
    await turn_to(town, date(2026, 9, 30))
    turn_clock_to(town, asked_on)
    asked = await asked_of_the_bank(town, payer, 20_000, await town.bank_account(payer))
    turn_clock_to(town, date(2026, 10, 3))
    assert (await town.ask(payer.bucket, replace(asked, at=town.at)))[0] == 200
    town.turn(minutes=1)
    await close_days(town)
    [bill] = await town.fetch("select single_minor, paid_principal_minor from bill")
    assert bill == {"single_minor": 30_000, "paid_principal_minor": 0}
    await town.repay(payer, 1_000, source=EXTERNAL, value_on=asked_on)
