"""Callers: who asks, as every route and command gets to know them."""

from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from wufeng.base.books import Book
from wufeng.identity.keys.model import Scope
from wufeng.identity.sessions.model import AuthLevel
from wufeng.identity.staff.model import Role


class CallerKind(StrEnum):
    """What kind of caller: API.md, "Who calls"."""

    PLATFORM = "platform"
    MERCHANT = "merchant"
    PERSON = "person"
    STAFF = "staff"


class Caller(Struct, frozen=True, kw_only=True):
    """An authenticated caller.

    id             what Idempotency-Keys are scoped by: the operator's id in the book, the merchant, the
                   person, the member of staff; it survives a rotated key and a new session
    credential_id  the key or session used, for the audit
    book           with its clock as it stood when the credential was read
    scopes         of a key; empty for people and staff
    role           of staff
    auth_level     of a person's session
    device_id      that a person's session was opened on; None: a session older than devices
    device_trusted whether a PIN or passkey was ever proved on it
    """

    kind: CallerKind
    id: UUID
    credential_id: UUID
    book: Book
    merchant_id: UUID | None = None
    person_id: UUID | None = None
    role: Role | None = None
    scopes: frozenset[Scope] = frozenset()
    auth_level: AuthLevel | None = None
    device_id: UUID | None = None
    device_trusted: bool = False

    @property
    def session_id(self) -> UUID | None:
        """The session of a person or a member of staff."""
        return self.credential_id if self.kind in (CallerKind.PERSON, CallerKind.STAFF) else None
