"""Where repayments are kept. Everything works inside the caller's transaction, in one bucket."""

from collections.abc import Collection, Sequence
from uuid import UUID

import msgspec
from asyncpg import Record

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.credit.refunds.model import Returnable, Returned
from wufeng.credit.repayments.model import Allocation, Repayment, RepaymentStatus, Source, SourceKind

SQL = load(__file__)

_ALLOCATION = msgspec.json.Decoder(tuple[Allocation, ...])


async def insert_repayments(
    db: Connection, bucket: int, repayments: Sequence[Repayment], journals: int
) -> None:
    """Keep new repayments, and of those that a bank is asked for when it was.

    journals  how many the batch has posted before: their numbers come before the asking
    """
    await db.execute(
        SQL.insert_repayments,
        bucket,
        [repayment.id for repayment in repayments],
        [repayment.line_id for repayment in repayments],
        [repayment.person_id for repayment in repayments],
        [repayment.source.kind.value for repayment in repayments],
        [repayment.source.id for repayment in repayments],
        [repayment.status.value for repayment in repayments],
        [repayment.amount_minor for repayment in repayments],
        [repayment.principal_minor for repayment in repayments],
        [_charges_minor(repayment) for repayment in repayments],
        [repayment.value_on for repayment in repayments],
        [repayment.posted_on for repayment in repayments],
        [repayment.plan for repayment in repayments],
        [_allocation_text(repayment) for repayment in repayments],
        [repayment.created_at for repayment in repayments],
        journals,
    )


async def update_repayments(db: Connection, bucket: int, repayments: Sequence[Repayment]) -> None:
    """Keep what changed of repayments."""
    await db.execute(
        SQL.update_repayments,
        bucket,
        [repayment.id for repayment in repayments],
        [repayment.status.value for repayment in repayments],
        [repayment.principal_minor for repayment in repayments],
        [_charges_minor(repayment) for repayment in repayments],
        [repayment.returned_minor for repayment in repayments],
        [repayment.value_on for repayment in repayments],
        [repayment.posted_on for repayment in repayments],
        [_allocation_text(repayment) for repayment in repayments],
        [repayment.reason for repayment in repayments],
        [repayment.asked_seq for repayment in repayments],
    )


async def load_repayments(db: Connection, bucket: int, ids: Collection[UUID]) -> dict[UUID, Repayment]:
    """Repayments by id; an unknown id is absent."""
    return {row["id"]: _repayment(row) for row in await db.fetch(SQL.load_repayments, bucket, ids)}


async def load_repayments_of_line(db: Connection, bucket: int, line_id: UUID) -> list[Repayment]:
    """All the repayments that a line ever had, the oldest first."""
    return [_repayment(row) for row in await db.fetch(SQL.load_repayments_of_line, bucket, line_id)]


async def lines_pending(db: Connection, bucket: int, line_ids: Collection[UUID]) -> set[UUID]:
    """Which of some lines have a repayment that a bank has not answered yet."""
    return {row["line_id"] for row in await db.fetch(SQL.lines_pending, bucket, line_ids)}


async def load_pending(
    db: Connection, bucket: int, line_ids: Collection[UUID]
) -> dict[UUID, list[Repayment]]:
    """By line: the repayments that a bank has not answered yet, the oldest first. A line without any is absent."""
    by_line: dict[UUID, list[Repayment]] = {}
    for row in await db.fetch(SQL.load_pending, bucket, line_ids):
        by_line.setdefault(row["line_id"], []).append(_repayment(row))
    return by_line


async def load_returnable(
    db: Connection, bucket: int, line_ids: Collection[UUID]
) -> dict[UUID, list[Returnable]]:
    """By line: what repayments paid and no refund has given back yet, the latest repayment first."""
    by_line: dict[UUID, list[Returnable]] = {}
    for row in await db.fetch(SQL.load_returnable, bucket, line_ids):
        source = Source(SourceKind(row["source"]), row["source_id"])
        by_line.setdefault(row["line_id"], []).append(Returnable(row["id"], source, row["amount_minor"]))
    return by_line


async def add_returned(db: Connection, bucket: int, returned: Sequence[Returned]) -> None:
    """Note on repayments what refunds have given back of them; a negative amount was not given back after all."""
    await db.execute(
        SQL.add_returned,
        bucket,
        [back.repayment_id for back in returned],
        [back.amount_minor for back in returned],
        [back.later for back in returned],
    )


def _repayment(row: Record) -> Repayment:
    return Repayment(
        id=row["id"],
        line_id=row["line_id"],
        person_id=row["person_id"],
        source=Source(SourceKind(row["source"]), row["source_id"]),
        status=RepaymentStatus(row["status"]),
        amount_minor=row["amount_minor"],
        principal_minor=row["principal_minor"],
        returned_minor=row["returned_minor"],
        value_on=row["value_on"],
        posted_on=row["posted_on"],
        plan=row["plan"],
        allocation=_ALLOCATION.decode(row["allocation"]) if row["allocation"] else (),
        reason=row["reason"],
        created_at=row["created_at"],
        asked_seq=row["asked_seq"],
    )


def _charges_minor(repayment: Repayment) -> int:
    """What a repayment paid of fees and interest."""
    return repayment.paid_minor - repayment.principal_minor


def _allocation_text(repayment: Repayment) -> str | None:
    return msgspec.json.encode(repayment.allocation).decode() if repayment.allocation else None
