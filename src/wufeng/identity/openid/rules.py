"""What is decided about sign-ins by a provider: where to, whether one may go on, and whom a token vouches for."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from wufeng.base.config import OpenIdSetting
from wufeng.identity.openid.model import LEEWAY, Back, Identity, Metadata, Refused, SignIn

ALGORITHMS = ("RS256", "PS256", "ES256", "RS384", "PS384", "ES384", "RS512", "PS512", "ES512", "Ed25519")
"""Signatures that only the provider can make: none without a key, and none by a secret that we hold too (RFC 8725)."""

EXTERNAL_ID_MAX = 64
OLDEST = timedelta(minutes=15)
"""How long ago a token may have been made: it is fetched a moment after."""


def authorization_url(setting: OpenIdSetting, metadata: Metadata, sign_in: SignIn) -> str:
    """Where a browser goes to sign in (OpenID Connect Core 1.0, section 3.1.2.1; RFC 7636)."""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(sign_in.verifier.encode()).digest()).rstrip(b"=")
    asked = urlencode(
        {
            "response_type": "code",
            "client_id": setting.client_id,
            "redirect_uri": setting.callback_url,
            "scope": " ".join(setting.scopes),
            "state": sign_in.state,
            "nonce": sign_in.nonce,
            "code_challenge": challenge.decode(),
            "code_challenge_method": "S256",
        }
    )
    joint = "&" if "?" in metadata.authorization_endpoint else "?"
    return f"{metadata.authorization_endpoint}{joint}{asked}"


def refuse_metadata(setting: OpenIdSetting, metadata: Metadata) -> Refused | None:
    """Whether a discovery document may not be believed: of another issuer, or leading where nobody configured.

    What is called is the issuer's own origin, or an address by https that it names itself.
    """
    if metadata.issuer != setting.issuer:
        return Refused.ANOTHER_ISSUER
    own = _origin(setting.issuer)
    for url in (metadata.authorization_endpoint, metadata.token_endpoint, metadata.jwks_uri):
        if _origin(url) != own and not url.startswith("https://"):
            return Refused.ANOTHER_ISSUER
    return None


def refuse_back(sign_in: SignIn | None, back: Back, setting: OpenIdSetting, at: datetime) -> Refused | None:
    """Whether what came back may not go on: of no sign-in of this browser, late, or of another issuer (RFC 9207)."""
    if sign_in is None or not hmac.compare_digest(sign_in.state.encode(), back.state.encode()):
        return Refused.NOT_BEGUN
    if at >= sign_in.expires_at:
        return Refused.TOO_LATE
    if back.issuer and back.issuer != setting.issuer:
        return Refused.ANOTHER_ISSUER
    if back.error or not back.code:
        return Refused.AT_PROVIDER
    return None


def refuse_silent_issuer(metadata: Metadata, back: Back) -> Refused | None:
    """A provider that promises to name itself in its answer must do so: else another may stand in its place."""
    silent = metadata.authorization_response_iss_parameter_supported and not back.issuer
    return Refused.ANOTHER_ISSUER if silent else None


def usable_algorithms(metadata: Metadata) -> tuple[str, ...]:
    """What a token may be signed with: what the provider says that it uses, of what is safe."""
    return tuple(name for name in ALGORITHMS if name in metadata.id_token_signing_alg_values_supported)


def refuse_claims(
    setting: OpenIdSetting, claims: Mapping[str, Any], nonce: str, at: datetime
) -> Refused | None:
    """Whether an identity token with a good signature is not for us, not of this sign-in or not of now.

    at  by the machine's clock, as the provider's is
    Source: OpenID Connect Core 1.0, section 3.1.3.7.
    """
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    expires, issued = _instant(claims.get("exp")), _instant(claims.get("iat"))
    given = claims.get("nonce")
    fits = (
        claims.get("iss") == setting.issuer
        and setting.client_id in audiences
        and (len(audiences) == 1 or "azp" in claims)
        and claims.get("azp", setting.client_id) == setting.client_id
        and isinstance(given, str)
        and hmac.compare_digest(given.encode(), nonce.encode())
        and expires is not None
        and at < expires + LEEWAY
        and issued is not None
        and at - OLDEST - LEEWAY <= issued <= at + LEEWAY
    )
    return None if fits else Refused.BAD_CLAIMS


def identity_of(setting: OpenIdSetting, claims: Mapping[str, Any]) -> Identity | None:
    """Whom the claims name; None when the claim that names a person is no text that may be an external_id."""
    external_id = claims.get(setting.external_id_claim)
    if not isinstance(external_id, str) or external_id != external_id.strip():
        return None
    if not 1 <= len(external_id) <= EXTERNAL_ID_MAX or not external_id.isprintable():
        return None
    phone, name = claims.get("phone_number"), claims.get("name")
    return Identity(
        external_id,
        phone if isinstance(phone, str) and claims.get("phone_number_verified") is True else None,
        name if isinstance(name, str) and name else None,
    )


def _instant(value: object) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1 << 33:
        return None
    return datetime.fromtimestamp(value, UTC)


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
