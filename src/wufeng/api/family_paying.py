"""The family card that a payment is made with, as its holder names it."""

from typing import Any
from uuid import UUID

from wufeng.api.routing import Call
from wufeng.base.errors import invalid_field
from wufeng.base.ids import Prefix, decode
from wufeng.payments.family.model import FamilyCard
from wufeng.payments.family.queries import load_card, still_theirs


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
