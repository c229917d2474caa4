"""What is kept about staff."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType

STAFF_SESSION_LASTS = timedelta(hours=12)
TRIES_MAX = 5
LOCKED_FOR = timedelta(minutes=15)
PASSWORD_MIN = 12


class Role(StrEnum):
    """What a member of staff may do; each call names its roles (access.py), none includes another by itself."""

    ANALYST = "analyst"  # looks at everything, changes nothing
    OPERATOR = "operator"  # daily work: freezes people and lines, refunds, books repayments
    SUPERVISOR = "supervisor"  # opens lines, changes limits, reverses
    ADMIN = "admin"  # staff, keys, merchants, clocks


class StaffStatus(StrEnum):
    """Whether a member of staff may sign in."""

    ACTIVE = "active"  # -> closed
    CLOSED = "closed"  # end


class Staff(Struct, frozen=True, kw_only=True):
    """A member of staff. One role, in the books named."""

    id: UUID
    login: str
    name: str
    role: Role
    book_ids: tuple[int, ...]
    status: StaffStatus
    created_at: datetime


class StaffView(Struct, frozen=True, kw_only=True):
    """A member of staff as administrators see them."""

    id: str
    object: Literal["staff"] = "staff"
    login: str
    name: str
    role: Role
    status: StaffStatus
    created_at: datetime


class StaffSession(Struct, frozen=True, kw_only=True):
    """A signed-in member of staff, as it stands in the database; instants are the system's, not a book's."""

    id: UUID
    staff_id: UUID
    book_id: int
    role: Role
    status: StaffStatus
    secret_hash: bytes
    expires_at: datetime
    revoked_at: datetime | None

    def __repr__(self) -> str:
        return f"StaffSession({self.id})"


class StaffOpened(Struct, frozen=True, kw_only=True):
    """A staff session just opened. The token is given out once."""

    token: str
    session_id: UUID
    staff: Staff
    book_id: int
    created_at: datetime
    expires_at: datetime

    def __repr__(self) -> str:
        return f"StaffOpened({self.session_id})"


class StaffSessionView(Struct, frozen=True, kw_only=True):
    """A staff session as the API shows it; `token` only in the answer that opens it, once."""

    id: str
    object: Literal["staff_session"] = "staff_session"
    staff: str
    name: str
    role: Role
    book: str
    created_at: datetime
    expires_at: datetime
    token: str | UnsetType = UNSET

    def __repr__(self) -> str:
        return f"StaffSessionView({self.id})"
