"""Shipment and receipt: told in the order's bucket, taken once in the payer's, and confirmed after some days."""

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace
from tests.payments.conftest import TODAY, Payer, Town

from wufeng import credit, payments
from wufeng.base import faults
from wufeng.base.followers import Followers
from wufeng.base.ids import Prefix, decode
from wufeng.credit.draws.model import draw_id
from wufeng.credit.products.model import BillableAt, Billing
from wufeng.payments.orders.model import OrderState, Receipt, order_id


async def buy(
    town: Town, payer: Payer, order_no: str, *, receipt: Receipt = Receipt.CONFIRM, **more: Any
) -> UUID:
    """A stored order, paid; returns the payment."""
    order = town.terms(order_no, 10_000, receipt=receipt)
    await town.ask(town.book.bucket_of(order.id), payments.CreateOrder(at=town.at, terms=order))
    status, body = await town.pay(payer, order_no, 10_000, receipt=receipt, **more)
    assert status == 201, body
    return decode(Prefix.PAYMENT, body["id"])


def billed_by(town: Town, event: BillableAt, confirm_after_days: int | None = 10) -> None:
    """From now on, draws of the monthly bill are billable from that event on."""
    product = town.catalogue.products.version("monthly_bill", 1)
    billing = Billing(billable_at=event, confirm_after_days=confirm_after_days)
    town.catalogue.products.add([replace(product, version=2, billing=billing)])


async def ship(town: Town, order_no: str) -> tuple[int, dict[str, Any]]:
    id_ = order_id(town.merchant_id, order_no)
    command = payments.MoveOrder(
        at=town.at, order_id=id_, merchant_id=town.merchant_id, to=OrderState.SHIPPED
    )
    return await town.ask(town.book.bucket_of(id_), command)


async def receive(town: Town, payer: Payer, order_no: str) -> tuple[int, dict[str, Any]]:
    id_ = order_id(town.merchant_id, order_no)
    command = payments.ConfirmReceipt(at=town.at, people=(payer.id,), order_id=id_, payer_id=payer.id)
    return await town.ask(payer.bucket, command)


async def follow(town: Town) -> None:
    await Followers(town.database, [payments.shipments_follower(town.lanes, town.books)]).catch_up()


async def billable_on(town: Town, payer: Payer, payment_id: UUID) -> date | None:
    rows = await town.fetch(
        "select billable_on from draw where bucket = $1 and id = $2", payer.bucket, draw_id(payment_id)
    )
    found: date | None = rows[0]["billable_on"]
    return found


async def waiting(town: Town) -> list[date]:
    return [row["confirm_on"] for row in await town.fetch("select confirm_on from shipment")]


async def close(town: Town, closed_on: date) -> list[int]:
    """Run the step of the close in all buckets; returns its rows."""
    (step,) = payments.receipt_steps()
    rows = []
    for bucket in town.book.buckets:
        done = await step.run(credit.DayClose(town.lanes, town.book, bucket, closed_on))
        assert done.errors == ()
        rows.append(done.rows)
    return rows


def names_of(town: Town, other_than: int) -> tuple[str, str]:
    """Two order numbers: one whose order lives in that bucket, one in another."""
    found: dict[bool, str] = {}
    for n in range(100):
        here = town.book.bucket_of(order_id(town.merchant_id, f"S-{n}")) == other_than
        found.setdefault(here, f"S-{n}")
    return found[True], found[False]


async def test_a_shipment_makes_draws_billable_in_the_payers_bucket_whichever_it_is(town: Town) -> None:
    billed_by(town, BillableAt.SHIPMENT)
    [payer] = await town.people()
    for order_no in names_of(town, payer.bucket):
        payment = await buy(town, payer, order_no)
        assert await billable_on(town, payer, payment) is None
        town.turn(days=1)
        shipped_on = town.book.business_date(town.at)
        assert (await ship(town, order_no))[1]["state"] == "shipped"
        assert await billable_on(town, payer, payment) is None, "two buckets: not before the follower"
        town.turn(hours=5)
        await follow(town)
        assert await billable_on(town, payer, payment) == shipped_on
    assert (await town.kinds()).count("order.shipped") == 2
    [line] = await town.fetch("select next_bill_on from line where id = $1", payer.line_id)
    assert line["next_bill_on"] == date(2026, 10, 1)


async def test_a_shipment_is_told_once_to_merchant_and_payer(town: Town) -> None:
    [payer] = await town.people()
    await buy(town, payer, "B-1")
    first, again = await ship(town, "B-1"), await ship(town, "B-1")
    assert first == again
    [event] = await town.fetch("select person_id, merchant_id from event where kind = 'order.shipped'")
    assert (event["person_id"], event["merchant_id"]) == (payer.id, town.merchant_id)
    assert "order.shipped" in payments.EVENT_TYPES


async def test_an_order_in_another_state_is_not_shipped(town: Town) -> None:
    [payer] = await town.people()
    order = town.terms("B-1", 10_000)
    await town.ask(town.book.bucket_of(order.id), payments.CreateOrder(at=town.at, terms=order))
    assert (await ship(town, "B-1"))[1]["code"] == "state_conflict"
    await buy(town, payer, "B-2")
    await receive(town, payer, "B-2")
    assert (await ship(town, "B-2"))[1]["code"] == "state_conflict"
    assert "order.shipped" not in await town.kinds()


@pytest.mark.parametrize(
    ("point", "passed"), [("shipments_told", 1), ("follower_acted", 2), ("follower_moved", 2)]
)
async def test_a_crash_between_the_two_buckets_tells_it_again_and_changes_nothing(
    town: Town, monkeypatch: pytest.MonkeyPatch, point: str, passed: int
) -> None:
    billed_by(town, BillableAt.SHIPMENT)
    [payer] = await town.people()
    _, elsewhere = names_of(town, payer.bucket)
    payment = await buy(town, payer, elsewhere)
    await ship(town, elsewhere)
    seen: list[str] = []

    def die(name: str) -> None:
        seen.append(name)
        if seen.count(point) == passed:  # the payer's own bucket, which has nothing to do, passes first
            raise faults.FaultInjected(name)

    with monkeypatch.context() as patch, pytest.raises(faults.FaultInjected):
        patch.setattr(faults, "point", die)
        await follow(town)
    assert await billable_on(town, payer, payment) == TODAY, "the payer's lane has committed"
    assert await waiting(town) == []
    [before] = await town.fetch("select xmin::text from draw where id = $1", draw_id(payment))
    town.turn(days=2)
    await follow(town)
    assert await billable_on(town, payer, payment) == TODAY
    assert await town.fetch("select xmin::text from draw where id = $1", draw_id(payment)) == [before]
    assert await waiting(town) == [TODAY + timedelta(days=10)]


async def test_a_crash_before_the_payers_bucket_heard_leaves_it_to_the_next(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    billed_by(town, BillableAt.SHIPMENT)
    [payer] = await town.people()
    payment = await buy(town, payer, "B-1")
    await ship(town, "B-1")

    def die(name: str) -> None:
        if name == "before_commit":
            raise faults.FaultInjected(name)

    with monkeypatch.context() as patch, pytest.raises(Exception, match="internal"):
        patch.setattr(faults, "point", die)
        await follow(town)
    assert await billable_on(town, payer, payment) is None
    await follow(town)
    assert await billable_on(town, payer, payment) == TODAY


async def test_where_the_receipt_counts_a_shipment_waits_for_it(town: Town) -> None:
    billed_by(town, BillableAt.RECEIPT)
    [payer] = await town.people()
    payment = await buy(town, payer, "B-1")
    await ship(town, "B-1")
    await follow(town)
    assert await billable_on(town, payer, payment) is None
    assert await waiting(town) == [TODAY + timedelta(days=10)]
    town.turn(days=3)
    assert (await receive(town, payer, "B-1"))[1]["state"] == "receipt_confirmed"
    assert await billable_on(town, payer, payment) == TODAY + timedelta(days=3)
    assert await waiting(town) == []


async def test_a_receipt_counts_as_confirmed_after_the_days_of_the_draws_product(town: Town) -> None:
    billed_by(town, BillableAt.RECEIPT, 7)
    [payer] = await town.people()
    for order_no in names_of(town, payer.bucket):
        payment = await buy(town, payer, order_no)
        await ship(town, order_no)
    await follow(town)
    seventh = TODAY + timedelta(days=7)
    town.turn(days=6)
    assert sum(await close(town, seventh - timedelta(days=2))) == 0
    town.turn(days=1)
    assert sum(await close(town, seventh - timedelta(days=1))) == 2
    assert await billable_on(town, payer, payment) == seventh
    orders = await town.fetch("select state, receipt_confirmed_at from merchant_order")
    assert {order["state"] for order in orders} == {"receipt_confirmed"}
    assert {order["receipt_confirmed_at"] for order in orders} == {town.book.start_of(seventh)}
    assert (await town.kinds()).count("order.receipt_confirmed") == 2
    assert sum(await close(town, seventh)) == 0
    assert await waiting(town) == []


async def test_two_closers_confirm_once(town: Town) -> None:
    [payer] = await town.people()
    for n in range(4):
        await buy(town, payer, f"B-{n}")
        await ship(town, f"B-{n}")
    await follow(town)
    town.turn(days=10)
    tenth = TODAY + timedelta(days=10)
    await asyncio.gather(*(close(town, tenth - timedelta(days=1)) for _ in range(2)))
    assert (await town.kinds()).count("order.receipt_confirmed") == 4
    assert await waiting(town) == []


async def test_where_only_the_person_confirms_nobody_else_does(town: Town) -> None:
    billed_by(town, BillableAt.RECEIPT, None)
    [payer] = await town.people()
    payment = await buy(town, payer, "B-1")
    await ship(town, "B-1")
    await follow(town)
    assert await waiting(town) == []
    town.turn(days=90)
    assert sum(await close(town, TODAY + timedelta(days=89))) == 0
    assert await billable_on(town, payer, payment) is None


async def test_an_order_that_nobody_ships_waits(town: Town) -> None:
    [payer] = await town.people()
    payment = await buy(town, payer, "B-1")
    await follow(town)
    town.turn(days=90)
    assert sum(await close(town, TODAY + timedelta(days=89))) == 0
    assert await billable_on(town, payer, payment) is None


async def test_a_receipt_before_its_shipment_was_heard_of_is_not_waited_for(town: Town) -> None:
    [payer] = await town.people()
    await buy(town, payer, "B-1")
    await ship(town, "B-1")
    await receive(town, payer, "B-1")
    await follow(town)
    town.turn(days=10)
    assert sum(await close(town, TODAY + timedelta(days=9))) == 1
    assert (await town.kinds()).count("order.receipt_confirmed") == 1
    assert await waiting(town) == []


async def test_a_payment_from_a_wallet_is_received_too(town: Town) -> None:
    [payer] = await town.people(wallet_minor=10_000)
    funding = payments.Funding(use_wallet=True, line_id=None)
    await buy(town, payer, "B-1", funding=funding)
    await ship(town, "B-1")
    await follow(town)
    assert await waiting(town) == [TODAY + timedelta(days=10)], "the days of no product: ten"


async def test_an_order_without_receipt_waits_for_nothing(town: Town) -> None:
    [payer] = await town.people()
    payment = await buy(town, payer, "B-1", receipt=Receipt.NONE)
    assert await billable_on(town, payer, payment) == TODAY
    assert (await ship(town, "B-1"))[1]["state"] == "shipped"
    await follow(town)
    assert await waiting(town) == []
