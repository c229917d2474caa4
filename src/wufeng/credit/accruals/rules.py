"""What bears interest, and how it ends a stretch: one closed form for draws before their bill and bills after it.

Source: DESIGN.md decision 5: billed = round(accrued since the start) − billed before. Rounding each time and dropping
the rest would lose it.
"""

from datetime import date
from typing import Protocol

from wufeng.credit.accruals.model import MICRO, Segment, micro_of, round_micro
from wufeng.credit.products.model import Pieces, Rounding


class Bearing(Protocol):
    """A draw or a bill, as far as it bears interest."""

    @property
    def bearing_minor(self) -> int:
        """The balance that bears it now."""

    @property
    def daily_ppm(self) -> int:
        """The rate of a day; 0: it bears none."""

    @property
    def least_minor(self) -> int:
        """The least interest of a day, whatever the rate gives."""

    @property
    def most_minor(self) -> int | None:
        """No more interest than this in all; None: no such cap."""

    @property
    def accrued_on(self) -> date:
        """The date on which the running stretch began."""

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The stretches that are over."""

    @property
    def interest_billed_minor(self) -> int:
        """What was billed of all of it."""

    @property
    def rounding(self) -> Rounding:
        """How it is rounded when it is billed."""

    @property
    def pieces(self) -> Pieces:
        """Whether each stretch is rounded when it ends, or all of them together."""


def daily_micro(one: Bearing) -> int:
    """What it earns a day from now on, in millionths."""
    return micro_of(one.bearing_minor, one.daily_ppm, one.least_minor) if one.daily_ppm else 0


def accrued_micro(one: Bearing, on: date) -> int:
    """All the interest it has earned by the end of a date, in millionths: exact, but for stretches that were rounded
    when they ended.
    """
    micro = _ended_micro(one) + _running_micro(one, on)
    return micro if one.most_minor is None else min(micro, one.most_minor * MICRO)


def _ended_micro(one: Bearing) -> int:
    if one.pieces is Pieces.ADDED:
        return sum(segment.interest_micro for segment in one.segments)
    return sum(round_micro(segment.interest_micro, one.rounding) for segment in one.segments) * MICRO


def _running_micro(one: Bearing, on: date) -> int:
    return daily_micro(one) * max(0, (on - one.accrued_on).days) if one.daily_ppm else 0


def _accrued_minor(one: Bearing, on: date) -> int:
    """The same in minor units, as if the running stretch ended on the date."""
    if one.pieces is Pieces.ADDED:
        return round_micro(accrued_micro(one, on), one.rounding)
    minor = _ended_micro(one) // MICRO + round_micro(_running_micro(one, on), one.rounding)
    return minor if one.most_minor is None else min(minor, one.most_minor)


def interest_to_bill(one: Bearing, on: date) -> int:
    """The interest it has earned by the end of a date and that was not billed yet, in minor units; never negative."""
    if not one.daily_ppm and not one.segments:
        return 0
    return max(0, _accrued_minor(one, on) - one.interest_billed_minor)


def ended(one: Bearing, on: date) -> tuple[date, tuple[Segment, ...]] | None:
    """The start of the next stretch and all that are over, if the running one ends at a date; None: nothing to end."""
    if not one.daily_ppm or on <= one.accrued_on:
        return None
    if one.bearing_minor <= 0:
        return on, one.segments
    last = Segment(one.accrued_on, on, one.bearing_minor, one.daily_ppm, one.least_minor)
    return on, (*one.segments, last)
