"""The API over a whole application: in this process, on a database of the test's own, with its own clock."""

import itertools
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest
from msgspec.structs import replace
from tests.conftest import Furnish

from wufeng import ledger
from wufeng.app import App, Background, Draft, Founded, found, opened
from wufeng.base.books import Book, Mode
from wufeng.base.claims import Answer
from wufeng.base.clock import FixedClock
from wufeng.base.config import Settings
from wufeng.base.errors import Problem
from wufeng.base.ids import Prefix, decode, encode
from wufeng.base.lanes import Batch, Command
from wufeng.credit import OpenLine
from wufeng.identity import register
from wufeng.identity.hashing import hash_slowly
from wufeng.identity.merchants.commands import create_merchant
from wufeng.identity.merchants.model import FeePlan, Scene
from wufeng.identity.people.commands import Registration
from wufeng.identity.pins import store as pins
from wufeng.identity.sessions.commands import open_session
from wufeng.identity.staff.commands import create_staff, sign_in_staff
from wufeng.identity.staff.model import Role
from wufeng.identity.vault import Private
from wufeng.payments import LEDGER_CHECKS

NOON = datetime(2026, 9, 3, 4, 0, tzinfo=UTC)
PIN = "190372"


class Person:
    """A person with a session, as a phone would hold them."""

    def __init__(self, id_: str, wallet: str, token: str) -> None:
        self.id = id_
        self.wallet = wallet
        self.token = token
        self.line = ""


class Shop:
    """A merchant with its key."""

    def __init__(self, id_: str, key: str) -> None:
        self.id = id_
        self.key = key


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

    async def post(
        self, path: str, token: str | None = None, body: Any = None, **more: Any
    ) -> httpx.Response:
        return await self.call("POST", path, token, body, **more)

    async def catch_up(self) -> None:
        await self.app.services.followers.catch_up()

    async def new_person(self, *, line_minor: int = 0, wallet_minor: int = 0, phone: str = "") -> Person:
        """A signed-in person with a PIN; with a line and money if amounts are given."""
        number, book, services = next(self.numbers), self.book, self.app.services
        at = book.at(self.clock)
        registration = Registration(
            phone=Private(phone or f"+8613900{number:06d}"), external_id=Private(f"p{number}")
        )
        answer = await register(services.lanes, services.vault, book, registration, at)
        seen = msgspec.json.decode(answer.body)
        person_id = decode(Prefix.PERSON, seen["id"])
        async with services.database.transaction() as db:
            session = await open_session(db, services.ids, book, person_id, "test", at)
            hashed = await hash_slowly(services.vault.peppered(person_id, Private(PIN)))
            await pins.reset_pin(db, book.bucket_of(person_id), person_id, hashed, at)
        person = Person(seen["id"], seen["wallet"], session.token)
        if line_minor:
            person.line = await self.open_line(person_id, line_minor)
        if wallet_minor:
            await self.fill(person_id, decode(Prefix.WALLET, person.wallet), wallet_minor)
        return person

    async def open_line(self, person_id: UUID, limit_minor: int) -> str:
        """A monthly-bill line, as staff open one."""
        at = self.book.at(self.clock)
        command = OpenLine(
            at=at,
            people=(person_id,),
            person_id=person_id,
            product="monthly_bill",
            limit_minor=limit_minor,
            staff_id=UUID(int=1),
            reason="test",
        )
        answer = await self.app.lanes.submit(self.book.bucket_of(person_id), command)
        assert answer.status == 201, answer
        line: str = msgspec.json.decode(answer.body)["id"]
        return line

    async def fill(self, person_id: UUID, wallet_id: UUID, amount_minor: int) -> None:
        """Money in a wallet, as if a bank had brought it."""
        command = Fill(
            at=self.book.at(self.clock), people=(person_id,), wallet_id=wallet_id, amount_minor=amount_minor
        )
        await self.app.lanes.submit(self.book.bucket_of(person_id), command)

    async def new_merchant(self, *, scene: Scene = Scene.RETAIL, rate_ppm: int = 6_000) -> Shop:
        """A merchant with its key."""
        services = self.app.services
        merchant, key = await create_merchant(
            services.database,
            services.ids,
            self.book,
            "Shop",
            scene,
            FeePlan(rate_ppm),
            self.book.at(self.clock),
        )
        return Shop(encode(Prefix.MERCHANT, merchant.id), key.text)

    async def new_staff(self, role: Role) -> str:
        """A staff session in that role."""
        services, login = self.app.services, f"staff{next(self.numbers)}"
        password = Private("correct horse battery 9")
        async with services.database.transaction() as db:
            await create_staff(
                db,
                services.vault,
                services.ids,
                login,
                "Someone",
                password,
                role,
                [self.book],
                services.clock.now(),
            )
        opened_ = await sign_in_staff(
            services.database,
            services.vault,
            services.ids,
            services.books,
            login,
            password,
            "test",
            services.clock.now(),
        )
        return opened_.token

    def order(self, shop: Shop, amount_minor: int, **more: Any) -> dict[str, Any]:
        """An inline order with a number of its own."""
        return {
            "order_no": f"A-{next(self.numbers)}",
            "amount_minor": amount_minor,
            "currency": "CNY",
            "subject": "goods",
            "merchant": shop.id,
            **more,
        }

    async def pay(self, person: Person, shop: Shop, amount_minor: int, **more: Any) -> httpx.Response:
        """Pay on credit with the PIN, unless told otherwise."""
        body = {
            "order": self.order(shop, amount_minor),
            "funding": [{"line": person.line}],
            "confirmation": {"kind": "pin", "proof": PIN},
            **more,
        }
        return await self.post("/v1/payments", person.token, body)


class Fill(Command, frozen=True, kw_only=True):
    """Money for a wallet, as if a bank had confirmed it."""

    wallet_id: UUID
    amount_minor: int


async def fill_wallets(batch: Batch, commands: Sequence[Fill]) -> list[Answer | Problem]:
    on = batch.book.business_date(batch.book.at(FixedClock(NOON)))
    journals = [
        ledger.rules.top_up(
            ledger.Cause(
                c.wallet_id, batch.book.currency, max(on, batch.book.business_date(c.at)), batch.book.id
            ),
            c.wallet_id,
            c.amount_minor,
        )
        for c in commands
    ]
    await ledger.post(batch, journals)
    return [Answer(200, b"{}") for _ in commands]


@pytest.fixture(scope="session")
def founding(furnish: Furnish) -> tuple[str, Founded]:
    """A template with a test book, founded at noon of 3 September 2026, and what that made."""
    drafts = [Draft(name="test", mode=Mode.TEST)]
    return furnish(lambda settings: found(settings, drafts, clock=FixedClock(NOON)))


@pytest.fixture(scope="session")
def founded(founding: tuple[str, Founded]) -> Founded:
    """The first keys of each test's installation."""
    return founding[1]


@pytest.fixture(scope="session")
def template(founding: tuple[str, Founded]) -> str:
    """Each test begins with the test book."""
    return founding[0]


@pytest.fixture
async def api(settings: Settings, founded: Founded) -> AsyncIterator[Api]:
    """The API of the test book at noon of 3 September 2026. After each test its ledger has no break."""
    clock = FixedClock(NOON)
    own = replace(settings, webhooks_to_private_addresses=True)
    async with opened(own, clock=clock, background=Background.OFF) as app:
        app.lanes.handlers[Fill] = fill_wallets
        transport = httpx.ASGITransport(app.api(), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
            yield Api(app, http, clock, founded.secrets.platform_keys["test"])
        await app.services.followers.catch_up()
        report = await ledger.verify(app.database, checks=LEDGER_CHECKS)
        assert not report.breaks, report.breaks
