"""Rides: a gate tells of a tap, the day's rides are charged together, a debt is paid by hand."""

from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct

from wufeng import credit
from wufeng.api.bodies import (
    AmountMinor,
    ConfirmationBody,
    LineId,
    ListQuery,
    OrderNo,
    WalletId,
    starting_after,
)
from wufeng.api.confirming import prove
from wufeng.api.pay_codes import PayCode, read_shown
from wufeng.api.routing import Call, Nothing, Route, reply, reply_list
from wufeng.base.claims import Answer
from wufeng.base.errors import Code, Problem, invalid_field, not_found
from wufeng.base.ids import Prefix, decode, encode, slot_of
from wufeng.identity import CallerKind, own_between
from wufeng.identity.merchants.model import Scene
from wufeng.identity.people.queries import person_of_wallet
from wufeng.payments import Funding, PaymentView
from wufeng.payments.rides import queries
from wufeng.payments.rides.commands import NO_GATE
from wufeng.payments.rides.model import (
    PayRideCharge,
    RideChargeView,
    RideTermsView,
    RideView,
    TakeRide,
)
from wufeng.payments.rides.store import write_terms
from wufeng.payments.rides.views import view_charge, view_ride


class NewRide(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tap. `ride_no` is the merchant's number: one ride of a person, however often the gate tells it."""

    pay_code: PayCode
    fare_minor: AmountMinor
    ride_no: OrderNo


class RideFunding(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a debt is paid from: the person's wallet, or a line with its months."""

    wallet: WalletId | None = None
    line: LineId | None = None
    tenor: Annotated[int, Meta(ge=1, le=60)] = 1


class PayCharge(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A debt paid by hand. Without funding: from what the code was to pay with."""

    funding: RideFunding | None = None
    confirmation: ConfirmationBody


class NewRideTerms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The most that the merchant's rides of a business date cost one person; for dates on which nobody rode yet."""

    day_cap_minor: AmountMinor


class RideList(Struct, frozen=True, kw_only=True):
    """A page of rides, the newest first."""

    data: list[RideView]
    next: str | None
    has_more: bool


class RideChargeList(Struct, frozen=True, kw_only=True):
    """A page of charges, the newest first."""

    data: list[RideChargeView]
    next: str | None
    has_more: bool


async def create_ride(call: Call[NewRide, Nothing]) -> Answer:
    """Let somebody ride by the code that they show. Answers at once; what it costs is charged after the day."""
    body, services, book = call.body, call.services, call.book
    merchant_id = call.caller.merchant_id
    assert merchant_id is not None, "only merchants have gates"
    async with services.database.read() as db:
        merchant = (await services.merchants.load(db, [merchant_id]))[merchant_id]
    if merchant.scene is not Scene.TRANSPORT:
        raise NO_GATE
    shown = await read_shown(call)
    if isinstance(shown, Answer):
        return shown
    command = TakeRide(
        at=call.at,
        people=(shown.payer_id,),
        claim=call.claim,
        request_id=call.request_id,
        ride_id=services.ids.new(call.at, slot_of(shown.payer_id)),
        merchant_id=merchant_id,
        payer_id=shown.payer_id,
        ride_no=body.ride_no,
        fare_minor=body.fare_minor,
        funding=shown.funding,
        presented=shown.presented,
        language=call.language,
    )
    return await services.lanes.submit(book.bucket_of(shown.payer_id), command)


async def list_rides(call: Call[Nothing, ListQuery]) -> Answer:
    """The caller's rides: a person's own, or those at a merchant's gates."""
    before = starting_after(call.query, Prefix.RIDE, "ride")
    payer_id, merchant_id = call.caller.person_id, call.caller.merchant_id
    async with call.services.database.read() as db:
        found = await queries.list_rides(db, call.book, payer_id, merchant_id, before, call.query.limit + 1)
    return reply_list([view_ride(ride, call.book.currency) for ride in found], call.query.limit)


async def get_ride(call: Call[Nothing, Nothing]) -> Answer:
    """One ride."""
    async with call.services.database.read() as db:
        ride = await queries.load_ride(db, call.book, call.path_id(Prefix.RIDE, "ride"))
    if ride is None:
        raise not_found("ride")
    own_between(call.caller, ride.payer_id, ride.merchant_id, "ride")
    return reply(view_ride(ride, call.book.currency))


async def list_ride_charges(call: Call[Nothing, ListQuery]) -> Answer:
    """What the caller's rides cost by day, and whether that is paid."""
    before = starting_after(call.query, Prefix.RIDE_CHARGE, "ride charge")
    payer_id, merchant_id = call.caller.person_id, call.caller.merchant_id
    async with call.services.database.read() as db:
        found = await queries.list_charges(db, call.book, payer_id, merchant_id, before, call.query.limit + 1)
    return reply_list([view_charge(one, call.book.currency) for one in found], call.query.limit)


async def get_ride_charge(call: Call[Nothing, Nothing]) -> Answer:
    """What rides of one day cost."""
    async with call.services.database.read() as db:
        charge = await queries.load_charge(db, call.book, call.path_id(Prefix.RIDE_CHARGE, "ride charge"))
    if charge is None:
        raise not_found("ride charge")
    own_between(call.caller, charge.payer_id, charge.merchant_id, "ride charge")
    return reply(view_charge(charge, call.book.currency))


async def pay_ride_charge(call: Call[PayCharge, Nothing]) -> Answer:
    """Pay a charge by hand, so that the next gate opens. The answer is the payment."""
    charge_id, payer_id = call.path_id(Prefix.RIDE_CHARGE, "ride charge"), call.caller.person_id
    assert payer_id is not None, "only people pay"
    async with call.services.database.read() as db:
        charge = await queries.load_charge(db, call.book, charge_id)
    if charge is None or charge.payer_id != payer_id:
        raise not_found("ride charge")
    funding = await _funding(call, payer_id)
    stored, level = await prove(call, payer_id, call.body.confirmation)
    if stored is not None:
        return stored
    command = PayRideCharge(
        at=call.at,
        people=(payer_id,),
        claim=call.claim,
        request_id=call.request_id,
        charge_id=charge_id,
        payer_id=payer_id,
        funding=funding,
        confirmation=level,
        language=call.language,
    )
    return await call.services.lanes.submit(call.book.bucket_of(charge_id), command)


async def _funding(call: Call[PayCharge, Nothing], payer_id: UUID) -> Funding | None:
    """What the person chose, which must be theirs; None: what the code was to pay with."""
    chosen = call.body.funding
    if chosen is None:
        return None
    if (chosen.wallet is None) == (chosen.line is None):
        raise invalid_field("/funding", "Name either a wallet or a line.")
    async with call.services.database.read() as db:
        if chosen.wallet is not None:
            if await person_of_wallet(db, call.book, decode(Prefix.WALLET, chosen.wallet)) != payer_id:
                raise invalid_field("/funding/wallet", "You have no such wallet.")
            return Funding(use_wallet=True, line_id=None)
        assert chosen.line is not None
        line_id = decode(Prefix.LINE, chosen.line)
        own = await credit.load_lines_of_people(db, call.book.bucket_of(payer_id), [payer_id])
    if all(line.id != line_id for line in own):
        raise invalid_field("/funding/line", "You have no such line.")
    return Funding(use_wallet=False, line_id=line_id, tenor=chosen.tenor)


async def get_ride_terms(call: Call[Nothing, Nothing]) -> Answer:
    """The calling merchant's day cap."""
    merchant_id = _merchant(call)
    async with call.services.database.read() as db:
        return reply(_terms(call, merchant_id, await queries.day_cap_of(db, merchant_id)))


async def set_ride_terms(call: Call[NewRideTerms, Nothing]) -> Answer:
    """Set the calling merchant's day cap. A charge that is open keeps the one that it began with in its view."""
    merchant_id = _merchant(call)
    async with call.services.database.transaction() as db:
        await write_terms(db, merchant_id, call.book.id, call.body.day_cap_minor, call.at)
    return reply(_terms(call, merchant_id, call.body.day_cap_minor))


def _merchant(call: Call[Any, Any]) -> UUID:
    if call.caller.kind is not CallerKind.MERCHANT or call.caller.merchant_id is None:
        raise Problem(Code.FORBIDDEN, "Merchants set their own terms.")
    return call.caller.merchant_id


def _terms(call: Call[Any, Any], merchant_id: UUID, day_cap_minor: int) -> RideTermsView:
    return RideTermsView(
        id=encode(Prefix.MERCHANT, merchant_id), day_cap_minor=day_cap_minor, currency=call.book.currency
    )


ROUTES = (
    Route(
        method="POST",
        path="/v1/rides",
        operation="create_ride",
        summary="Let somebody ride by a pay code",
        handle=create_ride,
        body=NewRide,
        answers={200: RideView, 201: RideView, 402: RideView},
        keyed=True,
    ),
    Route(
        method="GET",
        path="/v1/rides",
        operation="list_rides",
        summary="Rides",
        handle=list_rides,
        query=ListQuery,
        answers={200: RideList},
    ),
    Route(
        method="GET",
        path="/v1/rides/{id}",
        operation="get_ride",
        summary="One ride",
        handle=get_ride,
        answers={200: RideView},
    ),
    Route(
        method="GET",
        path="/v1/ride_charges",
        operation="list_ride_charges",
        summary="What rides cost by day",
        handle=list_ride_charges,
        query=ListQuery,
        answers={200: RideChargeList},
    ),
    Route(
        method="GET",
        path="/v1/ride_charges/{id}",
        operation="get_ride_charge",
        summary="What the rides of one day cost",
        handle=get_ride_charge,
        answers={200: RideChargeView},
    ),
    Route(
        method="POST",
        path="/v1/ride_charges/{id}/pay",
        operation="pay_ride_charge",
        summary="Pay for rides by hand",
        handle=pay_ride_charge,
        body=PayCharge,
        answers={201: PaymentView, 202: PaymentView, 402: PaymentView},
        keyed=True,
    ),
    Route(
        method="GET",
        path="/v1/ride_terms",
        operation="get_ride_terms",
        summary="The day cap of a merchant's rides",
        handle=get_ride_terms,
        answers={200: RideTermsView},
    ),
    Route(
        method="POST",
        path="/v1/ride_terms",
        operation="set_ride_terms",
        summary="Set the day cap of a merchant's rides",
        handle=set_ride_terms,
        body=NewRideTerms,
        answers={200: RideTermsView},
    ),
)
