"""Passkeys, devices and sessions over HTTP: added, signed in with, and confirming this request and no other."""

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from tests.identity.authenticator import Authenticator

from wufeng.api import ROUTES
from wufeng.api.passkeys import CONFIRMED
from wufeng.base.ids import Prefix, decode

from .conftest import PIN, Api, Person, Shop
from .test_applications import asking, known, signing
from .test_people import code_of, problem, view


async def add_passkey(api: Api, person: Person, **how: Any) -> Authenticator:
    """A passkey of a person, added in a session that was stepped up. The person goes on with that one."""
    stepped = await api.post("/v1/sessions", person.token, {"pin": PIN}, key=None)
    person.token = view(stepped, 201)["token"]
    key = Authenticator(**how)
    asked = view(await api.post("/v1/passkeys/challenges", person.token, {}, key=None), 201)
    assert asked["purpose"] == "register"
    body = {"answer": key.make(asked["options"]), "name": "my phone"}
    made = view(await api.post("/v1/passkeys", person.token, body, key=None), 201)
    assert made["status"] == "active" and made["device"].startswith("dev_")
    return key


async def signed(
    api: Api, person: Person, key: Authenticator, call: str, id_: str, request: dict[str, Any]
) -> dict[str, Any]:
    """A confirmation of a request, bound to it."""
    asked = {"call": call, "id": id_, "request": request}
    challenge = view(await api.post("/v1/confirmations/challenges", person.token, asked, key=None), 201)
    assert challenge["purpose"] == "confirm" and len(challenge["options"]["allowCredentials"]) >= 1
    return {"kind": "passkey", "proof": key.answer(challenge["options"])}


async def waiting(api: Api, person: Person, shop: Shop, amount_minor: int) -> str:
    """A payment that the merchant began, and that waits for the person."""
    order = api.order(shop, amount_minor)
    del order["merchant"]
    body = {"order": order, "payer": person.id, "funding": [{"line": person.line}]}
    payment = view(await api.post("/v1/payments", shop.key, body), 201)
    assert payment["status"] == "requires_action"
    id_: str = payment["id"]
    return id_


async def journals(api: Api) -> int:
    async with api.app.database.read() as db:
        return int(await db.fetchval("select count(*) from journal"))


async def own_bank_account(api: Api, person: Person) -> str:
    body = {"number": "6222000000001200", "bank": "ICBC"}
    id_: str = view(await api.post("/v1/bank_accounts", person.token, body, key=None), 201)["id"]
    return id_


async def test_a_passkey_confirms_a_payment_made_in_one_go(api: Api) -> None:
    person, shop = await api.new_person(line_minor=500_000), await api.new_merchant()
    key = await add_passkey(api, person)
    request = {"order": api.order(shop, 129_900), "funding": [{"line": person.line, "tenor": 3}]}
    yes = await signed(api, person, key, "create_payment", "", request)
    paid = await api.post("/v1/payments", person.token, {**request, "confirmation": yes}, key="k1")
    payment = view(paid, 201)
    assert (payment["status"], payment["confirmed_by"]) == ("captured", "passkey")
    again = await api.post("/v1/payments", person.token, {**request, "confirmation": yes}, key="k1")
    assert again.content == paid.content, "the key answers; the proof is not looked at"
    other = await api.post("/v1/payments", person.token, {**request, "confirmation": yes}, key="k2")
    problem(other, 403, "confirmation_failed")


@pytest.mark.parametrize(
    "change",
    [
        {"amount_minor": 129_901},
        {"merchant": "another"},
        {"order_no": "B-1"},
        {"subject": "other goods"},
    ],
)
async def test_it_confirms_no_other_order(api: Api, change: dict[str, Any]) -> None:
    person, shop = await api.new_person(line_minor=500_000), await api.new_merchant()
    if "merchant" in change:
        change = {"merchant": (await api.new_merchant()).id}
    key, order = await add_passkey(api, person), api.order(shop, 129_900)
    request = {"order": order, "funding": [{"line": person.line}]}
    yes = await signed(api, person, key, "create_payment", "", request)
    changed = {**request, "order": {**order, **change}, "confirmation": yes}
    seen = problem(await api.post("/v1/payments", person.token, changed), 403, "confirmation_failed")
    assert "tries_left" not in seen and await journals(api) == 0
    honest = {**request, "confirmation": yes}
    problem(await api.post("/v1/payments", person.token, honest), 403, "confirmation_failed")


async def test_it_confirms_no_other_source(api: Api) -> None:
    person, shop = await api.new_person(line_minor=500_000, wallet_minor=500_000), await api.new_merchant()
    key, order = await add_passkey(api, person), api.order(shop, 129_900)
    before = await journals(api)
    for asked, sent in (
        ([{"wallet": person.wallet}], [{"line": person.line}]),
        ([{"line": person.line}], [{"line": person.line, "tenor": 12}]),
    ):
        yes = await signed(api, person, key, "create_payment", "", {"order": order, "funding": asked})
        body = {"order": order, "funding": sent, "confirmation": yes}
        problem(await api.post("/v1/payments", person.token, body), 403, "confirmation_failed")
    assert await journals(api) == before


async def test_it_confirms_one_waiting_payment(api: Api) -> None:
    person, shop = await api.new_person(line_minor=500_000), await api.new_merchant()
    key = await add_passkey(api, person)
    first, second = [await waiting(api, person, shop, 50_000) for _ in range(2)]
    yes = await signed(api, person, key, "confirm_payment", first, {})
    refused = await api.post(f"/v1/payments/{second}/confirm", person.token, {"confirmation": yes})
    problem(refused, 403, "confirmation_failed")
    for id_ in (first, second):
        seen = view(await api.get(f"/v1/payments/{id_}", person.token), 200)
        assert seen["status"] == "requires_action", "a wrong proof leaves it waiting"
    yes = await signed(api, person, key, "confirm_payment", first, {})
    paid = view(await api.post(f"/v1/payments/{first}/confirm", person.token, {"confirmation": yes}), 200)
    assert (paid["status"], paid["confirmed_by"]) == ("captured", "passkey")
    with_pin = {"confirmation": {"kind": "pin", "proof": PIN}}
    paid = view(await api.post(f"/v1/payments/{second}/confirm", person.token, with_pin), 200)
    assert paid["confirmed_by"] == "pin", "the PIN remains"


async def test_another_persons_passkey_pays_nothing_of_mine(api: Api) -> None:
    person, thief = await api.new_person(line_minor=500_000), await api.new_person(line_minor=500_000)
    shop, mine, theirs = (
        await api.new_merchant(),
        await add_passkey(api, person),
        await add_passkey(api, thief),
    )
    payment = await waiting(api, person, shop, 50_000)
    asked = {"call": "confirm_payment", "id": payment}
    for token, key in ((person.token, theirs), (thief.token, theirs), (thief.token, mine)):
        challenge = view(await api.post("/v1/confirmations/challenges", token, asked, key=None), 201)
        yes = {"kind": "passkey", "proof": key.answer(challenge["options"])}
        refused = await api.post(f"/v1/payments/{payment}/confirm", person.token, {"confirmation": yes})
        problem(refused, 403, "confirmation_failed")
    assert await journals(api) == 0


async def test_it_signs_a_sheet_and_opens_the_line(api: Api) -> None:
    person = await known(api, await api.new_person())
    key = await add_passkey(api, person)
    offered = view(await api.post("/v1/applications", person.token, asking()), 201)
    body = {"sheet_hash": signing(offered)["sheet_hash"]}
    path = f"/v1/applications/{offered['id']}/accept"
    yes = await signed(api, person, key, "accept_application", offered["id"], {"sheet_hash": "0" * 64})
    problem(await api.post(path, person.token, {**body, "confirmation": yes}), 403, "confirmation_failed")
    yes = await signed(api, person, key, "accept_application", offered["id"], body)
    accepted = view(await api.post(path, person.token, {**body, "confirmation": yes}), 200)
    assert accepted["status"] == "accepted"


async def test_it_splits_a_bill(api: Api) -> None:
    person, shop = await api.new_person(line_minor=500_000), await api.new_merchant()
    view(await api.pay(person, shop, 120_000), 201)
    await api.app.services.turn_days(api.book, 28)
    key = await add_passkey(api, person)
    (bill,) = view(await api.get("/v1/bills", person.token, params={"line": person.line}), 200)["data"]
    plans = view(await api.get(f"/v1/bills/{bill['id']}/plans", person.token), 200)
    option = plans["options"][0]
    body = {
        "bill": bill["id"],
        "amount_minor": plans["most_minor"],
        "quote_option": option["quote_option"],
    }
    yes = await signed(api, person, key, "create_plan", "", {**body, "amount_minor": 100_00})
    refused = await api.post("/v1/plans", person.token, {**body, "confirmation": yes})
    problem(refused, 403, "confirmation_failed")
    yes = await signed(api, person, key, "create_plan", "", body)
    view(await api.post("/v1/plans", person.token, {**body, "confirmation": yes}), 201)


async def test_passkey_and_code_for_the_largest(api: Api) -> None:
    person, shop = (
        await api.new_person(line_minor=5_000_000, phone="+8613900123456"),
        await api.new_merchant(),
    )
    await known(api, person)
    key = await add_passkey(api, person)
    request = {"order": api.order(shop, 4_100_000), "funding": [{"line": person.line}]}
    yes = await signed(api, person, key, "create_payment", "", request)
    asked = view(await api.post("/v1/payments", person.token, {**request, "confirmation": yes}), 201)
    assert asked["status"] == "requires_action" and asked["next_action"]["needs"] == "passkey_code"

    path = f"/v1/payments/{asked['id']}/confirm"
    yes = await signed(api, person, key, "confirm_payment", asked["id"], {}) | {"kind": "passkey_code"}
    problem(
        await api.post(path, person.token, {"confirmation": yes}), 422, "invalid_field", "/confirmation/code"
    )
    code = await code_of(api, "+8613900123456", "payment")
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    yes = await signed(api, person, key, "confirm_payment", asked["id"], {})
    tried = {"kind": "passkey_code", "proof": yes["proof"], "code": wrong}
    refused = problem(await api.post(path, person.token, {"confirmation": tried}), 403, "confirmation_failed")
    assert refused["code_tries_left"] == 4 and "tries_left" not in refused
    sign_in_code = await code_of(api, "+8613900123456")
    yes = await signed(api, person, key, "confirm_payment", asked["id"], {})
    tried = {"kind": "passkey_code", "proof": yes["proof"], "code": sign_in_code}
    problem(await api.post(path, person.token, {"confirmation": tried}), 403, "confirmation_failed")
    yes = await signed(api, person, key, "confirm_payment", asked["id"], {})
    right = {"kind": "passkey_code", "proof": yes["proof"], "code": code}
    paid = view(await api.post(path, person.token, {"confirmation": right}), 200)
    assert (paid["status"], paid["confirmed_by"]) == ("captured", "passkey_code")


def test_every_call_that_takes_a_confirmation_takes_a_passkey() -> None:
    takes = {
        r.operation: r.body for r in ROUTES if "confirmation" in getattr(r.body, "__struct_fields__", ())
    }
    assert takes == CONFIRMED
    assert {"create_payment", "confirm_payment", "accept_application", "create_plan"} <= takes.keys()


async def test_a_challenge_is_for_a_request_that_its_route_would_take(api: Api) -> None:
    person, shop = await api.new_person(line_minor=500_000), await api.new_merchant()
    path = "/v1/confirmations/challenges"
    asked = {"call": "confirm_payment", "id": "pay_1"}
    problem(await api.post(path, person.token, asked, key=None), 409, "state_conflict")
    await add_passkey(api, person)
    unknown = {"call": "create_refund", "id": ""}
    problem(await api.post(path, person.token, unknown, key=None), 422, "invalid_field", "/call")
    bad = {"call": "create_payment", "request": {"order": {**api.order(shop, 1), "amount_minor": 0}}}
    problem(
        await api.post(path, person.token, bad, key=None), 422, "invalid_field", "/request/order/amount_minor"
    )
    more = {"call": "create_payment", "request": {"order": api.order(shop, 1), "nonsense": 1}}
    problem(await api.post(path, person.token, more, key=None), 422, "invalid_field", "/request/nonsense")


async def test_whoever_holds_the_phone_for_a_moment_adds_no_passkey(api: Api) -> None:
    """S8, S9: a session that was not stepped up needs a code that was sent for that purpose."""
    person = await api.new_person(phone="+8613900123457")
    path = "/v1/passkeys/challenges"
    problem(await api.post(path, person.token, {}, key=None), 403, "forbidden")
    other = await code_of(api, "+8613900123457")
    seen = problem(await api.post(path, person.token, {"code": other}, key=None), 403, "confirmation_failed")
    assert seen["tries_left"] == 0
    code = await code_of(api, "+8613900123457", "passkey")
    options = view(await api.post(path, person.token, {"code": code}, key=None), 201)["options"]
    problem(await api.post(path, person.token, {"code": code}, key=None), 403, "confirmation_failed")
    body = {"answer": Authenticator().make(options), "name": "laptop"}
    made = view(await api.post("/v1/passkeys", person.token, body, key=None), 201)
    listed = view(await api.get("/v1/passkeys", person.token), 200)
    assert listed == {"data": [made], "next": None, "has_more": False}
    renamed = await api.post(f"/v1/passkeys/{made['id']}/name", person.token, {"name": "desk"}, key=None)
    assert view(renamed, 200)["name"] == "desk"
    gone = view(await api.call("DELETE", f"/v1/passkeys/{made['id']}", person.token), 200)
    assert gone["status"] == "deleted"


async def test_sign_in_by_passkey_on_a_known_device(api: Api) -> None:
    person = await api.new_person()
    key = await add_passkey(api, person)
    asked = view(await api.post("/v1/sessions/challenges", None, key=None), 201)
    body = {"passkey": key.answer(asked["options"]), "device": "Pixel 9"}
    opened = view(await api.post("/v1/sessions", None, body, key=None), 201)
    assert (opened["auth_level"], opened["device_name"], opened["person"]) == (
        "passkey",
        "Pixel 9",
        person.id,
    )
    asked = view(await api.post("/v1/sessions/challenges", None, key=None), 201)
    body = {"passkey": key.answer(asked["options"]), "device_proof": opened["device_proof"]}
    again = view(await api.post("/v1/sessions", None, body, key=None), 201)
    assert again["device"] == opened["device"] and "device_proof" not in again
    mixed = {"passkey": "{}", "phone": "+8613900000000"}
    problem(await api.post("/v1/sessions", None, mixed, key=None), 422, "invalid_field", "/phone")
    problem(await api.post("/v1/sessions", None, {"passkey": "{}"}, key=None), 403, "confirmation_failed")

    asked = view(await api.post("/v1/sessions/challenges", None, key=None), 201)
    stepped = await api.post(
        "/v1/sessions", person.token, {"passkey": key.answer(asked["options"])}, key=None
    )
    assert view(stepped, 201)["auth_level"] == "passkey"
    problem(await api.get("/v1/sessions", person.token), 401, "unauthenticated")
    asked = view(await api.post("/v1/sessions/challenges", None, key=None), 201)
    sent = await api.post("/v1/sessions", api.platform, {"passkey": key.answer(asked["options"])}, key=None)
    problem(sent, 403, "forbidden")


async def test_devices_and_sessions_are_listed_and_ended(api: Api) -> None:
    person = await api.new_person(phone="+8613900123458")
    tokens = [person.token]
    for name in ("tablet", "laptop"):
        body = {"phone": "+8613900123458", "code": await code_of(api, "+8613900123458"), "device": name}
        api.clock.turn_to(api.clock.now() + timedelta(seconds=1))
        tokens.append(view(await api.post("/v1/sessions", None, body, key=None), 201)["token"])
    found = view(await api.get("/v1/sessions", tokens[2]), 200)["data"]
    assert [one["device_name"] for one in found] == ["laptop", "tablet", "test"]
    assert [one["is_current"] for one in found] == [True, False, False]
    assert not {"token", "device_proof", "address"} & set(found[0])
    page = view(await api.get("/v1/sessions", tokens[2], params={"limit": 2}), 200)
    rest = view(await api.get("/v1/sessions", tokens[2], params={"starting_after": page["next"]}), 200)
    assert page["has_more"] and [one["id"] for one in rest["data"]] == [found[2]["id"]]

    devices = view(await api.get("/v1/devices", tokens[2]), 200)["data"]
    assert [one["name"] for one in devices] == ["laptop", "tablet", "test"]
    gone = view(await api.call("DELETE", f"/v1/devices/{devices[1]['id']}", tokens[2]), 200)
    assert gone["revoked_at"] is not None
    problem(await api.get("/v1/devices", tokens[1]), 401, "unauthenticated")
    ended = view(await api.call("DELETE", "/v1/sessions", tokens[2]), 200)["data"]
    assert [one["id"] for one in ended] == [found[2]["id"]]
    problem(await api.get("/v1/devices", tokens[0]), 401, "unauthenticated")
    view(await api.get("/v1/devices", tokens[2]), 200)


async def test_a_stolen_session_is_worth_the_no_pin_limit_and_no_more(api: Api) -> None:
    """S8: above it the payment waits; without PIN, passkey or phone nothing lets it go on."""
    person, shop = await api.new_person(line_minor=500_000, wallet_minor=500_000), await api.new_merchant()
    stolen = person.token
    account = await own_bank_account(api, person)
    before = await journals(api)
    request = {"order": api.order(shop, 200_01), "funding": [{"wallet": person.wallet}]}
    asked = view(await api.post("/v1/payments", stolen, request), 201)
    assert asked["status"] == "requires_action" and await journals(api) == before
    for confirmation in (
        {"kind": "pin", "proof": "461937"},
        {"kind": "passkey", "proof": "{}"},
        {"kind": "passkey_code", "proof": "{}", "code": "000000"},
    ):
        body = {"confirmation": confirmation}
        refused = await api.post(f"/v1/payments/{asked['id']}/confirm", stolen, body)
        problem(refused, 403, "confirmation_failed")
    problem(await api.post("/v1/passkeys/challenges", stolen, {}, key=None), 403, "forbidden")
    body = {"amount_minor": 1, "bank_account": account}
    problem(await api.post(f"/v1/wallets/{person.wallet}/withdrawals", stolen, body), 403, "forbidden")
    assert await journals(api) == before


async def test_an_answer_is_stored_nowhere(api: Api) -> None:
    person, shop = await api.new_person(line_minor=500_000), await api.new_merchant()
    key = await add_passkey(api, person)
    request = {"order": api.order(shop, 1_00), "funding": [{"line": person.line}]}
    yes = await signed(api, person, key, "create_payment", "", request)
    answer: httpx.Response = await api.post("/v1/payments", person.token, {**request, "confirmation": yes})
    signature = json.loads(yes["proof"])["response"]["signature"]
    assert signature not in answer.text
    payment = decode(Prefix.PAYMENT, view(answer, 201)["id"])
    async with api.app.database.read() as db:
        for table in ("payment", "key_claim", "event", "decision", "passkey_challenge"):
            kept = await db.fetchval(f"select string_agg(t::text, ' ') from {table} as t")
            assert signature not in (kept or ""), table
        assert await db.fetchval("select count(*) from payment where id = $1", payment) == 1
