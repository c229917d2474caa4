"""Runs proofs one after the other on one scratch installation."""

import time
import traceback
from collections.abc import Callable, Sequence

from wufeng.prove.engine import Tools
from wufeng.prove.model import Finding, Job, Outcome, Proof, Result, Size
from wufeng.prove.scratch import Scratch, scratch

HARNESS = "harness"
"""The check of a proof that could not be run to its end: that is no proof either."""


async def run_proofs(
    proofs: Sequence[Proof],
    tools: Tools,
    *,
    seed: int,
    size: Size = Size.NORMAL,
    runs: int | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> list[Result]:
    """Run proofs on a scratch installation that is made for them and goes with them.

    runs  instead of each proof's own number for that size
    What a failed proof leaves (logs, the database's files) is kept; its result says where.
    """
    results: list[Result] = []
    async with scratch(tools) as made:
        for number, proof in enumerate(proofs):
            count = runs if runs is not None else proof.runs[size]
            told = f"{proof.id}: "
            job = Job(
                scratch=made,
                seed=seed,
                runs=count,
                run_id=f"{proof.id.lower()}{number}",
                size=size,
                tell=lambda text, told=told: tell(told + text),  # type: ignore[misc]
            )
            results.append(await _run_one(proof, job, made))
    return results


async def _run_one(proof: Proof, job: Job, made: Scratch) -> Result:
    started_s = time.monotonic()
    try:
        outcome = await proof.run(job)
    except Exception as error:  # whatever stopped it is what the report must say; the others still run
        told = "".join(traceback.format_exception(error)[-3:]).strip()
        outcome = Outcome({}, "it did not run to its end", (Finding(HARNESS, told),))
    ok = not outcome.findings
    if not ok:
        made.is_kept = True
    return Result(
        id=proof.id,
        seed=job.seed,
        runs=job.runs,
        counts=outcome.counts,
        figure=outcome.figure,
        duration_s=round(time.monotonic() - started_s, 1),
        ok=ok,
        findings=outcome.findings,
        kept_in=None if ok else str(made.directory),
    )
