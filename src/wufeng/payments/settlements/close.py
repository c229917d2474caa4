"""Settlements and the day close: each bucket sums its closed date, and when all have, merchants get what is theirs."""

import msgspec

from wufeng.base.books import Book
from wufeng.base.clock import Clock
from wufeng.base.lanes import Lanes
from wufeng.payments.settlements.model import DrawUpSettlements


async def settle_book(lanes: Lanes, book: Book, clock: Clock) -> int:
    """Draw up the settlements of all dates that every bucket of the book has summed; returns how many were made.

    To be run after a day close, and by a timer besides: it is the last bucket's close that completes a date, whichever
    process ran it. Safe to run at any time, in several processes.
    """
    made = 0
    for bucket in book.buckets:
        more = True
        while more:
            answer = await lanes.submit(bucket, DrawUpSettlements(at=book.at(clock)))
            outcome = msgspec.json.decode(answer.body)
            made += outcome["settlements"]
            more = outcome["more"]
    return made
