"""Rates as people read them: one way, whichever page, paper or command says them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wufeng.base.rates import percent_text, year_text


@pytest.mark.parametrize(
    ("ppm", "exact", "year"),
    [
        (0, "0%", "0.00%"),
        (1, "0.0001%", "0.00%"),
        (246, "0.0246%", "0.02%"),
        (500, "0.05%", "0.05%"),
        (150, "0.015%", "0.02%"),
        (250, "0.025%", "0.02%"),
        (100_000, "10%", "10.00%"),
        (999_999, "99.9999%", "100.00%"),
        (1_000_000, "100%", "100.00%"),
    ],
)
def test_rates_are_read_one_way(ppm: int, exact: str, year: str) -> None:
    assert (percent_text(ppm), year_text(ppm)) == (exact, year)


@given(st.integers(0, 10_000_000))
def test_an_exact_rate_says_the_very_rate(ppm: int) -> None:
    whole, _, digits = percent_text(ppm).removesuffix("%").partition(".")
    assert int(whole) * 10_000 + int(digits.ljust(4, "0")) == ppm and not digits.endswith("0")
