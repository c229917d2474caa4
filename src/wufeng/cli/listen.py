"""`wufeng listen`: shows events as they happen, and forwards them to a receiver under development as a webhook would.

It polls the event feed, so it needs no address that the server could reach, and no endpoint: it is one's own machine
that calls. Order and bytes are those of webhooks; a receiver that fails is shown, not asked again.
"""

import asyncio
import base64
import contextlib
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, Self

import httpx
import msgspec
import typer
from msgspec import Raw, Struct
from rich.text import Text

from wufeng.base.clock import SystemClock
from wufeng.base.config import load_settings
from wufeng.base.errors import Code, ConfigurationError, Problem
from wufeng.base.webhooks import new_secret, signed_headers
from wufeng.base.webhooks.rules import check_url
from wufeng.cli.output import AsJson, amount, console, print_line
from wufeng.cli.running import run
from wufeng.client import LATEST, ApiProblem, Event, EventPage, OutcomeUnknown, Patience, Wufeng

FIRST = "first"
FORWARD_MAX_S = 30.0
AWAY_PAUSE_S = 1.0
_GOOD = frozenset(
    {"paid", "captured", "posted", "opened", "accepted", "authorised", "receipt_confirmed", "offered"}
)
_BAD = frozenset({"declined", "failed", "overdue", "suspended", "reversed", "frozen"})


class Forwarded(Struct, frozen=True):
    """What the receiver made of an event: its status, or why there is none."""

    status: int | None
    failure: str | None
    took_ms: int

    @property
    def is_taken(self) -> bool:
        """Whether a webhook would count as delivered."""
        return self.status is not None and 200 <= self.status < 300


def command(
    key: Annotated[
        str, typer.Option("--key", envvar="WUFENG_API_KEY", help="A platform's or a merchant's API key.")
    ],
    forward_to: Annotated[
        str | None, typer.Option(help="Send each event to this URL, signed as a webhook.")
    ] = None,
    secret: Annotated[
        str | None, typer.Option(help="Sign with this secret (whsec_…); without it one is made and shown.")
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="Where the API is; without it, where the settings say.")
    ] = None,
    types: Annotated[str, typer.Option(help="Only these event types, with commas between them.")] = "",
    after: Annotated[
        str | None, typer.Option(help="Go on after this cursor; `first`: from the first event.")
    ] = None,
    cursor_file: Annotated[
        Path | None, typer.Option(help="Keep the cursor in this file, and go on from it the next time.")
    ] = None,
    poll_s: Annotated[float, typer.Option(min=0.05, max=60.0, help="How often to ask, in seconds.")] = 1.0,
    as_json: AsJson = False,
) -> None:
    """Show events as they happen and forward them while developing. Ctrl-C ends."""
    work = _Listener(
        wufeng=Wufeng(url or _own_url(), key, patience=Patience(deadline_s=5.0, attempt_s=5.0)),
        forwarder=None if forward_to is None else Forwarder(forward_to, secret),
        types=tuple(name for name in types.split(",") if name),
        cursor_file=cursor_file,
        poll_s=poll_s,
        as_json=as_json,
    )
    run(_until_stopped(work.run(_start(after, cursor_file))))
    if work.after is not None:
        sys.stderr.write(f"To go on from here: --after {work.after}\n")


def _own_url() -> str:
    settings = load_settings()
    return f"http://{settings.host}:{settings.port}"


def _start(after: str | None, cursor_file: Path | None) -> str | None:
    """The cursor to begin at; None: the first event."""
    if after is None and cursor_file is not None and cursor_file.is_file():
        after = cursor_file.read_text(encoding="utf-8").strip()
    return None if after == FIRST else after or LATEST


async def _until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Run until the work ends or the process is asked to end, which is how this command ends well."""
    task = asyncio.ensure_future(work)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


class Forwarder:
    """Sends events to one receiver, signed. Also to this machine: it is the developer's own call."""

    def __init__(self, url: str, secret: str | None) -> None:
        try:
            check_url(url, plain_http=True)
        except Problem as problem:
            raise ConfigurationError(f"--forward-to: {problem.detail}") from None
        self.url = url
        self.secret = new_secret() if secret is None else _checked(secret)
        self._clock = SystemClock()
        self._http = httpx.AsyncClient(timeout=FORWARD_MAX_S, trust_env=False)

    async def send(self, event: Event) -> Forwarded:
        """Send once, and say what came of it."""
        loop = asyncio.get_running_loop()
        began_s, status, failure = loop.time(), None, None
        try:
            headers = signed_headers(self.secret, event.id, self._clock.now(), event.raw)
            response = await self._http.post(self.url, content=event.raw, headers=headers)
            status = response.status_code
        except httpx.TransportError as error:
            failure = f"{type(error).__name__}: {error}"
        return Forwarded(status, failure, round((loop.time() - began_s) * 1000))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()


def _checked(secret: str) -> str:
    prefix, _, text = secret.partition("_")
    try:
        if prefix == "whsec" and base64.b64decode(text, validate=True):
            return secret
    except ValueError:
        pass
    raise ConfigurationError("--secret: whsec_ and base 64 are expected")


class _Listener:
    """One run of the command. `after` is the cursor behind all that has been shown."""

    def __init__(
        self,
        *,
        wufeng: Wufeng,
        forwarder: Forwarder | None,
        types: tuple[str, ...],
        cursor_file: Path | None,
        poll_s: float,
        as_json: bool,
    ) -> None:
        self.after: str | None = None
        self._wufeng = wufeng
        self._forwarder = forwarder
        self._types = types
        self._cursor_file = cursor_file
        self._poll_s = poll_s
        self._as_json = as_json

    async def run(self, start: str | None) -> None:
        """Listen until cancelled. Raises Problem for what the API refuses for good, such as a wrong key."""
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(self._wufeng)
            if self._forwarder is not None:
                await stack.enter_async_context(self._forwarder)
            self._greet()
            while True:
                page = await self._page(start if self.after is None else self.after)
                if page is None:
                    await asyncio.sleep(AWAY_PAUSE_S)
                    continue
                for event in page.events:
                    self._show(event, None if self._forwarder is None else await self._forwarder.send(event))
                self._keep(page.next)
                if not page.has_more:
                    await asyncio.sleep(self._poll_s)

    async def _page(self, after: str | None) -> EventPage | None:
        """The next page; None when the server is away or busy, which passes."""
        try:
            return await self._wufeng.events.page(after, self._types)
        except OutcomeUnknown as away:
            self._tell(f"The server does not answer ({away.reason}); asking again.", "yellow")
        except ApiProblem as problem:
            if problem.status not in (429, 503):
                code = problem.code if isinstance(problem.code, Code) else Code.MALFORMED
                raise Problem(code, problem.detail, errors=problem.errors) from None
            self._tell(f"The server is busy ({problem.code}); asking again.", "yellow")
        return None

    def _keep(self, cursor: str) -> None:
        if cursor == self.after:
            return
        self.after = cursor
        if self._cursor_file is not None:
            fresh = self._cursor_file.with_name(self._cursor_file.name + ".new")
            fresh.write_text(cursor + "\n", encoding="utf-8")
            fresh.replace(self._cursor_file)

    def _greet(self) -> None:
        self._tell("Listening; Ctrl-C ends.", "dim")
        if self._forwarder is not None:
            self._tell(f"Forwarding to {self._forwarder.url}, signed with {self._forwarder.secret}", "dim")

    def _tell(self, text: str, style: str) -> None:
        """What is no event: for people only, so that every line of JSON is one."""
        if self._as_json:
            sys.stderr.write(text + "\n")
        else:
            print_line(text, style)

    def _show(self, event: Event, forwarded: Forwarded | None) -> None:
        if self._as_json:
            line = msgspec.json.encode({"event": Raw(event.raw), "forwarded": forwarded})
            sys.stdout.write(line.decode() + "\n")
            sys.stdout.flush()
        else:
            console().print(event_line(event, forwarded))


def event_line(event: Event, forwarded: Forwarded | None = None) -> Text:
    """One event for a terminal: when, what, of which object, how much, and what the receiver said."""
    data = event.data
    line = Text(f"{data.get('business_date', '')} {event.timestamp:%H:%M:%S}  ", "dim")
    line.append(f"{event.type:<24}", _style(event.type))
    line.append(f"  {data.get('id', '')}")
    minor, currency = data.get("amount_minor"), data.get("currency")
    if isinstance(minor, int) and isinstance(currency, str):
        line.append(f"  {amount(minor, currency)} {currency}", "bold")
    if forwarded is not None:
        said = forwarded.failure or str(forwarded.status)
        line.append(f"  → {said} ({forwarded.took_ms} ms)", "green" if forwarded.is_taken else "red")
    return line


def _style(type_: str) -> str:
    what = type_.rpartition(".")[2]
    return "green" if what in _GOOD else "red" if what in _BAD else "cyan"
