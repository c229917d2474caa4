"""Reading product files: TOML to structs, with errors that name file, line and field."""

import hashlib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import msgspec
from msgspec import Struct

from wufeng.base.errors import ConfigurationError
from wufeng.credit.products.ceiling import highest_rate_ppm
from wufeng.credit.products.model import Product, Shipped
from wufeng.credit.products.rules import check
from wufeng.credit.products.shapes import check_shape

_NAME = r"""(?:[\w-]+|"[^"\\]*"|'[^']*')"""
_DOTTED = rf"({_NAME}(?:\s*\.\s*{_NAME})*)"
_NAMES = re.compile(_NAME)
_TABLE = re.compile(rf"^\s*(\[\[?)\s*{_DOTTED}\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(rf"^\s*{_DOTTED}\s*=")
_ITEM = re.compile(r"^\s*\{")
_MARK = "\ufeff"  # which some editors put before a text
_TOML_LINE = re.compile(r"\(at line (\d{1,9}), column \d+\)$")


class Mistake(Struct, frozen=True):
    """Something wrong in a product file, and where; `path` is empty where the file is no TOML at all."""

    file: str
    line: int
    path: str
    detail: str

    def __str__(self) -> str:
        """As compilers say it: file:line: field and detail."""
        return f"{self.file}:{self.line}: {f'{self.path} ' if self.path else ''}{self.detail}"


def examine_product(source: str, name: str) -> Shipped | list[Mistake]:
    """The product of a file, or everything that is wrong with it in the order of its lines; nothing half-valid.

    name  the file's, for messages
    Prices and dates are looked at when all values are of the right kind.
    """
    try:
        table = tomllib.loads(source.removeprefix(_MARK))
    except tomllib.TOMLDecodeError as error:
        line = _TOML_LINE.search(str(error))
        return [Mistake(name, int(line[1]) if line else len(_lines(source)), "", f"is not TOML: {error}")]
    except (ValueError, RecursionError):  # Python's own bounds: 4,300 digits, some hundred levels
        return [
            Mistake(name, 1, "", "has a number of too many digits, or lists in lists too deep to be read")
        ]
    findings = list(check_shape(table, Product))
    if not findings:
        product = msgspec.convert(table, Product)
        findings = check(product)
        if not findings:
            return _shipped(product, source)
    lines = lines_of_fields(source)
    mistakes = [Mistake(name, line_of(lines, one.path), one.path, one.detail) for one in findings]
    return sorted(mistakes, key=lambda mistake: mistake.line)


@lru_cache(maxsize=256)  # the same few texts are read again and again: by each refresh, and by each day close
def read_product(source: str, name: str) -> Shipped:
    """Read one product. Raises ConfigurationError that names everything wrong with its line."""
    examined = examine_product(source, name)
    if isinstance(examined, Shipped):
        return examined
    raise ConfigurationError("\n".join(map(str, examined)))


@lru_cache(maxsize=256)
def read_kept(source: str, name: str) -> Shipped:
    """Read a version that was published: what the rules ask of new files today was not asked of it, and it lives on.

    Its prices are reckoned here, so that no request waits for them. Raises ConfigurationError for what is no product.
    """
    try:
        return read_product(source, name)
    except ConfigurationError as refused:
        try:
            product = msgspec.toml.decode(source.removeprefix(_MARK), type=Product)
        except msgspec.DecodeError:
            raise refused from None
    highest_rate_ppm(product)
    return _shipped(product, source)


def _shipped(product: Product, source: str) -> Shipped:
    return Shipped(product, source, hashlib.sha256(source.encode()).hexdigest())


def read_products(paths: Iterable[Path]) -> list[Shipped]:
    """Read product files. Raises ConfigurationError for the first that may not be offered."""
    return [read_product(source_of(path), path.name) for path in sorted(paths)]


def source_of(path: Path) -> str:
    """A product file as it is, its line ends too. Raises ConfigurationError for what is no file of UTF-8 text."""
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigurationError(f"{path}:{line}: is not UTF-8 text") from None


def shipped_products() -> list[Shipped]:
    """The products that come with Wufeng."""
    folder = files("wufeng.catalogue") / "products"
    found = sorted(
        (item for item in folder.iterdir() if item.name.endswith(".toml")), key=lambda item: item.name
    )
    return [read_product(item.read_text(encoding="utf-8"), item.name) for item in found]


def line_of(lines: Mapping[str, int], path: str) -> int:
    """The line of a field such as `instalments.prices[1].fee_ppm`, or of the nearest thing around it that has one.

    lines  of the file (`lines_of_fields`)
    """
    while path:
        if path in lines:
            return lines[path]
        path = path[: max(0, path.rfind("."), path.rfind("["))]
    return 1


def lines_of_fields(source: str) -> dict[str, int]:
    """The line of every key, table, and element of a list that has lines of its own, by path."""
    lines: dict[str, int] = {}
    for path, number in _fields(source):
        lines.setdefault(path, number)
    return lines


def _lines(source: str) -> list[str]:
    """The lines as TOML counts them: other signs that end a line elsewhere may stand in a text."""
    return source.removeprefix(_MARK).removesuffix("\n").split("\n")


def _fields(source: str) -> Iterator[tuple[str, int]]:
    """(path, line) of them in their order; of a dotted key, of each table that it names too."""
    counts: dict[str, int] = {}
    table = listed = ""
    for number, text in enumerate(_lines(source), 1):
        if head := _TABLE.match(text):
            table, listed = _table(_names(head[2]), counts), ""
            if head[1] == "[[":
                index = counts[table] = counts.get(table, -1) + 1
                yield table, number
                table = f"{table}[{index}]"
            yield table, number
        elif key := _KEY.match(text):
            listed = table
            for one in _names(key[1]):
                listed = _within(listed, one)
                yield listed, number
        elif listed and _ITEM.match(text):
            index = counts[listed] = counts.get(listed, -1) + 1
            yield f"{listed}[{index}]", number


def _table(names: Sequence[str], counts: Mapping[str, int]) -> str:
    """The path of a table's head: of a list around it the last element so far is meant. counts: its index, by path."""
    table = ""
    for name in names:
        table = f"{table}[{counts[table]}]" if table in counts else table
        table = _within(table, name)
    return table


def _names(dotted: str) -> list[str]:
    return [name.strip("\"'") for name in _NAMES.findall(dotted)]


def _within(table: str, name: str) -> str:
    return f"{table}.{name}" if table else name
