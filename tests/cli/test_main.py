"""Bad words, broken settings, impossible places: one line that says what to do, exit code 2, no traceback."""

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from tests.cli.conftest import Wufeng, environment

from wufeng.cli import COMMANDS


def test_version(wufeng: Wufeng) -> None:
    assert wufeng("--version").out == f"wufeng {version('wufeng')}\n"


def test_help_lists_every_command(wufeng: Wufeng) -> None:
    shown = wufeng("--help")
    assert shown.code == 0
    assert [name for name in COMMANDS if f"\n  {name} " not in shown.out] == []


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_explains_itself(wufeng: Wufeng, name: str) -> None:
    shown = wufeng(name, "--help")
    assert shown.code == 0
    assert shown.out.startswith(f"Usage: wufeng {name}")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Usage: wufeng"),
        (("nope",), "No such command 'nope'"),
        (("--nope",), "No such option: --nope"),
        (("ledger", "nope"), "No such command 'nope'"),
        (("ledger", "verify", "--nope"), "No such option: --nope"),
        (("ledger", "journal"), "Missing argument"),
        (("staff", "add", "ann"), "Missing option '--role'"),
        (("staff", "add", "ann", "--role", "king"), "'king' is not one of"),
        (("init", "--buckets", "0"), "greater than or equal to 1"),
        (("init", "--buckets", "many"), "valid integer"),
        (("serve", "--port", "70000"), "less than or equal to 65535"),
        (("config", "show", "more"), "unexpected extra argument"),
    ],
)
def test_bad_words(wufeng: Wufeng, words: tuple[str, ...], said: str) -> None:
    ran = wufeng(*words)
    assert ran.code == 2
    assert said in ran.err + ran.out


@pytest.mark.parametrize(
    "words",
    [("ledger", "verify"), ("staff", "list"), ("backup", "create"), ("migrate",), ("close",), ("serve",)],
)
def test_without_an_installation(wufeng: Wufeng, words: tuple[str, ...]) -> None:
    ran = wufeng(*words)
    assert ran.code == 2
    assert ran.err.startswith("wufeng: there is no installation in ")
    assert "run `wufeng init`" in ran.err


def test_errors_are_json_when_json_is_asked_for(wufeng: Wufeng) -> None:
    ran = wufeng("ledger", "verify", "--json")
    assert (ran.code, ran.out) == (2, "")
    assert json.loads(ran.err)["error"]["code"] == "configuration"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("port = = 8000", "is not TOML"),
        ("prot = 8000", "sets prot, which is no setting"),
        ("port = 'many'", "a setting in "),
        ("port = 70000", "port must be between 0 and 65535"),
        ("\udc80", "is not TOML"),
    ],
)
def test_broken_settings_file(wufeng: Wufeng, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "wufeng.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    ran = wufeng("config", "show")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("wufeng: ") and said in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("WUFENG_PROT", "1", "did you mean WUFENG_PORT?"),
        ("WUFENG_PORT", "x", "a setting in the environment is wrong"),
        ("WUFENG_CONFIG", "nowhere.toml", "which is not there"),
    ],
)
def test_broken_environment(wufeng: Wufeng, name: str, value: str, said: str) -> None:
    ran = wufeng("config", "show", **{name: value})
    assert ran.code == 2
    assert said in ran.err


def test_no_home(wufeng: Wufeng) -> None:
    ran = wufeng("config", "show", HOME=None, WUFENG_DATA_DIR=None)
    assert ran.code == 2
    assert "set WUFENG_DATA_DIR" in ran.err


@pytest.mark.parametrize("place", ["{tmp}/file/data", "/proc/wufeng/data", "/dev/null/data"])
def test_a_place_where_nothing_can_be_made(wufeng: Wufeng, tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    ran = wufeng("init", WUFENG_DATA_DIR=place.format(tmp=tmp_path))
    assert ran.code == 2
    assert "cannot be made" in ran.err


def test_secrets_are_masked(wufeng: Wufeng) -> None:
    url = "postgresql://wufeng_app:hunter2@db/wufeng?sslpassword=hunter3"
    ran = wufeng("config", "show", "--json", WUFENG_DATABASE_URL=url)
    assert ran.json["database_url"] == "postgresql://wufeng_app:***@db/wufeng?sslpassword=***"
    assert "hunter" not in wufeng("config", "show", WUFENG_DATABASE_URL=url).out


def test_a_changed_setting_is_marked(wufeng: Wufeng) -> None:
    (line,) = [
        line for line in wufeng("config", "show", WUFENG_PORT="8123").out.splitlines() if " port " in line
    ]
    assert line.split() == ["port", "8123", "changed"]


def test_a_reader_that_has_seen_enough(tmp_path: Path) -> None:
    """`wufeng config show | true` says nothing of pipes."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as out:
        done = subprocess.run(
            [sys.executable, "-m", "wufeng.cli", "config", "show"],
            env=environment(tmp_path),
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert "Traceback" not in done.stderr and "BrokenPipe" not in done.stderr
