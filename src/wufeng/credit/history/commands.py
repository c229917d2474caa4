"""Rewriting a line's history inside a batch: one event more or one less, and the rows as if it had always been so.

Decisions, what was paid out and what was told stay as they were; differences are posted anew (DESIGN.md, decision 5).
"""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from wufeng import ledger
from wufeng.base.errors import Code, Problem
from wufeng.base.lanes import Batch
from wufeng.credit.bills import store as bills
from wufeng.credit.bills.model import Bill, BillItems
from wufeng.credit.debts.commands import Move
from wufeng.credit.debts.issuing import Known
from wufeng.credit.draws import store as draws
from wufeng.credit.draws.model import Draw, draw_number
from wufeng.credit.draws.rules import reborn
from wufeng.credit.history.model import (
    BillSplit,
    Delivered,
    Drawn,
    Event,
    Issued,
    Repaid,
    Standing,
)
from wufeng.credit.history.rules import fold
from wufeng.credit.lines.model import Line
from wufeng.credit.products.commands import Products
from wufeng.credit.products.model import Product
from wufeng.credit.refunds import store as refunds
from wufeng.credit.repayments import store as repayments
from wufeng.credit.repayments.model import Allocation, Debt, Paid, Repayment, RepaymentStatus
from wufeng.credit.repayments.rules import brought_up

LAST = 2**63 - 1
"""The place of what has no journal yet: after all of its day."""


class History(Struct, frozen=True):
    """A line's rows, and the events behind them in their order."""

    rows: Debt
    items: Mapping[UUID, BillItems]
    repayments: Sequence[Repayment]
    events: tuple[Event, ...]


class Rewritten(Struct, frozen=True):
    """What a change of history does: rows to keep, and the standings between which the difference is posted."""

    before: Standing
    after: Standing
    move: Move
    items: Mapping[UUID, BillItems]
    repayments: tuple[Repayment, ...]


async def load_history(batch: Batch, products: Products, line: Line) -> History:
    """Everything that ever happened to what a line owes."""
    db, bucket = batch.db, batch.bucket
    all_draws = await draws.load_draws_of_line(db, bucket, line.id)
    all_bills = await bills.load_bills_of_line(db, bucket, line.id)
    all_repayments = await repayments.load_repayments_of_line(db, bucket, line.id)
    all_refunds = await refunds.load_refunds_of_line(db, bucket, line.id)
    posted = [one for one in all_repayments if one.status is RepaymentStatus.POSTED]
    of = {
        *(draw.payment_id for draw in all_draws if draw.payment_id is not None),
        *(one.id for one in posted),
        *(one.refund_id for one in all_refunds),
    }
    seqs = await ledger.seqs_of(db, bucket, of)
    placed: list[tuple[date, int, int, UUID, Event]] = []
    for draw in all_draws:
        product = products.version(line.product, draw.product_version, line.tier)
        born = reborn(draw, line, product)
        assert draw.posted_on is not None, "only posted draws are loaded"
        if draw.of_bill is not None:  # whatever of that day pays the bill finds what the plan has left of it
            placed.append((draw.posted_on, 1, 0, draw.id, BillSplit(draw.posted_on, draw.of_bill, born)))
            continue
        placed.append((draw.posted_on, 2, _seq_of(draw, seqs), draw.id, Drawn(draw.posted_on, born)))
        if draw.billable_on is not None and born.billable_on is None:
            placed.append((draw.billable_on, 1, 0, draw.id, Delivered(draw.billable_on, draw.id)))
    for bill in all_bills:
        placed.append(
            (
                bill.issued_on,
                0,
                0,
                bill.id,
                Issued(bill.issued_on, bill.id, Known(bill.due_on, bill.over_limit_minor)),
            )
        )
    for one in posted:
        event = Repaid(one.value_on, one.id, one.source, one.amount_minor, one.plan)
        placed.append((one.value_on, 2, _first(seqs, one.id), one.id, event))
    for refunded in all_refunds:
        placed.append((refunded.on, 2, _first(seqs, refunded.refund_id), refunded.refund_id, refunded))
    items = await bills.load_items(db, bucket, [bill.id for bill in all_bills])
    events = tuple(event for *_, event in sorted(placed, key=lambda one: one[:4]))
    return History(Debt(line, tuple(all_bills), tuple(all_draws)), items, all_repayments, events)


def _seq_of(draw: Draw, seqs: Mapping[UUID, Sequence[int]]) -> int:
    """The journal that posted a draw: its payment has one a capture."""
    if draw.payment_id is None:
        return LAST
    numbers = seqs.get(draw.payment_id, ())
    place = draw_number(draw.id, draw.payment_id)
    return numbers[place] if place < len(numbers) else LAST


def _first(seqs: Mapping[UUID, Sequence[int]], of: UUID) -> int:
    """The place of an event in its day; what this very batch does comes last."""
    return min(seqs.get(of, ()), default=LAST)


async def rewritten(
    batch: Batch, products: Products, line: Line, on: date, added: Repaid | None, removed: UUID | None
) -> Rewritten | Problem:
    """The line's history with a repayment more, at the end of its value date, or with one less; or why it cannot be so.

    Asserts that the rows are what the events make of them: a line of which that is not so is set aside, not rewritten.
    """
    product = products.version(line.product, line.product_version, line.tier)
    history = await load_history(batch, products, line)
    before = fold(line, history.events, product, on)
    assert_same(history, before, product, on)
    events = [one for one in history.events if not (isinstance(one, Repaid) and one.repayment_id == removed)]
    if added is not None:
        place = next((n for n, event in enumerate(events) if event.on > added.on), len(events))
        events.insert(place, added)
    try:
        after = fold(line, events, product, on)
    except Problem as problem:
        return problem
    if after.charged.subsidy_returned_minor != before.charged.subsidy_returned_minor:
        detail = (
            "A refund since then has given the merchant's share of fees back; it cannot be dated before that."
        )
        return Problem(Code.STATE_CONFLICT, detail)
    moved = Debt(after.line, tuple(after.bills.values()), tuple(after.draws.values()))
    return Rewritten(
        before=before,
        after=after,
        move=Move(history.rows, moved),
        items={id_: one for id_, one in after.items.items() if history.items[id_] != one},
        repayments=tuple(_reallocated(history.repayments, after)),
    )


def _reallocated(rows: Sequence[Repayment], after: Standing) -> list[Repayment]:
    """The repayments that have paid something else than their rows say."""
    changed = []
    for row in rows:
        pieces = after.allocations.get(row.id)
        if row.status is RepaymentStatus.POSTED and pieces is not None and pieces != row.allocation:
            changed.append(replace(row, allocation=pieces, principal_minor=principal_of(pieces)))
    return changed


def principal_of(pieces: Sequence[Allocation]) -> int:
    """Principal that pieces of a repayment paid, billed or not."""
    return sum(piece.amount_minor for piece in pieces if piece.part in (Paid.PRINCIPAL, Paid.UNBILLED))


def assert_same(history: History, standing: Standing, product: Product, on: date) -> None:
    """Assert that the rows of a line are what its events make of them."""
    rows = brought_up(history.rows, product, on)
    for bill in rows.bills:
        assert _plain(bill) == _plain(standing.bills[bill.id]), (
            f"bill {bill.id} is not what its events make of it"
        )
    for draw in rows.draws:
        assert draw == standing.draws[draw.id], f"draw {draw.id} is not what its events make of it"


def _plain(bill: Bill) -> Bill:
    """A bill without what only says when the close looks at it."""
    return replace(bill, wake_on=None)
