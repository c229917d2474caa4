"""The one motion through base.lanes on the real database: credit, wallet and split funding."""

import asyncio

import msgspec

from wufeng.base.claims import Answer
from wufeng.ledger import AccountKind
from wufeng.payments.pay.model import Capture, Funding

from .conftest import Town


async def test_a_credit_payment_writes_everything_at_once(town: Town) -> None:
    [payer] = await town.people()
    status, body = await town.pay(payer, "o1", 100_00)
    assert (status, body["status"], body["captured_minor"]) == (201, "captured", 100_00)
    [source] = body["funding"]
    assert (source["kind"], source["amount_minor"], source["product"]) == ("line", 100_00, "monthly_bill@1")
    assert [one["share_ppm"] for one in source["lenders"]] == [1_000_000]
    assert body["fee_minor"] is None, "the merchant's fee is not for the payer's eyes"
    assert await town.balance(payer.line_id, AccountKind.LINE_PRINCIPAL) == 100_00
    assert await town.payable() == 100_00 - 60
    [journal] = await town.fetch("select kind, note, accounts, amounts from journal")
    note = msgspec.json.decode(journal["note"])
    assert set(note) == {"person", "line", "product"} and note["product"] == "monthly_bill@1"
    [decision] = await town.fetch("select outcome, policy, product, confirmation from decision")
    assert decision == {
        "outcome": "allow", "policy": "payment@2", "product": "monthly_bill@1", "confirmation": 3,
    }  # fmt: skip
    [order] = await town.fetch("select state, payment_id is not null as taken from merchant_order")
    assert order == {"state": "paid", "taken": True}
    assert await town.kinds() == ["payment.captured"]
    assert len(await town.fetch("select 1 from draw where status = 'posted'")) == 1
    assert len(await town.fetch("select 1 from feature")) == 1


async def test_wallet_first_and_the_rest_is_drawn(town: Town) -> None:
    [payer] = await town.people(wallet_minor=30_00)
    both = Funding(use_wallet=True, line_id=payer.line_id)
    status, body = await town.pay(payer, "o1", 100_00, funding=both)
    assert status == 201
    assert [(s["kind"], s["amount_minor"]) for s in body["funding"]] == [("wallet", 30_00), ("line", 70_00)]
    assert await town.balance(payer.wallet_id, AccountKind.WALLET) == 0
    assert await town.balance(payer.line_id, AccountKind.LINE_PRINCIPAL) == 70_00
    status, body = await town.pay(payer, "o2", 1_00, funding=Funding(use_wallet=True, line_id=None))
    assert (status, body["status"], body["reasons"][0]["code"]) == (402, "declined", "insufficient_balance")


async def test_authorised_money_is_held_and_nothing_is_owed(town: Town) -> None:
    [payer] = await town.people(wallet_minor=30_00)
    both = Funding(use_wallet=True, line_id=payer.line_id)
    status, body = await town.pay(payer, "o1", 100_00, funding=both, capture=Capture.LATER)
    assert (status, body["status"], body["captured_minor"]) == (201, "authorised", 0)
    assert await town.held(payer.wallet_id, AccountKind.WALLET) == 30_00
    assert await town.held(payer.line_id, AccountKind.LINE_PRINCIPAL) == 70_00
    assert len(await town.fetch("select 1 from journal where kind = 1")) == 0
    assert [row["state"] for row in await town.fetch("select state from merchant_order")] == ["open"]


async def test_a_batch_of_many_is_a_fixed_number_of_statements(town: Town) -> None:
    payers = await town.people(128)
    first = await town.pay(payers[0], "warm", 1_00)  # the lane's connection, prepared statements
    assert first[0] == 201
    lane = town.lanes._lanes[payers[0].bucket]
    assert lane._db is not None
    calls: list[str] = []
    lane._db.add_query_logger(lambda record: calls.append(record.query))
    # One in front occupies the lane; the others wait and go together.
    answers = await asyncio.gather(
        *(
            town.submit(payer.bucket, town.pay_command(payer, town.terms(f"n{n}", 12_34), key=f"k{n}"))
            for n, payer in enumerate(payers)
        )
    )
    assert all(isinstance(answer, Answer) and answer.status == 201 for answer in answers), answers[0]
    assert len(calls) <= 20, calls  # begin, commit and what lies between, for 128 payments
    assert len(calls) / len(payers) < 1
