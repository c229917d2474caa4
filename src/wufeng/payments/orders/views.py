"""Orders as the border shows them."""

import msgspec

from wufeng.base.ids import Prefix, encode
from wufeng.payments.orders.model import Order, OrderView


def view_order(order: Order) -> OrderView:
    """An order as its merchant, its payer and the platform read it."""
    terms = order.terms
    return OrderView(
        id=encode(Prefix.ORDER, terms.id),
        created_at=order.created_at,
        merchant=encode(Prefix.MERCHANT, terms.merchant_id),
        order_no=terms.order_no,
        amount_minor=terms.amount_minor,
        currency=terms.currency,
        subject=terms.subject,
        scene=terms.scene,
        receipt=terms.receipt,
        state=order.state,
        payment=encode(Prefix.PAYMENT, order.payment_id) if order.payment_id else None,
        expires_at=terms.expires_at,
        paid_at=order.paid_at,
        shipped_at=order.shipped_at,
        receipt_confirmed_at=order.receipt_confirmed_at,
        metadata=msgspec.json.decode(terms.metadata, type=dict[str, str]) if terms.metadata else {},
    )


def order_body(order: Order) -> bytes:
    """The bytes of an order's view."""
    return msgspec.json.encode(view_order(order))
