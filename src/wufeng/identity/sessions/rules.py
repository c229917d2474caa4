"""What is decided about sessions."""

from datetime import datetime
from uuid import UUID

from msgspec import UNSET

from wufeng.base.ids import Prefix, encode
from wufeng.identity.sessions.model import PROOF_LASTS, AuthLevel, Listed, Opened, Session, SessionView


def is_alive(session: Session, at: datetime) -> bool:
    """Whether a session may be used."""
    return session.revoked_at is None and at < session.expires_at


def level_of(pin_at: datetime | None, passkey_at: datetime | None, at: datetime) -> AuthLevel:
    """How strongly the person has proved to be themselves, now: a proof wears off, the stronger one counts."""
    if passkey_at is not None and at < passkey_at + PROOF_LASTS:
        return AuthLevel.PASSKEY
    if pin_at is not None and at < pin_at + PROOF_LASTS:
        return AuthLevel.PIN
    return AuthLevel.CODE


def view_of_opened(opened: Opened) -> SessionView:
    """A session just opened, with its token."""
    return SessionView(
        id=encode(Prefix.SESSION, opened.session_id),
        person=encode(Prefix.PERSON, opened.person_id),
        auth_level=opened.auth_level,
        device=_device(opened.device_id),
        device_name=opened.device_name,
        created_at=opened.created_at,
        expires_at=opened.expires_at,
        token=opened.token,
        device_proof=opened.device_proof if opened.device_proof is not None else UNSET,
    )


def view_of_ended(ended: Listed, at: datetime) -> SessionView:
    """A session just ended."""
    return _view_of(ended, at, ended_at=at)


def view_of_living(living: Listed, current_id: UUID | None, at: datetime) -> SessionView:
    """A session of a list that its person reads in one of them."""
    return _view_of(living, at, is_current=living.id == current_id)


def _view_of(
    session: Listed,
    at: datetime,
    *,
    ended_at: datetime | None = None,
    is_current: bool | None = None,
) -> SessionView:
    return SessionView(
        id=encode(Prefix.SESSION, session.id),
        person=encode(Prefix.PERSON, session.person_id),
        auth_level=level_of(session.pin_at, session.passkey_at, at),
        device=_device(session.device_id),
        device_name=session.device_name,
        created_at=session.created_at,
        expires_at=session.expires_at,
        revoked_at=ended_at,
        is_current=is_current if is_current is not None else UNSET,
    )


def _device(device_id: UUID | None) -> str | None:
    return encode(Prefix.DEVICE, device_id) if device_id is not None else None
