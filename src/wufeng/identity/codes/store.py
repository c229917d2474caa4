"""One-time codes in the database, homed by their phone's hash: whether anybody owns it plays no part."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from wufeng.base.books import Book, Mode
from wufeng.base.database import Connection
from wufeng.base.ids import Prefix, encode
from wufeng.base.sql import load
from wufeng.identity.codes.model import (
    CODE_LASTS,
    NOTICE,
    SENDS_MAX,
    SENDS_WINDOW,
    TRIES_MAX,
    CodePurpose,
    CodeVerdict,
    Message,
    MessageView,
)

SQL = load(__file__)


async def issue_code(
    db: Connection, bucket: int, phone_name: UUID, purpose: CodePurpose, code_hash: bytes, at: datetime
) -> bool:
    """Store a code in place of the one before; False when too many were sent within the hour."""
    sends: int | None = await db.fetchval(
        SQL.issue_code,
        bucket,
        phone_name,
        purpose.value,
        code_hash,
        at,
        at + CODE_LASTS,
        at - SENDS_WINDOW,
        SENDS_MAX,
    )
    return sends is not None


async def window_ends_at(db: Connection, bucket: int, phone_name: UUID, purpose: CodePurpose) -> datetime:
    """When codes may be sent to this phone again."""
    window_at: datetime = await db.fetchval(SQL.load_window, bucket, phone_name, purpose.value)
    return window_at + SENDS_WINDOW


async def try_code(
    db: Connection, bucket: int, phone_name: UUID, purpose: CodePurpose, code_hash: bytes, at: datetime
) -> CodeVerdict:
    """Take a try of the code, compare, and use it up when it is right: one statement."""
    row = await db.fetchrow(SQL.try_code, bucket, phone_name, purpose.value, code_hash, at, TRIES_MAX)
    if row is None:
        return CodeVerdict(False, 0)
    return CodeVerdict(row["ok"], TRIES_MAX - row["tries"])


async def forget_codes(db: Connection, bucket: int, at: datetime, at_most: int) -> int:
    """Delete codes that play no part any more."""
    return len(await db.fetch(SQL.forget_codes, bucket, at - SENDS_WINDOW, at, at_most))


class MessageTable:
    """The SMS seam of test books: messages are kept in a table, where the operator reads them."""

    async def send(self, db: Connection, book: Book, message: Message) -> None:
        """Keep a message. A live book's never are: they hold codes in clear."""
        assert book.mode is Mode.TEST, "a live book needs a sender of its own"
        await db.execute(
            SQL.insert_message,
            book.bucket_of(message.phone_name),
            message.id,
            message.phone_name,
            NOTICE if message.purpose is None else message.purpose.value,
            message.code.text,
            message.text.text,
            message.at,
        )


async def load_messages(
    db: Connection, bucket: int, phone_name: UUID, before: UUID | None, at_most: int
) -> Sequence[MessageView]:
    """The last messages to a phone, or the last before one of them; newest first."""
    return [
        MessageView(
            id=encode(Prefix.MESSAGE, row["id"]),
            purpose=row["purpose"],
            code=row["code"],
            text=row["text"],
            created_at=row["created_at"],
        )
        for row in await db.fetch(SQL.load_messages, bucket, phone_name, before, at_most)
    ]
