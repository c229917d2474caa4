"""Rides: taps at gates, and what those of a day cost."""

from datetime import date, datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from msgspec import Struct

from wufeng.base.lanes import Command
from wufeng.payments.pay.model import Funding, Presented
from wufeng.risk.model import Confirmation
from wufeng.risk.texts import ReasonView


class ChargeStatus(StrEnum):
    """Where the charge of a day's rides stands. Only what is open takes more rides."""

    OPEN = "open"  # -> charged, pending, unpaid   nothing was asked for yet
    PENDING = "pending"  # -> charged, unpaid   a reviewer has not answered
    UNPAID = "unpaid"  # -> charged, pending, waived   declined: it is collected before the next ride
    CHARGED = "charged"  # end
    WAIVED = "waived"  # end   the merchant closed its order


class RideCharge(Struct, frozen=True, kw_only=True):
    """Rides of one person with one merchant on one business date, paid in one payment.

    fares_minor    their sum    due_minor  of it, what the day cap leaves to pay
    day_cap_minor  the merchant's, as it was at the first of these rides
    funding        what the last of the codes was to pay with
    payment_id     the last payment that was tried, or the one that paid it
    tries, tried_on  payments that were tried, and the business date of the last
    """

    id: UUID
    payer_id: UUID
    merchant_id: UUID
    business_on: date
    rides: int
    fares_minor: int
    due_minor: int
    day_cap_minor: int
    funding: Funding
    status: ChargeStatus
    payment_id: UUID | None
    order_id: UUID | None
    tries: int
    tried_on: date | None
    created_at: datetime


class Ride(Struct, frozen=True, kw_only=True):
    """One tap. `due_minor`: of the fare, what the day cap left to pay."""

    id: UUID
    charge_id: UUID
    payer_id: UUID
    merchant_id: UUID
    ride_no: str
    fare_minor: int
    due_minor: int
    code_id: UUID
    device_id: UUID | None
    business_on: date
    created_at: datetime


class RidePolicy(Struct, frozen=True):
    """Bounds of what is ridden before it is paid, a dated file."""

    name: str
    open_max_minor: int
    fare_max_minor: int
    offline_fare_max_minor: int
    day_cap_minor: int
    tries_max: int


class Rider(Struct, frozen=True):
    """What a tap is decided from.

    frozen, closed  the person, the merchant
    charges         the person's that are not paid yet, over all merchants
    day_due_minor   what rides with this merchant on this date cost already, paid or not
    day_cap_minor   the merchant's
    """

    frozen: bool
    closed: bool
    charges: tuple[RideCharge, ...]
    day_due_minor: int
    day_cap_minor: int


class TakeRide(Command, frozen=True, kw_only=True):
    """A tap at a gate. Submit it to the rider's bucket, with the rider in `people`."""

    ride_id: UUID
    merchant_id: UUID
    payer_id: UUID
    ride_no: str
    fare_minor: int
    funding: Funding
    presented: Presented
    language: str = "zh"


class ChargeRides(Command, frozen=True, kw_only=True):
    """Charge the rides of the people that `people` names, of business dates up to one; made by the timer."""

    through_on: date


class PayRideCharge(Command, frozen=True, kw_only=True):
    """Its person pays a charge by hand, confirmed at the edge. None: by what the code was to pay with."""

    charge_id: UUID
    payer_id: UUID
    funding: Funding | None
    confirmation: Confirmation
    language: str = "zh"


class RideView(Struct, frozen=True, kw_only=True):
    """A ride. One that was refused is in no list."""

    id: str
    object: Literal["ride"] = "ride"
    created_at: datetime
    status: Literal["taken", "refused"]
    merchant: str
    payer: str
    ride_no: str
    business_on: date
    fare_minor: int
    due_minor: int
    currency: str
    charge: str | None
    reasons: tuple[ReasonView, ...] = ()


class RideChargeView(Struct, frozen=True, kw_only=True):
    """What a day's rides with a merchant cost. `amount_minor` is the one payment's: above the day cap they are free."""

    id: str
    object: Literal["ride_charge"] = "ride_charge"
    created_at: datetime
    status: ChargeStatus
    merchant: str
    payer: str
    business_on: date
    rides: int
    fares_minor: int
    amount_minor: int
    day_cap_minor: int
    currency: str
    payment: str | None
    tries: int


class RideTermsView(Struct, frozen=True, kw_only=True):
    """The most that a merchant's rides of a business date cost one person."""

    id: str
    object: Literal["ride_terms"] = "ride_terms"
    day_cap_minor: int
    currency: str
