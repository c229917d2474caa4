"""Kills under load, and how they are told: payments, what was lost or doubled, how soon the service was back."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence
from statistics import median

from wufeng.prove.audit import Audited
from wufeng.prove.faulting import RECOVERS_WITHIN_S, Kill, Strike, strike_often
from wufeng.prove.fleet import Log
from wufeng.prove.model import Finding, Job, Outcome
from wufeng.prove.stage import Stage, staged
from wufeng.prove.traffic import Clients

CLIENTS = 12
PAYMENTS_MAX = 1_000_000
LIMIT_MINOR = 2_000_000
PRODUCTS = ("monthly_bill", "daily_interest")
"""The second bears interest from the day of the draw: its sums move with each payment."""


async def killed_under_load(job: Job, aim: Callable[[Stage, random.Random], Strike]) -> Outcome:
    """Clients pay without a pause while what `aim` chooses is killed; each repeats its key until it knows."""
    async with staged(
        job, payers=40, shops=3, limit_minor=LIMIT_MINOR, wallet_minor=10_000_00, products=PRODUCTS
    ) as stage:
        clients = Clients(stage.fleet, stage.town, job.run_id, job.seed)
        load = asyncio.create_task(clients.run(CLIENTS, job.left_s + RECOVERS_WITHIN_S, PAYMENTS_MAX))
        try:
            strike = aim(stage, job.rng())
            kills = await strike_often(strike, stage.log, job.runs, job.rng(), job.end_s, job.tell)
        finally:
            clients.stop()
            await load
        return crash_outcome(kills, stage.log, await stage.audit())


def crash_outcome(kills: Sequence[Kill], log: Log, audited: Audited) -> Outcome:
    """The outcome of a proof that kills."""
    recoveries = [kill.recovery_s for kill in kills if kill.recovery_s is not None]
    stuck = [
        Finding("recovery", f"nobody was answered after kill {number} ({kill.what})")
        for number, kill in enumerate(kills, 1)
        if kill.recovery_s is None
    ]
    if log.seen["500"]:
        stuck.append(
            Finding(
                "server_error", f"{log.seen['500']} answers were 500: a crash is no mistake of the server's"
            )
        )
    p50_s, max_s = (median(recoveries), max(recoveries)) if recoveries else (0.0, 0.0)
    by_kind = Counter(f"kills_{_name(kill)}" for kill in kills)
    slowest = {
        f"recovery_max_s_{_name(kill)}": round(kill.recovery_s, 2)
        for kill in sorted(kills, key=lambda kill: kill.recovery_s or 0.0)
        if kill.recovery_s is not None
    }
    counts: dict[str, int | float] = {
        **audited.counts,
        **by_kind,
        **slowest,
        "kills": len(kills),
        "sends": log.seen["sent"],
        "connections_lost": log.seen["lost"],
        "refused_or_unknown": log.seen["503"],
        "server_errors": log.seen["500"],
        "recovery_p50_s": round(p50_s, 2),
        "recovery_max_s": round(max_s, 2),
    }
    figure = (
        f"{len(kills)} kills, {audited.counts['payments']:,} payments, lost {audited.lost}, "
        f"doubled {audited.doubled}, recovery p50 {p50_s:.2f} s, max {max_s:.2f} s"
    )
    return Outcome(counts, figure, (*stuck, *audited.findings))


def _name(kill: Kill) -> str:
    return kill.what.replace(" ", "_")
