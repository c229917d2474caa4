"""What can be read about staff."""

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.identity.staff import store
from wufeng.identity.staff.model import Staff


async def list_staff_of_book(db: Connection, book: Book) -> list[Staff]:
    """The members of staff who work in a book, by log-in name, the closed ones too."""
    return [staff for staff in await store.list_staff(db) if book.id in staff.book_ids]


async def list_staff(db: Connection) -> list[Staff]:
    """All members of staff, by log-in name, the closed ones too."""
    return await store.list_staff(db)
