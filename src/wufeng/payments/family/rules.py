"""What a family card allows, how it moves, and what a payment takes of it: pure."""

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from wufeng.base.errors import Code, Problem, invalid_field, not_found
from wufeng.payments.family.model import Caps, CardStatus, FamilyCard, FamilyPolicy, Move, Spend
from wufeng.risk.model import Reason

NAME_MAX = 20

S = CardStatus
LIVE = frozenset({S.INVITED, S.ACTIVE, S.PAUSED})
"""States of a card that counts against how many its owner may have given out."""


class Step(Struct, frozen=True):
    """One move: from which states, to which, and by whom. A card in its target already stays as it is."""

    sources: frozenset[CardStatus]
    target: CardStatus
    by_owner: bool
    by_spender: bool


MOVES: Mapping[Move, Step] = {
    Move.ACCEPT: Step(frozenset({S.INVITED}), S.ACTIVE, by_owner=False, by_spender=True),
    Move.PAUSE: Step(frozenset({S.ACTIVE}), S.PAUSED, by_owner=True, by_spender=False),
    Move.RESUME: Step(frozenset({S.PAUSED}), S.ACTIVE, by_owner=True, by_spender=False),
    Move.STOP: Step(LIVE, S.STOPPED, by_owner=True, by_spender=True),
}


def month_of(on: date) -> date:
    """The first date of a business month."""
    return on.replace(day=1)


def status_at(card: FamilyCard, at: datetime) -> CardStatus:
    """Where a card stands at an instant: an invitation past its time has lapsed."""
    return S.LAPSED if card.status is S.INVITED and at >= card.expires_at else card.status


def is_spender(card: FamilyCard, person_id: UUID, phone_id: UUID | None) -> bool:
    """Whether a card is that person's to hold: they accepted it, or it invites the phone that is theirs now."""
    if card.spender_id is not None:
        return card.spender_id == person_id
    return card.owner_id != person_id and card.spender_phone_id == phone_id


def check_name(name: str) -> str:
    """What the owner calls a card, trimmed."""
    trimmed = name.strip()
    if not 1 <= len(trimmed) <= NAME_MAX or not trimmed.isprintable():
        raise invalid_field("/name", f"It must have 1 to {NAME_MAX} printable characters.")
    return trimmed


def check_caps(caps: Caps, policy: FamilyPolicy) -> Caps:
    """Caps within the policy's bounds."""
    if caps.month_minor > policy.month_cap_max_minor:
        raise invalid_field("/month_cap_minor", f"It is at most {policy.month_cap_max_minor}.")
    if caps.payment_minor is not None and caps.payment_minor > caps.month_minor:
        raise invalid_field("/payment_cap_minor", "It is above the month's.")
    return caps


def raises(card: FamilyCard, caps: Caps) -> bool:
    """Whether caps let more be spent than before: that takes the owner's confirmation."""
    old = card.payment_cap_minor if card.payment_cap_minor is not None else card.month_cap_minor
    new = caps.payment_minor if caps.payment_minor is not None else caps.month_minor
    return caps.month_minor > card.month_cap_minor or new > old


def with_caps(card: FamilyCard, caps: Caps, at: datetime, *, confirmed: bool) -> FamilyCard | Problem:
    """The card with other caps. What this month's payments have taken already stands, also above a lower cap."""
    status = status_at(card, at)
    if status not in LIVE:
        return Problem(Code.STATE_CONFLICT, f"This family card is {status.value}.")
    if raises(card, caps) and not confirmed:
        return Problem(Code.CONFIRMATION_FAILED, "Letting more be spent needs the owner's confirmation.")
    return replace(card, month_cap_minor=caps.month_minor, payment_cap_minor=caps.payment_minor)


def moved(
    card: FamilyCard, move: Move, actor_id: UUID, phone_id: UUID | None, at: datetime
) -> FamilyCard | Problem:
    """The card after a move; in its target already it stays. Those who may not see it hear that it is not there."""
    step, status = MOVES[move], status_at(card, at)
    is_owner, holds_it = card.owner_id == actor_id, is_spender(card, actor_id, phone_id)
    if not (is_owner or holds_it):
        return not_found("family card")
    if not ((is_owner and step.by_owner) or (holds_it and step.by_spender)):
        return Problem(Code.STATE_CONFLICT, "The other person of this family card does that.")
    if status is step.target:
        return card
    if status not in step.sources:
        return Problem(Code.STATE_CONFLICT, f"This family card is {status.value}.")
    if move is Move.ACCEPT:
        return replace(card, status=step.target, spender_id=actor_id)
    return replace(card, status=step.target)


def refusals(
    card: FamilyCard | None, spend: Spend, payer_id: UUID, amount_minor: int, on: date
) -> tuple[Reason, ...]:
    """Why a card does not pay an amount on a business date; nothing: it does."""
    if card is None or (card.owner_id, card.spender_id) != (payer_id, spend.spender_id):
        return (Reason.FAMILY_CARD_CLOSED,)
    if card.status is not S.ACTIVE:
        return (Reason.FAMILY_CARD_CLOSED,)
    over_payment = card.payment_cap_minor is not None and amount_minor > card.payment_cap_minor
    if over_payment or amount_minor > left_minor(card, on):
        return (Reason.FAMILY_CAP,)
    return ()


def left_minor(card: FamilyCard, on: date) -> int:
    """What the cap leaves to spend in the business month of a date; a lowered cap may lie below what was spent."""
    return max(0, card.month_cap_minor - used_in(card, on))


def used_in(card: FamilyCard, on: date) -> int:
    """What was spent in the business month of a date. A date before the card's month (another process' clock is a
    moment behind) counts in the card's.
    """
    return card.used_minor if month_of(on) <= card.month_on else 0


def used(card: FamilyCard, amount_minor: int, on: date) -> FamilyCard:
    """The card after a payment."""
    taken_minor = used_in(card, on) + amount_minor
    assert taken_minor <= card.month_cap_minor, "no payment goes above the cap"
    return replace(card, month_on=max(card.month_on, month_of(on)), used_minor=taken_minor)
