"""A product file gives the schedules that others have published: one engine for products and for conformance cases."""

import json
import os
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.credit.conftest import shipped

from wufeng.credit.conformance.loan_terms import terms_of_case
from wufeng.credit.conformance.model import NotApplicableError
from wufeng.credit.conformance.numbers import day, minor
from wufeng.credit.loans.model import LoanTerms
from wufeng.credit.plans.model import Plan
from wufeng.credit.plans.rules import OF_DATES, least_amount, schedule, terms_of
from wufeng.credit.products.files import examine_product
from wufeng.credit.products.model import Method, Product, Shipped
from wufeng.credit.rates.model import DayCount

SHARED = Path(os.environ.get("WUFENG_SHARED", "../shared"))


def first_schedule(case: dict[str, Any]) -> tuple[int, date, list[dict[str, Any]]] | None:
    """What was lent at once, when, and the rows that follow from nothing else; None: the case does not begin so.

    Before anything is lent the rows show what was asked for.
    """
    lent: tuple[int, date] | None = None
    today = day(case["loan"]["submitted"])
    for step in case["timeline"]:
        if step.get("do") == "disburse" and lent is None:
            lent = minor(step["amount"]), day(step["date"])
        elif step.get("expect") == "schedule":
            rows = [row for row in step["rows"] if row.get("nr") is not None]
            return (*(lent or (minor(case["loan"]["principal"]), today)), rows) if rows else None
        elif step.get("do") == "business_date":
            today = day(step["date"])
        elif step.get("do") not in (None, "set_future_installments_rule"):
            return None
    return None


def least(terms: LoanTerms) -> int:
    """The least amount that a product with such terms may split."""
    tenor = terms.tenor + (terms.down_payment_ppm > 0)
    return least_amount(tenor, terms.multiple_minor, terms.down_payment_ppm)


def source_of(terms: LoanTerms) -> str:
    """A product file with the terms of a loan: a price, its dates, its day count, its rounding."""
    every = f"{{ months = {terms.every.months}, weeks = {terms.every.weeks}, days = {terms.every.days} }}"
    price = (
        f'annual_ppm = {terms.annual_ppm}, method = "{terms.method}"' if terms.annual_ppm else "fee_ppm = 0"
    )
    tenor = terms.tenor + (terms.down_payment_ppm > 0)
    changes = {
        "first_after = { months = 6 }": f"first_after = {every}",
        "every = { months = 1 }": f"every = {every}\ndown_payment_ppm = {terms.down_payment_ppm}",
        "lead_days = 7": "lead_days = 0",
        "minimum_minor = 10_000": f'minimum_minor = {least(terms)}\nday_count = "{terms.day_count}"',
        'tenor = 6, annual_ppm = 90_000, method = "equal_payment"': f"tenor = {tenor}, {price}",
        "annualised_max_ppm = 240_000": "annualised_max_ppm = 5_000_000",
        "[repayment]": f"[rounding]\ninstalment_multiple_minor = {terms.multiple_minor}\n"
        f'levelling = "{terms.levelling}"\n\n[repayment]',
    }
    source = shipped("study_now").source
    for old, new in changes.items():
        assert source.count(old) == 1, old
        source = source.replace(old, new)
    return source


def expressible() -> Iterator[Any]:
    """The cases of tier 1 that begin with one disbursement and whose terms a product file can say."""
    path = SHARED / "conformance" / "fineract_schedules.json"
    if not path.exists():
        return
    for case in json.loads(path.read_text(encoding="utf-8"))["cases"]:
        begun = first_schedule(case) if case.get("tier") == 1 else None
        if begun is None:
            continue
        try:
            terms = terms_of_case(case)
        except NotApplicableError:
            continue
        if terms.principal_grace or terms.day_count not in OF_DATES or begun[0] < least(terms):
            continue
        if terms.method is Method.FLAT and terms.annual_ppm and terms.down_payment_ppm:
            continue  # the source takes flat interest of the down payment too
        examined = examine_product(source_of(terms), "mine.toml")
        if isinstance(examined, Shipped):
            yield pytest.param(examined.product, terms, *begun, id=str(case["id"]))


CASES = list(expressible())


def planned(product: Product, amount_minor: int, on: date) -> Plan:
    (tenor,) = product.tenors
    terms = terms_of(product, product.calendar(on), tenor)
    assert terms is not None
    return schedule(terms, amount_minor, on)


@pytest.mark.skipif(not CASES, reason="set WUFENG_SHARED to the folder with the conformance cases")
@pytest.mark.parametrize(("product", "terms", "amount_minor", "on", "rows"), CASES)
def test_a_product_gives_the_published_schedule(
    product: Product, terms: LoanTerms, amount_minor: int, on: date, rows: list[dict[str, Any]]
) -> None:
    plan = planned(product, amount_minor, on)
    # A down payment of a product is due on the day after the draw: the first on which there is a bill.
    due_on = list(plan.due_on)
    if terms.down_payment_ppm:
        due_on[0] -= timedelta(days=1)
    interest = plan.interest_parts or (0,) * len(due_on)
    ours = list(zip(due_on, plan.principal_parts, interest, strict=True))
    assert ours == [(day(row["date"]), minor(row["principal_due"]), minor(row["interest"])) for row in rows]


@pytest.mark.skipif(not CASES, reason="set WUFENG_SHARED to the folder with the conformance cases")
def test_the_cases_reach_every_kind_of_term() -> None:
    products = [case.values[0] for case in CASES]
    assert len(products) >= 40
    assert {one.instalments.day_count for one in products} >= {
        DayCount.THIRTY_360,
        DayCount.ACTUAL_365,
        DayCount.ACTUAL_ACTUAL_BY_END,
    }
    methods = {price.method for one in products for price in one.instalments.prices if price.annual_ppm}
    assert methods >= {Method.EQUAL_PAYMENT, Method.FLAT}
    assert any(one.dates.down_payment_ppm for one in products)
    assert any(one.rounding.instalment_multiple_minor > 1 for one in products)
