"""The plan of a draw as its row tells it, beside the one that it was made by."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from msgspec.structs import replace
from tests.credit.documents.test_planned import ON, SHIPPED, Bought, bought, purchases
from tests.thorough import examples

from wufeng.credit.accruals.rules import interest_to_bill
from wufeng.credit.draws.rules import accrue_draw, calendar_of, standing_plan
from wufeng.credit.plans.model import Plan
from wufeng.credit.plans.rules import annualised_rate_ppm, schedule, terms_of
from wufeng.credit.products.model import Product

BY_THE_DAY = [one for one in SHIPPED if one.interest.daily_ppm]


def standing(purchase: Bought) -> Plan:
    return standing_plan(purchase.draw, purchase.line, purchase.product)


def made_by(purchase: Bought) -> Plan:
    draw = purchase.draw
    calendar = calendar_of(purchase.line, purchase.product)
    terms = terms_of(purchase.product, calendar, draw.tenor, draw.merchant_share_ppm)
    assert terms is not None
    return schedule(terms, draw.amount_minor, ON)


@settings(max_examples=examples(150, 3_000), deadline=None)
@given(purchases())
def test_a_new_draw_has_the_plan_that_made_it(purchase: Bought) -> None:
    plan, made = standing(purchase), made_by(purchase)
    assert (plan.principal_parts, plan.charges_minor) == (made.principal_parts, made.charges_minor)
    assert (plan.subsidy_parts, plan.due_on, plan.rhythm) == (made.subsidy_parts, made.due_on, made.rhythm)
    assert annualised_rate_ppm(plan) == annualised_rate_ppm(made)


@pytest.mark.parametrize("product", BY_THE_DAY, ids=lambda one: f"{one.id}-{one.interest.daily_ppm}")
def test_interest_by_the_day_is_told_up_to_the_due_date(product: Product) -> None:
    purchase = bought(product, 1, 120_000)
    draw, plan = purchase.draw, standing(purchase)
    assert plan == made_by(purchase)
    assert annualised_rate_ppm(plan) == draw.daily_ppm * 365
    days = (plan.due_on[0] - ON).days
    assert plan.charges_minor == (round(120_000 * draw.daily_ppm * days / 1_000_000),)

    billed = accrue_draw(draw, plan.due_on[0] - timedelta(days=9))
    on_the_bill_minor = interest_to_bill(billed, billed.accrued_on)
    billed = replace(billed, billed_parts=1, unbilled_minor=0, interest_billed_minor=on_the_bill_minor)
    assert standing(replace(purchase, draw=billed)) == plan, "a bill that takes it changes no price"
    prepaid = replace(accrue_draw(draw, ON + timedelta(days=10)), prepaid_minor=120_000, unbilled_minor=0)
    [paid_early_minor] = standing(replace(purchase, draw=prepaid)).charges_minor
    assert paid_early_minor == round(120_000 * draw.daily_ppm * 10 / 1_000_000), "ten days, and no more"
