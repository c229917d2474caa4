"""Fault points: named places of the commit path where `wufeng prove` may make the process fail.

Off unless the environment variable WUFENG_FAULTS names a point: `before_commit:exit:3` ends the process the third time
the point is passed, `…:raise` raises there. The same names mark the places of planted bugs (WUFENG_PLANT), which exist
to show that a test can fail.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum


class FaultInjected(Exception):
    """Raised at a fault point that was told to raise."""


class Plant(StrEnum):
    """The planted bugs: each is a mistake that some test of `wufeng prove` must catch."""

    SKIP_LIMIT = "skip_limit"  # a draw is not held against the line's limit
    FORGET_CLAIM = "forget_claim"  # an idempotency key is not claimed
    ACK_BEFORE_COMMIT = "ack_before_commit"  # the answer is given before the commit
    ROUND_TWICE = "round_twice"  # a merchant's fee is rounded once too often, and unevenly
    FORGET_BUDGET = "forget_budget"  # what a payment takes of a campaign is given back to its budget
    FORGET_ACCRUAL = "forget_accrual"  # the sums of earned interest are not moved
    FORGET_CUT_OFF = "forget_cut_off"  # what is dated on a closed date is booked on it
    FORGET_RERUN = "forget_rerun"  # a close that was killed counts as done
    BATCH_FAILS_TOGETHER = "batch_fails_together"  # one bad command takes the whole batch with it


_planted = frozenset(os.environ.get("WUFENG_PLANT", "").split(",")) - {""}


def _read(setting: str) -> tuple[str, str, int] | None:
    if not setting:
        return None
    name, action, nth = [*setting.split(":"), "exit", "1"][:3]
    return name, action, int(nth)


_armed = _read(os.environ.get("WUFENG_FAULTS", ""))
_passed = 0


def planted(plant: Plant) -> bool:
    """Whether this process was started with that bug planted (tests of the tests only)."""
    return plant.value in _planted


@contextmanager
def unplanted() -> Iterator[None]:
    """For the block this process is as it should be: who watches a planted server is not planted itself."""
    global _planted
    kept, _planted = _planted, frozenset()
    try:
        yield
    finally:
        _planted = kept


def point(name: str) -> None:
    """Pass a fault point. Does nothing unless the environment armed it."""
    global _passed
    if _armed is None or _armed[0] != name:
        return
    _passed += 1
    if _passed == _armed[2]:
        if _armed[1] == "raise":
            raise FaultInjected(name)
        os.kill(os.getpid(), signal.SIGKILL)
