"""Lives of one line by the single steps, day by day, as the commands take them; the events are written down."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import chain
from uuid import UUID

from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace
from tests.credit.history.products import CYCLES, product, products

from wufeng.credit.bill_plans.rules import options_of, small_of, split, splittable, why_not, with_bill
from wufeng.credit.bills.model import Bill, BillItems
from wufeng.credit.bills.rules import bring_up, is_settled
from wufeng.credit.charge_offs.rules import charge_off, is_due
from wufeng.credit.debts.issuing import Known, issue_bill
from wufeng.credit.debts.rules import touched, with_next_bill
from wufeng.credit.draws.model import Approved, Draw, DrawRequest
from wufeng.credit.draws.rules import bill_wanted_on, billable, born, calendar_of, charges_open
from wufeng.credit.history import places
from wufeng.credit.history.model import (
    BillSplit,
    ChargedOff,
    Delivered,
    Drawn,
    DueDaySet,
    Event,
    Issued,
    Refunded,
    Repaid,
    ReturnKept,
    SentBack,
    Standing,
)
from wufeng.credit.history.places import Placed
from wufeng.credit.history.telling import with_surplus
from wufeng.credit.lines.model import Line, LineState, LineStatus
from wufeng.credit.plans.rules import least_amount, schedule, terms_of
from wufeng.credit.products.model import Cycle, Mode, Product
from wufeng.credit.products.versions import Versions
from wufeng.credit.refunds.model import Returnable, Returned
from wufeng.credit.refunds.rules import keep_refused, refund
from wufeng.credit.repayments.model import Allocation, Debt, Source, SourceKind, Spread, Target
from wufeng.credit.repayments.rules import brought_up, owed, repaid, settle_plan, with_line_state
from wufeng.identity.merchants.model import Scene

DAY = timedelta(days=1)
LINE = UUID(int=1)
LENDERS = ((UUID(int=8), 700_000), (UUID(int=9), 300_000))
WALLET = Source(SourceKind.WALLET, UUID(int=7))
BANK = Source(SourceKind.BANK_ACCOUNT, UUID(int=6))
EXTERNAL = Source(SourceKind.EXTERNAL, None)
FIRST_DAY = date(2026, 1, 1)


class Step(Struct, frozen=True):
    """One thing that happens, `gap` days after the one before. number: which draw, tenor or amount is meant."""

    gap: int
    what: str
    minor: int
    number: int = 0


class Plot(Struct, frozen=True):
    """What is to happen to a line: its terms, the day it begins, the steps, and days that pass at the end.

    later  newer versions of its product, which come into force one after the other
    """

    product: Product
    mode: Mode
    cycle: Cycle
    start: date
    steps: tuple[Step, ...]
    after: int = 0
    later: tuple[Product, ...] = ()


def plot_of(name: str, *steps: Step, mode: Mode = Mode.BILL, after: int = 0, **terms: object) -> Plot:
    """A plot of a shipped product, from the first of the year on."""
    made = product(name)
    for field, changes in terms.items():
        made = replace(made, **{field: replace(getattr(made, field), **changes)})
    return Plot(made, mode, Cycle(1, 10), date(2026, 1, 1), steps, after)


def told(plot: Plot) -> str:
    """A plot as a reader of a failure wants it."""
    made = plot.product
    versions = [
        (one.billing, one.minimum, one.interest, one.instalments, one.repayment, one.rounding, one.dates)
        for one in (made, *plot.later)
    ]
    head = f"{made.id}, {plot.mode.value} mode, {plot.cycle}, from {plot.start}, {plot.after} days after"
    return "\n".join([head, *map(str, chain.from_iterable(versions)), *map(str, plot.steps)])


WHAT = (
    "buy", "buy", "buy", "deliver", "pay", "pay", "pay_all", "pay_billed", "pay_minimum", "pay_quarter", "settle",
    "refund", "refund", "refund_all", "refund_two", "refund_fault", "refuse", "to_bill", "split", "due_day",
    "new_version", "raise_over",
)  # fmt: skip
"""What may happen by itself."""

SCENES = (
    ("buy", "to_bill", "split"),
    ("pay_billed", "buy", "to_bill", "split"),
    ("to_bill", "split", "pay_quarter"),
    ("to_bill", "pay_minimum"),
    ("to_bill", "pay"),
    ("pay_all", "refund_all", "refuse", "buy"),
    ("to_bill", "pay_billed", "refund_all", "refuse"),
    ("raise_over", "to_bill", "pay", "refund"),
    ("raise_over", "buy", "to_bill", "refund_two", "split"),
    ("to_bill", "refund", "refund_all"),
    ("to_bill", "pay_quarter", "refund_all"),
)
"""What happens together: a bill comes, and something is made of it before it is due; money is sent back in vain."""

LATE = (
    ("order", "buy", "capture"),
    ("order", "buy", "pay", "capture", "to_bill", "split"),
    ("to_eve", "stay_open", "pay", "refund", "buy", "settle"),
    ("to_eve", "stay_open", "refund", "pay", "split", "due_day"),
    ("settle", "due_day", "buy"),
    ("due_day", "pay", "buy"),
)
"""What is not done in the order of ids, or of dates: captures of older orders, and closes that are late."""

DUE_DAYS = (8, 10, 15, 20, 28)


def plots(max_steps: int = 16, scenes: Sequence[tuple[str, ...]] = SCENES) -> st.SearchStrategy[Plot]:
    """Any life of one to fourteen months."""
    gaps = st.one_of(st.integers(0, 6), st.integers(0, 6), st.integers(15, 40))
    amounts = st.one_of(st.integers(1, 300), st.integers(1_000, 120_000), st.integers(10_000, 120_000))
    numbers = st.integers(0, 11)
    step = st.builds(Step, gaps, st.sampled_from(WHAT), amounts, numbers).map(lambda one: (one,))
    scene = st.builds(
        lambda gap, what, minor, number: tuple(
            Step(gap if n == 0 else 0, one, minor, number) for n, one in enumerate(what)
        ),
        gaps,
        st.sampled_from(scenes),
        amounts,
        numbers,
    )
    return st.builds(
        lambda offered, cycle, start, first, steps, after: Plot(
            offered[0][0],
            offered[1],
            cycle,
            FIRST_DAY + timedelta(days=start),
            _within((Step(0, "buy", *first), *chain.from_iterable(steps)), 400),
            after,
            offered[0][1:],
        ),
        products(),
        st.sampled_from(CYCLES),
        st.integers(0, 200),
        st.tuples(st.integers(1_000, 120_000), numbers),
        st.lists(st.one_of(step, step, scene), min_size=min(4, max_steps), max_size=max_steps),
        st.integers(0, 40),
    )


def _within(steps: Sequence[Step], days: int) -> tuple[Step, ...]:
    """The steps as far as they fit into so many days."""
    kept = []
    for step in steps:
        days -= step.gap
        if days < 0:
            break
        kept.append(step)
    return tuple(kept)


def line_of(plot: Plot) -> Line:
    """The line of a plot on its first day."""
    cycle = plot.cycle if plot.mode is Mode.BILL else None
    return Line(
        id=LINE,
        person_id=UUID(int=2),
        product=plot.product.id,
        product_version=plot.product.version,
        currency="CNY",
        lenders=LENDERS,
        limit_minor=10**9,
        status=LineStatus.OPEN,
        bill_day=cycle.bill_day if cycle else None,
        due_day=cycle.due_day if cycle else None,
        opened_on=plot.start,
    )


class Clerk:
    """A line's rows, as the commands keep them. `events` is what they would load of its history.

    product  the version that the line was opened under      in_force  the one that draws are made by
    over_minor  what is used of a raise that is over: the next bill asks for it
    beyond_minor  used above limit and raise, because a repayment bounced
    """

    def __init__(self, plot: Plot) -> None:
        self.product = plot.product
        self.versions = Versions(plot.product, plot.later)
        self.in_force = plot.product
        self.opened = line_of(plot)
        self.line = self.opened
        self.on = plot.start
        self.draws: dict[UUID, Draw] = {}
        self.bills: dict[UUID, Bill] = {}
        self.items: dict[UUID, BillItems] = {}
        self.allocations: dict[UUID, tuple[Allocation, ...]] = {}
        self.credit_minor = 0
        self.events: list[Event] = []
        self.returnable: dict[UUID, Returnable] = {}
        self.sent: list[tuple[UUID, Returned]] = []
        self.left: dict[UUID, int] = {}
        self.over_minor = self.beyond_minor = 0
        self.placed: list[Placed] = []
        self._ids = 1_000
        self._seq = 0
        self._ordered: list[UUID] = []
        self._open_days: list[date] = []

    def _tell(self, event: Event, of: UUID) -> None:
        """Write an event down; and as the database keeps it, with the number that it finds or takes."""
        self.events.append(event)
        match event:
            case Issued():
                self.placed.append(places.issued(event, self._seq))
                self._seq += 1  # of what is told of it
            case BillSplit():
                self.placed.append(places.planned(event))
            case Delivered():
                self.placed.append(places.delivered(event))
            case DueDaySet():
                self.placed.append(places.moved(event, LINE))
            case _:
                self._seq += 1
                self.placed.append(places.booked(event, of, self._seq))

    def decided(self, what: object, of: UUID) -> None:
        """A step was decided: a clerk who keeps accounts posts it."""

    def new_id(self) -> UUID:
        """The next id, in the order of time."""
        self._ids += 1
        return UUID(int=self._ids)

    def debt(self, draw_ids: Sequence[UUID] = ()) -> Debt:
        """What `load_debts` finds: what is open, and what is named."""
        named = {bill for id_ in draw_ids for bill in self.draws[id_].bills}
        bills = [bill for bill in self.bills.values() if bill.id in named or not is_settled(bill)]
        draws = [
            draw
            for draw in self.draws.values()
            if draw.id in draw_ids or draw.unbilled_minor > 0 or charges_open(draw)
        ]
        return Debt(
            self.line,
            tuple(sorted(bills, key=lambda bill: (bill.issued_on, bill.id))),
            tuple(sorted(draws, key=lambda draw: draw.id)),
        )

    def _keep(self, debt: Debt) -> None:
        after = with_next_bill(debt, self.on)
        self.line = after.line
        self.bills |= {bill.id: bill for bill in after.bills}
        self.draws |= {draw.id: draw for draw in after.draws}

    def turn_to(self, on: date) -> None:
        """Let days pass up to one, each closed."""
        self._close_late()
        while self.on < on:
            self.on += DAY
            self._close()

    def stay_open(self, days: int) -> None:
        """Let days pass whose closes are late: they come when the next day does."""
        for _ in range(days):
            self.on += DAY
            self._open_days.append(self.on)

    def _close_late(self) -> None:
        today = self.on
        for on in self._open_days:
            self.on = on
            self._close()
        self._open_days = []
        self.on = today

    def _close(self) -> None:
        on = self.on
        if any(bill.wake_on is not None and bill.wake_on <= on for bill in self.bills.values()):
            debt = self.debt()
            passed = tuple(_waking_later(bring_up(bill, self.product, on), on) for bill in debt.bills)
            self._keep(with_line_state(replace(debt, bills=passed), self.product, on))
        if self.line.suspend_on is not None and self.line.suspend_on <= on:
            self._keep(with_line_state(self.debt(), self.product, on))
        if is_due(self.line, on):
            self._charge_off()
        if self.line.next_bill_on is not None and self.line.next_bill_on <= on:
            self._issue()

    def _charge_off(self) -> None:
        """The loss is taken, before the bills of the day."""
        bill_id = self.new_id()
        lost = charge_off(self.debt(), bill_id, self.product, self.on)
        self.decided(lost, LINE)
        self._keep(lost.debt)
        if lost.bill is not None:
            self.items[bill_id] = lost.items
        self._tell(ChargedOff(self.on, bill_id, is_billed=lost.bill is not None), LINE)

    @property
    def is_lost(self) -> bool:
        """Whether nobody may draw on the line any more."""
        return self.line.charged_off_on is not None

    def _issue(self) -> None:
        bill_id = self.new_id()
        done = issue_bill(self._over_limit(self.debt()), self.credit_minor, bill_id, self.on, self.product)
        limits = {"limit_minor": self.line.limit_minor, "ended_raise_minor": 0}
        self._keep(replace(done.debt, line=replace(done.debt.line, **limits)))
        if done.bill is None:
            return
        self.over_minor = 0
        self.decided(done, bill_id)
        self.items[bill_id] = done.items
        self.credit_minor -= done.applied.paid_minor if done.applied else 0
        known = Known(
            done.bill.due_on,
            done.bill.over_limit_minor,
            above=done.bill.above_limit,
            keeps_above_used=done.bill.over_limit_used_minor is not None,
        )
        self._tell(Issued(self.on, bill_id, known), bill_id)

    def _over_limit(self, debt: Debt) -> Debt:
        if not self.over_minor:
            return debt
        left_minor = max(0, debt.principal_minor - self.over_minor - self.beyond_minor)
        return replace(
            debt, line=replace(debt.line, limit_minor=left_minor, ended_raise_minor=self.over_minor)
        )

    def order(self) -> None:
        """An order that is captured later: its id is as old as itself."""
        self._ordered.append(self.new_id())

    def buy(self, amount_minor: int, number: int, id_: UUID | None = None) -> UUID:
        """A draw in one of the product's tenors; some await their delivery, some are paid for by the merchant."""
        tenors = self.in_force.tenors
        tenor = tenors[number % len(tenors)]
        share_ppm = (0, 0, 400_000, 1_000_000)[number // 3]
        if tenor > 1:
            amount_minor = max(amount_minor, self.in_force.instalments.minimum_minor, least_amount(tenor))
        terms = terms_of(self.in_force, calendar_of(self.line, self.in_force), tenor, share_ppm)
        if terms is None:
            share_ppm = 0
            terms = terms_of(self.in_force, calendar_of(self.line, self.in_force), tenor, share_ppm)
        assert terms is not None
        request = DrawRequest(
            id=id_ or self.new_id(),
            line_id=LINE,
            payment_id=UUID(int=3),
            merchant_id=UUID(int=4),
            amount_minor=amount_minor,
            scene=Scene.RETAIL,
            tenor=tenor,
            merchant_share_ppm=share_ppm,
            awaits_receipt=number % 3 == 2,
        )
        plan = schedule(terms, amount_minor, self.on)
        state = LineState(self.line, self.debt().principal_minor + amount_minor, 0)
        approved = Approved(request, plan, self.in_force.version, self.line.lenders, state)
        self.decided(approved, request.id)
        draw = born(approved, self.in_force, self.on)
        self.draws[draw.id] = draw
        self.left[draw.id] = amount_minor
        self._expect(draw)
        self._tell(Drawn(self.on, draw), draw.id)
        return draw.id

    def deliver(self, draw_id: UUID) -> None:
        """The goods have come."""
        waiting = self.draws[draw_id]
        product = self.versions.of(waiting.product_version)
        draw = billable(waiting, calendar_of(self.line, product), self.on)
        self.draws[draw_id] = draw
        self._expect(draw)
        self._tell(Delivered(self.on, draw_id), draw_id)

    def split_bill(self, number: int) -> None:
        """The newest bill that may be split is put into instalments: all that may be of it, or a part."""
        debt = brought_up(self.debt(), self.product, self.on)
        small = {
            bill.id: small_of(self.items[bill.id].items, self.draws, self.in_force) for bill in debt.bills
        }
        may = [
            bill
            for bill in debt.bills
            if why_not(bill, small[bill.id], debt.line, self.in_force, self.on) is None
        ]
        if not may:
            return
        bounds = self.in_force.instalments.bills
        assert bounds is not None
        most_minor = splittable(may[-1], small[may[-1].id], self.in_force)
        amount_minor = max(bounds.least_minor, most_minor * (1 + number % 4) // 4)
        options = options_of(may[-1], self.line, self.in_force, amount_minor, self.on)
        if not options:
            return
        made = split(
            may[-1],
            self.line,
            self.in_force,
            self.product,
            options[number % len(options)],
            self.new_id(),
            self.on,
        )
        self._keep(
            touched(
                replace(debt, bills=with_bill(debt.bills, made.bill), draws=(*debt.draws, made.draw)), self.on
            )
        )
        self._tell(BillSplit(self.on, may[-1].id, made.draw), made.draw.id)

    def move_due_day(self, due_day: int) -> None:
        """The due day is moved, where a line has one and no bill is open."""
        was_day = self.line.due_day
        if was_day is None or due_day == was_day or self.debt().billed_minor or self.is_lost:
            return
        self.line = replace(self.line, due_day=due_day)
        self._tell(DueDaySet(self.on, was_day, None, due_day, self._seq), LINE)

    def _expect(self, draw: Draw) -> None:
        wanted = bill_wanted_on(draw, self.line, self.on)
        if wanted is not None and (self.line.next_bill_on is None or self.line.next_bill_on > wanted):
            self.line = replace(self.line, next_bill_on=wanted)

    def owed(self, target: Target) -> int:
        """How much a target comes to today."""
        return owed(brought_up(self.debt(), self.product, self.on), target, self.on)

    def plan_minor(self, draw_id: UUID) -> int:
        """What settles a plan today; 0: nothing of it is to come."""
        settled = settle_plan(self.debt([draw_id]), draw_id, self.versions, self.on)
        return settled.paid_minor if settled is not None else 0

    def repay(self, amount_minor: int, source: Source = WALLET, plan: UUID | None = None) -> UUID:
        """Money comes."""
        id_ = self.new_id()
        debt = self.debt([plan] if plan is not None else [])
        spread = repaid(debt, amount_minor, plan, self.versions, self.on)
        self.decided((source, spread, debt), id_)
        self._keep(touched(spread.debt, self.on))
        self._paid(id_, source, spread)
        self._tell(Repaid(self.on, id_, source, amount_minor, plan), id_)
        return id_

    def _paid(self, id_: UUID, source: Source, spread: Spread) -> None:
        pieces = with_surplus(spread)
        self.allocations[id_] = pieces
        self.credit_minor += spread.surplus_minor
        if source.kind is not SourceKind.EXTERNAL and spread.paid_minor:
            self.returnable[id_] = Returnable(id_, source, spread.paid_minor)

    def refund(self, draw_ids: tuple[UUID, ...], amount_minor: int, *, merchants_fault: bool = False) -> None:
        """A merchant gives back an amount of some draws, the last of them first."""
        debt = brought_up(self.debt(draw_ids), self.product, self.on)
        sources = [self.returnable[id_] for id_ in sorted(self.returnable, reverse=True)]
        done = refund(
            debt, draw_ids, amount_minor, sources, self.versions, self.on, merchants_fault=merchants_fault
        )
        id_ = self.new_id()
        self.decided(done, id_)
        self._keep(touched(done.debt, self.on))
        self.credit_minor += done.kept_minor
        for back in done.returned:
            was = self.returnable.pop(back.repayment_id)
            if left_minor := was.amount_minor - back.amount_minor:
                self.returnable[was.repayment_id] = replace(was, amount_minor=left_minor)
        self.sent += [(id_, back) for back in done.returned if back.source.kind is SourceKind.BANK_ACCOUNT]
        gone = done.returned, merchants_fault, done.subsidy_returned_minor
        self._tell(Refunded(self.on, id_, draw_ids, amount_minor, *gone), id_)
        for id_ in reversed(draw_ids):
            part_minor = min(amount_minor, self.left[id_])
            self.left[id_] -= part_minor
            amount_minor -= part_minor

    def refuse(self, number: int) -> None:
        """A bank does not take what a refund has sent it: it pays what is open, and may be sent again."""
        refund_id, back = self.sent.pop(number % len(self.sent))
        debt = brought_up(self.debt(), self.product, self.on)
        kept = keep_refused(debt, back.amount_minor, self.versions, self.on)
        self.decided(kept, refund_id)
        applied = kept.applied
        self._keep(touched(applied.debt, self.on))
        self.credit_minor += applied.surplus_minor
        was = self.returnable.get(back.repayment_id)
        left_minor = back.amount_minor + (was.amount_minor if was is not None else 0)
        self.returnable[back.repayment_id] = Returnable(back.repayment_id, back.source, left_minor)
        self._tell(ReturnKept(self.on, refund_id, back.amount_minor), refund_id)

    def take_over(self, standing: Standing) -> None:
        """The rows as a story that was told otherwise leaves them."""
        self.line = standing.line
        self.bills = dict(sorted(standing.bills.items()))
        self.draws = dict(sorted(standing.draws.items()))
        self.items = dict(standing.items)
        self.allocations = dict(standing.allocations)
        self.credit_minor = standing.credit_balance_minor

    def days_to_bill(self, number: int) -> int:
        """How many days it takes until so many days after the next bill; none when none is to come."""
        return (self.line.next_bill_on - self.on).days + number if self.line.next_bill_on is not None else 0

    def take(self, step: Step) -> None:
        """Do what a step says; what makes no sense today is left out."""
        drawn = list(self.draws)
        chosen = drawn[step.number % len(drawn)] if drawn else None
        bought = list(self.left)  # a plan of a bill is bound to no order: nobody refunds it
        given_back = bought[step.number % len(bought)] if bought else None
        match step.what:
            case "buy" if not self.is_lost:
                self.buy(step.minor, step.number)
            case "order":
                self.order()
            case "capture" if self._ordered and not self.is_lost:
                self.buy(step.minor, step.number, self._ordered.pop())
            case "stay_open":
                self.stay_open(1 + step.number % 2)
            case "deliver":
                waiting = [draw.id for draw in self.draws.values() if draw.billable_on is None]
                if waiting:
                    self.deliver(waiting[step.number % len(waiting)])
            case "pay":
                self.repay(step.minor, source_of(step))
            case "pay_all" | "pay_billed" | "pay_minimum":
                if due_minor := self.owed(Target(step.what.removeprefix("pay_"))):
                    self.repay(due_minor, source_of(step))
            case "pay_quarter":
                if due_minor := self.owed(Target.ALL) * (1 + step.number % 3) // 4:
                    self.repay(due_minor, source_of(step))
            case "settle" if chosen is not None:
                if amount_minor := self.plan_minor(chosen):
                    self.repay(amount_minor + (step.number == 11), plan=chosen)
            case "refund" | "refund_all" if given_back is not None and self.left[given_back]:
                left_minor = self.left[given_back]
                self.refund(
                    (given_back,), left_minor if step.what == "refund_all" else min(step.minor, left_minor)
                )
            case "refund_fault" if given_back is not None and self.left[given_back]:
                self.refund((given_back,), min(step.minor, self.left[given_back]), merchants_fault=True)
            case "refund_two" if len(bought) > 1:
                two = tuple(bought[-2:])
                if left_minor := sum(self.left[id_] for id_ in two):
                    self.refund(two, min(step.minor, left_minor))
            case "refuse" if self.sent:
                self.refuse(step.number)
            case "split":
                self.split_bill(step.number)
            case "new_version":
                newer = [one for one in self.versions.later if one.version > self.in_force.version]
                self.in_force = newer[0] if newer else self.in_force
            case "raise_over":
                self.over_minor = step.minor
                self.beyond_minor = step.minor * (step.number % 3) // 4
            case "due_day":
                self.move_due_day(DUE_DAYS[step.number % len(DUE_DAYS)])
            case _:
                pass


def source_of(step: Step) -> Source:
    """Where the money of a step comes from."""
    return EXTERNAL if step.number == 0 else (WALLET, BANK)[step.number % 2]


def _waking_later(bill: Bill, on: date) -> Bill:
    if bill.wake_on is None or bill.wake_on > on:
        return bill
    return replace(bill, wake_on=bill.last_on + DAY)


class Afterwards(Struct, frozen=True):
    """A story told otherwise: money that came so many days ago (`minor`), or a repayment that bounced (`minor` 0).

    is_refund  the money is a merchant's: a refund that counts from so many days ago
    """

    minor: int
    number: int
    is_refund: bool = False


def afterwards() -> st.SearchStrategy[Afterwards]:
    """Money that comes late, or does not stay."""
    amounts = st.one_of(st.just(0), st.integers(1, 300), st.integers(1_000, 120_000))
    return st.builds(Afterwards, amounts, st.integers(0, 400), st.booleans())


def changed(clerk: Clerk, change: Afterwards) -> list[Event] | None:
    """The events of a life with one repayment or refund more, at the end of its date, or with a repayment less; None:
    there is none.
    """
    events = clerk.events
    if change.is_refund and change.minor:
        late = late_refund(clerk, change)
        return inserted(events, late) if late is not None else None
    if not change.minor:
        came = [event for event in events if isinstance(event, Repaid)]
        gone = came[change.number % len(came)] if came else None
        return [event for event in events if event is not gone] if gone is not None else None
    on = clerk.opened.opened_on + change.number % ((clerk.on - clerk.opened.opened_on).days + 1) * DAY
    return inserted(events, Repaid(on, clerk.new_id(), WALLET, change.minor))


def inserted(events: Sequence[Event], late: Repaid | Refunded) -> list[Event]:
    """Events with one more, at the end of its date."""
    place = next((n for n, event in enumerate(events) if event.on > late.on), len(events))
    return [*events[:place], late, *events[place:]]


def late_refund(clerk: Clerk, change: Afterwards) -> Refunded | None:
    """A refund of what is left of some draw, on some day since then, or as if it had not been. None: none is left."""
    draws = {event.draw.id: event.on for event in clerk.events if isinstance(event, Drawn)}
    if not draws:
        return None
    draw_id, since = list(draws.items())[change.number % len(draws)]
    undone = change.number % 5 == 0
    amount_minor = clerk.left[draw_id] if undone else min(change.minor, clerk.left[draw_id])
    if not amount_minor:
        return None
    clerk.left[draw_id] -= amount_minor
    on = since if undone else since + change.number % ((clerk.on - since).days + 1) * DAY
    fault = undone or change.number % 3 == 0
    return Refunded(on, clerk.new_id(), (draw_id,), amount_minor, (), fault, None, undone)


def sent_back(clerk: Clerk, events: Sequence[Event], standing: Standing) -> list[Event]:
    """The events of a late refund, and what it sends back today: the rest that it leaves, or a half of it."""
    late = next(one for one in events if isinstance(one, Refunded) and one.subsidy_returned_minor is None)
    told_minor = sum(one.subsidy_returned_minor or 0 for one in events if isinstance(one, Refunded))
    subsidy_minor = standing.charged.subsidy_returned_minor - told_minor
    told = [replace(one, subsidy_returned_minor=subsidy_minor) if one is late else one for one in events]
    rest_minor = min(standing.credit_balance_minor - clerk.credit_minor, standing.credit_balance_minor)
    amount_minor = rest_minor // (1 + late.amount_minor % 2)
    if amount_minor > 0:
        told.append(SentBack(clerk.on, late.refund_id, amount_minor))
    return told


def live(plot: Plot) -> Iterator[Clerk]:
    """Live a plot; the clerk comes out after each day on which something was done, and on the last."""
    return live_with(Clerk(plot), plot)


def live_with(clerk: Clerk, plot: Plot) -> Iterator[Clerk]:
    """Live a plot with a clerk who has done nothing yet."""
    for step in plot.steps:
        days = _days_to(clerk, step)
        if days:
            yield clerk
            clerk.turn_to(clerk.on + days * DAY)
        clerk.take(step)
    yield clerk
    clerk.turn_to(clerk.on + plot.after * DAY)
    yield clerk


def _days_to(clerk: Clerk, step: Step) -> int:
    match step.what:
        case "to_bill":
            return clerk.days_to_bill(step.number)
        case "to_eve":
            return max(0, clerk.days_to_bill(-1))
        case _:
            return step.gap


def lived(plot: Plot) -> Clerk:
    """The clerk at the end of a plot."""
    *_, last = live(plot)
    return last
