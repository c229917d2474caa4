"""What is counted of tries."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct


class TryKind(StrEnum):
    """What is counted, each within a window of its own."""

    CODES_SENT_TO_ADDRESS = "codes_sent_to_address"
    CHALLENGES_TO_ADDRESS = "challenges_to_address"
    CODE_FROM_ADDRESS = "code_from_address"
    PIN_FROM_ADDRESS = "pin_from_address"
    PIN_FROM_DEVICE = "pin_from_device"
    SAME_PIN = "same_pin"  # one PIN over many people, wherever it comes from
    SAME_PIN_FROM_ADDRESS = "same_pin_from_address"
    DOCUMENT_FROM_ADDRESS = "document_from_address"


class TryLimit(Struct, frozen=True, forbid_unknown_fields=True):
    """How many tries a window takes."""

    most: int
    window_s: int


class Counter(Struct, frozen=True):
    """One count that a try adds to. `id` is a keyed hash of what is counted; the row stands in that id's bucket."""

    kind: TryKind
    bucket: int
    id: UUID
    limit: TryLimit


class Taken(Struct, frozen=True):
    """How a count stands after a try: how many within the window, which ends then."""

    taken: int
    ends_at: datetime
