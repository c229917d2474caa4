"""Lines of the log, and what must never be in one."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from wufeng.base import logs
from wufeng.base.config import LogFormat, LogLevel


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def written(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_one_json_object_a_line_with_the_request_id() -> None:
    stream = io.StringIO()
    log = structlog.get_logger("wufeng.lanes")
    logs.configure(LogLevel.INFO, LogFormat.JSON, stream)
    with structlog.contextvars.bound_contextvars(request_id="req_01"):
        log.info("committed", commands=3)
    log.info("idle")
    first, second = written(stream)
    assert (first["event"], first["commands"], first["request_id"]) == ("committed", 3, "req_01")
    assert (first["level"], first["logger"]) == ("info", "wufeng.lanes")
    assert first["at"].endswith("Z")
    assert "request_id" not in second


def test_lines_of_libraries_take_the_same_way() -> None:
    stream = io.StringIO()
    logs.configure(LogLevel.INFO, LogFormat.JSON, stream)
    with structlog.contextvars.bound_contextvars(request_id="req_02"):
        logging.getLogger("granian").warning("listening on %s with Bearer abc.def", "port 1")
    (line,) = written(stream)
    assert line["event"] == "listening on port 1 with Bearer ***"
    assert line["request_id"] == "req_02"


def test_the_level_is_a_floor() -> None:
    stream = io.StringIO()
    logs.configure(LogLevel.WARNING, LogFormat.JSON, stream)
    structlog.get_logger("x").info("no")
    structlog.get_logger("x").warning("yes")
    assert [line["event"] for line in written(stream)] == ["yes"]


def test_text_is_for_people() -> None:
    stream = io.StringIO()
    logs.configure(LogLevel.INFO, LogFormat.TEXT, stream)
    structlog.get_logger("x").info("a day was closed", book="main")
    assert "a day was closed" in stream.getvalue()
    assert "book=main" in stream.getvalue()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("pin", "135790"),
        ("password", "correct horse"),
        ("Authorization", "Basic Zm9vOmJhcg=="),
        ("set-cookie", "a=b"),
        ("code", 123456),
        ("phone", "+8613800138000"),
        ("document", {"number": "11010519491231002X"}),
        ("sealing_key", b"\x00" * 32),
    ],
)
def test_values_of_secret_and_personal_keys_never_show(key: str, value: object) -> None:
    assert logs.redact(None, "info", {"event": "x", key: value}) == {"event": "x", key: "***"}
    nested = logs.redact(None, "info", {"event": "x", "inside": [{key: value}]})
    assert nested["inside"] == [{key: "***"}]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("key wf_test_0190c8_abcdefghijkl is old", "key wf_test_*** is old"),
        ("wfs_1_0190c8_secretsecret", "wfs_1_***"),
        ("postgresql://app:s3cret@db/wufeng refused", "postgresql://app:***@db/wufeng refused"),
        ("duplicate key\nDETAIL:  Key (phone)=(138) exists.", "duplicate key\nDETAIL: ***"),
        ("call +8613800138000 now", "call *** now"),
        (
            "payment pay_01k6 of 1200 took 13800138000123 us",
            "payment pay_01k6 of 1200 took 13800138000123 us",
        ),
    ],
)
def test_texts_lose_what_looks_like_a_secret(said: str, shown: str) -> None:
    assert logs.redact_text(said) == shown


def test_bodies_are_dropped_and_bytes_are_only_counted() -> None:
    line = logs.redact(None, "info", {"event": "x", "body": "{}", "Request-Body": b"{}", "raw": b"12345"})
    assert line == {"event": "x", "raw": "<5 bytes>"}


def test_an_error_tells_where_but_no_values_of_rows() -> None:
    stream = io.StringIO()
    logs.configure(LogLevel.INFO, LogFormat.JSON, stream)
    try:
        raise ValueError("duplicate key\nDETAIL:  Key (phone)=(13800138000) already exists.")
    except ValueError:
        structlog.get_logger("x").exception("a command failed")
    (line,) = written(stream)
    assert "ValueError" in line["exception"] and "test_logs.py" in line["exception"]
    assert "13800138000" not in stream.getvalue()
