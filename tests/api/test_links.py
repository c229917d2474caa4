"""Links over HTTP: a merchant's for chats, and a person's for a friend who pays."""

import asyncio
from datetime import timedelta
from typing import Any

from tests.api.conftest import NOON, PIN
from tests.cases import cases

from .conftest import Api, Person, Shop
from .test_merchants import view

LINKS = "/v1/payment_links"
YES = {"confirmation": {"kind": "pin", "proof": PIN}}


async def link_of(api: Api, shop: Shop, **more: Any) -> dict[str, Any]:
    return view(await api.post(LINKS, shop.key, {"amount_minor": 30_00, "subject": "Lunch", **more}), 201)


async def take_up(api: Api, person: Person, link: dict[str, Any]) -> Any:
    token = link["url"].rpartition("/")[2]
    return await api.post(f"{LINKS}/{link['id']}/orders", person.token, {"token": token})


async def pay(api: Api, person: Person, order: str) -> Any:
    body = {"order": order, "funding": [{"wallet": person.wallet}], **YES}
    return await api.post("/v1/payments", person.token, body)


async def scan(api: Api, person: Person, text: str) -> Any:
    return await api.post("/v1/scans", person.token, {"text": text})


async def open_order(api: Api, shop: Shop, amount_minor: int = 30_00, **more: Any) -> str:
    order = api.order(shop, amount_minor, **more)
    del order["merchant"]
    id_: str = view(await api.post("/v1/orders", shop.key, order), 201)["id"]
    return id_


async def test_a_link_is_paid_once_and_used_up(api: Api) -> None:
    shop, person, other = (
        await api.new_merchant(),
        await api.new_person(wallet_minor=100_00),
        await api.new_person(wallet_minor=100_00),
    )
    link = await link_of(api, shop)
    assert (link["status"], link["uses"], link["uses_max"]) == ("open", 0, 1)
    seen = view(await scan(api, person, link["url"]), 200)
    assert (seen["kind"], seen["payment_link"], seen["amount_minor"]) == ("payment_link", link["id"], 30_00)
    order = view(await take_up(api, person, link), 201)
    assert view(await take_up(api, person, link), 201)["id"] == order["id"], "asked again: the same order"
    shared = view(await take_up(api, other, link), 201)
    assert shared["id"] == order["id"], "the last use is whoever's pays first"
    paid = view(await pay(api, person, order["id"]), 201)
    assert (paid["status"], paid["channel"]) == ("captured", "link")
    assert view(await pay(api, other, order["id"]), 409)["code"] == "order_taken"
    after = view(await api.get(f"{LINKS}/{link['id']}", shop.key), 200)
    assert (after["status"], after["uses"]) == ("used_up", 1)
    assert view(await take_up(api, other, link), 409)["code"] == "state_conflict"
    assert view(await scan(api, other, link["url"]), 200)["status"] == "ended"


async def test_two_press_at_once_and_two_uses_are_two_orders(api: Api) -> None:
    shop = await api.new_merchant()
    people = [await api.new_person(wallet_minor=100_00) for _ in range(5)]
    link = await link_of(api, shop, uses_max=2)
    orders = [view(one, 201)["id"] for one in await asyncio.gather(*(take_up(api, p, link) for p in people))]
    assert len(set(orders)) == 2
    answers = await asyncio.gather(*(pay(api, p, order) for p, order in zip(people, orders, strict=True)))
    assert sorted(answer.status_code for answer in answers) == [201, 201, 409, 409, 409]
    after = view(await api.get(f"{LINKS}/{link['id']}", shop.key), 200)
    assert (after["status"], after["uses"]) == ("used_up", 2)


async def test_an_order_that_ends_unpaid_gives_its_use_back(api: Api) -> None:
    shop = await api.new_merchant()
    person, other = await api.new_person(wallet_minor=100_00), await api.new_person(wallet_minor=100_00)
    link = await link_of(api, shop)
    first = view(await take_up(api, person, link), 201)
    api.clock.turn_to(NOON + timedelta(minutes=30))
    second = view(await take_up(api, other, link), 201)
    assert second["id"] != first["id"]
    late = view(await pay(api, person, first["id"]), 402)
    assert late["reasons"][0]["code"] == "order_expired"
    assert view(await pay(api, other, second["id"]), 201)["status"] == "captured"


async def test_links_end_and_are_closed(api: Api) -> None:
    shop, person = await api.new_merchant(), await api.new_person()
    for until in (NOON, NOON + timedelta(days=91)):
        refused = await api.post(
            LINKS, shop.key, {"amount_minor": 1, "subject": "x", "expires_at": until.isoformat()}
        )
        assert view(refused, 422)["errors"][0]["pointer"] == "/expires_at"
    short = await link_of(api, shop, expires_at=(NOON + timedelta(hours=1)).isoformat())
    closed = await link_of(api, shop)
    assert view(await api.post(f"{LINKS}/{closed['id']}/close", shop.key), 200)["status"] == "closed"
    assert view(await take_up(api, person, closed), 409)["code"] == "state_conflict"
    api.clock.turn_to(NOON + timedelta(hours=1))
    assert view(await api.get(f"{LINKS}/{short['id']}", shop.key), 200)["status"] == "expired"
    assert view(await take_up(api, person, short), 409)["code"] == "state_conflict"
    listed = view(await api.get(LINKS, shop.key), 200)["data"]
    assert {one["id"]: one["status"] for one in listed} == {short["id"]: "expired", closed["id"]: "closed"}


async def test_a_guessed_link_is_not_there(api: Api) -> None:
    """One whose id is right and whose proof is not is told like one that never was, to the byte."""
    shop, person = await api.new_merchant(), await api.new_person()
    link = await link_of(api, shop)
    token = link["url"].rpartition("/")[2]
    other = "1" if token[-1] != "1" else "2"
    answers = []
    for guess in (token[:-1] + other, token[:26] + "0" * 26, "0" * 52):
        answer = await api.post(f"{LINKS}/{link['id']}/orders", person.token, {"token": guess})
        answers.append({k: v for k, v in view(answer, 404).items() if k != "request_id"})
        view(await scan(api, person, f"/l/{guess}"), 404)
    assert answers[0] == answers[1] == answers[2]
    elsewhere = await link_of(api, shop)
    crossed = await api.post(f"{LINKS}/{elsewhere['id']}/orders", person.token, {"token": token})
    view(crossed, 404)


async def ask(api: Api, person: Person, order: str) -> dict[str, Any]:
    return view(await api.post(f"/v1/orders/{order}/friend_links", person.token), 201)


async def test_a_friend_pays_and_a_refund_goes_to_the_friend(api: Api) -> None:
    shop, asker = await api.new_merchant(), await api.new_person(wallet_minor=50_00)
    friend = await api.new_person(wallet_minor=100_00)
    order = await open_order(api, shop)
    link = await ask(api, asker, order)
    assert link["status"] == "open" and await ask(api, asker, order) == link
    seen = view(await scan(api, friend, link["url"]), 200)
    assert (seen["kind"], seen["order"], seen["amount_minor"]) == ("friend_link", order, 30_00)
    assert "*" in seen["asked_by"] and "1390000" not in seen["asked_by"], seen["asked_by"]
    paid = view(await pay(api, friend, order), 201)
    assert paid["status"] == "captured"
    after = view(await api.get(f"/v1/friend_links/{link['id']}", asker.token), 200)
    assert after["status"] == "paid" and friend.id not in str(after)
    refund = {"payment": paid["id"], "refund_no": "r1", "amount_minor": 30_00, "reason": "back"}
    view(await api.post("/v1/refunds", shop.key, refund), 201)
    assert await balance(api, friend) == 100_00 and await balance(api, asker) == 50_00


async def balance(api: Api, person: Person) -> int:
    wallet = view(await api.get(f"/v1/wallets/{person.wallet}", person.token), 200)
    amount: int = wallet["balance_minor"] if "balance_minor" in wallet else wallet["available_minor"]
    return amount


async def test_two_pay_in_the_same_second_and_one_is_told(api: Api) -> None:
    shop, asker = await api.new_merchant(), await api.new_person(wallet_minor=900_00)
    friends = [await api.new_person(wallet_minor=900_00) for _ in range(3)]
    for _ in range(5):
        order = await open_order(api, shop)
        await ask(api, asker, order)
        answers = await asyncio.gather(*(pay(api, person, order) for person in (asker, *friends)))
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
        assert {one.json()["code"] for one in answers if one.status_code == 409} == {"order_taken"}
    spent = [900_00 - await balance(api, person) for person in (asker, *friends)]
    assert sum(spent) == 5 * 30_00


async def test_a_payment_that_waits_for_its_payer_is_paid_by_a_friend(api: Api) -> None:
    shop, asker = await api.new_merchant(), await api.new_person(wallet_minor=50_00)
    friend = await api.new_person(wallet_minor=50_00)
    inline = api.order(shop, 30_00)
    del inline["merchant"]
    waits = view(await api.post("/v1/payments", shop.key, {"order": inline, "payer": asker.id}), 201)
    assert waits["status"] == "requires_action"
    link = await ask(api, asker, waits["order"])
    assert view(await pay(api, friend, waits["order"]), 201)["status"] == "captured"
    assert view(await api.get(f"/v1/friend_links/{link['id']}", asker.token), 200)["status"] == "paid"
    late = await api.post(f"/v1/payments/{waits['id']}/confirm", asker.token, YES)
    assert view(late, 409)["code"] == "order_taken"


async def test_who_asked_may_stop_and_a_link_ends(api: Api) -> None:
    shop, asker, friend = await api.new_merchant(), await api.new_person(), await api.new_person()
    order = await open_order(api, shop)
    link = await ask(api, asker, order)
    path = f"/v1/friend_links/{link['id']}"
    view(await api.get(path, friend.token), 404)
    view(await api.post(f"{path}/cancel", friend.token), 404)
    cancelled = view(await api.post(f"{path}/cancel", asker.token), 200)
    assert cancelled["status"] == "cancelled"
    assert view(await api.post(f"{path}/cancel", asker.token), 200) == cancelled
    assert view(await scan(api, friend, link["url"]), 200)["status"] == "ended"
    again = await ask(api, asker, order)
    assert again["id"] != link["id"] and again["status"] == "open"
    api.clock.turn_to(NOON + timedelta(hours=24))
    assert view(await api.get(f"/v1/friend_links/{again['id']}", asker.token), 200)["status"] == "expired"
    assert (await ask(api, asker, order))["id"] != again["id"]


async def test_nobody_is_asked_for_what_cannot_be_paid(api: Api) -> None:
    shop, person = await api.new_merchant(), await api.new_person(wallet_minor=100_00)
    paid = await open_order(api, shop)
    link = await ask(api, person, paid)
    view(await pay(api, person, paid), 201)
    taken = await api.post(f"/v1/orders/{paid}/friend_links", person.token)
    assert view(taken, 409)["code"] == "order_taken"
    assert view(await api.post(f"/v1/friend_links/{link['id']}/cancel", person.token), 409)["code"] == (
        "state_conflict"
    )
    closed = await open_order(api, shop)
    view(await api.post(f"/v1/orders/{closed}/close", shop.key), 200)
    refused = await api.post(f"/v1/orders/{closed}/friend_links", person.token)
    assert view(refused, 409)["code"] == "state_conflict"
    view(await api.post("/v1/orders/ord_01h455vb4pex5vsknk084sn02q/friend_links", person.token), 404)


@cases(
    ("change", "pointer"),
    [
        ({"amount_minor": 0}, "/amount_minor"),
        ({"subject": ""}, "/subject"),
        ({"uses_max": 0}, "/uses_max"),
        ({"uses_max": 101}, "/uses_max"),
        ({"more": 1}, "/more"),
    ],
)
async def test_what_does_not_fit(api: Api, change: dict[str, Any], pointer: str) -> None:
    shop = await api.new_merchant()
    body = {"amount_minor": 1, "subject": "x"} | change
    assert view(await api.post(LINKS, shop.key, body), 422)["errors"][0]["pointer"] == pointer
