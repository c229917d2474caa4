"""What a product asks: the figures of PRODUCTS.md, and yearly rates by four methods."""

from datetime import date

import pytest
from msgspec.structs import replace
from tests.credit.conftest import shipped

from wufeng.credit.products.dates import Dates, Every
from wufeng.credit.products.model import Mode
from wufeng.credit.products.preview import Preview, preview

ON = date(2026, 9, 3)


def shown(
    id_: str, amount_minor: int, *, mode: Mode | None = None, share_ppm: int = 0, tenor: int = 0
) -> Preview:
    product = shipped(id_).product
    found = preview(
        product, amount_minor, ON, mode or product.modes[0], share_ppm, [tenor] if tenor else None
    )
    assert found is not None
    return found


def test_three_months_of_the_monthly_bill() -> None:
    (three,) = shown("monthly_bill", 129_900, tenor=3).schedules
    assert [row.amount_minor for row in three.rows] == [44_383, 44_383, 44_382]
    assert [(row.bill_on, row.due_on) for row in three.rows][:2] == [
        (date(2026, 10, 1), date(2026, 10, 10)),
        (date(2026, 11, 1), date(2026, 11, 10)),
    ]
    assert all(
        row.principal_minor + row.fee_minor + row.interest_minor == row.amount_minor for row in three.rows
    )
    assert (three.total_cost_minor, three.rates.annualised_ppm // 100) == (3_248, 1_494)
    # (1 + 0.1494 / 12) ** 12 - 1; the first due date is 37 days off, so the dates themselves cost less.
    assert three.rates.effective_ppm // 100 == 1_600
    assert three.rates.us_ppm is not None
    assert three.rates.us_ppm < three.rates.eu_ppm < three.rates.effective_ppm
    assert three.late_example_minor == 650  # 433.00 x 0.05 % x 30


def test_the_modes_have_dates_of_their_own() -> None:
    order = shown("order_instalments", 100_000, tenor=1).schedules[0].rows[0]
    bill = shown("order_instalments", 100_000, mode=Mode.BILL, tenor=1).schedules[0].rows[0]
    assert (order.bill_on, order.due_on) == (date(2026, 9, 24), date(2026, 10, 3))
    assert (bill.bill_on, bill.due_on) == (date(2026, 10, 3), date(2026, 10, 12)), "as a line opened today"


def test_a_month_of_equal_periods_has_the_same_rate_by_regulation_z() -> None:
    for schedule in shown("order_instalments", 1_000_000).schedules[1:]:
        rates = schedule.rates
        assert rates.us_ppm is not None and abs(rates.us_ppm - rates.annualised_ppm) < 20
        assert abs(rates.eu_ppm - rates.effective_ppm) < 3_000, "months have 28 to 31 days"


def test_daily_interest_is_shown_up_to_the_due_date() -> None:
    (whole,) = shown("daily_interest", 100_000).schedules
    # 37 days at 0.04 %.
    assert (whole.total_cost_minor, whole.rows[0].interest_minor, whole.rows[0].fee_minor) == (
        1_480,
        1_480,
        0,
    )
    assert (whole.daily_ppm, whole.rates.annualised_ppm) == (400, 146_000)
    assert whole.rates.us_ppm is not None and abs(whole.rates.us_ppm - 146_000) < 100


def test_what_the_merchant_carries_costs_the_person_nothing() -> None:
    (four,) = shown("pay_in_four", 100_000).schedules
    assert (four.total_cost_minor, four.merchant_cost_minor) == (0, 1_500)
    assert {four.rates.annualised_ppm, four.rates.effective_ppm, four.rates.eu_ppm, four.rates.us_ppm} == {0}
    (half,) = shown("monthly_bill", 100_000, share_ppm=500_000, tenor=12).schedules
    assert (half.total_cost_minor, half.merchant_cost_minor) == (4_400, 4_400)


def test_late_interest_keeps_to_its_least_and_its_most() -> None:
    product = shipped("order_instalments").product
    small = preview(product, 1_000, ON, Mode.ORDER, 0, [1])
    assert small is not None and small.schedules[0].late_example_minor == 30, "0.01 a day at least"
    capped = replace(product, interest=replace(product.interest, late_most_ppm=10_000))
    most = preview(capped, 100_000, ON, Mode.ORDER, 0, [1])
    assert most is not None and most.schedules[0].late_example_minor == 1_000


def test_periods_that_regulation_z_has_no_unit_for() -> None:
    product = shipped("order_instalments").product
    odd = replace(product, dates=Dates(Every(days=10), Every(days=10)))
    found = preview(odd, 100_000, ON, Mode.ORDER, 0, [3])
    assert found is not None and found.schedules[0].rates.us_ppm is None


@pytest.mark.parametrize(
    ("id_", "amount_minor", "share_ppm", "tenor"),
    [("monthly_bill", 100_000, 0, 5), ("monthly_bill", 999, 0, 3), ("study_now", 100_000, 1, 6)],
)
def test_what_is_not_offered_is_not_shown(id_: str, amount_minor: int, share_ppm: int, tenor: int) -> None:
    product = shipped(id_).product
    assert preview(product, amount_minor, ON, product.modes[0], share_ppm, [tenor]) is None
