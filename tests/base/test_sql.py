"""Named SQL: found by its name, or a clear refusal."""

from pathlib import Path

import pytest

from wufeng.base.errors import ConfigurationError
from wufeng.base.sql import load, parse

HERE = Path("store.sql")


def test_a_statement_is_the_text_under_its_name() -> None:
    found = parse(
        HERE, "-- what the file is for\n\n-- name: one\n-- why\nselect 1;\n\n-- name: two_3\nselect 2\n"
    )
    assert found.one == "-- why\nselect 1;"
    assert found.two_3 == "select 2"
    assert found.names() == ["one", "two_3"]


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"store\.sql has no statement named 'three'"):
        _ = parse(HERE, "-- name: one\nselect 1").three


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("-- name: one\nselect 1\n-- name: one\nselect 2", "one stands there twice"),
        ("-- name: one\n-- name: two\nselect 2", "one has no text"),
        ("-- name: one\n-- only words\n", "one has no text"),
    ],
)
def test_a_broken_file_is_refused(source: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        parse(HERE, source)


def test_load_reads_the_file_beside_the_module(tmp_path: Path) -> None:
    (tmp_path / "store.sql").write_text("-- name: one\nselect '无缝'\n", encoding="utf-8")
    assert load(str(tmp_path / "store.py")).one == "select '无缝'"
