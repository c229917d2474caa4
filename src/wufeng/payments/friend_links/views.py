"""Friends' links as the border shows them."""

from datetime import datetime

from wufeng.base.books import Book
from wufeng.base.ids import Prefix, encode
from wufeng.identity import Vault
from wufeng.payments.friend_links.model import FriendLinkView
from wufeng.payments.friend_links.queries import Asked
from wufeng.payments.friend_links.rules import status_of
from wufeng.payments.tokens import token_of


def view_friend_link(vault: Vault, book: Book, origin: str, asked: Asked, at: datetime) -> FriendLinkView:
    """A link as who asked reads it."""
    link, terms = asked.link, asked.order.terms
    return FriendLinkView(
        id=encode(Prefix.FRIEND_LINK, link.id),
        created_at=link.created_at,
        order=encode(Prefix.ORDER, link.order_id),
        merchant=encode(Prefix.MERCHANT, terms.merchant_id),
        amount_minor=terms.amount_minor,
        currency=terms.currency,
        subject=terms.subject,
        status=status_of(link, asked.order, at),
        expires_at=link.expires_at,
        cancelled_at=link.cancelled_at,
        url=f"{origin}/f/{token_of(vault, book, Prefix.FRIEND_LINK, link.id)}",
    )
