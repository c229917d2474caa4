"""A payment's life: the payer's word, captures, voids, reviews, time running out, and the order it pays."""

from typing import Any

import pytest
from msgspec import json

from wufeng import payments
from wufeng.base.followers import read_events
from wufeng.base.ids import Prefix, decode, encode
from wufeng.base.webhooks import Audience, PublicEvent
from wufeng.identity.merchants.model import Scene
from wufeng.identity.people.model import Outcome, PersonStatus
from wufeng.identity.people.store import move_status
from wufeng.ledger import AccountKind
from wufeng.payments.orders.model import OrderState, Receipt
from wufeng.payments.pay.model import Capture, Funding, Reader
from wufeng.risk.model import Confirmation

from .conftest import Payer, Town

WALLET, PRINCIPAL = AccountKind.WALLET, AccountKind.LINE_PRINCIPAL


async def freeze(town: Town, payer: Payer) -> None:
    async with town.database.transaction() as db:
        assert await move_status(db, payer.bucket, payer.id, [PersonStatus.ACTIVE], PersonStatus.FROZEN)


async def order_states(town: Town) -> list[str]:
    return [row["state"] for row in await town.fetch("select state from merchant_order order by created_at")]


async def waiting(town: Town, payer: Payer, amount_minor: int = 100_00) -> dict[str, Any]:
    """A payment that a merchant named the payer for."""
    status, body = await town.pay(
        payer, "o1", amount_minor, confirmation=Confirmation.NONE, reader=Reader.MERCHANT
    )
    assert (status, body["status"]) == (201, "requires_action")
    return body


async def test_a_merchant_that_names_a_payer_moves_nothing(town: Town) -> None:
    [payer] = await town.people()
    body = await waiting(town, payer)
    assert body["next_action"]["url"].endswith(f"{body['id']}/confirm")
    assert await town.fetch("select 1 from journal") == [] == await town.fetch("select 1 from decision")
    assert await town.kinds() == []
    status, body = await town.confirm(payer, body)
    assert (status, body["status"], body["confirmed_by"]) == (200, "captured", "pin")
    assert body["next_action"] is None and body["expires_at"] is None
    assert await town.balance(payer.line_id, PRINCIPAL) == 100_00
    assert (await town.confirm(payer, body))[1]["code"] == "state_conflict"


async def test_the_payer_chooses_the_funding_when_confirming(town: Town) -> None:
    [payer] = await town.people(wallet_minor=150_00)
    body = await waiting(town, payer)
    status, body = await town.confirm(payer, body, funding=Funding(use_wallet=True, line_id=None))
    assert (status, [source["kind"] for source in body["funding"]]) == (200, ["wallet"])
    assert await town.balance(payer.wallet_id, WALLET) == -50_00


async def test_a_session_alone_does_not_confirm_above_the_no_pin_limit(town: Town) -> None:
    [payer] = await town.people()
    body = await waiting(town, payer, 200_01)
    assert (await town.confirm(payer, body, Confirmation.SESSION))[1]["code"] == "confirmation_failed"
    assert (await town.confirm(payer, body))[1]["status"] == "captured", "the payment stayed"


async def test_a_refused_payment_is_declined_and_its_order_free(town: Town) -> None:
    [payer] = await town.people()
    body = await waiting(town, payer)
    command = payments.Refuse(
        at=town.at, people=(payer.id,), payment_id=decode(Prefix.PAYMENT, body["id"]), payer_id=payer.id
    )
    status, body = await town.ask(payer.bucket, command)
    assert (status, body["reasons"][0]["code"]) == (402, "confirmation_failed")
    assert await town.kinds() == ["payment.declined"]
    assert (await town.pay(payer, "o1", 100_00))[0] == 201


async def test_a_waiting_payment_expires_after_fifteen_minutes_or_with_its_order(town: Town) -> None:
    [payer] = await town.people()
    body = await waiting(town, payer)
    town.turn(minutes=15)
    status, body = await town.confirm(payer, body)
    assert (status, body["status"]) == (200, "expired")
    soon = town.at.replace(second=30)
    _, other = await town.pay(payer, "o2", 5_00, confirmation=Confirmation.NONE, expires_at=soon)
    assert other["expires_at"].startswith(soon.isoformat()[:19])
    town.turn(minutes=1)
    assert await town.expire(payer) == {"expired": 1, "reviewed": 0}
    assert await town.kinds() == ["payment.expired"] * 2


async def test_another_persons_payment_is_not_there(town: Town) -> None:
    payer, other = await town.people(2)
    body = await waiting(town, payer)
    assert (await town.confirm(other, body))[0] == 404


async def test_captures_in_parts_sum_to_the_whole_fee_and_the_rest_is_released(town: Town) -> None:
    [payer] = await town.people(wallet_minor=30_00)
    both = Funding(use_wallet=True, line_id=payer.line_id)
    _, body = await town.pay(payer, "o1", 100_00, funding=both, capture=Capture.LATER)
    status, part = await town.capture(payer, body, 33_33, final=False)
    assert (status, part["status"], part["captured_minor"]) == (200, "authorised", 33_33)
    assert [source["amount_minor"] for source in part["funding"]] == [30_00, 3_33]
    assert await town.held(payer.line_id, PRINCIPAL) == 66_67
    assert (await town.capture(payer, body, 66_68, final=False))[1]["code"] == "state_conflict"
    _, last = await town.capture(payer, body, 33_33)
    assert (last["status"], last["captured_minor"], last["fee_minor"]) == ("captured", 66_66, 40)
    assert await town.held(payer.line_id, PRINCIPAL) == 0
    assert await town.balance(payer.line_id, PRINCIPAL) == 36_66
    assert await town.payable() == 66_66 - 40
    assert (await town.capture(payer, body))[1]["code"] == "state_conflict"
    assert await order_states(town) == ["paid"]


async def test_a_void_frees_the_order_and_after_a_part_capture_the_part_stays(town: Town) -> None:
    [payer] = await town.people()
    _, first = await town.pay(payer, "o1", 100_00, capture=Capture.LATER)
    assert (await town.pay(payer, "o1", 100_00))[1]["code"] == "order_taken"
    assert (await town.void(payer, first))[1]["status"] == "voided"
    assert await town.held(payer.line_id, PRINCIPAL) == 0
    _, second = await town.pay(payer, "o1", 100_00, capture=Capture.LATER)
    await town.capture(payer, second, 40_00, final=False)
    status, second = await town.void(payer, second)
    assert (status, second["status"], second["captured_minor"]) == (200, "captured", 40_00)
    assert await order_states(town) == ["paid"]
    assert (await town.void(payer, second))[1]["code"] == "state_conflict"
    told = [event.type for event in await public_events(town, Audience.MERCHANT)]
    assert told.count("draw.posted") == 1, "a release makes no draw"
    assert told[-1] == "order.paid" and told.count("order.paid") == 1


async def test_an_authorised_payment_expires_and_frees_everything(town: Town) -> None:
    [payer] = await town.people(wallet_minor=30_00)
    both = Funding(use_wallet=True, line_id=payer.line_id)
    _, body = await town.pay(payer, "o1", 100_00, funding=both, capture=Capture.LATER)
    town.turn(days=6, hours=23)
    assert await town.expire(payer) == {"expired": 0, "reviewed": 0}
    town.turn(hours=1)
    assert await town.expire(payer) == {"expired": 1, "reviewed": 0}
    assert await town.expire(payer) == {"expired": 0, "reviewed": 0}
    assert await town.held(payer.line_id, PRINCIPAL) == 0 == await town.held(payer.wallet_id, WALLET)
    assert (await town.capture(payer, body))[1]["code"] == "state_conflict"
    assert (await town.pay(payer, "o1", 100_00))[0] == 201


@pytest.mark.parametrize("capture", list(Capture))
async def test_a_review_holds_and_the_reviewer_decides(town: Town, capture: Capture) -> None:
    [payer] = await town.people(outcome=Outcome.REVIEW, wallet_minor=30_00)
    both = Funding(use_wallet=True, line_id=payer.line_id)
    status, body = await town.pay(payer, "o1", 100_00, funding=both, capture=capture)
    assert (status, body["status"]) == (202, "pending")
    assert await town.held(payer.line_id, PRINCIPAL) == 70_00
    assert (await town.pay(payer, "o1", 100_00))[1]["code"] == "order_taken"
    status, body = await town.review(payer, body, approve=True)
    assert (status, body["status"]) == (200, "captured" if capture is Capture.NOW else "authorised")
    owed = 70_00 if capture is Capture.NOW else 0
    assert await town.balance(payer.line_id, PRINCIPAL) == owed
    assert await town.held(payer.line_id, PRINCIPAL) == 70_00 - owed
    rules = {row["outcome"]: row["rules"] for row in await town.fetch("select outcome, rules from decision")}
    assert set(rules) == {"review", "allow"}
    assert rules["allow"].split()[0] == "review"
    assert (await town.review(payer, body, approve=False))[1]["code"] == "state_conflict"


async def test_a_review_declined_or_unanswered_lets_everything_go(town: Town) -> None:
    payer, late = await town.people(2, outcome=Outcome.REVIEW)
    _, body = await town.pay(payer, "o1", 100_00)
    status, body = await town.review(payer, body, approve=False)
    assert (status, body["status"], body["reasons"][0]["code"]) == (402, "declined", "unusual_payment")
    await town.pay(late, "o2", 100_00)
    town.turn(minutes=30)
    assert await town.expire(late) == {"expired": 0, "reviewed": 1}
    rows = await town.fetch("select status, reasons from payment")
    assert rows == [{"status": "declined", "reasons": "unusual_payment"}] * 2
    assert await town.held(payer.line_id, PRINCIPAL) == 0 == await town.held(late.line_id, PRINCIPAL)
    assert await town.fetch("select 1 from merchant_order where payment_id is not null") == []


async def test_nobody_approves_the_payment_of_a_frozen_person(town: Town) -> None:
    [payer] = await town.people(outcome=Outcome.REVIEW)
    _, body = await town.pay(payer, "o1", 100_00)
    await freeze(town, payer)
    _, body = await town.review(payer, body, approve=True)
    assert [reason["code"] for reason in body["reasons"]] == ["payer_frozen", "unusual_payment"]


async def test_a_step_up_asks_and_the_pin_is_the_answer(town: Town) -> None:
    [payer] = await town.people(outcome=Outcome.STEP_UP)
    status, body = await town.pay(payer, "o1", 10_00, confirmation=Confirmation.SESSION)
    assert (status, body["status"]) == (201, "requires_action")
    assert (await town.confirm(payer, body))[1]["status"] == "captured"
    outcomes = {row["outcome"] for row in await town.fetch("select outcome from decision")}
    assert outcomes == {"step_up", "allow"}


async def test_an_order_is_shipped_received_and_then_billable(town: Town) -> None:
    [payer] = await town.people()
    terms = town.terms("o1", 100_00, receipt=Receipt.CONFIRM, metadata=b'{"basket":"7"}')
    bucket = town.book.bucket_of(terms.id)
    create = payments.CreateOrder(at=town.at, terms=terms)
    assert (await town.ask(bucket, create))[0] == 201
    status, order = await town.ask(bucket, create)
    assert (status, order["state"], order["metadata"]) == (200, "open", {"basket": "7"})
    other = payments.CreateOrder(at=town.at, terms=town.terms("o1", 100_01))
    assert (await town.ask(bucket, other))[1]["code"] == "order_no_reused"

    ship = payments.MoveOrder(
        at=town.at, order_id=terms.id, merchant_id=town.merchant_id, to=OrderState.SHIPPED
    )
    assert (await town.ask(bucket, ship))[1]["code"] == "state_conflict", "not paid yet"
    receive = payments.ConfirmReceipt(at=town.at, people=(payer.id,), order_id=terms.id, payer_id=payer.id)
    assert (await town.ask(payer.bucket, receive))[0] == 404, "nobody's yet"
    status, body = await town.pay(payer, "o1", 100_00, receipt=Receipt.CONFIRM, metadata=b'{"basket":"7"}')
    assert status == 201 and body["inline_order"] is False
    assert [row["billable_on"] for row in await town.fetch("select billable_on from draw")] == [None]
    assert (await town.ask(bucket, ship))[1]["state"] == "shipped"
    assert (await town.ask(payer.bucket, receive))[1]["state"] == "receipt_confirmed"
    assert (await town.ask(payer.bucket, receive))[0] == 200, "twice changes nothing"
    [draw] = await town.fetch("select billable_on from draw")
    assert draw["billable_on"] == town.book.business_date(town.at)
    told = ["order.paid", "order.receipt_confirmed", "order.shipped", "payment.captured"]
    assert sorted(await town.kinds()) == told


async def test_orders_close_and_expire_only_while_nobody_pays_them(town: Town) -> None:
    [payer] = await town.people()
    soon = town.at.replace(minute=30)
    for number in ("o1", "o2", "o3"):
        terms = town.terms(number, 5_00, expires_at=soon)
        await town.ask(town.book.bucket_of(terms.id), payments.CreateOrder(at=town.at, terms=terms))
    assert (await town.pay(payer, "o1", 5_00, expires_at=soon))[0] == 201
    closing = town.terms("o2", 5_00)
    close = payments.MoveOrder(
        at=town.at, order_id=closing.id, merchant_id=town.merchant_id, to=OrderState.CLOSED
    )
    assert (await town.ask(town.book.bucket_of(closing.id), close))[1]["state"] == "closed"
    assert (await town.pay(payer, "o2", 5_00))[1]["code"] == "state_conflict"
    town.turn(hours=1)
    expired = 0
    for bucket in town.book.buckets:
        expired += (await town.ask(bucket, payments.ExpireOrders(at=town.at)))[1]["expired"]
    assert expired == 1
    status, body = await town.pay(payer, "o3", 5_00)
    assert (status, body["reasons"][0]["code"]) == (402, "order_expired")
    assert sorted(await order_states(town)) == ["closed", "expired", "paid"]


async def test_another_amount_under_the_same_number_is_refused(town: Town) -> None:
    [payer] = await town.people(limit_minor=50_00)
    assert (await town.pay(payer, "o1", 60_00))[0] == 402
    assert (await town.pay(payer, "o1", 60_01))[1]["code"] == "order_no_reused"


async def test_an_order_keeps_its_terms_whatever_a_request_says(town: Town) -> None:
    [payer] = await town.people()
    terms = town.terms("o1", 5_00, scene=Scene.LOTTERY, receipt=Receipt.CONFIRM)
    await town.ask(town.book.bucket_of(terms.id), payments.CreateOrder(at=town.at, terms=terms))
    status, body = await town.pay(payer, "o1", 5_00, scene=Scene.RETAIL)
    assert (status, body["reasons"][0]["code"]) == (402, "scene_forbidden")
    assert (body["scene"], body["receipt"]) == ("lottery", "confirm")


async def test_the_same_order_is_paid_once_after_a_decline(town: Town) -> None:
    poor, rich = await town.people(1, limit_minor=50_00) + await town.people(1)
    status, body = await town.pay(poor, "o1", 60_00)
    assert (status, [reason["code"] for reason in body["reasons"]]) == (402, ["limit_exceeded"])
    assert (await town.pay(rich, "o1", 60_00))[0] == 201
    assert (await town.pay(rich, "o1", 60_00))[1]["code"] == "order_taken"
    assert await town.payable() == 60_00 - 36


async def test_what_a_request_cannot_name(town: Town) -> None:
    [payer] = await town.people()
    assert (await town.pay(payer, "o1", 1_00, currency="USD"))[1]["code"] == "invalid_field"
    stranger = town.ids.new(town.at, 3)
    assert (await town.pay(payer, "o1", 1_00, merchant_id=stranger))[1]["code"] == "invalid_field"
    await freeze(town, payer)
    status, body = await town.pay(payer, "o1", 1_00)
    assert (status, body["reasons"][0]["code"]) == (402, "payer_frozen")


async def public_events(town: Town, audience: Audience) -> list[PublicEvent]:
    events: list[PublicEvent] = []
    async with town.database.read() as db:
        for bucket in town.book.buckets:
            for row in await read_events(db, bucket, 0, 10_000):
                events += payments.expand(row, audience)
    return events


async def test_one_capture_tells_the_order_and_the_draw_too(town: Town) -> None:
    [payer] = await town.people()
    _, body = await town.pay(payer, "o1", 100_00)
    told = await public_events(town, Audience.PLATFORM)
    assert [event.type for event in told] == ["payment.captured", "order.paid", "draw.posted"]
    payment, order, draw = (json.decode(event.data) for event in told)
    assert (payment["id"], payment["fee_minor"]) == (body["id"], 60)
    assert (order["id"], order["state"], order["payment"]) == (body["order"], "paid", body["id"])
    assert (draw["id"], draw["amount_minor"]) == (body["funding"][0]["draw"], 100_00)
    assert [encode(Prefix.DRAW, told[2].object_id), told[0].object_id] == [
        draw["id"], decode(Prefix.PAYMENT, body["id"]),
    ]  # fmt: skip


async def test_a_merchant_reads_fraud_reasons_as_one(town: Town) -> None:
    [payer] = await town.people(outcome=Outcome.ALWAYS_DECLINED)
    status, body = await town.pay(payer, "o1", 100_00)
    assert (status, body["reasons"][0]["code"]) == (402, "unusual_payment")
    for audience, code in ((Audience.MERCHANT, "declined_by_risk"), (Audience.PLATFORM, "unusual_payment")):
        [event] = await public_events(town, audience)
        assert [reason["code"] for reason in json.decode(event.data)["reasons"]] == [code]


async def test_a_test_person_who_needs_a_passkey(town: Town) -> None:
    [payer] = await town.people(outcome=Outcome.NEEDS_PASSKEY)
    status, body = await town.pay(payer, "o1", 1_00, confirmation=Confirmation.PIN)
    assert (status, body["status"], body["next_action"]["needs"]) == (201, "requires_action", "passkey")
    status, problem = await town.confirm(payer, body, confirmation=Confirmation.PIN)
    assert (status, problem["code"]) == (403, "confirmation_failed")
    status, body = await town.confirm(payer, body, confirmation=Confirmation.PASSKEY)
    assert (status, body["status"], body["confirmed_by"]) == (200, "captured", "passkey")
