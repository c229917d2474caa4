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
from wufeng.identity.sessions import store as sessions
from wufeng.identity.vault import Private, Vault


async def check_pin(
    database: Database, vault: Vault, book: Book, person_id: UUID, pin: Private, at: datetime
) -> PinVerdict:
    """Verify a payment PIN, outside any transaction and never in a lane: it takes about 20 ms of a thread.

    A try is taken and committed before it is verified, so that parallel guesses gain nothing; a crash costs a
    try. After the fifth wrong one even the right one is refused until the PIN is reset with a one-time code.
    """
    verdict, _ = await _check(database, vault, book, person_id, pin, at)
    return verdict


async def set_pin(
    database: Database,
    vault: Vault,
    book: Book,
    person_id: UUID,
    pin: Private,
    proof: PinProof,
    at: datetime,
    keep_session: UUID | None = None,
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
        verdict, old = await _check(database, vault, book, person_id, proof.secret, at)
        _refuse_wrong(verdict)
    else:
        code = await verify_code(database, vault, book, phone.number, CodePurpose.PIN, proof.secret, at)
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
    database: Database, vault: Vault, book: Book, person_id: UUID, pin: Private, at: datetime
) -> tuple[PinVerdict, Try | None]:
    refuse_when_busy()
    bucket = book.bucket_of(person_id)
    async with database.read() as db:
        taken = await store.take_try(db, bucket, person_id, at)
    if taken is None:
        return PinVerdict(False, 0), None
    if not await proves_slowly(taken.hash, vault.peppered(person_id, pin)):
        return PinVerdict(False, TRIES_MAX - taken.number), taken
    async with database.read() as db:
        await store.forgive_tries(db, bucket, person_id, taken)
    return PinVerdict(True, TRIES_MAX), taken


def _refuse_wrong(verdict: PinVerdict | CodeVerdict) -> None:
    if not verdict.ok:
        raise Problem(
            Code.CONFIRMATION_FAILED, "The proof was not accepted.", extra={"tries_left": verdict.tries_left}
        )
