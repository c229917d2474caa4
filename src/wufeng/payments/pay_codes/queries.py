"""Pay codes as pages read them."""

from uuid import UUID

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.payments.pay_codes import store
from wufeng.payments.pay_codes.model import Choice


async def choice_of_device(db: Connection, book: Book, person_id: UUID, device_id: UUID) -> Choice | None:
    """What the codes of a person's device pay with; None: it never showed one."""
    return await store.load_choice(db, book.bucket_of(person_id), device_id)
