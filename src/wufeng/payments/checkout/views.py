"""Checkout sessions as the border shows them."""

from datetime import datetime

from wufeng.base.ids import Prefix, encode
from wufeng.payments.checkout.model import CheckoutSession, CheckoutStatus, CheckoutView
from wufeng.payments.orders.model import Order, OrderState

_PAID = frozenset({OrderState.PAID, OrderState.SHIPPED, OrderState.RECEIPT_CONFIRMED})


def view_session(session: CheckoutSession, order: Order, at: datetime) -> CheckoutView:
    """A session as its merchant reads it. `url` is a path on this installation's own address."""
    if order.state in _PAID:
        status = CheckoutStatus.COMPLETE
    elif session.is_live(at) and order.state is OrderState.OPEN:
        status = CheckoutStatus.OPEN
    else:
        status = CheckoutStatus.EXPIRED
    id_ = encode(Prefix.CHECKOUT_SESSION, session.id)
    return CheckoutView(
        id=id_,
        created_at=session.created_at,
        status=status,
        merchant=encode(Prefix.MERCHANT, session.merchant_id),
        order=encode(Prefix.ORDER, session.order_id),
        url=f"/checkout/{id_}",
        return_url=session.return_url,
        tenors=session.tenors,
        merchant_fee_share_ppm=session.merchant_fee_share_ppm,
        expires_at=session.expires_at,
    )
