"""The limits file: TOML, checked when it is read, and hashed."""

import hashlib
import tomllib
from importlib.resources import files

import msgspec
from msgspec import Struct

from wufeng.base.errors import ConfigurationError
from wufeng.compliance.limits.model import CodeBounds, DayBounds, LimitPolicy, PaymentBounds, TierBounds
from wufeng.identity.people.model import Tier


class _Head(Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    version: int


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    policy: _Head
    tier: dict[str, TierBounds]
    balance_day: DayBounds
    code_day: CodeBounds
    offline: PaymentBounds
    cooling: PaymentBounds


def read_limit_policy(source: str, name: str) -> LimitPolicy:
    """Read and check a policy; `name` is the file's, for messages. Raises ConfigurationError naming the field."""
    try:
        file = msgspec.convert(tomllib.loads(source), _File)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigurationError(f"{name}: {error}") from error
    known = {str(tier.value) for tier in Tier}
    if set(file.tier) != known:
        raise ConfigurationError(f"{name}: bounds are wanted for the tiers {', '.join(sorted(known))}")
    parts = {f"tier.{tier}": bounds for tier, bounds in file.tier.items()} | {
        "balance_day": file.balance_day,
        "code_day": file.code_day,
        "offline": file.offline,
        "cooling": file.cooling,
    }
    for part, bounds in parts.items():
        for field in bounds.__struct_fields__:
            if (getattr(bounds, field) or 0) < 0:
                raise ConfigurationError(f"{name}: {part}.{field} is below zero")
    return LimitPolicy(
        name=f"{file.policy.id}@{file.policy.version}",
        tiers={int(tier): bounds for tier, bounds in file.tier.items()},
        balance_day=file.balance_day,
        code_day=file.code_day,
        offline=file.offline,
        cooling=file.cooling,
        content_hash=hashlib.sha256(source.encode()).hexdigest(),
    )


def shipped_limit_policy() -> LimitPolicy:
    """The policy that comes with Wufeng."""
    path = files("wufeng.catalogue") / "policies" / "limits.toml"
    return read_limit_policy(path.read_text(encoding="utf-8"), "limits.toml")
