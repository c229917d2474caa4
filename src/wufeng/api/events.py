"""Events: the list of them, the addresses they are sent to, and what became of each sending."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct

from wufeng.api.bodies import Limit, ListQuery
from wufeng.api.routing import Call, Nothing, Route, reply
from wufeng.base import webhooks
from wufeng.base.claims import Answer
from wufeng.base.errors import invalid_field
from wufeng.base.ids import Prefix, decode
from wufeng.base.webhooks import DeliveryList, DeliveryView, EndpointList, EndpointView, NewEndpoint

TYPES_TEXT_MAX = 1_000


class EventView(Struct, frozen=True, kw_only=True):
    """One event, in the very bytes that a webhook sends. `data` is the object as it was, with its business date."""

    id: str
    object: Literal["event"] = "event"
    type: str
    timestamp: datetime
    data: dict[str, Any]


class EventList(Struct, frozen=True, kw_only=True):
    """A page of events. `next` is the cursor after it, also when there is no more yet: ask again with it later."""

    data: list[EventView]
    next: str
    has_more: bool


class EventsQuery(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which events.

    after  the `next` of another page; `latest`: only what comes from now on; absent: from the first event
    types  event types with commas between them; absent: all
    """

    after: (
        Annotated[str, Meta(max_length=8_000, description="the `next` of another page, or `latest`")] | None
    ) = None
    types: (
        Annotated[
            str,
            Meta(max_length=TYPES_TEXT_MAX, description="with commas between them", examples=["order.paid"]),
        ]
        | None
    ) = None
    limit: Limit = 100


async def list_events(call: Call[Nothing, EventsQuery]) -> Answer:
    """The caller's events after a cursor."""
    query, services = call.query, call.services
    types = frozenset(query.types.split(",")) if query.types is not None else frozenset()
    for name in sorted(types - services.event_types):
        raise invalid_field("types", f"There is no event type {name[:60]!r}.")
    async with services.database.read() as db:
        feed = await webhooks.list_events(
            db, call.book, _owner(call), services.expand, after=query.after, types=types, limit=query.limit
        )
    return Answer(200, feed.body())


async def create_endpoint(call: Call[NewEndpoint, Nothing]) -> Answer:
    """Name an address; the answer alone holds the secret that its messages are signed with."""
    services = call.services
    async with services.database.transaction() as db:
        endpoint, secret = await webhooks.create_endpoint(
            db,
            call.book,
            _owner(call),
            call.body,
            known_types=services.event_types,
            reach=services.reach,
            seal=services.seal,
            ids=services.ids,
            at=call.at,
        )
    return reply(webhooks.endpoint_view(endpoint, secret), 201, endpoint.id)


async def list_endpoints(call: Call[Nothing, Nothing]) -> Answer:
    """The caller's addresses."""
    async with call.services.database.read() as db:
        return reply(await webhooks.list_endpoints(db, call.book, _owner(call)))


async def delete_endpoint(call: Call[Nothing, Nothing]) -> Answer:
    """Send nothing there any more; what waits is given up."""
    endpoint_id = call.path_id(Prefix.WEBHOOK_ENDPOINT, "webhook endpoint")
    async with call.services.database.transaction() as db:
        deleted = await webhooks.delete_endpoint(db, call.book, _owner(call), endpoint_id)
    return reply(webhooks.endpoint_view(deleted))


async def list_deliveries(call: Call[Nothing, ListQuery]) -> Answer:
    """What was sent to an address, the latest first, with each attempt."""
    endpoint_id = call.path_id(Prefix.WEBHOOK_ENDPOINT, "webhook endpoint")
    after = call.query.starting_after
    try:
        starting_after = None if after is None else decode(Prefix.DELIVERY, after)
    except ValueError:
        raise invalid_field("starting_after", "It names no delivery of this list.") from None
    async with call.services.database.read() as db:
        page = await webhooks.list_deliveries(
            db, call.book, _owner(call), endpoint_id, limit=call.query.limit, starting_after=starting_after
        )
    return reply(page)


async def resend(call: Call[Nothing, Nothing]) -> Answer:
    """Send an ended delivery again. Its times are the machine's, as all of a sending's are."""
    delivery_id = call.path_id(Prefix.DELIVERY, "delivery")
    services = call.services
    async with services.database.transaction() as db:
        delivery = await webhooks.resend(db, call.book, _owner(call), delivery_id, services.clock.now())
        return reply(await webhooks.delivery_view(db, delivery))


def _owner(call: Call[Any, Any]) -> UUID | None:
    """The merchant whose events and addresses they are; None: the platform."""
    return call.caller.merchant_id


ROUTES = (
    Route(
        method="GET",
        path="/v1/events",
        operation="list_events",
        summary="What happened, after a cursor",
        handle=list_events,
        query=EventsQuery,
        answers={200: EventList},
    ),
    Route(
        method="POST",
        path="/v1/webhook_endpoints",
        operation="create_webhook_endpoint",
        summary="Have events sent to an address",
        handle=create_endpoint,
        body=NewEndpoint,
        answers={201: EndpointView},
    ),
    Route(
        method="GET",
        path="/v1/webhook_endpoints",
        operation="list_webhook_endpoints",
        summary="Addresses that events are sent to",
        handle=list_endpoints,
        answers={200: EndpointList},
    ),
    Route(
        method="DELETE",
        path="/v1/webhook_endpoints/{id}",
        operation="delete_webhook_endpoint",
        summary="Send nothing there any more",
        handle=delete_endpoint,
        answers={200: EndpointView},
    ),
    Route(
        method="GET",
        path="/v1/webhook_endpoints/{id}/deliveries",
        operation="list_deliveries",
        summary="What was sent to an address, the latest first",
        handle=list_deliveries,
        query=ListQuery,
        answers={200: DeliveryList},
    ),
    Route(
        method="POST",
        path="/v1/deliveries/{id}/resend",
        operation="resend_delivery",
        summary="Send an ended delivery again",
        handle=resend,
        answers={200: DeliveryView},
    ),
)
