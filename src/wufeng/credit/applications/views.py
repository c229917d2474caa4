"""Applications and reviews as the API shows them. Pure; amounts in minor units, rates in ppm."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal

from msgspec import Struct

from wufeng.base.ids import Prefix, encode
from wufeng.credit.applications.model import (
    Application,
    ApplicationKind,
    ApplicationPolicy,
    ApplicationReason,
    ApplicationStatus,
    Decision,
    LineReview,
    Offered,
    ReviewOutcome,
)
from wufeng.credit.applications.papers import CONTRACT_VERSION, payable_scene
from wufeng.credit.applications.texts import (
    consent_text,
    consent_title,
    points_text,
    reason_text,
    step_text,
    text_of,
)
from wufeng.credit.offers import LateTerms, PriceOption, late_terms, offers
from wufeng.credit.products.ceiling import in_time_ppm
from wufeng.credit.products.model import Mode, Product
from wufeng.credit.texts import tier_name


class ApplicationReasonView(Struct, frozen=True):
    """One reason: its code, its adverse action (RISK.md 1.4) and its text."""

    code: str
    adverse_action: str
    text: str


class GivenConsentView(Struct, frozen=True):
    """What was agreed to with an application; withdrawn_at: when it was taken back."""

    purpose: str
    version: int
    title: str
    withdrawn_at: datetime | None


class PointsView(Struct, frozen=True):
    """One addend of the score: so many of `most` points, for this value."""

    code: str
    value: int
    points: int
    most: int
    text: str


class LimitStepView(Struct, frozen=True):
    """How the limit came about: what it was after this step."""

    code: str
    limit_minor: int
    text: str


class PriceTierView(Struct, frozen=True):
    """The price list of the product that was given, why, and the policy's ceiling: nothing of it is dearer a year."""

    tier: str
    annualised_max_ppm: int
    name: str
    text: str


class PaperView(Struct, frozen=True):
    """A document: the SHA-256 (hex) of its bytes, and where it is read (JSON, PDF)."""

    hash: str
    url: str
    version: int


class ApplicationView(Struct, frozen=True, kw_only=True):
    """An application (API.md): its state, and all that it was decided from.

    order_minor  the order's amount, of an application made for one; the limit may be less
    mode         how what is bought becomes due: each order by itself, or all on one bill a month
    expires_at   until when an offer may be accepted, or a referral waits
    """

    id: str
    object: Literal["application"] = "application"
    created_at: datetime
    person: str
    kind: ApplicationKind
    product: str
    product_version: int
    name: str
    status: ApplicationStatus
    currency: str
    limit_minor: int | None
    grade: str | None
    score: int
    price: PriceTierView | None
    reasons: tuple[ApplicationReasonView, ...]
    points: tuple[PointsView, ...]
    limit_steps: tuple[LimitStepView, ...]
    policy: str
    consents: tuple[GivenConsentView, ...]
    order: str | None
    order_minor: int | None
    mode: Mode
    line: str | None
    sheet: PaperView | None
    contract: PaperView | None
    expires_at: datetime | None
    decided_at: datetime
    accepted_at: datetime | None


class ConsentView(Struct, frozen=True):
    """What is to be agreed to."""

    purpose: str
    version: int
    title: str
    text: str


class PriceView(Struct, frozen=True):
    """What paying in so many parts costs a year, by the four methods of `plans.yearly`."""

    tenor: int
    annualised_rate_ppm: int
    effective_rate_ppm: int
    eu_rate_ppm: int
    us_rate_ppm: int | None


class LenderTermsView(Struct, frozen=True):
    """Who lends, and which part of every draw."""

    name: str
    share_ppm: int


class ModeView(Struct, frozen=True):
    """One way in which what is bought on a line becomes due."""

    mode: Mode
    text: str


class ProductTermsView(Struct, frozen=True, kw_only=True):
    """The key terms of a product that may be applied for.

    prices       of the product's highest limit, when all is paid in time      daily_ppm  from the day of use; 0: none
    late_terms   what is taken after the due date, a day and a year
    modes        how what is bought becomes due, the one that nobody need ask for first
    """

    product: str
    version: int
    name: str
    currency: str
    minimum_minor: int
    maximum_minor: int
    annualised_max_ppm: int
    prices: tuple[PriceView, ...]
    daily_ppm: int
    late_terms: LateTerms
    modes: tuple[ModeView, ...]
    tier_min: int
    age_min: int
    own_bank_account: bool
    lenders: tuple[LenderTermsView, ...]


class ApplicationTermsView(Struct, frozen=True, kw_only=True):
    """What may be applied for, and what has to be agreed to for it."""

    object: Literal["application_terms"] = "application_terms"
    policy: str
    consents: tuple[ConsentView, ...]
    products: tuple[ProductTermsView, ...]


class LineReviewView(Struct, frozen=True, kw_only=True):
    """One monthly review of a line. `application` is the offer of a higher limit."""

    id: str
    object: Literal["line_review"] = "line_review"
    created_at: datetime
    line: str
    reviewed_on: date
    outcome: ReviewOutcome
    before_minor: int
    limit_minor: int
    score: int
    reasons: tuple[ApplicationReasonView, ...]
    points: tuple[PointsView, ...]
    policy: str
    application: str | None


def view_application(
    found: Application, product: Product, policy: ApplicationPolicy, language: str
) -> ApplicationView:
    """An application in one language. product: the version that it names."""
    id_ = encode(Prefix.APPLICATION, found.id)
    decision = found.decision
    offered = decision if isinstance(decision, Offered) else None
    return ApplicationView(
        id=id_,
        created_at=found.created_at,
        person=encode(Prefix.PERSON, found.person_id),
        kind=found.kind,
        product=found.product,
        product_version=found.product_version,
        name=product.name.zh if language.startswith("zh") else product.name.en,
        status=found.status,
        currency=found.currency,
        limit_minor=found.limit_minor,
        grade=offered.grade if offered else None,
        score=decision.score,
        price=_price_tier(offered, found.kind, product, language) if offered else None,
        reasons=view_reasons(decision.reasons, language),
        points=_points(decision, policy, found.currency, language),
        limit_steps=_steps(offered, language) if offered else (),
        policy=found.policy,
        consents=_given(found, language),
        order=encode(Prefix.ORDER, found.order_id) if found.order_id else None,
        order_minor=found.order_minor,
        mode=found.mode or product.modes[0],
        line=encode(Prefix.LINE, found.line_id) if found.line_id else None,
        sheet=PaperView(found.sheet.hash, f"/v1/applications/{id_}/sheet", 1) if found.sheet else None,
        contract=_contract(found, id_),
        expires_at=found.expires_at,
        decided_at=found.decided_at,
        accepted_at=found.accepted_at,
    )


def _given(found: Application, language: str) -> tuple[GivenConsentView, ...]:
    return tuple(
        GivenConsentView(
            one.purpose, one.version, consent_title(one, language), found.withdrawn.get(one.purpose)
        )
        for one in found.consents
    )


def view_reasons(reasons: Sequence[ApplicationReason], language: str) -> tuple[ApplicationReasonView, ...]:
    """Reasons for a reader, in their order."""
    views = []
    for reason in reasons:
        text = reason_text(reason)
        said = text.zh if language.startswith("zh") else text.en
        views.append(ApplicationReasonView(reason.value, text.adverse_action, said))
    return tuple(views)


def view_consents(policy: ApplicationPolicy, language: str) -> tuple[ConsentView, ...]:
    """What an applicant is asked to agree to, one by one."""
    return tuple(
        ConsentView(one.purpose, one.version, consent_title(one, language), consent_text(one, language))
        for one in policy.consents
    )


def view_terms(product: Product, on: date, language: str) -> ProductTermsView:
    """The key terms of a product."""
    chinese = language.startswith("zh")
    options = offers(product, product.limit.maximum_minor, payable_scene(product), on)
    daily_ppm = product.interest.daily_ppm
    rates = [in_time_ppm(product), *(option.annualised_rate_ppm for option in options)]
    return ProductTermsView(
        product=product.id,
        version=product.version,
        name=product.name.zh if chinese else product.name.en,
        currency=product.currency,
        minimum_minor=product.limit.minimum_minor,
        maximum_minor=product.limit.maximum_minor,
        annualised_max_ppm=max(rates),
        prices=tuple(map(view_price, options)),
        daily_ppm=daily_ppm,
        late_terms=late_terms(product),
        modes=tuple(ModeView(mode, text_of(f"mode_{mode}", language)) for mode in product.modes),
        tier_min=product.opening.tier_min,
        age_min=product.opening.age_min,
        own_bank_account=product.opening.own_bank_account,
        lenders=tuple(
            LenderTermsView(share.name.zh if chinese else share.name.en, share.share_ppm)
            for share in product.lenders
        ),
    )


def view_review(found: LineReview, currency: str, policy: ApplicationPolicy, language: str) -> LineReviewView:
    """A review in one language."""
    return LineReviewView(
        id=encode(Prefix.LINE_REVIEW, found.id),
        created_at=found.at,
        line=encode(Prefix.LINE, found.line_id),
        reviewed_on=found.reviewed_on,
        outcome=found.outcome,
        before_minor=found.before_minor,
        limit_minor=found.limit_minor,
        score=found.decision.score,
        reasons=view_reasons(found.decision.reasons, language),
        points=_points(found.decision, policy, currency, language),
        policy=found.policy,
        application=encode(Prefix.APPLICATION, found.application_id) if found.application_id else None,
    )


def _price_tier(offered: Offered, kind: ApplicationKind, product: Product, language: str) -> PriceTierView:
    name = tier_name(product, offered.tier)
    said = name.zh if language.startswith("zh") else name.en
    code = "price_kept" if kind is ApplicationKind.RAISE else "price_given"
    text = text_of(code, language, grade=offered.grade, tier=said)
    return PriceTierView(offered.tier, offered.price.annualised_max_ppm, said, text)


def view_price(option: PriceOption) -> PriceView:
    """What one way to pay costs a year."""
    rates = option.rates
    return PriceView(option.tenor, rates.annualised_ppm, rates.effective_ppm, rates.eu_ppm, rates.us_ppm)


def _contract(found: Application, id_: str) -> PaperView | None:
    if found.contract is None:
        return None
    return PaperView(found.contract.hash, f"/v1/applications/{id_}/contract", CONTRACT_VERSION)


def _points(
    decision: Decision, policy: ApplicationPolicy, currency: str, language: str
) -> tuple[PointsView, ...]:
    days = policy.admission.history_days
    return tuple(
        PointsView(
            line.of.value, line.value, line.points, line.most, points_text(line, days, currency, language)
        )
        for line in decision.points
    )


def _steps(offered: Offered, language: str) -> tuple[LimitStepView, ...]:
    return tuple(
        LimitStepView(step.by.value, step.limit_minor, step_text(step, offered.grade, language))
        for step in offered.steps
    )
