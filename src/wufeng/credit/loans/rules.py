"""A loan that stands alone, as the fold of its events. No line uses it: draws and bills of products have folds of their
own (`debts`, `bills`). Shared with them is what is computed: `plans` splits amounts, `waterfall` spreads money.

Taking an event back is folding without it; an event dated back stands in its place, since the fold goes by dates.
"""

from collections.abc import Sequence
from datetime import date

from msgspec.structs import replace

from wufeng.credit.loans.model import (
    Charged,
    ChargedBack,
    ChargedOff,
    ChargesDue,
    CreditRefunded,
    Disbursed,
    Event,
    InterestBasis,
    LoanState,
    LoanTerms,
    Moved,
    Paid,
    Paused,
    PaymentKind,
    Posting,
    PostingKind,
    RateChanged,
    Reaged,
    Reamortised,
    RefundedInCash,
    Row,
    RowKind,
    ScheduleKind,
    Status,
    Waived,
)
from wufeng.credit.loans.schedules import (
    Balance,
    Change,
    classic_rows,
    down_payment,
    empty_row,
    instalment_rows,
)
from wufeng.credit.plans.rules import round_to_multiple
from wufeng.credit.waterfall.model import Age, Component, Due, Future, Piece, Waterfall
from wufeng.credit.waterfall.rules import allocate


def fold(terms: LoanTerms, events: Sequence[Event]) -> LoanState:
    """The loan after these events, which are taken by their dates, those of one date as they stand."""
    folding = _Fold(terms, in_turn(events))
    for event in folding.events:
        folding.take(event)
    return folding.state()


def recorded(terms: LoanTerms, events: Sequence[Event], event: Event) -> tuple[Event, ...]:
    """What an event adds to a loan's events: itself, and the down payment that the engine posts with a disbursement.

    What had been paid too much before goes towards the down payment.
    """
    if not isinstance(event, Disbursed) or not terms.down_payment_posted:
        return (event,)
    asked = down_payment(terms, event.amount_minor) - fold(terms, events).overpaid_minor
    return (event, Paid(event.on, asked, PaymentKind.DOWN_PAYMENT)) if asked > 0 else (event,)


def preview(terms: LoanTerms, amount_minor: int, start: date) -> LoanState:
    """The schedule of an amount that nobody has lent yet."""
    return replace(fold(terms, [Disbursed(start, amount_minor)]), status=Status.APPROVED)


def to_pay_off(terms: LoanTerms, events: Sequence[Event], on: date) -> int:
    """What a payment on a date must be, so that nothing is owed after it."""
    folding = _Fold(terms, in_turn(events))
    for event in folding.events:
        folding.take(event)
    folding.settle_as_of(on)
    return sum(row.outstanding_minor for row in folding.rows)


def in_turn(events: Sequence[Event]) -> list[Event]:
    """Events by their dates. A charge that is dated back counts from its due date, as money of that time pays it."""

    def turn(event: Event) -> date:
        return min(event.on, event.due_on) if isinstance(event, Charged) else event.on

    return sorted(events, key=turn)


class _Fold:
    """A loan on its way through its events."""

    def __init__(self, terms: LoanTerms, events: Sequence[Event]) -> None:
        self._terms = terms
        self.events = events
        self._disbursed = [event for event in events if isinstance(event, Disbursed)]
        self._charges: list[tuple[Charged, Row]] = []
        self._moves: list[Moved] = []
        self._put_in: list[tuple[Row, Component, int, date]] = []
        self._postings: list[Posting] = []
        self._overpaid_minor = 0
        self._running_minor = 0
        self._balance: Balance | None = None
        self.rows: list[Row] = []
        if self._disbursed:
            self._begin()

    @property
    def _is_classic(self) -> bool:
        return self._terms.kind is ScheduleKind.CLASSIC

    def _begin(self) -> None:
        """Classic rows know all that was lent, and all charges, before any money is spread over them."""
        if self._is_classic:
            moves = [event for event in self.events if isinstance(event, Moved)]
            changes = [event for event in self.events if isinstance(event, RateChanged)]
            self.rows = classic_rows(self._terms, self._disbursed, moves, changes)
            for event in self.events:
                if isinstance(event, Charged):
                    self._charge(event)
            return
        start = self._disbursed[0].on
        self.rows = instalment_rows(self._terms, start)
        if self._terms.annual_ppm:
            self._balance = Balance(self._terms, list(self.rows), start)
        for event in self._charges_after_all():
            self._charge(event)

    def _charges_after_all(self) -> list[Charged]:
        """Charges due after the last instalment: no money of any date finds it done while they are owed."""
        last = self.rows[-1].due_on
        return [event for event in self.events if isinstance(event, Charged) and event.due_on > last]

    def take(self, event: Event) -> None:
        """Let one event happen; nothing happens to a loan of which nothing was lent."""
        if not self._disbursed:
            return
        match event:
            case Disbursed():
                self._disburse(event)
            case Paid():
                self._pay(event)
            case Charged() if not any(event is charge for charge, _ in self._charges):
                self._charge(event)
            case ChargedBack() | CreditRefunded():
                self._owe_again(event)
            case RefundedInCash():
                self._give_back(event)
            case Reamortised():
                self._reamortise(event)
            case Reaged():
                self._reage(event)
            case Waived():
                self._waive(event)
            case ChargedOff():
                self._charge_off(event)
            case Paused() if self._balance is not None:
                self._balance.pause(event)
            case Moved() if not self._is_classic:
                self._move(event)
            case _:
                pass

    def state(self) -> LoanState:
        """The loan as it stands."""
        for row in self.rows:
            if row.outstanding_minor > 0:
                row.paid_on = None
        status = Status.APPROVED
        if self._disbursed:
            owed = any(row.outstanding_minor for row in self.rows)
            status = Status.ACTIVE if owed else Status.OVERPAID if self._overpaid_minor else Status.CLOSED
        return LoanState(
            tuple(self.rows), tuple(self._disbursed), tuple(self._postings), self._overpaid_minor, status
        )

    def _move(self, event: Moved) -> None:
        """New dates for the instalments. Asserts that none are added: a progressive loan is re-aged instead."""
        assert not event.extra and not event.holiday, "instalments are added to a classic loan alone"
        self._moves.append(event)
        moved = instalment_rows(self._terms, self._disbursed[0].on, self._moves)
        rows = [row for row in self.rows if row.kind is RowKind.INSTALMENT]
        for row, dates in zip(rows, moved, strict=True):
            row.from_on, row.due_on = dates.from_on, dates.due_on
        if self._balance is not None:
            numbers = (number for number, row in enumerate(rows) if row.due_on == event.due_on)
            self._balance.stretched.update(numbers)
            self._balance.refill()

    def _disburse(self, event: Disbursed) -> None:
        from_credit = 0
        if not self._is_classic:
            self._lend(event)
            used = min(self._overpaid_minor, event.amount_minor)
            if used:
                self._overpaid_minor -= used
                pieces, surplus = self._spread(event.on, used, self._waterfall(PaymentKind.REPAYMENT))
                self._overpaid_minor += surplus
                from_credit = sum(piece.amount_minor for piece in pieces)
        self._running_minor += event.amount_minor - from_credit
        self._post(PostingKind.DISBURSED, event.on, event.amount_minor, {}, from_credit)

    def _lend(self, event: Disbursed) -> None:
        """A part due today, and the rest on the instalments to come."""
        down_minor = down_payment(self._terms, event.amount_minor)
        if self._terms.down_payment_ppm:
            at = sum(1 for row in self.rows if row.due_on <= event.on)
            self.rows.insert(at, empty_row(RowKind.DOWN_PAYMENT, event.on, event.on, down_minor))
        if self._balance is not None:
            self._balance.lend(event.on, event.amount_minor - down_minor)
            return
        to_come = [row for row in self.rows if row.kind is RowKind.INSTALMENT and row.due_on > event.on]
        self._add_evenly(to_come or self.rows[-1:], event.amount_minor - down_minor)

    def _add_evenly(self, rows: Sequence[Row], amount_minor: int) -> None:
        """Raise the principal of rows by equal parts; each is rounded with what it has, the last takes the rest."""
        left, multiple = amount_minor, self._terms.multiple_minor
        for row in rows:
            before = row.due[Component.PRINCIPAL]
            after = round_to_multiple(before * len(rows) + amount_minor, len(rows), multiple)
            row.due[Component.PRINCIPAL] = after
            left -= after - before
        rows[-1].due[Component.PRINCIPAL] += left

    def _waterfall(self, kind: PaymentKind, future: Future | None = None) -> Waterfall:
        waterfalls = self._terms.waterfalls
        waterfall = waterfalls.get(kind, waterfalls[PaymentKind.REPAYMENT])
        return waterfall if future is None else replace(waterfall, future=future)

    def _pay(self, event: Paid) -> None:
        self.settle_as_of(event.on)
        pieces, surplus = self._spread(
            event.on, event.amount_minor, self._waterfall(event.kind, event.future)
        )
        self._settled(event.on, pieces)
        self._overpaid_minor += surplus
        parts = dict.fromkeys(Component, 0)
        for piece in pieces:
            parts[piece.component] += piece.amount_minor
        self._running_minor -= parts[Component.PRINCIPAL]
        self._post(PostingKind.PAID, event.on, event.amount_minor, parts, surplus, event.kind)

    def _spread(self, on: date, amount_minor: int, waterfall: Waterfall) -> tuple[Sequence[Piece], int]:
        allocation = allocate(self._dues(on), amount_minor, waterfall)
        pieces = [replace(piece, number=piece.number // 2) for piece in allocation.pieces]
        for piece in pieces:
            self._put(self.rows[piece.number], piece.component, piece.amount_minor, on)
        return pieces, allocation.surplus_minor

    def _dues(self, on: date) -> list[Due]:
        """What is owed, row by row. Charges that are due before their instalment stand beside it, as due: the even
        numbers are theirs.
        """
        dues = []
        for number, row in enumerate(self.rows):
            if row.outstanding_minor <= 0:
                continue
            parts = {part: row.open(part) for part in Component}
            if self._terms.charges_due is ChargesDue.ON_THEIR_DAY and on < row.due_on:
                charged = self._charges_due(row, on)
                dues.append(Due(2 * number, Age.DUE, charged))
                parts = {part: owed - charged.get(part, 0) for part, owed in parts.items()}
            dues.append(Due(2 * number + 1, _age(row, on), parts, max(0, (on - row.due_on).days)))
        return dues

    def _charges_due(self, row: Row, on: date) -> dict[Component, int]:
        """The charges of a row whose own day has come, as far as they are unpaid."""
        due = dict.fromkeys((Component.PENALTY, Component.FEE), 0)
        for charge, holder in self._charges:
            if holder is row and charge.due_on <= on:
                due[charge.component] += charge.amount_minor
        return {part: max(0, min(amount - row.paid[part], row.open(part))) for part, amount in due.items()}

    def _put(self, row: Row, component: Component, amount_minor: int, on: date) -> None:
        row.paid[component] += amount_minor
        if on < row.due_on:
            row.in_advance_minor += amount_minor
        elif on > row.due_on:
            row.late_minor += amount_minor
        if row.outstanding_minor == 0:
            row.paid_on = on
        self._put_in.append((row, component, amount_minor, on))

    def _give_back(self, event: RefundedInCash) -> None:
        """Take money out of the rows again, the latest first; what was paid too much goes before all."""
        from_credit = min(self._overpaid_minor, event.amount_minor)
        self._overpaid_minor -= from_credit
        left, parts = event.amount_minor - from_credit, dict.fromkeys(Component, 0)
        while left and self._put_in:
            row, component, amount, on = self._put_in.pop()
            taken = min(left, amount)
            row.paid[component] -= taken
            row.in_advance_minor -= taken if on < row.due_on else 0
            row.late_minor -= taken if on > row.due_on else 0
            if amount > taken:
                self._put_in.append((row, component, amount - taken, on))
            parts[component] += taken
            left -= taken
        self._running_minor += parts[Component.PRINCIPAL]
        self._post(PostingKind.REFUNDED_IN_CASH, event.on, event.amount_minor - left, parts, from_credit)

    def settle_as_of(self, on: date) -> None:
        """Where interest runs by the day: ask of the periods to come what they have borne until then."""
        if self._balance is not None and self._terms.basis is InterestBasis.DAILY:
            self._balance.refill(on)

    def _settled(self, on: date, pieces: Sequence[Piece]) -> None:
        """Close the periods that were settled early; the others go on by plan, on the balance that is left."""
        balance = self._balance
        if balance is None or self._terms.basis is InterestBasis.PLAN:
            return
        periods = [row for row in self.rows if row.kind is RowKind.INSTALMENT]
        for number, row in enumerate(periods):
            principal = sum(
                piece.amount_minor
                for piece in pieces
                if self.rows[piece.number] is row and piece.component is Component.PRINCIPAL
            )
            if principal and on < row.due_on:
                balance.early.setdefault(number, []).append(Change(on, principal))
            if on < row.due_on and row.outstanding_minor == 0 and number not in balance.closed:
                balance.closed[number] = on
        balance.refill()

    def _charge(self, event: Charged) -> None:
        """A charge belongs to the instalment in whose period it is due; after the last one, to a row of its own."""
        instalments = [row for row in self.rows if row.kind is RowKind.INSTALMENT]
        row = next((row for row in instalments if event.due_on <= row.due_on), None) or self._added(
            event.due_on
        )
        row.due[event.component] += event.amount_minor
        self._charges.append((event, row))

    def _added(self, due_on: date) -> Row:
        """The row after the last instalment, which lasts until the latest of what it holds."""
        last = self.rows[-1]
        if last.kind is not RowKind.ADDED:
            last = empty_row(RowKind.ADDED, last.due_on, due_on)
            self.rows.append(last)
        last.due_on = max(last.due_on, due_on)
        return last

    def _waive(self, event: Waived) -> None:
        charge, row = self._charges[event.charge]
        amount = min(charge.amount_minor, row.open(charge.component))
        row.waived[charge.component] = row.waived.get(charge.component, 0) + amount
        if row.outstanding_minor == 0:
            row.paid_on = event.on
        parts = dict.fromkeys(Component, 0)
        self._post(PostingKind.WAIVED, event.on, amount, parts, 0)

    def _owe_again(self, event: ChargedBack | CreditRefunded) -> None:
        """What was paid too much is used up first; if it is not enough, all is due with the next instalment, or in a
        row after the last, and what was too much is paid on it.
        """
        from_credit = min(self._overpaid_minor, event.amount_minor)
        self._overpaid_minor -= from_credit
        amount = event.amount_minor - from_credit
        asked = event.parts if isinstance(event, ChargedBack) else None
        if amount:
            row = next(
                (row for row in self.rows if row.kind is RowKind.INSTALMENT and row.due_on > event.on), None
            )
            if row is None:
                row = self.rows[-1] if self.rows[-1].due_on == event.on else self._added(event.on)
            for component, part in (asked or {Component.PRINCIPAL: event.amount_minor}).items():
                row.due[component] += part
                row.added_minor += part if component is Component.PRINCIPAL else 0
            if from_credit:
                self._put(row, Component.PRINCIPAL, from_credit, event.on)
        kind = PostingKind.CHARGED_BACK if isinstance(event, ChargedBack) else PostingKind.CREDIT_REFUNDED
        parts = dict.fromkeys(Component, 0) | dict(asked or {Component.PRINCIPAL: amount})
        self._running_minor += parts[Component.PRINCIPAL]
        self._post(kind, event.on, event.amount_minor, parts, from_credit)

    def _charge_off(self, event: ChargedOff) -> None:
        """All that is owed is a loss from now on, and owed all the same."""
        parts = {part: sum(row.open(part) for row in self.rows) for part in Component}
        self._post(PostingKind.CHARGED_OFF, event.on, sum(parts.values()), parts, 0)

    def _reamortise(self, event: Reamortised) -> None:
        assert self._balance is None, "a loan with interest has no even parts"
        past = [row for row in self.rows if row.due_on < event.on and row.open(Component.PRINCIPAL)]
        to_come = [row for row in self.rows if row.kind is RowKind.INSTALMENT and row.due_on >= event.on]
        amount = self._take_out(past, event.on)
        part = round_to_multiple(amount, len(to_come), self._terms.multiple_minor)
        for row in to_come[:-1]:
            row.due[Component.PRINCIPAL] += part
        to_come[-1].due[Component.PRINCIPAL] += amount - part * (len(to_come) - 1)
        parts = dict.fromkeys(Component, 0) | {Component.PRINCIPAL: amount}
        self._post(PostingKind.REAMORTISED, event.on, amount, parts, 0)

    def _reage(self, event: Reaged) -> None:
        assert self._balance is None, "a loan with interest has no even parts"
        amount = self._take_out([row for row in self.rows if row.open(Component.PRINCIPAL)], event.on)
        self.rows = [row for row in self.rows if row.due_on <= event.start_on or row.due_minor]
        part = round_to_multiple(amount, event.tenor, self._terms.multiple_minor)
        begins = self.rows[-1].due_on
        for number in range(event.tenor):
            due_on = event.every.after(event.start_on, number)
            last = amount - part * (event.tenor - 1)
            self.rows.append(
                empty_row(RowKind.INSTALMENT, begins, due_on, last if number == event.tenor - 1 else part)
            )
            begins = due_on
        parts = dict.fromkeys(Component, 0) | {Component.PRINCIPAL: amount}
        self._post(PostingKind.REAGED, event.on, amount, parts, 0)

    def _take_out(self, rows: Sequence[Row], on: date) -> int:
        """Ask for no more principal in these rows than was paid."""
        amount = 0
        for row in rows:
            amount += row.open(Component.PRINCIPAL)
            row.due[Component.PRINCIPAL] = row.paid[Component.PRINCIPAL]
            if row.outstanding_minor == 0:
                row.paid_on = on
        return amount

    def _post(
        self,
        kind: PostingKind,
        on: date,
        amount_minor: int,
        parts: dict[Component, int],
        overpaid_minor: int,
        payment: PaymentKind | None = None,
    ) -> None:
        owed = max(0, self._running_minor)
        parts = parts or dict.fromkeys(Component, 0)
        self._postings.append(Posting(kind, on, amount_minor, parts, overpaid_minor, owed, payment))


def _age(row: Row, on: date) -> Age:
    if on > row.due_on:
        return Age.PAST_DUE
    return Age.DUE if on == row.due_on else Age.IN_ADVANCE
