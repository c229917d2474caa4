"""Settlements and the day close: each bucket sums its closed date, and when all have, merchants get what is theirs."""

from datetime import datetime

import msgspec

from wufeng.base.books import Book
from wufeng.base.insisting import insist
from wufeng.base.lanes import Lanes
from wufeng.credit.close.model import CloseStep, DayClose, StepResult
from wufeng.payments.settlements import store
from wufeng.payments.settlements.model import DrawUpSettlements

SETTLEMENTS = "settlements"


def close_steps() -> list[CloseStep]:
    """The steps of this noun: after credit's, whose journals are dated on the day that begins."""
    return [CloseStep(SETTLEMENTS, _run)]


async def _run(close: DayClose) -> StepResult:
    """Sum the bucket's journals of the closed date; the last bucket of the book completes it.

    Whichever bucket comes last, and also when it comes again after a crash, finds all summed and draws up what is due.
    """
    async with close.lanes.database.transaction() as db:
        parts = await store.draw_parts(db, close.bucket, close.closed_on)
    async with close.lanes.database.read() as db:
        through = await store.drawn_through(db, close.book.buckets)
    if through is None or through < close.closed_on:
        return StepResult(parts)
    return StepResult(parts + await settle_book(close.lanes, close.book, close.at))


async def settle_book(lanes: Lanes, book: Book, at: datetime) -> int:
    """Draw up the settlements of all dates that every bucket of the book has summed; returns how many were made.

    at  the payouts' instant; in a bucket that has closed its business date the lane takes the book's clock instead
    """
    made = 0
    for bucket in book.buckets:
        more = True
        while more:
            drawn, more = await _draw_up(lanes, bucket, at)
            made += drawn
    return made


async def _draw_up(lanes: Lanes, bucket: int, at: datetime) -> tuple[int, bool]:
    """One transaction's settlements: how many, and whether more wait."""
    answer = await insist(lanes, bucket, DrawUpSettlements(at=at))
    outcome = msgspec.json.decode(answer.body)
    return outcome["settlements"], outcome["more"]
