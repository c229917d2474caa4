"""What can be asked about who a person is: have it checked outside, or face to face by staff.

The outside is asked with no transaction open. What is claimed is written before, sealed, so that a process which dies
while it waits loses nothing: the attempt is taken up again.
"""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from wufeng.base.books import Book
from wufeng.base.database import Connection, Database
from wufeng.base.errors import Code, Problem, invalid_field, not_found
from wufeng.base.ids import IdMaker, slot_of
from wufeng.identity.audit.commands import audit
from wufeng.identity.audit.model import Act
from wufeng.identity.documents import rules, store
from wufeng.identity.documents.model import (
    Asked,
    Claimed,
    DocumentKind,
    Method,
    OutsideCheck,
    Refusal,
    Verification,
    VerificationStatus,
)
from wufeng.identity.documents.verifier import NoAnswer, Verifier
from wufeng.identity.people import store as people
from wufeng.identity.people.model import PersonGuard, PersonStatus, Tier
from wufeng.identity.people.rules import normalise_document
from wufeng.identity.policy import shipped_identity_policy
from wufeng.identity.vault import PersonKey, Private, Vault

AT_ONCE = 100
"""Attempts of a bucket that one run asks about again at most."""


class Registry(Struct, frozen=True):
    """What the commands of this noun need beside their arguments. `verifier`: None where a book has none."""

    database: Database
    vault: Vault
    ids: IdMaker
    verifier: Verifier | None


async def verify_outside(
    registry: Registry, book: Book, person_id: UUID, claimed: Claimed, at: datetime
) -> Verification:
    """Have a document checked outside; the person's tier rises with the checks that it passes.

    It is `pending` when the outside does not answer in time; `ask_pending` asks again. A document that is another
    person's in this book is refused before anybody is asked. Refuses (raises) a person who is not active (forbidden),
    a second attempt beside one that waits (state_conflict), too many in a day (rate_limited), and a book without a
    verifier (state_conflict).
    """
    if registry.verifier is None:
        raise Problem(
            Code.STATE_CONFLICT,
            f"The book {book.name!r} has no verifier, so no document can be checked in it.",
        )
    begun = await _begin(registry, book, person_id, claimed, at)
    if begun.status is not VerificationStatus.PENDING:
        return begun
    return await _ask(registry, registry.verifier, book, begun.id, person_id, claimed, at)


async def verify_face_to_face(
    registry: Registry, book: Book, person_id: UUID, claimed: Claimed | None, tier: Tier, act: Act
) -> Verification:
    """Raise a person's tier since staff have seen them with their document, audited with the reason.

    claimed  what the document says; None: the one that is kept was seen
    Refuses (raises) a tier that the person has already and a check outside that waits (state_conflict), and no
    document at all (invalid_field).
    """
    bucket = book.bucket_of(person_id)
    async with registry.database.transaction() as db:
        guard, key = await _lock(db, registry.vault, bucket, person_id)
        await _refuse_beside_pending(db, bucket, person_id)
        if tier <= guard.tier:
            raise Problem(Code.STATE_CONFLICT, f"This person has tier {guard.tier.value} already.")
        kept = await people.load_document(db, registry.vault, bucket, person_id)
        if claimed is None and kept is None:
            raise invalid_field("/document", "No document of this person is kept: give name and document.")
        refusal = None
        if claimed is not None:
            refusal = await _claim(db, registry.vault, book, guard, kept, claimed, act.at)
            if refusal is None:
                await people.set_identity(db, bucket, person_id, key, claimed.name, claimed.document)
        if refusal is None:
            await people.raise_tier(db, bucket, person_id, tier)
        verification = Verification(
            id=registry.ids.new(act.at, slot_of(person_id)),
            person_id=person_id,
            method=Method.FACE_TO_FACE,
            kind=claimed.kind if claimed is not None else _kind_of(kept),
            status=VerificationStatus.PASSED if refusal is None else VerificationStatus.REFUSED,
            reason=refusal,
            checks=(),
            tier=tier if refusal is None else guard.tier,
            created_at=act.at,
            answered_at=act.at,
        )
        await store.insert_verification(db, bucket, verification, None, key)
        await audit(db, book, registry.ids, [act])
    return verification


async def ask_pending(registry: Registry, book: Book, at: datetime) -> int:
    """Ask again about attempts that the outside has not answered; returns how many were asked about."""
    if registry.verifier is None:
        return 0
    before = at - timedelta(seconds=shipped_identity_policy().verification.asked_again_after_s)
    asked = 0
    for bucket in book.buckets:
        async with registry.database.read() as db:
            waiting = await store.load_pending(db, bucket, before, AT_ONCE)
            keys = await people.load_keys(db, registry.vault, bucket, {one.person_id for one in waiting})
        for one in waiting:
            claimed = one.claimed(keys[one.person_id])
            await _ask(registry, registry.verifier, book, one.id, one.person_id, claimed, at)
        asked += len(waiting)
    return asked


async def _begin(
    registry: Registry, book: Book, person_id: UUID, claimed: Claimed, at: datetime
) -> Verification:
    """Claim the document for the person and write the attempt: it waits, or is refused already."""
    bucket, policy = book.bucket_of(person_id), shipped_identity_policy().verification
    async with registry.database.transaction() as db:
        guard, key = await _lock(db, registry.vault, bucket, person_id)
        if guard.status is not PersonStatus.ACTIVE:
            raise Problem(Code.FORBIDDEN, "This person is frozen.")
        await _refuse_beside_pending(db, bucket, person_id)
        if await store.count_since(db, bucket, person_id, at - timedelta(days=1)) >= policy.day_max:
            raise Problem(Code.RATE_LIMITED, "Too many documents were checked today.", retry_after_s=86_400)
        kept = await people.load_document(db, registry.vault, bucket, person_id)
        refusal = await _claim(db, registry.vault, book, guard, kept, claimed, at)
        verification = Verification(
            id=registry.ids.new(at, slot_of(person_id)),
            person_id=person_id,
            method=Method.OUTSIDE,
            kind=claimed.kind,
            status=VerificationStatus.PENDING if refusal is None else VerificationStatus.REFUSED,
            reason=refusal,
            checks=(),
            tier=guard.tier,
            created_at=at,
            answered_at=None if refusal is None else at,
        )
        await store.insert_verification(db, bucket, verification, claimed, key)
    return verification


async def _ask(
    registry: Registry,
    verifier: Verifier,
    book: Book,
    id_: UUID,
    person_id: UUID,
    claimed: Claimed,
    at: datetime,
) -> Verification:
    """Ask outside, and settle what it answers."""
    bucket, policy = book.bucket_of(person_id), shipped_identity_policy().verification
    async with registry.database.read() as db:
        phone = await people.load_phone(db, registry.vault, bucket, person_id)
    if phone is None:  # erased meanwhile, and the attempt ended with it
        return await _shown(registry, bucket, id_)
    try:
        async with asyncio.timeout(policy.answer_within_s):
            checks = await verifier.check(Asked(person_id, phone.number, claimed))
    except (NoAnswer, TimeoutError):
        async with registry.database.read() as db:
            asks = await store.note_asked(db, bucket, id_, at)
        if asks < policy.asks_max:
            return await _shown(registry, bucket, id_)
        return await _settle(registry, book, id_, person_id, claimed, None, at)
    return await _settle(registry, book, id_, person_id, claimed, checks, at)


async def _settle(
    registry: Registry,
    book: Book,
    id_: UUID,
    person_id: UUID,
    claimed: Claimed,
    checks: frozenset[OutsideCheck] | None,
    at: datetime,
) -> Verification:
    """Write the outside's answer, None for none at all: the person's document and tier, or the claim let go."""
    bucket = book.bucket_of(person_id)
    async with registry.database.transaction() as db:
        guard, key = await _lock(db, registry.vault, bucket, person_id)
        if await store.lock_pending(db, bucket, id_) is not None:
            kept = await people.load_document(db, registry.vault, bucket, person_id)
            decided = await _decide(db, registry.vault, book, guard, kept, claimed, checks, at)
            if isinstance(decided, Refusal):
                await _let_go(db, registry.vault, book, guard, kept, claimed)
                await store.answer_verification(db, bucket, id_, decided, checks or (), guard.tier, at)
            else:
                await people.set_identity(db, bucket, person_id, key, claimed.name, claimed.document)
                await people.raise_tier(db, bucket, person_id, decided)
                await store.answer_verification(db, bucket, id_, None, checks or (), decided, at)
    return await _shown(registry, bucket, id_)


async def _decide(
    db: Connection,
    vault: Vault,
    book: Book,
    guard: PersonGuard,
    kept: Private | None,
    claimed: Claimed,
    checks: frozenset[OutsideCheck] | None,
    at: datetime,
) -> Tier | Refusal:
    """What the outside's answer gives. The claim is decided again: what is kept may have changed since it was asked."""
    if checks is None:
        return Refusal.NO_ANSWER
    refusal = await _claim(db, vault, book, guard, kept, claimed, at)
    if refusal is not None:
        return refusal
    passed = await store.load_passed_checks(db, book.bucket_of(guard.id), guard.id)
    return rules.decide_answer(guard.tier, guard.outcome, checks, passed)


async def _refuse_beside_pending(db: Connection, bucket: int, person_id: UUID) -> None:
    """One document of a person at a time, so that they never hold two. The caller holds the person's row."""
    if await store.has_pending(db, bucket, person_id):
        raise Problem(Code.STATE_CONFLICT, "Another document of this person is being checked.")


async def _claim(
    db: Connection,
    vault: Vault,
    book: Book,
    guard: PersonGuard,
    kept: Private | None,
    claimed: Claimed,
    at: datetime,
) -> Refusal | None:
    """Claim a document's number for a person; one number is one person's in a book."""
    other = kept is not None and not _is_claimed(kept, claimed)
    refusal = rules.decide_claim(guard.outcome, owned_by_another=False, has_other_document=other)
    if refusal is not None:
        return refusal
    name = people.name_of(vault, book, people.DOCUMENT, claimed.document)
    owners = await people.claim_names(db, {name: guard.id}, at)
    return rules.decide_claim(
        guard.outcome, owned_by_another=owners[name.id] != guard.id, has_other_document=other
    )


async def _let_go(
    db: Connection, vault: Vault, book: Book, guard: PersonGuard, kept: Private | None, claimed: Claimed
) -> None:
    """A document that was refused may be somebody else's; the one that the person has proved before stays theirs."""
    if kept is None or not _is_claimed(kept, claimed):
        name = people.name_of(vault, book, people.DOCUMENT, claimed.document)
        await people.release_names(db, {name: guard.id})


async def _lock(db: Connection, vault: Vault, bucket: int, person_id: UUID) -> tuple[PersonGuard, PersonKey]:
    """The person's row, locked, and the key of what is known of them. Unknown and erased people are not_found."""
    guard = (await people.lock_people(db, bucket, [person_id])).get(person_id)
    key = (await people.load_keys(db, vault, bucket, [person_id])).get(person_id)
    if guard is None or key is None:
        raise not_found("person")
    return guard, key


async def _shown(registry: Registry, bucket: int, id_: UUID) -> Verification:
    async with registry.database.read() as db:
        found = await store.load_verification(db, bucket, id_)
    assert found is not None, "an attempt is never deleted"
    return found


def _is_claimed(kept: Private, claimed: Claimed) -> bool:
    return normalise_document(kept.text) == claimed.document.text


def _kind_of(kept: Private | None) -> DocumentKind:
    assert kept is not None, "no document at all was refused"
    resident = rules.looks_resident(normalise_document(kept.text))
    return DocumentKind.RESIDENT_ID if resident else DocumentKind.PASSPORT
