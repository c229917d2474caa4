"""The clean-up goes on until nothing is left, or so often that it is the next run's turn."""

from datetime import timedelta

import pytest

from wufeng import app

from .conftest import Api

ASKED = 23


async def left(api: Api) -> int:
    async with api.app.database.read() as db:
        return int(await db.fetchval("select count(*) from passkey_challenge"))


async def test_more_than_one_statement_takes_is_forgotten_in_one_run(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "AT_ONCE", 3)
    for _ in range(ASKED):
        await api.post("/v1/sessions/challenges", None, {}, key=None)
    api.clock.turn_to(api.clock.now() + timedelta(minutes=6))
    await api.post("/v1/sessions/challenges", None, {}, key=None)
    monkeypatch.setattr(app, "ROUNDS_MAX", 1)
    assert await api.app.timers.run_now("forget")
    assert await left(api) >= ASKED + 1 - 3 * len(api.book.buckets)
    monkeypatch.setattr(app, "ROUNDS_MAX", ASKED)
    assert await api.app.timers.run_now("forget")
    assert await left(api) == 1, "the one that can be answered still"
