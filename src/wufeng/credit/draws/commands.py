"""What payments ask of draws, inside their own batch: post them, let bills take them, read them."""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from msgspec.structs import replace

from wufeng.base.database import Connection
from wufeng.base.lanes import Batch
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
from wufeng.credit.draws.rules import approve_part
from wufeng.credit.lines import store as lines
from wufeng.credit.lines.model import LineState
from wufeng.credit.products.model import Product


async def post_draws(batch: Batch, approved: Sequence[Approved], on: date) -> None:
    """Keep approved draws as posted on a business date, and let their lines expect the bill that takes them.

    The money is the caller's to post (`principal_drawn` says by lender). A draw that awaits its receipt is billable
    only from `make_billable` on; the limit is used from now all the same.
    """
    if not approved:
        return
    await store.insert_draws(batch.db, batch.bucket, [_posted(one, on) for one in approved])
    bill_on: dict[UUID, date] = {}
    for one in approved:
        line, request = one.after.line, one.request
        wanted = None if request.awaits_receipt else line.cycle.bill_on(on)
        # Under the person's lock the row is as it was loaded: only the first draw of a cycle has something to write.
        if wanted is not None and (line.next_bill_on is None or line.next_bill_on > wanted):
            bill_on[request.line_id] = wanted
    if bill_on:
        await lines.expect_bills(batch.db, batch.bucket, bill_on)


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
    return sorted(found.values(), key=lambda draw: (draw.payment_id, draw_number(draw.id, draw.payment_id)))


async def make_billable(batch: Batch, payment_id: UUID, on: date) -> None:
    """A receipt is confirmed: from that business date on a bill may take the payment's draws. Twice changes nothing."""
    ids = [draw_id(payment_id, number) for number in range(CAPTURES_MAX)]
    line_ids = await store.set_billable(batch.db, batch.bucket, ids, on)
    found = await lines.load_lines(batch.db, batch.bucket, line_ids) if line_ids else {}
    if found:
        bill_on = {id_: line.cycle.bill_on(on) for id_, line in found.items()}
        await lines.expect_bills(batch.db, batch.bucket, bill_on)


def _posted(approved: Approved, on: date) -> Draw:
    request, plan = approved.request, approved.plan
    return Draw(
        id=request.id,
        line_id=request.line_id,
        payment_id=request.payment_id,
        merchant_id=request.merchant_id,
        amount_minor=request.amount_minor,
        tenor=len(plan.principal_parts),
        merchant_share_ppm=request.merchant_share_ppm,
        product_version=approved.product_version,
        lenders=approved.lenders,
        status=DrawStatus.POSTED,
        principal_parts=plan.principal_parts,
        fee_parts=plan.fee_parts if any(plan.fee_parts) else (),
        subsidy_parts=plan.subsidy_parts if any(plan.subsidy_parts) else (),
        unbilled_minor=request.amount_minor,
        posted_on=on,
        billable_on=None if request.awaits_receipt else on,
    )
