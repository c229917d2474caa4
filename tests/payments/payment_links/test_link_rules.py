"""Which order somebody with a link pays, and where a link stands."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wufeng.base.errors import Problem
from wufeng.identity.merchants.model import Scene
from wufeng.payments.orders.model import Order, OrderState, OrderTerms
from wufeng.payments.payment_links import rules
from wufeng.payments.payment_links.model import Fate, LinkStatus, PaymentLink, Use

AT = datetime(2026, 9, 3, 4, tzinfo=UTC)
ME, OTHER = UUID(int=1), UUID(int=2)


def link_of(uses_max: int = 1, closed: bool = False, hours: int = 1) -> PaymentLink:
    return PaymentLink(
        id=UUID(int=9), merchant_id=UUID(int=8), amount_minor=1, subject="x", uses_max=uses_max,
        expires_at=AT + timedelta(hours=hours), closed_at=AT if closed else None, created_at=AT,
    )  # fmt: skip


def use(number: int, fate: Fate, person: UUID = OTHER) -> Use:
    return Use(number=number, order_id=UUID(int=100 + number), person_id=person, fate=fate)


@pytest.mark.parametrize(
    ("uses_max", "uses", "wanted"),
    [
        (1, [], 1),
        (1, [use(1, Fate.WAITS, ME)], UUID(int=101)),
        (1, [use(1, Fate.WAITS)], UUID(int=101)),  # shared: whoever pays first
        (1, [use(1, Fate.OVER)], 1),
        (1, [use(1, Fate.OVER, ME)], 1),
        (2, [use(1, Fate.WAITS)], 2),
        (2, [use(1, Fate.PAID, ME)], 2),
        (2, [use(1, Fate.PAID), use(2, Fate.OVER)], 2),
        (3, [use(1, Fate.WAITS), use(2, Fate.WAITS, ME)], UUID(int=102)),  # one's own before a fresh one
        (2, [use(1, Fate.WAITS), use(2, Fate.OVER)], 2),  # one that ended before one that is another's
    ],
)
def test_use_for(uses_max: int, uses: list[Use], wanted: int | UUID) -> None:
    found = rules.use_for(link_of(uses_max), uses, ME)
    assert (found.order_id if isinstance(found, Use) else found) == wanted


FATES = st.sampled_from(list(Fate))


@given(uses_max=st.integers(1, 5), fates=st.lists(FATES, max_size=5), mine=st.integers(0, 5))
def test_a_paid_use_is_never_given_again(uses_max: int, fates: list[Fate], mine: int) -> None:
    uses = [use(n, fate, ME if n == mine else OTHER) for n, fate in enumerate(fates[:uses_max], 1)]
    paid = {one.number for one in uses if one.fate is Fate.PAID}
    if len(paid) == uses_max:
        return
    found = rules.use_for(link_of(uses_max), uses, ME)
    number = found.number if isinstance(found, Use) else found
    assert number not in paid and 1 <= number <= uses_max
    assert not isinstance(found, Use) or found.fate is Fate.WAITS


@pytest.mark.parametrize(
    ("link", "uses", "status"),
    [
        (link_of(), 0, LinkStatus.OPEN),
        (link_of(), 1, LinkStatus.USED_UP),
        (link_of(2), 1, LinkStatus.OPEN),
        (link_of(closed=True), 1, LinkStatus.CLOSED),
        (link_of(hours=0), 0, LinkStatus.EXPIRED),
        (link_of(hours=0), 1, LinkStatus.USED_UP),
    ],
)
def test_status_of(link: PaymentLink, uses: int, status: LinkStatus) -> None:
    assert rules.status_of(link, uses, AT) is status
    assert (rules.problem_if_ended(link, uses, AT) is None) == (status is LinkStatus.OPEN)


def order_of(state: OrderState, payment: bool = False, minutes: int | None = 30) -> Order:
    ends = None if minutes is None else AT + timedelta(minutes=minutes)
    terms = OrderTerms(UUID(int=1), UUID(int=2), "LK-1", 1, "CNY", "x", Scene.RETAIL, expires_at=ends)
    return Order(terms, state, UUID(int=3) if payment else None, None, None, None, None, AT)


@pytest.mark.parametrize(
    ("order", "fate"),
    [
        (order_of(OrderState.OPEN), Fate.WAITS),
        (order_of(OrderState.OPEN, minutes=None), Fate.WAITS),
        (order_of(OrderState.OPEN, payment=True), Fate.PAID),
        (order_of(OrderState.OPEN, payment=True, minutes=0), Fate.PAID),
        (order_of(OrderState.OPEN, minutes=0), Fate.OVER),
        (order_of(OrderState.EXPIRED), Fate.OVER),
        (order_of(OrderState.CLOSED), Fate.OVER),
        (order_of(OrderState.PAID, payment=True), Fate.PAID),
        (order_of(OrderState.SHIPPED, payment=True), Fate.PAID),
    ],
)
def test_fate_of(order: Order, fate: Fate) -> None:
    assert rules.fate_of(order, AT) is fate


@pytest.mark.parametrize(("days", "fits"), [(0, False), (1, True), (90, True), (91, False)])
def test_ends_lie_ahead_and_not_too_far(days: int, fits: bool) -> None:
    if fits:
        assert rules.check_end(AT + timedelta(days=days), AT) == AT + timedelta(days=days)
    else:
        with pytest.raises(Problem):
            rules.check_end(AT + timedelta(days=days), AT)
    assert rules.check_end(None, AT) == AT + timedelta(days=7)
