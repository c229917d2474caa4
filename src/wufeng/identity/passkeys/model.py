"""What is kept about passkeys, and about what they are asked to sign."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from msgspec import Struct

CHALLENGE_LASTS = timedelta(minutes=5)
PASSKEYS_MAX = 20
ANSWER_MAX = 8_192
"""The longest answer of an authenticator that is read; an attested RSA key has about 2,000 characters."""


class RelyingParty(Struct, frozen=True):
    """Whom a passkey is for: the host that browsers bind it to, and the origin of the pages that may ask for it."""

    id: str
    origin: str


class PasskeyStatus(StrEnum):
    """Whether a passkey proves anything."""

    ACTIVE = "active"  # -> suspended, deleted
    SUSPENDED = "suspended"  # -> deleted   its counter went back: there may be a copy of it
    DELETED = "deleted"  # end


class Passkey(Struct, frozen=True, kw_only=True):
    """A passkey. Nothing in it is secret.

    sign_count  what its authenticator last counted; 0 for those that do not count
    device_id   the device that alone holds it, and with which it ends; None: it is synced, or a key of its own
    """

    id: UUID
    person_id: UUID
    credential_id: bytes
    public_key: bytes
    sign_count: int
    name: str
    device_id: UUID | None
    status: PasskeyStatus
    created_at: datetime
    used_at: datetime | None


class ChallengePurpose(StrEnum):
    """What a challenge is for; the answer to one purpose proves nothing for another."""

    REGISTER = "register"
    SIGN_IN = "sign_in"  # also raises the level of a live session
    CONFIRM = "confirm"  # of one request, by its digest


class Ask(Struct, frozen=True):
    """What a passkey's answer is to prove.

    person_id  whose passkey has to answer; None: whoever signs in
    digest     of the request that is confirmed
    """

    purpose: ChallengePurpose
    person_id: UUID | None = None
    digest: bytes | None = None


class Assertion(Struct, frozen=True, kw_only=True):
    """The answer of a passkey, read and not yet believed. `text` is all of it, as it came."""

    credential_id: bytes
    handle: bytes | None
    challenge: bytes
    text: str

    def __repr__(self) -> str:
        return "Assertion(…)"


class Registered(Struct, frozen=True, kw_only=True):
    """What an authenticator says of the passkey that it has made, checked. `is_bound`: to the device that holds it."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    is_bound: bool


class ChallengeView(Struct, frozen=True, kw_only=True):
    """What a passkey is asked to sign.

    options  for navigator.credentials: PublicKeyCredentialCreationOptionsJSON to register,
             PublicKeyCredentialRequestOptionsJSON else
    """

    id: str
    object: Literal["passkey_challenge"] = "passkey_challenge"
    purpose: ChallengePurpose
    options: dict[str, Any]
    created_at: datetime
    expires_at: datetime


class PasskeyView(Struct, frozen=True, kw_only=True):
    """A passkey as its person sees it. `device`: the one that alone holds it."""

    id: str
    object: Literal["passkey"] = "passkey"
    name: str
    status: PasskeyStatus
    device: str | None
    created_at: datetime
    used_at: datetime | None
