"""What payments ask of draws, inside their own batch: post them, let bills take them, read them."""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from msgspec.structs import replace

from wufeng.base.database import Connection
from wufeng.base.lanes import Batch
from wufeng.credit.accruals.store import ProductVersion, move_accruals
from wufeng.credit.accruals.sums import Course, change, together
from wufeng.credit.debts.earning import earned_of_draw
from wufeng.credit.draws import store
from wufeng.credit.draws.model import (
    CAPTURES_MAX,
    Approved,
    Draw,
    DrawRequest,
    DrawStatus,
    draw_id,
    draw_number,
)
from wufeng.credit.draws.rules import approve_part, bill_wanted_on, billable, born, calendar_of
from wufeng.credit.lines import store as lines
from wufeng.credit.lines.model import Line, LineState
from wufeng.credit.products.commands import Products
from wufeng.credit.products.model import BillableAt, Product


async def post_draws(batch: Batch, products: Products, approved: Sequence[Approved], on: date) -> None:
    """Keep approved draws as posted on a business date, and let their lines expect the bill that takes them.

    The money is the caller's to post (`principal_drawn` says by lender). A draw that awaits its delivery is billable
    only from `make_billable` on; the limit is used from now all the same.
    """
    if not approved:
        return
    drawn = [
        (
            one.after.line,
            born(one, products.version(one.after.line.product, one.product_version, one.after.line.tier), on),
        )
        for one in approved
    ]
    await store.insert_draws(batch.db, batch.bucket, [draw for _, draw in drawn])
    await join_earning(batch, drawn, on)
    bill_on: dict[UUID, date] = {}
    for line, draw in drawn:
        wanted = bill_wanted_on(draw, line, on)
        # Under the person's lock the row is as it was loaded: only the first draw of a cycle has something to write.
        if wanted is not None and (line.next_bill_on is None or line.next_bill_on > wanted):
            bill_on[line.id] = min(wanted, bill_on.get(line.id, wanted))
    if bill_on:
        await lines.expect_bills(batch.db, batch.bucket, bill_on)


async def join_earning(
    batch: Batch, drawn: Sequence[tuple[Line, Draw]], on: date, before: Sequence[Draw] = ()
) -> None:
    """Draws that bear interest from a date on join their product's sum of what is earned and not billed.

    before  the same draws as they were, where they are not new
    """
    courses: dict[ProductVersion, Course] = {}
    was = {draw.id: draw for draw in before}
    for line, draw in drawn:
        course = earned_of_draw(draw, line, on)
        if draw.id in was:
            course = change(earned_of_draw(was[draw.id], line, on), course)
        if course:
            key = line.product, line.product_version
            courses[key] = together((courses.get(key, {}), course))
    if courses:
        await move_accruals(batch.db, batch.bucket, courses)


def approve_captured_part(
    state: LineState, request: DrawRequest, product: Product, on: date, number: int
) -> Approved:
    """Make a draw of a captured part of what was authorised: nothing is decided any more, its hold reserves the limit.

    number  which capture of the payment this is, from 0: it names the draw, whatever id the request has
    """
    return approve_part(state, replace(request, id=draw_id(request.payment_id, number)), product, on)


async def draws_of_payments(db: Connection, bucket: int, payment_ids: Collection[UUID]) -> list[Draw]:
    """The draws of some payments, by payment and capture. Their ids are made from the payments': no index is needed."""
    payments = {draw_id(id_, number): id_ for id_ in payment_ids for number in range(CAPTURES_MAX)}
    found = await store.load_draws(db, bucket, list(payments))
    return sorted(
        found.values(), key=lambda draw: (payments[draw.id], draw_number(draw.id, payments[draw.id]))
    )


async def make_billable(
    batch: Batch, products: Products, payment_id: UUID, event: BillableAt, on: date
) -> None:
    """Goods were shipped, or their receipt is confirmed: from that date on a bill may take the payment's draws.

    An event that the product does not wait for changes nothing, nor does one that comes twice.
    """
    ids = [draw_id(payment_id, number) for number in range(CAPTURES_MAX)]
    waiting = [
        draw
        for draw in (await store.load_draws(batch.db, batch.bucket, ids)).values()
        if draw.billable_on is None and draw.status is DrawStatus.POSTED
    ]
    found = await lines.load_lines(batch.db, batch.bucket, {draw.line_id for draw in waiting})
    after: list[Draw] = []
    for draw in waiting:
        line = found[draw.line_id]
        product = products.version(line.product, draw.product_version, line.tier)
        if event is BillableAt.RECEIPT or product.billing.billable_at is event:
            after.append(billable(draw, calendar_of(line, product), on))
    if not after:
        return
    await store.update_draws(batch.db, batch.bucket, after)
    await join_earning(batch, [(found[draw.line_id], draw) for draw in after], on, waiting)
    bill_on: dict[UUID, date] = {}
    for draw in after:
        wanted = bill_wanted_on(draw, found[draw.line_id], on)
        if wanted is not None:
            bill_on[draw.line_id] = min(wanted, bill_on.get(draw.line_id, wanted))
    await lines.expect_bills(batch.db, batch.bucket, bill_on)
