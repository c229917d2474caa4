"""Settings: what differs between two installations. Everything else is data or code.

They come from the environment (`WUFENG_PORT=8001`) and from one TOML file (`port = 8001`), the environment
first. The file is `WUFENG_CONFIG`, or `wufeng.toml` in the data directory when it is there. Unknown names
are refused in both. Secrets are no settings: `wufeng init` makes them in a file of their own that only its
owner can read.
"""

import difflib
import os
import re
import secrets as randomness
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from wufeng.base.errors import ConfigurationError

PREFIX = "WUFENG_"

_ORIGIN = re.compile(r"(https://[a-z0-9.-]+|http://localhost)(:[0-9]{1,5})?", re.ASCII)

NOT_SETTINGS = {
    "WUFENG_CONFIG": "path of the TOML file",
    "WUFENG_API_KEY": "the key with which `wufeng listen` calls the API",
    "WUFENG_SHARED": "tests: directory with data sets that are not part of the project",
    "WUFENG_FAULTS": "tests: switches the fault points on (base/faults.py)",
    "WUFENG_PLANT": "tests: switches one planted bug on (wufeng prove)",
}
"""Names in the environment that begin like a setting and are none."""

SECRETS_FILE = "secrets.json"


class Durability(StrEnum):
    """Whether the server must promise that what it acknowledged is on disk."""

    SAFE = "safe"
    UNSAFE_FOR_TESTS = "unsafe_for_tests"


class Profile(StrEnum):
    """What the operator may do: hold people's money in wallets, or lend at the checkout alone."""

    FULL = "full"
    CREDIT_ONLY = "credit_only"


class LogLevel(StrEnum):
    """The least severe log line that is written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    """JSON for machines, text for a developer's terminal."""

    JSON = "json"
    TEXT = "text"


class OpenIdSetting(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One book's provider of sign-ins, as OpenID Connect Core 1.0 names things.

    issuer              as its discovery document says it; https, but for a provider on this machine
    callback_url        this installation's own /app/openid/callback, as it is registered there
    client_secret_file  a file that only its owner can read; relative to data_dir; None: a public client, by PKCE alone
    name                what stands on the sign-in button
    external_id_claim   the claim that is the operator's own name of a person
    sign_up             a person whom the operator has not made yet is made, with the phone that the provider verified
    """

    issuer: str
    client_id: str
    callback_url: str
    client_secret_file: str | None = None
    name: str = "OpenID"
    scopes: tuple[str, ...] = ("openid", "profile", "phone")
    external_id_claim: str = "sub"
    sign_up: bool = False

    def __post_init__(self) -> None:
        for name in ("issuer", "callback_url"):
            if not _SAFE_URL.fullmatch(getattr(self, name)):
                raise ValueError(f"openid: {name} must be an https address, or http on this machine")
        if "openid" not in self.scopes:
            raise ValueError("openid: scopes must name openid")


_SAFE_URL = re.compile(
    r"(https://[a-z0-9][a-z0-9.-]*|http://(127\.0\.0\.1|localhost|\[::1\]))(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?"
)


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of one installation; each field's comment is what `wufeng config show` prints beside
    it.
    """

    data_dir: Path  # everything this installation keeps: the embedded database, secrets, wufeng.toml
    database_url: str | None = (
        None  # PostgreSQL 18+ of your own, as the role wufeng_app; default: the embedded one
    )
    owner_database_url: str | None = None  # the same database as wufeng_owner, for `wufeng migrate` only
    database_name: str = "wufeng"  # name of the database in the embedded server
    host: str = "127.0.0.1"  # address the HTTP server listens on
    port: int = 8000  # TCP port of the HTTP server
    origin: str | None = (
        None  # where people open the pages, such as https://pay.example.com: passkeys are bound to its host
    )
    workers: int = 1  # HTTP worker processes
    pool_size: int = 8  # pooled database connections of one process, beside those of its lanes and followers
    statement_timeout_ms: int = 30_000  # the database ends a statement that runs longer
    lock_timeout_ms: int = 5_000  # the database ends a statement that waits longer for a lock
    connect_timeout_ms: int = 20_000  # how long a lost database is waited for before a request fails
    log_level: LogLevel = LogLevel.INFO
    log_format: LogFormat = LogFormat.JSON
    profile: Profile = Profile.FULL  # credit_only: no stored value, for operators who may not hold money
    open_sign_up: bool = True  # a verified code of an unknown phone makes a person
    trusted_proxies: str = ""  # address ranges (CIDR, by commas) of proxies whose X-Forwarded-For is believed
    webhooks_to_private_addresses: bool = (
        False  # let webhooks go to private and loopback addresses: development only
    )
    demo_shop_key: str | None = None  # the demo's shop of an outsider: its merchant key; without it: no shop
    demo_shop_book: str | None = None  # the book of that shop, which calls without a credential have to name
    demo_shop_merchant: str | None = None  # the merchant id of that shop, for the offers on its pages
    demo_shop_webhook_secret: str | None = None  # the secret that the webhooks to that shop are signed with
    durability: Durability = (
        Durability.SAFE
    )  # unsafe_for_tests lets a server run that may lose what it acknowledged
    openid: dict[str, OpenIdSetting] = {}  # by book: who else signs its people in; as JSON in the environment
    postgres: dict[str, str] = {}  # server settings of the embedded PostgreSQL that override the shipped ones

    def __post_init__(self) -> None:
        for name, low, high in _RANGES:
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"{name} must be between {low} and {high}, is {value}")
        if self.owner_database_url and not self.database_url:
            raise ValueError("owner_database_url without database_url: give both or none")
        if self.origin is not None and not _ORIGIN.fullmatch(self.origin):
            raise ValueError("origin must be https://HOST[:PORT], or http://localhost:PORT")
        for part in self.trusted_proxies.split(",") if self.trusted_proxies else ():
            ip_network(part.strip())  # its ValueError names the part

    @property
    def public_origin(self) -> str:
        """Where people open the pages; else this machine by its name, since passkeys are not for addresses."""
        return self.origin or f"http://localhost:{self.port}"

    @property
    def embedded(self) -> bool:
        """Whether the database is the one that Wufeng runs itself."""
        return self.database_url is None


SECRET = frozenset({"demo_shop_key", "demo_shop_webhook_secret"})
"""Settings that are never shown: the one exception to "secrets are no settings", for the demo that makes them."""


_RANGES = (
    ("port", 0, 65_535),
    ("workers", 1, 256),
    ("pool_size", 1, 1_000),
    ("statement_timeout_ms", 1, 86_400_000),
    ("lock_timeout_ms", 1, 86_400_000),
    ("connect_timeout_ms", 1, 3_600_000),
)


def default_data_dir(environ: Mapping[str, str]) -> Path:
    """Where an installation lives when nobody said so: the XDG data directory. Refuses an environment
    without a home.
    """
    if base := environ.get("XDG_DATA_HOME"):
        return Path(base) / "wufeng"
    if home := environ.get("HOME"):
        return Path(home) / ".local" / "share" / "wufeng"
    raise ConfigurationError(
        "no HOME in the environment: set WUFENG_DATA_DIR to a directory for Wufeng's data"
    )


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings. Raises ConfigurationError that names the offending key and where it stands."""
    environ = os.environ if environ is None else environ
    from_environment = _read_environment(environ)
    data_dir = Path(from_environment.get("data_dir") or default_data_dir(environ)).expanduser()
    file = Path(environ["WUFENG_CONFIG"]) if environ.get("WUFENG_CONFIG") else data_dir / "wufeng.toml"
    if environ.get("WUFENG_CONFIG") and not file.is_file():
        raise ConfigurationError(f"WUFENG_CONFIG names {file}, which is not there")
    from_file = _read_file(file) if file.is_file() else {}
    if "data_dir" in from_file and not environ.get("WUFENG_CONFIG"):
        raise ConfigurationError(f"{file}: data_dir cannot be set in the file that is found through it")
    values = {"data_dir": str(data_dir), **from_file, **from_environment}
    values["data_dir"] = str(Path(values["data_dir"]).expanduser().absolute())
    return _convert(values, f"{file} or the environment" if from_file else "the environment")


def _read_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    names = {field.upper(): field for field in Settings.__struct_fields__ if field != "postgres"}
    values: dict[str, Any] = {}
    for key, value in environ.items():
        if not key.startswith(PREFIX) or key in NOT_SETTINGS:
            continue
        field = names.get(key.removeprefix(PREFIX))
        if field is None:
            raise ConfigurationError(f"the environment sets {key}, which is no setting{_closest(key, names)}")
        values[field] = value or None if field.endswith("_url") else value
    if "openid" in values:
        values["openid"] = _from_json(values["openid"])
    return values


def _from_json(text: str) -> object:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise ConfigurationError(f"WUFENG_OPENID is not JSON: {error}") from None


def _closest(key: str, names: Mapping[str, str]) -> str:
    close = difflib.get_close_matches(key, [PREFIX + name for name in names], n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _read_file(path: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is not TOML: {error}") from None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from None
    unknown = sorted(set(values) - set(Settings.__struct_fields__))
    if unknown:
        raise ConfigurationError(f"{path} sets {', '.join(unknown)}, which is no setting")
    if isinstance(values.get("postgres"), dict):
        values["postgres"] = {name: _server_setting(value) for name, value in values["postgres"].items()}
    return values


def _server_setting(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)


def _convert(values: Mapping[str, Any], where: str) -> Settings:
    try:
        return msgspec.convert(values, Settings, strict=False, dec_hook=_path_from_text)
    except (msgspec.ValidationError, ValueError) as error:
        raise ConfigurationError(f"a setting in {where} is wrong: {error}") from None


def _path_from_text(kind: type, value: object) -> object:
    if kind is Path:
        return Path(str(value))
    raise NotImplementedError(f"settings hold no {kind}")


def shown(settings: Settings) -> dict[str, str | int | bool | dict[str, str] | None]:
    """The settings as `wufeng config show` prints them: passwords in URLs and the demo's secrets are masked."""
    values: dict[str, str | int | bool | dict[str, str] | None] = {}
    for field in Settings.__struct_fields__:
        value = getattr(settings, field)
        if isinstance(value, StrEnum):
            value = value.value
        elif isinstance(value, Path):
            value = str(value)
        elif field.endswith("_url") and value:
            value = mask_url(value)
        elif field in SECRET and value:
            value = "***"
        elif field == "openid":
            value = {book: one.issuer for book, one in settings.openid.items()}
        values[field] = value
    return values


_URL_PASSWORD = re.compile(r"(?P<head>://[^/@:]*:)[^@]*(?P<tail>@)")
_QUERY_PASSWORD = re.compile(r"(?P<head>[?&](?:password|sslpassword)=)[^&]*(?P<tail>)")


def mask_url(url: str) -> str:
    """A database URL without its password, for logs and messages."""
    for pattern in (_URL_PASSWORD, _QUERY_PASSWORD):
        url = pattern.sub(r"\g<head>***\g<tail>", url)
    return url


class Secrets(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What must never be in the database: losing it loses every sealed field, leaking it opens them."""

    pepper: bytes  # keyed into the hashes of PINs, codes and API keys; 32 bytes
    sealing_key: bytes  # seals the key of each person (AES-256-GCM); 32 bytes

    def __repr__(self) -> str:
        return "Secrets(***)"


def secrets_path(settings: Settings) -> Path:
    """Where the secrets of an installation are."""
    return settings.data_dir / SECRETS_FILE


def create_secrets(settings: Settings) -> Secrets:
    """Make the secrets of a new installation, readable by their owner alone; existing ones are kept and
    returned.
    """
    path = secrets_path(settings)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    made = Secrets(pepper=randomness.token_bytes(32), sealing_key=randomness.token_bytes(32))
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(made), indent=2) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)  # fails when the file is there: two `init` at once agree on one set
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return load_secrets(settings)


def load_secrets(settings: Settings) -> Secrets:
    """Read the secrets. Raises ConfigurationError when they are missing, broken or readable by others."""
    path = secrets_path(settings)
    try:
        mode, text = path.stat().st_mode & 0o777, path.read_bytes()
    except FileNotFoundError:
        raise ConfigurationError(f"{path} is not there: run `wufeng init`, or bring the file back") from None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from None
    if mode & 0o077:
        raise ConfigurationError(f"{path} is open to others (mode {mode:04o}): run `chmod 600 '{path}'`")
    try:
        found = msgspec.json.decode(text, type=Secrets)
    except msgspec.MsgspecError as error:
        raise ConfigurationError(f"{path} is damaged: {error}") from None
    if (len(found.pepper), len(found.sealing_key)) != (32, 32):
        raise ConfigurationError(f"{path} is damaged: each secret has 32 bytes")
    return found
