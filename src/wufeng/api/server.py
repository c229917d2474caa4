"""The server itself: is it alive, is it ready, how is it."""

from typing import Literal

import asyncpg
from msgspec import Struct

from wufeng.api.routing import Call, Nothing, Route, reply
from wufeng.base.claims import Answer
from wufeng.base.errors import Code, ConfigurationError, Problem, not_found


class Health(Struct, frozen=True):
    """It answers."""

    status: Literal["ok"] = "ok"


class Readiness(Struct, frozen=True, kw_only=True):
    """It can pay: the database answers and no follower is stuck. `lag` is how many numbers the slowest is behind."""

    status: Literal["ready"] = "ready"
    lag: int
    troubles: list[str]


async def healthz(_: Call[Nothing, Nothing]) -> Answer:
    """The process answers."""
    return reply(Health())


async def readyz(call: Call[Nothing, Nothing]) -> Answer:
    """The process can serve: its database answers."""
    services = call.services
    if services.lanes.closing:
        raise Problem(Code.OVERLOADED, "The server is stopping.", retry_after_s=5)
    try:
        lags = await services.followers.lags()
    except (asyncpg.PostgresError, asyncpg.InterfaceError, ConfigurationError, OSError):
        raise Problem(Code.OVERLOADED, "The database does not answer.", retry_after_s=1) from None
    troubles = [f"{trouble.follower} in bucket {trouble.bucket}" for trouble in services.followers.troubles]
    return reply(Readiness(lag=max((behind.lag for behind in lags), default=0), troubles=troubles))


async def metrics(call: Call[Nothing, Nothing]) -> Answer:
    """Prometheus metrics, for local readers."""
    if call.client not in ("127.0.0.1", "::1", None):
        raise not_found("page")
    return Answer(200, await call.services.metrics.render())


ROUTES = (
    Route(
        method="GET",
        path="/healthz",
        operation="healthz",
        summary="Alive",
        handle=healthz,
        answers={200: Health},
    ),
    Route(
        method="GET",
        path="/readyz",
        operation="readyz",
        summary="Ready",
        handle=readyz,
        answers={200: Readiness},
    ),
    Route(
        method="GET",
        path="/metrics",
        operation="metrics",
        summary="Prometheus metrics",
        handle=metrics,
        answers={200: None},
        media_type="text/plain; version=0.0.4; charset=utf-8",
    ),
)
