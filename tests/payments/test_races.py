"""Keys, orders, limits and balances under races: in one batch, and over lanes of two processes."""

import asyncio
from typing import Any
from uuid import UUID

import msgspec
import pytest

from wufeng import payments
from wufeng.base.claims import Answer, claim_key
from wufeng.base.errors import Code, Problem
from wufeng.base.ids import Prefix, decode
from wufeng.ledger import AccountKind
from wufeng.payments.pay.model import Capture, Funding, Pay
from wufeng.payments.pay.rules import MOVES

from .conftest import PEPPER, Payer, Town, seen

PRINCIPAL, WALLET = AccountKind.LINE_PRINCIPAL, AccountKind.WALLET


async def race(town: Town, commands: list[Pay], payers: list[Payer]) -> list[tuple[int, dict[str, Any]]]:
    """Submit commands to the lanes of two processes in turn, all at once."""
    other = town.more_lanes()
    answers = await asyncio.gather(
        *(
            town.submit(payer.bucket, command, (town.lanes, other)[n % 2])
            for n, (command, payer) in enumerate(zip(commands, payers, strict=True))
        )
    )
    await other.drain()
    return [seen(answer) for answer in answers]


async def test_one_key_is_one_payment_and_the_same_bytes(town: Town) -> None:
    [payer] = await town.people()
    commands = [town.pay_command(payer, town.terms("o1", 10_00), key="k") for _ in range(20)]
    other = town.more_lanes()
    answers = await asyncio.gather(
        *(
            town.submit(payer.bucket, command, (town.lanes, other)[n % 2])
            for n, command in enumerate(commands)
        )
    )
    await other.drain()
    bodies = {answer.body for answer in answers if isinstance(answer, Answer)}
    assert len(answers) == 20 and len(bodies) == 1 and answers[0].status == 201
    assert len(await town.fetch("select 1 from payment")) == 1
    assert await town.balance(payer.line_id, PRINCIPAL) == 10_00
    again = await town.submit(payer.bucket, commands[0])
    assert isinstance(again, Answer) and again.body in bodies


async def test_a_decline_is_remembered_too_and_another_body_is_refused(town: Town) -> None:
    [payer] = await town.people(limit_minor=5_00)
    first = await town.pay(payer, "o1", 10_00, key="k")
    assert first[0] == 402
    assert await town.pay(payer, "o1", 10_00, key="k") == first
    status, body = await town.pay(payer, "o1", 10_01, key="k")
    assert (status, body["code"]) == (422, "idempotency_key_reused")
    assert "/amount_minor" in body["detail"]


async def test_an_order_that_two_people_pay_at_once_is_paid_once(town: Town) -> None:
    here = await town.people(6)
    there = await town.people(6, bucket=town.book.buckets[1])
    payers = [payer for pair in zip(here, there, strict=True) for payer in pair]
    terms = town.terms("o1", 10_00)
    answers = await race(town, [town.pay_command(payer, terms) for payer in payers], payers)
    assert sorted(status for status, _ in answers) == [201] + [409] * 11
    assert {body["code"] for status, body in answers if status == 409} == {"order_taken"}
    assert await town.payable() == 10_00 - 6
    assert len(await town.fetch("select 1 from draw")) == 1


async def test_many_orders_crossed_over_two_buckets_do_not_wait_in_a_circle(town: Town) -> None:
    here = await town.people(15)
    there = await town.people(15, bucket=town.book.buckets[1])
    numbers = [f"o{n}" for n in range(15)]
    payers = [*here, *there]
    orders = [*numbers, *reversed(numbers)]
    commands = [
        town.pay_command(payer, town.terms(number, 10_00), key=f"k{n}")
        for n, (payer, number) in enumerate(zip(payers, orders, strict=True))
    ]
    answers = await race(town, commands, payers)
    assert sorted(status for status, _ in answers) == [201] * 15 + [409] * 15
    assert await town.payable() == 15 * (10_00 - 6)


async def test_draws_of_one_batch_and_of_two_lanes_never_pass_the_limit(town: Town) -> None:
    [payer] = await town.people(limit_minor=100_00)
    commands = [town.pay_command(payer, town.terms(f"o{n}", 7_00), key=f"k{n}") for n in range(40)]
    answers = await race(town, commands, [payer] * 40)
    assert sorted(status for status, _ in answers) == [201] * 14 + [402] * 26
    assert {body["reasons"][0]["code"] for status, body in answers if status == 402} == {"limit_exceeded"}
    assert await town.balance(payer.line_id, PRINCIPAL) == 98_00


async def test_a_wallet_is_never_overdrawn_by_a_race(town: Town) -> None:
    [payer] = await town.people(wallet_minor=20_00)
    only = Funding(use_wallet=True, line_id=None)
    commands = [
        town.pay_command(
            payer, town.terms(f"o{n}", 3_00), key=f"k{n}", funding=only, capture=list(Capture)[n % 2]
        )
        for n in range(30)
    ]
    answers = await race(town, commands, [payer] * 30)
    assert sorted(status for status, _ in answers) == [201] * 6 + [402] * 24
    spent = -await town.balance(payer.wallet_id, WALLET)
    assert spent - await town.held(payer.wallet_id, WALLET) == 2_00


async def test_a_poisoned_command_fails_alone(town: Town) -> None:
    payers = await town.people(12)
    commands = [
        town.pay_command(payer, town.terms(f"o{n}", 10_00), key=f"k{n}") for n, payer in enumerate(payers)
    ]
    # A number that the border would have refused: the table's own check refuses it, and so the whole batch.
    commands[5] = msgspec.structs.replace(
        commands[5], order=msgspec.structs.replace(commands[5].order, order_no="x" * 65)
    )
    answers = await asyncio.gather(
        *(town.submit(payer.bucket, command) for payer, command in zip(payers, commands, strict=True))
    )
    failed = [n for n, answer in enumerate(answers) if isinstance(answer, Problem)]
    assert failed == [5]
    assert isinstance(answers[5], Problem) and answers[5].code is Code.INTERNAL
    assert town.lanes.stats.splits > 0
    assert await town.payable() == 11 * (10_00 - 6)
    whole = msgspec.structs.replace(commands[5], order=town.terms("o5", 10_00))
    assert seen(await town.submit(payers[5].bucket, whole))[0] == 201, "its key is free"


async def test_captures_and_voids_of_one_payment_race(town: Town) -> None:
    [payer] = await town.people(wallet_minor=30_00)
    both = Funding(use_wallet=True, line_id=payer.line_id)
    _, body = await town.pay(payer, "o1", 100_00, funding=both, capture=Capture.LATER)
    other = town.more_lanes()
    id_ = decode(Prefix.PAYMENT, body["id"])

    def command(n: int) -> payments.CapturePayment | payments.VoidPayment:
        more = {"at": town.at, "people": (payer.id,), "payment_id": id_, "merchant_id": town.merchant_id}
        if n == 9:
            return payments.VoidPayment(**more)
        claim = claim_key(PEPPER, UUID(int=1), f"c{n}", "POST", {"n": n})
        return payments.CapturePayment(**more, claim=claim, amount_minor=9_00, final=False)

    answers = [
        seen(answer)
        for answer in await asyncio.gather(
            *(town.submit(payer.bucket, command(n), (town.lanes, other)[n % 2]) for n in range(20))
        )
    ]
    await other.drain()
    taken = sum(1 for n, (status, _) in enumerate(answers) if status == 200 and n != 9)
    [row] = await town.fetch("select status, captured_minor, fee_minor from payment")
    assert row["captured_minor"] == taken * 9_00
    assert row["status"] == ("captured" if taken else "voided")
    assert await town.payable() == row["captured_minor"] - row["fee_minor"]
    assert await town.held(payer.line_id, PRINCIPAL) == 0 == await town.held(payer.wallet_id, WALLET)


async def test_a_confirmation_and_a_refusal_race_and_one_wins(town: Town) -> None:
    payers = await town.people(8)
    commands: list[tuple[Payer, payments.Confirm | payments.Refuse]] = []
    for n, payer in enumerate(payers):
        _, body = await town.pay(payer, f"o{n}", 300_00)
        assert body["status"] == "captured"
        terms = town.terms(f"p{n}", 300_00)
        started = town.pay_command(payer, terms, confirmation=payments.Confirmation.NONE)
        _, body = seen(await town.submit(payer.bucket, started))
        id_ = decode(Prefix.PAYMENT, body["id"])
        more = {"at": town.at, "people": (payer.id,), "payment_id": id_, "payer_id": payer.id}
        commands += [
            (payer, payments.Confirm(**more, confirmation=payments.Confirmation.PIN, funding=None)),
            (payer, payments.Refuse(**more)),
        ]
    other = town.more_lanes()
    answers = [
        seen(answer)
        for answer in await asyncio.gather(
            *(
                town.submit(payer.bucket, command, (town.lanes, other)[n % 2])
                for n, (payer, command) in enumerate(commands)
            )
        )
    ]
    await other.drain()
    for yes, no in zip(answers[::2], answers[1::2], strict=True):
        assert sorted((yes[0], no[0])) in ([200, 409], [402, 409])
    rows = await town.fetch("select status from payment where order_no like 'p%'")
    assert all(not MOVES[payments.PaymentStatus(row["status"])] for row in rows)


@pytest.mark.parametrize("bucket", [0, 1])
async def test_two_payments_of_one_person_wait_for_one_order(town: Town, bucket: int) -> None:
    payers = await town.people(2, bucket=town.book.buckets[bucket])
    terms = town.terms("o1", 10_00)
    bodies = []
    for payer in payers:
        command = town.pay_command(payer, terms, confirmation=payments.Confirmation.NONE)
        bodies.append(seen(await town.submit(payer.bucket, command))[1])
    answers = await asyncio.gather(
        *(town.confirm(payer, body) for payer, body in zip(payers, bodies, strict=True))
    )
    assert sorted(status for status, _ in answers) == [200, 409]
    assert await town.payable() == 10_00 - 6
