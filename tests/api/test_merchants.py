"""Merchants and API keys over HTTP."""

from typing import Any

import httpx
from tests.cases import cases

from wufeng.identity.staff.model import Role

from .conftest import Api

SHOP = {"name": "无缝小店", "scene": "retail", "fee_plan": {"rate_ppm": 6000}}
UNKNOWN = "mer_01h455vb4pex5vsknk084sn02q"


def view(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    seen: dict[str, Any] = answer.json()
    return seen


async def test_a_merchant_is_made_and_its_key_works(api: Api) -> None:
    made = view(await api.post("/v1/merchants", api.platform, SHOP, key=None), 201)
    key = made.pop("api_key")
    assert (
        key.startswith("wf_test_") and made["status"] == "active" and made["fee_plan"] == {"rate_ppm": 6000}
    )
    for token in (key, api.platform, await api.new_staff(Role.ANALYST)):
        assert view(await api.get(f"/v1/merchants/{made['id']}", token), 200) == made
    view(await api.get(f"/v1/merchants/{UNKNOWN}", api.platform), 404)


async def test_a_closed_merchant(api: Api) -> None:
    shop, boss = await api.new_merchant(), await api.new_staff(Role.ADMIN)
    path = f"/v1/merchants/{shop.id}/close"
    assert view(await api.post(path, shop.key, {"reason": "x"}, key=None), 403)["code"] == "forbidden"
    assert view(await api.post(path, boss, {}, key=None), 422)["errors"][0]["pointer"] == "/reason"
    closed = view(await api.post(path, boss, {"reason": "left"}, key=None), 200)
    assert (closed["status"], closed["closed_at"]) == ("closed", "2026-09-03T04:00:00Z")
    assert (
        view(await api.post(path, api.platform, {"reason": "again"}, key=None), 409)["code"]
        == "state_conflict"
    )
    view(await api.post(f"/v1/merchants/{UNKNOWN}/close", api.platform, {"reason": "x"}, key=None), 404)
    assert view(await api.get(f"/v1/merchants/{shop.id}", shop.key), 200)["status"] == "closed"
    entries = view(await api.get("/v1/audit_entries", boss, params={"of": shop.id}), 200)
    assert [(entry["operation"], entry["reason"]) for entry in entries["data"]] == [
        ("close_merchant", "left")
    ]


@cases(
    ("change", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"name": " "}, "/name"),
        ({"name": "x" * 101}, "/name"),
        ({"scene": "casino"}, "/scene"),
        ({"fee_plan": {"rate_ppm": -1}}, "/fee_plan/rate_ppm"),
        ({"fee_plan": {"rate_ppm": 1_000_000}}, "/fee_plan/rate_ppm"),
        ({"fee_plan": {"rate_ppm": 10**30}}, "/fee_plan/rate_ppm"),
        ({"fee_plan": {"rate_ppm": 0.5}}, "/fee_plan/rate_ppm"),
        ({"fee_plan": {"rate_ppm": 1, "flat_minor": 1}}, "/fee_plan/flat_minor"),
        ({"fee_plan": None}, "/fee_plan"),
        ({"status": "closed"}, "/status"),
        ({"api_key": "wf_test_x"}, "/api_key"),
    ],
)
async def test_bad_merchants(api: Api, change: dict[str, Any], pointer: str) -> None:
    seen = view(await api.post("/v1/merchants", api.platform, SHOP | change, key=None), 422)
    assert (seen["code"], seen["errors"][0]["pointer"]) == ("invalid_field", pointer)
    async with api.app.database.read() as db:
        assert await db.fetchval("select count(*) from merchant") == 0


async def test_a_merchant_rotates_its_keys(api: Api) -> None:
    shop = await api.new_merchant()
    new = view(await api.post("/v1/api_keys", shop.key, {"name": "next"}, key=None), 201)
    secret = new.pop("secret")
    shown = view(await api.get("/v1/api_keys", shop.key), 200)["data"]
    assert len(shown) == 2 and all("secret" not in key for key in shown)
    old = next(key for key in shown if key["id"] != new["id"])
    revoked = view(await api.call("DELETE", f"/v1/api_keys/{old['id']}", secret), 200)
    assert revoked["revoked_at"] is not None and revoked["id"] == old["id"]
    assert view(await api.get("/v1/api_keys", shop.key), 401)["code"] == "unauthenticated"
    view(await api.call("DELETE", f"/v1/api_keys/{old['id']}", secret), 404)
    first = view(await api.get("/v1/api_keys", secret, params={"limit": 1}), 200)
    rest = view(await api.get("/v1/api_keys", secret, params={"starting_after": first["next"]}), 200)
    assert first["has_more"] and len(rest["data"]) == 1 and first["data"] != rest["data"]


async def test_the_operator_keeps_keys_of_its_merchants_and_itself(api: Api) -> None:
    shop, other, boss = await api.new_merchant(), await api.new_merchant(), await api.new_staff(Role.ADMIN)
    for token in (api.platform, boss):
        body = {"name": "from the operator", "merchant": shop.id, "scopes": ["read"]}
        key = view(await api.post("/v1/api_keys", token, body, key=None), 201)
        assert (key["kind"], key["scopes"]) == ("merchant", ["read"])
        view(await api.get(f"/v1/merchants/{shop.id}", key["secret"]), 200)
        view(await api.call("DELETE", f"/v1/api_keys/{key['id']}", token), 200)
        view(await api.get(f"/v1/merchants/{shop.id}", key["secret"]), 401)
        own = view(await api.post("/v1/api_keys", token, {"name": "own", "scopes": ["read"]}, key=None), 201)
        assert own["kind"] == "platform"
        assert len(view(await api.get("/v1/api_keys", token, params={"merchant": shop.id}), 200)["data"]) >= 2
        view(await api.get("/v1/api_keys", token, params={"merchant": UNKNOWN}), 404)
    theirs = {"name": "x", "merchant": other.id}
    view(await api.post("/v1/api_keys", shop.key, theirs, key=None), 404)
    view(await api.get("/v1/api_keys", shop.key, params={"merchant": other.id}), 404)
    view(await api.post("/v1/api_keys", shop.key, {"name": "x", "merchant": shop.id}, key=None), 201)


@cases(
    ("body", "status", "pointer"),
    [
        ({}, 422, "/name"),
        ({"name": "a\nb"}, 422, "/name"),
        ({"name": "x", "scopes": []}, 422, "/scopes"),
        ({"name": "x", "scopes": ["everything"]}, 422, "/scopes/0"),
        ({"name": "x", "scopes": ["people"]}, 422, "/scopes"),
        ({"name": "x", "merchant": "mer_1"}, 422, "/merchant"),
        ({"name": "x", "secret": "wf_test_x"}, 422, "/secret"),
    ],
)
async def test_bad_keys(api: Api, body: dict[str, Any], status: int, pointer: str) -> None:
    shop = await api.new_merchant()
    seen = view(await api.post("/v1/api_keys", shop.key, body, key=None), status)
    assert seen["errors"][0]["pointer"] == pointer
