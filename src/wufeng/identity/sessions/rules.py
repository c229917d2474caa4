"""What is decided about sessions."""

from datetime import datetime

from wufeng.identity.sessions.model import PIN_LEVEL_LASTS, AuthLevel, Session


def is_alive(session: Session, at: datetime) -> bool:
    """Whether a session may be used."""
    return session.revoked_at is None and at < session.expires_at


def level_of(session: Session, at: datetime) -> AuthLevel:
    """How strongly the person has proved to be themselves, now: the PIN's proof wears off."""
    if session.pin_at is not None and at < session.pin_at + PIN_LEVEL_LASTS:
        return AuthLevel.PIN
    return AuthLevel.CODE
