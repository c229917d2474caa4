"""What is decided about staff."""

import re
from datetime import datetime

from wufeng.base.errors import invalid_field
from wufeng.base.ids import Prefix, encode
from wufeng.identity.staff.model import (
    PASSWORD_MIN,
    Staff,
    StaffOpened,
    StaffSession,
    StaffSessionView,
    StaffStatus,
    StaffView,
)
from wufeng.identity.vault import Private

_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@+-]{1,63}", re.ASCII)
PASSWORD_MAX = 256


def check_login(login: str) -> str:
    """A log-in name in lower case (invalid_field)."""
    lowered = login.strip().lower()
    if not _LOGIN.fullmatch(lowered):
        raise invalid_field(
            "/login", "It must have 2 to 64 of a-z, 0-9 and . _ @ + -, and begin with a letter or digit."
        )
    return lowered


def check_password(password: Private, login: str) -> None:
    """Length is what counts (NIST SP 800-63B-4, 3.1.1.2); the log-in name and one repeated letter are refused."""
    text = password.text
    if not PASSWORD_MIN <= len(text) <= PASSWORD_MAX:
        raise invalid_field("/password", f"It must have {PASSWORD_MIN} to {PASSWORD_MAX} characters.")
    if len(set(text)) < 5 or login in text.lower():
        raise invalid_field(
            "/password", "It is guessed too easily: few different characters, or the log-in name in it."
        )


def is_alive(session: StaffSession, at: datetime) -> bool:
    """Whether a staff session may be used. `at` is the system's instant."""
    return session.revoked_at is None and at < session.expires_at and session.status is StaffStatus.ACTIVE


def view_of(staff: Staff) -> StaffView:
    """A member of staff as administrators see them."""
    return StaffView(
        id=encode(Prefix.STAFF, staff.id),
        login=staff.login,
        name=staff.name,
        role=staff.role,
        status=staff.status,
        created_at=staff.created_at,
    )


def view_of_opened(opened: StaffOpened, book_name: str) -> StaffSessionView:
    """A staff session just opened, with its token."""
    return StaffSessionView(
        id=encode(Prefix.SESSION, opened.session_id),
        staff=encode(Prefix.STAFF, opened.staff.id),
        name=opened.staff.name,
        role=opened.staff.role,
        book=book_name,
        created_at=opened.created_at,
        expires_at=opened.expires_at,
        token=opened.token,
    )
