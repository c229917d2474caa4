"""By which due day a line's draws were priced and its repayments counted, where it was moved since."""

from collections.abc import Sequence
from datetime import date
from typing import TypeAlias
from uuid import UUID

from msgspec.structs import replace

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.credit.draws.model import Draw
from wufeng.credit.draws.rules import reborn
from wufeng.credit.history.model import DueDaySet
from wufeng.credit.lines.model import ChangeKind, Line
from wufeng.credit.lines.store import load_changes
from wufeng.credit.products.model import Product

Moves: TypeAlias = Sequence[tuple[UUID, DueDaySet]]
"""The changes of a line's due day, the oldest first, each with the id that dates it."""


async def load_moves(db: Connection, book: Book, line: Line) -> Moves:
    """How the due day of a line was moved."""
    changes = [
        change
        for change in await load_changes(db, book.bucket_of(line.id), line.id)
        if change.kind is ChangeKind.DUE_DAY_SET
        and (change.due_day_was is not None or change.due_after_days_was is not None)
    ]
    set_to = [*(change.due_day_was for change in changes), line.due_day][1:]
    moves = []
    for change, due_day in zip(changes, set_to, strict=True):
        assert due_day is not None, "a due day is moved to a day"
        on = book.business_date(change.at)
        was = change.due_day_was, change.due_after_days_was
        moves.append((change.id, DueDaySet(on, *was, due_day, change.seq)))
    return moves


def line_at(line: Line, moves: Moves, on: date, of: UUID) -> Line:
    """The line with the due day in force when something was done on a date: before the first change after it.

    of  the id of what was done: on the date of a change it tells which came first
    """
    for change_id, move in moves:
        if (move.on, change_id) > (on, of):
            return _before(line, move)
    return line


def line_of(draw: Draw, line: Line, moves: Moves, product: Product, seq: int | None = None) -> Line:
    """The line with the due day by which a draw was priced; `product` is the draw's version.

    seq  of the journal that posted it: the numbers of the changes are compared with it, where all are known

    Else by ids: that of a draw is as old as its payment. One that was captured on the date of a change and authorised
    before may have come on either side of it: then the day by which its parts can be what they are.
    """
    assert draw.posted_on is not None, "only posted draws are loaded"
    if seq is not None and all(move.seq is not None for _, move in moves if move.on == draw.posted_on):
        return _line_after(line, moves, draw.posted_on, seq)
    likely = line_at(line, moves, draw.posted_on, draw.id)
    same_date = [_before(line, move) for _, move in moves if move.on == draw.posted_on]
    if not same_date:
        return likely
    latest = next((_before(line, move) for _, move in moves if move.on > draw.posted_on), line)
    return next((one for one in (likely, *same_date, latest) if _may_have_made(one, draw, product)), likely)


def _line_after(line: Line, moves: Moves, on: date, seq: int) -> Line:
    """The line as what has that number found it: a change keeps the number that was the last when it was made."""
    for _, move in moves:
        if move.on > on or (move.on == on and move.seq is not None and move.seq >= seq):
            return _before(line, move)
    return line


def _before(line: Line, move: DueDaySet) -> Line:
    return replace(line, due_day=move.was_day, due_after_days=move.was_after_days)


def _may_have_made(line: Line, draw: Draw, product: Product) -> bool:
    """Whether a draw's parts are those of a plan by the line's days, or less: refunds and early payments lower them."""
    born = reborn(draw, line, product)
    kinds = ((draw.principal_parts, born.principal_parts), (draw.interest_parts, born.interest_parts))
    return all(
        len(now) == len(then) and all(one <= other for one, other in zip(now, then, strict=True))
        for now, then in kinds
    )
