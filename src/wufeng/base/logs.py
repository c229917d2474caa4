"""Logs: one line an event on standard error, JSON or text, with the request's id, and no secret in it.

Written with `structlog.get_logger(__name__)`; lines of libraries, which use `logging`, take the same way.
Bodies of requests and answers are never logged, not even at `debug`: they carry people's data.
"""

import logging
import re
import sys
from collections.abc import Mapping, Sequence
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor

from wufeng.base.config import LogFormat, LogLevel

MASK = "***"

SECRET_KEYS = frozenset(
    {
        "api_key",
        "authorization",
        "code",
        "cookie",
        "credential",
        "database_url",
        "key",
        "owner_database_url",
        "password",
        "pay_code",
        "pepper",
        "pin",
        "proof",
        "sealing_key",
        "secret",
        "set_cookie",
        "token",
    }
)
"""Keys whose values open something."""

PERSONAL_KEYS = frozenset(
    {"account_number", "address", "document", "email", "id_number", "name", "number", "phone", "real_name"}
)
"""Keys whose values tell who somebody is. Ids of people are no personal data outside `identity`."""

BODY_KEYS = frozenset({"body", "data", "form", "json", "payload", "request_body", "response_body"})
"""Keys that would carry a whole body; the line loses them."""

_WORDS_BEFORE = re.compile(r"[-\s]")
_CREDENTIAL = re.compile(r"\b(wf_(?:test|live)_|wf[st]_[0-9]+_|whsec_)[A-Za-z0-9_+/=-]{8,}")
_BEARER = re.compile(r"(?i)\b(bearer|basic) +\S+")
_URL_PASSWORD = re.compile(r"(://[^/@:\s]*:)[^@\s]*(?=@)")
_ROW_VALUES = re.compile(r"(?m)^(\s*(?:DETAIL|CONTEXT):).*$")
_MOBILE_NUMBER = re.compile(r"(?<![0-9])(?:\+?86)?1[3-9][0-9]{9}(?![0-9])")


def redact(_logger: object, _method: str, line: EventDict) -> EventDict:
    """Take secrets, personal data and bodies out of a line: by the names of its keys, and by the form of its texts."""
    return {key: _shown(key, value) for key, value in line.items() if _plain(key) not in BODY_KEYS}


def _shown(key: str, value: object) -> object:
    plain = _plain(key)
    if plain in SECRET_KEYS or plain in PERSONAL_KEYS:
        return MASK if value is not None else None
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    if isinstance(value, Mapping):
        return {str(k): _shown(str(k), v) for k, v in value.items() if _plain(str(k)) not in BODY_KEYS}
    if isinstance(value, Sequence | set | frozenset):
        return [_shown("", part) for part in value]
    if isinstance(value, BaseException):
        return redact_text(repr(value))
    return value


def _plain(key: str) -> str:
    return _WORDS_BEFORE.sub("_", key).lower()


def redact_text(text: str) -> str:
    """A text without credentials, passwords in URLs, mobile numbers, and the row's values that PostgreSQL's
    errors tell.
    """
    text = _CREDENTIAL.sub(rf"\1{MASK}", text)
    text = _BEARER.sub(rf"\1 {MASK}", text)
    text = _URL_PASSWORD.sub(rf"\1{MASK}", text)
    text = _ROW_VALUES.sub(rf"\1 {MASK}", text)
    return _MOBILE_NUMBER.sub(MASK, text)


def configure(level: LogLevel, form: LogFormat, stream: TextIO | None = None) -> None:
    """Set up the logs of this process; called once by whoever starts it. `stream` is standard error by default."""
    stream = sys.stderr if stream is None else stream
    first: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,  # to text before it is redacted: an error's message may name values
        redact,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *first,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,  # a logger made before this call must follow it
    )
    renderer: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if form is LogFormat.JSON
        else structlog.dev.ConsoleRenderer(colors=stream.isatty())
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=first,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.value.upper())
    for chatty in ("httpx", "httpcore", "asyncio", "fontTools"):
        logging.getLogger(chatty).setLevel(max(root.level, logging.WARNING))
