"""Rides: taken at a gate by a pay code, charged once a day up to a cap."""

from datetime import date, datetime

from msgspec import Struct

from wufeng.client.orders import Reason
from wufeng.client.payments import Confirmation, Payment, Source
from wufeng.client.resource import Listing, Resource, at, given
from wufeng.client.transport import Repeat


class Ride(Struct, frozen=True, kw_only=True):
    """A tap: taken, or refused with reasons, which is an answer and not an error."""

    id: str
    created_at: datetime
    status: str
    merchant: str
    payer: str
    ride_no: str
    business_on: date
    fare_minor: int
    due_minor: int
    currency: str
    charge: str | None = None
    reasons: list[Reason] = []


class RideCharge(Struct, frozen=True, kw_only=True):
    """What a day's rides with a merchant cost one person."""

    id: str
    created_at: datetime
    status: str
    merchant: str
    payer: str
    business_on: date
    rides: int
    fares_minor: int
    amount_minor: int
    day_cap_minor: int
    currency: str
    payment: str | None = None
    tries: int


class RideTerms(Struct, frozen=True, kw_only=True):
    """The most that a merchant's rides of a business date cost one person."""

    id: str
    day_cap_minor: int
    currency: str


class Rides(Resource):
    """Taps at a merchant's gates; a person reads their own."""

    async def take(
        self, *, pay_code: str, fare_minor: int, ride_no: str, idempotency_key: str | None = None
    ) -> Ride:
        """Let somebody ride by the code that they show. One number is one ride, however often it is told."""
        body = given(pay_code=pay_code, fare_minor=fare_minor, ride_no=ride_no)
        return await self._pay(Ride, "/v1/rides", body, idempotency_key)

    async def get(self, id_: str) -> Ride:
        """One ride."""
        return await self._get(Ride, f"/v1/rides/{at(id_)}")

    def list(self, *, limit: int | None = None) -> Listing[Ride]:
        """Rides, the newest first."""
        return self._list(Ride, "/v1/rides", given(limit=limit))

    async def terms(self) -> RideTerms:
        """The calling merchant's day cap."""
        return await self._get(RideTerms, "/v1/ride_terms")

    async def set_terms(self, *, day_cap_minor: int) -> RideTerms:
        """Set the calling merchant's day cap."""
        return await self._post(RideTerms, "/v1/ride_terms", given(day_cap_minor=day_cap_minor), Repeat.SAFE)


class RideCharges(Resource):
    """What rides cost by day, and whether that is paid."""

    async def get(self, id_: str) -> RideCharge:
        """One charge."""
        return await self._get(RideCharge, f"/v1/ride_charges/{at(id_)}")

    def list(self, *, limit: int | None = None) -> Listing[RideCharge]:
        """Charges, the newest first."""
        return self._list(RideCharge, "/v1/ride_charges", given(limit=limit))

    async def pay(
        self,
        id_: str,
        *,
        confirmation: Confirmation,
        funding: Source | None = None,
        idempotency_key: str | None = None,
    ) -> Payment:
        """Pay one by hand: from what is given, else from what the code was to pay with."""
        body = given(funding=funding, confirmation=confirmation)
        return await self._pay(Payment, f"/v1/ride_charges/{at(id_)}/pay", body, idempotency_key)
