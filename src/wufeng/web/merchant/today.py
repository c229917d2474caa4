"""Today: sales and refunds of the business date, what the next settlement will bring, the latest orders."""

from wufeng import ledger
from wufeng.base.database import Connection
from wufeng.identity.merchants.model import Merchant
from wufeng.payments.orders.queries import orders_of
from wufeng.payments.pay.queries import sales_of
from wufeng.payments.refunds.queries import refunds_since
from wufeng.payments.settlements.queries import list_settlements
from wufeng.web.merchant.orders import shown_orders
from wufeng.web.paging import Door, Reply, Visit, pages_of

LATEST = 8


async def today(visit: Visit) -> Reply:
    """The day in four figures, and the latest orders."""
    book, merchant_id = visit.book, visit.caller.id
    on = book.business_date(visit.at)
    async with visit.services.database.read() as db:
        merchant = await merchant_of(visit, db)
        sales = await sales_of(db, book, merchant_id, on)
        refunds, refunded_minor = await refunds_since(db, book, merchant_id, on)
        payable = ledger.account_id(merchant_id, ledger.AccountKind.MERCHANT_PAYABLE)
        balances = await ledger.folded_balances(db, book.buckets, [payable])
        settlements = await list_settlements(db, book, merchant_id, None, None, None, 1)
        latest = await shown_orders(visit, db, await orders_of(db, book, merchant_id, None, LATEST))
    return visit.show(
        "merchant/today.html",
        merchant=merchant,
        on=on,
        sales=sales,
        refunds=refunds,
        refunded_minor=refunded_minor,
        payable_minor=-balances[payable],
        last=settlements[0] if settlements else None,
        latest=latest,
        at="today",
    )


async def merchant_of(visit: Visit, db: Connection) -> Merchant:
    """The visitor."""
    found = await visit.services.merchants.load(db, [visit.caller.id])
    return found[visit.caller.id]


page = pages_of(Door.MERCHANT)

PAGES = (page("GET", "/merchant", "merchant_today", today),)
