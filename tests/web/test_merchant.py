"""The merchant portal: who gets in, a payment from the amount to the result, a refund once."""

import asyncio
import re
from typing import Any

import pytest
from tests.api.conftest import Person, Shop
from tests.cases import cases

from wufeng.base.ids import Prefix, decode
from wufeng.web.merchant import orders
from wufeng.web.merchant.sign_in import PORTAL_KEY
from wufeng.web.paging import Door

from .conftest import Town
from .visitor import Seen, Visitor

KEY = "0123456789abcdef0123456789abcdef"


def at_till(town: Town, shop: Shop) -> Visitor:
    return town.visitor(Door.MERCHANT, shop.key)


async def take(till: Visitor, amount: str = "128.00", key: str = KEY, subject: str = "Two cups") -> Seen:
    return await till.post("/merchant/take", {"key": key, "amount": amount, "subject": subject})


async def paid_order(town: Town, shop: Shop, person: Person, amount_minor: int = 30_000) -> str:
    """An order of the shop's, paid on credit: its page."""
    seen = await town.api.post(
        "/v1/orders", shop.key, town.api.order(shop, amount_minor) | {"merchant": None}
    )
    if seen.status_code != 201:
        body = town.api.order(shop, amount_minor)
        del body["merchant"]
        seen = await town.api.post("/v1/orders", shop.key, body)
    order: str = seen.json()["id"]
    paid = await town.api.pay(person, shop, amount_minor, order=order)
    assert paid.json()["status"] == "captured", paid.text
    return f"/merchant/orders/{order}"


async def refunds_of(town: Town, shop: Shop) -> int:
    """What the shop has given back, in minor units."""
    payments = (await town.api.get("/v1/payments", shop.key)).json()["data"]
    return sum(payment["refunded_minor"] for payment in payments)


async def test_a_key_that_may_make_keys_is_exchanged_for_a_smaller_one_that_ends(town: Town) -> None:
    shop = await town.api.new_merchant()
    till = town.visitor()
    seen = await till.post("/merchant/sign-in", {"api_key": shop.key, "next": "/merchant/orders"})
    assert (seen.status, seen.location) == (303, "/merchant/orders")
    kept = till.cookies[Door.MERCHANT.cookie]
    assert kept != shop.key
    keys = (await town.api.get("/v1/api_keys", shop.key)).json()["data"]
    portal = next(key for key in keys if key["name"] == PORTAL_KEY)
    assert set(portal["scopes"]) == {"read", "orders", "payments", "refunds"}
    assert (await till.get("/merchant")).status == 200
    assert (await till.post("/merchant/sign-out")).location == "/merchant/sign-in"
    assert Door.MERCHANT.cookie not in till.cookies
    assert (await town.api.get("/v1/orders", kept)).status_code == 401
    assert (await town.api.get("/v1/orders", shop.key)).status_code == 200


async def test_a_small_key_is_kept_and_outlives_the_sign_out(town: Town) -> None:
    shop = await town.api.new_merchant()
    made = await town.api.post("/v1/api_keys", shop.key, {"name": "till", "scopes": ["read", "orders"]})
    small = made.json()["secret"]
    till = town.visitor()
    assert (await till.post("/merchant/sign-in", {"api_key": small})).status == 303
    assert till.cookies[Door.MERCHANT.cookie] == small
    await till.post("/merchant/sign-out")
    assert (await town.api.get("/v1/orders", small)).status_code == 200


@pytest.mark.parametrize("whose", ["person", "platform", "nobody", "unreading"])
async def test_other_credentials_are_refused_with_the_reason(town: Town, whose: str) -> None:
    shop = await town.api.new_merchant()
    unreading = await town.api.post("/v1/api_keys", shop.key, {"name": "x", "scopes": ["orders"]})
    token, words = {
        "person": ((await town.api.new_person()).token, "signs a person in"),
        "platform": (town.api.platform, "operator’s server"),
        "nobody": ("wf_nothing", "unknown"),
        "unreading": (unreading.json()["secret"], "scope “read”"),
    }[whose]
    till = town.visitor()
    seen = await till.post("/merchant/sign-in", {"api_key": token})
    assert seen.status == 422
    assert (
        words.replace("’", "&#39;") in seen.text or words.replace("’", "'") in seen.text or words in seen.text
    )
    assert Door.MERCHANT.cookie not in till.cookies
    assert token not in seen.text


async def test_nothing_yet_is_a_page_too(town: Town) -> None:
    shop = await town.api.new_merchant()
    seen = await at_till(town, shop).get("/merchant")
    assert seen.status == 200
    assert "Take the first payment" in seen.text
    assert "¥0.00" in seen.text


async def test_today_adds_up(town: Town) -> None:
    shop, other = await town.api.new_merchant(), await town.api.new_merchant()
    person = await town.api.new_person(line_minor=500_000, wallet_minor=500_000)
    path = await paid_order(town, shop, person, 30_000)
    await town.api.pay(person, shop, 10_000, funding=[{"wallet": person.wallet}])
    await town.api.pay(person, other, 77_700)
    till = at_till(town, shop)
    await till.post(f"{path}/refund", {"key": KEY, "how": "part", "amount": "50.00", "left": "300.00"})
    await town.api.catch_up()
    text = (await till.get("/merchant")).text
    assert "¥400.00" in text and "2 payments" in text
    assert "75%" in text and "¥300.00" in text
    assert "¥50.00" in text and "1 refund" in text
    assert "¥347.90" in text  # 400 − 50 − fee of 0.6 % on 350
    assert "777" not in text
    await town.api.app.services.turn_days(town.api.book, 1)
    text = (await till.get("/merchant")).text
    assert "¥400.00" in text.split("Last settlement")[1]
    assert "0 payments" in text


async def test_a_code_is_shown_and_one_form_is_one_order(town: Town) -> None:
    shop = await town.api.new_merchant()
    till = at_till(town, shop)
    first, second = await take(till), await take(till)
    assert first.status == 303 and first.location == second.location
    page = await till.get(first.location)
    url = re.search(r"http://wufeng\.test/q/[0-9a-z]{52}", page.text)
    assert url is not None and "<svg" in page.text and "128.00" in page.text
    assert "style=" not in page.text and "<script>" not in page.text
    assert "data-live" in page.text and "Look again" in page.text
    again = await till.get(first.location)
    assert url.group() in again.text
    assert len((await town.api.get("/v1/orders", shop.key)).json()["data"]) == 1
    secure = await till.get(first.location, headers={"x-forwarded-proto": "https"})
    assert "https://wufeng.test/q/" in secure.text
    assert (await take(till, amount="129.00")).status == 422


@cases("amount", ["", "0", "-5", "12.345", "abc", "99999999"])
async def test_no_amount_no_order(town: Town, amount: str) -> None:
    shop = await town.api.new_merchant()
    seen = await take(at_till(town, shop), amount)
    assert seen.status == 422 and 'aria-invalid="true"' in seen.text
    assert (await town.api.get("/v1/orders", shop.key)).json()["data"] == []


async def streamed(town: Town, till: Visitor, path: str) -> str:
    """All pieces of a live result, until it ends by itself."""
    pieces: list[bytes] = []

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        pieces.append(message.get("body", b""))

    raw, _, query = path.partition("?")
    cookie = "; ".join(f"{name}={value}" for name, value in till.cookies.items())
    scope = {
        "type": "http", "method": "GET", "path": raw, "query_string": query.encode(),
        "headers": [(b"cookie", cookie.encode()), (b"host", b"wufeng.test"), (b"accept-language", b"en")],
    }  # fmt: skip
    async with asyncio.timeout(15):
        await till.site(scope, receive, send)
    return b"".join(pieces).decode()


async def test_the_live_result_ends_when_it_is_paid(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "LOOKS_EVERY_S", 0.02)
    shop, person = await town.api.new_merchant(), await town.api.new_person(line_minor=500_000)
    till = at_till(town, shop)
    path = (await take(till)).location
    looking = asyncio.create_task(streamed(town, till, f"{path}/live?seen=open"))
    await asyncio.sleep(0.2)
    assert not looking.done(), "an open order is waited for"
    paid = await town.api.pay(person, shop, 12_800, order=path.rpartition("/")[2])
    assert paid.json()["status"] == "captured", paid.text
    text = await looking
    assert text.count("event: state") == 1 and "Paid" in text
    assert "data-live" not in text, "the last piece would open the stream again"


async def test_the_live_result_does_not_look_for_ever(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "LOOKS_EVERY_S", 0.0)
    monkeypatch.setattr(orders, "ROUNDS", 3)
    shop = await town.api.new_merchant()
    till = at_till(town, shop)
    path = (await take(till)).location
    text = await streamed(town, till, f"{path}/live?seen=open")
    assert "Still not paid" in text and "data-live" not in text


async def test_a_part_then_too_much_then_the_rest(town: Town) -> None:
    shop, person = await town.api.new_merchant(), await town.api.new_person(line_minor=500_000)
    path, till = await paid_order(town, shop, person), at_till(town, shop)
    form = {
        "key": KEY, "how": "part", "amount": "100.00", "left": "300.00", "reason": "one was chipped",
        "reason_code": "faulty",
    }  # fmt: skip
    asked = await till.get(path)
    assert "It did not arrive" in asked.text and "fees of instalments they have paid" in asked.text
    first, second = await till.post(f"{path}/refund", form), await till.post(f"{path}/refund", form)
    assert first.status == second.status == 303
    assert await refunds_of(town, shop) == 10_000, "a form sent twice gives back once"
    page = await till.get(first.location.partition("#")[0])
    assert "It is faulty · one was chipped" in page.text and "Owes less before the next bill" in page.text
    assert "Our fee returns to you" in page.text
    much = await till.post(f"{path}/refund", form | {"key": KEY[::-1], "amount": "200.01"})
    assert much.status == 422 and "at most ¥200.00 is left" in much.text
    assert await refunds_of(town, shop) == 10_000
    changed = await till.post(f"{path}/refund", form | {"amount": "90.00"})
    assert changed.status == 422
    rest = await till.post(
        f"{path}/refund", {"key": "f" * 32, "how": "whole", "left": page.field("left"), "amount": ""}
    )
    assert rest.status == 303
    assert await refunds_of(town, shop) == 30_000
    done = await till.get(path)
    assert "Paid, and given back" in done.text and f"{path}/refund" not in done.text


async def test_another_merchants_order_is_not_there(town: Town) -> None:
    shop, other = await town.api.new_merchant(), await town.api.new_merchant()
    person = await town.api.new_person(line_minor=500_000)
    path, thief = await paid_order(town, shop, person), at_till(town, other)
    assert (await thief.get(path)).status == 404
    assert (await thief.get(f"{path}/live")).status == 404
    form = {"key": KEY, "how": "whole", "left": "300.00"}
    assert (await thief.post(f"{path}/refund", form)).status == 404
    assert await refunds_of(town, shop) == 0
    assert path.rpartition("/")[2] not in (await thief.get("/merchant/orders")).text


async def test_orders_are_found_by_number(town: Town) -> None:
    shop, other = await town.api.new_merchant(), await town.api.new_merchant()
    till = at_till(town, shop)
    mine = (await take(till)).location.rpartition("/")[2]
    await take(till, key="abcdef" * 5, subject="Another")
    theirs = (await take(at_till(town, other))).location.rpartition("/")[2]
    assert decode(Prefix.ORDER, mine) != decode(Prefix.ORDER, theirs)
    for number in (f"POS-{KEY[:16].upper()}", "pos-0123"):
        text = (await till.get(f"/merchant/orders?number={number}")).text
        assert mine in text and theirs not in text and "Another" not in text
    assert "No order begins with" in (await till.get("/merchant/orders?number=%3Cb%3E")).text
    assert (await till.get("/merchant/orders?after=ord_wrong")).status == 200
