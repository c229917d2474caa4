"""Rides: what each day cost, what is not paid yet, and the taps behind it."""

from collections.abc import Sequence
from uuid import UUID

from msgspec import Struct

from wufeng.base.errors import Code, not_found
from wufeng.base.ids import Prefix, encode
from wufeng.client import ApiProblem, Confirmation, Source
from wufeng.credit.lines.model import LineStatus
from wufeng.credit.queries import list_lines
from wufeng.identity.people.queries import show_person
from wufeng.identity.pins.queries import has_pin
from wufeng.payments.rides import queries
from wufeng.payments.rides.model import ChargeStatus, Ride, RideChargeView, RideView
from wufeng.payments.rides.views import view_charge, view_ride
from wufeng.web.consumer.reading import merchant_names, reading
from wufeng.web.paging import Door, Reply, Visit, pages_of

DAYS = 20
RIDES = 60


class Day(Struct, frozen=True):
    """One day with one merchant: what it costs, and its taps."""

    charge: RideChargeView
    merchant: str
    rides: Sequence[RideView]


async def rides(visit: Visit) -> Reply:
    """The days, the newest first; debts above all."""
    return await _show(visit)


async def pay(visit: Visit) -> Reply:
    """Pay a day's rides by hand. Sent twice it is one payment."""
    async with visit.services.database.read() as db:
        charge = await queries.load_charge(db, visit.book, visit.path_id(Prefix.RIDE_CHARGE, "ride charge"))
    if charge is None or charge.payer_id != visit.caller.id:
        raise not_found("ride charge")
    source, pin = visit.field("source"), visit.field("pin")
    funding = Source(line=source) if source.startswith("lin_") else Source(wallet=source)
    try:
        payment = await visit.api.ride_charges.pay(
            visit.values["id"],
            funding=funding,
            confirmation=Confirmation(kind="pin", proof=pin),
            idempotency_key=visit.key(),
        )
    except ApiProblem as problem:
        known = {Code.CONFIRMATION_FAILED: "pin", Code.STATE_CONFLICT: "paid", Code.INVALID_FIELD: "source"}
        if problem.code not in known:
            raise
        return await _show(visit, error=known[Code(problem.code)], status=problem.status)
    return visit.go(f"/app/payments/{payment.id}")


async def _show(visit: Visit, *, error: str = "", status: int = 200) -> Reply:
    services, book, person_id = visit.services, visit.book, visit.caller.id
    async with services.database.read() as db:
        charges = await queries.list_charges(db, book, person_id, None, None, DAYS)
        taps = await queries.list_rides(db, book, person_id, None, None, RIDES)
        names = await merchant_names(
            visit, db, [encode(Prefix.MERCHANT, id_) for id_ in {one.merchant_id for one in charges}]
        )
        person = await show_person(db, services.vault, book, person_id)
        lines = await list_lines(reading(visit, db), person_id)
        pin_set = await has_pin(db, book, person_id)
    days = [
        Day(
            view_charge(one, book.currency),
            names[encode(Prefix.MERCHANT, one.merchant_id)],
            _of_charge(taps, one.id, book.currency),
        )
        for one in charges
    ]
    return visit.show(
        "consumer/rides.html",
        status=status,
        unpaid=[day for day in days if day.charge.status is ChargeStatus.UNPAID],
        days=[day for day in days if day.charge.status is not ChargeStatus.UNPAID],
        wallet=person.wallet,
        lines=[line for line in lines if line.status == LineStatus.OPEN],
        pin_set=pin_set,
        error=error,
        failed=visit.values.get("id", ""),
    )


def _of_charge(taps: Sequence[Ride], charge_id: UUID, currency: str) -> list[RideView]:
    return [view_ride(tap, currency) for tap in taps if tap.charge_id == charge_id]


page = pages_of(Door.CONSUMER)

PAGES = (
    page("GET", "/app/rides", "app_rides", rides),
    page("POST", "/app/rides/{id}/pay", "app_ride_pay", pay),
)
