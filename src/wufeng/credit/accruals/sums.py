"""What events do to the interest that a product's lines have earned and no bill holds yet: pure sums of differences.

An account with nothing due is never looked at: the sum at the end of a date is what the events up to it have moved it
by, each by an amount at its own date and by so much a day from then on.
"""

from collections.abc import Iterable
from datetime import date

from msgspec import Struct

from wufeng.credit.accruals.model import MICRO
from wufeng.credit.accruals.rules import Bearing, accrued_micro, daily_micro, interest_to_bill


class Delta(Struct, frozen=True):
    """By how much a sum moves: at the end of a date, and for each day after it. Millionths of the minor unit."""

    micro: int = 0
    daily_micro: int = 0

    def plus(self, other: "Delta") -> "Delta":
        """Both together."""
        return Delta(self.micro + other.micro, self.daily_micro + other.daily_micro)

    def minus(self, other: "Delta") -> "Delta":
        """From the other to this one."""
        return Delta(self.micro - other.micro, self.daily_micro - other.daily_micro)


NONE = Delta()


def unbilled(one: Bearing, on: date) -> Delta:
    """What a draw or bill has earned by the end of a date and was not billed, and what it earns a day from then on.

    One whose interest is capped is not in the sum: it does not grow by the day. One that bears nothing any more, with
    less than a minor unit left to bill, is done.
    """
    if (not one.daily_ppm and not one.segments) or one.most_minor is not None:
        return NONE
    if one.bearing_minor <= 0 and interest_to_bill(one, on) == 0:
        return NONE
    micro = accrued_micro(one, on) - one.interest_billed_minor * MICRO
    return Delta(micro, daily_micro(one))


def of_all(ones: Iterable[Bearing], on: date) -> Delta:
    """The sum of some draws and bills."""
    total = NONE
    for one in ones:
        total = total.plus(unbilled(one, on))
    return total
