"""A browser's requests without a browser: the pages' ASGI application, asked directly.

Directly, because the tests want what clients hide: raw cookies, a page that streams until its reader goes away,
bytes that no client would send.
"""

import asyncio
import html
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import unquote, urlencode

from msgspec import Struct

HOST = "wufeng.test"
ORIGIN = f"http://{HOST}"
SAME_SITE = {"origin": ORIGIN, "sec-fetch-site": "same-origin"}
FORM = "application/x-www-form-urlencoded"


class Seen(Struct, frozen=True):
    """What came back."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """A header's value; empty when it is missing."""
        return ", ".join(value for key, value in self.headers if key == name)

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def location(self) -> str:
        return self.header("location")

    def field(self, name: str, nth: int = 0) -> str:
        """The value of a hidden or chosen field on the page."""
        found = re.findall(rf'<input[^>]*name="{name}"[^>]*value="([^"]*)"', self.text)
        return html.unescape(found[nth])


class Visitor:
    """Visits the pages with one cookie jar."""

    def __init__(self, site: Any, language: str = "en", **cookies: str) -> None:
        self.site = site
        self.language = language
        self.cookies = dict(cookies)

    async def get(self, path: str, **more: Any) -> Seen:
        """Look at a page."""
        return await self.ask("GET", path, **more)

    async def post(self, path: str, form: Mapping[str, str] | None = None, **more: Any) -> Seen:
        """Send a form, as a page of this site does."""
        headers = SAME_SITE | {"content-type": FORM} | more.pop("headers", {})
        body = more.pop("body", urlencode(form or {}).encode())
        return await self.ask("POST", path, headers=headers, body=body, **more)

    async def ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        meanwhile: Callable[[], Awaitable[None]] | None = None,
    ) -> Seen:
        """One request; a header that is empty is not sent. Cookies that come back are kept."""
        sent = {"host": HOST, "accept-language": self.language} | dict(headers or {})
        if self.cookies and "cookie" not in sent:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        seen = await ask(self.site, method, path, sent, body, meanwhile)
        for name, value in seen.headers:
            if name == "set-cookie":
                cookie, _, attributes = value.partition(";")
                kept, _, text = cookie.partition("=")
                self.cookies[kept] = text
                if "Max-Age=0" in attributes:
                    del self.cookies[kept]
        return seen


async def ask(
    site: Any,
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes,
    meanwhile: Callable[[], Awaitable[None]] | None = None,
) -> Seen:
    """One request to an ASGI application; of a stream its first piece.

    meanwhile  what happens before the body comes
    """
    raw, _, query = path.partition("?")
    status, heads, pieces = 0, [], []
    asked, answered = False, asyncio.Event()

    async def receive() -> dict[str, Any]:
        nonlocal asked
        if not asked:
            asked = True
            if meanwhile is not None:
                await meanwhile()
            return {"type": "http.request", "body": body, "more_body": False}
        await answered.wait()
        return {"type": "http.disconnect"}

    async def send(message: Mapping[str, Any]) -> None:
        nonlocal status, heads
        if message["type"] == "http.response.start":
            status = message["status"]
            heads = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in message["headers"]]
        else:
            pieces.append(message.get("body", b""))
            answered.set()

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http",
        "method": method,
        "path": unquote(raw),
        "raw_path": raw.encode(),
        "query_string": query.encode("latin-1"),
        "headers": [(k.encode(), v.encode("latin-1")) for k, v in headers.items() if v],
        "client": ("127.0.0.1", 1),
        "server": (HOST, 80),
    }
    async with asyncio.timeout(20):
        await site(scope, receive, send)
    return Seen(status, tuple(heads), b"".join(pieces))
