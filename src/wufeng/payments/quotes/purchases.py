"""An order as an application for credit sees it: in which ways it may be paid, and what its merchant carries."""

from datetime import datetime
from uuid import UUID

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.credit import Product
from wufeng.credit.applications.model import Application, Offered, OrderWay, Purchase
from wufeng.credit.products.commands import Products
from wufeng.credit.products.model import Mode
from wufeng.payments.campaigns.queries import offered_at
from wufeng.payments.campaigns.rules import price_ways
from wufeng.payments.checkout.queries import bounds_of_order
from wufeng.payments.orders.model import OrderTerms
from wufeng.payments.orders.queries import find_order
from wufeng.payments.orders.rules import waits_to_be_paid
from wufeng.payments.quotes.rules import NO_BOUNDS


async def purchase_still(
    db: Connection, book: Book, products: Products, found: Application, at: datetime
) -> Purchase | None:
    """The order that an application was made for, as it may be paid now from a line of what it offers.

    None where it was made for none, the order does not wait to be paid any more, or its product is given no more.
    """
    order = await find_order(db, book, found.order_id) if found.order_id is not None else None
    product = products.current(found.product, book.business_date(at))
    if order is None or product is None or not waits_to_be_paid(order, at):
        return None
    if isinstance(found.decision, Offered):
        product = product.at_tier(found.decision.tier)
    return await purchase_of(db, book, order.terms, product, found.mode, found.person_id, at)


async def purchase_of(
    db: Connection,
    book: Book,
    order: OrderTerms,
    product: Product,
    mode: Mode | None,
    payer_id: UUID,
    at: datetime,
) -> Purchase:
    """The order as a payment of now from a line of that product would be bound and priced: by the tenors and the share
    of its live checkout session, and by its merchant's campaigns.

    mode  one that the product has not is as none: who applies is told so when it is decided
    An order of a scene that the product never pays has no ways.
    """
    if product.scenes.refuse(order.scene):
        return Purchase(order.id, order.amount_minor, order.scene, ())
    on = book.business_date(at)
    bounds = await bounds_of_order(db, book, order.id, at)
    offered = await offered_at(db, book, order.merchant_id, on, payer_id)
    if bounds is None and not offered:
        return Purchase(order.id, order.amount_minor, order.scene)
    bounds, amount_minor = bounds or NO_BOUNDS, order.amount_minor
    calendar = product.calendar_in(mode if mode in product.modes else product.modes[0], on)
    priced = price_ways(
        product,
        calendar,
        amount_minor,
        amount_minor,
        bounds.merchant_share_ppm,
        bounds.tenors or None,
        offered,
        on,
    )
    ways = tuple(OrderWay(way.price.tenor, way.merchant_share_ppm) for way in priced)
    return Purchase(order.id, amount_minor, order.scene, ways)
