"""What a sign-in by a provider is made of."""

from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

LASTS = timedelta(minutes=10)
"""How long somebody may take at the provider."""

LEEWAY = timedelta(seconds=60)
"""How far the provider's clock may be from ours."""


class Refused(StrEnum):
    """Why a sign-in came to nothing: for logs and tests; a visitor is told less."""

    NOT_BEGUN = "not_begun"  # no sign-in is under way in this browser, or not this one
    TOO_LATE = "too_late"
    CAME_TWICE = "came_twice"
    ANOTHER_ISSUER = "another_issuer"
    AT_PROVIDER = "at_provider"  # it said no, or the person did
    NO_ANSWER = "no_answer"  # it cannot be reached, or what it says is no answer
    BAD_TOKEN = "bad_token"  # the signature, or how it is made  # noqa: S105
    BAD_CLAIMS = "bad_claims"
    UNKNOWN_PERSON = "unknown_person"
    NO_PHONE = "no_phone"  # a person to be made, without a phone that the provider has verified


class SignIn(Struct, frozen=True, array_like=True):
    """A sign-in that is under way.

    id        names it; `state` is its other half, which goes through the provider and must come back to this browser
    nonce     must stand in the identity token; verifier: PKCE's (RFC 7636)
    onward    the local path that the person was going to
    """

    id: UUID
    book_id: int
    state: str
    nonce: str
    verifier: str
    onward: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"SignIn({self.id})"


class Metadata(Struct, frozen=True):
    """Of the provider's discovery document, what is used (OpenID Connect Discovery 1.0, section 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    id_token_signing_alg_values_supported: tuple[str, ...] = ("RS256",)
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False


class Identity(Struct, frozen=True):
    """Whom a provider has vouched for. `phone` only when it says that it has verified it."""

    external_id: str
    phone: str | None
    name: str | None

    def __repr__(self) -> str:
        return "Identity(…)"


class Browser(Struct, frozen=True):
    """What a session is opened on: what the person knows it by, and what it was given when it was new."""

    name: str
    proof: str | None

    def __repr__(self) -> str:
        return f"Browser({self.name})"


class Back(Struct, frozen=True):
    """What a provider sends back by the browser."""

    state: str
    code: str
    error: str
    issuer: str

    def __repr__(self) -> str:
        return "Back(…)"
