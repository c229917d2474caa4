"""The decision of a payment at its borders: reasons in API.md's order, and what each outcome leads to."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from wufeng.base.errors import Problem
from wufeng.compliance import shipped_limit_policy
from wufeng.credit import Line, LineState, shipped_products
from wufeng.credit.lines.model import LineStatus
from wufeng.identity import Tier
from wufeng.identity.merchants.model import FeePlan, Merchant, MerchantStatus, Scene
from wufeng.identity.people.model import Outcome as Foreknown
from wufeng.identity.people.model import PersonGuard, PersonStatus
from wufeng.lenders.model import lender_id
from wufeng.payments.pay.ends import captured, held_of, plan_capture
from wufeng.payments.pay.model import Capture, Funding, PaymentStatus
from wufeng.payments.pay.rules import (
    MOVES,
    Attempt,
    Decided,
    Given,
    PayerState,
    Way,
    authorise,
    fee_of,
)
from wufeng.risk import shipped_policy
from wufeng.risk.model import NO_HISTORY, REASON_ORDER, Confirmation, Features, Reason

from .test_refunds import payment_of

PRODUCT = next(one.product for one in shipped_products() if one.product.id == "monthly_bill")
POLICY = shipped_policy().policy
NOON = datetime(2026, 9, 3, 4, tzinfo=UTC)
TODAY = date(2026, 9, 3)
PAYER, SHOP, LINE = UUID(int=1), UUID(int=2), UUID(int=3)
MERCHANT = Merchant(
    id=SHOP, book_id=1, name="Shop", scene=Scene.RETAIL, fee_plan=FeePlan(6_000),
    status=MerchantStatus.ACTIVE, created_at=NOON,
)  # fmt: skip
SPLIT = Funding(use_wallet=True, line_id=LINE)
SHOWN = Funding(use_wallet=True, line_id=LINE, wallet_minor=20_00)
ON_CREDIT = Funding(use_wallet=False, line_id=LINE)


def line_of(used: int = 0, held: int = 0, limit: int = 100_00, **more: Any) -> LineState:
    line = Line(
        id=LINE, person_id=PAYER, product=PRODUCT.id, product_version=1, currency="CNY",
        lenders=((lender_id(1, "one"), 1_000_000),), limit_minor=limit,
        status=more.pop("status", LineStatus.OPEN), bill_day=1, due_day=10, opened_on=TODAY, **more,
    )  # fmt: skip
    return LineState(line, used, held)


def decide(
    amount: int,
    *,
    line: LineState | None = None,
    wallet: int = 0,
    person: PersonStatus = PersonStatus.ACTIVE,
    outcome: Foreknown = Foreknown.NONE,
    features: Features = NO_HISTORY,
    merchant: Merchant = MERCHANT,
    listed: Iterable[tuple[str, UUID]] = (),
    expired: bool = False,
    **more: Any,
) -> Decided:
    line = line if line is not None else line_of()
    attempt = Attempt(
        UUID(int=9),
        PAYER,
        SHOP,
        amount,
        more.pop("scene", Scene.RETAIL),
        more.pop("funding", ON_CREDIT),
        more.pop("capture", Capture.NOW),
        more.pop("confirmation", Confirmation.PIN),
        more.pop("awaits_receipt", False),
        expired,
    )
    guard = PersonGuard(PAYER, person, Tier.III, outcome, UUID(int=4))
    state = PayerState(guard, wallet, {LINE: line}, features)
    given = Given(POLICY, {SHOP: merchant}, set(listed), shipped_limit_policy())
    assert not more, more
    return authorise(attempt, state, given, {LINE: PRODUCT}, UUID(int=8), NOON, TODAY)


CLOSED = replace(MERCHANT, status=MerchantStatus.CLOSED)


@pytest.mark.parametrize(
    ("amount", "how", "reasons"),
    [
        (1, {"line": line_of(60_00, 39_99)}, []),  # the last cent
        (1, {"line": line_of(60_00, 40_00)}, [Reason.LIMIT_EXCEEDED]),
        (1, {"line": line_of(120_00)}, [Reason.LIMIT_EXCEEDED]),  # a lowered limit
        (100_00, {}, []),
        (100_01, {}, [Reason.LIMIT_EXCEEDED]),
        (1, {"line": line_of(status=LineStatus.FROZEN)}, [Reason.LINE_FROZEN]),
        (1, {"line": line_of(status=LineStatus.SUSPENDED)}, [Reason.LINE_IN_ARREARS]),
        (1, {"funding": Funding(use_wallet=False, line_id=UUID(int=99))}, [Reason.LINE_MISSING]),
        (1, {"scene": Scene.LOTTERY}, [Reason.SCENE_FORBIDDEN]),
        (1, {"person": PersonStatus.FROZEN}, [Reason.PAYER_FROZEN]),
        (1, {"merchant": CLOSED}, [Reason.MERCHANT_CLOSED]),
        (1, {"expired": True}, [Reason.ORDER_EXPIRED]),
        (1, {"listed": [("blocked", PAYER)]}, [Reason.LISTED]),
        (1, {"listed": [("blocked", SHOP)]}, [Reason.LISTED]),
        (1, {"listed": [("trusted", SHOP)]}, []),  # no rule reads that list
        (1, {"listed": [("cash_out_merchants", SHOP)]}, [Reason.SUSPECTED_CASH_OUT]),
        (1, {"outcome": Foreknown.ALWAYS_DECLINED}, [Reason.UNUSUAL_PAYMENT]),
        (30_00, {"funding": Funding(use_wallet=True, line_id=None), "wallet": 30_00}, []),
        (30_01, {"funding": Funding(use_wallet=True, line_id=None), "wallet": 30_00}, [Reason.INSUFFICIENT_BALANCE]),
        (130_00, {"funding": SPLIT, "wallet": 30_00}, []),
        (130_01, {"funding": SPLIT, "wallet": 30_00}, [Reason.LIMIT_EXCEEDED]),
        (100_00, {"funding": SHOWN, "wallet": 20_00}, []),
        (100_00, {"funding": SHOWN, "wallet": 19_99}, [Reason.INSUFFICIENT_BALANCE]),  # not 80.01 on credit
        (100_00, {"funding": SHOWN, "wallet": -1}, [Reason.INSUFFICIENT_BALANCE]),
        (9_99, {"funding": Funding(use_wallet=False, line_id=LINE, tenor=3)}, [Reason.AMOUNT_TOO_SMALL]),
        (10_00, {"funding": Funding(use_wallet=False, line_id=LINE, tenor=3)}, []),
        (10_00, {"funding": Funding(use_wallet=False, line_id=LINE, tenor=4)}, [Reason.TENOR_NOT_OFFERED]),
        (50_000_01, {"line": line_of(limit=90_000_00)}, [Reason.TIER_LIMIT]),
        (
            100_01,
            {
                "person": PersonStatus.FROZEN, "merchant": CLOSED, "expired": True, "scene": Scene.LOTTERY,
                "listed": [("blocked", PAYER)], "line": line_of(status=LineStatus.FROZEN),
                "outcome": Foreknown.ALWAYS_DECLINED,
            },
            [
                Reason.PAYER_FROZEN, Reason.LISTED, Reason.MERCHANT_CLOSED, Reason.ORDER_EXPIRED,
                Reason.LINE_FROZEN, Reason.SCENE_FORBIDDEN, Reason.LIMIT_EXCEEDED, Reason.UNUSUAL_PAYMENT,
            ],
        ),
    ],
)  # fmt: skip
def test_authorise(amount: int, how: dict[str, Any], reasons: list[Reason]) -> None:
    decided = decide(amount, **how)
    assert list(decided.decision.reasons) == reasons
    assert decided.way is (Way.DECLINE if reasons else Way.CAPTURE)
    assert decided.wallet_minor + decided.credit_minor == (0 if reasons else amount)


@pytest.mark.parametrize(
    ("outcome", "capture", "confirmation", "way"),
    [
        (Foreknown.NONE, Capture.NOW, Confirmation.SESSION, Way.CAPTURE),
        (Foreknown.NONE, Capture.LATER, Confirmation.SESSION, Way.AUTHORISE),
        (Foreknown.STEP_UP, Capture.NOW, Confirmation.SESSION, Way.ASK),
        (Foreknown.STEP_UP, Capture.NOW, Confirmation.PIN, Way.CAPTURE),
        (Foreknown.REVIEW, Capture.NOW, Confirmation.PIN, Way.REVIEW),
        (Foreknown.REVIEW, Capture.LATER, Confirmation.PIN, Way.REVIEW),
        (Foreknown.ALWAYS_DECLINED, Capture.LATER, Confirmation.PASSKEY, Way.DECLINE),
    ],
)
def test_what_an_outcome_leads_to(
    outcome: Foreknown, capture: Capture, confirmation: Confirmation, way: Way
) -> None:
    decided = decide(10_00, outcome=outcome, capture=capture, confirmation=confirmation)
    assert decided.way is way
    moved = way not in (Way.ASK, Way.DECLINE)
    assert (decided.after.features != NO_HISTORY) is moved, "only what is let through is counted"


def test_a_hold_reserves_and_a_capture_uses() -> None:
    held = decide(40_00, capture=Capture.LATER).after.lines[LINE]
    used = decide(40_00).after.lines[LINE]
    assert (held.used_minor, held.held_minor) == (0, 40_00)
    assert (used.used_minor, used.held_minor) == (40_00, 0)


@given(
    amounts=st.lists(st.integers(1, 40_00), min_size=1, max_size=20),
    wallet=st.integers(0, 50_00),
    later=st.booleans(),
)
def test_no_run_of_payments_passes_the_limit_or_the_wallet(
    amounts: list[int],
    wallet: int,
    later: bool,
) -> None:
    line, left, paid = line_of(), wallet, 0
    for amount in amounts:
        capture = Capture.LATER if later else Capture.NOW
        decided = decide(amount, line=line, wallet=left, funding=SPLIT, capture=capture)
        if decided.way is not Way.DECLINE:
            paid += amount
            assert decided.wallet_minor == min(left, amount), "the wallet first"
        line, left = decided.after.lines[LINE], decided.after.wallet_minor
        assert left >= 0 and line.used_minor + line.held_minor <= line.line.limit_minor
    assert paid == (wallet - left) + line.used_minor + line.held_minor


def test_reasons_stand_in_the_order_of_the_enum() -> None:
    assert list(REASON_ORDER) == list(Reason)
    assert all(REASON_ORDER[a] < REASON_ORDER[b] for a, b in pairwise(Reason))


@pytest.mark.parametrize(
    ("amount", "rate", "fee"),
    [
        (100_00, 6_000, 60),
        (1, 6_000, 0),
        (250, 2_000, 0),
        (750, 2_000, 2),
        (83, 6_000, 0),
        (84, 6_000, 1),
        (0, 9, 0),
    ],
)
def test_fees_round_half_to_even(amount: int, rate: int, fee: int) -> None:
    assert fee_of(amount, rate) == fee


@given(
    wallet=st.integers(0, 10_000),
    credit=st.integers(0, 10_000),
    rate=st.integers(0, 999_999),
    cuts=st.lists(st.integers(1, 5_000), max_size=10),
    final=st.booleans(),
)
def test_captures_take_the_wallet_first_and_sum_to_the_whole(
    wallet: int,
    credit: int,
    rate: int,
    cuts: list[int],
    final: bool,
) -> None:
    if wallet + credit == 0:
        return
    whole = payment_of(wallet, credit, 0)
    payment = replace(whole, status=PaymentStatus.AUTHORISED, fee_minor=0)
    fees = taken_wallet = taken_credit = 0
    for cut in cuts:
        plan = plan_capture(payment, cut, final=False)
        if isinstance(plan, Problem):
            continue
        assert plan.credit_minor == 0 or taken_wallet + plan.wallet_minor == wallet
        after = captured(payment, plan, rate, NOON)
        assert after.status in MOVES[payment.status]
        fees += after.fee_minor - payment.fee_minor
        taken_wallet, taken_credit = taken_wallet + plan.wallet_minor, taken_credit + plan.credit_minor
        payment = after
        assert held_of(payment) == (wallet - taken_wallet, credit - taken_credit)
        if payment.status is PaymentStatus.CAPTURED:
            break
    if final and payment.status is PaymentStatus.AUTHORISED:
        plan = plan_capture(payment, None, final=True)
        assert not isinstance(plan, Problem) and plan.ends
        fees += captured(payment, plan, rate, NOON).fee_minor - payment.fee_minor
        payment = captured(payment, plan, rate, NOON)
        assert payment.captured_minor == wallet + credit
    assert fees == payment.fee_minor == fee_of(payment.captured_minor, rate)


def test_the_fee_of_parts_is_rounded_once_over_their_sum() -> None:
    payment = replace(payment_of(0, 2_52, 0), status=PaymentStatus.AUTHORISED)
    fees = []
    for _ in range(3):
        plan = plan_capture(payment, 84, final=False)
        assert not isinstance(plan, Problem)
        payment = captured(payment, plan, 6_000, NOON)
        fees.append(payment.fee_minor)
    assert fees == [1, 1, 2]  # 0.504, 1.008, 1.512: each part by itself would have cost 1


ENDS = [status for status in PaymentStatus if not MOVES[status]]


def test_every_status_has_its_moves_and_five_are_ends() -> None:
    assert set(MOVES) == set(PaymentStatus)
    assert ENDS == [
        PaymentStatus.CAPTURED, PaymentStatus.DECLINED, PaymentStatus.VOIDED, PaymentStatus.EXPIRED,
        PaymentStatus.FAILED,
    ]  # fmt: skip
