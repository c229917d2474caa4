"""The API over a whole application: in this process, on a database of the test's own, with its own clock."""

import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest
from msgspec.structs import replace

from wufeng.app import App, Background, Draft, found, opened
from wufeng.base.books import Book, Mode
from wufeng.base.clock import FixedClock
from wufeng.base.config import Settings
from wufeng.base.embedded import EmbeddedServer
from wufeng.base.ids import Prefix, encode, slot_of
from wufeng.credit import Actor, OpenLine
from wufeng.identity.sessions.commands import open_session
from wufeng.identity.staff.commands import create_staff
from wufeng.identity.staff.model import Role
from wufeng.identity.vault import Private
from wufeng.ledger import verify

NOON = datetime(2026, 9, 3, 4, 0, tzinfo=UTC)
PIN = "190372"


class Person:
    """A person with a session, as a phone would hold them."""

    def __init__(self, id_: str, wallet: str, token: str) -> None:
        self.id = id_
        self.wallet = wallet
        self.token = token
        self.line = ""


class Api:
    """A client of the API in one test: it counts keys and order numbers by itself."""

    def __init__(self, app: App, http: httpx.AsyncClient, clock: FixedClock, platform_key: str) -> None:
        self.app = app
        self.http = http
        self.clock = clock
        self.platform = platform_key
        self.numbers = itertools.count(1)

    @property
    def book(self) -> Book:
        return self.app.books.named("test")

    async def call(
        self, method: str, path: str, token: str | None = None, body: Any = None, **more: Any
    ) -> httpx.Response:
        """One request; money calls get a key of their own unless `key` is given (None: no key)."""
        headers = dict(more.pop("headers", {}))
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        key = more.pop("key", f"key-{next(self.numbers)}" if method == "POST" else None)
        if key is not None:
            headers["Idempotency-Key"] = key
        if body is not None and "content" not in more:
            more["json"] = body
        return await self.http.request(method, path, headers=headers, **more)

    async def get(self, path: str, token: str | None = None, **more: Any) -> httpx.Response:
        return await self.call("GET", path, token, **more)

    async def post(self, path: str, token: str | None = None, body: Any = None, **more: Any) -> httpx.Response:
        return await self.call("POST", path, token, body, **more)

    async def catch_up(self) -> None:
        await self.app.services.followers.catch_up()
