"""Due dates that belong to a draw: counted from the day on which it became billable, not from days of a month."""

from datetime import date, timedelta

from msgspec import Struct

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


class Dates(Struct, frozen=True, forbid_unknown_fields=True):
    """Due dates of each draw's own.

    first_after   from the draw to its first due date; nothing at all: the first part is due on the day itself
    every         from one due date to the next
    single_after  from the draw to its due date when it is not split; None: as the first of a plan
    lead_days     a bill comes so many days before its due date
    """

    first_after: Every
    every: Every
    single_after: Every | None = None
    lead_days: int = 0

    def of(self, tenor: int) -> "Dates":
        """The dates of a draw in so many instalments."""
        if tenor > 1 or self.single_after is None:
            return self
        return Dates(self.single_after, self.every, None, self.lead_days)

    def due_on(self, start: date, number: int) -> date:
        """The due date of an instalment (0-based) of a draw that became billable on `start`."""
        if self.first_after == self.every:
            return self.every.after(start, number + 1)
        first = self.first_after.after(start)
        return self.every.after(first, number, start.day if self._same_day else None)

    def bill_on(self, start: date, number: int) -> date:
        """The date of the bill of an instalment (0-based): never before the day after `start`."""
        lead = self.due_on(start, number) - timedelta(days=self.lead_days)
        return max(lead, start + timedelta(days=1))

    @property
    def _same_day(self) -> bool:
        """Whether all due dates fall on the draw's own day of the month."""
        return bool(self.first_after.months) and not (self.first_after.weeks or self.first_after.days)
