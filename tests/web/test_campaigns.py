"""The merchant's campaigns: made by a form, once; paused, resumed, ended; and how much of them is used."""

import re
from typing import Any

from tests.api.conftest import Shop
from tests.cases import cases

from wufeng.web.paging import Door

from .conftest import Town
from .visitor import Seen, Visitor

KEY = "0123456789abcdef0123456789abcdef"
FORM = {
    "key": KEY,
    "name": "Autumn",
    "from_on": "2026-09-03",
    "until_on": "2026-09-30",
    "tenor_3": "1",
    "share": "100",
    "order_least": "100",
    "order_most": "5,000.00",
    "budget": "300",
}


def at_desk(town: Town, shop: Shop) -> Visitor:
    return town.visitor(Door.MERCHANT, shop.key)


async def made(desk: Visitor, **more: str) -> Seen:
    return await desk.post("/merchant/campaigns", FORM | more)


async def test_a_form_makes_one_campaign_and_its_use_is_shown(town: Town) -> None:
    shop = await town.api.new_merchant()
    person = await town.api.new_person(line_minor=10_000_00)
    desk = at_desk(town, shop)
    assert "No campaign yet" in (await desk.get("/merchant/campaigns")).text
    first, again = await made(desk), await made(desk)
    assert first.status == again.status == 303 and first.location == again.location
    assert (await made(desk, name="Winter")).location == "/merchant/campaigns", (
        "the form made another already"
    )
    listed = (await town.api.get("/v1/campaigns", shop.key)).json()["data"]
    assert [(one["name"], one["tenors"], one["share_ppm"]) for one in listed] == [("Autumn", [3], 1_000_000)]
    assert (listed[0]["order_least_minor"], listed[0]["order_most_minor"]) == (100_00, 5_000_00)
    paid = await town.api.pay(person, shop, 1_000_00, funding=[{"line": person.line, "tenor": 3}])
    assert paid.json()["status"] == "captured", paid.text
    page = await desk.get(first.location)
    assert page.status == 200 and "Autumn" in page.text and "Running" in page.text
    assert "25.00" in page.text and "275.00" in page.text
    assert "25.00 of" in (await desk.get("/merchant/campaigns")).text


@cases(
    ("more", "told"),
    [
        ({"name": ""}, "in one line"),
        ({"from_on": "soon"}, "Enter a date."),
        ({"until_on": "2026-09-02"}, "before the first day"),
        ({"tenor_3": ""}, "Choose at least one."),
        ({"share": "101"}, "from 1 to 100"),
        ({"share": "many"}, "from 1 to 100"),
        ({"budget": "-1"}, "leave it empty"),
        ({"order_most": "99.99"}, "below the least amount"),
        ({"product_order_instalments": "1", "tenor_3": "", "tenor_24": "1", "product_monthly_bill": "1"}, ""),
    ],
)
async def test_a_form_says_what_is_wrong_and_keeps_what_was_typed(
    town: Town, more: dict[str, Any], told: str
) -> None:
    shop = await town.api.new_merchant()
    seen = await made(at_desk(town, shop), **more)
    if not told:
        assert seen.status == 303
        return
    assert seen.status == 422 and told in seen.text
    assert "5,000.00" in seen.text or "order_most" in more
    assert (await town.api.get("/v1/campaigns", shop.key)).json()["data"] == []


async def test_it_is_paused_resumed_and_ended(town: Town) -> None:
    shop = await town.api.new_merchant()
    desk = at_desk(town, shop)
    path = (await made(desk)).location.partition("?")[0]
    for to, shown in (("paused", "Paused"), ("open", "Running"), ("ended", "Over")):
        assert (await desk.post(path, {"to": to})).location == path
        assert shown in (await desk.get(path)).text
    late = await desk.post(path, {"to": "open"})
    assert late.status == 422 and "nothing was changed" in late.text
    assert (await desk.post(path, {"to": "gone"})).status == 422
    assert not re.search(r"<button[^>]*>Pause it", (await desk.get(path)).text)


async def test_both_languages_have_every_page(town: Town) -> None:
    shop = await town.api.new_merchant()
    desk = at_desk(town, shop)
    path = (await made(desk)).location
    await desk.post("/language", {"to": "zh", "back": "/merchant"})
    for address, text in (
        ("/merchant/campaigns", "分期优惠"),
        ("/merchant/campaigns/new", "结束日"),
        (path, "由你承担"),
    ):
        assert text in (await desk.get(address)).text
