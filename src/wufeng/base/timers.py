"""Timers: named jobs that run again and again in a process, each one at a time.

What a job does is its own affair, and must be safe to run in several processes and to be broken off: a timer only says
when. An error ends one run, not the timer; it is logged and counted.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence

import structlog
from msgspec import Struct

from wufeng.base.tasks import end_tasks

log = structlog.get_logger("wufeng.timers")


class Job(Struct, frozen=True):
    """Something to do about every so many seconds of the system's clock, counted from the end of the run before."""

    name: str
    every_s: float
    run: Callable[[], Awaitable[object]]


class JobStats(Struct):
    """What became of a job's runs in this process; for metrics and health checks."""

    runs: int = 0
    errors: int = 0
    failing: int = 0  # errors since the last run that went well
    last_error: str = ""


class Timers:
    """The timers of one process. Their first runs come one interval after the start."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._jobs = {job.name: job for job in jobs}
        assert len(self._jobs) == len(jobs), "two jobs share a name"
        assert all(job.every_s > 0 for job in jobs), "an interval is longer than nothing"
        self.stats = {job.name: JobStats() for job in jobs}
        self._locks = {job.name: asyncio.Lock() for job in jobs}
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin, each job in a task of the running loop."""
        assert not self._tasks, "the timers run already"
        self._stopping.clear()
        self._tasks = [asyncio.create_task(self._repeat(job)) for job in self._jobs.values()]

    async def stop(self, grace_s: float = 10.0) -> None:
        """End after the runs under way; what takes longer is broken off."""
        self._stopping.set()
        tasks, self._tasks = self._tasks, []
        await end_tasks(tasks, grace_s)

    async def run_now(self, name: str) -> bool:
        """Run a job at once, after a run of it that is under way; False: it failed. For tools and tests."""
        return await self._run(self._jobs[name])

    async def _repeat(self, job: Job) -> None:
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), job.every_s)
            if not self._stopping.is_set():
                await self._run(job)

    async def _run(self, job: Job) -> bool:
        stats = self.stats[job.name]
        async with self._locks[job.name]:
            try:
                await job.run()
            except Exception as error:
                # Whatever went wrong, the next run may do better; who watches sees it in the log and the counter.
                stats.errors += 1
                stats.failing += 1
                stats.last_error = repr(error)
                log.error("a timer's job failed", job=job.name, failing=stats.failing, exc_info=error)
                return False
            finally:
                stats.runs += 1
            stats.failing = 0
            return True
