"""What is decided about checkout sessions: where they may send people, and how one stands."""

from collections.abc import Collection
from datetime import datetime
from urllib.parse import urlencode

from wufeng.base.books import Mode
from wufeng.base.errors import Code, Problem, invalid_field
from wufeng.identity.merchants.origins import read_address
from wufeng.payments.checkout.model import CheckoutSession, CheckoutStatus
from wufeng.payments.orders.model import Order, OrderState

PAID = frozenset({OrderState.PAID, OrderState.SHIPPED, OrderState.RECEIPT_CONFIRMED})


def check_way_back(url: str, pointer: str, mode: Mode, origins: Collection[str]) -> str:
    """An address that a page may send people to, as it was given. Refuses (invalid_field) any other.

    mode     http is for test books
    origins  the merchant's own, if it has said which; then no other may be named
    """
    address = read_address(url)
    if address is None:
        detail = "It must be an absolute address without user name, fragment, spaces and backslashes."
        raise invalid_field(pointer, detail)
    if address.scheme != "https" and mode is Mode.LIVE:
        raise invalid_field(pointer, "It must begin with https://.")
    if origins and address.origin not in origins:
        raise invalid_field(pointer, f"{address.origin} is none of the merchant's return_origins.")
    return url


def status_of(session: CheckoutSession, order: Order, at: datetime) -> CheckoutStatus:
    """How a session stands, by its own end and its order's state: what was paid is complete however it ended."""
    if order.state in PAID:
        return CheckoutStatus.COMPLETE
    if session.cancelled_at is not None:
        return CheckoutStatus.CANCELLED
    if session.is_live(at) and order.state is OrderState.OPEN:
        return CheckoutStatus.OPEN
    return CheckoutStatus.EXPIRED


def problem_if_not_cancellable(session: CheckoutSession, order: Order, at: datetime) -> Problem | None:
    """Whether a person may still say that they do not pay here. Saying so twice is no problem."""
    status = status_of(session, order, at)
    if status is CheckoutStatus.CANCELLED or (status is CheckoutStatus.OPEN and order.payment_id is None):
        return None
    return Problem(
        Code.STATE_CONFLICT, "This page has ended, or its order is being paid: there is nothing to cancel."
    )


def way_back(session: CheckoutSession, checkout: str, status: CheckoutStatus) -> str:
    """Where the page sends people back to: the session's own address, with which checkout it was and how it stands.

    checkout  the session's id, as the merchant knows it
    The two parameters prove nothing, anybody can type them: a merchant asks the API, or waits for the event.
    """
    left = status in (CheckoutStatus.CANCELLED, CheckoutStatus.OPEN)
    url = session.cancel_url if left and session.cancel_url is not None else session.return_url
    told = urlencode({"checkout": checkout, "status": status.value})
    return f"{url}{'&' if '?' in url else '?'}{told}"
