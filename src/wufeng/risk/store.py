"""Feature rows, decision rows and list members."""

import struct
from collections.abc import Collection, Mapping, Sequence
from itertools import chain
from uuid import UUID

import msgspec

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.risk.model import NO_HISTORY, AuthLevel, Decision, Features, Outcome, Reason, Recent

SQL = load(__file__)

_HEAD = struct.Struct("<BIIqqI")
_VERSION = 1


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
    flat = chain.from_iterable((recent.at_s, recent.amount_minor) for recent in features.recent)
    return head + struct.pack("<" + "Iq" * len(features.recent), *flat)


def unpack(packed: bytes) -> Features:
    """Read what `pack` wrote. Asserts the version: an older one is rewritten by a migration."""
    version, day_on, day_count, day_minor, day_no_pin_minor, lifetime_count = _HEAD.unpack_from(packed)
    assert version == _VERSION, f"feature row of version {version}"
    recent = tuple(Recent(at_s, amount) for at_s, amount in struct.iter_unpack("<Iq", packed[_HEAD.size :]))
    return Features(recent, day_on, day_count, day_minor, day_no_pin_minor, lifetime_count)


async def load_features(db: Connection, bucket: int, payers: Collection[UUID]) -> dict[UUID, Features]:
    """Features of payers whose person rows are locked; a payer without history gets NO_HISTORY."""
    rows = await db.fetch(SQL.load_features, bucket, list(payers))
    found = {row["person_id"]: unpack(row["packed"]) for row in rows}
    return {payer: found.get(payer, NO_HISTORY) for payer in payers}


async def load_listed(db: Connection, ids: Collection[UUID]) -> set[tuple[str, UUID]]:
    """Which of these people and merchants stand on which list."""
    return {(row["list"], row["member_id"]) for row in await db.fetch(SQL.load_listed, list(ids))}


async def write_features(db: Connection, bucket: int, features: Mapping[UUID, Features]) -> None:
    """Keep the folded features of a batch's payers."""
    await db.execute(SQL.write_features, bucket, list(features), [pack(one) for one in features.values()])


async def write_decisions(db: Connection, bucket: int, decisions: Sequence[Decision]) -> None:
    """Append the decisions of a batch."""
    await db.execute(
        SQL.write_decisions,
        bucket,
        [d.id for d in decisions],
        [d.payment_id for d in decisions],
        [d.payer_id for d in decisions],
        [d.merchant_id for d in decisions],
        [d.amount_minor for d in decisions],
        [d.at for d in decisions],
        [d.outcome.code for d in decisions],
        [" ".join(reason.value for reason in d.reasons) for d in decisions],
        [" ".join(d.rules) for d in decisions],
        [d.policy for d in decisions],
        [d.product for d in decisions],
        [int(d.auth_level) for d in decisions],
        [pack(d.features) for d in decisions],
    )


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
        outcome=Outcome[row["outcome"].upper()],
        reasons=tuple(Reason(code) for code in row["reasons"].split()),
        rules=tuple(row["rules"].split()),
        policy=row["policy"],
        product=row["product"],
        auth_level=AuthLevel(row["auth_level"]),
        features=unpack(row["features"]),
    )


def features_view(features: Features) -> dict[str, object]:
    """Features as staff read them in a decision."""
    view: dict[str, object] = msgspec.to_builtins(features)
    return view
