"""The page that Prometheus reads."""

from collections.abc import Iterable

from msgspec import Struct

from wufeng.base.errors import ConfigurationError
from wufeng.base.followers import Behind
from wufeng.base.lanes import LaneStats
from wufeng.base.metrics import Metrics


class Lanes(Struct):
    """Lanes as far as metrics look at them."""

    stats: LaneStats
    queues: dict[int, int]

    def waiting(self) -> dict[int, int]:
        return self.queues


async def lines_of(metrics: Metrics) -> list[str]:
    return (await metrics.render()).decode().splitlines()


async def test_requests_are_counted_by_operation_and_status() -> None:
    metrics = Metrics()
    metrics.request("pay", 201, 0.004)
    metrics.request("pay", 201, 0.04)
    metrics.request("pay", 402, 7.0)
    lines = await lines_of(metrics)
    assert 'wufeng_http_request_seconds_bucket{le="0.005",operation="pay",status="201"} 1.0' in lines
    assert 'wufeng_http_request_seconds_bucket{le="0.05",operation="pay",status="201"} 2.0' in lines
    assert 'wufeng_http_request_seconds_bucket{le="5.0",operation="pay",status="402"} 0.0' in lines
    assert 'wufeng_http_request_seconds_count{operation="pay",status="402"} 1.0' in lines


async def test_lanes_are_read_when_asked() -> None:
    metrics, lanes = Metrics(), Lanes(LaneStats(), {})
    metrics.watch_lanes(lanes)
    lanes.stats.commands, lanes.stats.batches, lanes.queues[8] = 300, 4, 17
    lines = await lines_of(metrics)
    assert "wufeng_lane_commands_total 300.0" in lines
    assert "wufeng_lane_batches_total 4.0" in lines
    assert 'wufeng_lane_waiting{bucket="8"} 17.0' in lines


async def test_lag_is_asked_of_the_database() -> None:
    async def lags() -> Iterable[Behind]:
        return [Behind(bucket=8, follower="fold", head_seq=12, cursor_seq=None)]

    metrics = Metrics()
    metrics.watch_followers(lags)
    lines = await lines_of(metrics)
    assert 'wufeng_follower_lag{bucket="8",follower="fold"} 12.0' in lines
    assert "wufeng_database_up 1.0" in lines


async def test_a_silent_database_is_a_fact_not_an_error() -> None:
    async def lags() -> Iterable[Behind]:
        raise ConfigurationError("the database does not answer")

    metrics = Metrics()
    metrics.watch_followers(lags)
    assert "wufeng_database_up 0.0" in await lines_of(metrics)


async def test_the_rest_counts() -> None:
    metrics = Metrics()
    metrics.payment("captured", 3)
    metrics.webhook("delivered")
    metrics.bank_call("unknown")
    metrics.follower_failed("fold", 8)
    metrics.day_closed("main", 20_333, 0.4, {"issue_bills": 2, "pass_due_dates": 0})
    lines = await lines_of(metrics)
    assert 'wufeng_payments_total{status="captured"} 3.0' in lines
    assert 'wufeng_webhook_sendings_total{outcome="delivered"} 1.0' in lines
    assert 'wufeng_bank_calls_total{outcome="unknown"} 1.0' in lines
    assert 'wufeng_follower_failures_total{follower="fold"} 1.0' in lines
    assert 'wufeng_day_close_rows_total{step="issue_bills"} 2.0' in lines
    assert 'wufeng_closed_through_days{book="main"} 20333.0' in lines


async def test_two_metrics_share_nothing() -> None:
    one, other = Metrics(), Metrics()
    one.payment("captured")
    assert not any("captured" in line for line in await lines_of(other))
