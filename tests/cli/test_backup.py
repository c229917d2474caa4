"""`wufeng backup`: there and back, and what must not be taken for a backup."""

import json
import shutil
from pathlib import Path

import pytest
from tests.cli.conftest import Installation, run_wufeng


@pytest.fixture(scope="module")
def backup(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("backups") / "first one"
    made = installation.wufeng("backup", "create", str(target), "--json").json
    assert made["path"] == str(target)
    return target


def test_there_and_back(installation: Installation, backup: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    shutil.copyfile(installation.data_dir / "secrets.json", kept)
    restored = run_wufeng(
        tmp_path / "data", "backup", "restore", str(backup), "--secrets", str(kept), "--json"
    )
    assert restored.code == 0, restored.err
    assert restored.json["ledger_ok"] is True
    before, after = (
        [row["login"] for row in run_wufeng(where, "staff", "list", "--json").json]
        for where in (installation.data_dir, tmp_path / "data")
    )
    assert before == after == ["admin"]
    found = run_wufeng(tmp_path / "data", "doctor", "--json").json
    assert [one for one in found["findings"] if one["verdict"] == "fail" and one["what"] != "port"] == []


def test_a_backup_holds_no_secrets_and_is_closed_to_others(installation: Installation, backup: Path) -> None:
    secrets = json.loads((installation.data_dir / "secrets.json").read_text())
    for file in backup.iterdir():
        assert file.stat().st_mode & 0o077 == 0
        assert not any(secret.encode() in file.read_bytes() for secret in secrets.values())


def test_restore_refuses(installation: Installation, backup: Path, tmp_path: Path) -> None:
    def said(source: Path, data_dir: Path, *words: str) -> str:
        ran = run_wufeng(data_dir, "backup", "restore", str(source), *words)
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
