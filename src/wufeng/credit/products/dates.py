"""Due dates that belong to a draw: counted from the day on which it became billable, not from days of a month."""

from datetime import date, timedelta
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from wufeng.base.calendar import add_months


class Every(Struct, frozen=True, forbid_unknown_fields=True):
    """A distance between dates: months, weeks and days, of which one or more are given."""

    months: int = 0
    weeks: int = 0
    days: int = 0

    def after(self, on: date, times: int = 1, day: int | None = None) -> date:
        """The date so many distances later. Months keep the day of `on`, or `day`; a day they lack becomes their last.

        Bought on 31 January in 3 parts: 28 or 29 February, 31 March, 30 April (PRODUCTS.md, B2).
        """
        later = add_months(on, self.months * times, day) if self.months else on
        return later + timedelta(days=(7 * self.weeks + self.days) * times)

    @property
    def is_positive(self) -> bool:
        """Whether it leads to a later date."""
        return min(self.months, self.weeks, self.days) >= 0 and self.months + self.weeks + self.days > 0


class Stub(StrEnum):
    """What is paid for a first period that is longer or shorter than the others, where interest runs by the year."""

    IN_PAYMENTS = "in_payments"  # the equal payment is found with it
    INTEREST_ONLY = "interest_only"  # a part of its interest alone, and the instalments after it


DOWN_PAYMENT_DAYS = 1
"""A down payment is due on the day after the draw: the first on which there can be a bill of it."""


class Dates(Struct, frozen=True, forbid_unknown_fields=True):
    """Due dates of each draw's own.

    first_after   from the draw to its first due date; nothing at all: the first part is due on the day itself
    every         from one due date to the next
    single_after  from the draw to its due date when it is not split; None: as the first of a plan
    lead_days     a bill comes so many days before its due date
    down_payment_ppm  of the amount, a part of a plan before all others, due the day after the draw; 0: there is none
    stub          of a first period that is no regular one
    """

    first_after: Every
    every: Every
    single_after: Every | None = None
    lead_days: int = 0
    down_payment_ppm: int = 0
    stub: Stub = Stub.IN_PAYMENTS

    def of(self, tenor: int) -> "Dates":
        """The dates of a draw in so many parts: one that is not split has no down payment."""
        if tenor > 1:
            return self
        first_after = self.single_after or self.first_after
        return Dates(first_after, self.every, None, self.lead_days)

    @property
    def beside_down_payment(self) -> "Dates":
        """The dates of the parts that come after a down payment."""
        return replace(self, down_payment_ppm=0) if self.down_payment_ppm else self

    @property
    def has_stub(self) -> bool:
        """Whether the first period is longer or shorter than the others."""
        return self.first_after.is_positive and self.first_after != self.every

    def due_on(self, start: date, number: int) -> date:
        """The due date of a part (0-based) of a draw that became billable on `start`."""
        if self.down_payment_ppm:
            if number == 0:
                return start + timedelta(days=DOWN_PAYMENT_DAYS)
            return self.beside_down_payment.due_on(start, number - 1)
        if self.first_after == self.every:
            return self.every.after(start, number + 1)
        first = self.first_after.after(start)
        return self.every.after(first, number, start.day if self._same_day else None)

    def bill_on(self, start: date, number: int) -> date:
        """The date of the bill of a part (0-based): never before the day after `start`."""
        lead = self.due_on(start, number) - timedelta(days=self.lead_days)
        return max(lead, start + timedelta(days=1))

    @property
    def _same_day(self) -> bool:
        """Whether all due dates fall on the draw's own day of the month."""
        return bool(self.first_after.months) and not (self.first_after.weeks or self.first_after.days)
