"""Where draws are kept. Everything works inside the caller's transaction, in one bucket."""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

import msgspec
from asyncpg import Record

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.credit.accruals.columns import pieces_column, pieces_of, rounding_column, rounding_of
from wufeng.credit.accruals.model import Segment
from wufeng.credit.draws.model import Draw, DrawStatus
from wufeng.credit.draws.rules import charges_open
from wufeng.lenders.model import columns_of, shares_of

SQL = load(__file__)

_SEGMENTS = msgspec.json.Decoder(tuple[Segment, ...])


async def insert_draws(db: Connection, bucket: int, draws: Sequence[Draw]) -> None:
    """Keep new draws, held or posted."""
    await db.execute(SQL.insert_draws, bucket, [_row(bucket, draw) for draw in draws])


async def update_draws(db: Connection, bucket: int, draws: Sequence[Draw]) -> None:
    """Keep what changed of draws."""
    await db.execute(SQL.update_draws, bucket, [_row(bucket, draw) for draw in draws])


def _row(bucket: int, draw: Draw) -> tuple[object, ...]:
    """A draw as a composite value, in the table's own order of columns."""
    return (
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
        _or_none(draw.fee_parts),
        _or_none(draw.subsidy_parts),
        draw.bills or None,
        draw.of_bill,
        draw.daily_ppm,
        draw.accrued_on if draw.daily_ppm else None,
        draw.interest_billed_minor,
        charges_open(draw),
        msgspec.json.encode(draw.segments).decode() if draw.segments else None,
        _or_none(draw.interest_parts),
        draw.bill_dates or None,
        draw.due_dates or None,
        rounding_column(draw.rounding),
        pieces_column(draw.pieces),
    )


def _or_none(parts: tuple[int, ...]) -> tuple[int, ...] | None:
    """No column for what was never there; charges that fell to nothing stay as they are: a fold has them so."""
    return parts or None


async def load_draws(db: Connection, bucket: int, ids: Collection[UUID]) -> dict[UUID, Draw]:
    """Draws by id; an unknown id is absent."""
    return {row["id"]: _draw(row) for row in await db.fetch(SQL.load_draws, bucket, ids)}


async def load_unbilled_draws(db: Connection, bucket: int, line_ids: Collection[UUID]) -> list[Draw]:
    """The draws of some lines of which something is still to be billed, the oldest first."""
    return [_draw(row) for row in await db.fetch(SQL.load_unbilled_draws, bucket, line_ids)]


async def load_draws_of_line(db: Connection, bucket: int, line_id: UUID) -> list[Draw]:
    """All the draws that a line ever had, the oldest first."""
    return [_draw(row) for row in await db.fetch(SQL.load_draws_of_line, bucket, line_id)]


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
        of_bill=row["of_bill"],
        daily_ppm=row["daily_ppm"],
        accrued_on=row["accrued_on"] or date.min,
        interest_billed_minor=row["interest_billed_minor"],
        segments=_SEGMENTS.decode(row["segments"]) if row["segments"] else (),
        interest_parts=tuple(row["interest_parts"] or ()),
        bill_dates=tuple(row["bill_dates"] or ()),
        due_dates=tuple(row["due_dates"] or ()),
        rounding=rounding_of(row["rounding"]),
        pieces=pieces_of(row["pieces"]),
    )


async def load_unbilled_sums(db: Connection, bucket: int, line_ids: Collection[UUID]) -> dict[UUID, int]:
    """How much of each line is still to be billed; a line with nothing is absent."""
    rows = await db.fetch(SQL.load_unbilled_sums, bucket, line_ids)
    return {row["line_id"]: row["unbilled_minor"] for row in rows}
