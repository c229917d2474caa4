"""Coalescing: many look-ups of one kind at the same time become one statement.

A look-up that arrives while the previous statement is in flight waits and goes with the others that wait: no
timer, a batch of one when idle. What a lane is for writes, this is for reads. Nothing is remembered: a
statement begins after its look-ups were asked for, so each sees all that was committed before.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

from wufeng.base.database import Connection, Database

K = TypeVar("K")
V = TypeVar("V")

BATCH_MAX = 512


class Coalescer(Generic[K, V]):
    """Collects concurrent look-ups for `load`, which answers a set of keys; one it leaves out has no value."""

    def __init__(self, load: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]]) -> None:
        self._load = load
        self._waiting: dict[K, asyncio.Future[V | None]] = {}
        self._runner: asyncio.Task[None] | None = None

    async def get(self, key: K) -> V | None:
        """The value of a key, read now. An error of the statement is raised for all whom it was for."""
        future = self._waiting.get(key)
        if future is None:
            loop = asyncio.get_running_loop()
            future = self._waiting[key] = loop.create_future()
            if self._runner is None:
                self._start()
        return await asyncio.shield(
            future
        )  # several may wait for one key: the first to give up must not end it

    def _start(self) -> None:
        self._runner = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        try:
            while self._waiting:
                batch = {key: self._waiting.pop(key) for key in list(self._waiting)[:BATCH_MAX]}
                try:
                    found = await self._load(list(batch))
                except Exception as error:
                    for future in batch.values():
                        future.set_exception(error)
                        future.exception()  # seen: all who waited may have gone
                except BaseException:
                    for future in batch.values():
                        future.cancel()  # the statement was cancelled: nobody may wait on for its answer
                    raise
                else:
                    for key, future in batch.items():
                        future.set_result(found.get(key))
        finally:
            self._runner = None
            task = asyncio.current_task()
            if self._waiting and task is not None and not task.cancelling():
                self._start()


class BucketCoalescer(Generic[K, V]):
    """Coalescers of one kind of look-up, one a bucket: `load` answers a set of keys of one bucket."""

    def __init__(
        self, database: Database, load: Callable[[Connection, int, Sequence[K]], Awaitable[Mapping[K, V]]]
    ) -> None:
        self._database = database
        self._load = load
        self._by_bucket: dict[int, Coalescer[K, V]] = {}

    async def get(self, bucket: int, key: K) -> V | None:
        """The value of a key of a bucket, read now."""
        coalescer = self._by_bucket.get(bucket)
        if coalescer is None:

            async def load(keys: Sequence[K]) -> Mapping[K, V]:
                async with self._database.read() as db:
                    return await self._load(db, bucket, keys)

            coalescer = self._by_bucket[bucket] = Coalescer(load)
        return await coalescer.get(key)
