"""C8: more payments at once than a campaign's budget has room for."""

import asyncio
from collections import Counter

import msgspec

from wufeng.base.faults import Plant
from wufeng.prove.fleet import Definite, Intent
from wufeng.prove.model import Finding, Job, Outcome, Proof, Size
from wufeng.prove.stage import Stage, staged
from wufeng.prove.town import Payer, Shop
from wufeng.prove.traffic import pay

BUYERS = 40
FIT = 10
AMOUNT_MINOR = 1_000_00
TENOR = 3
PRICE_MINOR = 25_00
"""What three months of the amount cost by the product shipped: 1,025.00 for 1,000.00."""
BUDGET_MINOR = FIT * PRICE_MINOR + PRICE_MINOR // 2
OVER = "campaign_over"


async def run(job: Job) -> Outcome:
    """A round is one shop with one campaign: everybody buys in months at once, through both workers."""
    async with staged(job, payers=BUYERS, shops=job.runs) as stage:
        findings: list[Finding] = []
        seen: Counter[str] = Counter()
        done = 0
        for number, shop in enumerate(stage.town.shops):
            if number and not job.left_s:
                break
            done += 1
            findings += await _round(stage, shop, number, seen)
            job.tell(f"{done} rounds of {job.runs}")
        audited = await stage.audit()
        over = sum(found.check == "budget" for found in (*findings, *audited.findings))
        counts = {**audited.counts, "rounds": done, **seen}
        figure = f"{done} campaigns × {BUYERS} payments, room for {FIT}: {over} budgets overspent"
        return Outcome(counts, figure, (*findings, *audited.findings))


async def _round(stage: Stage, shop: Shop, number: int, seen: Counter[str]) -> list[Finding]:
    name = f"{stage.job.run_id}-{number}"
    made = await stage.fleet.ask(_campaign(name, shop))
    if made is None or made.status != 201:
        return [Finding("start", f"{name}: {made and (made.code or made.status)}")]
    answers = await asyncio.gather(
        *(
            stage.fleet.ask(_in_months(f"{name}-{n}", payer, shop))
            for n, payer in enumerate(stage.town.payers)
        )
    )
    told = Counter(_named(answer) for answer in answers)
    seen.update(told)
    where = f"{name}: {dict(told)}"
    findings = []
    if told["free"] > FIT:
        findings.append(Finding("budget", where))
    if told["free"] < FIT // 2:
        findings.append(Finding("unused", where))
    if told["free"] + told["priced"] + told[OVER] != BUYERS:
        findings.append(Finding("answer", where))
    return findings


def _campaign(name: str, shop: Shop) -> Intent:
    """A merchant carries the whole price of three months, up to the budget."""
    body: dict[str, object] = {
        "name": name,
        "from_on": "2015-01-01",
        "until_on": "2099-12-31",
        "tenors": [TENOR],
        "budget_minor": BUDGET_MINOR,
    }
    return Intent(key=f"k-{name}", caller=shop.caller, path="/v1/campaigns", body=body)


def _in_months(name: str, payer: Payer, shop: Shop) -> Intent:
    """A payment in three months, at the price of the moment."""
    plain = pay(name, payer, shop, AMOUNT_MINOR)
    return msgspec.structs.replace(
        plain, body={**plain.body, "funding": [{"line": payer.line, "tenor": TENOR}]}
    )


def _named(answer: Definite | None) -> str:
    """`free`: the campaign carries the price; `priced`: the person does; or the reason of the refusal."""
    if answer is None:
        return "unknown"
    view = answer.view()
    if answer.status == 402:
        reasons = view.get("reasons")
        return str(reasons[0]["code"]) if isinstance(reasons, list) and reasons else "402"
    if answer.status != 201:
        return answer.code or str(answer.status)
    funding = view["funding"]
    assert isinstance(funding, list), "a payment's sources"
    fees_minor = sum(part["fee_minor"] for part in funding[0]["instalments"])
    return "priced" if fees_minor else "free"


PROOF = Proof(
    id="C8",
    promise="A campaign's budget is never overspent, whoever buys at the same moment.",
    how=f"{BUYERS} payments in instalments at once, through two worker processes, on a budget for {FIT}",
    unit="rounds",
    runs={Size.SMALL: 1, Size.NORMAL: 6, Size.FULL: 500},
    run=run,
    catches=(Plant.FORGET_BUDGET,),
)
