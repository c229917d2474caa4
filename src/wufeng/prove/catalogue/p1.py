"""P1: any order of payments, captures, voids, refunds, repayments and days, beside a model on paper."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky
from hypothesis.reporting import with_reporter
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from wufeng.base.faults import Plant
from wufeng.base.money import MINOR_MAX
from wufeng.prove.model import Finding, Job, Outcome, Proof, Size
from wufeng.prove.world import Difference, World, Worlds

STEPS = 40
AMOUNTS = st.one_of(
    st.sampled_from((1, 2, 99, 100, 49_999, 50_000, 50_001, 10**9, MINOR_MAX)), st.integers(1, 60_000)
)
WHO = st.integers(0, 1)
WHICH = st.integers(0, 1_000)


async def run(job: Job) -> Outcome:
    """A run is one example: a world of its own, and up to 40 steps in it, each compared with the model."""
    worlds = Worlds(job.scratch, job.run_id)
    await worlds.prepare()
    try:
        found = await asyncio.to_thread(_explore, job, worlds)
    finally:
        worlds.is_stopped = True  # the thread cannot be cancelled: it ends by itself after the world it is in
    counts = {
        "examples": worlds.made,
        "steps": worlds.steps,
        "days_closed": worlds.days,
        "differences": len(found),
    }
    figure = f"{worlds.steps:,} steps in {worlds.made} worlds, {worlds.days:,} days closed, {len(found)} differences"
    return Outcome(counts, figure, found)


class _TimeIsUp(BaseException):
    """No further world is begun. Not an Exception: Hypothesis lets it pass instead of looking for its cause."""


def _explore(job: Job, worlds: Worlds) -> tuple[Finding, ...]:
    """Let Hypothesis look for a difference; a thread of its own, with a loop of its own."""
    said, failures = list[object](), list[Exception]()
    with asyncio.Runner() as runner, with_reporter(said.append):
        machine = hypothesis.seed(job.seed)(_machine(runner, worlds, job, failures))
        phases = (Phase.generate,) if job.size is Size.SMALL else (Phase.generate, Phase.shrink)
        limits = settings(
            max_examples=job.runs,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            phases=phases,
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
        )
        try:
            run_state_machine_as_test(machine, settings=limits)
        except Difference as difference:
            return (Finding("model", str(difference)), *(Finding("steps", str(line)) for line in said))
        except (_TimeIsUp, Flaky) as end:
            # Where the time ends, Hypothesis sees steps that it has known longer; a failure stays one all the same.
            if failures:
                return (Finding("model", f"{failures[0]!r}; no fewer steps were found: {end!r}"),)
            if job.left_s:
                raise
        finally:
            runner.run(worlds.close())
    return ()


def _machine(
    runner: asyncio.Runner, worlds: Worlds, job: Job, failures: list[Exception]
) -> type[RuleBasedStateMachine]:
    class Machine(RuleBasedStateMachine):
        """The rules by which Hypothesis draws steps; each runs on the engine and on paper."""

        def __init__(self) -> None:
            super().__init__()
            self.world: World | None = None

        def act(self, step: Coroutine[Any, Any, None]) -> None:
            """Take a step, and keep what it fails with."""
            try:
                runner.run(step)
            except Exception as error:
                failures.append(error)
                raise

        def has(self, *states: str) -> bool:
            """Whether there is a payment in one of those states."""
            return self.world is not None and self.world.has(*states)

        @initialize(wallet=st.sampled_from((0, 1, 50_000)), limit=st.sampled_from((50_000, 500_000)))
        def settle(self, wallet: int, limit: int) -> None:
            if worlds.is_stopped or (worlds.made and not job.left_s):
                raise _TimeIsUp
            self.world = runner.run(worlds.open(wallet, limit))
            job.tell(f"{worlds.made} worlds, {worlds.steps} steps")

        @rule(who=WHO, amount=AMOUNTS, source=st.sampled_from(("line", "wallet", "both")))
        def buy(self, who: int, amount: int, source: str) -> None:
            assert self.world is not None
            self.act(self.world.pay(who, amount, source, "now"))

        @rule(who=WHO, amount=AMOUNTS, source=st.sampled_from(("line", "both")))
        def authorise(self, who: int, amount: int, source: str) -> None:
            assert self.world is not None
            self.act(self.world.pay(who, amount, source, "later"))

        @precondition(lambda self: self.has("authorised"))
        @rule(which=WHICH, amount=st.none() | AMOUNTS, final=st.sampled_from((True, False)))
        def capture(self, which: int, amount: int | None, final: Any) -> None:
            assert self.world is not None
            self.act(self.world.capture(which, amount, final=final))

        @precondition(lambda self: self.has("authorised", "captured"))
        @rule(which=WHICH)
        def void(self, which: int) -> None:
            assert self.world is not None
            self.act(self.world.void(which))

        @precondition(lambda self: self.has("captured", "authorised"))
        @rule(which=WHICH, amount=st.none() | AMOUNTS)
        def refund(self, which: int, amount: int | None) -> None:
            assert self.world is not None
            self.act(self.world.refund(which, amount))

        @rule(
            who=WHO,
            amount=st.sampled_from(("all", "billed", "minimum")) | st.integers(1, 60_000),
            source=st.sampled_from(("wallet", "external")),
        )
        def repay(self, who: int, amount: int | str, source: str) -> None:
            assert self.world is not None
            self.act(self.world.repay(who, amount, source))

        @rule(days=st.sampled_from((1, 1, 2, 8, 30)))
        def turn(self, days: int) -> None:
            assert self.world is not None
            self.act(self.world.turn(days))

        def teardown(self) -> None:
            if self.world is not None:
                self.act(self.world.end())

    return Machine


PROOF = Proof(
    id="P1",
    promise="Balances and states are what the documents say, in any order of events; the ledger always sums to zero.",
    how=f"up to {STEPS} steps a world, drawn by Hypothesis: pay, authorise, capture, void, refund, repay, close days",
    unit="worlds",
    runs={Size.SMALL: 5, Size.NORMAL: 12, Size.FULL: 20_000},
    run=run,
    catches=(Plant.ROUND_TWICE,),
)
