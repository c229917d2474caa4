"""Wallets: a person's own money, and how it comes in and goes out."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from msgspec import Struct

from wufeng.base.lanes import Command


class MovementKind(StrEnum):
    """Which way a movement goes, seen from the wallet."""

    TOP_UP = "top_up"
    WITHDRAWAL = "withdrawal"


class MovementStatus(StrEnum):
    """A movement waits for the bank; a withdrawal is held meanwhile, a top-up is booked only at the bank's yes."""

    PENDING = "pending"  # -> posted, failed
    POSTED = "posted"  # end
    FAILED = "failed"  # end   the bank refused; nothing has moved


class TierLimits(Struct, frozen=True, forbid_unknown_fields=True):
    """What the wallets of one tier may do; minor units of the book's currency.

    balance_max_minor  of money there and top-ups under way; refunds may bring a wallet above it
    """

    balance_max_minor: int
    top_up_max_minor: int
    top_up_day_max_minor: int
    withdrawal_max_minor: int
    withdrawal_day_max_minor: int


class WalletPolicy(Struct, frozen=True):
    """One version of the limits by tier. `name` is `id@version`."""

    name: str
    effective_from: date
    tiers: Mapping[int, TierLimits]
    content_hash: str


class Movement(Struct, frozen=True, kw_only=True):
    """A top-up or a withdrawal as its row keeps it."""

    id: UUID
    kind: MovementKind
    status: MovementStatus
    person_id: UUID
    wallet_id: UUID
    bank_account_id: UUID
    amount_minor: int
    currency: str
    asked_on: date
    posted_on: date | None = None
    failure: str | None = None
    created_at: datetime


class Usage(Struct, frozen=True):
    """What a wallet has asked for: on a business date, failed ones left out, and what is under way."""

    top_ups_today_minor: int = 0
    withdrawals_today_minor: int = 0
    top_ups_pending_minor: int = 0


class Ask(Command, frozen=True, kw_only=True):
    """What a top-up and a withdrawal have in common."""

    movement_id: UUID
    person_id: UUID
    wallet_id: UUID
    bank_account_id: UUID
    amount_minor: int


class TopUp(Ask, frozen=True, kw_only=True):
    """Pull money from the person's bank account into the wallet."""


class Withdraw(Ask, frozen=True, kw_only=True):
    """Pay money out of the wallet to the person's bank account. Their PIN was proved at the edge."""


class MovementAnswered(Command, frozen=True, kw_only=True):
    """The bank's definite answer about a movement. The second one changes nothing.

    code  why the bank refused
    """

    movement_id: UUID
    done: bool
    code: str = ""


class WalletView(Struct, frozen=True, kw_only=True):
    """A wallet as the API shows it."""

    id: str
    object: Literal["wallet"] = "wallet"
    person: str
    balance_minor: int
    held_minor: int
    available_minor: int
    currency: str
    tier: int
    created_at: datetime


class MovementView(Struct, frozen=True, kw_only=True):
    """A top-up or a withdrawal as the API shows it; `object` says which."""

    id: str
    object: MovementKind
    status: MovementStatus
    wallet: str
    person: str
    bank_account: str
    amount_minor: int
    currency: str
    failure: str | None
    posted_on: date | None
    created_at: datetime
