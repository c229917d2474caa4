"""The rows that a loan's disbursements make, before anything is paid. Only `plans` knows how an amount is split."""

from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from itertools import islice, pairwise

from msgspec import Struct
from msgspec.structs import replace

from wufeng.base.money import round_half_even
from wufeng.credit.loans.model import Disbursed, LoanTerms, Moved, Paused, RateChanged, Row, RowKind
from wufeng.credit.plans.model import Terms
from wufeng.credit.plans.rules import (
    amortise,
    equal_payment,
    period_rates,
    round_ratio,
    round_to_multiple,
    year_part,
)
from wufeng.credit.products.dates import Dates
from wufeng.credit.products.model import Levelling, Method, Pieces
from wufeng.credit.rates.model import DayCount
from wufeng.credit.waterfall.model import Component

PPM = 1_000_000


def plan_terms(terms: LoanTerms) -> Terms:
    """The terms of a plan with the loan's own dates."""
    return Terms(
        terms.tenor,
        0,
        Dates(terms.every, terms.every),
        annual_ppm=terms.annual_ppm,
        method=terms.method,
        day_count=terms.day_count,
        multiple_minor=terms.multiple_minor,
        levelling=terms.levelling,
    )


def down_payment(terms: LoanTerms, amount_minor: int) -> int:
    """The part of a disbursement that is due on its day."""
    return round_to_multiple(amount_minor * terms.down_payment_ppm, PPM, terms.multiple_minor)


def empty_row(kind: RowKind, from_on: date, due_on: date, principal_minor: int = 0) -> Row:
    """A row that asks for principal alone, or for nothing yet."""
    due = dict.fromkeys(Component, 0)
    due[Component.PRINCIPAL] = principal_minor
    return Row(kind, from_on, due_on, due, dict.fromkeys(Component, 0))


def instalment_rows(terms: LoanTerms, start: date, moves: Sequence[Moved] = ()) -> list[Row]:
    """The instalments' periods, with nothing due in them. A moved due date moves those after it."""
    rows: list[Row] = []
    anchor, first, begins = start, 0, start
    for number in range(1, terms.tenor + sum(move.extra + move.holiday for move in moves) + 1):
        due_on = terms.every.after(anchor, number - first)
        for move in moves:
            if move.due_on is not None and move.from_on == due_on:
                anchor, first, due_on = move.due_on, number, move.due_on
        rows.append(empty_row(RowKind.INSTALMENT, begins, due_on))
        begins = due_on
    return rows


def classic_rows(
    terms: LoanTerms,
    disbursed: Sequence[Disbursed],
    moves: Sequence[Moved] = (),
    changes: Sequence[RateChanged] = (),
) -> list[Row]:
    """All rows of a classic loan: each instalment is the share of what had been lent by its due date."""
    rows = instalment_rows(terms, disbursed[0].on, moves)
    count = len(rows)
    while disbursed[-1].on > rows[-1].due_on:
        begins = rows[-1].due_on
        rows.append(empty_row(RowKind.INSTALMENT, begins, terms.every.after(begins)))
    net = [(one.on, one.amount_minor - down_payment(terms, one.amount_minor)) for one in disbursed]
    if terms.annual_ppm:
        _fill_with_interest(terms, rows, disbursed, sum(amount for _, amount in net), changes)
    else:
        _fill_by_shares(terms, rows, count, net, moves)
    downs = [
        empty_row(RowKind.DOWN_PAYMENT, one.on, one.on, down_payment(terms, one.amount_minor))
        for one in disbursed
        if terms.down_payment_ppm
    ]
    return _in_order([*downs, *rows])


def _in_order(rows: Sequence[Row]) -> list[Row]:
    """Rows by their due dates; of one date the part due on the day of lending comes first, an added one last."""
    place = {RowKind.DOWN_PAYMENT: 0, RowKind.INSTALMENT: 1, RowKind.ADDED: 2}
    return sorted(rows, key=lambda row: (row.due_on, place[row.kind]))


def _fill_by_shares(
    terms: LoanTerms, rows: Sequence[Row], count: int, net: Sequence[tuple[date, int]], moves: Sequence[Moved]
) -> None:
    """From where instalments were added on, each is an equal part of what is left, and no share of all."""
    added = sum(move.extra + move.holiday for move in moves)
    free = _holiday_rows(rows, moves)
    anew_from = min((move.from_on for move in moves if move.extra), default=None)
    taken = 0
    for number, row in enumerate(rows):
        if number in free:
            row.paid_on = rows[0].from_on
            continue
        lent = sum(amount for on, amount in net if on <= row.due_on)
        whole, parts = lent, count - added
        if anew_from is not None and row.due_on >= anew_from:
            whole, parts = lent - taken, len(rows) - number
        share = min(round_to_multiple(whole, parts, terms.multiple_minor), lent - taken)
        row.due[Component.PRINCIPAL] = lent - taken if row is rows[-1] else share
        taken += row.due[Component.PRINCIPAL]


def _holiday_rows(rows: Sequence[Row], moves: Sequence[Moved]) -> set[int]:
    """The instalments that ask for nothing: those of a holiday, from its date on."""
    free: set[int] = set()
    for move in moves:
        begins = move.due_on or move.from_on
        later = (number for number, row in enumerate(rows) if row.due_on >= begins)
        free.update(islice(later, move.holiday))
    return free


def _fill_with_interest(
    terms: LoanTerms,
    rows: Sequence[Row],
    disbursed: Sequence[Disbursed],
    net_minor: int,
    changes: Sequence[RateChanged],
) -> None:
    """Interest runs on all that was lent where it is flat, else on what is left of it."""
    plan, start = plan_terms(terms), disbursed[0].on
    days = [row.due_on for row in rows]
    rates, whole = period_rates(terms.annual_ppm, terms.day_count, plan.cycle, start, days)
    grace = terms.principal_grace
    if terms.method is Method.FLAT:
        gross_minor = sum(one.amount_minor for one in disbursed)
        principal_parts, interest_parts = _flat(terms, rows, net_minor, gross_minor, rates, whole, changes)
    else:
        late, later_interest = amortise(plan, net_minor, rates[grace:], whole)
        principal_parts = (0,) * grace + late
        early_interest = tuple(round_ratio(net_minor * rate, whole) for rate in rates[:grace])
        interest_parts = early_interest + later_interest
    for row, principal, interest in zip(rows, principal_parts, interest_parts, strict=True):
        row.due[Component.PRINCIPAL], row.due[Component.INTEREST] = principal, interest


def _flat(
    terms: LoanTerms,
    rows: Sequence[Row],
    net_minor: int,
    gross_minor: int,
    rates: Sequence[int],
    whole: int,
    changes: Sequence[RateChanged],
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    exact = []
    for row, rate in zip(rows, rates, strict=True):
        annual_ppm = next(
            (change.annual_ppm for change in reversed(changes) if change.from_on <= row.due_on),
            terms.annual_ppm,
        )
        exact.append(Fraction(gross_minor * rate * annual_ppm, whole * terms.annual_ppm))
    interest_parts = [round_half_even(part) for part in exact[:-1]]
    interest_parts.append(round_half_even(sum(exact, Fraction(0))) - sum(interest_parts))
    payment = round_to_multiple(net_minor + interest_parts[0] * len(rows), len(rows), terms.multiple_minor)
    principal_parts = [payment - interest_parts[0]] * (len(rows) - 1)
    return (*principal_parts, net_minor - sum(principal_parts)), tuple(interest_parts)


class Change(Struct, frozen=True):
    """The interest-bearing balance grows (or shrinks) by an amount on a date."""

    on: date
    amount_minor: int


class Balance:
    """Equal payments on a balance that changes within periods: progressive loans with interest.

    Each period has its payment; its interest is what its pieces bear, and its principal the rest of the payment. The
    last period takes what is left. A period that was settled early is closed on that day: what its balance bears from
    then on belongs to the next.
    """

    def __init__(self, terms: LoanTerms, rows: Sequence[Row], start: date) -> None:
        self._terms, self._rows = terms, rows
        self._plan = replace(plan_terms(terms), levelling=Levelling.NONE)  # pieces level themselves
        days = [row.due_on for row in rows]
        self._rates, self._whole = period_rates(
            terms.annual_ppm, terms.day_count, self._plan.cycle, start, days
        )
        self._payments = [0] * len(rows)
        self._lent: list[Change] = []
        self._pauses: list[Paused] = []
        self.early: dict[int, list[Change]] = {}
        self.closed: dict[int, date] = {}
        self.stretched: set[int] = set()

    def lend(self, on: date, amount_minor: int) -> None:
        """More is lent; the payments of its period and those after it are found anew."""
        first = self.period_of(on)
        self._lent.append(Change(on, amount_minor))
        self.refill()
        owed = sum(row.due[Component.PRINCIPAL] for row in self._rows[first:])
        self._set_payment(first, equal_payment(self._plan, owed, self._rates[first:], self._whole))
        self._level(first)

    def pause(self, pause: Paused) -> None:
        """No interest on these days."""
        self._pauses.append(pause)
        self.refill()

    def period_of(self, on: date) -> int:
        """The period that a date belongs to: its due date is a day of the next."""
        return next((n for n, row in enumerate(self._rows) if on < row.due_on), len(self._rows) - 1)

    def refill(self, until: date | None = None) -> None:
        """Write principal and interest of every period into its row.

        until  what periods to come would ask for if each were settled on that day
        """
        left = sum(change.amount_minor for change in self._lent)
        for number, row in enumerate(self._rows):
            interest = self._interest(number, row, until)
            principal = max(0, self._payments[number] - interest)
            principal = left if number == len(self._rows) - 1 else min(left, principal)
            left -= principal
            row.due[Component.PRINCIPAL] = principal + row.added_minor
            row.due[Component.INTEREST] = interest

    def _set_payment(self, first: int, payment: int) -> None:
        self._payments[first:] = [payment] * (len(self._rows) - first)
        self.refill()

    def _level(self, first: int) -> None:
        """Once: by the share of what the last payment differs, when that brings it nearer."""
        payment = self._payments[first]
        odd = self._last_minor() - payment
        count = len(self._rows) - first
        moved = round_to_multiple(payment * count + odd, count, self._terms.multiple_minor)
        if moved == payment:
            return
        self._set_payment(first, moved)
        if abs(self._last_minor() - moved) >= abs(odd):
            self._set_payment(first, payment)

    def _last_minor(self) -> int:
        last = self._rows[-1]
        return last.due[Component.PRINCIPAL] - last.added_minor + last.due[Component.INTEREST]

    def _interest(self, number: int, row: Row, until: date | None) -> int:
        begins = self.closed.get(number - 1, row.from_on)
        ends = self.closed.get(number, row.due_on)
        if until is not None and number not in self.closed and until < row.due_on:
            begins = begins if begins < until else until
            ends = until
        pieces = [
            self._piece(self._owed_on(piece[0], number), number, *piece)
            for piece in self._pieces(begins, ends)
        ]
        if self._terms.pieces is Pieces.EACH:
            return sum(map(round_half_even, pieces))
        return round_half_even(sum(pieces, Fraction(0)))

    def _pieces(self, begins: date, ends: date) -> list[tuple[date, date]]:
        cuts = {change.on for change in self._lent}
        cuts |= {change.on for changes in self.early.values() for change in changes}
        cuts |= {row.due_on for row in self._rows}
        for pause in self._pauses:
            cuts |= {pause.from_on - ONE_DAY, pause.to_on}
        inside = sorted(cut for cut in cuts if begins < cut < ends)
        points = [begins, *inside, ends]
        return [piece for piece in pairwise(points) if piece[0] < piece[1] and not self._is_paused(piece[0])]

    def _is_paused(self, begins: date) -> bool:
        return any(pause.from_on - ONE_DAY <= begins < pause.to_on for pause in self._pauses)

    def _owed_on(self, on: date, number: int) -> int:
        """What bears interest from a date on: lent, less what is due by plan up to it, less what was paid before."""
        owed = sum(change.amount_minor for change in self._lent if change.on <= on)
        for other, row in enumerate(self._rows):
            early = sum(change.amount_minor for change in self.early.get(other, ()) if change.on <= on)
            planned = row.due[Component.PRINCIPAL] - row.added_minor if other < number else 0
            owed -= max(early, planned if row.due_on <= on or other in self.closed else 0)
        return owed

    def _piece(self, owed: int, number: int, begins: date, ends: date) -> Fraction:
        """The interest of a piece: the period's rate by its days, or the days' own part of a year."""
        holder = next((n for n, row in enumerate(self._rows) if begins < row.due_on), number)
        row = self._rows[holder]
        if self._terms.day_count is DayCount.THIRTY_360:
            part = Fraction((ends - begins).days, (row.due_on - row.from_on).days)
            return Fraction(owed * self._rates[holder], self._whole) * self._length(holder) * part
        return Fraction(owed * self._terms.annual_ppm, PPM) * year_part(begins, ends, self._terms.day_count)

    def _length(self, number: int) -> Fraction:
        """A period in regular ones: 1, unless its due date was moved; then the days after whole ones count by the
        length of the period that they begin.
        """
        if number not in self.stretched:
            return Fraction(1)
        row, every, whole = self._rows[number], self._terms.every, 0
        while every.after(row.from_on, whole + 1) <= row.due_on:
            whole += 1
        begins, ends = every.after(row.from_on, whole), every.after(row.from_on, whole + 1)
        return whole + Fraction((row.due_on - begins).days, (ends - begins).days)


ONE_DAY = timedelta(days=1)
