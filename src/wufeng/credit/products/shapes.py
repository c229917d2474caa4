"""The shape of a product file: which keys are there, which are missing, and which values are of the wrong kind.

msgspec stops at the first mistake of a file; whoever writes one wants to see all of them.
"""

import difflib
from collections.abc import Iterator
from enum import StrEnum
from functools import reduce
from operator import or_
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

import msgspec
from msgspec import Struct
from msgspec.structs import fields

from wufeng.credit.products.model import Finding

LONGEST_NAME = 64
"""A longer key is no misspelling of a known one."""

BITS = 63
"""Of a whole number in TOML, beside its sign."""

IN_PPM = "; rates are whole parts per million: 0.03% is 300"


def check_shape(value: Any, expected: Any, path: str = "") -> Iterator[Finding]:
    """Everything by which a value read from TOML is not of a type (a struct, a tuple of structs, or a plain one)."""
    expected = type_given(expected)
    if _is_struct(expected) and isinstance(value, dict):
        yield from _check_table(value, expected, path)
    elif get_origin(expected) is tuple and isinstance(value, list) and _is_struct(get_args(expected)[0]):
        for n, item in enumerate(value):
            yield from check_shape(item, get_args(expected)[0], f"{path}[{n}]")
    else:
        yield from _check_value(value, expected, path)


def _check_table(table: dict[str, Any], expected: type[Struct], path: str) -> Iterator[Finding]:
    known = {field.name: field for field in fields(expected)}
    for name, value in table.items():
        at = f"{path}.{name}" if path else name
        if name in known:
            yield from check_shape(value, known[name].type, at)
        else:
            yield Finding(at, f"is not known{_meant(name, known)}")
    for name, field in known.items():
        if field.required and name not in table:
            yield Finding(f"{path}.{name}" if path else name, "is missing")


def _check_value(value: Any, expected: Any, path: str) -> Iterator[Finding]:
    numbers = value if isinstance(value, list) else [value]
    if any(isinstance(number, int) and number.bit_length() > BITS for number in numbers):
        yield Finding(path, "is wrong: a number of more than 64 bits")
        return
    try:
        msgspec.convert(value, expected)
    except msgspec.ValidationError as error:
        detail = str(error).partition(" - at `")[0]
        hint = IN_PPM if path.endswith("_ppm") and "got `float`" in detail else _choices(expected)
        yield Finding(path, f"is wrong: {detail[:1].lower()}{detail[1:]}{hint}")


def type_given(expected: Any) -> Any:
    """The type without None: TOML has no null, so what is there is meant to be of the type."""
    if get_origin(expected) not in (Union, UnionType):
        return expected
    return reduce(or_, (kind for kind in get_args(expected) if kind is not NoneType))


def _is_struct(expected: Any) -> bool:
    return isinstance(expected, type) and issubclass(expected, Struct)


def _meant(name: str, known: dict[str, Any]) -> str:
    if len(name) > LONGEST_NAME:
        return f"; known here: {', '.join(known)}"
    near = difflib.get_close_matches(name, known, n=1)
    if not near:  # `grace` is no misspelling of `grace_days`, but a part of it
        near = [one for one in known if name in one or one in name][:1]
    return f": did you mean {near[0]}?" if near else f"; known here: {', '.join(known)}"


def _choices(expected: Any) -> str:
    kinds = [kind for kind in (expected, *get_args(expected)) if isinstance(kind, type)]
    named = next((kind for kind in kinds if issubclass(kind, StrEnum)), None)
    if named:
        return f"; one of {', '.join(named)}"
    words = [word for kind in get_args(expected) for word in get_args(kind) if isinstance(word, str)]
    return f", or {', '.join(map(repr, words))}" if words else ""
