"""Who gets which limit, and why: admission, points, grade, limit. Pure; in whole numbers, rounded down.

Whoever is better by any one input never gets less: the policy's tables are monotone, and so is what is done with them.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from wufeng.base.calendar import add_months
from wufeng.base.errors import Code, FieldError, Problem
from wufeng.credit.applications.model import (
    OPEN,
    REASON_ORDER,
    Application,
    ApplicationPolicy,
    ApplicationReason,
    ApplicationStatus,
    Bound,
    Consent,
    Decision,
    Declined,
    Grade,
    Inputs,
    LimitStep,
    Offered,
    PointsLine,
    Referred,
    ReviewOutcome,
)
from wufeng.credit.products.ceiling import dearest_ppm
from wufeng.credit.products.model import STANDARD, Product

PPM = 1_000_000
DAYS_A_MONTH = 30
REASONS_MAX = 4
"""As many reasons are told of a score (RISK.md 1.4)."""


def decide_application(inputs: Inputs, policy: ApplicationPolicy, product: Product) -> Decision:
    """Offer a limit, refer to a person, or decline. Every check whose inputs exist runs; all points are told.

    A limit is never above the product's, the grade's, what can be repaid, or what one person may hold in all.
    """
    points = points_of(inputs, policy)
    score = sum(line.points for line in points)
    refused = in_order(_not_admitted(inputs, policy, product))
    if refused:
        return Declined(score, points, refused)
    weak = _weakest(points, policy)
    grade = _grade(score, policy)
    if grade is None:
        kind = Referred if score >= policy.offer.refer_from else Declined
        return kind(score, points, weak)
    price = policy.price(grade.price)
    steps = limit_steps(inputs, grade, policy, product)
    limit_minor = steps[-1].limit_minor
    if limit_minor < product.limit.minimum_minor:
        return Declined(score, points, in_order(_too_little(inputs, policy, product)) or weak)
    tier = tier_given(product, price.name)
    if dearest_ppm(product.at_tier(tier)) > price.annualised_max_ppm:
        return Declined(score, points, (ApplicationReason.RATE_CAP,))
    return Offered(score, points, weak, grade.code, price, limit_minor, steps, tier)


def tier_given(product: Product, name: str) -> str:
    """The price list of a product that a grade's price comes to: its own of that name, else the standard one."""
    return STANDARD if product.tier(name) is None else name


def points_of(inputs: Inputs, policy: ApplicationPolicy) -> tuple[PointsLine, ...]:
    """The addends of the score, in the policy's order."""
    lines = []
    for rule in policy.points:
        value = getattr(inputs, rule.of.value)
        points = next((band.points for band in reversed(rule.bands) if value >= band.from_), 0)
        lines.append(PointsLine(rule.of, value, points, rule.most))
    return tuple(lines)


def limit_steps(
    inputs: Inputs, grade: Grade, policy: ApplicationPolicy, product: Product
) -> tuple[LimitStep, ...]:
    """How a limit comes about: what the grade gives, then each bound that lowers it, then rounding down."""
    limit_minor = grade.base_minor
    steps = [LimitStep(Bound.GRADE, limit_minor)]
    spent = _a_month(inputs.paid_minor, policy) * grade.spending_ppm // PPM
    if spent:
        limit_minor += spent
        steps.append(LimitStep(Bound.SPENDING, limit_minor))
    bounds = (
        (Bound.GRADE_MAX, grade.max_minor),
        (Bound.AFFORDABILITY, affordable_minor(inputs, policy)),
        (Bound.PERSON_MAX, _left_for_person(inputs, policy)),
        (Bound.PRODUCT_MAX, product.limit.maximum_minor),
    )
    for bound, most_minor in bounds:
        if most_minor < limit_minor:
            limit_minor = most_minor
            steps.append(LimitStep(bound, limit_minor))
    rounded = _rounded(limit_minor, policy)
    return (*steps, LimitStep(Bound.ROUNDED, rounded)) if rounded < limit_minor else tuple(steps)


def affordable_minor(inputs: Inputs, policy: ApplicationPolicy) -> int:
    """The most that a person could repay over the policy's months, after what they repay elsewhere; never below 0."""
    terms = policy.affordability
    declared = inputs.income_month_minor * terms.declared_ppm // PPM
    income = max(declared, _a_month(inputs.inflow_minor, policy))
    month = terms.presumed_minor + income * terms.income_share_ppm // PPM
    return max(0, month - inputs.repayments_elsewhere_month_minor) * terms.months


def in_order(reasons: Iterable[ApplicationReason]) -> tuple[ApplicationReason, ...]:
    """Reasons in their one order, each once."""
    return tuple(sorted(set(reasons), key=REASON_ORDER.__getitem__))


def problem_of_consents(given: Iterable[Consent], policy: ApplicationPolicy) -> Problem | None:
    """Which consents are missing, or are to a text that is not the policy's."""
    agreed = set(given)
    missing = [consent for consent in policy.consents if consent not in agreed]
    unknown = agreed - set(policy.consents)
    if not missing and not unknown:
        return None
    wrong = missing or sorted(unknown, key=lambda consent: consent.purpose)
    names = ", ".join(f"{consent.purpose} (version {consent.version})" for consent in wrong)
    detail = f"{'Agree to' if missing else 'This is not asked for'}: {names}."
    return Problem(Code.INVALID_FIELD, detail, errors=(FieldError("/consents", detail),))


def problem_of_acceptance(found: Application, sheet_hash: str, product: Product | None) -> Problem | None:
    """Why an application cannot be accepted; None when its offer stands. Whether it has lapsed is asked before.

    product  the version in force now; None: there is none any more
    """
    if found.status is not ApplicationStatus.OFFERED or found.sheet is None:
        return Problem(Code.STATE_CONFLICT, f"This application is {found.status.value}.")
    if sheet_hash != found.sheet.hash:
        detail = "It is not the hash of this application's sheet: read the sheet again."
        return Problem(Code.INVALID_FIELD, detail, errors=(FieldError("/sheet_hash", detail),))
    if product is None or product.version != found.product_version:
        return Problem(Code.STATE_CONFLICT, "The product's terms have changed since: apply again.")
    return None


def problem_of_referral(found: Application, at: datetime, policy: ApplicationPolicy) -> Problem | None:
    """Why a declined application may not be looked at by a person: one has done so, or it is too long ago.

    Source: PIPL Art. 24, who is decided about may refuse a decision made only automatically (PRODUCTS.md 3.6).
    """
    if found.status is not ApplicationStatus.DECLINED:
        return Problem(Code.STATE_CONFLICT, f"This application is {found.status.value}.")
    if found.withdrawn:
        return Problem(Code.STATE_CONFLICT, "A consent of this application was withdrawn: apply again.")
    if ApplicationReason.DECLINED_BY_STAFF in found.decision.reasons:
        return Problem(Code.STATE_CONFLICT, "A person has looked at this application already.")
    if at >= found.decided_at + timedelta(days=policy.offer.days):
        return Problem(
            Code.STATE_CONFLICT, f"It was decided more than {policy.offer.days} days ago: apply again."
        )
    return None


def ends_with(found: Application) -> bool:
    """Whether an application itself is over when a consent is withdrawn: one that waits for anything."""
    return found.status in OPEN


def needs(purpose: str, policy: ApplicationPolicy) -> bool:
    """Whether the policy gives credit only with this consent: without it nothing more is decided, and nothing drawn."""
    return any(consent.purpose == purpose for consent in policy.consents)


def problem_of_withdrawal(found: Application, purpose: str) -> Problem | None:
    """Why there is nothing to withdraw: the consent was never given.

    Source: PIPL Art. 15 and 16: a consent may be withdrawn at any time; what was done by it stands (PRODUCTS.md 3.6).
    """
    if any(consent.purpose == purpose for consent in found.consents):
        return None
    given = ", ".join(consent.purpose for consent in found.consents)
    detail = f"Consents of this application: {given}."
    return Problem(Code.INVALID_FIELD, detail, errors=(FieldError("/purpose", detail),))


def reviewed(
    decision: Decision,
    limit_minor: int,
    used_minor: int,
    opened_on: date,
    on: date,
    policy: ApplicationPolicy,
    product: Product,
) -> tuple[ReviewOutcome, int]:
    """What a monthly review makes of a limit, and the limit it comes to (of a raise: the one that is offered).

    A cut takes effect at once and never goes below the product's minimum. A raise is only offered: nobody owes more
    than they signed for. A referral keeps the limit. Source: RISK.md 1.2, limit management.
    """
    if isinstance(decision, Referred):
        return ReviewOutcome.KEPT, limit_minor
    terms = policy.review
    given = decision.limit_minor if isinstance(decision, Offered) else product.limit.minimum_minor
    if given < limit_minor and given * PPM <= limit_minor * terms.cut_from_ppm:
        return ReviewOutcome.LOWERED, given
    used_ppm = used_minor * PPM // limit_minor if limit_minor else 0
    in_use = terms.used_min_ppm <= used_ppm <= terms.used_max_ppm
    old_enough = on >= add_months(opened_on, terms.months_min)
    most = _rounded(limit_minor + limit_minor * terms.raise_max_ppm // PPM, policy)
    raised = min(given, most, product.limit.maximum_minor)
    if in_use and old_enough and raised > limit_minor:
        return ReviewOutcome.OFFERED, raised
    return ReviewOutcome.KEPT, limit_minor


def next_review_on(on: date, bill_day: int | None) -> date:
    """The bill day of the next month; for a line without one the same day of it."""
    return add_months(on, 1, bill_day)


def days_between(earlier: date, later: date) -> int:
    """Whole days from one date to another; 0 when the second is not later."""
    return max(0, (later - earlier) // timedelta(days=1))


def age_on(born_on: date, on: date) -> int:
    """Completed years of life. Born on 29 February: a year older on 1 March of common years."""
    return on.year - born_on.year - ((on.month, on.day) < (born_on.month, born_on.day))


def _not_admitted(inputs: Inputs, policy: ApplicationPolicy, product: Product) -> Iterable[ApplicationReason]:
    opening = product.opening
    checks = (
        (inputs.frozen, ApplicationReason.PAYER_FROZEN),
        (inputs.in_arrears, ApplicationReason.LINE_IN_ARREARS),
        (inputs.age_years < opening.age_min, ApplicationReason.AGE_BELOW_MINIMUM),
        (inputs.tier < opening.tier_min, ApplicationReason.TIER_TOO_LOW),
        (opening.own_bank_account and not inputs.bank_accounts, ApplicationReason.BANK_ACCOUNT_MISSING),
        (inputs.declined >= policy.admission.declined_max, ApplicationReason.TOO_MANY_APPLICATIONS),
    )
    return (reason for refused, reason in checks if refused)


def _too_little(inputs: Inputs, policy: ApplicationPolicy, product: Product) -> Iterable[ApplicationReason]:
    """Which bound alone is below the least that the product gives."""
    least = product.limit.minimum_minor
    if affordable_minor(inputs, policy) < least:
        yield ApplicationReason.AFFORDABILITY
    if _left_for_person(inputs, policy) < least:
        yield ApplicationReason.LIMIT_EXCEEDED


def _weakest(points: tuple[PointsLine, ...], policy: ApplicationPolicy) -> tuple[ApplicationReason, ...]:
    """The reasons of the characteristics that lack most points, at most four."""
    reasons = {rule.of: rule.reason for rule in policy.points}
    lacking = sorted(
        (line for line in points if line.points < line.most), key=lambda line: line.points - line.most
    )
    strongest = dict.fromkeys(reasons[line.of] for line in lacking)
    return in_order(list(strongest)[:REASONS_MAX])


def _grade(score: int, policy: ApplicationPolicy) -> Grade | None:
    return next((grade for grade in reversed(policy.grades) if score >= grade.score_min), None)


def _left_for_person(inputs: Inputs, policy: ApplicationPolicy) -> int:
    return max(0, policy.offer.person_max_minor - inputs.others_minor)


def _a_month(amount_minor: int, policy: ApplicationPolicy) -> int:
    return amount_minor * DAYS_A_MONTH // policy.admission.history_days


def _rounded(amount_minor: int, policy: ApplicationPolicy) -> int:
    return amount_minor - amount_minor % policy.offer.step_minor
