"""The command as people run it: its output, its exit code; on an installation of its own.

A process of Python spends a second and a half on its imports: where the process is not what is looked at, the command
runs in this one. Each group of commands is run as a process once, which is how a missing import is found.
"""

import contextlib
import functools
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
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
    """Run the command to its end, as a process."""
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


def run_here(data_dir: Path, *words: str, stdin: str = "", **more: str | None) -> Ran:
    """Run the command to its end in this process, with the environment and the streams of one of its own."""
    out, err = io.StringIO(), io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        _only(patch, environment(data_dir, **more))
        patch.setattr(sys, "stdin", io.StringIO(stdin))
        with pytest.raises(SystemExit) as ended:
            main(words)
    return Ran(int(ended.value.code or 0), out.getvalue(), err.getvalue())


def _only(patch: pytest.MonkeyPatch, variables: Mapping[str, str]) -> None:
    for name in os.environ:
        patch.delenv(name)
    for name, value in variables.items():
        patch.setenv(name, value)


class Installation(Struct, frozen=True):
    """An installation that `wufeng init` made, and what it printed."""

    data_dir: Path
    made: Any

    def wufeng(self, *words: str, stdin: str = "", **more: str | None) -> Ran:
        """A command in this process; not from a coroutine, for commands run one themselves."""
        return run_here(self.data_dir, *words, stdin=stdin, **more)

    def process(self, *words: str, stdin: str = "", **more: str | None) -> Ran:
        """A command as a process of its own."""
        return run_wufeng(self.data_dir, *words, stdin=stdin, **more)


@pytest.fixture(scope="session")
def first_installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """What `wufeng init` makes, and leaves when it ends."""
    data_dir = tmp_path_factory.mktemp("first") / "data"
    first = run_wufeng(data_dir, "init", "--json")
    assert first.code == 0, first.err
    return Installation(data_dir, first.json)


@pytest.fixture(scope="module")
def installation(
    first_installation: Installation, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """One installation a file of tests, a copy of the first; its server runs on between the commands."""
    data_dir = tmp_path_factory.mktemp("an installation") / "data"
    subprocess.run(["cp", "-a", str(first_installation.data_dir), str(data_dir)], check=True)
    with EmbeddedServer(Settings(data_dir=data_dir, durability=Durability.UNSAFE_FOR_TESTS)):
        yield Installation(data_dir, first_installation.made)


@pytest.fixture
def wufeng(tmp_path: Path) -> Wufeng:
    """The command where there is no installation, in this process: a bad word needs no process to be refused."""
    return functools.partial(run_here, tmp_path / "data")
