"""The family card policy file: TOML, checked when loaded."""

import tomllib
from datetime import date
from functools import cache
from importlib.resources import files

import msgspec
from msgspec import Struct

from wufeng.base.errors import ConfigurationError
from wufeng.payments.family.model import FamilyPolicy


class _Head(Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    version: int
    effective_from: date


class _Cards(Struct, frozen=True, forbid_unknown_fields=True):
    live_max: int
    month_cap_max_minor: int
    invited_days: int


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    policy: _Head
    cards: _Cards


def read_family_policy(source: str, name: str) -> FamilyPolicy:
    """Read and check a policy; `name` is the file's, for messages. Raises ConfigurationError naming the field."""
    try:
        file = msgspec.convert(tomllib.loads(source), _File)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigurationError(f"{name}: {error}") from error
    for field in file.cards.__struct_fields__:
        if getattr(file.cards, field) < 1:
            raise ConfigurationError(f"{name}: cards.{field} is below one")
    return FamilyPolicy(
        name=f"{file.policy.id}@{file.policy.version}",
        live_max=file.cards.live_max,
        month_cap_max_minor=file.cards.month_cap_max_minor,
        invited_days=file.cards.invited_days,
    )


@cache
def shipped_family_policy() -> FamilyPolicy:
    """The policy that comes with Wufeng."""
    path = files("wufeng.catalogue") / "policies" / "family.toml"
    return read_family_policy(path.read_text(encoding="utf-8"), "family.toml")
