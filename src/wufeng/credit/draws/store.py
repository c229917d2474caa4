"""Where draws are kept. Everything works inside the caller's transaction, in one bucket."""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from asyncpg import Record

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.credit.draws.model import Draw, DrawStatus
from wufeng.credit.lines.store import array_literal
from wufeng.lenders.model import columns_of, shares_of

SQL = load(__file__)


async def insert_draws(db: Connection, bucket: int, draws: Sequence[Draw]) -> None:
    """Keep new draws, held or posted."""
    rows = [
        (
            bucket,
            draw.tenor,
            draw.billed_parts,
            draw.id,
            draw.line_id,
            draw.payment_id,
            draw.merchant_id,
            draw.amount_minor,
            draw.unbilled_minor,
            draw.prepaid_minor,
            draw.product_version,
            draw.merchant_share_ppm,
            draw.posted_on,
            draw.billable_on,
            draw.status,
            *columns_of(draw.lenders),
            draw.principal_parts or (draw.amount_minor,),
            draw.fee_parts if any(draw.fee_parts) else None,
            draw.subsidy_parts if any(draw.subsidy_parts) else None,
            draw.bills or None,
        )
        for draw in draws
    ]
    await db.execute(SQL.insert_draws, bucket, rows)


async def load_draws(db: Connection, bucket: int, ids: Collection[UUID]) -> dict[UUID, Draw]:
    """Draws by id; an unknown id is absent."""
    return {row["id"]: _draw(row) for row in await db.fetch(SQL.load_draws, bucket, ids)}


async def load_unbilled_draws(db: Connection, bucket: int, line_ids: Collection[UUID]) -> list[Draw]:
    """The draws of some lines of which something is still to be billed, the oldest first."""
    return [_draw(row) for row in await db.fetch(SQL.load_unbilled_draws, bucket, line_ids)]


def _draw(row: Record) -> Draw:
    return Draw(
        id=row["id"],
        line_id=row["line_id"],
        payment_id=row["payment_id"],
        merchant_id=row["merchant_id"],
        amount_minor=row["amount_minor"],
        tenor=row["tenor"],
        merchant_share_ppm=row["merchant_share_ppm"],
        product_version=row["product_version"],
        lenders=shares_of(row["lenders"], row["shares_ppm"]),
        status=DrawStatus(row["status"]),
        principal_parts=tuple(row["principal_parts"]),
        fee_parts=tuple(row["fee_parts"] or ()),
        subsidy_parts=tuple(row["subsidy_parts"] or ()),
        billed_parts=row["billed_parts"],
        bills=tuple(row["bills"] or ()),
        prepaid_minor=row["prepaid_minor"],
        unbilled_minor=row["unbilled_minor"],
        posted_on=row["posted_on"],
        billable_on=row["billable_on"],
    )


async def update_draws(db: Connection, bucket: int, draws: Sequence[Draw]) -> None:
    """Keep what changed of draws."""
    await db.execute(
        SQL.update_draws,
        bucket,
        [draw.id for draw in draws],
        [draw.amount_minor for draw in draws],
        [draw.status.value for draw in draws],
        [array_literal(draw.principal_parts) for draw in draws],
        [_literal_or_none(draw.fee_parts) for draw in draws],
        [_literal_or_none(draw.subsidy_parts) for draw in draws],
        [draw.billed_parts for draw in draws],
        [array_literal(draw.bills) if draw.bills else None for draw in draws],
        [draw.prepaid_minor for draw in draws],
        [draw.unbilled_minor for draw in draws],
        [draw.posted_on for draw in draws],
        [draw.billable_on for draw in draws],
    )


async def set_billable(db: Connection, bucket: int, ids: Collection[UUID], on: date) -> set[UUID]:
    """Let bills take posted draws from a date on; returns the lines of those that were still waiting."""
    return {row["line_id"] for row in await db.fetch(SQL.set_billable, bucket, ids, on)}


async def load_unbilled_sums(db: Connection, bucket: int, line_ids: Collection[UUID]) -> dict[UUID, int]:
    """How much of each line is still to be billed; a line with nothing is absent."""
    rows = await db.fetch(SQL.load_unbilled_sums, bucket, line_ids)
    return {row["line_id"]: row["unbilled_minor"] for row in rows}


def _literal_or_none(parts: tuple[int, ...]) -> str | None:
    return array_literal(parts) if any(parts) else None
