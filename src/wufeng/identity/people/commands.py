"""What can be asked about people: create, freeze, unfreeze, erase."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from wufeng import ledger
from wufeng.base.books import Book
from wufeng.base.claims import Answer
from wufeng.base.database import Connection, Database
from wufeng.base.errors import Code, Problem, invalid_field, not_found
from wufeng.base.ids import IdMaker, Prefix, encode, slot_of
from wufeng.base.lanes import Batch, Command, Handler, Lanes
from wufeng.identity.audit.commands import audit
from wufeng.identity.audit.model import Act
from wufeng.identity.bank_accounts import store as bank_accounts
from wufeng.identity.devices import commands as devices
from wufeng.identity.devices import store as device_store
from wufeng.identity.documents import store as documents
from wufeng.identity.documents.rules import check_unsaid
from wufeng.identity.passkeys import store as passkeys
from wufeng.identity.people import rules, store
from wufeng.identity.people.model import Outcome, Person, PersonGuard, PersonStatus
from wufeng.identity.people.store import DOCUMENT, EXTERNAL_ID, PHONE, Name, NewPerson
from wufeng.identity.pins import store as pins
from wufeng.identity.policy import shipped_identity_policy
from wufeng.identity.sessions import store as sessions
from wufeng.identity.vault import Private, Vault


class CreatePerson(Command, frozen=True, kw_only=True):
    """Make a person with a wallet. The id is chosen at the edge and names the bucket to submit to.

    phone        normalised; unique in the book
    external_id  the operator's own name of the person, unique in the book; a sign-up has none
    """

    person_id: UUID
    phone: Private
    external_id: Private | None = None
    name: Private | None = None
    document: Private | None = None


class Registration(Struct, frozen=True, kw_only=True):
    """What an operator says of a person, as it came; `register` checks it."""

    phone: Private
    external_id: Private | None = None
    name: Private | None = None
    document: Private | None = None


def create_people_handler(vault: Vault) -> Handler:
    """The lane's handler of `CreatePerson`."""

    async def handle(batch: Batch, commands: Sequence[CreatePerson]) -> list[Answer | Problem]:
        return await create_people(batch, vault, commands)

    return handle


async def create_people(
    batch: Batch, vault: Vault, commands: Sequence[CreatePerson]
) -> list[Answer | Problem]:
    """Make people of one bucket, each with an open wallet account.

    Answers 201 with the person, or 200 with the id alone for a request that finds its person there already.
    """
    names = [_names(vault, batch.book, command) for command in commands]
    first_claims: dict[Name, UUID] = {}
    for command, wanted in zip(commands, names, strict=True):
        for name in wanted.all:
            first_claims.setdefault(name, command.person_id)
    claimed = await store.claim_names(batch.db, first_claims, max(command.at for command in commands))
    ours = {command.person_id for command in commands}
    owners = {name: claimed[name.id] for name in first_claims if claimed[name.id] not in ours}

    outcomes: list[rules.Created | rules.Existing | Problem] = []
    for command, wanted in zip(commands, names, strict=True):
        outcome = rules.decide_creation(
            owners.get(wanted.phone),
            owners.get(wanted.external_id) if wanted.external_id is not None else None,
            owners.get(wanted.document) if wanted.document is not None else None,
            has_external_id=command.external_id is not None,
        )
        if isinstance(outcome, rules.Created):
            owners.update(dict.fromkeys(wanted.all, command.person_id))
        outcomes.append(outcome)

    await _settle_names(batch.db, first_claims, owners, ours)
    people = [
        _new_person(batch, command)
        for command, outcome in zip(commands, outcomes, strict=True)
        if isinstance(outcome, rules.Created)
    ]
    if people:
        await store.insert_people(batch.db, vault, batch.book, batch.bucket, people)
        await ledger.open_accounts(
            batch.db,
            batch.bucket,
            [
                ledger.new_account(ledger.AccountKind.WALLET, person.wallet_id, batch.book.currency)
                for person in people
            ],
        )
    created = {person.id: person for person in people}
    return [
        _answer(batch.book, outcome, created.get(command.person_id))
        for command, outcome in zip(commands, outcomes, strict=True)
    ]


async def register(
    lanes: Lanes, vault: Vault, book: Book, registration: Registration, at: datetime, request_id: str = ""
) -> Answer:
    """Check what an operator says of a person and make them: 201, or 200 when they are there already.

    Safe to repeat: the external id is the request's own name, no Idempotency-Key is needed.
    """
    checked = check_registration(registration)
    person_id = lanes.ids.new_anywhere(at)
    command = CreatePerson(
        at=at,
        request_id=request_id,
        person_id=person_id,
        phone=checked.phone,
        external_id=checked.external_id,
        name=checked.name,
        document=checked.document,
    )
    answer = await lanes.submit(book.bucket_of(person_id), command)
    if answer.status == 201 or answer.object_id is None:
        return answer
    async with lanes.database.read() as db:
        found = await store.load_people(db, vault, book.bucket_of(answer.object_id), [answer.object_id])
    body = msgspec.json.encode(rules.view_of(found[answer.object_id], book.mode))
    return Answer(answer.status, body, answer.object_id)


def check_registration(registration: Registration) -> Registration:
    """The registration with its phone normalised and its texts trimmed. Refuses empty or overlong ones, and a resident
    identity number that is mistyped.
    """
    document = _checked(registration.document, "/document", 64)
    if document is not None:
        check_unsaid(document.text)
    return Registration(
        phone=Private(rules.normalise_phone(registration.phone.text)),
        external_id=_checked(registration.external_id, "/external_id", 64),
        name=_checked(registration.name, "/name", 100),
        document=document,
    )


async def freeze_person(database: Database, book: Book, ids: IdMaker, person_id: UUID, act: Act) -> None:
    """Stop everything of a person: no payment, every session ends, and every device with the passkeys and the pay
    codes that it holds. What is held stays held. Freezing a frozen person changes nothing but is kept in the audit
    all the same.
    """
    bucket = book.bucket_of(person_id)
    async with database.transaction() as db:
        await _lock_known(db, bucket, person_id)
        await store.move_status(db, bucket, person_id, [PersonStatus.ACTIVE], PersonStatus.FROZEN)
        await sessions.revoke_of_person(db, bucket, person_id, act.at)
        await devices.revoke_all(db, bucket, person_id, act.at)
        await audit(db, book, ids, [act])


async def unfreeze_person(database: Database, book: Book, ids: IdMaker, person_id: UUID, act: Act) -> None:
    """Let a frozen person act again; they sign in anew, and low limits hold for a while: somebody else may have the
    phone.
    """
    cooling_until = act.at + shipped_identity_policy().takeover.cooling_after_freeze
    bucket = book.bucket_of(person_id)
    async with database.transaction() as db:
        await _lock_known(db, bucket, person_id)
        if not await store.move_status(db, bucket, person_id, [PersonStatus.FROZEN], PersonStatus.ACTIVE):
            raise Problem(Code.STATE_CONFLICT, "This person is not frozen.")
        await store.begin_cooling(db, bucket, person_id, cooling_until)
        await audit(db, book, ids, [act])


async def erase_person(
    database: Database, vault: Vault, book: Book, ids: IdMaker, person_id: UUID, act: Act
) -> None:
    """Destroy a person's key and all that is known about them; the ledger keeps the bare id.

    Their phone, external id and document may be used again. That nothing is owed and nothing under way is for the
    caller to have seen. Refuses (raises) a person who is not frozen, and one with money in the wallet: it may have
    come since the caller looked (state_conflict).
    """
    bucket = book.bucket_of(person_id)
    async with database.transaction() as db:
        guard = await _lock_known(db, bucket, person_id)
        await _refuse_money(db, bucket, guard.wallet_id)
        if not await store.move_status(db, bucket, person_id, [PersonStatus.FROZEN], PersonStatus.ERASED):
            raise Problem(Code.STATE_CONFLICT, "Freeze the person first: nothing new may begin meanwhile.")
        await sessions.revoke_of_person(db, bucket, person_id, act.at)
        await sessions.forget_devices(db, bucket, person_id)
        await devices.revoke_all(db, bucket, person_id, act.at)
        await device_store.forget_names(db, bucket, person_id)
        await passkeys.erase_of_person(db, bucket, person_id)
        claimed = await _end_checks(db, vault, book, person_id, act.at)
        await pins.delete_pin(db, bucket, person_id)
        await bank_accounts.delete_of_person(db, bucket, person_id, act.at)
        names = await store.destroy_personal_data(db, vault, book, bucket, person_id)
        await store.release_names(db, {**claimed, **names})
        await audit(db, book, ids, [act])


async def _lock_known(db: Connection, bucket: int, person_id: UUID) -> PersonGuard:
    """Lock a person who may still be acted on. Raises not_found for an unknown and for an erased one."""
    locked = (await store.lock_people(db, bucket, [person_id])).get(person_id)
    if locked is None or locked.status is PersonStatus.ERASED:
        raise not_found("person")
    return locked


async def _refuse_money(db: Connection, bucket: int, wallet_id: UUID) -> None:
    """The person's row is locked, and whatever moves their money locks it first: what is seen here stays so."""
    account = ledger.account_id(wallet_id, ledger.AccountKind.WALLET)
    balance = (await ledger.load_balances(db, bucket, [account])).get(account, ledger.NOTHING)
    if balance.owed_to_owner_minor or balance.held_minor:
        raise Problem(Code.STATE_CONFLICT, "Still there: money in the wallet.")


async def _end_checks(
    db: Connection, vault: Vault, book: Book, person_id: UUID, at: datetime
) -> dict[Name, UUID]:
    """End the check of a document that waits; returns the claim that it holds, readable while the key is there."""
    bucket = book.bucket_of(person_id)
    keys = await store.load_keys(db, vault, bucket, [person_id])
    waiting = await documents.load_pending_of_person(db, bucket, person_id)
    await documents.end_of_person(db, bucket, person_id, at)
    claimed = [one.claimed(keys[person_id]).document for one in waiting]
    return {store.name_of(vault, book, DOCUMENT, document): person_id for document in claimed}


async def _settle_names(
    db: Connection, claimed: dict[Name, UUID], owners: dict[Name, UUID], ours: set[UUID]
) -> None:
    """Bring the claims in line with what was decided; almost always they are."""
    passed = {
        name: owners[name]
        for name, claimer in claimed.items()
        if name in owners and owners[name] in ours and owners[name] != claimer
    }
    unused = {name: claimer for name, claimer in claimed.items() if name not in owners}
    if passed:
        await store.give_names(db, passed)
    if unused:
        await store.release_names(db, unused)


class _Names(Struct, frozen=True):
    """The unique names that a command wants for its person."""

    phone: Name
    external_id: Name | None
    document: Name | None

    @property
    def all(self) -> list[Name]:
        """Those that are wanted."""
        return [name for name in (self.phone, self.external_id, self.document) if name is not None]


def _names(vault: Vault, book: Book, command: CreatePerson) -> _Names:
    external_id, document = command.external_id, command.document
    if document is not None:
        document = Private(rules.normalise_document(document.text))
    return _Names(
        store.name_of(vault, book, PHONE, command.phone),
        None if external_id is None else store.name_of(vault, book, EXTERNAL_ID, external_id),
        None if document is None else store.name_of(vault, book, DOCUMENT, document),
    )


def _new_person(batch: Batch, command: CreatePerson) -> NewPerson:
    name, document = command.name, command.document
    outcome = rules.outcome_of(batch.book.mode, command.phone.text)
    cooling = shipped_identity_policy().takeover.cooling
    return NewPerson(
        id=command.person_id,
        wallet_id=batch.ids.new(command.at, slot_of(command.person_id)),
        tier=rules.tier_of(name.text if name else None, document.text if document else None),
        outcome=outcome,
        phone=command.phone,
        external_id=command.external_id,
        name=name,
        document=document,
        created_at=command.at,
        cooling_until=command.at + cooling if outcome is Outcome.COOLING else None,
    )


def _answer(
    book: Book, outcome: rules.Created | rules.Existing | Problem, person: NewPerson | None
) -> Answer | Problem:
    if isinstance(outcome, Problem):
        return outcome
    if isinstance(outcome, rules.Existing):
        id_ = encode(Prefix.PERSON, outcome.person_id)
        return Answer(200, msgspec.json.encode({"id": id_, "object": "person"}), outcome.person_id)
    assert person is not None, "a created person was written"
    seen = Person(
        id=person.id,
        wallet_id=person.wallet_id,
        status=PersonStatus.ACTIVE,
        tier=person.tier,
        outcome=person.outcome,
        external_id=person.external_id.text if person.external_id else None,
        phone_masked=rules.mask_phone(person.phone.text),
        name_masked=rules.mask_name(person.name.text) if person.name else None,
        created_at=person.created_at,
        cooling_until=person.cooling_until,
    )
    return Answer(201, msgspec.json.encode(rules.view_of(seen, book.mode)), person.id)


def _checked(text: Private | None, pointer: str, at_most: int) -> Private | None:
    if text is None:
        return None
    trimmed = text.text.strip()
    if not 1 <= len(trimmed) <= at_most or not trimmed.isprintable():
        raise invalid_field(pointer, f"It must have 1 to {at_most} printable characters.")
    return Private(trimmed)
