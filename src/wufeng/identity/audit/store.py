"""Audit entries in the database, in the bucket of the object they tell of."""

from collections.abc import Sequence
from uuid import UUID

from wufeng.base.database import Connection
from wufeng.base.ids import Prefix
from wufeng.base.sql import load
from wufeng.identity.audit.model import Act
from wufeng.identity.callers import CallerKind

SQL = load(__file__)


async def insert_entries(
    db: Connection, buckets: Sequence[int], ids: Sequence[UUID], acts: Sequence[Act]
) -> None:
    """Write one entry an act."""
    await db.execute(
        SQL.insert_entries,
        buckets,
        ids,
        [act.by_kind.value for act in acts],
        [act.by_id for act in acts],
        [act.credential_id for act in acts],
        [act.operation for act in acts],
        [act.object_prefix.value for act in acts],
        [act.object_id for act in acts],
        [act.reason for act in acts],
        [act.request_id for act in acts],
        [act.at for act in acts],
    )


async def list_entries(
    db: Connection, bucket: int, object_id: UUID, before: UUID, at_most: int
) -> list[tuple[UUID, Act]]:
    """What was done to an object, newest first, each with its entry's id."""
    return [
        (
            row["id"],
            Act(
                by_kind=CallerKind(row["by_kind"]),
                by_id=row["by_id"],
                credential_id=row["credential_id"],
                operation=row["operation"],
                object_prefix=Prefix(row["object_prefix"]),
                object_id=row["object_id"],
                reason=row["reason"],
                at=row["at"],
                request_id=row["request_id"],
            ),
        )
        for row in await db.fetch(SQL.list_entries, bucket, object_id, before, at_most)
    ]
