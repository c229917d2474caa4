"""Payments over HTTP: who may start one, who says yes, what a key remembers, and what a problem looks like."""

from typing import Any

import pytest
from tests.cases import cases

from wufeng.identity.staff.model import Role

from .conftest import PIN, Api


async def journals(api: Api, payment_id: str) -> int:
    async with api.app.database.read() as db:
        return int(await db.fetchval("select count(*) from journal"))


async def test_one_confirmed_credit_payment(api: Api) -> None:
    person, shop = await api.new_person(line_minor=500_000), await api.new_merchant()
    answer = await api.pay(person, shop, 129_900)
    assert answer.status_code == 201, answer.text
    payment = answer.json()
    assert payment["status"] == "captured"
    assert payment["confirmed_by"] == "pin"
    assert payment["funding"][0]["lenders"][0]["share_ppm"] == 1_000_000
    read = await api.get(f"/v1/payments/{payment['id']}", person.token)
    assert read.json() == payment
    merchants = (await api.get(f"/v1/payments/{payment['id']}", shop.key)).json()
    assert merchants["fee_minor"] == 779
    listed = (await api.get("/v1/payments", shop.key)).json()
    assert [one["id"] for one in listed["data"]] == [payment["id"]]
    assert not listed["has_more"]


async def test_a_merchants_word_moves_no_money(api: Api) -> None:
    person, shop = await api.new_person(line_minor=500_000), await api.new_merchant()
    body = {"order": api.order(shop, 10_000), "payer": person.id, "funding": [{"line": person.line}]}
    answer = await api.post("/v1/payments", shop.key, body)
    payment = answer.json()
    assert (answer.status_code, payment["status"]) == (201, "requires_action")
    assert await journals(api, payment["id"]) == 0
    wrong = await api.post(
        f"/v1/payments/{payment['id']}/confirm",
        person.token,
        {"confirmation": {"kind": "pin", "proof": "000001"}},
    )
    assert (wrong.status_code, wrong.json()["code"], wrong.json()["tries_left"]) == (
        403,
        "confirmation_failed",
        4,
    )
    right = await api.post(
        f"/v1/payments/{payment['id']}/confirm", person.token, {"confirmation": {"kind": "pin", "proof": PIN}}
    )
    assert (right.status_code, right.json()["status"]) == (200, "captured")
    assert await journals(api, payment["id"]) == 1


async def test_a_payer_does_not_put_off_their_own_bill(api: Api) -> None:
    person, shop = await api.new_person(line_minor=500_000), await api.new_merchant()
    own = await api.pay(person, shop, 10_000, order=api.order(shop, 10_000, receipt="confirm"))
    assert (own.status_code, own.json()["errors"][0]["pointer"]) == (422, "/order/receipt"), own.text
    assert (
        await api.pay(person, shop, 10_000, order=api.order(shop, 10_000, receipt="none"))
    ).status_code == 201
    for token in (shop.key, api.platform):
        order = api.order(shop, 10_000, receipt="confirm")
        body = {"order": order, "payer": person.id, "funding": [{"line": person.line}]}
        assert (await api.post("/v1/payments", token, body)).status_code == 201


async def test_a_key_gives_the_same_bytes_and_refuses_another_request(api: Api) -> None:
    person, shop = await api.new_person(line_minor=500_000), await api.new_merchant()
    body = {"order": api.order(shop, 10_000), "funding": [{"line": person.line}]}
    first = await api.post("/v1/payments", person.token, body, key="k")
    again = await api.post("/v1/payments", person.token, body, key="k")
    assert (first.status_code, first.content) == (201, again.content)
    other = body | {"order": body["order"] | {"amount_minor": 10_001}}
    reused = await api.post("/v1/payments", person.token, other, key="k")
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")
    assert "/order/amount_minor" in reused.json()["detail"]
    found = await api.get("/v1/payments?idempotency_key=k", person.token)
    assert [one["id"] for one in found.json()["data"]] == [first.json()["id"]]


async def test_an_order_is_paid_once_after_a_decline(api: Api) -> None:
    person, shop = await api.new_person(line_minor=100_000), await api.new_merchant()
    other = await api.new_person(line_minor=500_000)
    order = api.order(shop, 150_000)
    started = await api.post(
        "/v1/payments", shop.key, {"order": order, "payer": person.id, "funding": [{"line": person.line}]}
    )
    yes = {"confirmation": {"kind": "pin", "proof": PIN}}
    declined = await api.post(f"/v1/payments/{started.json()['id']}/confirm", person.token, yes)
    assert (declined.status_code, declined.json()["reasons"][0]["code"]) == (402, "limit_exceeded")
    second = await api.post(
        "/v1/payments", shop.key, {"order": order, "payer": other.id, "funding": [{"line": other.line}]}
    )
    paid = await api.post(f"/v1/payments/{second.json()['id']}/confirm", other.token, yes)
    assert (paid.status_code, paid.json()["status"]) == (200, "captured")
    third = await api.post(
        "/v1/payments", shop.key, {"order": order, "payer": other.id, "funding": [{"line": other.line}]}
    )
    assert (third.status_code, third.json()["code"]) == (409, "order_taken")
    other_amount = order | {"amount_minor": 1}
    reused = await api.post("/v1/payments", shop.key, {"order": other_amount, "payer": other.id})
    assert (reused.status_code, reused.json()["code"]) == (409, "order_no_reused")


async def test_authorise_capture_in_parts_and_void(api: Api) -> None:
    person, shop = await api.new_person(line_minor=500_000), await api.new_merchant()
    payment = (await api.pay(person, shop, 10_000, capture="later")).json()
    assert payment["status"] == "authorised"
    path = f"/v1/payments/{payment['id']}"
    part = await api.post(f"{path}/capture", shop.key, {"amount_minor": 4_000, "final": False})
    assert (part.status_code, part.json()["captured_minor"], part.json()["status"]) == (
        200,
        4_000,
        "authorised",
    )
    too_much = await api.post(f"{path}/capture", shop.key, {"amount_minor": 6_001})
    assert (too_much.status_code, too_much.json()["code"]) == (409, "state_conflict")
    ended = await api.post(f"{path}/void", shop.key)
    assert (ended.status_code, ended.json()["status"], ended.json()["captured_minor"]) == (
        200,
        "captured",
        4_000,
    )


@cases(
    ("change", "status", "code", "pointer"),
    [
        ({"order": 7}, 422, "invalid_field", "/order"),
        ({"funding": []}, 422, "invalid_field", "/funding"),
        ({"capture": "sometimes"}, 422, "invalid_field", "/capture"),
        ({"surprise": 1}, 422, "invalid_field", "/surprise"),
        ({"payer": "per_01h455vb4pex5vsknk084sn02q"}, 422, "invalid_field", "/payer"),
    ],
)
async def test_what_does_not_fit_is_named(
    api: Api, change: dict[str, Any], status: int, code: str, pointer: str
) -> None:
    person, shop = await api.new_person(line_minor=500_000), await api.new_merchant()
    body = {"order": api.order(shop, 10_000), "funding": [{"line": person.line}], **change}
    answer = await api.post("/v1/payments", person.token, body)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code), answer.text
    assert problem["errors"][0]["pointer"] == pointer
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["request_id"] == answer.headers["request-id"]


async def test_the_edge_speaks_problems(api: Api) -> None:
    staff = await api.new_staff(Role.ANALYST)
    cases = [
        (await api.get("/v1/nothing"), 404, "not_found"),
        (await api.call("DELETE", "/v1/payments"), 405, "method_not_allowed"),
        (await api.post("/v1/payments"), 401, "unauthenticated"),
        (await api.get("/v1/payments/pay_nonsense", staff), 404, "not_found"),
        (await api.get("/v1/payments?limit=0", staff), 422, "invalid_field"),
        (await api.get("/v1/payments?limit=5&limit=6", staff), 422, "invalid_field"),
        (await api.post("/v1/payments", staff, {}), 403, "forbidden"),
        (await api.get("/v1/payments", headers={"Authorization": "Bearer nonsense"}), 401, "unauthenticated"),
    ]
    for answer, status, code in cases:
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert (await api.get("/healthz")).json() == {"status": "ok"}
    assert (await api.get("/readyz")).status_code == 200
    assert (await api.get("/openapi.json")).json()["openapi"] == "3.1.0"
    assert "text/html" in (await api.get("/docs")).headers["content-type"]


@pytest.mark.parametrize(("approve", "status", "state"), [(True, 200, "captured"), (False, 402, "declined")])
async def test_a_reviewer_answers(api: Api, approve: bool, status: int, state: str) -> None:
    person = await api.new_person(
        line_minor=500_000, phone="+8613800003001"
    )  # a test person that is always reviewed
    shop, supervisor = await api.new_merchant(), await api.new_staff(Role.SUPERVISOR)
    waiting = await api.pay(person, shop, 10_000)
    assert (waiting.status_code, waiting.json()["status"]) == (202, "pending")
    line = (await api.get(f"/v1/lines/{person.line}", person.token)).json()
    assert (line["held_minor"], line["used_minor"]) == (10_000, 0)
    path = f"/v1/payments/{waiting.json()['id']}/review"
    assert (await api.post(path, shop.key, {"approve": True, "reason": "mine"})).status_code == 403
    answer = await api.post(path, supervisor, {"approve": approve, "reason": "looked at it"})
    assert (answer.status_code, answer.json()["status"]) == (status, state)
    again = await api.post(path, supervisor, {"approve": True, "reason": "again"})
    assert (again.status_code, again.json()["code"]) == (409, "state_conflict")
    entries = (await api.get(f"/v1/audit_entries?of={waiting.json()['id']}", supervisor)).json()
    assert [entry["reason"] for entry in entries["data"]] == ["looked at it"]
