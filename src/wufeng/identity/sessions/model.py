"""What is kept about sessions."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType

SESSION_LASTS = timedelta(days=90)
PROOF_LASTS = timedelta(minutes=15)


class AuthLevel(StrEnum):
    """How strongly the person has proved to be themselves in a session."""

    CODE = "code"  # held the phone at sign-in
    PIN = "pin"  # and knew the PIN within the last 15 minutes
    PASSKEY = "passkey"  # and answered with a passkey, which verified them, within the last 15 minutes

    @property
    def rank(self) -> int:
        """Levels in order: a call that asks for one takes any higher one."""
        return list(AuthLevel).index(self)


class Session(Struct, frozen=True, kw_only=True):
    """A signed-in device, as it stands in the database; all instants are the book's.

    device_trusted  whether its device has ever seen a PIN or a passkey proved
    """

    id: UUID
    person_id: UUID
    secret_hash: bytes
    expires_at: datetime
    pin_at: datetime | None
    passkey_at: datetime | None
    revoked_at: datetime | None
    device_id: UUID | None
    device_trusted: bool

    def __repr__(self) -> str:
        return f"Session({self.id})"


class Proof(StrEnum):
    """What raises a session's level."""

    PIN = "pin"
    PASSKEY = "passkey"


class Opened(Struct, frozen=True, kw_only=True):
    """A session just opened or rotated. The token is given out once, and so is the proof of a new device."""

    token: str
    session_id: UUID
    person_id: UUID
    auth_level: AuthLevel
    created_at: datetime
    expires_at: datetime
    device_id: UUID | None = None
    device_name: str = ""
    device_proof: str | None = None

    def __repr__(self) -> str:
        return f"Opened({self.session_id})"


class Listed(Struct, frozen=True, kw_only=True):
    """A session without its credential, as its person may see it."""

    id: UUID
    person_id: UUID
    created_at: datetime
    expires_at: datetime
    pin_at: datetime | None
    passkey_at: datetime | None
    device_id: UUID | None
    device_name: str


class SessionView(Struct, frozen=True, kw_only=True):
    """A session as the API shows it. `token` and `device_proof` only in the answer that opens it, once.

    is_current  in a list: whether it is the one that asks
    """

    id: str
    object: Literal["session"] = "session"
    person: str
    auth_level: AuthLevel
    device: str | None
    device_name: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    is_current: bool | UnsetType = UNSET
    token: str | UnsetType = UNSET
    device_proof: str | UnsetType = UNSET

    def __repr__(self) -> str:
        return f"SessionView({self.id})"
