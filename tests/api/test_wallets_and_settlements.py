"""Money in and out over HTTP, and what merchants are paid: the bank behind it is the test bank."""

from datetime import timedelta
from typing import Any

import pytest
from tests.cases import cases

from .conftest import PIN, Api, Person


async def bank_account(api: Api, person: Person, number: str = "6222000000001200") -> str:
    """A bank account that the bank has answered about."""
    body = {"number": number, "bank": "ICBC"}
    made = await api.post("/v1/bank_accounts", person.token, body, key=None)
    assert made.status_code == 201, made.text
    for bucket in api.book.buckets:
        await api.app.bank.verify_due(bucket)
    account: str = made.json()["id"]
    return account


async def bank_works(api: Api) -> None:
    """What the bank runner does by itself in a running process, once."""
    await api.catch_up()
    for bucket in api.book.buckets:
        await api.app.bank.send_due(bucket)
    await api.app.bank.idle()
    await api.catch_up()


async def stepped_up(api: Api, person: Person) -> str:
    """The token of the person's session after the PIN."""
    answer = await api.post("/v1/sessions", person.token, {"pin": PIN}, key=None)
    token: str = answer.json()["token"]
    return token


async def wallet(api: Api, person: Person) -> Any:
    return (await api.get(f"/v1/wallets/{person.wallet}", person.token)).json()


async def test_money_comes_in_and_goes_out(api: Api) -> None:
    person = await api.new_person()
    account = await bank_account(api, person)
    body = {"amount_minor": 500_00, "bank_account": account}
    path = f"/v1/wallets/{person.wallet}/top_ups"
    asked = await api.post(path, person.token, body, key="in")
    assert asked.status_code == 202 and asked.json()["status"] == "pending", asked.text
    assert (await wallet(api, person))["balance_minor"] == 0
    await bank_works(api)
    again = await api.post(path, person.token, body, key="in")
    assert again.content == asked.content, "the same key, the same bytes, one top-up"
    assert (await wallet(api, person))["balance_minor"] == 500_00

    out = f"/v1/wallets/{person.wallet}/withdrawals"
    half = {"amount_minor": 200_00, "bank_account": account}
    refused = await api.post(out, person.token, half)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden"), (
        "a session alone is not enough"
    )
    token = await stepped_up(api, person)
    taken = await api.post(out, token, half)
    assert taken.status_code == 202, taken.text
    person.token = token
    seen = await wallet(api, person)
    assert (seen["balance_minor"], seen["held_minor"], seen["available_minor"]) == (500_00, 200_00, 300_00)
    too_much = await api.post(out, token, {"amount_minor": 300_01, "bank_account": account}, key="much")
    assert (too_much.status_code, too_much.json()["reason"]) == (409, "insufficient_balance")
    await bank_works(api)
    seen = await wallet(api, person)
    assert (seen["balance_minor"], seen["held_minor"]) == (300_00, 0)
    stored = await api.post(out, token, {"amount_minor": 300_01, "bank_account": account}, key="much")
    assert stored.content == too_much.content, "a conflict is an answer, and kept with its key"


async def test_a_tier_has_its_limits(api: Api) -> None:
    person = await api.new_person()
    body = {"amount_minor": 1_000_01, "bank_account": await bank_account(api, person)}
    refused = await api.post(f"/v1/wallets/{person.wallet}/top_ups", person.token, body)
    assert refused.status_code == 409
    assert (refused.json()["reason"], refused.json()["limit_minor"]) == ("tier_limit", 1_000_00)
    assert refused.headers["content-type"].startswith("application/problem+json")


@cases(
    ("change", "status", "code"),
    [
        ({"amount_minor": 0}, 422, "invalid_field"),
        ({"amount_minor": -1}, 422, "invalid_field"),
        ({"amount_minor": 1.5}, 422, "invalid_field"),
        ({"amount_minor": 2**53}, 422, "invalid_field"),
        ({"bank_account": "bka_nobody"}, 422, "invalid_field"),
        ({"bank_account": "bka_01h455vb4pex5vsknk084sn02q"}, 404, "not_found"),
        ({"note": "x"}, 422, "invalid_field"),
    ],
)
async def test_bad_requests_change_nothing(api: Api, change: Any, status: int, code: str) -> None:
    person = await api.new_person()
    body = {"amount_minor": 1, "bank_account": await bank_account(api, person), **change}
    answer = await api.post(f"/v1/wallets/{person.wallet}/top_ups", person.token, body)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert (await wallet(api, person))["balance_minor"] == 0


async def test_anothers_wallet_is_an_absent_one(api: Api) -> None:
    person, other = await api.new_person(), await api.new_person()
    body = {"amount_minor": 1, "bank_account": await bank_account(api, person)}
    for answer in (
        await api.get(f"/v1/wallets/{other.wallet}", person.token),
        await api.post(f"/v1/wallets/{other.wallet}/top_ups", person.token, body),
        await api.get("/v1/wallets/wal_01h455vb4pex5vsknk084sn02q", api.platform),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert (await api.get(f"/v1/wallets/{other.wallet}", api.platform)).json()["id"] == other.wallet


async def test_a_merchant_is_settled_each_day(api: Api) -> None:
    person = await api.new_person(line_minor=5_000_00)
    shop, other = await api.new_merchant(), await api.new_merchant()
    for amount in (100_00, 50_00, 25_00):
        assert (await api.pay(person, shop, amount)).status_code == 201
        api.clock.turn_to(api.clock.now() + timedelta(days=1))
        await api.app.close_days(api.book)
    listed = (await api.get("/v1/settlements", shop.key)).json()
    assert [one["gross_minor"] for one in listed["data"]] == [25_00, 50_00, 100_00]
    assert {one["status"] for one in listed["data"]} == {"pending"} and not listed["has_more"]
    await bank_works(api)
    first = (await api.get("/v1/settlements?limit=2", shop.key)).json()
    assert first["has_more"] and first["next"] == first["data"][-1]["id"]
    rest = (await api.get(f"/v1/settlements?limit=2&starting_after={first['next']}", shop.key)).json()
    oldest = rest["data"][0]
    assert (oldest["status"], oldest["business_date"], oldest["payout_minor"]) == (
        "paid",
        "2026-09-03",
        99_40,
    )
    by_date = (await api.get("/v1/settlements?from_on=2026-09-04&to_on=2026-09-04", shop.key)).json()
    assert [one["gross_minor"] for one in by_date["data"]] == [50_00]

    path = f"/v1/settlements/{oldest['id']}"
    assert (await api.get(path, shop.key)).json() == oldest
    assert (await api.get(path, other.key)).status_code == 404
    assert (await api.get("/v1/settlements", other.key)).json()["data"] == []
    stranger = await api.get(f"/v1/settlements?starting_after={oldest['id']}", other.key)
    assert stranger.json()["errors"][0]["pointer"] == "starting_after"
    for where, lines in ((path, 2), ("/v1/settlements", 4)):
        table = await api.get(where, shop.key, headers={"Accept": "text/csv"})
        assert table.headers["content-type"].startswith("text/csv")
        assert len(table.text.splitlines()) == lines
    events = (await api.get("/v1/events?types=settlement.paid", shop.key)).json()["data"]
    assert [event["type"] for event in events] == ["settlement.paid"] * 3


@pytest.mark.parametrize(("digits", "status", "left"), [("00", "posted", 0), ("01", "failed", 100_00)])
async def test_a_repayment_from_a_bank_account(api: Api, digits: str, status: str, left: int) -> None:
    person, shop = await api.new_person(line_minor=5_000_00), await api.new_merchant()
    account = await bank_account(api, person, f"62220000000012{digits}")
    assert (await api.pay(person, shop, 100_00)).status_code == 201
    body = {"line": person.line, "amount_minor": "all", "source": account}
    asked = await api.post("/v1/repayments", person.token, body)
    assert (asked.status_code, asked.json()["status"]) == (202, "pending"), asked.text
    await bank_works(api)
    seen = (await api.get(f"/v1/repayments/{asked.json()['id']}", person.token)).json()
    assert seen["status"] == status
    line = (await api.get(f"/v1/lines/{person.line}", person.token)).json()
    assert line["used_minor"] == left


async def test_a_refund_returns_to_the_bank_account_that_had_repaid(api: Api) -> None:
    person, shop = await api.new_person(line_minor=5_000_00), await api.new_merchant()
    account = await bank_account(api, person)
    paid = (await api.pay(person, shop, 100_00)).json()
    body = {"line": person.line, "amount_minor": "all", "source": account}
    assert (await api.post("/v1/repayments", person.token, body)).status_code == 202
    await bank_works(api)
    asked = {"payment": paid["id"], "refund_no": "r1", "amount_minor": 40_00, "reason": "broken"}
    refund = await api.post("/v1/refunds", shop.key, asked)
    assert refund.status_code in (201, 202), refund.text
    await bank_works(api)
    seen = (await api.get(f"/v1/refunds/{refund.json()['id']}", shop.key)).json()
    assert seen["status"] == "posted"
    bank: Any = api.app.banks[api.book.mode]
    assert await bank.balance(api.book.id, "CNY") == 100_00 - sum(
        effect["amount_minor"] for effect in seen["effects"] if effect["kind"] == "returned"
    )
