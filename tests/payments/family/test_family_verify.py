"""The proof of family cards finds what was changed behind its back."""

import pytest
from tests.payments.conftest import Town

from wufeng.base.database import Connection
from wufeng.payments.family.verify import FamilyBreak, family_breaks

from .world import a_family


@pytest.mark.parametrize(
    ("statement", "undo"),
    [
        (
            "update family_card set used_minor = used_minor + 1",
            "update family_card set used_minor = used_minor - 1",
        ),
        (
            "update family_use set used_minor = used_minor - 1",
            "update family_use set used_minor = used_minor + 1",
        ),
    ],
)
async def test_a_sum_that_payments_do_not_bear_out_is_found(
    town: Town, owner: Connection, statement: str, undo: str
) -> None:
    family = await a_family(town)
    assert (await family.pay("o1", 30_00))[0] == 201
    async with town.database.read() as db:
        assert await family_breaks(db, family.owner.bucket) == []
        await owner.execute(statement)
        found = [one.kind for one in await family_breaks(db, family.owner.bucket)]
        await owner.execute(undo)
    assert found == [FamilyBreak.FAMILY_USED]
