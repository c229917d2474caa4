"""Reading product files: TOML to structs, with errors that name file, line and field."""

import hashlib
import re
import tomllib
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

import msgspec

from wufeng.base.errors import ConfigurationError
from wufeng.credit.products.model import Product, Shipped
from wufeng.credit.products.rules import check

_TABLE = re.compile(r"^\s*(\[\[?)\s*([\w.]+)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"^\s*([\w-]+)\s*=")
_AT = re.compile(r"^(?P<detail>.*?)(?: - at `\$\.?(?P<path>[^`]*)`)?$", re.DOTALL)
_UNKNOWN = re.compile(r"unknown field `(?P<name>[^`]+)`")


def read_product(source: str, name: str) -> Shipped:
    """Read one product. `name` is the file's, for messages.

    Raises ConfigurationError that names every offending field with its line; nothing half-valid comes back.
    """
    try:
        product = msgspec.convert(tomllib.loads(source), Product)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{name}: not TOML: {error}") from None
    except msgspec.ValidationError as error:
        raise ConfigurationError(_explained(source, name, str(error))) from None
    if findings := check(product):
        lines = [f"{name}:{line_of(source, found.path)}: {found.path} {found.detail}" for found in findings]
        raise ConfigurationError("\n".join(lines))
    return Shipped(product, source, hashlib.sha256(source.encode()).hexdigest())


def read_products(paths: Iterable[Path]) -> list[Shipped]:
    """Read product files. Raises ConfigurationError for the first that may not be offered."""
    return [read_product(path.read_text(encoding="utf-8"), path.name) for path in sorted(paths)]


def shipped_products() -> list[Shipped]:
    """The products that come with Wufeng."""
    folder = files("wufeng.catalogue") / "products"
    found = sorted(
        (item for item in folder.iterdir() if item.name.endswith(".toml")), key=lambda item: item.name
    )
    return [read_product(item.read_text(encoding="utf-8"), item.name) for item in found]


def line_of(source: str, path: str) -> int:
    """The line of a field such as `instalments.prices[1].fee_ppm`, or of the nearest thing around it that has one."""
    lines = _lines_of_fields(source)
    while path:
        if path in lines:
            return lines[path]
        path = re.sub(r"(?:\[\d+\]|\.?[^.\[\]]+)$", "", path)
    return 1


def _lines_of_fields(source: str) -> dict[str, int]:
    lines: dict[str, int] = {}
    counts: dict[str, int] = {}
    table = ""
    for number, text in enumerate(source.splitlines(), 1):
        if head := _TABLE.match(text):
            table = head[2]
            if head[1] == "[[":
                index = counts[table] = counts.get(table, -1) + 1
                lines.setdefault(table, number)
                table = f"{table}[{index}]"
            lines[table] = number
        elif key := _KEY.match(text):
            lines[f"{table}.{key[1]}" if table else key[1]] = number
    return lines


def _explained(source: str, name: str, message: str) -> str:
    match = _AT.match(message)
    assert match is not None, "the pattern takes any text"
    path = match["path"] or ""
    if unknown := _UNKNOWN.search(match["detail"]):
        path = f"{path}.{unknown['name']}" if path else unknown["name"]
    where = f" ({path})" if path else ""
    return f"{name}:{line_of(source, path)}: {match['detail']}{where}"
