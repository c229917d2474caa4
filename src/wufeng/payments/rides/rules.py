"""Whether a tap opens the gate, what it costs, and what becomes of a charge: pure."""

from collections.abc import Iterable, Mapping
from datetime import date
from uuid import UUID

from msgspec.structs import replace

from wufeng.base.ids import Prefix, encode, hashed_id
from wufeng.identity.merchants.model import Scene
from wufeng.payments.orders.model import Channel, Order, OrderState, OrderTerms
from wufeng.payments.pay.model import PaymentStatus
from wufeng.payments.rides.model import ChargeStatus, Ride, RideCharge, RidePolicy, Rider, TakeRide
from wufeng.risk.model import Reason

S = ChargeStatus
MOVES: Mapping[ChargeStatus, frozenset[ChargeStatus]] = {
    S.OPEN: frozenset({S.CHARGED, S.PENDING, S.UNPAID}),
    S.PENDING: frozenset({S.CHARGED, S.UNPAID}),
    S.UNPAID: frozenset({S.CHARGED, S.PENDING, S.WAIVED}),
    S.CHARGED: frozenset(),
    S.WAIVED: frozenset(),
}

OWED = frozenset({S.OPEN, S.PENDING, S.UNPAID})
"""States of a charge that count against what a person may owe."""

STATUS_OF_PAYMENT = {
    PaymentStatus.CAPTURED: S.CHARGED,
    PaymentStatus.AUTHORISED: S.PENDING,
    PaymentStatus.PENDING: S.PENDING,
}
"""Where a charge stands by its payment; whatever else became of that, the charge is unpaid."""


def due_of(fare_minor: int, rider: Rider) -> int:
    """What a fare costs, up to the day cap: what lies above it is free."""
    return min(fare_minor, max(0, rider.day_cap_minor - rider.day_due_minor))


def owed_minor(charges: Iterable[RideCharge]) -> int:
    """What is ridden and not paid."""
    return sum(charge.due_minor for charge in charges if charge.status in OWED)


def to_collect(tap: TakeRide, rider: Rider, policy: RidePolicy) -> list[RideCharge]:
    """The charges to be tried before a ride: debts always, what is open when the ride would owe too much with it."""
    unpaid = [charge for charge in rider.charges if charge.status is S.UNPAID]
    too_much = owed_minor(rider.charges) + due_of(tap.fare_minor, rider) > policy.open_max_minor
    return unpaid + [charge for charge in rider.charges if charge.status is S.OPEN and too_much]


def refusals_at_gate(tap: TakeRide, rider: Rider, policy: RidePolicy) -> list[Reason]:
    """Why a tap does not open the gate, whatever is owed."""
    refused = [Reason.PAYER_FROZEN] * rider.frozen + [Reason.MERCHANT_CLOSED] * rider.closed
    most_minor = policy.offline_fare_max_minor if tap.presented.offline else policy.fare_max_minor
    return refused + [Reason.CODE_LIMIT] * (tap.fare_minor > most_minor)


def refusals(tap: TakeRide, rider: Rider, policy: RidePolicy) -> list[Reason]:
    """Why a tap does not open the gate after what could be collected was: nothing says it does."""
    refused = refusals_at_gate(tap, rider, policy)
    if any(charge.status is S.UNPAID for charge in rider.charges):
        refused.append(Reason.FARES_UNPAID)
    elif owed_minor(rider.charges) + due_of(tap.fare_minor, rider) > policy.open_max_minor:
        refused.append(Reason.CODE_LIMIT)  # what waits for a reviewer is owed too
    return refused


def open_charge(tap: TakeRide, rider: Rider, charge_id: UUID, on: date) -> RideCharge:
    """The charge that a ride goes on, with it: the one that is open for its merchant and date, or a new one."""
    due_minor = due_of(tap.fare_minor, rider)
    for charge in rider.charges:
        if (charge.status, charge.merchant_id, charge.business_on) == (S.OPEN, tap.merchant_id, on):
            return replace(
                charge,
                rides=charge.rides + 1,
                fares_minor=charge.fares_minor + tap.fare_minor,
                due_minor=charge.due_minor + due_minor,
                funding=tap.funding,
            )
    return RideCharge(
        id=charge_id,
        payer_id=tap.payer_id,
        merchant_id=tap.merchant_id,
        business_on=on,
        rides=1,
        fares_minor=tap.fare_minor,
        due_minor=due_minor,
        day_cap_minor=rider.day_cap_minor,
        funding=tap.funding,
        status=S.OPEN,
        payment_id=None,
        order_id=None,
        tries=0,
        tried_on=None,
        created_at=tap.at,
    )


def ride_of(tap: TakeRide, rider: Rider, charge: RideCharge) -> Ride:
    """The ride that a tap is, on its charge."""
    return Ride(
        id=tap.ride_id,
        charge_id=charge.id,
        payer_id=tap.payer_id,
        merchant_id=tap.merchant_id,
        ride_no=tap.ride_no,
        fare_minor=tap.fare_minor,
        due_minor=due_of(tap.fare_minor, rider),
        code_id=tap.presented.code_id,
        device_id=tap.presented.device_id,
        business_on=charge.business_on,
        created_at=tap.at,
    )


def order_of(charge: RideCharge, currency: str) -> OrderTerms:
    """The order of a charge: the same for every try, so that it is paid once.

    Its id is in a space of its own: whatever number a person or a merchant gives an order, it is never this one.
    """
    return OrderTerms(
        id=hashed_id(b"ride order", charge.id.bytes),
        merchant_id=charge.merchant_id,
        order_no=encode(Prefix.RIDE_CHARGE, charge.id),
        amount_minor=charge.due_minor,
        currency=currency,
        subject=f"乘车 Rides {charge.business_on.isoformat()}",
        scene=Scene.TRANSPORT,
        channel=Channel.RIDE,
    )


def tried(charge: RideCharge, status: ChargeStatus, payment_id: UUID, order: UUID, on: date) -> RideCharge:
    """A charge after a payment was tried."""
    assert status in MOVES[charge.status] or status is charge.status, "as the table of moves says"
    return replace(
        charge, status=status, payment_id=payment_id, order_id=order, tries=charge.tries + 1, tried_on=on
    )


def free(charge: RideCharge, on: date) -> RideCharge:
    """A charge of rides that were all above the day cap: there is nothing to pay."""
    assert charge.due_minor == 0, "nothing is due"
    return replace(charge, status=S.CHARGED, tries=charge.tries + 1, tried_on=on)


def looked_at(charge: RideCharge, status: PaymentStatus | None) -> RideCharge:
    """A charge that waited, as its payment stands now; None: the payment is not there, as if it had never been."""
    after = STATUS_OF_PAYMENT.get(status, S.UNPAID) if status is not None else S.UNPAID
    return replace(charge, status=after)


def taken_elsewhere(charge: RideCharge, order: Order, on: date) -> RideCharge:
    """A charge whose order takes no payment: it was paid by another way, is being paid, or the merchant closed it.

    An order over another amount does not pay it. That was a try too: what is not open any more has been tried.
    """
    tried_now = replace(charge, order_id=order.terms.id, tries=charge.tries + 1, tried_on=on)
    if order.terms.amount_minor != charge.due_minor:
        return replace(tried_now, status=S.UNPAID)
    if order.state is OrderState.CLOSED:
        return replace(tried_now, status=S.WAIVED)
    status = S.PENDING if order.state is OrderState.OPEN else S.CHARGED
    return replace(tried_now, status=status, payment_id=order.payment_id)
