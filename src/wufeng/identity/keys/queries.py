"""What can be read about API keys."""

from uuid import UUID

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.identity.keys import rules, store
from wufeng.identity.keys.model import ApiKeyView

FIRST = UUID(int=0)


async def list_keys(
    db: Connection, book: Book, owner_id: UUID, after: UUID = FIRST, at_most: int = 100
) -> list[ApiKeyView]:
    """The keys of one owner, oldest first, the revoked ones too; `after` the last one of another page."""
    return [rules.view_of(key) for key in await store.list_keys(db, book.id, owner_id, after, at_most)]
