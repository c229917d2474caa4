"""The clock of a test book: where it stands, turning it on, and what the closes of days did."""

from collections.abc import Sequence
from datetime import date, timedelta

from msgspec import Struct

from wufeng.base.calendar import add_months
from wufeng.base.errors import Code
from wufeng.client import ApiProblem
from wufeng.credit import StepRun, load_step_runs
from wufeng.web.console.frame import WORKING, show
from wufeng.web.paging import Door, Reply, Visit, pages_of

DAYS_SHOWN = 14


class Closed(Struct, frozen=True):
    """The close of one business date over the buckets: rows by step, the time of all steps, what could not be done."""

    on: date
    steps: dict[str, int]
    took_ms: int = 0
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
    return await _show(visit, turned=[one.business_on for one in turned.closes])


def _closes(runs: Sequence[StepRun]) -> list[Closed]:
    """The steps of all buckets, one entry a date in the order of the runs."""
    dates: dict[date, list[StepRun]] = {}
    for run in runs:
        dates.setdefault(run.business_on, []).append(run)
    closes = []
    for on, of_date in dates.items():
        steps: dict[str, int] = {}
        for run in of_date:
            steps[run.step] = steps.get(run.step, 0) + run.row_count
        errors = tuple(error for run in of_date for error in run.errors)
        closes.append(Closed(on, steps, sum(run.took_ms for run in of_date), errors))
    return closes


async def _show(visit: Visit, error: str = "", turned: Sequence[date] | None = None) -> Reply:
    book, services = visit.book, visit.services
    on = book.business_date(visit.at)
    fresh = turned is not None
    first_on, last_on = on - timedelta(days=DAYS_SHOWN), on
    if turned:
        first_on, last_on = min(turned), max(turned)
    async with services.database.read() as db:
        closes = _closes(await load_step_runs(db, book.buckets, first_on, last_on))
    if turned is not None and not turned:
        closes = []
    steps = list(dict.fromkeys(step for one in closes for step, rows in one.steps.items() if rows))
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
        bill_day=min(
            (product.cycle.of(on).bill_on(on) for product in products if product.cycle is not None),
            default=None,
        ),
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
