"""What documents and explanations are made from. Nothing is locked."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Literal
from uuid import UUID

from msgspec import Struct

from wufeng.base.errors import not_found
from wufeng.base.ids import Prefix, encode
from wufeng.credit.bills import store as bills
from wufeng.credit.bills.model import Bill
from wufeng.credit.documents.bill import BillPaper
from wufeng.credit.documents.explain import BillSources, explain_bill, explain_plan
from wufeng.credit.documents.pieces import asks_for, used_at_issue
from wufeng.credit.documents.planned import Planned, assert_made, planned
from wufeng.credit.documents.receipt import explain_repayment
from wufeng.credit.documents.refund import RefundFacts, explain_refund
from wufeng.credit.documents.steps import Explained
from wufeng.credit.documents.texts import say
from wufeng.credit.draws import store as draws
from wufeng.credit.draws.model import Draw
from wufeng.credit.history.due_days import line_at, line_of, load_moves
from wufeng.credit.lines.model import Line
from wufeng.credit.products.model import Minimum, Rest
from wufeng.credit.queries import Reading, load_line
from wufeng.credit.refunds import store as refunds
from wufeng.credit.repayments import store as repayments
from wufeng.credit.repayments.model import Debt, Repayment
from wufeng.credit.repayments.rules import brought_up
from wufeng.identity import Merchants


class ExplanationView(Struct, frozen=True, kw_only=True):
    """The amounts of one bill, repayment, refund or plan, each opened into what made it, as of a business date.

    id  of the bill, repayment, refund or plan
    """

    id: str
    object: Literal["explanation"] = "explanation"
    currency: str
    dated_on: date
    amounts: tuple[Explained, ...]


async def load_bill_sources(read: Reading, bill: Bill, line: Line) -> BillSources:
    """A bill brought up to today, with all that its amounts come from."""
    product = read.products.version(line.product, line.product_version, line.tier)
    bucket = read.book.bucket_of(line.id)
    items = (await bills.load_items(read.db, bucket, [bill.id]))[bill.id]
    taken = [billed.of for billed in items.interest if not billed.is_draw]
    drawn = {billed.of for billed in items.interest if billed.is_draw} | {i.draw_id for i in items.items}
    paid = await repayments.load_repayments_of_line(read.db, bucket, line.id)
    found = await draws.load_draws(read.db, bucket, drawn)
    return BillSources(
        bill=brought_up(Debt(line, (bill,)), product, read.on).bills[0],
        items=items,
        product=product,
        currency=line.currency,
        on=read.on,
        earlier={**await bills.load_bills(read.db, bucket, taken), **found},
        repayments=paid,
        plans=await load_plans(read, found.values(), line),
        used_minor=await _used(read, bill, product.minimum, paid),
        refunds=await refunds.load_refunds_of_line(read.db, bucket, line.id),
    )


async def _used(read: Reading, bill: Bill, minimum: Minimum, paid: Sequence[Repayment]) -> int | None:
    """What was used when a bill was issued that asks for a part of it, less what was refunded of it since; None where
    that does not give what it asks.
    """
    if minimum.rest is not Rest.DRAW:
        return None
    if bill.used_minor is not None:
        asked_minor = asks_for(minimum, bill.used_minor) + bill.over_limit_taken_minor
        return bill.used_minor if min(bill.used_minor, asked_minor) <= bill.single_minor else None
    bucket = read.book.bucket_of(bill.line_id)
    before = [
        one.id
        for one in await bills.load_bills_of_line(read.db, bucket, bill.line_id)
        if one.issued_on < bill.issued_on
    ]
    items = (await bills.load_items(read.db, bucket, before)).values()
    of_line = await draws.load_draws_of_line(read.db, bucket, bill.line_id)
    earlier = [item for one in items for item in one.items]
    used_minor = used_at_issue(bill, of_line, earlier, paid)
    return used_minor if asks_for(minimum, used_minor) == bill.single_minor else None


async def load_plans(read: Reading, found: Iterable[Draw], line: Line) -> dict[UUID, Planned]:
    """The plans that made those draws that are in instalments: of their versions, the line's tier, its due day then.

    Asserts that they did.
    """
    in_parts = [draw for draw in found if draw.tenor > 1]
    moves = await load_moves(read.db, read.book, line) if in_parts else ()
    plans = {}
    for draw in in_parts:
        product = read.products.version(line.product, draw.product_version, line.tier)
        plans[draw.id] = planned(draw, line_of(draw, line, moves, product), product)
        assert_made(draw, plans[draw.id])
    return plans


async def load_bill_paper(read: Reading, bill: Bill, line: Line, merchants: Merchants) -> BillPaper:
    """A bill as it is put on paper, its items by the names of their merchants; a plan of a bill has one of its own."""
    sources = await load_bill_sources(read, bill, line)
    ids = {item.draw_id for item in sources.items.items}
    found = await draws.load_draws(read.db, read.book.bucket_of(line.id), ids)
    sellers = {id_: draw.merchant_id for id_, draw in found.items() if draw.merchant_id is not None}
    known = await merchants.load(read.db, set(sellers.values()))
    names = {id_: known[seller].name for id_, seller in sellers.items() if seller in known}
    names |= {id_: say("row_bill_plan", read.language) for id_, draw in found.items() if draw.of_bill}
    return BillPaper(sources, line, names)


async def show_explained_bill(read: Reading, bill: Bill, line: Line) -> ExplanationView:
    """How each amount of a bill came about."""
    sources = await load_bill_sources(read, bill, line)
    return ExplanationView(
        id=encode(Prefix.BILL, bill.id),
        currency=line.currency,
        dated_on=read.on,
        amounts=explain_bill(sources, read.language),
    )


async def show_explained_plan(read: Reading, draw: Draw, line: Line) -> ExplanationView:
    """How each instalment of a plan came about. Raises not_found for a draw that stands on one bill whole."""
    if draw.tenor == 1:
        raise not_found("plan")
    amounts: tuple[Explained, ...] = ()
    if draw.posted_on is not None:
        bucket = read.book.bucket_of(line.id)
        paid = await repayments.load_repayments_of_line(read.db, bucket, line.id)
        plans = await load_plans(read, [draw], line)
        amounts = explain_plan(draw, plans[draw.id], line.currency, read.language, paid)
    return ExplanationView(
        id=encode(Prefix.PLAN, draw.id), currency=line.currency, dated_on=read.on, amounts=amounts
    )


async def show_explained_repayment(read: Reading, repayment: Repayment) -> ExplanationView:
    """Where the money of a repayment went, and why there."""
    line = await load_line(read, repayment.line_id)
    bucket = read.book.bucket_of(line.id)
    pieces = repayment.allocation
    named = await bills.load_bills(
        read.db, bucket, {piece.bill for piece in pieces if piece.bill is not None}
    )
    drawn = await draws.load_draws(
        read.db, bucket, {piece.draw for piece in pieces if piece.draw is not None}
    )
    product = read.products.version(line.product, line.product_version, line.tier)
    plans = await load_plans(read, drawn.values(), line)
    moves = await load_moves(read.db, read.book, line) if plans else ()
    cycle = line_at(line, moves, repayment.value_on, repayment.id).cycle
    return ExplanationView(
        id=encode(Prefix.REPAYMENT, repayment.id),
        currency=line.currency,
        dated_on=read.on,
        amounts=explain_repayment(
            repayment, named, drawn, product, line.currency, read.language, plans, cycle
        ),
    )


def show_explained_refund(facts: RefundFacts, currency: str, on: date, language: str) -> ExplanationView:
    """What a refund did, piece by piece."""
    return ExplanationView(
        id=encode(Prefix.REFUND, facts.id),
        currency=currency,
        dated_on=on,
        amounts=explain_refund(facts, currency, language),
    )
