"""How an audit entry is shown, and what a reason may be."""

from wufeng.base.errors import invalid_field
from wufeng.base.ids import Prefix, encode
from wufeng.identity.audit.model import Act
from wufeng.identity.callers import CallerKind

REASON_MAX = 500

_BY_PREFIX = {
    CallerKind.PERSON: Prefix.PERSON,
    CallerKind.MERCHANT: Prefix.MERCHANT,
    CallerKind.STAFF: Prefix.STAFF,
}


def check_reason(reason: str, pointer: str = "/reason") -> str:
    """A reason as it is kept, trimmed. Refuses none and one that is too long or unprintable (invalid_field)."""
    trimmed = reason.strip()
    if not 1 <= len(trimmed) <= REASON_MAX or not trimmed.isprintable():
        raise invalid_field(pointer, f"Give a reason of 1 to {REASON_MAX} printable characters.")
    return trimmed


def shown_by(act: Act) -> str | None:
    """The id of whoever did it; the operator's server has none but its keys'."""
    prefix = _BY_PREFIX.get(act.by_kind)
    return None if prefix is None else encode(prefix, act.by_id)


def shown_credential(act: Act) -> str:
    """The id of the session or key that was used."""
    is_key = act.by_kind in (CallerKind.MERCHANT, CallerKind.PLATFORM)
    return encode(Prefix.API_KEY if is_key else Prefix.SESSION, act.credential_id)
