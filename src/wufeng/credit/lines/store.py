"""Where lines are kept. Everything works inside the caller's transaction, in one bucket."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from asyncpg import Record

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.credit.lines.model import Actor, ChangeKind, Line, LineChange, LineState, LineStatus
from wufeng.ledger import AccountKind, Balance, account_id, load_balances
from wufeng.lenders.model import Shares, shares_of

SQL = load(__file__)

NO_CAPS: Mapping[UUID, int | None] = {}


async def load_lines(db: Connection, bucket: int, ids: Collection[UUID]) -> dict[UUID, Line]:
    """Lines by id; an unknown id is absent."""
    return {row[0]: _line(row.values()) for row in await db.fetch(SQL.load_lines, bucket, ids)}


async def load_lines_of_people(db: Connection, bucket: int, people: Collection[UUID]) -> list[Line]:
    """All lines of some people, the oldest first, closed ones too."""
    return [_line(row.values()) for row in await db.fetch(SQL.load_lines_of_people, bucket, people)]


async def load_states_of_people(
    db: Connection, bucket: int, people: Collection[UUID]
) -> dict[UUID, LineState]:
    """All lines of some people with their balances and caps, by line, closed ones too: what a draw is decided from."""
    lines: dict[UUID, Line] = {}
    caps: dict[UUID, int | None] = {}
    for row in await db.fetch(SQL.load_capped_lines, bucket, people):
        *values, cap_minor = row.values()
        line = _line(values)
        lines[line.id], caps[line.id] = line, cap_minor
    balances = await load_balances(db, bucket, [principal_account(id_) for id_ in lines])
    return states_of(lines, balances, caps)


def _line(values: Iterable[Any]) -> Line:
    (
        id_, person_id, product, version, currency, lenders, shares_ppm, limit_minor, status, bill_day, due_day,
        opened_on, touched_on, next_bill_on, past_due_since, suspend_on, auto_debit,
        temporary_limit_minor, temporary_until_on, ended_raise_minor, frozen_until_on, charge_off_on,
        charged_off_on, tier, due_after_days, earlier_limit_minor,
    ) = values  # fmt: skip
    return Line(
        id=id_,
        person_id=person_id,
        product=product,
        product_version=version,
        currency=currency,
        lenders=_shares(tuple(lenders), tuple(shares_ppm)),
        limit_minor=limit_minor,
        status=LineStatus(status),
        bill_day=bill_day,
        due_day=due_day,
        opened_on=opened_on,
        touched_on=touched_on,
        next_bill_on=next_bill_on,
        past_due_since=past_due_since,
        suspend_on=suspend_on,
        auto_debit=tuple(auto_debit or ()),
        temporary_limit_minor=temporary_limit_minor,
        temporary_until_on=temporary_until_on,
        ended_raise_minor=ended_raise_minor,
        frozen_until_on=frozen_until_on,
        charge_off_on=charge_off_on,
        charged_off_on=charged_off_on,
        tier=tier,
        due_after_days=due_after_days,
        earlier_limit_minor=earlier_limit_minor,
    )


_shares = lru_cache(maxsize=4096)(shares_of)


def states_of(
    lines: Mapping[UUID, Line], balances: Mapping[UUID, Balance], caps: Mapping[UUID, int | None] = NO_CAPS
) -> dict[UUID, LineState]:
    """Lines with what the ledger says of their principal accounts (`principal_account`). caps: by line."""
    states = {}
    for id_, line in lines.items():
        balance = balances[principal_account(id_)]
        states[id_] = LineState(line, balance.balance_minor, balance.held_minor, caps.get(id_))
    return states


async def load_states(db: Connection, bucket: int, ids: Collection[UUID]) -> dict[UUID, LineState]:
    """Lines with their balances; an unknown id is absent."""
    lines = await load_lines(db, bucket, ids)
    return states_of(lines, await load_balances(db, bucket, [principal_account(id_) for id_ in lines]))


def principal_account(line_id: UUID) -> UUID:
    """The ledger account of what a line has used; its holds are what is held."""
    return account_id(line_id, AccountKind.LINE_PRINCIPAL)


async def insert_lines(db: Connection, bucket: int, lines: Sequence[Line]) -> None:
    """Keep new lines."""
    await db.execute(
        SQL.insert_lines,
        bucket,
        [line.id for line in lines],
        [line.person_id for line in lines],
        [line.product for line in lines],
        [line.product_version for line in lines],
        [line.currency for line in lines],
        [lenders_literal(line.lenders) for line in lines],
        [shares_literal(line.lenders) for line in lines],
        [line.limit_minor for line in lines],
        [line.status.value for line in lines],
        [line.bill_day for line in lines],
        [line.due_day for line in lines],
        [line.opened_on for line in lines],
        [line.tier for line in lines],
        [line.due_after_days for line in lines],
    )


async def update_lines(db: Connection, bucket: int, lines: Sequence[Line]) -> None:
    """Keep what changed of lines."""
    await db.execute(
        SQL.update_lines,
        bucket,
        [line.id for line in lines],
        [line.limit_minor for line in lines],
        [line.status.value for line in lines],
        [line.due_day for line in lines],
        [line.touched_on for line in lines],
        [line.next_bill_on for line in lines],
        [line.past_due_since for line in lines],
        [line.suspend_on for line in lines],
        [array_literal(line.auto_debit) if line.auto_debit else None for line in lines],
        [line.temporary_limit_minor for line in lines],
        [line.temporary_until_on for line in lines],
        [line.ended_raise_minor for line in lines],
        [line.frozen_until_on for line in lines],
        [line.charge_off_on for line in lines],
        [line.charged_off_on for line in lines],
        [line.due_after_days for line in lines],
        [line.earlier_limit_minor for line in lines],
    )


async def load_caps(db: Connection, bucket: int, people: Collection[UUID]) -> dict[UUID, int]:
    """The most that all lines of a person together may come to; who has no such cap is absent."""
    rows = await db.fetch(SQL.load_caps, bucket, people)
    return {row["person_id"]: row["cap_minor"] for row in rows}


async def set_caps(db: Connection, bucket: int, caps: Mapping[UUID, int | None], at: datetime) -> None:
    """Keep caps by person; None: no cap any more. The lock of the person guards it."""
    await db.execute(SQL.set_caps, bucket, list(caps), list(caps.values()), at)


async def lines_to_end(db: Connection, bucket: int, on: date, at_most: int) -> dict[UUID, UUID]:
    """Lines, each with its person, of which a time is over on a date, or which wait and were not looked at on it yet.

    Raises past their last date, freezes whose end has come, lines to be closed, closed ones that money came to.
    """
    rows = await db.fetch(SQL.lines_to_end, bucket, on, at_most)
    return {row["id"]: row["person_id"] for row in rows}


async def mark_looked(db: Connection, bucket: int, line_ids: Collection[UUID], on: date) -> None:
    """Note that lines have been looked at: not again on that date."""
    await db.execute(SQL.mark_looked, bucket, line_ids, on)


async def expect_bills(db: Connection, bucket: int, bill_on: Mapping[UUID, date]) -> None:
    """See to it that the day close looks at these lines for their bill of that date."""
    await db.execute(SQL.expect_bills, bucket, list(bill_on), list(bill_on.values()))


async def insert_changes(db: Connection, bucket: int, changes: Sequence[LineChange], journals: int) -> None:
    """Append to the history of lines. journals: how many the batch has posted before; the changes come after them."""
    await db.execute(
        SQL.insert_changes,
        bucket,
        [change.id for change in changes],
        [change.line_id for change in changes],
        [change.kind.value for change in changes],
        [change.actor.value for change in changes],
        [change.actor_id for change in changes],
        [change.reason for change in changes],
        [change.limit_minor for change in changes],
        [change.amount_minor for change in changes],
        [change.until_on for change in changes],
        [change.due_day_was for change in changes],
        [change.due_after_days_was for change in changes],
        [change.at for change in changes],
        journals,
    )


async def load_changes(db: Connection, bucket: int, line_id: UUID) -> list[LineChange]:
    """The history of a line, the oldest first."""
    return [_change(row) for row in await db.fetch(SQL.load_changes, bucket, line_id)]


async def page_of_changes(
    db: Connection, bucket: int, line_id: UUID, before: UUID | None, at_most: int
) -> list[LineChange]:
    """One page of the history of a line, the newest first; `before` is the last id of the page before."""
    rows = await db.fetch(SQL.page_of_changes, bucket, line_id, before, at_most)
    return [_change(row) for row in rows]


def _change(row: Record) -> LineChange:
    return LineChange(
        id=row["id"],
        line_id=row["line_id"],
        kind=ChangeKind(row["kind"]),
        actor=Actor(row["actor"]),
        actor_id=row["actor_id"],
        reason=row["reason"],
        limit_minor=row["limit_minor"],
        amount_minor=row["amount_minor"],
        until_on=row["until_on"],
        due_day_was=row["due_day_was"],
        due_after_days_was=row["due_after_days_was"],
        at=row["at"],
        seq=row["seq"],
    )


async def count_changes(
    db: Connection, bucket: int, line_ids: Collection[UUID], kind: ChangeKind, since: datetime
) -> dict[UUID, int]:
    """How often something was done to lines after an instant; a line to which it was not is absent."""
    rows = await db.fetch(SQL.count_changes, bucket, line_ids, kind.value, since)
    return {row["line_id"]: row["count"] for row in rows}


async def lines_to_suspend(db: Connection, bucket: int, on: date, at_most: int) -> dict[UUID, UUID]:
    """Lines, each with its person, whose arrears suspend them on a date or before."""
    rows = await db.fetch(SQL.lines_to_suspend, bucket, on, at_most)
    return {row["id"]: row["person_id"] for row in rows}


async def count_suspended(db: Connection, buckets: Sequence[int]) -> int:
    """How many lines their arrears hold suspended now."""
    rows = await db.fetch(SQL.count_suspended, list(buckets))
    return int(rows[0]["count"])


async def lines_to_bill(db: Connection, bucket: int, on: date, at_most: int) -> dict[UUID, UUID]:
    """Lines, each with its person, whose next bill is of that date or before."""
    rows = await db.fetch(SQL.lines_to_bill, bucket, on, at_most)
    return {row["id"]: row["person_id"] for row in rows}


@lru_cache(maxsize=4096)
def lenders_literal(shares: Shares) -> str:
    """Lenders as PostgreSQL writes an array: rows of arrays cannot go through unnest otherwise."""
    return array_literal(lender for lender, _ in shares)


@lru_cache(maxsize=4096)
def shares_literal(shares: Shares) -> str:
    """Shares as PostgreSQL writes an array."""
    return array_literal(share for _, share in shares)


def array_literal(values: Iterable[UUID | int | str]) -> str:
    """Ids or numbers (no free text) as PostgreSQL writes an array."""
    return "{" + ",".join(map(str, values)) + "}"
