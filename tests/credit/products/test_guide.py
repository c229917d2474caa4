"""The guide for those who write products: every key with its default, and an example that is what it says."""

import re
from collections.abc import Iterator
from datetime import date, time
from enum import StrEnum
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
from msgspec import NODEFAULT, Struct
from msgspec.structs import FieldInfo, fields

from wufeng.base.money import format_minor
from wufeng.credit.products.dates import Every
from wufeng.credit.products.files import examine_product, read_product
from wufeng.credit.products.model import Mode, Name, Product, Shipped
from wufeng.credit.products.preview import preview
from wufeng.credit.products.shapes import type_given

GUIDES = Path(__file__).parents[3] / "docs" / "how-to"
WORDS = {"products.md": ("required", "none"), "products.zh-CN.md": ("必填", "无")}
ONE_ROW = (Every, Name)
"""Tables that a row explains whole."""


def keys(table: type[Struct], path: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every key of a product file, and lists of tables with it; a table whose keys all follow has no row of its own."""
    for field in fields(table):
        kind = type_given(field.type)
        inner = get_args(kind)[0] if get_origin(kind) is tuple else kind
        is_table = isinstance(inner, type) and issubclass(inner, Struct) and inner not in ONE_ROW
        if not is_table or (inner is not kind and path):
            yield path + field.name, field
        if is_table and path != "tiers[].":  # the prices of a tier have the keys of the standard ones
            yield from keys(inner, f"{path}{field.name}{'' if inner is kind else '[]'}.")


def shown(value: Any) -> str:
    """A default as the guide writes it: as TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, StrEnum):
        return f'"{value}"'
    if isinstance(value, tuple):
        return "[" + ", ".join(map(shown, value)) + "]"
    return value.isoformat() if isinstance(value, time) else f"{value:_}"


@pytest.mark.parametrize("page", WORDS)
def test_every_key_stands_in_the_guide_with_its_default(page: str) -> None:
    required, none = WORDS[page]
    text = (GUIDES / page).read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `([a-z_.\[\]]+)` \| (.+?) \| ", text, re.MULTILINE))
    meant = {
        key: required
        if field.required
        else none
        if field.default is None
        else f"`{shown(default_of(field))}`"
        for key, field in keys(Product)
    }
    shipped = {
        key for key in told if key in ("monthly_bill", "daily_interest", "order_instalments", "pay_in_four")
    }
    assert {key: said for key, said in told.items() if key not in shipped | {"study_now"}} == meant


def default_of(field: FieldInfo) -> Any:
    return field.default if field.default is not NODEFAULT else field.default_factory()


def blocks(page: str) -> list[str]:
    text = (GUIDES / page).read_text(encoding="utf-8")
    return re.findall(r"^```\w+\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_both_languages_show_the_same_example() -> None:
    assert blocks("products.md") == blocks("products.zh-CN.md")


def test_the_example_is_what_the_guide_shows() -> None:
    source, refused, table = (blocks("products.md")[place] for place in (1, 3, 5))
    product = read_product(source, "ten_weeks.toml").product
    found = preview(product, 100_000, date(2026, 12, 1), Mode.ORDER, 0, None)
    assert found is not None
    for row in found.schedules[0].rows:
        amounts = [format_minor(row.amount_minor, "CNY"), format_minor(row.principal_minor, "CNY")]
        assert re.search(
            rf"{row.number} +{row.bill_on} +{row.due_on} +{amounts[1]} .* {amounts[0]}$", table, re.M
        )
    assert format_minor(found.schedules[0].merchant_cost_minor, "CNY") in table
    assert format_minor(found.schedules[0].late_example_minor, "CNY") in table
    dearer = examine_product(source.replace("fee_ppm = 20_000", "fee_ppm = 40_000"), "ten_weeks.toml")
    assert not isinstance(dearer, Shipped)
    assert "\n".join(map(str, dearer)) == refused.rstrip("\n")
