"""What a caller hears of trouble that no handler foresaw: never its inside, and whether anything was done.

And of a request that comes again: what it heard first, whatever has changed since.
"""

from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from wufeng.api import people

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
