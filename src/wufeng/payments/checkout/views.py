"""Checkout sessions as the border shows them."""

from datetime import datetime

from wufeng.base.ids import Prefix, encode
from wufeng.payments.checkout.model import CheckoutSession, CheckoutView
from wufeng.payments.checkout.rules import status_of
from wufeng.payments.orders.model import Order


def view_session(session: CheckoutSession, order: Order, at: datetime) -> CheckoutView:
    """A session as its merchant reads it. `url` is a path on this installation's own address."""
    id_ = encode(Prefix.CHECKOUT_SESSION, session.id)
    return CheckoutView(
        id=id_,
        created_at=session.created_at,
        status=status_of(session, order, at),
        merchant=encode(Prefix.MERCHANT, session.merchant_id),
        order=encode(Prefix.ORDER, session.order_id),
        url=f"/checkout/{id_}",
        return_url=session.return_url,
        cancel_url=session.cancel_url,
        tenors=session.tenors,
        merchant_fee_share_ppm=session.merchant_fee_share_ppm,
        expires_at=session.expires_at,
    )
