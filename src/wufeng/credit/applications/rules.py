"""Who gets which limit, and why: admission, points, grade, limit. Pure; in whole numbers, rounded down.

Whoever is better by any one input never gets less: the policy's tables are monotone, and so is what is done with them.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from uuid import UUID

from msgspec.structs import replace

from wufeng.base.calendar import add_months
from wufeng.base.errors import Code, FieldError, Problem
from wufeng.credit.applications.model import (
    OPEN,
    REASON_ORDER,
    Application,
    ApplicationKind,
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
    Raised,
    Referred,
    ReviewOutcome,
)
from wufeng.credit.lines.model import LineStatus
from wufeng.credit.lines.rules import problem_of_mode, problem_of_person_max, problem_of_range
from wufeng.credit.products.ceiling import dearest_ppm
from wufeng.credit.products.model import STANDARD, Mode, Product

PPM = 1_000_000
DAYS_A_MONTH = 30
REASONS_MAX = 4
"""As many reasons are told of a score (RISK.md 1.4)."""


def decide_application(inputs: Inputs, policy: ApplicationPolicy, product: Product) -> Decision:
    """Offer a limit, refer to a person, or decline. Every check whose inputs exist runs; all points are told.

    A limit is never above the product's, the grade's, what can be repaid, or what one person may hold in all.
    """
    decision = decide_review(inputs, policy, product)
    if refused := refusals(inputs, policy, product):
        return Declined(decision.score, decision.points, refused)
    if isinstance(decision, Offered) and _too_dear(decision, product.at_tier(decision.tier)):
        return Declined(decision.score, decision.points, (ApplicationReason.RATE_CAP,))
    return decision


def decide_review(inputs: Inputs, policy: ApplicationPolicy, product: Product) -> Decision:
    """What score and means alone come to, for a line that is there: whoever may have nothing new for the moment keeps
    it, at its price. A limit is cut for a worse grade or what can be repaid. Source: RISK.md 1.2, limit management.
    """
    points = points_of(inputs, policy)
    score = sum(line.points for line in points)
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
    return Offered(score, points, weak, grade.code, price, limit_minor, steps, tier)


def refusals(inputs: Inputs, policy: ApplicationPolicy, product: Product) -> tuple[ApplicationReason, ...]:
    """Why nothing new may be given to a person now, whatever their score; empty: it may."""
    return in_order(_not_admitted(inputs, policy, product))


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
        (Bound.PERSON_MAX, left_for_person(inputs, policy)),
        (Bound.PRODUCT_MAX, product.limit.maximum_minor),
    )
    for bound, most_minor in bounds:
        if most_minor < limit_minor:
            limit_minor = most_minor
            steps.append(LimitStep(bound, limit_minor))
    rounded = _rounded(limit_minor, policy)
    return (*steps, LimitStep(Bound.ROUNDED, rounded)) if rounded < limit_minor else tuple(steps)


def affordable_minor(inputs: Inputs, policy: ApplicationPolicy) -> int:
    """The most that a limit may come to for its person to repay it over the policy's months; never below 0.

    What they repay elsewhere is taken off the month, and their other lines here, as if used whole, off all of it: what
    can be repaid is lent once (RISK.md 1.4, C08).
    """
    terms = policy.affordability
    declared = inputs.income_month_minor * terms.declared_ppm // PPM
    income = max(declared, _a_month(inputs.inflow_minor, policy))
    month = terms.presumed_minor + income * terms.income_share_ppm // PPM
    total_minor = max(0, month - inputs.repayments_elsewhere_month_minor) * terms.months
    return max(0, total_minor - inputs.others_minor)


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


def is_of(found: Application, order_id: UUID | None, mode: Mode | None, product: Product) -> bool:
    """Whether an application is the one that is asked for: of the same order, and in the same mode."""
    first = product.modes[0]
    return found.order_id == order_id and (found.mode or first) is (mode or first)


def may_go_on(found: Application, product: Product, policy: ApplicationPolicy) -> bool:
    """Whether an application under way can still come to a line. What was referred is offered by today's version.

    product  the version in force now
    """
    if lacking_consents(found, policy):
        return False
    return found.status is ApplicationStatus.REFERRED or found.product_version == product.version


def lacking_consents(found: Application, policy: ApplicationPolicy) -> tuple[Consent, ...]:
    """What the policy asks to agree to by now, and was not agreed to. A raise rests on what its line was opened by."""
    if found.kind is ApplicationKind.RAISE:
        return ()
    return tuple(consent for consent in policy.consents if consent not in found.consents)


def problem_of_acceptance(
    found: Application, sheet_hash: str, product: Product | None, policy: ApplicationPolicy
) -> Problem | None:
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
    if lacking_consents(found, policy):
        return Problem(Code.STATE_CONFLICT, "More has to be agreed to since: apply again.")
    return None


def problem_of_signer(before: Inputs, now: Inputs, product: Product, raised: Raised | None) -> Problem | None:
    """Why an offer cannot be signed for the moment: what the product asks for has gone since, or the line is not open.

    before  as it was decided: what staff then did without is not asked for again
    raised  the line whose limit is raised; None: a line is opened
    """
    if now.in_arrears:
        return Problem(Code.STATE_CONFLICT, "A bill is overdue: pay it first.")
    done_without = set(_conditions_not_met(before, product))
    if lacking := in_order(set(_conditions_not_met(now, product)) - done_without):
        return Problem(
            Code.STATE_CONFLICT, f"The product's conditions are not met now: {', '.join(lacking)}."
        )
    if raised is not None and raised.status is not LineStatus.OPEN:
        return Problem(Code.STATE_CONFLICT, f"This line is {raised.status.value}: its limit is not raised.")
    return None


def problem_of_offered(
    offer: Offered, now: Inputs, policy: ApplicationPolicy, raised: Raised | None
) -> Problem | None:
    """Why an offer is of a wrong limit by now: the line's was set anew, or other lines were opened or raised since.

    Staff may see further than the policy into what can be repaid; what one person may hold in all binds them too.
    """
    if raised is not None and raised.limit_minor != raised.reviewed_minor:
        detail = "The limit was set anew since this was offered: the next review looks at it again."
        return Problem(Code.STATE_CONFLICT, detail)
    most_minor = left_for_person(now, policy)
    if not by_staff(offer):
        most_minor = min(most_minor, affordable_minor(now, policy))
    if offer.limit_minor <= most_minor:
        return None
    again = "apply again" if raised is None else "the next review looks at it again"
    return Problem(Code.STATE_CONFLICT, f"With the other lines this limit is too much by now: {again}.")


def problem_of_offering(
    found: Application,
    limit_minor: int,
    product: Product | None,
    now: Inputs,
    policy: ApplicationPolicy,
) -> Problem | None:
    """Why staff may not offer that limit to a referred application.

    product  the version in force now, by which it is offered; None: there is none any more
    now      the person as they are
    """
    if product is None:
        return Problem(Code.STATE_CONFLICT, "This product is not given any more.")
    if lacking := lacking_consents(found, policy):
        names = ", ".join(consent.purpose for consent in lacking)
        return Problem(
            Code.STATE_CONFLICT, f"The applicant has to agree to more since, and to apply again: {names}."
        )
    if (
        problem := problem_of_range(limit_minor, product) or problem_of_mode(found.mode, product)
    ) is not None:
        return problem
    return problem_of_person_max(limit_minor, now.others_minor, policy.offer.person_max_minor)


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


def standing(now: Inputs, given: Inputs) -> Inputs:
    """A person as the limit of a line that is there is looked at: of their other lines no more counts than when the
    limit was given. What is lent beside it later was lent in the knowledge of it, and takes nothing of it.

    given  as the limit was decided: by the application that was signed last
    """
    return replace(now, others_minor=min(now.others_minor, given.others_minor))


def reviewed(
    stands: Decision,
    new: Decision,
    limit_minor: int,
    used_minor: int,
    opened_on: date,
    on: date,
    policy: ApplicationPolicy,
    product: Product,
    *,
    admitted: bool,
    before: Decision | None = None,
) -> tuple[ReviewOutcome, int]:
    """What a monthly review makes of a limit, and the limit it comes to (of a raise: the one that is offered).

    stands    of the person as a line that is there is looked at (`standing`): it cuts
    new       of the person with all their lines: it raises
    admitted  whether anything new may be given (`refusals`); if not, nothing is offered, and that alone is no cut
    before    what the policy itself made of the person when staff gave the limit; None: they did not. Staff saw further
              than the policy: such a limit is cut only where something has become worse since
    A cut takes effect at once and never goes below the product's minimum. A raise is only offered: nobody owes more
    than they signed for; and only to a limit that the product gives, which one that its person has lowered may not come
    to. A referral keeps the limit. Source: RISK.md 1.2, limit management.
    """
    if isinstance(stands, Referred):
        return ReviewOutcome.KEPT, limit_minor
    terms = policy.review
    given = stands.limit_minor if isinstance(stands, Offered) else product.limit.minimum_minor
    worse = before is None or _rank(stands) < _rank(before)
    if worse and given < limit_minor and given * PPM <= limit_minor * terms.cut_from_ppm:
        return ReviewOutcome.LOWERED, given
    if not admitted or not isinstance(new, Offered) or _too_dear(new, product):
        return ReviewOutcome.KEPT, limit_minor
    used_ppm = used_minor * PPM // limit_minor if limit_minor else 0
    in_use = terms.used_min_ppm <= used_ppm <= terms.used_max_ppm
    old_enough = on >= add_months(opened_on, terms.months_min)
    most = _rounded(limit_minor + limit_minor * terms.raise_max_ppm // PPM, policy)
    raised = min(new.limit_minor, most, product.limit.maximum_minor)
    given_by_product = problem_of_range(raised, product) is None
    if in_use and old_enough and given_by_product and raised > limit_minor:
        return ReviewOutcome.OFFERED, raised
    return ReviewOutcome.KEPT, limit_minor


def by_staff(decision: Decision) -> bool:
    """Whether staff gave a limit, and not the policy."""
    return isinstance(decision, Offered) and any(step.by is Bound.STAFF for step in decision.steps)


def _rank(decision: Decision) -> tuple[int, int]:
    """Decisions from the worst to the best."""
    if isinstance(decision, Offered):
        return 2, decision.limit_minor
    return int(isinstance(decision, Referred)), 0


def next_review_on(on: date, bill_day: int | None) -> date:
    """The bill day of the next month; for a line without one the same day of it."""
    return add_months(on, 1, bill_day)


def days_between(earlier: date, later: date) -> int:
    """Whole days from one date to another; 0 when the second is not later."""
    return max(0, (later - earlier) // timedelta(days=1))


def age_on(born_on: date, on: date) -> int:
    """Completed years of life. Born on 29 February: a year older on 1 March of common years."""
    return on.year - born_on.year - ((on.month, on.day) < (born_on.month, born_on.day))


def _too_dear(decision: Offered, product: Product) -> bool:
    """Whether the product costs more a year than the grade's price allows."""
    return dearest_ppm(product) > decision.price.annualised_max_ppm


def _not_admitted(inputs: Inputs, policy: ApplicationPolicy, product: Product) -> Iterable[ApplicationReason]:
    yield from _conditions_not_met(inputs, product)
    if inputs.declined >= policy.admission.declined_max:
        yield ApplicationReason.TOO_MANY_APPLICATIONS


def _conditions_not_met(inputs: Inputs, product: Product) -> Iterable[ApplicationReason]:
    """What has to be so when an application is decided, and still when its offer is signed."""
    opening = product.opening
    checks = (
        (inputs.frozen, ApplicationReason.PAYER_FROZEN),
        (inputs.in_arrears, ApplicationReason.LINE_IN_ARREARS),
        (inputs.age_years < opening.age_min, ApplicationReason.AGE_BELOW_MINIMUM),
        (inputs.tier < opening.tier_min, ApplicationReason.TIER_TOO_LOW),
        (opening.own_bank_account and not inputs.bank_accounts, ApplicationReason.BANK_ACCOUNT_MISSING),
    )
    return (reason for refused, reason in checks if refused)


def _too_little(inputs: Inputs, policy: ApplicationPolicy, product: Product) -> Iterable[ApplicationReason]:
    """Which bound alone is below the least that the product gives."""
    least = product.limit.minimum_minor
    if affordable_minor(inputs, policy) < least:
        yield ApplicationReason.AFFORDABILITY
    if left_for_person(inputs, policy) < least:
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


def left_for_person(inputs: Inputs, policy: ApplicationPolicy) -> int:
    """What is left for one more line of what one person may hold in all; never below 0 (PRODUCTS.md 3.2)."""
    return max(0, policy.offer.person_max_minor - inputs.others_minor)


def _a_month(amount_minor: int, policy: ApplicationPolicy) -> int:
    return amount_minor * DAYS_A_MONTH // policy.admission.history_days


def _rounded(amount_minor: int, policy: ApplicationPolicy) -> int:
    return amount_minor - amount_minor % policy.offer.step_minor
