"""The operator's own people sign in by OpenID Connect: the way there and back, and every way in which it is attacked.

The provider is the test provider in this process; a subclass of it says what a real one never would.
"""

import asyncio
import base64
import hmac
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx
import pytest
from joserfc import jwt
from msgspec.structs import replace

from wufeng.base.config import OpenIdSetting, Settings
from wufeng.base.errors import ConfigurationError
from wufeng.base.ids import Prefix, decode
from wufeng.identity.openid.provider import Providers
from wufeng.identity.people.commands import Registration, register
from wufeng.identity.vault import Private
from wufeng.lab.openid_provider.app import TestProvider, new_key
from wufeng.lab.openid_provider.model import ACCOUNTS, Account, Grant
from wufeng.web import create_web
from wufeng.web.paging import Door

from .conftest import Town
from .visitor import Seen, Visitor

ISSUER = "https://id.operator.example"
CALLBACK = "https://wufeng.test/app/openid/callback"
START = "/app/openid/start"
LIN, UNVERIFIED = "op-1001", "op-1003"
NOT_VERIFIED = "could not be verified"


class Liar(TestProvider):
    """The test provider, whose answers a test may change on their way out."""

    change_claims: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    change_token: Callable[[str], str] | None = None
    change_metadata: Callable[[dict[str, object]], dict[str, object]] | None = None
    silent = False
    asked: list[str]

    def claims(self, grant: Grant) -> dict[str, Any]:
        told = super().claims(grant)
        return self.change_claims(told) if self.change_claims else told

    def token(self, grant: Grant) -> str:
        told = super().token(grant)
        return self.change_token(told) if self.change_token else told

    def metadata(self) -> dict[str, object]:
        told = super().metadata()
        return self.change_metadata(told) if self.change_metadata else told

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.append(scope["path"])
        if self.silent:
            raise httpx.ConnectError("nobody is there")
        await super().__call__(scope, receive, send)


class Desk:
    """A book whose people a provider signs in."""

    def __init__(self, town: Town, **more: Any) -> None:
        services = town.api.app.services
        secret = more.pop("secret", None)
        setting = OpenIdSetting(
            issuer=ISSUER, client_id="wufeng", callback_url=CALLBACK, name="Lowmoon ID", **more
        )
        if secret is not None:
            file = services.settings.data_dir / "provider.secret"
            file.write_text(f"{secret}\n")
            file.chmod(0o600)
            setting = replace(setting, client_secret_file=file.name)
        self.town = town
        self.provider = Liar(
            ISSUER, "wufeng", frozenset({CALLBACK}), secret, lambda: town.api.clock.now().timestamp()
        )
        self.provider.asked = []
        self.settings = replace(services.settings, openid={"test": setting})
        self.restart()

    def restart(self) -> None:
        """The same pages by another process, which has learnt nothing yet."""
        services = replace(self.town.api.app.services, settings=self.settings)
        self.site = create_web(services, self.town.api.app.api(), httpx.ASGITransport(self.provider))

    def visitor(self, language: str = "en") -> Visitor:
        return Visitor(self.site, language, wufeng_book="test")

    async def leave(self, visitor: Visitor, onward: str = "/app/credit") -> dict[str, str]:
        """Begin, and be sent to the provider: what it is asked."""
        seen = await visitor.get(f"{START}?{urlencode({'next': onward})}")
        assert seen.status == 303 and seen.location.startswith(f"{ISSUER}/authorize?"), seen.text
        return dict(parse_qsl(urlsplit(seen.location).query))

    async def choose(self, asked: dict[str, str], sub: str = LIN) -> str:
        """Choose an account there: the address on which one comes back."""
        transport = httpx.ASGITransport(self.provider)
        async with httpx.AsyncClient(transport=transport, base_url=ISSUER) as there:
            page = await there.get("/authorize", params=asked)
            assert page.status_code == 200 and "Nobody proves anything" in page.text, page.text
            sent = await there.post("/authorize", data={"request": urlencode(asked), "sub": sub})
        assert sent.status_code == 303, sent.text
        parts = urlsplit(sent.headers["location"])
        return f"{parts.path}?{parts.query}"

    async def sign_in(self, visitor: Visitor, sub: str = LIN, onward: str = "/app/credit") -> Seen:
        return await visitor.get(await self.choose(await self.leave(visitor, onward), sub))

    async def known(self, account: Account = ACCOUNTS[LIN], external_id: str = LIN) -> str:
        """A person whom the operator has made."""
        services, book = self.town.api.app.services, self.town.api.book
        registration = Registration(phone=Private(account.phone), external_id=Private(external_id))
        at = book.at(services.clock)
        answer = await register(services.lanes, services.vault, book, registration, at)
        made: str = json.loads(answer.body)["id"]
        return made

    async def who(self, visitor: Visitor) -> str:
        """Whose session a browser has."""
        token = visitor.cookies[Door.CONSUMER.cookie]
        caller = await self.town.api.app.services.authenticator.authenticate(f"Bearer {token}")
        return str(caller.person_id)


def refused(seen: Seen, visitor: Visitor, words: str = NOT_VERIFIED) -> None:
    """Nobody is signed in, and the page says so."""
    assert seen.status == 403 and words in seen.text, (seen.status, seen.text)
    assert Door.CONSUMER.cookie not in visitor.cookies


async def test_a_person_of_the_operators_signs_in_and_goes_on(town: Town) -> None:
    desk = Desk(town)
    person = await desk.known()
    visitor = desk.visitor()
    welcome = await visitor.get("/app/sign-in?next=/app/credit")
    assert "Sign in with Lowmoon ID" in welcome.text and f"{START}?next=/app/credit" in welcome.text
    asked = await desk.leave(visitor)
    assert asked["code_challenge_method"] == "S256" and asked["scope"] == "openid profile phone"
    assert len(asked["state"]) >= 43 and len(asked["nonce"]) >= 43 and asked["state"] != asked["nonce"]
    seen = await visitor.get(await desk.choose(asked))
    assert (seen.status, seen.location) == (303, "/app/credit"), seen.text
    assert await desk.who(visitor) == str(decode(Prefix.PERSON, person))
    assert "wufeng_openid" not in visitor.cookies, "the sign-in is over"
    cookie = next(value for name, value in seen.headers if value.startswith(Door.CONSUMER.cookie))
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie
    assert (await visitor.get("/app")).status == 200


async def test_the_same_person_is_found_again_and_learning_is_remembered(town: Town) -> None:
    desk = Desk(town, sign_up=True)
    first, second = desk.visitor(), desk.visitor()
    assert (await desk.sign_in(first)).status == 303
    assert (await desk.sign_in(second)).status == 303
    assert await desk.who(first) == await desk.who(second)
    assert first.cookies[Door.CONSUMER.cookie] != second.cookies[Door.CONSUMER.cookie]
    learnt = [path for path in desk.provider.asked if path.endswith(("openid-configuration", "keys"))]
    assert len(learnt) == 2, "discovery and keys are asked for once an hour"
    town.api.clock.turn_to(town.api.clock.now() + timedelta(hours=1))
    assert (await desk.sign_in(desk.visitor())).status == 303
    assert sum(path.endswith("/keys") for path in desk.provider.asked) == 2


async def test_a_client_with_a_secret_proves_itself(town: Town) -> None:
    desk = Desk(town, secret="k: /ä%")
    await desk.known()
    visitor = desk.visitor()
    assert (await desk.sign_in(visitor)).status == 303
    desk.provider.secret = "another"
    other = desk.visitor()
    refused(await desk.sign_in(other), other, "did not sign you in")


async def test_who_is_unknown_is_made_only_where_the_operator_says_so(town: Town) -> None:
    closed = Desk(town)
    visitor = closed.visitor()
    refused(await closed.sign_in(visitor), visitor, "there is no account for you here")
    opened = Desk(town, sign_up=True)
    visitor = opened.visitor()
    refused(await opened.sign_in(visitor, UNVERIFIED), visitor, "there is no account for you here")
    assert (await opened.sign_in(visitor)).status == 303


async def test_a_phone_is_no_way_into_somebodys_account(town: Town) -> None:
    desk = Desk(town, sign_up=True)
    await desk.known(external_id="somebody-else")
    visitor = desk.visitor()
    refused(await desk.sign_in(visitor), visitor, "there is no account for you here")


async def test_who_is_frozen_stays_out(town: Town) -> None:
    desk = Desk(town)
    person = await desk.known()
    frozen = await town.api.post(f"/v1/people/{person}/freeze", town.api.platform, {"reason": "lost phone"})
    assert frozen.status_code == 200
    visitor = desk.visitor()
    refused(await desk.sign_in(visitor), visitor, "or it is frozen")


async def test_the_claim_that_names_a_person_is_the_operators_choice(town: Town) -> None:
    desk = Desk(town, external_id_claim="employee")
    person = await desk.known(external_id="E-7")
    desk.provider.change_claims = lambda told: told | {"employee": "E-7"}
    visitor = desk.visitor()
    await desk.sign_in(visitor)
    assert await desk.who(visitor) == str(decode(Prefix.PERSON, person))
    for wrong in (7, "", " E-7", "x" * 65, None, ["E-7"], "E\n7"):
        desk.provider.change_claims = lambda told, wrong=wrong: told | {"employee": wrong}
        visitor = desk.visitor()
        refused(await desk.sign_in(visitor), visitor)


# the way back


async def test_a_way_back_that_was_not_begun_here_leads_nowhere(town: Town) -> None:
    """No state, another's, an old one's: a stranger's code would sign the victim in as the stranger."""
    desk = Desk(town)
    await desk.known()
    mine, theirs = desk.visitor(), desk.visitor()
    my_way = await desk.choose(await desk.leave(mine))
    their_way = await desk.choose(await desk.leave(theirs))
    again = "begun in another window"
    nobody = desk.visitor()
    refused(await nobody.get(my_way), nobody, again)
    refused(await theirs.get(my_way), theirs, again)
    no_state = re.sub(r"state=[^&]+&?", "", their_way)
    theirs.cookies["wufeng_openid"] = (await _begun(desk)).cookies["wufeng_openid"]
    refused(await theirs.get(no_state), theirs, again)
    for junk in ("", "x", "AAAA" * 40, base64.urlsafe_b64encode(b"\x01" + b"0" * 60).decode()):
        forged = desk.visitor()
        forged.cookies["wufeng_openid"] = junk
        refused(await forged.get(my_way), forged, again)
    assert (await mine.get(my_way)).status == 303, "what was begun here still ends here"


async def _begun(desk: Desk) -> Visitor:
    visitor = desk.visitor()
    await desk.leave(visitor)
    return visitor


async def test_a_way_back_is_gone_once(town: Town) -> None:
    desk = Desk(town)
    await desk.known()
    visitor = desk.visitor()
    way = await desk.choose(await desk.leave(visitor))
    kept = visitor.cookies["wufeng_openid"]
    assert (await visitor.get(way)).status == 303
    thief = desk.visitor()
    thief.cookies["wufeng_openid"] = kept
    refused(await thief.get(way), thief, "was used already")
    another_code = await desk.choose(dict(parse_qsl(urlsplit(way).query)) | await desk.leave(desk.visitor()))
    state = parse_qs(urlsplit(way).query)["state"][0]
    thief.cookies["wufeng_openid"] = kept
    fresh = re.sub(r"state=[^&]+", f"state={state}", another_code)
    refused(await thief.get(fresh), thief, "was used already")


async def test_two_windows_that_come_back_at_once_are_one_sign_in(town: Town) -> None:
    desk = Desk(town)
    await desk.known()
    visitor = desk.visitor()
    way = await desk.choose(await desk.leave(visitor))
    windows = [Visitor(desk.site, "en", **visitor.cookies) for _ in range(5)]
    seen = await asyncio.gather(*(window.get(way) for window in windows))
    assert sorted(one.status for one in seen) == [303, 403, 403, 403, 403]


async def test_a_code_is_good_once_and_a_minute(town: Town) -> None:
    desk = Desk(town)
    await desk.known()
    first = desk.visitor()
    way = await desk.choose(await desk.leave(first))
    await first.get(way)
    second = desk.visitor()
    asked = await desk.leave(second)
    code = parse_qs(urlsplit(way).query)["code"][0]
    used = f"/app/openid/callback?{urlencode({'state': asked['state'], 'code': code, 'iss': ISSUER})}"
    refused(await second.get(used), second, "did not sign you in")
    late = desk.visitor()
    way = await desk.choose(await desk.leave(late))
    town.api.clock.turn_to(town.api.clock.now() + timedelta(seconds=61))
    refused(await late.get(way), late, "did not sign you in")


async def test_a_code_of_another_sign_in_is_no_good_here(town: Town) -> None:
    """A stolen code: PKCE's verifier is with the browser that began."""
    desk = Desk(town)
    await desk.known()
    victim, thief = desk.visitor(), desk.visitor()
    stolen = parse_qs(urlsplit(await desk.choose(await desk.leave(victim))).query)["code"][0]
    asked = await desk.leave(thief)
    way = f"/app/openid/callback?{urlencode({'state': asked['state'], 'code': stolen, 'iss': ISSUER})}"
    refused(await thief.get(way), thief, "did not sign you in")


async def test_a_sign_in_lasts_ten_minutes(town: Town) -> None:
    desk = Desk(town)
    await desk.known()
    visitor = desk.visitor()
    asked = await desk.leave(visitor)
    town.api.clock.turn_to(town.api.clock.now() + timedelta(minutes=10))
    refused(await visitor.get(await desk.choose(asked)), visitor, "too old")


async def test_an_answer_of_another_issuer_is_refused(town: Town) -> None:
    """Mix-up: another provider's answer in the place of ours (RFC 9207), or one that does not say whose it is."""
    desk = Desk(town)
    await desk.known()
    for change in ("https://evil.example", f"{ISSUER}/", ""):
        visitor = desk.visitor()
        way = await desk.choose(await desk.leave(visitor))
        refused(await visitor.get(re.sub(r"iss=[^&]+", f"iss={change}", way)), visitor)


async def test_a_no_is_a_no(town: Town) -> None:
    desk = Desk(town)
    await desk.known()
    visitor = desk.visitor()
    refused(await desk.sign_in(visitor, sub=""), visitor, "or you did not want to")
    assert "did not" in (await desk.sign_in(desk.visitor("en"), sub="")).text
    assert "取消了登录" in (await desk.sign_in(desk.visitor("zh"), sub="")).text


ELSEWHERE = [
    "//evil.example",
    "https://evil.example",
    "/\\evil.example",
    "javascript:alert(1)",
    "/app\r\nx: y",
    "/%0a/",
]


async def test_signing_in_leads_nowhere_else(town: Town) -> None:
    desk = Desk(town)
    await desk.known()
    for onward in ELSEWHERE:
        seen = await desk.sign_in(desk.visitor(), onward=onward)
        assert seen.status == 303 and seen.location.startswith("/"), onward
        assert not seen.location.startswith(("//", "/\\")) and "\n" not in seen.location, onward


# the token


def _claims(**changed: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda told: {name: value for name, value in (told | changed).items() if value is not ...}


def _moved(**seconds: int) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda told: told | {name: told["iat"] + by for name, by in seconds.items()}


WRONG = [
        _claims(iss="https://evil.example"), _claims(iss=f"{ISSUER}/"), _claims(iss=...),
        _claims(aud="another"), _claims(aud=["another"]), _claims(aud=[]), _claims(aud=...), _claims(aud=None),
        _claims(aud=["wufeng", "another"]), _claims(aud=["wufeng", "another"], azp="another"),
        _claims(azp="another"), _claims(azp=None), _claims(azp=""),
        _claims(nonce="another"), _claims(nonce=...), _claims(nonce=None), _claims(nonce=""),
        _moved(exp=-60), _claims(exp=...), _claims(exp="tomorrow"), _claims(exp=True), _claims(exp=1e300),
        _moved(iat=61), _moved(iat=-961), _claims(iat=...), _claims(iat=-1),
        _claims(sub=...), _claims(sub=1001),
]  # fmt: skip
RIGHT = [
        _claims(aud=["wufeng"]), _claims(aud=["wufeng", "another"], azp="wufeng"), _claims(azp="wufeng"),
        _moved(exp=-59), _moved(iat=60), _moved(iat=-960),
]  # fmt: skip
"""To the last second: the clocks may differ by a minute."""


async def test_claims_that_are_not_ours_are_refused(town: Town) -> None:
    desk = Desk(town)
    await desk.known()
    for place, change in enumerate(WRONG):
        desk.provider.change_claims = change
        visitor = desk.visitor()
        seen = await desk.sign_in(visitor)
        assert seen.status == 403, f"number {place} was taken"
        refused(seen, visitor)
    for place, change in enumerate(RIGHT):
        desk.provider.change_claims = change
        assert (await desk.sign_in(desk.visitor())).status == 303, f"number {place} was refused"


async def test_a_token_of_an_earlier_sign_in_is_refused(town: Town) -> None:
    """A nonce that comes again."""
    desk = Desk(town)
    await desk.known()
    told: list[str] = []
    desk.provider.change_token = lambda token: told.append(token) or told[0]
    assert (await desk.sign_in(desk.visitor())).status == 303
    visitor = desk.visitor()
    refused(await desk.sign_in(visitor), visitor)


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _with_header(token: str, **changed: Any) -> str:
    _, payload, signature = token.split(".")
    return f"{_part(changed)}.{payload}.{signature}"


def _by_public_key(desk: Desk) -> Callable[[str], str]:
    """HS256 with the public key as its secret: the classic confusion of algorithms."""

    def forge(token: str) -> str:
        signed = f"{_part({'alg': 'HS256', 'kid': desk.provider.key.kid})}.{token.split('.')[1]}"
        mac = hmac.digest(desk.provider.key.as_pem(private=False), signed.encode(), "sha256")
        return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"

    return forge


async def test_a_signature_that_is_not_the_providers_is_refused(town: Town) -> None:
    desk = Desk(town)
    await desk.known()
    other = new_key()

    def by_another_key(token: str) -> str:
        claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
        head = {"alg": "ES256", "kid": desk.provider.key.kid, "jwk": other.as_dict(private=False)}
        return jwt.encode(head, claims, other, algorithms=["ES256"])

    changes: dict[str, Callable[[str], str]] = {
        "none": lambda token: _with_header(token, alg="none").rpartition(".")[0] + ".",
        "None": lambda token: _with_header(token, alg="None"),
        "none, signed": lambda token: _with_header(token, alg="none"),
        "by the public key": _by_public_key(desk),
        "by a key of its own": by_another_key,
        "another's kid": lambda token: _with_header(token, alg="ES256", kid="absent"),
        "critical": lambda token: _with_header(
            token, alg="ES256", kid=desk.provider.key.kid, crit=["x"], x=1
        ),
        "changed": lambda token: f"{token[:-3]}{'AAA' if token[-3:] != 'AAA' else 'BBB'}",
        "no token": lambda token: "abc",
        "empty": lambda token: "",
        "five parts": lambda token: f"{token}.a.b",
        "huge": lambda token: token + "A" * 200_000,
    }
    for name, change in changes.items():
        desk.provider.change_token = change
        visitor = desk.visitor()
        seen = await desk.sign_in(visitor)
        assert seen.status == 403, name
        refused(seen, visitor)


async def test_a_provider_that_signs_by_secrets_alone_signs_nobody_in(town: Town) -> None:
    """An empty list of algorithms would be the library's own, which has HS256 in it."""
    desk = Desk(town)
    await desk.known()
    supported = "id_token_signing_alg_values_supported"
    desk.provider.change_metadata = lambda told: told | {supported: ["HS256", "none"]}
    desk.provider.change_token = _by_public_key(desk)
    visitor = desk.visitor()
    refused(await desk.sign_in(visitor), visitor)


async def test_keys_may_be_changed_at_any_time(town: Town) -> None:
    desk = Desk(town)
    await desk.known()
    assert (await desk.sign_in(desk.visitor())).status == 303
    old = desk.provider.key
    desk.provider.key = new_key()
    assert (await desk.sign_in(desk.visitor())).status == 303, "an unknown key is looked for at once"
    desk.provider.change_token = lambda token: jwt.encode(
        {"alg": "ES256", "kid": old.kid},
        json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "==")),
        old,
        algorithms=["ES256"],
    )
    visitor = desk.visitor()
    refused(await desk.sign_in(visitor), visitor)


# the provider


async def test_a_provider_that_does_not_answer_is_told(town: Town) -> None:
    desk = Desk(town)
    desk.provider.silent = True
    visitor = desk.visitor()
    refused(await visitor.get(START), visitor, "does not answer right now")
    desk.provider.silent = False
    assert (await visitor.get(START)).status == 303, "a failure is not remembered"


ASTRAY: list[dict[str, Any]] = [
    {"issuer": "https://evil.example"},
    {"issuer": f"{ISSUER}/"},
    {"jwks_uri": "http://169.254.169.254/latest/meta-data"},
    {"token_endpoint": "file:///etc/passwd"},
    {"token_endpoint": "http://id.operator.example/token"},
    {"authorization_endpoint": "javascript:alert(1)"},
    {"jwks_uri": None},
    {"token_endpoint": 7},
]


async def test_a_discovery_document_that_leads_astray_is_refused(town: Town) -> None:
    desk = Desk(town)
    for change in ASTRAY:
        desk.provider.change_metadata = lambda told, change=change: told | change
        seen = await desk.visitor().get(START)
        assert seen.status == 403 and not seen.location, change
    assert [path for path in desk.provider.asked if not path.endswith("openid-configuration")] == []


async def test_without_a_provider_there_is_no_such_page(town: Town) -> None:
    visitor = town.visitor()
    for path in (START, f"{START}?book=live", "/app/openid/callback?state=a&code=b"):
        assert (await visitor.get(path)).status == 404, path
    assert "openid" not in (await visitor.get("/app/sign-in")).text
    desk = Desk(town)
    assert (await desk.visitor().get(f"{START}?book=live")).status == 404
    assert (await desk.visitor().get(f"{START}?book=none")).status == 404


async def test_the_pages_of_a_sign_in_carry_the_policy_and_are_not_kept(town: Town) -> None:
    desk = Desk(town)
    await desk.known()
    visitor = desk.visitor()
    begun = await visitor.get(START)
    ended = await visitor.get(await desk.choose(await desk.leave(visitor)))
    for seen in (begun, ended):
        assert seen.header("cache-control") == "no-store" and seen.header("referrer-policy") == "same-origin"
    cookie = next(value for name, value in begun.headers if value.startswith("wufeng_openid="))
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Max-Age=600" in cookie


def _setting(**changed: Any) -> OpenIdSetting:
    plain = {"issuer": ISSUER, "client_id": "wufeng", "callback_url": CALLBACK}
    return OpenIdSetting(**(plain | changed))


@pytest.mark.parametrize(
    "changed",
    [
        {"issuer": "http://id.operator.example"},
        {"issuer": "https://a@id.operator.example"},
        {"issuer": "https://id.operator.example?x=1"},
        {"issuer": "ftp://id.operator.example"},
        {"callback_url": "http://wufeng.example/app/openid/callback"},
        {"scopes": ["profile"]},
    ],
)
def test_a_setting_that_cannot_be_safe_is_refused(changed: dict[str, Any]) -> None:
    _setting(issuer="http://127.0.0.1:9400")
    with pytest.raises(ValueError, match="openid"):
        _setting(**changed)


@pytest.mark.parametrize(("mode", "text"), [(0o644, "secret"), (0o600, "  \n"), (None, "")])
def test_a_secret_that_is_open_or_missing_is_refused(
    server_settings: Settings, tmp_path: Any, mode: int | None, text: str
) -> None:
    file = tmp_path / "provider.secret"
    if mode is not None:
        file.write_text(text)
        file.chmod(mode)
    settings = replace(server_settings, openid={"test": _setting(client_secret_file=str(file))})
    with pytest.raises(ConfigurationError):
        Providers(settings, None)  # type: ignore[arg-type]
