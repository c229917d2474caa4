"""Short machine-made texts of bills, from the catalogue."""

from collections.abc import Mapping
from functools import cache

from msgspec import Struct

from wufeng.base.money import format_minor
from wufeng.base.texts import read_texts
from wufeng.credit.products.model import Name, Product


class Text(Struct, frozen=True, forbid_unknown_fields=True):
    """One text in both languages, with its values in braces. `one`: the English where its count or days are one."""

    zh: str
    en: str
    one: str | None = None

    def filled(self, language: str, values: Mapping[str, str | int]) -> str:
        """The text with its values. English for any language but Chinese."""
        if language.startswith("zh"):
            return self.zh.format(**values)
        counted = values.get("count", values.get("days"))
        return (self.one if self.one is not None and counted == 1 else self.en).format(**values)


@cache
def texts() -> dict[str, Text]:
    """The catalogue's table, by code."""
    return read_texts("credit.toml", Text)


def explain(code: str, language: str, **values: str | int) -> str:
    """A text of the catalogue with its values filled in. English for any language but Chinese."""
    return texts()[code].filled(language, values)


def tier_name(product: Product, code: str) -> Name:
    """What a price list of a product is called."""
    tier, standard = product.tier(code), texts()["tier_standard"]
    return Name(standard.zh, standard.en) if tier is None else tier.name


def amount_text(amount_minor: int, currency: str) -> str:
    """An amount in major units: 500.00."""
    return format_minor(amount_minor, currency)
