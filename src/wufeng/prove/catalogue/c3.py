"""C3: refunds race with captures, voids and each other."""

import asyncio
from collections import Counter

from wufeng.base.faults import Plant
from wufeng.prove.fleet import Definite, Intent
from wufeng.prove.model import Finding, Job, Outcome, Proof, Size
from wufeng.prove.stage import staged
from wufeng.prove.traffic import capture, pay, refund, void

REFUNDS = 64
AMOUNT_MINOR = 10_000


async def run(job: Job) -> Outcome:
    """A round is one payment: 64 refunds, part and whole, with captures and a void, all at once in a random order."""
    rng = job.rng()
    async with staged(job, payers=8, wallet_minor=1_000_000_00) as stage:
        findings: list[Finding] = []
        codes: Counter[str] = Counter()
        refunded_minor = 0
        done = 0
        for number in range(job.runs):
            if number and not job.left_s:
                break
            done += 1
            name = f"{job.run_id}-{number}"
            payer = rng.choice(stage.town.payers)
            later = rng.random() < 0.5
            started = pay(
                name,
                payer,
                stage.town.shops[0],
                AMOUNT_MINOR,
                capture="later" if later else "now",
                wallet=rng.random() < 0.3,
            )
            payment = await stage.fleet.ask(started)
            if payment is None or payment.status != 201:
                findings.append(Finding("start", f"{name}: {payment and payment.status}"))
                continue
            id_ = str(payment.view()["id"])
            shop = stage.town.shops[0]
            race: list[Intent] = [
                refund(f"{name}-r{n}", shop, id_, rng.choice((1, 157, AMOUNT_MINOR // 4, AMOUNT_MINOR)))
                for n in range(REFUNDS)
            ]
            race += [void(f"{name}-v", shop, id_)]
            race += [capture(f"{name}-c{n}", shop, id_, rng.randrange(1, AMOUNT_MINOR)) for n in range(3)]
            rng.shuffle(race)
            answers = await asyncio.gather(*(stage.fleet.ask(intent) for intent in race))
            found, given_minor = _judge(name, race, answers, codes)
            findings += found
            refunded_minor += given_minor
            job.tell(f"{number + 1} rounds of {job.runs}")
        audited = await stage.audit()
        over = sum(found.check == "refunds" for found in (*findings, *audited.findings))
        counts = {
            **audited.counts,
            "rounds": done,
            "refused": codes["state_conflict"],
            "refunded_minor": refunded_minor,
        }
        figure = f"{done} rounds of {REFUNDS} refunds, 3 captures and a void: {over} over-refunded"
        return Outcome(counts, figure, (*findings, *audited.findings))


def _judge(
    name: str, race: list[Intent], answers: list[Definite | None], codes: Counter[str]
) -> tuple[list[Finding], int]:
    """What the answers say by themselves: a refusal is a conflict of states, and the sums fit."""
    findings: list[Finding] = []
    given_minor = captured = voided = 0
    for intent, answer in zip(race, answers, strict=True):
        if answer is None:
            continue  # the audit says so
        codes[answer.code or str(answer.status)] += 1
        if answer.is_stored:
            amount = intent.body.get("amount_minor")
            given_minor += amount if intent.refund_no is not None and isinstance(amount, int) else 0
            captured += intent.path.endswith("/capture")
            voided += intent.path.endswith("/void")
        elif answer.code != "state_conflict":
            findings.append(Finding("answer", f"{intent.key}: {answer.status} {answer.code}"))
    if given_minor > AMOUNT_MINOR:
        findings.append(Finding("refunds", f"{name}: {given_minor} given back of {AMOUNT_MINOR}"))
    if captured + voided > 1:
        findings.append(Finding("states", f"{name}: {captured} final captures and {voided} voids"))
    return findings, given_minor


PROOF = Proof(
    id="C3",
    promise="No more is given back than was taken, and a payment ends once.",
    how=f"{REFUNDS} refunds of one payment, whole and part, with three captures and a void, all at once",
    unit="rounds",
    runs={Size.SMALL: 2, Size.NORMAL: 20, Size.FULL: 1_000},
    run=run,
    catches=(Plant.ROUND_TWICE,),
)
