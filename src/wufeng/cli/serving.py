"""`wufeng serve` as a process of its own: started, waited for, ended. For the demo, benchmarks and tests."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from wufeng.base.config import Settings
from wufeng.base.errors import ConfigurationError

ANSWERS_WITHIN_S = 120.0
STOPS_WITHIN_S = 60.0

Process = subprocess.Popen[bytes]


def free_port(wanted: int = 0) -> int:
    """That TCP port of this machine, for 0 any free one. OSError: another program has it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", wanted))
        found: int = probe.getsockname()[1]
        return found


def start_server(settings: Settings, log_file: Path, environment: Mapping[str, str] | None = None) -> Process:
    """Start `wufeng serve` on an installation and its port, and wait until it answers.

    environment  what it is told beside the settings named here; None: what this process was told

    Ctrl-C does not reach it: who started it stops it. ConfigurationError: it did not start, and its log says why.
    """
    told = {
        "WUFENG_DATA_DIR": str(settings.data_dir),
        "WUFENG_PORT": str(settings.port),
        "WUFENG_WORKERS": str(settings.workers),
    }
    with log_file.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "wufeng.cli", "serve"],
            env={**(os.environ if environment is None else environment), **told},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        _wait(process, settings.port, log_file)
    except BaseException:
        kill_server(process)
        raise
    return process


def stop_server(process: Process) -> None:
    """Ask it to end, and wait until it has finished what it accepted."""
    process.terminate()
    try:
        process.wait(STOPS_WITHIN_S)
    except subprocess.TimeoutExpired:
        kill_server(process)


def kill_server(process: Process) -> None:
    """End it at once, with its workers, as a power cut would."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def running_server(
    settings: Settings, log_file: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Process]:
    """`start_server`, and `stop_server` at the end of the block, which SIGTERM ends too."""
    with asked_like_ctrl_c():
        process = start_server(settings, log_file, environment)
        try:
            yield process
        finally:
            stop_server(process)


@contextmanager
def asked_like_ctrl_c() -> Iterator[None]:
    """SIGTERM ends the block as Ctrl-C does, so that what was begun in it is ended too. For the main thread."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _wait(process: Process, port: int, log_file: Path) -> None:
    deadline_s = time.monotonic() + ANSWERS_WITHIN_S
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=2, trust_env=False) as http:
        while time.monotonic() < deadline_s:
            if process.poll() is not None:
                raise ConfigurationError(f"the server did not start; {log_file} says why")
            with suppress(httpx.TransportError):
                if http.get("/readyz").status_code == 200:
                    return
            time.sleep(0.1)
    raise ConfigurationError(f"the server did not answer within {ANSWERS_WITHIN_S:.0f} s; see {log_file}")
