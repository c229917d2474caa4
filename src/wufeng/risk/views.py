"""Decisions as people read them: staff all of it, a person their own part."""

from datetime import datetime
from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from wufeng.base.ids import Prefix, encode
from wufeng.risk.model import Decision
from wufeng.risk.texts import ReasonView, view_reasons


class RecentView(Struct, frozen=True):
    """One earlier payment that was counted."""

    at_s: int
    amount_minor: int


class FeaturesView(Struct, frozen=True):
    """What was known of the payer when deciding. `day_on` is the business date's ordinal; 0: no history."""

    recent: tuple[RecentView, ...]
    day_on: int
    day_count: int
    day_minor: int
    day_no_pin_minor: int
    lifetime_count: int


class Versions(Struct, frozen=True):
    """What decided: `payment@1`, `monthly_bill@1`."""

    policy: str
    product: str | None


class DecisionView(Struct, frozen=True, kw_only=True):
    """A decision. Features, rules and versions are for staff: they would teach how to get round them."""

    id: str
    object: Literal["decision"] = "decision"
    created_at: datetime
    payment: str
    payer: str
    merchant: str
    amount_minor: int
    outcome: str
    confirmed_by: str
    reasons: tuple[ReasonView, ...]
    features: FeaturesView | UnsetType = UNSET
    rules: tuple[str, ...] | UnsetType = UNSET
    versions: Versions | UnsetType = UNSET


def view_for_person(decision: Decision, language: str) -> DecisionView:
    """A person's own part: what was decided, and why."""
    return DecisionView(
        id=encode(Prefix.DECISION, decision.id),
        created_at=decision.at,
        payment=encode(Prefix.PAYMENT, decision.payment_id),
        payer=encode(Prefix.PERSON, decision.payer_id),
        merchant=encode(Prefix.MERCHANT, decision.merchant_id),
        amount_minor=decision.amount_minor,
        outcome=decision.outcome.code,
        confirmed_by=decision.confirmation.code,
        reasons=view_reasons(decision.reasons, language, for_merchant=False),
    )


def view_for_staff(decision: Decision, language: str) -> DecisionView:
    """All that is kept: enough to explain the decision and to compute it again."""
    own = view_for_person(decision, language)
    features = decision.features
    return DecisionView(
        id=own.id,
        created_at=own.created_at,
        payment=own.payment,
        payer=own.payer,
        merchant=own.merchant,
        amount_minor=own.amount_minor,
        outcome=own.outcome,
        confirmed_by=own.confirmed_by,
        reasons=own.reasons,
        features=FeaturesView(
            tuple(
                RecentView(at_s, minor)
                for at_s, minor in zip(features.recent_at_s, features.recent_minor, strict=True)
            ),
            features.day_on,
            features.day_count,
            features.day_minor,
            features.day_no_pin_minor,
            features.lifetime_count,
        ),
        rules=decision.rules,
        versions=Versions(decision.policy, decision.product),
    )
