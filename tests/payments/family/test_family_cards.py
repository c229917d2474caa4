"""Payments with family cards: whose money, whose yes, the month's cap, and what comes back."""

from typing import Any
from uuid import UUID

import pytest
from tests.payments.conftest import Payer, Town

from wufeng.base.ids import Prefix, decode, encode
from wufeng.identity.people.model import PersonStatus
from wufeng.identity.people.store import move_status
from wufeng.ledger import AccountKind
from wufeng.payments import Confirm, Refuse
from wufeng.payments.family.model import Caps, CreateCard, Move
from wufeng.payments.pay.model import Capture
from wufeng.risk.model import Confirmation

from .world import CAP, Family, a_family, give, new_card

WALLET, PRINCIPAL = AccountKind.WALLET, AccountKind.LINE_PRINCIPAL


def codes(body: dict[str, Any]) -> list[str]:
    return [reason["code"] for reason in body["reasons"]]


async def test_the_owner_pays_and_the_spender_sees_their_own_side(town: Town) -> None:
    family = await a_family(town)
    status, body = await family.pay("o1", 30_00)
    assert (status, body["status"]) == (201, "captured")
    assert body["payer"] == encode(Prefix.PERSON, family.owner.id)
    assert body["spender"] == encode(Prefix.PERSON, family.spender.id)
    assert body["funding"] == [{"kind": "family_card", "amount_minor": 30_00}], "nothing of the owner's money"
    assert body["decision"] is body["fee_minor"] is None
    assert await town.balance(family.owner.wallet_id, WALLET) == -970_00
    assert await family.used() == 30_00


async def test_a_line_of_the_owner_may_be_what_it_spends(town: Town) -> None:
    [owner] = await town.people()
    [spender] = await town.people()
    family = await give(town, owner, spender, use_wallet=False, line_id=owner.line_id)
    assert (await family.pay("o1", 30_00))[1]["status"] == "captured"
    assert await town.balance(owner.line_id, PRINCIPAL) == 30_00
    assert await town.balance(spender.line_id, PRINCIPAL) == 0


async def test_the_month_has_a_cap_and_the_next_one_its_own(town: Town) -> None:
    family = await a_family(town)
    assert (await family.pay("o1", 99_99))[0] == 201
    status, body = await family.pay("o2", 2)
    assert (status, codes(body)) == (402, ["family_cap"])
    assert (await family.pay("o3", 1))[0] == 201
    assert await family.used() == CAP
    town.turn(days=28)  # the first of October
    assert (await family.pay("o4", CAP))[0] == 201
    assert await family.used() == CAP


async def test_one_payment_may_have_a_cap_of_its_own(town: Town) -> None:
    family = await a_family(town, payment_cap_minor=20_00)
    assert codes((await family.pay("o1", 20_01))[1]) == ["family_cap"]
    assert (await family.pay("o2", 20_00))[0] == 201


@pytest.mark.parametrize("move", [Move.PAUSE, Move.STOP])
async def test_it_stops_at_once(town: Town, move: Move) -> None:
    family = await a_family(town)
    assert (await family.move(move))[0] == 200
    status, body = await family.pay("o1", 1_00)
    assert (status, codes(body)) == (402, ["family_card_closed"])
    if move is Move.PAUSE:
        assert (await family.move(Move.RESUME))[0] == 200
        assert (await family.pay("o2", 1_00))[0] == 201
    else:
        assert (await family.move(Move.RESUME))[1]["code"] == "state_conflict"


async def test_what_is_authorised_when_it_stops_can_still_be_captured(town: Town) -> None:
    family = await a_family(town)
    _, body = await family.pay("o1", 40_00, capture=Capture.LATER)
    await family.move(Move.STOP)
    assert (await town.capture(family.owner, body))[1]["status"] == "captured"


async def test_void_expiry_part_capture_and_refund_make_room_again_within_the_month(town: Town) -> None:
    family = await a_family(town)
    _, voided = await family.pay("o1", 100_00, capture=Capture.LATER)
    assert codes((await family.pay("o2", 1))[1]) == ["family_cap"], "what is held counts"
    await town.void(family.owner, voided)
    assert await family.used() == 0
    _, part = await family.pay("o3", 80_00, capture=Capture.LATER)
    await town.capture(family.owner, part, 30_00)
    assert await family.used() == 30_00
    await town.refund(family.owner, part, "r1", 10_00)
    assert await family.used() == 20_00
    await family.pay("o4", 80_00, capture=Capture.LATER)
    assert await family.used() == 100_00
    town.turn(days=10)
    await town.expire(family.owner)
    assert await family.used() == 20_00


async def test_what_comes_back_in_a_later_month_makes_no_room_there(town: Town) -> None:
    family = await a_family(town)
    _, body = await family.pay("o1", 60_00)
    town.turn(days=28)
    assert (await family.pay("o2", 50_00))[0] == 201
    await town.refund(family.owner, body, "r1", 60_00)
    assert await family.used() == 50_00


async def test_above_the_no_pin_limit_the_spender_is_asked_and_nobody_else_answers(town: Town) -> None:
    family = await a_family(town, month_cap_minor=500_00)
    status, body = await family.pay("o1", 250_00, confirmation=Confirmation.SESSION)
    assert (status, body["status"]) == (201, "requires_action")
    assert await family.used() == 0
    assert (await _confirm(family, body, family.owner))[0] == 404
    status, body = await _confirm(family, body, family.spender)
    assert (status, body["status"], body["funding"][0]["kind"]) == (200, "captured", "family_card")
    assert await family.used() == 250_00


async def test_the_spender_always_proves_to_be_there_and_takes_nothing_of_what_the_owner_may_without(
    town: Town,
) -> None:
    family = await a_family(town)
    status, body = await family.pay("o1", 1, confirmation=Confirmation.SESSION)
    assert (status, body["status"], body["next_action"]["needs"]) == (201, "requires_action", "pin")
    refused = await _confirm(family, body, family.spender, Confirmation.SESSION)
    assert (refused[0], refused[1]["code"]) == (403, "confirmation_failed")
    assert (await _confirm(family, body, family.spender))[1]["status"] == "captured"
    for n in range(5):  # 1,000.00 a day by the session alone
        status, body = await town.pay(family.owner, f"p{n}", 200_00, confirmation=Confirmation.SESSION)
        assert (status, body["status"]) == (201, "captured")
    assert (await family.pay("o2", 90_00))[1]["status"] == "captured"


async def test_a_card_that_was_stopped_meanwhile_does_not_pay_what_waited(town: Town) -> None:
    family = await a_family(town, month_cap_minor=500_00)
    _, body = await family.pay("o1", 250_00, confirmation=Confirmation.SESSION)
    await family.move(Move.STOP)
    status, body = await _confirm(family, body, family.spender)
    assert (status, codes(body)) == (402, ["family_card_closed"])


async def test_the_spender_refuses_what_waits(town: Town) -> None:
    family = await a_family(town, month_cap_minor=500_00)
    _, body = await family.pay("o1", 250_00, confirmation=Confirmation.SESSION)
    command = Refuse(
        at=town.at, people=(family.owner.id,), payment_id=_id(body), payer_id=family.spender.id, language="en"
    )
    status, body = await town.ask(family.owner.bucket, command)
    assert (status, codes(body)) == (402, ["confirmation_failed"])


async def test_the_spender_does_not_learn_how_the_owner_stands(town: Town) -> None:
    poor = await a_family(town, wallet_minor=5_00)
    frozen = await a_family(town)
    async with town.database.transaction() as db:
        await move_status(
            db, frozen.owner.bucket, frozen.owner.id, [PersonStatus.ACTIVE], PersonStatus.FROZEN
        )
    stopped = await a_family(town)
    await stopped.move(Move.STOP)
    answers = [await one.pay(f"o{n}", 6_00) for n, one in enumerate((poor, frozen, stopped))]
    assert {status for status, _ in answers} == {402}
    assert [body["reasons"] for _, body in answers] == [answers[0][1]["reasons"]] * 3
    assert codes(answers[0][1]) == ["family_card_closed"]
    kept = await town.fetch("select reasons from payment where payer_id = $1", poor.owner.id)
    assert kept == [{"reasons": "insufficient_balance"}], "the owner reads why"


async def test_a_strangers_card_pays_nothing(town: Town) -> None:
    family = await a_family(town)
    [stranger] = await town.people()
    assert codes((await family.pay("o1", 1_00, spender_id=stranger.id))[1]) == ["family_card_closed"]


async def test_caps_are_lowered_at_once_and_raised_with_a_yes(town: Town) -> None:
    family = await a_family(town)
    assert (await family.pay("o1", 60_00))[0] == 201
    status, body = await family.set_caps(Caps(50_00, None), confirmed=False)
    assert (status, body["used_minor"], body["left_minor"]) == (200, 60_00, 0)
    assert codes((await family.pay("o2", 1))[1]) == ["family_cap"]
    assert (await family.set_caps(Caps(60_01, None), confirmed=False))[1]["code"] == "confirmation_failed"
    assert (await family.set_caps(Caps(60_01, None)))[0] == 200
    assert (await family.pay("o3", 1))[0] == 201


async def test_a_person_gives_out_only_so_many(town: Town) -> None:
    [owner, spender] = await town.people(2)
    for _ in range(5):
        await give(town, owner, spender)
    command = CreateCard(at=town.at, people=(owner.id,), card=new_card(town, owner, spender))
    assert (await town.ask(owner.bucket, command))[1]["code"] == "state_conflict"


def _id(body: dict[str, Any]) -> UUID:
    return decode(Prefix.PAYMENT, body["id"])


async def _confirm(
    family: Family, body: dict[str, Any], by: Payer, confirmation: Confirmation = Confirmation.PIN
) -> tuple[int, dict[str, Any]]:
    command = Confirm(
        at=family.town.at, people=(family.owner.id,), payment_id=_id(body), payer_id=by.id,
        confirmation=confirmation, funding=None, language="en",
    )  # fmt: skip
    return await family.town.ask(family.owner.bucket, command)
