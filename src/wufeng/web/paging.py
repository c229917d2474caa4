"""How a page is declared and served: one table of pages, and one way for every request through them.

    page → same site? → form → cookie → access rule → what the form says → handler → HTML

A page is a value, so the matrix of who may see what is made from the table that serves. Whatever changes something is
a call of the API in this process, with the visitor's own credential: pages can do nothing that the API would refuse.
"""

import asyncio
import contextlib
import gzip
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit
from uuid import UUID

import structlog
from msgspec import Struct

from wufeng.base.books import Book
from wufeng.base.errors import Code, Problem, not_found
from wufeng.base.ids import Prefix, decode, encode
from wufeng.base.receiving import receive_body
from wufeng.client import ApiProblem, OutcomeUnknown, Wufeng
from wufeng.identity import PAGE_RULES, Caller, decide_access
from wufeng.identity.openid.provider import Providers
from wufeng.identity.places import client_address, read_ranges
from wufeng.services import Services
from wufeng.web.notices import Notices
from wufeng.web.render import Renderer
from wufeng.web.texts import LANGUAGES, Formats, translations

log = structlog.get_logger("wufeng.web")

FORM_MAX_BYTES = 32_768
COOKIE_LASTS_S = 90 * 24 * 3600

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"referrer-policy", b"same-origin"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(self), geolocation=(), microphone=(), payment=()"),
)


class Door(StrEnum):
    """Which app a page belongs to: each has a cookie and a sign-in of its own."""

    CONSUMER = "person"
    MERCHANT = "merchant"
    CONSOLE = "staff"

    @property
    def cookie(self) -> str:
        """The cookie with the credential."""
        return f"wufeng_{self.value}"

    @property
    def home(self) -> str:
        """The app's first page."""
        return {"person": "/app", "merchant": "/merchant", "staff": "/console"}[self.value]

    @property
    def sign_in(self) -> str:
        """Where one who is not signed in goes."""
        return {"person": "/app/sign-in", "merchant": "/merchant/sign-in", "staff": "/console/sign-in"}[
            self.value
        ]


class Reply(Struct, frozen=True, kw_only=True):
    """What a page answers. `stream`: pieces that follow while the page is open."""

    status: int = 200
    body: bytes = b""
    media_type: str = "text/html; charset=utf-8"
    headers: tuple[tuple[bytes, bytes], ...] = ()
    stream: AsyncIterator[bytes] | None = None


Handle = Callable[["Visit"], Awaitable[Reply]]


class Page(Struct, frozen=True, kw_only=True):
    """One page, or one form's target. `operation` names its access rule (identity/access.py).

    raw  takes a body of any kind from anywhere, as `Visit.raw`: what comes proves itself
    """

    method: str
    path: str
    operation: str
    door: Door
    handle: Handle
    raw: bool = False


def pages_of(door: Door) -> Callable[[str, str, str, Handle], Page]:
    """A short way to write an app's table: page("GET", "/app", "app_home", home)."""

    def page(method: str, path: str, operation: str, handle: Handle) -> Page:
        return Page(method=method, path=path, operation=operation, door=door, handle=handle)

    return page


class Site(Struct, frozen=True, kw_only=True):
    """What all pages share. `api` calls the API in this process, by language; `notices` are the demo shop's.

    providers  who else signs people in, by book
    """

    services: Services
    renderer: Renderer
    api: Mapping[str, Wufeng]
    notices: Notices
    providers: Providers


class Visit:
    """One request on its way, as a page's handler gets it.

    book    the caller's; of a public page the one that was looked at last, else the first
    at      the instant on that book's clock, when all of the request was there
    token   the visitor's credential; None: nobody is signed in
    address where the visitor comes from, behind the proxies that the settings trust; None: it is not known
    form    the fields of a POST, or the parameters of a GET; a field given twice is refused
    raw     the body of a page that takes it as it comes
    """

    def __init__(
        self,
        site: Site,
        page: Page,
        headers: Mapping[bytes, bytes],
        cookies: Mapping[str, str],
        path: str,
        query: str,
        values: Mapping[str, str],
        language: str,
        request_id: str,
    ) -> None:
        self.site = site
        self.page = page
        self.headers = headers
        self.cookies = cookies
        self.path = path
        self.query = query
        self.values = values
        self.language = language
        self.request_id = request_id
        self.caller_or_none: Caller | None = None
        self.token: str | None = None
        self.address: str | None = None
        self.form: Mapping[str, str] = {}
        self.raw = b""
        self.book: Book
        self.at: datetime
        self.formats: Formats
        self._set_cookies: list[tuple[bytes, bytes]] = []

    @property
    def services(self) -> Services:
        """The parts of the running process."""
        return self.site.services

    @property
    def caller(self) -> Caller:
        """Who visits. Asserts that the page is not public."""
        assert self.caller_or_none is not None, "a public page has no caller"
        return self.caller_or_none

    @property
    def api(self) -> Wufeng:
        """The API, called as the visitor; its public calls are for the visit's book."""
        api = self.site.api[self.language].as_caller(self.token).in_book(self.book.name)
        return api if self.address is None else api.from_address(self.address)

    def in_book(self, book: Book) -> None:
        """Stand in a book: its clock, its time zone."""
        self.book = book
        self.at = book.at(self.services.clock)
        self.formats = Formats(self.language, book.time_zone)

    def gettext(self, message: str) -> str:
        """A message in the visitor's language."""
        return translations(self.language).gettext(message)

    def path_id(self, prefix: Prefix, what: str) -> UUID:
        """The id in the path. One that cannot be is an absent object: not_found."""
        try:
            return decode(prefix, self.values["id"])
        except ValueError:
            raise not_found(what) from None

    def field(self, name: str) -> str:
        """A field of the form; one that is missing is empty."""
        return self.form.get(name, "").strip()

    def onward(self, otherwise: str | None = None) -> str:
        """Where the visitor was going: `next`, if it is of this site; else `otherwise`, else the app's home."""
        return local_path(self.field("next"), otherwise or self.page.door.home)

    def key(self) -> str:
        """The form's own Idempotency-Key: made when the form was shown, so sending it twice is sending it once."""
        key = self.field("key")
        if not 16 <= len(key) <= 64 or not key.isalnum():
            raise Problem(Code.MALFORMED, "The form lacks its key: load the page again.")
        return key

    def show(self, template: str, status: int = 200, **context: Any) -> Reply:
        """A page from a template."""
        text = self.site.renderer(template, self.language, {**self._context(), **context})
        return Reply(status=status, body=text.encode(), headers=tuple(self._set_cookies))

    def go(self, path: str) -> Reply:
        """Look at another page of this site: a GET, whatever this was."""
        return Reply(status=303, headers=((b"location", path.encode("ascii")), *self._set_cookies))

    def leave(self, url: str) -> Reply:
        """Go to another site: to an address that this installation is configured with, never one that came in."""
        return Reply(status=303, headers=((b"location", url.encode("ascii")), *self._set_cookies))

    def set_cookie(self, name: str, value: str, lasts_s: int = COOKIE_LASTS_S) -> None:
        """Have the browser keep a value: not for scripts, and not sent along by other sites' forms."""
        forwarded = self.headers.get(b"x-forwarded-proto", b"").decode("latin-1")
        secure = "; Secure" if forwarded == "https" else ""
        cookie = f"{name}={value}; Path=/; Max-Age={lasts_s}; HttpOnly; SameSite=Lax{secure}"
        self._set_cookies.append((b"set-cookie", cookie.encode("latin-1")))

    def drop_cookie(self, name: str) -> None:
        """Have the browser forget a value."""
        self.set_cookie(name, "", 0)

    @property
    def here(self) -> str:
        """Where this page can be looked at again: its address; of a form's answer the page that the form stood on."""
        if self.page.method != "POST":
            return f"{self.path}?{self.query}" if self.query else self.path
        referer = urlsplit(self.headers.get(b"referer", b"").decode("latin-1"))
        back = f"{referer.path}?{referer.query}" if referer.query else referer.path
        return local_path(back, self.page.door.home)

    def _context(self) -> dict[str, Any]:
        formats, provider = self.formats, self.site.providers.of(self.book)
        return {
            "money": formats.money,
            "number": formats.number,
            "symbol": formats.symbol,
            "percent": formats.percent,
            "daily": formats.daily,
            "share": formats.share,
            "count": formats.count,
            "day": formats.day,
            "long_day": formats.long_day,
            "day_of": formats.day_of,
            "moment": formats.moment,
            "currency": self.book.currency,
            "test_book": self.book.mode.value == "test",
            "path": self.path,
            "here": self.here,
            "door": self.page.door.value,
            "signed_in": self.caller_or_none is not None,
            "new_key": secrets.token_hex(16),
            "openid": provider.setting.name if provider is not None else None,
        }


def local_path(text: str, otherwise: str) -> str:
    """A path of this site that somebody gave; anything that could lead elsewhere gives `otherwise`."""
    parts = urlsplit(text)
    plain = text.isascii() and text.isprintable() and "\\" not in text
    if not plain or parts.scheme or parts.netloc or not text.startswith("/") or text.startswith("//"):
        return otherwise
    return text


def _parts(path: str) -> list[str]:
    """A path's parts; the bare address has none."""
    return [] if path == "/" else path.split("/")[1:]


class Pages:
    """The table of pages, served: an ASGI application."""

    def __init__(self, site: Site, pages: Sequence[Page]) -> None:
        self._site = site
        self._tree: dict[str, Any] = {}
        for page in pages:
            node = self._tree
            for part in _parts(page.path):
                node = node.setdefault("*" if part.startswith("{") else part, {})
            assert page.method not in node.setdefault("", {}), f"two pages are {page.method} {page.path}"
            node[""][page.method] = page

    def _find(self, path: str) -> tuple[Mapping[str, Page], Mapping[str, str]]:
        node: dict[str, Any] = self._tree
        values: dict[str, str] = {}
        for part in _parts(path):
            child = node.get(part) if part else None
            if child is None:
                child = node.get("*") if part else None
                if child is None:
                    return {}, values
                values["id"] = part
            node = child
        return node.get("", {}), values

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        """Serve one request."""
        services, path = self._site.services, scope["path"]
        began_at = services.clock.now()
        request_id = encode(Prefix.REQUEST, services.ids.new_anywhere(began_at))
        headers: dict[bytes, bytes] = dict(scope["headers"])
        cookies = _cookies(headers.get(b"cookie", b"").decode("latin-1"))
        methods, values = self._find(path)
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        page = methods.get(method)
        visit = Visit(
            self._site,
            page or NOWHERE,
            headers,
            cookies,
            path,
            scope["query_string"].decode("latin-1"),
            values,
            _language(headers, cookies),
            request_id,
        )
        visit.in_book(_public_book(services, cookies))
        visit.address = client_address(
            (scope.get("client") or (None,))[0],
            headers.get(b"x-forwarded-for", b"").decode("latin-1"),
            read_ranges(services.settings.trusted_proxies),
        )
        try:
            if page is None:
                code = Code.METHOD_NOT_ALLOWED if methods else Code.NOT_FOUND
                raise Problem(code, "There is no such page.")
            reply = await _answer(visit, scope, receive)
        except (Problem, ApiProblem) as problem:
            reply = show_problem(visit, problem)
        except OutcomeUnknown:
            reply = show_problem(visit, Problem(Code.OUTCOME_UNKNOWN, retry_after_s=2))
        except Exception as error:  # the edge: what nobody foresaw is logged, and told without its inside
            log.error("a page failed", request_id=request_id, path=path, exc_info=error)
            reply = show_problem(visit, Problem(Code.INTERNAL))
        took_s = (services.clock.now() - began_at).total_seconds()
        services.metrics.request(page.operation if page else "no_page", reply.status, took_s)
        await _send(send, receive, reply, headers, request_id, with_body=scope["method"] != "HEAD")


async def _answer(visit: Visit, scope: Mapping[str, Any], receive: Any) -> Reply:
    page, services = visit.page, visit.services
    is_post = page.method == "POST"
    if is_post and not page.raw:
        _refuse_cross_site(visit.headers)
    sent = await receive_body(visit.headers, receive, FORM_MAX_BYTES) if is_post else b""
    visit.in_book(visit.book)  # what time it is once the form is there
    visit.token = visit.cookies.get(page.door.cookie) or None
    if visit.token is not None:
        try:
            visit.caller_or_none = await services.authenticator.authenticate(
                f"Bearer {visit.token}", visit.address
            )
        except Problem as problem:
            if problem.code is not Code.UNAUTHENTICATED:
                raise
            visit.token = None
    refused = decide_access(PAGE_RULES[page.operation], visit.caller_or_none)
    if refused is not None and refused.code is Code.UNAUTHENTICATED:
        return _to_sign_in(visit)
    if refused is not None:
        raise refused
    if visit.caller_or_none is not None:
        visit.in_book(visit.caller_or_none.book)
    if page.raw:
        visit.raw = sent
        return await page.handle(visit)
    if is_post:
        _refuse_other_kinds(visit.headers)
    visit.form = _fields(sent if is_post else scope["query_string"])
    return await page.handle(visit)


def _to_sign_in(visit: Visit) -> Reply:
    """Sign in first, then come back: to the page itself, of a form to the page that it stood on."""
    lost = "&lost=1" if visit.page.method == "POST" else ""
    return visit.go(f"{visit.page.door.sign_in}?next={quote(visit.here, safe='/')}{lost}")


def _refuse_cross_site(headers: Mapping[bytes, bytes]) -> None:
    """A form of another site may not be sent here: browsers say where a POST comes from."""
    host = headers.get(b"host", b"").decode("latin-1")
    origin = headers.get(b"origin", b"").decode("latin-1")
    site = headers.get(b"sec-fetch-site", b"").decode("latin-1")
    same = urlsplit(origin).netloc == host if origin and origin != "null" else site == "same-origin"
    if not same or site not in ("", "same-origin"):
        raise Problem(Code.FORBIDDEN, "This form was sent from another site. Nothing was done.")


def _refuse_other_kinds(headers: Mapping[bytes, bytes]) -> None:
    kind = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
    if kind != b"application/x-www-form-urlencoded":
        raise Problem(Code.UNSUPPORTED_MEDIA_TYPE, "A page takes forms.")


def _fields(raw: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, max_num_fields=200, errors="strict")
    except (UnicodeDecodeError, ValueError):
        raise Problem(Code.MALFORMED, "The form could not be read.") from None
    fields: dict[str, str] = {}
    for name, value in pairs:
        if name in fields or "\0" in name or "\0" in value:
            raise Problem(Code.MALFORMED, "The form could not be read.")
        fields[name] = value
    return fields


def show_problem(visit: Visit, problem: Problem | ApiProblem) -> Reply:
    """A page that says what happened, and what it means for the money."""
    return visit.show(
        "problem.html",
        status=problem.status,
        code=str(getattr(problem.code, "value", problem.code)),
        request_id=visit.request_id,
        home=visit.page.door.home,
    )


async def _send(
    send: Any,
    receive: Any,
    reply: Reply,
    headers: Mapping[bytes, bytes],
    request_id: str,
    *,
    with_body: bool,
) -> None:
    body = reply.body
    head = [
        (b"content-type", reply.media_type.encode()),
        (b"request-id", request_id.encode()),
        *HEADERS,
        *reply.headers,
    ]
    if not any(name == b"cache-control" for name, _ in reply.headers):
        head.append((b"cache-control", b"no-store"))
    if reply.stream is not None:
        await send({"type": "http.response.start", "status": reply.status, "headers": head})
        await _send_pieces(send, receive, reply.stream)
        return
    if len(body) > 1_000 and b"gzip" in headers.get(b"accept-encoding", b""):
        body = gzip.compress(body, 4, mtime=0)
        head.append((b"content-encoding", b"gzip"))
    head.append((b"vary", b"accept-encoding, cookie, accept-language"))
    head.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": head})
    await send({"type": "http.response.body", "body": body if with_body else b""})


async def _send_pieces(send: Any, receive: Any, pieces: AsyncIterator[bytes]) -> None:
    """Pieces as they come, until there are no more or nobody listens any longer."""
    sending = asyncio.ensure_future(_all_of(send, pieces))
    left = asyncio.ensure_future(_left(receive))
    try:
        await asyncio.wait({sending, left}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (left, sending):
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sending


async def _all_of(send: Any, pieces: AsyncIterator[bytes]) -> None:
    async for piece in pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _left(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _cookies(header: str) -> dict[str, str]:
    pairs = (part.strip().partition("=") for part in header.split(";"))
    return {name: value for name, _, value in pairs if name}


def _language(headers: Mapping[bytes, bytes], cookies: Mapping[str, str]) -> str:
    """What was chosen; else the first of ours that the browser asks for; else Chinese."""
    chosen = cookies.get("wufeng_language")
    if chosen in LANGUAGES:
        return chosen
    for part in headers.get(b"accept-language", b"").decode("latin-1").lower().split(","):
        if part.strip()[:2] in LANGUAGES:
            return part.strip()[:2]
    return "zh"


def _public_book(services: Services, cookies: Mapping[str, str]) -> Book:
    found = services.public_book(cookies.get("wufeng_book")) or services.public_book(None)
    assert found is not None, "a server is not started without a book"
    return found


async def _nowhere(_: Visit) -> Reply:
    raise not_found("page")


NOWHERE = Page(method="GET", path="/", operation="no_page", door=Door.CONSUMER, handle=_nowhere)
"""Stands in for a page that is not there, so that its absence can be shown."""
