"""The wallet policy file: TOML, checked when loaded, dated and hashed."""

import hashlib
import tomllib
from datetime import date
from importlib.resources import files

import msgspec
from msgspec import Struct

from wufeng.base.errors import ConfigurationError
from wufeng.identity.people.model import Tier
from wufeng.payments.wallets.model import TierLimits, WalletPolicy


class _Head(Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    version: int
    effective_from: date


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    policy: _Head
    tier: dict[str, TierLimits]


def read_wallet_policy(source: str, name: str) -> WalletPolicy:
    """Read and check a policy; `name` is the file's, for messages. Raises ConfigurationError naming the field."""
    try:
        file = msgspec.convert(tomllib.loads(source), _File)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigurationError(f"{name}: {error}") from error
    known = {str(tier.value) for tier in Tier}
    if set(file.tier) != known:
        raise ConfigurationError(f"{name}: limits are wanted for the tiers {', '.join(sorted(known))}")
    for tier, limits in file.tier.items():
        for field in limits.__struct_fields__:
            if getattr(limits, field) < 0:
                raise ConfigurationError(f"{name}: tier.{tier}.{field} is below zero")
    return WalletPolicy(
        name=f"{file.policy.id}@{file.policy.version}",
        effective_from=file.policy.effective_from,
        tiers={int(tier): limits for tier, limits in file.tier.items()},
        content_hash=hashlib.sha256(source.encode()).hexdigest(),
    )


def shipped_wallet_policy() -> WalletPolicy:
    """The policy that comes with Wufeng."""
    path = files("wufeng.catalogue") / "policies" / "wallet.toml"
    return read_wallet_policy(path.read_text(encoding="utf-8"), "wallet.toml")
