"""What the tests' own tools promise: a database of one's own, all cases tried, the longest tests begun first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cases import cases
from tests.conftest import beginning_with

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


@given(st.lists(st.integers(), max_size=40), st.lists(st.integers(), max_size=12), st.integers(2, 6))
def test_no_test_is_lost_in_the_order(items: list[int], longest: list[int], processes: int) -> None:
    assert sorted(beginning_with(items, longest, processes)) == sorted(items + longest)


def test_the_longest_begin_the_shares_of_all_but_the_first() -> None:
    order = beginning_with(["a", "b", "c", "d", "e", "f"], ["X", "Y", "Z"], 3)
    assert order == ["a", "b", "c", "X", "Z", "d", "Y", "e", "f"]
