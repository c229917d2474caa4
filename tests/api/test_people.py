"""People over HTTP: made by the platform, signed in by a code, stepped up by the PIN, frozen."""

import re
from datetime import timedelta
from typing import Any

import httpx
from tests.cases import cases

from wufeng.identity.staff.model import Role

from .conftest import PIN, Api

PHONE = "+8613900001111"
NEW_PIN = "461937"


def view(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    seen: dict[str, Any] = answer.json()
    return seen


def problem(answer: httpx.Response, status: int, code: str, pointer: str | None = None) -> dict[str, Any]:
    seen = view(answer, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert seen["code"] == code and seen["request_id"] == answer.headers["request-id"]
    if pointer is not None:
        assert [error["pointer"] for error in seen["errors"]] == [pointer]
    return seen


async def create(api: Api, phone: str = PHONE, external_id: str = "shop-1") -> dict[str, Any]:
    body = {"phone": phone, "external_id": external_id, "name": "张小明"}
    return view(await api.post("/v1/people", api.platform, body, key=None), 201)


async def code_of(api: Api, phone: str = PHONE, purpose: str = "sign_in") -> str:
    sent = view(
        await api.post("/v1/sessions/codes", None, {"phone": phone, "purpose": purpose}, key=None), 201
    )
    assert sent["object"] == "one_time_code" and "code" not in sent
    messages = view(await api.get("/v1/messages", api.platform, params={"phone": phone, "limit": 1}), 200)
    code: str = messages["data"][0]["code"]
    assert re.search(code, messages["data"][0]["text"])
    return code


async def sign_in(api: Api, phone: str = PHONE) -> dict[str, Any]:
    body = {"phone": phone, "code": await code_of(api, phone), "device": "Pixel 9"}
    return view(await api.post("/v1/sessions", None, body, key=None), 201)


async def test_the_first_minutes_of_a_person(api: Api) -> None:
    """Made, found again, signed in by a code, a PIN set by a code and changed by the old one, stepped up, out."""
    person = await create(api)
    assert (person["phone"], person["name"], person["tier"]) == ("139****1111", "张**", 1)
    again = await api.post(
        "/v1/people", api.platform, {"phone": "139 0000 1111", "external_id": "shop-1"}, key=None
    )
    assert view(again, 200) == person
    session = await sign_in(api)
    assert (session["person"], session["auth_level"]) == (person["id"], "code")
    mine = await api.get(f"/v1/people/{person['id']}", session["token"])
    assert view(mine, 200) == person == view(await api.get(f"/v1/people/{person['id']}", api.platform), 200)

    pin_path = f"/v1/people/{person['id']}/pin"
    by_code = {"pin": PIN, "code": await code_of(api, purpose="pin")}
    assert view(await api.post(pin_path, session["token"], by_code, key=None), 200) == person
    problem(await api.post(pin_path, session["token"], by_code, key=None), 403, "confirmation_failed")
    by_old = {"pin": NEW_PIN, "old_pin": PIN}
    view(await api.post(pin_path, session["token"], by_old, key=None), 200)

    wrong = problem(
        await api.post("/v1/sessions", session["token"], {"pin": PIN}, key=None), 403, "confirmation_failed"
    )
    assert wrong["tries_left"] == 4
    raised = view(await api.post("/v1/sessions", session["token"], {"pin": NEW_PIN}, key=None), 201)
    assert (raised["auth_level"], raised["expires_at"]) == ("pin", session["expires_at"])
    problem(await api.get(f"/v1/people/{person['id']}", session["token"]), 401, "unauthenticated")
    ended = view(await api.call("DELETE", f"/v1/sessions/{raised['id']}", raised["token"]), 200)
    assert "token" not in ended and ended["revoked_at"] == "2026-09-03T04:00:00Z"
    problem(await api.get(f"/v1/people/{person['id']}", raised["token"]), 401, "unauthenticated")


async def test_another_device_is_signed_out(api: Api) -> None:
    await create(api)
    here, there = await sign_in(api), await sign_in(api)
    view(await api.call("DELETE", f"/v1/sessions/{there['id']}", here["token"]), 200)
    problem(await api.call("DELETE", f"/v1/sessions/{there['id']}", here["token"]), 404, "not_found")
    problem(await api.get(f"/v1/people/{here['person']}", there["token"]), 401, "unauthenticated")
    view(await api.get(f"/v1/people/{here['person']}", here["token"]), 200)


async def test_sign_up_where_the_operator_allows_it(api: Api) -> None:
    session = await sign_in(api, "+8613900007777")
    person = view(await api.get(f"/v1/people/{session['person']}", session["token"]), 200)
    assert (person["external_id"], person["status"]) == (None, "active")


async def test_a_freeze_stops_everything_and_staff_let_in_again(api: Api) -> None:
    person = await create(api)
    session, path = await sign_in(api), f"/v1/people/{person['id']}"
    staff, boss = await api.new_staff(Role.OPERATOR), await api.new_staff(Role.SUPERVISOR)
    assert view(await api.post(f"{path}/freeze", session["token"], {}, key=None), 200)["status"] == "frozen"
    problem(await api.get(path, session["token"]), 401, "unauthenticated")
    refused = {"phone": PHONE, "code": await code_of(api)}
    problem(await api.post("/v1/sessions", None, refused, key=None), 403, "forbidden")
    problem(await api.post(f"{path}/freeze", staff, {}, key=None), 422, "invalid_field", "/reason")
    problem(await api.post(f"{path}/freeze", api.platform, None, key=None), 422, "invalid_field", "/reason")
    view(await api.post(f"{path}/freeze", staff, {"reason": "called in"}, key=None), 200)
    view(await api.post(f"{path}/freeze", api.platform, {"reason": "reported"}, key=None), 200)
    problem(await api.post(f"{path}/unfreeze", staff, {"reason": "found it"}, key=None), 403, "forbidden")
    assert (
        view(await api.post(f"{path}/unfreeze", boss, {"reason": "found it"}, key=None), 200)["status"]
        == "active"
    )
    problem(await api.post(f"{path}/unfreeze", boss, {"reason": "x"}, key=None), 409, "state_conflict")
    await sign_in(api)

    entries = view(await api.get("/v1/audit_entries", boss, params={"of": person["id"]}), 200)
    told = [(entry["by_kind"], entry["operation"], entry["reason"]) for entry in entries["data"]]
    assert sorted(told) == [
        ("person", "freeze_person", ""),
        ("platform", "freeze_person", "reported"),
        ("staff", "freeze_person", "called in"),
        ("staff", "unfreeze_person", "found it"),
    ]
    assert all(entry["request_id"].startswith("req_") for entry in entries["data"])


async def test_an_unknown_phone_hears_the_same(api: Api) -> None:
    """Send, wrong code and too many sends: the answers for a known and an unknown phone differ in nothing."""
    await create(api)

    async def heard(phone: str) -> list[object]:
        answers = [
            await api.post("/v1/sessions/codes", None, {"phone": phone, "purpose": "pin"}, key=None)
            for _ in range(6)
        ]
        sign_ins = [
            await api.post("/v1/sessions", None, {"phone": phone, "code": "000000"}, key=None)
            for _ in range(2)
        ]
        return [
            (
                answer.status_code,
                answer.headers.get("retry-after"),
                sorted(answer.json()),
                answer.json().get("detail"),
            )
            for answer in answers + sign_ins
        ]

    assert await heard(PHONE) == await heard("+8613900002222")


async def test_six_sends_in_an_hour(api: Api) -> None:
    await create(api)
    for _ in range(5):
        await code_of(api)
    refused = await api.post("/v1/sessions/codes", None, {"phone": PHONE}, key=None)
    problem(refused, 429, "rate_limited")
    assert refused.headers["retry-after"] == "3600"
    api.clock.turn_to(api.clock.now() + timedelta(hours=1))
    await code_of(api)


async def test_messages_come_in_pages(api: Api) -> None:
    await create(api)
    codes = [await code_of(api) for _ in range(3)]
    first = view(await api.get("/v1/messages", api.platform, params={"phone": PHONE, "limit": 2}), 200)
    rest = view(
        await api.get(
            "/v1/messages", api.platform, params={"phone": PHONE, "limit": 2, "starting_after": first["next"]}
        ),
        200,
    )
    assert [message["code"] for message in first["data"] + rest["data"]] == codes[::-1]
    assert (first["has_more"], rest["has_more"], rest["next"]) == (True, False, None)


@cases(
    ("body", "pointer"),
    [
        ({}, "/external_id"),
        ({"external_id": "a"}, "/phone"),
        ({"external_id": "a", "phone": 13900001111}, "/phone"),
        ({"external_id": "a", "phone": "123"}, "/phone"),
        ({"external_id": "a", "phone": PHONE, "tier": 3}, "/tier"),
        ({"external_id": "a", "phone": PHONE, "status": "active"}, "/status"),
        ({"external_id": "a", "phone": PHONE, "test_outcome": "none"}, "/test_outcome"),
        ({"external_id": "", "phone": PHONE}, "/external_id"),
        ({"external_id": " ", "phone": PHONE}, "/external_id"),
        ({"external_id": "x" * 65, "phone": PHONE}, "/external_id"),
        ({"external_id": "a\u0000", "phone": PHONE}, "/external_id"),
        ({"external_id": "a", "phone": PHONE, "name": "a\nb"}, "/name"),
        ({"external_id": "a", "phone": PHONE, "document": ""}, "/document"),
    ],
)
async def test_bad_people(api: Api, body: dict[str, Any], pointer: str) -> None:
    problem(await api.post("/v1/people", api.platform, body, key=None), 422, "invalid_field", pointer)
    async with api.app.database.read() as db:
        assert await db.fetchval("select count(*) from person") == 0


async def test_bad_sign_ins_and_pins(api: Api) -> None:
    person = await api.new_person(phone=PHONE)
    pin_path = f"/v1/people/{person.id}/pin"
    for path, token, body, pointer in [
        ("/v1/sessions", None, {}, "/phone"),
        ("/v1/sessions", None, {"phone": PHONE}, "/code"),
        ("/v1/sessions", None, {"code": "123456"}, "/phone"),
        ("/v1/sessions", None, {"phone": "x", "code": "123456"}, "/phone"),
        ("/v1/sessions", None, {"phone": PHONE, "code": "12345"}, "/code"),
        ("/v1/sessions", None, {"phone": PHONE, "code": "123456", "device": "a\nb"}, "/device"),
        ("/v1/sessions", None, {"phone": PHONE, "code": "123456", "auth_level": "pin"}, "/auth_level"),
        ("/v1/sessions", person.token, {"pin": PIN, "code": "123456"}, "/code"),
        ("/v1/sessions/codes", None, {"phone": ""}, "/phone"),
        ("/v1/sessions/codes", None, {"phone": PHONE, "purpose": "nonsense"}, "/purpose"),
        (pin_path, person.token, {"pin": NEW_PIN}, "/code"),
        (pin_path, person.token, {"pin": NEW_PIN, "old_pin": PIN, "code": "123456"}, "/code"),
        (pin_path, person.token, {"pin": "123456", "old_pin": PIN}, "/pin"),
        (pin_path, person.token, {"pin": "abc", "old_pin": PIN}, "/pin"),
        (pin_path, person.token, {"old_pin": PIN}, "/pin"),
    ]:
        seen = problem(await api.post(path, token, body, key=None), 422, "invalid_field", pointer)
        assert NEW_PIN not in str(seen) and PIN not in str(seen)
    async with api.app.database.read() as db:
        assert await db.fetchval("select tries from payment_pin") == 0, "no bad input costs a try"


async def test_a_step_up_needs_a_persons_live_session(api: Api) -> None:
    person, staff = await api.new_person(), await api.new_staff(Role.ADMIN)
    problem(await api.post("/v1/sessions", None, {"pin": PIN}, key=None), 401, "unauthenticated")
    problem(
        await api.post("/v1/sessions", person.token + "x", {"pin": PIN}, key=None), 401, "unauthenticated"
    )
    for token in (staff, api.platform):
        problem(await api.post("/v1/sessions", token, {"pin": PIN}, key=None), 403, "forbidden")


async def test_bank_accounts(api: Api) -> None:
    anna, bo = await api.new_person(), await api.new_person()
    body = {"bank": "icbc", "number": "6222 0212 3456 7890 123"}
    account = view(await api.post("/v1/bank_accounts", anna.token, body, key=None), 201)
    assert (account["number"], account["status"], account["person"]) == ("**** 0123", "unverified", anna.id)
    problem(await api.post("/v1/bank_accounts", anna.token, body, key=None), 409, "state_conflict")
    for bad, pointer in [
        ({"bank": "ICBC", "number": "123"}, "/number"),
        ({"bank": "工商", "number": body["number"]}, "/bank"),
        ({"bank": "ICBC"}, "/number"),
        ({**body, "status": "verified"}, "/status"),
    ]:
        problem(await api.post("/v1/bank_accounts", anna.token, bad, key=None), 422, "invalid_field", pointer)
    other = view(
        await api.post("/v1/bank_accounts", anna.token, {"bank": "CMB", "number": "1234567890"}, key=None),
        201,
    )
    page = view(await api.get("/v1/bank_accounts", anna.token, params={"limit": 1}), 200)
    rest = view(await api.get("/v1/bank_accounts", anna.token, params={"starting_after": page["next"]}), 200)
    assert sorted(one["id"] for one in page["data"] + rest["data"]) == sorted([account["id"], other["id"]])
    assert view(await api.get("/v1/bank_accounts", bo.token), 200)["data"] == []
    problem(await api.call("DELETE", f"/v1/bank_accounts/{account['id']}", bo.token), 404, "not_found")
    deleted = view(await api.call("DELETE", f"/v1/bank_accounts/{account['id']}", anna.token), 200)
    assert deleted == {**account, "status": "deleted"}
    problem(await api.call("DELETE", f"/v1/bank_accounts/{account['id']}", anna.token), 404, "not_found")
