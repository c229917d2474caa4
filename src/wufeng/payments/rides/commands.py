"""What can be asked of rides: a tap at a gate, the charging of dates that are over, a debt paid by hand."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from wufeng.base.claims import Answer
from wufeng.base.errors import Code, Problem, not_found
from wufeng.base.ids import slot_of
from wufeng.base.lanes import Batch
from wufeng.identity.merchants.model import MerchantStatus, Scene
from wufeng.identity.people.model import PersonStatus
from wufeng.payments.pay.model import Reader
from wufeng.payments.pay.start import code_refused
from wufeng.payments.pay.state import Desk
from wufeng.payments.pay.store import use_codes
from wufeng.payments.rides import rules, store
from wufeng.payments.rides.charging import Yes, collect, look_at_pending
from wufeng.payments.rides.model import (
    ChargeRides,
    ChargeStatus,
    PayRideCharge,
    Ride,
    RideCharge,
    Rider,
    TakeRide,
)
from wufeng.payments.rides.policy import shipped_ride_policy
from wufeng.payments.rides.views import refused_body, ride_body
from wufeng.payments.turns import in_turns

NO_GATE = Problem(Code.FORBIDDEN, "Rides are for merchants of the scene transport.")
"""Only who carries people lets them ride now and pay later."""


class _Gate(Struct, frozen=True):
    """Taps of different people, with what they are decided from."""

    taps: tuple[TakeRide, ...]
    riders: tuple[Rider, ...]


async def take(batch: Batch, desk: Desk, commands: Sequence[TakeRide]) -> list[Answer | Problem]:
    """Take taps at gates. Those of one person take turns, so that each sees what the ones before it cost."""
    return await in_turns(
        commands, lambda command: command.payer_id, lambda turn: _take_distinct(batch, desk, turn)
    )


async def _take_distinct(batch: Batch, desk: Desk, commands: Sequence[TakeRide]) -> list[Answer | Problem]:
    answers: dict[UUID, Answer | Problem] = await _known(batch, desk, commands)
    fresh = [command for command in commands if command.ride_id not in answers]
    if fresh:
        codes = {tap.ride_id: tap.presented for tap in fresh}
        first = await use_codes(batch.db, batch.bucket, codes, max(tap.at for tap in fresh))
        answers |= {tap.ride_id: code_refused() for tap in fresh if tap.ride_id not in first}
        shown = tuple(tap for tap in fresh if tap.ride_id in first)
        if shown:
            answers |= await _decide(batch, desk, shown)
    return [answers[command.ride_id] for command in commands]


async def _known(batch: Batch, desk: Desk, commands: Sequence[TakeRide]) -> dict[UUID, Answer | Problem]:
    """What needs no decision: gates that are none, people who are not there, and numbers that have ridden already."""
    merchants = await desk.merchants.load(batch.db, {command.merchant_id for command in commands})
    names = [(command.payer_id, command.merchant_id, command.ride_no) for command in commands]
    taken = await store.load_by_no(batch.db, batch.bucket, names)
    answers: dict[UUID, Answer | Problem] = {}
    for command, name in zip(commands, names, strict=True):
        merchant, ride = merchants.get(command.merchant_id), taken.get(name)
        if merchant is None or merchant.scene is not Scene.TRANSPORT:
            answers[command.ride_id] = NO_GATE
        elif command.payer_id not in batch.people:
            answers[command.ride_id] = code_refused()
        elif ride is not None:
            answers[command.ride_id] = _again(batch, ride, command)
    return answers


def _again(batch: Batch, ride: Ride, command: TakeRide) -> Answer | Problem:
    """One number is one ride of a person, however often the gate tells it."""
    if ride.fare_minor != command.fare_minor:
        detail = f"Ride {ride.ride_no} cost {ride.fare_minor}, not {command.fare_minor} minor units."
        return Problem(Code.STATE_CONFLICT, detail)
    return Answer(200, ride_body(ride, batch.book.currency), ride.id)


async def _decide(batch: Batch, desk: Desk, taps: tuple[TakeRide, ...]) -> dict[UUID, Answer | Problem]:
    gate = await _collect_first(batch, desk, await _load(batch, desk, taps))
    policy, currency = shipped_ride_policy(), batch.book.currency
    rides: list[Ride] = []
    charges: list[RideCharge] = []
    answers: dict[UUID, Answer | Problem] = {}
    for tap, rider in zip(gate.taps, gate.riders, strict=True):
        on = batch.book.business_date(tap.at)
        if refused := rules.refusals(tap, rider, policy):
            answers[tap.ride_id] = Answer(402, refused_body(tap, refused, on, currency), tap.ride_id)
            continue
        charge = rules.open_charge(tap, rider, batch.ids.new(tap.at, slot_of(tap.payer_id)), on)
        ride = rules.ride_of(tap, rider, charge)
        charges.append(charge)
        rides.append(ride)
        answers[tap.ride_id] = Answer(201, ride_body(ride, currency), ride.id)
    if rides:
        await store.write_charges(batch.db, batch.bucket, charges)
        await store.insert_rides(batch.db, batch.bucket, rides)
    return answers


async def _load(batch: Batch, desk: Desk, taps: tuple[TakeRide, ...]) -> _Gate:
    """What taps are decided from: five statements, whatever their number."""
    payers = {tap.payer_id for tap in taps}
    days = {tap.ride_id: batch.book.business_date(tap.at) for tap in taps}
    merchants = await desk.merchants.load(batch.db, {tap.merchant_id for tap in taps})
    owed = await look_at_pending(batch, await store.load_owed(batch.db, batch.bucket, payers))
    sums = await store.load_day_sums(batch.db, batch.bucket, payers, set(days.values()))
    caps = await store.load_terms(batch.db, {tap.merchant_id for tap in taps})
    riders = [
        Rider(
            frozen=batch.people[tap.payer_id].status is not PersonStatus.ACTIVE,
            closed=merchants[tap.merchant_id].status is not MerchantStatus.ACTIVE,
            charges=tuple(charge for charge in owed if charge.payer_id == tap.payer_id),
            day_due_minor=sums.get((tap.payer_id, tap.merchant_id, days[tap.ride_id]), 0),
            day_cap_minor=caps.get(tap.merchant_id, shipped_ride_policy().day_cap_minor),
        )
        for tap in taps
    ]
    return _Gate(taps, tuple(riders))


async def _collect_first(batch: Batch, desk: Desk, gate: _Gate) -> _Gate:
    """Collect debts before the next ride, and what is open when a ride would owe too much with it."""
    policy = shipped_ride_policy()
    wanted = [
        charge
        for tap, rider in zip(gate.taps, gate.riders, strict=True)
        if not rules.refusals_at_gate(tap, rider, policy)
        for charge in rules.to_collect(tap, rider, policy)
    ]
    if not wanted:
        return gate
    tried = await collect(batch, desk, wanted, Yes(max(tap.at for tap in gate.taps)))
    after = {one.charge.id: one.charge for one in tried}
    riders = tuple(
        replace(rider, charges=tuple(after.get(charge.id, charge) for charge in rider.charges))
        for rider in gate.riders
    )
    return _Gate(gate.taps, riders)


async def charge(batch: Batch, desk: Desk, commands: Sequence[ChargeRides]) -> list[Answer | Problem]:
    """Charge the rides of dates that are over, try debts once a date, and look at what waited. Safe to repeat."""
    policy = shipped_ride_policy()
    answers: list[Answer | Problem] = []
    for command in commands:
        on = batch.book.business_date(command.at)
        found = await store.load_owed(batch.db, batch.bucket, command.people)
        owed = await look_at_pending(batch, found)
        due = [one for one in owed if _is_due(one, command.through_on, on, policy.tries_max)]
        tried = await collect(batch, desk, due, Yes(command.at)) if due else []
        answers.append(Answer(200, msgspec.json.encode(len(tried))))
    return answers


def _is_due(charge: RideCharge, through_on: date, on: date, tries_max: int) -> bool:
    if charge.status is ChargeStatus.OPEN:
        return charge.business_on <= through_on
    tried_today = charge.tried_on is not None and charge.tried_on >= on
    return charge.status is ChargeStatus.UNPAID and charge.tries < tries_max and not tried_today


async def pay_by_hand(batch: Batch, desk: Desk, commands: Sequence[PayRideCharge]) -> list[Answer | Problem]:
    """Pay charges, each with its person's yes; what is declined stays unpaid. The answer is the payment."""
    return await in_turns(
        commands, lambda command: command.payer_id, lambda turn: _pay_distinct(batch, desk, turn)
    )


async def _pay_distinct(
    batch: Batch, desk: Desk, commands: Sequence[PayRideCharge]
) -> list[Answer | Problem]:
    found = await store.load_charges(batch.db, batch.bucket, {command.charge_id for command in commands})
    looked = {one.id: one for one in await look_at_pending(batch, list(found.values()))}
    answers: list[Answer | Problem] = []
    for command in commands:
        one = looked.get(command.charge_id)
        if one is None or one.payer_id != command.payer_id:
            answers.append(not_found("ride charge"))
        elif one.status not in (ChargeStatus.OPEN, ChargeStatus.UNPAID) or not one.due_minor:
            answers.append(
                Problem(Code.STATE_CONFLICT, f"There is nothing to pay: it is {one.status.value}.")
            )
        else:
            yes = Yes(
                command.at,
                command.confirmation,
                command.funding,
                Reader.PERSON,
                command.language,
                command.moved_from,
            )
            (tried,) = await collect(batch, desk, [one], yes)
            assert tried.answer is not None, "something is due"
            answers.append(tried.answer)
    return answers
