"""Payment links as the border shows them."""

from datetime import datetime

from wufeng.base.books import Book
from wufeng.base.ids import Prefix, encode
from wufeng.identity import Vault
from wufeng.payments.payment_links.model import PaymentLink, PaymentLinkView
from wufeng.payments.payment_links.rules import status_of
from wufeng.payments.tokens import token_of


def url_of_link(vault: Vault, book: Book, origin: str, link: PaymentLink) -> str:
    """Where whoever is sent the link goes."""
    return f"{origin}/l/{token_of(vault, book, Prefix.PAYMENT_LINK, link.id)}"


def view_link(
    vault: Vault, book: Book, origin: str, link: PaymentLink, uses: int, at: datetime
) -> PaymentLinkView:
    """A link as its merchant reads it; `uses` of it are paid."""
    return PaymentLinkView(
        id=encode(Prefix.PAYMENT_LINK, link.id),
        created_at=link.created_at,
        merchant=encode(Prefix.MERCHANT, link.merchant_id),
        amount_minor=link.amount_minor,
        currency=book.currency,
        subject=link.subject,
        uses_max=link.uses_max,
        uses=uses,
        status=status_of(link, uses, at),
        expires_at=link.expires_at,
        closed_at=link.closed_at,
        url=url_of_link(vault, book, origin, link),
    )
