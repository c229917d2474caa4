"""What can be asked about sessions: sign in by a code, step up by the PIN, sign out."""

from datetime import datetime
from uuid import UUID

from wufeng.base.books import Book
from wufeng.base.database import Connection, Database
from wufeng.base.errors import Code, Problem, invalid_field, not_found
from wufeng.base.ids import IdMaker, slot_of
from wufeng.base.lanes import Lanes
from wufeng.identity.codes.commands import verify_code
from wufeng.identity.codes.model import CodePurpose, SignUp
from wufeng.identity.people import store as people
from wufeng.identity.people.commands import Registration, register
from wufeng.identity.people.model import PersonStatus
from wufeng.identity.people.rules import normalise_phone
from wufeng.identity.pins.commands import check_pin
from wufeng.identity.sessions import rules, store
from wufeng.identity.sessions.model import SESSION_LASTS, AuthLevel, Opened, SessionView
from wufeng.identity.tokens import CredentialKind, new_session
from wufeng.identity.vault import Private, Vault

DEVICE_MAX = 100


async def sign_in(
    lanes: Lanes,
    vault: Vault,
    book: Book,
    phone: Private,
    code: Private,
    device: str,
    sign_up: SignUp,
    at: datetime,
) -> Opened:
    """Open a session by a one-time code; a verified unknown phone makes a person where the operator allows
    it.

    Refuses a wrong, used or old code (confirmation_failed with tries_left) and a person who is frozen
    (forbidden).
    """
    if len(device) > DEVICE_MAX or not device.isprintable():
        raise invalid_field("/device", f"It must have at most {DEVICE_MAX} printable characters.")
    number = Private(normalise_phone(phone.text))
    verdict = await verify_code(lanes.database, vault, book, number, CodePurpose.SIGN_IN, code, at)
    if not verdict.ok:
        raise Problem(
            Code.CONFIRMATION_FAILED, "The code was not accepted.", extra={"tries_left": verdict.tries_left}
        )
    async with lanes.database.read() as db:
        person_id = await people.find_owner(db, people.name_of(vault, book, people.PHONE, number))
    if person_id is None:
        if sign_up is SignUp.CLOSED:
            raise Problem(Code.FORBIDDEN, "There is no account with this phone.")
        answer = await register(lanes, vault, book, Registration(phone=number), at)
        person_id = answer.object_id
        assert person_id is not None, "a registration names its person"
    async with lanes.database.transaction() as db:
        return await open_session(db, lanes.ids, book, person_id, device, at)


async def open_session(
    db: Connection, ids: IdMaker, book: Book, person_id: UUID, device: str, at: datetime
) -> Opened:
    """Open a session for a person whose proof has been checked. Refuses one who is not active (forbidden)."""
    await _share_active(db, book, person_id)
    return await _open(db, ids, book, person_id, device, at, at + SESSION_LASTS, pin_at=None)


async def step_up(
    database: Database,
    vault: Vault,
    ids: IdMaker,
    book: Book,
    session_id: UUID,
    person_id: UUID,
    pin: Private,
    at: datetime,
) -> Opened:
    """Raise a session to the level `pin` for 15 minutes. The token changes: the one before is dead at once.

    Refuses a wrong PIN (confirmation_failed with tries_left).
    """
    verdict = await check_pin(database, vault, book, person_id, pin, at)
    if not verdict.ok:
        raise Problem(
            Code.CONFIRMATION_FAILED, "The PIN was not accepted.", extra={"tries_left": verdict.tries_left}
        )
    async with database.transaction() as db:
        await _share_active(db, book, person_id)
        before = await store.rotate_session(db, book.bucket_of(session_id), session_id, at)
        if before is None:
            raise Problem(Code.UNAUTHENTICATED, "This session has ended.")
        return await _open(db, ids, book, before.person_id, before.device, at, before.expires_at, pin_at=at)


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


async def _share_active(db: Connection, book: Book, person_id: UUID) -> None:
    """The person's row before their sessions, as a freeze takes them: so the two never wait in a circle."""
    if await people.share_person(db, book.bucket_of(person_id), person_id) is not PersonStatus.ACTIVE:
        raise Problem(Code.FORBIDDEN, "This person is frozen.")


async def _open(
    db: Connection,
    ids: IdMaker,
    book: Book,
    person_id: UUID,
    device: str,
    at: datetime,
    expires_at: datetime,
    *,
    pin_at: datetime | None,
) -> Opened:
    session_id = ids.new(at, slot_of(person_id))
    credential = new_session(CredentialKind.SESSION, book.id, session_id)
    session = store.NewSession(
        id=session_id,
        person_id=person_id,
        secret_hash=credential.hash,
        device=device,
        created_at=at,
        expires_at=expires_at,
        pin_at=pin_at,
    )
    await store.insert_session(db, book.bucket_of(person_id), session)
    return Opened(
        token=credential.text,
        session_id=session_id,
        person_id=person_id,
        auth_level=AuthLevel.CODE if pin_at is None else AuthLevel.PIN,
        created_at=at,
        expires_at=expires_at,
    )
