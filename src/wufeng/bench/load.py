"""A load generator for HTTP: many keep-alive connections in one process, requests made beforehand.

Closed: each of N connections sends its next request when it has its answer. Open: requests fall due at random
instants of a given rate, whatever the answers do, and latency counts from when they fell due, so a stall of the
server is seen by all who would have come in it (no coordinated omission). Run as a process of its own:

    python -m wufeng.bench.load '{"port": 8000, "requests": "requests.jsonl", …}'
"""

import asyncio
import random
import sys
import time
from collections import deque
from pathlib import Path
from typing import cast

import msgspec
import uvloop
from msgspec import Struct

DEADLINE_S = 10.0


class Order(Struct, frozen=True, kw_only=True):
    """What to send: the file has one request a line, JSON: [authorization, body]. Keys are made of `run` and a number.

    rate  requests a second of an open run; 0: closed
    """

    port: int
    requests: str
    path: str
    run: str
    connections: int
    seconds: float
    rate: float = 0.0
    seed: int = 7


class Sent(Struct, frozen=True, kw_only=True):
    """What came of it. Latencies in milliseconds; `statuses` counts answers."""

    answers: int
    seconds: float
    per_second: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    statuses: dict[str, int]
    lost: int


class _Connection(asyncio.Protocol):
    """One connection: one request at a time, answers read by their Content-Length."""

    def __init__(self, load: "_Load") -> None:
        self.load = load
        self.buffer = b""
        self.due_s = 0.0
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none by its class

    def send(self, request: bytes, due_s: float) -> None:
        self.due_s = due_s
        assert self.transport is not None
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self.buffer[:end].lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(self.buffer) < end + 4 + length:
            return
        self.buffer = b""
        self.load.answered(self, int(head[9:12]))

    def connection_lost(self, _: Exception | None) -> None:
        self.load.lost += 1


class _Load:
    def __init__(self, order: Order) -> None:
        self.order = order
        self.lines = Path(order.requests).read_bytes().splitlines()
        self.templates = [msgspec.json.decode(line, type=tuple[str, str]) for line in self.lines]
        self.number = 0
        self.latencies_ms: list[float] = []
        self.statuses: dict[int, int] = {}
        self.lost = 0
        self.idle: deque[_Connection] = deque()
        self.waiting: deque[float] = deque()
        self.ends_s = 0.0

    def request(self) -> bytes:
        """The next request: another person each time, an order and a key never used before."""
        number = self.number
        self.number += 1
        authorization, body = self.templates[number % len(self.templates)]
        text = body.replace("@", f"{self.order.run}-{number}")
        return (
            f"POST {self.order.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {authorization}\r\n"
            f"Idempotency-Key: {self.order.run}-{number}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(text)}\r\n\r\n{text}"
        ).encode()

    def answered(self, connection: _Connection, status: int) -> None:
        now_s = time.perf_counter()
        self.latencies_ms.append((now_s - connection.due_s) * 1000)
        self.statuses[status] = self.statuses.get(status, 0) + 1
        if self.order.rate:
            if self.waiting:
                connection.send(self.request(), self.waiting.popleft())
            else:
                self.idle.append(connection)
        elif now_s < self.ends_s:
            connection.send(self.request(), now_s)

    async def run(self) -> Sent:
        loop = asyncio.get_running_loop()
        connections = []
        for _ in range(self.order.connections):
            _, connection = await loop.create_connection(
                lambda: _Connection(self), "127.0.0.1", self.order.port
            )
            connections.append(connection)
        began_s = time.perf_counter()
        self.ends_s = began_s + self.order.seconds
        if self.order.rate:
            self.idle.extend(connections)
            await self._fall_due(began_s)
        else:
            for connection in connections:
                connection.send(self.request(), began_s)
            await asyncio.sleep(self.order.seconds)
        await self._last_answers()
        seconds = time.perf_counter() - began_s
        lost = self.number - len(self.latencies_ms)
        for connection in connections:
            assert connection.transport is not None
            connection.transport.abort()
        return self._sent(min(seconds, self.order.seconds), lost)

    async def _last_answers(self) -> None:
        for _ in range(int(DEADLINE_S / 0.01)):
            if len(self.latencies_ms) >= self.number:
                return
            await asyncio.sleep(0.01)

    async def _fall_due(self, began_s: float) -> None:
        rng, due_s = random.Random(self.order.seed), began_s
        while due_s < self.ends_s:
            due_s += rng.expovariate(self.order.rate)
            wait_s = due_s - time.perf_counter()
            if wait_s > 0.001:
                await asyncio.sleep(wait_s)
            if self.idle:
                self.idle.popleft().send(self.request(), due_s)
            else:
                self.waiting.append(due_s)

    def _sent(self, seconds: float, lost: int) -> Sent:
        ordered = sorted(self.latencies_ms)
        return Sent(
            answers=len(ordered),
            seconds=round(seconds, 3),
            per_second=round(len(ordered) / seconds, 1),
            p50_ms=percentile(ordered, 0.5),
            p99_ms=percentile(ordered, 0.99),
            max_ms=round(ordered[-1], 3) if ordered else 0.0,
            statuses={str(status): count for status, count in sorted(self.statuses.items())},
            lost=lost,
        )


def percentile(ordered: list[float], share: float) -> float:
    """The value below which that share of an ordered list lies; 0 for an empty one."""
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 3) if ordered else 0.0


def main() -> None:
    """Read an `Order` from the first argument, print a `Sent`."""
    order = msgspec.json.decode(sys.argv[1], type=Order)
    sent = uvloop.run(_Load(order).run())
    sys.stdout.buffer.write(msgspec.json.encode(sent) + b"\n")


if __name__ == "__main__":
    main()
