"""The ride policy file: TOML, checked when loaded."""

import tomllib
from datetime import date
from functools import cache
from importlib.resources import files

import msgspec
from msgspec import Struct

from wufeng.base.errors import ConfigurationError
from wufeng.payments.rides.model import RidePolicy


class _Head(Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    version: int
    effective_from: date


class _Rides(Struct, frozen=True, forbid_unknown_fields=True):
    open_max_minor: int
    fare_max_minor: int
    offline_fare_max_minor: int
    day_cap_minor: int
    tries_max: int


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    policy: _Head
    rides: _Rides


def read_ride_policy(source: str, name: str) -> RidePolicy:
    """Read and check a policy; `name` is the file's, for messages. Raises ConfigurationError naming the field."""
    try:
        file = msgspec.convert(tomllib.loads(source), _File)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigurationError(f"{name}: {error}") from error
    rides = file.rides
    for field in rides.__struct_fields__:
        if getattr(rides, field) < 1:
            raise ConfigurationError(f"{name}: rides.{field} is below one")
    if rides.fare_max_minor > rides.open_max_minor:
        raise ConfigurationError(f"{name}: rides.fare_max_minor is above what may be open")
    return RidePolicy(
        name=f"{file.policy.id}@{file.policy.version}",
        open_max_minor=rides.open_max_minor,
        fare_max_minor=rides.fare_max_minor,
        offline_fare_max_minor=rides.offline_fare_max_minor,
        day_cap_minor=rides.day_cap_minor,
        tries_max=rides.tries_max,
    )


@cache
def shipped_ride_policy() -> RidePolicy:
    """The policy that comes with Wufeng."""
    path = files("wufeng.catalogue") / "policies" / "rides.toml"
    return read_ride_policy(path.read_text(encoding="utf-8"), "rides.toml")
