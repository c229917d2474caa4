"""The client against the table of routes: every call there is, its body's fields, and what its view asks for."""

import inspect
import typing
from datetime import UTC, date, datetime
from typing import Any

import httpx
import msgspec
import pytest

from wufeng.api import ROUTES, Route
from wufeng.api.routing import VERSION as SERVED_VERSION
from wufeng.api.routing import Nothing
from wufeng.client import (
    VERSION,
    ApiProblem,
    Call,
    Confirmation,
    EventPage,
    FeePlan,
    InlineOrder,
    Source,
    Wufeng,
)
from wufeng.client.resource import Listing, Resource
from wufeng.client.transport import Repeat, Transport

WITHOUT_CLIENT = {"healthz", "readyz", "metrics"}
ORDER = InlineOrder(
    order_no="A-1",
    amount_minor=1,
    currency="CNY",
    subject="x",
    merchant="mer_1",
    scene="retail",
    receipt="none",
    expires_at=datetime(2026, 9, 3, tzinfo=UTC),
    metadata={"a": "b"},
)
SAMPLES: dict[str, Any] = {
    "order": ORDER,
    "funding": [Source(wallet="wal_1", line="lin_1", tenor=3)],
    "confirmation": Confirmation(kind="pin", proof="1"),
    "fee_plan": FeePlan(1),
    "scopes": ["read"],
    "types": ["order.paid"],
    "tenors": [3],
    "sources": ["wal_1"],
    "from_on": date(2026, 9, 3),
    "until_on": date(2026, 9, 3),
    "products": ["monthly_bill"],
    "origins": ["https://shop.test"],
    "return_origins": ["https://shop.test"],
    "to_on": date(2026, 9, 3),
    "value_on": date(2026, 9, 3),
    "final": True,
    "approve": True,
}
INTEGERS = {"amount_minor", "limit_minor", "merchant_fee_share_ppm", "due_day", "limit", "days"}


class Sent(typing.NamedTuple):
    """One call that a method of the client makes."""

    name: str
    method: str
    path: str
    query: set[str]
    body: dict[str, Any]
    repeat: Repeat
    view: Any


def sample(name: str) -> Any:
    return SAMPLES.get(name, 3 if name in INTEGERS else "ID" if name == "id_" else name)


async def sent_by(resource: str, method: str, skip: frozenset[str] = frozenset()) -> Sent:
    """Call a method with every argument it has, and look at what it sends."""
    calls: list[Call] = []
    views: list[Any] = []

    class Watched(Transport):
        async def send(self, call: Call) -> Any:
            calls.append(call)
            raise ApiProblem(404, "not_found", "")

    async with Wufeng(
        "http://wufeng.test", transport=httpx.MockTransport(lambda _: httpx.Response(500))
    ) as client:
        client._use(Watched(client._http, {}, client._transport._patience))
        function = getattr(getattr(client, resource), method)
        names = [name for name in inspect.signature(function).parameters if name not in skip]
        result = function(**{name: sample(name) for name in names})
        views.append(typing.get_type_hints(function).get("return"))
        with pytest.raises(ApiProblem):
            await (result.page() if isinstance(result, Listing) else result)
    (call,) = calls
    body = msgspec.json.decode(msgspec.json.encode(call.body)) if call.body is not None else {}
    path = "/".join(
        "{id}" if part in ("ID", "delivery", "session") else part for part in call.path.split("/")
    )
    return Sent(f"{resource}.{method}", call.method, path, set(call.query), body, call.repeat, views[0])


def methods() -> list[tuple[str, str]]:
    """Every call of the client: (resource, method)."""
    client = Wufeng("http://wufeng.test")
    found = []
    for name, resource in vars(client).items():
        if isinstance(resource, Resource):
            found += [
                (name, method)
                for method, function in inspect.getmembers(type(resource), inspect.isfunction)
                if not method.startswith("_") and method not in {"pages", "follow"}
            ]
    return found


def route_of(sent: Sent) -> Route | None:
    return next((route for route in ROUTES if (route.method, _path(route)) == (sent.method, sent.path)), None)


def fields_of(type_: Any) -> set[str]:
    return set(type_.__struct_fields__)


def _path(route: Route) -> str:
    return route.path.replace(":str}", "}")


@pytest.mark.parametrize(("resource", "method"), methods())
async def test_a_call_of_the_client_is_one_of_the_table(resource: str, method: str) -> None:
    """Its path is served; each field it sends is taken; it repeats under a key just what the route keys."""
    sent = await sent_by(resource, method)
    route = route_of(sent)
    assert route is not None, f"{sent.method} {sent.path} is not served"
    assert (sent.repeat is Repeat.KEYED) == route.keyed
    if route.body is not Nothing:
        assert set(sent.body) <= fields_of(route.body), f"{route.operation} takes other fields"
    if sent.query:
        assert sent.query <= fields_of(route.query)
    view = _view(sent.view)
    answer = next((a for a in route.answers.values() if a is not None), None)
    if view in (None, type(None), bytes, EventPage) or answer is None:
        return  # bytes as they come; EventPage is read by hand, and tested as such
    if "data" in answer.__struct_fields__ and "data" not in getattr(view, "__struct_fields__", ()):
        answer = typing.get_args(msgspec.inspect.type_info(answer) and typing.get_type_hints(answer)["data"])[
            0
        ]
    required = {f.name for f in msgspec.structs.fields(view) if f.required}
    given = {f.encode_name for f in msgspec.structs.fields(answer)}
    assert required <= given, f"{view.__name__} asks for what {answer.__name__} does not have"


def _view(hint: Any) -> Any:
    """The view of a method's return type: of an object, a list or a listing."""
    arguments = typing.get_args(hint)
    return arguments[0] if arguments else hint


async def test_every_route_has_its_call() -> None:
    """And every field of its body an argument."""
    sent = [await sent_by(resource, method) for resource, method in methods()]
    missing = [
        route.operation
        for route in ROUTES
        if route.operation not in WITHOUT_CLIENT and not any(route_of(one) is route for one in sent)
    ]
    assert missing == []
    for route in ROUTES:
        calls = [one for one in sent if route_of(one) is route]
        if route.body is not Nothing and calls:
            known = set().union(*(one.body for one in calls))
            lacking = fields_of(route.body) - known
            assert not lacking, f"{calls[0].name} cannot send {sorted(lacking)}"


def test_the_version_is_the_one_that_is_served() -> None:
    assert VERSION == SERVED_VERSION
