"""What runs out of time, bucket by bucket: the timers and a turned clock call this."""

from datetime import datetime

from wufeng.base.books import Book
from wufeng.base.lanes import Lanes
from wufeng.payments.orders.commands import ExpireOrders
from wufeng.payments.pay.model import ExpirePayments
from wufeng.payments.pay.store import payers_of_due_payments

AT_ONCE = 200


async def expire_due(lanes: Lanes, book: Book, at: datetime) -> int:
    """Expire payments and orders of a book that are due at an instant of its clock; returns how many payments.

    Safe to repeat and to run in several processes: what has ended is not found again.
    """
    ended = 0
    for bucket in book.buckets:
        while True:
            async with lanes.database.read() as db:
                payers = await payers_of_due_payments(db, bucket, at, AT_ONCE)
            if payers:
                people = tuple(sorted(set(payers)))
                await lanes.submit(bucket, ExpirePayments(at=at, people=people, limit=AT_ONCE))
                ended += len(payers)
            if len(payers) < AT_ONCE:
                break
        await lanes.submit(bucket, ExpireOrders(at=at, limit=AT_ONCE))
    return ended
