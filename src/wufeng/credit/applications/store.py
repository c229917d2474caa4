"""Where applications and reviews are kept. Everything works inside the caller's transaction, in one bucket."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from asyncpg import Record

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.credit.applications.model import (
    NOTHING_WITHDRAWN,
    Application,
    ApplicationKind,
    ApplicationPolicy,
    ApplicationStatus,
    Consent,
    Decision,
    Inputs,
    LineReview,
    Offered,
    Paper,
    ReviewOutcome,
)
from wufeng.credit.consents.store import withdrawn_of
from wufeng.credit.products.model import Mode

SQL = load(__file__)


class KeptPolicy(msgspec.Struct, frozen=True):
    """A version of the policy as it was kept: its text, and the text's hash (SHA-256, hex)."""

    name: str
    effective_from: date
    content_hash: str
    source: str


async def insert_policy(db: Connection, policy: ApplicationPolicy, source: str, at: datetime) -> None:
    """Keep a version that is not there yet."""
    await db.execute(SQL.insert_policy, policy.name, policy.effective_from, policy.content_hash, source, at)


async def load_policy(db: Connection, name: str) -> KeptPolicy | None:
    """A version by its name (`application@1`)."""
    rows = await db.fetch(SQL.load_policy, name)
    return KeptPolicy(*rows[0].values()) if rows else None


_inputs = msgspec.json.Decoder(Inputs).decode
_decision: Any = msgspec.json.Decoder(Decision).decode


async def load_applications(db: Connection, bucket: int, ids: Collection[UUID]) -> dict[UUID, Application]:
    """Applications; an unknown id is absent."""
    return await _read(db, bucket, await db.fetch(SQL.load_applications, bucket, list(ids)))


async def load_open(
    db: Connection,
    bucket: int,
    person_id: UUID,
    product: str,
    kind: ApplicationKind,
    line_id: UUID | None = None,
) -> Application | None:
    """The application of that kind that a person has under way for a product, or a raise of a line."""
    rows = await db.fetch(SQL.load_open, bucket, person_id, product, kind.value, line_id)
    return next(iter((await _read(db, bucket, rows)).values()), None)


async def list_applications(
    db: Connection, bucket: int, person_id: UUID, before: UUID | None, at_most: int
) -> list[Application]:
    """One page of a person's applications, the newest first; `before` is the last of the page before."""
    rows = await db.fetch(SQL.page_of_applications, bucket, person_id, before, at_most)
    return list((await _read(db, bucket, rows)).values())


async def list_referred(
    db: Connection, bucket: int, after: UUID | None, at: datetime, at_most: int
) -> list[Application]:
    """One page of the applications of a bucket that wait for a person's decision, the oldest first."""
    rows = await db.fetch(SQL.page_of_referred, bucket, after, at, at_most)
    return list((await _read(db, bucket, rows)).values())


async def insert_application(db: Connection, bucket: int, new: Application) -> None:
    """Keep a new application with what was agreed to."""
    decision = new.decision
    offered = decision if isinstance(decision, Offered) else None
    await db.execute(
        SQL.insert_application,
        bucket,
        new.id,
        new.person_id,
        new.line_id,
        new.order_id,
        new.order_minor,
        new.limit_minor,
        decision.score,
        new.product_version,
        new.kind.value,
        new.product,
        new.currency,
        new.status.value,
        offered.grade if offered else None,
        offered.price.name if offered else None,
        new.policy,
        _json(new.inputs),
        _json(decision),
        *_columns(new.sheet),
        *_columns(new.contract),
        new.expires_at,
        new.created_at,
        new.decided_at,
        new.mode.value if new.mode is not None else None,
    )
    purposes, versions = [one.purpose for one in new.consents], [one.version for one in new.consents]
    await db.execute(SQL.insert_consents, bucket, new.id, purposes, versions, new.created_at)


async def update_application(db: Connection, bucket: int, changed: Application) -> None:
    """Keep what changed of an application."""
    decision = changed.decision
    offered = decision if isinstance(decision, Offered) else None
    await db.execute(
        SQL.update_application,
        bucket,
        changed.id,
        changed.status.value,
        changed.line_id,
        changed.limit_minor,
        decision.score,
        offered.grade if offered else None,
        offered.price.name if offered else None,
        _json(decision),
        *_columns(changed.sheet),
        *_columns(changed.contract),
        changed.confirmed_by,
        changed.expires_at,
        changed.review_on,
        changed.decided_at,
        changed.accepted_at,
        changed.product_version,
    )


async def count_declined(db: Connection, bucket: int, person_id: UUID, since: datetime) -> int:
    """How many of a person's applications were declined after an instant."""
    rows = await db.fetch(SQL.count_declined, bucket, person_id, since)
    return int(rows[0]["count"])


async def applications_to_lapse(db: Connection, bucket: int, at: datetime, at_most: int) -> dict[UUID, UUID]:
    """Applications, each with its person, whose time has run out."""
    rows = await db.fetch(SQL.applications_to_lapse, bucket, at, at_most)
    return {row["id"]: row["person_id"] for row in rows}


async def lapse(db: Connection, bucket: int, ids: Collection[UUID], at: datetime) -> set[UUID]:
    """End those whose time has run out and that nobody has decided meanwhile; returns which."""
    return {row["id"] for row in await db.fetch(SQL.lapse, bucket, list(ids), at)}


async def applications_to_review(db: Connection, bucket: int, on: date, at_most: int) -> dict[UUID, UUID]:
    """Accepted applications, each with its person, whose line is to be reviewed on a date or before."""
    rows = await db.fetch(SQL.applications_to_review, bucket, on, at_most)
    return {row["id"]: row["person_id"] for row in rows}


async def set_review(db: Connection, bucket: int, application_id: UUID, on: date | None) -> None:
    """When the line of an application is reviewed next; None: no more."""
    await db.execute(SQL.set_review, bucket, application_id, on)


async def end_reviews(db: Connection, bucket: int, line_id: UUID, but: UUID) -> None:
    """Leave a line's next review to one of its applications alone."""
    await db.execute(SQL.end_reviews, bucket, line_id, but)


async def stop_line(db: Connection, bucket: int, line_id: UUID) -> None:
    """Review a line no more, and end what is offered of it."""
    await db.execute(SQL.stop_reviews, bucket, line_id)
    await db.execute(SQL.end_offers, bucket, line_id)


async def insert_review(db: Connection, bucket: int, review: LineReview) -> None:
    """Keep a review."""
    await db.execute(
        SQL.insert_review,
        bucket,
        review.id,
        review.line_id,
        review.application_id,
        review.before_minor,
        review.limit_minor,
        review.decision.score,
        review.reviewed_on,
        review.outcome.value,
        review.policy,
        _json(review.inputs),
        _json(review.decision),
        review.at,
    )


async def load_reviewed_limit(db: Connection, bucket: int, line_id: UUID, application_id: UUID) -> int | None:
    """The limit of a line as the review looked at it that offered a raise; None: no review did."""
    rows = await db.fetch(SQL.load_reviewed_limit, bucket, line_id, application_id)
    return rows[0]["before_minor"] if rows else None


async def list_reviews(
    db: Connection, bucket: int, line_id: UUID, before: UUID | None, at_most: int
) -> list[LineReview]:
    """One page of a line's reviews, the newest first; `before` is the last of the page before."""
    return [
        LineReview(
            id=row["id"],
            line_id=row["line_id"],
            reviewed_on=row["reviewed_on"],
            outcome=ReviewOutcome(row["outcome"]),
            policy=row["policy"],
            inputs=_inputs(row["inputs"]),
            decision=_decision(row["decision"]),
            before_minor=row["before_minor"],
            limit_minor=row["limit_minor"],
            application_id=row["application_id"],
            at=row["at"],
        )
        for row in await db.fetch(SQL.page_of_reviews, bucket, line_id, before, at_most)
    ]


async def _read(db: Connection, bucket: int, rows: Sequence[Record]) -> dict[UUID, Application]:
    """Rows with their consents, in the order of the rows."""
    if not rows:
        return {}
    consents: dict[UUID, tuple[Consent, ...]] = {}
    for one in await db.fetch(SQL.load_consents, bucket, [row["id"] for row in rows]):
        given = Consent(one["purpose"], one["version"])
        consents[one["application_id"]] = (*consents.get(one["application_id"], ()), given)
    withdrawn = await withdrawn_of(db, bucket, list(consents))
    return {
        row["id"]: _application(row, consents.get(row["id"], ()), withdrawn.get(row["id"], NOTHING_WITHDRAWN))
        for row in rows
    }


def _application(
    row: Record, consents: tuple[Consent, ...], withdrawn: Mapping[str, datetime]
) -> Application:
    return Application(
        id=row["id"],
        person_id=row["person_id"],
        kind=ApplicationKind(row["kind"]),
        product=row["product"],
        product_version=row["product_version"],
        currency=row["currency"],
        status=ApplicationStatus(row["status"]),
        policy=row["policy"],
        inputs=_inputs(row["inputs"]),
        decision=_decision(row["decision"]),
        limit_minor=row["limit_minor"],
        consents=consents,
        withdrawn=withdrawn,
        order_id=row["order_id"],
        order_minor=row["order_minor"],
        line_id=row["line_id"],
        mode=Mode(row["mode"]) if row["mode"] is not None else None,
        sheet=_paper(row["sheet"], row["sheet_hash"]),
        contract=_paper(row["contract"], row["contract_hash"]),
        confirmed_by=row["confirmed_by"],
        expires_at=row["expires_at"],
        review_on=row["review_on"],
        created_at=row["created_at"],
        decided_at=row["decided_at"],
        accepted_at=row["accepted_at"],
    )


def _paper(content: bytes | None, hash_: str | None) -> Paper | None:
    return None if content is None or hash_ is None else Paper(content, hash_)


def _columns(paper: Paper | None) -> tuple[bytes | None, str | None]:
    return (None, None) if paper is None else (paper.content, paper.hash)


def _json(part: msgspec.Struct) -> str:
    return msgspec.json.encode(part).decode()
