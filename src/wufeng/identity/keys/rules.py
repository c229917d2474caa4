"""What is decided about API keys."""

from collections.abc import Collection
from uuid import UUID

from msgspec import UNSET, UnsetType

from wufeng.base.errors import Code, Problem, invalid_field
from wufeng.base.ids import Prefix, encode, hashed_id
from wufeng.identity.keys.model import SCOPES, ApiKey, ApiKeyView, KeyKind, Scope

NAME_MAX = 100


def platform_id(book_id: int) -> UUID:
    """The operator's own id in a book: the owner of its platform keys."""
    return hashed_id(b"platform", book_id.to_bytes(2))


def check_scopes(kind: KeyKind, scopes: Collection[Scope]) -> frozenset[Scope]:
    """The scopes of a new key. Refuses none at all, and those that its kind can never use (invalid_field)."""
    if not scopes:
        raise invalid_field("/scopes", "A key needs at least one scope.")
    if senseless := sorted(set(scopes) - SCOPES[kind]):
        raise invalid_field("/scopes", f"A {kind.value} key cannot have: {', '.join(senseless)}.")
    return frozenset(scopes)


def scopes_to_give(
    kind: KeyKind, wanted: Collection[Scope] | None, giver: frozenset[Scope] | None
) -> frozenset[Scope]:
    """The scopes of a key that a caller asks for: those it names, or all that it may give.

    giver  scopes of the key that asks for another key of the same owner: it cannot give what it lacks
           (forbidden); None for callers without that bound, an administrator and the operator for a merchant
    """
    most = SCOPES[kind] if giver is None else SCOPES[kind] & giver
    if wanted is None:
        return most
    checked = check_scopes(kind, wanted)
    if lacking := sorted(checked - most):
        raise Problem(Code.FORBIDDEN, f"This key cannot give what it lacks: {', '.join(lacking)}.")
    return checked


def check_key_name(name: str) -> str:
    """The name of a key, trimmed (invalid_field)."""
    trimmed = name.strip()
    if not 1 <= len(trimmed) <= NAME_MAX or not trimmed.isprintable():
        raise invalid_field("/name", f"It must have 1 to {NAME_MAX} printable characters.")
    return trimmed


def view_of(key: ApiKey, secret: str | UnsetType = UNSET) -> ApiKeyView:
    """A key as the API shows it."""
    return ApiKeyView(
        id=encode(Prefix.API_KEY, key.id),
        kind=key.kind,
        name=key.name,
        prefix=key.prefix,
        scopes=sorted(key.scopes),
        addresses=list(key.addresses),
        created_at=key.created_at,
        revoked_at=key.revoked_at,
        last_used_on=key.last_used_on,
        secret=secret,
    )
