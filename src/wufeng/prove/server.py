"""The server under test: a process group that a supervisor starts again whenever it dies."""

import asyncio
import os
import random
import signal
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import httpx
import psutil

from wufeng.base.errors import ConfigurationError

READY_WITHIN_S = 90.0
STOPS_WITHIN_S = 20.0
PAUSE_S = 0.05
"""Between two starts, so that a server that cannot start does not take the whole machine."""


class Server:
    """`wufeng serve` on a scratch installation.

    log_file  what its processes print
    starts    how often it was started
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], workers: int, log_file: Path
    ) -> None:
        self._command = [*command, "serve"]
        self._environment = dict(environment)
        self._workers = workers
        self.log_file = log_file
        self.port = free_port()
        self.starts = 0
        self._process: asyncio.subprocess.Process | None = None
        self._supervisor: asyncio.Task[None] | None = None
        self._stopping = False

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Start it and its supervisor; returns once it answers."""
        self._stopping = False
        self._supervisor = asyncio.create_task(self._supervise())
        await self.wait_ready()

    async def wait_ready(self, within_s: float = READY_WITHIN_S) -> None:
        """Wait until it answers. Raises ConfigurationError with its last words when it does not."""
        deadline_s = time.monotonic() + within_s
        async with httpx.AsyncClient(base_url=self.url, timeout=2.0, trust_env=False) as http:
            while time.monotonic() < deadline_s:
                with suppress(httpx.TransportError):
                    if (await http.get("/openapi.json")).status_code == 200:
                        return
                await asyncio.sleep(0.05)
        raise ConfigurationError(f"the server under test does not answer; it said: {self.last_words()}")

    def kill(self) -> bool:
        """End all of its processes by SIGKILL; False when there is none just now."""
        process = self._process
        if process is None or process.returncode is not None:
            return False
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
            return True
        return False

    def kill_worker(self, rng: random.Random) -> bool:
        """End one worker process by SIGKILL; False when there is none just now."""
        process = self._process
        if process is None or process.returncode is not None:
            return False
        with suppress(psutil.Error):
            workers = [child for child in psutil.Process(process.pid).children() if _serves(child)]
            if workers:
                rng.choice(workers).kill()
                return True
        return False

    async def stop(self) -> None:
        """End it: first asked, then killed, with all that it started."""
        self._stopping = True
        process = self._process
        if process is not None and process.returncode is None:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            with suppress(TimeoutError):
                async with asyncio.timeout(STOPS_WITHIN_S):
                    await process.wait()
            self.kill()
        if self._supervisor is not None:
            await self._supervisor
            self._supervisor = None

    def last_words(self) -> str:
        """The end of what it printed."""
        if not self.log_file.exists():
            return "nothing"
        return self.log_file.read_text(encoding="utf-8", errors="replace")[-2000:].strip() or "nothing"

    async def _supervise(self) -> None:
        while not self._stopping:
            with self.log_file.open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(
                    *self._command,
                    "--host",
                    "127.0.0.1",
                    "--port",
                    str(self.port),
                    "--workers",
                    str(self._workers),
                    env=self._environment,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            self.starts += 1
            await self._process.wait()
            with suppress(ProcessLookupError):  # workers whose parent died must not keep the port
                os.killpg(self._process.pid, signal.SIGKILL)
            await asyncio.sleep(PAUSE_S)


def _serves(process: psutil.Process) -> bool:
    """Whether a child is a worker; a helper of Python's multiprocessing is none."""
    return "resource_tracker" not in " ".join(process.cmdline())


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
