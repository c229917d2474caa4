"""Calendar arithmetic: business dates, bank days, months. Pure: an instant or a date is always an argument.

Business dates belong to a book: its time zone and its cut-off.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import chinese_calendar


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def business_date(at: datetime, time_zone: str, cut_off: time) -> date:
    """The business date of an instant: the local date, or the next one from the cut-off on (00:00 means midnight)."""
    local = at.astimezone(_zone(time_zone))
    past_cut_off = cut_off != time.min and local.time() >= cut_off
    return local.date() + timedelta(days=1) if past_cut_off else local.date()


def start_of_business_date(on: date, time_zone: str, cut_off: time) -> datetime:
    """The first instant of a business date, in UTC: the inverse of `business_date`."""
    first_day = on if cut_off == time.min else on - timedelta(days=1)
    return datetime.combine(first_day, cut_off, _zone(time_zone)).astimezone(UTC)


def is_bank_day(on: date) -> bool:
    """Whether banks in China work on that date: holidays off, weekends off but for exchanged working days.

    Source: State Council notices as kept by the `chinesecalendar` package; a year it does not know has weekends only.
    """
    try:
        return bool(chinese_calendar.is_workday(on))
    except NotImplementedError:
        return on.weekday() < 5


def bank_day_on_or_after(on: date) -> date:
    """The first bank day that is not before `on`."""
    while not is_bank_day(on):
        on += timedelta(days=1)
    return on


def add_months(on: date, months: int, day: int | None = None) -> date:
    """The date `months` later on the same day, or on `day`; a day the month lacks becomes its last day."""
    index = on.year * 12 + on.month - 1 + months
    year, month = divmod(index, 12)
    first_of_next = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    last = (first_of_next - timedelta(days=1)).day
    return date(year, month + 1, min(day or on.day, last))
