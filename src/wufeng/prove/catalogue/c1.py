"""C1: more draws at once than the line has room for."""

import asyncio
from collections import Counter

from wufeng.base.faults import Plant
from wufeng.prove.fleet import Definite
from wufeng.prove.model import Finding, Job, Outcome, Proof, Size
from wufeng.prove.stage import Stage, staged
from wufeng.prove.town import Payer
from wufeng.prove.traffic import pay

DRAWS = {Size.SMALL: 150, Size.NORMAL: 500, Size.FULL: 500}
FIT = 100
LIMIT_MINOR = 100_000
REASON = "limit_exceeded"


async def run(job: Job) -> Outcome:
    """A round is one person: all draws go out at once, to both workers; exactly as many as fit may be approved."""
    async with staged(job, payers=job.runs, limit_minor=LIMIT_MINOR) as stage:
        findings: list[Finding] = []
        done = 0
        for number, payer in enumerate(stage.town.payers):
            if number and not job.left_s:
                break
            done += 1
            findings += await _round(stage, payer, number, DRAWS[job.size])
            job.tell(f"{number + 1} rounds of {job.runs}")
        audited = await stage.audit()
        over = sum(found.check == "over" for found in findings)
        counts = {**audited.counts, "rounds": done, "rounds_over": over}
        figure = (
            f"{done} rounds × {DRAWS[job.size]} draws of 1/{FIT}: {over} rounds over the limit, "
            f"{len(findings) - over} other"
        )
        return Outcome(counts, figure, (*findings, *audited.findings))


async def _round(stage: Stage, payer: Payer, number: int, draws: int) -> list[Finding]:
    shop = stage.town.shops[0]
    names = [f"{stage.job.run_id}-{number}-{draw}" for draw in range(draws)]
    answers = await asyncio.gather(
        *(stage.fleet.ask(pay(name, payer, shop, LIMIT_MINOR // FIT)) for name in names)
    )
    seen = Counter(_named(answer) for answer in answers)
    findings: list[Finding] = []
    where = f"line {payer.line_id}: {dict(seen)}"
    if seen["201"] > FIT:
        findings.append(Finding("over", where))
    elif seen["201"] < FIT:
        findings.append(Finding("under", where))
    if seen["201"] + seen[REASON] != draws:
        findings.append(Finding("answer", where))
    return findings


def _named(answer: Definite | None) -> str:
    if answer is None:
        return "unknown"
    if answer.status != 402:
        return answer.code or str(answer.status)
    reasons = answer.view().get("reasons")
    first = reasons[0] if isinstance(reasons, list) and reasons else {}
    return str(first.get("code"))


PROOF = Proof(
    id="C1",
    promise="A line is never overdrawn, whoever draws on it at the same moment.",
    how=f"500 draws of 1/{FIT} of one line's limit at once, through two worker processes",
    unit="rounds",
    runs={Size.SMALL: 1, Size.NORMAL: 6, Size.FULL: 1_000},
    run=run,
    catches=(Plant.SKIP_LIMIT,),
)
