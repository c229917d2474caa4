"""The test provider as an ASGI application: discovery, keys, a login page of its own, codes and identity tokens.

Source: OpenID Connect Core 1.0, Discovery 1.0; RFC 7636 (PKCE, S256 alone); RFC 9207 (it names itself in its answer).
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from html import escape
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

import msgspec
from joserfc import jwt
from joserfc.jwk import ECKey

from wufeng.lab.openid_provider.model import ACCOUNTS, Account, Grant

ALGORITHM = "ES256"
CODE_LASTS_S = 60
TOKEN_LASTS_S = 300

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Test provider</title><link rel="icon" href="data:,"><link rel="stylesheet" href="style.css"></head>
<body><main><h1>Test provider</h1><p>Nobody proves anything here: choose whom you want to be at <b>{client}</b>.</p>
<form method="post" action="authorize"><input type="hidden" name="request" value="{request}">
{accounts}<button class="no" name="sub" value="">Do not sign in</button></form></main></body></html>
"""
_STYLE = b"""body{font:16px/1.5 system-ui,sans-serif;margin:0;background:#f3f0ff;color:#221a44}
main{max-width:26rem;margin:3rem auto;padding:0 1rem}form{display:grid;gap:.75rem}
button{font:inherit;text-align:left;padding:.8rem 1rem;border:1px solid #b9aef0;border-radius:.5rem;background:#fff}
button span{display:block;color:#544a80;font-size:.875rem}.no{background:none;border:0;text-align:center}
button:focus-visible{outline:3px solid #5b3df5}
@media(prefers-color-scheme:dark){body{background:#171229;color:#efeaff}button{background:#241c40;color:inherit}
button span{color:#bdb2ea}}
"""

Fields = Mapping[str, str]


class TestProvider:
    """One provider with one client.

    issuer     its own address, without a slash at its end
    now_s      seconds since 1970; a token is made and ends by it
    client_id  redirects: where its client may be sent back to; secret: None for a public client
    """

    __test__ = False  # pytest: this is no test

    def __init__(
        self,
        issuer: str,
        client_id: str,
        redirects: frozenset[str],
        secret: str | None,
        now_s: Callable[[], float],
    ) -> None:
        self.issuer = issuer
        self.client_id = client_id
        self.redirects = redirects
        self.secret = secret
        self.now_s = now_s
        self.grants: dict[str, Grant] = {}
        self.key = new_key()

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        path = scope["path"].rpartition("/")[2]
        asked = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        match scope["method"], path:
            case "GET", "openid-configuration":
                await _say(send, 200, self.metadata())
            case "GET", "keys":
                await _say(send, 200, {"keys": [self.key.as_dict(private=False)]})
            case "GET", "authorize":
                await self._ask_who(send, asked)
            case "GET", "style.css":
                await _send(send, 200, _STYLE, "text/css; charset=utf-8")
            case "POST", "authorize":
                await self._send_back(send, await _form(receive))
            case "POST", "token":
                await self._redeem(send, dict(scope["headers"]), await _form(receive))
            case _:
                await _say(send, 404, {"error": "not_found"})

    def metadata(self) -> dict[str, object]:
        """The discovery document."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "none"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }

    def claims(self, grant: Grant) -> dict[str, Any]:
        """What an identity token says of an account."""
        made_s = int(self.now_s())
        return {
            "iss": self.issuer,
            "sub": grant.account.sub,
            "aud": grant.client_id,
            "iat": made_s,
            "exp": made_s + TOKEN_LASTS_S,
            "nonce": grant.nonce,
            "name": grant.account.name,
            "phone_number": grant.account.phone,
            "phone_number_verified": grant.account.phone_verified,
        }

    def token(self, grant: Grant) -> str:
        """The identity token of a grant."""
        return jwt.encode(
            {"alg": ALGORITHM, "kid": self.key.kid}, self.claims(grant), self.key, algorithms=[ALGORITHM]
        )

    def grant(self, account: Account, asked: Fields) -> str:
        """A code for an account, as a request asked for it."""
        code = secrets.token_urlsafe(24)
        self.grants[code] = Grant(
            account,
            asked["client_id"],
            asked["redirect_uri"],
            asked.get("nonce"),
            asked["code_challenge"],
            self.now_s() + CODE_LASTS_S,
        )
        return code

    def complaint(self, asked: Fields) -> str | None:
        """Why a request cannot be served; then nobody is sent anywhere."""
        if asked.get("client_id") != self.client_id:
            return "unknown client_id"
        if asked.get("redirect_uri") not in self.redirects:
            return "redirect_uri is not registered"
        if asked.get("response_type") != "code" or "openid" not in asked.get("scope", "").split():
            return "response_type must be code, and scope must name openid"
        if asked.get("code_challenge_method") != "S256" or not asked.get("code_challenge"):
            return "PKCE by S256 is required"
        return None

    async def _ask_who(self, send: Any, asked: Fields) -> None:
        if (complaint := self.complaint(asked)) is not None:
            await _say(send, 400, {"error": "invalid_request", "error_description": complaint})
            return
        accounts = "".join(
            f'<button name="sub" value="{escape(one.sub)}">{escape(one.name)}<span>{escape(one.sub)} · '
            f"{escape(one.phone)}{'' if one.phone_verified else ', not verified'}</span></button>\n"
            for one in ACCOUNTS.values()
        )
        request = escape(urlencode(asked))
        page = _PAGE.format(client=escape(self.client_id), request=request, accounts=accounts)
        await _send(send, 200, page.encode(), "text/html; charset=utf-8")

    async def _send_back(self, send: Any, form: Fields) -> None:
        asked = dict(parse_qsl(form.get("request", "")))
        if (complaint := self.complaint(asked)) is not None:
            await _say(send, 400, {"error": "invalid_request", "error_description": complaint})
            return
        told = {"state": asked.get("state", ""), "iss": self.issuer}
        account = ACCOUNTS.get(form.get("sub", ""))
        told |= {"code": self.grant(account, asked)} if account else {"error": "access_denied"}
        await _send(send, 303, b"", "text/plain", (f"{asked['redirect_uri']}?{urlencode(told)}",))

    async def _redeem(self, send: Any, headers: Mapping[bytes, bytes], form: Fields) -> None:
        if not self._is_client(headers, form):
            await _say(send, 401, {"error": "invalid_client"})
            return
        grant = self.grants.pop(form.get("code", ""), None)
        if grant is None or not _fits(grant, form, self.now_s()):
            await _say(send, 400, {"error": "invalid_grant"})
            return
        await _say(
            send,
            200,
            {
                "access_token": secrets.token_urlsafe(24),
                "token_type": "Bearer",
                "expires_in": TOKEN_LASTS_S,
                "id_token": self.token(grant),
            },
        )

    def _is_client(self, headers: Mapping[bytes, bytes], form: Fields) -> bool:
        if self.secret is None:
            return form.get("client_id") == self.client_id
        kind, _, pair = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        if kind != "Basic":
            return False
        id_, _, secret = base64.b64decode(pair).decode().partition(":")
        return unquote(id_) == self.client_id and unquote(secret) == self.secret


def new_key() -> ECKey:
    """A fresh pair to sign with, named by its own thumbprint."""
    key = ECKey.generate_key("P-256", {"use": "sig", "alg": ALGORITHM}, private=True)
    key.ensure_kid()
    return key


def _fits(grant: Grant, form: Fields, now_s: float) -> bool:
    digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    same = form.get("redirect_uri") == grant.redirect_uri and form.get("grant_type") == "authorization_code"
    return same and now_s < grant.expires_at_s and hmac.compare_digest(challenge, grant.challenge)


async def _form(receive: Any) -> Fields:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return dict(parse_qsl(body.decode("latin-1")))


async def _say(send: Any, status: int, told: Mapping[str, object]) -> None:
    await _send(send, status, msgspec.json.encode(told), "application/json")


async def _send(send: Any, status: int, body: bytes, kind: str, location: tuple[str, ...] = ()) -> None:
    headers = [(b"content-type", kind.encode()), (b"cache-control", b"no-store")]
    headers += [(b"location", url.encode()) for url in location]
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
