"""Credit: the line and what it costs, and a bill with all that is on it."""

from collections.abc import Mapping, Sequence

from wufeng.base.database import Connection
from wufeng.base.ids import Prefix, decode
from wufeng.credit.bill_plans.queries import bill_plan_options
from wufeng.credit.documents.bill import BillPaper, bill_document
from wufeng.credit.documents.bill import bill_csv as csv_of_bill
from wufeng.credit.documents.drawing import drawn
from wufeng.credit.documents.queries import load_bill_paper, show_explained_bill
from wufeng.credit.lines.model import LineStatus
from wufeng.credit.queries import (
    Reading,
    list_bills,
    list_draws,
    list_lines,
    list_repayments,
    load_bill,
    load_draw,
    load_line,
    show_bill,
    show_plan,
)
from wufeng.credit.rates.rules import daily_rate
from wufeng.credit.views import BillView, PlanView
from wufeng.identity import own_person
from wufeng.payments import Reader, load_payment, show_payments
from wufeng.web.consumer.reading import Shown, merchant_names, reading, state_of
from wufeng.web.paging import Door, Reply, Visit, pages_of

BILLS = 12
DRAWS = 50
REPAYMENTS = 10


async def credit(visit: Visit) -> Reply:
    """The line: what is left, what is owed, what it costs, who lends, and its bills and plans."""
    async with visit.services.database.read() as db:
        read = reading(visit, db)
        lines = await list_lines(read, visit.caller.id)
        lines.sort(key=lambda line: line.status == LineStatus.CLOSED)
        if not lines:
            return visit.show("consumer/credit.html", line=None)
        wanted = next((line for line in lines if line.id == visit.field("line")), lines[0])
        row = await load_line(read, decode(Prefix.LINE, wanted.id))
        bills = await list_bills(read, row, None, BILLS)
        draws = await list_draws(read, row, None, DRAWS)
        names = await merchant_names(visit, db, [draw.merchant for draw in draws if draw.merchant])
        plans = [
            (names[draw.merchant] if draw.merchant else None, await _plan(read, draw.id))
            for draw in draws
            if draw.tenor > 1 and draw.unbilled_minor
        ]
        repayments = await list_repayments(read, row, None, REPAYMENTS)
    return visit.show(
        "consumer/credit.html",
        line=wanted,
        others=[line for line in lines if line.id != wanted.id],
        bills=bills,
        plans=plans,
        repayments=repayments,
        a_year=daily_rate,
        on=read.on,
    )


async def bill(visit: Visit) -> Reply:
    """One bill: how much, until when, of what it is made."""
    bill_id = visit.path_id(Prefix.BILL, "bill")
    async with visit.services.database.read() as db:
        read = reading(visit, db)
        found, line = await load_bill(read, bill_id)
        own_person(visit.caller, line.person_id, "bill")
        view = await show_bill(read, found, line)
        shops = await _shops(visit, db, read, view)
        explained = await show_explained_bill(read, found, line)
        splits = bool((await bill_plan_options(read, found, line, None)).options)
    amounts = {one.code.value: one for one in explained.amounts}
    parts = {one.code.value: one for one in amounts["total"].steps}
    why = {**parts, **amounts}
    return visit.show("consumer/bill.html", bill=view, shops=shops, on=read.on, why=why, splits=splits)


async def bill_pdf(visit: Visit) -> Reply:
    """A bill on paper, to keep."""
    paper = await _paper(visit)
    return _file(await drawn(bill_document(paper, visit.language)), "application/pdf", paper, "pdf")


async def bill_csv(visit: Visit) -> Reply:
    """The items of a bill as a table."""
    paper = await _paper(visit)
    return _file(csv_of_bill(paper), "text/csv; charset=utf-8", paper, "csv")


async def _paper(visit: Visit) -> BillPaper:
    bill_id = visit.path_id(Prefix.BILL, "bill")
    async with visit.services.database.read() as db:
        read = reading(visit, db)
        found, line = await load_bill(read, bill_id)
        own_person(visit.caller, line.person_id, "bill")
        return await load_bill_paper(read, found, line, visit.services.merchants)


def _file(body: bytes, media_type: str, paper: BillPaper, ending: str) -> Reply:
    """A download, named by the bill's date."""
    name = f"wufeng-bill-{paper.sources.bill.issued_on.isoformat()}.{ending}"
    disposition = (b"content-disposition", f'attachment; filename="{name}"'.encode())
    return Reply(body=body, media_type=media_type, headers=(disposition,))


async def _plan(read: Reading, draw: str) -> PlanView:
    found, line = await load_draw(read, decode(Prefix.DRAW, draw))
    return await show_plan(read, found, line)


async def _shops(visit: Visit, db: Connection, read: Reading, view: BillView) -> Mapping[str, Shown]:
    """The payments behind the items of a bill, by draw."""
    draws = [(item.draw, await load_draw(read, decode(Prefix.DRAW, item.draw))) for item in view.items]
    payments = [
        await load_payment(db, visit.book, draw.payment_id) for _, (draw, _) in draws if draw.payment_id
    ]
    kept = [payment for payment in payments if payment is not None]
    views = await show_payments(db, visit.services.catalogue, visit.book, kept, Reader.PERSON, visit.language)
    names = await merchant_names(visit, db, [one.merchant for one in views])
    by_id: Mapping[str, Shown] = {one.id: Shown(one, names[one.merchant], state_of(one)) for one in views}
    paying = [draw for draw, (found, _) in draws if found.payment_id]
    return _by_draw([(draw, payment.id) for draw, payment in zip(paying, views, strict=True)], by_id)


def _by_draw(pairs: Sequence[tuple[str, str]], by_id: Mapping[str, Shown]) -> dict[str, Shown]:
    return {draw: by_id[payment] for draw, payment in pairs}


page = pages_of(Door.CONSUMER)

PAGES = (
    page("GET", "/app/credit", "app_credit", credit),
    page("GET", "/app/bills/{id}", "app_bill", bill),
    page("GET", "/app/bills/{id}/pdf", "app_bill_pdf", bill_pdf),
    page("GET", "/app/bills/{id}/csv", "app_bill_csv", bill_csv),
)
