"""Pages beside the API: its reference to click through, and the problem of an unknown address; Litestar serves them."""

from importlib import resources
from typing import Any

from litestar import Litestar, Request, Response, get
from litestar.exceptions import HTTPException, NotFoundException
from litestar.handlers import HTTPRouteHandler

from wufeng.base.errors import Code, Problem
from wufeng.base.ids import Prefix, encode
from wufeng.base.problems import PROBLEM_TYPE, problem_body
from wufeng.services import Services

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",  # the viewer sets styles on its elements
        "img-src 'self' data:",
        "connect-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'none'",
    )
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}

_PAGE = b"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Wufeng API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="reference"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
_START = b"""SwaggerUIBundle({
  url: "/openapi.json", dom_id: "#reference", deepLinking: true, validatorUrl: null, persistAuthorization: true,
  requestInterceptor: (request) => {
    const keyed = request.method === "POST" && !("Idempotency-Key" in request.headers);
    if (keyed) request.headers["Idempotency-Key"] = crypto.randomUUID();
    return request;
  },
});
"""
_HTML, _CSS, _SCRIPT = "text/html; charset=utf-8", "text/css; charset=utf-8", "text/javascript; charset=utf-8"


def create_pages(services: Services, openapi: bytes) -> Litestar:
    """The application for every address that is no route of the API."""
    files = {"/openapi.json": ("application/json", openapi), **_reference()}
    return Litestar(
        route_handlers=[_file(path, media_type, body) for path, (media_type, body) in files.items()],
        openapi_config=None,
        exception_handlers={Exception: _refuse(services)},
        logging_config=None,
    )


def _reference() -> dict[str, tuple[str, bytes]]:
    """The reference page: its viewer comes with the package swagger-ui-py."""
    viewer = resources.files("swagger_ui") / "static"
    return {
        "/docs": (_HTML, _PAGE),
        "/docs/start.js": (_SCRIPT, _START),
        "/docs/swagger-ui.css": (_CSS, (viewer / "swagger-ui.css").read_bytes()),
        "/docs/swagger-ui-bundle.js": (_SCRIPT, (viewer / "swagger-ui-bundle.js").read_bytes()),
    }


def _file(path: str, media_type: str, body: bytes) -> HTTPRouteHandler:
    @get(path, media_type=media_type, sync_to_thread=False)
    def serve() -> Response[bytes]:
        return Response(body, media_type=media_type, headers=_HEADERS)

    return serve


def _refuse(services: Services) -> Any:
    """What Litestar refuses (an unknown address, above all), told as every other problem."""

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
