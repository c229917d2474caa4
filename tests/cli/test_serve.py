"""`wufeng serve` and `wufeng close`: processes that start, answer, and stop when told."""

import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.cli.conftest import Installation, environment


@contextmanager
def serving(installation: Installation, port: int, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A server that answers; ended by the block, or killed after it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "wufeng.cli", "serve", "--port", str(port), *words],
        env=environment(installation.data_dir),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        deadline = time.monotonic() + 60
        while not answers(port):
            assert process.poll() is None, process.stderr and process.stderr.read()
            assert time.monotonic() < deadline, "it did not begin to serve"
            time.sleep(0.1)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_told_to_stop(installation: Installation, port: int, sign: signal.Signals) -> None:
    with serving(installation, port) as process:
        found = installation.wufeng("doctor", "--json", WUFENG_PORT=str(port)).json
        assert any(
            one["what"] == "port" and "a Wufeng server answers" in one["said"] for one in found["findings"]
        )
        process.send_signal(sign)
        out, err = process.communicate(timeout=40)
        assert process.returncode == 0, err
        assert "Wufeng serves http://127.0.0.1:" in out
        assert "Traceback" not in err
    assert not answers(port)


def test_two_workers_answer(installation: Installation, port: int) -> None:
    with serving(installation, port, "--workers", "2") as process:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=40)
        assert process.returncode == 0


def test_a_taken_port_is_said_at_once(installation: Installation) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        ran = installation.process("serve", "--port", str(other.getsockname()[1]))
    assert ran.code == 2
    assert "cannot be listened on" in ran.err and "WUFENG_PORT" in ran.err


def test_close_turns_a_test_clock(installation: Installation) -> None:
    closed = installation.process("close", "--days", "2", "--json").json
    assert closed["book"] == "test"
    assert len(closed["closes"]) >= 2
    assert all(day["errors"] == [] for day in closed["closes"])
    assert "Nothing to close in test" in installation.wufeng("close").out
