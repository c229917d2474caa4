"""The identity policy file: TOML, checked when loaded."""

import tomllib
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from importlib import resources

import msgspec
from msgspec import Struct

from wufeng.base.errors import ConfigurationError
from wufeng.identity.tries.model import TryKind, TryLimit

DAYS_MAX = 365


class Takeover(Struct, frozen=True, forbid_unknown_fields=True):
    """When an account looks taken over, and how long low limits then hold.

    within_days  between a new device and a changed number
    """

    within_days: int
    cooling_days: int
    unfreeze_cooling_days: int

    @property
    def within(self) -> timedelta:
        """How near to each other a new device and a changed number look like one deed."""
        return timedelta(days=self.within_days)

    @property
    def cooling(self) -> timedelta:
        """How long low limits hold afterwards."""
        return timedelta(days=self.cooling_days)

    @property
    def cooling_after_freeze(self) -> timedelta:
        """How long low limits hold when a frozen person may act again."""
        return timedelta(days=self.unfreeze_cooling_days)


class FreezeTerms(Struct, frozen=True, forbid_unknown_fields=True):
    """What goes on while a person is frozen. `wallet_captures`: of what was authorised from the wallet."""

    wallet_captures: bool


class Asking(Struct, frozen=True, forbid_unknown_fields=True):
    """How the outside is asked about a document."""

    day_max: int
    answer_within_s: int
    asked_again_after_s: int
    asks_max: int


class IdentityPolicy(Struct, frozen=True):
    """The policy as it is used."""

    name: str
    takeover: Takeover
    freeze: FreezeTerms
    verification: Asking
    tries: Mapping[TryKind, TryLimit]


class _Head(Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    version: int


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    policy: _Head
    takeover: Takeover
    freeze: FreezeTerms
    verification: Asking
    tries: dict[TryKind, TryLimit]


def read_identity_policy(source: str, name: str) -> IdentityPolicy:
    """Read and check a policy; `name` is the file's, for messages. Raises ConfigurationError naming the field."""
    try:
        file = msgspec.convert(tomllib.loads(source), _File)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigurationError(f"{name}: {error}") from error
    for field in file.takeover.__struct_fields__:
        if not 0 <= getattr(file.takeover, field) <= DAYS_MAX:
            raise ConfigurationError(f"{name}: takeover.{field} is not between 0 and {DAYS_MAX}")
    for field in file.verification.__struct_fields__:
        if getattr(file.verification, field) < 1:
            raise ConfigurationError(f"{name}: verification.{field} is below 1")
    if lacking := sorted(set(TryKind) - set(file.tries)):
        raise ConfigurationError(f"{name}: tries lacks {', '.join(lacking)}")
    for kind, limit in file.tries.items():
        if limit.most < 1 or limit.window_s < 1:
            raise ConfigurationError(f"{name}: tries.{kind.value} is below 1")
    return IdentityPolicy(
        name=f"{file.policy.id}@{file.policy.version}",
        takeover=file.takeover,
        freeze=file.freeze,
        verification=file.verification,
        tries=file.tries,
    )


@cache
def shipped_identity_policy() -> IdentityPolicy:
    """The policy that comes with Wufeng."""
    path = resources.files("wufeng.catalogue") / "policies" / "identity.toml"
    return read_identity_policy(path.read_text(encoding="utf-8"), "identity.toml")
