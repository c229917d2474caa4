"""What can be asked about one-time codes: send one, verify one; and notices, which hold none."""

import math
import secrets
from datetime import datetime

from msgspec import Struct

from wufeng.base.books import Book
from wufeng.base.database import Connection, Database
from wufeng.base.errors import Code, Problem
from wufeng.base.ids import IdMaker, slot_of
from wufeng.identity.codes import rules, store
from wufeng.identity.codes.model import (
    CODE_LASTS,
    CodePurpose,
    CodeVerdict,
    Message,
    Notice,
    SentCode,
    SignUp,
)
from wufeng.identity.codes.sms import Sms
from wufeng.identity.codes.texts import text_of_code, text_of_notice
from wufeng.identity.people import store as people
from wufeng.identity.people.rules import normalise_phone
from wufeng.identity.places import NOWHERE, Place
from wufeng.identity.tries.commands import counters_of_address, give_back, take_tries
from wufeng.identity.tries.model import TryKind
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
    place: Place = NOWHERE,
    language: str = "zh",
) -> SentCode:
    """Send a code to a phone, known or not: the caller cannot tell the two apart.

    sms       the book's sender; None where the operator has set up none
    language  of who asks, in which the message is written
    Refuses a text that is no phone (invalid_field), a sixth send within an hour and too many from one address
    (rate_limited), and a book without a sender (state_conflict), whatever the phone.
    """
    number = Private(normalise_phone(phone.text))
    issue = await _counted(database, vault, sms, ids, book, number, purpose, at, place, language)
    async with database.transaction() as db:
        await issue.store(db)
        owner_id = await people.find_owner(db, issue.name)
        if rules.is_delivered(purpose, owner_id, sign_up):
            await issue.send(db)
    return SentCode(purpose=purpose, created_at=at, expires_at=at + CODE_LASTS)


async def send_code_to_new_phone(
    database: Database,
    vault: Vault,
    sms: Sms | None,
    ids: IdMaker,
    book: Book,
    phone: Private,
    at: datetime,
    place: Place = NOWHERE,
    language: str = "zh",
) -> SentCode:
    """Send a code to the number that a person, who has been let in, wants to change to. It goes out whoever's it is."""
    number = Private(normalise_phone(phone.text))
    issue = await _counted(database, vault, sms, ids, book, number, CodePurpose.PHONE, at, place, language)
    async with database.transaction() as db:
        await issue.store(db)
        await issue.send(db)
    return SentCode(purpose=CodePurpose.PHONE, created_at=at, expires_at=at + CODE_LASTS)


async def send_notice(
    db: Connection,
    sms: Sms | None,
    ids: IdMaker,
    book: Book,
    phone: people.Phone,
    notice: Notice,
    at: datetime,
) -> None:
    """Tell a phone's owner what was done, inside the transaction that does it. A book without a sender tells nobody."""
    if sms is not None:
        message = Message(
            id=ids.new(at, slot_of(phone.name)),
            phone=phone.number,
            phone_name=phone.name,
            purpose=None,
            code=Private(""),
            text=text_of_notice(notice),
            at=at,
        )
        await sms.send(db, book, message)


class _Issue(Struct, frozen=True):
    """A code about to be issued."""

    sms: Sms
    ids: IdMaker
    book: Book
    phone: Private
    name: people.Name
    purpose: CodePurpose
    code: Private
    code_hash: bytes
    at: datetime
    language: str

    async def store(self, db: Connection) -> None:
        """Keep the code, in place of the one before (rate_limited)."""
        if not await store.issue_code(
            db, self.name.bucket, self.name.id, self.purpose, self.code_hash, self.at
        ):
            ends_at = await store.window_ends_at(db, self.name.bucket, self.name.id, self.purpose)
            wait_s = max(1, math.ceil((ends_at - self.at).total_seconds()))
            raise Problem(Code.RATE_LIMITED, "Too many codes were sent to this phone.", retry_after_s=wait_s)

    async def send(self, db: Connection) -> None:
        """Hand the message with the code to the sender."""
        message = Message(
            id=self.ids.new(self.at, slot_of(self.name.id)),
            phone=self.phone,
            phone_name=self.name.id,
            purpose=self.purpose,
            code=self.code,
            text=text_of_code(self.code, self.language),
            at=self.at,
        )
        await self.sms.send(db, self.book, message)


async def _counted(
    database: Database,
    vault: Vault,
    sms: Sms | None,
    ids: IdMaker,
    book: Book,
    phone: Private,
    purpose: CodePurpose,
    at: datetime,
    place: Place,
    language: str,
) -> _Issue:
    """A fresh code for a normalised phone, counted against the address that asks for it."""
    if sms is None:
        raise Problem(
            Code.STATE_CONFLICT, f"The book {book.name!r} has no SMS sender, so no code can be sent from it."
        )
    await take_tries(database, counters_of_address(vault, book, place, TryKind.CODES_SENT_TO_ADDRESS), at)
    name = people.name_of(vault, book, people.PHONE, phone)
    code = Private(f"{secrets.randbelow(1_000_000):06d}")
    code_hash = vault.code_hash(name.id, purpose.value, code)
    return _Issue(sms, ids, book, phone, name, purpose, code, code_hash, at, language)


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
    place: Place = NOWHERE,
) -> CodeVerdict:
    """Take one of a code's five tries; a right code is used up by it. Committed when this returns.

    phone  normalised. The answer for a phone that was never sent a code is that of a code used up.
    place  where the try comes from: an address has so many wrong ones in an hour (rate_limited)
    It takes the database and no transaction: a try that could be rolled back was never taken.
    """
    if (problem := rules.check_code_form(code)) is not None:
        raise problem
    counters = counters_of_address(vault, book, place, TryKind.CODE_FROM_ADDRESS)
    tries = await take_tries(database, counters, at)
    name = people.name_of(vault, book, people.PHONE, phone)
    code_hash = vault.code_hash(name.id, purpose.value, code)
    async with database.read() as db:
        verdict = await store.try_code(db, name.bucket, name.id, purpose, code_hash, at)
    if verdict.ok:
        await give_back(database, tries)
    return verdict
