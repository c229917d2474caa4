"""What is kept about devices."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

NAME_MAX = 100


class Device(Struct, frozen=True, kw_only=True):
    """A device that its person has not revoked.

    seen_at     when somebody last signed in on it
    trusted_at  when the person first proved a PIN or a passkey on it; None: held the phone, no more
    """

    id: UUID
    person_id: UUID
    name: str
    created_at: datetime
    seen_at: datetime
    trusted_at: datetime | None


class SignedIn(Struct, frozen=True):
    """The device that somebody signs in on.

    proof  of a device that was not known: what it shows at its next sign-in, given out once
    """

    id: UUID
    name: str
    proof: str | None

    def __repr__(self) -> str:
        return f"SignedIn({self.id})"


class DeviceView(Struct, frozen=True, kw_only=True):
    """A device as its person sees it. `is_current`: the one that asks."""

    id: str
    object: Literal["device"] = "device"
    name: str
    is_current: bool
    created_at: datetime
    seen_at: datetime
    trusted_at: datetime | None
    revoked_at: datetime | None = None
