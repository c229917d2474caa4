"""What is kept about one-time codes."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal
from uuid import UUID

from msgspec import Struct

from wufeng.identity.vault import Private

CODE_LASTS = timedelta(minutes=5)
TRIES_MAX = 5
SENDS_MAX = 5
SENDS_WINDOW = timedelta(hours=1)


class CodePurpose(StrEnum):
    """What a code may be used for; a code for one purpose proves nothing for another."""

    SIGN_IN = "sign_in"
    PIN = "pin"  # to set the payment PIN, or to reset a locked one
    PHONE = "phone"  # to change the phone: one to the old number, one to the new
    FREEZE = "freeze"  # to stop everything without a session
    PASSKEY = "passkey"  # to add a passkey
    PAYMENT = "payment"  # to confirm, together with a passkey


class SignUp(StrEnum):
    """Whether a verified code for an unknown phone makes a person. The operator's choice."""

    OPEN = "open"
    CLOSED = "closed"


class CodeVerdict(Struct, frozen=True):
    """Whether a code was right, and how many tries are left of it (0: a new one must be sent)."""

    ok: bool
    tries_left: int


class SentCode(Struct, frozen=True, kw_only=True):
    """What a caller hears of a code that was asked for, whether or not one went out."""

    object: Literal["one_time_code"] = "one_time_code"
    purpose: CodePurpose
    created_at: datetime
    expires_at: datetime


NOTICE = "notice"
"""What stands for a purpose in a message that tells something and holds no code."""


class Notice(StrEnum):
    """What a message without a code tells. Its words: texts.py."""

    PHONE_CHANGED = "phone_changed"  # to the number before
    FROZEN = "frozen"


class Message(Struct, frozen=True, kw_only=True):
    """A text to a phone. `code` is what the text holds, for tests; without a purpose it is a notice and holds none."""

    id: UUID
    phone: Private
    phone_name: UUID
    purpose: CodePurpose | None
    code: Private
    text: Private
    at: datetime


class MessageView(Struct, frozen=True, kw_only=True):
    """A kept message of a test book, as the API shows it.

    purpose  what its code is for; `notice`: it tells something and holds no code
    """

    id: str
    object: Literal["message"] = "message"
    purpose: str
    code: str
    text: str
    created_at: datetime

    def __repr__(self) -> str:
        return f"MessageView({self.id})"
