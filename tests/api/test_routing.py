"""What a caller hears of trouble that no handler foresaw: never its inside, and whether anything was done."""

import asyncpg
import pytest

from wufeng.api import people

from .conftest import Api


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (asyncpg.DeadlockDetectedError("deadlock detected"), 503, "overloaded"),
        (asyncpg.LockNotAvailableError("canceling statement due to lock timeout"), 503, "overloaded"),
        (asyncpg.ConnectionDoesNotExistError("gone"), 503, "outcome_unknown"),
        (ValueError("inside"), 500, "internal"),
    ],
)
async def test_trouble_outside_the_lanes(
    api: Api, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, code: str
) -> None:
    async def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(people, "freeze_person", fails)
    person = await api.new_person()
    answer = await api.post(f"/v1/people/{person.id}/freeze", api.platform, {"reason": "x"})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (answer.headers.get("Retry-After") == "1") is (status == 503)
    assert str(error) not in answer.text


async def test_a_lock_that_is_not_given_in_time(api: Api) -> None:
    person = await api.new_person()
    path, why = f"/v1/people/{person.id}/freeze", {"reason": "lost"}
    async with api.app.database.transaction() as db:
        await db.execute("select from person for update")
        busy = await api.post(path, api.platform, why)
    assert (busy.status_code, busy.json()["code"], busy.headers["Retry-After"]) == (503, "overloaded", "1")
    assert (await api.post(path, api.platform, why)).status_code == 200
