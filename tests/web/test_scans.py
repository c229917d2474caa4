"""Codes, links and a friend's link as people meet them: signed in or not, in both languages, without scripts."""

import re
from datetime import timedelta
from typing import Any

from tests.api.conftest import PIN, Person, Shop
from tests.cases import cases

from wufeng.web.paging import Door

from .conftest import Town
from .visitor import Visitor


def path_of(url: str) -> str:
    return "/" + url.split("/", 3)[3]


async def code_of(town: Town, shop: Shop, **more: Any) -> dict[str, Any]:
    made = await town.api.post("/v1/merchant_codes", shop.key, {"label": "Counter 1", **more})
    code: dict[str, Any] = made.json()
    return code


async def open_order(town: Town, shop: Shop, amount_minor: int = 12_80, **more: Any) -> str:
    order = town.api.order(shop, amount_minor, **more)
    del order["merchant"]
    id_: str = (await town.api.post("/v1/orders", shop.key, order)).json()["id"]
    return id_


def signed_in(town: Town, person: Person, language: str = "en") -> Visitor:
    return town.visitor(Door.CONSUMER, person.token, language)


async def paid_on(visitor: Visitor, checkout: str) -> str:
    """Pay on a hosted page from the balance; the page that comes."""
    page = await visitor.get(checkout)
    assert page.status == 200, page.text
    form = {"key": page.field("key"), "option": page.field("option"), "pin": PIN}
    done = await visitor.post(checkout, form)
    assert done.status == 303 and "/app/payments/" in done.location, done.text
    return (await visitor.get(done.location)).text


async def test_a_scanned_code_takes_an_amount_then_a_sign_in_then_the_payment(town: Town) -> None:
    shop, person = await town.api.new_merchant(), await town.api.new_person(wallet_minor=100_00)
    path = path_of((await code_of(town, shop, subject="Tea"))["url"])
    stranger = town.visitor()
    seen = await stranger.get(path)
    assert seen.status == 200 and "Tea" in seen.text and 'method="get"' in seen.text
    assert (await stranger.get(f"{path}?amount=abc")).status == 422
    priced = await stranger.get(f"{path}?amount=12.80")
    assert "12.80" in priced.text and f'value="{path}?amount=12.80"' in priced.text
    visitor = signed_in(town, person)
    page = await visitor.get(f"{path}?amount=12.80")
    assert page.field("amount") == "12.80"
    assert (await visitor.post(path, {"key": page.field("key"), "amount": "0"})).status == 422
    sent = {"key": page.field("key"), "amount": "12.80"}
    first, second = await visitor.post(path, sent), await visitor.post(path, sent)
    assert first.status == 303 and first.location == second.location, "two presses are one order"
    assert "Paid" in await paid_on(visitor, first.location)
    assert (await visitor.post(path, sent | {"amount": "13.00"})).status == 422


async def test_a_fixed_amount_is_not_asked_for(town: Town) -> None:
    shop, person = await town.api.new_merchant(), await town.api.new_person(wallet_minor=100_00)
    path = path_of((await code_of(town, shop, amount_minor=5_00))["url"])
    visitor = signed_in(town, person)
    page = await visitor.get(path)
    assert "5.00" in page.text and 'name="amount"' not in page.text
    go = await visitor.post(path, {"key": page.field("key")})
    assert "5.00" in await paid_on(visitor, go.location)


async def test_an_orders_code_leads_to_its_page_and_opens_one_page_only(town: Town) -> None:
    shop, person = await town.api.new_merchant(), await town.api.new_person(wallet_minor=100_00)
    order = await open_order(town, shop)
    code = (await town.api.get(f"/v1/orders/{order}/code", shop.key)).json()
    path = path_of(code["url"])
    first, second = await town.visitor().get(path), await town.visitor().get(path)
    assert first.status == 303 and first.location == second.location
    assert "12.80" in (await town.visitor().get(first.location)).text
    visitor = signed_in(town, person)
    await paid_on(visitor, first.location)
    again = await visitor.get((await visitor.get(path)).location)
    assert again.status == 303 and "/app/payments/" in again.location
    other = await town.visitor().get((await town.visitor().get(path)).location)
    assert "This order is paid" in other.text


async def pages_of(town: Town) -> int:
    """How many hosted pages have been made."""
    async with town.api.app.database.read() as db:
        count: int = await db.fetchval("select count(*) from checkout_session")
    return count


async def test_an_order_that_cannot_be_paid_gets_no_page(town: Town) -> None:
    shop, hour = await town.api.new_merchant(), timedelta(hours=1)
    ends = (town.api.clock.now() + hour).isoformat()
    seen_before, never_seen = [await open_order(town, shop, expires_at=ends) for _ in range(2)]
    closed = await open_order(town, shop)
    view = await town.api.post(f"/v1/orders/{closed}/close", shop.key)
    assert view.status_code == 200, view.text
    paths = {
        order: path_of((await town.api.get(f"/v1/orders/{order}/code", shop.key)).json()["url"])
        for order in (seen_before, never_seen, closed)
    }
    page = await town.visitor().get(paths[seen_before])
    assert page.status == 303 and await pages_of(town) == 1
    town.api.clock.turn_to(town.api.clock.now() + hour)
    for _ in range(3):
        assert (await town.visitor().get(paths[seen_before])).location == page.location, (
            "the page that it had"
        )
        for order in (never_seen, closed):
            told = await town.visitor().get(paths[order])
            assert told.status == 200 and "This order can no longer be paid" in told.text
            assert "<form" not in told.text.split("<main")[1].split("</main")[0]
    assert await pages_of(town) == 1


async def session_of(town: Town, shop: Shop, location: str) -> dict[str, Any]:
    seen: dict[str, Any] = (
        await town.api.get(f"/v1/checkout_sessions/{location.split('/')[2]}", shop.key)
    ).json()
    return seen


async def test_a_page_that_its_merchant_ended_is_opened_without_its_share(town: Town) -> None:
    """Of one that ran out, the merchant still carries its share: only whoever ends it takes that back."""
    shop = await town.api.new_merchant()
    shares = {}
    for ended in (True, False):
        order = await open_order(town, shop)
        offered = {"order": order, "return_url": "https://shop.test/", "tenors": [3, 6]}
        offered["merchant_fee_share_ppm"] = 500_000
        session = (await town.api.post("/v1/checkout_sessions", shop.key, offered, key=None)).json()["id"]
        if ended:
            await town.api.post(f"/v1/checkout_sessions/{session}/expire", shop.key, key=None)
        else:
            town.api.clock.turn_to(town.api.clock.now() + timedelta(hours=24))
        path = path_of((await town.api.get(f"/v1/orders/{order}/code", shop.key)).json()["url"])
        seen = await session_of(town, shop, (await town.visitor().get(path)).location)
        assert seen["id"] != session and seen["status"] == "open" and seen["tenors"] == [3, 6]
        shares[ended] = seen["merchant_fee_share_ppm"]
    assert shares == {True: 0, False: 500_000}


@cases("path", ["/q/none", "/q/" + "0" * 26, "/q/" + "0" * 52, "/l/" + "0" * 52, "/f/" + "0" * 52])
async def test_a_guess_is_not_there(town: Town, path: str) -> None:
    assert (await town.visitor().get(path)).status == 404
    person = await town.api.new_person()
    assert (await signed_in(town, person).post(path, {"key": "k" * 32})).status == 404


async def test_a_code_of_another_book_stands_in_that_book(town: Town) -> None:
    shop, person = await town.api.new_merchant(), await town.api.new_person()
    path = path_of((await code_of(town, shop))["url"])
    visitor = signed_in(town, person)
    visitor.cookies["wufeng_book"] = "live"
    visitor.cookies.pop(Door.CONSUMER.cookie)
    seen = await visitor.get(path)
    assert seen.status == 200 and "Test book" in seen.text and visitor.cookies["wufeng_book"] == "test"


async def test_what_is_put_in_leads_to_its_page(town: Town) -> None:
    shop, person = await town.api.new_merchant(), await town.api.new_person()
    code, visitor = await code_of(town, shop), signed_in(town, person)
    page = await visitor.get("/app/scan")
    assert page.status == 200 and "camera=(self)" in page.header("permissions-policy")
    for text in (code["emv"], code["url"], code["id"], f"  {code['id']}\n"):
        found = await visitor.post("/app/scan", {"text": text})
        assert found.location == path_of(code["url"]), found.text
    wrong = await visitor.post("/app/scan", {"text": "<b>hello</b>"})
    assert wrong.status == 422 and "&lt;b&gt;hello" in wrong.text and "no code that can be paid" in wrong.text


async def test_a_link_from_a_chat(town: Town) -> None:
    shop, person = await town.api.new_merchant(), await town.api.new_person(wallet_minor=100_00)
    made = await town.api.post("/v1/payment_links", shop.key, {"amount_minor": 30_00, "subject": "Lunch"})
    path = path_of(made.json()["url"])
    assert "Lunch" in (await town.visitor().get(path)).text
    visitor = signed_in(town, person)
    page = await visitor.get(path)
    go = await visitor.post(path, {"key": page.field("key")})
    assert go.location == (await visitor.post(path, {"key": page.field("key")})).location
    assert "30.00" in await paid_on(visitor, go.location)
    over = await visitor.get(path)
    assert "This link has ended" in over.text and "<form" in over.text
    assert "This link has ended" in (await visitor.post(path, {"key": page.field("key")})).text


async def test_a_friend_pays(town: Town) -> None:
    shop, asker = await town.api.new_merchant(), await town.api.new_person()
    friend = await town.api.new_person(wallet_minor=100_00)
    order = await open_order(town, shop)
    mine, theirs = signed_in(town, asker), signed_in(town, friend)
    page = await mine.get(f"/app/orders/{order}/friend")
    assert "Ask a friend to pay" in page.text
    made = await mine.post(f"/app/orders/{order}/friend", {"key": page.field("key")})
    own = await mine.get(made.location)
    url = re.search(r'value="(http://wufeng\.test/f/[0-9a-z]{52})"', own.text)
    assert url is not None and "Waits for your friend" in own.text and "data-live" in own.text
    path = path_of(url[1])
    assert (await theirs.get(made.location)).status == 404
    assert (await mine.get(path)).location == made.location, "who asked sees their own page"
    public = await town.visitor().get(path)
    assert "A friend asks you" in public.text and "12.80" in public.text and "****" not in public.text
    seen = await theirs.get(path)
    assert "asks you to pay this" in seen.text and "*" in seen.text
    go = await theirs.post(path, {"key": seen.field("key")})
    assert "Paid" in await paid_on(theirs, go.location)
    after = await mine.get(made.location)
    assert "It is paid" in after.text and "Ask no longer" not in after.text
    live = await mine.get(f"{made.location}/live?seen=open")
    assert "It is paid" in live.text and "event: state" in live.text
    assert "This order is paid" in (await town.visitor().get(path)).text


async def test_who_asked_may_stop(town: Town) -> None:
    shop, asker = await town.api.new_merchant(), await town.api.new_person()
    order, mine = await open_order(town, shop), signed_in(town, asker)
    page = await mine.get(f"/app/orders/{order}/friend")
    made = await mine.post(f"/app/orders/{order}/friend", {"key": page.field("key")})
    url = re.search(r"/f/[0-9a-z]{52}", (await mine.get(made.location)).text)
    assert url is not None
    assert (await mine.post(f"{made.location}/cancel", {"key": "k" * 32})).location == made.location
    assert "You ask no longer" in (await mine.get(made.location)).text
    friend = signed_in(town, await town.api.new_person(wallet_minor=100_00))
    assert "This link has ended" in (await friend.get(url[0])).text
    assert (await friend.post(url[0], {"key": "k" * 32})).location == url[0]


async def test_a_merchant_makes_prints_and_closes_a_code(town: Town) -> None:
    shop = await town.api.new_merchant()
    desk = town.visitor(Door.MERCHANT, shop.key)
    assert "500.00" in (await desk.get("/merchant/codes")).text, "the day's limit of printed codes is said"
    bad = await desk.post("/merchant/codes", {"label": "", "amount": "x"})
    assert bad.status == 422 and "where it hangs" in bad.text and "such as 12.80" in bad.text
    made = await desk.post("/merchant/codes", {"label": "Table 5", "subject": "Tea", "amount": "12.80"})
    page = await desk.get(made.location)
    assert "<svg" in page.text and "12.80" in page.text and "style=" not in page.text
    poster = await desk.get(f"{made.location}/poster?paper=a4")
    assert poster.header("content-type") == "application/pdf" and poster.body.startswith(b"%PDF")
    assert "attachment" in poster.header("content-disposition")
    assert "Table 5" in (await desk.get("/merchant/codes")).text
    assert (await desk.post(f"{made.location}/close", {"key": "k" * 32})).location == made.location
    assert "Take the poster down" in (await desk.get(made.location)).text
    other = town.visitor(Door.MERCHANT, (await town.api.new_merchant()).key)
    for path in ("", "/poster"):
        assert (await other.get(made.location + path)).status == 404


async def test_a_merchant_sends_a_link_and_closes_it(town: Town) -> None:
    shop = await town.api.new_merchant()
    desk = town.visitor(Door.MERCHANT, shop.key)
    bad = await desk.post("/merchant/links", {"amount": "", "subject": "", "uses": "0"})
    assert bad.status == 422 and "from 1 to 100" in bad.text
    made = await desk.post("/merchant/links", {"amount": "30", "subject": "Lunch", "uses": "3"})
    page = await desk.get(made.location)
    assert re.search(r"http://wufeng\.test/l/[0-9a-z]{52}", page.text) and "0 of 3 times" in page.text
    assert "Lunch" in (await desk.get("/merchant/links")).text
    await desk.post(f"{made.location}/close", {"key": "k" * 32})
    assert "Closed" in (await desk.get(made.location)).text


async def test_both_languages_have_every_page(town: Town) -> None:
    shop, person = await town.api.new_merchant(), await town.api.new_person()
    code, order = await code_of(town, shop), await open_order(town, shop)
    visitor, desk = signed_in(town, person, "zh"), town.visitor(Door.MERCHANT, shop.key, "zh")
    assert "扫一扫" in (await visitor.get("/app/scan")).text
    assert "继续" in (await visitor.get(path_of(code["url"]))).text
    assert "找朋友代付" in (await visitor.get(f"/app/orders/{order}/friend")).text
    assert "新建收款码" in (await desk.get("/merchant/codes")).text
    assert "下载海报" in (await desk.get(f"/merchant/codes/{code['id']}")).text
    assert "新建链接" in (await desk.get("/merchant/links")).text
