"""Going through what is due by the dates of bills: page by page, each page a lane command, nothing looked at twice.

For work whose rows stay where they are when they are done (`send_all` finds its rows gone).
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from uuid import UUID

from msgspec import Struct

from wufeng.base.database import Connection
from wufeng.base.lanes import Command, Lanes
from wufeng.credit.close.chunks import CHUNK, Sender
from wufeng.credit.close.model import StepResult


class Due(Struct, frozen=True):
    """A line with a bill of that due date. A line with several such bills is found for each."""

    due_on: date
    line_id: UUID
    person_id: UUID


FIRST = (date.min, UUID(int=0))

Find = Callable[[Connection, tuple[date, UUID], int], Awaitable[list[Due]]]
"""(db, after, at_most): what is due behind a (due_on, line_id), in that order."""
Make = Callable[[tuple[UUID, ...], tuple[UUID, ...]], Command]
"""(people, lines) -> the command, which must be safe to repeat; its answer is a number of rows."""


async def sweep(lanes: Lanes, bucket: int, find: Find, make: Make) -> StepResult:
    """Send pages of lines until nothing is behind."""

    async def made(due: Mapping[UUID, UUID]) -> Command:
        return make(tuple(sorted(set(due.values()))), tuple(due))

    sender, rows, after = Sender(lanes, bucket, "line", made), 0, FIRST
    while True:
        async with lanes.database.read() as db:
            page = await find(db, after, CHUNK)
        if not page:
            return StepResult(rows, tuple(sender.errors.values()))
        after = page[-1].due_on, page[-1].line_id
        rows += await sender.send({one.line_id: one.person_id for one in page})
