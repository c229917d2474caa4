"""Commands that must be done: a lane that is full or does not know is asked again."""

import asyncio

from wufeng.base.claims import Answer
from wufeng.base.errors import Code, Problem
from wufeng.base.lanes import Command, Lanes

TRIES_MAX = 50
"""How often a lane is asked before whoever insists gives up and says so."""

NOT_DEFINITE = frozenset({Code.OVERLOADED, Code.OUTCOME_UNKNOWN})
"""Nothing was done, or it is not known: a command that is safe to repeat is sent again."""


async def insist(lanes: Lanes, bucket: int, command: Command) -> Answer:
    """Submit a command that is safe to repeat until its outcome is definite.

    Raises the Problem that it is refused with, and the last one when the lane has been full or silent all the time.
    """
    for _ in range(TRIES_MAX - 1):
        try:
            return await lanes.submit(bucket, command)
        except Problem as problem:
            if problem.code not in NOT_DEFINITE:
                raise
            await asyncio.sleep(problem.retry_after_s or 1)
    return await lanes.submit(bucket, command)
