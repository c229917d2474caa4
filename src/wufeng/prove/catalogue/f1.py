"""F1: the server is killed under load, again and again."""

import asyncio

from wufeng.base.faults import Plant
from wufeng.prove.faulting import RECOVERS_WITHIN_S, app_killer, strike_often
from wufeng.prove.model import Job, Outcome, Proof, Size
from wufeng.prove.recovery import crash_outcome
from wufeng.prove.stage import staged
from wufeng.prove.traffic import Clients

CLIENTS = 12
PAYMENTS_MAX = 1_000_000


async def run(job: Job) -> Outcome:
    """Clients pay without a pause while the server's processes are killed; each repeats its key until it knows."""
    async with staged(job, payers=40, shops=3, wallet_minor=10_000_00) as stage:
        clients = Clients(stage.fleet, stage.town, job.run_id, job.seed)
        load = asyncio.create_task(clients.run(CLIENTS, job.left_s + RECOVERS_WITHIN_S, PAYMENTS_MAX))
        try:
            strike = app_killer(stage.server, job.rng())
            kills = await strike_often(strike, stage.log, job.runs, job.rng(), job.end_s, job.tell)
        finally:
            clients.stop()
            await load
        return crash_outcome(kills, stage.log, await stage.audit())


PROOF = Proof(
    id="F1",
    promise="What was acknowledged stays; what was not is found or done once by the same key.",
    how="load from 12 clients; SIGKILL of the whole server, or of one worker, at random moments",
    unit="kills",
    runs={Size.SMALL: 3, Size.NORMAL: 60, Size.FULL: 2_000},
    run=run,
    catches=(Plant.ACK_BEFORE_COMMIT, Plant.FORGET_CLAIM, Plant.ROUND_TWICE),
)
