"""A line as a clerk with a pencil would keep it: a page a day, every fen in the books of the part that owes it.

It shares with the engine the structs, the calendar of bank days and `schedule`, nothing else. Its rules are the words
of PRODUCTS.md: interest of a day is taken of what is owed when the day begins; a bill takes the interest up to the day
before; what was earned is rounded half-even as a whole, less what was charged before.
"""

import calendar
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor
from uuid import UUID

from msgspec import Struct, field
from msgspec.structs import replace

from wufeng.base.calendar import bank_day_on_or_after
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
)
from wufeng.credit.plans.model import Terms
from wufeng.credit.plans.rules import schedule
from wufeng.credit.products.dates import Dates, Every, Stub
from wufeng.credit.products.model import (
    Cycle,
    Early,
    LateBase,
    Method,
    Part,
    Pieces,
    Product,
    RefundFees,
    Rest,
    Rounding,
    RoundingRules,
)

DAY = timedelta(days=1)
MILLION = 1_000_000


def rounded(micro: int, rounding: Rounding) -> int:
    """Millionths of a fen as fen."""
    fen = Fraction(micro, MILLION)
    match rounding:
        case Rounding.HALF_EVEN:
            return round(fen)
        case Rounding.HALF_UP:
            return floor(fen + Fraction(1, 2))
        case Rounding.DOWN:
            return floor(fen)
        case Rounding.UP:
            return ceil(fen)


def earned_of(over: Sequence[int], running: int, rules: RoundingRules) -> int:
    """Millionths that stretches of days have earned: each that is over is rounded by itself, where that is the rule."""
    if rules.pieces is Pieces.EACH:
        return sum(rounded(micro, rules.interest) for micro in over) * MILLION + running
    return sum(over) + running


def whole_of(over: Sequence[int], running: int, rules: RoundingRules) -> int:
    """The same in fen, as if the running stretch ended now."""
    if rules.pieces is Pieces.EACH:
        return sum(rounded(micro, rules.interest) for micro in (*over, running))
    return rounded(sum(over) + running, rules.interest)


def up(part: int, ppm: int) -> int:
    """A share, rounded up."""
    return -(-part * ppm // MILLION)


def falls_on(day: int, on: date) -> bool:
    """Whether a day of the month, or the last of a shorter month in its stead, is that date."""
    return on.day == min(day, calendar.monthrange(on.year, on.month)[1])


def first_after(day: int, on: date) -> date:
    """The first date after one on which a day of the month falls."""
    on += DAY
    while not falls_on(day, on):
        on += DAY
    return on


def last_before(day: int, on: date) -> date:
    """The last date before one on which a day of the month falls."""
    on -= DAY
    while not falls_on(day, on):
        on -= DAY
    return on


class Statement(Struct, eq=False):
    """A bill. owed: what is left of each part; the first numbers are what it was issued with, refunds taken off.

    kept     of its principal, while something happens before a plan takes it over
    above    the limit, of what was used when it was issued, less what was refunded of that
    above_of  where that begins, the most it is, and what was used in all, less what was refunded of it
    used     of what a bill of the minimum alone asks for its share: found when it was issued, and not refunded since
    asks     whether its minimum is asked for still, when a refund comes
    running  millionths earned since the balance changed or somebody looked; over: what each stretch before had earned
    """

    issued_on: date
    due_on: date
    last_on: date
    single: int
    instalment: int
    fee: int
    interest: int
    carried: int
    missed: int
    paid: dict[Part, int]
    ppm: int = 0
    above: int = 0
    above_of: tuple[int, int, int] | None = None
    used: int | None = None
    asks: bool = True
    minimum: int = 0
    counted: int = 0
    late_interest: int = 0
    state: str = "open"
    passed: bool = False
    late_terms: bool = False
    over: list[int] = field(default_factory=list)
    running: int = 0
    cap: int | None = None
    charged: int = 0
    kept: int = 0
    allotted: list[tuple[UUID, int]] = field(default_factory=list)
    rules: RoundingRules = RoundingRules()

    def owes(self, part: Part) -> int:
        total = {
            Part.PRINCIPAL: self.single + self.instalment - self.kept,
            Part.FEE: self.fee,
            Part.INTEREST: self.interest + self.late_interest,
        }
        return total[part] - self.paid[part]

    @property
    def owed(self) -> int:
        return sum(self.owes(part) for part in Part)

    @property
    def earned(self) -> int:
        micro = earned_of(self.over, self.running, self.rules)
        return micro if self.cap is None else min(micro, self.cap * MILLION)

    @property
    def to_charge(self) -> int:
        minor = whole_of(self.over, self.running, self.rules)
        return max(0, (minor if self.cap is None else min(minor, self.cap)) - self.charged)

    def end_stretch(self) -> None:
        self.over.append(self.running)
        self.running = 0


class Rate(Struct, eq=False):
    """An instalment of a purchase. prepaid: money that came before its bill; bill: the one that has taken it.

    kept  of its principal, while something happens before a plan takes it over with the bill
    """

    principal: int
    fee: int = 0
    interest: int = 0
    subsidy: int = 0
    prepaid: int = 0
    due_on: date | None = None
    bill_on: date | None = None
    bill: Statement | None = None
    kept: int = 0

    @property
    def open(self) -> int:
        return self.principal - self.prepaid - self.kept


class Purchase(Struct, eq=False):
    """A draw. days: what bore interest on each day before the bill; ends: after how many of them stretches ended."""

    id: UUID
    on: date
    amount: int
    tenor: int
    ppm: int
    rates: list[Rate]
    billable_on: date | None = None
    days: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    version: int = 0
    charged: int = 0
    rules: RoundingRules = RoundingRules()

    @property
    def to_come(self) -> list[Rate]:
        return [rate for rate in self.rates if rate.bill is None]

    @property
    def unbilled(self) -> int:
        return sum(rate.open for rate in self.rates if rate.bill is None)

    @property
    def charges_to_come(self) -> bool:
        return any(rate.fee or rate.interest or rate.subsidy for rate in self.rates if rate.bill is None)

    @property
    def earned(self) -> int:
        return earned_of(*self._stretches, self.rules)

    @property
    def to_charge(self) -> int:
        return max(0, whole_of(*self._stretches, self.rules) - self.charged)

    @property
    def _stretches(self) -> tuple[list[int], int]:
        bounds = [0, *self.ends, len(self.days)]
        *over, running = (sum(self.days[since:until]) * self.ppm for since, until in pairwise(bounds))
        return over, running

    def end_stretch(self) -> None:
        self.ends.append(len(self.days))


Piece = tuple[str, int, date | UUID, int | None]
"""What money paid: the part, how much, the bill's date or the draw, and which instalment."""


class Oracle:
    """A line under one product. `cycle` is its own days; None: each purchase has its own dates.

    product  the contract, under which the line was opened      later  newer versions, by which draws may be made
    uncovered  by refund: of its amount, has not lowered the debt, because so much went back that was not there
    at_once    so much of that on the refund's own day
    story  all that is to be heard, where it is told afterwards: bills and losses are then facts, and plans that are to
           come keep what they take over
    """

    def __init__(
        self,
        product: Product,
        cycle: Cycle | None,
        opened_on: date,
        story: Sequence[Event] | None = None,
        later: Sequence[Product] = (),
        uncovered: Mapping[UUID, int] | None = None,
        at_once: Mapping[UUID, int] | None = None,
    ) -> None:
        self.product = product
        self.versions = {one.version: one for one in (product, *later)}
        self.cycle = cycle
        self.today = opened_on
        self.purchases: list[Purchase] = []
        self.statements: list[Statement] = []
        self.credit = 0
        self.suspended = False
        self.lost: tuple[int, int, int] | None = None
        self.lost_cancelled = 0
        self.ahead = list(story) if story is not None else None
        self.plans = _Plans(story or (), uncovered or {})
        self.named: dict[UUID, Statement] = {}
        self.interest_charged = self.fee_charged = self.subsidy_earned = self.subsidy_back = 0
        self.drawn = self.repaid = self.refunded = self.returned = 0
        self.uncovered = dict(uncovered or {})
        self.at_once = dict(at_once or {})
        self.gone_uncovered = dict(self.uncovered)  # what of it has not gone back yet
        self.short: dict[UUID, int] = {}
        self.lacking = 0  # of what a plan took over, is not there: nothing is heard after that
        self.undone = False  # whether it is heard as if the purchase had not happened
        self.fault = False  # whether the refund that is being heard is the merchant's fault
        self.pieces: dict[UUID, list[Piece]] = {}

    # Days.

    def turn_to(self, on: date, told: Iterable[Event] = ()) -> None:
        """Let days begin up to one. told: bills that were issued; where there is no bill day, it goes by them."""
        bills = {event.on: event for event in told if isinstance(event, Issued)}
        losses = {event.on: event for event in told if isinstance(event, ChargedOff)}
        while self.today < on:
            self.today += DAY
            self._begin_day(bills.get(self.today), losses.get(self.today))
            if self.ahead is None:
                assert self._no_part_is_forgotten(), f"a part was to be billed by {self.today}"

    def _begin_day(self, told: Issued | None, loss: ChargedOff | None) -> None:
        for bill in self.statements:
            if not bill.passed and bill.last_on == self.today - DAY:
                self._pass_due_date(bill)
        self._suspend()
        if self.ahead is None:
            assert self._is_lost_today == (loss is not None), f"a loss on {self.today}?"
        issued = self._issue_if_due(told) if loss is None else None
        for bill in self.statements:
            bill.running += self._interest_of_a_day(bill)
        for purchase in self.purchases:
            if purchase.ppm:
                purchase.days.append(purchase.unbilled)
        if loss is not None:
            self._lose(loss)
        if issued is not None or loss is not None:
            self._use_credit()
        self._suspend()

    def _issue_if_due(self, told: Issued | None) -> Statement | None:
        if self.ahead is not None:
            issued = self._issue(told) if told is not None else None
            if issued is None and told is not None:  # nothing would have stood on a bill that was issued
                due_on, last_on = told.known.due_on, self._last_on(told.known.due_on)
                issued = Statement(self.today, due_on, last_on, 0, 0, 0, 0, 0, 0, dict.fromkeys(Part, 0))
                issued.state = "paid"
                self.statements.append(issued)
                self.named[told.bill_id] = issued
                return None
            return issued
        issued = None
        bill_day = self.cycle is not None and falls_on(self.cycle.bill_day, self.today)
        if told is not None or (bill_day and self.lost is None):
            issued = self._issue(told)
        assert (issued is None) == (told is None), f"a bill on {self.today}?"
        if issued is not None and told is not None:
            assert issued.due_on == told.known.due_on
        return issued

    def _use_credit(self) -> None:
        """What stands in the person's favour pays bills and what they have earned, on the day of a new one."""
        self._keep_for_plans()
        if use := min(self.credit, sum(bill.owed + bill.to_charge for bill in self.statements)):
            self.credit -= use
            assert self._pay(use)[1] == 0
        self._let_go()

    @property
    def _is_lost_today(self) -> bool:
        """Arrears that are too old: the loss is taken, once."""
        after_days, since = self.product.arrears.charge_off_after_days, self.past_due_since
        if self.lost is not None or after_days is None or since is None:
            return False
        return since + after_days * DAY <= self.today

    def _lose(self, event: ChargedOff) -> None:
        """Everything falls due; fees and interest of months to come are let go; nothing bears interest any more."""
        self._end_stretches()
        for bill in self.statements:
            earned = bill.to_charge
            bill.charged += earned
            bill.late_interest += earned
            self.interest_charged += earned
            bill.ppm, bill.passed = 0, True
            bill.state = "overdue" if bill.owed else "paid"
        new = self._rest_of_all()
        if new.owed or (self.ahead is not None and event.is_billed):
            new.passed = True
            new.state = "overdue" if new.owed else "paid"
            new.minimum = new.owed
            self.interest_charged += new.interest
            self.statements.append(new)
            self.named[event.bill_id] = new
        principal, interest, fee = (
            sum(bill.owes(part) for bill in self.statements)
            for part in (Part.PRINCIPAL, Part.INTEREST, Part.FEE)
        )
        self.lost = principal, interest, fee

    def _rest_of_all(self) -> Statement:
        """A bill, due today, of what no bill had taken, if there is any."""
        new = Statement(self.today, self.today, self.today, 0, 0, 0, 0, 0, 0, dict.fromkeys(Part, 0))
        new.rules = self.product.rounding
        running = [
            purchase
            for purchase in self.purchases
            if purchase.unbilled or purchase.charges_to_come or purchase.to_charge
        ]
        for purchase in running:
            earned = purchase.to_charge
            purchase.charged += earned
            new.interest += earned
            for rate in purchase.to_come:
                new.single += rate.open if purchase.tenor == 1 else 0
                new.instalment += 0 if purchase.tenor == 1 else rate.open
                self.subsidy_earned += rate.subsidy
                rate.fee = rate.interest = rate.subsidy = 0
                if rate.open:
                    new.allotted.append((purchase.id, rate.open))
        if new.owed:
            for purchase in running:
                for rate in purchase.to_come:
                    rate.bill = new
        return new

    # Plans that are to come.

    def _keep_for_plans(self) -> None:
        """Principal that a plan will take over is left alone: on its bill, else on the newest it will take."""
        for bill_id, amount in self.plans.to_come(self.ahead or ()).items():
            if bill_id in self.named:
                bill = self.named[bill_id]
                bill.kept = min(amount, bill.single, bill.owes(Part.PRINCIPAL))
                continue
            if self.product.minimum.rest is Rest.DRAW:
                continue
            there = {purchase.id: purchase for purchase in self.purchases}
            on_it = self.plans.draws_on(bill_id)
            amount -= sum(left for id_, left in on_it if id_ not in there)
            for id_, left in reversed(on_it):
                if id_ in there and amount > 0:
                    (rate,) = there[id_].rates
                    rate.kept = min(amount, left, rate.open)
                    amount -= rate.kept

    def _let_go(self) -> None:
        for bill in self.statements:
            bill.kept = 0
        for purchase in self.purchases:
            for rate in purchase.rates:
                rate.kept = 0

    def _suspend(self) -> None:
        """Arrears that are old enough suspend the line, and only their end opens it again."""
        since = self.past_due_since
        if since is None or self.lost is not None:
            self.suspended = False
        elif since + self.product.arrears.suspend_after_days * DAY <= self.today:
            self.suspended = True

    def _no_part_is_forgotten(self) -> bool:
        return not any(
            rate.bill_on is not None and rate.bill_on <= self.today
            for purchase in self.purchases
            if purchase.unbilled or purchase.charges_to_come
            for rate in purchase.to_come
        )

    def _interest_of_a_day(self, bill: Statement) -> int:
        late = bill.state == "overdue" and bill.late_terms
        bearing = bill.owes(Part.PRINCIPAL)
        if late and self.product.interest.late_base is LateBase.PRINCIPAL_AND_FEES:
            bearing += bill.owes(Part.FEE)
        if bearing <= 0 or not bill.ppm:
            return 0
        return max(bearing * bill.ppm, self.product.interest.late_least_minor * MILLION if late else 0)

    def _pass_due_date(self, bill: Statement) -> None:
        """The last day to pay is over. Interest runs from the due date on, whatever grace there was; what bore interest
        before goes on at another rate from now on.
        """
        bill.passed = True
        if bill.owed == 0:
            return
        bill.end_stretch()
        interest = self.product.interest
        if bill.counted >= bill.minimum:
            bill.state, bill.ppm = "minimum_paid", interest.revolving_daily_ppm
        else:
            bill.state, bill.ppm, bill.late_terms = "overdue", interest.late_daily_ppm, True
        if interest.late_most_ppm is not None:
            principal = bill.single + bill.instalment
            bill.cap = bill.earned // MILLION + principal * interest.late_most_ppm // MILLION
        if not interest.daily_ppm:  # what bore interest all along has borne it on the days of grace
            grace_days = (bill.last_on - bill.due_on).days
            bill.running += grace_days * self._interest_of_a_day(bill)

    # Bills.

    def _issue(self, told: Issued | None) -> Statement | None:
        new = Statement(self.today, self.today, self.today, 0, 0, 0, 0, 0, 0, dict.fromkeys(Part, 0))
        new.rules = self.product.rounding
        used_in_all = self.principal
        share = None
        if self.product.minimum.rest is Rest.DRAW:
            new.used = self._used()
            share = self._asked_of(new.used)
        if told is not None and told.known.above is not None:
            above = told.known.above
            self._set_above(new, (above.from_minor, above.most_minor, used_in_all))
        if new.used is not None and share is not None:
            share = min(new.used, share + new.above)
        took, due = False, []
        looked_at: list[Purchase | Statement] = list(self.statements)
        for purchase in self.purchases:
            if purchase.billable_on is None or purchase.billable_on >= self.today:
                continue
            looked_at.append(purchase)
            if earned := purchase.to_charge:
                purchase.charged += earned
                new.interest += earned
            taken, share = self._taken(purchase, share)
            for rate in taken:
                took = True
                rate.bill = new
                new.single += rate.open if purchase.tenor == 1 else 0
                new.instalment += 0 if purchase.tenor == 1 else rate.open
                new.fee += rate.fee
                new.interest += rate.interest
                self.subsidy_earned += rate.subsidy
                new.allotted.append((purchase.id, rate.open))
            if taken and taken[-1].due_on is not None:
                due.append(taken[-1].due_on)
        for old in self.statements:
            new.interest += old.to_charge
        if not took and not new.interest:
            return None
        for one in looked_at:
            one.end_stretch()
        self._carry(new)
        self._date(new, due)
        if told is not None:
            self.named[told.bill_id] = new
            if self.ahead is not None:
                new.due_on = told.known.due_on
                new.last_on = self._last_on(new.due_on)
        self.interest_charged += new.interest
        self.fee_charged += new.fee
        new.minimum = self._minimum(new)
        new.ppm = self.product.interest.daily_ppm
        if not new.owed:
            new.state = "paid"
        self.statements.append(new)
        return new

    def _carry(self, new: Statement) -> None:
        """Charge the interest of earlier bills, and see what they leave for the minimum."""
        for old in self.statements:
            old.charged += old.to_charge
            if old.state == "overdue":
                new.missed += old.owed
            else:
                new.carried += old.owes(Part.PRINCIPAL)
                new.missed += old.owes(Part.FEE) + old.owes(Part.INTEREST)

    def _date(self, new: Statement, due: list[date]) -> None:
        if due:
            new.due_on = max(due)
        elif self.cycle is not None:
            new.due_on = first_after(self.cycle.due_day, self.today)
        if self.product.billing.bank_days:
            new.due_on = bank_day_on_or_after(new.due_on)
        new.last_on = self._last_on(new.due_on)

    def _last_on(self, due_on: date) -> date:
        """The last day to pay what is due on a date."""
        return due_on + self.product.billing.grace_days * DAY

    def _used(self) -> int:
        return sum(
            purchase.unbilled
            for purchase in self.purchases
            if purchase.tenor == 1 and purchase.billable_on is not None and purchase.billable_on < self.today
        )

    def _set_above(self, bill: Statement, of: tuple[int, int, int]) -> None:
        since, most, used = bill.above_of = of
        bill.above = max(0, min(used - since, most))

    def _asked_of(self, used: int) -> int:
        minimum = self.product.minimum
        return used if used <= minimum.whole_up_to_minor else up(used, minimum.principal_ppm)

    def _taken(self, purchase: Purchase, share: int | None) -> tuple[list[Rate], int | None]:
        """What today's bill takes of a purchase, and what is left to be asked of others."""
        rates = purchase.to_come
        if share is not None and purchase.tenor == 1:
            use = min(share, purchase.unbilled)
            if not use:
                return [], share
            (rate,) = rates
            if use < rate.open:
                purchase.rates.append(Rate(rate.open - use))
                rate.principal = rate.prepaid + use
            return [rate], share - use
        if not purchase.unbilled and not purchase.charges_to_come:
            return [], share
        if rates[0].bill_on is not None:
            return [rate for rate in rates if rate.bill_on is not None and rate.bill_on <= self.today], share
        return rates[:1], share

    def _minimum(self, bill: Statement) -> int:
        minimum, principal = self.product.minimum, bill.single + bill.carried
        if bill.used is not None:
            principal = bill.carried + min(bill.single, bill.used, self._asked_of(bill.used) + bill.above)
        whole = minimum.rest is Rest.DRAW or principal <= minimum.whole_up_to_minor
        least = principal if whole else min(principal, up(principal, minimum.principal_ppm) + bill.above)
        return least + bill.instalment + bill.fee + bill.interest + bill.missed

    # Money.

    def _pay(self, money: int) -> tuple[list[Piece], int]:
        """Spread money: bills, past due ones first; interest not charged yet; spending not billed; instalments.

        Whatever it pays, it ends the stretches of all: who explains the interest tells of this day.
        """
        self._end_stretches()
        pieces: list[Piece] = []
        paid_here = [0] * len(self.statements)
        for late in (True, False):
            for place, bill in enumerate(self.statements):
                if (bill.due_on < self.today) is not late:
                    continue
                for part in self._order(bill):
                    if amount := min(money, bill.owes(part)):
                        bill.paid[part] += amount
                        pieces.append((part.value, amount, bill.issued_on, None))
                        paid_here[place] += amount
                        money -= amount
        self._count(paid_here)
        for bill in self.statements:
            if amount := min(money, bill.to_charge):
                bill.charged += amount
                bill.late_interest += amount
                bill.paid[Part.INTEREST] += amount
                self.interest_charged += amount
                pieces.append(("late_interest", amount, bill.issued_on, None))
                money -= amount
        for purchase in self.purchases:
            if amount := min(money, purchase.to_charge):
                purchase.charged += amount
                self.interest_charged += amount
                pieces.append(("daily_interest", amount, purchase.id, None))
                money -= amount
        early, money = self._prepay(money)
        self._look_at_states()
        return pieces + early, money

    def _end_stretches(self) -> None:
        for bill in self.statements:
            bill.end_stretch()
        for purchase in self.purchases:
            purchase.end_stretch()

    def _order(self, bill: Statement) -> tuple[Part, ...]:
        age = max(0, (self.today - bill.due_on).days)
        reached = [step for step in self.product.repayment.waterfall if step.days_past_due <= age]
        return max(reached, key=lambda step: step.days_past_due).order

    def _count(self, paid: list[int]) -> None:
        """Money on a bill, or on one before it, counts towards its minimum as long as it may be paid in time."""
        for place, bill in enumerate(self.statements):
            if self.today <= bill.last_on:
                bill.counted += sum(paid[: place + 1])

    def _look_at_states(self) -> None:
        for bill in self.statements:
            if bill.owed + bill.kept == 0:
                bill.state = "paid"
            elif bill.state == "open" and self.today <= bill.last_on and bill.counted >= bill.minimum:
                bill.state = "minimum_paid"

    def _prepay(self, money: int) -> tuple[list[Piece], int]:
        """Spending on the next bill, the oldest first; then, where the product says so, the nearest instalments."""
        before = {purchase.id: purchase.unbilled for purchase in self.purchases}
        pieces: list[Piece] = []
        near = [
            (date.min, 0, purchase, rate)
            for purchase in self.purchases
            if purchase.tenor == 1
            for rate in purchase.to_come
        ]
        far = [
            (rate.due_on or date.max, place, purchase, rate)
            for purchase in self.purchases
            if purchase.tenor > 1
            for place, rate in enumerate(purchase.to_come)
        ]
        far.sort(key=lambda one: (*one[:2], one[2].id))
        for _, _, purchase, rate in near + (far if self.product.repayment.to_instalments else []):
            if amount := min(money, rate.open):
                rate.prepaid += amount
                number = purchase.rates.index(rate) + 1
                pieces.append(("unbilled", amount, purchase.id, number))
                money -= amount
        for purchase in self.purchases:
            drops = self._of(purchase).instalments.early is Early.DROPPED
            if drops and before[purchase.id] and not purchase.unbilled:
                pieces += self._end_plan(purchase, self._running_interest(purchase))
        return pieces, money

    def _of(self, purchase: Purchase) -> Product:
        """What a purchase lives by: the version by which it was made."""
        return self.versions[purchase.version]

    def _end_plan(self, purchase: Purchase, earned: int) -> list[Piece]:
        """A plan that money has ended: the charges of its months to come are dropped, the merchant's part is earned."""
        pieces: list[Piece] = []
        for place, rate in enumerate(purchase.to_come):
            kept = earned if place == 0 else 0
            if dropped := rate.fee + rate.interest - kept:
                pieces.append(("fee_dropped", dropped, purchase.id, purchase.rates.index(rate) + 1))
            self.subsidy_earned += rate.subsidy
            rate.fee, rate.interest, rate.subsidy = 0, kept, 0
        return pieces

    def _running_interest(self, purchase: Purchase) -> int:
        """The interest of the running month of a plan by the year, by its days so far."""
        rates = purchase.to_come
        if not rates or not rates[0].interest or purchase.billable_on is None:
            return 0
        number = purchase.rates.index(rates[0])
        if rates[0].due_on is not None:
            until = rates[0].due_on
            since = purchase.rates[number - 1].due_on if number else purchase.billable_on
            assert since is not None
        else:
            assert self.cycle is not None
            before = purchase.rates[number - 1].bill if number else None
            bill_on = first_after(self.cycle.bill_day, before.issued_on if before else purchase.billable_on)
            until = first_after(self.cycle.due_day, bill_on)
            since = last_before(self.cycle.due_day, until) if number else purchase.billable_on
        length = (until - since).days
        days = min(max(0, (self.today - since).days), length)
        return round(Fraction(rates[0].interest * days, length))

    def _settle(self, purchase: Purchase, money: int) -> list[Piece] | None:
        """All of a plan that is to come, if it comes to exactly that."""
        dropped = self._of(purchase).instalments.early is Early.DROPPED
        earned = self._running_interest(purchase) if dropped else 0
        if purchase.tenor == 1 or not purchase.unbilled or money != purchase.unbilled + earned:
            return None
        pieces: list[Piece] = [("daily_interest", earned, purchase.id, None)] if earned else []
        self.interest_charged += earned
        purchase.charged += earned
        for number, rate in enumerate(purchase.rates, 1):
            if rate.bill is None and rate.open:
                pieces.append(("unbilled", rate.open, purchase.id, number))
                rate.prepaid = rate.principal
        if dropped:
            for place, rate in enumerate(purchase.to_come):
                if left := rate.fee + rate.interest - (earned if place == 0 else 0):
                    pieces.append(("fee_dropped", left, purchase.id, purchase.rates.index(rate) + 1))
                self.subsidy_earned += rate.subsidy
                rate.fee = rate.interest = rate.subsidy = 0
        return pieces

    # What happens.

    def hear(self, event: Event) -> None:
        """Something happens today."""
        assert event.on == self.today
        self._keep_for_plans()
        match event:
            case Drawn():
                self._buy(event)
            case Delivered():
                self._deliver(event)
            case Repaid():
                self._repay(event)
            case Refunded():
                self._refund(event)
            case SentBack():
                self._send_back(event)
            case ReturnKept():
                self.returned -= event.amount_minor
                self.credit += self._pay(event.amount_minor)[1]
            case BillSplit():
                self._split(event)
            case DueDaySet():
                assert self.cycle is not None
                self.cycle = Cycle(self.cycle.bill_day, event.due_day)
            case _:
                raise AssertionError(event)
        self._let_go()
        self._suspend()

    def hear_all(self, until: date) -> None:
        """The story from its beginning to a date, or to a plan of what is not there."""
        assert self.ahead is not None
        facts = [event for event in self.ahead if isinstance(event, Issued | ChargedOff)]
        while self.ahead and not self.lacking:
            event = self.ahead[0]
            if not isinstance(event, Issued | ChargedOff):
                self.turn_to(event.on, facts)
            self.ahead.pop(0)
            if not isinstance(event, Issued | ChargedOff):
                self.hear(event)
        if not self.lacking:
            self.turn_to(until, facts)

    def _split(self, event: BillSplit) -> None:
        """A plan takes over principal of a bill, which asks for so much less."""
        bill = self.named[event.bill_id]
        bill.kept = 0
        self.lacking = max(0, event.draw.amount_minor - min(bill.single, bill.owes(Part.PRINCIPAL)))
        if self.lacking:
            assert self.ahead is not None, "nobody makes a plan of what is not there"
            return
        bill.end_stretch()
        bill.single -= event.draw.amount_minor
        bill.minimum = self._minimum(bill)
        self._buy(Drawn(event.on, event.draw))
        assert not any(rate.subsidy for rate in self.purchases[-1].rates), (
            "a bill has no merchant to pay a part"
        )
        self.drawn -= event.draw.amount_minor
        self._look_at_states()
        self._use_credit()

    def _buy(self, event: Drawn) -> None:
        draw = event.draw
        product = self.versions[draw.product_version]
        plan = schedule(
            self._terms(product, draw.tenor, draw.merchant_share_ppm), draw.amount_minor, self.today
        )
        interest = plan.interest_parts or (0,) * len(plan.principal_parts)
        rates = [
            Rate(*parts)
            for parts in zip(plan.principal_parts, plan.fee_parts, interest, plan.subsidy_parts, strict=True)
        ]
        ppm = product.interest.daily_ppm if draw.tenor == 1 else 0
        bought = Purchase(draw.id, self.today, draw.amount_minor, draw.tenor, ppm, rates)
        bought.version, bought.rules = product.version, product.rounding
        self.drawn += draw.amount_minor
        self.purchases.append(bought)
        if draw.billable_on is not None:
            self._billable(bought)

    def _terms(self, product: Product, tenor: int, share_ppm: int) -> Terms:
        price = next((one for one in product.instalments.prices if one.tenor == tenor), None)
        days = self.cycle
        if days is None:
            assert product.dates is not None
            days = product.dates.of(tenor)
        if price is None:
            return Terms(tenor, 0, days)
        terms = Terms(
            tenor,
            price.fee_ppm or 0,
            days,
            share_ppm if price.merchant_share_ppm is None else price.merchant_share_ppm,
            product.instalments.remainder,
            fee_period_ppm=price.fee_period_ppm or 0,
            annual_ppm=price.annual_ppm or 0,
            method=price.method,
            day_count=product.instalments.day_count,
            multiple_minor=product.rounding.instalment_multiple_minor if tenor > 1 else 1,
            levelling=product.rounding.levelling,
            rounding=product.rounding.interest,
        )
        return self._beside(terms, days) if isinstance(days, Dates) else terms

    def _beside(self, terms: Terms, dates: Dates) -> Terms:
        """Parts that are no instalments: a down payment on the next day, and the interest alone of an odd period."""
        instalments = terms.tenor
        if dates.down_payment_ppm:
            instalments -= 1
        by_the_year = terms.annual_ppm > 0 and terms.method is Method.EQUAL_PAYMENT
        if (
            dates.stub is Stub.INTEREST_ONLY
            and by_the_year
            and dates.first_after not in (Every(), dates.every)
        ):
            instalments -= 1
        return replace(
            terms,
            tenor=instalments,
            cycle=replace(dates, down_payment_ppm=0),
            down_payment_ppm=dates.down_payment_ppm,
            down_payment_days=1,
            stub=dates.stub,
        )

    def _deliver(self, event: Delivered) -> None:
        self._billable(next(one for one in self.purchases if one.id == event.draw_id))

    def _billable(self, purchase: Purchase) -> None:
        purchase.billable_on = self.today
        if self.cycle is not None:
            return
        product = self._of(purchase)
        dates = product.dates
        assert dates is not None
        due = schedule(self._terms(product, purchase.tenor, 0), 10**9, self.today).due_on
        for rate, due_on in zip(purchase.rates, due, strict=False):
            rate.due_on = due_on
            rate.bill_on = max(due_on - dates.lead_days * DAY, self.today + DAY)

    def _repay(self, event: Repaid) -> None:
        self.repaid += event.amount_minor
        plan = next((one for one in self.purchases if one.id == event.plan), None)
        pieces = self._settle(plan, event.amount_minor) if plan is not None else None
        left = 0
        if pieces is None:
            pieces, left = self._pay(event.amount_minor)
        self.credit += left
        self.pieces[event.repayment_id] = [
            *pieces,
            *([("credit_balance", left, self.today, None)] if left else []),
        ]

    def _refund(self, event: Refunded) -> None:
        """Cut the draws, the last part first. Money that went back then has gone: what is left over pays it first, and
        what that does not cover has not been taken off the draws."""
        self.fault, self.undone = event.merchants_fault, event.undone
        back = sum(one.amount_minor for one in event.returned)
        self.returned += back
        back -= self.at_once.get(event.refund_id, 0)
        subsidy_before = self.subsidy_back
        whole = amount = event.amount_minor - self.uncovered.get(event.refund_id, 0)
        while back and (short := back - (whole - amount) - self._tried(event, amount)) > 0:
            amount -= min(amount, short)
        gone = back - (whole - amount)
        over = self._cut_all(event, amount) - gone
        self.refunded += amount
        self._look_at_states()
        if over or gone:
            _, over = self._pay(over)
        self.credit += over
        self.subsidy_earned += self.subsidy_back - subsidy_before - event.subsidy_returned_minor
        self.subsidy_back = subsidy_before + event.subsidy_returned_minor

    def _send_back(self, event: SentBack) -> None:
        """Money goes back out of what stands in the person's favour; first what had not lowered the debt."""
        own = min(event.amount_minor, self.gone_uncovered.get(event.refund_id, 0))
        if own:
            self.gone_uncovered[event.refund_id] -= own
        taken = min(event.amount_minor - own, self.credit)
        if taken < event.amount_minor - own:
            missing = event.amount_minor - own - taken
            self.short[event.refund_id] = self.short.get(event.refund_id, 0) + missing
        self.credit -= taken
        self.returned += event.amount_minor

    def _tried(self, event: Refunded, amount: int) -> int:
        """What would be left over if so much were cut."""
        untouched = {
            id(self.product): self.product,
            id(self.versions): self.versions,
            id(self.plans): self.plans,
            id(self.ahead): self.ahead,
        }
        return deepcopy(self, untouched)._cut_all(event, amount)

    def _cut_all(self, event: Refunded, amount: int) -> int:
        """Cut an amount; returns what of it had been paid already."""
        left, over = amount, 0
        for bill in self.statements:
            bill.asks = self.lost is None and bill.state != "paid" and self.today <= bill.last_on
        for id_ in reversed(event.draw_ids):
            purchase = next(one for one in self.purchases if one.id == id_)
            open_before, owed_before = purchase.unbilled, self.principal
            stood = [rate.principal for rate in purchase.rates]
            for rate in reversed(purchase.rates):
                cut = min(left, rate.principal)
                if cut:
                    over += self._cut(purchase, rate, cut)
                    left -= cut
            over += self._unprice(purchase, stood)
            self._ask_less_above(purchase, owed_before - self.principal)
            if open_before and not purchase.unbilled:
                self._end_refunded(purchase)
        assert left == 0
        return over

    def _cut(self, purchase: Purchase, rate: Rate, cut: int) -> int:
        """Take an amount off an instalment, charges in proportion; returns what of it had been paid already."""
        product = self._of(purchase)
        keep = product.instalments.refund_fees is RefundFees.KEPT and not self.undone
        share = Fraction(0) if keep else Fraction(cut, rate.principal)
        fee = round(rate.fee * share)
        rate.fee -= fee
        if rate.bill is None:
            purchase.end_stretch()
            subsidy = round(rate.subsidy * share)
            rate.interest -= round(rate.interest * share)
            rate.subsidy -= subsidy
            self.subsidy_back += subsidy
            cancelled = min(cut, rate.open)
            self._ask_share_of_less(purchase, cancelled, self.statements)
            rate.prepaid -= cut - cancelled
            if product.repayment.refund_interest or self.undone:
                purchase.days = [max(0, day - cancelled) for day in purchase.days]
        else:
            owed, principal_owed = rate.bill.owes(Part.FEE), rate.bill.owes(Part.PRINCIPAL)
            cancelled = self._cut_bill(rate.bill, purchase.tenor == 1, cut, fee, 0)
            found_it = self.statements[: self.statements.index(rate.bill) + 1]
            self._ask_share_of_less(purchase, cancelled, found_it)
            if self.fault:
                paid_fee = fee - (owed - rate.bill.owes(Part.FEE))
                self.fee_charged -= paid_fee
                cancelled -= paid_fee
            self._give_subsidy_up(rate, cut, principal_owed - rate.bill.owes(Part.PRINCIPAL), keep=keep)
        rate.principal -= cut
        return cut - cancelled

    def _ask_less_above(self, purchase: Purchase, cancelled: int) -> None:
        """Bills that may be paid in time ask for what was above the limit as if so much less had been used then."""
        for bill in self.statements:
            if bill.asks and bill.above_of is not None and purchase.on < bill.issued_on:
                since, most, used = bill.above_of
                self._set_above(bill, (since, most, used - cancelled))
                bill.minimum = self._minimum(bill)

    def _ask_share_of_less(self, purchase: Purchase, cancelled: int, found_it: list[Statement]) -> None:
        """Bills of the minimum alone that may be paid in time, and that found it used, ask for a share of less."""
        for bill in found_it:
            used_then = purchase.tenor == 1 and purchase.billable_on and purchase.billable_on < bill.issued_on
            if bill.asks and bill.used is not None and used_then:
                bill.used -= cancelled
                bill.minimum = self._minimum(bill)

    def _unprice(self, purchase: Purchase, stood: list[int]) -> int:
        """Days to come that bills have charged already, of what was refunded: nobody owes their interest. Returns what
        of it had been paid.
        """
        paid = 0
        if self._of(purchase).instalments.refund_fees is RefundFees.KEPT:
            return 0
        for number, rate in enumerate(purchase.rates):
            bearing = sum(stood[number:])
            gone = bearing - sum(one.principal for one in purchase.rates[number:])
            if rate.bill is None or not rate.interest or not gone:
                continue
            interest = round(Fraction(rate.interest * gone, bearing))
            since, until = self._period(purchase, number, rate.bill)
            if not interest or until <= self.today:
                continue
            days = [since + n * DAY < self.today for n in range((until - since).days)]
            share = Fraction(days.count(True), len(days))
            passed = round(rate.interest * share) - round((rate.interest - interest) * share)
            rate.interest -= interest
            purchase.charged += passed
            owed = rate.bill.owes(Part.INTEREST)
            self._cut_bill(rate.bill, False, 0, 0, interest - passed)
            returned = interest - passed - (owed - rate.bill.owes(Part.INTEREST))
            self.interest_charged -= returned
            paid += returned
        return paid

    def _period(self, purchase: Purchase, number: int, bill: Statement) -> tuple[date, date]:
        """Between which dates a billed part earns its interest."""
        until, since = purchase.rates[number].due_on, purchase.billable_on
        if until is None:
            assert self.cycle is not None
            until = first_after(self.cycle.due_day, bill.issued_on)
            since = last_before(self.cycle.due_day, until) if number else since
        elif number:
            since = purchase.rates[number - 1].due_on
        assert since is not None
        return since, until

    def _give_subsidy_up(self, rate: Rate, cut: int, unpaid: int, *, keep: bool) -> None:
        """The merchant's part of a month that a bill had taken: back for what was unpaid, earned for what was paid."""
        if keep:
            return
        back = round(Fraction(rate.subsidy * unpaid, rate.principal))
        rate.subsidy -= round(Fraction(rate.subsidy * cut, rate.principal))
        self.subsidy_earned -= back
        self.subsidy_back += back

    def _cut_bill(self, bill: Statement, single: bool, cut: int, fee: int, interest: int) -> int:
        stands = bill.single - bill.kept if single else bill.instalment
        cancelled = min(cut, bill.owes(Part.PRINCIPAL), stands)
        fee, interest = min(fee, bill.owes(Part.FEE)), min(interest, bill.owes(Part.INTEREST))
        if not cancelled and not fee and not interest:
            return 0  # of what was paid or prepaid no bill asks for less
        bill.end_stretch()
        if single:
            bill.single -= cancelled
        else:
            bill.instalment -= cancelled
        bill.fee -= fee
        bill.interest -= interest
        if self.lost is None:
            self.fee_charged -= fee
            self.interest_charged -= interest
        else:
            self.lost_cancelled += fee + interest
        bill.minimum = self._minimum(bill)
        for later in self.statements[self.statements.index(bill) + 1 :]:
            if self.lost is None and later.owed and self.today <= later.last_on and later.minimum:
                missed = bill.state == "overdue" and bill.last_on < later.issued_on
                later.carried -= 0 if missed else cancelled
                later.missed -= (cancelled if missed else 0) + fee + interest
                later.minimum = self._minimum(later)
        return cancelled

    def _end_refunded(self, purchase: Purchase) -> None:
        """A refund left nothing to be billed: the plan ends, unless its charges are kept, or due when it is prepaid."""
        instalments = self._of(purchase).instalments
        prepaid = any(rate.principal for rate in purchase.to_come)
        keeps = instalments.refund_fees is RefundFees.KEPT or (prepaid and instalments.early is Early.DUE)
        if keeps and not self.undone:
            return
        for rate in purchase.to_come:
            self.subsidy_back += rate.subsidy
            rate.fee = rate.interest = rate.subsidy = 0

    # What stands at the end of the day.

    @property
    def principal(self) -> int:
        billed = sum(bill.owes(Part.PRINCIPAL) for bill in self.statements)
        return billed + sum(purchase.unbilled for purchase in self.purchases)

    @property
    def past_due_since(self) -> date | None:
        return min((bill.due_on for bill in self.statements if bill.state == "overdue"), default=None)

    @property
    def next_bill_on(self) -> date | None:
        """The next bill day, if something will stand on its bill; for a line with a bill day."""
        assert self.cycle is not None
        if self.lost is not None:
            return None
        wanted = any(
            purchase.billable_on is not None
            and (purchase.unbilled or purchase.charges_to_come or purchase.to_charge)
            for purchase in self.purchases
        ) or any(
            bill.to_charge or self._interest_of_a_day(bill) for bill in self.statements if self._bears(bill)
        )
        days = [first_after(self.cycle.bill_day, self.today)] if wanted else []
        for bill in self.statements:  # whose days of grace end before a bill day, if nobody pays
            late_on = bill.last_on + DAY
            if bill.owed and bill.due_on < bill.last_on and late_on > self.today:
                days += [late_on] if falls_on(self.cycle.bill_day, late_on) else []
        return min(days, default=None)

    def _bears(self, bill: Statement) -> bool:
        return bool(bill.earned or bill.ppm)


class _Plans:
    """The plans of bills in a story, and which purchases stand on those bills. uncovered: as the oracle's."""

    def __init__(self, story: Sequence[Event], uncovered: Mapping[UUID, int]) -> None:
        self.story = story
        self.uncovered = uncovered

    def to_come(self, ahead: Sequence[Event]) -> dict[UUID, int]:
        """How much plans take over of each bill."""
        sums: dict[UUID, int] = {}
        for event in ahead:
            if isinstance(event, BillSplit):
                sums[event.bill_id] = sums.get(event.bill_id, 0) + event.draw.amount_minor
        return sums

    def draws_on(self, bill_id: UUID) -> list[tuple[UUID, int]]:
        """What a bill takes whole, the oldest first, with what refunds before its last plan leave of each."""
        first, last = self._bill(bill_id), self._last_split(bill_id)
        left: dict[UUID, int] = {}
        for event in self.story[:last]:
            if isinstance(event, Drawn):
                left[event.draw.id] = event.draw.amount_minor
            if isinstance(event, Refunded):
                amount = event.amount_minor - self.uncovered.get(event.refund_id, 0)
                for id_ in reversed(event.draw_ids):
                    part = min(amount, left[id_])
                    left[id_] -= part
                    amount -= part
        return [(id_, left[id_]) for id_ in left if self._bill_of(id_) == first]

    def _bill(self, bill_id: UUID) -> date:
        return next(one.on for one in self.story if isinstance(one, Issued) and one.bill_id == bill_id)

    def _last_split(self, bill_id: UUID) -> int:
        return max(
            place
            for place, one in enumerate(self.story)
            if isinstance(one, BillSplit) and one.bill_id == bill_id
        )

    def _bill_of(self, draw_id: UUID) -> date | None:
        """The date of the first bill that finds a purchase without instalments billable."""
        ready_on: date | None = None
        dated: date | None = None
        for event in self.story:
            if isinstance(event, Drawn) and event.draw.id == draw_id:
                if event.draw.tenor > 1:
                    return None
                ready_on = event.draw.billable_on
                dated = event.draw.bill_dates[0] if event.draw.bill_dates else None
            if isinstance(event, Delivered) and event.draw_id == draw_id:
                ready_on = event.on
            if isinstance(event, Issued) and ready_on is not None and ready_on < event.on:
                takes_it = dated is None or dated <= event.on
                if takes_it:
                    return event.on
        return None
