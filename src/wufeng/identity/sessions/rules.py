"""What is decided about sessions."""

from datetime import datetime

from wufeng.base.ids import Prefix, encode
from wufeng.identity.sessions.model import PIN_LEVEL_LASTS, AuthLevel, Ended, Opened, Session, SessionView


def is_alive(session: Session, at: datetime) -> bool:
    """Whether a session may be used."""
    return session.revoked_at is None and at < session.expires_at


def level_of(session: Session | Ended, at: datetime) -> AuthLevel:
    """How strongly the person has proved to be themselves, now: the PIN's proof wears off."""
    if session.pin_at is not None and at < session.pin_at + PIN_LEVEL_LASTS:
        return AuthLevel.PIN
    return AuthLevel.CODE


def view_of_opened(opened: Opened) -> SessionView:
    """A session just opened, with its token."""
    return SessionView(
        id=encode(Prefix.SESSION, opened.session_id),
        person=encode(Prefix.PERSON, opened.person_id),
        auth_level=opened.auth_level,
        created_at=opened.created_at,
        expires_at=opened.expires_at,
        token=opened.token,
    )


def view_of_ended(ended: Ended, at: datetime) -> SessionView:
    """A session just ended."""
    return SessionView(
        id=encode(Prefix.SESSION, ended.id),
        person=encode(Prefix.PERSON, ended.person_id),
        auth_level=level_of(ended, at),
        created_at=ended.created_at,
        expires_at=ended.expires_at,
        revoked_at=at,
    )
