"""What a look at an installation finds."""

from enum import StrEnum

from msgspec import Struct


class Verdict(StrEnum):
    """How it is."""

    OK = "ok"
    WARN = "warn"  # it works, and will not for ever
    FAIL = "fail"  # it does not work, or may lose something


class Finding(Struct, frozen=True):
    """One line: what was looked at, how it is, and what to do about it."""

    what: str
    verdict: Verdict
    said: str
    remedy: str = ""


def ok(what: str, said: str) -> Finding:
    """Nothing to do."""
    return Finding(what, Verdict.OK, said)


def warn(what: str, said: str, remedy: str) -> Finding:
    """It works, and will not for ever."""
    return Finding(what, Verdict.WARN, said, remedy)


def fail(what: str, said: str, remedy: str) -> Finding:
    """It does not work, or may lose something."""
    return Finding(what, Verdict.FAIL, said, remedy)
