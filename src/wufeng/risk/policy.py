"""Policy files: TOML, checked when read, dated and hashed. Every version that decided is kept, as products are."""

import hashlib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from importlib import resources

import msgspec
from msgspec import Struct

from wufeng.base.database import Connection
from wufeng.base.errors import ConfigurationError
from wufeng.risk import store
from wufeng.risk.model import (
    CONFIRMATIONS,
    OUTCOMES,
    Confirmation,
    Limits,
    ListRule,
    NoPin,
    Outcome,
    Policy,
    Review,
    StepUp,
    VelocityRule,
)
from wufeng.risk.rules import RECENT_KEPT

DAY_S = 86_400
SHIPPED = ("payment", "play", "bench")


class _Head(Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    version: int
    effective_from: datetime
    books: str = "*"


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    policy: _Head
    no_pin: NoPin
    limits: Limits
    review: Review = Review()
    step_up: tuple[StepUp, ...] = ()
    velocity: tuple[VelocityRule, ...] = ()
    list: tuple[ListRule, ...] = ()


class ShippedPolicy(Struct, frozen=True):
    """A policy with the text it came from."""

    policy: Policy
    source: str


class Policies(Mapping[tuple[str, int], Policy]):
    """Every version of every policy that was ever kept, by (id, version): old decisions are explained by theirs."""

    def __init__(self, policies: Sequence[Policy]) -> None:
        self._by_version = {(policy.id, policy.version): policy for policy in policies}

    def __getitem__(self, key: tuple[str, int]) -> Policy:
        return self._by_version[key]

    def __iter__(self) -> Iterator[tuple[str, int]]:
        return iter(self._by_version)

    def __len__(self) -> int:
        return len(self._by_version)

    def in_force(self, book: str, at: datetime) -> Policy | None:
        """The policy that decides in a book at an instant; None when there is none.

        Of those that are effective and whose pattern fits the book, the closest pattern's, in its highest version.
        """
        fitting = [
            p for p in self._by_version.values() if p.effective_from <= at and fnmatchcase(book, p.books)
        ]
        return max(fitting, key=lambda policy: (len(policy.books), policy.version), default=None)


def read_policy(source: str, name: str) -> ShippedPolicy:
    """Read and check the text of a policy file. Raises ConfigurationError naming the file and the field."""
    try:
        file = msgspec.convert(tomllib.loads(source), _File)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigurationError(f"{name}: {error}") from error
    _check(file, name)
    policy = Policy(
        id=file.policy.id,
        version=file.policy.version,
        effective_from=file.policy.effective_from,
        no_pin=file.no_pin,
        limits=file.limits,
        step_up=file.step_up,
        velocity=file.velocity,
        lists=file.list,
        review=file.review,
        books=file.policy.books,
        content_hash=hashlib.sha256(source.encode()).hexdigest(),
    )
    return ShippedPolicy(policy, source)


def shipped_policy(name: str = "payment") -> ShippedPolicy:
    """A policy that comes with Wufeng."""
    file = resources.files("wufeng.catalogue") / "policies" / f"{name}.toml"
    return read_policy(file.read_text(encoding="utf-8"), file.name)


def shipped_policies() -> list[ShippedPolicy]:
    """All of them: that of every book, and those of books that tools make."""
    return [shipped_policy(name) for name in SHIPPED]


async def publish(db: Connection, policies: Sequence[ShippedPolicy], at: datetime) -> Policies:
    """Keep these versions and return all that were ever kept.

    Raises ConfigurationError for a text that changed under a version number that is taken.
    """
    for one in policies:
        policy = one.policy
        kept = store.KeptPolicy(policy.id, policy.version, policy.content_hash, one.source)
        await store.insert_policy(db, kept, policy.effective_from, at)
    found = await store.load_policies(db)
    hashes = {(kept.id, kept.version): kept.content_hash for kept in found}
    for one in policies:
        policy = one.policy
        if hashes[policy.id, policy.version] != policy.content_hash:
            raise ConfigurationError(
                f"policy {policy.id}: its file has changed but still says version = {policy.version}; "
                "decisions live by the old text, so give the new one a new version"
            )
    return Policies([read_policy(kept.source, f"{kept.id}@{kept.version}").policy for kept in found])


def _check(file: _File, name: str) -> None:
    if file.policy.version < 1:
        raise ConfigurationError(f"{name}: policy.version counts from 1")
    if file.policy.effective_from.tzinfo is None:
        raise ConfigurationError(f"{name}: policy.effective_from needs a time zone")
    rules: list[VelocityRule | ListRule] = [*file.velocity, *file.list]
    ids = [rule.id for rule in rules]
    for rule in rules:
        if rule.then not in OUTCOMES or OUTCOMES[rule.then] is Outcome.ALLOW:
            raise ConfigurationError(
                f"{name}: rule {rule.id}: then = {rule.then!r} is not step_up, review or decline"
            )
        if ids.count(rule.id) > 1:
            raise ConfigurationError(f"{name}: rule {rule.id} stands there twice")
    for velocity in file.velocity:
        _check_velocity(velocity, name)
    for step in file.step_up:
        if CONFIRMATIONS.get(step.needs, Confirmation.NONE) < Confirmation.PIN or step.above_minor < 0:
            raise ConfigurationError(
                f"{name}: a step_up has above_minor >= 0, and needs pin, passkey or passkey_code"
            )
    amounts = (*msgspec.structs.astuple(file.no_pin), *msgspec.structs.astuple(file.limits))
    if min(amounts) < 0:
        raise ConfigurationError(f"{name}: limits are not negative")
    if file.review.minutes < 1 or file.review.on_timeout not in ("decline", "allow"):
        raise ConfigurationError(f"{name}: review needs minutes >= 1, and on_timeout decline or allow")


def _check_velocity(rule: VelocityRule, name: str) -> None:
    if not 0 < rule.window_s <= DAY_S:
        raise ConfigurationError(f"{name}: rule {rule.id}: window_s must be 1..{DAY_S}")
    if rule.measure == "count" and not 0 < rule.over < RECENT_KEPT:
        raise ConfigurationError(
            f"{name}: rule {rule.id}: over must be 1..{RECENT_KEPT - 1}: so many payments are remembered"
        )
