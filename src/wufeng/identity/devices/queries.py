"""What can be read about devices."""

from collections.abc import Collection
from uuid import UUID

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.identity.devices import rules, store
from wufeng.identity.devices.model import Device, DeviceView


async def living_devices(db: Connection, bucket: int, ids: Collection[UUID]) -> dict[UUID, Device]:
    """Devices of one bucket that have not been revoked, with whose they are. All others are absent.

    For what a device makes and that must die with it, such as pay codes.
    """
    return await store.load_living(db, bucket, ids)


async def list_devices(
    db: Connection,
    book: Book,
    person_id: UUID,
    current_id: UUID | None,
    before: UUID | None = None,
    at_most: int = 100,
) -> list[DeviceView]:
    """The living devices of a person, newest first; `before` one of an earlier page."""
    found = await store.list_devices(db, book.bucket_of(person_id), person_id, before, at_most)
    return [rules.view_of(device, current_id) for device in found]
