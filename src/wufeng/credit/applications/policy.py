"""The application policy file: TOML, checked when loaded, dated and hashed."""

import hashlib
import tomllib
from datetime import date
from functools import cache
from importlib import resources

import msgspec
from msgspec import Struct

from wufeng.base.errors import ConfigurationError
from wufeng.credit.applications.model import (
    Admission,
    Affordability,
    ApplicationPolicy,
    Characteristic,
    Consent,
    Grade,
    OfferTerms,
    PointsRule,
    PriceTier,
    Review,
)


class _Head(Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    version: int
    effective_from: date


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    policy: _Head
    admission: Admission
    affordability: Affordability
    offer: OfferTerms
    review: Review
    consents: tuple[Consent, ...]
    points: tuple[PointsRule, ...]
    prices: tuple[PriceTier, ...]
    grades: tuple[Grade, ...]


def read_application_policy(source: str, name: str) -> ApplicationPolicy:
    """Read and check a policy; `name` is the file's, for messages. Raises ConfigurationError naming the field."""
    try:
        file = msgspec.convert(tomllib.loads(source), _File)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigurationError(f"{name}: {error}") from error
    for finding in (_of_amounts(file), _of_points(file), _of_grades(file)):
        if finding is not None:
            raise ConfigurationError(f"{name}: {finding}")
    return ApplicationPolicy(
        name=f"{file.policy.id}@{file.policy.version}",
        effective_from=file.policy.effective_from,
        content_hash=hashlib.sha256(source.encode()).hexdigest(),
        admission=file.admission,
        affordability=file.affordability,
        offer=file.offer,
        review=file.review,
        consents=file.consents,
        points=file.points,
        prices=file.prices,
        grades=file.grades,
    )


@cache
def shipped_application_policy() -> ApplicationPolicy:
    """The policy that comes with Wufeng."""
    return read_application_policy(shipped_source(), "application.toml")


def shipped_source() -> str:
    """The text of that policy."""
    file = resources.files("wufeng.catalogue") / "policies" / "application.toml"
    return file.read_text(encoding="utf-8")


def _of_amounts(file: _File) -> str | None:
    for part in (file.admission, file.affordability, file.offer, file.review):
        for field, value in msgspec.structs.asdict(part).items():
            if value < 0:
                return f"{type(part).__name__.lower()}.{field} is below zero"
    if min(file.offer.step_minor, file.offer.days, file.admission.history_days) < 1:
        return "offer.step_minor, offer.days and admission.history_days are at least 1"
    if file.review.used_min_ppm > file.review.used_max_ppm:
        return "review.used_min_ppm is above used_max_ppm"
    return None


def _of_points(file: _File) -> str | None:
    """Each characteristic once, from its lowest value on, and monotone."""
    named = [rule.of for rule in file.points]
    if sorted(named) != sorted(Characteristic):
        return f"points are wanted once for each of {', '.join(Characteristic)}"
    for rule in file.points:
        values = [band.from_ for band in rule.bands]
        points = [band.points for band in rule.bands]
        lowest = 1 if rule.of is Characteristic.TIER else 0
        if not values or values[0] != lowest or values != sorted(set(values)):
            return f"points of {rule.of}: bands begin at {lowest} and rise"
        if points != sorted(points, reverse=rule.of.more_is_worse) or min(points) < 0:
            return f"points of {rule.of}: more of it must not {'bring' if rule.of.more_is_worse else 'cost'} points"
    return None


def _of_grades(file: _File) -> str | None:
    """From the lowest up; a better grade gives no less."""
    if not file.grades:
        return "grades are missing"
    if file.offer.refer_from > file.grades[0].score_min:
        return "offer.refer_from is above the lowest grade"
    for worse, better in zip(file.grades, file.grades[1:], strict=False):
        pairs = (
            (worse.base_minor, better.base_minor),
            (worse.spending_ppm, better.spending_ppm),
            (worse.max_minor, better.max_minor),
        )
        if worse.score_min >= better.score_min or any(low > high for low, high in pairs):
            return f"grade {better.code} must ask for more than {worse.code} and give no less"
    known = {price.name for price in file.prices}
    unknown = [grade.price for grade in file.grades if grade.price not in known]
    return f"there is no price {unknown[0]}" if unknown else None
