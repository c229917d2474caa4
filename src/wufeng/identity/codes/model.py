"""What is kept about one-time codes."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal, Protocol
from uuid import UUID

from msgspec import Struct

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.identity.vault import Private

CODE_LASTS = timedelta(minutes=5)
TRIES_MAX = 5
SENDS_MAX = 5
SENDS_WINDOW = timedelta(hours=1)


class CodePurpose(StrEnum):
    """What a code may be used for; a code for one purpose proves nothing for another."""

    SIGN_IN = "sign_in"
    PIN = "pin"  # to set the payment PIN, or to reset a locked one


class SignUp(StrEnum):
    """Whether a verified code for an unknown phone makes a person. The operator's choice."""

    OPEN = "open"
    CLOSED = "closed"


class CodeVerdict(Struct, frozen=True):
    """Whether a code was right, and how many tries are left of it (0: a new one must be sent)."""

    ok: bool
    tries_left: int


class Message(Struct, frozen=True, kw_only=True):
    """A text to a phone. `code` is what the text holds, for tests."""

    id: UUID
    phone: Private
    phone_name: UUID
    purpose: CodePurpose
    code: Private
    text: Private
    at: datetime


class MessageView(Struct, frozen=True, kw_only=True):
    """A kept message of a test book, as the API shows it."""

    id: str
    object: Literal["message"] = "message"
    purpose: CodePurpose
    code: str
    text: str
    created_at: datetime


class Sms(Protocol):
    """The SMS seam.

    `send` is called inside the transaction that stores the code. It must return without waiting for a
    provider (hand the message to a queue of its own): how long the call takes would tell whether the phone is
    known.
    """

    async def send(self, db: Connection, book: Book, message: Message) -> None:
        """Take a message for delivery."""
        ...
