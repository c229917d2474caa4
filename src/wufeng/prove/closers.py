"""Closing processes: `wufeng close`, each killed at a fault point once, and started again until it ends well."""

import asyncio
import random
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from wufeng.prove.scratch import BOOK

ENDS_WITHIN_S = 300.0
STARTS_MAX = 4

POINTS = (
    "people_locked",
    "handled",
    "numbered",
    "before_commit",
    "after_commit",
    "close_bills",
    "close_due_dates",
    "close_arrears",
    "close_reminders",
)
"""Where a closer may die: in a lane's batch, in a slice, or when a step has noted what it did."""


class Ended(Struct, frozen=True):
    """How a closer has come to its end.

    starts, killed  how often it was started, and how often it died of that
    said            what it said, when it did not end well
    """

    starts: int
    killed: int
    said: str | None = None


def draw_faults(rng: random.Random, closers: int, sure: str | None) -> list[str]:
    """Where each closer dies. `sure`: a point that all of them pass, so that no other one finishes their work."""
    return [f"{sure or rng.choice(POINTS)}:exit:{rng.randint(1, 2 if sure else 3)}" for _ in range(closers)]


async def close_by(
    command: Sequence[str], environment: Mapping[str, str], faults: Sequence[str], log_file: Path
) -> list[Ended]:
    """Let several closers close what has ended, all at once; each is told its fault at its first start only."""
    return await asyncio.gather(*(_close(command, environment, fault, log_file) for fault in faults))


async def _close(command: Sequence[str], environment: Mapping[str, str], fault: str, log_file: Path) -> Ended:
    killed = 0
    for start in range(1, STARTS_MAX + 1):
        armed = {"WUFENG_FAULTS": fault} if start == 1 else {}
        code = await _run(command, {**environment, **armed}, log_file)
        if code == 0:
            return Ended(start, killed)
        if code != -signal.SIGKILL:
            return Ended(
                start, killed, f"ended with {code}: {await asyncio.to_thread(_last_words, log_file)}"
            )
        killed += 1
    return Ended(STARTS_MAX, killed, "died again without a fault")


async def _run(command: Sequence[str], environment: Mapping[str, str], log_file: Path) -> int:
    with log_file.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *command,
            "close",
            "--book",
            BOOK,
            "--json",
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        async with asyncio.timeout(ENDS_WITHIN_S):
            return await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _last_words(log_file: Path) -> str:
    return log_file.read_text(encoding="utf-8", errors="replace")[-2000:].strip() or "nothing said"
