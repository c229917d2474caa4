"""What benchmarks of the command line share: a server process of their own, and the engine in this process."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import psutil

from wufeng.app import App
from wufeng.base.config import Settings
from wufeng.base.errors import ConfigurationError
from wufeng.bench.pay import Served
from wufeng.bench.world import Parts

BOOK = "bench-pay"
STARTS_WITHIN_S = 30


def parts_of(app: App) -> Parts:
    """The engine of this process in the benchmark's book."""
    book = app.books.named(BOOK)
    return Parts(
        database=app.database,
        lanes=app.lanes,
        vault=app.services.vault,
        book=book,
        now=lambda: book.at(app.services.clock),
    )


@contextmanager
def served(settings: Settings, workers: int) -> Iterator[Served]:
    """`wufeng serve` as a process of its own on the scratch installation."""
    environment = {"WUFENG_DATA_DIR": str(settings.data_dir), "WUFENG_LOG_LEVEL": "warning"}
    port = _free_port()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "wufeng.cli", "serve", f"--port={port}", f"--workers={workers}"],
            env=os.environ | environment,
            stdout=output,
            stderr=output,
        )
        try:
            _wait(process, port)
            children = psutil.Process(process.pid).children(recursive=True)
            worker = max(children, key=lambda child: child.memory_info().rss) if children else None
            yield Served(port, worker.pid if worker else process.pid)
        finally:
            process.terminate()
            process.wait(STARTS_WITHIN_S)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait(process: "subprocess.Popen[bytes]", port: int) -> None:
    deadline_s = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < deadline_s:
        if process.poll() is not None:
            raise ConfigurationError("the server to be measured did not start: try `wufeng serve`")
        try:
            if httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise ConfigurationError("the server to be measured did not answer in time")
