"""A close that is killed at any of the fault points it passes, and run again, comes out as one that was left alone."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date

import pytest
from tests.credit.close.test_close import comparable, state
from tests.credit.conftest import House, make_house, shared_product

from wufeng import credit, ledger
from wufeng.base import faults
from wufeng.base.database import Database
from wufeng.base.errors import Problem
from wufeng.base.ids import Prefix, encode
from wufeng.credit.close.model import CloseStep, DayClose, StepResult
from wufeng.credit.close.runner import ONE_DAY

OPENED_ON = date(2026, 9, 3)
STOPS = (date(2026, 9, 21), date(2026, 10, 1), date(2026, 10, 10), date(2026, 10, 13), date(2026, 11, 2))
"""A raise has ended; bills; due dates, debits and reminders; arrears; charge-offs."""
LATER = shared_product().replace(
    "suspend_after_days = 1", "suspend_after_days = 2\ncharge_off_after_days = 20"
)


class Killed(Exception):
    """The process is gone."""


class Points:
    """Stands for the fault points of a process: notes those that it passes, and dies at one of them, for good.

    deadly  where it dies; None: nowhere
    """

    def __init__(self, deadly: str | None) -> None:
        self.deadly = deadly
        self.passed: set[str] = set()
        self.dead = False

    def __call__(self, name: str) -> None:
        self.passed.add(name)
        self.dead = self.dead or name == self.deadly
        if self.dead:
            raise faults.FaultInjected(name)

    @contextmanager
    def instead(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch, suppress(Killed, faults.FaultInjected, Problem):
            patch.setattr(faults, "point", self)
            yield


async def settle(database: Database, name: str) -> House:
    """People with something due at every step, in a book of their own."""
    house = await make_house(database, OPENED_ON, name, LATER)
    house.steps = [*credit.close_steps(), *credit.reminder_steps(house.products)]
    payers = [await house.payer(wallet_minor=200_000 * (n % 2)) for n in range(4)]
    payers.append(await house.payer(product="daily_interest"))
    for n, payer in enumerate(payers):
        await house.buy(payer, 30_000 + n)
    await house.buy(payers[1], 90_000, tenor=3)
    await house.buy(payers[2], 60_000, tenor=6, merchant_share_ppm=1_000_000)
    wallet = encode(Prefix.WALLET, payers[1].wallet_id)
    await house.do(house.change(credit.SetAutoDebit, payers[1], credit.Actor.PERSON, sources=(wallet,)))
    await house.do(house.change(credit.SetLimit, payers[0], limit_minor=600_000, until_on=date(2026, 9, 20)))
    return house


async def live(database: Database, name: str, deadly: str | None) -> tuple[list[str], Points]:
    """Close up to each stop, at first by a process that dies; then all that is left, by one that does not."""
    house = await settle(database, name)
    points = Points(deadly)
    for stop in STOPS:
        house.clock.turn_to(house.noon(stop))
        points.dead = False
        mortal = [_mortal(step, points) for step in house.steps]
        with points.instead():
            await credit.close_through(house.lanes, house.book, house.bucket, stop - ONE_DAY, mortal)
        await house.close(stop - ONE_DAY)
    await house.followers.catch_up()
    assert (await ledger.verify(house.database, [house.bucket], [credit.accrual_breaks])).breaks == ()
    left = sorted(map(comparable, await state(house)))
    await house.lanes.drain()
    return left, points


def _mortal(step: CloseStep, points: Points) -> CloseStep:
    """A step of a process that may die in it, or between the last one and the note that all are done."""

    async def run(close: DayClose) -> StepResult:
        result = await step.run(close)
        if points.dead:
            raise Killed
        return result

    return CloseStep(step.name, run)


COMMIT = ("people_locked", "handled", "numbered", "before_commit", "after_commit")
SETS = ("close_bills", "close_due_dates", "close_arrears")
OTHERS = ("close_line_terms", "close_auto_debit", "close_charge_offs", "close_accruals", "close_reminders")


@pytest.mark.parametrize("group", [COMMIT, SETS, OTHERS], ids=["commit", "sets", "others"])
async def test_a_close_killed_at_any_point_and_run_again_is_one_close(
    database: Database, group: tuple[str, ...]
) -> None:
    whole, points = await live(database, "whole", None)
    assert points.passed == {*COMMIT, *SETS, *OTHERS}, "a point that a close passes is one of these"
    for number, deadly in enumerate(group):
        left, points = await live(database, f"killed{number}", deadly)
        assert deadly in points.passed
        assert left == whole, deadly
