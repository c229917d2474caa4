"""Rides of dates that are over are charged, and debts tried once a date: the timers and a turned clock call this."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

import structlog

from wufeng.base.books import Book
from wufeng.base.errors import Code, Problem
from wufeng.base.lanes import Lanes
from wufeng.payments.rides.model import ChargeRides
from wufeng.payments.rides.policy import shipped_ride_policy
from wufeng.payments.rides.store import payers_of_due

log = structlog.get_logger("wufeng.rides")

AT_ONCE = 100
"""People whose rides one command charges: few enough that payments behind it in the lane hardly notice."""

_BEFORE_ALL = UUID(int=0)


async def charge_rides(lanes: Lanes, book: Book, at: datetime) -> int:
    """Charge what is due at an instant of a book's clock; returns of how many people.

    Safe to repeat and to run in several processes: what was charged is not found again. Somebody whose charge fails
    stops nobody else's; it is told to the log, and the next run tries again.
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
                people_charged += await _charge(lanes, bucket, payers, at, through_on)
            if len(payers) < AT_ONCE:
                break
    return people_charged


async def _charge(lanes: Lanes, bucket: int, payers: Sequence[UUID], at: datetime, through_on: date) -> int:
    """Charge people together, or each alone where that fails by one of them; returns how many were charged."""
    try:
        await lanes.submit(bucket, ChargeRides(at=at, people=tuple(payers), through_on=through_on))
    except Problem as problem:
        log.error("rides were not charged", bucket=bucket, people=len(payers), exc_info=problem)
        if problem.code is not Code.INTERNAL or len(payers) == 1:
            return 0  # busy or out of order: nobody's fault, all of them are found again by the next run
    else:
        return len(payers)
    return sum([await _charge(lanes, bucket, [payer], at, through_on) for payer in payers])
