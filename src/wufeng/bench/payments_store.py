"""Phones by the million, enrolled by set-based SQL."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.base.sql import load

SQL = load(__file__)


class Phone(Struct, frozen=True):
    """A phone that makes codes: the handle and the secret as it knows them, and as they are kept."""

    bucket: int
    device_id: UUID
    person_id: UUID
    line_id: UUID
    handle: str
    secret: bytes
    handle_bucket: int
    handle_name: UUID
    sealed: bytes


async def enrol_phones(
    owner: Connection, book: Book, phones: Sequence[Phone], crowd: int, at: datetime
) -> None:
    """Enrol phones that will pay, and a crowd of others of the same people around them."""
    await owner.execute(SQL.make_helpers)
    await owner.execute(
        SQL.insert_phones,
        [phone.bucket for phone in phones],
        [phone.device_id for phone in phones],
        [phone.person_id for phone in phones],
        [phone.line_id for phone in phones],
        [phone.handle_bucket for phone in phones],
        [phone.handle_name for phone in phones],
        [phone.sealed for phone in phones],
    )
    if crowd > 0:
        await owner.execute(SQL.fill_phones, crowd, list(book.slot_buckets), list(book.first_slots))
    for statement in (SQL.enrol_devices, SQL.enrol_sessions, SQL.enrol_choices, SQL.enrol_handles):
        await owner.execute(statement, at)
    await owner.execute(SQL.drop_helpers)
    await owner.execute(SQL.analyse)
