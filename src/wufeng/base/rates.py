"""Rates in parts per million as people read them, the same in every language, on pages, papers and in commands."""

from fractions import Fraction

from wufeng.base.money import round_half_even


def percent_text(ppm: int) -> str:
    """A rate or a share (>= 0), exact and without idle zeros: 500 ppm is 0.05%."""
    whole, rest = divmod(ppm, 10_000)
    decimals = f"{rest:04d}".rstrip("0")
    return f"{whole}.{decimals}%" if decimals else f"{whole}%"


def year_text(ppm: int) -> str:
    """A yearly rate (>= 0), to two decimals, half-even: 158_633 ppm is 15.86%."""
    whole, hundredths = divmod(round_half_even(Fraction(ppm, 100)), 100)
    return f"{whole}.{hundredths:02d}%"
