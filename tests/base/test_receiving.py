"""A request's body: whole or not at all, of a bounded size, and in time."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from tests.cases import cases

from wufeng.base import receiving
from wufeng.base.errors import Code, Problem
from wufeng.base.receiving import Receive, receive_body

LEFT = {"type": "http.disconnect"}


def piece(body: bytes, *, more: bool = True) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


def sending(*messages: Mapping[str, Any]) -> Receive:
    """A sender of these messages, who then holds back."""
    left = iter(messages)

    async def receive() -> Mapping[str, Any]:
        message = next(left, None)
        if message is None:
            await asyncio.Event().wait()
            raise AssertionError("nobody sets it")
        return message

    return receive


WHOLE: list[list[Mapping[str, Any]]] = [
    [piece(b"abcd", more=False)],
    [{"type": "http.request", "body": b"abcd"}],
    [piece(b"ab"), piece(b""), {"type": "http.request", "more_body": True}, piece(b"cd", more=False)],
]


@cases("messages", WHOLE)
async def test_a_body_is_all_its_pieces(messages: list[Mapping[str, Any]]) -> None:
    assert await receive_body({}, sending(*messages), 4) == b"abcd"


@cases("messages", [[LEFT], [piece(b'{"amount'), LEFT]])
async def test_of_half_a_body_nothing_is_done(messages: list[Mapping[str, Any]]) -> None:
    with pytest.raises(Problem) as refused:
        await receive_body({}, sending(*messages), 100)
    assert refused.value.code is Code.MALFORMED


@cases("messages", [[], [piece(b"{"), piece(b" ")]])
async def test_a_body_that_is_held_back(
    monkeypatch: pytest.MonkeyPatch, messages: Iterable[Mapping[str, Any]]
) -> None:
    monkeypatch.setattr(receiving, "WITHIN_S", 0.05)
    with pytest.raises(Problem) as refused:
        await receive_body({}, sending(*messages), 100)
    assert refused.value.code is Code.REQUEST_TIMEOUT


@cases(
    ("headers", "messages"),
    [
        ({b"content-length": b"5"}, []),
        ({}, [piece(b"abcde", more=False)]),
        ({b"content-length": b"4"}, [piece(b"ab"), piece(b"cde")]),
    ],
)
async def test_a_body_that_is_too_large_is_not_waited_for(
    headers: dict[bytes, bytes], messages: list[Mapping[str, Any]]
) -> None:
    with pytest.raises(Problem) as refused:
        await receive_body(headers, sending(*messages), 4)
    assert refused.value.code is Code.TOO_LARGE
