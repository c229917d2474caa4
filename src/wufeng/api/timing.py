"""Answers that leave in even time: how long one takes does not tell what was found.

For calls that anybody may make about any phone. The work for known and unknown ones is made alike; what still differs
by a millisecond is hidden by answering at the next beat only.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from wufeng.base.claims import Answer

BEAT_S = 0.025


def evenly(handle: Callable[[Any], Awaitable[Answer]]) -> Callable[[Any], Awaitable[Answer]]:
    """The handler, its answers and its refusals leaving at a whole number of beats after the request came."""

    async def handle_evenly(call: Any) -> Answer:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        try:
            return await handle(call)
        finally:
            await asyncio.sleep(BEAT_S - (loop.time() - began_s) % BEAT_S)

    return handle_evenly
