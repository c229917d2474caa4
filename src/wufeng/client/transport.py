"""One call, sent until its outcome is known: the outcome protocol of the API, in one place.

    2xx, 402                       the answer
    429, 503 overloaded            nothing was done: wait, send again
    409 idempotency_in_progress    another send of this key runs: wait, send again
    500, 503 outcome_unknown,      unknown: send again with the same key, until it is definite
    reset, time-out
    every other problem            definite: raised

What is sent again is the same request to the byte, under the same Idempotency-Key. A call that has none and is not
safe to repeat is sent again only when it surely was not done.
"""

import asyncio
import random
import uuid
from collections.abc import Callable, Mapping
from enum import StrEnum

import httpx
import msgspec
from msgspec import Struct

from wufeng.base.errors import Code
from wufeng.client.errors import ApiProblem, OutcomeUnknown, read_problem

VERSION = "2026-11-01"
"""The shape of answers that this client reads (`Wufeng-Version`)."""

NOT_DONE = frozenset({Code.REQUEST_TIMEOUT, Code.RATE_LIMITED, Code.OVERLOADED, Code.STORAGE_FULL})
UNKNOWN = frozenset({Code.IDEMPOTENCY_IN_PROGRESS, Code.OUTCOME_UNKNOWN, Code.INTERNAL})


class Repeat(StrEnum):
    """Whether a call may be sent again when it is not known what became of it."""

    KEYED = "keyed"  # yes: its Idempotency-Key makes it one
    SAFE = "safe"  # yes: it changes nothing, or names what it makes
    ONCE = "once"  # no


class Call(Struct, frozen=True, kw_only=True):
    """One call: what is sent, again and again if need be.

    may_take_s  how long its answer may take, if that is longer than the caller's patience for a usual one
    """

    method: str
    path: str
    query: Mapping[str, str | int] = {}
    body: Mapping[str, object] | None = None
    repeat: Repeat = Repeat.SAFE
    key: str | None = None
    accept: str = "application/json"
    may_take_s: float = 0.0


class Reply(Struct, frozen=True):
    """A definite answer, its bytes as they came."""

    status: int
    body: bytes
    request_id: str


class Attempt(Struct, frozen=True):
    """One sending, for whoever watches: the reply, or the failure that left none. `status` is 0 without an answer."""

    number: int
    call: Call
    status: int
    body: bytes
    failure: str | None


class Patience(Struct, frozen=True):
    """How long a call is sent again, how long one sending may take, and how the pauses between them grow."""

    deadline_s: float = 30.0
    attempt_s: float = 10.0
    first_pause_s: float = 0.05
    longest_pause_s: float = 2.0


def watch_nothing(attempt: Attempt) -> None:
    """Nobody watches."""


class Transport:
    """Sends calls of one caller."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        headers: Mapping[str, str],
        patience: Patience,
        watch: Callable[[Attempt], None] = watch_nothing,
    ) -> None:
        self._http = http
        self._headers = dict(headers)
        self._patience = patience
        self._watch = watch

    def with_token(self, token: str | None) -> "Transport":
        """The same for another caller, over the same connections."""
        headers = {name: value for name, value in self._headers.items() if name != "Authorization"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return Transport(self._http, headers, self._patience, self._watch)

    def with_book(self, book: str) -> "Transport":
        """The same, its public calls for another book."""
        return Transport(self._http, {**self._headers, "Wufeng-Book": book}, self._patience, self._watch)

    def from_address(self, address: str) -> "Transport":
        """The same, telling where a visitor comes from, as a proxy does."""
        headers = {**self._headers, "X-Forwarded-For": address}
        return Transport(self._http, headers, self._patience, self._watch)

    async def send(self, call: Call) -> Reply:
        """Send a call until its outcome is known, and give the answer (2xx or 402).

        Raises ApiProblem for a problem; OutcomeUnknown at the deadline.
        """
        if call.repeat is Repeat.KEYED and call.key is None:
            call = msgspec.structs.replace(call, key=new_key())
        loop = asyncio.get_running_loop()
        end_s = loop.time() + max(self._patience.deadline_s, call.may_take_s)
        request = self._request(call)
        number, maybe_done = 0, False
        while True:
            number += 1
            left_s = max(end_s - loop.time(), 0.001)
            attempt_s = max(self._patience.attempt_s, call.may_take_s)
            outcome = await self._once(call, request, number, min(attempt_s, left_s))
            if isinstance(outcome, Reply):
                return outcome
            maybe_done = maybe_done or outcome.maybe_done
            stuck = outcome.maybe_done and call.repeat is Repeat.ONCE
            pause_s = self._pause(number, outcome.retry_after_s)
            if stuck or loop.time() + pause_s >= end_s:
                if outcome.problem is not None and (stuck or call.method == "GET" or not maybe_done):
                    raise outcome.problem
                raise OutcomeUnknown(f"{call.method} {call.path}", call.key, number, outcome.reason)
            await asyncio.sleep(pause_s)

    def _request(self, call: Call) -> httpx.Request:
        headers = {**self._headers, "Accept": call.accept}
        content: bytes | None = None
        if call.key is not None:
            headers["Idempotency-Key"] = call.key
        if call.body is not None:
            headers["Content-Type"] = "application/json"
            content = msgspec.json.encode(call.body)
        return self._http.build_request(
            call.method, call.path, params=dict(call.query) or None, content=content, headers=headers
        )

    async def _once(
        self, call: Call, request: httpx.Request, number: int, within_s: float
    ) -> "Reply | _Again":
        """One sending. Raises the problem of an answer that is definite."""
        try:
            async with asyncio.timeout(within_s):
                response = await self._http.send(request)
        except httpx.UnsupportedProtocol:
            raise  # the base URL is wrong: nothing is mended by asking again
        except (httpx.TransportError, TimeoutError) as error:
            reason = f"{type(error).__name__}: {error}".removesuffix(": ")
            self._watch(Attempt(number, call, 0, b"", reason))
            never_sent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
            return _Again(None, reason, maybe_done=not never_sent)
        reply = Reply(response.status_code, response.content, response.headers.get("request-id", ""))
        self._watch(Attempt(number, call, reply.status, reply.body, None))
        if response.is_success or reply.status == 402:
            return reply
        return _judge(call, reply, _seconds(response.headers.get("retry-after")))

    def _pause(self, number: int, asked_s: float | None) -> float:
        """A pause that doubles, with jitter, so that those who were refused together do not come again together."""
        grown_s = self._patience.first_pause_s * 2.0 ** min(number - 1, 16)
        pause_s = min(grown_s, self._patience.longest_pause_s) * random.uniform(0.5, 1.0)
        return max(pause_s, (asked_s or 0.0) * random.uniform(1.0, 1.25))


class _Again(Struct, frozen=True):
    """An answer, or none, after which the call is sent again."""

    problem: ApiProblem | None
    reason: str
    maybe_done: bool
    retry_after_s: float | None = None


def _judge(call: Call, reply: Reply, retry_after_s: float | None) -> _Again:
    problem = read_problem(reply.status, reply.body, reply.request_id, retry_after_s)
    if problem is None:
        if reply.status < 500:
            raise ApiProblem(reply.status, Code.MALFORMED, "This is not an answer of the API.")
        return _Again(
            None, f"HTTP {reply.status} without a problem", maybe_done=True, retry_after_s=retry_after_s
        )
    if problem.code in NOT_DONE:
        return _Again(problem, str(problem.code), maybe_done=False, retry_after_s=retry_after_s)
    if problem.code is Code.INTERNAL and call.method == "GET":
        raise problem  # a read has no outcome to learn, and a mistake stays one
    if problem.code in UNKNOWN or problem.status >= 500:
        return _Again(problem, str(problem.code), maybe_done=True, retry_after_s=retry_after_s)
    raise problem


def _seconds(header: str | None) -> float | None:
    return float(header) if header is not None and header.isdigit() else None


def new_key() -> str:
    """A fresh Idempotency-Key."""
    return uuid.uuid4().hex
