"""The runner: wakes a process's followers after its own commits, and polls for those of other processes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence

import asyncpg
import structlog
from msgspec import Struct

from wufeng.base.database import LOST, Connection, Database, close
from wufeng.base.errors import ConfigurationError
from wufeng.base.followers import store
from wufeng.base.followers.steps import SPAN_MAX, Follower, step
from wufeng.base.followers.store import Behind
from wufeng.base.tasks import end_tasks

log = structlog.get_logger("wufeng.followers")

CONNECTION_LOST = (*LOST, asyncpg.InterfaceError)  # the latter: used after the server went away


def _ignore(follower: str, bucket: int) -> None:
    """Nobody counts."""


class FollowerSettings(Struct, frozen=True):
    """How followers run in one process.

    poll_s           how often to look for commits of other processes
    gather_s         shortest time between two rounds in a bucket: under load a round takes several commits
    connections      rounds at a time, each on a connection of its own
    first_pause_s    pause of a follower after an error in a bucket; it doubles with each error that follows
    longest_pause_s  where the doubling ends
    """

    poll_s: float = 0.2
    gather_s: float = 0.1
    connections: int = 2
    first_pause_s: float = 0.2
    longest_pause_s: float = 30.0


class Trouble(Struct, frozen=True):
    """A follower that does not get on in a bucket.

    after_seq  it stands behind this number; with `span` 1 the next row is the one that it cannot digest
    try_at_s   when it is tried again, on the event loop's clock
    """

    bucket: int
    follower: str
    after_seq: int
    span: int
    failures: int
    try_at_s: float
    error: str


class Followers:
    """The followers of one process. The lanes call `wake` after each commit.

    on_failure  is told of each error (follower, bucket). Who fails stops in that bucket only, and alone.
    """

    def __init__(
        self,
        database: Database,
        followers: Sequence[Follower],
        *,
        settings: FollowerSettings | None = None,
        on_failure: Callable[[str, int], None] = _ignore,
    ) -> None:
        self._database = database
        self._followers = {follower.name: follower for follower in followers}
        assert len(self._followers) == len(followers), "two followers share a name, and so a cursor"
        self._settings = settings or FollowerSettings()
        self._on_failure = on_failure
        self._dirty: dict[int, None] = {}  # in the order of the wakes
        self._serving: set[int] = set()
        self._served_at: dict[int, float] = {}
        self._troubles: dict[tuple[int, str], Trouble] = {}
        self._signal = asyncio.Event()
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def wake(self, bucket: int) -> None:
        """Say that something was committed in a bucket. Cheap; to be called in the event loop's thread."""
        self._dirty[bucket] = None
        self._signal.set()

    @property
    def troubles(self) -> list[Trouble]:
        """Who does not get on here, for health checks and the console."""
        return list(self._troubles.values())

    async def lags(self) -> list[Behind]:
        """Who is behind, and how far; a follower that is not listed for a bucket has caught up there."""
        async with self._database.read() as db:
            return await store.behind(db, self._followers)

    async def start(self) -> None:
        """Begin to follow, in tasks of the running loop."""
        assert not self._tasks, "the followers run already"
        self._stopping.clear()
        self._tasks = [asyncio.create_task(self._work()) for _ in range(self._settings.connections)]
        self._tasks.append(asyncio.create_task(self._poll()))

    async def stop(self, grace_s: float = 10.0) -> None:
        """End after the steps under way; what takes longer is rolled back, and done by whoever comes next."""
        self._stopping.set()
        self._signal.set()
        tasks, self._tasks = self._tasks, []
        await end_tasks(tasks, grace_s)

    async def catch_up(self, within_s: float = 30.0) -> None:
        """Bring every follower to the heads here and now, started or not: for the day close, tests and tools.

        Raises what a handler raises, and TimeoutError when another process keeps a cursor for too long.
        """
        async with asyncio.timeout(within_s), self._own_connection() as db:
            while todo := await store.behind(db, self._followers):
                moved = 0
                for item in todo:
                    moved += await self._step(db, item, SPAN_MAX)
                if not moved:
                    await asyncio.sleep(0.005)

    @contextlib.asynccontextmanager
    async def _own_connection(self) -> AsyncIterator[Connection]:
        db = await self._database.connect("followers")
        try:
            yield db
        finally:
            await close(db)

    async def _poll(self) -> None:
        while not self._stopping.is_set():
            with contextlib.suppress(ConfigurationError, *CONNECTION_LOST):  # the next poll asks again
                self._look(await self.lags())
            await self._pause()

    def _look(self, todo: Sequence[Behind]) -> None:
        """Wake the buckets that have something to do; forget troubles that another process got through."""
        behind = {(item.bucket, item.follower) for item in todo}
        self._troubles = {key: trouble for key, trouble in self._troubles.items() if key in behind}
        now_s = asyncio.get_running_loop().time()
        for item in todo:
            if self._may_try(item, now_s):
                self.wake(item.bucket)

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), self._settings.poll_s)

    async def _work(self) -> None:
        """Serve dirty buckets until stopped. A lost connection is replaced; the poll finds its work again."""
        while not self._stopping.is_set():
            try:
                async with self._own_connection() as db:
                    await self._serve_all(db)
            except (ConfigurationError, *CONNECTION_LOST) as error:
                log.warning("followers lost their connection", error=repr(error))
                await self._pause()

    async def _serve_all(self, db: Connection) -> None:
        while not self._stopping.is_set():
            self._signal.clear()
            bucket = next((bucket for bucket in self._dirty if bucket not in self._serving), None)
            if bucket is None:
                await self._signal.wait()
                continue
            self._serving.add(bucket)
            try:
                await self._gather(bucket)
                del self._dirty[bucket]  # a commit from here on makes it dirty again
                await self._serve(db, bucket)
            finally:
                self._serving.discard(bucket)
                if self._dirty:
                    self._signal.set()

    async def _gather(self, bucket: int) -> None:
        loop = asyncio.get_running_loop()
        wait_s = self._served_at.get(bucket, 0.0) + self._settings.gather_s - loop.time()
        if wait_s > 0:
            await asyncio.sleep(wait_s)
        self._served_at[bucket] = loop.time()

    async def _serve(self, db: Connection, bucket: int) -> None:
        """One step of each follower that is behind in the bucket; who is not done makes it dirty again."""
        for item in await store.behind_in_bucket(db, bucket, self._followers):
            trouble = self._troubles.get((bucket, item.follower))
            if not self._may_try(item, asyncio.get_running_loop().time()):
                continue
            span = trouble.span if trouble else SPAN_MAX
            try:
                moved = await self._step(db, item, span)
            except CONNECTION_LOST:
                raise
            except Exception as error:
                # Nothing that a handler raises may stop the others; it is logged, counted and tried again.
                self._note_failure(item, span, error)
            else:
                self._note_success(item, span, moved)
                if 0 < moved < item.lag:
                    self.wake(bucket)

    async def _step(self, db: Connection, item: Behind, span: int) -> int:
        if item.cursor_seq is None:
            await store.open_cursor(db, item.bucket, item.follower)
        return await step(db, self._followers[item.follower], item.bucket, span)

    def _may_try(self, item: Behind, now_s: float) -> bool:
        trouble = self._troubles.get((item.bucket, item.follower))
        return trouble is None or trouble.try_at_s <= now_s

    def _note_failure(self, item: Behind, span: int, error: Exception) -> None:
        """Back off and come again with a smaller span: all before a bad row gets done, and it is found."""
        key = item.bucket, item.follower
        before = self._troubles.get(key)
        failures = before.failures + 1 if before else 1
        pause_s = min(
            self._settings.first_pause_s * 2 ** min(failures - 1, 16), self._settings.longest_pause_s
        )
        self._troubles[key] = Trouble(
            bucket=item.bucket,
            follower=item.follower,
            after_seq=item.cursor_seq or 0,
            span=max(1, min(span, item.lag) // 8),
            failures=failures,
            try_at_s=asyncio.get_running_loop().time() + pause_s,
            error=repr(error),
        )
        self._on_failure(item.follower, item.bucket)
        log.error(
            "a follower does not get on",
            follower=item.follower,
            bucket=item.bucket,
            stream=self._followers[item.follower].stream.value,
            after_seq=item.cursor_seq or 0,
            span=span,
            failures=failures,
            exc_info=error,
        )

    def _note_success(self, item: Behind, span: int, moved: int) -> None:
        """Through with a piece that had failed as part of a larger one: go on, with growing spans."""
        key = item.bucket, item.follower
        trouble = self._troubles.get(key)
        if trouble is None or moved == 0:
            return
        if moved == item.lag or span >= SPAN_MAX:
            del self._troubles[key]
            return
        self._troubles[key] = Trouble(
            bucket=item.bucket,
            follower=item.follower,
            after_seq=(item.cursor_seq or 0) + moved,
            span=span * 2 if trouble.failures == 0 else span,
            failures=0,
            try_at_s=0.0,
            error=trouble.error,
        )
