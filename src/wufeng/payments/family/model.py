"""Family cards: what is kept of them, and what can be asked."""

from datetime import date, datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from msgspec import Struct

from wufeng.base.lanes import Command


class CardStatus(StrEnum):
    """Where a card stands. An invitation that nobody took in time has lapsed, whatever its row says."""

    INVITED = "invited"  # -> active (the spender), stopped, lapsed
    ACTIVE = "active"  # -> paused (the owner), stopped
    PAUSED = "paused"  # -> active (the owner), stopped
    STOPPED = "stopped"  # end
    LAPSED = "lapsed"  # end; never stored


class FamilyCard(Struct, frozen=True, kw_only=True):
    """A card as it is kept, in the bucket of its owner.

    owner_phone_id, spender_phone_id  the keyed hashes (name claims) of the phones that it was made between: once
                       one of them is no longer that person's, the card pays nothing
    spender_id         who accepted it; None while it is an invitation
    use_wallet, line_id  what it spends from: the owner's wallet, or one of the owner's lines
    payment_cap_minor  of one payment; None: the month's
    month_on           first date of the business month that `used_minor` stands for
    used_minor         what payments of that month hold or have taken, less what came back within it
    """

    id: UUID
    owner_id: UUID
    owner_phone_id: UUID
    spender_phone_id: UUID
    spender_id: UUID | None
    name: str
    use_wallet: bool
    line_id: UUID | None
    month_cap_minor: int
    payment_cap_minor: int | None
    status: CardStatus
    expires_at: datetime
    month_on: date
    used_minor: int
    created_at: datetime


class Caps(Struct, frozen=True):
    """How much a card may spend: in a business month, and in one payment (None: no cap of its own)."""

    month_minor: int
    payment_minor: int | None


class FamilyPolicy(Struct, frozen=True):
    """Bounds of family cards, a dated file."""

    name: str
    live_max: int
    month_cap_max_minor: int
    invited_days: int


class Spend(Struct, frozen=True, gc=False):
    """A payment with a family card: the card, and who holds it. The payer is the card's owner."""

    card_id: UUID
    spender_id: UUID


class Use(Struct, frozen=True, gc=False):
    """What a payment takes of a card's month. Nothing (0): it waits, or was declined."""

    payment_id: UUID
    card_id: UUID
    month_on: date
    used_minor: int


class Seen(Struct, frozen=True):
    """The other person of a card as one may see them: masked."""

    name: str | None
    phone: str | None


class Move(StrEnum):
    """What is done to a card."""

    ACCEPT = "accept"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"


class CreateCard(Command, frozen=True, kw_only=True):
    """Make a card, checked and confirmed at the edge. Submit it to the owner's bucket, with the owner in `people`."""

    card: FamilyCard


class SetCaps(Command, frozen=True, kw_only=True):
    """Set a card's caps. `confirmed`: the owner has proved to be there, so they may rise."""

    card_id: UUID
    owner_id: UUID
    caps: Caps
    confirmed: bool
    seen: Seen | None


class MoveCard(Command, frozen=True, kw_only=True):
    """Move a card on. `people` holds the owner, whoever asks.

    actor_id  who asks: the owner, or the spender
    phone_id  of the asking person's phone: an invitation is found by it
    seen      the other person, for the answer
    """

    card_id: UUID
    actor_id: UUID
    phone_id: UUID | None
    move: Move
    seen: Seen | None


class FamilyCardView(Struct, frozen=True, kw_only=True):
    """A card as its owner or its spender reads it.

    role      the reader's: owner or spender
    other     the other person, masked; for the owner once the card was accepted
    source    wallet or line; `wallet` and `line` name it for the owner alone
    used_minor, left_minor  of this business month's cap: says nothing of the owner's balance
    """

    id: str
    object: Literal["family_card"] = "family_card"
    created_at: datetime
    role: Literal["owner", "spender"]
    status: CardStatus
    name: str
    other: Seen | None
    source: Literal["wallet", "line"]
    line: str | None
    currency: str
    month_cap_minor: int
    payment_cap_minor: int | None
    used_minor: int
    left_minor: int
    expires_at: datetime | None
