"""What a person can ask of pay codes: one to show, to make them without a connection, to stop them."""

import base64
import secrets
from datetime import datetime, timedelta
from uuid import UUID

from wufeng.base.books import Book
from wufeng.base.database import Connection, Database
from wufeng.base.errors import Code, Problem, not_found
from wufeng.identity.vault import Vault
from wufeng.payments.pay.model import Funding
from wufeng.payments.pay.store import forget_codes as forget_used_codes
from wufeng.payments.pay_codes import rules, store
from wufeng.payments.pay_codes.model import Enrolled, Issued

USES_KEPT = timedelta(days=1)
"""How long a used code is known as used: much longer than it could be shown again."""

_DRAWS = 20


async def issue_code(
    database: Database,
    vault: Vault,
    book: Book,
    person_id: UUID,
    device_id: UUID,
    funding: Funding | None,
    at: datetime,
    *,
    enrol: bool = False,
) -> Issued:
    """A code for the person to show, good for two minutes and for one payment.

    funding  what this device's codes pay with from now on; None: what was chosen before, at first the wallet
    enrol    also give the phone a handle and a secret, so that it makes codes by itself; the ones before are dead
    """
    code = rules.new_online(secrets.randbelow)
    name = code_name(vault, book, code.removeprefix(rules.PREFIX))
    async with database.transaction() as db:
        choice = await store.choose(db, book.bucket_of(person_id), device_id, person_id, funding, at)
        enrolled = None
        if enrol:
            enrolled = await _enrol(db, vault, book, person_id, device_id, choice.handle_name, at)
        expires_at = at + rules.CODE_LASTS
        await store.insert_code(db, book.bucket_of(name), name, person_id, device_id, at, expires_at)
    return Issued(name, code, choice.funding, at, expires_at, enrolled)


async def stop_codes(database: Database, book: Book, person_id: UUID, device_id: UUID, at: datetime) -> None:
    """End all codes of a device, those on its screen and those that it makes by itself.

    Refuses (not_found) a device that never had any; stopped ones may be stopped again.
    """
    async with database.transaction() as db:
        had_any, handle_name = await store.stop(db, book.bucket_of(person_id), device_id, person_id, at)
        if not had_any:
            raise not_found("pay code")
        if handle_name is not None:
            await store.delete_handle(db, book.bucket_of(handle_name), handle_name)


async def forget_pay_codes(db: Connection, bucket: int, at: datetime, at_most: int) -> int:
    """Delete codes that have expired or were used a day ago, and counts whose window is over, in one bucket.

    at_most  of each; returns how many of that of which there were most
    """
    uses = await forget_used_codes(db, bucket, at - USES_KEPT, at_most)
    codes = await store.forget_codes(db, bucket, at - rules.CODE_LASTS, at_most)
    misses = await store.forget_misses(db, bucket, at - rules.MISSES_WINDOW, at_most)
    return max(uses, codes, misses)


def code_name(vault: Vault, book: Book, digits: str) -> UUID:
    """What a code made here is kept under."""
    return vault.name("pay_code", book.id, digits)


def handle_name(vault: Vault, book: Book, handle: str) -> UUID:
    """What a handle is kept under."""
    return vault.name("pay_handle", book.id, handle)


async def _enrol(
    db: Connection,
    vault: Vault,
    book: Book,
    person_id: UUID,
    device_id: UUID,
    before: UUID | None,
    at: datetime,
) -> Enrolled:
    secret = secrets.token_bytes(rules.SECRET_BYTES)
    for _ in range(_DRAWS):
        handle = rules.new_handle(secrets.randbelow)
        name = handle_name(vault, book, handle)
        sealed = vault.seal_pay_secret(name, secret)
        if await store.insert_handle(db, book.bucket_of(name), name, person_id, device_id, sealed, at):
            break
    else:
        raise Problem(Code.OVERLOADED, "No handle is free just now. Nothing was done.", retry_after_s=1)
    await store.set_handle(db, book.bucket_of(person_id), device_id, name)
    if before is not None:
        await store.delete_handle(db, book.bucket_of(before), before)
    return Enrolled(
        handle=handle,
        secret=base64.b32encode(secret).decode().rstrip("="),
        step_seconds=rules.STEP_SECONDS,
        digits=rules.PASSWORD_DIGITS,
    )
