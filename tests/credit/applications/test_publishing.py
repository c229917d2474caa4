"""The policy that decisions name is kept, and does not change under its version."""

import pytest
from tests.credit.conftest import House

from wufeng.base.errors import ConfigurationError, Problem
from wufeng.credit.applications.policy import read_application_policy, shipped_source
from wufeng.credit.applications.publishing import kept_application_policy, publish_application_policy


async def test_the_policy_that_ships_is_kept_byte_for_byte(house: House) -> None:
    async with house.database.transaction() as db:
        for _ in range(2):
            await publish_application_policy(db, house.at)
        kept = await kept_application_policy(db, "application@1")
        assert kept.source == shipped_source()
        assert read_application_policy(kept.source, "kept").content_hash == kept.content_hash
        with pytest.raises(Problem, match="application policy"):
            await kept_application_policy(db, "application@2")


async def test_a_text_does_not_change_under_its_version(house: House) -> None:
    async with house.database.transaction() as db:
        await db.execute(
            "insert into application_policy values ('application@1', '2026-01-01', 'other', 'other', $1)",
            house.at,
        )
    with pytest.raises(ConfigurationError, match="application@1: its file has changed"):
        async with house.database.transaction() as db:
            await publish_application_policy(db, house.at)
