"""The model of P1 gives the documents' own examples: it is worth as much as it agrees with them."""

from datetime import UTC, date, datetime

import pytest

from wufeng.prove import paper
from wufeng.prove.audit import half_even

NOON = datetime(2026, 9, 3, 4, 0, tzinfo=UTC)


def bought(amount: int) -> tuple[paper.Thing, paper.Thing, paper.Thing]:
    """A person who bought something on credit on 3 September."""
    payer, shop = paper.new_payer(0, 500_000), paper.new_shop(6_000)
    payment = paper.pay(payer, shop, "1", amount, "line", "now", date(2026, 9, 3), NOON)
    for draw in payer["draws"]:
        draw["id"] = 1
    return payer, shop, payment


def close(payer: paper.Thing, shop: paper.Thing, *dates: date) -> None:
    """Let dates begin, in order."""
    for on in dates:
        paper.begin([payer], [], shop, on, NOON)


def test_half_of_a_bill_paid_late_costs_1_25() -> None:
    """PRODUCTS.md 2, H1: 1,000.00 bought, 500.00 paid on the due date, the rest five days later."""
    payer, shop, _ = bought(1_000_00)
    close(payer, shop, date(2026, 10, 1))
    assert paper.unpaid(payer["bills"][0]) == 1_000_00
    assert paper.repay(payer, 500_00, "external", date(2026, 10, 10)) == "ok"
    assert paper.owed(payer, "all", date(2026, 10, 15)) == 501_25
    assert paper.repay(payer, "all", "external", date(2026, 10, 15)) == "ok"
    assert (paper.used(payer), payer["credit"], paper.owed(payer, "all", date(2026, 10, 16))) == (0, 0, 0)


def test_a_missed_minimum_is_arrears_until_it_is_paid() -> None:
    payer, shop, _ = bought(1_000_00)
    close(payer, shop, date(2026, 10, 1))
    assert payer["bills"][0]["minimum"] == 100_00
    close(payer, shop, date(2026, 10, 11))
    assert payer["bills"][0]["status"] == "overdue"
    declined = paper.pay(payer, shop, "2", 1, "line", "now", date(2026, 10, 11), NOON)
    assert declined["status"] == "declined"


def test_a_refund_after_the_repayment_goes_back_to_the_wallet() -> None:
    payer, shop, payment = bought(100_00)
    payer["wallet"] = 60_00
    assert paper.repay(payer, 60_00, "wallet", date(2026, 9, 4)) == "ok"
    assert paper.refund(payment, 100_00, date(2026, 9, 5)) == "ok"
    assert (paper.used(payer), payer["wallet"], payer["credit"]) == (0, 60_00, 0)
    assert payment["fee_returned"] == payment["fee"] == 60
    assert shop["payable"] == 0


@pytest.mark.parametrize(
    ("numerator", "rounded"), [(4, 0), (5, 0), (6, 1), (14, 1), (15, 2), (25, 2), (26, 3)]
)
def test_halves_go_to_the_even_side(numerator: int, rounded: int) -> None:
    assert half_even(numerator, 10) == rounded
