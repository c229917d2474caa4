"""PostgreSQL's own load driver, on the same server: TPC-B, and our writes a statement a row."""

import re
import subprocess
from pathlib import Path

from msgspec import Struct

from wufeng.base.embedded import EmbeddedServer, tool
from wufeng.base.errors import ConfigurationError

SCALE = 20
"""Branches of TPC-B: more than clients at a time, so that they do not wait for one row (pgbench's manual)."""

_TPS = re.compile(r"tps = ([0-9.]+) \(without initial connection time\)")
_LATENCY = re.compile(r"latency average = ([0-9.]+) ms")
_FAILED = re.compile(r"number of failed transactions: (\d+)")


class PgbenchRun(Struct, frozen=True):
    """One run: transactions a second, mean latency in milliseconds, failed transactions."""

    tps: float
    latency_ms: float
    failed: int


class Pgbench:
    """pgbench against one database of an embedded server, as one role."""

    def __init__(self, server: EmbeddedServer, role: str, database: str) -> None:
        self._environment = server.tool_environment(role, database)

    def initialise(self) -> None:
        """Make and fill the tables of TPC-B."""
        self._run("--initialize", f"--scale={SCALE}", "--quiet")

    def tpcb(self, clients: int, seconds: int) -> PgbenchRun:
        """The built-in TPC-B-like script, with prepared statements."""
        return _parsed(self._run(*_load(clients, seconds), "--builtin=tpcb-like"))

    def script(self, file: Path, clients: int, seconds: int, variables: dict[str, int]) -> PgbenchRun:
        """A script of our own, with prepared statements."""
        given = [f"--define={name}={value}" for name, value in variables.items()]
        return _parsed(self._run(*_load(clients, seconds), *given, f"--file={file}"))

    def _run(self, *options: str) -> str:
        done = subprocess.run(
            [tool("pgbench"), *options], env=self._environment, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise ConfigurationError(f"pgbench failed: {done.stderr.strip()[-400:]}")
        return done.stdout


def _load(clients: int, seconds: int) -> tuple[str, ...]:
    threads = min(clients, 2)
    return (
        f"--client={clients}",
        f"--jobs={threads}",
        f"--time={seconds}",
        "--no-vacuum",
        "--protocol=prepared",
        "--random-seed=7",
    )


def _parsed(output: str) -> PgbenchRun:
    tps, latency, failed = _TPS.search(output), _LATENCY.search(output), _FAILED.search(output)
    if tps is None or latency is None:
        raise ConfigurationError(f"pgbench said what nobody expected: {output.strip()[-400:]}")
    return PgbenchRun(float(tps[1]), float(latency[1]), int(failed[1]) if failed else 0)
