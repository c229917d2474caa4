"""Which order somebody with a link pays, and where a link stands: pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from wufeng.base.errors import Code, Problem, invalid_field
from wufeng.payments.orders.model import Order, OrderState
from wufeng.payments.payment_links.model import Fate, LinkStatus, PaymentLink, Use

LASTS = timedelta(days=7)
"""How long a link can be paid when its merchant does not say."""

LASTS_MAX = timedelta(days=90)
USES_MAX = 100
_UNPAID = frozenset({OrderState.OPEN, OrderState.EXPIRED, OrderState.CLOSED})


def fate_of(order: Order, at: datetime) -> Fate:
    """What became of an order at an instant. What is over never comes back: its terms do not change."""
    if order.payment_id is not None or order.state not in _UNPAID:
        return Fate.PAID
    ended = order.terms.expires_at is not None and at >= order.terms.expires_at
    return Fate.OVER if ended or order.state is not OrderState.OPEN else Fate.WAITS


def status_of(link: PaymentLink, uses: int, at: datetime) -> LinkStatus:
    """Where a link stands.

    uses  how many orders of it are paid
    """
    if link.closed_at is not None:
        return LinkStatus.CLOSED
    if uses >= link.uses_max:
        return LinkStatus.USED_UP
    return LinkStatus.EXPIRED if at >= link.expires_at else LinkStatus.OPEN


def problem_if_ended(link: PaymentLink, uses: int, at: datetime) -> Problem | None:
    """The problem of using a link that has ended."""
    status = status_of(link, uses, at)
    if status is LinkStatus.OPEN:
        return None
    return Problem(Code.STATE_CONFLICT, f"This link is {status.value.replace('_', ' ')}.")


def check_end(expires_at: datetime | None, at: datetime) -> datetime:
    """Until when a new link can be paid. Refuses (raises) what has passed, and what lies further than 90 days."""
    if expires_at is None:
        return at + LASTS
    if not at < expires_at <= at + LASTS_MAX:
        raise invalid_field("/expires_at", f"It must lie within the next {LASTS_MAX.days} days.")
    return expires_at


def use_for(link: PaymentLink, uses: Sequence[Use], person_id: UUID) -> Use | int:
    """The use whose order a person pays, or the number of the use that gets a new order.

    In this order: their own order that still waits; a use that nobody has had; one whose order ended unpaid; an order
    that somebody else has not paid yet: whoever pays it first has it, the other is told (order_taken). Asserts that
    the link is not used up.
    """
    own = next((use for use in uses if use.person_id == person_id and use.fate is Fate.WAITS), None)
    if own is not None:
        return own
    if len(uses) < link.uses_max:
        return len(uses) + 1
    over = next((use.number for use in uses if use.fate is Fate.OVER), None)
    if over is not None:
        return over
    return next(use for use in uses if use.fate is Fate.WAITS)
