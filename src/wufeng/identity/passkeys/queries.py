"""What can be read about passkeys."""

from uuid import UUID

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.identity.passkeys import rules, store
from wufeng.identity.passkeys.model import PasskeyStatus, PasskeyView


async def list_passkeys(db: Connection, book: Book, person_id: UUID) -> list[PasskeyView]:
    """The passkeys of a person, newest first: at most twenty."""
    found = await store.list_passkeys(db, book.bucket_of(person_id), person_id)
    return [rules.view_of(passkey) for passkey in found]


async def has_passkey(db: Connection, book: Book, person_id: UUID) -> bool:
    """Whether a person can confirm with a passkey."""
    found = await store.list_passkeys(db, book.bucket_of(person_id), person_id)
    return any(passkey.status is PasskeyStatus.ACTIVE for passkey in found)
