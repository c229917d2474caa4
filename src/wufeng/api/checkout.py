"""Checkout sessions: the hosted page of one order."""

from typing import Annotated

from msgspec import Meta, Struct

from wufeng.api.bodies import OrderId, Ppm
from wufeng.api.routing import Call, Nothing, Route, reply
from wufeng.base.claims import Answer
from wufeng.base.errors import not_found
from wufeng.base.ids import Prefix, decode
from wufeng.identity import own_merchant
from wufeng.payments import (
    CheckoutView,
    NewSession,
    cancel_checkout,
    create_checkout,
    expire_checkout,
    find_order,
    load_checkout,
    view_session,
)

WayBack = Annotated[
    str, Meta(max_length=2000, pattern=r"^https?://[!-~]+$", examples=["https://shop.example/orders/A-1001"])
]


class NewCheckout(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page for an order. Without tenors all that the products in force have may be chosen.

    return_url  where the page sends people back to; cancel_url: where those go who did not pay
    Both get `checkout` and `status` as parameters, which prove nothing: ask for the session, or wait for the event.
    """

    order: OrderId
    return_url: WayBack
    cancel_url: WayBack | None = None
    tenors: Annotated[tuple[Annotated[int, Meta(ge=1, le=60)], ...], Meta(max_length=16)] = ()
    merchant_fee_share_ppm: Ppm = 0


async def create_checkout_session(call: Call[NewCheckout, Nothing]) -> Answer:
    """Open the page of an order. The newest page of an order is the one that binds."""
    body, services = call.body, call.services
    assert call.caller.merchant_id is not None, "only merchants open checkouts"
    new = NewSession(
        merchant_id=call.caller.merchant_id,
        order_id=decode(Prefix.ORDER, body.order),
        return_url=body.return_url,
        cancel_url=body.cancel_url,
        tenors=body.tenors,
        merchant_fee_share_ppm=body.merchant_fee_share_ppm,
    )
    view = await create_checkout(
        services.database, services.ids, services.catalogue, services.merchants, call.book, new, call.at
    )
    return reply(view, 201, decode(Prefix.CHECKOUT_SESSION, view.id))


async def get_checkout_session(call: Call[Nothing, Nothing]) -> Answer:
    """One page, and whether its order has been paid."""
    session_id = call.path_id(Prefix.CHECKOUT_SESSION, "checkout session")
    async with call.services.database.read() as db:
        session = await load_checkout(db, call.book, session_id)
        if session is None:
            raise not_found("checkout session")
        own_merchant(call.caller, session.merchant_id, "checkout session")
        order = await find_order(db, call.book, session.order_id)
    assert order is not None, "an order is kept for ever"
    return reply(view_session(session, order, call.at))


async def expire_checkout_session(call: Call[Nothing, Nothing]) -> Answer:
    """End a page before its time."""
    assert call.caller.merchant_id is not None, "only merchants end checkouts"
    session_id = call.path_id(Prefix.CHECKOUT_SESSION, "checkout session")
    return reply(
        await expire_checkout(call.services.database, call.book, session_id, call.caller.merchant_id, call.at)
    )


async def cancel_checkout_session(call: Call[Nothing, Nothing]) -> Answer:
    """Say that one does not pay on this page. Whoever has the page may: its id cannot be guessed."""
    session_id = call.path_id(Prefix.CHECKOUT_SESSION, "checkout session")
    return reply(await cancel_checkout(call.services.database, call.book, session_id, call.at))


ROUTES = (
    Route(
        method="POST",
        path="/v1/checkout_sessions",
        operation="create_checkout_session",
        summary="Open the hosted page of an order",
        handle=create_checkout_session,
        body=NewCheckout,
        answers={201: CheckoutView},
    ),
    Route(
        method="GET",
        path="/v1/checkout_sessions/{id}",
        operation="get_checkout_session",
        summary="One checkout session",
        handle=get_checkout_session,
        answers={200: CheckoutView},
    ),
    Route(
        method="POST",
        path="/v1/checkout_sessions/{id}/expire",
        operation="expire_checkout_session",
        summary="End a checkout session",
        handle=expire_checkout_session,
        answers={200: CheckoutView},
    ),
    Route(
        method="POST",
        path="/v1/checkout_sessions/{id}/cancel",
        operation="cancel_checkout_session",
        summary="Do not pay on this page",
        handle=cancel_checkout_session,
        answers={200: CheckoutView},
    ),
)
