"""Going through what is due by the dates of bills: page by page, each page a lane command, nothing looked at twice.

For work whose rows stay where they are when they are done (`_run_chunks` of the steps finds its rows gone).
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from uuid import UUID

import msgspec
from msgspec import Struct

from wufeng.base.database import Connection
from wufeng.base.errors import Code, Problem
from wufeng.base.lanes import Command, Lanes
from wufeng.credit.close.model import StepResult

PAGE = 100
"""Lines that one command handles: small enough that payments behind it in the lane hardly notice."""

TRIES_MAX = 50
"""How often a full or waiting lane is asked again before the sweep gives up and says so."""


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
    """Send pages of lines until nothing is behind. A page that fails goes again line by line; who fails is named."""
    rows, failed, after = 0, dict[UUID, str](), FIRST
    while True:
        async with lanes.database.read() as db:
            page = await find(db, after, PAGE)
        if not page:
            return StepResult(rows, tuple(failed.values()))
        after = page[-1].due_on, page[-1].line_id
        due = {one.line_id: one.person_id for one in page}
        try:
            rows += await _submit(lanes, bucket, make, due)
        except Problem as problem:
            if problem.code is not Code.INTERNAL:
                raise
            for line, person in due.items():
                try:
                    rows += await _submit(lanes, bucket, make, {line: person})
                except Problem as alone:
                    if alone.code is not Code.INTERNAL:
                        raise
                    failed[line] = f"line {line}: {alone.__cause__!r}"


async def _submit(lanes: Lanes, bucket: int, make: Make, due: Mapping[UUID, UUID]) -> int:
    """Run one page and return its rows. A lane that is full is asked again: nothing was done, or all of it."""
    command = make(tuple(sorted(set(due.values()))), tuple(due))
    for tried in range(TRIES_MAX):
        try:
            answer = await lanes.submit(bucket, command)
        except Problem as problem:
            if problem.code not in (Code.OVERLOADED, Code.OUTCOME_UNKNOWN) or tried == TRIES_MAX - 1:
                raise
            await asyncio.sleep(problem.retry_after_s or 1)
            continue
        return msgspec.json.decode(answer.body, type=int)
    raise AssertionError("the last try has returned or raised")
