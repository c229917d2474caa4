"""Undoing a payment: everything as if it had not been, by new postings."""

from datetime import date

import pytest

from wufeng import payments
from wufeng.base.ids import Prefix, decode
from wufeng.ledger import AccountKind
from wufeng.payments.pay.model import Capture, Funding

from .conftest import Payer, Town
from .test_refunds_dated_back import turn_to

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
    told = [(one["value_on"], one["amount_minor"]) for one in undone["refunds"]]  # type: ignore[attr-defined]
    assert sorted(told) == [("2026-09-04", 30_000), ("2026-09-06", 20_000)]
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
