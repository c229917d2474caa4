"""Pay codes: what a person's phone shows and a till scans."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from wufeng.payments.pay.model import Funding, Presented


class OnlineCode(Struct, frozen=True):
    """A code that this installation made: nothing in it says whose it is."""

    digits: str

    def __repr__(self) -> str:
        return "OnlineCode(…)"


class OfflineCode(Struct, frozen=True):
    """A code that a phone made by itself: the handle of its enrolment, and a one-time password of this minute."""

    handle: str
    password: str

    def __repr__(self) -> str:
        return "OfflineCode(…)"


class Handle(Struct, frozen=True):
    """An enrolment as it is found by its handle. `secret` is sealed; `tries`: wrong ones since the last right one."""

    person_id: UUID
    device_id: UUID
    secret: bytes
    tries: int

    def __repr__(self) -> str:
        return f"Handle({self.device_id})"


class Made(Struct, frozen=True):
    """A code that this installation made, as it is found by its digits."""

    person_id: UUID
    device_id: UUID
    created_at: datetime
    expires_at: datetime


class Standing(Struct, frozen=True):
    """A device as its person's bucket knows it, and one code of it.

    handle_name  of its enrolment for codes without a connection; None: it has none
    stopped_at   codes made until then are dead
    is_live      its person is active, and signed in on it
    is_used      the code has paid already
    """

    person_id: UUID
    handle_name: UUID | None
    stopped_at: datetime | None
    funding: Funding
    is_live: bool
    is_used: bool


class Resolved(Struct, frozen=True):
    """Whose code it is and what it pays with."""

    payer_id: UUID
    funding: Funding
    presented: Presented


class Enrolled(Struct, frozen=True, kw_only=True):
    """What a phone needs to make codes by itself. It is told once.

    secret  base 32, as one-time password programs take it
    """

    handle: str
    secret: str
    step_seconds: int
    digits: int
    algorithm: Literal["SHA256"] = "SHA256"

    def __repr__(self) -> str:
        return "Enrolled(…)"


class Issued(Struct, frozen=True):
    """A code just made, and the enrolment if one was asked for."""

    id: UUID
    code: str
    funding: Funding
    created_at: datetime
    expires_at: datetime
    offline: Enrolled | None

    def __repr__(self) -> str:
        return f"Issued({self.id})"


class Choice(Struct, frozen=True):
    """What a device's codes pay with, and whether it makes them without a connection too."""

    funding: Funding
    handle_name: UUID | None
