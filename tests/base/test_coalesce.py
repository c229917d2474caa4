"""Coalescing: look-ups that wait go together, and each sees what was committed before it was asked for."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from wufeng.base.coalesce import BATCH_MAX, BucketCoalescer, Coalescer
from wufeng.base.database import Connection, Database


class Table:
    """What is looked up, and the statements that came."""

    def __init__(self) -> None:
        self.rows: dict[int, str] = {n: f"row {n}" for n in range(2_000)}
        self.statements: list[list[int]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.broken: Exception | None = None

    async def load(self, keys: Sequence[int]) -> Mapping[int, str]:
        self.statements.append(list(keys))
        found = {key: self.rows[key] for key in keys if key in self.rows}
        await self.gate.wait()
        if self.broken is not None:
            raise self.broken
        return found


@pytest.fixture
async def table() -> Table:
    return Table()


async def test_one_alone_goes_at_once(table: Table) -> None:
    assert await Coalescer(table.load).get(1) == "row 1"
    assert table.statements == [[1]]


async def test_those_that_wait_go_together(table: Table) -> None:
    coalescer = Coalescer(table.load)
    table.gate.clear()
    first = asyncio.create_task(coalescer.get(1))
    await asyncio.sleep(0)
    others = [asyncio.create_task(coalescer.get(n)) for n in (2, 3, 2, 9_999)]
    await asyncio.sleep(0.01)
    table.gate.set()
    assert await first == "row 1"
    assert await asyncio.gather(*others) == ["row 2", "row 3", "row 2", None]
    assert table.statements == [[1], [2, 3, 9_999]], "a key is asked for once, the unknown is no error"


async def test_a_look_up_sees_what_was_written_before_it(table: Table) -> None:
    """A key that is being read is read again for who comes later: the statement under way may be too old."""
    coalescer = Coalescer(table.load)
    table.gate.clear()
    early = asyncio.create_task(coalescer.get(1))
    await asyncio.sleep(0.01)
    table.rows[1] = "changed"
    late = asyncio.create_task(coalescer.get(1))
    await asyncio.sleep(0)
    table.gate.set()
    assert await early == "row 1" and await late == "changed"


async def test_many_go_in_pieces(table: Table) -> None:
    coalescer = Coalescer(table.load)
    answers = await asyncio.gather(*(coalescer.get(n) for n in range(1_500)))
    assert answers == [f"row {n}" for n in range(1_500)]
    assert max(len(keys) for keys in table.statements) <= BATCH_MAX and len(table.statements) == 3


async def test_an_error_is_for_those_it_met(table: Table) -> None:
    coalescer = Coalescer(table.load)
    table.broken = RuntimeError("lost")
    answers = await asyncio.gather(*(coalescer.get(n) for n in range(3)), return_exceptions=True)
    assert [str(answer) for answer in answers] == ["lost"] * 3
    table.broken = None
    assert await coalescer.get(1) == "row 1", "the next is served"


async def test_a_caller_who_leaves_does_not_take_the_others_along(table: Table) -> None:
    coalescer = Coalescer(table.load)
    table.gate.clear()
    leaving, staying = (asyncio.create_task(coalescer.get(1)) for _ in range(2))
    await asyncio.sleep(0.01)
    leaving.cancel()
    await asyncio.sleep(0)
    table.gate.set()
    assert await staying == "row 1"
    assert (await asyncio.gather(leaving, return_exceptions=True))[0].__class__ is asyncio.CancelledError


async def test_a_cancelled_statement_leaves_nobody_waiting(table: Table) -> None:
    async def cancelled(keys: Sequence[int]) -> Mapping[int, str]:
        if keys == [1]:
            raise asyncio.CancelledError
        return await table.load(keys)

    coalescer = Coalescer(cancelled)
    first = asyncio.create_task(coalescer.get(1))
    await asyncio.sleep(0)
    second = asyncio.create_task(coalescer.get(2))
    done, _ = await asyncio.wait([first, second], timeout=1)
    assert done == {first, second} and first.cancelled() and second.result() == "row 2"
    assert await coalescer.get(3) == "row 3"


async def test_each_bucket_has_its_own_statements(database: Database) -> None:
    asked: list[tuple[int, list[int]]] = []

    async def load(db: Connection, bucket: int, keys: Sequence[int]) -> dict[int, str]:
        asked.append((bucket, sorted(keys)))
        await db.fetchval("select 1")
        return {key: f"{bucket}.{key}" for key in keys if key}

    look_ups = BucketCoalescer(database, load)
    found = await asyncio.gather(*(look_ups.get(bucket, key) for bucket in (1, 2) for key in (0, 1, 2, 2)))
    assert found == [None, "1.1", "1.2", "1.2", None, "2.1", "2.2", "2.2"]
    assert sorted(asked) == [(1, [0, 1, 2]), (2, [0, 1, 2])]
