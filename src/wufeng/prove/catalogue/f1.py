"""F1: the server is killed under load, again and again."""

from wufeng.base.faults import Plant
from wufeng.prove.faulting import app_killer
from wufeng.prove.model import Job, Outcome, Proof, Size
from wufeng.prove.recovery import killed_under_load


async def run(job: Job) -> Outcome:
    """Kill the server's processes."""
    return await killed_under_load(job, lambda stage, rng: app_killer(stage.server, rng))


PROOF = Proof(
    id="F1",
    promise="What was acknowledged stays; what was not is found or done once by the same key.",
    how="load from 12 clients; SIGKILL of the whole server, or of one worker, at random moments",
    unit="kills",
    runs={Size.SMALL: 3, Size.NORMAL: 30, Size.FULL: 2_000},
    run=run,
    catches=(Plant.ACK_BEFORE_COMMIT, Plant.FORGET_CLAIM, Plant.ROUND_TWICE, Plant.FORGET_ACCRUAL),
)
