"""Rides and their charges as they are read."""

from collections.abc import Sequence
from datetime import date

import msgspec

from wufeng.base.ids import Prefix, encode
from wufeng.payments.rides.model import Ride, RideCharge, RideChargeView, RideView, TakeRide
from wufeng.risk import in_order, view_reasons
from wufeng.risk.model import Reason


def view_ride(ride: Ride, currency: str) -> RideView:
    """A ride that was taken."""
    return RideView(
        id=encode(Prefix.RIDE, ride.id),
        created_at=ride.created_at,
        status="taken",
        merchant=encode(Prefix.MERCHANT, ride.merchant_id),
        payer=encode(Prefix.PERSON, ride.payer_id),
        ride_no=ride.ride_no,
        business_on=ride.business_on,
        fare_minor=ride.fare_minor,
        due_minor=ride.due_minor,
        currency=currency,
        charge=encode(Prefix.RIDE_CHARGE, ride.charge_id),
    )


def ride_body(ride: Ride, currency: str) -> bytes:
    """The bytes of a ride's view, as a key remembers them."""
    return msgspec.json.encode(view_ride(ride, currency))


def refused_body(tap: TakeRide, reasons: Sequence[Reason], business_on: date, currency: str) -> bytes:
    """The answer to a tap that does not open the gate, as the merchant reads it."""
    view = RideView(
        id=encode(Prefix.RIDE, tap.ride_id),
        created_at=tap.at,
        status="refused",
        merchant=encode(Prefix.MERCHANT, tap.merchant_id),
        payer=encode(Prefix.PERSON, tap.payer_id),
        ride_no=tap.ride_no,
        business_on=business_on,
        fare_minor=tap.fare_minor,
        due_minor=0,
        currency=currency,
        charge=None,
        reasons=view_reasons(in_order(reasons), tap.language, for_merchant=True),
    )
    return msgspec.json.encode(view)


def view_charge(charge: RideCharge, currency: str) -> RideChargeView:
    """What rides of a date cost, and whether that is paid."""
    return RideChargeView(
        id=encode(Prefix.RIDE_CHARGE, charge.id),
        created_at=charge.created_at,
        status=charge.status,
        merchant=encode(Prefix.MERCHANT, charge.merchant_id),
        payer=encode(Prefix.PERSON, charge.payer_id),
        business_on=charge.business_on,
        rides=charge.rides,
        fares_minor=charge.fares_minor,
        amount_minor=charge.due_minor,
        day_cap_minor=charge.day_cap_minor,
        currency=currency,
        payment=encode(Prefix.PAYMENT, charge.payment_id) if charge.payment_id is not None else None,
        tries=charge.tries,
    )
