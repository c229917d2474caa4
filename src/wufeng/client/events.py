"""Events: the feed, the addresses that events are sent to, and whether a message that came is ours."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Raw, Struct
from standardwebhooks import Webhook, WebhookVerificationError

from wufeng.base.errors import WufengError
from wufeng.client.resource import Listing, Resource, at, given
from wufeng.client.transport import Repeat

LATEST = "latest"
"""The cursor of this moment: only what comes from now on."""


class Event(Struct, frozen=True, kw_only=True):
    """One event. `raw` is the very bytes that were signed and that the feed holds."""

    id: str
    type: str
    timestamp: datetime
    data: dict[str, Any]
    raw: bytes = b""


class EventPage(Struct, frozen=True):
    """Some events, and the cursor behind them: whoever keeps it goes on from there."""

    events: list[Event]
    next: str
    has_more: bool


class WebhookEndpoint(Struct, frozen=True, kw_only=True):
    """An address that events are sent to. `secret` is there only when it was just made."""

    id: str
    created_at: datetime
    url: str
    types: list[str]
    status: str
    secret: str | None = None


class DeliveryAttempt(Struct, frozen=True, kw_only=True):
    """One sending: the receiver's status, or why there is none."""

    number: int
    at: datetime
    took_ms: int
    response_status: int | None = None
    failure: str | None = None


class Delivery(Struct, frozen=True, kw_only=True):
    """One event on its way to one address."""

    id: str
    created_at: datetime
    webhook_endpoint: str
    event: str
    type: str
    status: str
    next_attempt_at: datetime | None = None
    attempts: list[DeliveryAttempt] = []


class _Feed(Struct, frozen=True):
    data: list[Raw]
    next: str
    has_more: bool


def read_event(raw: bytes) -> Event:
    """An event from its bytes."""
    return msgspec.structs.replace(msgspec.json.decode(raw, type=Event), raw=raw)


class Events(Resource):
    """What happened, as far as the caller may know it."""

    async def page(
        self, after: str | None = None, types: Collection[str] = (), limit: int = 100
    ) -> EventPage:
        """The events after a cursor: `next` of another page, `latest`, or None for the first ones."""
        query = given(after=after, types=",".join(sorted(types)) or None, limit=limit)
        feed = await self._get(_Feed, "/v1/events", query)
        return EventPage([read_event(bytes(raw)) for raw in feed.data], feed.next, feed.has_more)

    async def pages(
        self, after: str | None = LATEST, types: Collection[str] = (), poll_s: float = 1.0
    ) -> AsyncIterator[EventPage]:
        """Pages without end, also empty ones; a pause of `poll_s` where there is no more yet."""
        while True:
            page = await self.page(after, types)
            yield page
            after = page.next
            if not page.has_more:
                await asyncio.sleep(poll_s)

    async def follow(
        self, after: str | None = LATEST, types: Collection[str] = (), poll_s: float = 1.0
    ) -> AsyncIterator[Event]:
        """Events without end, in order for each object: `async for event in w.events.follow(): …`."""
        async for page in self.pages(after, types, poll_s):
            for event in page.events:
                yield event


class WebhookEndpoints(Resource):
    """Addresses that events are sent to."""

    async def create(self, url: str, types: Sequence[str] = ()) -> WebhookEndpoint:
        """Have events sent to an address; no types: all. The answer alone holds the secret."""
        return await self._post(WebhookEndpoint, "/v1/webhook_endpoints", {"url": url, "types": list(types)})

    async def list(self) -> list[WebhookEndpoint]:
        """The caller's addresses."""
        return await self._list(WebhookEndpoint, "/v1/webhook_endpoints").all()

    async def delete(self, id_: str) -> WebhookEndpoint:
        """Send nothing there any more."""
        return await self._delete(WebhookEndpoint, f"/v1/webhook_endpoints/{at(id_)}")

    def deliveries(self, id_: str, limit: int | None = None) -> Listing[Delivery]:
        """What was sent there, the latest first."""
        return self._list(Delivery, f"/v1/webhook_endpoints/{at(id_)}/deliveries", given(limit=limit))

    async def resend(self, delivery: str) -> Delivery:
        """Send an ended delivery again; one that waits stays as it is."""
        return await self._post(Delivery, f"/v1/deliveries/{at(delivery)}/resend", {}, Repeat.SAFE)


class NotOurs(WufengError):
    """A message's signature or time is not what the sender of this secret would have sent. Do not read it."""


def verify_webhook(secret: str, headers: Mapping[str, str], body: bytes) -> Event:
    """The event in a message that came by webhook, if it is signed with the secret and at most five minutes old.

    An event may come more than once: `id` tells. Raises NotOurs.
    """
    try:
        Webhook(secret).verify(body, dict(headers), json_parse=False)
    except (WebhookVerificationError, ValueError) as error:  # a ValueError: the signature is not even base 64
        raise NotOurs(str(error)) from None
    return read_event(body)
