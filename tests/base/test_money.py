"""Money: read, written, split and rounded without a unit lost."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wufeng.base.money import (
    CURRENCY_EXPONENTS,
    MINOR_MAX,
    Money,
    exponent_of,
    format_minor,
    parse_major,
    round_half_even,
    split_by_weight,
    split_evenly,
)

CURRENCIES = st.sampled_from(sorted(CURRENCY_EXPONENTS))
AMOUNTS = st.integers(1 - 10**18, 10**18 - 1)  # eighteen digits are read, nineteen are refused below


@pytest.mark.parametrize("currency", sorted(CURRENCY_EXPONENTS))
def test_every_currency_reads_what_it_writes(currency: str) -> None:
    for amount in (0, 1, -1, 9, 10, 99, 100, 101, -120_050, MINOR_MAX, -MINOR_MAX):
        assert parse_major(format_minor(amount, currency), currency) == amount


@given(AMOUNTS, CURRENCIES)
def test_reading_undoes_writing(amount: int, currency: str) -> None:
    text = format_minor(amount, currency)
    assert parse_major(text, currency) == amount
    assert len(text.partition(".")[2]) == exponent_of(currency)


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (120_050, "CNY", "1200.50"),
        (5, "CNY", "0.05"),
        (-5, "CNY", "-0.05"),
        (0, "CNY", "0.00"),
        (500, "JPY", "500"),
        (-1, "JPY", "-1"),
        (1, "KWD", "0.001"),
        (12_345, "BHD", "12.345"),
        (12_345, "CLF", "1.2345"),
    ],
)
def test_amounts_in_major_units(amount: int, currency: str, text: str) -> None:
    assert format_minor(amount, currency) == text
    assert parse_major(text, currency) == amount
    assert str(Money(amount, currency)) == f"{currency} {text}"


@pytest.mark.parametrize(
    ("text", "minor"), [("7", 700), ("7.5", 750), ("007.50", 750), ("-0", 0), ("-7.5", -750)]
)
def test_amounts_may_be_short(text: str, minor: int) -> None:
    assert parse_major(text, "CNY") == minor


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "1 ", " 1", "1,000.00", "1.", ".5", "1.234", "+1", "--1", "1e3", "0x10", "NaN", "Infinity", "1_000",
        "١", "１００", "1.5\n", "1" * 19,
    ],
)  # fmt: skip
def test_what_is_no_amount(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not an amount|decimal places"):
        parse_major(text, "CNY")


def test_a_yen_has_no_decimals() -> None:
    with pytest.raises(ValueError, match="JPY has 0 decimal places"):
        parse_major("1.0", "JPY")


@pytest.mark.parametrize("code", ["", "cny", "XXX", "BTC", "CNYX"])
def test_an_unknown_currency_is_refused(code: str) -> None:
    with pytest.raises(ValueError, match="not an ISO 4217"):
        format_minor(1, code)


def test_the_list_of_currencies() -> None:
    """ISO 4217, list one: the exponents that are not two, and how many there are."""
    assert {code: places for code, places in CURRENCY_EXPONENTS.items() if places not in (0, 2)} == {
        "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3, "CLF": 4, "UYW": 4,
    }  # fmt: skip
    assert {"CNY", "HKD", "MOP", "TWD", "USD", "EUR"} <= {
        c for c, places in CURRENCY_EXPONENTS.items() if places == 2
    }
    assert CURRENCY_EXPONENTS["JPY"] == CURRENCY_EXPONENTS["KRW"] == CURRENCY_EXPONENTS["VND"] == 0
    assert all(len(code) == 3 and code.isupper() for code in CURRENCY_EXPONENTS)


WEIGHTS = st.lists(st.integers(0, 10**6), min_size=1, max_size=12).filter(any)


@given(AMOUNTS, WEIGHTS, st.data())
def test_a_split_is_whole_and_fair(amount: int, weights: list[int], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(weights) - 1))
    parts = split_by_weight(amount, weights, at)
    assert sum(parts) == amount and len(parts) == len(weights)
    assert all(part * amount >= 0 for part in parts), "no part against the whole"
    for n, (part, weight) in enumerate(zip(parts, weights, strict=True)):
        exact = Fraction(amount * weight, sum(weights))
        if n != at:
            assert abs(part - exact) < 1 and abs(part) <= abs(exact)
            assert part == 0 or weight > 0


@given(AMOUNTS, st.integers(1, 60))
def test_an_even_split_leaves_the_odd_units_to_the_last(amount: int, count: int) -> None:
    parts = split_evenly(amount, count)
    assert sum(parts) == amount and len(set(parts[:-1])) <= 1
    assert abs(parts[-1]) >= abs(parts[0]) and abs(parts[-1]) - abs(parts[0]) < count


def test_splits_in_figures() -> None:
    assert split_evenly(100_00, 3) == [33_33, 33_33, 33_34]
    assert split_evenly(-1, 3) == [0, 0, -1]
    assert split_by_weight(100, [1, 1, 1]) == [34, 33, 33]
    assert split_by_weight(10, [0, 1]) == [0, 10]


@pytest.mark.parametrize("weights", [[], [0], [0, 0], [1, -1], [2, -1]])
def test_weights_that_divide_nothing(weights: list[int]) -> None:
    with pytest.raises((AssertionError, ValueError)):
        split_by_weight(1, weights)


@pytest.mark.parametrize(
    ("exact", "rounded"),
    [
        ("14.5", 14),
        ("15.5", 16),
        ("-14.5", -14),
        ("-15.5", -16),
        ("14.51", 15),
        ("14.49", 14),
        ("0.5", 0),
        ("7", 7),
    ],
)
def test_halves_go_to_the_even_neighbour(exact: str, rounded: int) -> None:
    assert round_half_even(Fraction(exact)) == rounded


@given(st.fractions())
def test_rounding_moves_by_a_half_at_most(exact: Fraction) -> None:
    assert abs(round_half_even(exact) - exact) <= Fraction(1, 2)
