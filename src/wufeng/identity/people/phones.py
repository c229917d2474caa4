"""A person changes their phone number: the way that takes an account over, so what looks like it is slowed down."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from wufeng.base.books import Book
from wufeng.base.database import Connection, Database
from wufeng.base.errors import Code, Problem, invalid_field, not_found
from wufeng.base.ids import IdMaker
from wufeng.identity.audit.commands import audit
from wufeng.identity.audit.model import Act
from wufeng.identity.codes.commands import send_notice, verify_code
from wufeng.identity.codes.model import CodePurpose, CodeVerdict, Notice
from wufeng.identity.codes.sms import Sms
from wufeng.identity.devices import store as devices
from wufeng.identity.people import rules, store
from wufeng.identity.people.model import PersonGuard, PersonStatus
from wufeng.identity.pins.commands import check_pin
from wufeng.identity.pins.model import PinVerdict
from wufeng.identity.places import Place
from wufeng.identity.policy import shipped_identity_policy
from wufeng.identity.sessions import store as sessions
from wufeng.identity.vault import Private, Vault


class PhoneProof(StrEnum):
    """What lets a number be changed, beside the code that the new one receives."""

    OLD_CODE = "old_code"  # a one-time code that the old number received
    PIN = "pin"
    SESSION = "session"  # stepped up by PIN or passkey a moment ago; known at the edge
    DOCUMENT = "document"  # staff have seen it; it is compared with the one that is kept


class PhoneChange(Struct, frozen=True, kw_only=True):
    """A number to change to, and what is shown for it.

    code          that the new number received
    proof         of the kind `how`; None for a session
    device_id     the device that asks; None for staff and for sessions older than devices
    keep_session  the session that asks, which goes on; all others end
    """

    phone: Private
    code: Private
    how: PhoneProof
    proof: Private | None = None
    device_id: UUID | None = None
    keep_session: UUID | None = None


async def change_phone(
    database: Database,
    vault: Vault,
    sms: Sms | None,
    ids: IdMaker,
    book: Book,
    person_id: UUID,
    change: PhoneChange,
    act: Act,
    place: Place,
) -> None:
    """Give a person another number; the old one is told, and may be somebody else's from now on.

    A new device, or staff instead of the person, makes it look like a takeover: low limits hold for a while
    (catalogue/policies/identity.toml). Refuses (raises) the number that the person has (invalid_field), wrong proofs
    (confirmation_failed), a number of another person (state_conflict) and a person who is frozen, but to staff
    (forbidden).
    """
    bucket = book.bucket_of(person_id)
    async with database.read() as db:
        before = await store.load_phone(db, vault, bucket, person_id)
    if before is None:
        raise not_found("person")
    number = Private(rules.normalise_phone(change.phone.text))
    if number == before.number:
        raise invalid_field("/phone", "This is the person's number already.")
    await _prove(database, vault, book, person_id, before, change, act.at, place)
    code = await verify_code(database, vault, book, number, CodePurpose.PHONE, change.code, act.at, place)
    _refuse_wrong(code, "The code of the new number was not accepted.")
    name = store.name_of(vault, book, store.PHONE, number)
    async with database.transaction() as db:
        guard = await _lock(db, bucket, person_id, change.how)
        key = (await store.load_keys(db, vault, bucket, [person_id]))[person_id]
        if (await store.claim_names(db, {name: person_id}, act.at))[name.id] != person_id:
            raise Problem(Code.STATE_CONFLICT, "phone belongs to another person.")
        after = store.Phone(number, name.id)
        if not await store.change_phone(db, bucket, person_id, key, after, before.name, act.at):
            raise Problem(Code.STATE_CONFLICT, "The number was changed by another request meanwhile.")
        await store.release_names(db, {store.name_of(vault, book, store.PHONE, before.number): person_id})
        if await _looks_taken_over(db, bucket, guard, change, act.at):
            until = act.at + shipped_identity_policy().takeover.cooling
            await store.begin_cooling(db, bucket, person_id, until)
        await sessions.revoke_of_person(db, bucket, person_id, act.at, change.keep_session)
        await send_notice(db, sms, ids, book, before, Notice.PHONE_CHANGED, act.at)
        await audit(db, book, ids, [act])


async def changed_lately(db: Connection, book: Book, person_id: UUID, at: datetime) -> bool:
    """Whether a person's number was changed so lately that a new device looks like a takeover."""
    changed_at = await store.load_phone_changed_at(db, book.bucket_of(person_id), person_id)
    return changed_at is not None and at < changed_at + shipped_identity_policy().takeover.within


async def _prove(
    database: Database,
    vault: Vault,
    book: Book,
    person_id: UUID,
    before: store.Phone,
    change: PhoneChange,
    at: datetime,
    place: Place,
) -> None:
    if change.how is PhoneProof.SESSION:
        return
    assert change.proof is not None, "every other kind of proof shows something"
    match change.how:
        case PhoneProof.OLD_CODE:
            code = await verify_code(
                database, vault, book, before.number, CodePurpose.PHONE, change.proof, at, place
            )
            _refuse_wrong(code, "The code of the old number was not accepted.")
        case PhoneProof.PIN:
            pin = await check_pin(database, vault, book, person_id, change.proof, at, place)
            _refuse_wrong(pin, "The PIN was not accepted.")
        case PhoneProof.DOCUMENT:
            async with database.read() as db:
                kept = await store.load_document(db, vault, book.bucket_of(person_id), person_id)
            seen = rules.normalise_document(change.proof.text)
            if kept is None or rules.normalise_document(kept.text) != seen:
                raise Problem(Code.CONFIRMATION_FAILED, "It is not the document that is kept of this person.")


async def _lock(db: Connection, bucket: int, person_id: UUID, how: PhoneProof) -> PersonGuard:
    """The person's row, before claims and sessions. A frozen person lost their phone: staff may change the number."""
    guard = (await store.lock_people(db, bucket, [person_id])).get(person_id)
    if guard is None or guard.status is PersonStatus.ERASED:
        raise not_found("person")
    if guard.status is not PersonStatus.ACTIVE and how is not PhoneProof.DOCUMENT:
        raise Problem(Code.FORBIDDEN, "This person is frozen.")
    return guard


async def _looks_taken_over(
    db: Connection, bucket: int, guard: PersonGuard, change: PhoneChange, at: datetime
) -> bool:
    made_at = None
    if change.device_id is not None:
        device = (await devices.load_living(db, bucket, [change.device_id])).get(change.device_id)
        made_at = device.created_at if device is not None else None
    within = shipped_identity_policy().takeover.within
    return rules.looks_taken_over(
        guard.outcome, made_at, at, within, by_staff=change.how is PhoneProof.DOCUMENT
    )


def _refuse_wrong(verdict: PinVerdict | CodeVerdict, detail: str) -> None:
    if not verdict.ok:
        raise Problem(Code.CONFIRMATION_FAILED, detail, extra={"tries_left": verdict.tries_left})
