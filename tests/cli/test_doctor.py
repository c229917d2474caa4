"""`wufeng doctor` on installations that are well, and on such that are not."""

import socket
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest
from tests.cli.conftest import Installation, Wufeng

from wufeng.base.config import Settings
from wufeng.base.embedded import OWNER_ROLE, EmbeddedServer


def findings(wufeng: Wufeng, **more: str) -> dict[str, dict[str, Any]]:
    """The findings by what was looked at."""
    ran = wufeng("doctor", "--json", WUFENG_PORT="0", **more)
    assert (ran.code == 0) is ran.json["ok"]
    return {one["what"]: one for one in ran.json["findings"]}


def verdicts(found: dict[str, dict[str, Any]], verdict: str) -> set[str]:
    return {what for what, one in found.items() if one["verdict"] == verdict}


@pytest.fixture
async def owner(installation: Installation) -> Any:
    server = EmbeddedServer(Settings(data_dir=installation.data_dir))
    connection = await asyncpg.connect(
        host=str(server.socket_dir), user=OWNER_ROLE, database="wufeng", ssl=False
    )
    yield connection
    await connection.close()


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_a_well_installation(installation: Installation) -> None:
    found = findings(installation.wufeng)
    assert verdicts(found, "fail") == set()
    assert verdicts(found, "warn") <= {"durability", "disk"}
    assert {"python", "secrets", "database", "schema", "rights", "clock", "followers", "webhooks"} <= set(
        found
    )
    assert "unset WUFENG_DURABILITY" in found["durability"]["remedy"]
    assert "ok   schema" in installation.wufeng("doctor", WUFENG_PORT="0").out


def test_nothing_there(wufeng: Wufeng) -> None:
    ran = wufeng("doctor", WUFENG_PORT="0")
    assert ran.code == 1
    assert "fail data directory" in ran.out and "→ run `wufeng init`" in ran.out


def test_broken_settings(wufeng: Wufeng) -> None:
    ran = wufeng("doctor", WUFENG_PRT="1")
    assert ran.code == 1
    assert "fail settings" in ran.out and "WUFENG_PORT" in ran.out


def test_open_secrets(installation: Installation) -> None:
    secrets = installation.data_dir / "secrets.json"
    secrets.chmod(0o644)
    try:
        found = findings(installation.wufeng)
    finally:
        secrets.chmod(0o600)
    assert verdicts(found, "fail") == {"secrets"}
    assert "chmod 600" in found["secrets"]["said"]


def test_a_directory_open_to_others(installation: Installation) -> None:
    mode = installation.data_dir.stat().st_mode
    installation.data_dir.chmod(0o777)
    try:
        found = findings(installation.wufeng)
    finally:
        installation.data_dir.chmod(mode & 0o7777)
    assert "data directory" in verdicts(found, "warn")


def test_a_taken_port(installation: Installation, taken_port: int) -> None:
    ran = installation.wufeng("doctor", "--json", WUFENG_PORT=str(taken_port))
    assert ran.code == 1
    (port,) = [one for one in ran.json["findings"] if one["what"] == "port"]
    assert port["verdict"] == "fail" and "set WUFENG_PORT" in port["remedy"]


def test_too_many_workers(installation: Installation) -> None:
    found = findings(installation.wufeng, WUFENG_WORKERS="50")
    assert "connections" in verdicts(found, "fail")


async def test_a_migration_that_is_missing(installation: Installation, owner: asyncpg.Connection) -> None:
    last = await owner.fetchrow(
        "delete from migration where number = (select max(number) from migration) returning *"
    )
    assert last is not None
    try:
        found = findings(installation.process)
    finally:
        await owner.execute("insert into migration values ($1, $2, $3, $4)", *last.values())
    assert verdicts(found, "fail") == {"schema"}
    assert found["schema"]["remedy"] == "run `wufeng migrate`"


async def test_a_role_that_may_rewrite_history(installation: Installation, owner: asyncpg.Connection) -> None:
    await owner.execute("grant update on journal to wufeng_app")
    try:
        found = findings(installation.process)
    finally:
        await owner.execute("revoke update on journal from wufeng_app")
    assert verdicts(found, "fail") == {"rights"}
    assert "journal update" in found["rights"]["said"]
