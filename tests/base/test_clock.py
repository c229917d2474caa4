"""Time of a book: business dates over cut-offs and changed clocks, bank days, months that lack a day."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wufeng.base.calendar import (
    add_months,
    bank_day_on_or_after,
    business_date,
    is_bank_day,
    start_of_business_date,
)
from wufeng.base.clock import FixedClock, SystemClock

SHANGHAI, NEW_YORK, LORD_HOWE, UTC_ZONE = "Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "UTC"
MIDNIGHT = time(0)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "zone", "cut_off", "on"),
    [
        ("2026-09-03T15:59:59.999999", SHANGHAI, MIDNIGHT, date(2026, 9, 3)),
        ("2026-09-03T16:00:00", SHANGHAI, MIDNIGHT, date(2026, 9, 4)),  # midnight in Shanghai
        ("2026-09-03T14:59:59.999999", SHANGHAI, time(23), date(2026, 9, 3)),
        ("2026-09-03T15:00:00", SHANGHAI, time(23), date(2026, 9, 4)),  # the cut-off itself is the next day
        ("2026-09-03T16:00:00", SHANGHAI, time(23), date(2026, 9, 4)),  # and midnight changes nothing
        ("2026-12-31T15:00:00", SHANGHAI, time(23), date(2027, 1, 1)),
        ("2024-02-28T16:00:00", SHANGHAI, MIDNIGHT, date(2024, 2, 29)),
        # New York: clocks go on from 02:00 to 03:00 on 8 March 2026, back from 02:00 to 01:00 on 1 November.
        ("2026-03-08T04:59:59", NEW_YORK, MIDNIGHT, date(2026, 3, 7)),
        ("2026-03-08T05:00:00", NEW_YORK, MIDNIGHT, date(2026, 3, 8)),
        ("2026-03-09T03:59:59", NEW_YORK, MIDNIGHT, date(2026, 3, 8)),  # a day of 23 hours
        ("2026-03-09T04:00:00", NEW_YORK, MIDNIGHT, date(2026, 3, 9)),
        ("2026-11-01T04:00:00", NEW_YORK, MIDNIGHT, date(2026, 11, 1)),
        ("2026-11-02T04:59:59", NEW_YORK, MIDNIGHT, date(2026, 11, 1)),  # a day of 25 hours
        ("2026-11-02T05:00:00", NEW_YORK, MIDNIGHT, date(2026, 11, 2)),
        # Lord Howe changes its clock by half an hour.
        ("2026-10-03T13:29:59", LORD_HOWE, MIDNIGHT, date(2026, 10, 3)),
        ("2026-10-03T13:30:00", LORD_HOWE, MIDNIGHT, date(2026, 10, 4)),
        ("2026-10-04T13:00:00", LORD_HOWE, MIDNIGHT, date(2026, 10, 5)),
    ],
)
def test_business_dates(at: str, zone: str, cut_off: time, on: date) -> None:
    assert business_date(utc(at), zone, cut_off) == on


ZONES = st.sampled_from([SHANGHAI, NEW_YORK, LORD_HOWE, UTC_ZONE, "Pacific/Apia", "Asia/Kathmandu"])
CUT_OFFS = st.sampled_from([MIDNIGHT, time(4), time(16), time(23), time(23, 30)])  # none in a changed hour
DATES = st.dates(date(2012, 1, 1), date(2036, 1, 1))


@given(DATES, ZONES, CUT_OFFS)
def test_a_business_date_begins_at_its_first_instant(on: date, zone: str, cut_off: time) -> None:
    first = start_of_business_date(on, zone, cut_off)
    assert business_date(first, zone, cut_off) == on
    assert business_date(first - timedelta(microseconds=1), zone, cut_off) < on


@given(st.integers(0, 24 * 365 * 86_400), st.timedeltas(timedelta(0), timedelta(3)), ZONES, CUT_OFFS)
def test_business_dates_never_go_back(second: int, later: timedelta, zone: str, cut_off: time) -> None:
    at = utc("2012-01-01T00:00:00") + timedelta(seconds=second)
    assert business_date(at, zone, cut_off) <= business_date(at + later, zone, cut_off)


@pytest.mark.parametrize(
    ("on", "months", "day", "expected"),
    [
        (date(2026, 1, 31), 1, None, date(2026, 2, 28)),
        (date(2024, 1, 31), 1, None, date(2024, 2, 29)),
        (date(2026, 1, 31), 2, None, date(2026, 3, 31)),  # not by way of February
        (date(2026, 2, 28), 1, None, date(2026, 3, 28)),
        (date(2026, 2, 28), 1, 31, date(2026, 3, 31)),  # on the day that was agreed
        (date(2026, 8, 31), 1, None, date(2026, 9, 30)),
        (date(2026, 9, 3), 1, 10, date(2026, 10, 10)),
        (date(2026, 11, 15), 1, None, date(2026, 12, 15)),
        (date(2026, 12, 15), 1, None, date(2027, 1, 15)),
        (date(2026, 12, 31), 2, None, date(2027, 2, 28)),
        (date(2026, 3, 31), -1, None, date(2026, 2, 28)),
        (date(2026, 1, 15), -1, None, date(2025, 12, 15)),
        (date(2026, 1, 31), 0, None, date(2026, 1, 31)),
        (date(2026, 1, 31), 0, 1, date(2026, 1, 1)),
        (date(2024, 2, 29), 12, None, date(2025, 2, 28)),
        (date(2024, 2, 29), 48, None, date(2028, 2, 29)),
        (date(2026, 1, 31), 25, None, date(2028, 2, 29)),
    ],
)
def test_months_later(on: date, months: int, day: int | None, expected: date) -> None:
    assert add_months(on, months, day) == expected


@given(DATES, st.integers(-60, 60), st.one_of(st.none(), st.integers(1, 31)))
def test_months_move_the_month_and_keep_the_day_if_there_is_one(
    on: date, months: int, day: int | None
) -> None:
    later = add_months(on, months, day)
    assert (later.year - on.year) * 12 + later.month - on.month == months
    assert later.day == (day or on.day) or (later + timedelta(days=1)).day == 1


@pytest.mark.parametrize(
    ("on", "works"),
    [
        (date(2025, 1, 28), False),  # Spring Festival
        (date(2025, 1, 26), True),  # a Sunday, exchanged for it
        (date(2025, 10, 1), False),
        (date(2025, 10, 8), False),
        (date(2025, 10, 9), True),
        (date(2025, 10, 11), True),  # a Saturday, exchanged
        (date(2025, 9, 6), False),  # any Saturday
        (date(2025, 9, 8), True),
        (date(1999, 10, 1), True),  # a year that nobody has told us of: a Friday
        (date(1999, 10, 2), False),
    ],
)
def test_bank_days(on: date, works: bool) -> None:
    assert is_bank_day(on) is works


def test_the_next_bank_day() -> None:
    assert bank_day_on_or_after(date(2025, 10, 1)) == date(2025, 10, 9)
    assert bank_day_on_or_after(date(2025, 10, 9)) == date(2025, 10, 9)
    assert bank_day_on_or_after(date(2025, 9, 6)) == date(2025, 9, 8)


def test_a_fixed_clock_stands_until_it_is_turned_forward() -> None:
    clock = FixedClock(datetime.fromisoformat("2026-09-03T12:00:00+08:00"))
    assert clock.now() == utc("2026-09-03T04:00:00") and clock.now().tzinfo is UTC
    clock.turn_to(utc("2026-09-04T00:00:00"))
    assert clock.now() == utc("2026-09-04T00:00:00")
    with pytest.raises(AssertionError, match="only turned forward"):
        clock.turn_to(utc("2026-09-03T23:59:59"))


def test_the_system_clock_is_aware_and_in_utc() -> None:
    assert SystemClock().now().tzinfo is UTC
