"""A line as a clerk with a pencil would keep it: a page a day, every fen in the books of the part that owes it.

It shares with the engine the structs, the calendar of bank days and `schedule`, nothing else. Its rules are the words
of PRODUCTS.md: interest of a day is taken of what is owed when the day begins; a bill takes the interest up to the day
before; what was earned is rounded half-even as a whole, less what was charged before.
"""

import calendar
from collections.abc import Iterable
from datetime import date, timedelta
from fractions import Fraction
from uuid import UUID

from msgspec import Struct, field

from wufeng.base.calendar import bank_day_on_or_after
from wufeng.credit.history.model import Delivered, Drawn, Event, Issued, Refunded, Repaid
from wufeng.credit.plans.model import Terms
from wufeng.credit.plans.rules import schedule
from wufeng.credit.products.model import Cycle, Early, LateBase, Part, Product, RefundFees, Rest

DAY = timedelta(days=1)
MILLION = 1_000_000


def half_even(micro: int) -> int:
    """Millionths of a fen as fen."""
    return round(Fraction(micro, MILLION))


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
    """A bill. owed: what is left of each part; the first numbers are what it was issued with, refunds taken off."""

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
    minimum: int = 0
    counted: int = 0
    late_interest: int = 0
    state: str = "open"
    passed: bool = False
    late_terms: bool = False
    earned_micro: int = 0
    cap: int | None = None
    charged: int = 0
    allotted: list[tuple[UUID, int]] = field(default_factory=list)

    def owes(self, part: Part) -> int:
        total = {
            Part.PRINCIPAL: self.single + self.instalment,
            Part.FEE: self.fee,
            Part.INTEREST: self.interest + self.late_interest,
        }
        return total[part] - self.paid[part]

    @property
    def owed(self) -> int:
        return sum(self.owes(part) for part in Part)

    @property
    def earned(self) -> int:
        return self.earned_micro if self.cap is None else min(self.earned_micro, self.cap * MILLION)

    @property
    def to_charge(self) -> int:
        return max(0, half_even(self.earned) - self.charged)


class Rate(Struct, eq=False):
    """An instalment of a purchase. prepaid: money that came before its bill; bill: the one that has taken it."""

    principal: int
    fee: int = 0
    interest: int = 0
    subsidy: int = 0
    prepaid: int = 0
    due_on: date | None = None
    bill_on: date | None = None
    bill: Statement | None = None

    @property
    def open(self) -> int:
        return self.principal - self.prepaid


class Purchase(Struct, eq=False):
    """A draw. days: what bore interest on each day before the bill."""

    id: UUID
    on: date
    amount: int
    tenor: int
    ppm: int
    rates: list[Rate]
    billable_on: date | None = None
    days: list[int] = field(default_factory=list)
    charged: int = 0

    @property
    def to_come(self) -> list[Rate]:
        return [rate for rate in self.rates if rate.bill is None]

    @property
    def unbilled(self) -> int:
        return sum(rate.open for rate in self.rates if rate.bill is None)

    @property
    def charges_to_come(self) -> bool:
        return any(rate.fee or rate.interest for rate in self.rates if rate.bill is None)

    @property
    def earned(self) -> int:
        return sum(self.days) * self.ppm

    @property
    def to_charge(self) -> int:
        return max(0, half_even(self.earned) - self.charged)


Piece = tuple[str, int, date | UUID, int | None]
"""What money paid: the part, how much, the bill's date or the draw, and which instalment."""


class Oracle:
    """A line under one product. `cycle` is its own days; None: each purchase has its own dates."""

    def __init__(self, product: Product, cycle: Cycle | None, opened_on: date) -> None:
        self.product = product
        self.cycle = cycle
        self.today = opened_on
        self.purchases: list[Purchase] = []
        self.statements: list[Statement] = []
        self.credit = 0
        self.suspended = False
        self.interest_charged = self.fee_charged = self.subsidy_earned = self.subsidy_back = 0
        self.drawn = self.repaid = self.refunded = self.returned = 0
        self.pieces: dict[UUID, list[Piece]] = {}

    # Days.

    def turn_to(self, on: date, told: Iterable[Issued] = ()) -> None:
        """Let days begin up to one. told: bills that were issued; where there is no bill day, it goes by them."""
        dates = {event.on: event for event in told}
        while self.today < on:
            self.today += DAY
            self._begin_day(dates.get(self.today))
            assert self._no_part_is_forgotten(), f"a part was to be billed by {self.today}"

    def _begin_day(self, told: Issued | None) -> None:
        for bill in self.statements:
            if not bill.passed and bill.last_on == self.today - DAY:
                self._pass_due_date(bill)
        self._suspend()
        issued = None
        if told is not None or (self.cycle is not None and falls_on(self.cycle.bill_day, self.today)):
            issued = self._issue()
        assert (issued is None) == (told is None), f"a bill on {self.today}?"
        if issued is not None and told is not None:
            assert issued.due_on == told.known.due_on
        for bill in self.statements:
            bill.earned_micro += self._interest_of_a_day(bill)
        for purchase in self.purchases:
            if purchase.ppm:
                purchase.days.append(purchase.unbilled)
        if issued is not None and (use := min(self.credit, sum(bill.owed for bill in self.statements))):
            self.credit -= use
            assert self._pay(use)[1] == 0
        self._suspend()

    def _suspend(self) -> None:
        """Arrears that are old enough suspend the line, and only their end opens it again."""
        since = self.past_due_since
        if since is None:
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
        """The last day to pay is over. Interest runs from the due date on, whatever grace there was."""
        bill.passed = True
        if bill.owed == 0:
            return
        interest = self.product.interest
        if bill.counted >= bill.minimum:
            bill.state, bill.ppm = "minimum_paid", interest.revolving_daily_ppm
        else:
            bill.state, bill.ppm, bill.late_terms = "overdue", interest.late_daily_ppm, True
        if interest.late_most_ppm is not None:
            principal = bill.single + bill.instalment
            bill.cap = bill.earned_micro // MILLION + principal * interest.late_most_ppm // MILLION
        grace_days = (bill.last_on - bill.due_on).days
        bill.earned_micro += grace_days * self._interest_of_a_day(bill)

    # Bills.

    def _issue(self) -> Statement | None:
        new = Statement(self.today, self.today, self.today, 0, 0, 0, 0, 0, 0, dict.fromkeys(Part, 0))
        share = self._asked_of_draws() if self.product.minimum.rest is Rest.DRAW else None
        took, due = False, []
        for purchase in self.purchases:
            if purchase.billable_on is None or purchase.billable_on >= self.today:
                continue
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
        self._carry(new)
        self._date(new, due)
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
        new.last_on = new.due_on + self.product.billing.grace_days * DAY

    def _asked_of_draws(self) -> int:
        minimum = self.product.minimum
        used = sum(
            purchase.unbilled
            for purchase in self.purchases
            if purchase.tenor == 1 and purchase.billable_on is not None and purchase.billable_on < self.today
        )
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
        whole = minimum.rest is Rest.DRAW or principal <= minimum.whole_up_to_minor
        least = principal if whole else up(principal, minimum.principal_ppm)
        return least + bill.instalment + bill.fee + bill.interest + bill.missed

    # Money.

    def _pay(self, money: int) -> tuple[list[Piece], int]:
        """Spread money: bills, past due ones first; interest not charged yet; spending not billed; instalments."""
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
            if bill.owed == 0:
                bill.state = "paid"
            elif bill.state == "open" and self.today <= bill.last_on and bill.counted >= bill.minimum:
                bill.state = "minimum_paid"

    def _prepay(self, money: int) -> tuple[list[Piece], int]:
        """Spending on the next bill, the oldest first; then, where the product says so, the nearest instalments."""
        before = {purchase.id: purchase.unbilled for purchase in self.purchases}
        pieces: list[Piece] = []
        near = [
            (0, purchase, rate)
            for purchase in self.purchases
            if purchase.tenor == 1
            for rate in purchase.to_come
        ]
        far = [
            (place, purchase, rate)
            for purchase in self.purchases
            if purchase.tenor > 1
            for place, rate in enumerate(purchase.to_come)
        ]
        far.sort(key=lambda one: (one[0], one[1].id))
        for _, purchase, rate in near + (far if self.product.repayment.to_instalments else []):
            if amount := min(money, rate.open):
                rate.prepaid += amount
                number = purchase.rates.index(rate) + 1
                pieces.append(("unbilled", amount, purchase.id, number))
                money -= amount
        if self.product.instalments.early is Early.DROPPED:
            for purchase in self.purchases:
                if before[purchase.id] and not purchase.unbilled:
                    pieces += self._end_plan(purchase, self._running_interest(purchase))
        return pieces, money

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
            bill_on = first_after(self.cycle.bill_day, self.today if number else purchase.billable_on)
            until = first_after(self.cycle.due_day, bill_on)
            since = last_before(self.cycle.due_day, until) if number else purchase.billable_on
        length = (until - since).days
        days = min(max(0, (self.today - since).days), length)
        return round(Fraction(rates[0].interest * days, length))

    def _settle(self, purchase: Purchase, money: int) -> list[Piece] | None:
        """All of a plan that is to come, if it comes to exactly that."""
        dropped = self.product.instalments.early is Early.DROPPED
        earned = self._running_interest(purchase) if dropped else 0
        if purchase.tenor == 1 or not purchase.unbilled or money != purchase.unbilled + earned:
            return None
        pieces: list[Piece] = [("daily_interest", earned, purchase.id, None)] if earned else []
        self.interest_charged += earned
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
        match event:
            case Drawn():
                self._buy(event)
            case Delivered():
                self._deliver(event)
            case Repaid():
                self._repay(event)
            case Refunded():
                self._refund(event)
            case _:
                raise AssertionError(event)
        self._suspend()

    def _buy(self, event: Drawn) -> None:
        draw = event.draw
        plan = schedule(self._terms(draw.tenor, draw.merchant_share_ppm), draw.amount_minor, self.today)
        interest = plan.interest_parts or (0,) * len(plan.principal_parts)
        rates = [
            Rate(*parts)
            for parts in zip(plan.principal_parts, plan.fee_parts, interest, plan.subsidy_parts, strict=True)
        ]
        ppm = self.product.interest.daily_ppm if draw.tenor == 1 else 0
        bought = Purchase(draw.id, self.today, draw.amount_minor, draw.tenor, ppm, rates)
        self.drawn += draw.amount_minor
        self.purchases.append(bought)
        if draw.billable_on is not None:
            self._billable(bought)

    def _terms(self, tenor: int, share_ppm: int) -> Terms:
        price = next((one for one in self.product.instalments.prices if one.tenor == tenor), None)
        days = self.cycle
        if days is None:
            assert self.product.dates is not None
            days = self.product.dates.of(tenor)
        if price is None:
            return Terms(tenor, 0, days)
        return Terms(
            tenor,
            price.fee_ppm or 0,
            days,
            share_ppm if price.merchant_share_ppm is None else price.merchant_share_ppm,
            self.product.instalments.remainder,
            fee_period_ppm=price.fee_period_ppm or 0,
            annual_ppm=price.annual_ppm or 0,
            method=price.method,
        )

    def _deliver(self, event: Delivered) -> None:
        self._billable(next(one for one in self.purchases if one.id == event.draw_id))

    def _billable(self, purchase: Purchase) -> None:
        purchase.billable_on = self.today
        if self.cycle is not None:
            return
        dates = self.product.dates
        assert dates is not None
        due = schedule(self._terms(purchase.tenor, 0), 10**9, self.today).due_on
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
        left, over = event.amount_minor, 0
        for id_ in reversed(event.draw_ids):
            purchase = next(one for one in self.purchases if one.id == id_)
            open_before = purchase.unbilled
            for rate in reversed(purchase.rates):
                cut = min(left, rate.principal)
                if cut:
                    over += self._cut(purchase, rate, cut)
                    left -= cut
            if open_before and not purchase.unbilled:
                self._end_refunded(purchase)
        assert left == 0
        self.refunded += event.amount_minor
        self._look_at_states()
        if over:
            _, over = self._pay(over)
        back = sum(one.amount_minor for one in event.returned)
        self.returned += min(back, over)
        self.credit += over - min(back, over)

    def _cut(self, purchase: Purchase, rate: Rate, cut: int) -> int:
        """Take an amount off an instalment, charges in proportion; returns what of it had been paid already."""
        keep = self.product.instalments.refund_fees is RefundFees.KEPT
        share = Fraction(0) if keep else Fraction(cut, rate.principal)
        fee = round(rate.fee * share)
        rate.fee -= fee
        if rate.bill is None:
            subsidy = round(rate.subsidy * share)
            rate.interest -= round(rate.interest * share)
            rate.subsidy -= subsidy
            self.subsidy_back += subsidy
            cancelled = min(cut, rate.open)
            rate.prepaid -= cut - cancelled
            if self.product.repayment.refund_interest:
                purchase.days = [max(0, day - cancelled) for day in purchase.days]
        else:
            cancelled = self._cut_bill(rate.bill, purchase.tenor == 1, cut, fee)
        rate.principal -= cut
        return cut - cancelled

    def _cut_bill(self, bill: Statement, single: bool, cut: int, fee: int) -> int:
        stands = bill.single if single else bill.instalment
        cancelled = min(cut, bill.owes(Part.PRINCIPAL), stands)
        fee = min(fee, bill.owes(Part.FEE))
        if single:
            bill.single -= cancelled
        else:
            bill.instalment -= cancelled
        bill.fee -= fee
        self.fee_charged -= fee
        bill.minimum = self._minimum(bill)
        for later in self.statements[self.statements.index(bill) + 1 :]:
            if self.today <= later.last_on:
                later.counted += cancelled + fee
        return cancelled

    def _end_refunded(self, purchase: Purchase) -> None:
        """A refund left nothing to be billed: the plan ends, unless its charges are kept, or due when it is prepaid."""
        instalments = self.product.instalments
        prepaid = any(rate.principal for rate in purchase.to_come)
        if instalments.refund_fees is RefundFees.KEPT or (prepaid and instalments.early is Early.DUE):
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
        wanted = any(
            purchase.billable_on is not None
            and (purchase.unbilled or purchase.charges_to_come or purchase.to_charge)
            for purchase in self.purchases
        ) or any(
            bill.to_charge or self._interest_of_a_day(bill) for bill in self.statements if self._bears(bill)
        )
        return first_after(self.cycle.bill_day, self.today) if wanted else None

    def _bears(self, bill: Statement) -> bool:
        return bool(bill.earned_micro or bill.ppm)
