"""Applications as people read them, from the catalogue."""

from functools import cache

from msgspec import Struct

from wufeng.base.money import format_minor
from wufeng.base.texts import read_texts
from wufeng.credit.applications.model import (
    ApplicationReason,
    Consent,
    LimitStep,
    PointsLine,
)
from wufeng.credit.products.model import Name


class Text(Struct, frozen=True, forbid_unknown_fields=True):
    """One text in both languages; of a reason also the adverse action that it maps to (RISK.md 1.4)."""

    zh: str
    en: str
    adverse_action: str = ""


@cache
def texts() -> dict[str, Text]:
    """The catalogue's table, by code."""
    return read_texts("applications.toml", Text)


def text_of(code: str, language: str, **values: str | int) -> str:
    """A text with its values filled in. English for any language but Chinese."""
    text = texts()[code]
    return (text.zh if language.startswith("zh") else text.en).format(**values)


def both(code: str, **values: str | int) -> Name:
    """A text in both languages with its values filled in: what is signed says the same in each."""
    return Name(text_of(code, "zh", **values), text_of(code, "en", **values))


def reason_text(reason: ApplicationReason) -> Text:
    """Why, with the adverse action."""
    return texts()[f"reason_{reason.value}"]


def points_text(line: PointsLine, history_days: int, currency: str, language: str) -> str:
    """One addend of a score, as a sentence with its value."""
    value = format_minor(line.value, currency) if line.of.is_amount else line.value
    return text_of(f"points_{line.of.value}", language, value=value, days=history_days)


def step_text(step: LimitStep, grade: str, language: str) -> str:
    """One step of how a limit came about."""
    return text_of(f"bound_{step.by.value}", language, grade=grade)


def consent_title(consent: Consent, language: str) -> str:
    """What is agreed to, in a few words."""
    return text_of(f"consent_{consent.purpose}_{consent.version}_title", language)


def consent_text(consent: Consent, language: str) -> str:
    """The text that is agreed to."""
    return text_of(f"consent_{consent.purpose}_{consent.version}", language)
