"""What a request carries: received whole, of a bounded size, and in time."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from wufeng.base.errors import Code, Problem

Receive = Callable[[], Awaitable[Mapping[str, Any]]]

WITHIN_S = 15.0
"""How long a body may take once the request's head is there."""


async def receive_body(headers: Mapping[bytes, bytes], receive: Receive, at_most_bytes: int) -> bytes:
    """A request's body. Refuses one larger (too_large), cut off (malformed) or not all there in time (request_timeout).

    A sender can hold a body back, so it comes first: whose credential is alive, what time it is and which price holds
    are looked at when all of it is there.
    """
    declared = headers.get(b"content-length", b"0")
    if declared.isdigit() and int(declared) > at_most_bytes:
        raise _too_large(at_most_bytes)
    try:
        async with asyncio.timeout(WITHIN_S):
            return await _all_of(receive, at_most_bytes)
    except TimeoutError:
        late = f"A body is to be sent within {WITHIN_S:g} seconds. Nothing was done."
        raise Problem(Code.REQUEST_TIMEOUT, late) from None


async def _all_of(receive: Receive, at_most_bytes: int) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            # Gone, or its pieces could not be told apart: who sent it may still be there to read why.
            raise Problem(Code.MALFORMED, "The body was cut off, or its chunks are broken. Nothing was done.")
        body += message.get("body", b"")
        if len(body) > at_most_bytes:
            raise _too_large(at_most_bytes)
        more = message.get("more_body", False)
    return body


def _too_large(at_most_bytes: int) -> Problem:
    return Problem(Code.TOO_LARGE, f"A body has at most {at_most_bytes} bytes.")
