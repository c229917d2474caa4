"""What can be read about sessions."""

from datetime import datetime
from uuid import UUID

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.identity.sessions import rules, store
from wufeng.identity.sessions.model import SessionView


async def list_sessions(
    db: Connection,
    book: Book,
    person_id: UUID,
    current_id: UUID | None,
    at: datetime,
    before: UUID | None = None,
    at_most: int = 100,
) -> list[SessionView]:
    """Where a person is signed in, newest first; `before` one of an earlier page."""
    found = await store.list_sessions(db, book.bucket_of(person_id), person_id, at, before, at_most)
    return [rules.view_of_living(living, current_id, at) for living in found]
