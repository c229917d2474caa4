"""The REST API v1: one file of routes a context, one table of them all."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from litestar import Litestar, Request, Response, asgi
from litestar.exceptions import HTTPException, NotFoundException
from litestar.handlers import ASGIRouteHandler

from wufeng.api import clock, payments, server
from wufeng.api.openapi import document
from wufeng.api.routing import Resource, Route, respond
from wufeng.api.server import PAGE_HEADERS, reference_files
from wufeng.api.services import Services
from wufeng.base.claims import Answer
from wufeng.base.errors import Code, Problem
from wufeng.base.ids import Prefix, encode
from wufeng.base.problems import PROBLEM_TYPE, problem_body
from wufeng.identity import RULES

__all__ = ["ROUTES", "Route", "Services", "create_api", "openapi_document"]

ROUTES: tuple[Route, ...] = (
    *payments.ROUTES,
    *clock.ROUTES,
    *server.ROUTES,
)
"""Every call, in the order of API.md."""


def openapi_document() -> bytes:
    """The OpenAPI document as it is served and committed (docs/openapi.json)."""
    return msgspec.json.format(msgspec.json.encode(document(ROUTES)), indent=1) + b"\n"


def create_api(services: Services) -> Litestar:
    """The application. Does not start with a route that no access rule names."""
    unruled = [route.operation for route in ROUTES if route.operation not in RULES]
    assert not unruled, f"routes without an access rule: {', '.join(unruled)}"
    return Litestar(
        route_handlers=[*_resources(services), *_pages(services)],
        openapi_config=None,
        exception_handlers={HTTPException: _problem_page(services), Exception: _problem_page(services)},
        logging_config=None,
    )


def _resources(services: Services) -> list[ASGIRouteHandler]:
    by_path: dict[str, list[Route]] = {}
    for route in ROUTES:
        by_path.setdefault(route.path, []).append(route)
    in_flight: dict[UUID, int] = {}
    return [_mounted(path, Resource(services, path, routes, in_flight)) for path, routes in by_path.items()]


def _mounted(path: str, resource: Resource) -> ASGIRouteHandler:
    @asgi(path, copy_scope=False)
    async def handle(scope: Any, receive: Any, send: Any) -> None:
        await resource(scope, receive, send)

    return handle


def _pages(services: Services) -> list[ASGIRouteHandler]:
    """The document and the reference page, each made once."""
    files = {"/openapi.json": ("application/json", openapi_document()), **reference_files()}
    return [_page(services, path, media_type, body) for path, (media_type, body) in files.items()]


def _page(services: Services, path: str, media_type: str, body: bytes) -> ASGIRouteHandler:
    @asgi(path, copy_scope=False)
    async def handle(scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG001
        request_id = encode(Prefix.REQUEST, services.ids.new_anywhere(services.clock.now()))
        if scope["method"] not in ("GET", "HEAD"):
            problem = Problem(Code.METHOD_NOT_ALLOWED, "It takes GET.")
            allow = ((b"allow", b"GET"),)
            await respond(
                send, Answer(405, problem_body(problem, request_id)), PROBLEM_TYPE, request_id, allow
            )
            return
        await respond(send, Answer(200, body), media_type, request_id, PAGE_HEADERS)

    return handle


def _problem_page(services: Services) -> Any:
    """What Litestar itself refuses (an unknown path, above all), told as every other problem."""

    def handle(_: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
        request_id = encode(Prefix.REQUEST, services.ids.new_anywhere(services.clock.now()))
        problem = _problem_of(error)
        return Response(
            problem_body(problem, request_id),
            status_code=problem.status,
            media_type=PROBLEM_TYPE,
            headers={"request-id": request_id, "cache-control": "no-store"},
        )

    return handle


def _problem_of(error: Exception) -> Problem:
    if isinstance(error, NotFoundException):
        return Problem(Code.NOT_FOUND, "There is no such address.")
    if isinstance(error, HTTPException) and error.status_code == 405:
        return Problem(Code.METHOD_NOT_ALLOWED, "This address does not take that method.")
    if isinstance(error, HTTPException) and error.status_code < 500:
        return Problem(Code.MALFORMED, "The request could not be read.")
    return Problem(Code.INTERNAL, "The server made a mistake.")


def operations(routes: Sequence[Route] = ROUTES) -> frozenset[str]:
    """The operations that are served."""
    return frozenset(route.operation for route in routes)
