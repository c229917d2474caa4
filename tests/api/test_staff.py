"""Staff over HTTP: sign in, sign out, the audit."""

from datetime import timedelta
from typing import Any

import httpx

from wufeng.identity.staff.commands import create_staff
from wufeng.identity.staff.model import Role
from wufeng.identity.vault import Private

from .conftest import Api

PASSWORD = "correct horse battery 9"
LOGIN = {"login": "mei", "password": PASSWORD}


def view(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    seen: dict[str, Any] = answer.json()
    return seen


async def hire(api: Api, role: Role = Role.SUPERVISOR) -> None:
    services = api.app.services
    async with services.database.read() as db:
        await create_staff(
            db,
            services.vault,
            services.ids,
            "mei",
            "Mei",
            Private(PASSWORD),
            role,
            [api.book],
            api.clock.now(),
        )


async def test_in_and_out(api: Api) -> None:
    await hire(api)
    session = view(await api.post("/v1/staff_sessions", None, LOGIN, key=None), 201)
    assert (session["name"], session["role"], session["book"]) == ("Mei", "supervisor", "test")
    other = view(await api.post("/v1/staff_sessions", None, {**LOGIN, "book": "test"}, key=None), 201)
    view(await api.call("DELETE", f"/v1/staff_sessions/{other['id']}", session["token"]), 404)
    view(await api.call("DELETE", f"/v1/staff_sessions/{session['id']}", session["token"]), 200)
    view(await api.get("/v1/clock", session["token"]), 401)
    view(await api.get("/v1/clock", other["token"]), 200)


async def test_a_turned_book_clock_signs_nobody_out(api: Api) -> None:
    await hire(api)
    session = view(await api.post("/v1/staff_sessions", None, LOGIN, key=None), 201)
    view(await api.post("/v1/clock/advance", session["token"], {"days": 2}, key=None), 200)
    view(await api.get("/v1/clock", session["token"]), 200)
    api.clock.turn_to(api.clock.now() + timedelta(hours=12))
    view(await api.get("/v1/clock", session["token"]), 401)


async def test_five_wrong_tries_lock(api: Api) -> None:
    await hire(api)
    answers = [
        await api.post("/v1/staff_sessions", None, {**LOGIN, "password": "wrong"}, key=None) for _ in range(5)
    ]
    answers.append(await api.post("/v1/staff_sessions", None, LOGIN, key=None))
    answers.append(await api.post("/v1/staff_sessions", None, {**LOGIN, "login": "nobody"}, key=None))
    assert {(answer.status_code, answer.json()["code"], answer.json()["detail"]) for answer in answers} == {
        (401, "unauthenticated", "Log-in or password is wrong, or there were too many tries.")
    }
    api.clock.turn_to(api.clock.now() + timedelta(minutes=15))
    view(await api.post("/v1/staff_sessions", None, LOGIN, key=None), 201)


async def test_bad_sign_ins(api: Api) -> None:
    await hire(api)
    for body, pointer in [
        ({}, "/login"),
        ({"login": "mei"}, "/password"),
        ({**LOGIN, "role": "admin"}, "/role"),
        ({**LOGIN, "book": "other"}, "/book"),
        ({**LOGIN, "password": ["x"]}, "/password"),
        ({**LOGIN, "login": "m\u0000"}, "/login"),
    ]:
        seen = view(await api.post("/v1/staff_sessions", None, body, key=None), 422)
        assert seen["errors"][0]["pointer"] == pointer and PASSWORD not in str(seen)


async def test_the_audit_is_asked_by_any_id(api: Api) -> None:
    await hire(api)
    token = view(await api.post("/v1/staff_sessions", None, LOGIN, key=None), 201)["token"]
    person = await api.new_person()
    for n in range(3):
        api.clock.turn_to(api.clock.now() + timedelta(seconds=1))
        view(await api.post(f"/v1/people/{person.id}/freeze", token, {"reason": f"call {n}"}, key=None), 200)
    first = view(await api.get("/v1/audit_entries", token, params={"of": person.id, "limit": 2}), 200)
    rest = view(
        await api.get("/v1/audit_entries", token, params={"of": person.id, "starting_after": first["next"]}),
        200,
    )
    assert [entry["reason"] for entry in first["data"] + rest["data"]] == ["call 2", "call 1", "call 0"]
    for of in ("", "per_", "xxx_01h455vb4pex5vsknk084sn02q", "per_01h455vb4pex5vsknk084sn02", "' or 1=1"):
        seen = view(await api.get("/v1/audit_entries", token, params={"of": of}), 422)
        assert seen["errors"][0]["pointer"] == "of"
    assert view(await api.get("/v1/audit_entries", token, params={"of": person.wallet}), 200)["data"] == []
