"""The pages over a whole application: in this process on a database of the test's own."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec.structs import replace
from tests.api.conftest import NOON, Api, Fill, Person, Shop, fill_wallets
from tests.api.matrix import World
from tests.conftest import Furnish

from wufeng import ledger
from wufeng.app import Background, Draft, Founded, found, opened
from wufeng.base.books import Mode
from wufeng.base.clock import FixedClock
from wufeng.base.config import Settings
from wufeng.payments import LEDGER_CHECKS
from wufeng.web.paging import Door

from .live import Demo, chromium, running_browser, running_demo
from .visitor import Visitor

HERE = Path(__file__).parent


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


@pytest.fixture(scope="session")
def founding(furnish: Furnish) -> tuple[str, Founded]:
    """A template with a test book and a live one, founded at noon of 3 September 2026, and what that made."""
    drafts = [Draft(name="test", mode=Mode.TEST), Draft(name="live", mode=Mode.LIVE)]
    return furnish(lambda settings: found(settings, drafts, clock=FixedClock(NOON)))


@pytest.fixture(scope="session")
def founded(founding: tuple[str, Founded]) -> Founded:
    """The first keys of each test's installation."""
    return founding[1]


@pytest.fixture(scope="session")
def template(founding: tuple[str, Founded]) -> str:
    """Each test begins with the two books."""
    return founding[0]


@pytest.fixture
async def town(settings: Settings, founded: Founded) -> AsyncIterator[Town]:
    """The two books at noon of 3 September 2026, with pages. Their ledger has no break afterwards."""
    own, clock = replace(settings, webhooks_to_private_addresses=True), FixedClock(NOON)
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
    """Who needs the demo comes before everything, so that one test process starts one, and ends it soon. Of them who
    only looks comes first: a journey turns the clock of its book by months.
    """
    items.sort(key=lambda item: (not _needs_demo(item), item.path.name != "test_looks.py"))


def _needs_demo(item: pytest.Item) -> bool:
    return item.path.parent == HERE and "demo" in getattr(item, "fixturenames", ())


@pytest.fixture(scope="package")
def demo() -> Iterator[Demo]:
    """One running demo for all journeys of a test process; skips where there is no browser."""
    chromium()
    with running_demo() as started:
        yield started


@pytest.fixture(scope="package")
async def browser() -> AsyncIterator[Any]:
    """One Chromium for all journeys of a test process: each opens windows of its own in it."""
    async with running_browser() as started:
        yield started
