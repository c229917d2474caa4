"""Lives of a line by the rules alone: purchases, bills, repayments, month after month, without a database."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from wufeng.base.ids import id_of
from wufeng.credit.bills.model import Bill, BillItems
from wufeng.credit.bills.rules import is_settled
from wufeng.credit.debts.issuing import issue_bill
from wufeng.credit.documents.explain import BillSources
from wufeng.credit.documents.pieces import used_at_issue
from wufeng.credit.documents.planned import Planned, assert_made, planned
from wufeng.credit.draws.model import Draw, DrawStatus
from wufeng.credit.draws.rules import charges_open
from wufeng.credit.history.due_days import line_at, line_of
from wufeng.credit.history.model import DueDaySet
from wufeng.credit.lines.model import Line, LineStatus
from wufeng.credit.plans.rules import schedule, terms_of
from wufeng.credit.products.files import shipped_products
from wufeng.credit.products.model import Cycle, Product, Rest
from wufeng.credit.products.versions import Versions
from wufeng.credit.repayments.model import (
    Allocation,
    Debt,
    Paid,
    Repayment,
    RepaymentStatus,
    Source,
    SourceKind,
    Spread,
)
from wufeng.credit.repayments.rules import brought_up, repaid, settle_plan

CYCLE = Cycle(1, 10)


def product(name: str = "monthly_bill") -> Product:
    """A product as it is shipped."""
    return next(shipped.product for shipped in shipped_products() if shipped.product.id == name)


class Month(Struct, frozen=True):
    """What happens in a month: purchases (day, amount, tenor) and repayments (day, amount).

    A tenor that the product does not offer is 1; a repayment of 0 is of all that is owed.
    settled: days on which a running plan is repaid as it stands, and which.
    moved: days on which the due day is moved, and to which; nothing while a bill is open, as in `problem_of_due_day`.
    """

    bought: Sequence[tuple[int, int, int]] = ()
    repaid: Sequence[tuple[int, int]] = ()
    settled: Sequence[tuple[int, int]] = ()
    moved: Sequence[tuple[int, int]] = ()


class Life:
    """A line from 3 September 2026 on, whose bills come on the 1st and are due on the 10th."""

    def __init__(self, product_: Product) -> None:
        self.product = product_
        self.line = Line(
            id=self._id(),
            person_id=self._id(),
            product=product_.id,
            product_version=product_.version,
            currency="CNY",
            lenders=((UUID(int=9), 1_000_000),),
            limit_minor=10**9,
            status=LineStatus.OPEN,
            bill_day=CYCLE.bill_day,
            due_day=CYCLE.due_day,
            opened_on=date(2026, 9, 1),
        )
        self.debt = Debt(self.line)
        self.on = date(2026, 9, 1)
        self.bills: dict[UUID, Bill] = {}
        self.items: dict[UUID, BillItems] = {}
        self.draws: dict[UUID, Draw] = {}
        self.repayments: list[Repayment] = []
        self.moves: list[tuple[UUID, DueDaySet]] = []

    _made = 0

    @classmethod
    def _id(cls) -> UUID:
        cls._made += 1
        return id_of(cls._made)

    def live(self, months: Sequence[Month]) -> None:
        for month in months:
            days = [(day, 0, amount, tenor) for day, amount, tenor in month.bought]
            days += [(day, 1, amount, 0) for day, amount in month.repaid]
            days += [(day, 2, number, 0) for day, number in month.settled]
            days += [(day, 3, due_day, 0) for day, due_day in month.moved]
            for day, what, amount, tenor in sorted(days):
                self.on = max(self.on, self.on.replace(day=day))
                if what == 0:
                    self.buy(amount, tenor)
                elif what == 1:
                    self.repay(amount)
                elif what == 2:
                    self.settle(amount)
                else:
                    self.move(amount)
            self.next_bill()

    def buy(self, amount_minor: int, tenor: int) -> None:
        cycle = self.line.cycle
        assert cycle is not None
        terms = terms_of(self.product, cycle, tenor) or terms_of(self.product, cycle, 1)
        assert terms is not None
        tenor = terms.tenor
        plan = schedule(terms, amount_minor, self.on)
        daily_ppm = self.product.interest.daily_ppm if tenor == 1 else 0
        draw = Draw(
            id=self._id(),
            line_id=self.line.id,
            payment_id=self._id(),
            merchant_id=self._id(),
            amount_minor=amount_minor,
            tenor=tenor,
            merchant_share_ppm=0,
            product_version=1,
            lenders=self.line.lenders,
            status=DrawStatus.POSTED,
            principal_parts=plan.principal_parts,
            fee_parts=plan.fee_parts if any(plan.fee_parts) else (),
            interest_parts=plan.interest_parts,
            unbilled_minor=amount_minor,
            posted_on=self.on,
            billable_on=self.on,
            daily_ppm=daily_ppm,
            accrued_on=self.on if daily_ppm else date.min,
        )
        self._keep(replace(self.debt, draws=(*self.debt.draws, draw)))

    def repay(self, amount_minor: int) -> None:
        now = brought_up(self.debt, self.product, self.on)
        if not (amount_minor or now.billed_minor or now.unbilled_minor):
            return
        money = amount_minor or 10**9
        self._paid(amount_minor, money, repaid(now, money, None, Versions(self.product), self.on), None)

    def settle(self, number: int) -> None:
        """Repay one of the running plans as it stands; nothing when none runs."""
        now = brought_up(self.debt, self.product, self.on)
        running = [draw for draw in now.draws if draw.tenor > 1 and draw.unbilled_minor]
        if running:
            draw = running[number % len(running)]
            spread = settle_plan(now, draw.id, Versions(self.product), self.on)
            assert spread is not None
            self._paid(spread.paid_minor, spread.paid_minor, spread, draw.id)

    def move(self, due_day: int) -> None:
        """Move the due day, where no bill is open."""
        if brought_up(self.debt, self.product, self.on).billed_minor:
            return
        move = DueDaySet(self.on, self.line.due_day, self.line.due_after_days, due_day)
        self.moves.append((self._id(), move))
        self.line = replace(self.line, due_day=due_day)
        self._keep(replace(self.debt, line=replace(self.debt.line, due_day=due_day)))

    def plans(self) -> dict[UUID, Planned]:
        """The plans that made the draws, with the due days of then."""
        in_parts = [draw for draw in self.draws.values() if draw.tenor > 1]
        plans = {
            draw.id: planned(draw, line_of(draw, self.line, self.moves, self.product), self.product)
            for draw in in_parts
        }
        for draw in in_parts:
            assert_made(draw, plans[draw.id])
        return plans

    def cycle_of(self, repayment: Repayment) -> Cycle | None:
        """The days by which a repayment counts."""
        return line_at(self.line, self.moves, repayment.value_on, repayment.id).cycle

    def _paid(self, amount_minor: int, money: int, spread: Spread, plan: UUID | None) -> None:
        allocation = spread.allocation
        if amount_minor and spread.surplus_minor:
            allocation = (*allocation, Allocation(Paid.CREDIT_BALANCE, spread.surplus_minor))
        paid = Repayment(
            id=self._id(),
            line_id=self.line.id,
            person_id=self.line.person_id,
            source=Source(SourceKind.EXTERNAL, None),
            status=RepaymentStatus.POSTED,
            amount_minor=amount_minor or money - spread.surplus_minor,
            value_on=self.on,
            created_at=datetime(2026, 9, 1, tzinfo=UTC),
            allocation=allocation,
            plan=plan,
        )
        if paid.amount_minor:
            self.repayments.append(paid)
            self._keep(spread.debt)

    def next_bill(self) -> None:
        self.on = CYCLE.bill_on(self.on)
        issued = issue_bill(self.debt, 0, self._id(), self.on, self.product)
        if issued.bill is not None:
            self.items[issued.bill.id] = issued.items
        self._keep(issued.debt)

    def sources(self, bill_id: UUID, on: date | None = None) -> BillSources:
        """A bill with all that its explanation asks for."""
        on = on or self.on
        bill = brought_up(Debt(self.line, (self.bills[bill_id],)), self.product, on).bills[0]
        everything = {**self.bills, **self.draws}
        used_minor = self.used(bill) if self.product.minimum.rest is Rest.DRAW else None
        return BillSources(
            bill,
            self.items[bill_id],
            self.product,
            "CNY",
            on,
            everything,
            self.repayments,
            self.plans(),
            used_minor,
        )

    def used(self, bill: Bill) -> int:
        """The principal in use when a bill was issued."""
        before = [self.items[id_] for id_, one in self.bills.items() if one.issued_on < bill.issued_on]
        items = [item for one in before for item in one.items]
        return used_at_issue(bill, list(self.draws.values()), items, self.repayments)

    def _keep(self, debt: Debt) -> None:
        self.bills |= {bill.id: bill for bill in debt.bills}
        self.draws |= {draw.id: draw for draw in debt.draws}
        self.debt = replace(
            debt,
            bills=tuple(bill for bill in debt.bills if not is_settled(bill)),
            draws=tuple(draw for draw in debt.draws if draw.unbilled_minor or charges_open(draw)),
        )


def later(on: date, days: int) -> date:
    return on + timedelta(days=days)
