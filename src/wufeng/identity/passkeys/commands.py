"""What can be asked about passkeys: a challenge, the check of its answer, to keep, rename and delete one."""

import logging
import secrets
from datetime import datetime
from uuid import UUID

from wufeng.base.books import Book
from wufeng.base.database import Connection, Database
from wufeng.base.errors import Code, Problem, not_found
from wufeng.base.ids import IdMaker, Prefix, encode, slot_of
from wufeng.identity.audit.commands import audit
from wufeng.identity.audit.model import Act
from wufeng.identity.callers import CallerKind
from wufeng.identity.codes.commands import verify_code
from wufeng.identity.codes.model import CodePurpose, CodeVerdict
from wufeng.identity.devices.rules import check_name
from wufeng.identity.hashing import refuse_when_busy, run_slowly
from wufeng.identity.passkeys import rules, store
from wufeng.identity.passkeys.model import (
    PASSKEYS_MAX,
    Ask,
    ChallengePurpose,
    ChallengeView,
    Passkey,
    PasskeyStatus,
    PasskeyView,
    RelyingParty,
)
from wufeng.identity.people import store as people
from wufeng.identity.people.model import PersonStatus
from wufeng.identity.places import NOWHERE, Place
from wufeng.identity.tries.commands import counters_of_address, take_tries
from wufeng.identity.tries.model import TryKind
from wufeng.identity.vault import Private, Vault

log = logging.getLogger(__name__)

_RANDOM_BYTES = 32


async def ask_to_register(
    database: Database,
    vault: Vault,
    ids: IdMaker,
    book: Book,
    party: RelyingParty,
    person_id: UUID,
    at: datetime,
) -> ChallengeView:
    """A challenge to make a passkey. That the person may is for the caller to have checked: a PIN or a code.

    Refuses a person who has twenty (state_conflict).
    """
    bucket = book.bucket_of(person_id)
    async with database.read() as db:
        known = await store.list_passkeys(db, bucket, person_id)
        person = (await people.load_people(db, vault, bucket, [person_id])).get(person_id)
        if len(known) >= PASSKEYS_MAX:
            raise Problem(
                Code.STATE_CONFLICT, f"A person has at most {PASSKEYS_MAX} passkeys: delete one first."
            )
        shown = (person.phone_masked if person is not None else None) or encode(Prefix.PERSON, person_id)
        ask = Ask(ChallengePurpose.REGISTER, person_id)
        challenge_id, challenge = await _ask(db, ids, book, ask, at)
    credentials = [passkey.credential_id for passkey in known]
    options = rules.options_to_register(party, challenge, person_id, shown, credentials)
    return rules.view_of_challenge(challenge_id, ask, options, at)


async def ask_to_sign_in(
    database: Database,
    vault: Vault,
    ids: IdMaker,
    book: Book,
    party: RelyingParty,
    at: datetime,
    place: Place = NOWHERE,
) -> ChallengeView:
    """A challenge for whoever signs in: their passkey says who they are.

    Refuses too many from one address (rate_limited).
    """
    await take_tries(database, counters_of_address(vault, book, place, TryKind.CHALLENGES_TO_ADDRESS), at)
    ask = Ask(ChallengePurpose.SIGN_IN)
    async with database.read() as db:
        challenge_id, challenge = await _ask(db, ids, book, ask, at)
    options = rules.options_to_prove(party, challenge, [])
    return rules.view_of_challenge(challenge_id, ask, options, at)


async def ask_to_confirm(
    database: Database,
    ids: IdMaker,
    book: Book,
    party: RelyingParty,
    person_id: UUID,
    digest: bytes,
    at: datetime,
) -> ChallengeView:
    """A challenge to confirm one request, by its digest (`digest_of_request`).

    Refuses a person without a passkey (state_conflict).
    """
    ask = Ask(ChallengePurpose.CONFIRM, person_id, digest)
    async with database.read() as db:
        known = await store.list_passkeys(db, book.bucket_of(person_id), person_id)
        usable = [passkey.credential_id for passkey in known if passkey.status is PasskeyStatus.ACTIVE]
        if not usable:
            raise Problem(Code.STATE_CONFLICT, "There is no passkey to confirm with.")
        challenge_id, challenge = await _ask(db, ids, book, ask, at)
    options = rules.options_to_prove(party, challenge, usable)
    return rules.view_of_challenge(challenge_id, ask, options, at)


async def prove_passkey(
    database: Database,
    ids: IdMaker,
    book: Book,
    party: RelyingParty,
    ask: Ask,
    answer: Private,
    at: datetime,
) -> UUID:
    """Whose passkey it is that answers what was asked; the challenge is used up by it, right or wrong.

    It takes the database and no transaction: an answer that could be rolled back was never given.
    Refuses every answer that is not right with the same words (confirmation_failed). One that is right, from a
    counter that has not grown, suspends the passkey: there is a copy of it.
    """
    refuse_when_busy()
    assertion = rules.read_assertion(answer.text)
    if assertion is None or not rules.is_for(assertion, ask):
        raise _refused()
    person_id = ask.person_id or rules.person_of(assertion)
    assert person_id is not None, "an answer that names nobody is refused where nobody is expected"
    bucket = book.bucket_of(person_id)
    async with database.read() as db:
        taken = await _take(db, book, ask, assertion.challenge, at)
        passkey = await store.load_passkey(db, bucket, person_id, assertion.credential_id)
    if not taken or passkey is None:
        raise _refused()
    count = await run_slowly(rules.verify_assertion, assertion, passkey, assertion.challenge, party)
    if count is None:
        raise _refused()
    async with database.transaction() as db:
        grown = await store.advance_count(db, bucket, passkey.id, count, at)
        if not grown:
            await _suspend(db, book, ids, passkey, at)
    if not grown:
        raise _refused()
    return person_id


async def register_passkey(
    database: Database,
    ids: IdMaker,
    book: Book,
    party: RelyingParty,
    person_id: UUID,
    device_id: UUID | None,
    name: str,
    answer: Private,
    at: datetime,
) -> PasskeyView:
    """Keep the passkey that an authenticator has made for a challenge of this person's.

    device_id  the device that asks; a passkey that cannot leave it ends with it
    Refuses an answer that is not right (confirmation_failed), and a passkey that is there already (state_conflict).
    """
    refuse_when_busy()
    check_name(name, "/name")
    challenge = rules.challenge_asked_in(answer.text)
    ask = Ask(ChallengePurpose.REGISTER, person_id)
    async with database.read() as db:
        if challenge is None or not await _take(db, book, ask, challenge, at):
            raise _refused()
    made = await run_slowly(rules.verify_registration, answer.text, challenge, party)
    if made is None:
        raise _refused()
    new = store.NewPasskey(
        id=ids.new(at, slot_of(person_id)),
        person_id=person_id,
        credential_id=made.credential_id,
        public_key=made.public_key,
        sign_count=made.sign_count,
        name=name,
        device_id=device_id if made.is_bound else None,
        created_at=at,
    )
    return await _keep(database, book, new)


async def rename_passkey(
    database: Database, book: Book, passkey_id: UUID, person_id: UUID, name: str
) -> PasskeyView:
    """Give a passkey another name. Another's, an unknown and a deleted one are not_found."""
    check_name(name, "/name")
    async with database.read() as db:
        renamed = await store.rename_passkey(db, book.bucket_of(passkey_id), passkey_id, person_id, name)
    if renamed is None:
        raise not_found("passkey")
    return rules.view_of(renamed)


async def delete_passkey(
    database: Database, book: Book, passkey_id: UUID, person_id: UUID, at: datetime
) -> PasskeyView:
    """Let a passkey prove nothing any more. Another's, an unknown and a deleted one are not_found."""
    async with database.read() as db:
        deleted = await store.delete_passkey(db, book.bucket_of(passkey_id), passkey_id, person_id, at)
    if deleted is None:
        raise not_found("passkey")
    return rules.view_of(deleted)


async def check_own_code(
    database: Database,
    vault: Vault,
    book: Book,
    person_id: UUID,
    purpose: CodePurpose,
    code: Private,
    at: datetime,
    place: Place = NOWHERE,
) -> CodeVerdict:
    """Take a try of the one-time code that was sent to a person's own phone for that purpose."""
    async with database.read() as db:
        phone = await people.load_phone(db, vault, book.bucket_of(person_id), person_id)
    if phone is None:
        raise not_found("person")
    return await verify_code(database, vault, book, phone.number, purpose, code, at, place)


async def forget_challenges(db: Connection, bucket: int, at: datetime, at_most: int) -> int:
    """Delete challenges that nobody can answer any more; returns how many."""
    return await store.forget_challenges(db, bucket, at, at_most)


async def _ask(db: Connection, ids: IdMaker, book: Book, ask: Ask, at: datetime) -> tuple[UUID, bytes]:
    challenge_id = ids.new_anywhere(at) if ask.person_id is None else ids.new(at, slot_of(ask.person_id))
    challenge = rules.challenge_bytes(challenge_id, secrets.token_bytes(_RANDOM_BYTES))
    await store.insert_challenge(db, book.bucket_of(challenge_id), challenge_id, ask, challenge, at)
    return challenge_id, challenge


async def _take(db: Connection, book: Book, ask: Ask, challenge: bytes, at: datetime) -> bool:
    challenge_id = rules.challenge_id_of(challenge)
    if challenge_id is None:
        return False
    return await store.take_challenge(db, book.bucket_of(challenge_id), challenge_id, ask, challenge, at)


async def _keep(database: Database, book: Book, new: store.NewPasskey) -> PasskeyView:
    bucket = book.bucket_of(new.person_id)
    async with database.transaction() as db:
        # Before passkeys, as a freeze takes them.
        if await people.share_person(db, bucket, new.person_id) is not PersonStatus.ACTIVE:
            raise Problem(Code.FORBIDDEN, "This person is frozen.")
        if not await store.insert_passkey(db, bucket, new):
            raise Problem(Code.STATE_CONFLICT, "This passkey is there already.")
        kept = await store.load_passkey(db, bucket, new.person_id, new.credential_id)
    assert kept is not None, "a passkey that was written is there"
    return rules.view_of(kept)


async def _suspend(db: Connection, book: Book, ids: IdMaker, passkey: Passkey, at: datetime) -> None:
    """Stop a passkey of which there is a copy, and have the audit of its person say so."""
    if not await store.suspend_passkey(db, book.bucket_of(passkey.id), passkey.id, at):
        return  # it was stopped or deleted meanwhile
    named = encode(Prefix.PASSKEY, passkey.id)
    act = Act(
        by_kind=CallerKind.PERSON,
        by_id=passkey.person_id,
        credential_id=passkey.id,
        operation="suspend_passkey",
        object_prefix=Prefix.PERSON,
        object_id=passkey.person_id,
        reason=f"The counter of {named} did not grow: there may be a copy of it.",
        at=at,
        request_id="",
    )
    await audit(db, book, ids, [act])
    log.warning("the passkey %s was suspended: its counter did not grow", named)


def _refused() -> Problem:
    return Problem(Code.CONFIRMATION_FAILED, "The passkey was not accepted.")
