"""Who somebody is, over the API: verifications, a changed and a lost phone, S7, keys by address, roles, erasure."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from wufeng.api import people, timing
from wufeng.identity.policy import shipped_identity_policy
from wufeng.identity.staff.model import Role
from wufeng.identity.tries import commands as tries
from wufeng.identity.tries.model import TryKind, TryLimit

from .conftest import PIN, Api, Person

DOCUMENT = "11010519491231002X"
WRONG = "558813"


@pytest.fixture
async def far(api: Api) -> AsyncIterator[Api]:
    """The same application, called from an address that is not this machine's."""
    transport = httpx.ASGITransport(app=api.app.api(), client=("203.0.113.9", 1), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        other = Api(api.app, http, api.clock, api.platform)
        other.numbers = api.numbers
        yield other


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three tries an hour of each kind."""
    low = replace(shipped_identity_policy(), tries=dict.fromkeys(TryKind, TryLimit(3, 3600)))
    monkeypatch.setattr(tries, "shipped_identity_policy", lambda: low)


async def code_to(api: Api, phone: str, purpose: str) -> str:
    """The last code that was sent to a phone for a purpose."""
    found = (await api.get("/v1/messages", api.platform, params={"phone": phone})).json()["data"]
    code: str = next(one["code"] for one in found if one["purpose"] == purpose)
    return code


async def send(api: Api, phone: str, purpose: str) -> str:
    """Have a code sent, and read it."""
    sent = await api.post("/v1/sessions/codes", None, {"phone": phone, "purpose": purpose})
    assert sent.status_code == 201, sent.text
    return await code_to(api, phone, purpose)


async def seen(api: Api, person: Person) -> dict[str, Any]:
    found: dict[str, Any] = (await api.get(f"/v1/people/{person.id}", api.platform)).json()
    return found


async def test_a_person_is_verified_and_sees_how(api: Api) -> None:
    person = await api.new_person()
    path = f"/v1/people/{person.id}/verifications"
    refused = await api.post(path, person.token, {"name": "张三", "document": "110105194912310021"})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/document")
    made = await api.post(path, person.token, {"name": "张三", "document": DOCUMENT, "evidence": "scan-1"})
    assert made.status_code == 201
    assert {**made.json(), "id": "", "created_at": "", "answered_at": ""} == {
        "id": "", "object": "verification", "person": person.id, "method": "outside", "kind": "resident_id",
        "status": "passed", "reason": None, "checks": ["identity_register", "phone_register"], "tier": 2,
        "created_at": "", "answered_at": "",
    }  # fmt: skip
    assert (await seen(api, person))["tier"] == 2
    waits = await api.post(
        path, (other := await api.new_person()).token, {"name": "张三", "document": DOCUMENT}
    )
    assert waits.status_code == 404, "another's"
    path = f"/v1/people/{other.id}/verifications"
    taken = await api.post(path, other.token, {"name": "张三", "document": DOCUMENT})
    assert (taken.status_code, taken.json()["reason"]) == (201, "document_taken")
    assert person.id not in taken.text
    pending = await api.post(path, other.token, {"name": "李四", "document": "110105194912319913"})
    assert (pending.status_code, pending.json()["status"]) == (202, "pending")
    listed = await api.get(path, other.token)
    assert {one["status"] for one in listed.json()["data"]} == {"refused", "pending"}
    by_person = await api.post(path, other.token, {"name": "李", "document": DOCUMENT, "tier": 3})
    assert by_person.status_code == 422


async def test_staff_raise_a_tier_with_a_reason(api: Api) -> None:
    person, supervisor = await api.new_person(), await api.new_staff(Role.SUPERVISOR)
    path = f"/v1/people/{person.id}/verifications"
    body = {"name": "张三", "document": DOCUMENT, "tier": 3}
    assert (await api.post(path, supervisor, body)).status_code == 422, "why?"
    assert (await api.post(path, await api.new_staff(Role.OPERATOR), body)).status_code == 403
    made = await api.post(path, supervisor, {**body, "reason": "seen at the counter"})
    assert (made.status_code, made.json()["tier"], made.json()["method"]) == (201, 3, "face_to_face")
    entries = (await api.get("/v1/audit_entries", supervisor, params={"of": person.id})).json()["data"]
    assert [(one["operation"], one["reason"]) for one in entries] == [
        ("create_verification", "seen at the counter")
    ]


async def test_a_phone_is_changed(api: Api) -> None:
    person = await api.new_person(phone="+8613911110001")
    path, new = f"/v1/people/{person.id}", "+8613911110002"
    assert (await api.post(f"{path}/phone_codes", person.token, {"phone": new})).status_code == 201
    code = await code_to(api, new, "phone")
    nothing = await api.post(f"{path}/phone", person.token, {"phone": new, "code": code})
    assert nothing.status_code == 422, "a session alone is no proof"
    by_person = await api.post(
        f"{path}/phone", person.token, {"phone": new, "code": code, "document": DOCUMENT}
    )
    assert by_person.status_code == 422, "staff alone have seen a document"
    wrong = await api.post(f"{path}/phone", person.token, {"phone": new, "code": code, "pin": WRONG})
    assert (wrong.status_code, wrong.json()["tries_left"]) == (403, 4)
    changed = await api.post(f"{path}/phone", person.token, {"phone": new, "code": code, "pin": PIN})
    assert (changed.status_code, changed.json()["phone"]) == (200, "139****0002")
    assert changed.json()["cooling_ends_at"] == "2026-09-10T04:00:00Z", "on a device of today"
    told = (await api.get("/v1/messages", api.platform, params={"phone": "+8613911110001"})).json()["data"]
    assert [(one["purpose"], one["code"]) for one in told] == [("notice", "")]
    stepped = await api.post("/v1/sessions", person.token, {"pin": PIN})
    token = stepped.json()["token"]
    await api.post(f"{path}/phone_codes", token, {"phone": "+8613911110003"})
    code = await code_to(api, "+8613911110003", "phone")
    again = await api.post(f"{path}/phone", token, {"phone": "+8613911110003", "code": code})
    assert again.status_code == 200, "a session stepped up a moment ago is proof enough"


async def test_staff_change_a_phone_by_the_document(api: Api) -> None:
    person, supervisor = await api.new_person(phone="+8613911110001"), await api.new_staff(Role.SUPERVISOR)
    await api.post(
        f"/v1/people/{person.id}/verifications", person.token, {"name": "张三", "document": DOCUMENT}
    )
    path, new = f"/v1/people/{person.id}", "+8613911110002"
    await api.post(f"{path}/freeze", person.token, {})
    await api.post(f"{path}/phone_codes", supervisor, {"phone": new})
    body = {"phone": new, "code": await code_to(api, new, "phone"), "reason": "lost phone"}
    assert (await api.post(f"{path}/phone", supervisor, body)).status_code == 422
    assert (await api.post(f"{path}/phone", supervisor, {**body, "pin": PIN})).status_code == 422
    changed = await api.post(f"{path}/phone", supervisor, {**body, "document": DOCUMENT})
    assert (changed.status_code, changed.json()["status"]) == (200, "frozen")


async def test_a_lost_phone_stops_everything(api: Api) -> None:
    shop = await api.new_merchant()
    person = await api.new_person(line_minor=500_00, phone="+8613911110001")
    held = await api.pay(person, shop, 100_00, capture="later")
    assert held.json()["status"] == "authorised"
    body = {"phone": "+8613911110001", "code": await send(api, "+8613911110001", "freeze")}
    assert (await api.post("/v1/people/freeze", None, body)).status_code == 422, (
        "the code alone is not enough"
    )
    stopped = await api.post("/v1/people/freeze", None, {**body, "pin": PIN})
    assert (stopped.status_code, stopped.json()) == (200, {"object": "freeze", "status": "frozen"})
    assert (await api.get(f"/v1/people/{person.id}", person.token)).status_code == 401
    devices = await api.get("/v1/devices", person.token)
    assert devices.status_code == 401
    named = {"order": api.order(shop, 1_00), "payer": person.id}
    new = await api.post("/v1/payments", api.platform, named)
    if new.status_code == 201:  # it waits for a person who cannot say yes
        assert new.json()["status"] == "requires_action"
    else:
        assert new.json()["reasons"][0]["code"] == "payer_frozen"
    path = f"/v1/payments/{held.json()['id']}"
    assert (await api.get(path, shop.key)).json()["status"] == "authorised", "what is held stays held"
    captured = await api.post(f"{path}/capture", shop.key, {})
    assert (captured.status_code, captured.json()["status"]) == (200, "captured")
    supervisor = await api.new_staff(Role.SUPERVISOR)
    free = await api.post(f"/v1/people/{person.id}/unfreeze", supervisor, {"reason": "has a new phone"})
    assert free.json()["cooling_ends_at"] == "2026-09-06T04:00:00Z"


async def test_known_and_unknown_phones_cannot_be_told_apart_by_body(api: Api) -> None:
    known, unknown = "+8613911110001", "+8613911119999"
    await api.new_person(phone=known)
    for purpose in ("sign_in", "pin", "freeze", "phone"):
        told = [
            await api.post("/v1/sessions/codes", None, {"phone": phone, "purpose": purpose})
            for phone in (known, unknown)
        ]
        assert [one.status_code for one in told] == [201, 201]
        assert told[0].content == told[1].content
        assert sorted(told[0].headers) == sorted(told[1].headers)
    asked = [
        ("/v1/sessions", {"code": "000000"}),
        ("/v1/people/freeze", {"code": "000000", "pin": PIN}),
        ("/v1/people/freeze", {"code": "000000", "document": DOCUMENT}),
    ]
    for path, body in asked:
        told = [await api.post(path, None, {"phone": phone, **body}) for phone in (known, unknown)]
        bodies = [{**one.json(), "request_id": ""} for one in told]
        assert bodies[0] == bodies[1] and bodies[0]["status"] == 403
    for _ in range(6):  # and when it is enough
        told = [
            await api.post("/v1/sessions/codes", None, {"phone": phone, "purpose": "sign_in"})
            for phone in (known, unknown)
        ]
        bodies = [{**one.json(), "request_id": ""} for one in told]
        assert bodies[0] == bodies[1]
    assert told[0].status_code == 429
    assert told[0].headers["retry-after"] == told[1].headers["retry-after"]


@pytest.mark.parametrize("path", ["/v1/sessions/codes", "/v1/people/freeze"])
async def test_known_and_unknown_phones_cannot_be_told_apart_by_time(api: Api, path: str) -> None:
    """How often a known phone takes longer than an unknown one, of all pairs: a half, whatever else the machine does.

    The pairs are asked in turns, each first as often as the other. Of 120 each the share strays by 0.04 (one sigma).
    """
    people = [f"+861392{n:07d}" for n in range(30)]
    for phone in people:
        await api.new_person(phone=phone)
    strangers = [f"+861393{n:07d}" for n in range(30)]
    body = {"purpose": "pin"} if path.endswith("codes") else {"code": "000000", "pin": PIN}
    took: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(4):
        for n, pair in enumerate(zip(people, strangers, strict=True)):
            for phone in pair if n % 2 else reversed(pair):
                began = time.perf_counter()
                await api.post(path, None, {"phone": phone, **body})
                took[phone in people].append(time.perf_counter() - began)
    longer = statistics.fmean(
        0.5 if abs(one - other) < 1e-4 else float(one > other) for one in took[True] for other in took[False]
    )
    assert 0.5 - 0.2 < longer < 0.5 + 0.2


async def test_answers_leave_at_whole_beats() -> None:
    async def handle(_: Any) -> Any:
        await asyncio.sleep(0.003)

    loop = asyncio.get_running_loop()
    began = loop.time()
    await timing.evenly(handle)(None)
    assert loop.time() - began >= timing.BEAT_S - 0.001


class Ways:
    """Every way to try a PIN over the API."""

    def __init__(self, api: Api, person: Person) -> None:
        self.api = api
        self.person = person

    async def all(self) -> list[httpx.Response]:
        api, person, shop = self.api, self.person, await self.api.new_merchant()
        pin = {"kind": "pin", "proof": WRONG}
        order = {"order": api.order(shop, 1_00), "confirmation": pin, "funding": [{"wallet": person.wallet}]}
        waiting = await api.post(
            "/v1/payments", api.platform, {"order": api.order(shop, 1_00), "payer": person.id}
        )
        lost = {"phone": "+8613911110001", "code": await send(api, "+8613911110001", "freeze"), "pin": WRONG}
        return [
            await api.post("/v1/sessions", person.token, {"pin": WRONG}),
            await api.post("/v1/payments", person.token, order),
            await api.post(
                f"/v1/payments/{waiting.json()['id']}/confirm", person.token, {"confirmation": pin}
            ),
            await api.post(f"/v1/people/{person.id}/pin", person.token, {"pin": "802754", "old_pin": WRONG}),
            await api.post(
                f"/v1/people/{person.id}/phone",
                person.token,
                {"phone": "+8613911110002", "code": "000000", "pin": WRONG},
            ),
            await api.post("/v1/people/freeze", None, lost),
        ]


async def test_every_way_to_try_a_pin_is_counted_by_address(api: Api, far: Api, few: None) -> None:
    person = await api.new_person(phone="+8613911110001", wallet_minor=10_00)
    before = await counted(api)
    told = await Ways(far, person).all()
    codes = [one.json()["code"] for one in told]
    assert codes == ["confirmation_failed"] * 3 + ["rate_limited"] * 3, codes
    assert all(int(one.headers["retry-after"]) > 0 for one in told[3:])
    assert await counted(api) > before
    assert (await api.post("/v1/sessions", person.token, {"pin": PIN})).status_code == 429, (
        "on this device too"
    )
    other = await api.new_person()
    assert (await api.post("/v1/sessions", other.token, {"pin": PIN})).status_code == 201, "others go on"


async def counted(api: Api) -> int:
    async with api.app.database.read() as db:
        return await db.fetchval("select count(*) from try_count")  # type: ignore[no-any-return]


async def test_one_pin_over_many_people_over_the_api(api: Api, few: None) -> None:
    people = [await api.new_person() for _ in range(5)]
    told = [await api.post("/v1/sessions", one.token, {"pin": WRONG}) for one in people]
    assert [one.status_code for one in told] == [403, 403, 403, 429, 429]


async def test_codes_are_counted_by_address(far: Api, api: Api, few: None) -> None:
    told = [await far.post("/v1/sessions/codes", None, {"phone": f"+861391111{n:04d}"}) for n in range(5)]
    assert [one.status_code for one in told] == [201, 201, 201, 429, 429]
    assert (await api.post("/v1/sessions/codes", None, {"phone": "+8613911119999"})).status_code == 201
    wrong = {"code": "000000"}
    told = [await far.post("/v1/sessions", None, {"phone": f"+861391111{n:04d}", **wrong}) for n in range(5)]
    assert [one.status_code for one in told] == [403, 403, 403, 429, 429]


async def test_after_the_fifth_wrong_pin_even_the_right_one_is_refused_until_a_code_resets_it(
    api: Api,
) -> None:
    person = await api.new_person(phone="+8613911110001")
    told = [await api.post("/v1/sessions", person.token, {"pin": WRONG}) for _ in range(5)]
    assert [one.json()["tries_left"] for one in told] == [4, 3, 2, 1, 0]
    locked = await api.post("/v1/sessions", person.token, {"pin": PIN})
    assert (locked.status_code, locked.json()["tries_left"]) == (403, 0)
    body = {"pin": "802754", "code": await send(api, "+8613911110001", "pin")}
    assert (await api.post(f"/v1/people/{person.id}/pin", person.token, body)).status_code == 200
    assert (await api.post("/v1/sessions", person.token, {"pin": "802754"})).status_code == 201


async def test_a_key_is_used_from_its_addresses_only(api: Api, far: Api) -> None:
    body = {"name": "counter", "scopes": ["read", "keys"], "addresses": ["203.0.113.0/24"]}
    made = await api.post("/v1/api_keys", api.platform, body)
    assert made.status_code == 201 and made.json()["addresses"] == ["203.0.113.0/24"]
    key = made.json()["secret"]
    assert (await far.get("/v1/api_keys", key)).status_code == 200
    elsewhere, unknown = await api.get("/v1/api_keys", key), await api.get("/v1/api_keys", "wf_test_x")
    assert elsewhere.status_code == 401
    assert {**elsewhere.json(), "request_id": ""} == {**unknown.json(), "request_id": ""}
    forged = await api.get("/v1/api_keys", key, headers={"X-Forwarded-For": "203.0.113.9"})
    assert forged.status_code == 401, "anybody can write a header"
    listed = (await api.get("/v1/api_keys", api.platform)).json()["data"]
    assert sorted(one["addresses"] for one in listed) == [[], ["203.0.113.0/24"]]
    wrong = await api.post("/v1/api_keys", api.platform, {"name": "x", "addresses": ["203.0.113.9/24"]})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/addresses")


async def test_roles_are_given_by_administrators(api: Api) -> None:
    admin, analyst = await api.new_staff(Role.ADMIN), await api.new_staff(Role.ANALYST)
    listed = (await api.get("/v1/staff", admin)).json()["data"]
    ids = {one["role"]: one["id"] for one in listed if one["login"].startswith("staff")}
    assert set(ids) == {"admin", "analyst"} and "password" not in str(listed)
    path = f"/v1/staff/{ids['analyst']}/role"
    assert (await api.post(path, analyst, {"role": "admin", "reason": "me"})).status_code == 403
    own = await api.post(f"/v1/staff/{ids['admin']}/role", admin, {"role": "analyst", "reason": "me"})
    assert own.status_code == 403
    given = await api.post(path, admin, {"role": "supervisor", "reason": "took over the desk"})
    assert (given.status_code, given.json()["role"]) == (200, "supervisor")
    assert (await api.get("/v1/clock", analyst)).status_code == 401, "they sign in anew"
    entries = (await api.get("/v1/audit_entries", admin, params={"of": ids["analyst"]})).json()["data"]
    assert [one["reason"] for one in entries] == ["took over the desk"]


async def test_a_person_is_found_by_the_operators_name(api: Api) -> None:
    body = {"external_id": "shop 17", "phone": "+8613911110001"}
    made = (await api.post("/v1/people", api.platform, body)).json()
    found = await api.get("/v1/people", api.platform, params={"external_id": "shop 17"})
    assert [one["id"] for one in found.json()["data"]] == [made["id"]]
    assert (await api.get("/v1/people", api.platform, params={"external_id": "17"})).json()["data"] == []
    assert (await api.get("/v1/people", api.platform)).status_code == 422


async def test_challenges_to_sign_in_are_counted_by_address(far: Api, few: None) -> None:
    asked = [await far.post("/v1/sessions/challenges", None, {}, key=None) for _ in range(4)]
    assert [one.status_code for one in asked] == [201, 201, 201, 429]
    assert 0 < int(asked[3].headers["Retry-After"]) <= 3600


async def test_money_that_comes_after_the_look_keeps_a_person(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def looked_before(*_: object) -> None:
        return None

    monkeypatch.setattr(people, "refuse_unfinished", looked_before)
    person = await api.new_person(wallet_minor=1)
    path, why = f"/v1/people/{person.id}", {"reason": "asked for it"}
    active = await api.call("DELETE", path, api.platform, params=why)
    await api.post(f"{path}/freeze", api.platform, {"reason": "asked for it"})
    owning = await api.call("DELETE", path, api.platform, params=why)
    assert [(one.status_code, one.json()["code"]) for one in (active, owning)] == [
        (409, "state_conflict")
    ] * 2
    assert "money in the wallet" in owning.json()["detail"]
    assert (await seen(api, person))["status"] == "frozen"


async def test_a_person_who_owes_and_owns_nothing_is_erased(api: Api) -> None:
    supervisor = await api.new_staff(Role.SUPERVISOR)
    person = await api.new_person(wallet_minor=5_00, line_minor=500_00)
    path, why = f"/v1/people/{person.id}", {"reason": "asked for it"}
    active = await api.call("DELETE", path, supervisor, params=why)
    assert (active.status_code, active.json()["code"]) == (409, "state_conflict")
    await api.post(f"{path}/freeze", api.platform, {"reason": "asked for it"})
    owning = await api.call("DELETE", path, supervisor, params=why)
    assert owning.status_code == 409
    assert "money in the wallet" in owning.json()["detail"] and "a line" in owning.json()["detail"]
    empty = await api.new_person(phone="+8613911110007")
    path = f"/v1/people/{empty.id}"
    await api.post(f"{path}/freeze", empty.token, {})
    assert (await api.call("DELETE", path, supervisor)).status_code == 422, "why?"
    gone = await api.call("DELETE", path, api.platform, params=why)
    assert (gone.status_code, gone.json()["status"], gone.json()["phone"]) == (200, "erased", None)
    assert (await api.call("DELETE", path, api.platform, params=why)).status_code in (404, 409)
    again = await api.post("/v1/people", api.platform, {"external_id": "new", "phone": "+8613911110007"})
    assert again.status_code == 201 and again.json()["id"] != empty.id
