"""Offers for product pages, and quotes: the priced ways to pay one thing."""

from uuid import UUID

from msgspec import Struct

from wufeng.api.bodies import AmountMinor, MerchantId, OrderId, PersonId
from wufeng.api.routing import Call, Nothing, Route, reply
from wufeng.base.claims import Answer
from wufeng.base.errors import invalid_field
from wufeng.base.ids import Prefix, decode
from wufeng.identity import CallerKind
from wufeng.identity.merchants.model import NEVER_CREDITABLE, Scene
from wufeng.payments import (
    Asked,
    OfferView,
    OrderTerms,
    QuoteView,
    create_quote,
    find_order,
    list_offers,
)
from wufeng.payments.orders.model import Order


class OffersQuery(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a product page asks for. `scene` defaults to the merchant's own."""

    merchant: MerchantId
    amount_minor: AmountMinor
    scene: Scene | None = None


class OfferList(Struct, frozen=True, kw_only=True):
    """All the offers there are."""

    data: list[OfferView]
    next: None
    has_more: bool


class NewQuote(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order, or an amount at a merchant; with a payer it says what is open to them now."""

    order: OrderId | None = None
    merchant: MerchantId | None = None
    amount_minor: AmountMinor | None = None
    scene: Scene | None = None
    payer: PersonId | None = None


async def get_offers(call: Call[Nothing, OffersQuery]) -> Answer:
    """What an amount costs with credit at a merchant, with its annualised rate. Nobody need be known."""
    query, services = call.query, call.services
    async with services.database.read() as db:
        views = await list_offers(
            db,
            services.catalogue,
            services.merchants,
            call.book,
            decode(Prefix.MERCHANT, query.merchant),
            query.amount_minor,
            query.scene,
            call.at,
            call.language,
        )
    return reply(OfferList(data=views, next=None, has_more=False))


async def post_quote(call: Call[NewQuote, Nothing]) -> Answer:
    """Price the ways to pay. The prices hold for fifteen minutes."""
    services = call.services
    order = await _order(call)
    asked = _of_order(call, order.terms) if order is not None else await _of_merchant(call)
    view = await create_quote(
        services.database,
        services.ids,
        services.catalogue,
        services.merchants,
        call.book,
        asked,
        order,
        call.at,
    )
    return reply(view, 201, decode(Prefix.QUOTE, view.id))


async def _order(call: Call[NewQuote, Nothing]) -> Order | None:
    body = call.body
    if body.order is None:
        return None
    for name in ("merchant", "amount_minor", "scene"):
        if getattr(body, name) is not None:
            raise invalid_field(f"/{name}", "The order says it: leave it out.")
    async with call.services.database.read() as db:
        found = await find_order(db, call.book, decode(Prefix.ORDER, body.order))
    if found is None or call.caller.merchant_id not in (None, found.terms.merchant_id):
        raise invalid_field("/order", "There is no such order.")
    return found


def _of_order(call: Call[NewQuote, Nothing], order: OrderTerms) -> Asked:
    return Asked(
        merchant_id=order.merchant_id,
        order_id=order.id,
        amount_minor=order.amount_minor,
        scene=order.scene,
        payer_id=_payer(call),
        shows_wallet=call.caller.kind is CallerKind.PERSON,
        language=call.language,
    )


async def _of_merchant(call: Call[NewQuote, Nothing]) -> Asked:
    body, services = call.body, call.services
    named = decode(Prefix.MERCHANT, body.merchant) if body.merchant is not None else None
    merchant_id = call.caller.merchant_id or named
    if merchant_id is None:
        raise invalid_field("/merchant", "Name an order, or a merchant and an amount.")
    if named not in (None, merchant_id):
        raise invalid_field("/merchant", "There is no such merchant.")
    if body.amount_minor is None:
        raise invalid_field("/amount_minor", "Name an order, or a merchant and an amount.")
    async with services.database.read() as db:
        merchant = (await services.merchants.load(db, [merchant_id])).get(merchant_id)
    if merchant is None or merchant.book_id != call.book.id:
        raise invalid_field("/merchant", "There is no such merchant.")
    # As in a payment: a person cannot choose the scene, and a merchant of a forbidden one cannot hide it.
    fixed = call.caller.kind is CallerKind.PERSON or merchant.scene in NEVER_CREDITABLE
    return Asked(
        merchant_id=merchant_id,
        order_id=None,
        amount_minor=body.amount_minor,
        scene=merchant.scene if fixed or body.scene is None else body.scene,
        payer_id=_payer(call),
        shows_wallet=call.caller.kind is CallerKind.PERSON,
        language=call.language,
    )


def _payer(call: Call[NewQuote, Nothing]) -> UUID | None:
    named = decode(Prefix.PERSON, call.body.payer) if call.body.payer is not None else None
    if call.caller.kind is CallerKind.PERSON:
        if named not in (None, call.caller.person_id):
            raise invalid_field("/payer", "A person asks for themselves: leave it out.")
        return call.caller.person_id
    return named


ROUTES = (
    Route(
        method="GET",
        path="/v1/offers",
        operation="list_offers",
        summary="What an amount costs with credit",
        handle=get_offers,
        query=OffersQuery,
        answers={200: OfferList},
        any_site=True,
    ),
    Route(
        method="POST",
        path="/v1/quotes",
        operation="create_quote",
        summary="Price the ways to pay",
        handle=post_quote,
        body=NewQuote,
        answers={201: QuoteView},
    ),
)
