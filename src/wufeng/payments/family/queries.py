"""Family cards as they are read, and who their other person is."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from uuid import UUID

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.base.ids import first_id_of
from wufeng.identity.people.queries import phone_ids_of_people, see_people
from wufeng.identity.vault import Vault
from wufeng.payments.family import rules, store
from wufeng.payments.family.model import FamilyCard, FamilyCardView, Seen
from wufeng.payments.family.views import view_card


async def load_card(db: Connection, book: Book, card_id: UUID) -> FamilyCard | None:
    """One card of a book, whoever's it is; None when there is none."""
    return (await store.load_cards(db, book.bucket_of(card_id), [card_id])).get(card_id)


async def card_of_payment(db: Connection, book: Book, payment_id: UUID) -> FamilyCard:
    """The card that a payment was made with; it was made with one."""
    bucket = book.bucket_of(payment_id)
    card_id = (await store.load_uses(db, bucket, [payment_id]))[payment_id]
    return (await store.load_cards(db, bucket, [card_id]))[card_id]


async def spent_on(db: Connection, book: Book, card: FamilyCard, on: date) -> int:
    """What a card's payments that began on a business date hold or have taken."""
    return await store.sum_uses(db, book.bucket_of(card.id), card.id, first_id_of(book.start_of(on)))


async def list_given(
    db: Connection, book: Book, owner_id: UUID, before: UUID | None, limit: int
) -> list[FamilyCard]:
    """Cards that a person has given out, those over too, the newest first."""
    return await store.list_given(db, book.bucket_of(owner_id), owner_id, before, limit)


async def list_held(
    db: Connection, book: Book, person_id: UUID, at: datetime, before: UUID | None, limit: int
) -> list[FamilyCard]:
    """Cards that a person holds, and invitations to their phone, the newest first."""
    phone_id = await phone_id_of(db, book, person_id)
    return await store.list_held(db, book.buckets, person_id, phone_id, at, before, limit)


async def phone_id_of(db: Connection, book: Book, person_id: UUID) -> UUID | None:
    """The keyed hash of a person's phone as it is now; None for an unknown or erased one."""
    return (await phone_ids_of_people(db, book, [person_id])).get(person_id)


async def still_theirs(db: Connection, book: Book, card: FamilyCard) -> bool:
    """Whether both phones that a card was made between are still those of its people: they know each other by them."""
    assert card.spender_id is not None, "an accepted card is asked about"
    phones = await phone_ids_of_people(db, book, [card.owner_id, card.spender_id])
    return (
        phones.get(card.owner_id) == card.owner_phone_id
        and phones.get(card.spender_id) == card.spender_phone_id
    )


def other_of(card: FamilyCard, reader_id: UUID) -> UUID | None:
    """The other person of a card; None for the owner of one that was not accepted."""
    return card.spender_id if card.owner_id == reader_id else card.owner_id


async def see_other(
    db: Connection, vault: Vault, book: Book, card: FamilyCard, reader_id: UUID
) -> Seen | None:
    """The other person of a card, masked."""
    other = other_of(card, reader_id)
    return (await _seen(db, vault, book, [other])).get(other) if other is not None else None


async def show_cards(
    db: Connection, vault: Vault, book: Book, cards: Sequence[FamilyCard], reader_id: UUID, at: datetime
) -> list[FamilyCardView]:
    """Cards as one of their people reads them."""
    others = [other_of(card, reader_id) for card in cards]
    seen = await _seen(db, vault, book, {other for other in others if other is not None})
    return [
        view_card(card, reader_id, seen.get(other) if other is not None else None, book, at)
        for card, other in zip(cards, others, strict=True)
    ]


async def list_uses(
    db: Connection, book: Book, card: FamilyCard, before: UUID | None, limit: int
) -> list[UUID]:
    """Payments made with a card, those declined too, the newest first."""
    return await store.list_uses(db, book.bucket_of(card.id), card.id, before, limit)


async def _seen(db: Connection, vault: Vault, book: Book, people: Collection[UUID]) -> dict[UUID, Seen]:
    found = await see_people(db, vault, book, people)
    return {id_: Seen(person.name_masked, person.phone_masked) for id_, person in found.items()}


def may_see(card: FamilyCard, person_id: UUID, phone_id: UUID | None) -> bool:
    """Whether a card is any of a person's business: its owner's, and who holds it or is invited."""
    return card.owner_id == person_id or rules.is_spender(card, person_id, phone_id)
