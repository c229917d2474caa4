"""Rides of dates that are over are charged, and debts tried once a date: the timers and a turned clock call this."""

from datetime import datetime, timedelta
from uuid import UUID

from wufeng.base.books import Book
from wufeng.base.lanes import Lanes
from wufeng.payments.rides.model import ChargeRides
from wufeng.payments.rides.policy import shipped_ride_policy
from wufeng.payments.rides.store import payers_of_due

AT_ONCE = 100
"""People whose rides one command charges: few enough that payments behind it in the lane hardly notice."""

_BEFORE_ALL = UUID(int=0)


async def charge_rides(lanes: Lanes, book: Book, at: datetime) -> int:
    """Charge what is due at an instant of a book's clock; returns of how many people.

    Safe to repeat and to run in several processes: what was charged is not found again.
    """
    on, people_charged = book.business_date(at), 0
    through_on, tries_max = on - timedelta(days=1), shipped_ride_policy().tries_max
    for bucket in book.buckets:
        after = _BEFORE_ALL
        while True:
            async with lanes.database.read() as db:
                payers = await payers_of_due(db, bucket, after, through_on, on, tries_max, AT_ONCE)
            if payers:
                after = payers[-1]
                command = ChargeRides(at=at, people=tuple(payers), through_on=through_on)
                await lanes.submit(bucket, command)
                people_charged += len(payers)
            if len(payers) < AT_ONCE:
                break
    return people_charged
