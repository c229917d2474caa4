"""People in the database. Only this file knows how their data is sealed in rows."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from asyncpg import Record
from msgspec import Struct

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.identity.people.model import Outcome, Person, PersonGuard, PersonStatus, Tier
from wufeng.identity.people.rules import mask_name, mask_phone, normalise_document
from wufeng.identity.vault import PersonKey, Private, Vault

SQL = load(__file__)

PHONE = "phone"
EXTERNAL_ID = "external_id"
DOCUMENT = "document"


class Name(Struct, frozen=True, order=True):
    """A unique name as a claim: where it lives, its kind, its keyed hash."""

    bucket: int
    kind: str
    id: UUID


class NewPerson(Struct, frozen=True, kw_only=True):
    """A person about to be written."""

    id: UUID
    wallet_id: UUID
    tier: Tier
    outcome: Outcome
    phone: Private
    external_id: Private | None
    name: Private | None
    document: Private | None
    created_at: datetime
    cooling_until: datetime | None = None


class Phone(Struct, frozen=True):
    """A person's phone in clear, for sending a code; and the name of its claim and codes."""

    number: Private
    name: UUID


def name_of(vault: Vault, book: Book, kind: str, text: Private) -> Name:
    """The claim of a unique name; it is homed by its own hash."""
    id_ = vault.name(kind, book.id, text.text)
    return Name(book.bucket_of(id_), kind, id_)


async def lock_people(db: Connection, bucket: int, ids: Sequence[UUID]) -> dict[UUID, PersonGuard]:
    """Lock people until the transaction ends, in id order. An unknown id is absent from the answer."""
    return {
        row["id"]: PersonGuard(
            row["id"],
            PersonStatus(row["status"]),
            Tier(row["tier"]),
            Outcome(row["outcome"]),
            row["wallet_id"],
            row["cooling_until"],
        )
        for row in await db.fetch(SQL.lock_people, bucket, ids)
    }


async def share_person(db: Connection, bucket: int, person_id: UUID) -> PersonStatus | None:
    """Keep a person's status as it is until the transaction ends; None for an unknown one. Shared among readers."""
    status: str | None = await db.fetchval(SQL.share_person, bucket, person_id)
    return None if status is None else PersonStatus(status)


async def claim_names(db: Connection, owners: Mapping[Name, UUID], at: datetime) -> dict[UUID, UUID]:
    """Claim names for their owners; returns who owns each name now, by the name's id."""
    names = sorted(owners)
    claimed: dict[UUID, UUID] = {}
    while names:
        columns = [n.bucket for n in names], [n.kind for n in names], [n.id for n in names]
        fresh = await db.fetch(SQL.insert_names, *columns, [owners[n] for n in names], at)
        if len(fresh) == len(names):
            return claimed | {name.id: owners[name] for name in names}
        # A statement of its own: what another transaction committed meanwhile is seen by a fresh snapshot only.
        claimed |= {row["id"]: row["object_id"] for row in await db.fetch(SQL.load_names, *columns)}
        names = [name for name in names if name.id not in claimed]  # let go between the two statements
    return claimed


async def find_owner(db: Connection, name: Name) -> UUID | None:
    """Who owns a name now."""
    rows = await db.fetch(SQL.load_names, [name.bucket], [name.kind], [name.id])
    return rows[0]["object_id"] if rows else None


async def give_names(db: Connection, owners: Mapping[Name, UUID]) -> None:
    """Pass names that this transaction has claimed to other owners."""
    names = sorted(owners)
    columns = [n.bucket for n in names], [n.kind for n in names], [n.id for n in names]
    await db.execute(SQL.give_names, *columns, [owners[n] for n in names])


async def release_names(db: Connection, owners: Mapping[Name, UUID]) -> None:
    """Let names go that these owners hold."""
    names = sorted(owners)
    columns = [n.bucket for n in names], [n.kind for n in names], [n.id for n in names]
    await db.execute(SQL.release_names, *columns, [owners[n] for n in names])


async def insert_people(
    db: Connection, vault: Vault, book: Book, bucket: int, people: Sequence[NewPerson]
) -> None:
    """Write new people of one bucket, each sealed under a key of their own."""
    await db.execute(
        SQL.insert_people,
        bucket,
        [person.id for person in people],
        [person.wallet_id for person in people],
        [person.tier.value for person in people],
        [person.outcome.value for person in people],
        [person.created_at for person in people],
        [person.cooling_until for person in people],
    )
    keys = [vault.new_person_key(person.id) for person in people]
    await db.execute(
        SQL.insert_personal_data,
        bucket,
        [person.id for person in people],
        [sealed_key for _, sealed_key in keys],
        [vault.name(PHONE, book.id, person.phone.text) for person in people],
        [key.seal(PHONE, person.phone.text) for person, (key, _) in zip(people, keys, strict=True)],
        [
            _sealed(key, EXTERNAL_ID, person.external_id)
            for person, (key, _) in zip(people, keys, strict=True)
        ],
        [_sealed(key, "name", person.name) for person, (key, _) in zip(people, keys, strict=True)],
        [_sealed(key, "document", person.document) for person, (key, _) in zip(people, keys, strict=True)],
    )


async def load_people(db: Connection, vault: Vault, bucket: int, ids: Collection[UUID]) -> dict[UUID, Person]:
    """People as others may see them. An unknown id is absent."""
    return {row["id"]: _person(vault, row) for row in await db.fetch(SQL.load_people, bucket, list(ids))}


async def load_keys(
    db: Connection, vault: Vault, bucket: int, ids: Collection[UUID]
) -> dict[UUID, PersonKey]:
    """The keys of people, to seal or read what another noun keeps of theirs. An erased person has none."""
    rows = await db.fetch(SQL.load_keys, bucket, list(ids))
    return {row["person_id"]: vault.open_person_key(row["person_id"], row["sealed_key"]) for row in rows}


async def load_document(db: Connection, vault: Vault, bucket: int, person_id: UUID) -> Private | None:
    """The document number of one person, in clear; None for an unknown or erased one, and where none was given."""
    row = await db.fetchrow(SQL.load_documents, bucket, [person_id])
    if row is None or row["document"] is None:
        return None
    key = vault.open_person_key(person_id, row["sealed_key"])
    return Private(key.unseal("document", row["document"]))


async def load_phone(db: Connection, vault: Vault, bucket: int, person_id: UUID) -> Phone | None:
    """The phone of one person, in clear; None for an unknown or erased one."""
    row = await db.fetchrow(SQL.load_phones, bucket, [person_id])
    if row is None:
        return None
    key = vault.open_person_key(person_id, row["sealed_key"])
    return Phone(Private(key.unseal(PHONE, row["phone"])), row["phone_name"])


async def load_phone_names(
    db: Connection, buckets: Sequence[int], people: Collection[UUID]
) -> dict[UUID, UUID]:
    """The keyed hashes of people's phones, by person; of those who are active alone."""
    rows = await db.fetch(SQL.load_phone_names, list(buckets), list(people))
    return {row["person_id"]: row["phone_name"] for row in rows}


async def load_person_of_wallet(db: Connection, bucket: int, wallet_id: UUID) -> UUID | None:
    """Whose wallet that is."""
    found: UUID | None = await db.fetchval(SQL.load_person_of_wallet, bucket, wallet_id)
    return found


async def load_wallets(db: Connection, bucket: int, people: Collection[UUID]) -> dict[UUID, UUID]:
    """The wallets of people, by person. An unknown id is absent."""
    return {row["id"]: row["wallet_id"] for row in await db.fetch(SQL.load_wallets, bucket, list(people))}


async def load_standing(db: Connection, bucket: int, person_id: UUID) -> tuple[PersonStatus, UUID] | None:
    """Where a person stands, and their wallet; without a lock, so it may change at once."""
    row = await db.fetchrow(SQL.load_standing, bucket, person_id)
    return None if row is None else (PersonStatus(row["status"]), row["wallet_id"])


async def move_status(
    db: Connection, bucket: int, person_id: UUID, sources: Collection[PersonStatus], target: PersonStatus
) -> bool:
    """Move a person from one of those states; False when they stand elsewhere or do not exist."""
    states = [status.value for status in sources]
    return await db.fetchval(SQL.move_status, bucket, person_id, states, target.value) is not None


async def destroy_personal_data(
    db: Connection, vault: Vault, book: Book, bucket: int, person_id: UUID
) -> dict[Name, UUID]:
    """Delete what is known about a person, the key with it; returns the names that were theirs."""
    row = await db.fetchrow(SQL.destroy_personal_data, bucket, person_id)
    if row is None:
        return {}
    names = {Name(book.bucket_of(row["phone_name"]), PHONE, row["phone_name"]): person_id}
    if row["external_id"] is not None:
        key = vault.open_person_key(person_id, row["sealed_key"])
        names[name_of(vault, book, EXTERNAL_ID, Private(key.unseal(EXTERNAL_ID, row["external_id"])))] = (
            person_id
        )
    if row["document"] is not None:
        key = vault.open_person_key(person_id, row["sealed_key"])
        document = normalise_document(key.unseal(DOCUMENT, row["document"]))
        names[name_of(vault, book, DOCUMENT, Private(document))] = person_id
    return names


async def set_identity(
    db: Connection, bucket: int, person_id: UUID, key: PersonKey, name: Private, document: Private
) -> None:
    """Keep a person's name and document, sealed under their key. The caller holds the person's row."""
    sealed = key.seal("name", name.text), key.seal(DOCUMENT, document.text)
    await db.execute(SQL.set_identity, bucket, person_id, *sealed)


async def raise_tier(db: Connection, bucket: int, person_id: UUID, tier: Tier) -> None:
    """Give a person a tier, unless they have a higher one. The caller holds the person's row."""
    await db.execute(SQL.raise_tier, bucket, person_id, tier.value)


async def begin_cooling(db: Connection, bucket: int, person_id: UUID, until: datetime) -> None:
    """Let low limits hold for a person until then, or longer if they do already. The caller holds the person's row."""
    await db.execute(SQL.begin_cooling, bucket, person_id, until)


async def change_phone(
    db: Connection, bucket: int, person_id: UUID, key: PersonKey, phone: Phone, before: UUID, at: datetime
) -> bool:
    """Give a person another number in place of one; False when it has been changed meanwhile."""
    sealed = key.seal(PHONE, phone.number.text)
    changed = await db.fetchval(SQL.change_phone, bucket, person_id, phone.name, sealed, at, before)
    return changed is not None


async def load_phone_changed_at(db: Connection, bucket: int, person_id: UUID) -> datetime | None:
    """When a person's number was last changed; None: never, or nobody is there."""
    found: datetime | None = await db.fetchval(SQL.load_phone_changed_at, bucket, person_id)
    return found


async def list_people(db: Connection, buckets: Sequence[int], after: UUID, at_most: int) -> list[UUID]:
    """Ids of people in id order, the next page after one of them."""
    return [row["id"] for row in await db.fetch(SQL.list_people, list(buckets), after, at_most)]


def _sealed(key: PersonKey, field: str, text: Private | None) -> bytes | None:
    return None if text is None else key.seal(field, text.text)


def _person(vault: Vault, row: Record) -> Person:
    key = vault.open_person_key(row["id"], row["sealed_key"]) if row["sealed_key"] is not None else None

    def clear(field: str) -> str | None:
        return key.unseal(field, row[field]) if key is not None and row[field] is not None else None

    phone, name = clear(PHONE), clear("name")
    return Person(
        id=row["id"],
        wallet_id=row["wallet_id"],
        status=PersonStatus(row["status"]),
        tier=Tier(row["tier"]),
        outcome=Outcome(row["outcome"]),
        external_id=clear(EXTERNAL_ID),
        phone_masked=mask_phone(phone) if phone else None,
        name_masked=mask_name(name) if name else None,
        created_at=row["created_at"],
        cooling_until=row["cooling_until"],
    )
