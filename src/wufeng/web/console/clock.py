"""The clock of a test book: where it stands, turning it on, and what the closes of days did."""

from collections.abc import Sequence
from datetime import date, timedelta

from msgspec import Struct

from wufeng.base.calendar import add_months
from wufeng.base.errors import Code
from wufeng.client import ApiProblem
from wufeng.credit import load_runs
from wufeng.web.console.frame import WORKING, show
from wufeng.web.paging import Door, Reply, Visit, pages_of

DAYS_SHOWN = 14


class Closed(Struct, frozen=True):
    """The close of one business date: rows by step, and what could not be done."""

    on: date
    steps: dict[str, int]
    errors: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """Rows of all steps."""
        return sum(self.steps.values())


async def clock(visit: Visit) -> Reply:
    """Where the clock stands, and the latest closes."""
    return await _show(visit)


async def turn(visit: Visit) -> Reply:
    """Turn the clock to the date of a button. A form that is sent again turns nothing: that date has come."""
    try:
        to_on = date.fromisoformat(visit.field("to_on"))
    except ValueError:
        return await _show(visit, error="date")
    try:
        turned = await visit.api.clock.advance(to_on=to_on)
    except ApiProblem as problem:
        if problem.code is not Code.INVALID_FIELD:
            raise
        return await _show(visit, error="passed")
    visit.in_book(visit.services.books[visit.book.id])
    closes = [Closed(one.business_on, one.steps, tuple(one.errors)) for one in turned.closes]
    return await _show(visit, closes=closes[::-1])


async def _show(visit: Visit, error: str = "", closes: Sequence[Closed] | None = None) -> Reply:
    book, services = visit.book, visit.services
    on = book.business_date(visit.at)
    fresh = closes is not None
    if closes is None:
        async with services.database.read() as db:
            runs = await load_runs(db, book.buckets, on - timedelta(days=DAYS_SHOWN), on)
        closes = [Closed(day, steps) for day, steps in sorted(runs.items(), reverse=True)]
    steps = list(dict.fromkeys(step for one in closes for step in one.steps))
    products = [product for product in services.products.offered(on) if product.currency == book.currency]
    return await show(
        visit,
        "clock.html",
        status=422 if error else 200,
        error=error,
        on=on,
        at=visit.at,
        time_zone=book.time_zone,
        may_turn=visit.caller.role in WORKING,
        next_day=on + timedelta(days=1),
        bill_day=min((product.cycle.bill_on(on) for product in products if product.cycle is not None), default=None),
        next_month=add_months(on, 1, on.day),
        closes=closes,
        steps=steps,
        fresh=fresh,
    )


page = pages_of(Door.CONSOLE)

PAGES = (
    page("GET", "/console/clock", "console_clock", clock),
    page("POST", "/console/clock", "console_turn", turn),
)
