"""Shipments: what is on its way to a person who has not said that it came."""

from datetime import date
from uuid import UUID

from msgspec import Struct


class Shipment(Struct, frozen=True):
    """A shipped order that waits for its receipt, homed with the order; from `confirm_on` on it counts as received."""

    order_id: UUID
    payer_id: UUID
    confirm_on: date
