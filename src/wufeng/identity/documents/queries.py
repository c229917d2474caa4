"""What can be read about proofs of who a person is."""

from uuid import UUID

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.identity.documents import rules, store
from wufeng.identity.documents.model import VerificationView


async def list_verifications(
    db: Connection, book: Book, person_id: UUID, before: UUID | None = None, at_most: int = 20
) -> list[VerificationView]:
    """A person's attempts, the newest first; `before` one of an earlier page."""
    found = await store.list_verifications(db, book.bucket_of(person_id), person_id, before, at_most)
    return [rules.view_of(one) for one in found]
