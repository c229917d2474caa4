"""Judging payments: limits, lists, velocity, the no-PIN limits; features folded payment by payment."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from wufeng.risk.model import (
    NO_HISTORY,
    Confirmation,
    Features,
    Limits,
    ListRule,
    Measure,
    NoPin,
    Outcome,
    PaymentFacts,
    Policy,
    Reason,
    StepUp,
    VelocityRule,
)
from wufeng.risk.rules import RECENT_KEPT, fold_payment, in_order, judge, lacks_confirmation
from wufeng.risk.store import pack, unpack

NOON = datetime(2026, 9, 3, 4, tzinfo=UTC)
NOON_S = int(NOON.timestamp())
TODAY = date(2026, 9, 3)
PAYER, SHOP = UUID(int=1), UUID(int=2)
BARE = Policy(
    id="p", version=1, effective_from=NOON, no_pin=NoPin(200_00, 500_00), limits=Limits(1_000_00, 3_000_00, 4)
)
BURST = VelocityRule(id="V1", measure=Measure.COUNT, window_s=600, below_minor=50_00, over=3, then="step_up")
SUM = VelocityRule(id="V2", measure=Measure.AMOUNT, window_s=3600, over=900_00, then="decline")


def facts(amount_minor: int = 10_00, confirmation: Confirmation = Confirmation.SESSION) -> PaymentFacts:
    return PaymentFacts(
        payer_id=PAYER, merchant_id=SHOP, amount_minor=amount_minor, at=NOON, on=TODAY,
        confirmation=confirmation, payer_frozen=False, merchant_closed=False, test_outcome=None,
    )  # fmt: skip


def today(count: int, minor: int, no_pin_minor: int = 0) -> Features:
    return Features((), (), TODAY.toordinal(), count, minor, no_pin_minor, count)


def earlier(*payments: tuple[int, int]) -> Features:
    """Payments (seconds ago, minor units), the oldest first."""
    return Features(tuple(NOON_S - ago for ago, _ in payments), tuple(minor for _, minor in payments))


@pytest.mark.parametrize(
    ("amount", "features", "declined"),
    [
        (1_000_00, NO_HISTORY, False),
        (1_000_01, NO_HISTORY, True),  # one payment
        (1_00, today(1, 2_999_00), False),
        (1_01, today(1, 2_999_00), True),  # the sum of the date
        (1_00, today(3, 3_00), False),
        (1_00, today(4, 4_00), True),  # the count of the date
        (
            1_00,
            replace(today(4, 3_000_00), day_on=TODAY.toordinal() - 1),
            False,
        ),  # yesterday's count as nothing
    ],
)
def test_limits(amount: int, features: Features, declined: bool) -> None:
    verdict = judge(facts(amount), features, (), BARE)
    assert (verdict.outcome is Outcome.DECLINE) is declined
    assert verdict.reasons == ((Reason.TIER_LIMIT,) if declined else ())


@pytest.mark.parametrize(
    ("amount", "features", "hits"),
    [
        (10_00, earlier((599, 1_00), (300, 1_00), (1, 1_00)), True),
        (10_00, earlier((599, 1_00), (300, 1_00)), False),
        (10_00, earlier((600, 1_00), (300, 1_00), (1, 1_00)), False),  # the window is open at its far end
        (10_00, earlier((599, 50_00), (300, 1_00), (1, 1_00)), False),  # not under the amount
        (50_00, earlier((599, 1_00), (300, 1_00), (1, 1_00)), False),  # nor is this one
    ],
)
def test_a_burst_of_small_payments_steps_up(amount: int, features: Features, hits: bool) -> None:
    policy = replace(BARE, velocity=(BURST,))
    verdict = judge(facts(amount), features, (), policy)
    assert verdict.rules == (("V1",) if hits else ())
    assert verdict.outcome is (Outcome.STEP_UP if hits else Outcome.ALLOW)
    proved = judge(facts(amount, Confirmation.PIN), features, (), policy)
    assert (proved.outcome, proved.reasons) == (Outcome.ALLOW, ()), "the stronger proof answers it"


@pytest.mark.parametrize(("amount", "hits"), [(100_00, False), (100_01, True)])
def test_a_sum_in_a_window(amount: int, hits: bool) -> None:
    verdict = judge(facts(amount), earlier((3599, 400_00), (1, 400_00)), (), replace(BARE, velocity=(SUM,)))
    assert (verdict.outcome is Outcome.DECLINE) is hits


@pytest.mark.parametrize(
    ("listed", "outcome", "reasons"),
    [
        ({("blocked", PAYER)}, Outcome.DECLINE, (Reason.LISTED,)),
        ({("blocked", SHOP)}, Outcome.DECLINE, (Reason.LISTED,)),
        ({("watched", SHOP)}, Outcome.REVIEW, (Reason.SUSPECTED_CASH_OUT,)),
        (
            {("watched", SHOP), ("blocked", PAYER)},
            Outcome.DECLINE,
            (Reason.LISTED, Reason.SUSPECTED_CASH_OUT),
        ),
        ({("other", PAYER)}, Outcome.ALLOW, ()),
        ({("blocked", UUID(int=9))}, Outcome.ALLOW, ()),
    ],
)
def test_lists(listed: set[tuple[str, UUID]], outcome: Outcome, reasons: tuple[Reason, ...]) -> None:
    rules = (
        ListRule(id="L1", list="blocked"),
        ListRule(id="L2", list="watched", then="review", reason=Reason.SUSPECTED_CASH_OUT),
    )
    verdict = judge(facts(), NO_HISTORY, listed, replace(BARE, lists=rules))
    assert (verdict.outcome, verdict.reasons) == (outcome, reasons)


def test_the_strongest_outcome_wins_and_a_block_is_no_rule() -> None:
    frozen = replace(facts(), payer_frozen=True, test_outcome=Outcome.STEP_UP)
    verdict = judge(frozen, NO_HISTORY, (), BARE)
    assert verdict.outcome is Outcome.DECLINE
    assert verdict.reasons == (Reason.PAYER_FROZEN, Reason.UNUSUAL_PAYMENT)
    assert verdict.rules == ("test_person",)


@pytest.mark.parametrize(
    ("confirmation", "amount", "spent", "asked"),
    [
        (Confirmation.NONE, 1, 0, Confirmation.SESSION),
        (Confirmation.SESSION, 200_00, 0, None),
        (Confirmation.SESSION, 200_01, 0, Confirmation.PIN),
        (Confirmation.PAY_CODE, 200_00, 0, None),
        (Confirmation.PAY_CODE, 200_01, 0, Confirmation.PIN),
        (Confirmation.SESSION, 200_00, 300_00, None),
        (Confirmation.SESSION, 200_00, 300_01, Confirmation.PIN),
        (Confirmation.PIN, 1_000_000_00, 500_00, None),
        (Confirmation.PASSKEY, 1, 0, None),
    ],
)
def test_when_the_payer_is_asked(
    confirmation: Confirmation, amount: int, spent: int, asked: Confirmation | None
) -> None:
    features = today(1, spent, spent)
    assert lacks_confirmation(confirmation, amount, features, TODAY.toordinal(), BARE) is asked
    tomorrow = TODAY.toordinal() + 1
    if confirmation in (Confirmation.SESSION, Confirmation.PAY_CODE):
        lacking = Confirmation.PIN if amount > 200_00 else None
        assert lacks_confirmation(confirmation, amount, features, tomorrow, BARE) is lacking


@pytest.mark.parametrize(
    ("confirmation", "amount", "asked"),
    [
        (Confirmation.SESSION, 50_00, None),
        (Confirmation.SESSION, 100_01, Confirmation.PASSKEY),  # the step comes before the no-PIN limit
        (Confirmation.PIN, 100_00, None),
        (Confirmation.PIN, 100_01, Confirmation.PASSKEY),
        (Confirmation.PASSKEY, 1_000_00, None),
        (Confirmation.PASSKEY, 1_000_01, Confirmation.PASSKEY_CODE),
        (Confirmation.PASSKEY_CODE, 9_000_00, None),
    ],
)
def test_the_more_the_stronger(confirmation: Confirmation, amount: int, asked: Confirmation | None) -> None:
    steps = (StepUp(100_00, "passkey"), StepUp(1_000_00, "passkey_code"))
    policy = replace(BARE, step_up=steps)
    assert lacks_confirmation(confirmation, amount, NO_HISTORY, TODAY.toordinal(), policy) is asked


PAYMENTS = st.lists(
    st.tuples(
        st.integers(0, 40_000),  # seconds after the one before
        st.integers(1, 2**40),
        st.sampled_from(Confirmation),
    ),
    max_size=60,
)


def fold(
    payments: list[tuple[int, int, Confirmation]],
) -> tuple[Features, list[tuple[datetime, int, Confirmation]]]:
    features, at, dated = NO_HISTORY, NOON, []
    for gap_s, minor, confirmation in payments:
        at += timedelta(seconds=gap_s)
        dated.append((at, minor, confirmation))
        features = fold_payment(features, minor, at, at.date().toordinal(), confirmation)
    return features, dated


@given(PAYMENTS)
def test_what_is_folded_is_what_would_be_computed_from_all(
    payments: list[tuple[int, int, Confirmation]],
) -> None:
    features, dated = fold(payments)
    if not dated:
        assert features == NO_HISTORY
        return
    last_on = dated[-1][0].date()
    of_day = [(minor, confirmation) for at, minor, confirmation in dated if at.date() == last_on]
    kept = dated[-RECENT_KEPT:]
    assert features == Features(
        tuple(int(at.timestamp()) for at, _, _ in kept),
        tuple(minor for _, minor, _ in kept),
        last_on.toordinal(),
        len(of_day),
        sum(minor for minor, _ in of_day),
        sum(minor for minor, c in of_day if c in (Confirmation.SESSION, Confirmation.PAY_CODE)),
        len(dated),
    )
    assert list(features.recent_at_s) == sorted(features.recent_at_s)


@given(PAYMENTS)
def test_the_packed_form_is_read_as_it_was_written(payments: list[tuple[int, int, Confirmation]]) -> None:
    features, _ = fold(payments)
    assert unpack(pack(features)) == features
    assert len(pack(features)) == 29 + 12 * len(features.recent_at_s)


def test_an_instant_that_comes_late_does_not_break_the_order() -> None:
    features = fold_payment(NO_HISTORY, 1, NOON, 1, Confirmation.PIN)
    features = fold_payment(features, 2, NOON - timedelta(seconds=5), 1, Confirmation.PIN)
    assert features.recent_at_s == (NOON_S, NOON_S)


def test_a_payment_late_for_its_day_counts_in_the_day_that_has_begun() -> None:
    on = TODAY.toordinal()
    features = fold_payment(NO_HISTORY, 300_00, NOON, on, Confirmation.SESSION)
    features = fold_payment(features, 150_00, NOON - timedelta(seconds=5), on - 1, Confirmation.SESSION)
    assert (features.day_on, features.day_count, features.day_minor) == (on, 2, 450_00)
    for day_on in (on - 1, on):
        assert lacks_confirmation(Confirmation.SESSION, 50_00, features, day_on, BARE) is None
        assert lacks_confirmation(Confirmation.SESSION, 50_01, features, day_on, BARE) is Confirmation.PIN
    spent = replace(features, day_minor=2_500_00)
    yesterday = replace(facts(500_00), on=TODAY - timedelta(days=1))
    assert judge(yesterday, spent, [], BARE).outcome is Outcome.ALLOW
    late = judge(replace(yesterday, amount_minor=500_01), spent, [], BARE)
    assert late.reasons == (Reason.TIER_LIMIT,)


def test_a_row_of_another_version_is_not_guessed_at() -> None:
    with pytest.raises(AssertionError, match="version 2"):
        unpack(b"\x02" + pack(NO_HISTORY)[1:])


@given(st.lists(st.sampled_from(Reason)))
def test_reasons_stand_once_and_in_order(reasons: list[Reason]) -> None:
    ordered = in_order(reasons)
    assert ordered == tuple(reason for reason in Reason if reason in set(reasons))
