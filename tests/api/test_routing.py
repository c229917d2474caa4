"""What a caller hears of trouble that no handler foresaw: never its inside, and whether anything was done.

And of a request that comes again: what it heard first, whatever has changed since. And of one whose body is held back:
it is a request of the moment at which all of it is there.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import msgspec
import pytest

from wufeng.api import people
from wufeng.base import receiving

from .conftest import PIN, Api, Person, Shop

YES = {"kind": "pin", "proof": PIN}


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (asyncpg.DeadlockDetectedError("deadlock detected"), 503, "overloaded"),
        (asyncpg.LockNotAvailableError("canceling statement due to lock timeout"), 503, "overloaded"),
        (asyncpg.ConnectionDoesNotExistError("gone"), 503, "outcome_unknown"),
        (ValueError("inside"), 500, "internal"),
    ],
)
async def test_trouble_outside_the_lanes(
    api: Api, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, code: str
) -> None:
    async def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(people, "freeze_person", fails)
    person = await api.new_person()
    answer = await api.post(f"/v1/people/{person.id}/freeze", api.platform, {"reason": "x"})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (answer.headers.get("Retry-After") == "1") is (status == 503)
    assert str(error) not in answer.text


async def test_a_lock_that_is_not_given_in_time(api: Api) -> None:
    person = await api.new_person()
    path, why = f"/v1/people/{person.id}/freeze", {"reason": "lost"}
    async with api.app.database.transaction() as db:
        await db.execute("select from person for update")
        busy = await api.post(path, api.platform, why)
    assert (busy.status_code, busy.json()["code"], busy.headers["Retry-After"]) == (503, "overloaded", "1")
    assert (await api.post(path, api.platform, why)).status_code == 200


def later(api: Api, **by: int) -> None:
    """Turn the clock on; a key is known for a day at least (API.md, idempotency)."""
    api.clock.turn_to(api.clock.now() + timedelta(**by))


async def ordered(api: Api, shop: Shop, amount_minor: int = 100_000) -> str:
    """An order of a shop's."""
    body = {"order_no": "B-1", "amount_minor": amount_minor, "currency": "CNY", "subject": "goods"}
    made = await api.post("/v1/orders", shop.key, body, key=None)
    assert made.status_code == 201, made.text
    id_: str = made.json()["id"]
    return id_


async def quoted(api: Api, token: str, body: dict[str, Any]) -> str:
    """A quote's option of three months."""
    quote = await api.post("/v1/quotes", token, body, key=None)
    assert quote.status_code == 201, quote.text
    option: str = next(one["id"] for one in quote.json()["options"] if one["tenor"] == 3)
    return option


async def by_a_quote(api: Api, person: Person, shop: Shop) -> tuple[str, str, dict[str, Any]]:
    """A person pays by a quote, which then expires."""
    option = await quoted(api, person.token, {"merchant": shop.id, "amount_minor": 100_000})
    body = {"order": api.order(shop, 100_000), "quote_option": option, "confirmation": YES}
    return "/v1/payments", person.token, body


async def by_a_merchants_key(api: Api, person: Person, shop: Shop) -> tuple[str, str, dict[str, Any]]:
    """A merchant asks for a payment by a quote of its own, without any proof."""
    order = await ordered(api, shop)
    option = await quoted(api, shop.key, {"order": order, "payer": person.id})
    return "/v1/payments", shop.key, {"order": order, "payer": person.id, "quote_option": option}


async def by_a_confirmation(api: Api, person: Person, shop: Shop) -> tuple[str, str, dict[str, Any]]:
    """A person confirms a merchant's payment by another quote."""
    order = await ordered(api, shop)
    waits = await api.post("/v1/payments", shop.key, {"order": order, "payer": person.id})
    option = await quoted(api, person.token, {"order": order})
    path = f"/v1/payments/{waits.json()['id']}/confirm"
    return path, person.token, {"quote_option": option, "confirmation": YES}


async def by_a_campaign(api: Api, person: Person, shop: Shop) -> tuple[str, str, dict[str, Any]]:
    """A merchant makes a campaign of one day."""
    day = "2026-09-03"
    body = {"name": "one day", "from_on": day, "until_on": day, "tenors": [3], "budget_minor": 10_000}
    return "/v1/campaigns", shop.key, body


@pytest.mark.parametrize("asking", [by_a_quote, by_a_merchants_key, by_a_confirmation, by_a_campaign])
async def test_a_repeated_request_has_its_answer_though_what_it_named_is_over(api: Api, asking: Any) -> None:
    person, shop = await api.new_person(line_minor=500_000), await api.new_merchant()
    path, token, body = await asking(api, person, shop)
    first = await api.post(path, token, body, key="again")
    assert first.status_code < 300, first.text
    later(api, hours=23)
    again = await api.post(path, token, body, key="again")
    assert (again.status_code, again.content) == (first.status_code, first.content)
    anew = await api.post(path, token, body)
    assert anew.status_code in (409, 422), "it is asked for too late, but by the key that was answered"


async def test_a_key_that_comes_with_another_request_is_told_so_before_what_is_wrong_with_that(
    api: Api,
) -> None:
    person, shop = await api.new_person(line_minor=500_000), await api.new_merchant()
    path, token, body = await by_a_quote(api, person, shop)
    await api.post(path, token, body, key="again")
    later(api, minutes=16)
    other = await api.post(path, token, {**body, "order": api.order(shop, 100_000)}, key="again")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


async def held_back(
    api: Api, token: str, body: Any, meanwhile: Callable[[], Awaitable[None]], path: str = "/v1/payments"
) -> httpx.Response:
    """A request whose body comes only when something else has happened."""

    async def content() -> AsyncIterator[bytes]:
        yield b" "
        await meanwhile()
        yield msgspec.json.encode(body)

    headers = {"Content-Type": "application/json"}
    return await api.post(path, token, content=content(), headers=headers, key="held back")


async def test_a_quote_that_expires_while_the_body_is_held_back(api: Api) -> None:
    person, shop = await api.new_person(line_minor=500_000), await api.new_merchant()
    path, token, body = await by_a_quote(api, person, shop)

    async def two_hours() -> None:
        later(api, hours=2)

    late = await held_back(api, token, body, two_hours, path)
    assert (late.status_code, late.json()["errors"][0]["pointer"]) == (422, "/quote_option"), late.text


async def test_an_order_that_expires_while_the_body_is_held_back(api: Api) -> None:
    person, shop = await api.new_person(line_minor=500_000), await api.new_merchant()
    ends_at = api.book.at(api.clock) + timedelta(minutes=1)
    order = api.order(shop, 100_000, expires_at=ends_at.isoformat())
    body = {"order": order, "funding": [{"line": person.line}], "confirmation": YES}

    async def an_hour() -> None:
        later(api, hours=1)

    late = await held_back(api, person.token, body, an_hour)
    assert (late.status_code, late.json()["reasons"][0]["code"]) == (402, "order_expired"), late.text


async def test_a_session_that_is_signed_out_while_the_body_is_held_back(api: Api) -> None:
    person, shop = await api.new_person(line_minor=500_000), await api.new_merchant()
    body = {"order": api.order(shop, 100_000), "funding": [{"line": person.line}], "confirmation": YES}

    async def sign_out() -> None:
        (session,) = (await api.get("/v1/sessions", person.token)).json()["data"]
        assert (await api.call("DELETE", f"/v1/sessions/{session['id']}", person.token)).status_code == 200

    assert (await held_back(api, person.token, body, sign_out)).status_code == 401


async def test_a_key_that_is_revoked_while_the_body_is_held_back(api: Api) -> None:
    shop = await api.new_merchant()
    made = await api.post(
        "/v1/api_keys", api.platform, {"merchant": shop.id, "name": "till", "scopes": ["orders"]}
    )
    assert made.status_code == 201, made.text
    body = {"order_no": "B-1", "amount_minor": 100, "currency": "CNY", "subject": "goods"}

    async def revoke() -> None:
        path = f"/v1/api_keys/{made.json()['id']}"
        assert (await api.call("DELETE", path, api.platform)).status_code == 200

    late = await held_back(api, made.json()["secret"], body, revoke, "/v1/orders")
    assert late.status_code == 401, late.text


async def test_a_body_that_does_not_come_does_nothing(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "WITHIN_S", 0.1)
    person, shop = await api.new_person(line_minor=500_000), await api.new_merchant()
    body = {"order": api.order(shop, 100_000), "funding": [{"line": person.line}], "confirmation": YES}
    never = asyncio.Event()

    async def for_ever() -> None:
        await never.wait()

    late = await held_back(api, person.token, body, for_ever)
    assert (late.status_code, late.json()["code"]) == (408, "request_timeout")
    again = await api.post("/v1/payments", person.token, body, key="held back")
    assert again.status_code == 201, "the key is free"


async def test_a_body_that_is_cut_off_does_nothing_and_is_told(api: Api) -> None:
    """The sender may still listen: a broken chunk ends a body as a closed connection does."""
    person, shop = await api.new_person(line_minor=500_000), await api.new_merchant()
    payment = (await api.pay(person, shop, 10_000, capture="later")).json()
    assert payment["status"] == "authorised", payment
    pieces = iter([{"type": "http.request", "body": b"", "more_body": True}, {"type": "http.disconnect"}])

    async def receive() -> dict[str, Any]:
        return next(pieces)

    heard: list[Any] = []

    async def send(message: Any) -> None:
        heard.append(message)

    headers = {"authorization": f"Bearer {shop.key}", "idempotency-key": "left"}
    scope = {
        "type": "http", "method": "POST", "path": f"/v1/payments/{payment['id']}/capture", "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip
    await api.app.api()(scope, receive, send)
    assert (heard[0]["status"], msgspec.json.decode(heard[1]["body"])["code"]) == (400, "malformed")
    seen = (await api.get(f"/v1/payments/{payment['id']}", shop.key)).json()
    assert (seen["status"], seen["captured_minor"]) == ("authorised", 0)
