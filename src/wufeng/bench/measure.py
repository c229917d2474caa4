"""Running and timing one load: the engine in this process, or HTTP by a generator in another."""

import asyncio
import json
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import msgspec
import psutil
from msgspec import Struct

from wufeng.base.errors import Problem
from wufeng.bench.load import Order, Sent, percentile
from wufeng.bench.world import Parts, World


class Point(Struct, frozen=True, kw_only=True):
    """One load of one subject. `errors` counts every answer but 201 and every lost request."""

    in_flight: int
    per_second: float
    p50_ms: float
    p99_ms: float
    errors: int
    batch: float = 0.0


async def run_engine(parts: Parts, world: World, in_flight: int, seconds: float) -> Point:
    """Payments through the lanes of this process, so many at a time."""
    latencies_ms: list[float] = []
    errors = 0
    ends_s = time.perf_counter() + seconds
    batches = parts.lanes.stats.batches

    async def pay() -> None:
        nonlocal errors
        while (began_s := time.perf_counter()) < ends_s:
            bucket, command = world.command(parts)
            try:
                answer = await parts.lanes.submit(bucket, command)
                errors += answer.status != 201
            except Problem:
                errors += 1
            latencies_ms.append((time.perf_counter() - began_s) * 1000)

    began_s = time.perf_counter()
    await asyncio.gather(*(pay() for _ in range(in_flight)))
    took_s = time.perf_counter() - began_s
    latencies_ms.sort()
    return Point(
        in_flight=in_flight,
        per_second=round(len(latencies_ms) / took_s, 1),
        p50_ms=percentile(latencies_ms, 0.5),
        p99_ms=percentile(latencies_ms, 0.99),
        errors=errors,
        batch=round(len(latencies_ms) / max(1, parts.lanes.stats.batches - batches), 1),
    )


class HttpLoad:
    """Loads a server on 127.0.0.1: by wrk where it is installed, else by the generator of this project."""

    def __init__(self, port: int, requests: Path) -> None:
        self.port = port
        self.requests = requests
        self.generator = "wrk" if shutil.which("wrk") else "wufeng.bench.load"
        self._runs = 0

    def closed(self, in_flight: int, seconds: int) -> Point:
        """So many connections, each with its next request when it has its answer."""
        if self.generator == "wrk":
            return self._wrk(in_flight, seconds)
        return _point(in_flight, self._own(in_flight, seconds, 0.0))

    def open(self, rate: float, seconds: int) -> Point:
        """Requests at random instants of a rate, by the project's own generator: wrk knows no rates."""
        return _point(0, self._own(256, seconds, rate))

    def _run_name(self) -> str:
        self._runs += 1
        return f"H{self._runs}-{time.time_ns() % 10**9}"

    def _wrk(self, in_flight: int, seconds: int) -> Point:
        with resources.as_file(resources.files("wufeng.bench") / "pay.lua") as script:
            done = subprocess.run(
                [
                    "wrk",
                    "--threads=1",
                    f"--connections={in_flight}",
                    f"--duration={seconds}s",
                    "--timeout=10s",
                    "--latency",
                    f"--script={script}",
                    f"http://127.0.0.1:{self.port}/v1/payments",
                    "--",
                    str(self.requests),
                    self._run_name(),
                ],
                capture_output=True,
                text=True,
                check=True,
            )
        line = next(line for line in done.stdout.splitlines() if line.startswith("WUFENG "))
        found = json.loads(line.removeprefix("WUFENG "))
        return Point(
            in_flight=in_flight,
            per_second=round(found["answers"] / found["seconds"], 1),
            p50_ms=found["p50_ms"],
            p99_ms=found["p99_ms"],
            errors=found["refused"] + found["lost"],
        )

    def _own(self, connections: int, seconds: float, rate: float) -> Sent:
        order = Order(
            port=self.port,
            requests=str(self.requests),
            path="/v1/payments",
            run=self._run_name(),
            connections=connections,
            seconds=seconds,
            rate=rate,
        )
        done = subprocess.run(
            [sys.executable, "-m", "wufeng.bench.load", msgspec.json.encode(order).decode()],
            stdout=subprocess.PIPE,
            check=True,
        )
        return msgspec.json.decode(done.stdout, type=Sent)


def _point(in_flight: int, sent: Sent) -> Point:
    return Point(
        in_flight=in_flight,
        per_second=sent.per_second,
        p50_ms=sent.p50_ms,
        p99_ms=sent.p99_ms,
        errors=sent.answers - sent.statuses.get("201", 0) + sent.lost,
    )


def cpu_seconds(pids: Sequence[int]) -> float:
    """Processor time that processes have used, as far as they still live."""
    total = 0.0
    for pid in pids:
        try:
            times = psutil.Process(pid).cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


def own_cpu_seconds() -> float:
    """Processor time of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def rss_mb(pid: int) -> float:
    """Memory of a process, MB."""
    return round(psutil.Process(pid).memory_info().rss / 2**20, 1)
