"""What a proof over HTTP stands on: the server, an engine of our own on its database, a town, and the fleet."""

import contextlib
from collections.abc import AsyncIterator, Sequence

from msgspec import Struct

from wufeng.prove.audit import Audited, audit
from wufeng.prove.engine import Engine
from wufeng.prove.fleet import Fleet, Log
from wufeng.prove.model import Job, Size
from wufeng.prove.server import Server
from wufeng.prove.town import LIMIT_MINOR, PRODUCT, Town, settle_town

REPEATS = {Size.SMALL: 100, Size.NORMAL: 1_000, Size.FULL: 1_000_000}
"""How many stored answers the final audit asks for once more."""


class Stage(Struct, frozen=True):
    """One proof's own part of the scratch installation."""

    job: Job
    server: Server
    engine: Engine
    town: Town
    fleet: Fleet

    @property
    def log(self) -> Log:
        """What the clients meant and heard."""
        return self.fleet.log

    async def audit(self) -> Audited:
        """Settle what is unknown, then A0."""
        self.job.tell("final audit")
        await self.server.wait_ready()
        await self.fleet.settle()
        return await audit(self.engine, self.fleet, self.town, REPEATS[self.job.size])


@contextlib.asynccontextmanager
async def staged(
    job: Job,
    *,
    payers: int,
    shops: int = 1,
    limit_minor: int = LIMIT_MINOR,
    wallet_minor: int = 0,
    pin: str | None = None,
    products: Sequence[str] = (PRODUCT,),
) -> AsyncIterator[Stage]:
    """Set a stage up; its log is `<run id>.jsonl` in the scratch directory."""
    job.tell("starting the server")
    server = await job.scratch.server()
    log = Log(job.scratch.directory / f"{job.run_id}.jsonl")
    try:
        async with job.scratch.engine() as engine, Fleet(server.url, log) as fleet:
            town = await settle_town(
                engine,
                job.run_id,
                payers=payers,
                shops=shops,
                limit_minor=limit_minor,
                wallet_minor=wallet_minor,
                pin=pin,
                products=products,
            )
            yield Stage(job, server, engine, town, fleet)
    finally:
        log.close()
