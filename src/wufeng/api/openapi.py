"""The OpenAPI 3.1 document, made from the table of routes and the types that they take and give."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from wufeng.api.routing import VERSION, Nothing, Route
from wufeng.base.errors import PROBLEMS, Code
from wufeng.identity import RULES, Rule

_PATH_PARAMETER = re.compile(r"\{([a-z_]+)\}")
_REFERENCE = "#/components/schemas/{name}"


def document(routes: Sequence[Route]) -> dict[str, Any]:
    """The document: every route of the table, each with its callers in words and as security schemes."""
    schemas = _Schemas(routes)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Wufeng",
            "version": VERSION,
            "summary": "Mobile payment with consumer credit built in.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "tags": [{"name": tag} for tag in dict.fromkeys(_tag(route) for route in routes)],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "securitySchemes": {
                "session": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "a person's or a staff session",
                },
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "a platform's or a merchant's API key",
                },
            },
            "responses": {"problem": _problem_response()},
        },
    }


class _Schemas:
    """Schemas of all types of the table, named once."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._types = list(_types_of(routes))
        found, components = msgspec.json.schema_components(self._types, ref_template=_REFERENCE)
        self._by_type = list(zip(self._types, found, strict=True))
        self.components: dict[str, Any] = components | {"Problem": _problem_schema()}

    def of(self, type_: Any) -> dict[str, Any]:
        """The schema of a type of the table."""
        return next(schema for known, schema in self._by_type if known is type_ or known == type_)


def _types_of(routes: Iterable[Route]) -> Iterable[Any]:
    for route in routes:
        for type_ in (route.body, route.query, *route.answers.values()):
            if type_ is not None:
                yield type_


def _operation(route: Route, schemas: _Schemas) -> dict[str, Any]:
    rule = RULES[route.operation]
    operation: dict[str, Any] = {
        "operationId": route.operation,
        "summary": route.summary,
        "description": _who(rule),
        "tags": [_tag(route)],
        "parameters": [
            *_path_parameters(route),
            *_query_parameters(route, schemas),
            *_header_parameters(route),
        ],
        "responses": {
            str(status): _response(type_, route, schemas) for status, type_ in route.answers.items()
        }
        | {"default": {"$ref": "#/components/responses/problem"}},
        "security": [] if rule.reach.public else _security(rule),
    }
    if route.body is not Nothing:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schemas.of(route.body)}},
        }
    return operation


def _tag(route: Route) -> str:
    parts = [part for part in route.path.split("/") if part and part != "v1"]
    return parts[0] if parts else "server"


def _who(rule: Rule) -> str:
    if rule.reach.public:
        return "Anyone."
    callers = []
    if rule.person is not None:
        callers.append(
            "a person" if rule.person.value == "code" else f"a person stepped up to {rule.person.value}"
        )
    if rule.merchant is not None:
        callers.append(f"a merchant's key with `{rule.merchant.value}`")
    if rule.platform is not None:
        callers.append(f"a platform key with `{rule.platform.value}`")
    if rule.staff:
        callers.append(f"staff ({', '.join(sorted(role.value for role in rule.staff))})")
    only = f" In {rule.reach.only_in.value} books only." if rule.reach.only_in else ""
    return f"May be called by {', '.join(callers)}.{only}"


def _security(rule: Rule) -> list[dict[str, list[str]]]:
    schemes = []
    if rule.person is not None or rule.staff:
        schemes.append("session")
    if rule.merchant is not None or rule.platform is not None:
        schemes.append("key")
    return [{scheme: []} for scheme in schemes]


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PATH_PARAMETER.findall(route.path)
    ]


def _query_parameters(route: Route, schemas: _Schemas) -> list[dict[str, Any]]:
    if route.query is Nothing:
        return []
    schema = schemas.of(route.query)
    if "$ref" in schema:
        schema = schemas.components[schema["$ref"].rsplit("/", 1)[1]]
    required: Sequence[str] = schema.get("required", ())
    properties: Mapping[str, Any] = schema["properties"]
    return [
        {"name": name, "in": "query", "required": name in required, "schema": property_}
        for name, property_ in properties.items()
    ]


def _header_parameters(route: Route) -> list[dict[str, Any]]:
    parameters = [
        {
            "name": "Accept-Language",
            "in": "header",
            "required": False,
            "schema": {"type": "string"},
            "description": "chooses the texts (zh, en), never the codes",
        }
    ]
    if route.keyed:
        parameters.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": True,
                "schema": {"type": "string", "minLength": 1, "maxLength": 255},
                "description": "one key means one request, one effect and one answer",
            }
        )
    return parameters


def _response(type_: Any, route: Route, schemas: _Schemas) -> dict[str, Any]:
    if type_ is None:
        return {"description": "done"}
    content = {"application/json": {"schema": schemas.of(type_)}}
    return {"description": "the answer", "content": content | {format_: {} for format_ in route.formats}}


def _problem_schema() -> dict[str, Any]:
    return {
        "title": "Problem",
        "description": "RFC 9457. `code` is a promise, `title` and `detail` are not.",
        "type": "object",
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer", "enum": sorted({status for status, _ in PROBLEMS.values()})},
            "code": {"type": "string", "enum": sorted(code.value for code in Code)},
            "detail": {"type": "string"},
            "request_id": {"type": "string"},
            "tries_left": {"type": "integer"},
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
                    "required": ["pointer", "detail"],
                },
            },
        },
        "required": ["type", "title", "status", "code", "detail", "request_id"],
    }


def _problem_response() -> dict[str, Any]:
    schema = {"$ref": _REFERENCE.format(name="Problem")}
    return {"description": "a problem", "content": {"application/problem+json": {"schema": schema}}}
