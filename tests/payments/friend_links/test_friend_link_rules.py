"""Where a friend's link stands."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from wufeng.base.errors import Code
from wufeng.identity.merchants.model import Scene
from wufeng.payments.friend_links import rules
from wufeng.payments.friend_links.model import FriendLink, FriendLinkStatus
from wufeng.payments.orders.model import Order, OrderState, OrderTerms

AT = datetime(2026, 9, 3, 4, tzinfo=UTC)
S = FriendLinkStatus


def order_of(state: OrderState, payment: bool = False, minutes: int | None = 30) -> Order:
    ends = None if minutes is None else AT + timedelta(minutes=minutes)
    terms = OrderTerms(UUID(int=1), UUID(int=2), "A-1", 1, "CNY", "x", Scene.RETAIL, expires_at=ends)
    return Order(terms, state, UUID(int=3) if payment else None, None, None, None, None, AT)


@pytest.mark.parametrize(
    ("order", "cancelled", "ended", "status"),
    [
        (order_of(OrderState.OPEN), False, False, S.OPEN),
        (order_of(OrderState.OPEN, payment=True), False, False, S.TAKEN),
        (order_of(OrderState.OPEN, payment=True), False, True, S.TAKEN),  # what is being paid is not over
        (order_of(OrderState.PAID, payment=True), False, True, S.PAID),
        (order_of(OrderState.PAID, payment=True), True, False, S.PAID),  # by whom is another matter
        (order_of(OrderState.OPEN), True, True, S.CANCELLED),
        (order_of(OrderState.OPEN), False, True, S.EXPIRED),
        (order_of(OrderState.CLOSED), False, False, S.EXPIRED),
        (order_of(OrderState.EXPIRED), False, False, S.EXPIRED),
    ],
)
def test_status_of(order: Order, cancelled: bool, ended: bool, status: FriendLinkStatus) -> None:
    ends = AT if ended else AT + timedelta(hours=1)
    link = FriendLink(
        id=UUID(int=5), order_id=order.terms.id, asker_id=UUID(int=6), expires_at=ends,
        cancelled_at=AT if cancelled else None, created_at=AT,
    )  # fmt: skip
    assert rules.status_of(link, order, AT) is status
    refused = rules.problem_if_not_cancellable(status)
    assert (refused is not None) == (status in (S.TAKEN, S.PAID))


@pytest.mark.parametrize(
    ("order", "code"),
    [
        (order_of(OrderState.OPEN), None),
        (order_of(OrderState.OPEN, minutes=None), None),
        (order_of(OrderState.OPEN, minutes=0), Code.STATE_CONFLICT),
        (order_of(OrderState.OPEN, payment=True), Code.ORDER_TAKEN),
        (order_of(OrderState.PAID, payment=True), Code.ORDER_TAKEN),
        (order_of(OrderState.CLOSED), Code.STATE_CONFLICT),
        (order_of(OrderState.EXPIRED), Code.STATE_CONFLICT),
    ],
)
def test_nobody_is_asked_for_what_cannot_be_paid(order: Order, code: Code | None) -> None:
    problem = rules.problem_if_no_friend(order, AT)
    assert (problem.code if problem else None) is code


def test_a_link_ends_with_its_order_or_after_a_day() -> None:
    assert rules.ends_at(order_of(OrderState.OPEN), AT) == AT + timedelta(minutes=30)
    assert rules.ends_at(order_of(OrderState.OPEN, minutes=None), AT) == AT + timedelta(hours=24)
    assert rules.ends_at(order_of(OrderState.OPEN, minutes=10_000), AT) == AT + timedelta(hours=24)
