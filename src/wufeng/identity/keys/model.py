"""What is kept about API keys."""

from datetime import date, datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType


class KeyKind(StrEnum):
    """Whose key it is."""

    PLATFORM = "platform"
    MERCHANT = "merchant"


class Scope(StrEnum):
    """What a key may be used for, if its kind may at all. A key holds the scopes it needs."""

    READ = "read"  # everything that changes nothing
    PEOPLE = "people"  # create people, freeze them
    MERCHANTS = "merchants"  # create merchants
    ORDERS = "orders"  # make, ship and close orders, quotes and checkout sessions
    PAYMENTS = "payments"  # start, capture and void payments
    REFUNDS = "refunds"
    REPAYMENTS = "repayments"  # book repayments that came by another way
    WEBHOOKS = "webhooks"  # endpoints, deliveries
    CLOCK = "clock"  # turn the clock of a test book, read its messages
    KEYS = "keys"  # make and revoke keys; a key gives no scope that it lacks


SCOPES: dict[KeyKind, frozenset[Scope]] = {
    KeyKind.PLATFORM: frozenset(
        {
            Scope.READ,
            Scope.PEOPLE,
            Scope.MERCHANTS,
            Scope.PAYMENTS,
            Scope.REPAYMENTS,
            Scope.WEBHOOKS,
            Scope.CLOCK,
            Scope.KEYS,
        }
    ),
    KeyKind.MERCHANT: frozenset(
        {Scope.READ, Scope.ORDERS, Scope.PAYMENTS, Scope.REFUNDS, Scope.WEBHOOKS, Scope.KEYS}
    ),
}
"""The scopes that make sense for each kind, and what a key is made with unless it is told fewer."""


class ApiKey(Struct, frozen=True, kw_only=True):
    """A key as it stands in the database, without its secret.

    owner_id  the merchant, or the operator's own id in the book: what Idempotency-Keys are scoped by, also
              after a rotation
    addresses  ranges (CIDR) that it may be used from; none: from anywhere
    """

    id: UUID
    book_id: int
    kind: KeyKind
    owner_id: UUID
    name: str
    prefix: str
    secret_hash: bytes
    scopes: frozenset[Scope]
    created_at: datetime
    revoked_at: datetime | None = None
    last_used_on: date | None = None
    addresses: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"ApiKey({self.prefix})"


class NewKey(Struct, frozen=True):
    """A key just made. Its text is given out once."""

    key: ApiKey
    text: str

    def __repr__(self) -> str:
        return f"NewKey({self.key.prefix})"


class ApiKeyView(Struct, frozen=True, kw_only=True):
    """A key as the API shows it; `secret` only in the answer that makes it, once."""

    id: str
    object: Literal["api_key"] = "api_key"
    kind: KeyKind
    name: str
    prefix: str
    scopes: list[Scope]
    addresses: list[str]
    created_at: datetime
    revoked_at: datetime | None
    last_used_on: date | None
    secret: str | UnsetType = UNSET

    def __repr__(self) -> str:
        return f"ApiKeyView({self.prefix})"
