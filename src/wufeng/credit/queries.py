"""What pages and the API read of credit. Nothing is locked: a view is of one instant, and may be old a moment later."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.base.errors import not_found
from wufeng.base.ids import Prefix, encode
from wufeng.base.sql import load
from wufeng.credit.bills import store as bills
from wufeng.credit.bills.model import Bill
from wufeng.credit.debts.commands import load_amounts
from wufeng.credit.debts.store import load_debts
from wufeng.credit.draws import store as draws
from wufeng.credit.draws.model import Draw
from wufeng.credit.lines import store as lines
from wufeng.credit.lines.ceilings import load_ceilings
from wufeng.credit.lines.model import Line, LineChange
from wufeng.credit.lines.views import CreditCapView, view_cap
from wufeng.credit.products.commands import Products
from wufeng.credit.repayments import store as repayments
from wufeng.credit.repayments.model import Debt, Repayment, Target
from wufeng.credit.repayments.rules import brought_up, once_answered, owed, repaid, settle_plan
from wufeng.credit.views import (
    AllocationView,
    BillView,
    DrawView,
    LineView,
    PlanView,
    RepaymentView,
    view_allocation,
    view_bill,
    view_draw,
    view_line,
    view_plan,
    view_repayment,
)

SQL = load(__file__)


class Reading(Struct, frozen=True):
    """What every read of credit needs: the bucket, its book and products, the business date and the language."""

    db: Connection
    book: Book
    products: Products
    on: date
    language: str = "zh"


class RepaymentQuote(Struct, frozen=True):
    """What a repayment would do now; nothing is promised beyond the business date."""

    line: str
    amount_minor: int
    allocation: tuple[AllocationView, ...]
    credit_balance_minor: int
    saved_minor: int
    object: str = "repayment_quote"


async def load_line(read: Reading, line_id: UUID) -> Line:
    """A line. Raises not_found; whose it is, is for the caller to look at."""
    found = await lines.load_lines(read.db, read.book.bucket_of(line_id), [line_id])
    if line_id not in found:
        raise not_found("line")
    return found[line_id]


async def show_line(read: Reading, line_id: UUID) -> LineView:
    """A line as the API shows it."""
    return (await _views(read, [await load_line(read, line_id)]))[0]


async def list_lines(
    read: Reading, person_id: UUID, after: UUID | None = None, at_most: int = 100
) -> list[LineView]:
    """One page of a person's lines, the oldest first, closed ones too."""
    bucket = read.book.bucket_of(person_id)
    rows = await read.db.fetch(SQL.page_of_lines, bucket, person_id, after, at_most)
    found = await lines.load_lines(read.db, bucket, [row["id"] for row in rows])
    return await _views(read, [found[row["id"]] for row in rows])


async def line_history(read: Reading, line_id: UUID) -> list[LineChange]:
    """What was done to a line, by whom and why, the oldest first."""
    return await lines.load_changes(read.db, read.book.bucket_of(line_id), line_id)


async def list_changes(
    read: Reading, line: Line, after: UUID | None = None, at_most: int = 100
) -> list[LineChange]:
    """One page of what was done to a line, the newest first."""
    return await lines.page_of_changes(read.db, read.book.bucket_of(line.id), line.id, after, at_most)


async def show_cap(read: Reading, person_id: UUID) -> CreditCapView:
    """What all lines of a person together may come to, and come to."""
    bucket = read.book.bucket_of(person_id)
    caps = await lines.load_caps(read.db, bucket, [person_id])
    states = await lines.load_states_of_people(read.db, bucket, [person_id])
    return view_cap(person_id, caps.get(person_id), list(states.values()), read.book.currency)


async def list_bills(
    read: Reading, line: Line, after: UUID | None = None, at_most: int = 100
) -> list[BillView]:
    """One page of a line's bills, the newest first."""
    found = await bills.list_bills(read.db, read.book.bucket_of(line.id), line.id, after, at_most)
    return await _bill_views(read, found, line)


async def load_bill(read: Reading, bill_id: UUID) -> tuple[Bill, Line]:
    """A bill and its line. Raises not_found."""
    found = await bills.load_bills(read.db, read.book.bucket_of(bill_id), [bill_id])
    if bill_id not in found:
        raise not_found("bill")
    return found[bill_id], await load_line(read, found[bill_id].line_id)


async def show_bill(read: Reading, bill: Bill, line: Line) -> BillView:
    """A bill as the API shows it."""
    return (await _bill_views(read, [bill], line))[0]


async def load_repayment(read: Reading, repayment_id: UUID) -> Repayment:
    """A repayment. Raises not_found."""
    bucket = read.book.bucket_of(repayment_id)
    found = await repayments.load_repayments(read.db, bucket, [repayment_id])
    if repayment_id not in found:
        raise not_found("repayment")
    return found[repayment_id]


async def show_repayment(read: Reading, repayment: Repayment) -> RepaymentView:
    """A repayment as the API shows it."""
    return view_repayment(repayment, (await load_line(read, repayment.line_id)).currency)


async def list_repayments(
    read: Reading, line: Line, after: UUID | None = None, at_most: int = 100
) -> list[RepaymentView]:
    """One page of a line's repayments, the newest first."""
    bucket = read.book.bucket_of(line.id)
    rows = await read.db.fetch(SQL.page_of_repayments, bucket, line.id, after, at_most)
    found = await repayments.load_repayments(read.db, bucket, [row["id"] for row in rows])
    return [view_repayment(found[row["id"]], line.currency) for row in rows]


async def list_under_way(read: Reading, line: Line) -> list[RepaymentView]:
    """A line's repayments that banks have not answered yet, the oldest first."""
    found = await repayments.load_pending(read.db, read.book.bucket_of(line.id), [line.id])
    return [view_repayment(one, line.currency) for one in found.get(line.id, ())]


async def load_draw(read: Reading, draw_id: UUID, what: str = "draw") -> tuple[Draw, Line]:
    """A draw and its line. Raises not_found, of what the caller calls it."""
    found = await draws.load_draws(read.db, read.book.bucket_of(draw_id), [draw_id])
    if draw_id not in found:
        raise not_found(what)
    return found[draw_id], await load_line(read, found[draw_id].line_id)


async def show_draw(read: Reading, draw: Draw, line: Line) -> DrawView:
    """A draw as the API shows it."""
    product = read.products.version(line.product, draw.product_version, line.tier)
    return view_draw(draw, line, product, read.book.id, read.language)


async def list_draws(
    read: Reading, line: Line, after: UUID | None = None, at_most: int = 100
) -> list[DrawView]:
    """One page of a line's draws, the newest first."""
    bucket = read.book.bucket_of(line.id)
    rows = await read.db.fetch(SQL.page_of_draws, bucket, line.id, after, at_most)
    found = await draws.load_draws(read.db, bucket, [row["id"] for row in rows])
    return [await show_draw(read, found[row["id"]], line) for row in rows]


async def show_plan(read: Reading, draw: Draw, line: Line) -> PlanView:
    """The plan of a draw in instalments. Raises not_found for a draw that stands on one bill whole."""
    if draw.tenor == 1:
        raise not_found("plan")
    return await show_instalments(read, draw, line)


async def show_instalments(read: Reading, draw: Draw, line: Line) -> PlanView:
    """How any draw is repaid: one that stands on one bill whole is a plan of one."""
    found = await bills.load_bills(read.db, read.book.bucket_of(draw.id), draw.bills)
    product = read.products.version(line.product, draw.product_version, line.tier)
    contract = read.products.version(line.product, line.product_version, line.tier)
    return view_plan(draw, list(found.values()), line, product, contract, read.on)


async def quote_repayment(
    read: Reading, line: Line, amount_minor: int | None, target: Target | None, plan: UUID | None = None
) -> RepaymentQuote:
    """What a repayment made now would pay, and what it would save. An amount, a target (default: all) or a plan.

    A target is what is left of it when banks say yes to all that they were asked.
    """
    versions = read.products.of_line(line.product, line.product_version, line.tier)
    debt = brought_up(await _debt(read, line), versions.contract, read.on)
    if plan is not None:
        settled = settle_plan(debt, plan, versions, read.on)
        if settled is None:
            raise not_found("plan")
        amount_minor = settled.paid_minor
    elif amount_minor is None:
        pending = await repayments.load_pending(read.db, read.book.bucket_of(line.id), [line.id])
        debt = once_answered(debt, pending.get(line.id, ()), versions, read.on)
        amount_minor = owed(debt, target or Target.ALL, read.on)
    paid = repaid(debt, amount_minor, plan, versions, read.on)
    return RepaymentQuote(
        line=encode(Prefix.LINE, line.id),
        amount_minor=amount_minor,
        allocation=tuple(map(view_allocation, paid.allocation)),
        credit_balance_minor=paid.surplus_minor,
        saved_minor=paid.saved_minor,
    )


async def _debt(read: Reading, line: Line) -> Debt:
    return (await load_debts(read.db, read.book.bucket_of(line.id), {line.id: line}))[line.id]


async def _views(read: Reading, found: Sequence[Line]) -> list[LineView]:
    if not found:
        return []
    bucket = read.book.bucket_of(found[0].id)
    debts = await load_debts(read.db, bucket, {line.id: line for line in found})
    amounts = await load_amounts(read.db, bucket, [line.id for line in found])
    people = {line.person_id for line in found}
    ceilings = await load_ceilings(read.db, bucket, read.products, people, read.on)
    views = []
    for line in found:
        product = read.products.version(line.product, line.product_version, line.tier)
        debt = brought_up(debts[line.id], product, read.on)
        known = replace(amounts[line.id], ceiling_minor=ceilings.get(line.id))
        views.append(view_line(debt, known, product, read.book.id, read.on, read.language))
    return views


async def _bill_views(read: Reading, found: Sequence[Bill], line: Line) -> list[BillView]:
    if not found:
        return []
    product = read.products.version(line.product, line.product_version, line.tier)
    items = await bills.load_items(read.db, read.book.bucket_of(line.id), {bill.id for bill in found})
    now = brought_up(Debt(line, tuple(found)), product, read.on).bills
    return [view_bill(bill, items[bill.id], line, read.on, read.language) for bill in now]
