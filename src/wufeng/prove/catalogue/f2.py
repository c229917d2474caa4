"""F2: the database is killed under load, whole or one connection of it."""

import asyncpg

from wufeng.base.database import open_connection
from wufeng.base.embedded import APP_ROLE
from wufeng.base.errors import ConfigurationError
from wufeng.base.faults import Plant
from wufeng.prove import store
from wufeng.prove.faulting import database_killer
from wufeng.prove.model import Job, Outcome, Proof, Size
from wufeng.prove.recovery import killed_under_load
from wufeng.prove.scratch import Scratch


async def run(job: Job) -> Outcome:
    """Kill the postmaster or single backends."""
    scratch = job.scratch
    return await killed_under_load(
        job, lambda _stage, rng: database_killer(scratch.postgres, lambda: backends_of(scratch), rng)
    )


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
    runs={Size.SMALL: 3, Size.NORMAL: 30, Size.FULL: 2_000},
    run=run,
    catches=(Plant.ACK_BEFORE_COMMIT, Plant.FORGET_CLAIM, Plant.ROUND_TWICE),
)
