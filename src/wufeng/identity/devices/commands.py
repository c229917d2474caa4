"""What can be asked about devices: to be known again at sign-in, to be revoked."""

from datetime import datetime
from uuid import UUID

from wufeng.base.books import Book
from wufeng.base.database import Connection, Database
from wufeng.base.errors import not_found
from wufeng.base.ids import IdMaker, slot_of
from wufeng.identity.devices import rules, store
from wufeng.identity.devices.model import DeviceView, SignedIn
from wufeng.identity.passkeys import store as passkeys
from wufeng.identity.people import store as people
from wufeng.identity.sessions import store as sessions
from wufeng.identity.tokens import new_device, parse_device
from wufeng.identity.vault import Private


async def sign_in_on(
    db: Connection,
    ids: IdMaker,
    book: Book,
    person_id: UUID,
    name: str,
    proof: Private | None,
    at: datetime,
) -> SignedIn:
    """The device that a person signs in on, inside the caller's transaction.

    proof  what it was given at its first sign-in. Without one, with another person's, a revoked or a wrong one it is
           a new device, and nobody hears why: a proof makes known, its lack refuses nothing
    """
    bucket = book.bucket_of(person_id)
    shown = parse_device(proof.text) if proof is not None else None
    if shown is not None and shown.book_id == book.id:
        known = await store.see_device(db, bucket, shown.id, person_id, shown.hash, at)
        if known is not None:
            return SignedIn(shown.id, known, None)
    made = new_device(book.id, ids.new(at, slot_of(person_id)))
    await store.insert_device(db, bucket, made.id, person_id, name, made.hash, at)
    return SignedIn(made.id, name, made.text)


async def trust_device(database: Database, book: Book, device_id: UUID, at: datetime) -> None:
    """Trust a device on which its person has proved a PIN or a passkey; one that is trusted or revoked stays so."""
    async with database.read() as db:
        await store.trust_device(db, book.bucket_of(device_id), device_id, at)


async def revoke_device(
    database: Database, book: Book, device_id: UUID, person_id: UUID, current_id: UUID | None, at: datetime
) -> DeviceView:
    """Trust a person's device no more: its sessions end at once, and so do the passkeys that it alone holds.

    current_id  the device that asks, which may be the same
    Another's device, an unknown and a revoked one are not_found.
    """
    bucket = book.bucket_of(device_id)
    async with database.transaction() as db:
        # Locked, not shared: a step-up that shares it holds a session and then waits for its device.
        await people.lock_people(db, bucket, [person_id])
        device = await store.revoke_device(db, bucket, device_id, person_id, at)
        if device is None:
            raise not_found("device")
        await sessions.revoke_of_device(db, bucket, device_id, at)
        await passkeys.delete_of_device(db, bucket, device_id, at)
    return rules.view_of(device, current_id, at)


async def revoke_all(db: Connection, bucket: int, person_id: UUID, at: datetime) -> None:
    """Revoke all devices of a person, and the passkeys that they hold, inside the caller's transaction.

    For a lost phone: nothing that it keeps is worth anything later, not even when the person is let act again.
    """
    await store.revoke_of_person(db, bucket, person_id, at)
    await passkeys.delete_on_devices(db, bucket, person_id, at)
