"""What can be asked about one-time codes: send one, verify one."""

import math
import secrets
from datetime import datetime

from wufeng.base.books import Book
from wufeng.base.database import Connection, Database
from wufeng.base.errors import Code, Problem
from wufeng.base.ids import IdMaker, slot_of
from wufeng.identity.codes import rules, store
from wufeng.identity.codes.model import CODE_LASTS, CodePurpose, CodeVerdict, Message, SentCode, SignUp
from wufeng.identity.codes.sms import Sms
from wufeng.identity.people import store as people
from wufeng.identity.people.rules import normalise_phone
from wufeng.identity.vault import Private, Vault


async def send_code(
    database: Database,
    vault: Vault,
    sms: Sms | None,
    ids: IdMaker,
    book: Book,
    phone: Private,
    purpose: CodePurpose,
    sign_up: SignUp,
    at: datetime,
) -> SentCode:
    """Send a code to a phone, known or not: the caller cannot tell the two apart.

    sms  the book's sender; None where the operator has set up none
    Refuses a text that is no phone (invalid_field), a sixth send within an hour (rate_limited), and a book
    without a sender (state_conflict), whatever the phone.
    """
    if sms is None:
        raise Problem(
            Code.STATE_CONFLICT, f"The book {book.name!r} has no SMS sender, so no code can be sent from it."
        )
    number = Private(normalise_phone(phone.text))
    name = people.name_of(vault, book, people.PHONE, number)
    code = Private(f"{secrets.randbelow(1_000_000):06d}")
    code_hash = vault.code_hash(name.id, purpose.value, code)
    async with database.transaction() as db:
        if not await store.issue_code(db, name.bucket, name.id, purpose, code_hash, at):
            ends_at = await store.window_ends_at(db, name.bucket, name.id, purpose)
            wait_s = max(1, math.ceil((ends_at - at).total_seconds()))
            raise Problem(Code.RATE_LIMITED, "Too many codes were sent to this phone.", retry_after_s=wait_s)
        owner_id = await people.find_owner(db, name)
        if rules.is_delivered(purpose, owner_id, sign_up):
            message = Message(
                id=ids.new(at, slot_of(name.id)),
                phone=number,
                phone_name=name.id,
                purpose=purpose,
                code=code,
                text=rules.text_of(code),
                at=at,
            )
            await sms.send(db, book, message)
    return SentCode(purpose=purpose, created_at=at, expires_at=at + CODE_LASTS)


async def forget_codes(db: Connection, bucket: int, at: datetime, at_most: int) -> int:
    """Delete codes that have expired and whose hour of sends is over; returns how many. Nothing asks for them."""
    return await store.forget_codes(db, bucket, at, at_most)


async def verify_code(
    database: Database,
    vault: Vault,
    book: Book,
    phone: Private,
    purpose: CodePurpose,
    code: Private,
    at: datetime,
) -> CodeVerdict:
    """Take one of a code's five tries; a right code is used up by it. Committed when this returns.

    phone  normalised. The answer for a phone that was never sent a code is that of a code used up.
    It takes the database and no transaction: a try that could be rolled back was never taken.
    """
    if (problem := rules.check_code_form(code)) is not None:
        raise problem
    name = people.name_of(vault, book, people.PHONE, phone)
    code_hash = vault.code_hash(name.id, purpose.value, code)
    async with database.read() as db:
        return await store.try_code(db, name.bucket, name.id, purpose, code_hash, at)
