"""How a sum of earned interest runs on, by rows of its dates: what a slow loop over the days finds, day for day."""

from datetime import date, timedelta
from fractions import Fraction
from types import SimpleNamespace
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from wufeng.credit.accruals.model import MICRO, Segment
from wufeng.credit.accruals.sums import NONE, Course, Delta, as_of, change, evenly, together, unbilled
from wufeng.credit.debts.earning import billed_interest, earned, earned_of_draw
from wufeng.credit.draws.model import Draw, DrawStatus
from wufeng.credit.lines.model import Line
from wufeng.credit.products.model import Cycle, Pieces, Rounding
from wufeng.credit.repayments.model import Debt
from wufeng.credit.repayments.rules import running_period

START = date(2026, 9, 3)
DAYS = 120
ONE_DAY = timedelta(days=1)


def value(course: Course, on: date) -> int:
    """Where a course stands at the end of a date, in millionths: each row's amount and its days since."""
    return sum(
        row.micro + row.daily_micro * (on - since).days for since, row in course.items() if since <= on
    )


def bearing(balance: int, ppm: int, least: int, most: int | None, ended: tuple[Segment, ...]) -> object:
    """A bill, as far as it bears interest."""
    return SimpleNamespace(
        bearing_minor=balance,
        daily_ppm=ppm,
        least_minor=least,
        most_minor=most,
        accrued_on=START,
        segments=ended,
        interest_billed_minor=0,
        rounding=Rounding.HALF_EVEN,
        pieces=Pieces.ADDED,
    )


@given(
    balance=st.integers(1, 10**7),
    ppm=st.integers(1, 2_000),
    least=st.sampled_from([0, 0, 30]),
    most=st.none() | st.integers(0, 60_000),
    before=st.integers(0, 40),
    asked=st.integers(0, DAYS),
)
@example(balance=1, ppm=1, least=0, most=60_000, before=0, asked=0)  # its cap is beyond the calendar
def test_a_capped_bill_grows_by_the_day_until_its_cap(
    balance: int, ppm: int, least: int, most: int | None, before: int, asked: int
) -> None:
    ended = (Segment(START - before * ONE_DAY, START, 12_345, ppm),) if before else ()
    one = bearing(balance, ppm, least, most, ended)
    course = unbilled(one, START + asked * ONE_DAY)  # type: ignore[arg-type]
    earned_minor = Fraction(12_345 * ppm * before, MICRO)
    for day in range(DAYS + 1):
        if day:
            earned_minor += max(Fraction(balance * ppm, MICRO), least)
        found = earned_minor if most is None else min(earned_minor, Fraction(most))
        if day >= asked:
            assert Fraction(value(course, START + day * ONE_DAY), MICRO) == found, day


@given(
    interest=st.integers(0, 10**6),
    starts=st.integers(0, 20),
    days=st.integers(0, 60),
    asked=st.integers(0, DAYS),
)
def test_a_period_is_earned_evenly_and_whole_with_its_last_day(
    interest: int, starts: int, days: int, asked: int
) -> None:
    since = START + starts * ONE_DAY
    until = since + days * ONE_DAY
    course = evenly(interest, since, until, START + asked * ONE_DAY)
    for day in range(asked, DAYS):
        past = min(days, max(0, day - starts))
        exact = Fraction(interest * past, days) if days else Fraction(interest if day >= starts else 0)
        lacks = exact - Fraction(value(course, START + day * ONE_DAY), MICRO)
        assert 0 <= lacks < Fraction(max(1, days), MICRO)
        assert past < days or lacks == 0


courses = st.dictionaries(
    st.integers(0, 30).map(lambda day: START + day * ONE_DAY),
    st.builds(Delta, st.integers(-9, 9), st.integers(-9, 9), st.integers(-9, 9)),
    max_size=4,
)


@given(one=courses, other=courses, day=st.integers(0, 40))
def test_courses_add_up_and_lead_from_one_to_the_other(one: Course, other: Course, day: int) -> None:
    on = START + day * ONE_DAY
    assert value(together((one, other)), on) == value(one, on) + value(other, on)
    assert together((one, change(one, other))) == together((other,))
    for later in range(day, 45):
        later_on = START + later * ONE_DAY
        assert value(as_of(one, on), later_on) == value(one, later_on)
    assert sum(row.billed_minor for row in as_of(one, on).values()) == sum(
        row.billed_minor for row in one.values()
    )


CYCLE = Cycle(1, 10)


def line(next_bill_on: date | None = date(2026, 10, 1)) -> Line:
    """A line with bills on the 1st, due on the 10th."""
    return SimpleNamespace(  # type: ignore[return-value]
        cycle=CYCLE, next_bill_on=next_bill_on, product="monthly_bill", product_version=1
    )


def plan(**more: object) -> Draw:
    """A plan in three parts by a yearly rate, bought on the 3rd of September."""
    fields: dict[str, object] = {
        "id": UUID(int=1),
        "line_id": UUID(int=2),
        "payment_id": UUID(int=3),
        "merchant_id": UUID(int=4),
        "amount_minor": 90_000,
        "tenor": 3,
        "merchant_share_ppm": 0,
        "product_version": 1,
        "lenders": (),
        "status": DrawStatus.POSTED,
        "principal_parts": (30_000, 30_000, 30_000),
        "interest_parts": (900, 600, 300),
        "unbilled_minor": 90_000,
        "posted_on": START,
        "billable_on": START,
    }
    return Draw(**{**fields, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("draw", "next_bill_on", "period"),
    [
        (plan(), date(2026, 10, 1), (START, date(2026, 10, 10))),
        (plan(billed_parts=1), date(2026, 11, 1), (date(2026, 10, 10), date(2026, 11, 10))),
        (plan(billed_parts=1), None, None),
        (
            plan(billed_parts=1, due_dates=(date(2026, 10, 3), date(2026, 11, 3), date(2026, 12, 3))),
            None,
            (date(2026, 10, 3), date(2026, 11, 3)),
        ),
    ],
)
def test_a_part_earns_between_its_due_dates(
    draw: Draw, next_bill_on: date | None, period: tuple[date, date] | None
) -> None:
    assert running_period(draw, line().cycle, next_bill_on) == period


def test_what_plans_earn() -> None:
    first = earned_of_draw(plan(), line(), START)
    assert value(first, date(2026, 9, 21)) == 18 * (900 * MICRO // 37)
    assert value(first, date(2026, 10, 9)) == 36 * (900 * MICRO // 37)
    assert value(first, date(2026, 10, 10)) == value(first, date(2027, 1, 1)) == 900 * MICRO
    billed = plan(billed_parts=1, unbilled_minor=60_000)
    second = earned_of_draw(billed, line(date(2026, 11, 1)), date(2026, 10, 1))
    assert value(second, date(2026, 10, 10)) == 0, "billed ahead of its due date, so nothing runs until then"
    assert value(second, date(2026, 10, 11)) == 600 * MICRO // 31
    assert earned_of_draw(plan(billable_on=None), line(), START) == {}, "its goods have not come"
    paid = plan(unbilled_minor=0, prepaid_minor=90_000, interest_parts=(450, 0, 0))
    assert earned_of_draw(paid, line(), START) == {START: Delta(450 * MICRO)}, (
        "nothing is to come but what was earned"
    )


def test_what_was_billed_is_counted_by_the_rows() -> None:
    draw = plan(billed_parts=1, interest_billed_minor=7)
    debt = Debt(line(), (), (draw,))
    assert billed_interest(debt) == 907
    on = date(2026, 10, 1)
    before = earned(Debt(line(), (), (plan(),)), on)
    after = earned(Debt(line(date(2026, 11, 1)), (), (replace(draw, interest_billed_minor=0),)), on)
    moved = change(before, after)
    assert sum(row.billed_minor for row in moved.values()) == 900
    assert moved.get(on, NONE).micro == -28 * (900 * MICRO // 37)
