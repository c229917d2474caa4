"""Pay codes at the border: shown once, made by a phone alone, guessed, replayed, stopped; and nobody learns why."""

import asyncio
import os
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from hashlib import sha256
from typing import Any

import httpx
import pyotp
import pytest

from wufeng.base.ids import Prefix, decode
from wufeng.payments.pay_codes import rules

from .conftest import PIN, Api, Person, Shop

ROUNDS = int(os.environ.get("WUFENG_RACES", "100"))
"""Rounds of two tills at once (RELIABILITY.md C8 asks for ten thousand: WUFENG_RACES=10000)."""


async def code_of(api: Api, person: Person, **body: Any) -> dict[str, Any]:
    """A code that the person shows."""
    answer = await api.post("/v1/pay_codes", person.token, body, key=None)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


class Phone:
    """A phone without a connection: an independent program (pyotp) from what it was told at its enrolment."""

    def __init__(self, api: Api, offline: dict[str, Any]) -> None:
        self.api = api
        self.handle = offline["handle"]
        self.program = pyotp.TOTP(
            offline["secret"], digits=offline["digits"], digest=sha256, interval=offline["step_seconds"]
        )

    def shows(self, ahead_s: int = 0) -> str:
        """Its code now, by a clock that is ahead by so much."""
        at = self.api.book.at(self.api.clock) + timedelta(seconds=ahead_s)
        return f"38{self.handle}{self.program.at(at)}"


async def enrolled(api: Api, person: Person, **body: Any) -> Phone:
    return Phone(api, (await code_of(api, person, enrol=True, **body))["offline"])


async def scan(api: Api, shop: Shop, code: str, amount_minor: int = 12_80, **more: Any) -> httpx.Response:
    """What a till sends."""
    order = more.pop("order", None) or api.order(shop, amount_minor)
    return await api.post("/v1/payments", shop.key, {"order": order, "pay_code": code}, **more)


def turn(api: Api, seconds: int) -> None:
    api.clock.turn_to(api.clock.now() + timedelta(seconds=seconds))


def told(answer: httpx.Response) -> tuple[int, dict[str, Any]]:
    """An answer without what differs from request to request."""
    body = answer.json()
    body.pop("request_id", None)
    return answer.status_code, body


def is_refused(answer: httpx.Response) -> bool:
    return answer.status_code == 403 and answer.json()["code"] == "confirmation_failed"


async def test_a_code_pays_once(api: Api) -> None:
    person, shop = await api.new_person(wallet_minor=100_00), await api.new_merchant()
    made = await code_of(api, person)
    assert made["funding"] == [{"kind": "wallet", "line": None, "tenor": 1}] and made["offline"] is None
    paid = await scan(api, shop, made["code"])
    seen = paid.json()
    assert paid.status_code == 201 and seen["status"] == "captured"
    assert seen["payer"] == person.id and seen["channel"] == "pay_code" and seen["confirmed_by"] == "pay_code"
    assert is_refused(await scan(api, shop, made["code"]))
    assert is_refused(await scan(api, await api.new_merchant(), made["code"]))


async def test_a_code_says_who_pays_and_from_what(api: Api) -> None:
    person, shop = await api.new_person(line_minor=5_000_00), await api.new_merchant()
    funding = [{"line": person.line, "tenor": 3}]
    made = await code_of(api, person, funding=funding)
    paid = (await scan(api, shop, made["code"], 120_00)).json()
    assert paid["status"] == "captured" and paid["funding"][0]["tenor"] == 3
    later = await code_of(api, person)
    assert later["funding"] == [{"kind": "line", "line": person.line, "tenor": 3}]  # as chosen before
    for field, value in (
        ("payer", person.id),
        ("funding", [{"wallet": person.wallet}]),
        ("quote_option", "qte_01h455vb4pex5vsknk084sn02q.1"),
        ("confirmation", {"kind": "pin", "proof": PIN}),
    ):
        body = {"order": api.order(shop, 100), "pay_code": later["code"], field: value}
        answer = await api.post("/v1/payments", shop.key, body)
        assert answer.status_code == 422 and answer.json()["errors"][0]["pointer"] == f"/{field}"
    for token in (person.token, api.platform):
        body = {"order": api.order(shop, 100), "pay_code": later["code"]}
        answer = await api.post("/v1/payments", token, body)
        assert answer.status_code == 422 and answer.json()["errors"][0]["pointer"] == "/pay_code"


async def test_only_what_is_ones_own_can_be_chosen(api: Api) -> None:
    person, other = await api.new_person(line_minor=500_00), await api.new_person(line_minor=500_00)
    for funding in (
        [{"line": other.line}],
        [{"wallet": other.wallet}],
        [{}],
        [{"wallet": person.wallet}, {"wallet": person.wallet}],
        [{"wallet": person.wallet, "line": person.line}],
    ):
        answer = await api.post("/v1/pay_codes", person.token, {"funding": funding}, key=None)
        assert answer.status_code == 422 and answer.json()["errors"][0]["pointer"] == "/funding", answer.text


async def test_a_phone_without_a_connection_pays_once_by_an_independent_program(api: Api) -> None:
    person, shop = await api.new_person(wallet_minor=500_00), await api.new_merchant()
    phone = await enrolled(api, person)
    turn(api, 7 * 24 * 3600 + 17)
    shown = phone.shows()
    paid = await scan(api, shop, shown)
    assert paid.status_code == 201 and paid.json()["channel"] == "offline_code", paid.text
    assert is_refused(await scan(api, shop, shown))
    turn(api, 60)
    assert is_refused(await scan(api, shop, shown))  # still young enough, but used
    assert (await scan(api, shop, phone.shows())).status_code == 201  # the next minute's


async def test_an_order_that_stands_already_is_paid_by_code(api: Api) -> None:
    person, shop = await api.new_person(wallet_minor=100_00), await api.new_merchant()
    order = api.order(shop, 20_00)
    del order["merchant"]
    made = (await api.post("/v1/orders", shop.key, order)).json()
    paid = await scan(api, shop, (await code_of(api, person))["code"], order=made["id"])
    assert paid.status_code == 201 and paid.json()["channel"] == "pay_code"


async def test_an_altered_amount_needs_another_code(api: Api) -> None:
    person, shop = await api.new_person(wallet_minor=100_00), await api.new_merchant()
    code, order = (await code_of(api, person))["code"], api.order(shop, 10_00)
    first = await scan(api, shop, code, order=order, key="till-1")
    again = await scan(api, shop, code, order=order, key="till-1")
    assert first.status_code == 201 and again.content == first.content  # a lost answer is asked for again
    turn(api, 3600)
    assert (
        await scan(api, shop, code, order=order, key="till-1")
    ).content == first.content  # also much later
    more = {**order, "amount_minor": 90_00}
    assert (await scan(api, shop, code, order=more, key="till-1")).json()["code"] == "idempotency_key_reused"
    assert is_refused(await scan(api, shop, code, order={**more, "order_no": "other"}))


async def _revoke(api: Api, person: Person) -> None:
    device = (await api.get("/v1/devices", person.token)).json()["data"][0]["id"]
    assert (await api.call("DELETE", f"/v1/devices/{device}", person.token)).status_code == 200


async def _freeze(api: Api, person: Person) -> None:
    answer = await api.post(f"/v1/people/{person.id}/freeze", person.token, {"reason": "lost"}, key=None)
    assert answer.status_code == 200, answer.text


async def _sign_out(api: Api, person: Person) -> None:
    async with api.app.services.database.transaction() as db:
        await db.execute(
            "update session set revoked_at = $1 where person_id = $2",
            api.book.at(api.clock),
            decode(Prefix.PERSON, person.id),
        )


async def _stop(api: Api, person: Person) -> None:
    assert (await api.call("DELETE", "/v1/pay_codes", person.token)).status_code == 200


async def _enrol_anew(api: Api, person: Person) -> None:
    await enrolled(api, person)


async def _grow_old(api: Api, person: Person) -> None:
    turn(api, 125)


async def _use(api: Api, person: Person) -> None:
    pass


async def test_all_refusals_are_one(api: Api) -> None:
    """Guessed, altered, used, old, revoked, frozen, stopped, signed out: the same text, to the byte."""
    shop = await api.new_merchant()
    answers = []
    for what in (_revoke, _freeze, _sign_out, _stop, _grow_old, _enrol_anew):
        person = await api.new_person(wallet_minor=100_00)
        phone = await enrolled(api, person)
        online, offline = (await code_of(api, person))["code"], phone.shows()
        await what(api, person)
        answers.append(await scan(api, shop, offline))
        if what is not _enrol_anew:  # it ends the phone's own codes, not those made here
            answers.append(await scan(api, shop, online))
    person = await api.new_person(wallet_minor=100_00)
    used, phone = (await code_of(api, person))["code"], await enrolled(api, person)
    assert (await scan(api, shop, used)).status_code == 201
    altered = phone.shows()
    altered = altered[:-1] + str((int(altered[-1]) + 1) % 10)
    for code in (used, altered, "380123456789012345", "389999999991234567", f"38{phone.handle}0000000"):
        answers.append(await scan(api, shop, code))
    assert {answer.status_code for answer in answers} == {403}
    assert len({str(told(answer)) for answer in answers}) == 1, {str(told(answer)) for answer in answers}


async def test_a_code_of_another_form_is_told_what_it_is_not(api: Api) -> None:
    """A till learns that it has scanned something else: another wallet's code, a price tag."""
    shop = await api.new_merchant()
    for code in ("281234567890123456", "3812345678901234567", "38123456789012345x", "", "38" + "１" * 16):
        answer = await scan(api, shop, code)
        assert answer.status_code == 422 and answer.json()["errors"][0]["pointer"] == "/pay_code", code


async def test_two_tills_at_once_are_paid_once(api: Api) -> None:
    """C8: the same code at two tills in the same moment, round after round: one wins, nothing is paid twice."""
    person = await api.new_person(line_minor=50_000_00)
    shops = [await api.new_merchant(), await api.new_merchant()]
    phone = await enrolled(api, person, funding=[{"line": person.line}])
    double = lost = 0
    for number in range(ROUNDS):
        turn(api, 600)  # seldom enough for no question to be asked
        code = phone.shows() if number % 2 else (await code_of(api, person))["code"]
        answers = await asyncio.gather(*(scan(api, shop, code, 1_00) for shop in shops))
        won = [answer for answer in answers if answer.status_code == 201]
        assert all(is_refused(answer) or answer in won for answer in answers), [a.text for a in answers]
        double += len(won) > 1
        lost += not won
    assert (double, lost) == (0, 0)
    data = (await api.get("/v1/payments", person.token, params={"limit": 100})).json()["data"]
    assert len(data) == min(ROUNDS, 100) and {one["status"] for one in data} == {"captured"}


async def test_above_the_limit_the_phone_is_asked_and_the_till_waits(api: Api) -> None:
    person, shop = await api.new_person(wallet_minor=1_000_00), await api.new_merchant()
    waits = await scan(api, shop, (await code_of(api, person))["code"], 300_00)
    seen = waits.json()
    assert waits.status_code == 201 and seen["status"] == "requires_action", waits.text
    assert seen["next_action"]["needs"] == "pin"
    confirmation = {"confirmation": {"kind": "pin", "proof": PIN}}
    done = await api.post(f"/v1/payments/{seen['id']}/confirm", person.token, confirmation)
    assert done.status_code == 200 and done.json()["status"] == "captured"
    assert (await api.get(f"/v1/payments/{seen['id']}", shop.key)).json()["status"] == "captured"


async def test_a_phone_without_a_connection_has_lower_limits(api: Api) -> None:
    """200.00 a payment, 500.00 a day: nobody can be asked."""
    person, shop = await api.new_person(wallet_minor=2_000_00), await api.new_merchant()
    phone = await enrolled(api, person)
    answers = []
    for _ in range(3):
        turn(api, 60)
        answers.append(await scan(api, shop, phone.shows(), 200_00))
    assert [answer.status_code for answer in answers] == [201, 201, 402]
    assert answers[2].json()["reasons"][0]["code"] == "code_limit"


@pytest.mark.parametrize("ahead_s", [-90, -60, -30, 0, 30, 60, 90])
async def test_a_clock_that_is_off_pays_once_or_not_at_all(api: Api, ahead_s: int) -> None:
    person, shop = await api.new_person(wallet_minor=500_00), await api.new_merchant()
    phone = await enrolled(api, person)
    turn(api, 30)  # half a minute into a minute
    shown = phone.shows(ahead_s)
    answers = [await scan(api, shop, shown)]
    for _ in range(4):
        turn(api, 30)
        answers.append(await scan(api, shop, shown))
    paid = [answer for answer in answers if answer.status_code == 201]
    assert len(paid) <= 1 and all(is_refused(answer) or answer in paid for answer in answers)
    steps = (30 + ahead_s) // 60  # the minute that it shows, counted from this one
    assert (answers[0].status_code == 201) is (steps in (-1, 0, 1))


async def _wrong_code(phone: Phone, number: int) -> str:
    right = phone.shows()
    return f"{right[:-7]}{(int(right[-7:]) + 7919 * (number + 1)) % 10**7:07d}"


async def test_after_five_wrong_ones_even_the_right_one_is_refused(api: Api) -> None:
    person, shop = await api.new_person(wallet_minor=500_00), await api.new_merchant()
    phone = await enrolled(api, person)
    for number in range(4):
        assert is_refused(await scan(api, shop, await _wrong_code(phone, number)))
    assert (await scan(api, shop, phone.shows())).status_code == 201  # the fifth is right: all are forgiven
    turn(api, 60)
    for number in range(5):
        assert is_refused(await scan(api, shop, await _wrong_code(phone, number)))
    assert is_refused(await scan(api, shop, phone.shows()))
    turn(api, 3600)
    assert is_refused(await scan(api, shop, phone.shows()))
    assert (await scan(api, shop, (await enrolled(api, person)).shows())).status_code == 201  # enrolled anew


async def test_of_many_guesses_at_once_five_are_looked_at(api: Api) -> None:
    person, shop = await api.new_person(wallet_minor=500_00), await api.new_merchant()
    phone = await enrolled(api, person)
    codes = [await _wrong_code(phone, number) for number in range(49)]
    answers = await asyncio.gather(*(scan(api, shop, code) for code in [*codes, phone.shows()]))
    assert all(is_refused(answer) for answer in answers)  # the right one came as the fiftieth
    async with api.app.database.read() as db:
        assert await db.fetchval("select tries from pay_handle") == rules.TRIES_MAX


@asynccontextmanager
async def calling_from(api: Api, address: str) -> AsyncIterator[Api]:
    """The same API, called from an address of the outside."""
    transport = httpx.ASGITransport(api.app.api(), client=(address, 1), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        there = Api(api.app, http, api.clock, api.platform)
        there.numbers = api.numbers
        yield there


async def test_a_shop_that_guesses_is_stopped(api: Api) -> None:
    """Every code of it is refused then, right or wrong, wherever it calls from; and every code of the address that it
    guessed from. Other shops at other addresses go on.
    """
    person, shop, other = (
        await api.new_person(wallet_minor=500_00),
        await api.new_merchant(),
        await api.new_merchant(),
    )
    async with calling_from(api, "203.0.113.7") as guessing, calling_from(api, "203.0.113.8") as elsewhere:
        for start in range(0, rules.MISSES_MAX, 50):
            codes = [f"380{number:015d}" for number in range(start, start + 50)]
            answers = await asyncio.gather(*(scan(guessing, shop, code) for code in codes))
            assert {answer.status_code for answer in answers} <= {403, 429}
        code = (await code_of(api, person))["code"]
        for till, at in ((guessing, shop), (elsewhere, shop), (guessing, other)):
            stopped = await scan(till, at, code)
            assert stopped.status_code == 429 and int(stopped.headers["retry-after"]) > 0
        paid = await scan(elsewhere, other, code)
        assert paid.status_code == 201, paid.text
        turn(api, 601)
        code = (await code_of(api, person))["code"]
        assert (await scan(guessing, shop, code)).status_code == 201


async def test_the_time_of_a_refusal_tells_nothing(api: Api) -> None:
    """A handle that nobody has, a wrong password, a frozen person: medians within a third of each other.

    They take the same statements; a third is the room that a busy machine needs.
    """
    shop = await api.new_merchant()
    frozen, person = await api.new_person(), await api.new_person()
    phones = {"frozen": await enrolled(api, frozen), "wrong": await enrolled(api, person)}
    await _freeze(api, frozen)
    taken: dict[str, list[float]] = {"unknown": [], "wrong": [], "frozen": []}
    for number in range(60):
        for kind, times in taken.items():
            code = {
                "unknown": f"38{100000000 + number}{number:07d}",
                "wrong": await _wrong_code(phones["wrong"], number),
                "frozen": phones["frozen"].shows(),
            }[kind]
            began_s = time.perf_counter()
            assert is_refused(await scan(api, shop, code))
            times.append(time.perf_counter() - began_s)
    medians = {kind: statistics.median(times) for kind, times in taken.items()}
    assert 3 * max(medians.values()) < 4 * min(medians.values()), medians


async def test_stopping_without_ever_showing_a_code_is_told(api: Api) -> None:
    person = await api.new_person()
    assert (await api.call("DELETE", "/v1/pay_codes", person.token)).status_code == 404


async def test_what_is_old_is_forgotten(api: Api) -> None:
    from wufeng.payments.pay_codes.commands import forget_pay_codes

    person, shop = await api.new_person(wallet_minor=100_00), await api.new_merchant()
    await scan(api, shop, (await code_of(api, person))["code"])
    await scan(api, shop, "380000000000000000")
    turn(api, 2 * 24 * 3600)
    async with api.app.database.read() as db:
        for bucket in api.book.buckets:
            await forget_pay_codes(db, bucket, api.book.at(api.clock), 100)
        for table in ("pay_code", "pay_code_miss", "pay_code_use"):
            assert await db.fetchval(f"select count(*) from {table}") == 0, table


async def test_secrets_and_codes_are_not_kept_in_clear(api: Api) -> None:
    person, shop = await api.new_person(wallet_minor=100_00), await api.new_merchant()
    made = await code_of(api, person, enrol=True)
    offline = made["offline"]
    await scan(api, shop, made["code"])
    canaries = [made["code"], made["code"][2:], offline["handle"], offline["secret"]]
    async with api.app.database.read() as db:
        for table in (
            "pay_code",
            "pay_handle",
            "pay_choice",
            "pay_code_use",
            "key_claim",
            "event",
            "payment",
        ):
            rows = await db.fetch(f"select {table}::text as line from {table}")
            text = "\n".join(row["line"] for row in rows)
            for canary in canaries:
                assert canary not in text and canary.encode().hex() not in text, (table, canary)
