"""Orders: make one, read them, ship, close, confirm the receipt."""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from wufeng.api.bodies import (
    AmountMinor,
    Currency,
    Instant,
    ListQuery,
    OrderNo,
    ShortText,
    in_utc,
    starting_after,
)
from wufeng.api.payments import Metadata
from wufeng.api.routing import Call, Nothing, Route, reply, reply_list
from wufeng.base.claims import Answer
from wufeng.base.errors import invalid_field, not_found
from wufeng.base.ids import Prefix
from wufeng.identity import own_merchant
from wufeng.identity.merchants.model import NEVER_CREDITABLE, Scene
from wufeng.payments import (
    ConfirmReceipt,
    CreateOrder,
    MoveOrder,
    OrderState,
    OrderTerms,
    OrderView,
    Receipt,
    find_order,
    list_orders,
    order_id,
    view_order,
)
from wufeng.payments.orders.model import Channel

OFFERED_BY_MERCHANTS = (Channel.APP, Channel.CHECKOUT, Channel.DYNAMIC_CODE)
"""How a merchant's own orders are offered: printed codes and links make orders of their own."""


class NewOrder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be paid. `scene` defaults to the merchant's own."""

    order_no: OrderNo
    amount_minor: AmountMinor
    currency: Currency
    subject: ShortText
    scene: Scene | None = None
    receipt: Annotated[Receipt, Meta(description="confirm: billed after the payer has the goods")] = (
        Receipt.NONE
    )
    channel: Annotated[Channel, Meta(description="how it is offered: app, checkout or dynamic_code")] = (
        Channel.APP
    )
    expires_at: Instant | None = None
    metadata: Metadata | None = None


class OrderList(Struct, frozen=True, kw_only=True):
    """A page of orders, newest first."""

    data: list[OrderView]
    next: str | None
    has_more: bool


async def create_order(call: Call[NewOrder, Nothing]) -> Answer:
    """Make an order: its number is its own key. 200 for one that is there with the same amount."""
    body, services, book = call.body, call.services, call.book
    merchant_id = call.caller.merchant_id
    assert merchant_id is not None, "only merchants make orders"
    expires_at = in_utc(body.expires_at, "/expires_at")
    if expires_at is not None and expires_at <= call.at:
        raise invalid_field("/expires_at", "It has passed.")
    if body.channel not in OFFERED_BY_MERCHANTS:
        raise invalid_field("/channel", f"A merchant's order is one of {', '.join(OFFERED_BY_MERCHANTS)}.")
    async with services.database.read() as db:
        merchant = (await services.merchants.load(db, [merchant_id])).get(merchant_id)
    if merchant is None:
        raise not_found("merchant")
    # A merchant of a scene that credit never pays cannot hide it.
    hidden = body.scene is None or merchant.scene in NEVER_CREDITABLE
    terms = OrderTerms(
        id=order_id(merchant_id, body.order_no),
        merchant_id=merchant_id,
        order_no=body.order_no,
        amount_minor=body.amount_minor,
        currency=body.currency,
        subject=body.subject,
        scene=merchant.scene if hidden or body.scene is None else body.scene,
        receipt=body.receipt,
        expires_at=expires_at,
        metadata=msgspec.json.encode(body.metadata) if body.metadata else None,
        channel=body.channel,
    )
    command = CreateOrder(at=call.at, claim=call.claim, request_id=call.request_id, terms=terms)
    return await services.lanes.submit(book.bucket_of(terms.id), command)


async def get_orders(call: Call[Nothing, ListQuery]) -> Answer:
    """The merchant's orders, newest first."""
    merchant_id = call.caller.merchant_id
    assert merchant_id is not None, "only merchants list orders"
    after = starting_after(call.query, Prefix.ORDER, "order")
    async with call.services.database.read() as db:
        views = await list_orders(db, call.book, merchant_id, after, call.query.limit + 1)
    return reply_list(views, call.query.limit)


async def get_order(call: Call[Nothing, Nothing]) -> Answer:
    """One order."""
    async with call.services.database.read() as db:
        order = await find_order(db, call.book, call.path_id(Prefix.ORDER, "order"))
    if order is None:
        raise not_found("order")
    own_merchant(call.caller, order.terms.merchant_id, "order")
    return reply(view_order(order))


async def ship_order(call: Call[Nothing, Nothing]) -> Answer:
    """The goods are on their way."""
    return await _move(call, OrderState.SHIPPED)


async def close_order(call: Call[Nothing, Nothing]) -> Answer:
    """Close an order that nobody has paid or is paying."""
    return await _move(call, OrderState.CLOSED)


async def _move(call: Call[Nothing, Nothing], to: OrderState) -> Answer:
    merchant_id = call.caller.merchant_id
    assert merchant_id is not None, "only merchants move orders"
    id_ = call.path_id(Prefix.ORDER, "order")
    command = MoveOrder(at=call.at, request_id=call.request_id, order_id=id_, merchant_id=merchant_id, to=to)
    return await call.services.lanes.submit(call.book.bucket_of(id_), command)


async def confirm_receipt(call: Call[Nothing, Nothing]) -> Answer:
    """The payer has the goods: what was drawn for them may be billed from today on."""
    payer_id = call.caller.person_id
    assert payer_id is not None, "only people confirm a receipt"
    command = ConfirmReceipt(
        at=call.at,
        people=(payer_id,),
        request_id=call.request_id,
        order_id=call.path_id(Prefix.ORDER, "order"),
        payer_id=payer_id,
    )
    return await call.services.lanes.submit(call.book.bucket_of(payer_id), command)


ROUTES = (
    Route(
        method="POST",
        path="/v1/orders",
        operation="create_order",
        summary="Make an order",
        handle=create_order,
        body=NewOrder,
        answers={200: OrderView, 201: OrderView},
    ),
    Route(
        method="GET",
        path="/v1/orders",
        operation="list_orders",
        summary="Orders of the merchant, newest first",
        handle=get_orders,
        query=ListQuery,
        answers={200: OrderList},
    ),
    Route(
        method="GET",
        path="/v1/orders/{id}",
        operation="get_order",
        summary="One order",
        handle=get_order,
        answers={200: OrderView},
    ),
    Route(
        method="POST",
        path="/v1/orders/{id}/confirm_receipt",
        operation="confirm_receipt",
        summary="The payer has the goods",
        handle=confirm_receipt,
        answers={200: OrderView},
    ),
    Route(
        method="POST",
        path="/v1/orders/{id}/ship",
        operation="ship_order",
        summary="The goods are on their way",
        handle=ship_order,
        answers={200: OrderView},
    ),
    Route(
        method="POST",
        path="/v1/orders/{id}/close",
        operation="close_order",
        summary="Close an unpaid order",
        handle=close_order,
        answers={200: OrderView},
    ),
)
