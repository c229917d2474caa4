"""A product file that may not be offered is refused with file, line and field; the shipped one says what it should."""

import pytest
from tests.credit.conftest import shipped

from wufeng.base.errors import ConfigurationError
from wufeng.credit.products.files import line_of, read_product

SOURCE = shipped("monthly_bill").source


def edited(old: str, new: str) -> str:
    assert old in SOURCE, old
    return SOURCE.replace(old, new, 1)


def line_with(source: str, text: str) -> int:
    return next(n for n, line in enumerate(source.splitlines(), 1) if text in line)


def test_the_shipped_product_is_the_monthly_bill_of_the_facts() -> None:
    product = shipped("monthly_bill").product
    assert (product.cycle.bill_day, product.cycle.due_day) == (1, 10)
    assert product.due_days.allowed == (8, 9, 10, 15, 20)
    assert product.tenors == (1, 3, 6, 12)
    assert [price.fee_ppm for tenor in product.tenors if (price := product.price(tenor))] == [
        0,
        25_000,
        45_000,
        88_000,
    ]
    assert product.price(9) is None
    assert sum(lender.share_ppm for lender in product.lenders) == 1_000_000


@pytest.mark.parametrize(
    ("old", "new", "at", "says"),
    [
        ("bill_day = 1", "bill_day = 0", "bill_day", "cycle.bill_day is a day of the month"),
        ("bill_day = 1", "bill_day = 10", "due_day = 10", "cycle.due_day is not the bill day"),
        ("allowed = [8,", "allowed = [1,", "allowed", "due_days.allowed holds days of the month other than"),
        ("9, 10, 15", "9, 15", "allowed", "due_days.allowed holds the product's own due day, 10"),
        ("principal_ppm = 100_000", "principal_ppm = 0", "principal_ppm", "minimum.principal_ppm lies between"),
        ("late_daily_ppm = 500", "late_daily_ppm = -1", "late_daily_ppm", "is not negative"),
        ("late_daily_ppm = 500", "late_daily_ppm = 658", "late_daily_ppm", "costs 24.01 % a year, above"),
        ("minimum_minor = 1_000", "minimum_minor = 287", "minimum_minor", "is at least 288"),
        ("tenor = 6,", "tenor = 2,", "prices", "stand in the order of their tenors"),
        ("tenor = 12,", "tenor = 61,", "prices = [", "prices[2].tenor lies between 2 and 60"),
        ("fee_ppm = 45_000", "fee_ppm = -1", "prices = [", "prices[1].fee_ppm is not negative"),
        ("days_past_due = 0", "days_past_due = 1", "waterfall", "begins at 0 days past due"),
        ('"fee", "interest", "principal"]', '"fee", "fee", "principal"]', "waterfall", "names fee, interest and"),
        ("suspend_after_days = 1", "suspend_after_days = 0", "suspend_after_days", "at least 1"),
        ("maximum_minor = 5_000_000", "maximum_minor = 1", "minimum_minor = 50_000", "is above 0 and not above"),
        ('"transfer", ', "", "forbidden", "must name what is never paid with credit: transfer"),
        ("share_ppm = 1_000_000", "share_ppm = 999_999", "[[lenders]]", "make up 1_000_000 ppm, not 999999"),
        ('currency = "CNY"', 'currency = "RMB"', "currency", "is not an ISO 4217 code"),
        ("version = 1", "version = 0", "version = 0", "counts from 1"),
        ("version = 1", 'version = "1"', "version = ", "Expected `int`, got `str`"),
        ("[arrears]", "[arrears]\ngrace = 3", "grace", "unknown field `grace`"),
        ('remainder = "last"', 'remainder = "middle"', "remainder", "Invalid enum value"),
    ],
)  # fmt: skip
def test_what_may_not_be_offered_is_named_with_its_line(old: str, new: str, at: str, says: str) -> None:
    source = edited(old, new)
    with pytest.raises(ConfigurationError) as refused:
        read_product(source, "mine.toml")
    message = str(refused.value)
    assert says in message
    assert message.startswith(f"mine.toml:{_line_of(source, at)}:"), message


def _line_of(source: str, at: str) -> int:
    if at == "minimum_minor":  # stands in two tables
        return line_with(source, "minimum_minor = 287")
    return line_with(source, at)


def test_several_mistakes_are_named_at_once() -> None:
    source = edited("suspend_after_days = 1", "suspend_after_days = 0").replace("version = 1", "version = 0")
    with pytest.raises(ConfigurationError) as refused:
        read_product(source, "mine.toml")
    assert len(str(refused.value).splitlines()) == 2


def test_what_is_not_toml_says_where() -> None:
    with pytest.raises(ConfigurationError, match=r"mine.toml: not TOML: .*line 3"):
        read_product("id = 'a'\n\n[cycle\n", "mine.toml")


def test_b5_a_price_above_the_ceiling_is_refused_with_its_rate() -> None:
    # 1.2 % a month over 12 months: 25.6 % a year, above 24 %.
    with pytest.raises(
        ConfigurationError, match=r"prices\[2\].fee_ppm costs 25.59 % a year, above .* 24.00 %"
    ):
        read_product(edited("fee_ppm = 88_000", "fee_ppm = 144_000"), "mine.toml")
    # 1.0 % a month over 24 is 21.57 % and may be offered.
    read_product(
        edited("{ tenor = 12, fee_ppm = 88_000 }", "{ tenor = 24, fee_ppm = 240_000 }").replace(
            "minimum_minor = 1_000", "minimum_minor = 2_000"
        ),
        "mine.toml",
    )


def test_a_line_is_found_for_nested_fields() -> None:
    source = "a = 1\n[b]\nc = 2\n[[d]]\ne = 3\n[[d]]\ne = 4\n"
    assert [line_of(source, path) for path in ("a", "b.c", "d[0].e", "d[1].e", "d[1].x", "z")] == [
        1, 3, 5, 7, 6, 1,
    ]  # fmt: skip
