"""Loading and keeping whole debts. The rows belong to lines, bills and draws; the lock is the person's."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from wufeng.base.database import Connection
from wufeng.credit.bills import store as bills
from wufeng.credit.bills.model import Bill
from wufeng.credit.debts import rules
from wufeng.credit.draws import store as draws
from wufeng.credit.draws.model import Draw
from wufeng.credit.lines import store as lines
from wufeng.credit.lines.model import Line
from wufeng.credit.repayments.model import Debt


async def load_debts(
    db: Connection,
    bucket: int,
    lines_by_id: Mapping[UUID, Line],
    draw_ids: Collection[UUID] = (),
    bill_ids: Collection[UUID] = (),
) -> dict[UUID, Debt]:
    """All that some lines owe.

    draw_ids, bill_ids  draws and bills to include even if nothing is owed on them; a draw brings the bills it is on
    """
    ids = list(lines_by_id)
    drawn = {draw.id: draw for draw in await draws.load_unbilled_draws(db, bucket, ids)}
    billed = {bill.id: bill for bill in await bills.load_unsettled_bills(db, bucket, ids)}
    more_draws = [id_ for id_ in draw_ids if id_ not in drawn]
    if more_draws:
        drawn |= await draws.load_draws(db, bucket, more_draws)
    wanted = {bill for id_ in draw_ids if id_ in drawn for bill in drawn[id_].bills}
    if more_bills := (wanted | set(bill_ids)) - billed.keys():
        billed |= await bills.load_bills(db, bucket, more_bills)
    bills_of: dict[UUID, list[Bill]] = {}
    for bill in sorted(billed.values(), key=lambda bill: (bill.issued_on, bill.id)):
        bills_of.setdefault(bill.line_id, []).append(bill)
    draws_of: dict[UUID, list[Draw]] = {}
    for draw in sorted(drawn.values(), key=lambda draw: draw.id):
        draws_of.setdefault(draw.line_id, []).append(draw)
    return {
        id_: Debt(line, tuple(bills_of.get(id_, ())), tuple(draws_of.get(id_, ())))
        for id_, line in lines_by_id.items()
    }


async def keep_debts(db: Connection, bucket: int, moves: Sequence[tuple[Debt, Debt]]) -> None:
    """Keep what changed between (before, after) of lines, bills, draws. Who issues new bills inserts them."""
    changed_lines = [after.line for before, after in moves if after.line != before.line]
    changed_bills = [bill for before, after in moves for bill in rules.changed_bills(before, after)]
    changed_draws = [draw for before, after in moves for draw in rules.changed_draws(before, after)]
    if changed_lines:
        await lines.update_lines(db, bucket, changed_lines)
    if changed_bills:
        await bills.update_bills(db, bucket, changed_bills)
    if changed_draws:
        await draws.update_draws(db, bucket, changed_draws)
