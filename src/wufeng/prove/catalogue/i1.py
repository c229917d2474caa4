"""I1: many sends of one key at once, to several processes."""

import asyncio
from collections import Counter

import httpx

from wufeng.base.faults import Plant
from wufeng.prove.fleet import Definite, Intent
from wufeng.prove.model import Finding, Job, Outcome, Proof, Size
from wufeng.prove.stage import Stage, staged
from wufeng.prove.traffic import pay

SENDS = 200
AT_ONCE = {"status": 409, "code": "idempotency_in_progress"}
REFUSED = ("rate_limited", "overloaded", "storage_full", "idempotency_in_progress")


async def run(job: Job) -> Outcome:
    """Each key is sent 200 times at once, to both workers; then it must have one effect and one answer."""
    rng = job.rng()
    async with staged(job, payers=8) as stage:
        findings: list[Finding] = []
        codes: Counter[str] = Counter()
        done = 0
        limits = httpx.Limits(max_connections=SENDS, max_keepalive_connections=SENDS)
        async with httpx.AsyncClient(timeout=30.0, trust_env=False, limits=limits) as http:
            for number in range(job.runs):
                if number and not job.left_s:
                    break
                done = number + 1
                intent = pay(
                    f"{job.run_id}-{number}",
                    rng.choice(stage.town.payers),
                    stage.town.shops[0],
                    rng.randrange(1, 5_00),
                )
                findings += await _storm(stage, http, intent, codes)
                if number % 10 == 0:
                    job.tell(f"{number} keys of {job.runs}")
        audited = await stage.audit()
        sends = sum(codes.values())
        effects = audited.counts["payments"] / done
        counts = {
            **audited.counts,
            "keys": done,
            "sends": sends,
            "in_progress": codes["idempotency_in_progress"],
            "overloaded": codes["overloaded"],
            "effects_per_key": effects,
        }
        figure = f"{done:,} keys × {SENDS} sends, effects per key {effects:.3f}"
        return Outcome(counts, figure, (*findings, *audited.findings))


async def _storm(stage: Stage, http: httpx.AsyncClient, intent: Intent, codes: Counter[str]) -> list[Finding]:
    stage.log.intend(intent)
    answers = await asyncio.gather(*(stage.fleet.send_once(http, intent) for _ in range(SENDS)))
    stored: dict[tuple[int, bytes], int] = {}
    findings: list[Finding] = []
    for answer in answers:
        codes[_name(answer)] += 1
        if answer is None:
            findings.append(Finding("answered", f"{intent.key}: a send had no answer"))
        elif answer.is_stored:
            stored[answer.status, answer.body] = stored.get((answer.status, answer.body), 0) + 1
        elif answer.code not in REFUSED:
            findings.append(Finding("answer", f"{intent.key}: {answer.status} {answer.code}"))
    if len(stored) > 1:
        findings.append(Finding("one_answer", f"{intent.key} had {len(stored)} different answers"))
    for status, body in list(stored)[:1]:
        stage.log.believe(intent, Definite(status, body))
    return findings


def _name(answer: Definite | None) -> str:
    if answer is None:
        return "lost"
    return answer.code or str(answer.status)


PROOF = Proof(
    id="I1",
    promise="One key, one effect, one answer.",
    how=f"{SENDS} sends of one key at once to two worker processes",
    unit="keys",
    runs={Size.SMALL: 3, Size.NORMAL: 15, Size.FULL: 10_000},
    run=run,
    catches=(Plant.FORGET_CLAIM,),
)
