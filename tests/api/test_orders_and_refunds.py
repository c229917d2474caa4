"""Orders, quotes, checkouts, refunds and decisions over HTTP: whose they are, and that they hold together."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from tests.cases import cases

from wufeng.credit.products.model import Early, RefundFees
from wufeng.identity.staff.model import Role

from .conftest import PIN, Api, Shop

YES = {"confirmation": {"kind": "pin", "proof": PIN}}


def terms(amount_minor: int = 100_000, **more: Any) -> dict[str, Any]:
    return {
        "order_no": "B-1", "amount_minor": amount_minor, "currency": "CNY", "subject": "a chair", **more,
    }  # fmt: skip


async def new_order(api: Api, shop: Shop, **more: Any) -> dict[str, Any]:
    answer = await api.post("/v1/orders", shop.key, terms(**more), key=None)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_an_order_from_its_making_to_its_receipt(api: Api) -> None:
    person, shop, other = (
        await api.new_person(line_minor=500_000), await api.new_merchant(), await api.new_merchant(),
    )  # fmt: skip
    order = await new_order(api, shop, receipt="confirm", metadata={"basket": "7"})
    assert (order["state"], order["object"], order["payment"]) == ("open", "order", None)
    again = await api.post("/v1/orders", shop.key, terms(receipt="confirm"), key=None)
    assert (again.status_code, again.json()["id"]) == (200, order["id"])
    reused = await api.post("/v1/orders", shop.key, terms(100_001), key=None)
    assert (reused.status_code, reused.json()["code"]) == (409, "order_no_reused")
    path = f"/v1/orders/{order['id']}"
    assert (await api.get(path, other.key)).status_code == 404
    assert (await api.post(f"{path}/ship", other.key, key=None)).status_code == 404
    assert (await api.post(f"{path}/ship", shop.key, key=None)).status_code == 409
    body = {"order": order["id"], "funding": [{"line": person.line}], **YES}
    paid = await api.post("/v1/payments", person.token, body)
    assert (paid.status_code, paid.json()["order"]) == (201, order["id"]), paid.text
    assert (await api.post(f"{path}/ship", shop.key, key=None)).json()["state"] == "shipped"
    stranger = await api.new_person()
    assert (await api.post(f"{path}/confirm_receipt", stranger.token, key=None)).status_code == 404
    received = await api.post(f"{path}/confirm_receipt", person.token, key=None)
    assert (received.status_code, received.json()["state"]) == (200, "receipt_confirmed")
    listed = (await api.get("/v1/orders", shop.key)).json()
    assert [one["state"] for one in listed["data"]] == ["receipt_confirmed"]
    assert (await api.get("/v1/orders", other.key)).json()["data"] == []
    assert (await api.post(f"{path}/close", shop.key, key=None)).status_code == 409


async def test_pages_of_orders(api: Api) -> None:
    shop = await api.new_merchant()
    made = [await new_order(api, shop, order_no=f"C-{n}") for n in range(3)]
    first = (await api.get("/v1/orders?limit=2", shop.key)).json()
    rest = (await api.get(f"/v1/orders?limit=2&starting_after={first['next']}", shop.key)).json()
    ids = [one["id"] for one in (*first["data"], *rest["data"])]
    assert (first["has_more"], rest["has_more"]) == (True, False)
    assert sorted(ids) == sorted(one["id"] for one in made)
    assert (await api.get("/v1/orders?starting_after=pay_x", shop.key)).status_code == 422


async def test_a_quote_of_a_checkout_is_paid_as_it_was_shown(api: Api) -> None:
    person, shop = await api.new_person(line_minor=500_000), await api.new_merchant()
    order = await new_order(api, shop)
    page = await api.post(
        "/v1/checkout_sessions",
        shop.key,
        {
            "order": order["id"], "return_url": "https://shop.example/", "tenors": [3, 6],
            "merchant_fee_share_ppm": 500_000,
        },
        key=None,
    )  # fmt: skip
    assert page.status_code == 201, page.text
    quote = (await api.post("/v1/quotes", person.token, {"order": order["id"]}, key=None)).json()
    options = {one["tenor"]: one for one in quote["options"]}
    assert set(options) == {None, 3, 6}
    body = {"order": order["id"], "quote_option": options[6]["id"], **YES}
    paid = (await api.post("/v1/payments", person.token, body)).json()
    assert paid["status"] == "captured", paid
    [source] = paid["funding"]
    shown = [part["amount_minor"] for part in options[6]["instalments"]]
    assert [part["amount_minor"] for part in source["instalments"]] == shown
    path = f"/v1/checkout_sessions/{page.json()['id']}"
    assert (await api.get(path, shop.key)).json()["status"] == "complete"
    other = await api.new_merchant()
    assert (await api.get(path, other.key)).status_code == 404
    assert (await api.post(f"{path}/expire", other.key, key=None)).status_code == 404


async def test_a_checkout_binds_funding_that_is_named_freely(api: Api) -> None:
    person, shop = await api.new_person(line_minor=500_000), await api.new_merchant()
    order = await new_order(api, shop)
    new = {"order": order["id"], "return_url": "https://shop.example/", "tenors": [3]}
    await api.post("/v1/checkout_sessions", shop.key, new | {"merchant_fee_share_ppm": 1_000_000}, key=None)
    body: dict[str, Any] = {"order": order["id"], **YES}
    body["funding"] = [{"line": person.line, "tenor": 12}]
    refused = await api.post("/v1/payments", person.token, body)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/funding")
    asked = {"merchant": shop.id, "amount_minor": order["amount_minor"]}
    seen = (await api.post("/v1/quotes", person.token, asked, key=None)).json()
    for tenor in (12, 3):  # one that the page has not, and one at another price
        option = next(one["id"] for one in seen["options"] if one["tenor"] == tenor)
        by_amount = {"order": order["id"], "quote_option": option, **YES}
        refused = await api.post("/v1/payments", person.token, by_amount)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/quote_option")
    body["funding"] = [{"line": person.line, "tenor": 3}]
    paid = (await api.post("/v1/payments", person.token, body)).json()
    assert [part["fee_minor"] for part in paid["funding"][0]["instalments"]] == [0, 0, 0]


async def test_a_checkout_binds_an_order_that_is_named_by_its_number(api: Api) -> None:
    person, shop = await api.new_person(line_minor=500_000), await api.new_merchant()
    order = await new_order(api, shop)
    new = {"order": order["id"], "return_url": "https://shop.example/", "tenors": [3]}
    await api.post("/v1/checkout_sessions", shop.key, new | {"merchant_fee_share_ppm": 1_000_000}, key=None)
    body: dict[str, Any] = {"order": terms(), "payer": person.id}
    refused = await api.post(
        "/v1/payments", shop.key, body | {"funding": [{"line": person.line, "tenor": 12}]}
    )
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/funding")
    asked = await api.post("/v1/payments", shop.key, body | {"funding": [{"line": person.line, "tenor": 3}]})
    assert (asked.status_code, asked.json()["order"]) == (201, order["id"]), asked.text
    confirmed = await api.post(f"/v1/payments/{asked.json()['id']}/confirm", person.token, YES)
    [source] = confirmed.json()["funding"]
    assert [part["fee_minor"] for part in source["instalments"]] == [0, 0, 0]


async def test_offers_are_public(api: Api) -> None:
    shop = await api.new_merchant()
    answer = await api.get(f"/v1/offers?merchant={shop.id}&amount_minor=100000")
    assert answer.status_code == 200, answer.text
    offers = answer.json()["data"]
    assert [one["tenor"] for one in offers if one["product"] == "monthly_bill@1"] == [1, 3, 6, 9, 12]
    assert all("annualised_rate_ppm" in one for one in offers)


@cases(
    ("body", "pointer"),
    [
        ({}, "/merchant"),
        ({"merchant": "mer_00000000000000000000000001"}, "/amount_minor"),
        ({"merchant": "mer_00000000000000000000000001", "amount_minor": 100}, "/merchant"),
        ({"order": "ord_00000000000000000000000001"}, "/order"),
        ({"order": "ord_00000000000000000000000001", "amount_minor": 1}, "/amount_minor"),
        ({"payer": "per_00000000000000000000000001", "merchant": "mer_00000000000000000000000001",
          "amount_minor": 1}, "/merchant"),
    ],
)  # fmt: skip
async def test_quotes_that_cannot_be_made(api: Api, body: dict[str, Any], pointer: str) -> None:
    person = await api.new_person()
    answer = await api.post("/v1/quotes", person.token, body, key=None)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer), answer.text


async def test_a_refund_over_http(api: Api) -> None:
    person, shop = await api.new_person(line_minor=500_000), await api.new_merchant()
    other = await api.new_merchant()
    payment = (await api.pay(person, shop, 100_000)).json()
    body = {
        "payment": payment["id"], "refund_no": "r1", "amount_minor": 40_000, "reason": "broken",
    }  # fmt: skip
    assert (await api.post("/v1/refunds", other.key, body)).status_code == 422
    assert (await api.post("/v1/refunds", person.token, body)).status_code == 403
    assert (await api.post("/v1/refunds", shop.key, body, key=None)).status_code == 400
    refund = await api.post("/v1/refunds", shop.key, body, key="k")
    assert (refund.status_code, refund.json()["status"]) == (201, "posted"), refund.text
    assert (await api.post("/v1/refunds", shop.key, body, key="k")).content == refund.content
    assert (await api.post("/v1/refunds", shop.key, body, key="l")).status_code == 200
    path = f"/v1/refunds/{refund.json()['id']}"
    assert (await api.get(path, shop.key)).json() == refund.json()
    assert (await api.get(path, other.key)).status_code == 404
    staff = await api.new_staff(Role.OPERATOR)
    rest = await api.post("/v1/refunds", staff, body | {"refund_no": "r2", "amount_minor": 60_000})
    assert rest.status_code == 201, rest.text
    seen = (await api.get(f"/v1/payments/{payment['id']}", person.token)).json()
    assert seen["refunded_minor"] == 100_000


async def test_only_staff_date_a_refund_back_and_nobody_names_the_reason_of_an_undoing(api: Api) -> None:
    person, shop = await api.new_person(line_minor=500_000), await api.new_merchant()
    payment = (await api.pay(person, shop, 100_000)).json()
    today = payment["captured_at"][:10]
    body = {
        "payment": payment["id"], "refund_no": "r1", "amount_minor": 40_000, "reason": "broken",
    }  # fmt: skip
    staff = await api.new_staff(Role.OPERATOR)
    for caller, more in (
        (shop.key, {"value_on": today}),
        (staff, {"value_on": "2020-01-01"}),
        (staff, {"value_on": "2099-01-01"}),
        (staff, {"reason_code": "undone"}),
    ):
        refused = await api.post("/v1/refunds", caller, body | more)
        assert refused.status_code == 422, more
        assert refused.json()["errors"][0]["pointer"] == f"/{next(iter(more))}"
    dated = await api.post("/v1/refunds", staff, body | {"value_on": today})
    assert (dated.status_code, dated.json()["value_on"]) == (201, None)


async def test_a_payment_undone_over_http(api: Api) -> None:
    person, shop = await api.new_person(line_minor=500_000), await api.new_merchant()
    payment = (await api.pay(person, shop, 100_000)).json()
    path, body = f"/v1/payments/{payment['id']}/undo", {"reason": "charged back"}
    for caller in (shop.key, person.token, await api.new_staff(Role.ANALYST)):
        assert (await api.post(path, caller, body)).status_code == 403
    staff = await api.new_staff(Role.OPERATOR)
    undone = await api.post(path, staff, body, key="k")
    assert undone.status_code == 201, undone.text
    (refund,) = undone.json()["refunds"]
    assert (refund["amount_minor"], refund["reason_code"]) == (100_000, "undone")
    assert (await api.post(path, staff, body, key="k")).content == undone.content
    assert (await api.post(path, staff, body, key="l")).status_code == 200
    seen = (await api.get(f"/v1/payments/{payment['id']}", person.token)).json()
    assert seen["refunded_minor"] == 100_000


async def test_a_refund_by_staff_is_audited(api: Api) -> None:
    person, shop = await api.new_person(line_minor=500_000), await api.new_merchant()
    payment = (await api.pay(person, shop, 100_000)).json()
    boss = await api.new_staff(Role.SUPERVISOR)
    asked = {"payment": payment["id"], "amount_minor": 1_000}
    for refund_no, value_on in (("r1", None), ("r1", None), ("r2", "2026-09-03")):
        body = asked | {"refund_no": refund_no, "reason": f"goodwill {refund_no}", "value_on": value_on}
        assert (await api.post("/v1/refunds", boss, body)).status_code in (200, 201)
        api.clock.turn_to(api.clock.now() + timedelta(seconds=1))
    api.clock.turn_to(api.clock.now() + timedelta(days=1))
    boss = await api.new_staff(Role.SUPERVISOR)  # signed in on that day
    late = asked | {"refund_no": "r3", "reason": "told late", "value_on": "2026-09-03"}
    assert (await api.post("/v1/refunds", boss, late)).status_code == 201
    own = asked | {"refund_no": "r4", "reason": "the merchant's own"}
    assert (await api.post("/v1/refunds", shop.key, own)).status_code == 201
    entries = (await api.get(f"/v1/audit_entries?of={payment['id']}", boss)).json()["data"]
    assert [(entry["operation"], entry["reason"]) for entry in entries] == [
        ("create_refund", "told late"), ("create_refund", "goodwill r2"), ("create_refund", "goodwill r1"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("more", "code", "returned_minor"),
    [
        ({}, "other", 0),
        ({"reason_code": "changed_mind"}, "changed_mind", 0),
        ({"reason_code": "faulty"}, "faulty", 0),
    ],
)
async def test_a_refund_says_why(api: Api, more: dict[str, str], code: str, returned_minor: int) -> None:
    person, shop = await api.new_person(line_minor=500_000), await api.new_merchant()
    payment = (await api.pay(person, shop, 100_000)).json()
    body = {"payment": payment["id"], "refund_no": "r1", "amount_minor": 40_000, "reason": "broken", **more}
    refund = (await api.post("/v1/refunds", shop.key, body, key="k")).json()
    assert (refund["reason_code"], refund["charges_returned_minor"]) == (code, returned_minor)
    assert (await api.get(f"/v1/refunds/{refund['id']}", shop.key)).json() == refund
    again = await api.post("/v1/refunds", shop.key, body | {"reason_code": "duplicate"}, key="l")
    assert (again.status_code, again.json()["code"]) == (409, "state_conflict"), again.text
    unknown = await api.post("/v1/refunds", shop.key, body | {"reason_code": "bored", "refund_no": "r2"})
    assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (422, "/reason_code")


async def test_a_new_price_file_leaves_old_draws_to_be_settled_and_refunded_by_the_old_one(api: Api) -> None:
    person = await api.new_person(line_minor=500_000, wallet_minor=100_000)
    shop = await api.new_merchant()
    in_three = {"funding": [{"line": person.line, "tenor": 3}]}
    first = (await api.pay(person, shop, 90_000, **in_three)).json()
    products = api.app.services.products
    old = products.version("monthly_bill", 1)
    instalments = replace(
        old.instalments,
        prices=tuple(
            replace(one, fee_ppm=60_000) if one.tenor == 3 else one for one in old.instalments.prices
        ),
        early=Early.DUE,
        refund_fees=RefundFees.KEPT,
    )
    products.add([replace(old, version=2, instalments=instalments)])
    second = (await api.pay(person, shop, 90_000, **in_three)).json()
    plans = [payment["funding"][0]["draw"].replace("drw_", "pln_") for payment in (first, second)]
    for plan, fee_minor in zip(plans, (750, 1_800), strict=True):
        shown = (await api.get(f"/v1/plans/{plan}", person.token)).json()
        assert [one["fee_minor"] for one in shown["instalments"]] == [fee_minor] * 3
    for payment in (first, second):
        body = {"payment": payment["id"], "refund_no": "r", "amount_minor": 60_000, "reason": "too big"}
        assert (await api.post("/v1/refunds", shop.key, body)).status_code == 201
    left = [(await api.get(f"/v1/plans/{plan}", person.token)).json()["instalments"] for plan in plans]
    assert [[one["fee_minor"] for one in parts] for parts in left] == [[750, 0, 0], [1_800, 1_800, 1_800]]
    for plan, saved_minor in zip(plans, (750, 0), strict=True):
        body = {"line": person.line, "plan": plan}
        settled = await api.post("/v1/repayments", person.token, body)
        assert (settled.status_code, settled.json()["saved_minor"]) == (201, saved_minor), settled.text


async def test_a_person_reads_its_own_part_of_a_decision(api: Api) -> None:
    person, shop = await api.new_person(line_minor=500_000), await api.new_merchant()
    payment = (await api.pay(person, shop, 100_000)).json()
    path = f"/v1/decisions/{payment['decision']}"
    own = (await api.get(path, person.token)).json()
    assert (own["outcome"], own["confirmed_by"]) == ("allow", "pin")
    assert not {"features", "rules", "versions"} & set(own)
    staff = (await api.get(path, await api.new_staff(Role.OPERATOR))).json()
    assert staff["versions"] == {"policy": "payment@2", "product": "monthly_bill@1"}
    assert staff["features"]["lifetime_count"] == 0
    stranger = await api.new_person()
    assert (await api.get(path, stranger.token)).status_code == 404
    assert (await api.get(path, shop.key)).status_code == 403
