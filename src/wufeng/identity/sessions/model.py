"""What is kept about sessions."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType

SESSION_LASTS = timedelta(days=90)
PIN_LEVEL_LASTS = timedelta(minutes=15)


class AuthLevel(StrEnum):
    """How strongly the person has proved to be themselves in a session."""

    CODE = "code"  # held the phone at sign-in
    PIN = "pin"  # and knew the PIN within the last 15 minutes

    @property
    def rank(self) -> int:
        """Levels in order: a call that asks for one takes any higher one."""
        return list(AuthLevel).index(self)


class Session(Struct, frozen=True, kw_only=True):
    """A signed-in device, as it stands in the database; all instants are the book's."""

    id: UUID
    person_id: UUID
    secret_hash: bytes
    expires_at: datetime
    pin_at: datetime | None
    revoked_at: datetime | None

    def __repr__(self) -> str:
        return f"Session({self.id})"


class Opened(Struct, frozen=True, kw_only=True):
    """A session just opened or rotated. The token is given out once."""

    token: str
    session_id: UUID
    person_id: UUID
    auth_level: AuthLevel
    created_at: datetime
    expires_at: datetime

    def __repr__(self) -> str:
        return f"Opened({self.session_id})"


class Ended(Struct, frozen=True):
    """A session that has just been ended by its person."""

    id: UUID
    person_id: UUID
    created_at: datetime
    expires_at: datetime
    pin_at: datetime | None


class SessionView(Struct, frozen=True, kw_only=True):
    """A session as the API shows it; `token` only in the answer that opens it, once."""

    id: str
    object: Literal["session"] = "session"
    person: str
    auth_level: AuthLevel
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    token: str | UnsetType = UNSET

    def __repr__(self) -> str:
        return f"SessionView({self.id})"
