"""The shop's pages: the shelf, a product with its offer, buying, the order, and the ear for webhooks."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from msgspec import Struct

from wufeng.base.errors import Code, Problem, not_found
from wufeng.client import ApiProblem, InlineOrder, NotOurs, Order, OutcomeUnknown
from wufeng.client.orders import Offer
from wufeng.web.merchant.take import own_address
from wufeng.web.notices import Notice
from wufeng.web.paging import Door, Page, Reply, Visit, pages_of
from wufeng.web.shop import office
from wufeng.web.shop.goods import PRODUCTS, Product

ROUNDS = 15 * 60
LOOKS_EVERY_S = 1.0


class Standing(Struct, frozen=True):
    """What the shop knows of an order. `state`: waiting, taken (the bank's page says so, its message has not come),
    asked (confirmed by asking: this process was not there when the message came), paid (by a verified webhook), over.

    checkout  where it can still be paid; empty: the shop does not know
    """

    state: str
    order_no: str
    subject: str
    amount_minor: int
    currency: str
    notice: Notice | None
    checkout: str = ""


async def shelf(visit: Visit) -> Reply:
    """All there is."""
    _refuse_without_shop(visit)
    return _show(visit, "shop/shelf.html", products=list(PRODUCTS.values()))


async def show_product(visit: Visit) -> Reply:
    """One product: its price, and what it costs in instalments, as the API offers it to anybody."""
    _refuse_without_shop(visit)
    product = _product(visit)
    settings = visit.services.settings
    return _show(
        visit,
        "shop/product.html",
        product=product,
        offer=await _offer(visit, product),
        merchant=settings.demo_shop_merchant or "",
        book=settings.demo_shop_book or "",
    )


async def buy(visit: Visit) -> Reply:
    """Make the order and its checkout, and send the buyer there. The form's key names the order."""
    _refuse_without_shop(visit)
    product, key = _product(visit), visit.key()
    order_no = f"{product.slug.upper()}-{key[:16]}"
    order = InlineOrder(
        order_no=order_no,
        amount_minor=product.price_minor,
        currency=visit.book.currency,
        subject=visit.gettext(product.name),
    )
    back = f"{own_address(visit)}/shop/orders/{order_no}"
    async with office.connect(visit.services.settings, visit.language) as api:
        try:
            visit.site.notices.sell(order_no)
            made = await api.orders.create(order)
            session = await api.checkout_sessions.create(order=made.id, return_url=back)
            visit.site.notices.sell(order_no, session.url)
        except ApiProblem as problem:
            if problem.code in (Code.ORDER_TAKEN, Code.ORDER_NO_REUSED):
                return visit.go(f"/shop/orders/{order_no}")
            raise
    return visit.go(session.url)


async def show_order(visit: Visit) -> Reply:
    """One order. It is paid when a webhook has said so."""
    _refuse_without_shop(visit)
    return _show(visit, "shop/order.html", standing=await _standing(visit))


async def live(visit: Visit) -> Reply:
    """The same as it comes: an event at each change."""
    _refuse_without_shop(visit)
    standing = await _standing(visit)
    return Reply(media_type="text/event-stream", stream=_changes(visit, standing, visit.field("seen")))


async def hear(visit: Visit) -> Reply:
    """A webhook. What the secret has not signed changes nothing."""
    _refuse_without_shop(visit)
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in visit.headers.items()}
    try:
        office.hear(
            visit.services.settings, visit.site.notices, headers, visit.raw, visit.services.clock.now()
        )
    except NotOurs:
        raise Problem(Code.UNAUTHENTICATED, "The signature is not the sender's.") from None
    return Reply(status=204)


async def _standing(visit: Visit) -> Standing:
    """What is known: first from the webhook, else by asking. An order that the shop never made is not there."""
    settings, order_no = visit.services.settings, visit.values["id"]
    try:
        async with office.connect(settings, visit.language) as api:
            order = await office.find(api, order_no)
    except OutcomeUnknown:
        raise Problem(Code.OVERLOADED, "The bank does not answer.") from None
    if order is None:
        raise not_found("order")
    notice = visit.site.notices.of(order_no)
    if notice is not None:
        return _stands("paid", order, notice)
    if order.state in office.PAID_STATES:
        return _stands("taken" if visit.site.notices.sold(order_no) else "asked", order, None)
    if order.state != "open":
        return _stands("over", order, None)
    return _stands("waiting", order, None, visit.site.notices.checkout_of(order_no))


def _stands(state: str, order: Order, notice: Notice | None, checkout: str = "") -> Standing:
    return Standing(
        state, order.order_no, order.subject, order.amount_minor, order.currency, notice, checkout
    )


async def _changes(visit: Visit, first: Standing, seen: str) -> AsyncIterator[bytes]:
    """Looks once a second at what webhooks have said, and once in ten asks."""
    standing = first
    for number in range(ROUNDS):
        if standing.state != seen:
            html = visit.show("shop/_standing.html", standing=standing).body.decode()
            lines = "".join(f"data: {line}\n" for line in html.splitlines() if line.strip())
            yield f"event: state\n{lines}\n".encode()
            seen = standing.state
        if standing.state in ("paid", "asked", "over"):
            await asyncio.sleep(
                3 * LOOKS_EVERY_S
            )  # for the browser to end it: what breaks off is looked at again
            return
        await asyncio.sleep(LOOKS_EVERY_S)
        yield b": still here\n\n"
        if visit.site.notices.of(standing.order_no) is not None or number % 10 == 9:
            standing = await _standing(visit)


async def _offer(visit: Visit, product: Product) -> Offer | None:
    """The offer with the fewest instalments above one."""
    async with office.connect(visit.services.settings, visit.language) as api:
        merchant = visit.services.settings.demo_shop_merchant
        found = await office.offers(api, merchant or "", product.price_minor)
    several = sorted((offer for offer in found if offer.tenor > 1), key=lambda offer: offer.tenor)
    return several[0] if several else None


def _product(visit: Visit) -> Product:
    product = PRODUCTS.get(visit.values["id"])
    if product is None:
        raise not_found("product")
    return product


def _refuse_without_shop(visit: Visit) -> None:
    settings = visit.services.settings
    if settings.demo_shop_key is None or settings.demo_shop_webhook_secret is None:
        raise not_found("page")


def _show(visit: Visit, template: str, **context: Any) -> Reply:
    return visit.show(template, shop_name=office.NAME, t=visit.gettext, **context)


page = pages_of(Door.CONSUMER)

PAGES = (
    page("GET", "/shop", "shop", shelf),
    page("GET", "/shop/products/{id}", "shop_product", show_product),
    page("POST", "/shop/products/{id}", "shop_buy", buy),
    page("GET", "/shop/orders/{id}", "shop_order", show_order),
    page("GET", "/shop/orders/{id}/live", "shop_order", live),
    Page(
        method="POST",
        path="/shop/webhook",
        operation="shop_webhook",
        door=Door.CONSUMER,
        handle=hear,
        raw=True,
    ),
)
