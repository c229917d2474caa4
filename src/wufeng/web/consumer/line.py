"""A line's settings: its limit, a raise, a freeze, the due day, its end; and what was done to it."""

from datetime import date

from wufeng.base.errors import Code
from wufeng.base.ids import Prefix
from wufeng.client import ApiProblem
from wufeng.credit import Line, Product, calendar_of, price_options
from wufeng.credit.applications.views import PriceView, view_price
from wufeng.credit.lines.rules import LIVING
from wufeng.credit.lines.views import view_change
from wufeng.credit.products.model import coincide
from wufeng.credit.queries import list_changes, load_line, show_cap, show_line
from wufeng.identity import own_person
from wufeng.web.consumer.reading import reading
from wufeng.web.paging import Door, Reply, Visit, pages_of
from wufeng.web.texts import minor_of

HISTORY = 30


async def line(visit: Visit) -> Reply:
    """The settings, each with its form, and the history."""
    return await _show(visit)


async def lower(visit: Visit) -> Reply:
    """Lower the permanent limit."""
    limit_minor = minor_of(visit.field("limit"), visit.book.currency)
    if limit_minor is None:
        return await _show(visit, error="limit", status=422)
    try:
        await visit.api.lines.set_limit(visit.values["id"], limit_minor=limit_minor)
    except ApiProblem as problem:
        return await _refused(visit, problem, "limit")
    return _again(visit)


async def decline(visit: Visit) -> Reply:
    """Decline a raise that runs: the permanent limit stays as it is."""
    line_id = visit.path_id(Prefix.LINE, "line")
    async with visit.services.database.read() as db:
        row = await load_line(reading(visit, db), line_id)
        own_person(visit.caller, row.person_id, "line")
    try:
        await visit.api.lines.set_limit(visit.values["id"], limit_minor=row.limit_minor)
    except ApiProblem as problem:
        return await _refused(visit, problem, "limit")
    return _again(visit)


async def freeze(visit: Visit) -> Reply:
    """Stop new purchases, for good or until a date."""
    try:
        until = date.fromisoformat(visit.field("until")) if visit.field("until") else None
    except ValueError:
        return await _show(visit, error="until", status=422)
    try:
        await visit.api.lines.freeze(visit.values["id"], until=until)
    except ApiProblem as problem:
        return await _refused(visit, problem, "until")
    return _again(visit)


async def move_due_day(visit: Visit) -> Reply:
    """Choose another due day, of those that the product allows."""
    day = visit.field("due_day")
    if not (day.isascii() and day.isdigit() and 1 <= len(day) <= 2):
        return await _show(visit, error="due_day", status=422)
    try:
        await visit.api.lines.set_due_day(visit.values["id"], due_day=int(day))
    except ApiProblem as problem:
        return await _refused(visit, problem, "due_day")
    return _again(visit)


async def close(visit: Visit) -> Reply:
    """Close the line, or have it closed as soon as nothing is owed. Sent twice it is one wish."""
    try:
        await visit.api.lines.close(visit.values["id"], idempotency_key=visit.key())
    except ApiProblem as problem:
        return await _refused(visit, problem, "close")
    return _again(visit)


def _again(visit: Visit) -> Reply:
    return visit.go(f"/app/lines/{visit.values['id']}")


async def _refused(visit: Visit, problem: ApiProblem, error: str) -> Reply:
    if problem.code not in (Code.INVALID_FIELD, Code.STATE_CONFLICT):
        raise problem
    return await _show(visit, error=error, status=problem.status)


async def _show(visit: Visit, *, error: str = "", status: int = 200) -> Reply:
    line_id = visit.path_id(Prefix.LINE, "line")
    async with visit.services.database.read() as db:
        read = reading(visit, db)
        row = await load_line(read, line_id)
        own_person(visit.caller, row.person_id, "line")
        view = await show_line(read, line_id)
        cap = await show_cap(read, row.person_id)
        changes = await list_changes(read, row, None, HISTORY)
    product = visit.services.products.version(row.product, row.product_version, row.tier)
    return visit.show(
        "consumer/line.html",
        status=status,
        line=view,
        cap=cap,
        changes=[view_change(change, to_staff=False) for change in changes],
        may_change=view.status in LIVING,
        prices=_prices(visit, row),
        due_days=_due_days(row, product),
        error=error,
        is_wrong=status == 422,
        limit=visit.field("limit"),
        until=visit.field("until"),
    )


def _due_days(line: Line, product: Product) -> list[int]:
    """The days that the line may choose from: what the product allows and its own bill day leaves."""
    if product.due_days is None or line.bill_day is None:
        return []
    return [day for day in product.due_days.allowed if not coincide(day, line.bill_day)]


def _prices(visit: Visit, row: Line) -> list[PriceView]:
    """What the line's whole limit would cost in each number of instalments, by the prices of today."""
    on = visit.book.business_date(visit.at)
    product = visit.services.products.drawn_under(row.product, row.product_version, row.tier, on)
    if not row.limit_minor or row.status not in LIVING:
        return []
    return [view_price(one) for one in price_options(product, calendar_of(row, product), row.limit_minor, on)]


page = pages_of(Door.CONSUMER)

PAGES = (
    page("GET", "/app/lines/{id}", "app_line", line),
    page("POST", "/app/lines/{id}/limit", "app_line_limit", lower),
    page("POST", "/app/lines/{id}/decline", "app_line_decline", decline),
    page("POST", "/app/lines/{id}/freeze", "app_line_freeze", freeze),
    page("POST", "/app/lines/{id}/due-day", "app_line_due_day", move_due_day),
    page("POST", "/app/lines/{id}/close", "app_line_close", close),
)
