"""Metrics: what an operator watches, in Prometheus' text format.

One `Metrics` a process, made by the composition root and handed to those who count; nothing here is global.
Counts of the lanes and the lag of the followers are read when somebody asks, so that a payment pays nothing
for them. Each worker process answers for itself: sum over `worker` in the query.
"""

import os
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from typing import Protocol

import asyncpg
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from wufeng.base.errors import ConfigurationError

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Upper ends of the latency buckets: the goal for a payment, 50 ms, is one of them."""

UNANSWERED = (asyncpg.PostgresError, asyncpg.InterfaceError, ConfigurationError, OSError, TimeoutError)


class LaneCounts(Protocol):
    """What the lanes count themselves (base.lanes.LaneStats)."""

    commands: int
    batches: int
    splits: int
    refused: int
    unknown: int


class LanesRead(Protocol):
    """The lanes of this process, as far as they are watched (base.lanes.Lanes)."""

    @property
    def stats(self) -> LaneCounts:
        """Counters since the start."""
        ...

    def waiting(self) -> Mapping[int, int]:
        """Commands in the queue now, by bucket."""
        ...


class Lagging(Protocol):
    """A follower that is behind in a bucket (base.followers.Behind)."""

    @property
    def bucket(self) -> int:
        """The bucket."""
        ...

    @property
    def follower(self) -> str:
        """Its name."""
        ...

    @property
    def lag(self) -> int:
        """Numbers not handled yet."""
        ...


class Metrics:
    """The counters of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._lags: Callable[[], Awaitable[Iterable[Lagging]]] | None = None
        self._request_seconds = Histogram(
            "wufeng_http_request_seconds",
            "Time from the first byte of a request to its answer, by operation and status.",
            ["operation", "status"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self._by_operation: dict[tuple[str, int], Histogram] = {}
        self._payments = self._counter(
            "wufeng_payments", "Payments decided, by the status they got.", "status"
        )
        self._webhooks = self._counter(
            "wufeng_webhook_sendings", "Webhooks sent, by what came back.", "outcome"
        )
        self._failures = self._counter("wufeng_follower_failures", "Errors of a follower's step.", "follower")
        self._bank = self._counter("wufeng_bank_calls", "Calls of the bank, by what it said.", "outcome")
        self._closes = self._counter("wufeng_day_closes", "Business dates closed, by book.", "book")
        self._close_rows = self._counter(
            "wufeng_day_close_rows", "Rows that a close worked on, by step.", "step"
        )
        self._close_seconds = Histogram(
            "wufeng_day_close_seconds",
            "Time that the close of one business date took.",
            buckets=(0.1, 0.5, 1, 5, 10, 30, 60, 300, 1800),
            registry=self.registry,
        )
        self._closed_on = Gauge(
            "wufeng_closed_through_days",
            "The last closed business date of a book, as days since 1970-01-01.",
            ["book"],
            registry=self.registry,
        )
        worker = Gauge(
            "wufeng_worker", "1 for each process that answers.", ["worker"], registry=self.registry
        )
        worker.labels(str(os.getpid())).set(1)

    def _counter(self, name: str, text: str, label: str) -> Counter:
        return Counter(name, text, [label], registry=self.registry)

    def request(self, operation: str, status: int, seconds: float) -> None:
        """An HTTP request was answered. `operation` is the route's id, never a path: paths hold ids."""
        timed = self._by_operation.get((operation, status))
        if timed is None:  # kept by hand: the library's own look-up costs more than the counting
            timed = self._by_operation[operation, status] = self._request_seconds.labels(
                operation, str(status)
            )
        timed.observe(seconds)

    def quantile(self, operations: Collection[str], part: float) -> float | None:
        """The seconds within which that part of the requests of some operations was answered, in this process since
        its start: the upper end of a latency bucket. None: there was no request; infinite: beyond the last bucket.
        """
        counts: dict[float, float] = {}
        for metric in self._request_seconds.collect():
            for sample in metric.samples:
                if sample.name.endswith("_bucket") and sample.labels["operation"] in operations:
                    end = float(sample.labels["le"])
                    counts[end] = counts.get(end, 0) + sample.value
        total = max(counts.values(), default=0)
        return next((end for end in sorted(counts) if counts[end] >= part * total), None) if total else None

    def payment(self, status: str, count: int = 1) -> None:
        """Payments of a batch got this status."""
        self._payments.labels(status).inc(count)

    def webhook(self, outcome: str) -> None:
        """A webhook was sent: `delivered`, or why not."""
        self._webhooks.labels(outcome).inc()

    def bank_call(self, outcome: str) -> None:
        """The bank answered: `done`, `refused`, `pending`, `unknown`, `absent`."""
        self._bank.labels(outcome).inc()

    def follower_failed(self, follower: str, _bucket: int) -> None:
        """A follower's step raised; the follower tries again by itself. Fits `Followers(on_failure=…)`."""
        self._failures.labels(follower).inc()

    def day_closed(self, book: str, days_since_1970: int, seconds: float, rows: Mapping[str, int]) -> None:
        """A book's business date was closed; rows by the name of the step."""
        self._closes.labels(book).inc()
        self._closed_on.labels(book).set(days_since_1970)
        self._close_seconds.observe(seconds)
        for step, count in rows.items():
            self._close_rows.labels(step).inc(count)

    def watch_lanes(self, lanes: LanesRead) -> None:
        """Show the lanes' own counts from now on."""
        self.registry.register(_Lanes(lanes))

    def watch_followers(self, lags: Callable[[], Awaitable[Iterable[Lagging]]]) -> None:
        """Show who is behind from now on (base.followers.Followers.lags)."""
        self._lags = lags

    async def render(self) -> bytes:
        """The page of `/metrics`. A database that does not answer shows as `wufeng_database_up 0`."""
        scrape = CollectorRegistry()
        if self._lags is not None:
            try:
                behind: Iterable[Lagging] | None = await self._lags()
            except UNANSWERED:
                behind = None
            scrape.register(_Once(_lag_metrics(behind)))
        return generate_latest(self.registry) + generate_latest(scrape)


class _Lanes(Collector):
    def __init__(self, lanes: LanesRead) -> None:
        self._lanes = lanes

    def collect(self) -> Iterator[Metric]:
        stats = self._lanes.stats
        for name, text, value in (
            ("commands", "Commands that the lanes committed.", stats.commands),
            ("batches", "Transactions that they went in.", stats.batches),
            (
                "splits",
                "Batches that the database refused and that were tried again in halves.",
                stats.splits,
            ),
            ("refused", "Commands answered 503 overloaded.", stats.refused),
            ("unknown", "Commands answered 503 outcome_unknown.", stats.unknown),
        ):
            yield CounterMetricFamily(f"wufeng_lane_{name}", text, value=value)
        waiting = GaugeMetricFamily("wufeng_lane_waiting", "Commands in the queue now.", labels=["bucket"])
        for bucket, count in self._lanes.waiting().items():
            waiting.add_metric([str(bucket)], count)
        yield waiting


class _Once(Collector):
    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> list[Metric]:
        return self._metrics


def _lag_metrics(lags: Iterable[Lagging] | None) -> list[Metric]:
    up = GaugeMetricFamily(
        "wufeng_database_up", "1 if the database answered this scrape.", value=lags is not None
    )
    lag = GaugeMetricFamily(
        "wufeng_follower_lag",
        "Events and journals that a follower has not handled yet; absent: none.",
        labels=["follower", "bucket"],
    )
    for behind in lags or ():
        lag.add_metric([behind.follower, str(behind.bucket)], behind.lag)
    return [up, lag]
