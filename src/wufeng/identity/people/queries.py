"""What can be read about people."""

from collections.abc import Collection
from datetime import date
from uuid import UUID

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.base.errors import Problem, not_found
from wufeng.identity.people import rules, store
from wufeng.identity.people.model import Person, PersonStatus, PersonView
from wufeng.identity.vault import Private, Vault


async def get_person(db: Connection, vault: Vault, book: Book, person_id: UUID) -> Person:
    """One person, masked. Raises the not_found problem for an unknown id."""
    found = await store.load_people(db, vault, book.bucket_of(person_id), [person_id])
    if person_id not in found:
        raise not_found("person")
    return found[person_id]


async def show_person(db: Connection, vault: Vault, book: Book, person_id: UUID) -> PersonView:
    """One person as the API shows them. Raises the not_found problem for an unknown id."""
    return rules.view_of(await get_person(db, vault, book, person_id), book.mode)


async def person_of_wallet(db: Connection, book: Book, wallet_id: UUID) -> UUID | None:
    """Whose wallet that is; None for an unknown one."""
    return await store.load_person_of_wallet(db, book.bucket_of(wallet_id), wallet_id)


async def wallets_of_people(db: Connection, bucket: int, people: Collection[UUID]) -> dict[UUID, UUID]:
    """The wallets of people of one bucket, by person. An unknown id is absent."""
    return await store.load_wallets(db, bucket, people)


async def standing_of_person(db: Connection, book: Book, person_id: UUID) -> tuple[PersonStatus, UUID] | None:
    """Where a person stands, and their wallet; None for an unknown one. For what promises nothing, such as a quote."""
    return await store.load_standing(db, book.bucket_of(person_id), person_id)


async def phone_of_person(db: Connection, vault: Vault, book: Book, person_id: UUID) -> Private | None:
    """A person's own phone in clear, to send them a code; None for an unknown or erased one."""
    phone = await store.load_phone(db, vault, book.bucket_of(person_id), person_id)
    return phone.number if phone is not None else None


async def birth_date_of_person(db: Connection, vault: Vault, book: Book, person_id: UUID) -> date | None:
    """When a person was born, as their document says; None without one that says it. It is not to be kept elsewhere."""
    document = await store.load_document(db, vault, book.bucket_of(person_id), person_id)
    return rules.birth_date_of(document.text) if document is not None else None


async def person_of_external_id(
    db: Connection, vault: Vault, book: Book, external_id: Private
) -> UUID | None:
    """Whom the operator calls so; None: nobody in this book."""
    name = store.name_of(vault, book, store.EXTERNAL_ID, Private(external_id.text.strip()))
    return await store.find_owner(db, name)


async def person_of_phone(db: Connection, vault: Vault, book: Book, phone: Private) -> UUID | None:
    """Whose phone that is, found by its keyed hash; None: nobody's in this book, or it is no phone."""
    try:
        number = rules.normalise_phone(phone.text)
    except Problem:
        return None
    return await store.find_owner(db, store.name_of(vault, book, store.PHONE, Private(number)))


async def phone_ids_of_people(db: Connection, book: Book, people: Collection[UUID]) -> dict[UUID, UUID]:
    """The keyed hashes of active people's phones as they are now: two that know each other by phone compare these."""
    buckets = {book.bucket_of(person_id) for person_id in people}
    return await store.load_phone_names(db, sorted(buckets), people)


async def see_people(
    db: Connection, vault: Vault, book: Book, people: Collection[UUID]
) -> dict[UUID, Person]:
    """People of any buckets as others may see them, masked. An unknown id is absent."""
    found: dict[UUID, Person] = {}
    for bucket in sorted({book.bucket_of(person_id) for person_id in people}):
        ours = [person_id for person_id in people if book.bucket_of(person_id) == bucket]
        found |= await store.load_people(db, vault, bucket, ours)
    return found


def phone_id(vault: Vault, book: Book, phone: Private, pointer: str = "/phone") -> UUID:
    """The keyed hash that a phone is known by, whoever's it is, or nobody's. Refuses (raises) what is no phone."""
    number = rules.normalise_phone(phone.text, pointer)
    return store.name_of(vault, book, store.PHONE, Private(number)).id
