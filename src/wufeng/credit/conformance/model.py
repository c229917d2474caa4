"""What a run over published cases found."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

Case = Mapping[str, Any]
"""A case as its file says it: shapes differ, and one that is not understood is not applicable."""


class NotApplicableError(Exception):
    """The case needs something that this engine does not have; the text says what."""


class Verdict(Struct, frozen=True):
    """What came of one case: reproduced when there are no differences and no reason why it was not run.

    unchecked  kinds of expectations that nothing was compared with, and how many of them
    """

    id: str
    tier: str | None = None
    differences: tuple[str, ...] = ()
    why: str | None = None
    unchecked: Mapping[str, int] = {}


class Count(Struct, frozen=True):
    """How many cases there are, how many were run, and how many of those came out."""

    total: int
    applicable: int
    reproduced: int


class FileReport(Struct, frozen=True, kw_only=True):
    """The counts of one file, and what kind of cases it holds."""

    file: str
    kind: str
    total: int
    applicable: int
    reproduced: int


class Failed(Struct, frozen=True):
    """A case that came out differently."""

    id: str
    differences: tuple[str, ...]


class NotApplicable(Struct, frozen=True):
    """A case that was not run."""

    id: str
    why: str


class FileProblem(Struct, frozen=True):
    """A file that could not be read as cases."""

    file: str
    detail: str


class Report(Struct, frozen=True, kw_only=True):
    """All of a run; what was not compared stands in `unchecked`, by kind of expectation."""

    total: int
    applicable: int
    reproduced: int
    failed: tuple[Failed, ...]
    not_applicable: tuple[NotApplicable, ...]
    tiers: Mapping[str, Count]
    files: tuple[FileReport, ...]
    unchecked: Mapping[str, int]
    problems: tuple[FileProblem, ...]
