"""A provider as it is called: its discovery document, its keys, and the exchange of a code for an identity token.

Only what the configured issuer names is called; no redirect is followed, no proxy and no cookie is used.
"""

import asyncio
import base64
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from ssl import SSLContext
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import msgspec
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry
from msgspec import Struct

from wufeng.base.books import Book
from wufeng.base.clock import Clock
from wufeng.base.config import OpenIdSetting, Settings
from wufeng.base.errors import ConfigurationError, WufengError
from wufeng.identity.openid import rules
from wufeng.identity.openid.model import Metadata, Refused

T = TypeVar("T")

FRESH_FOR = timedelta(hours=1)
ANSWER_MAX_BYTES = 256 * 1024
ANSWERS_WITHIN_S = 5.0


class NotSignedIn(WufengError):
    """A sign-in that came to nothing. `refused` is for logs; who has no account has not done anything wrong."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.value)
        self.refused = refused


class _Answer(Struct, frozen=True):
    """What a token endpoint says, as far as it matters here."""

    id_token: str

    def __repr__(self) -> str:
        return "_Answer(…)"


class _Keys(Struct, frozen=True):
    """A key set as it comes (RFC 7517, section 5)."""

    keys: list[dict[str, Any]]


class _Known(Struct, frozen=True):
    """What was learnt of a provider, and when."""

    metadata: Metadata
    keys: KeySet
    at: datetime


class Provider:
    """One book's provider. What it says of itself is kept for an hour; an unknown key is asked for at once."""

    def __init__(
        self,
        setting: OpenIdSetting,
        secret: str | None,
        clock: Clock,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.setting = setting
        self._secret = secret
        self._clock = clock
        self._transport = transport
        self._known: _Known | None = None
        self._learning = asyncio.Lock()

    def __repr__(self) -> str:
        return f"Provider({self.setting.issuer})"

    async def metadata(self) -> Metadata:
        """Its discovery document. Raises NotSignedIn when it does not answer, or for another issuer."""
        return (await self._learnt()).metadata

    async def redeem(self, code: str, verifier: str) -> str:
        """Exchange a code for an identity token, not yet believed. Raises NotSignedIn."""
        metadata = await self.metadata()
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.setting.callback_url,
            "client_id": self.setting.client_id,
            "code_verifier": verifier,
        }
        headers: dict[str, str] = {}
        if self._secret is not None:
            if "client_secret_basic" in metadata.token_endpoint_auth_methods_supported:
                headers["authorization"] = _basic(self.setting.client_id, self._secret)
            else:
                fields["client_secret"] = self._secret
        return (await self._ask("POST", metadata.token_endpoint, _Answer, headers, fields)).id_token

    async def claims(self, token: str) -> Mapping[str, Any]:
        """The claims of an identity token whose signature is the provider's. Raises NotSignedIn for any other."""
        known = await self._learnt()
        try:
            return _verified(token, known)
        except InvalidKeyIdError:
            self._known = None
            return _verified(token, await self._learnt(), last=True)

    async def _learnt(self) -> _Known:
        async with self._learning:
            now = self._clock.now()
            if self._known is None or now >= self._known.at + FRESH_FOR:
                metadata = await self._discover()
                keys = _key_set(await self._ask("GET", metadata.jwks_uri, _Keys))
                self._known = _Known(metadata, keys, now)
            return self._known

    async def _discover(self) -> Metadata:
        url = f"{self.setting.issuer.rstrip('/')}/.well-known/openid-configuration"
        metadata = await self._ask("GET", url, Metadata)
        if (refused := rules.refuse_metadata(self.setting, metadata)) is not None:
            raise NotSignedIn(refused)
        return metadata

    async def _ask(
        self,
        method: str,
        url: str,
        answer: type[T],
        headers: Mapping[str, str] = {},
        fields: Mapping[str, str] | None = None,
    ) -> T:
        try:
            async with (
                asyncio.timeout(ANSWERS_WITHIN_S),
                httpx.AsyncClient(
                    transport=self._transport, verify=_trust(), trust_env=False, timeout=ANSWERS_WITHIN_S
                ) as http,
                http.stream(
                    method, url, headers={"accept": "application/json", **headers}, data=fields
                ) as said,
            ):
                body = await _read(said)
            return msgspec.json.decode(body, type=answer)
        except (httpx.HTTPError, httpx.InvalidURL, msgspec.DecodeError, OSError) as error:
            raise NotSignedIn(Refused.NO_ANSWER) from error


class Providers:
    """The providers of an installation, one a book at most."""

    def __init__(
        self, settings: Settings, clock: Clock, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._by_book = {
            book: Provider(setting, _secret_of(settings, setting), clock, transport)
            for book, setting in settings.openid.items()
        }

    def of(self, book: Book) -> Provider | None:
        """The provider that signs a book's people in; None: none does."""
        return self._by_book.get(book.name)


def _secret_of(settings: Settings, setting: OpenIdSetting) -> str | None:
    """The client's secret from its file. Raises ConfigurationError when others can read it, or nobody can."""
    if setting.client_secret_file is None:
        return None
    path = settings.data_dir / Path(setting.client_secret_file)
    try:
        mode, text = path.stat().st_mode & 0o777, path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"openid: {path} cannot be read: {error}") from None
    if mode & 0o077:
        raise ConfigurationError(f"{path} is open to others (mode {mode:04o}): run `chmod 600 '{path}'`")
    if not text:
        raise ConfigurationError(f"openid: {path} is empty")
    return text


def _verified(token: str, known: _Known, *, last: bool = False) -> Mapping[str, Any]:
    """The claims of a token. `last`: an unknown key is no reason to look once more."""
    algorithms = rules.usable_algorithms(known.metadata)
    if not algorithms:  # an empty list would allow joserfc's own choice, which has HS256 in it
        raise NotSignedIn(Refused.BAD_TOKEN)
    registry = JWSRegistry(algorithms=algorithms, strict_check_header=False)
    try:
        return jwt.decode(token, known.keys, algorithms=algorithms, registry=registry).claims
    except InvalidKeyIdError:
        if last:
            raise NotSignedIn(Refused.BAD_TOKEN) from None
        raise
    except (JoseError, ValueError) as error:
        raise NotSignedIn(Refused.BAD_TOKEN) from error


def _key_set(found: _Keys) -> KeySet:
    """The provider's public keys; what is no signing key of a pair is left out."""
    try:
        usable = [key for key in found.keys if key.get("kty") != "oct" and key.get("use", "sig") == "sig"]
        return KeySet.import_key_set({"keys": usable})
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise NotSignedIn(Refused.NO_ANSWER) from error


async def _read(said: httpx.Response) -> bytes:
    if said.status_code != 200:
        raise NotSignedIn(Refused.AT_PROVIDER if said.status_code < 500 else Refused.NO_ANSWER)
    body = b""
    async for piece in said.aiter_bytes():
        body += piece
        if len(body) > ANSWER_MAX_BYTES:
            raise NotSignedIn(Refused.NO_ANSWER)
    return body


def _basic(client_id: str, secret: str) -> str:
    """A client's own credential, each half encoded first (RFC 6749, section 2.3.1)."""
    pair = f"{quote(client_id, safe='')}:{quote(secret, safe='')}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


@cache
def _trust() -> SSLContext:
    return httpx.create_ssl_context(trust_env=False)
