"""F2: the database is killed under load, whole or one connection of it."""

import asyncio

import asyncpg

from wufeng.base.database import open_connection
from wufeng.base.embedded import APP_ROLE
from wufeng.base.errors import ConfigurationError
from wufeng.base.faults import Plant
from wufeng.prove import store
from wufeng.prove.faulting import RECOVERS_WITHIN_S, database_killer, strike_often
from wufeng.prove.model import Job, Outcome, Proof, Size
from wufeng.prove.recovery import crash_outcome
from wufeng.prove.scratch import Scratch
from wufeng.prove.stage import staged
from wufeng.prove.traffic import Clients

CLIENTS = 12
PAYMENTS_MAX = 1_000_000


async def run(job: Job) -> Outcome:
    """Clients pay without a pause while the postmaster or single backends are killed."""
    async with staged(job, payers=40, shops=3, wallet_minor=10_000_00) as stage:
        clients = Clients(stage.fleet, stage.town, job.run_id, job.seed)
        load = asyncio.create_task(clients.run(CLIENTS, job.left_s + RECOVERS_WITHIN_S, PAYMENTS_MAX))
        try:
            scratch = job.scratch

            async def backends() -> list[int]:
                return await backends_of(scratch)

            strike = database_killer(scratch.postgres, backends, job.rng())
            kills = await strike_often(strike, stage.log, job.runs, job.rng(), job.end_s, job.tell)
        finally:
            clients.stop()
            await load
        return crash_outcome(kills, stage.log, await stage.audit())


async def backends_of(scratch: Scratch) -> list[int]:
    """The database server's processes that work for the server under test; none while it is down."""
    try:
        db = await open_connection(scratch.settings, scratch.postgres, APP_ROLE, "prove")
    except (OSError, asyncpg.PostgresError, ConfigurationError):
        return []
    try:
        return list(await store.load_backends(db, scratch.settings.database_name))
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return []
    finally:
        db.terminate()


PROOF = Proof(
    id="F2",
    promise="What was acknowledged is durable; what a lost database left unknown is resolved by the same key.",
    how="load from 12 clients; SIGKILL of the postmaster, SIGKILL or SIGTERM of one backend, at random moments",
    unit="kills",
    runs={Size.SMALL: 3, Size.NORMAL: 60, Size.FULL: 2_000},
    run=run,
    catches=(Plant.ACK_BEFORE_COMMIT, Plant.FORGET_CLAIM, Plant.ROUND_TWICE),
)
