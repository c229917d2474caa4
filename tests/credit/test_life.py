"""Any life of a line against a model that counts day by day, in its own words: same debts, same wallet, to the fen."""

from datetime import date, time, timedelta
from fractions import Fraction
from itertools import count
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from msgspec import Struct
from tests.credit.conftest import Payer, make_house

from wufeng.base.database import Database
from wufeng.credit.repayments.model import Target

NUMBERS = count(1)
START = date(2026, 9, 3)
LIMIT = 500_000
WALLET = 10_000_000


class Purchase(Struct):
    """One purchase. unbilled: what is still to be billed; bill: where it stands once billed."""

    on: date
    left: int
    unbilled: int
    bill: "Statement | None" = None


class Statement(Struct, eq=False):
    """One bill, as its plain numbers."""

    due: date
    principal: int
    interest: int
    minimum: int
    bought: int
    carried: int
    missed: int
    charged: int = 0
    paid_for_minimum: int = 0
    earned_micro: int = 0
    charged_of_earned: int = 0
    late: bool = False
    passed: bool = False

    @property
    def owed(self) -> int:
        return self.principal + self.interest

    @property
    def to_charge(self) -> int:
        return max(0, round(Fraction(self.earned_micro, 1_000_000)) - self.charged_of_earned)


class Model:
    """A line as a clerk would keep it, with a page a day. Interest: 0.05 % of what is owed at the start of each day."""

    def __init__(self) -> None:
        self.today = START
        self.purchases: list[Purchase] = []
        self.statements: list[Statement] = []
        self.credit = 0
        self.wallet = WALLET
        self.returnable = 0

    @property
    def billed(self) -> int:
        return sum(statement.owed for statement in self.statements)

    @property
    def unbilled(self) -> int:
        return sum(purchase.unbilled for purchase in self.purchases)

    @property
    def accrued(self) -> int:
        return sum(statement.to_charge for statement in self.statements)

    @property
    def used(self) -> int:
        return self.unbilled + sum(statement.principal for statement in self.statements)

    @property
    def in_arrears(self) -> bool:
        return any(statement.late and statement.owed for statement in self.statements)

    def next_day(self) -> None:
        self.today += timedelta(days=1)
        for statement in self.statements:
            if statement.due == self.today - timedelta(days=1) and statement.owed:
                statement.passed = True
                statement.late = statement.paid_for_minimum < statement.minimum
        if self.today.day == 1:
            self.issue()
        for statement in self.statements:
            if statement.passed:
                statement.earned_micro += statement.principal * 500
        if self.today.day == 1 and self.credit:
            use = min(self.credit, self.billed)
            self.credit -= use
            assert self.pay(use)[0] == 0

    def issue(self) -> None:
        taken = [purchase for purchase in self.purchases if purchase.unbilled and purchase.on < self.today]
        interest = sum(statement.to_charge for statement in self.statements)
        if not taken and not interest:
            return
        carried = missed = 0
        for old in self.statements:
            old.charged_of_earned += old.to_charge
            if old.late:
                missed += old.owed
            else:
                carried += old.principal
                missed += old.interest
        bought = sum(purchase.unbilled for purchase in taken)
        new = Statement(self.today.replace(day=10), bought, interest, 0, bought, carried, missed, interest)
        new.minimum = self.minimum(new)
        for purchase in taken:
            purchase.unbilled, purchase.bill = 0, new
        self.statements.append(new)

    @staticmethod
    def minimum(statement: Statement) -> int:
        return -(-(statement.bought + statement.carried) // 10) + statement.charged + statement.missed

    def pay(self, money: int) -> tuple[int, int]:
        """Returns what is left and the principal paid."""
        principal_paid = counted = 0
        for statement in self.statements:
            age = (self.today - statement.due).days
            for part in ("principal", "interest") if age > 90 else ("interest", "principal"):
                amount = min(money, getattr(statement, part))
                setattr(statement, part, getattr(statement, part) - amount)
                money, counted = money - amount, counted + amount
                principal_paid += amount if part == "principal" else 0
            if self.today <= statement.due:
                statement.paid_for_minimum += counted
        for statement in self.statements:
            amount = min(money, statement.to_charge)
            statement.charged_of_earned += amount
            money -= amount
        for purchase in self.purchases:
            amount = min(money, purchase.unbilled)
            purchase.unbilled -= amount
            money, principal_paid = money - amount, principal_paid + amount
        return money, principal_paid

    def buy(self, amount: int) -> bool:
        if self.in_arrears or self.used + amount > LIMIT:
            return False
        self.purchases.append(Purchase(self.today, amount, amount))
        return True

    def repay(self, money: int) -> None:
        left, principal = self.pay(money)
        self.wallet -= money
        self.credit += left
        self.returnable += principal

    def refund(self, purchase: Purchase, amount: int) -> None:
        purchase.left -= amount
        bill = purchase.bill
        if bill is None:
            cancelled = min(amount, purchase.unbilled)
            purchase.unbilled -= cancelled
        else:
            cancelled = min(amount, bill.principal, bill.bought)
            bill.principal -= cancelled
            bill.bought -= cancelled
            bill.minimum = self.minimum(bill)
            for later in self.statements[self.statements.index(bill) + 1 :]:
                if self.today <= later.due:
                    later.paid_for_minimum += cancelled
        left, _ = self.pay(amount - cancelled)
        back = min(left, self.returnable)
        self.returnable -= back
        self.wallet += back
        self.credit += left - back


def steps() -> st.SearchStrategy[list[tuple[str, Any]]]:
    amounts = st.one_of(st.integers(1, 50), st.integers(1, 200_000))
    return st.lists(
        st.one_of(
            st.tuples(st.just("buy"), amounts),
            st.tuples(st.just("repay"), amounts),
            st.tuples(st.just("repay_all"), st.sampled_from(list(Target))),
            st.tuples(st.just("refund"), st.tuples(st.integers(0, 9), st.integers(1, 4))),
            st.tuples(st.just("wait"), st.integers(1, 40)),
        ),
        min_size=3,
        max_size=14,
    )


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@example(
    [
        ("buy", 100_000),
        ("wait", 45),
        ("buy", 50_000),
        ("wait", 20),
        ("repay", 60_000),
        ("wait", 33),
        ("refund", (0, 1)),
        ("wait", 5),
        ("repay_all", Target.ALL),
        ("repay", 5_000),
        ("wait", 3),
        ("buy", 9_000),
        ("wait", 40),
    ],
    time(22),
)
@example(
    [("buy", 100_000), ("wait", 180), ("repay", 99_000), ("wait", 1), ("repay_all", Target.BILLED)], time(0)
)
@example([("wait", 28), ("buy", 100_000), ("wait", 39), ("buy", 1), ("wait", 1), ("repay", 60_000)], time(22))
@given(steps(), st.sampled_from([time(0), time(22)]))
async def test_any_life_comes_out_as_the_day_by_day_model_says(
    database: Database, lived: list[tuple[str, Any]], cut_off: time
) -> None:
    house = await make_house(database, START, f"book{next(NUMBERS)}", cut_off=cut_off)
    house.hours = 1  # with a cut-off at 22:00 that is the evening before, by the calendar
    payer = await house.payer(wallet_minor=WALLET, limit_minor=LIMIT)
    model, payments = Model(), []
    for what, value in lived:
        match what:
            case "buy":
                answer = await house.send(house.buying(payer, value))
                assert (answer.status == 201) is model.buy(value), answer
                if answer.status == 201:
                    payments.append(answer.object_id)
            case "repay":
                await house.repay(payer, value)
                model.repay(value)
            case "repay_all":
                due = {
                    Target.ALL: model.billed + model.accrued + model.unbilled,
                    Target.BILLED: model.billed + model.accrued,
                    Target.MINIMUM: (await house.line(payer)).minimum_minor,
                }[value]
                if due:
                    assert (await house.repay(payer, value)).amount_minor == due
                    model.repay(due)
            case "refund" if payments:
                number, quarters = value
                number %= len(payments)
                purchase = model.purchases[number]
                amount = purchase.left * quarters // 4
                if amount:
                    payment_id = await _payment_of(database, payments[number])
                    await house.refund(payer, payment_id, amount)
                    model.refund(purchase, amount)
            case "wait":
                await house.turn_to(house.on + timedelta(days=value))
                for _ in range(value):
                    model.next_day()
        await _compare(house, payer, model)
    await house.prove(payer)
    await house.lanes.drain()


async def _payment_of(database: Database, draw_id: object) -> Any:
    async with database.read() as db:
        return await db.fetchval("select payment_id from draw where id = $1", draw_id)


async def _compare(house: Any, payer: Payer, model: Model) -> None:
    line = await house.line(payer)
    assert line.billed_minor == model.billed
    assert line.unbilled_minor == model.unbilled
    assert line.accrued_minor == model.accrued
    assert line.credit_balance_minor == model.credit
    assert line.used_minor == model.used
    assert (line.status == "suspended") is model.in_arrears
    assert await house.wallet(payer) == model.wallet
