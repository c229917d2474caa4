"""What the tests' own tools promise: a database of one's own, and all cases tried."""

import pytest
from tests.cases import cases

from wufeng.base.config import Settings
from wufeng.base.database import Connection


async def test_every_case_is_tried_and_every_failure_named() -> None:
    tried: list[int] = []

    @cases("number, most", [(1, 2), (3, 2), (2, 2), (4, 2)])
    async def test(kept: list[int], number: int, most: int) -> None:
        kept.append(number)
        assert number <= most

    with pytest.raises(ExceptionGroup, match="2 of 4 cases") as failed:
        await test(kept=tried)
    assert tried == [1, 3, 2, 4]
    assert [error.__notes__ for error in failed.value.exceptions] == [
        ["in the case {'number': 3, 'most': 2}"],
        ["in the case {'number': 4, 'most': 2}"],
    ]


@pytest.mark.parametrize("again", [1, 2])
async def test_what_a_test_leaves_behind_no_other_finds(
    settings: Settings, owner: Connection, again: int
) -> None:
    assert await owner.fetchval("select current_database()") == settings.database_name
    assert await owner.fetchval("select to_regclass('left_behind')") is None, again
    assert await owner.fetchval("select to_regclass('event')") is not None, again
    await owner.execute("create table left_behind (id int); drop table event cascade")
