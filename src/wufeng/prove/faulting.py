"""What is killed, and when: at moments drawn from the seed, while the clients go on."""

import asyncio
import os
import random
import signal
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from msgspec import Struct

from wufeng.base.embedded import EmbeddedServer
from wufeng.prove.fleet import Log
from wufeng.prove.server import Server

RECOVERS_WITHIN_S = 90.0


class Kill(Struct, frozen=True):
    """One kill. `recovery_s`: until a client had the first new 2xx or 402; None when nobody had."""

    what: str
    recovery_s: float | None


Strike = Callable[[], Awaitable[str | None]]
"""Kills something and says what; None when there was nothing to kill just then."""


def app_killer(server: Server, rng: random.Random) -> Strike:
    """Kills the whole server under test, every fourth time one worker of it."""

    async def strike() -> str | None:
        if rng.random() < 0.25:
            return "worker" if server.kill_worker(rng) else None
        return "app" if server.kill() else None

    return strike


def database_killer(
    postgres: EmbeddedServer, backends: Callable[[], Awaitable[list[int]]], rng: random.Random
) -> Strike:
    """Kills the postmaster, or one backend; half of those are asked (SIGTERM), which the others survive.

    backends  the processes of the database server that work for the server under test
    """

    async def strike() -> str | None:
        choice = rng.random()
        found = await asyncio.to_thread(postgres.running)
        if found is None:
            return None
        if choice < 0.5:
            return "postmaster" if _kill(found.pid, signal.SIGKILL) else None
        pids = await backends()
        if not pids:
            return None
        if choice < 0.75:
            return "backend" if _kill(rng.choice(pids), signal.SIGKILL) else None
        return "backend asked" if _kill(rng.choice(pids), signal.SIGTERM) else None

    return strike


def _kill(pid: int, sign: signal.Signals) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, sign)
        return True
    return False


async def strike_often(
    strike: Strike, log: Log, times: int, rng: random.Random, end_s: float, tell: Callable[[str], None]
) -> list[Kill]:
    """Kill so many times: wait a moment drawn by chance, kill, wait until clients get answers again.

    end_s  no kill after this instant of the monotonic clock, but one at least
    """
    kills: list[Kill] = []
    misses = 0
    while len(kills) < times and misses < 20 + times and (not kills or time.monotonic() < end_s):
        await asyncio.sleep(rng.uniform(0.2, 1.6))
        struck_s = time.monotonic()
        what = await strike()
        if what is None:
            misses += 1
            continue
        kills.append(Kill(what, await _recovery(log, struck_s)))
        tell(f"{len(kills)} kills")
    return kills


async def _recovery(log: Log, struck_s: float) -> float | None:
    """Seconds until a payment that was first meant after the kill had its answer."""
    while time.monotonic() < struck_s + RECOVERS_WITHIN_S:
        if log.newest_s > struck_s:
            return time.monotonic() - struck_s
        await asyncio.sleep(0.01)
    return None
