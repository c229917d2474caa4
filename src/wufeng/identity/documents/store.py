"""Verifications in the database (`identity_check`), with their person. Only this file knows how a claim is sealed."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from asyncpg import Record
from msgspec import Struct

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.identity.documents.model import (
    Claimed,
    DocumentKind,
    Method,
    OutsideCheck,
    Refusal,
    Verification,
    VerificationStatus,
)
from wufeng.identity.people.model import Tier
from wufeng.identity.vault import PersonKey, Private

SQL = load(__file__)


class Pending(Struct, frozen=True):
    """An attempt that waits for the outside; what is claimed is sealed."""

    id: UUID
    person_id: UUID
    kind: DocumentKind
    name: bytes
    document: bytes
    evidence: bytes | None
    asks: int

    def claimed(self, key: PersonKey) -> Claimed:
        """What the person says, in clear."""
        evidence = None if self.evidence is None else Private(key.unseal("evidence", self.evidence))
        name, document = key.unseal("name", self.name), key.unseal("document", self.document)
        return Claimed(self.kind, Private(name), Private(document), evidence)


async def insert_verification(
    db: Connection, bucket: int, verification: Verification, claimed: Claimed | None, key: PersonKey
) -> None:
    """Write an attempt. What is claimed is kept, sealed, only while it waits for an answer."""
    waits = verification.status is VerificationStatus.PENDING
    assert not waits or claimed is not None, "nothing can be asked about nothing"
    kept = claimed if waits else None
    await db.execute(
        SQL.insert_verification,
        bucket,
        verification.id,
        verification.person_id,
        verification.method.value,
        verification.kind.value,
        verification.status.value,
        _reason(verification.reason),
        [check.value for check in verification.checks],
        verification.tier.value,
        None if kept is None else key.seal("name", kept.name.text),
        None if kept is None else key.seal("document", kept.document.text),
        None if kept is None or kept.evidence is None else key.seal("evidence", kept.evidence.text),
        verification.created_at,
        verification.answered_at,
    )


async def list_verifications(
    db: Connection, bucket: int, person_id: UUID, before: UUID | None, at_most: int
) -> list[Verification]:
    """A person's attempts, the newest first, after one of them."""
    rows = await db.fetch(SQL.list_verifications, bucket, person_id, before, at_most)
    return [_verification(row) for row in rows]


async def load_verification(db: Connection, bucket: int, id_: UUID) -> Verification | None:
    """One attempt."""
    row = await db.fetchrow(SQL.load_verification, bucket, id_)
    return None if row is None else _verification(row)


async def count_since(db: Connection, bucket: int, person_id: UUID, since: datetime) -> int:
    """How often a person has had the outside asked since an instant."""
    count: int = await db.fetchval(SQL.count_since, bucket, person_id, since)
    return count


async def has_pending(db: Connection, bucket: int, person_id: UUID) -> bool:
    """Whether an attempt of the person waits for an answer."""
    return bool(await db.fetchval(SQL.has_pending, bucket, person_id))


async def load_passed_checks(db: Connection, bucket: int, person_id: UUID) -> set[OutsideCheck]:
    """The outside checks that a person has passed in all attempts together."""
    rows = await db.fetch(SQL.load_passed_checks, bucket, person_id)
    return {OutsideCheck(row["name"]) for row in rows}


async def lock_pending(db: Connection, bucket: int, id_: UUID) -> Pending | None:
    """Lock an attempt that waits; None when it has been answered."""
    row = await db.fetchrow(SQL.lock_pending, bucket, id_)
    return None if row is None else _pending(row)


async def load_pending(db: Connection, bucket: int, asked_before: datetime, at_most: int) -> list[Pending]:
    """Attempts of a bucket that wait and were not asked about since an instant, the longest first."""
    return [_pending(row) for row in await db.fetch(SQL.load_pending, bucket, asked_before, at_most)]


async def note_asked(db: Connection, bucket: int, id_: UUID, at: datetime) -> int:
    """Note that the outside was asked and did not answer; returns how often by now, 0 when it is answered."""
    return await db.fetchval(SQL.note_asked, bucket, id_, at) or 0


async def answer_verification(
    db: Connection,
    bucket: int,
    id_: UUID,
    reason: Refusal | None,
    checks: Collection[OutsideCheck],
    tier: Tier,
    at: datetime,
) -> Verification | None:
    """Write the answer, refused if there is a reason, and forget what was claimed; None when it was answered before."""
    status = VerificationStatus.PASSED if reason is None else VerificationStatus.REFUSED
    row = await db.fetchrow(
        SQL.answer_verification,
        bucket,
        id_,
        status.value,
        _reason(reason),
        sorted(check.value for check in checks),
        tier.value,
        at,
    )
    return None if row is None else _verification(row)


async def load_pending_of_person(db: Connection, bucket: int, person_id: UUID) -> list[Pending]:
    """What waits for a person: one attempt or none."""
    return [_pending(row) for row in await db.fetch(SQL.load_pending_of_person, bucket, person_id)]


async def end_of_person(db: Connection, bucket: int, person_id: UUID, at: datetime) -> None:
    """End what waits for a person who is erased."""
    await db.execute(SQL.end_of_person, bucket, person_id, at)


def _reason(reason: Refusal | None) -> str:
    return "" if reason is None else reason.value


def _pending(row: Record) -> Pending:
    return Pending(
        row["id"],
        row["person_id"],
        DocumentKind(row["kind"]),
        row["name"],
        row["document"],
        row["evidence"],
        row["asks"],
    )


def _verification(row: Record) -> Verification:
    return Verification(
        id=row["id"],
        person_id=row["person_id"],
        method=Method(row["method"]),
        kind=DocumentKind(row["kind"]),
        status=VerificationStatus(row["status"]),
        reason=Refusal(row["reason"]) if row["reason"] else None,
        checks=tuple(OutsideCheck(check) for check in row["checks"]),
        tier=Tier(row["tier"]),
        created_at=row["created_at"],
        answered_at=row["answered_at"],
    )
