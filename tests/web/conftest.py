"""The pages over a whole application: in this process on a database of the test's own."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from msgspec.structs import replace
from tests.api.conftest import NOON, Api, Fill, Person, Shop, fill_wallets
from tests.api.matrix import World

from wufeng import ledger
from wufeng.app import Background, Draft, found, opened
from wufeng.base.books import Mode
from wufeng.base.clock import FixedClock
from wufeng.base.config import Settings
from wufeng.payments import LEDGER_CHECKS
from wufeng.web.paging import Door

from .live import Demo, chromium, running_demo
from .visitor import Visitor


class Town:
    """An application with its pages: who lives there, and how each of them looks at it."""

    def __init__(self, api: Api, site: Any) -> None:
        self.api = api
        self.site = site

    def visitor(self, door: Door = Door.CONSUMER, token: str | None = None, language: str = "en") -> Visitor:
        """Somebody with a browser, signed in with a credential if one is given."""
        return Visitor(self.site, language, **({door.cookie: token} if token else {}))

    async def checkout(self, shop: Shop, amount_minor: int, **more: Any) -> str:
        """A checkout session of a new order: its id."""
        order = self.api.order(shop, amount_minor, **more)
        del order["merchant"]
        made = await self.api.post("/v1/orders", shop.key, order)
        assert made.status_code == 201, made.text
        body = {"order": made.json()["id"], "return_url": "https://shop.test/back"}
        session = await self.api.post("/v1/checkout_sessions", shop.key, body)
        assert session.status_code == 201, session.text
        id_: str = session.json()["id"]
        return id_

    async def payments_of(self, person: Person) -> int:
        """How many payments a person has made."""
        return len((await self.api.get("/v1/payments", person.token)).json()["data"])


@pytest.fixture
async def town(settings: Settings) -> AsyncIterator[Town]:
    """A test book at noon of 3 September 2026, and a live one, with pages. Its ledger has no break afterwards."""
    own, clock = replace(settings, webhooks_to_private_addresses=True), FixedClock(NOON)
    drafts = [Draft(name="test", mode=Mode.TEST), Draft(name="live", mode=Mode.LIVE)]
    founded = await found(own, drafts, clock=clock)
    async with opened(own, clock=clock, background=Background.OFF) as app:
        app.lanes.handlers[Fill] = fill_wallets
        site = app.site()
        transport = httpx.ASGITransport(site, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
            yield Town(Api(app, http, clock, founded.secrets.platform_keys["test"]), site)
        await app.services.followers.catch_up()
        assert (await ledger.verify(app.database, checks=LEDGER_CHECKS)).breaks == ()


@pytest.fixture
async def world(town: Town) -> World:
    """The world of the API's matrix: callers of every kind, and objects that belong to them."""
    made = World(town.api)
    await made.furnish()
    return made


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Who only looks at the demo comes before all who do something: a journey turns the clock of its book by months."""
    looks = [item for item in items if item.path.name == "test_looks.py"]
    others = [item for item in items if item.path.name != "test_looks.py"]
    at = next(
        (n for n, item in enumerate(others) if "demo" in getattr(item, "fixturenames", ())), len(others)
    )
    items[:] = [*others[:at], *looks, *others[at:]]


@pytest.fixture(scope="session")
def demo() -> Iterator[Demo]:
    """One running demo for all journeys of a test process; skips where there is no browser."""
    chromium()
    with running_demo() as started:
        yield started
