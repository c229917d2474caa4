"""`wufeng backup`: there and back, and what must not be taken for a backup."""

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.cli.conftest import Installation, run_here, run_wufeng

from wufeng.app import Background, opened
from wufeng.base.config import Durability, Settings


async def pay_on_credit(installation: Installation) -> str:
    """A first payment, as docs/api.md shows it; returns the payment's id."""
    settings = Settings(data_dir=installation.data_dir, durability=Durability.UNSAFE_FOR_TESTS)
    made, phone = installation.made, "+8613800138000"
    async with opened(settings, background=Background.OFF) as app:
        transport = httpx.ASGITransport(app.api())  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://wufeng") as http:

            async def call(path: str, token: str | None = None, **body: object) -> dict[str, Any]:
                headers = {"Idempotency-Key": path} | ({"Authorization": f"Bearer {token}"} if token else {})
                answer = await http.post(f"/v1/{path}", json=body, headers=headers)
                assert answer.status_code == 201, answer.text
                found: dict[str, Any] = answer.json()
                return found

            key = made["platform_keys"]["test"]
            person = await call("people", key, external_id="u1", phone=phone)
            await call("sessions/codes", phone=phone)
            sent = await http.get(
                "/v1/messages", params={"phone": phone}, headers={"Authorization": f"Bearer {key}"}
            )
            session = await call("sessions", phone=phone, code=sent.json()["data"][0]["code"])
            staff = await call("staff_sessions", login=made["staff_login"], password=made["staff_password"])
            line = await call(
                "lines",
                staff["token"],
                person=person["id"],
                product="monthly_bill",
                limit_minor=500_000,
                reason="test",
            )
            shop = await call("merchants", key, name="Shop", scene="grocery", fee_plan={"rate_ppm": 6000})
            order = {
                "merchant": shop["id"],
                "order_no": "1",
                "amount_minor": 12_000,
                "currency": "CNY",
                "subject": "x",
            }
            payment = await call("payments", session["token"], order=order, funding=[{"line": line["id"]}])
            assert payment["status"] == "captured"
            return str(payment["id"])


@pytest.fixture(scope="module")
def paid(installation: Installation) -> str:
    return asyncio.run(pay_on_credit(installation))


@pytest.fixture(scope="module")
def backup(paid: str, installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("backups") / "first one"
    made = installation.process("backup", "create", str(target), "--json").json
    assert made["path"] == str(target)
    return target


def test_there_and_back(installation: Installation, backup: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    shutil.copyfile(installation.data_dir / "secrets.json", kept)
    restored = run_wufeng(
        tmp_path / "data", "backup", "restore", str(backup), "--secrets", str(kept), "--json"
    )
    assert restored.code == 0, restored.err
    assert (restored.json["ledger_ok"], restored.json["journals"]) == (True, 1)
    balances = [
        run_here(where, "ledger", "trial-balance", "--json").json
        for where in (installation.data_dir, tmp_path / "data")
    ]
    assert balances[0] == balances[1]
    assert {row["kind"]: row["balance_minor"] for row in balances[1]}["line_principal"] == 12_000
    before, after = (
        [row["login"] for row in run_here(where, "staff", "list", "--json").json]
        for where in (installation.data_dir, tmp_path / "data")
    )
    assert before == after == ["admin"]
    found = run_here(tmp_path / "data", "doctor", "--json").json
    assert [one for one in found["findings"] if one["verdict"] == "fail" and one["what"] != "port"] == []


def test_a_backup_holds_no_secrets_and_is_closed_to_others(installation: Installation, backup: Path) -> None:
    secrets = json.loads((installation.data_dir / "secrets.json").read_text())
    for file in backup.iterdir():
        assert file.stat().st_mode & 0o077 == 0
        assert not any(secret.encode() in file.read_bytes() for secret in secrets.values())


def test_restore_refuses(installation: Installation, backup: Path, tmp_path: Path) -> None:
    def said(source: Path, data_dir: Path, *words: str) -> str:
        ran = run_here(data_dir, "backup", "restore", str(source), *words)
        assert ran.code == 2, ran.out
        return ran.err

    kept = ("--secrets", str(installation.data_dir / "secrets.json"))
    assert "has a database already" in said(backup, installation.data_dir)
    assert "a backup has no secrets in it" in said(backup, tmp_path / "none")
    assert "is no backup" in said(tmp_path, tmp_path / "none", *kept)

    other = tmp_path / "other.json"
    other.write_text(json.dumps({"pepper": "A" * 43 + "=", "sealing_key": "B" * 43 + "="}))
    assert "are not those of the backup" in said(backup, tmp_path / "wrong", "--secrets", str(other))

    damaged = tmp_path / "damaged"
    shutil.copytree(backup, damaged)
    dump = bytearray((damaged / "database.dump").read_bytes())
    dump[len(dump) // 2] ^= 1
    (damaged / "database.dump").write_bytes(dump)
    assert "is damaged" in said(damaged, tmp_path / "bad", *kept)
    (damaged / "manifest.json").write_text("{}")
    assert "manifest.json is damaged" in said(damaged, tmp_path / "bad", *kept)


def test_create_never_overwrites(installation: Installation, backup: Path) -> None:
    ran = installation.wufeng("backup", "create", str(backup))
    assert ran.code == 2
    assert "is there already" in ran.err


def test_a_database_of_ones_own(installation: Installation) -> None:
    ran = installation.wufeng("backup", "create", WUFENG_DATABASE_URL="postgresql://db/wufeng")
    assert ran.code == 2
    assert "back it up by its own means" in ran.err
