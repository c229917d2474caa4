"""Undoing a payment: everything as if it had not been, by new postings."""

import asyncio
from datetime import date

import msgspec
import pytest
from msgspec.structs import replace

from wufeng import credit, payments
from wufeng.base.ids import Prefix, decode
from wufeng.credit.lines.model import Actor
from wufeng.ledger import AccountKind
from wufeng.payments.pay.model import Capture, Funding
from wufeng.payments.refunds.queries import SHOWN_MAX

from .conftest import Payer, Town
from .test_refunds_dated_back import asked_of_the_bank, turn_to

CREDIT_BALANCE, PRINCIPAL = AccountKind.LINE_CREDIT_BALANCE, AccountKind.LINE_PRINCIPAL


async def undo(town: Town, payer: Payer, body: dict[str, object]) -> tuple[int, dict[str, object]]:
    payment_id = decode(Prefix.PAYMENT, str(body["id"]))
    command = payments.UndoPayment(
        at=town.at, people=(payer.id,), payment_id=payment_id, reason="charged back"
    )
    return await town.ask(payer.bucket, command)


async def owed(town: Town, payer: Payer) -> list[int]:
    kinds = (PRINCIPAL, AccountKind.LINE_INTEREST, AccountKind.LINE_FEE, CREDIT_BALANCE)
    return [await town.balance(payer.line_id, kind) for kind in kinds]


def parts(undone: dict[str, object]) -> list[tuple[str | None, int]]:
    refunds = undone["refunds"]
    assert isinstance(refunds, list)
    told = [(one["value_on"], one["amount_minor"]) for one in refunds]
    return sorted(told, key=lambda part: part[0] or "today")


@pytest.mark.parametrize("tenor", [1, 3])
async def test_nothing_of_it_is_left_whatever_was_paid_and_charged(town: Town, tenor: int) -> None:
    """Over two due dates, unpaid in part: all that was paid is there again, interest and fees included."""
    [payer] = await town.people(wallet_minor=200_000)
    funding = Funding(use_wallet=False, line_id=payer.line_id, tenor=tenor)
    _, body = await town.pay(payer, "o1", 90_000, funding=funding)
    await turn_to(town, date(2026, 11, 5))
    await town.repay(payer, 50_000)
    await turn_to(town, date(2026, 11, 20))
    status, undone = await undo(town, payer, body)
    assert (status, undone["object"], undone["payment"]) == (201, "undone_payment", body["id"]), undone
    (refund,) = undone["refunds"]  # type: ignore[misc]
    assert (refund["reason_code"], refund["value_on"], refund["amount_minor"]) == (
        "undone",
        "2026-09-03",
        90_000,
    )
    assert await owed(town, payer) == [0, 0, 0, 0]
    assert await town.balance(payer.wallet_id, AccountKind.WALLET) == -200_000
    assert await town.payable() == 0
    assert await undo(town, payer, body) == (200, undone), "once is enough"
    await turn_to(town, date(2027, 1, 20))
    assert await owed(town, payer) == [0, 0, 0, 0]


async def test_earlier_refunds_stay(town: Town) -> None:
    [payer] = await town.people(wallet_minor=200_000)
    funding = Funding(use_wallet=False, line_id=payer.line_id, tenor=3)
    _, body = await town.pay(payer, "o1", 90_000, funding=funding)
    await turn_to(town, date(2026, 10, 5))
    await town.repay(payer, 95_000)
    assert (await town.refund(payer, body, "r1", 40_000))[0] == 201
    await turn_to(town, date(2026, 10, 20))
    status, undone = await undo(town, payer, body)
    assert status == 201, undone
    assert [one["amount_minor"] for one in undone["refunds"]] == [50_000]  # type: ignore[attr-defined]
    assert (await owed(town, payer))[0] == 0
    assert await town.payable() == 0


async def test_an_undo_after_as_many_refunds_as_are_shown_is_found_again(town: Town) -> None:
    [payer] = await town.people()
    _, body = await town.pay(payer, "o1", 90_000)
    answers = await asyncio.gather(*(town.refund(payer, body, f"r{n}", 100) for n in range(SHOWN_MAX)))
    assert {status for status, _ in answers} == {201}
    town.turn(minutes=1)
    status, undone = await undo(town, payer, body)
    assert status == 201, undone
    assert await undo(town, payer, body) == (200, undone)


async def back_of(town: Town, payer: Payer) -> tuple[object, ...]:
    """What has gone back to each source, what is owed, and the refund's effects and charges beside the amount."""
    sums = "select source, sum(returned_minor)::bigint as back from repayment where person_id = $1 group by source"
    sources = {row["source"]: row["back"] for row in await town.fetch(sums, payer.id)}
    of = "select effects, charges_returned_minor as charges, amount_minor from refund where payer_id = $1"
    (row,) = await town.fetch(of, payer.id)
    effects = [(one["kind"], one["amount_minor"]) for one in msgspec.json.decode(row["effects"])]
    assert sum(amount_minor for _, amount_minor in effects) == row["amount_minor"] + row["charges"]
    return sources, await owed(town, payer), effects, row["charges"]


@pytest.mark.parametrize("counts", ["undone", date(2026, 10, 2), date(2026, 10, 5), date(2026, 10, 6), None])
@pytest.mark.parametrize(
    ("asked_minor", "asked_on", "refunded_on", "answered_on"),
    [(85_000, 5, 7, 8), (60_000, 5, 7, 8), (85_000, 7, 7, 8), (85_000, 7, 7, 7)],
)
async def test_a_bank_that_answers_after_it_leaves_what_a_timely_one_would_have(
    town: Town, counts: str | date | None, asked_minor: int, asked_on: int, refunded_on: int, answered_on: int
) -> None:
    """What is repaid after that is no source of it, and stays in the person's favour."""
    timely, late = await town.people(2, wallet_minor=20_000)
    bodies = {payer.id: (await town.pay(payer, f"o{payer.id}", 80_000))[1] for payer in (timely, late)}
    await turn_to(town, date(2026, 10, asked_on))
    await town.repay(timely, asked_minor, await town.bank_account(timely))
    asked = await asked_of_the_bank(town, late, asked_minor, await town.bank_account(late))
    await turn_to(town, date(2026, 10, refunded_on))
    town.turn(minutes=1)
    for payer in (timely, late):
        if counts == "undone":
            status, body = await undo(town, payer, bodies[payer.id])
        else:
            dated = {"value_on": counts, "merchant_id": None}
            status, body = await town.refund(payer, bodies[payer.id], "r1", 80_000, **dated)
        assert status in (201, 202), body
    if answered_on > refunded_on:
        await turn_to(town, date(2026, 10, answered_on))
    town.turn(minutes=1)
    for payer in (timely, late):
        await town.repay(payer, 20_000)
    assert (await town.ask(late.bucket, replace(asked, at=town.at)))[0] == 200
    back = await back_of(town, late)
    assert back == await back_of(town, timely)
    over_minor = max(0, asked_minor - 80_000)
    assert back[0] == {"bank_account": asked_minor - over_minor, "wallet": 0}
    assert back[1] == [0, 0, 0, -20_000 - over_minor]


async def test_what_a_refund_kept_for_want_of_a_source_goes_to_the_late_one(town: Town) -> None:
    """Money that came another way had paid a part of it when it was refunded."""
    timely, late = await town.people(2)
    bodies = {payer.id: (await town.pay(payer, f"o{payer.id}", 80_000))[1] for payer in (timely, late)}
    await turn_to(town, date(2026, 10, 5))
    await town.repay(timely, 80_000, await town.bank_account(timely))
    asked = await asked_of_the_bank(town, late, 80_000, await town.bank_account(late))
    await turn_to(town, date(2026, 10, 6))
    for payer in (timely, late):
        await town.repay(payer, 30_000, source=credit.Source(credit.SourceKind.EXTERNAL, None))
    await turn_to(town, date(2026, 10, 7))
    for payer in (timely, late):
        assert (await town.refund(payer, bodies[payer.id], "r1", 80_000))[1]["amount_minor"] == 80_000
    await turn_to(town, date(2026, 10, 8))
    assert (await town.ask(late.bucket, replace(asked, at=town.at)))[0] == 200
    back = await back_of(town, late)
    assert back == await back_of(town, timely)
    assert back[:2] == ({"bank_account": 80_000, "external": 0}, [0, 0, 0, -30_000])


async def test_a_late_answer_brings_back_what_it_paid_of_charges(town: Town) -> None:
    """Unpaid since the due date of October, paid with the late interest on 5 November and undone before the answer."""
    timely, late = await town.people(2)
    bodies = {payer.id: (await town.pay(payer, f"o{payer.id}", 80_000))[1] for payer in (timely, late)}
    await turn_to(town, date(2026, 11, 5))
    await town.repay(timely, 85_000, await town.bank_account(timely))
    asked = await asked_of_the_bank(town, late, 85_000, await town.bank_account(late))
    await turn_to(town, date(2026, 11, 7))
    for payer in (timely, late):
        assert (await undo(town, payer, bodies[payer.id]))[0] == 201
    await turn_to(town, date(2026, 11, 8))
    assert (await town.ask(late.bucket, replace(asked, at=town.at)))[0] == 200
    back = await back_of(town, late)
    assert back == await back_of(town, timely)
    assert isinstance(back[-1], int)
    assert back[-1] > 0


async def test_a_payment_that_was_refunded_whole_is_not_undone(town: Town) -> None:
    [payer] = await town.people()
    _, body = await town.pay(payer, "o1", 90_000)
    assert (await town.refund(payer, body, "r1", 90_000))[0] == 201
    assert (await undo(town, payer, body))[1]["code"] == "state_conflict"


async def test_captures_of_several_dates_are_undone_as_of_each(town: Town) -> None:
    [payer] = await town.people(wallet_minor=200_000)
    _, body = await town.pay(payer, "o1", 90_000, capture=Capture.LATER)
    for days, amount_minor in ((1, 30_000), (2, 20_000)):
        town.turn(days=days)
        assert (await town.capture(payer, body, amount_minor, final=False))[0] == 200
    await turn_to(town, date(2026, 10, 20))
    status, undone = await undo(town, payer, body)
    assert status == 201, undone
    assert parts(undone) == [("2026-09-04", 30_000), ("2026-09-06", 20_000)]
    assert await owed(town, payer) == [0, 0, 0, 0]


@pytest.mark.parametrize("first_minor", [4_000, 20_000])
async def test_a_first_capture_of_the_wallet_alone_makes_no_draw(town: Town, first_minor: int) -> None:
    """The bill of another purchase comes between two captures, of which the second makes the only draw, or one."""
    [payer] = await town.people(wallet_minor=8_000)
    await town.pay(payer, "o0", 30_000)
    await turn_to(town, date(2026, 9, 28))
    funding = Funding(use_wallet=True, line_id=payer.line_id)
    _, body = await town.pay(payer, "o1", 60_000, capture=Capture.LATER, funding=funding)
    await turn_to(town, date(2026, 9, 30))
    assert (await town.capture(payer, body, first_minor, final=False))[0] == 200
    await turn_to(town, date(2026, 10, 3))
    await town.repay(payer, 10_000, source=credit.Source(credit.SourceKind.EXTERNAL, None))
    await turn_to(town, date(2026, 10, 4))
    assert (await town.capture(payer, body, 60_000 - first_minor, final=True))[0] == 200
    await turn_to(town, date(2026, 10, 20))
    status, undone = await undo(town, payer, body)
    assert status == 201, undone
    assert sum(amount_minor for _, amount_minor in parts(undone)) == 60_000
    assert (await owed(town, payer))[0] == 20_000


async def captured_in_parts(town: Town, payer: Payer, *amounts: int) -> dict[str, object]:
    """A payment of 900.00 of which a part is captured on each of the next days, the last of them for good."""
    _, body = await town.pay(payer, "o1", 90_000, capture=Capture.LATER)
    for n, amount_minor in enumerate(amounts, 1):
        town.turn(days=1)
        assert (await town.capture(payer, body, amount_minor, final=n == len(amounts)))[0] == 200
    return body


@pytest.mark.parametrize(("refunded_after", "left"), [(1, [30_000, 20_000]), (2, [40_000, 10_000])])
async def test_a_refund_has_taken_what_was_captured_before_it(
    town: Town, refunded_after: int, left: list[int]
) -> None:
    [payer] = await town.people()
    _, body = await town.pay(payer, "o1", 60_000, capture=Capture.LATER)
    for n, amount_minor in enumerate((40_000, 20_000), 1):
        town.turn(days=1)
        assert (await town.capture(payer, body, amount_minor, final=n == 2))[0] == 200
        if n == refunded_after:
            assert (await town.refund(payer, body, "r1", 10_000))[0] == 201
    await turn_to(town, date(2026, 10, 20))
    status, undone = await undo(town, payer, body)
    assert status == 201, undone
    assert parts(undone) == list(zip(("2026-09-04", "2026-09-05"), left, strict=True))
    assert await owed(town, payer) == [0, 0, 0, 0]
    assert await town.payable() == 0


async def test_a_line_that_waits_to_be_closed_is_closed_when_all_of_it_is_undone(town: Town) -> None:
    """What was paid covers the first of two captures: after the second is undone nothing is owed."""
    [payer] = await town.people(wallet_minor=100_000)
    body = await captured_in_parts(town, payer, 50_000, 30_000)
    await turn_to(town, date(2026, 10, 5))
    await town.repay(payer, 60_000)
    close = credit.CloseLine(
        at=town.at,
        people=(payer.id,),
        line_id=payer.line_id,
        actor=Actor.PERSON,
        actor_id=payer.id,
        reason="-",
    )
    assert (await town.ask(payer.bucket, close))[1]["status"] == "closing"
    await turn_to(town, date(2026, 10, 8))
    status, undone = await undo(town, payer, body)
    assert status == 201, undone
    assert await owed(town, payer) == [0, 0, 0, 0]
    assert await town.balance(payer.wallet_id, AccountKind.WALLET) == -100_000
    (line,) = await town.fetch("select status from line where id = $1", payer.line_id)
    assert line["status"] == "closed"
    assert await undo(town, payer, body) == (200, undone)


async def test_what_was_captured_today_is_undone_with_what_was_captured_before(town: Town) -> None:
    [payer] = await town.people()
    body = await captured_in_parts(town, payer, 50_000, 30_000)
    status, undone = await undo(town, payer, body)
    assert status == 201, undone
    assert parts(undone) == [("2026-09-04", 50_000), (None, 30_000)]
    assert await owed(town, payer) == [0, 0, 0, 0]


async def test_the_floor_of_a_merchant_is_asked_for_all_parts_together(town: Town) -> None:
    """Each by itself is above it. Nothing is folded yet: the merchant counts as owed nothing."""
    [payer] = await town.people()
    body = await captured_in_parts(town, payer, 30_000, 30_000)
    known = town.catalogue
    for floor_minor, status in ((59_639, 409), (59_640, 201)):  # 0.6 % of fee come back
        floored = payments.Catalogue(
            known.products, known.policies, known.limits, payable_floor_minor=floor_minor
        )
        town.lanes.handlers.update(payments.handlers(floored, town.merchants))
        assert (await undo(town, payer, body))[0] == status
    assert await owed(town, payer) == [0, 0, 0, 0]


async def test_what_the_wallet_paid_is_there_again_at_once(town: Town) -> None:
    [payer] = await town.people(wallet_minor=40_000)
    both = Funding(use_wallet=True, line_id=payer.line_id)
    _, body = await town.pay(payer, "o1", 90_000, funding=both)
    await turn_to(town, date(2026, 10, 20))
    status, undone = await undo(town, payer, body)
    assert status == 201, undone
    assert await town.balance(payer.wallet_id, AccountKind.WALLET) == -40_000
    assert await owed(town, payer) == [0, 0, 0, 0]
