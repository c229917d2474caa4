"""Cases of day counts and yearly rates."""

from collections.abc import Iterator
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

from wufeng.credit.conformance.model import Case, NotApplicableError
from wufeng.credit.conformance.numbers import common_minor, day, exact, percent_ppm, short_fraction
from wufeng.credit.rates.day_counts import days_between, year_fraction
from wufeng.credit.rates.model import DatedFlow, DayCount, Flow, ReferencePeriod, UnitPeriod
from wufeng.credit.rates.rules import daily_rate, effective_rate, periodic_rate, unit_period_rate
from wufeng.credit.rates.unit_periods import span_between, term_periods_a_year

SCALE = 100_000_000
"""Rates are compared in units of 0.000001 %."""
MOST_PARTS = 400
"""No unit period and no fraction of one has more parts: days of a year."""


CONVENTIONS = {
    "30/360 BOND BASIS": DayCount.THIRTY_360,
    "30/360 US": DayCount.THIRTY_360_US,
    "30E/360": DayCount.THIRTY_E_360,
    "30E/360 ISDA": DayCount.THIRTY_E_360_ISDA,
    "30/365": DayCount.THIRTY_365,
    "ACT/360": DayCount.ACTUAL_360,
    "ACT/365 FIXED": DayCount.ACTUAL_365,
    "ACT/366 FIXED": DayCount.ACTUAL_366,
    "ACT/ACT ISDA": DayCount.ACTUAL_ACTUAL_ISDA,
    "ACT/ACT ICMA": DayCount.ACTUAL_ACTUAL_ICMA,
    "ACT/ACT, a day in the year in which it ends": DayCount.ACTUAL_ACTUAL_BY_END,
}
"""Day counts by the names of the 2006 ISDA definitions, where there is one."""


def day_count_differences(case: Case) -> Iterator[str]:
    """How our count of days, or part of a year, differs."""
    count = CONVENTIONS.get(str(case["convention"]))
    if count is None:
        raise NotApplicableError(f"no day count is called {case['convention']!r}")
    start, end = day(case["start"]), day(case["end"])
    termination = day(case["termination"]) if case.get("termination") else None
    if "days" in case and (days := days_between(start, end, count, termination)) != case["days"]:
        yield f"days: expected {case['days']}, ours {days}"
    if "year_fraction" in case:
        period = case.get("reference_period")
        reference = ReferencePeriod(day(period[0]), day(period[1])) if period else None
        ours = year_fraction(start, end, count, termination=termination, reference=reference)
        if abs(ours - exact(case["year_fraction"])) > exact(case.get("tolerance", "1e-10")):
            yield f"year_fraction: expected {case['year_fraction']}, ours {_decimal(ours, 12)}"
    if "year_fraction_of" in case:
        year = year_fraction(start, end, count, termination=termination)
        if year * case["year_fraction_of"] != days_between(start, end, count, termination):
            yield f"year_fraction_of: expected days / {case['year_fraction_of']}, ours {year}"


def rate_differences(case: Case) -> Iterator[str]:
    """How our yearly rate differs: from the computed one to 0.000001 %, from a published one as it is printed."""
    if "advances" in case:
        yield from _span_differences(case)
        ours = _unit_period_rate(case)
    elif "drawdowns" in case:
        ours = effective_rate(list(_dated_flows(case)), SCALE)
    elif "daily_percent" in case:
        ours = daily_rate(percent_ppm(case["daily_percent"])) * (SCALE // 1_000_000)
        yield from _daily_differences(case)
    else:
        ours = _instalment_rate(case)
        yield from _instalment_differences(case)
    yield from _against(case, ours)


def _against(case: Case, ours: int) -> Iterator[str]:
    if case.get("computed_percent") is not None:
        yield from _compare("computed_percent", case["computed_percent"], ours)
    elif case.get("published_percent") is not None:
        text = str(case["published_percent"])
        if _printed(ours, text) != text:
            yield f"published_percent: expected {text}, ours {_decimal(Fraction(ours, SCALE // 100), 6)}"
    else:
        raise NotApplicableError("the case states no rate")
    if "rounded_one_decimal" in case and (text := _printed(ours, "0.0")) != case["rounded_one_decimal"]:
        yield f"rounded_one_decimal: expected {case['rounded_one_decimal']}, ours {text}"


def _compare(field: str, expected: Any, ours: int) -> Iterator[str]:
    if abs(exact(expected) * (SCALE // 100) - ours) > 1:
        yield f"{field}: expected {expected}, ours {_decimal(Fraction(ours, SCALE // 100), 6)}"


def _printed(rate: int, like: str) -> str:
    """A rate as per cent with as many decimals as another, half up."""
    percent = Decimal(rate) / (SCALE // 100)
    return str(percent.quantize(Decimal(1).scaleb(-len(like.partition(".")[2])), ROUND_HALF_UP))


def _decimal(number: Fraction, places: int) -> str:
    return str(round(Decimal(number.numerator) / number.denominator, places))


def _unit_period_rate(case: Case) -> int:
    rows = [(-1, row) for row in case["advances"]] + [(1, row) for row in case["payments"]]
    amounts = common_minor([row["amount"] for _, row in rows])
    flows = [
        Flow(row["t"] + n, sign * amount, short_fraction(row.get("f", 0), MOST_PARTS))
        for (sign, row), amount in zip(rows, amounts, strict=True)
        for n in range(row.get("count", 1))
    ]
    return unit_period_rate(flows, short_fraction(case["unit_periods_per_year"], MOST_PARTS), SCALE)


def _span_differences(case: Case) -> Iterator[str]:
    """The distance to the first payment, derived from its dates, is the one that the equation uses."""
    dates = case.get("dates")
    if not dates or len(case["advances"]) != 1:
        return
    advance, payment = day(dates["advance"]), day(dates.get("first_payment", dates.get("payment")))
    first = case["payments"][0]
    try:
        unit = UnitPeriod(case["unit_period"])
    except ValueError:
        yield from _term_differences(case, advance, payment)
        return
    span = span_between(advance, payment, unit)
    expected = (first["t"], short_fraction(first.get("f", 0), MOST_PARTS))
    if (span.whole, span.odd) != expected:
        yield f"t, f: expected {expected[0]} and {expected[1]}, ours {span.whole} and {span.odd}"


def _term_differences(case: Case, advance: date, payment: date) -> Iterator[str]:
    ours = term_periods_a_year((payment - advance).days)
    if ours != short_fraction(case["unit_periods_per_year"], MOST_PARTS):
        yield f"unit_periods_per_year: expected {case['unit_periods_per_year']}, ours {ours}"


def _dated_flows(case: Case) -> Iterator[DatedFlow]:
    rows = [(-1, row) for row in case["drawdowns"]] + [(1, row) for row in case["payments"]]
    amounts = common_minor([row["amount"] for _, row in rows])
    for (sign, row), amount in zip(rows, amounts, strict=True):
        for n in range(row.get("count", 1)):
            yield DatedFlow(_years(row, n), sign * amount)


def _years(row: Case, number: int) -> Fraction:
    """When a flow moves; a row that counts several has them a month apart."""
    if "months" in row:
        return (exact(row["months"]) + number) / 12
    return short_fraction(row["years"], MOST_PARTS_OF_YEARS)


MOST_PARTS_OF_YEARS = 36_500
"""Days of a hundred years."""


def _instalments(case: Case) -> tuple[int, list[int]]:
    """Principal and equal payments in a unit so small that both are whole."""
    count = case["instalments"]
    principal = exact(case["principal"])
    payment = principal * (1 + exact(case["total_fee_percent"]) / 100) / count
    unit = principal.denominator * payment.denominator
    return (principal * unit).numerator, [(payment * unit).numerator] * count


def _instalment_rate(case: Case) -> int:
    return periodic_rate(*_instalments(case), scale=SCALE)


def _instalment_differences(case: Case) -> Iterator[str]:
    if case.get("effective_annual_percent") is not None:
        principal, payments = _instalments(case)
        flows = [DatedFlow(Fraction(n, 12), payment) for n, payment in enumerate(payments, 1)]
        ours = effective_rate([DatedFlow(Fraction(0), -principal), *flows], SCALE)
        yield from _compare("effective_annual_percent", case["effective_annual_percent"], ours)


def _daily_differences(case: Case) -> Iterator[str]:
    daily_ppm = percent_ppm(case["daily_percent"])
    if case.get("effective_annual_percent") is not None:
        flows = [DatedFlow(Fraction(0), -1_000_000), DatedFlow(Fraction(1, 365), 1_000_000 + daily_ppm)]
        yield from _compare(
            "effective_annual_percent", case["effective_annual_percent"], effective_rate(flows, SCALE)
        )
    if case.get("on_360_days_percent") is not None:
        ours = daily_ppm * 360 * (SCALE // 1_000_000)
        yield from _compare("on_360_days_percent", case["on_360_days_percent"], ours)
