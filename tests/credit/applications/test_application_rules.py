"""Who gets which limit: two histories, every bound, and that nobody gets less for being better."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from wufeng.credit.applications.model import (
    ApplicationReason,
    Bound,
    Characteristic,
    Consent,
    Declined,
    Inputs,
    Offered,
    Referred,
    ReviewOutcome,
)
from wufeng.credit.applications.policy import shipped_application_policy
from wufeng.credit.applications.rules import (
    affordable_minor,
    age_on,
    decide_application,
    decide_review,
    next_review_on,
    problem_of_consents,
    refusals,
    reviewed,
    standing,
)
from wufeng.credit.products.ceiling import dearest_ppm, highest_rate_ppm
from wufeng.credit.products.files import shipped_products
from wufeng.credit.products.model import Product

POLICY = shipped_application_policy()
PRODUCT: Product = next(one.product for one in shipped_products() if one.product.id == "monthly_bill")

NEW = Inputs(
    frozen=False,
    age_years=30,
    tier=2,
    bank_accounts=0,
    known_days=0,
    payments=0,
    paid_minor=0,
    scenes=0,
    inflow_minor=0,
    income_month_minor=0,
    lines_elsewhere=0,
    repayments_elsewhere_month_minor=0,
    suspensions=0,
    in_arrears=False,
    others_minor=0,
    declined=0,
)
REGULAR = replace(
    NEW,
    tier=3,
    bank_accounts=1,
    known_days=400,
    payments=40,
    paid_minor=12_000_00,
    scenes=5,
    inflow_minor=15_000_00,
    income_month_minor=12_000_00,
)


def decide(inputs: Inputs, product: Product = PRODUCT) -> Any:
    return decide_application(inputs, POLICY, product)


def given_limit(inputs: Inputs) -> int:
    decision = decide(inputs)
    return decision.limit_minor if isinstance(decision, Offered) else 0


def test_two_histories_get_two_limits_and_each_line_says_why() -> None:
    new, regular = decide(NEW), decide(REGULAR)
    assert isinstance(new, Offered) and isinstance(regular, Offered)
    assert (new.score, new.grade, new.limit_minor) == (200, "E", 500_00)
    assert (regular.score, regular.grade, regular.limit_minor) == (600, "A", 22_000_00)
    assert sum(line.points for line in regular.points) == regular.score
    assert [(step.by, step.limit_minor) for step in regular.steps] == [
        (Bound.GRADE, 10_000_00),
        (Bound.SPENDING, 22_000_00),
    ]
    assert regular.reasons == ()
    assert new.reasons == (
        ApplicationReason.BANK_ACCOUNT_MISSING,
        ApplicationReason.HISTORY_SHORT,
        ApplicationReason.SPENDING_LOW,
        ApplicationReason.INFLOW_LOW,
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"frozen": True}, ApplicationReason.PAYER_FROZEN),
        ({"in_arrears": True}, ApplicationReason.LINE_IN_ARREARS),
        ({"age_years": 17}, ApplicationReason.AGE_BELOW_MINIMUM),
        ({"declined": 3}, ApplicationReason.TOO_MANY_APPLICATIONS),
        ({"repayments_elsewhere_month_minor": 20_000_00}, ApplicationReason.AFFORDABILITY),
        ({"others_minor": 28_000_00}, ApplicationReason.AFFORDABILITY),
        ({"others_minor": 199_600_00, "income_month_minor": 99_000_00}, ApplicationReason.LIMIT_EXCEEDED),
    ],
)
def test_one_thing_is_enough_to_decline(change: dict[str, Any], reason: ApplicationReason) -> None:
    decision = decide(replace(REGULAR, **change))
    assert isinstance(decision, Declined)
    assert decision.reasons == (reason,)
    assert decision.score == 600, "the points are told all the same"


def test_a_product_asks_for_tier_age_and_an_account_of_ones_own() -> None:
    opening = replace(PRODUCT.opening, tier_min=3, age_min=21, own_bank_account=True)
    asking = replace(PRODUCT, opening=opening)
    decision = decide(replace(NEW, age_years=20), asking)
    assert isinstance(decision, Declined)
    assert decision.reasons == (
        ApplicationReason.AGE_BELOW_MINIMUM,
        ApplicationReason.TIER_TOO_LOW,
        ApplicationReason.BANK_ACCOUNT_MISSING,
    )
    able = replace(NEW, age_years=21, tier=3, bank_accounts=1)
    assert isinstance(decide(able, asking), Offered)


def test_a_product_dearer_than_the_price_tier_is_not_given() -> None:
    dear = replace(PRODUCT, interest=replace(PRODUCT.interest, late_daily_ppm=658))  # 24.017 % a year
    decision = decide(REGULAR, dear)
    assert isinstance(decision, Declined) and decision.reasons == (ApplicationReason.RATE_CAP,)


def test_what_merchants_pay_does_not_make_a_product_dear() -> None:
    free: Product = next(one.product for one in shipped_products() if one.product.id == "pay_in_four")
    assert highest_rate_ppm(free) > 240_000 and dearest_ppm(free) == 0
    assert isinstance(decide(REGULAR, free), Offered)


def test_a_score_below_the_lowest_grade_is_looked_at_or_declined() -> None:
    thin = replace(NEW, tier=1)
    assert isinstance(decide(thin), Declined) and decide(thin).score == 160
    nearly = replace(thin, payments=3)
    assert isinstance(decide(nearly), Referred) and decide(nearly).score == 190
    assert isinstance(decide(replace(nearly, known_days=30)), Offered)


def test_what_can_be_repaid_bounds_the_limit() -> None:
    poor = replace(REGULAR, income_month_minor=0, inflow_minor=0)
    assert affordable_minor(poor, POLICY) == 3_000_00
    decision = decide(poor)
    assert isinstance(decision, Offered) and decision.limit_minor == 3_000_00
    assert decision.steps[-1].by is Bound.AFFORDABILITY
    lent = decide(replace(poor, others_minor=1_250_00))
    assert isinstance(lent, Offered) and lent.limit_minor == 1_700_00, "other lines take of it, used or not"
    assert isinstance(decide(replace(poor, others_minor=3_000_00)), Declined)


INPUTS = st.builds(
    Inputs,
    frozen=st.just(False),
    age_years=st.integers(18, 90),
    tier=st.integers(1, 3),
    bank_accounts=st.integers(0, 3),
    known_days=st.integers(0, 1000),
    payments=st.integers(0, 100),
    paid_minor=st.integers(0, 100_000_00),
    scenes=st.integers(0, 17),
    inflow_minor=st.integers(0, 100_000_00),
    income_month_minor=st.integers(0, 100_000_00),
    lines_elsewhere=st.integers(0, 10),
    repayments_elsewhere_month_minor=st.integers(0, 10_000_00),
    suspensions=st.integers(0, 4),
    in_arrears=st.just(False),
    others_minor=st.integers(0, 250_000_00),
    declined=st.integers(0, 2),
)
BETTER = (
    "tier", "bank_accounts", "known_days", "payments", "paid_minor", "scenes", "inflow_minor", "income_month_minor"
)  # fmt: skip
WORSE = ("lines_elsewhere", "repayments_elsewhere_month_minor", "suspensions", "others_minor", "declined")


@given(INPUTS, st.sampled_from((*BETTER, *WORSE)), st.integers(1, 1_000_000))
def test_nobody_gets_less_for_being_better(inputs: Inputs, field: str, more: int) -> None:
    value = getattr(inputs, field) + more
    changed = replace(inputs, **{field: min(value, 3) if field == "tier" else value})
    low, high = (inputs, changed) if field in BETTER else (changed, inputs)
    assert given_limit(low) <= given_limit(high)


@given(INPUTS)
def test_a_limit_keeps_to_every_bound(inputs: Inputs) -> None:
    decision = decide(inputs)
    assert decision.score == sum(line.points for line in decision.points) >= 0
    assert {line.of for line in decision.points} == set(Characteristic)
    if not isinstance(decision, Offered):
        assert decision.reasons and len(decision.reasons) <= 4
        return
    grade = next(grade for grade in POLICY.grades if grade.code == decision.grade)
    assert PRODUCT.limit.minimum_minor <= decision.limit_minor <= PRODUCT.limit.maximum_minor
    assert decision.limit_minor <= min(grade.max_minor, affordable_minor(inputs, POLICY))
    assert decision.limit_minor + inputs.others_minor <= POLICY.offer.person_max_minor
    assert decision.limit_minor % POLICY.offer.step_minor == 0
    assert decision.steps[-1].limit_minor == decision.limit_minor
    assert decision.price.annualised_max_ppm <= 240_000


OPENED, ON = date(2026, 9, 3), date(2026, 12, 1)


def review(inputs: Inputs, limit_minor: int, used_minor: int, on: date = ON) -> tuple[ReviewOutcome, int]:
    decision = decide_review(inputs, POLICY, PRODUCT)
    admitted = not refusals(inputs, POLICY, PRODUCT)
    return reviewed(
        decision, decision, limit_minor, used_minor, OPENED, on, POLICY, PRODUCT, admitted=admitted
    )


def test_a_raise_is_offered_to_a_line_that_is_old_enough_and_used() -> None:
    later = date(2027, 1, 1)
    assert review(REGULAR, 10_000_00, 5_000_00, later) == (ReviewOutcome.OFFERED, 15_000_00)
    assert review(REGULAR, 20_000_00, 10_000_00, later) == (ReviewOutcome.OFFERED, 22_000_00)
    assert review(REGULAR, 10_000_00, 5_000_00) == (ReviewOutcome.KEPT, 10_000_00), "too young"
    assert review(REGULAR, 10_000_00, 2_999_99, later) == (ReviewOutcome.KEPT, 10_000_00), "not used"
    assert review(REGULAR, 10_000_00, 9_500_00, later) == (ReviewOutcome.KEPT, 10_000_00), "used up"


def test_a_raise_comes_to_what_the_product_gives_or_is_not_offered() -> None:
    later, least = date(2027, 1, 1), PRODUCT.limit.minimum_minor
    assert review(REGULAR, 300_00, 150_00, later) == (ReviewOutcome.KEPT, 300_00), "half more is 400.00"
    assert review(REGULAR, 400_00, 200_00, later) == (ReviewOutcome.OFFERED, 600_00)
    assert least == 500_00


def test_a_cut_takes_effect_and_stops_at_the_products_minimum() -> None:
    assert review(NEW, 5_000_00, 0) == (ReviewOutcome.LOWERED, 500_00)
    assert review(NEW, 600_00, 0) == (ReviewOutcome.KEPT, 600_00), "not worth a cut"
    assert review(replace(NEW, tier=1), 5_000_00, 0) == (ReviewOutcome.LOWERED, 500_00), "declined today"
    assert review(replace(NEW, tier=1, payments=3), 5_000_00, 0) == (ReviewOutcome.KEPT, 5_000_00), "referred"


@pytest.mark.parametrize(
    "change",
    [
        {"frozen": True},
        {"in_arrears": True},
        {"declined": 99},
        {"age_years": 17},
        {"tier": 2, "frozen": True},
    ],
    ids=str,
)
def test_what_keeps_from_a_new_line_cuts_none_and_raises_none(change: dict[str, Any]) -> None:
    refused = replace(REGULAR, **change)
    assert isinstance(decide(refused), Declined)
    for limit_minor in (22_000_00, 20_000_00, 10_000_00):
        kept = (ReviewOutcome.KEPT, limit_minor)
        assert review(refused, limit_minor, limit_minor // 2, date(2027, 1, 1)) == kept
    worse = replace(NEW, **change)
    assert review(worse, 22_000_00, 0) == review(
        replace(worse, frozen=False, in_arrears=False), 22_000_00, 0
    ), "a worse score cuts as ever"


def test_other_lines_count_at_most_as_when_the_limit_was_given() -> None:
    given = replace(NEW, others_minor=1_000_00)
    for now_minor, counted_minor in ((0, 0), (1_000_00, 1_000_00), (3_000_00, 1_000_00)):
        assert standing(replace(NEW, others_minor=now_minor), given).others_minor == counted_minor
    many = decide_review(replace(REGULAR, others_minor=190_000_00), POLICY, PRODUCT)
    alone, later = decide_review(REGULAR, POLICY, PRODUCT), date(2027, 1, 1)
    both = (22_000_00, 11_000_00, OPENED, later, POLICY, PRODUCT)
    assert reviewed(alone, many, *both, admitted=True) == (ReviewOutcome.KEPT, 22_000_00)
    half = (10_000_00, 5_000_00, OPENED, later, POLICY, PRODUCT)
    assert reviewed(alone, many, *half, admitted=True)[0] is ReviewOutcome.KEPT, (
        "a raise is new: all lines count"
    )


def test_what_staff_gave_is_cut_by_what_became_worse_since() -> None:
    weak, referred = replace(NEW, tier=1), replace(NEW, tier=1, payments=3)
    declined, waits, offered = (decide_review(one, POLICY, PRODUCT) for one in (weak, referred, NEW))
    given = (3_000_00, 0, OPENED, ON, POLICY, PRODUCT)
    for now, before, cut in (
        (declined, declined, False),
        (offered, declined, False),
        (offered, waits, False),
        (offered, offered, False),
        (declined, waits, True),
        (declined, offered, True),
        (offered, None, True),
    ):
        outcome, _ = reviewed(now, now, *given, admitted=True, before=before)
        assert (outcome is ReviewOutcome.LOWERED) is cut, (now, before)


def test_a_price_that_a_grade_may_not_have_is_no_cut() -> None:
    dear = replace(POLICY, prices=tuple(replace(one, annualised_max_ppm=1) for one in POLICY.prices))
    assert decide_application(REGULAR, dear, PRODUCT).reasons == (ApplicationReason.RATE_CAP,)
    decision = decide_review(REGULAR, dear, PRODUCT)
    for limit_minor in (22_000_00, 10_000_00):
        kept = (ReviewOutcome.KEPT, limit_minor)
        used, on = limit_minor // 2, date(2027, 1, 1)
        assert (
            reviewed(decision, decision, limit_minor, used, OPENED, on, dear, PRODUCT, admitted=True) == kept
        )


@given(INPUTS, st.integers(500_00, 50_000_00), st.integers(0, 1_000_000))
def test_a_review_only_lowers_by_itself(inputs: Inputs, limit_minor: int, used_ppm: int) -> None:
    outcome, after = review(inputs, limit_minor, limit_minor * used_ppm // 1_000_000, date(2027, 2, 1))
    expected = {
        ReviewOutcome.OFFERED: after > limit_minor,
        ReviewOutcome.KEPT: after == limit_minor,
        ReviewOutcome.LOWERED: PRODUCT.limit.minimum_minor <= after < limit_minor,
    }
    assert expected[outcome]


def test_ages_and_review_dates() -> None:
    assert age_on(date(2008, 9, 3), date(2026, 9, 2)) == 17
    assert age_on(date(2008, 9, 3), date(2026, 9, 3)) == 18
    assert age_on(date(2008, 2, 29), date(2026, 2, 28)) == 17
    assert next_review_on(date(2026, 9, 3), 1) == date(2026, 10, 1)
    assert next_review_on(date(2026, 1, 31), None) == date(2026, 2, 28)


def test_each_consent_is_asked_for_in_its_own_version() -> None:
    assert problem_of_consents(POLICY.consents, POLICY) is None
    missing = problem_of_consents(POLICY.consents[1:], POLICY)
    assert missing is not None and POLICY.consents[0].purpose in missing.detail
    other = (*POLICY.consents, Consent("marketing", 1))
    unknown = problem_of_consents(other, POLICY)
    assert unknown is not None and unknown.errors[0].pointer == "/consents"
