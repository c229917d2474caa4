"""Tables of the catalogue that hold words for people."""

import tomllib
from importlib import resources
from typing import TypeVar

import msgspec

T = TypeVar("T")


def read_texts(file: str, kind: type[T]) -> dict[str, T]:
    """A file of the catalogue's texts by code, each of `kind`. Callers keep what they read: it never changes."""
    source = (resources.files("wufeng.catalogue") / "texts" / file).read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(source), dict[str, kind])  # type: ignore[valid-type]
