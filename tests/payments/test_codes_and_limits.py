"""Pay codes that pay once, and the limits of the law, in the payment's own transaction."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from wufeng.compliance import load_sums
from wufeng.identity import Tier
from wufeng.ledger import AccountKind
from wufeng.payments import Capture, Channel, Funding, PaymentStatus, Presented, Reader
from wufeng.payments.pay import store
from wufeng.risk.model import Confirmation

from .conftest import Payer, Town

BALANCE = Funding(use_wallet=True, line_id=None)


def code(town: Town, payer: Payer, number: int, *, offline: bool = False) -> Presented:
    if offline:
        return Presented(UUID(int=number), payer.device_id, handle_name=payer.handle_name)
    return Presented(UUID(int=number), payer.device_id, made_at=town.at)


async def show(town: Town, payer: Payer, order_no: str, minor: int, number: int, **more: Any) -> Any:
    """A merchant scans a pay code."""
    shown = code(town, payer, number, offline=more.pop("offline", False))
    more = {"confirmation": Confirmation.PAY_CODE, "reader": Reader.MERCHANT} | more
    return await town.pay(payer, order_no, minor, presented=shown, **more)


def reasons(body: dict[str, Any]) -> list[str]:
    return [reason["code"] for reason in body["reasons"]]


async def test_a_code_pays_once(town: Town) -> None:
    [payer] = await town.people()
    status, body = await show(town, payer, "o1", 20_00, 7)
    assert (status, body["channel"], body["confirmed_by"]) == (201, "pay_code", "pay_code")
    assert (await show(town, payer, "o2", 20_00, 7))[1]["code"] == "confirmation_failed"
    status, body = await show(town, payer, "o3", 20_00, 8, offline=True)
    assert (status, body["channel"]) == (201, "offline_code")
    assert await town.balance(payer.line_id, AccountKind.LINE_PRINCIPAL) == 40_00


async def test_a_code_shown_at_many_tills_at_once_pays_once(town: Town) -> None:
    """C8: in one batch and in several, over two sets of lanes."""
    payers = await town.people(5)
    other = town.more_lanes()
    answers = await asyncio.gather(
        *(
            show(town, payer, f"o{n}-{till}", 10_00, n, lanes=(town.lanes, other)[till % 2])
            for n, payer in enumerate(payers)
            for till in range(8)
        )
    )
    await other.drain()
    assert [status for status, _ in answers].count(201) == 5
    assert {body["code"] for status, body in answers if status != 201} == {"confirmation_failed"}
    assert await town.payable() == 5 * (10_00 - 6)


@pytest.mark.parametrize("offline", [False, True])
@pytest.mark.parametrize(
    "ends",
    [
        "update device set revoked_at = $1 where person_id = $2",
        "update session set revoked_at = $1 where person_id = $2",
        "update session set expires_at = $1 where person_id = $2",
        "update pay_choice set handle_name = null, stopped_at = $1 where person_id = $2",
    ],
)
async def test_a_code_that_waits_in_a_lane_does_not_pay_after_its_device_was_ended(
    town: Town, ends: str, offline: bool
) -> None:
    """The edge has read the code before: what is answered by then counts."""
    [payer] = await town.people()
    pays = code(town, payer, 7, offline=offline)
    async with town.database.transaction() as db:
        await db.execute(ends, town.at, payer.id)
    status, body = await town.pay(payer, "o1", 1_00, presented=pays, confirmation=Confirmation.PAY_CODE)
    assert (status, body["code"]) == (403, "confirmation_failed")
    assert await town.fetch("select 1 from payment") == await town.fetch("select 1 from pay_code_use") == []


async def test_a_code_made_after_the_stop_pays(town: Town) -> None:
    [payer] = await town.people()
    async with town.database.transaction() as db:
        await db.execute("update pay_choice set stopped_at = $1", town.at)
    town.turn(seconds=1)
    assert (await show(town, payer, "o1", 1_00, 7))[0] == 201


async def test_somebody_elses_device_shows_no_code_of_the_payer(town: Town) -> None:
    [payer] = await town.people()
    stranger = Presented(UUID(int=7), UUID(int=1), made_at=town.at)
    status, body = await town.pay(payer, "o1", 1_00, presented=stranger)
    assert (status, body["code"]) == (403, "confirmation_failed")


async def test_too_much_for_a_phone_without_a_connection_is_declined_at_once(town: Town) -> None:
    [payer] = await town.people()
    status, body = await show(town, payer, "o1", 200_01, 7, offline=True)
    assert (status, body["status"], reasons(body)) == (402, "declined", ["code_limit"])
    status, body = await show(town, payer, "o2", 200_01, 8)
    assert (status, body["status"]) == (201, "requires_action"), "by a code made here the phone is asked"


async def test_the_same_request_again_is_the_same_payment_though_its_code_is_used(town: Town) -> None:
    [payer] = await town.people()
    first = await show(town, payer, "o1", 20_00, 7, key="k1")
    assert first[0] == 201
    assert await show(town, payer, "o1", 20_00, 7, key="k1") == first


async def test_above_the_no_pin_limit_the_phone_is_asked_and_the_code_is_used(town: Town) -> None:
    [payer] = await town.people()
    status, body = await show(town, payer, "o1", 300_00, 7)
    assert (status, body["status"], body["next_action"]["needs"]) == (201, "requires_action", "pin")
    assert (await show(town, payer, "o2", 10_00, 7))[1]["code"] == "confirmation_failed"
    status, body = await town.confirm(payer, body)
    assert (status, body["status"], body["channel"], body["next_action"]) == (
        200,
        "captured",
        "pay_code",
        None,
    )


async def test_the_more_the_stronger_the_proof(town: Town) -> None:
    [payer] = await town.people(limit_minor=100_000_00)
    _, body = await town.pay(payer, "o1", 20_000_01)
    assert (body["status"], body["next_action"]["needs"]) == ("requires_action", "passkey")
    status, refused = await town.confirm(payer, body)
    assert (status, refused["code"]) == (403, "confirmation_failed") and "passkey" in refused["detail"]
    status, body = await town.confirm(payer, body, Confirmation.PASSKEY)
    assert (status, body["status"]) == (200, "captured")
    _, body = await town.pay(payer, "o2", 40_000_01, confirmation=Confirmation.PASSKEY)
    assert (body["status"], body["next_action"]["needs"]) == ("requires_action", "passkey_code")


async def test_codes_are_forgotten_when_nobody_can_show_them(town: Town) -> None:
    [payer] = await town.people()
    await show(town, payer, "o1", 20_00, 7)
    async with town.database.transaction() as db:
        assert await store.forget_codes(db, payer.bucket, town.at, 10) == 0
        assert await store.forget_codes(db, payer.bucket, town.at + timedelta(seconds=1), 10) == 1


async def test_a_printed_code_takes_500_a_day(town: Town) -> None:
    [payer] = await town.people()
    static = Channel.STATIC_CODE
    assert (await town.pay(payer, "o1", 500_00, channel=static))[0] == 201
    status, body = await town.pay(payer, "o2", 1, channel=static)
    assert (status, reasons(body)) == (402, ["code_limit"])
    assert (await town.pay(payer, "o3", 1, channel=Channel.DYNAMIC_CODE))[0] == 201
    town.turn(days=1)
    assert (await town.pay(payer, "o4", 500_00, channel=static))[0] == 201


async def test_a_printed_codes_order_that_is_named_another_way_counts_all_the_same(town: Town) -> None:
    [payer, other] = await town.people(2)
    static = Channel.STATIC_CODE
    assert (await town.pay(payer, "o1", 500_00, channel=static))[0] == 201
    assert reasons((await town.pay(payer, "o2", 1, channel=static))[1]) == ["code_limit"]
    status, body = await town.pay(payer, "o2", 1)
    assert (status, body["channel"], reasons(body)) == (402, "static_code", ["code_limit"])
    status, body = await town.pay(other, "o2", 1)
    assert (status, body["channel"]) == (201, "static_code")
    async with town.database.read() as db:
        sums = await load_sums(db, other.bucket, [other.id])
    assert sums[other.id].static_minor == 1, "and is written"


async def test_printed_codes_in_the_same_second_keep_to_500(town: Town) -> None:
    [payer] = await town.people()
    other = town.more_lanes()
    answers = await asyncio.gather(
        *(
            town.pay(payer, f"o{n}", 90_00, channel=Channel.STATIC_CODE, lanes=(town.lanes, other)[n % 2])
            for n in range(20)
        )
    )
    await other.drain()
    assert [status for status, _ in answers].count(201) == 5


@pytest.mark.parametrize(("tier", "may"), [(Tier.I, 1_000_00), (Tier.III, 5_000_00)])
async def test_a_balance_pays_what_its_tier_may(town: Town, tier: Tier, may: int) -> None:
    [payer] = await town.people(wallet_minor=may + 1, tier=tier)
    assert (await town.pay(payer, "o1", may, funding=BALANCE))[0] == 201
    status, body = await town.pay(payer, "o2", 1, funding=BALANCE)
    assert (status, reasons(body)) == (402, ["tier_limit"])
    assert (await town.pay(payer, "o3", 1))[0] == 201, "credit is outside the account's sums"
    town.turn(days=1)
    status, _ = await town.pay(payer, "o4", 1, funding=BALANCE)
    assert status == (402 if tier is Tier.I else 201), "a class I account's sum is for ever"


async def test_what_is_held_counts_and_a_refusal_does_not(town: Town) -> None:
    [payer] = await town.people(wallet_minor=10_000_00, tier=Tier.I)
    _, body = await town.pay(payer, "o1", 1_000_01, funding=BALANCE)
    assert reasons(body) == ["tier_limit"]
    _, body = await town.pay(payer, "o2", 900_00, funding=BALANCE, capture=Capture.LATER)
    assert body["status"] == PaymentStatus.AUTHORISED
    _, body = await town.pay(payer, "o3", 100_01, funding=BALANCE)
    assert reasons(body) == ["tier_limit"]
    assert (await town.pay(payer, "o4", 100_00, funding=BALANCE))[0] == 201


@pytest.mark.parametrize("ends", ["voided", "part", "expired"])
async def test_what_was_held_and_is_let_go_was_never_paid(town: Town, ends: str) -> None:
    """A class I account's 1,000 is for ever: it must not go on deposits that were given back."""
    [payer] = await town.people(wallet_minor=10_000_00, tier=Tier.I)
    for n in range(3):
        _, body = await town.pay(payer, f"o{n}", 900_00, funding=BALANCE, capture=Capture.LATER)
        assert body["status"] == PaymentStatus.AUTHORISED
        if ends == "voided":
            assert (await town.void(payer, body))[0] == 200
        elif ends == "part":
            assert (await town.capture(payer, body, 10_00))[0] == 200
        else:
            town.turn(days=8)
            await town.expire(payer)
    left_minor = 1_000_00 - (30_00 if ends == "part" else 0)
    assert (await town.pay(payer, "o8", left_minor, funding=BALANCE))[0] == 201
    _, body = await town.pay(payer, "o9", 1, funding=BALANCE)
    assert reasons(body) == ["tier_limit"]


async def test_what_waited_over_midnight_and_is_let_go_was_never_paid(town: Town) -> None:
    """It counts on the day on which it was let through, and is given back to that day: 5,000 by two factors."""
    [payer] = await town.people(wallet_minor=10_000_00)
    town.turn(hours=11, minutes=55)  # five minutes to midnight in Shanghai
    _, body = await town.pay(
        payer, "o1", 4_900_00, funding=BALANCE, capture=Capture.LATER, confirmation=Confirmation.NONE
    )
    town.turn(minutes=8)
    assert (await town.confirm(payer, body))[1]["status"] == PaymentStatus.AUTHORISED
    assert (await town.void(payer, body))[0] == 200
    assert (await town.pay(payer, "o2", 5_000_00, funding=BALANCE))[0] == 201
    assert reasons((await town.pay(payer, "o3", 1, funding=BALANCE))[1]) == ["tier_limit"]


async def test_a_refund_gives_nothing_back(town: Town) -> None:
    [payer] = await town.people(wallet_minor=10_000_00, tier=Tier.I)
    _, body = await town.pay(payer, "o1", 1_000_00, funding=BALANCE)
    assert (await town.refund(payer, body, "r1", 1_000_00))[0] == 201
    assert reasons((await town.pay(payer, "o2", 1, funding=BALANCE))[1]) == ["tier_limit"]


async def test_what_was_asked_and_never_confirmed_gives_nothing_back(town: Town) -> None:
    [payer] = await town.people(wallet_minor=10_000_00, tier=Tier.I)
    assert (await town.pay(payer, "o1", 900_00, funding=BALANCE))[0] == 201
    _, body = await town.pay(payer, "o2", 50_00, funding=BALANCE, confirmation=Confirmation.NONE)
    assert body["status"] == PaymentStatus.REQUIRES_ACTION
    town.turn(days=1)
    await town.expire(payer)
    assert reasons((await town.pay(payer, "o3", 100_01, funding=BALANCE))[1]) == ["tier_limit"]


async def cool_down(town: Town, payer: Payer) -> None:
    """For three days."""
    async with town.database.transaction() as db:
        await db.execute(
            "update person set cooling_until = $2 where bucket = $1 and id = $3",
            payer.bucket,
            town.at + timedelta(days=3),
            payer.id,
        )


async def test_while_a_phone_cools_down_a_payment_late_for_its_day_counts_in_the_new_one(town: Town) -> None:
    [payer] = await town.people()
    await cool_down(town, payer)
    too_much, the_rest = (
        town.pay_command(payer, town.terms(f"late{minor}", minor)) for minor in (100_01, 100_00)
    )
    town.turn(days=1)
    for number in range(2):
        assert (await town.pay(payer, f"o{number}", 200_00))[0] == 201
    assert reasons((await town.ask(payer.bucket, too_much))[1]) == ["device_untrusted"]
    assert (await town.ask(payer.bucket, the_rest))[0] == 201
    assert reasons((await town.pay(payer, "o2", 1))[1]) == ["device_untrusted"]


async def test_while_a_taken_over_phone_cools_down_little_may_be_paid(town: Town) -> None:
    [payer] = await town.people()
    await cool_down(town, payer)
    assert (await town.pay(payer, "o1", 200_00))[0] == 201
    _, body = await town.pay(payer, "o2", 200_01)
    assert reasons(body) == ["device_untrusted"]
    town.turn(days=3)
    assert (await town.pay(payer, "o3", 300_00))[0] == 201
