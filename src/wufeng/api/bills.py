"""Bills: as data, as a table, on paper; and how each amount of a bill or a repayment came about."""

from msgspec import Struct

from wufeng.api.bodies import LineId, ListQuery, starting_after
from wufeng.api.reading import reading
from wufeng.api.routing import Call, Nothing, Route, reply, reply_list
from wufeng.base.claims import Answer
from wufeng.base.ids import Prefix, decode
from wufeng.credit import queries
from wufeng.credit.documents.bill import bill_csv, bill_document
from wufeng.credit.documents.drawing import drawn
from wufeng.credit.documents.queries import (
    ExplanationView,
    load_bill_paper,
    show_explained_bill,
    show_explained_repayment,
)
from wufeng.credit.views import BillView
from wufeng.identity import own_person

CSV = "text/csv"
PDF = "application/pdf"


class BillsQuery(ListQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The bills of which line."""

    line: LineId


class BillList(Struct, frozen=True, kw_only=True):
    """A page of bills, the newest first."""

    data: list[BillView]
    next: str | None
    has_more: bool


async def list_bills(call: Call[Nothing, BillsQuery]) -> Answer:
    """The bills of a line."""
    after, limit = starting_after(call.query, Prefix.BILL, "bill"), call.query.limit
    async with call.services.database.read() as db:
        read = reading(call, db)
        line = await queries.load_line(read, decode(Prefix.LINE, call.query.line))
        own_person(call.caller, line.person_id, "line")
        views = await queries.list_bills(read, line, after, limit + 1)
    return reply_list(views, limit)


async def get_bill(call: Call[Nothing, Nothing]) -> Answer:
    """One bill with its parts; its items as CSV (`CSV_COLUMNS`); all of it as PDF."""
    async with call.services.database.read() as db:
        read = reading(call, db)
        bill, line = await queries.load_bill(read, call.path_id(Prefix.BILL, "bill"))
        own_person(call.caller, line.person_id, "bill")
        if call.format is None:
            return reply(await queries.show_bill(read, bill, line))
        paper = await load_bill_paper(read, bill, line, call.services.merchants)
    if call.format == CSV:
        return Answer(200, bill_csv(paper))
    return Answer(200, await drawn(bill_document(paper, call.language)))


async def explain_bill(call: Call[Nothing, Nothing]) -> Answer:
    """How each amount of a bill came about."""
    async with call.services.database.read() as db:
        read = reading(call, db)
        bill, line = await queries.load_bill(read, call.path_id(Prefix.BILL, "bill"))
        own_person(call.caller, line.person_id, "bill")
        return reply(await show_explained_bill(read, bill, line))


async def explain_repayment(call: Call[Nothing, Nothing]) -> Answer:
    """Where the money of a repayment went, and by which rule."""
    async with call.services.database.read() as db:
        read = reading(call, db)
        repayment = await queries.load_repayment(read, call.path_id(Prefix.REPAYMENT, "repayment"))
        own_person(call.caller, repayment.person_id, "repayment")
        return reply(await show_explained_repayment(read, repayment))


ROUTES = (
    Route(
        method="GET",
        path="/v1/bills",
        operation="list_bills",
        summary="Bills of a line, newest first",
        handle=list_bills,
        query=BillsQuery,
        answers={200: BillList},
    ),
    Route(
        method="GET",
        path="/v1/bills/{id}",
        operation="get_bill",
        summary="One bill",
        handle=get_bill,
        answers={200: BillView},
        formats=(CSV, PDF),
    ),
    Route(
        method="GET",
        path="/v1/bills/{id}/explain",
        operation="explain_bill",
        summary="How each amount of a bill came about",
        handle=explain_bill,
        answers={200: ExplanationView},
    ),
    Route(
        method="GET",
        path="/v1/repayments/{id}/explain",
        operation="explain_repayment",
        summary="Where the money of a repayment went, and by which rule",
        handle=explain_repayment,
        answers={200: ExplanationView},
    ),
)
