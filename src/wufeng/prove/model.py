"""What a proof is, what it is given, and what it tells."""

import random
import time
from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from wufeng.base.faults import Plant

if TYPE_CHECKING:
    from wufeng.prove.scratch import Scratch


class Size(StrEnum):
    """How much of a proof is run."""

    SMALL = "small"  # seconds: in the test run
    NORMAL = "normal"  # minutes: by hand
    FULL = "full"  # an hour or more: nightly


WITHIN_S = {Size.SMALL: 60.0, Size.NORMAL: 360.0, Size.FULL: 12 * 3600.0}
"""After so long a proof begins nothing more."""


class Finding(Struct, frozen=True):
    """Something that does not hold: the check that found it, and where."""

    check: str
    detail: str


HARNESS = "harness"
"""The check of a proof that could not be run to its end: that is no proof either."""


class Outcome(Struct, frozen=True):
    """What a proof found. No findings: it holds.

    counts  what was done and seen, numbers only
    figure  the one line that the report prints
    """

    counts: Mapping[str, int | float]
    figure: str
    findings: tuple[Finding, ...] = ()


class Job(Struct, frozen=True):
    """One run of a proof.

    runs    how much, in the proof's own unit (`Proof.unit`)
    run_id  names the objects it makes, so that several proofs can share a scratch copy
    tell    says in a few words how far it is
    end_s   when to begin nothing more, on the monotonic clock: a slow machine does less, and the counts say so
    """

    scratch: "Scratch"
    seed: int
    runs: int
    run_id: str
    size: Size
    tell: Callable[[str], None]
    end_s: float

    @property
    def left_s(self) -> float:
        """Seconds in which something more may be begun."""
        return max(0.0, self.end_s - time.monotonic())

    def rng(self) -> random.Random:
        """Chance from the seed: the same seed, the same choices."""
        return random.Random(self.seed)


class Proof(Struct, frozen=True, kw_only=True):
    """One promise under attack.

    how      set-up and fault, for the report
    unit     what `runs` counts
    runs     how many by size
    catches  the planted bugs that it must find
    """

    id: str
    promise: str
    how: str
    unit: str
    runs: Mapping[Size, int]
    run: Callable[[Job], Awaitable[Outcome]]
    catches: tuple[Plant, ...] = ()


class Result(Struct, frozen=True, kw_only=True):
    """One proof as `--json` tells it."""

    id: str
    seed: int
    runs: int
    counts: Mapping[str, int | float]
    figure: str
    duration_s: float
    ok: bool
    findings: tuple[Finding, ...] = ()
    kept_in: str | None = None
