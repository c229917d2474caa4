"""Family cards as their two people read them."""

from datetime import datetime
from uuid import UUID

import msgspec

from wufeng.base.books import Book
from wufeng.base.ids import Prefix, encode
from wufeng.payments.family import rules
from wufeng.payments.family.model import CardStatus, FamilyCard, FamilyCardView, Seen


def view_card(
    card: FamilyCard, reader_id: UUID, seen: Seen | None, book: Book, at: datetime
) -> FamilyCardView:
    """A card for its owner, or for who holds it: that one does not learn which line it is."""
    owns = card.owner_id == reader_id
    status, on = rules.status_at(card, at), book.business_date(at)
    return FamilyCardView(
        id=encode(Prefix.FAMILY_CARD, card.id),
        created_at=card.created_at,
        role="owner" if owns else "spender",
        status=status,
        name=card.name,
        other=seen,
        source="wallet" if card.use_wallet else "line",
        line=encode(Prefix.LINE, card.line_id) if owns and card.line_id is not None else None,
        currency=book.currency,
        month_cap_minor=card.month_cap_minor,
        payment_cap_minor=card.payment_cap_minor,
        used_minor=rules.used_in(card, on),
        left_minor=rules.left_minor(card, on),
        expires_at=card.expires_at if status is CardStatus.INVITED else None,
    )


def card_body(card: FamilyCard, reader_id: UUID, seen: Seen | None, book: Book, at: datetime) -> bytes:
    """The bytes of a card's view, as a key remembers them."""
    return msgspec.json.encode(view_card(card, reader_id, seen, book, at))
