"""Rides through the lane: the day's cap, midnight, debts collected before the next ride, two gates at once."""

import asyncio
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace
from tests.payments.conftest import Payer, Town, seen

from wufeng.base.claims import Answer, claim_key
from wufeng.base.errors import Code, Problem
from wufeng.base.ids import Prefix, encode
from wufeng.base.lanes import Command
from wufeng.compliance import load_sums
from wufeng.identity.merchants.commands import create_merchant
from wufeng.identity.merchants.model import FeePlan, Scene
from wufeng.identity.people.model import Outcome, PersonStatus
from wufeng.identity.people.store import move_status
from wufeng.ledger import AccountKind
from wufeng.payments import charge_rides
from wufeng.payments.orders.commands import MoveOrder
from wufeng.payments.orders.model import OrderState, order_id
from wufeng.payments.pay.model import Capture, Funding, Presented
from wufeng.payments.rides import rules
from wufeng.payments.rides.model import PayRideCharge, RideCharge, TakeRide
from wufeng.payments.rides.queries import load_charge
from wufeng.payments.rides.store import write_terms
from wufeng.risk.model import Confirmation

WALLET = AccountKind.WALLET
PEPPER = b"p" * 32


async def metro(town: Town, day_cap_minor: int | None = None) -> UUID:
    """A merchant that carries people."""
    merchant, _ = await create_merchant(
        town.database, town.ids, town.book, "Metro", Scene.TRANSPORT, FeePlan(0), town.at
    )
    if day_cap_minor is not None:
        async with town.database.transaction() as db:
            await write_terms(db, merchant.id, town.book.id, day_cap_minor, town.at)
    return merchant.id


def tap_of(
    town: Town, payer: Payer, merchant_id: UUID, ride_no: str, fare_minor: int, **more: Any
) -> TakeRide:
    key = more.pop("key", None)
    claim = None
    if key is not None:
        body = {"ride_no": ride_no, "fare_minor": fare_minor}
        claim = claim_key(PEPPER, merchant_id, key, "POST /v1/rides", body)
    code_id = more.pop("code_id", None) or town.ids.new(town.at, 1)
    return TakeRide(
        at=town.at, people=(payer.id,), claim=claim, ride_id=town.ids.new(town.at, payer.id.int & 0xFFFF),
        merchant_id=merchant_id, payer_id=payer.id, ride_no=ride_no, fare_minor=fare_minor,
        funding=more.pop("funding", Funding(use_wallet=True, line_id=None)),
        presented=shown(town, payer, code_id, offline=more.pop("offline", False)), language="en",
    )  # fmt: skip


def shown(town: Town, payer: Payer, code_id: UUID, *, offline: bool = False) -> Presented:
    """A code of the payer's device."""
    if offline:
        return Presented(code_id, payer.device_id, handle_name=payer.handle_name)
    return Presented(code_id, payer.device_id, made_at=town.at)


async def tap(
    town: Town, payer: Payer, merchant_id: UUID, ride_no: str, fare_minor: int, **more: Any
) -> tuple[int, dict[str, Any]]:
    return await town.ask(payer.bucket, tap_of(town, payer, merchant_id, ride_no, fare_minor, **more))


async def charges(town: Town) -> list[tuple[int, int, str]]:
    rows = await town.fetch("select rides, due_minor, status from ride_charge order by id")
    return [(row["rides"], row["due_minor"], row["status"]) for row in rows]


async def open_charges(town: Town) -> list[RideCharge]:
    rows = await town.fetch("select id from ride_charge where status = 'open' order by id")
    async with town.database.read() as db:
        found = [await load_charge(db, town.book, row["id"]) for row in rows]
    return [charge for charge in found if charge is not None]


async def spent(town: Town, payer: Payer) -> int:
    return 1_000_00 + await town.balance(payer.wallet_id, WALLET)


def codes(body: dict[str, Any]) -> list[str]:
    return [reason["code"] for reason in body["reasons"]]


@pytest.mark.parametrize("fares", [[4_00, 7_00, 3_00], [15_00, 12_00, 9_00, 2_00], [2_00] * 20, [50_00]])
async def test_a_day_is_one_payment_up_to_its_cap(town: Town, fares: Sequence[int]) -> None:
    [payer], gate = await town.people(wallet_minor=1_000_00), await metro(town)
    for n, fare in enumerate(fares):
        status, body = await tap(town, payer, gate, f"n{n}", fare)
        assert (status, body["status"]) == (201, "taken")
    assert await spent(town, payer) == 0, "nothing is charged at the gate"
    assert await town.fetch("select 1 from payment") == []
    town.turn(days=1)
    assert await charge_rides(town.lanes, town.book, town.at) == 1
    assert await charge_rides(town.lanes, town.book, town.at) == 0, "once"
    due = min(sum(fares), 30_00)
    assert await charges(town) == [(len(fares), due, "charged")]
    assert await spent(town, payer) == due == await town.payable(gate)
    paid = await town.fetch("select channel, status, confirmed_by from payment")
    assert paid == [{"channel": "ride", "status": "captured", "confirmed_by": "pay_code"}]


async def test_a_merchant_sets_a_cap_of_its_own_and_merchants_do_not_share_one(town: Town) -> None:
    [payer], cheap, other = (
        await town.people(wallet_minor=1_000_00),
        await metro(town, 5_00),
        await metro(town),
    )
    for n in range(3):
        assert (await tap(town, payer, cheap, f"n{n}", 4_00))[1]["due_minor"] == (4_00, 1_00, 0)[n]
        assert (await tap(town, payer, other, f"n{n}", 4_00))[1]["due_minor"] == 4_00
    town.turn(days=1)
    await charge_rides(town.lanes, town.book, town.at)
    assert await spent(town, payer) == 5_00 + 12_00


async def test_midnight_begins_a_new_day_with_a_new_cap(town: Town) -> None:
    [payer], gate = await town.people(wallet_minor=1_000_00), await metro(town)
    town.turn(hours=11, minutes=59)  # 23:59 in Shanghai
    assert (await tap(town, payer, gate, "n1", 30_00))[1]["due_minor"] == 30_00
    assert (await tap(town, payer, gate, "n2", 4_00))[1]["due_minor"] == 0
    town.turn(minutes=1)
    assert (await tap(town, payer, gate, "n3", 4_00))[1]["due_minor"] == 4_00
    await charge_rides(town.lanes, town.book, town.at)
    assert await charges(town) == [(2, 30_00, "charged"), (1, 4_00, "open")]


async def test_what_is_declined_is_collected_before_the_next_ride(town: Town) -> None:
    [payer], gate = await town.people(), await metro(town)
    assert (await tap(town, payer, gate, "n1", 4_00))[0] == 201
    town.turn(days=1)
    await charge_rides(town.lanes, town.book, town.at)
    assert await charges(town) == [(1, 4_00, "unpaid")]
    status, body = await tap(town, payer, gate, "n2", 3_00)
    assert (status, body["status"], codes(body)) == (402, "refused", ["fares_unpaid"])
    await town.fill(payer, 100_00)
    assert (await tap(town, payer, gate, "n2", 3_00))[0] == 201
    assert await charges(town) == [(1, 4_00, "charged"), (1, 3_00, "open")]
    assert await town.balance(payer.wallet_id, WALLET) == -96_00
    tries = await town.fetch("select status from payment order by created_at")
    assert [row["status"] for row in tries] == ["declined", "declined", "captured"]


async def test_the_timer_tries_a_debt_once_a_date_and_not_for_ever(town: Town) -> None:
    [payer], gate = await town.people(), await metro(town)
    await tap(town, payer, gate, "n1", 4_00)
    for _ in range(12):
        town.turn(days=1)
        await charge_rides(town.lanes, town.book, town.at)
        await charge_rides(town.lanes, town.book, town.at)
    assert len(await town.fetch("select 1 from payment")) == 7
    await town.fill(payer, 4_00)
    assert (await tap(town, payer, gate, "n2", 3_00))[0] == 201, "the next ride always tries"


async def test_a_debt_is_paid_by_hand_from_whatever_its_person_chooses(town: Town) -> None:
    [payer, other], gate = await town.people(2), await metro(town)
    await tap(town, payer, gate, "n1", 4_00)
    town.turn(days=1)
    await charge_rides(town.lanes, town.book, town.at)
    [row] = await town.fetch("select id from ride_charge")

    def by(person: Payer) -> PayRideCharge:
        return PayRideCharge(
            at=town.at, people=(person.id,), charge_id=row["id"], payer_id=person.id,
            funding=Funding(use_wallet=False, line_id=payer.line_id), confirmation=Confirmation.PIN, language="en",
        )  # fmt: skip

    assert (await town.ask(payer.bucket, by(other)))[0] == 404
    status, body = await town.ask(payer.bucket, by(payer))
    assert (status, body["status"], body["funding"][0]["kind"]) == (201, "captured", "line")
    assert (await town.ask(payer.bucket, by(payer)))[1]["code"] == "state_conflict"
    assert (await tap(town, payer, gate, "n2", 3_00))[0] == 201


async def test_a_debt_paid_by_hand_at_midnight_has_the_dates_that_were_shown_or_is_asked_again(
    town: Town,
) -> None:
    [payer], gate = await town.people(), await metro(town)
    await tap(town, payer, gate, "n1", 50_00)
    town.turn(days=1)
    await charge_rides(town.lanes, town.book, town.at)
    [row] = await town.fetch("select id from ride_charge")
    town.clock.turn_to(town.book.start_of(date(2026, 10, 1)) - timedelta(minutes=1))
    asked = PayRideCharge(
        at=town.at, people=(payer.id,), charge_id=row["id"], payer_id=payer.id, confirmation=Confirmation.PIN,
        funding=Funding(use_wallet=False, line_id=payer.line_id, tenor=3),
    )  # fmt: skip
    town.turn(minutes=2)
    status, body = await town.ask(payer.bucket, asked.moved_on(town.at))
    assert (status, body.get("code")) == (422, "invalid_field"), body
    assert (await town.ask(payer.bucket, replace(asked, at=town.at)))[0] == 201, "named anew after midnight"


async def test_too_much_that_is_open_is_charged_at_the_gate(town: Town) -> None:
    [payer] = await town.people(wallet_minor=1_000_00)
    gates = [await metro(town, 50_00) for _ in range(3)]
    for gate in gates[:2]:
        assert (await tap(town, payer, gate, "n1", 50_00))[0] == 201
    assert await spent(town, payer) == 0
    assert (await tap(town, payer, gates[2], "n1", 1_00))[0] == 201
    assert await spent(town, payer) == 100_00
    poor, _ = await town.people(2)
    for gate in gates[:2]:
        assert (await tap(town, poor, gate, "n1", 50_00))[0] == 201
    status, body = await tap(town, poor, gates[2], "n1", 1_00)
    assert (status, codes(body)) == (402, ["fares_unpaid"])


async def test_rides_after_a_charge_at_the_gate_share_the_days_cap(town: Town) -> None:
    [payer] = await town.people(wallet_minor=1_000_00)
    first, second, third = [await metro(town, 50_00) for _ in range(3)]
    await tap(town, payer, first, "n1", 40_00)
    await tap(town, payer, second, "n1", 50_00)
    await tap(town, payer, third, "n1", 20_00)  # charges the two before
    assert (await tap(town, payer, first, "n2", 40_00))[1]["due_minor"] == 10_00, (
        "50.00 is the cap of the day"
    )
    assert (await tap(town, payer, first, "n3", 40_00))[1]["due_minor"] == 0
    town.turn(days=1)
    await charge_rides(town.lanes, town.book, town.at)
    assert await spent(town, payer) == 50_00 + 50_00 + 20_00


async def test_one_code_opens_one_of_two_gates_at_once(town: Town) -> None:
    payers, gate = await town.people(20, wallet_minor=1_000_00), await metro(town)
    other = town.more_lanes()
    taps = []
    for n, payer in enumerate(payers):
        code_id = town.ids.new(town.at, 1)
        for side, lanes in enumerate((town.lanes, other)):
            command = tap_of(town, payer, gate, f"n{n}-{side}", 4_00, code_id=code_id)
            taps.append(town.submit(payer.bucket, command, lanes))
    answers = [seen(answer) for answer in await asyncio.gather(*taps)]
    await other.drain()
    assert sorted(status for status, _ in answers) == [201] * 20 + [403] * 20
    assert len(await town.fetch("select 1 from ride")) == 20


async def test_a_tap_that_comes_again_is_the_same_ride(town: Town) -> None:
    [payer], gate = await town.people(), await metro(town)
    command = tap_of(town, payer, gate, "n1", 4_00, key="k")
    first = await town.ask(payer.bucket, command)
    assert await town.ask(payer.bucket, command) == first
    status, body = await tap(town, payer, gate, "n1", 4_00)
    assert (status, body["id"]) == (200, first[1]["id"]), "the gate's number, with another code and key"
    assert (await tap(town, payer, gate, "n1", 5_00))[1]["code"] == "state_conflict"
    assert await charges(town) == [(1, 4_00, "open")]


async def test_many_taps_at_once_are_all_on_one_charge(town: Town) -> None:
    [payer], gate = await town.people(wallet_minor=1_000_00), await metro(town)
    other = town.more_lanes()
    await asyncio.gather(
        *(
            town.submit(payer.bucket, tap_of(town, payer, gate, f"n{n}", 1_01), (town.lanes, other)[n % 2])
            for n in range(50)
        )
    )
    await other.drain()
    assert await charges(town) == [(50, 30_00, "open")]
    [row] = await town.fetch("select sum(due_minor)::bigint as due, count(*) as n from ride")
    assert (row["due"], row["n"]) == (30_00, 50)


async def test_two_timers_charge_once(town: Town) -> None:
    payers, gate = await town.people(10, wallet_minor=1_000_00), await metro(town)
    for payer in payers:
        await tap(town, payer, gate, "n1", 4_00)
    town.turn(days=1)
    other = town.more_lanes()
    await asyncio.gather(*(charge_rides(lanes, town.book, town.at) for lanes in (town.lanes, other) * 2))
    await other.drain()
    assert len(await town.fetch("select 1 from payment")) == 10 == len(await charges(town))


async def test_a_crash_between_payment_and_charge_leaves_neither(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    [payer], gate = await town.people(wallet_minor=1_000_00), await metro(town)
    await tap(town, payer, gate, "n1", 4_00)
    town.turn(days=1)
    before = await charges(town)

    def die(*_: Any) -> Any:
        raise RuntimeError("the machine died")

    with monkeypatch.context() as broken:
        broken.setattr(rules, "tried", die)
        assert await charge_rides(town.lanes, town.book, town.at) == 0
    assert await charges(town) == before and await town.fetch("select 1 from payment") == []
    assert await spent(town, payer) == 0
    await charge_rides(town.lanes, town.book, town.at)
    assert await spent(town, payer) == 4_00


async def test_somebody_whose_charge_fails_stops_nobody_elses(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    payers, gate = await town.people(5, wallet_minor=1_000_00), await metro(town)
    payers += await town.people(bucket=town.book.buckets[1], wallet_minor=1_000_00)
    for payer in payers:
        await tap(town, payer, gate, "n1", 4_00)
    town.turn(days=1)
    whole = rules.tried

    def fails(charge: RideCharge, *rest: Any) -> RideCharge:
        if charge.payer_id == payers[2].id:
            raise RuntimeError("this one cannot be charged")
        return whole(charge, *rest)

    with monkeypatch.context() as broken:
        broken.setattr(rules, "tried", fails)
        assert await charge_rides(town.lanes, town.book, town.at) == 5
    rows = await town.fetch("select payer_id from ride_charge where status = 'open'")
    assert [row["payer_id"] for row in rows] == [payers[2].id]
    assert await charge_rides(town.lanes, town.book, town.at) == 1


async def test_a_busy_lane_is_asked_again_by_the_next_run(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    payers, gate = await town.people(3, wallet_minor=1_000_00), await metro(town)
    for payer in payers:
        await tap(town, payer, gate, "n1", 4_00)
    town.turn(days=1)
    asked = []

    async def is_busy(bucket: int, command: Command) -> Answer:
        asked.append((bucket, command))
        raise Problem(Code.OVERLOADED, "busy")

    with monkeypatch.context() as broken:
        broken.setattr(town.lanes, "submit", is_busy)
        assert await charge_rides(town.lanes, town.book, town.at) == 0
    assert len(asked) == 1, "a busy lane is not asked three times more"
    assert await charge_rides(town.lanes, town.book, town.at) == 3


async def test_nobodys_own_order_takes_the_number_of_a_charge(town: Town) -> None:
    [payer, other], gate = await town.people(2, wallet_minor=1_000_00), await metro(town)
    for one in (payer, other):
        await tap(town, one, gate, "n1", 4_00)
    for charge in await open_charges(town):
        for named_by in (charge.payer_id, None):
            number = encode(Prefix.RIDE_CHARGE, charge.id)
            terms = town.terms(number, 1, merchant_id=gate)
            command = town.pay_command(payer, replace(terms, id=order_id(gate, number, named_by)))
            assert (await town.ask(payer.bucket, command))[0] == 201
    town.turn(days=1)
    assert await charge_rides(town.lanes, town.book, town.at) == 2
    assert await charges(town) == [(1, 4_00, "charged")] * 2
    assert await spent(town, payer) == await spent(town, other) == 4_00


@pytest.mark.parametrize(
    ("amount_minor", "capture", "status"),
    [
        (4_00, Capture.NOW, "charged"),
        (4_00, Capture.LATER, "pending"),
        (1, Capture.NOW, "unpaid"),
        (1, Capture.LATER, "unpaid"),
    ],
)
async def test_an_order_that_was_taken_by_another_way_pays_what_it_is_over(
    town: Town, amount_minor: int, capture: Capture, status: str
) -> None:
    [payer, other], gate = await town.people(2, wallet_minor=1_000_00), await metro(town)
    await tap(town, payer, gate, "n1", 4_00)
    [charge] = await open_charges(town)
    await tap(town, other, gate, "n1", 4_00)
    order = replace(rules.order_of(charge, "CNY"), amount_minor=amount_minor)
    assert (await town.ask(payer.bucket, town.pay_command(payer, order, capture=capture)))[0] == 201
    town.turn(days=1)
    assert await charge_rides(town.lanes, town.book, town.at) == 2
    [row] = await town.fetch("select status, tries, tried_on from ride_charge where id = $1", charge.id)
    assert row == {"status": status, "tries": 1, "tried_on": town.book.business_date(town.at)}
    assert await spent(town, other) == 4_00, "and who is charged beside them is"


async def test_fares_count_as_shown_codes(town: Town) -> None:
    [payer], gate = await town.people(), await metro(town)
    await tap(town, payer, gate, "n1", 4_00, funding=Funding(use_wallet=False, line_id=payer.line_id))
    town.turn(days=1)
    await charge_rides(town.lanes, town.book, town.at)
    async with town.database.read() as db:
        sums = (await load_sums(db, payer.bucket, [payer.id]))[payer.id]
    assert (sums.code_few_minor, sums.balance_minor, sums.offline_minor) == (4_00, 0, 0)


@pytest.mark.parametrize("offline", [False, True])
async def test_a_code_of_a_device_that_was_revoked_meanwhile_opens_no_gate(town: Town, offline: bool) -> None:
    [payer], gate = await town.people(), await metro(town)
    command = tap_of(town, payer, gate, "n1", 4_00, offline=offline)
    async with town.database.transaction() as db:
        await db.execute("update device set revoked_at = $1 where id = $2", town.at, payer.device_id)
    assert (await town.ask(payer.bucket, command))[1]["code"] == "confirmation_failed"


async def test_a_review_is_waited_for_and_then_seen(town: Town) -> None:
    [payer], gate = await town.people(outcome=Outcome.REVIEW, wallet_minor=1_000_00), await metro(town)
    await tap(town, payer, gate, "n1", 4_00)
    town.turn(days=1)
    await charge_rides(town.lanes, town.book, town.at)
    assert await charges(town) == [(1, 4_00, "pending")]
    assert (await tap(town, payer, gate, "n2", 3_00))[0] == 201, "what waits is no debt"
    [row] = await town.fetch("select id from payment")
    body = {"id": _pay_id(row["id"])}
    await town.review(payer, body, approve=False)
    assert (await tap(town, payer, gate, "n3", 3_00))[0] == 201, "it was tried again, and waits again"
    assert [status for _, _, status in await charges(town)] == ["pending", "open"]
    [_, again] = await town.fetch("select id from payment order by created_at")
    await town.review(payer, {"id": _pay_id(again["id"])}, approve=True)
    await charge_rides(town.lanes, town.book, town.at)
    assert [status for _, _, status in await charges(town)] == ["charged", "open"]


async def test_nobody_is_asked_who_is_not_there(town: Town) -> None:
    [payer], gate = await town.people(outcome=Outcome.STEP_UP, wallet_minor=1_000_00), await metro(town)
    await tap(town, payer, gate, "n1", 4_00)
    town.turn(days=1)
    await charge_rides(town.lanes, town.book, town.at)
    assert await charges(town) == [(1, 4_00, "unpaid")]
    assert await town.fetch("select status from payment") == [{"status": "declined"}]
    [row] = await town.fetch("select id from ride_charge")
    command = PayRideCharge(
        at=town.at, people=(payer.id,), charge_id=row["id"], payer_id=payer.id, funding=None,
        confirmation=Confirmation.PIN, language="en",
    )  # fmt: skip
    assert (await town.ask(payer.bucket, command))[1]["status"] == "captured"


async def test_what_a_merchant_closes_is_not_owed_any_more(town: Town) -> None:
    [payer], gate = await town.people(), await metro(town)
    await tap(town, payer, gate, "n1", 4_00)
    town.turn(days=1)
    await charge_rides(town.lanes, town.book, town.at)
    [row] = await town.fetch("select id from merchant_order")
    bucket = town.book.bucket_of(row["id"])
    command = MoveOrder(at=town.at, order_id=row["id"], merchant_id=gate, to=OrderState.CLOSED)
    await town.ask(bucket, command)
    assert (await tap(town, payer, gate, "n2", 3_00))[0] == 201
    assert await charges(town) == [(1, 4_00, "waived"), (1, 3_00, "open")]


async def test_only_who_carries_people_lets_them_ride(town: Town) -> None:
    [payer] = await town.people()
    assert (await tap(town, payer, town.merchant_id, "n1", 4_00))[1]["code"] == "forbidden"


async def test_a_frozen_person_does_not_ride(town: Town) -> None:
    [payer], gate = await town.people(), await metro(town)
    async with town.database.transaction() as db:
        await move_status(db, payer.bucket, payer.id, [PersonStatus.ACTIVE], PersonStatus.FROZEN)
    assert (await tap(town, payer, gate, "n1", 4_00))[1]["code"] == "confirmation_failed"
    assert await charges(town) == []


def _pay_id(id_: UUID) -> str:
    return encode(Prefix.PAYMENT, id_)
