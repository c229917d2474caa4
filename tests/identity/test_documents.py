"""Who a person is: checked outside or face to face; one person, one identity; a tier never falls."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace

from wufeng.base.books import Book
from wufeng.base.errors import Code, Problem
from wufeng.identity.audit.queries import list_audit_entries
from wufeng.identity.documents import commands as verifying
from wufeng.identity.documents.commands import (
    Registry,
    ask_pending,
    verify_face_to_face,
    verify_outside,
)
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
from wufeng.identity.documents.queries import list_verifications
from wufeng.identity.documents.rules import check_claim, check_digit
from wufeng.identity.documents.verifier import NoAnswer, TestVerifier
from wufeng.identity.people import store as people
from wufeng.identity.people.commands import erase_person, freeze_person
from wufeng.identity.people.model import PersonView, Tier
from wufeng.identity.people.queries import birth_date_of_person, show_person
from wufeng.identity.people.store import lock_people
from wufeng.identity.policy import shipped_identity_policy

from .conftest import PHONE, World, gathered

OTHER_PHONE = "+8613900002222"


def number_of(sequence: str = "002", born: str = "19491231") -> str:
    """A resident number with those three digits before its check digit."""
    body = f"110105{born}{sequence}"
    return body + check_digit(body)


def claim(world: World, document: str | None = None, name: str = "张小明") -> Claimed:
    on = world.book.business_date(world.at)
    return check_claim(DocumentKind.RESIDENT_ID, name, document or number_of(), None, on)


def registry(world: World, verifier: object = None) -> Registry:
    return Registry(world.database, world.vault, world.ids, verifier or TestVerifier())  # type: ignore[arg-type]


async def verify(
    world: World,
    person_id: UUID,
    document: str | None = None,
    verifier: object = None,
    book: Book | None = None,
) -> Verification | Code:
    try:
        return await verify_outside(
            registry(world, verifier), book or world.book, person_id, claim(world, document), world.at
        )
    except Problem as problem:
        return problem.code


async def shown(world: World, person_id: UUID) -> PersonView:
    async with world.database.read() as db:
        return await show_person(db, world.vault, world.book, person_id)


class Silent:
    """The outside, which does not answer until it is told to; it counts what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answer: frozenset[OutsideCheck] | None = None

    async def check(self, asked: Asked) -> frozenset[OutsideCheck]:
        self.asked.append(asked)
        if self.answer is None:
            raise NoAnswer
        return self.answer


async def test_two_checks_beside_the_phone_give_tier_ii(world: World) -> None:
    person_id = await world.person()
    assert (await shown(world, person_id)).tier == 1
    made = await verify(world, person_id)
    assert isinstance(made, Verification)
    assert made.status is VerificationStatus.PASSED and made.tier is Tier.II and made.reason is None
    assert set(made.checks) == {OutsideCheck.IDENTITY_REGISTER, OutsideCheck.PHONE_REGISTER}
    seen = await shown(world, person_id)
    assert (seen.tier, seen.name) == (2, "张**")
    async with world.database.read() as db:
        assert str(await birth_date_of_person(db, world.vault, world.book, person_id)) == "1949-12-31"
        sealed = await db.fetchrow("select name, document, evidence from identity_check")
    assert tuple(sealed) == (None, None, None), "what was claimed is kept with the person alone"


@pytest.mark.parametrize(
    ("sequence", "status", "reason", "tier"),
    [
        ("002", "passed", None, 2),
        ("990", "refused", Refusal.NOT_CONFIRMED, 1),
        ("991", "pending", None, 1),
        ("992", "refused", Refusal.NOT_CONFIRMED, 1),
        ("995", "passed", None, 3),
    ],
)
async def test_documents_with_known_outcomes(world: World, sequence, status, reason, tier) -> None:
    person_id = await world.person()
    made = await verify(world, person_id, number_of(sequence))
    assert isinstance(made, Verification)
    assert (made.status, made.reason, made.tier) == (status, reason, tier)
    assert (await shown(world, person_id)).tier == tier


@pytest.mark.parametrize(
    ("phone", "reason"),
    [("+8613800005001", Refusal.NOT_CONFIRMED), ("+8613800009001", Refusal.DOCUMENT_TAKEN)],
)
async def test_people_with_known_outcomes(world: World, phone: str, reason: Refusal) -> None:
    made = await verify(world, await world.person(phone))
    assert isinstance(made, Verification) and made.reason is reason


async def test_one_person_one_identity(world: World) -> None:
    first, second = await world.person(), await world.person(OTHER_PHONE)
    assert (await verify(world, first)).status is VerificationStatus.PASSED  # type: ignore[union-attr]
    outside = Silent()
    made = await verify(world, second, verifier=outside)
    assert isinstance(made, Verification)
    assert (made.status, made.reason) == (VerificationStatus.REFUSED, Refusal.DOCUMENT_TAKEN)
    assert outside.asked == [], "nobody outside hears of it"
    assert (await shown(world, second)).tier == 1
    other = await verify(world, first, number_of("004"))
    assert isinstance(other, Verification) and other.reason is Refusal.OTHER_DOCUMENT
    # A registration by the operator claims it too, and is told no more.
    told = await world.create("+8613900003333", "u3", "李四", number_of().lower())
    assert isinstance(told, Problem) and told.code is Code.STATE_CONFLICT
    assert told.detail == "document belongs to another person."


async def test_a_registered_document_is_claimed_and_a_refused_registration_claims_nothing(
    world: World,
) -> None:
    assert isinstance(await world.create(PHONE, "u1", "张三", number_of()), tuple)
    assert isinstance(
        await world.create(OTHER_PHONE, "u1", "张三", number_of("004")), Problem
    )  # another's external_id
    made = await verify(world, await world.person(OTHER_PHONE), number_of("004"))
    assert isinstance(made, Verification) and made.status is VerificationStatus.PASSED


async def test_registrations_of_one_document_at_once(world: World) -> None:
    told = await gathered(
        *(world.create(f"+861390000{n:04d}", f"u{n}", "张三", number_of()) for n in range(8))
    )
    assert sum(isinstance(one, tuple) for one in told) == 1


async def test_two_people_with_one_document_at_once(world: World) -> None:
    claimants = [await world.person(f"+861390000{n:04d}") for n in range(6)]
    told = await gathered(*(verify(world, one) for one in claimants))
    assert [one.status for one in told if isinstance(one, Verification)].count(VerificationStatus.PASSED) == 1
    assert len(told) == 6 and all(isinstance(one, Verification) for one in told)


async def test_a_refused_document_is_let_go(world: World) -> None:
    """Who types another's number into their own account does not keep them from theirs."""
    thief, owner = await world.person(), await world.person(OTHER_PHONE)
    outside = Silent()
    outside.answer = frozenset()
    refused = await verify(world, thief, verifier=outside)
    assert isinstance(refused, Verification) and refused.reason is Refusal.NOT_CONFIRMED
    made = await verify(world, owner)
    assert isinstance(made, Verification) and made.status is VerificationStatus.PASSED


async def test_the_outside_is_asked_again_until_it_answers(world: World) -> None:
    person_id, outside = await world.person(), Silent()
    made = await verify(world, person_id, verifier=outside)
    assert isinstance(made, Verification) and made.status is VerificationStatus.PENDING
    assert await verify(world, person_id, number_of("004")) is Code.STATE_CONFLICT, "one at a time"
    assert await ask_pending(registry(world, outside), world.book, world.at) == 0, "not at once"
    later = world.later(timedelta(seconds=61))
    assert await ask_pending(registry(world, outside), world.book, later) == 1
    outside.answer = frozenset({OutsideCheck.BANK_CARD, OutsideCheck.PHONE_REGISTER})
    later = world.later(timedelta(seconds=61))
    assert await ask_pending(registry(world, outside), world.book, later) == 1
    assert [one.claimed.document.text for one in outside.asked] == [number_of()] * 3
    assert (await shown(world, person_id)).tier == 2
    async with world.database.read() as db:
        [view] = await list_verifications(db, world.book, person_id)
    assert (view.status, view.tier, view.answered_at) == (VerificationStatus.PASSED, 2, later)
    assert await ask_pending(registry(world, outside), world.book, world.later(timedelta(hours=1))) == 0


async def test_a_process_that_dies_while_it_asks_loses_nothing(world: World) -> None:
    class Dead:
        async def check(self, asked: Asked) -> frozenset[OutsideCheck]:
            raise asyncio.CancelledError

    person_id = await world.person()
    with pytest.raises(asyncio.CancelledError):
        await verify(world, person_id, verifier=Dead())
    later = world.later(timedelta(seconds=61))
    assert await ask_pending(registry(world), world.book, later) == 1
    assert (await shown(world, person_id)).tier == 2


async def test_the_outside_that_never_answers(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = shipped_identity_policy()
    few = replace(policy, verification=replace(policy.verification, asks_max=2))
    monkeypatch.setattr(verifying, "shipped_identity_policy", lambda: few)
    person_id, outside = await world.person(), Silent()
    await verify(world, person_id, verifier=outside)
    await ask_pending(registry(world, outside), world.book, world.later(timedelta(seconds=61)))
    async with world.database.read() as db:
        [view] = await list_verifications(db, world.book, person_id)
    assert (view.status, view.reason) == (VerificationStatus.REFUSED, Refusal.NO_ANSWER)


async def test_a_slow_outside_is_not_waited_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow:
        async def check(self, asked: Asked) -> frozenset[OutsideCheck]:
            await asyncio.sleep(60)
            return frozenset()

    policy = shipped_identity_policy()
    quick = replace(policy, verification=replace(policy.verification, answer_within_s=1))
    monkeypatch.setattr(verifying, "shipped_identity_policy", lambda: quick)
    made = await verify(world, await world.person(), verifier=Slow())
    assert isinstance(made, Verification) and made.status is VerificationStatus.PENDING


async def test_refusals(world: World) -> None:
    person_id = await world.person()
    assert await verify(world, UUID(int=5)) is Code.NOT_FOUND
    for _ in range(5):
        made = await verify(world, person_id, number_of("990"))
        assert isinstance(made, Verification) and made.reason is Refusal.NOT_CONFIRMED
    assert await verify(world, person_id) is Code.RATE_LIMITED
    world.later(timedelta(days=1, seconds=1))
    assert isinstance(await verify(world, person_id), Verification)
    await freeze_person(world.database, world.book, world.ids, person_id, world.act(person_id))
    assert await verify(world, person_id) is Code.FORBIDDEN
    none = Registry(world.database, world.vault, world.ids, None)
    with pytest.raises(Problem) as refused:
        await verify_outside(none, world.live, person_id, claim(world), world.at)
    assert refused.value.code is Code.STATE_CONFLICT and "no verifier" in refused.value.detail
    assert await ask_pending(none, world.live, world.at) == 0


async def face_to_face(
    world: World, person_id: UUID, tier: Tier, claimed: Claimed | None = None
) -> Verification | Code:
    act = world.act(person_id, "create_verification", "seen at the counter")
    try:
        return await verify_face_to_face(registry(world), world.book, person_id, claimed, tier, act)
    except Problem as problem:
        return problem.code


async def test_staff_who_have_seen_the_person_give_a_tier(world: World) -> None:
    person_id = await world.person()
    assert await face_to_face(world, person_id, Tier.III) is Code.INVALID_FIELD, "no document is kept"
    made = await face_to_face(world, person_id, Tier.II, claim(world))
    assert isinstance(made, Verification)
    assert (made.method, made.status, made.tier) == (Method.FACE_TO_FACE, VerificationStatus.PASSED, Tier.II)
    raised = await face_to_face(world, person_id, Tier.III)
    assert isinstance(raised, Verification) and raised.kind is DocumentKind.RESIDENT_ID
    assert await face_to_face(world, person_id, Tier.II) is Code.STATE_CONFLICT, "it never falls"
    assert (await shown(world, person_id)).tier == 3
    async with world.database.read() as db:
        entries = await list_audit_entries(db, world.book, person_id)
    assert [entry.reason for entry in entries] == ["seen at the counter"] * 2
    other = await world.person(OTHER_PHONE)
    taken = await face_to_face(world, other, Tier.II, claim(world))
    assert isinstance(taken, Verification) and taken.reason is Refusal.DOCUMENT_TAKEN
    assert (await shown(world, other)).tier == 1


async def test_checks_outside_do_not_lower_a_tier(world: World) -> None:
    person_id = await world.person()
    await face_to_face(world, person_id, Tier.III, claim(world))
    made = await verify(world, person_id)
    assert isinstance(made, Verification) and made.tier is Tier.III
    refused = await verify(world, person_id, verifier=Silent())
    assert isinstance(refused, Verification) and refused.status is VerificationStatus.PENDING
    async with world.database.transaction() as db:
        guard = (await lock_people(db, world.book.bucket_of(person_id), [person_id]))[person_id]
    assert guard.tier is Tier.III


async def keep_meanwhile(world: World, person_id: UUID, document: str) -> None:
    """A document of the person is kept while another is being checked, as nothing in here does any more."""
    bucket, seen = world.book.bucket_of(person_id), claim(world, document)
    async with world.database.transaction() as db:
        keys = await people.load_keys(db, world.vault, bucket, [person_id])
        await people.set_identity(db, bucket, person_id, keys[person_id], seen.name, seen.document)
        name = people.name_of(world.vault, world.book, people.DOCUMENT, seen.document)
        await people.claim_names(db, {name: person_id}, world.at)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (frozenset[OutsideCheck](), Refusal.OTHER_DOCUMENT),
        (frozenset({OutsideCheck.BANK_CARD, OutsideCheck.PHONE_REGISTER}), Refusal.OTHER_DOCUMENT),
        (None, Refusal.NO_ANSWER),
    ],
    ids=["refused", "passed", "silent"],
)
async def test_whoever_has_another_document_by_now_holds_one_claim(
    world: World, monkeypatch: pytest.MonkeyPatch, answer: frozenset[OutsideCheck] | None, reason: Refusal
) -> None:
    policy = shipped_identity_policy()
    few = replace(policy, verification=replace(policy.verification, asks_max=2))
    monkeypatch.setattr(verifying, "shipped_identity_policy", lambda: few)
    person_id, outside = await world.person(), Silent()
    await verify(world, person_id, verifier=outside)
    await keep_meanwhile(world, person_id, number_of("004"))
    outside.answer = answer
    assert await ask_pending(registry(world, outside), world.book, world.later(timedelta(seconds=61))) == 1
    async with world.database.read() as db:
        [view] = await list_verifications(db, world.book, person_id)
        kept = await people.load_document(db, world.vault, world.book.bucket_of(person_id), person_id)
        assert await db.fetchval("select count(*) from name_claim where kind = 'document'") == 1
    assert (view.status, view.reason) == (VerificationStatus.REFUSED, reason)
    assert kept is not None and kept.text == number_of("004")
    made = await verify(world, await world.person(OTHER_PHONE))
    assert isinstance(made, Verification) and made.status is VerificationStatus.PASSED, "it is let go"


async def test_nobody_is_seen_face_to_face_while_a_document_is_checked_outside(world: World) -> None:
    person_id, outside = await world.person(), Silent()
    await verify(world, person_id, verifier=outside)
    assert (
        await face_to_face(world, person_id, Tier.II, claim(world, number_of("004"))) is Code.STATE_CONFLICT
    )
    outside.answer = frozenset()
    assert await ask_pending(registry(world, outside), world.book, world.later(timedelta(seconds=61))) == 1
    made = await face_to_face(world, person_id, Tier.II, claim(world, number_of("004")))
    assert isinstance(made, Verification) and made.status is VerificationStatus.PASSED


async def test_erasure_frees_a_document_that_was_never_answered_about(world: World) -> None:
    person_id = await world.person()
    await verify(world, person_id, verifier=Silent())
    await freeze_person(world.database, world.book, world.ids, person_id, world.act(person_id))
    await erase_person(world.database, world.vault, world.book, world.ids, person_id, world.act(person_id))
    async with world.database.read() as db:
        assert await db.fetchval("select count(*) from name_claim") == 0
    made = await verify(world, await world.person(OTHER_PHONE))
    assert isinstance(made, Verification) and made.status is VerificationStatus.PASSED


async def test_erasure_ends_what_waits_and_frees_the_document(world: World) -> None:
    person_id = await world.person()
    await verify(world, person_id)
    world.later(timedelta(seconds=1))
    await verify(world, person_id, verifier=Silent())
    await freeze_person(world.database, world.book, world.ids, person_id, world.act(person_id))
    await erase_person(world.database, world.vault, world.book, world.ids, person_id, world.act(person_id))
    async with world.database.read() as db:
        [pending, _] = await list_verifications(db, world.book, person_id)
        assert await db.fetchval("select count(*) from identity_check where document is not null") == 0
    assert pending.status is VerificationStatus.REFUSED
    later = world.later(timedelta(seconds=61))
    assert await ask_pending(registry(world), world.book, later) == 0
    made = await verify(world, await world.person(OTHER_PHONE))
    assert isinstance(made, Verification) and made.status is VerificationStatus.PASSED
