"""Campaigns over HTTP: who makes them, that a key makes one, and that what is shown is what is paid."""

from typing import Any

from tests.api.conftest import PIN
from tests.cases import cases

from wufeng.identity.staff.model import Role

from .conftest import Api, Person, Shop
from .test_merchants import view

NEW = {
    "name": "Autumn",
    "from_on": "2026-09-03",
    "until_on": "2026-09-30",
    "tenors": [6, 3],
    "budget_minor": 50_00,
}
PATH = "/v1/campaigns"


async def bought(api: Api, person: Person, shop: Shop, status: int = 201, **more: Any) -> dict[str, Any]:
    funding = {"funding": [{"line": person.line, "tenor": 3}]} if "quote_option" not in more else {}
    body = {
        "order": api.order(shop, 1_000_00),
        "confirmation": {"kind": "pin", "proof": PIN},
        **funding,
        **more,
    }
    return view(await api.post("/v1/payments", person.token, body), status)


def fees(payment: dict[str, Any]) -> int:
    return sum(part["fee_minor"] for part in payment["funding"][0]["instalments"])


async def test_a_merchant_makes_one_with_its_key_and_reads_what_is_used(api: Api) -> None:
    shop, person = await api.new_merchant(), await api.new_person(line_minor=10_000_00)
    made = view(await api.post(PATH, shop.key, NEW, key="c1"), 201)
    again = view(await api.post(PATH, shop.key, NEW, key="c1"), 201)
    assert again == made and made["id"].startswith("cmp_")
    assert {name: made[name] for name in ("object", "merchant", "status", "tenors", "products", "currency")} == {
        "object": "campaign", "merchant": shop.id, "status": "open", "tenors": [3, 6], "products": [],
        "currency": "CNY",
    }  # fmt: skip
    assert (made["share_ppm"], made["order_least_minor"], made["order_most_minor"]) == (1_000_000, 1, None)
    assert (
        view(await api.post(PATH, shop.key, NEW | {"name": "x"}, key="c1"), 422)["code"]
        == "idempotency_key_reused"
    )
    assert view(await api.post(PATH, shop.key, NEW, key=None), 400)["code"] == "idempotency_key_missing"
    assert fees(await bought(api, person, shop)) == 0
    for token in (shop.key, api.platform, await api.new_staff(Role.ANALYST)):
        assert view(await api.get(f"{PATH}/{made['id']}", token), 200)["used_minor"] == 25_00
        listed = view(await api.get(PATH, token), 200)
        assert [one["id"] for one in listed["data"]] == [made["id"]]


async def test_an_option_binds_it_and_a_used_up_one_is_declined_with_its_reason(api: Api) -> None:
    shop, person = await api.new_merchant(), await api.new_person(line_minor=10_000_00)
    made = view(await api.post(PATH, shop.key, NEW | {"budget_minor": 25_00}), 201)
    asked = {"merchant": shop.id, "amount_minor": 1_000_00}
    offers = view(await api.get("/v1/offers", params=asked), 200)["data"]
    assert {
        one["campaign"] for one in offers if one["tenor"] == 3 and one["product"] == "monthly_bill@1"
    } == {made["id"]}
    quote = view(await api.post("/v1/quotes", person.token, asked), 201)
    option = next(one for one in quote["options"] if one["tenor"] == 3)
    assert (option["total_cost_minor"], option["campaign"]) == (0, made["id"])
    assert fees(await bought(api, person, shop, quote_option=option["id"])) == 0
    declined = await bought(api, person, shop, 402, quote_option=option["id"])
    assert [one["code"] for one in declined["reasons"]] == ["campaign_over"]
    assert "未扣款" in declined["reasons"][0]["text"]
    assert fees(await bought(api, person, shop)) == 25_00, "who names a tenor has the price of the moment"


async def test_a_payment_that_a_merchant_starts_keeps_it_until_the_payers_yes(api: Api) -> None:
    shop, person = await api.new_merchant(), await api.new_person(line_minor=10_000_00)
    made = view(await api.post(PATH, shop.key, NEW), 201)
    order = api.order(shop, 1_000_00)
    del order["merchant"]
    body = {"order": order, "payer": person.id, "funding": [{"line": person.line, "tenor": 3}]}
    waits = view(await api.post("/v1/payments", shop.key, body), 201)
    yes = {"confirmation": {"kind": "pin", "proof": PIN}}
    path = f"/v1/payments/{waits['id']}/confirm"
    six = yes | {"funding": [{"line": person.line, "tenor": 6}]}
    assert fees(view(await api.post(path, person.token, six), 200)) == 0
    assert view(await api.get(f"{PATH}/{made['id']}", shop.key), 200)["used_minor"] == 45_00


async def test_the_operator_makes_one_for_a_merchant_and_others_see_nothing(api: Api) -> None:
    shop, other = await api.new_merchant(), await api.new_merchant()
    assert view(await api.post(PATH, api.platform, NEW), 422)["errors"][0]["pointer"] == "/merchant"
    made = view(await api.post(PATH, api.platform, NEW | {"merchant": shop.id}), 201)
    assert made["merchant"] == shop.id
    foreign = await api.post(PATH, other.key, NEW | {"merchant": shop.id})
    assert view(foreign, 422)["errors"][0]["pointer"] == "/merchant"
    for method, path in (("GET", ""), ("POST", "/pause"), ("POST", "/resume"), ("POST", "/end")):
        view(await api.call(method, f"{PATH}/{made['id']}{path}", other.key), 404)
    assert view(await api.get(PATH, other.key), 200)["data"] == []
    view(await api.get(PATH, other.key, params={"merchant": shop.id}), 404)
    for move, status in (("pause", "paused"), ("pause", "paused"), ("resume", "open"), ("end", "ended")):
        assert view(await api.post(f"{PATH}/{made['id']}/{move}", shop.key), 200)["status"] == status
    assert view(await api.post(f"{PATH}/{made['id']}/resume", shop.key), 409)["code"] == "state_conflict"


async def test_a_list_turns_its_pages(api: Api) -> None:
    shop = await api.new_merchant()
    ids = [view(await api.post(PATH, shop.key, NEW), 201)["id"] for _ in range(3)]
    first = view(await api.get(PATH, shop.key, params={"limit": 2}), 200)
    rest = view(await api.get(PATH, shop.key, params={"limit": 2, "starting_after": first["next"]}), 200)
    assert first["has_more"] and not rest["has_more"]
    assert sorted(one["id"] for one in first["data"] + rest["data"]) == sorted(ids)


async def test_a_closed_merchant_makes_none(api: Api) -> None:
    shop = await api.new_merchant()
    view(await api.post(f"/v1/merchants/{shop.id}/close", api.platform, {"reason": "left"}), 200)
    assert (
        view(await api.post(PATH, api.platform, NEW | {"merchant": shop.id}), 409)["code"] == "state_conflict"
    )


@cases(
    ("change", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"tenors": []}, "/tenors"),
        ({"tenors": [1]}, "/tenors/0"),
        ({"tenors": [3, 5]}, "/tenors/1"),
        ({"share_ppm": 0}, "/share_ppm"),
        ({"share_ppm": 1_000_001}, "/share_ppm"),
        ({"budget_minor": 0}, "/budget_minor"),
        ({"until_on": "2026-09-02"}, "/until_on"),
        ({"from_on": "soon"}, "/from_on"),
        ({"order_least_minor": 2, "order_most_minor": 1}, "/order_most_minor"),
        ({"products": ["none"]}, "/products/0"),
        ({"more": 1}, "/more"),
    ],
)
async def test_what_does_not_fit(api: Api, change: dict[str, Any], pointer: str) -> None:
    shop = await api.new_merchant()
    refused = view(await api.post(PATH, shop.key, NEW | change), 422)
    assert refused["errors"][0]["pointer"] == pointer
