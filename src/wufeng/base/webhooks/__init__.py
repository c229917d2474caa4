"""Webhooks: events in their public form, the list of them, and their deliveries to whoever asked (Standard
Webhooks)."""

from wufeng.base.webhooks.commands import (
    NewEndpoint,
    create_endpoint,
    delete_endpoint,
    forget_deliveries,
    resend,
)
from wufeng.base.webhooks.feed import LIMIT_MAX, Feed, list_events
from wufeng.base.webhooks.follower import deliveries_follower
from wufeng.base.webhooks.model import Audience, Endpoint, Expand, PublicEvent
from wufeng.base.webhooks.outbound import Outbound, Reach
from wufeng.base.webhooks.queries import (
    DeliveryList,
    DeliveryView,
    EndpointList,
    EndpointView,
    delivery_view,
    endpoint_view,
    list_deliveries,
    list_endpoints,
)
from wufeng.base.webhooks.rules import public_form
from wufeng.base.webhooks.seal import SecretSeal, new_secret
from wufeng.base.webhooks.sender import Sender, SenderSettings, signed_headers

__all__ = [
    "LIMIT_MAX",
    "Audience",
    "DeliveryList",
    "DeliveryView",
    "Endpoint",
    "EndpointList",
    "EndpointView",
    "Expand",
    "Feed",
    "NewEndpoint",
    "Outbound",
    "PublicEvent",
    "Reach",
    "SecretSeal",
    "Sender",
    "SenderSettings",
    "create_endpoint",
    "delete_endpoint",
    "deliveries_follower",
    "delivery_view",
    "endpoint_view",
    "forget_deliveries",
    "list_deliveries",
    "list_endpoints",
    "list_events",
    "new_secret",
    "public_form",
    "resend",
    "signed_headers",
]
