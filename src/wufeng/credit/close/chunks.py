"""Sending what is due through the lane: a chunk is one command, and one that fails goes again object by object."""

from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID

import msgspec

from wufeng.base.database import Connection
from wufeng.base.errors import Code, Problem
from wufeng.base.insisting import insist
from wufeng.base.lanes import Command, Lanes
from wufeng.credit.close.model import DayClose, StepResult

CHUNK = 100
"""Objects that one command handles: small enough that payments behind it in the lane hardly notice."""

Due = Mapping[UUID, UUID]
"""Objects that are due, and the person of each."""

Find = Callable[[Connection, int], Awaitable[Due]]
"""(db, at_most): what is due and not done yet."""

Make = Callable[[Due], Awaitable[Command]]
"""The command for some of it, safe to repeat; its answer is a number of rows."""


class Sender:
    """Sends chunks to a bucket's lane. `errors` names what failed alone, by id: it stays due for the next run."""

    def __init__(self, lanes: Lanes, bucket: int, noun: str, make: Make) -> None:
        self._lanes = lanes
        self._bucket = bucket
        self._noun = noun
        self._make = make
        self.errors: dict[UUID, str] = {}

    async def send(self, due: Due) -> int:
        """Do what is due; returns the rows. One bad object is set aside and does not stop the others."""
        try:
            return await self._ask(due)
        except Problem as problem:
            if problem.code is not Code.INTERNAL:
                raise
        rows = 0
        for id_, person in due.items():
            try:
                rows += await self._ask({id_: person})
            except Problem as alone:
                if alone.code is not Code.INTERNAL:
                    raise
                self.errors[id_] = f"{self._noun} {id_}: {alone.__cause__!r}"
        return rows

    async def _ask(self, due: Due) -> int:
        answer = await insist(self._lanes, self._bucket, await self._make(due))
        return msgspec.json.decode(answer.body, type=int)


async def send_all(close: DayClose, noun: str, find: Find, make: Make, chunk: int = CHUNK) -> StepResult:
    """Send chunks until nothing is due but what has failed. What is done is found no more."""
    sender, rows = Sender(close.lanes, close.bucket, noun, make), 0
    while True:
        async with close.lanes.database.read() as db:
            found = await find(db, chunk + len(sender.errors))
        due = {id_: person for id_, person in found.items() if id_ not in sender.errors}
        if not due:
            return StepResult(rows, tuple(sender.errors.values()))
        rows += await sender.send(due)
