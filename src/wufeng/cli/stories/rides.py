"""Rides: taps at gates now, one charge for the day up to a cap, and a debt collected before the next ride."""

from datetime import date

from wufeng.cli.stories.actors import PIN, arrive
from wufeng.cli.stories.stage import Ending, Stage, Story, Way, yuan
from wufeng.client import Source, Wufeng
from wufeng.client.operating import FeePlan
from wufeng.client.rides import Ride
from wufeng.web.paging import Door

PHONE = "+8613812345678"
DAY_CAP_MINOR = 1_200
NEXT_DAY = date(2026, 9, 4)


async def play(stage: Stage) -> Ending:
    """A day on the metro, and the morning after."""
    operator, staff, tell = stage.operator, stage.staff, stage.tell
    metro = await operator.merchants.create(name="City Metro", scene="transport", fee_plan=FeePlan(2_000))
    assert metro.api_key is not None, "a new merchant's key is shown once"
    gate = operator.as_caller(metro.api_key)
    await gate.rides.set_terms(day_cap_minor=DAY_CAP_MINOR)
    rider = await arrive(operator, staff, "demo-1", PHONE, "何一帆", 200_000)
    me = operator.as_caller(rider.session)
    for number, fare_minor in enumerate((400, 500, 600, 300), 1):
        ride = await _tap(me, gate, Source(line=rider.line), f"GATE-{number}", fare_minor)
        tell(
            f"tap {number} opens the gate at once",
            f"fare {yuan(ride.fare_minor)}, of it due {yuan(ride.due_minor)}",
        )
    await operator.clock.advance(to_on=NEXT_DAY)
    charge = (await me.ride_charges.list().all())[0]
    tell(
        "the day is charged in one payment",
        f"{charge.rides} rides, fares {yuan(charge.fares_minor)}, paid {yuan(charge.amount_minor)}: {charge.status}",
    )
    await _debt(operator, me, gate, rider.line, stage)
    return Ending(
        ways=(Way("the rider's rides", Door.CONSUMER, rider.session, "/app/rides"),),
        credentials=(("the metro's API key", metro.api_key), ("the rider's PIN", PIN)),
    )


async def _debt(operator: Wufeng, me: Wufeng, gate: Wufeng, line: str, stage: Stage) -> None:
    await _tap(me, gate, Source(line=line), "GATE-5", 700)
    await me.lines.freeze(line)
    await operator.clock.advance(days=1)
    charge = (await me.ride_charges.list().all())[0]
    stage.tell(
        "with the line frozen the next day's charge is declined",
        f"{yuan(charge.amount_minor)} {charge.status}",
    )
    ride = await _tap(me, gate, Source(line=line), "GATE-6", 300)
    why = ", ".join(reason.text for reason in ride.reasons)
    stage.tell("and the gate stays shut until it is paid", f"{ride.status}: {why}")


async def _tap(me: Wufeng, gate: Wufeng, source: Source, number: str, fare_minor: int) -> Ride:
    shown = await me.pay_codes.create(funding=[source])
    return await gate.rides.take(pay_code=shown.code, fare_minor=fare_minor, ride_no=number)


STORY = Story(
    name="rides",
    description="Rides: taps at gates, one charge a day up to a cap, and a debt that shuts the gate until it is paid",
    play=play,
)
