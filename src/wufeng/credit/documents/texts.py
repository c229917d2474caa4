"""The words of documents and explanations, from the catalogue; amounts and rates as both languages write them."""

from functools import cache

from wufeng.base.money import exponent_of, format_minor
from wufeng.base.texts import read_texts
from wufeng.credit.texts import Text

_MICRO_PLACES = 6


@cache
def texts() -> dict[str, Text]:
    """The catalogue's table, by code."""
    return read_texts("documents.toml", Text)


def say(code: str, language: str, **values: str | int) -> str:
    """A text of the catalogue with its values filled in. English for any language but Chinese."""
    return texts()[code].filled(language, values)


def money(amount_minor: int, currency: str) -> str:
    """An amount in major units, grouped: 1,200.50; one below zero with a real minus."""
    whole, dot, decimals = format_minor(abs(amount_minor), currency).partition(".")
    return f"{'−' if amount_minor < 0 else ''}{int(whole):,}{dot}{decimals}"


def exact(amount_micro: int, currency: str) -> str:
    """Millionths of the minor unit in major units, with as many decimals as they need: 5.2625."""
    places = exponent_of(currency)
    digits = str(abs(amount_micro)).rjust(places + _MICRO_PLACES + 1, "0")
    whole, decimals = digits[: -places - _MICRO_PLACES], digits[-places - _MICRO_PLACES :]
    kept = decimals.rstrip("0").ljust(places, "0")
    return f"{'−' if amount_micro < 0 else ''}{int(whole):,}{'.' if kept else ''}{kept}"
