"""Where a friend's link stands: pure."""

from datetime import datetime, timedelta

from wufeng.base.errors import Code, Problem
from wufeng.payments.friend_links.model import FriendLink, FriendLinkStatus
from wufeng.payments.orders.model import Order, OrderState

LASTS = timedelta(hours=24)
"""How long a friend may take, unless the order ends before."""

_UNPAID = frozenset({OrderState.OPEN, OrderState.EXPIRED, OrderState.CLOSED})


def status_of(link: FriendLink, order: Order, at: datetime) -> FriendLinkStatus:
    """Where a link stands. What was paid is told before all else."""
    if order.state not in _UNPAID:
        return FriendLinkStatus.PAID
    if link.cancelled_at is not None:
        return FriendLinkStatus.CANCELLED
    if order.payment_id is not None:
        return FriendLinkStatus.TAKEN
    if at >= link.expires_at or order.state is not OrderState.OPEN:
        return FriendLinkStatus.EXPIRED
    return FriendLinkStatus.OPEN


def ends_at(order: Order, at: datetime) -> datetime:
    """Until when a new link can be used."""
    ends = at + LASTS
    return ends if order.terms.expires_at is None else min(ends, order.terms.expires_at)


def problem_if_no_friend(order: Order, at: datetime) -> Problem | None:
    """The problem of asking a friend for an order that cannot be paid."""
    expired = order.terms.expires_at is not None and at >= order.terms.expires_at
    if order.payment_id is not None:
        return Problem(Code.ORDER_TAKEN, f"Order {order.terms.order_no} is being paid or has been paid.")
    if expired or order.state is not OrderState.OPEN:
        return Problem(Code.STATE_CONFLICT, f"Order {order.terms.order_no} can no longer be paid.")
    return None


def problem_if_not_cancellable(status: FriendLinkStatus) -> Problem | None:
    """The problem of cancelling a link whose order is paid or being paid. What has ended otherwise stays so."""
    if status in (FriendLinkStatus.PAID, FriendLinkStatus.TAKEN):
        return Problem(Code.STATE_CONFLICT, "Somebody is paying this order, or has paid it.")
    return None
