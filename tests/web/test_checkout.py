"""The hosted page of an order: its ends, its ways back, and that an order is paid once, whoever pays, however often."""

import asyncio
import re
from datetime import timedelta
from typing import Any

import pytest
from tests.api.conftest import PIN, Person, Shop

from .conftest import Town
from .visitor import Seen, Visitor

PAIRS, ORDERS = 5, 10
"""Of people, and of each pair: more payments in an hour would be too many for one person."""


async def session_of(town: Town, shop: Shop, amount_minor: int = 100_00, **more: Any) -> dict[str, Any]:
    """A fresh order's page, as its merchant sees it."""
    order = town.api.order(shop, amount_minor)
    del order["merchant"]
    made = (await town.api.post("/v1/orders", shop.key, order)).json()
    asked = {"order": made["id"], "return_url": "https://shop.test/back?a=1", **more}
    session = await town.api.post("/v1/checkout_sessions", shop.key, asked)
    assert session.status_code == 201, session.text
    seen: dict[str, Any] = session.json()
    return seen


async def state_of(town: Town, shop: Shop, session: dict[str, Any]) -> str:
    """How the merchant sees the page now."""
    status: str = (await town.api.get(f"/v1/checkout_sessions/{session['id']}", shop.key)).json()["status"]
    return status


async def ready(visitor: Visitor, path: str) -> dict[str, str]:
    """The page looked at: its form, with the balance chosen and the PIN."""
    page = await visitor.get(path)
    assert page.status == 200, page.location
    return {"key": page.field("key"), "option": page.field("option"), "pin": PIN}


def back_link(seen: Seen) -> str:
    """Where "Back to the shop" leads."""
    found = next(line for line in seen.text.splitlines() if 'href="https://shop.test' in line)
    return found.partition('href="')[2].partition('"')[0].replace("&amp;", "&")


async def test_the_way_back_is_the_merchants_own(town: Town) -> None:
    shop, person = await town.api.new_merchant(), await town.api.new_person(wallet_minor=500_00)
    session = await session_of(town, shop, cancel_url="https://shop.test/cart")
    visitor = town.visitor(token=person.token)
    page = await visitor.get(session["url"])
    assert back_link(page) == f"https://shop.test/cart?checkout={session['id']}&status=open"
    form = {"key": page.field("key"), "option": page.field("option"), "pin": PIN}
    receipt = await visitor.get((await visitor.post(session["url"], form)).location)
    assert back_link(receipt) == f"https://shop.test/back?a=1&checkout={session['id']}&status=complete"
    assert "Back to the shop" in receipt.text and await state_of(town, shop, session) == "complete"


async def test_what_another_tab_has_spent_is_not_drawn_instead(town: Town) -> None:
    """The page showed 900.00 of the balance and 100.00 on credit: 810.00 more on credit has another price."""
    shop = await town.api.new_merchant()
    person = await town.api.new_person(line_minor=5_000_00, wallet_minor=900_00)
    session = await session_of(town, shop, 1_000_00)
    visitor = town.visitor(token=person.token)
    page = await visitor.get(session["url"])
    assert "900.00 of your own" in page.text
    last = re.findall(r'value="(qte_\w+\.\d+)"', page.text)[-1]
    spent = await town.api.pay(person, shop, 190_00, funding=[{"wallet": person.wallet}])
    assert spent.json()["status"] == "captured", spent.text
    sent = await visitor.post(session["url"], {"key": page.field("key"), "option": last, "pin": PIN})
    assert "The balance does not suffice" in (await visitor.get(sent.location)).text
    [line] = (await town.api.get("/v1/lines", person.token)).json()["data"]
    assert line["used_minor"] == 0 and await state_of(town, shop, session) == "open"
    form = await ready(visitor, session["url"])
    again = re.findall(r'value="(qte_\w+\.\d+)"', (await visitor.get(session["url"])).text)[-1]
    paid = await visitor.get((await visitor.post(session["url"], form | {"option": again})).location)
    assert "710.00" in paid.text and await state_of(town, shop, session) == "complete"


async def test_addresses_are_judged_when_the_page_is_made(town: Town) -> None:
    shop = await town.api.new_merchant()
    order = town.api.order(shop, 100_00)
    del order["merchant"]
    made = (await town.api.post("/v1/orders", shop.key, order)).json()["id"]

    async def status(**urls: str) -> tuple[int, str]:
        asked = {"order": made, "return_url": "https://shop.test/back", **urls}
        answer = await town.api.post("/v1/checkout_sessions", shop.key, asked)
        return answer.status_code, answer.json().get("errors", [{}])[0].get("pointer", "")

    assert await status() == (201, "")
    for evil in ("javascript:alert(1)", "//evil.test", "https://shop.test@evil.test/", "https://shop.test/#x",
                 "https://shop.test\\@evil.test", "https://shop.test/\r\nx:y"):  # fmt: skip
        assert await status(return_url=evil) == (422, "/return_url"), evil
        assert await status(cancel_url=evil) == (422, "/cancel_url"), evil
    path = f"/v1/merchants/{shop.id}/return_origins"
    answer = await town.api.post(path, shop.key, {"return_origins": ["https://SHOP.test:443"]})
    assert answer.status_code == 200 and answer.json()["return_origins"] == ["https://shop.test"]
    assert await status() == (201, "")
    assert await status(return_url="https://evil.test/") == (422, "/return_url")
    assert await status(cancel_url="https://shop.test.evil.test/") == (422, "/cancel_url")
    assert await status(return_url="http://shop.test/") == (422, "/return_url"), (
        "another scheme is another origin"
    )
    other = await town.api.new_merchant()
    assert (await town.api.post(path, other.key, {"return_origins": []})).status_code == 404
    audited = await town.api.post(path, town.api.platform, {"return_origins": []})
    assert audited.json()["return_origins"] == []


async def test_a_live_book_sends_nobody_back_in_clear(town: Town, world: Any) -> None:
    shop, live = world.shops["live"], world.live
    order = live.order(shop, 100_00)
    del order["merchant"]
    made = (await live.post("/v1/orders", shop.key, order)).json()["id"]
    for url, status in (("http://shop.test/", 422), ("http://127.0.0.1/", 422), ("https://shop.test/", 201)):
        answer = await live.post("/v1/checkout_sessions", shop.key, {"order": made, "return_url": url})
        assert answer.status_code == status, url


async def test_a_person_cancels_and_the_order_waits(town: Town) -> None:
    shop, person = await town.api.new_merchant(), await town.api.new_person(wallet_minor=500_00)
    session = await session_of(town, shop, cancel_url="https://shop.test/cart")
    visitor = town.visitor(token=person.token)
    form = await ready(visitor, session["url"])
    assert (await town.visitor().post(f"{session['url']}/cancel")).status == 303, (
        "who is nobody signs in first"
    )
    assert await state_of(town, shop, session) == "open"
    for _ in range(2):
        gone = await visitor.post(f"{session['url']}/cancel", {"key": form["key"]})
        assert (gone.status, gone.location) == (303, session["url"])
    page = await visitor.get(session["url"])
    assert "You did not pay" in page.text and 'name="pin"' not in page.text
    assert back_link(page) == f"https://shop.test/cart?checkout={session['id']}&status=cancelled"
    late = await visitor.post(session["url"], form)
    assert "You did not pay" in late.text and await town.payments_of(person) == 0
    assert await state_of(town, shop, session) == "cancelled"
    again = await town.api.post(
        "/v1/checkout_sessions", shop.key, {"order": session["order"], "return_url": "https://shop.test/"}
    )
    assert (await visitor.post(again.json()["url"], await ready(visitor, again.json()["url"]))).status == 303
    assert await town.payments_of(person) == 1
    assert await state_of(town, shop, session) == "complete", "its order is paid"


@pytest.mark.parametrize("end", ["expire", "close", "late"])
async def test_an_ended_page_takes_no_payment(town: Town, end: str) -> None:
    shop, person = await town.api.new_merchant(), await town.api.new_person(wallet_minor=500_00)
    session = await session_of(town, shop)
    visitor = town.visitor(token=person.token)
    form = await ready(visitor, session["url"])
    if end == "expire":
        await town.api.post(f"/v1/checkout_sessions/{session['id']}/expire", shop.key)
    elif end == "close":
        assert (await town.api.post(f"/v1/orders/{session['order']}/close", shop.key)).status_code == 200
    else:
        town.api.clock.turn_to(town.api.clock.now() + timedelta(hours=24))
    for seen in (await visitor.post(session["url"], form), await visitor.get(session["url"])):
        assert "This page has ended" in seen.text and 'name="pin"' not in seen.text
    assert await town.payments_of(person) == 0 and await state_of(town, shop, session) == "expired"
    cancelled = await town.api.post(f"/v1/checkout_sessions/{session['id']}/cancel", person.token)
    assert cancelled.status_code == 409


async def test_a_paid_order_shows_a_receipt_to_its_payer_and_nothing_of_them_to_others(town: Town) -> None:
    shop = await town.api.new_merchant()
    payer, other = [await town.api.new_person(wallet_minor=500_00) for _ in range(2)]
    session = await session_of(town, shop)
    mine, theirs, nobody = (town.visitor(token=payer.token), town.visitor(token=other.token), town.visitor())
    form, late = await ready(mine, session["url"]), await ready(theirs, session["url"])
    receipt = (await mine.post(session["url"], form)).location
    assert receipt.startswith("/app/payments/pay_")
    assert (await mine.get(session["url"])).location == receipt
    told = await theirs.post(session["url"], late)
    assert told.status == 303 and told.location == session["url"]
    for visitor in (theirs, nobody):
        seen = await visitor.get(session["url"])
        assert "This order is paid" in seen.text
        for secret in (payer.id, receipt.rpartition("/")[2], "Balance"):
            assert secret not in seen.text
    assert (await theirs.get(receipt)).status == 404
    assert await town.payments_of(other) == 0


async def test_an_order_that_somebody_is_paying_says_so_to_others(town: Town) -> None:
    shop = await town.api.new_merchant()
    payer, other = [await town.api.new_person(wallet_minor=500_00) for _ in range(2)]
    session = await session_of(town, shop)
    body = {
        "order": session["order"],
        "funding": [{"wallet": payer.wallet}],
        "capture": "later",
        "confirmation": {"kind": "pin", "proof": PIN},
    }
    held = await town.api.post("/v1/payments", payer.token, body)
    assert held.json()["status"] == "authorised", held.text
    seen = await town.visitor(token=other.token).get(session["url"])
    assert "This order is being paid" in seen.text and payer.id not in seen.text
    mine = await town.visitor(token=payer.token).get(session["url"])
    assert mine.location == f"/app/payments/{held.json()['id']}"
    cancelled = await town.api.post(f"/v1/checkout_sessions/{session['id']}/cancel", other.token)
    assert cancelled.status_code == 409
    await town.api.post(f"/v1/payments/{held.json()['id']}/void", shop.key)
    page = await town.visitor(token=other.token).get(session["url"])
    assert 'name="pin"' in page.text, "it can be paid here again"


async def test_a_guessed_address_is_an_absent_one(town: Town) -> None:
    shop, person = await town.api.new_merchant(), await town.api.new_person()
    session = await session_of(town, shop)
    absent = f"{session['id'][:-4]}{'0000' if session['id'][-4:] != '0000' else '1111'}"
    guesses = [
        absent,
        "chk_01h455vb4pex5vsknk084sn02q",
        "chk_1",
        "x",
        session["order"],
        person.id,
        "chk_" + "z" * 26,
    ]
    for visitor in (town.visitor(), town.visitor(token=person.token)):
        bodies = set()
        for guess in guesses:
            seen = await visitor.get(f"/checkout/{guess}")
            assert seen.status == 404, guess
            bodies.add(seen.text.replace(seen.header("request-id"), "").replace(f"/{guess}", ""))
        assert len(bodies) == 1


# once, whoever pays, however often


async def test_two_people_two_tabs_and_two_presses_pay_an_order_once(town: Town) -> None:
    """Fifty orders, each paid at the same time by two people in two tabs each, every form sent twice."""
    shop = await town.api.new_merchant()
    for _ in range(PAIRS):
        people = [await town.api.new_person(wallet_minor=ORDERS * 10_00) for _ in range(2)]
        for _ in range(ORDERS):
            await _race(town, shop, people)
        paid = [await town.payments_of(person) for person in people]
        assert sum(paid) == ORDERS, "one payment an order"
        for person, count in zip(people, paid, strict=True):
            wallet = (await town.api.get(f"/v1/wallets/{person.wallet}", person.token)).json()
            assert wallet["balance_minor"] == (ORDERS - count) * 10_00, "which took its money once"


async def _race(town: Town, shop: Shop, people: list[Person]) -> None:
    session = await session_of(town, shop, 10_00)
    tabs = [town.visitor(token=person.token) for person in people for _ in range(2)]
    forms = [await ready(tab, session["url"]) for tab in tabs]
    pressed = [(tab, form) for tab, form in zip(tabs, forms, strict=True) for _ in range(2)]
    seen = await asyncio.gather(*(tab.post(session["url"], form) for tab, form in pressed))
    assert all(one.status in (303, 409) for one in seen), [one.status for one in seen]
    receipts = {one.location for one in seen if one.location.startswith("/app/payments/")}
    assert len(receipts) == 1, receipts
    assert await state_of(town, shop, session) == "complete"
    ends = [await tab.get(session["url"]) for tab in tabs]
    assert sum(end.location in receipts for end in ends) == 2, (
        "both tabs of the one who paid show the receipt"
    )
    assert sum("This order is paid" in end.text for end in ends) == 2, "and the other is told"
