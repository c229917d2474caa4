"""Rewriting a line's history inside a batch: one event more or one less, and the rows as if it had always been so.

Decisions, what was paid out and what was told stay as they were; differences are posted anew (DESIGN.md, decision 5).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from wufeng import ledger
from wufeng.base.errors import Problem
from wufeng.base.lanes import Batch
from wufeng.credit.bills import store as bills
from wufeng.credit.bills.model import Bill, BillItems
from wufeng.credit.charge_offs.rules import last_bill_id
from wufeng.credit.debts.commands import Move
from wufeng.credit.debts.issuing import Known
from wufeng.credit.draws import store as draws
from wufeng.credit.draws.model import Draw, draw_number
from wufeng.credit.draws.rules import reborn
from wufeng.credit.history.model import (
    BillSplit,
    ChargedOff,
    Delivered,
    Drawn,
    DueDaySet,
    Event,
    Issued,
    Repaid,
    Standing,
)
from wufeng.credit.history.rules import fold
from wufeng.credit.lines.model import ChangeKind, Line
from wufeng.credit.lines.store import load_changes
from wufeng.credit.products.commands import Products
from wufeng.credit.products.model import Product
from wufeng.credit.refunds import store as refunds
from wufeng.credit.repayments import store as repayments
from wufeng.credit.repayments.model import Allocation, Debt, Paid, Repayment, RepaymentStatus
from wufeng.credit.repayments.rules import brought_up
from wufeng.ledger import JournalKind

LAST = 2**63 - 1
"""The place of what has no journal yet: after all of its day."""


class History(Struct, frozen=True):
    """A line's rows, and the events behind them in their order."""

    rows: Debt
    items: Mapping[UUID, BillItems]
    repayments: Sequence[Repayment]
    events: tuple[Event, ...]


class Rewritten(Struct, frozen=True):
    """What a change of history does: rows to keep, and the standings between which the difference is posted."""

    before: Standing
    after: Standing
    move: Move
    items: Mapping[UUID, BillItems]
    new_bills: tuple[tuple[Bill, BillItems], ...]
    repayments: tuple[Repayment, ...]


async def load_history(batch: Batch, products: Products, line: Line) -> History:
    """Everything that ever happened to what a line owes."""
    db, bucket = batch.db, batch.bucket
    all_draws = await draws.load_draws_of_line(db, bucket, line.id)
    all_bills = await bills.load_bills_of_line(db, bucket, line.id)
    all_repayments = await repayments.load_repayments_of_line(db, bucket, line.id)
    all_refunds = await refunds.load_refunds_of_line(db, bucket, line.id)
    posted = [one for one in all_repayments if one.status is RepaymentStatus.POSTED]
    of = {
        *(draw.payment_id for draw in all_draws if draw.payment_id is not None),
        *(one.id for one in posted),
        *(one.refund_id for one in all_refunds),
    }
    seqs = await ledger.seqs_of(db, bucket, of)
    moves = await _moves_of_due_day(batch, line)
    placed = [
        *_placed_draws(all_draws, line, moves, products, seqs),
        *_placed_bills(all_bills, line),
        *(_Placed(move.on, 1, 0, line.id, move) for _, move in moves),
        *await _placed_loss(batch, line, all_bills),
    ]
    for one in posted:
        event = Repaid(one.value_on, one.id, one.source, one.amount_minor, one.plan)
        placed.append(_Placed(one.value_on, 2, _first(seqs, one.id), one.id, event))
    for refunded in all_refunds:
        placed.append(_Placed(refunded.on, 2, _first(seqs, refunded.refund_id), refunded.refund_id, refunded))
    items = await bills.load_items(db, bucket, [bill.id for bill in all_bills])
    events = tuple(one.event for one in sorted(placed, key=lambda one: (one.on, one.turn, one.seq, one.of)))
    return History(Debt(line, tuple(all_bills), tuple(all_draws)), items, all_repayments, events)


class _Placed(Struct, frozen=True):
    """An event and its place: the date, its turn in the day, its journal's number, what it is of."""

    on: date
    turn: int
    seq: int
    of: UUID
    event: Event


def _placed_draws(
    all_draws: Sequence[Draw],
    line: Line,
    moves: Sequence[tuple[UUID, DueDaySet]],
    products: Products,
    seqs: Mapping[UUID, Sequence[int]],
) -> Iterator[_Placed]:
    for draw in all_draws:
        assert draw.posted_on is not None, "only posted draws are loaded"
        product = products.version(line.product, draw.product_version, line.tier)
        born = reborn(draw, _line_of(draw, line, moves), product)
        if draw.of_bill is not None:  # whatever of that day pays the bill finds what the plan has left of it
            yield _Placed(draw.posted_on, 1, 0, draw.id, BillSplit(draw.posted_on, draw.of_bill, born))
            continue
        yield _Placed(draw.posted_on, 2, _seq_of(draw, seqs), draw.id, Drawn(draw.posted_on, born))
        if draw.billable_on is not None and born.billable_on is None:
            yield _Placed(draw.billable_on, 1, 0, draw.id, Delivered(draw.billable_on, draw.id))


def _placed_bills(all_bills: Sequence[Bill], line: Line) -> Iterator[_Placed]:
    """The bills of the closes; the one that a charge-off made, the only one of its date, belongs to that."""
    for bill in all_bills:
        if bill.issued_on != line.charged_off_on:
            known = Known(bill.due_on, bill.over_limit_minor)
            yield _Placed(bill.issued_on, 0, 0, bill.id, Issued(bill.issued_on, bill.id, known))


async def _placed_loss(batch: Batch, line: Line, all_bills: Sequence[Bill]) -> list[_Placed]:
    """The charge-off, where there was one, after what had been booked on its date before."""
    on = line.charged_off_on
    if on is None:
        return []
    posted = await ledger.journals_of(batch.db, batch.bucket, line.id)
    seq = next(one.seq for one in posted if one.journal.kind is JournalKind.CHARGE_OFF)
    bill = next((bill for bill in all_bills if bill.issued_on == on), None)
    event = ChargedOff(on, bill.id if bill is not None else last_bill_id(line.id), is_billed=bill is not None)
    return [_Placed(on, 2, seq, line.id, event)]


async def _moves_of_due_day(batch: Batch, line: Line) -> list[tuple[UUID, DueDaySet]]:
    """The changes of a line's due day, the oldest first, each with the id that dates it."""
    changes = [
        change
        for change in await load_changes(batch.db, batch.bucket, line.id)
        if change.kind is ChangeKind.DUE_DAY_SET
        and (change.due_day_was is not None or change.due_after_days_was is not None)
    ]
    set_to = [*(change.due_day_was for change in changes), line.due_day][1:]
    moves = []
    for change, due_day in zip(changes, set_to, strict=True):
        assert due_day is not None, "a due day is moved to a day"
        on = batch.book.business_date(change.at)
        moves.append((change.id, DueDaySet(on, change.due_day_was, change.due_after_days_was, due_day)))
    return moves


def _line_of(draw: Draw, line: Line, moves: Sequence[tuple[UUID, DueDaySet]]) -> Line:
    """The line with the due day by which a draw was priced: as it was before the first change after the draw."""
    assert draw.posted_on is not None, "only posted draws are loaded"
    for change_id, move in moves:
        if (move.on, change_id) > (draw.posted_on, draw.id):
            return replace(line, due_day=move.was_day, due_after_days=move.was_after_days)
    return line


def _seq_of(draw: Draw, seqs: Mapping[UUID, Sequence[int]]) -> int:
    """The journal that posted a draw: its payment has one a capture."""
    if draw.payment_id is None:
        return LAST
    numbers = seqs.get(draw.payment_id, ())
    place = draw_number(draw.id, draw.payment_id)
    return numbers[place] if place < len(numbers) else LAST


def _first(seqs: Mapping[UUID, Sequence[int]], of: UUID) -> int:
    """The place of an event in its day; what this very batch does comes last."""
    return min(seqs.get(of, ()), default=LAST)


async def rewritten(
    batch: Batch, products: Products, line: Line, on: date, added: Repaid | None, removed: UUID | None
) -> Rewritten | Problem:
    """The line's history with a repayment more, at the end of its value date, or with one less; or why it cannot be so.

    Asserts that the rows are what the events make of them: a line of which that is not so is set aside, not rewritten.
    """
    versions = products.of_line(line.product, line.product_version, line.tier)
    history = await load_history(batch, products, line)
    before = fold(line, history.events, versions, on)
    assert_same(history, before, versions.contract, on)
    events = [one for one in history.events if not (isinstance(one, Repaid) and one.repayment_id == removed)]
    if added is not None:
        place = next((n for n, event in enumerate(events) if event.on > added.on), len(events))
        events.insert(place, added)
    try:
        after = fold(line, events, versions, on)
    except Problem as problem:
        return problem
    moved = Debt(after.line, tuple(after.bills.values()), tuple(after.draws.values()))
    return Rewritten(
        before=before,
        after=after,
        move=Move(history.rows, moved),
        items={id_: one for id_, one in after.items.items() if history.items.get(id_, one) != one},
        new_bills=tuple(
            (bill, after.items[id_]) for id_, bill in after.bills.items() if id_ not in history.items
        ),
        repayments=tuple(_reallocated(history.repayments, after)),
    )


def _reallocated(rows: Sequence[Repayment], after: Standing) -> list[Repayment]:
    """The repayments that have paid something else than their rows say."""
    changed = []
    for row in rows:
        pieces = after.allocations.get(row.id)
        if row.status is RepaymentStatus.POSTED and pieces is not None and pieces != row.allocation:
            changed.append(replace(row, allocation=pieces, principal_minor=principal_of(pieces)))
    return changed


def principal_of(pieces: Sequence[Allocation]) -> int:
    """Principal that pieces of a repayment paid, billed or not."""
    return sum(piece.amount_minor for piece in pieces if piece.part in (Paid.PRINCIPAL, Paid.UNBILLED))


def assert_same(history: History, standing: Standing, product: Product, on: date) -> None:
    """Assert that the rows of a line are what its events make of them."""
    rows = brought_up(history.rows, product, on)
    for bill in rows.bills:
        assert _plain(bill) == _plain(standing.bills[bill.id]), (
            f"bill {bill.id} is not what its events make of it"
        )
    for draw in rows.draws:
        assert draw == standing.draws[draw.id], f"draw {draw.id} is not what its events make of it"


def _plain(bill: Bill) -> Bill:
    """A bill without what only says when the close looks at it."""
    return replace(bill, wake_on=None)
