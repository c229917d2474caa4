"""One step of one follower in one bucket: take the cursor, act, move the cursor, commit."""

from collections.abc import Awaitable, Callable
from enum import StrEnum

from msgspec import Struct

from wufeng.base import faults
from wufeng.base.database import Connection
from wufeng.base.followers import store

SPAN_MAX = 1000

Handle = Callable[[Connection, int, int, int], Awaitable[None]]
"""(db, bucket, after_seq, through_seq): act on after_seq < seq <= through_seq, inside the transaction."""


class Stream(StrEnum):
    """What a follower reads. Events and journals share a bucket's numbering: the other's numbers are gaps."""

    EVENT = "event"
    JOURNAL = "journal"


def nobody(bucket: int) -> None:
    """Nobody waits for the effect."""


class Follower(Struct, frozen=True):
    """What acts after a commit.

    name    its cursors are stored under it: a new name begins at the first row
    handle  works on `db` only and does not commit; it runs again when its transaction was lost
    after   called with the bucket once a step that did something is committed, to wake what waits for it
    """

    name: str
    stream: Stream
    handle: Handle
    after: Callable[[int], None] = nobody


async def step(db: Connection, follower: Follower, bucket: int, span: int = SPAN_MAX) -> int:
    """Do the follower's next `span` numbers in a transaction of its own; returns how many it moved on.

    0: nothing is there, or another process is at it. An error of the handler is raised, and nothing is done.
    """
    async with db.transaction():
        taken = await store.take_cursor(db, bucket, follower.name, span)
        if taken is None or taken[1] <= taken[0]:
            return 0
        after_seq, through_seq = taken
        await follower.handle(db, bucket, after_seq, through_seq)
        faults.point("follower_acted")
        await store.move_cursor(db, bucket, follower.name, through_seq)
        faults.point("follower_moved")
    follower.after(bucket)
    return through_seq - after_seq
