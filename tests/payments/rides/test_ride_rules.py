"""Whether a tap opens the gate and what it costs: the border and one past it."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from wufeng.payments.orders.model import Order, OrderState
from wufeng.payments.pay.model import Funding, PaymentStatus, Presented
from wufeng.payments.rides import rules
from wufeng.payments.rides.model import ChargeStatus, RideCharge, RidePolicy, Rider, TakeRide
from wufeng.payments.rides.policy import read_ride_policy, shipped_ride_policy
from wufeng.risk.model import Reason

AT, ON = datetime(2026, 9, 3, 4, tzinfo=UTC), date(2026, 9, 3)
PAYER, METRO, BUS = UUID(int=1), UUID(int=2), UUID(int=3)
POLICY = RidePolicy("rides@1", 100_00, 50_00, 20_00, 30_00, 7)
WALLET = Funding(use_wallet=True, line_id=None)
S = ChargeStatus


def tap_of(fare_minor: int, *, offline: bool = False, number: int = 1) -> TakeRide:
    return TakeRide(
        at=AT, ride_id=UUID(int=100 + number), merchant_id=METRO, payer_id=PAYER, ride_no=f"n{number}",
        fare_minor=fare_minor, funding=WALLET,
        presented=Presented(UUID(int=9), UUID(int=8), handle_name=UUID(int=7) if offline else None),
    )  # fmt: skip


def charge_of(due_minor: int, status: ChargeStatus = S.OPEN, **more: Any) -> RideCharge:
    fields: dict[str, Any] = {
        "id": UUID(int=50), "payer_id": PAYER, "merchant_id": METRO, "business_on": ON, "rides": 1,
        "fares_minor": due_minor, "due_minor": due_minor, "day_cap_minor": 30_00, "funding": WALLET,
        "status": status, "payment_id": None, "order_id": None, "tries": 0, "tried_on": None, "created_at": AT,
    }  # fmt: skip
    return RideCharge(**{**fields, **more})


def rider_of(*charges: RideCharge, day_due_minor: int = 0, **more: Any) -> Rider:
    return Rider(
        more.get("frozen", False), more.get("closed", False), charges, day_due_minor, more.get("cap", 30_00)
    )


@pytest.mark.parametrize(
    ("tap", "rider", "reasons"),
    [
        (tap_of(50_00), rider_of(), []),
        (tap_of(50_01), rider_of(), [Reason.CODE_LIMIT]),
        (tap_of(20_00, offline=True), rider_of(), []),
        (tap_of(20_01, offline=True), rider_of(), [Reason.CODE_LIMIT]),
        (tap_of(1), rider_of(frozen=True), [Reason.PAYER_FROZEN]),
        (tap_of(1), rider_of(closed=True), [Reason.MERCHANT_CLOSED]),
        (tap_of(1), rider_of(charge_of(1, S.UNPAID)), [Reason.FARES_UNPAID]),
        (tap_of(1), rider_of(charge_of(1, S.CHARGED)), []),
        (tap_of(1), rider_of(charge_of(99_99, S.PENDING)), []),
        (tap_of(2), rider_of(charge_of(99_99, S.PENDING)), [Reason.CODE_LIMIT]),
        (tap_of(2), rider_of(charge_of(99_99, S.PENDING), day_due_minor=30_00), []),  # it costs nothing more
    ],
)
def test_what_opens_the_gate(tap: TakeRide, rider: Rider, reasons: list[Reason]) -> None:
    assert rules.refusals(tap, rider, POLICY) == reasons


@pytest.mark.parametrize(
    ("fare_minor", "day_due_minor", "due_minor"),
    [(4_00, 0, 4_00), (4_00, 26_00, 4_00), (4_00, 26_01, 3_99), (4_00, 30_00, 0), (4_00, 31_00, 0)],
)
def test_fares_above_the_day_cap_are_free(fare_minor: int, day_due_minor: int, due_minor: int) -> None:
    assert rules.due_of(fare_minor, rider_of(day_due_minor=day_due_minor)) == due_minor


def test_debts_are_collected_first_and_what_is_open_when_it_grows_too_much() -> None:
    debt, open_ = charge_of(5_00, S.UNPAID), charge_of(95_00, id=UUID(int=51), merchant_id=BUS)
    assert rules.to_collect(tap_of(1), rider_of(debt, replace(open_, due_minor=1)), POLICY) == [debt]
    assert rules.to_collect(tap_of(5_00), rider_of(open_), POLICY) == []
    assert rules.to_collect(tap_of(5_01), rider_of(open_), POLICY) == [open_]


@given(
    st.lists(st.integers(1, 40_00), min_size=1, max_size=25),
    st.permutations(range(25)),
    st.integers(1, 60_00),
)
def test_a_day_costs_its_fares_up_to_the_cap_in_any_order(
    fares: list[int], order: list[int], cap: int
) -> None:
    def cost(taps: list[int]) -> tuple[int, int]:
        charge: RideCharge | None = None
        for number, fare in enumerate(taps):
            held = (charge,) if charge is not None else ()
            rider = rider_of(*held, day_due_minor=charge.due_minor if charge else 0, cap=cap)
            charge = rules.open_charge(tap_of(fare, number=number), rider, UUID(int=60), ON)
            assert rules.ride_of(tap_of(fare, number=number), rider, charge).due_minor <= fare
        assert charge is not None
        return charge.due_minor, charge.rides

    shuffled = [fares[n] for n in order if n < len(fares)]
    assert cost(fares) == cost(shuffled) == (min(sum(fares), cap), len(fares))


@pytest.mark.parametrize(
    ("payment", "charge"),
    [
        (PaymentStatus.CAPTURED, S.CHARGED),
        (PaymentStatus.PENDING, S.PENDING),
        (PaymentStatus.DECLINED, S.UNPAID),
        (PaymentStatus.EXPIRED, S.UNPAID),
        (None, S.UNPAID),
    ],
)
def test_a_charge_stands_as_its_payment_does(payment: PaymentStatus | None, charge: ChargeStatus) -> None:
    assert rules.looked_at(charge_of(1, S.PENDING), payment).status is charge


@pytest.mark.parametrize(
    ("state", "amount_minor", "status"),
    [
        (OrderState.PAID, 5_00, S.CHARGED),
        (OrderState.OPEN, 5_00, S.PENDING),
        (OrderState.CLOSED, 5_00, S.WAIVED),
        *((state, 4_99, S.UNPAID) for state in OrderState),
        *((state, 5_01, S.UNPAID) for state in OrderState),
    ],
)
def test_an_order_taken_by_another_way_was_a_try(
    state: OrderState, amount_minor: int, status: ChargeStatus
) -> None:
    charge = charge_of(5_00)
    terms = replace(rules.order_of(charge, "CNY"), amount_minor=amount_minor)
    after = rules.taken_elsewhere(charge, replace(Order.new(terms, AT), state=state), ON)
    assert (after.status, after.tries, after.tried_on, after.order_id) == (status, 1, ON, terms.id)


def test_the_policy_that_ships_is_sound() -> None:
    policy = shipped_ride_policy()
    assert policy.offline_fare_max_minor <= policy.fare_max_minor <= policy.open_max_minor
    with pytest.raises(Exception, match="fare_max_minor"):
        read_ride_policy(
            "[policy]\nid='r'\nversion=1\neffective_from=2026-01-01\n[rides]\nopen_max_minor=1\nfare_max_minor=2\n"
            "offline_fare_max_minor=1\nday_cap_minor=1\ntries_max=1\n",
            "r.toml",
        )
