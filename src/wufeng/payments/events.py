"""What payments tell: kinds of events, and how a stored row becomes public events.

A row carries the payment as the platform reads it. A merchant reads fraud reasons as `declined_by_risk`.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from wufeng.base.followers import EventRow
from wufeng.base.ids import Prefix, decode
from wufeng.base.webhooks import Audience, PublicEvent
from wufeng.risk import hide_fraud_reasons


class Kind(StrEnum):
    """Public event types of this context (API.md)."""

    ORDER_PAID = "order.paid"
    ORDER_SHIPPED = "order.shipped"
    ORDER_RECEIPT_CONFIRMED = "order.receipt_confirmed"
    PAYMENT_AUTHORISED = "payment.authorised"
    PAYMENT_CAPTURED = "payment.captured"
    PAYMENT_DECLINED = "payment.declined"
    PAYMENT_VOIDED = "payment.voided"
    PAYMENT_EXPIRED = "payment.expired"
    PAYMENT_FAILED = "payment.failed"
    DRAW_POSTED = "draw.posted"
    REFUND_POSTED = "refund.posted"


EVENT_TYPES: tuple[str, ...] = tuple(Kind)
"""What this context tells the world."""

PAYMENT_RELEASED = "payment.released"
"""A row that tells `payment.captured`: the rest of a payment captured in part was released, no money moved."""

REFUND_PENDING = "refund.pending"
"""A row that tells nobody: a part of a refund is on its way to a bank."""

_AS_THEY_ARE = frozenset(Kind) - {Kind.PAYMENT_CAPTURED, Kind.PAYMENT_DECLINED}


def expand(row: EventRow, audience: Audience) -> Sequence[PublicEvent]:
    """The public events of a row of this context; of another's, or one that is nobody's business, none.

    payment.captured  also tells order.paid when its order was inline (a stored order has a row of its own), and
                      draw.posted of the draw that this capture made
    """
    if row.kind == Kind.PAYMENT_CAPTURED:
        return _captured(row)
    if row.kind == Kind.PAYMENT_DECLINED:
        data = hide_fraud_reasons(row.data) if audience is Audience.MERCHANT else row.data
        return (PublicEvent(0, row.kind, row.object_id, data),)
    if row.kind == PAYMENT_RELEASED:
        return (PublicEvent(0, Kind.PAYMENT_CAPTURED, row.object_id, row.data),)
    if row.kind in _AS_THEY_ARE:
        return (PublicEvent(0, row.kind, row.object_id, row.data),)
    return ()


def _captured(row: EventRow) -> Sequence[PublicEvent]:
    payment: dict[str, Any] = msgspec.json.decode(row.data)
    told = [PublicEvent(0, row.kind, row.object_id, row.data)]
    if payment["inline_order"] and payment["status"] == "captured":
        told.append(PublicEvent(1, Kind.ORDER_PAID, _id(Prefix.ORDER, payment["order"]), _order(payment)))
    drawn = [source for source in payment["funding"] if "draw" in source]
    if drawn:
        draw = drawn[-1]
        told.append(PublicEvent(2, Kind.DRAW_POSTED, _id(Prefix.DRAW, draw["draw"]), _draw(payment, draw)))
    return told


def _id(prefix: Prefix, text: str) -> UUID:
    return decode(prefix, text)


def _order(payment: dict[str, Any]) -> bytes:
    """An inline order: all its terms are the payment's own."""
    return msgspec.json.encode(
        {
            "id": payment["order"],
            "object": "order",
            "created_at": payment["created_at"],
            "merchant": payment["merchant"],
            "order_no": payment["order_no"],
            "amount_minor": payment["amount_minor"],
            "currency": payment["currency"],
            "subject": payment["subject"],
            "scene": payment["scene"],
            "receipt": payment["receipt"],
            "state": "paid",
            "payment": payment["id"],
            "expires_at": None,
            "paid_at": payment["captured_at"],
            "shipped_at": None,
            "receipt_confirmed_at": None,
            "metadata": {},
        }
    )


def _draw(payment: dict[str, Any], source: dict[str, Any]) -> bytes:
    return msgspec.json.encode(
        {
            "id": source["draw"],
            "object": "draw",
            "created_at": payment["captured_at"],
            "status": "posted",
            "line": source["line"],
            "payment": payment["id"],
            "merchant": payment["merchant"],
            "amount_minor": source["amount_minor"],
            "currency": payment["currency"],
            "product": source.get("product"),
            "tenor": source["tenor"],
            "instalments": source["instalments"],
            "lenders": source["lenders"],
            "annualised_rate_ppm": source.get("annualised_rate_ppm"),
        }
    )
