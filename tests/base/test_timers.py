"""Timers: each job alone, an error ends one run only, and a stop waits for the run under way."""

import asyncio

import pytest

from wufeng.base.timers import Job, Timers

SOON_S = 0.01


class Work:
    """A job that counts how often it runs, and how many of its runs overlap."""

    def __init__(self, takes_s: float = 0.0, fails_first: int = 0) -> None:
        self.takes_s = takes_s
        self.fails_first = fails_first
        self.begun = self.ended = self.under_way = self.most_at_once = 0
        self.began = asyncio.Event()

    async def run(self) -> None:
        self.begun += 1
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)
        self.began.set()
        try:
            await asyncio.sleep(self.takes_s)
            if self.begun <= self.fails_first:
                raise ValueError("not yet")
            self.ended += 1
        finally:
            self.under_way -= 1


async def until(condition: object) -> None:
    async with asyncio.timeout(5):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.005)


async def test_jobs_run_again_and_again_each_alone() -> None:
    quick, slow = Work(), Work(takes_s=0.05)
    timers = Timers([Job("quick", SOON_S, quick.run), Job("slow", SOON_S, slow.run)])
    await timers.start()
    await until(lambda: quick.ended >= 5 and slow.ended >= 2)
    await asyncio.gather(*(timers.run_now("slow") for _ in range(3)))
    await timers.stop()
    assert slow.most_at_once == quick.most_at_once == 1
    assert quick.ended > slow.ended, "a slow job holds up itself only"
    assert timers.stats["quick"].runs == quick.ended and timers.stats["quick"].errors == 0


async def test_an_error_ends_one_run() -> None:
    work = Work(fails_first=3)
    timers = Timers([Job("work", SOON_S, work.run)])
    await timers.start()
    await until(lambda: work.ended >= 2)
    await timers.stop()
    stats = timers.stats["work"]
    assert (stats.errors, stats.failing, stats.last_error) == (3, 0, "ValueError('not yet')")
    assert stats.runs == work.begun


async def test_who_runs_a_job_at_once_hears_whether_it_failed() -> None:
    work = Work(fails_first=1)
    timers = Timers([Job("work", 60.0, work.run)])
    assert [await timers.run_now("work"), await timers.run_now("work")] == [False, True]
    assert timers.stats["work"].failing == 0


async def test_a_stop_waits_for_the_run_under_way_and_begins_no_other() -> None:
    work = Work(takes_s=0.1)
    timers = Timers([Job("work", SOON_S, work.run)])
    await timers.start()
    await work.began.wait()
    await timers.stop()
    assert work.ended == work.begun == 1
    await asyncio.sleep(0.05)
    assert work.begun == 1
    await timers.start()
    await until(lambda: work.ended >= 2)
    await timers.stop()


async def test_a_run_that_takes_longer_than_the_grace_is_broken_off() -> None:
    work = Work(takes_s=60.0)
    timers = Timers([Job("work", SOON_S, work.run)])
    await timers.start()
    await work.began.wait()
    await timers.stop(grace_s=0.02)
    assert (work.begun, work.ended, work.under_way) == (1, 0, 0)


async def test_a_stop_before_the_first_run() -> None:
    work = Work()
    timers = Timers([Job("work", 60.0, work.run)])
    await timers.start()
    await timers.stop()
    await timers.stop()
    assert work.begun == 0


def test_two_jobs_do_not_share_a_name() -> None:
    work = Work()
    with pytest.raises(AssertionError, match="share a name"):
        Timers([Job("work", 1.0, work.run), Job("work", 1.0, work.run)])
