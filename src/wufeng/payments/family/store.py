"""Family cards in their table, and what payments take of them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.payments.family.model import CardStatus, FamilyCard, Use

SQL = load(__file__)


def _card(row: asyncpg.Record) -> FamilyCard:
    return FamilyCard(
        id=row["id"],
        owner_id=row["owner_id"],
        owner_phone_id=row["owner_phone_id"],
        spender_phone_id=row["spender_phone_id"],
        spender_id=row["spender_id"],
        name=row["name"],
        use_wallet=row["use_wallet"],
        line_id=row["line_id"],
        month_cap_minor=row["month_cap_minor"],
        payment_cap_minor=row["payment_cap_minor"],
        status=CardStatus(row["status"]),
        expires_at=row["expires_at"],
        month_on=row["month_on"],
        used_minor=row["used_minor"],
        created_at=row["created_at"],
    )


async def insert_card(db: Connection, bucket: int, card: FamilyCard) -> None:
    """Write a new card."""
    await db.execute(
        SQL.insert_card,
        bucket,
        card.id,
        card.owner_id,
        card.owner_phone_id,
        card.spender_phone_id,
        card.spender_id,
        card.name,
        card.use_wallet,
        card.line_id,
        card.month_cap_minor,
        card.payment_cap_minor,
        card.status,
        card.expires_at,
        card.month_on,
        card.used_minor,
        card.created_at,
    )


async def count_live(db: Connection, bucket: int, owner_id: UUID, at: datetime) -> int:
    """How many cards a person has given out that may pay, now or once accepted."""
    count: int = await db.fetchval(SQL.count_live, bucket, owner_id, at)
    return count


async def load_cards(db: Connection, bucket: int, ids: Collection[UUID]) -> dict[UUID, FamilyCard]:
    """Cards by id; an unknown one is absent. Under their owners' locks what is read cannot change."""
    return {row["id"]: _card(row) for row in await db.fetch(SQL.load_cards, bucket, list(ids))}


async def update_card(db: Connection, bucket: int, card: FamilyCard) -> None:
    """Write what people change of a card: who holds it, its state, its caps."""
    await db.execute(
        SQL.update_card,
        bucket,
        card.id,
        card.spender_id,
        card.status,
        card.month_cap_minor,
        card.payment_cap_minor,
    )


async def list_given(
    db: Connection, bucket: int, owner_id: UUID, before: UUID | None, limit: int
) -> list[FamilyCard]:
    """Cards that a person has given out, the newest first; `before` is the last one of the page before."""
    rows = await db.fetch(SQL.list_given, bucket, owner_id, before, limit)
    return [_card(row) for row in rows]


async def list_held(
    db: Connection,
    buckets: Sequence[int],
    spender_id: UUID,
    phone_id: UUID | None,
    at: datetime,
    before: UUID | None,
    limit: int,
) -> list[FamilyCard]:
    """Cards that a person accepted, or that invite the phone that is theirs at an instant, the newest first."""
    rows = await db.fetch(SQL.list_held, list(buckets), spender_id, phone_id, at, before, limit)
    return [_card(row) for row in rows]


async def record_uses(
    db: Connection, bucket: int, uses: Sequence[Use], cards: Collection[FamilyCard]
) -> None:
    """Write payments made with cards, and the months of the cards that paid."""
    await db.execute(
        SQL.record_uses,
        bucket,
        [use.payment_id for use in uses],
        [use.card_id for use in uses],
        [use.month_on for use in uses],
        [use.used_minor for use in uses],
    )
    if cards:
        await db.execute(
            SQL.write_months,
            bucket,
            [card.id for card in cards],
            [card.month_on for card in cards],
            [card.used_minor for card in cards],
        )


async def load_uses(db: Connection, bucket: int, payment_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """The cards that payments were made with, by payment."""
    rows = await db.fetch(SQL.load_uses, bucket, list(payment_ids))
    return {row["payment_id"]: row["card_id"] for row in rows}


async def release_uses(db: Connection, bucket: int, freed: Mapping[UUID, int]) -> None:
    """Give back what payments hold no longer, by payment; to the card's month if it is still that of the payment."""
    await db.execute(SQL.release_uses, bucket, list(freed), list(freed.values()))


async def list_uses(
    db: Connection, bucket: int, card_id: UUID, before: UUID | None, limit: int
) -> list[UUID]:
    """Payments made with a card, the newest first."""
    return [row["payment_id"] for row in await db.fetch(SQL.list_uses, bucket, card_id, before, limit)]


async def sum_uses(db: Connection, bucket: int, card_id: UUID, began_from: UUID) -> int:
    """What a card's payments hold or have taken, of those with ids from one on."""
    taken_minor: int = await db.fetchval(SQL.sum_uses, bucket, card_id, began_from)
    return taken_minor


async def wrong_cards(db: Connection, bucket: int, at_most: int) -> list[tuple[UUID, str, str]]:
    """Cards whose months are not what their payments say: the card, what is expected, what was found."""
    rows = await db.fetch(SQL.wrong_cards, bucket, at_most)
    return [(row["id"], row["expected"], row["found"]) for row in rows]
