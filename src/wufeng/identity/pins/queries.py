"""What can be read about payment PINs."""

from uuid import UUID

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.identity.pins import store


async def has_pin(db: Connection, book: Book, person_id: UUID) -> bool:
    """Whether a person has set a PIN, locked or not."""
    return await store.has_pin(db, book.bucket_of(person_id), person_id)
