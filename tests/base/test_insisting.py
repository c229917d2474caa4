"""Whoever insists asks a full or silent lane again, and nobody else."""

import asyncio
from datetime import UTC, datetime
from typing import cast

import pytest

from wufeng.base import insisting
from wufeng.base.claims import Answer
from wufeng.base.errors import Code, Problem
from wufeng.base.insisting import TRIES_MAX, insist
from wufeng.base.lanes import Command, Lanes

DONE = Answer(200, b"1")


class Refusing:
    """A lane that answers with problems first, then that it is done."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = list(problems)
        self.asked = 0

    async def submit(self, bucket: int, command: Command) -> Answer:
        self.asked += 1
        if self.problems:
            raise self.problems.pop(0)
        return DONE


async def asked(lane: Refusing) -> Answer:
    return await insist(cast("Lanes", lane), 0, Command(at=datetime(2026, 9, 1, tzinfo=UTC), people=()))


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    made: list[float] = []

    async def pause(seconds: float) -> None:
        made.append(seconds)

    monkeypatch.setattr(insisting, "asyncio", type("Asyncio", (), {"sleep": staticmethod(pause)}))
    return made


async def test_a_full_and_a_silent_lane_are_asked_again(pauses: list[float]) -> None:
    lane = Refusing(Problem(Code.OVERLOADED, "", retry_after_s=3), Problem(Code.OUTCOME_UNKNOWN, ""))
    assert await asked(lane) == DONE
    assert (lane.asked, pauses) == (3, [3, 1])


async def test_a_refusal_is_told_at_once(pauses: list[float]) -> None:
    lane = Refusing(Problem(Code.STATE_CONFLICT, ""))
    with pytest.raises(Problem) as refused:
        await asked(lane)
    assert refused.value.code is Code.STATE_CONFLICT
    assert (lane.asked, pauses) == (1, [])


async def test_a_lane_that_stays_full_is_given_up_in_the_end() -> None:
    lane = Refusing(*[Problem(Code.OVERLOADED, "") for _ in range(TRIES_MAX + 1)])
    with pytest.raises(Problem) as refused:
        await asyncio.wait_for(asked(lane), 5)
    assert refused.value.code is Code.OVERLOADED
    assert lane.asked == TRIES_MAX
