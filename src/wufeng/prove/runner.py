"""Runs proofs one after the other on one scratch installation."""

import time
import traceback
from collections.abc import Callable, Sequence
from enum import StrEnum

from wufeng.prove.engine import Tools
from wufeng.prove.model import HARNESS, WITHIN_S, Finding, Job, Outcome, Proof, Result, Size
from wufeng.prove.scratch import Scratch, scratch


class Leavings(StrEnum):
    """What becomes of the scratch installation of a proof that does not hold."""

    KEEP = "keep"
    DISCARD = "discard"


async def run_proofs(
    proofs: Sequence[Proof],
    tools: Tools,
    *,
    seed: int,
    size: Size = Size.NORMAL,
    runs: int | None = None,
    leavings: Leavings = Leavings.KEEP,
    tell: Callable[[str], None] = lambda _: None,
) -> list[Result]:
    """Run proofs on a scratch installation that is made for them and goes with them.

    runs      instead of each proof's own number for that size
    leavings  what becomes of the logs and files of a failed proof; when kept, its result says where
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
                end_s=time.monotonic() + WITHIN_S[size],
                tell=lambda text, told=told: tell(told + text),  # type: ignore[misc]
            )
            results.append(await _run_one(proof, job, made, leavings))
    return results


async def _run_one(proof: Proof, job: Job, made: Scratch, leavings: Leavings) -> Result:
    started_s = time.monotonic()
    try:
        outcome = await proof.run(job)
    except Exception as error:  # whatever stopped it is what the report must say; the others still run
        told = "".join(traceback.format_exception(error)[-3:]).strip()
        outcome = Outcome({}, "it did not run to its end", (Finding(HARNESS, told),))
    ok = not outcome.findings
    if not ok and leavings is Leavings.KEEP:
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
        kept_in=str(made.directory) if made.is_kept and not ok else None,
    )
