"""The command as people run it: a process, its output, its exit code; on an installation of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from wufeng.base.config import Durability, Settings
from wufeng.base.embedded import EmbeddedServer
from wufeng.cli import main

KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "COVERAGE_PROCESS_START")


class Ran(Struct, frozen=True):
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Wufeng = Callable[..., Ran]


def environment(data_dir: Path, **more: str | None) -> dict[str, str]:
    """The environment of a command: nothing of the tests' own; None takes a name out."""
    values: dict[str, str | None] = {name: os.environ.get(name) for name in KEPT}
    values |= {"WUFENG_DATA_DIR": str(data_dir), "WUFENG_DURABILITY": "unsafe_for_tests", "NO_COLOR": "1"}
    values |= {"COLUMNS": "160", **more}
    return {name: value for name, value in values.items() if value is not None}


def run_wufeng(data_dir: Path, *words: str, stdin: str = "", **more: str | None) -> Ran:
    """Run the command to its end."""
    done = subprocess.run(
        [sys.executable, "-m", "wufeng.cli", *words],
        env=environment(data_dir, **more),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Ran(done.returncode, done.stdout, done.stderr)


class Installation(Struct, frozen=True):
    """An installation that `wufeng init` made, and what it printed."""

    data_dir: Path
    made: Any

    def wufeng(self, *words: str, stdin: str = "", **more: str | None) -> Ran:
        return run_wufeng(self.data_dir, *words, stdin=stdin, **more)


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """One installation a file of tests; its server runs on between the commands."""
    data_dir = tmp_path_factory.mktemp("an installation") / "data"
    first = run_wufeng(data_dir, "init", "--json")
    assert first.code == 0, first.err
    with EmbeddedServer(Settings(data_dir=data_dir, durability=Durability.UNSAFE_FOR_TESTS)):
        yield Installation(data_dir, first.json)


@pytest.fixture
def wufeng(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Wufeng:
    """The command where there is no installation, in this process: a bad word needs no process to be refused."""

    def run(*words: str, **more: str | None) -> Ran:
        with monkeypatch.context() as patch:
            for name in os.environ:
                patch.delenv(name)
            for name, value in environment(tmp_path / "data", **more).items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit) as ended:
                main(words)
        said = capfd.readouterr()
        return Ran(int(ended.value.code or 0), said.out, said.err)

    return run
