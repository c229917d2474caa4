"""How a route is declared and run: one table of routes, and one way for every request through them.

    route → body → credential → access rule → query, and what the body says → claim of the Idempotency-Key →
    handler → answer

A route is a value, so the OpenAPI document, the authorisation matrix and the contract test are made from the table
that serves. The way through is short because a payment pays for every microsecond of it; what is no route goes on to
the reference.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl
from uuid import UUID

import asyncpg
import msgspec
import structlog
from msgspec import Struct

from wufeng.api.bodies import problem_of_body, refuse_nul
from wufeng.base.books import Book
from wufeng.base.claims import Answer, KeyClaim, claim_key, load_claims
from wufeng.base.database import LOST
from wufeng.base.errors import Code, ConfigurationError, Problem, invalid_field, not_found
from wufeng.base.ids import Prefix, decode, encode
from wufeng.base.problems import PROBLEM_TYPE, problem_body
from wufeng.base.receiving import Receive, receive_body
from wufeng.identity import RULES, Caller, decide_access
from wufeng.identity.places import Place, client_address, read_ranges
from wufeng.services import Services

log = structlog.get_logger("wufeng.api")

VERSION = "2026-11-01"
"""The one shape of answers there is; `Wufeng-Version` pins it."""

BODY_MAX_BYTES = 65_536
KEY_MAX = 255
IN_FLIGHT_MAX = 1_024
"""Requests of one caller under way at a time; one more is 429."""

NEVER_HASHED = frozenset({"proof", "pay_code", "pin", "code", "password"})
"""Fields that prove something: a key's digest leaves them out, and nothing stores them."""

ANY_SITE = ((b"access-control-allow-origin", b"*"),)
PREFLIGHT = (
    *ANY_SITE,
    (b"access-control-allow-methods", b"GET"),
    (b"access-control-allow-headers", b"wufeng-book, wufeng-version"),
    (b"access-control-max-age", b"86400"),
)
"""What a browser is told before a script of another site asks with headers of ours (https://fetch.spec.whatwg.org)."""

_ANY = "*"  # an id stands here
_HERE = ""  # a path ends here

B = TypeVar("B")
Q = TypeVar("Q")
Scope = Mapping[str, Any]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]


class Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    """A call without a body, or without parameters."""


class Call(Generic[B, Q]):
    """One request on its way, as a handler gets it.

    book   the caller's, or of a public call the one that it names; with its clock as it stood a moment ago
    at     the instant on that book's clock, read once, when all of the request was there
    claim  of the Idempotency-Key; None where the route asks for none
    operation  the route's id, for the audit
    client the address that it came from, as far as the server knows
    format the media type that Accept asks for, of those that the route has; None: JSON
    """

    __slots__ = (
        "at",
        "authorization",
        "body",
        "book",
        "caller_or_none",
        "claim",
        "client",
        "format",
        "language",
        "operation",
        "path",
        "query",
        "request_id",
        "services",
    )

    def __init__(
        self,
        services: Services,
        caller: Caller | None,
        book: Book,
        path: Mapping[str, str],
        language: str,
        authorization: str | None,
        request_id: str,
        at: datetime,
    ) -> None:
        self.services = services
        self.caller_or_none = caller
        self.book = book
        self.path = path
        self.language = language
        self.authorization = authorization
        self.request_id = request_id
        self.at = at
        self.body: B
        self.query: Q
        self.claim: KeyClaim | None = None
        self.operation = ""
        self.client: str | None = None
        self.format: str | None = None

    @property
    def place(self) -> Place:
        """Where the request comes from, for the counts of tries."""
        caller = self.caller_or_none
        if caller is None:
            return Place(self.client)
        return Place(self.client, caller.device_id, caller.device_trusted)

    @property
    def caller(self) -> Caller:
        """Who calls. Asserts that the route is not public."""
        assert self.caller_or_none is not None, "a public route has no caller"
        return self.caller_or_none

    def path_id(self, prefix: Prefix, what: str, name: str = "id") -> UUID:
        """The id in the path. One that cannot be is an absent object: not_found."""
        try:
            return decode(prefix, self.path[name])
        except ValueError:
            raise not_found(what) from None


Handle = Callable[[Any], Awaitable[Answer]]


class Route(Struct, frozen=True, kw_only=True):
    """One call of the API.

    operation  its id, and the key of its access rule
    body       what it takes; query: its parameters
    answers    the type of its body by status; None: no schema (other formats)
    keyed      whether it needs an Idempotency-Key: it moves money or opens credit
    formats    other media types that a GET answers by `Accept`; media_type: what it answers otherwise
    any_site   whether scripts of other sites may read its answers: public prices, and nothing of anybody
    """

    method: str
    path: str
    operation: str
    summary: str
    handle: Handle
    body: type = Nothing
    query: type = Nothing
    answers: Mapping[int, Any]
    keyed: bool = False
    formats: tuple[str, ...] = ()
    media_type: str = "application/json"
    any_site: bool = False


def reply(view: Any, status: int = 200, object_id: UUID | None = None) -> Answer:
    """An answer from a view."""
    return Answer(status, msgspec.json.encode(view), object_id)


class Page(Struct, frozen=True, kw_only=True):
    """Where a list stops: the last id shown and whether more follow."""

    next: str | None
    has_more: bool


def reply_list(views: Sequence[Any], limit: int) -> Answer:
    """A page: of `limit` + 1 rows asked for, the last tells only that there are more."""
    shown = list(views[:limit])
    more = len(views) > limit
    return reply({"data": shown, "next": shown[-1].id if more else None, "has_more": more})


class _Resource:
    """All routes of one path."""

    def __init__(self) -> None:
        self.by_method: dict[str, _Served] = {}

    @property
    def any_site(self) -> bool:
        """Whether scripts of other sites may ask here."""
        return any(served.route.any_site for served in self.by_method.values())

    def add(self, route: Route) -> None:
        assert route.method not in self.by_method, f"two routes are {route.method} {route.path}"
        self.by_method[route.method] = _Served(route)


class _Served:
    """A route ready to serve: its decoder and its rule at hand."""

    __slots__ = ("decoder", "has_body", "has_query", "operation", "route", "rule")

    def __init__(self, route: Route) -> None:
        self.route = route
        self.rule = RULES[route.operation]
        self.decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(route.body)
        self.has_body = route.method in ("POST", "PUT", "PATCH") and route.body is not Nothing
        self.has_query = route.query is not Nothing
        self.operation = route.operation


class Api:
    """The table of routes, served: an ASGI application that hands every other address on to `otherwise`."""

    def __init__(self, services: Services, routes: Sequence[Route], otherwise: Application) -> None:
        self._services = services
        self._otherwise = otherwise
        self._tree: dict[str, Any] = {}
        self._in_flight: dict[UUID, int] = {}
        for route in routes:
            node = self._tree
            for part in route.path.split("/")[1:]:
                node = node.setdefault(_ANY if part.startswith("{") else part, {})
            node.setdefault(_HERE, _Resource()).add(route)

    def _find(self, path: str) -> tuple["_Resource | None", Mapping[str, str]]:
        """The resource of a path, and its parameter: every path has one at most, an id."""
        node: dict[str, Any] = self._tree
        values: dict[str, str] = {}
        for part in path.split("/")[1:]:
            child = node.get(part)
            if child is None:
                child = node.get(_ANY)
                if child is None or not part:
                    return None, values
                values["id"] = part
            node = child
        return node.get(_HERE), values

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        resource, path = self._find(scope["path"])
        if resource is None:
            await self._otherwise(scope, receive, send)
            return
        clock = self._services.clock
        at = clock.now()
        request_id = encode(Prefix.REQUEST, self._services.ids.new_anywhere(at))
        served = resource.by_method.get(scope["method"])
        extra: tuple[tuple[bytes, bytes], ...] = ()
        if served is None and scope["method"] == "OPTIONS" and resource.any_site:
            await respond(send, Answer(200, b""), "text/plain", request_id, PREFLIGHT)
            return
        if served is not None and served.route.any_site:
            extra = ANY_SITE
        try:
            if served is None:
                allow = ", ".join(sorted(resource.by_method))
                extra = ((b"allow", allow.encode()),)
                raise Problem(Code.METHOD_NOT_ALLOWED, f"It takes {allow}.")
            answer, media_type = await self._answer(served, path, scope, receive, request_id)
        except Problem as problem:
            if problem.code is Code.INTERNAL:
                log.error("a command failed", request_id=request_id, exc_info=problem.__cause__ or problem)
            if problem.retry_after_s is not None:
                extra = (*extra, (b"retry-after", str(problem.retry_after_s).encode()))
            answer, media_type = Answer(problem.status, problem_body(problem, request_id)), PROBLEM_TYPE
        except Exception as error:  # the edge: what nobody foresaw is logged, and told without its inside
            log.error(
                "a request failed",
                request_id=request_id,
                operation=served and served.operation,
                exc_info=error,
            )
            mistake = _problem_of(error)
            if mistake.retry_after_s is not None:
                extra = (*extra, (b"retry-after", str(mistake.retry_after_s).encode()))
            answer, media_type = Answer(mistake.status, problem_body(mistake, request_id)), PROBLEM_TYPE
        self._services.metrics.request(
            served.operation if served else "none", answer.status, (clock.now() - at).total_seconds()
        )
        await respond(send, answer, media_type, request_id, extra)

    async def _answer(
        self, served: _Served, path: Mapping[str, str], scope: Scope, receive: Receive, request_id: str
    ) -> tuple[Answer, str]:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        services = self._services
        sent = await receive_body(headers, receive, BODY_MAX_BYTES) if served.has_body else b""
        authorization = headers.get(b"authorization")
        address = _address(services, scope, headers)
        caller: Caller | None = None
        if not served.rule.reach.public:
            caller = await services.authenticator.authenticate(
                authorization.decode("latin-1") if authorization is not None else None, address
            )
        if (refused := decide_access(served.rule, caller)) is not None:
            raise refused
        book = caller.book if caller is not None else self._public_book(headers)
        call: Call[Any, Any] = Call(
            services,
            caller,
            book,
            path,
            _language(headers),
            authorization.decode("latin-1") if authorization is not None else None,
            request_id,
            book.at(services.clock),
        )
        call.operation = served.operation
        call.client = address
        _check_version(headers)
        call.query = (
            _query(served, scope["query_string"]) if served.has_query or scope["query_string"] else Nothing()
        )
        call.body = _body(served, headers, sent) if served.has_body else Nothing()
        if served.route.keyed:
            call.claim = _claim(services, call, served, scope["path"], headers)
        if served.route.formats:
            call.format = _accepted(headers, served.route.formats)
        if caller is None:
            answer = await served.route.handle(call)
        else:
            with _Slot(self._in_flight, caller.id):
                answer = await _handled(served.route.handle, call)
        return answer, _media_type(answer, call.format or served.route.media_type)

    def _public_book(self, headers: Mapping[bytes, bytes]) -> Book:
        name = headers.get(b"wufeng-book")
        book = self._services.public_book(name.decode("latin-1") if name is not None else None)
        if book is None:
            raise Problem(
                Code.NOT_FOUND, "There is no such book: leave Wufeng-Book out, or name one that exists."
            )
        return book


async def _handled(handle: Handle, call: Call[Any, Any]) -> Answer:
    """The answer to a call; a repeated one has its first answer, whatever it would be refused for by now.

    What a handler looks at before the lane may have changed since: a quote has expired, a campaign's days are over. The
    key is looked up when it refuses, not before, so that a payment pays for no statement more. Trouble that passes is
    told as it is: it says nothing of the request, and a full server is not asked twice.
    """
    try:
        return await handle(call)
    except Problem as problem:
        if call.claim is None or problem.retry_after_s is not None:
            raise
        try:
            stored = await stored_answer(call)
        except Problem:  # another request's key: what is not there for its caller is not there by any key
            if problem.code is Code.NOT_FOUND:
                raise problem from None
            raise
        if stored is None:
            raise
        return stored


async def stored_answer(call: Call[Any, Any]) -> Answer | None:
    """The answer of a key that comes again; None: it is new. Refuses (raises) a key that came with another request."""
    assert call.claim is not None, "only a call with a key is known again"
    async with call.services.database.read() as db:
        claimed = (await load_claims(db, call.book, [call.claim.id])).get(call.claim.id)
    if claimed is None or claimed.answer is None:
        return None
    if (problem := call.claim.problem_if_other(claimed.digest)) is not None:
        raise problem
    return claimed.answer


class _Slot:
    """One request of a caller under way."""

    __slots__ = ("caller_id", "in_flight")

    def __init__(self, in_flight: dict[UUID, int], caller_id: UUID) -> None:
        self.in_flight = in_flight
        self.caller_id = caller_id

    def __enter__(self) -> None:
        count = self.in_flight.get(self.caller_id, 0)
        if count >= IN_FLIGHT_MAX:
            raise Problem(Code.RATE_LIMITED, f"{count} requests of yours are under way.", retry_after_s=1)
        self.in_flight[self.caller_id] = count + 1

    def __exit__(self, *_: object) -> None:
        left = self.in_flight[self.caller_id] - 1
        if left:
            self.in_flight[self.caller_id] = left
        else:
            del self.in_flight[self.caller_id]


async def respond(
    send: Send,
    answer: Answer,
    media_type: str,
    request_id: str,
    extra: Sequence[tuple[bytes, bytes]] = (),
) -> None:
    """Send an answer. Nothing of the API may be kept by a cache or read as anything but what it says."""
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [
                (b"content-type", media_type.encode()),
                (b"content-length", str(len(answer.body)).encode()),
                (b"request-id", request_id.encode()),
                (b"cache-control", b"no-store"),
                (b"x-content-type-options", b"nosniff"),
                *extra,
            ],
        }
    )
    await send({"type": "http.response.body", "body": answer.body})


def _problem_of(error: Exception) -> Problem:
    """What is told of an error that no handler foresaw; a database that went away is no mistake, and comes back.

    A lock that was not given has rolled the call's own transaction back; lanes tell of theirs themselves, and no call
    with a key writes after its lane. What was taken before, such as the try of a code, stays taken.
    """
    if isinstance(error, (asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError)):
        return Problem(
            Code.OVERLOADED, "A row it needs is held by another. Nothing was done.", retry_after_s=1
        )
    if isinstance(error, (ConfigurationError, asyncpg.InterfaceError, *LOST)):
        gone = "The database went away. Ask again with the same key."
        return Problem(Code.OUTCOME_UNKNOWN, gone, retry_after_s=1)
    return Problem(Code.INTERNAL, "The server made a mistake. Ask again with the same key.")


def _address(services: Services, scope: Scope, headers: Mapping[bytes, bytes]) -> str | None:
    """The address of whoever called, behind the proxies that the settings trust."""
    peer = (scope.get("client") or (None,))[0]
    forwarded = headers.get(b"x-forwarded-for", b"").decode("latin-1")
    return client_address(peer, forwarded, read_ranges(services.settings.trusted_proxies))


def _language(headers: Mapping[bytes, bytes]) -> str:
    """`zh` or `en`: the first of the two that Accept-Language names; Chinese when it names neither."""
    wanted = headers.get(b"accept-language", b"").decode("latin-1").lower()
    for part in wanted.split(","):
        if part.strip().startswith(("zh", "en")):
            return part.strip()[:2]
    return "zh"


def _check_version(headers: Mapping[bytes, bytes]) -> None:
    asked = headers.get(b"wufeng-version")
    if asked is not None and asked.decode("latin-1") != VERSION:
        raise Problem(Code.MALFORMED, f"Wufeng-Version: this server speaks {VERSION}.")


def _query(served: _Served, raw: bytes) -> Any:
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, strict_parsing=False, errors="strict")
    except UnicodeDecodeError:
        raise Problem(Code.MALFORMED, "The query string is not UTF-8, percent-encoded.") from None
    values: dict[str, str] = {}
    for name, value in pairs:
        if name in values:
            raise invalid_field(name, "It is given twice.")
        if "\0" in value or "\0" in name:
            raise invalid_field(name.replace("\0", ""), "It holds a NUL character.")
        values[name] = value
    try:
        return msgspec.convert(values, served.route.query, strict=False)
    except msgspec.ValidationError as error:
        raise problem_of_body(error, is_query=True) from None


def _body(served: _Served, headers: Mapping[bytes, bytes], raw: bytes) -> Any:
    content_type = headers.get(b"content-type", b"application/json").split(b";")[0].strip().lower()
    if content_type != b"application/json":
        raise Problem(Code.UNSUPPORTED_MEDIA_TYPE, "Send application/json.")
    try:
        decoded = served.decoder.decode(raw or b"{}")
    except msgspec.ValidationError as error:
        raise problem_of_body(error) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(Code.MALFORMED, f"The body is not JSON in UTF-8: {_first_line(error)}.") from None
    refuse_nul(raw, decoded)
    return decoded


def _first_line(error: BaseException) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start} is no UTF-8"
    return str(error).splitlines()[0][:120]


def _claim(
    services: Services, call: Call[Any, Any], served: _Served, path: str, headers: Mapping[bytes, bytes]
) -> KeyClaim:
    key = headers.get(b"idempotency-key")
    if key is None:
        raise Problem(
            Code.IDEMPOTENCY_KEY_MISSING,
            "Give each money call an Idempotency-Key of its own; repeat it to ask again.",
        )
    text = key.decode("latin-1")
    if not 1 <= len(text) <= KEY_MAX or not text.isprintable():
        raise Problem(Code.MALFORMED, f"An Idempotency-Key has 1 to {KEY_MAX} printable characters.")
    request: dict[str, object] = msgspec.to_builtins(call.body)
    return claim_key(
        services.vault.claim_pepper,
        call.caller.id,
        text,
        f"{served.route.method} {path}",
        _without_proofs(request),
    )


def _without_proofs(request: dict[str, object]) -> dict[str, object]:
    return {
        name: _without_proofs(value) if isinstance(value, dict) else value
        for name, value in request.items()
        if name not in NEVER_HASHED
    }


def _media_type(answer: Answer, wanted: str) -> str:
    is_problem = answer.status >= 400 and answer.status != 402  # a stored one: 409 state_conflict
    return PROBLEM_TYPE if is_problem else wanted


def _accepted(headers: Mapping[bytes, bytes], formats: Sequence[str]) -> str | None:
    accept = headers.get(b"accept", b"").decode("latin-1").lower()
    return next((format_ for format_ in formats if format_ in accept), None)
