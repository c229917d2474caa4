"""Numbers of case files, read exactly."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from wufeng.credit.conformance.model import NotApplicableError


def exact(number: Any) -> Fraction:
    """A number or a decimal text as a fraction."""
    if isinstance(number, bool) or not isinstance(number, int | str | Decimal):
        raise NotApplicableError(f"{number!r} is not a number")
    try:
        return Fraction(number)
    except ValueError:
        raise NotApplicableError(f"{number!r} is not a number") from None


def minor(number: Any, places: int = 2) -> int:
    """An amount in major units as minor units; it must have no more decimals."""
    scaled = exact(number) * 10**places
    if scaled.denominator != 1:
        raise NotApplicableError(f"{number} has more than {places} decimal places")
    return int(scaled)


def common_minor(numbers: Sequence[Any]) -> list[int]:
    """Amounts as whole numbers of one unit, however small: rates do not depend on it."""
    fractions = [exact(number) for number in numbers]
    unit = max((fraction.denominator for fraction in fractions), default=1)
    while any((fraction * unit).denominator != 1 for fraction in fractions):
        unit *= 10
    return [(fraction * unit).numerator for fraction in fractions]


def day(text: Any) -> date:
    """An ISO date."""
    try:
        return date.fromisoformat(text)
    except (TypeError, ValueError):
        raise NotApplicableError(f"{text!r} is not a date") from None


def percent_ppm(number: Any) -> int:
    """A rate in per cent as ppm; it must have no more than four decimals."""
    scaled = exact(number) * 10_000
    if scaled.denominator != 1:
        raise NotApplicableError(f"{number} % is finer than a millionth")
    return scaled.numerator


def short_fraction(number: Any, most: int) -> Fraction:
    """The fraction with a small denominator that a number with many digits stands for: 0.6333… is 19/30."""
    return exact(number).limit_denominator(most)


def shown(amount_minor: int, places: int = 2) -> str:
    """An amount in major units."""
    sign, digits = ("-" if amount_minor < 0 else ""), str(abs(amount_minor)).rjust(places + 1, "0")
    return f"{sign}{digits[:-places]}.{digits[-places:]}"
