"""What events do to the interest that a product's lines have earned and no bill holds yet: pure sums of differences.

An account with nothing due is never looked at: the sum at the end of a date is what the rows up to it have moved it by,
each by an amount at its own date and by so much a day from then on. What ends by itself on a day that is known (a cap
that is reached, a period of a plan) is a row of that day already now, so no close has to look for it.
"""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from msgspec import Struct

from wufeng.credit.accruals.model import MICRO
from wufeng.credit.accruals.rules import Bearing, accrued_micro, daily_micro, interest_to_bill


class Delta(Struct, frozen=True):
    """By how much a sum moves: at the end of a date, and for each day after it. Millionths of the minor unit.

    billed_minor  of that what became billed: a count of its own, which is compared with what the ledger has as income
    """

    micro: int = 0
    daily_micro: int = 0
    billed_minor: int = 0

    def plus(self, other: "Delta") -> "Delta":
        """Both together."""
        return Delta(
            self.micro + other.micro,
            self.daily_micro + other.daily_micro,
            self.billed_minor + other.billed_minor,
        )

    def minus(self, other: "Delta") -> "Delta":
        """From the other to this one."""
        return Delta(
            self.micro - other.micro,
            self.daily_micro - other.daily_micro,
            self.billed_minor - other.billed_minor,
        )


NONE = Delta()

Course = Mapping[date, Delta]
"""How a sum runs on from a date: that date's row, and those of later dates on which something begins or ends."""


def together(courses: Iterable[Course]) -> dict[date, Delta]:
    """Several courses as one; what adds up to nothing is left out."""
    sums: dict[date, Delta] = {}
    for course in courses:
        for on, delta in course.items():
            sums[on] = sums.get(on, NONE).plus(delta)
    return {on: delta for on, delta in sums.items() if delta != NONE}


def change(before: Course, after: Course) -> dict[date, Delta]:
    """What leads from one course to another."""
    return together((after, {on: NONE.minus(delta) for on, delta in before.items()}))


def as_of(course: Course, on: date) -> dict[date, Delta]:
    """A course from a later date on: what came before it stands in that date's row."""
    past = NONE
    for row_on, delta in course.items():
        if row_on <= on:
            days = (on - row_on).days
            past = past.plus(
                Delta(delta.micro + delta.daily_micro * days, delta.daily_micro, delta.billed_minor)
            )
    return together(({on: past}, {row_on: delta for row_on, delta in course.items() if row_on > on}))


def unbilled(one: Bearing, on: date) -> Course:
    """What a draw or bill has earned by the end of a date and was not billed, and how that goes on.

    One whose interest is capped runs straight on to the day on which it meets the cap. One that bears nothing any more,
    with less than a minor unit left to bill, is done.
    """
    if not one.daily_ppm and not one.segments:
        return {}
    if one.bearing_minor <= 0 and interest_to_bill(one, on) == 0:
        return {}
    micro = accrued_micro(one, on) - one.interest_billed_minor * MICRO
    if one.most_minor is None or not daily_micro(one):
        return {on: Delta(micro, daily_micro(one))}
    return _up_to_cap(micro, one.most_minor * MICRO - accrued_micro(one, on), daily_micro(one), on)


def _up_to_cap(micro: int, room_micro: int, a_day_micro: int, on: date) -> Course:
    """A straight line from a date on that ends on the day on which the room below its cap is used up.

    A day beyond the calendar never comes, so it has no row.
    """
    days = -(-room_micro // a_day_micro)
    if days <= 0:
        return {on: Delta(micro)}
    if days > (date.max - on).days:
        return {on: Delta(micro, a_day_micro)}
    return {
        on: Delta(micro, a_day_micro),
        on + timedelta(days=days): Delta(room_micro - a_day_micro * days, -a_day_micro),
    }


def evenly(interest_minor: int, since_on: date, until_on: date, on: date) -> Course:
    """Interest of a period that is earned evenly over its days, from a date on: whole millionths a day, the odd ones
    with the last day. What a period earns before it has begun is nothing, after it all.
    """
    whole, days = interest_minor * MICRO, (until_on - since_on).days
    if on >= until_on or days <= 0:
        return {max(on, until_on): Delta(whole)}
    a_day_micro = whole // days
    past = max(0, (on - since_on).days)
    return together(
        (
            {max(on, since_on): Delta(a_day_micro * past, a_day_micro)},
            {until_on: Delta(whole - a_day_micro * days, -a_day_micro)},
        )
    )
