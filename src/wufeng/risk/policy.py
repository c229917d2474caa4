"""Policy files: TOML, checked when loaded, dated and hashed."""

import hashlib
import tomllib
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from wufeng.base.errors import ConfigurationError
from wufeng.risk.model import Limits, ListRule, NoPin, Outcome, Policy, VelocityRule

DAY_S = 86_400


class _Head(Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    version: int
    effective_from: datetime
    review_minutes: int = 30


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    policy: _Head
    no_pin: NoPin
    limits: Limits
    velocity: tuple[VelocityRule, ...] = ()
    list: tuple[ListRule, ...] = ()


def read_policy(path: Path) -> Policy:
    """Read and check a policy file. Raises ConfigurationError naming the file and the field."""
    text = path.read_text(encoding="utf-8")
    try:
        file = msgspec.convert(tomllib.loads(text), _File)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigurationError(f"{path.name}: {error}") from error
    for rule in (*file.velocity, *file.list):
        if rule.then.upper() not in Outcome.__members__:
            raise ConfigurationError(f"{path.name}: rule {rule.id}: then = {rule.then!r} is no outcome")
    for velocity in file.velocity:
        if not 0 < velocity.window_s <= DAY_S:
            raise ConfigurationError(f"{path.name}: rule {velocity.id}: window_s must be 1..{DAY_S}")
    return Policy(
        id=file.policy.id,
        version=file.policy.version,
        effective_from=file.policy.effective_from,
        no_pin=file.no_pin,
        limits=file.limits,
        velocity=file.velocity,
        lists=file.list,
        review_minutes=file.policy.review_minutes,
        content_hash=hashlib.sha256(text.encode()).hexdigest(),
    )
