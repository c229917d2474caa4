"""Feature rows, decision rows, list members and policy versions in the database."""

import struct
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from msgspec import Struct

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.risk.model import (
    NO_HISTORY,
    OUTCOMES,
    Confirmation,
    Decision,
    Features,
    ListMember,
    Reason,
)

SQL = load(__file__)

_HEAD = struct.Struct("<BIIqqI")
_VERSION = 1
_ITEM_BYTES = 12


@lru_cache(maxsize=64)
def _recents(count: int) -> struct.Struct:
    """All instants, then all amounts."""
    return struct.Struct(f"<{count}I{count}q")


def pack(features: Features) -> bytes:
    """The feature row's bytes: a version, the sums of the day, then 12 bytes a recent payment."""
    head = _HEAD.pack(
        _VERSION,
        features.day_on,
        features.day_count,
        features.day_minor,
        features.day_no_pin_minor,
        features.lifetime_count,
    )
    recent = _recents(len(features.recent_at_s))
    return head + recent.pack(*features.recent_at_s, *features.recent_minor)


def unpack(packed: bytes) -> Features:
    """Read what `pack` wrote. Asserts the version: an older one is rewritten by a migration."""
    version, day_on, day_count, day_minor, day_no_pin_minor, lifetime_count = _HEAD.unpack_from(packed)
    assert version == _VERSION, f"feature row of version {version}"
    count = (len(packed) - _HEAD.size) // _ITEM_BYTES
    flat = _recents(count).unpack_from(packed, _HEAD.size)
    return Features(
        flat[:count], flat[count:], day_on, day_count, day_minor, day_no_pin_minor, lifetime_count
    )


class Known(Struct, frozen=True):
    """What is known before deciding: features of payers, and (list, id) of who stands on lists."""

    features: dict[UUID, Features]
    listed: set[tuple[str, UUID]]


async def load_known(
    db: Connection, bucket: int, payers: Collection[UUID], merchants: Collection[UUID]
) -> Known:
    """Features of payers whose person rows are locked (without history: NO_HISTORY), and list members among all."""
    features = dict.fromkeys(payers, NO_HISTORY)
    listed: set[tuple[str, UUID]] = set()
    for id_, packed, name in await db.fetch(SQL.load_known, bucket, list(payers), list(merchants)):
        if packed is None:
            listed.add((name, id_))
        else:
            features[id_] = unpack(packed)
    return Known(features, listed)


async def record_decisions(
    db: Connection, bucket: int, decisions: Sequence[Decision], features: Mapping[UUID, Features]
) -> None:
    """Append the decisions of a batch, and keep the folded features of the payers who were let through."""
    rows = [
        (
            bucket,
            d.id,
            d.payment_id,
            d.payer_id,
            d.merchant_id,
            d.amount_minor,
            d.at,
            d.outcome.code,
            " ".join(d.reasons),
            " ".join(d.rules),
            d.policy,
            d.product,
            d.confirmation,
            pack(d.features),
        )
        for d in decisions
    ]
    folded = [pack(one) for one in features.values()]
    await db.execute(SQL.record_decisions, bucket, rows, list(features), folded)


async def load_decision(db: Connection, bucket: int, decision_id: UUID) -> Decision | None:
    """One decision with its raw features."""
    row = await db.fetchrow(SQL.load_decision, bucket, decision_id)
    if row is None:
        return None
    return Decision(
        id=row["id"],
        payment_id=row["payment_id"],
        payer_id=row["payer_id"],
        merchant_id=row["merchant_id"],
        amount_minor=row["amount_minor"],
        at=row["at"],
        outcome=OUTCOMES[row["outcome"]],
        reasons=tuple(Reason(code) for code in row["reasons"].split()),
        rules=tuple(row["rules"].split()),
        policy=row["policy"],
        product=row["product"],
        confirmation=Confirmation(row["confirmation"]),
        features=unpack(row["features"]),
    )


async def add_member(db: Connection, member: ListMember) -> bool:
    """Put somebody on a list; False when they stand there already."""
    row = await db.fetchval(
        SQL.add_member, member.list, member.member_id, member.reason, member.added_at, member.added_by
    )
    return row is not None


async def remove_member(db: Connection, name: str, member_id: UUID) -> bool:
    """Take somebody off a list; False when they do not stand there."""
    return await db.fetchval(SQL.remove_member, name, member_id) is not None


async def list_members(db: Connection, name: str, after: UUID | None, limit: int) -> list[ListMember]:
    """Who stands on a list, in id order, after one of them."""
    return [ListMember(**dict(row)) for row in await db.fetch(SQL.list_members, name, after, limit)]


class KeptPolicy(Struct, frozen=True):
    """A policy version as it was kept: its text and the text's hash."""

    id: str
    version: int
    content_hash: str
    source: str


async def insert_policy(db: Connection, kept: KeptPolicy, effective_from: datetime, at: datetime) -> None:
    """Keep a version that is not there yet."""
    await db.execute(
        SQL.insert_policy, kept.id, kept.version, effective_from, kept.content_hash, kept.source, at
    )


async def load_policies(db: Connection) -> list[KeptPolicy]:
    """Every version that was ever kept."""
    return [KeptPolicy(**dict(row)) for row in await db.fetch(SQL.load_policies)]
