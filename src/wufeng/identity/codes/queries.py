"""What can be read about one-time codes."""

from collections.abc import Sequence
from uuid import UUID

from wufeng.base.books import Book, Mode
from wufeng.base.database import Connection
from wufeng.base.errors import not_found
from wufeng.identity.codes import store
from wufeng.identity.codes.model import MessageView
from wufeng.identity.people import store as people
from wufeng.identity.people.rules import normalise_phone
from wufeng.identity.vault import Private, Vault


async def list_messages(
    db: Connection, vault: Vault, book: Book, phone: Private, before: UUID | None = None, at_most: int = 20
) -> Sequence[MessageView]:
    """What a test book would have sent to a phone, newest first. Live books keep no messages: not_found."""
    if book.mode is not Mode.TEST:
        raise not_found("message")
    name = people.name_of(vault, book, people.PHONE, Private(normalise_phone(phone.text, "phone")))
    return await store.load_messages(db, name.bucket, name.id, before, at_most)
