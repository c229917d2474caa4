"""Payment decisions: pure functions of facts, features and a policy."""

from bisect import bisect_right
from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from wufeng.risk.model import (
    OUTCOMES,
    REASON_ORDER,
    Confirmation,
    Features,
    Measure,
    Outcome,
    PaymentFacts,
    Policy,
    Reason,
    VelocityRule,
    Verdict,
)

RECENT_KEPT = 32


def in_order(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Reasons in API.md's order, each once, whatever order they were found in."""
    return tuple(sorted(set(reasons), key=REASON_ORDER.__getitem__))


class DaySums(Struct, frozen=True, gc=False):
    """What a payer has paid on a business date."""

    count: int = 0
    paid_minor: int = 0
    no_pin_minor: int = 0


def sums_on(features: Features, on: int) -> DaySums:
    """What the day's sums are for a payment of a business date (an ordinal). Those of an earlier date count as
    nothing; those of a later one count: the payment was late for its day, or another process' clock is ahead.
    """
    if features.day_on < on:
        return DaySums()
    return DaySums(features.day_count, features.day_minor, features.day_no_pin_minor)


def confirmation_needed(amount_minor: int, features: Features, on: int, policy: Policy) -> Confirmation:
    """The weakest confirmation that a payment takes: a session within the no-PIN limits, else what the steps ask.

    on  the business date as an ordinal: sums of an earlier date count as nothing
    """
    spent = sums_on(features, on).no_pin_minor
    without_pin = (
        amount_minor <= policy.no_pin.payment_max_minor
        and spent + amount_minor <= policy.no_pin.day_max_minor
    )
    asked = Confirmation.SESSION if without_pin else Confirmation.PIN
    for step in policy.step_up:
        if amount_minor > step.above_minor:
            asked = max(asked, step.confirmation)
    return asked


def lacks_confirmation(
    confirmation: Confirmation,
    amount_minor: int,
    features: Features,
    on: int,
    policy: Policy,
    least: Confirmation = Confirmation.NONE,
) -> Confirmation | None:
    """What the payer must still prove; None: what they have proved will do.

    least  what the payer is asked for in any case
    """
    if not policy.step_up and confirmation >= max(Confirmation.PIN, least):
        return None
    needed = max(confirmation_needed(amount_minor, features, on, policy), least)
    return None if confirmation >= needed else needed


def judge(
    facts: PaymentFacts, features: Features, listed: Collection[tuple[str, UUID]], policy: Policy
) -> Verdict:
    """Judge one payment by hard blocks, limits, lists and velocity. Every check runs; the strongest outcome wins.

    listed  (list, id) of the payer and the merchant, as far as they stand on lists
    """
    reasons: list[Reason] = []
    rules: list[str] = []
    outcome = Outcome.ALLOW

    if facts.payer_frozen:
        reasons.append(Reason.PAYER_FROZEN)
    if facts.merchant_closed:
        reasons.append(Reason.MERCHANT_CLOSED)
    if _over_limits(facts, features, policy):
        reasons.append(Reason.TIER_LIMIT)
    if reasons:
        outcome = Outcome.DECLINE

    if listed:
        for rule in policy.lists:
            if (rule.list, facts.payer_id) in listed or (rule.list, facts.merchant_id) in listed:
                outcome = _hit(rule.id, rule.then, rule.reason, outcome, rules, reasons)
    at_s = int(facts.at.timestamp())
    for velocity in policy.velocity:
        if _velocity_hits(velocity, facts.amount_minor, at_s, features):
            outcome = _hit(velocity.id, velocity.then, velocity.reason, outcome, rules, reasons)
    if facts.test_outcome is not None:
        outcome = _hit(
            "test_person", facts.test_outcome.code, Reason.UNUSUAL_PAYMENT, outcome, rules, reasons
        )

    if outcome is Outcome.STEP_UP and facts.confirmation >= Confirmation.PIN:
        outcome = Outcome.ALLOW  # the stronger proof was given
    return Verdict(outcome, in_order(reasons) if outcome is not Outcome.ALLOW else (), tuple(rules))


def _hit(
    rule_id: str, then: str, reason: Reason, outcome: Outcome, rules: list[str], reasons: list[Reason]
) -> Outcome:
    rules.append(rule_id)
    reasons.append(reason)
    return max(outcome, OUTCOMES[then])


def _over_limits(facts: PaymentFacts, features: Features, policy: Policy) -> bool:
    day = sums_on(features, facts.on.toordinal())
    return (
        facts.amount_minor > policy.limits.payment_max_minor
        or day.paid_minor + facts.amount_minor > policy.limits.day_max_minor
        or day.count + 1 > policy.limits.day_count_max
    )


def _velocity_hits(rule: VelocityRule, amount_minor: int, at_s: int, features: Features) -> bool:
    """Whether this payment and those in the window (t − window, t] before it are more than the rule takes."""
    below = rule.below_minor
    if below is not None and amount_minor >= below:
        return False
    first = bisect_right(features.recent_at_s, at_s - rule.window_s)
    counted = features.recent_minor[first:]
    if below is not None:
        counted = tuple(minor for minor in counted if minor < below)
    measured = len(counted) + 1 if rule.measure is Measure.COUNT else sum(counted) + amount_minor
    return measured > rule.over


def fold_payment(
    features: Features, amount_minor: int, at: datetime, on: int, confirmation: Confirmation
) -> Features:
    """The features after a payment that was let through; sums of an earlier business date start again.

    Instants and dates stay in order even when a command waited and came with an earlier one than its neighbour's.
    """
    day = sums_on(features, on)
    no_pin_minor = amount_minor if Confirmation.NONE < confirmation < Confirmation.PIN else 0
    at_s = int(at.timestamp())
    if features.recent_at_s and features.recent_at_s[-1] > at_s:
        at_s = features.recent_at_s[-1]
    return Features(
        (*features.recent_at_s[1 - RECENT_KEPT :], at_s),
        (*features.recent_minor[1 - RECENT_KEPT :], amount_minor),
        max(features.day_on, on),
        day.count + 1,
        day.paid_minor + amount_minor,
        day.no_pin_minor + no_pin_minor,
        features.lifetime_count + 1,
    )
