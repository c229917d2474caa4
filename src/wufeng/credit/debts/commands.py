"""Keeping what an event did to debts: rows, the history of lines, and what is told of it."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from wufeng.base import faults
from wufeng.base.database import Connection
from wufeng.base.events import Event
from wufeng.base.ids import slot_of
from wufeng.base.lanes import Batch
from wufeng.credit.accruals import store as accruals
from wufeng.credit.accruals.store import ProductVersion
from wufeng.credit.accruals.sums import Course, change, together
from wufeng.credit.bills import store as bills
from wufeng.credit.bills.model import Bill, BillStatus
from wufeng.credit.debts import rules
from wufeng.credit.debts.earning import earned
from wufeng.credit.debts.store import keep_debts
from wufeng.credit.lines import store as lines
from wufeng.credit.lines.ceilings import load_ceilings
from wufeng.credit.lines.model import Actor, ChangeKind, Line, LineChange, LineStatus
from wufeng.credit.lines.paying import pay_out
from wufeng.credit.lines.rules import closed, may_close
from wufeng.credit.products.commands import Products
from wufeng.credit.repayments.model import Debt, Target
from wufeng.credit.repayments.rules import owed
from wufeng.credit.repayments.store import lines_pending
from wufeng.credit.views import LineAmounts, view_bill, view_line
from wufeng.ledger import NOTHING, AccountKind, account_id, load_balances

EVENT_LANGUAGE = "zh"
"""Events are the same bytes for all who read them; codes, not texts, are what machines go by."""

_CHANGES = {
    LineStatus.SUSPENDED: ChangeKind.SUSPENDED,
    LineStatus.OPEN: ChangeKind.RESTORED,
    LineStatus.CLOSING: ChangeKind.CLOSING,
    LineStatus.CLOSED: ChangeKind.CLOSED,
}


class Move(Struct, frozen=True):
    """One line's debt before and after something happened to it."""

    before: Debt
    after: Debt


async def keep(
    batch: Batch, products: Products, moves: Sequence[Move], on: date, at: datetime | None = None
) -> list[Move]:
    """Keep what changed, and tell it. What is used is taken from the debts, so journals may be posted before or after.

    at  the instant that the history of lines shows; None: the first of the business date
    A line that waits to be closed is closed when nothing is owed or held any more. Returns the moves as kept.
    """
    moves = [Move(move.before, rules.with_next_bill(move.after, on)) for move in moves]
    moves = await _closed_if_done(batch, moves, on)
    await keep_debts(batch.db, batch.bucket, [(move.before, move.after) for move in moves])
    await move_earned(batch, moves, on)
    moved = [move for move in moves if move.after.line.status is not move.before.line.status]
    if moved:
        instant = at or batch.book.start_of(on)
        changes = [_change(batch, move.after.line, instant) for move in moved]
        await lines.insert_changes(batch.db, batch.bucket, changes, len(batch.journals))
    batch.events += await _bill_events(batch, moves, on)
    kinds = {LineStatus.SUSPENDED: "line.suspended", LineStatus.CLOSED: "line.closed"}
    told = [move.after for move in moved if move.after.line.status in kinds]
    views = await line_bodies(batch, products, told, on)
    for debt in told:
        line = debt.line
        batch.events.append(Event(kinds[line.status], line.id, views[line.id], on, line.person_id))
    return moves


async def move_earned(batch: Batch, moves: Sequence[Move], on: date) -> None:
    """Move the sums of earned interest by what happened to bills and draws, or to the days of their line.

    `keep` does it for its moves; who changes a line alone asks for it.
    """
    courses: dict[ProductVersion, Course] = {}
    for move in moves:
        if course := change(earned(move.before, on), earned(move.after, on)):
            key = move.after.line.product, move.after.line.product_version
            courses[key] = together((courses.get(key, {}), course))
    if courses and not faults.planted(faults.Plant.FORGET_ACCRUAL):
        await accruals.move_accruals(batch.db, batch.bucket, courses)


async def load_amounts(db: Connection, bucket: int, line_ids: Sequence[UUID]) -> dict[UUID, LineAmounts]:
    """What the ledger says of some lines."""
    kinds = (AccountKind.LINE_PRINCIPAL, AccountKind.LINE_CREDIT_BALANCE)
    accounts = [account_id(id_, kind) for id_ in line_ids for kind in kinds]
    balances = await load_balances(db, bucket, accounts)
    amounts = {}
    for id_ in line_ids:
        principal, favour = (balances.get(account_id(id_, kind), NOTHING) for kind in kinds)
        amounts[id_] = LineAmounts(principal.balance_minor, principal.held_minor, favour.owed_to_owner_minor)
    return amounts


async def line_bodies(
    batch: Batch, products: Products, debts: Sequence[Debt], on: date, language: str = EVENT_LANGUAGE
) -> Mapping[UUID, bytes]:
    """Lines as the API shows them, by id: as they stand in `debts`, which are all that they owe."""
    if not debts:
        return {}
    amounts = await load_amounts(batch.db, batch.bucket, [debt.line.id for debt in debts])
    lines = {debt.line.id: debt.line for debt in debts}
    people = {line.person_id for line in lines.values()}
    ceilings = await load_ceilings(batch.db, batch.bucket, products, people, on, lines)
    return {
        debt.line.id: msgspec.json.encode(
            view_line(
                debt,
                replace(
                    amounts[debt.line.id],
                    used_minor=debt.principal_minor,
                    ceiling_minor=ceilings.get(debt.line.id),
                ),
                products.version(debt.line.product, debt.line.product_version, debt.line.tier),
                batch.book.id,
                on,
                language,
            )
        )
        for debt in debts
    }


async def bill_events(batch: Batch, told: Sequence[tuple[str, Bill, Line]], on: date) -> list[Event]:
    """Events about bills: (kind, the bill as it is now, its line)."""
    if not told:
        return []
    items = await bills.load_items(batch.db, batch.bucket, {bill.id for _, bill, _ in told})
    return [
        Event(
            kind,
            bill.id,
            msgspec.json.encode(view_bill(bill, items[bill.id], line, on, EVENT_LANGUAGE)),
            on,
            line.person_id,
        )
        for kind, bill, line in told
    ]


async def _bill_events(batch: Batch, moves: Sequence[Move], on: date) -> list[Event]:
    kinds = {BillStatus.OVERDUE: "bill.overdue", BillStatus.PAID: "bill.paid"}
    told = [
        (kind, bill, move.after.line)
        for move in moves
        for status, kind in kinds.items()
        for bill in rules.newly(status, move.before, move.after)
    ]
    return await bill_events(batch, told, on)


async def _closed_if_done(batch: Batch, moves: Sequence[Move], on: date) -> list[Move]:
    """Close lines that waited for it and owe nothing more; what stands in the person's favour is paid out."""
    closing = [move.after.line.id for move in moves if move.after.line.status is LineStatus.CLOSING]
    if not closing:
        return list(moves)
    states = await lines.load_states(batch.db, batch.bucket, closing)
    waits = await lines_pending(batch.db, batch.bucket, closing)
    done = []
    for move in moves:
        debt = move.after
        state = states.get(debt.line.id)
        now = replace(state, used_minor=debt.principal_minor) if state else None
        if now and may_close(now, owed(debt, Target.ALL, on), waits=debt.line.id in waits):
            move = Move(move.before, replace(debt, line=closed(debt.line)))
        done.append(move)
    await pay_out(
        batch, [move.after.line for move in done if move.after.line.status is LineStatus.CLOSED], on
    )
    return done


def _change(batch: Batch, line: Line, at: datetime) -> LineChange:
    return LineChange(
        id=batch.ids.new(at, slot_of(line.id)),
        line_id=line.id,
        kind=_CHANGES[line.status],
        actor=Actor.SYSTEM,
        actor_id=None,
        reason=_reason(line),
        limit_minor=line.limit_minor,
        at=at,
    )


def _reason(line: Line) -> str:
    if line.status is LineStatus.CLOSING:
        return "charged off"
    return "arrears" if line.past_due_since else "nothing is overdue or owed"
