"""Orders that are made when somebody takes up an offer: a scanned code, a link in a chat."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from wufeng.base.books import Book
from wufeng.base.ids import Prefix, encode
from wufeng.identity.merchants.model import Merchant
from wufeng.payments.orders.model import Channel, OrderTerms, order_id

LASTS = timedelta(minutes=30)
"""How long such an order waits to be paid."""

_SIGNS = {Channel.STATIC_CODE: "QR", Channel.LINK: "LK"}


def terms_of(
    channel: Channel,
    merchant: Merchant,
    book: Book,
    person_id: UUID,
    named: UUID,
    amount_minor: int,
    subject: str,
    at: datetime,
    metadata: Mapping[str, str],
) -> OrderTerms:
    """The terms of an order that a person takes up, in a number space of the person's own.

    named     what the order is called by: the same name is the same order
    metadata  what the merchant reads of where the order came from
    """
    order_no = f"{_SIGNS[channel]}-{encode(Prefix.ORDER, named)[5:17].upper()}"
    return OrderTerms(
        id=order_id(merchant.id, order_no, person_id),
        merchant_id=merchant.id,
        order_no=order_no,
        amount_minor=amount_minor,
        currency=book.currency,
        subject=subject,
        scene=merchant.scene,
        expires_at=at + LASTS,
        metadata=msgspec.json.encode(dict(metadata)),
        channel=channel,
    )
