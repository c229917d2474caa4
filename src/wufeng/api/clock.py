"""The clock of a test book: what time it is there, and turning it forward, which closes the days that end."""

from datetime import date, datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from wufeng.api.routing import Call, Nothing, Route, reply
from wufeng.base.books import Book, Mode
from wufeng.base.claims import Answer
from wufeng.base.errors import invalid_field
from wufeng.credit import ClosedDay

DAYS_MAX = 400
"""How far one call turns: the closes of more days than that are no request any more."""


class ClockView(Struct, frozen=True, kw_only=True):
    """The clock of a book. `now_at` is its instant, `business_on` the date that is open."""

    object: Literal["clock"] = "clock"
    book: str
    mode: Mode
    now_at: datetime
    business_on: date
    time_zone: str


class CloseView(Struct, frozen=True, kw_only=True):
    """The close of one business date: rows by step, and what could not be done."""

    business_on: date
    steps: dict[str, int]
    rows: int
    errors: list[str]


class TurnedClock(Struct, frozen=True, kw_only=True):
    """The clock after it was turned, and the days that were closed by it."""

    clock: ClockView
    closes: list[CloseView]


class AdvanceClock(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far: to the beginning of a date, or by a number of days."""

    to_on: date | None = None
    days: Annotated[int, Meta(ge=1, le=DAYS_MAX)] | None = None


async def get_clock(call: Call[Nothing, Nothing]) -> Answer:
    """What time it is in the caller's book."""
    return reply(_view(call.book, call.at))


async def advance_clock(call: Call[AdvanceClock, Nothing]) -> Answer:
    """Turn the clock of the caller's test book forward; it never goes back."""
    closes = await call.services.turn_days(call.book, _days(call))
    book = call.services.books[call.book.id]
    turned = TurnedClock(
        clock=_view(book, book.at(call.services.clock)), closes=[_close(day) for day in closes]
    )
    return reply(turned)


def _days(call: Call[AdvanceClock, Nothing]) -> int:
    body, today = call.body, call.book.business_date(call.at)
    if (body.to_on is None) == (body.days is None):
        raise invalid_field("/to_on", "Say either to_on or days.")
    if body.days is not None:
        return body.days
    assert body.to_on is not None
    days = (body.to_on - today).days
    if not 1 <= days <= DAYS_MAX:
        raise invalid_field(
            "/to_on", f"The book stands on {today}; it can be turned on by 1 to {DAYS_MAX} days."
        )
    return days


def _view(book: Book, at: datetime) -> ClockView:
    return ClockView(
        book=book.name,
        mode=book.mode,
        now_at=at,
        business_on=book.business_date(at),
        time_zone=book.time_zone,
    )


def _close(day: ClosedDay) -> CloseView:
    return CloseView(business_on=day.business_on, steps=day.steps, rows=day.rows, errors=list(day.errors))


ROUTES = (
    Route(
        method="GET",
        path="/v1/clock",
        operation="get_clock",
        summary="The clock of the caller's test book",
        handle=get_clock,
        answers={200: ClockView},
    ),
    Route(
        method="POST",
        path="/v1/clock/advance",
        operation="advance_clock",
        summary="Turn the clock of a test book forward",
        handle=advance_clock,
        body=AdvanceClock,
        answers={200: TurnedClock},
    ),
)
