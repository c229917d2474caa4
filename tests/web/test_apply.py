"""Opening credit in one visit, as a browser without scripts meets it; at a checkout, opened and paid with at once."""

import re
from datetime import timedelta
from urllib.parse import quote, unquote

import pytest
from tests.api.conftest import PIN, Api, Person, Shop
from tests.web.conftest import Town
from tests.web.visitor import Seen, Visitor

from wufeng.base.ids import Prefix, decode
from wufeng.credit.applications.policy import shipped_application_policy

CONSENTS = {f"consent_{one.purpose}": str(one.version) for one in shipped_application_policy().consents}
SAID = {"product": "monthly_bill", "born_on": "1990-01-02", "income": "8,000", "elsewhere": "0", **CONSENTS}


async def known(api: Api, tier: int = 2) -> Person:
    """A person whose papers the operator has seen."""
    person = await api.new_person()
    async with api.app.services.database.transaction() as db:
        await db.execute("update person set tier = $2 where id = $1", decode(Prefix.PERSON, person.id), tier)
    return person


def address(result: Seen) -> str:
    """The address of the application that a page shows."""
    found = re.search(r"app_[0-9a-z]{26}", result.text)
    assert found is not None
    return f"/app/applications/{found[0]}"


async def apply(visitor: Visitor, **more: str) -> Seen:
    """Fill in the form as it is shown; the page that follows."""
    asked = "&".join(f"{name}={quote(value, safe='')}" for name, value in more.items())
    form = await visitor.get(f"/app/apply?product=monthly_bill&{asked}")
    assert form.status == 200
    sent = await visitor.post("/app/apply", {**SAID, **more, "key": form.field("key")})
    assert sent.status == 303, sent.text
    return await visitor.get(sent.location)


async def test_one_visit_opens_a_line(town: Town) -> None:
    person = await known(town.api)
    visitor = town.visitor(token=person.token)
    offered = await visitor.get("/app/apply")
    assert "15.86%" in offered.text and "18.25% a year" in offered.text
    form = await visitor.get("/app/apply?product=monthly_bill")
    assert "checked" not in form.text, "nothing is agreed to beforehand"
    result = await apply(visitor)
    assert "You can have this limit" in result.text and "500.00" in result.text
    assert "What kept the limit low" in result.text and "Payments in the last 90 days: 0" in result.text
    assert "Nothing else is charged than what stands on this sheet." in result.text
    path = address(result)
    for paper in ("sheet", "contract"):
        seen = await visitor.get(f"{path}/{paper}")
        assert seen.header("content-type") == "application/pdf" and seen.body[:5] == b"%PDF-"
    signing = {"key": result.field("key"), "sheet_hash": result.field("sheet_hash"), "pin": "111222"}
    wrong = await visitor.post(f"{path}/accept", signing)
    assert wrong.status == 403 and "4 tries are left." in wrong.text
    signed = await visitor.post(f"{path}/accept", {**signing, "pin": PIN})
    again = await visitor.post(f"{path}/accept", {**signing, "pin": PIN})
    assert signed.location == again.location == path
    assert "Signed: your credit is open" in (await visitor.get(path)).text
    (line,) = (await town.api.get("/v1/lines", person.token)).json()["data"]
    assert line["limit_minor"] == 500_00
    assert "product=monthly_bill" not in (await visitor.get("/app/apply")).text, "it is held already"
    chinese = await town.visitor(token=person.token, language="zh").get(path)
    assert "综合融资成本明示表" in chinese.text and "近 90 天付款 0 笔" in chinese.text


async def test_a_checkout_opens_and_pays_by_one_confirmation(town: Town) -> None:
    person, shop = await known(town.api), await town.api.new_merchant()
    session = await town.checkout(shop, 300_00)
    order = (await town.api.get(f"/v1/checkout_sessions/{session}", shop.key)).json()["order"]
    visitor, back = town.visitor(token=person.token), f"/checkout/{session}"
    result = await apply(visitor, order=order, next=back)
    assert "Sign and pay ¥300.00" in result.text and "Principal: the amount of this order" in result.text
    path = address(result)
    signing = {
        "key": result.field("key"),
        "sheet_hash": result.field("sheet_hash"),
        "pin": PIN,
        "next": back,
    }
    paid = await visitor.post(f"{path}/accept", {**signing, "pay": "1"})
    assert paid.status == 303 and paid.location.startswith("/app/payments/"), paid.location
    again = await visitor.post(f"{path}/accept", {**signing, "pay": "1"})
    assert again.location == paid.location, "sent twice it is one line and one payment"
    assert "Paid" in (await visitor.get(paid.location)).text
    assert await town.payments_of(person) == 1


async def subsidised(town: Town, shop: Shop, share_ppm: int = 1_000_000) -> tuple[str, str]:
    """An order and its checkout session: three parts alone, whose fee the merchant carries."""
    order = town.api.order(shop, 300_00)
    del order["merchant"]
    made = (await town.api.post("/v1/orders", shop.key, order)).json()["id"]
    body = {"order": made, "return_url": "https://shop.test/back", "tenors": [3]}
    asked = {**body, "merchant_fee_share_ppm": share_ppm}
    session = await town.api.post("/v1/checkout_sessions", shop.key, asked)
    assert session.status_code == 201, session.text
    return made, session.json()["id"]


async def test_a_subsidised_checkout_is_signed_and_paid_at_its_price(town: Town) -> None:
    person, shop = await known(town.api), await town.api.new_merchant()
    order, session = await subsidised(town, shop)
    visitor = town.visitor(token=person.token)
    result = await apply(visitor, order=order, next=f"/checkout/{session}")
    assert "3 instalments: of the fee of this order the merchant carries 100%" in result.text
    assert 'name="pay" value="3"' in result.text
    path = address(result)
    sheet = (await town.api.get(f"{path.replace('/app', '/v1', 1)}/sheet", person.token)).json()
    assert [(way["tenor"], way["total_cost_minor"]) for way in sheet["ways"]] == [(3, 0)]
    signing = {"key": result.field("key"), "sheet_hash": result.field("sheet_hash"), "pin": PIN}
    paid = await visitor.post(f"{path}/accept", {**signing, "pay": "3"})
    assert paid.location.startswith("/app/payments/"), paid.location
    payment = (await town.api.get(paid.location.replace("/app", "/v1", 1), person.token)).json()
    parts = [part for source in payment["funding"] for part in source["instalments"]]
    assert [(part["principal_minor"], part["fee_minor"]) for part in parts] == [
        (part["principal_minor"], part["fee_minor"]) for part in sheet["ways"][0]["instalments"]
    ]
    assert (await town.api.get(f"/v1/orders/{order}", shop.key)).json()["state"] == "paid"


@pytest.mark.parametrize("pay", ["1", "6", "7", "²", "٣", "0", "-3", "3.0", "9" * 40])
async def test_what_the_sheet_does_not_have_opens_nothing(town: Town, pay: str) -> None:
    person, shop = await known(town.api), await town.api.new_merchant()
    order, session = await subsidised(town, shop)
    visitor = town.visitor(token=person.token)
    result = await apply(visitor, order=order, next=f"/checkout/{session}")
    path = address(result)
    signing = {"key": result.field("key"), "sheet_hash": result.field("sheet_hash"), "pin": PIN}
    refused = await visitor.post(f"{path}/accept", {**signing, "pay": pay})
    assert refused.status == 422 and "Nothing was opened" in refused.text
    assert (await town.api.get("/v1/lines", person.token)).json()["data"] == []


async def test_who_signs_when_the_checkout_has_changed_pays_at_no_other_price(town: Town) -> None:
    person, shop = await known(town.api), await town.api.new_merchant()
    order, session = await subsidised(town, shop)
    visitor, back = town.visitor(token=person.token), f"/checkout/{session}"
    result = await apply(visitor, order=order, next=back)
    path = address(result)
    signing = {"key": result.field("key"), "sheet_hash": result.field("sheet_hash"), "pin": PIN, "next": back}
    ended = await town.api.post(f"/v1/checkout_sessions/{session}/expire", shop.key)
    assert ended.status_code == 200, ended.text
    refused = await visitor.post(f"{path}/accept", {**signing, "pay": "3"})
    assert refused.status == 422 and "Sign and pay" not in refused.text
    assert "Sign and open" in refused.text, "the line alone is as it was"
    opened = await visitor.post(f"{path}/accept", signing)
    assert unquote(opened.location) == f"{path}?next={back}"


async def test_on_another_day_an_order_is_not_paid_by_the_sheet_of_today(town: Town) -> None:
    person, shop = await known(town.api), await town.api.new_merchant()
    order, session = await subsidised(town, shop, share_ppm=0)
    visitor = town.visitor(token=person.token)
    result = await apply(visitor, order=order, next=f"/checkout/{session}")
    assert "Sign and pay" in result.text
    path, clock = address(result), town.api.clock
    clock.turn_to(clock.now() + timedelta(hours=13))
    later = await visitor.get(path)
    assert "Sign and pay" not in later.text and "Sign and open" in later.text


async def test_who_comes_back_to_a_changed_checkout_signs_what_is_paid_there(town: Town) -> None:
    person, shop = await known(town.api), await town.api.new_merchant()
    order, session = await subsidised(town, shop)
    visitor, back = town.visitor(token=person.token), f"/checkout/{session}"
    first = await apply(visitor, order=order, next=back)
    again = await apply(visitor, order=order, next=back)
    assert address(again) == address(first), "nothing has changed: it is one application"
    assert (await town.api.post(f"/v1/checkout_sessions/{session}/expire", shop.key)).status_code == 200
    town.api.clock.turn_to(town.api.clock.now() + timedelta(minutes=1))
    asked = {"order": order, "return_url": "https://shop.test/back", "tenors": [6]}
    assert (await town.api.post("/v1/checkout_sessions", shop.key, asked)).status_code == 201
    result = await apply(visitor, order=order, next=back)
    assert address(result) != address(first) and 'name="pay" value="6"' in result.text
    signing = {"key": result.field("key"), "sheet_hash": result.field("sheet_hash"), "pin": PIN}
    paid = await visitor.post(f"{address(result)}/accept", {**signing, "pay": "6"})
    assert paid.location.startswith("/app/payments/"), paid.location


@pytest.mark.parametrize(("turned", "paid"), [(timedelta(0), True), (timedelta(days=28), False)])
async def test_what_was_signed_is_paid_on_the_dates_of_the_sheet_or_not_at_all(
    town: Town, turned: timedelta, paid: bool
) -> None:
    """The line is open, its answer was lost, and the form is sent again: on a later bill it would be another plan."""
    person, shop = await known(town.api), await town.api.new_merchant()
    order, session = await subsidised(town, shop, share_ppm=0)
    visitor, clock = town.visitor(token=person.token), town.api.clock
    result = await apply(visitor, order=order, next=f"/checkout/{session}")
    path = address(result)
    signing = {"key": result.field("key"), "sheet_hash": result.field("sheet_hash"), "pin": PIN}
    await visitor.post(f"{path}/accept", signing)
    clock.turn_to(clock.now() + turned)
    sent = await visitor.post(f"{path}/accept", {**signing, "pay": "3"})
    assert sent.location.startswith("/app/payments/" if paid else f"{path}?unpaid=1"), sent.location
    assert await town.payments_of(person) == int(paid)


async def test_a_purchase_that_was_not_paid_is_told(town: Town) -> None:
    person, shop = await known(town.api), await town.api.new_merchant()
    order, session = await subsidised(town, shop)
    visitor, back = town.visitor(token=person.token), f"/checkout/{session}"
    result = await apply(visitor, order=order, next=back)
    path = address(result)
    signing = {"key": result.field("key"), "sheet_hash": result.field("sheet_hash"), "pin": PIN, "next": back}
    await visitor.post(f"{path}/accept", signing)
    assert (await town.api.post(f"/v1/orders/{order}/close", shop.key)).status_code == 200
    unpaid = await visitor.post(f"{path}/accept", {**signing, "pay": "3"})
    assert unquote(unpaid.location) == f"{path}?unpaid=1&next={back}"
    assert "Your credit is open, but this purchase is not paid" in (await visitor.get(unpaid.location)).text


async def test_at_a_second_checkout_its_own_order_is_paid(town: Town) -> None:
    person, shops = await known(town.api), [await town.api.new_merchant() for _ in range(2)]
    sessions = [await town.checkout(shop, minor) for shop, minor in zip(shops, (300_00, 120_00), strict=True)]
    orders = [
        (await town.api.get(f"/v1/checkout_sessions/{session}", shop.key)).json()["order"]
        for session, shop in zip(sessions, shops, strict=True)
    ]
    visitor = town.visitor(token=person.token)
    left = await apply(visitor, order=orders[0], next=f"/checkout/{sessions[0]}")
    result = await apply(visitor, order=orders[1], next=f"/checkout/{sessions[1]}")
    assert "Sign and pay ¥300.00" in left.text and "Sign and pay ¥120.00" in result.text
    signing = {"key": result.field("key"), "sheet_hash": result.field("sheet_hash"), "pin": PIN}
    paid = await visitor.post(f"{address(result)}/accept", {**signing, "pay": "1"})
    assert paid.location.startswith("/app/payments/")
    states = [
        (await town.api.get(f"/v1/orders/{order}", shop.key)).json()["state"]
        for order, shop in zip(orders, shops, strict=True)
    ]
    assert states == ["open", "paid"]
    assert "This application has lapsed" in (await visitor.get(address(left))).text


async def test_an_order_that_was_paid_meanwhile_leads_back_to_its_checkout(town: Town) -> None:
    person, payer = await known(town.api), await town.api.new_person(line_minor=5_000_00)
    shop = await town.api.new_merchant()
    session = await town.checkout(shop, 300_00)
    order = (await town.api.get(f"/v1/checkout_sessions/{session}", shop.key)).json()["order"]
    visitor, back = town.visitor(token=person.token), f"/checkout/{session}"
    form = await visitor.get(f"/app/apply?product=monthly_bill&order={order}&next={quote(back, safe='')}")
    paying = {
        "order": order,
        "funding": [{"line": payer.line}],
        "confirmation": {"kind": "pin", "proof": PIN},
    }
    assert (await town.api.post("/v1/payments", payer.token, paying)).status_code == 201
    sent = await visitor.post("/app/apply", {**SAID, "order": order, "next": back, "key": form.field("key")})
    assert (sent.status, sent.location) == (303, back)


async def test_what_a_person_looks_at_is_shown_at_another_checkout(town: Town) -> None:
    person, shop = await town.api.new_person(), await town.api.new_merchant()
    session = await town.checkout(shop, 300_00)
    order = (await town.api.get(f"/v1/checkout_sessions/{session}", shop.key)).json()["order"]
    visitor = town.visitor(token=person.token)
    path = address(await apply(visitor))
    await visitor.post(f"{path}/refer")
    form = await visitor.get(f"/app/apply?product=monthly_bill&order={order}")
    sent = await visitor.post("/app/apply", {**SAID, "order": order, "key": form.field("key")})
    assert (sent.status, sent.location) == (303, path)


async def test_a_checkout_may_open_only_and_go_back(town: Town) -> None:
    person, shop = await known(town.api), await town.api.new_merchant()
    session = await town.checkout(shop, 900_00)
    order = (await town.api.get(f"/v1/checkout_sessions/{session}", shop.key)).json()["order"]
    visitor, back = town.visitor(token=person.token), f"/checkout/{session}"
    result = await apply(visitor, order=order, next=back)
    assert "Sign and pay" not in result.text, "the limit is less than the order"
    path = address(result)
    signing = {"key": result.field("key"), "sheet_hash": result.field("sheet_hash"), "pin": PIN, "next": back}
    signed = await visitor.post(f"{path}/accept", signing)
    assert unquote(signed.location) == f"{path}?next={back}"
    assert f'href="{back}"' in (await visitor.get(signed.location)).text
    for address_elsewhere in ("https://elsewhere.test/", "javascript:alert(1)", "//elsewhere.test"):
        elsewhere = await visitor.get(f"{path}?next={address_elsewhere}")
        assert (
            'href="https://elsewhere' not in elsewhere.text
            and f'href="{address_elsewhere}' not in elsewhere.text
        )


async def test_what_is_missing_is_said(town: Town) -> None:
    visitor = town.visitor(token=(await known(town.api)).token)
    form = await visitor.get("/app/apply?product=monthly_bill")
    key = {"key": form.field("key")}
    less = {name: value for name, value in SAID.items() if name != "consent_bureau_query"}
    without = await visitor.post("/app/apply", {**less, **key})
    assert without.status == 422 and "Nothing was sent" in without.text
    assert without.text.count("checked") == 2, "what was agreed to stays so"
    unread = await visitor.post("/app/apply", {**SAID, **key, "income": "much"})
    assert unread.status == 422 and 'value="much"' in unread.text
    unborn = await visitor.post("/app/apply", {**SAID, **key, "born_on": ""})
    assert unborn.status == 422 and "Give the date on which you were born." in unborn.text
    assert (await visitor.get("/app/apply?product=gold")).status == 404
    assert (await visitor.post("/app/apply", {**SAID, **key, "product": "gold"})).status == 422


async def test_who_is_declined_reads_why_and_asks_for_a_person(town: Town) -> None:
    person = await town.api.new_person()
    visitor = town.visitor(token=person.token)
    result = await apply(visitor)
    assert "Not this time" in result.text and "No bank account of your own is verified" in result.text
    assert "C09" in result.text and "Sign and open" not in result.text
    assert "/app/bank-accounts/new?next=/app/apply" in result.text, (
        "what can be done about it is one tap away"
    )
    path = address(result)
    asked = await visitor.post(f"{path}/refer")
    assert asked.status == 303
    assert "A person is looking at it" in (await visitor.get(path)).text
    assert (await visitor.post(f"{path}/refer")).status == 303, "once is enough"


async def test_anothers_application_is_no_page(town: Town) -> None:
    person, other = await known(town.api), await town.api.new_person()
    result = await apply(town.visitor(token=person.token))
    path = address(result)
    stranger = town.visitor(token=other.token)
    for tail in ("", "/sheet", "/contract"):
        assert (await stranger.get(f"{path}{tail}")).status == 404
    signing = {"key": result.field("key"), "sheet_hash": result.field("sheet_hash"), "pin": PIN}
    assert (await stranger.post(f"{path}/accept", signing)).status == 404


async def test_a_consent_is_taken_back_on_the_page(town: Town) -> None:
    person = await known(town.api)
    visitor = town.visitor(token=person.token)
    result = await apply(visitor)
    path = address(result)
    assert "What you agreed to" in result.text and "Take this consent back" in result.text
    assert "Grade E gives this price list: Standard" in result.text
    for _ in range(2):
        sent = await visitor.post(f"{path}/withdraw", {"purpose": "bureau_query"})
        assert (sent.status, sent.location) == (303, f"{path}#consents")
    page = await visitor.get(path)
    assert "Taken back on" in page.text and "This application has lapsed" in page.text
    assert page.text.count("Take this consent back") == 2, "the other two"


async def test_how_it_falls_due_is_chosen_where_there_is_a_choice(town: Town) -> None:
    person = await known(town.api)
    visitor = town.visitor(token=person.token)
    assert 'name="mode"' not in (await visitor.get("/app/apply?product=monthly_bill")).text
    form = await visitor.get("/app/apply?product=order_instalments")
    assert 'name="mode" value="order" checked' in form.text and 'name="mode" value="bill">' in form.text
    said = {**SAID, "product": "order_instalments", "mode": "bill", "key": form.field("key")}
    forgot = await visitor.post("/app/apply", {**said, "consent_bureau_query": ""})
    assert forgot.status == 422 and 'name="mode" value="bill" checked' in forgot.text
    result = await visitor.get((await visitor.post("/app/apply", said)).location)
    assert "By monthly bill: all purchases stand on one bill a month" in result.text
    signing = {"key": result.field("key"), "sheet_hash": result.field("sheet_hash"), "pin": PIN}
    await visitor.post(f"{address(result)}/accept", signing)
    (line,) = (await town.api.get("/v1/lines", person.token)).json()["data"]
    assert (line["product"], line["bill_day"]) == ("order_instalments@3", 3)
    chinese = await town.visitor(token=person.token, language="zh").get(address(result))
    assert "按账单还款：所有订单合并为每月一张账单" in chinese.text
