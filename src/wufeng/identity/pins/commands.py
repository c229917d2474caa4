"""What can be asked about payment PINs: check one, set one."""

from datetime import datetime
from uuid import UUID

from wufeng.base.books import Book
from wufeng.base.database import Database
from wufeng.base.errors import Code, Problem, not_found
from wufeng.identity.codes.commands import verify_code
from wufeng.identity.codes.model import CodePurpose, CodeVerdict
from wufeng.identity.hashing import hash_slowly, proves_slowly, refuse_when_busy
from wufeng.identity.people import store as people
from wufeng.identity.people.model import PersonStatus
from wufeng.identity.pins import rules, store
from wufeng.identity.pins.model import TRIES_MAX, PinProof, PinVerdict, ProofKind
from wufeng.identity.pins.store import Try
from wufeng.identity.places import NOWHERE, Place
from wufeng.identity.sessions import store as sessions
from wufeng.identity.tries.commands import counters_of_pin, give_back, take_tries
from wufeng.identity.vault import Private, Vault

_NOBODY = UUID(int=0)
# Of random bytes: what a PIN is verified against when there is nobody.
_HASH_OF_NOTHING = (
    "$argon2id$v=19$m=19456,t=2,p=1$vsFbB95aJhKBqjGJk0sKFg$sTsS7DEkpzF1Ir0kO7tEjFrquto2PA9quL18nROIio0"
)


async def check_pin(
    database: Database,
    vault: Vault,
    book: Book,
    person_id: UUID,
    pin: Private,
    at: datetime,
    place: Place = NOWHERE,
) -> PinVerdict:
    """Verify a payment PIN, outside any transaction and never in a lane: it takes about 20 ms of a thread.

    A try is taken and committed before it is verified, so that parallel guesses gain nothing; a crash costs a
    try. After the fifth wrong one even the right one is refused until the PIN is reset with a one-time code.

    place  where the try comes from: an address, a device, and one PIN over many people have so many wrong ones in an
           hour (rate_limited)
    """
    verdict, _ = await _check(database, vault, book, person_id, pin, at, place)
    return verdict


async def check_pin_of_nobody(
    database: Database, vault: Vault, book: Book, pin: Private, at: datetime, place: Place
) -> bool:
    """The work of checking a PIN for somebody who is not there, so that the time tells nothing. It is always wrong."""
    refuse_when_busy()
    await take_tries(database, counters_of_pin(vault, book, place, pin), at)
    async with database.read() as db:
        await store.take_try(db, book.bucket_of(_NOBODY), _NOBODY, at)
    await proves_slowly(_HASH_OF_NOTHING, vault.peppered(_NOBODY, pin))
    return False


async def set_pin(
    database: Database,
    vault: Vault,
    book: Book,
    person_id: UUID,
    pin: Private,
    proof: PinProof,
    at: datetime,
    keep_session: UUID | None = None,
    place: Place = NOWHERE,
) -> None:
    """Set or change a payment PIN, by the old one or by a one-time code sent for the purpose; a code unlocks
    it too.

    Ends the person's other sessions: whoever knew the old PIN is out. Refuses a weak PIN (invalid_field)
    before the proof is looked at, a wrong proof (confirmation_failed with tries_left) and a person who is not
    active (forbidden).
    """
    bucket = book.bucket_of(person_id)
    async with database.read() as db:
        phone = await people.load_phone(db, vault, bucket, person_id)
    if phone is None:
        raise not_found("person")
    rules.check_pin_strength(pin, phone.number.text)
    old = None
    if proof.kind is ProofKind.OLD_PIN:
        verdict, old = await _check(database, vault, book, person_id, proof.secret, at, place)
        _refuse_wrong(verdict)
    else:
        code = await verify_code(
            database, vault, book, phone.number, CodePurpose.PIN, proof.secret, at, place
        )
        _refuse_wrong(code)
    hashed = await hash_slowly(vault.peppered(person_id, pin))
    async with database.transaction() as db:
        # Before sessions, as a freeze takes them.
        if await people.share_person(db, bucket, person_id) is not PersonStatus.ACTIVE:
            raise Problem(Code.FORBIDDEN, "This person is frozen.")
        if old is None:
            await store.reset_pin(db, bucket, person_id, hashed, at)
        elif not await store.replace_pin(db, bucket, person_id, hashed, old.hash, at):
            raise Problem(Code.STATE_CONFLICT, "The PIN was changed by another request meanwhile.")
        await sessions.revoke_of_person(db, bucket, person_id, at, keep_session)


async def _check(
    database: Database, vault: Vault, book: Book, person_id: UUID, pin: Private, at: datetime, place: Place
) -> tuple[PinVerdict, Try | None]:
    refuse_when_busy()
    bucket = book.bucket_of(person_id)
    tries = await take_tries(database, counters_of_pin(vault, book, place, pin), at)
    async with database.read() as db:
        taken = await store.take_try(db, bucket, person_id, at)
    if taken is None:
        return PinVerdict(False, 0), None
    if not await proves_slowly(taken.hash, vault.peppered(person_id, pin)):
        return PinVerdict(False, TRIES_MAX - taken.number), taken
    async with database.read() as db:
        await store.forgive_tries(db, bucket, person_id, taken)
    await give_back(database, tries)
    return PinVerdict(True, TRIES_MAX), taken


def _refuse_wrong(verdict: PinVerdict | CodeVerdict) -> None:
    if not verdict.ok:
        raise Problem(
            Code.CONFIRMATION_FAILED, "The proof was not accepted.", extra={"tries_left": verdict.tries_left}
        )
