"""What can be asked of orders: in their own lane, but for the receipt, which is the payer's."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec.structs import replace

from wufeng import credit
from wufeng.base.claims import Answer
from wufeng.base.errors import Code, Problem, invalid_field, not_found
from wufeng.base.events import Event
from wufeng.base.lanes import Batch, Command
from wufeng.identity.merchants.model import MerchantStatus
from wufeng.payments.events import Kind
from wufeng.payments.orders import rules, store
from wufeng.payments.orders.model import Order, OrderState, OrderTerms
from wufeng.payments.orders.views import order_body
from wufeng.payments.pay.state import Desk
from wufeng.payments.shipments.store import forget_shipments
from wufeng.payments.turns import in_turns


class CreateOrder(Command, frozen=True, kw_only=True):
    """Make an order, in the bucket of its id. The number is the request's own name: safe to repeat."""

    terms: OrderTerms


class MoveOrder(Command, frozen=True, kw_only=True):
    """The merchant ships or closes an order. Submit it to the bucket of the order's id."""

    order_id: UUID
    merchant_id: UUID
    to: OrderState


class ConfirmReceipt(Command, frozen=True, kw_only=True):
    """The payer has the goods, or counts as having them: the draws of the payment may be billed from today on.

    Submit it to the payer's bucket, with the payer in `people`: the draws are there.
    """

    order_id: UUID
    payer_id: UUID


class ExpireOrders(Command, frozen=True, kw_only=True):
    """Close orders of a bucket that nobody paid in time; made by the timers."""

    limit: int = 200


async def create(batch: Batch, desk: Desk, commands: Sequence[CreateOrder]) -> list[Answer | Problem]:
    """Make orders: 201, or 200 for one that is there with the same amount; another amount is `order_no_reused`."""
    return await in_turns(
        commands, lambda command: command.terms.id, lambda turn: _create_distinct(batch, desk, turn)
    )


async def _create_distinct(
    batch: Batch, desk: Desk, commands: Sequence[CreateOrder]
) -> list[Answer | Problem]:
    merchants = await desk.merchants.load(batch.db, {command.terms.merchant_id for command in commands})
    answers: dict[UUID, Answer | Problem] = {}
    asked: list[CreateOrder] = []
    for command in commands:
        merchant = merchants.get(command.terms.merchant_id)
        if merchant is None or merchant.book_id != batch.book.id:
            answers[command.terms.id] = not_found("merchant")
        elif merchant.status is not MerchantStatus.ACTIVE:
            answers[command.terms.id] = Problem(Code.STATE_CONFLICT, "This merchant is closed.")
        elif command.terms.currency != batch.book.currency:
            detail = f"This book pays in {batch.book.currency}."
            answers[command.terms.id] = invalid_field("/currency", detail)
        else:
            asked.append(command)
    if asked:
        at = max(command.at for command in asked)
        terms = [command.terms for command in asked]
        existing = await store.insert_orders(batch.db, batch.book, terms, [None] * len(terms), at)
        for one in terms:
            answers[one.id] = _created(one, existing.get(one.id), Order.new(one, at))
    return [answers[command.terms.id] for command in commands]


def _created(asked: OrderTerms, existing: Order | None, new: Order) -> Answer | Problem:
    if existing is None:
        return Answer(201, order_body(new), asked.id)
    problem = rules.problem_if_other_terms(existing.terms, asked)
    return problem if problem is not None else Answer(200, order_body(existing), asked.id)


async def move(batch: Batch, desk: Desk, commands: Sequence[MoveOrder]) -> list[Answer | Problem]:  # noqa: ARG001
    """Ship or close orders. Doing it again changes nothing and answers the same.

    A shipment is told: the payer's bucket hears of it by the event (`shipments.follower`).
    """
    locked = await store.lock_orders(batch.db, batch.book, [command.order_id for command in commands])
    answers: list[Answer | Problem] = []
    moved: dict[UUID, OrderState] = {}
    for command in commands:
        order = locked.get(command.order_id)
        if order is None or order.terms.merchant_id != command.merchant_id:
            answers.append(not_found("order"))
            continue
        if order.state is not command.to:
            if (problem := rules.problem_if_no_move(order, command.to)) is not None:
                answers.append(problem)
                continue
            shipped_at = command.at if command.to is OrderState.SHIPPED else order.shipped_at
            order = locked[command.order_id] = replace(order, state=command.to, shipped_at=shipped_at)
            moved[command.order_id] = command.to
            if command.to is OrderState.SHIPPED:
                batch.events.append(_event(batch, Kind.ORDER_SHIPPED, order, command.at))
        answers.append(Answer(200, order_body(order), command.order_id))
    if moved:
        await store.move_orders(batch.db, batch.book, moved, max(command.at for command in commands))
    return answers


async def confirm_receipt(
    batch: Batch,
    desk: Desk,
    commands: Sequence[ConfirmReceipt],
) -> list[Answer | Problem]:
    """Confirm receipts: the order moves on, and its payment's draws become billable. Twice changes nothing."""
    locked = await store.lock_orders(batch.db, batch.book, [command.order_id for command in commands])
    answers: list[Answer | Problem] = []
    moved: dict[UUID, OrderState] = {}
    for command in commands:
        order = locked.get(command.order_id)
        if order is None or order.payer_id != command.payer_id or command.payer_id not in batch.people:
            answers.append(not_found("order"))
            continue
        if order.state is not OrderState.RECEIPT_CONFIRMED:
            if (problem := rules.problem_if_no_receipt(order)) is not None:
                answers.append(problem)
                continue
            order = replace(order, state=OrderState.RECEIPT_CONFIRMED, receipt_confirmed_at=command.at)
            locked[command.order_id] = order
            moved[command.order_id] = order.state
            assert order.payment_id is not None, "a paid order names its payment"
            on = batch.book.business_date(command.at)
            products = desk.catalogue.products
            await credit.make_billable(batch, products, order.payment_id, credit.BillableAt.RECEIPT, on)
            batch.events.append(_event(batch, Kind.ORDER_RECEIPT_CONFIRMED, order, command.at))
        answers.append(Answer(200, order_body(order), command.order_id))
    if moved:
        await store.move_orders(batch.db, batch.book, moved, max(command.at for command in commands))
    received = [id_ for id_, order in locked.items() if order.state is OrderState.RECEIPT_CONFIRMED]
    if received:
        await forget_shipments(batch.db, batch.book, received)
    return answers


def _event(batch: Batch, kind: Kind, order: Order, at: datetime) -> Event:
    on = batch.book.business_date(at)
    return Event(kind, order.terms.id, order_body(order), on, order.payer_id, order.terms.merchant_id)


async def expire_orders(
    batch: Batch,
    desk: Desk,  # noqa: ARG001  handlers of this context look alike
    commands: Sequence[ExpireOrders],
) -> list[Answer | Problem]:
    """Expire what nobody paid in time in this bucket."""
    at, limit = max(c.at for c in commands), max(c.limit for c in commands)
    expired = await store.expire_orders(batch.db, batch.bucket, at, limit)
    body = msgspec.json.encode({"expired": expired})
    return [Answer(200, body) for _ in commands]
