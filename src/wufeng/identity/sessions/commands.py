"""What can be asked about sessions: sign in by a code or a passkey, step up by the PIN or a passkey, sign out."""

from datetime import datetime
from uuid import UUID

from wufeng.base.books import Book
from wufeng.base.database import Connection, Database
from wufeng.base.errors import Code, Problem, not_found
from wufeng.base.ids import IdMaker, slot_of
from wufeng.base.lanes import Lanes
from wufeng.identity.codes.commands import verify_code
from wufeng.identity.codes.model import CodePurpose, SignUp
from wufeng.identity.devices import store as devices
from wufeng.identity.devices.commands import sign_in_on
from wufeng.identity.devices.rules import check_name
from wufeng.identity.passkeys.commands import prove_passkey
from wufeng.identity.passkeys.model import Ask, ChallengePurpose, RelyingParty
from wufeng.identity.people import store as people
from wufeng.identity.people.commands import Registration, register
from wufeng.identity.people.model import PersonStatus
from wufeng.identity.people.phones import changed_lately
from wufeng.identity.people.rules import normalise_phone
from wufeng.identity.pins.commands import check_pin
from wufeng.identity.places import NOWHERE, Place
from wufeng.identity.policy import shipped_identity_policy
from wufeng.identity.sessions import rules, store
from wufeng.identity.sessions.model import SESSION_LASTS, Opened, Proof, SessionView
from wufeng.identity.tokens import CredentialKind, new_session
from wufeng.identity.vault import Private, Vault


async def sign_in(
    lanes: Lanes,
    vault: Vault,
    book: Book,
    phone: Private,
    code: Private,
    device: str,
    sign_up: SignUp,
    at: datetime,
    device_proof: Private | None = None,
    place: Place = NOWHERE,
) -> Opened:
    """Open a session by a one-time code; a verified unknown phone makes a person where the operator allows
    it.

    device_proof  what this device was given at its first sign-in: it is then the same device
    Refuses a wrong, used or old code (confirmation_failed with tries_left), a number that was changed meanwhile
    (confirmation_failed) and a person who is frozen (forbidden).
    """
    check_name(device)
    number = Private(normalise_phone(phone.text))
    verdict = await verify_code(lanes.database, vault, book, number, CodePurpose.SIGN_IN, code, at, place)
    if not verdict.ok:
        raise Problem(
            Code.CONFIRMATION_FAILED, "The code was not accepted.", extra={"tries_left": verdict.tries_left}
        )
    name = people.name_of(vault, book, people.PHONE, number)
    async with lanes.database.read() as db:
        person_id = await people.find_owner(db, name)
    if person_id is None:
        if sign_up is SignUp.CLOSED:
            raise Problem(Code.FORBIDDEN, "There is no account with this phone.")
        answer = await register(lanes, vault, book, Registration(phone=number), at)
        person_id = answer.object_id
        assert person_id is not None, "a registration names its person"
    async with lanes.database.transaction() as db:
        await _lock_with_phone(db, book, person_id, name)
        return await open_session(db, lanes.ids, book, person_id, device, at, device_proof)


async def sign_in_with_passkey(
    database: Database,
    ids: IdMaker,
    book: Book,
    party: RelyingParty,
    assertion: Private,
    device: str,
    at: datetime,
    device_proof: Private | None = None,
) -> Opened:
    """Open a session, at the level `passkey`, by the answer of a passkey to a challenge for signing in.

    Whose passkey it is stands in its answer. Refuses every answer that is not right (confirmation_failed) and a
    person who is frozen (forbidden).
    """
    check_name(device)
    ask = Ask(ChallengePurpose.SIGN_IN)
    person_id = await prove_passkey(database, ids, book, party, ask, assertion, at)
    async with database.transaction() as db:
        return await open_session(db, ids, book, person_id, device, at, device_proof, Proof.PASSKEY)


async def open_session(
    db: Connection,
    ids: IdMaker,
    book: Book,
    person_id: UUID,
    device: str,
    at: datetime,
    device_proof: Private | None = None,
    proved: Proof | None = None,
) -> Opened:
    """Open a session for a person whose proof has been checked, on a device that is known by its proof, or new.

    A new device soon after the number was changed looks like a takeover: low limits hold for a while.
    Refuses a person who is not active (forbidden).
    """
    # Locked, not shared: whether the number was changed stays as it is read, and a share could not be raised later.
    guard = (await people.lock_people(db, book.bucket_of(person_id), [person_id])).get(person_id)
    if guard is None or guard.status is not PersonStatus.ACTIVE:
        raise _frozen()
    watched = await changed_lately(db, book, person_id, at)
    used = await sign_in_on(db, ids, book, person_id, device, device_proof, at)
    if watched and used.proof is not None:
        until = at + shipped_identity_policy().takeover.cooling
        await people.begin_cooling(db, book.bucket_of(person_id), person_id, until)
    kept = store.Rotated(
        person_id, used.name, used.id, at + SESSION_LASTS, None, at if proved is Proof.PASSKEY else None
    )
    if proved is not None:
        await devices.trust_device(db, book.bucket_of(person_id), used.id, at)
    return await _open(db, ids, book, kept, at, used.proof)


async def step_up(
    database: Database,
    vault: Vault,
    ids: IdMaker,
    book: Book,
    session_id: UUID,
    person_id: UUID,
    pin: Private,
    at: datetime,
    place: Place = NOWHERE,
) -> Opened:
    """Raise a session to the level `pin` for 15 minutes. The token changes: the one before is dead at once.

    Refuses a wrong PIN (confirmation_failed with tries_left).
    """
    verdict = await check_pin(database, vault, book, person_id, pin, at, place)
    if not verdict.ok:
        raise Problem(
            Code.CONFIRMATION_FAILED, "The PIN was not accepted.", extra={"tries_left": verdict.tries_left}
        )
    return await _raise(database, ids, book, session_id, person_id, Proof.PIN, at)


async def step_up_with_passkey(
    database: Database,
    ids: IdMaker,
    book: Book,
    party: RelyingParty,
    session_id: UUID,
    person_id: UUID,
    assertion: Private,
    at: datetime,
) -> Opened:
    """Raise a session to the level `passkey` for 15 minutes, as `step_up` does. The challenge is one for signing in.

    Refuses every answer that is not right, another person's too (confirmation_failed).
    """
    ask = Ask(ChallengePurpose.SIGN_IN, person_id)
    await prove_passkey(database, ids, book, party, ask, assertion, at)
    return await _raise(database, ids, book, session_id, person_id, Proof.PASSKEY, at)


async def revoke_session(
    database: Database, book: Book, session_id: UUID, person_id: UUID, at: datetime
) -> SessionView:
    """Sign one of a person's devices out; its token is dead from the next request on.

    Another's session, an unknown and an ended one are not_found.
    """
    async with database.read() as db:
        ended = await store.revoke_session(db, book.bucket_of(session_id), session_id, person_id, at)
    if ended is None:
        raise not_found("session")
    return rules.view_of_ended(ended, at)


async def revoke_others(
    database: Database, book: Book, person_id: UUID, keep_session: UUID, at: datetime
) -> list[SessionView]:
    """Sign a person out everywhere but in the session that asks; the sessions that ended, newest first."""
    async with database.transaction() as db:
        await _share_active(db, book, person_id)
        ended = await store.revoke_of_person(db, book.bucket_of(person_id), person_id, at, keep_session)
    alive = (one for one in ended if one.expires_at > at)
    return [rules.view_of_ended(one, at) for one in sorted(alive, key=lambda one: one.id, reverse=True)]


async def _raise(
    database: Database,
    ids: IdMaker,
    book: Book,
    session_id: UUID,
    person_id: UUID,
    proof: Proof,
    at: datetime,
) -> Opened:
    bucket = book.bucket_of(session_id)
    async with database.transaction() as db:
        await _share_active(db, book, person_id)
        before = await store.rotate_session(db, bucket, session_id, at)
        if before is None:
            raise Problem(Code.UNAUTHENTICATED, "This session has ended.")
        if before.device_id is not None:
            await devices.trust_device(db, bucket, before.device_id, at)
        kept = store.Rotated(
            before.person_id,
            before.device,
            before.device_id,
            before.expires_at,
            at if proof is Proof.PIN else before.pin_at,
            at if proof is Proof.PASSKEY else before.passkey_at,
        )
        return await _open(db, ids, book, kept, at, None)


async def _lock_with_phone(db: Connection, book: Book, person_id: UUID, phone: people.Name) -> None:
    """The number whose code was right is the person's still, and stays so until this transaction ends."""
    bucket = book.bucket_of(person_id)
    await people.lock_people(db, bucket, [person_id])
    known = (await people.load_phone_names(db, [bucket], [person_id])).get(person_id)
    if known is not None and known != phone.id:  # none: of a person who is frozen, which is told as such
        raise Problem(Code.CONFIRMATION_FAILED, "The code was not accepted.", extra={"tries_left": 0})


async def _share_active(db: Connection, book: Book, person_id: UUID) -> None:
    """The person's row before their sessions, as a freeze takes them: so the two never wait in a circle."""
    if await people.share_person(db, book.bucket_of(person_id), person_id) is not PersonStatus.ACTIVE:
        raise _frozen()


def _frozen() -> Problem:
    return Problem(Code.FORBIDDEN, "This person is frozen.")


async def _open(
    db: Connection, ids: IdMaker, book: Book, kept: store.Rotated, at: datetime, device_proof: str | None
) -> Opened:
    session_id = ids.new(at, slot_of(kept.person_id))
    credential = new_session(CredentialKind.SESSION, book.id, session_id)
    session = store.NewSession(
        id=session_id,
        person_id=kept.person_id,
        secret_hash=credential.hash,
        device=kept.device,
        created_at=at,
        expires_at=kept.expires_at,
        pin_at=kept.pin_at,
        passkey_at=kept.passkey_at,
        device_id=kept.device_id,
    )
    await store.insert_session(db, book.bucket_of(kept.person_id), session)
    return Opened(
        token=credential.text,
        session_id=session_id,
        person_id=kept.person_id,
        auth_level=rules.level_of(kept.pin_at, kept.passkey_at, at),
        created_at=at,
        expires_at=kept.expires_at,
        device_id=kept.device_id,
        device_name=kept.device,
        device_proof=device_proof,
    )
