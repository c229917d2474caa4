"""What a bill's plan asks of the bill's purchases. Reads the rows of bills and draws; keeps none of its own."""

from wufeng.base.database import Connection
from wufeng.credit.bill_plans.rules import small_of
from wufeng.credit.bills import store as bills
from wufeng.credit.bills.model import Bill
from wufeng.credit.draws import store as draws
from wufeng.credit.products.model import Product


async def load_small(db: Connection, bucket: int, bill: Bill, product: Product) -> int:
    """Principal of a bill that is not split because its purchases are too small."""
    bounds = product.instalments.bills
    if bounds is None or not bounds.purchase_least_minor:
        return 0
    items = (await bills.load_items(db, bucket, [bill.id]))[bill.id].items
    on_bill = await draws.load_draws(db, bucket, {item.draw_id for item in items})
    return small_of(items, on_bill, product)
