"""The family card that a payment is made with, as its holder names it, and how its holder stands."""

from typing import Any
from uuid import UUID

from wufeng.api.routing import Call
from wufeng.base.errors import Code, Problem, invalid_field
from wufeng.base.ids import Prefix, decode
from wufeng.compliance.limits.rules import breaks_cooling
from wufeng.identity.people.queries import get_person
from wufeng.payments.family.model import FamilyCard
from wufeng.payments.family.queries import card_of_payment, load_card, spent_on, still_theirs
from wufeng.payments.pay.model import Payment


async def card_to_spend(call: Call[Any, Any], card: str, spender_id: UUID) -> FamilyCard:
    """The card that a person names to pay with. One that is not theirs is told like one that is not there.

    Whether it pays is decided in the lane; but one whose people changed their phones, or may not act, pays no more.
    """
    card_id = decode(Prefix.FAMILY_CARD, card)
    async with call.services.database.read() as db:
        found = await load_card(db, call.book, card_id)
        if found is None or found.spender_id != spender_id or not await still_theirs(db, call.book, found):
            raise invalid_field("/funding", "You hold no such family card.")
    return found


async def card_that_spent(call: Call[Any, Any], payment: Payment) -> FamilyCard:
    """The card of a payment that waits for its holder; refuses (forbidden) one whose people are not the same now."""
    async with call.services.database.read() as db:
        card = await card_of_payment(db, call.book, payment.id)
        if not await still_theirs(db, call.book, card):
            raise Problem(Code.FORBIDDEN, "This family card pays nothing any more.")
    return card


async def refuse_while_cooling(call: Call[Any, Any], card: FamilyCard, amount_minor: int) -> None:
    """Refuse (forbidden) more than a holder may pay whose phone and number have just changed.

    The lane knows how the owner stands; who holds the card lives in another bucket, so this is looked at here.
    """
    assert card.spender_id is not None, "an accepted card pays"
    async with call.services.database.read() as db:
        spender = await get_person(db, call.services.vault, call.book, card.spender_id)
        if spender.cooling_until is None or call.at >= spender.cooling_until:
            return
        day_minor = await spent_on(db, call.book, card, call.book.business_date(call.at))
    if breaks_cooling(amount_minor, day_minor, call.services.catalogue.limits):
        detail = (
            "Your phone and number have just changed: a family card pays less until that has cooled down."
        )
        raise Problem(Code.FORBIDDEN, detail)
