"""The clients: every intent is in the log before it is sent, and every answer after it came.

A client repeats the same key until its outcome is definite (the outcome protocol, as `wufeng.client` keeps it). What
it then believes is what the final audit holds against the database.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import UUID

import httpx
import msgspec
from msgspec import Struct

from wufeng.client import ApiProblem, Attempt, Call, OutcomeUnknown, Patience, Repeat, Wufeng
from wufeng.prove.town import Caller

PATIENCE = Patience(deadline_s=45.0, attempt_s=8.0, first_pause_s=0.05, longest_pause_s=0.5)


class Intent(Struct, frozen=True, kw_only=True):
    """What a client is about to ask. `order_no` for payments, `refund_no` for refunds."""

    key: str
    caller: Caller
    path: str
    body: Mapping[str, object]
    order_no: str | None = None
    refund_no: str | None = None

    @property
    def name(self) -> tuple[UUID, str]:
        """What the key means: keys of two callers are two."""
        return self.caller.id, self.key


class Definite(Struct, frozen=True):
    """What a client may believe for ever: an answer, or a problem by its code. `body` is the very bytes."""

    status: int
    body: bytes
    code: str | None = None

    @property
    def is_stored(self) -> bool:
        """Whether the server keeps it with the key."""
        return self.status == 402 or 200 <= self.status < 300

    def view(self) -> dict[str, object]:
        """The body, read."""
        view: dict[str, object] = msgspec.json.decode(self.body)
        return view


class Log:
    """Intents and answers, in a file to which lines are only added (JSON), and in memory.

    seen          how often each kind of answer came: statuses, and `lost` for a connection that gave none
    newest_s      when the newest intent that has a stored answer was meant, on the monotonic clock
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)
        self.path = path
        self.intents: dict[tuple[UUID, str], Intent] = {}
        self.answers: dict[tuple[UUID, str], Definite] = {}
        self.seen: Counter[str] = Counter()
        self.newest_s = 0.0
        self._meant_s: dict[tuple[UUID, str], float] = {}

    def intend(self, intent: Intent) -> None:
        """Write down what is about to be sent."""
        line = {
            "intent": intent.key,
            "caller": str(intent.caller.id),
            "path": intent.path,
            "body": intent.body,
        }
        self._write(line)
        self.intents[intent.name] = intent
        self._meant_s[intent.name] = time.monotonic()

    def saw(self, caller: Caller, attempt: Attempt) -> None:
        """Write down what came back of one sending."""
        key = attempt.call.key
        line = {
            "answer": key,
            "caller": str(caller.id),
            "attempt": attempt.number,
            "status": attempt.status,
            "body": attempt.body.decode("utf-8", errors="replace"),
            "failure": attempt.failure,
        }
        self._write(line)
        self.seen["sent"] += 1
        self.seen["lost" if attempt.failure is not None else str(attempt.status)] += 1

    def believe(self, intent: Intent, definite: Definite) -> None:
        """Keep a definite outcome. The first one stands: another for the same key is what A0 looks for."""
        self.answers.setdefault(intent.name, definite)
        if definite.is_stored:
            self.newest_s = max(self.newest_s, self._meant_s[intent.name])

    def unresolved(self) -> list[Intent]:
        """Intents whose outcome nobody knows."""
        return [intent for name, intent in self.intents.items() if name not in self.answers]

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, line: object) -> None:
        self._file.write(msgspec.json.encode(line) + b"\n")


class Fleet:
    """The clients of one proof, over one pool of connections."""

    def __init__(self, url: str, log: Log, patience: Patience = PATIENCE) -> None:
        self.log = log
        self._url = url
        self._patience = patience
        self._clients: dict[UUID, Wufeng] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*(client.close() for client in self._clients.values()))

    async def ask(self, intent: Intent) -> Definite | None:
        """Send an intent until its outcome is definite; None when the client's patience ends before."""
        self.log.intend(intent)
        definite = await self.send(intent)
        if definite is not None:
            self.log.believe(intent, definite)
        return definite

    async def send(self, intent: Intent) -> Definite | None:
        """The same without writing down that it is wanted: an intent that is in the log already, sent again."""
        call = Call(method="POST", path=intent.path, body=intent.body, repeat=Repeat.KEYED, key=intent.key)
        try:
            reply = await self._client(intent.caller).send(call)
        except ApiProblem as problem:
            return Definite(problem.status, b"", str(problem.code))
        except OutcomeUnknown:
            return None
        return Definite(reply.status, reply.body)

    async def send_once(
        self, http: httpx.AsyncClient, intent: Intent, content: bytes | None = None
    ) -> Definite | None:
        """One sending and whatever comes back, without any patience; None when nothing does.

        content  other bytes than the intent's own body, under its key
        """
        headers = {
            "Authorization": f"Bearer {intent.caller.token}",
            "Idempotency-Key": intent.key,
            "Content-Type": "application/json",
            "Accept-Language": "en",
        }
        try:
            content = msgspec.json.encode(intent.body) if content is None else content
            response = await http.post(self._url + intent.path, content=content, headers=headers)
        except httpx.TransportError:
            return None
        code = None
        if response.status_code >= 400 and response.status_code != 402:
            code = str(msgspec.json.decode(response.content).get("code", ""))
        return Definite(response.status_code, response.content, code)

    async def settle(self) -> int:
        """Send again what is not known yet, once more with full patience; returns how many stay unknown."""
        for intent in self.log.unresolved():
            definite = await self.send(intent)
            if definite is not None:
                self.log.believe(intent, definite)
        return len(self.log.unresolved())

    def _client(self, caller: Caller) -> Wufeng:
        if caller.id not in self._clients:
            self._clients[caller.id] = Wufeng(
                self._url,
                caller.token,
                patience=self._patience,
                watch=lambda attempt: self.log.saw(caller, attempt),
            )
        return self._clients[caller.id]
