"""The shop of an outsider: nothing without its settings, an offer, the way to the checkout, and only signed news."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from msgspec.structs import replace
from standardwebhooks import Webhook
from tests.api.conftest import Shop

from wufeng.base.config import Settings
from wufeng.client import Wufeng
from wufeng.web import create_web
from wufeng.web.shop import office, pages

from .conftest import Town
from .visitor import Seen, Visitor

SECRET = "whsec_" + "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"
KEY = "0123456789abcdef0123456789abcdef"
ORDER_NO = f"LAMP-{KEY[:16]}"


class Open:
    """A shop that is open, and its visitor."""

    def __init__(self, town: Town, shop: Shop, start: Callable[[], Any]) -> None:
        self.town = town
        self.shop = shop
        self.start = start
        self.restart()

    def restart(self) -> None:
        """The same shop by another process, which has heard nothing yet."""
        self.visitor = Visitor(self.start(), "en", wufeng_book="test")

    async def buy(self) -> Seen:
        return await self.visitor.post("/shop/products/lamp", {"key": KEY})

    async def pay(self) -> dict[str, Any]:
        """Pay the order that was bought, on credit."""
        person = await self.town.api.new_person(line_minor=500_000)
        (order,) = (await self.town.api.get("/v1/orders", self.shop.key)).json()["data"]
        paid = await self.town.api.pay(person, self.shop, 129_900, order=order["id"])
        assert paid.json()["status"] == "captured", paid.text
        got: dict[str, Any] = (await self.town.api.get(f"/v1/orders/{order['id']}", self.shop.key)).json()
        return got

    async def tell(self, order: dict[str, Any], secret: str = SECRET, change: bytes = b"") -> Seen:
        """Send the webhook of a paid order, signed; then changed by somebody on the way."""
        now = datetime.now(UTC)
        event = {"id": "evt_1", "type": "order.paid", "timestamp": now.isoformat(), "data": order}
        body = json.dumps(event)
        headers = {
            "webhook-id": "evt_1",
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(secret).sign("evt_1", now, body),
            "content-type": "application/json",
        }
        return await self.visitor.ask("POST", "/shop/webhook", headers=headers, body=body.encode() + change)


@pytest.fixture
async def open_shop(town: Town, monkeypatch: pytest.MonkeyPatch) -> Open:
    """The shop with its settings, its network in this process."""
    services, shop = town.api.app.services, await town.api.new_merchant()
    settings = replace(
        services.settings,
        demo_shop_key=shop.key,
        demo_shop_book="test",
        demo_shop_merchant=shop.id,
        demo_shop_webhook_secret=SECRET,
    )
    api = town.api.app.api()

    def connect(given: Settings, language: str) -> Wufeng:
        assert given.demo_shop_key == shop.key
        return Wufeng(
            "http://127.0.0.1:1",
            given.demo_shop_key,
            book=given.demo_shop_book,
            language=language,
            transport=httpx.ASGITransport(api),
        )

    monkeypatch.setattr(office, "connect", connect)
    return Open(town, shop, lambda: create_web(replace(services, settings=settings), api))


@pytest.mark.parametrize("path", ["/shop", "/shop/products/lamp", "/shop/orders/LAMP-1"])
async def test_without_its_settings_there_is_no_shop(town: Town, path: str) -> None:
    visitor = town.visitor()
    assert (await visitor.get(path)).status == 404
    assert (await visitor.post("/shop/products/lamp", {"key": KEY})).status == 404
    assert (await visitor.ask("POST", "/shop/webhook", body=b"{}")).status == 404


async def test_the_offer_stands_beside_the_price(open_shop: Open) -> None:
    shelf = await open_shop.visitor.get("/shop")
    assert shelf.status == 200 and shelf.text.count("/shop/products/") == 4
    text = (await open_shop.visitor.get("/shop/products/lamp")).text
    offers = await open_shop.town.api.get(f"/v1/offers?merchant={open_shop.shop.id}&amount_minor=129900")
    three = next(offer for offer in offers.json()["data"] if offer["tenor"] == 3)
    for minor in (three["instalment_minor"], three["total_cost_minor"]):
        assert f"¥{minor / 100:,.2f}" in text
    assert f"{three['annualised_rate_ppm'] / 10_000:.2f}% a year" in text
    assert (await open_shop.visitor.get("/shop/products/none")).status == 404


async def test_buying_leads_to_the_checkout_and_back(open_shop: Open) -> None:
    seen = await open_shop.buy()
    assert seen.status == 303 and seen.location.startswith("/checkout/chk_")
    session = seen.location.rpartition("/")[2]
    found = (await open_shop.town.api.get(f"/v1/checkout_sessions/{session}", open_shop.shop.key)).json()
    assert found["return_url"] == f"http://wufeng.test/shop/orders/{ORDER_NO}"
    await open_shop.buy()
    assert len((await open_shop.town.api.get("/v1/orders", open_shop.shop.key)).json()["data"]) == 1
    assert "Not paid yet" in (await open_shop.visitor.get(f"/shop/orders/{ORDER_NO}")).text
    assert (await open_shop.visitor.get("/shop/orders/LAMP-none")).status == 404


async def test_paid_is_what_a_signed_webhook_says(open_shop: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    await open_shop.buy()
    order = await open_shop.pay()
    path = f"/shop/orders/{ORDER_NO}"
    assert "Waiting for the bank" in (await open_shop.visitor.get(path)).text
    for wrong in (
        await open_shop.tell(order, change=b" "),
        await open_shop.tell(order, secret="whsec_" + "b3Ro" * 8),
    ):
        assert wrong.status == 401
    assert (await open_shop.visitor.ask("POST", "/shop/webhook", body=b"\xff{")).status == 401
    assert "Waiting for the bank" in (await open_shop.visitor.get(path)).text
    assert (await open_shop.tell(order)).status == 204
    assert (await open_shop.tell(order)).status == 204
    text = (await open_shop.visitor.get(path)).text
    assert "Paid. Thank you." in text and "evt_1" in text and "signature is right" in text
    monkeypatch.setattr(pages, "ROUNDS", 2)
    live = await open_shop.visitor.get(f"{path}/live?seen=waiting")
    assert "event: state" in live.text and "data-live" not in live.text


async def test_after_a_restart_the_shop_asks(open_shop: Open) -> None:
    await open_shop.buy()
    await open_shop.pay()
    open_shop.restart()
    assert "Confirmed by asking" in (await open_shop.visitor.get(f"/shop/orders/{ORDER_NO}")).text
