"""Beside the routes: the API's reference to click through, and the problem of an unknown address."""

from collections.abc import Mapping
from importlib import resources
from typing import Any

from wufeng.api.routing import Application
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
_HEADERS = (
    (b"content-security-policy", _POLICY.encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)
_NO_STORE = (b"cache-control", b"no-store")

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


def create_reference(services: Services, openapi: bytes) -> Application:
    """The ASGI application for every address that is no route of the API."""
    files = {"/openapi.json": ("application/json", openapi), **_reference()}

    async def serve(scope: Mapping[str, Any], _: Any, send: Any) -> None:
        found, method = files.get(scope["path"]), scope["method"]
        if found is not None and method in ("GET", "HEAD"):
            media_type, body = found
            await _send(send, 200, media_type, b"" if method == "HEAD" else body, len(body), _HEADERS)
            return
        request_id = encode(Prefix.REQUEST, services.ids.new_anywhere(services.clock.now()))
        problem = Problem(Code.NOT_FOUND, "There is no such address.")
        if found is not None:
            problem = Problem(Code.METHOD_NOT_ALLOWED, "This address does not take that method.")
        body = problem_body(problem, request_id)
        headers = ((b"request-id", request_id.encode()), _NO_STORE)
        await _send(send, problem.status, PROBLEM_TYPE, body, len(body), headers)

    return serve


async def _send(
    send: Any,
    status: int,
    media_type: str,
    body: bytes,
    length: int,
    headers: tuple[tuple[bytes, bytes], ...],
) -> None:
    head = [(b"content-type", media_type.encode()), (b"content-length", str(length).encode()), *headers]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})


def _reference() -> dict[str, tuple[str, bytes]]:
    """The reference page: its viewer comes with the package swagger-ui-py."""
    viewer = resources.files("swagger_ui") / "static"
    return {
        "/docs": (_HTML, _PAGE),
        "/docs/start.js": (_SCRIPT, _START),
        "/docs/swagger-ui.css": (_CSS, (viewer / "swagger-ui.css").read_bytes()),
        "/docs/swagger-ui-bundle.js": (_SCRIPT, (viewer / "swagger-ui-bundle.js").read_bytes()),
    }
