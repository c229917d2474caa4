"""Published cases run through the engine: which of them come out, which differ and how, which are not for it.

A file is known by the shape of its cases, not by its name. A case that breaks the engine has failed.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec

from wufeng.credit.conformance.loan_cases import loan_differences
from wufeng.credit.conformance.model import (
    Case,
    Count,
    Failed,
    FileProblem,
    FileReport,
    NotApplicable,
    NotApplicableError,
    Report,
    Verdict,
)
from wufeng.credit.conformance.rate_cases import day_count_differences, rate_differences


class Kind(StrEnum):
    """What a case is about."""

    DAY_COUNT = "day counts"
    RATE = "yearly rates"
    LOAN = "schedules"
    UNKNOWN = "unknown"


class MalformedError(Exception):
    """A file that holds no cases; the text says why."""


def kind_of(case: Any) -> Kind:
    """What a case is about, by the fields that it has."""
    if not isinstance(case, dict):
        return Kind.UNKNOWN
    if {"convention", "start", "end"} <= case.keys():
        return Kind.DAY_COUNT
    if {"timeline", "product", "loan"} <= case.keys():
        return Kind.LOAN
    flows = {"advances", "payments"}, {"drawdowns", "payments"}
    quoted = {"daily_percent"}, {"principal", "instalments", "total_fee_percent"}
    return Kind.RATE if any(fields <= case.keys() for fields in (*flows, *quoted)) else Kind.UNKNOWN


def cases_of(content: bytes) -> list[Any]:
    """The cases of a file: a list, or the list in its field `cases`. Numbers stay exact. Raises MalformedError."""
    try:
        decoded = json.loads(content, parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"is not JSON: {error}") from None
    found = decoded.get("cases") if isinstance(decoded, dict) else decoded
    if not isinstance(found, list):
        raise MalformedError("holds no list of cases")
    return found


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


DIFFERENCES: Mapping[Kind, Callable[[Case, Counter[str]], Iterator[str]]] = {
    Kind.DAY_COUNT: lambda case, _: day_count_differences(case),
    Kind.RATE: lambda case, _: rate_differences(case),
    Kind.LOAN: loan_differences,
}


def judge(case: Any, number: int) -> Verdict:
    """Run one case. One that breaks the engine, or lacks what its kind needs, has failed; it never stops the run."""
    kind = kind_of(case)
    id_ = str(case.get("id") or f"#{number}") if isinstance(case, dict) else f"#{number}"
    if kind is Kind.UNKNOWN:
        return Verdict(id_, why="a case of a shape that is not known here")
    tier = str(case["tier"]) if case.get("tier") is not None else None
    unchecked: Counter[str] = Counter()
    try:
        differences = tuple(DIFFERENCES[kind](case, unchecked))
    except NotApplicableError as error:
        return Verdict(id_, tier, why=str(error))
    except Exception as error:  # whatever breaks is this case's failure, and the next one is run
        return Verdict(id_, tier, differences=(f"the engine broke: {type(error).__name__}: {error}",))
    return Verdict(id_, tier, differences, unchecked=unchecked)


def report_of(files: Mapping[str, bytes], unread: Sequence[FileProblem] = ()) -> Report:
    """Run all cases of these files, by name; `unread` are those that could not even be opened."""
    verdicts: list[Verdict] = []
    reports, problems = [], list(unread)
    for name, content in sorted(files.items()):
        try:
            cases = cases_of(content)
        except MalformedError as error:
            problems.append(FileProblem(name, str(error)))
            continue
        found = [judge(case, number) for number, case in enumerate(cases, 1)]
        kinds = dict.fromkeys(kind_of(case).value for case in cases)
        reports.append(FileReport(file=name, kind=", ".join(kinds), **msgspec.structs.asdict(_count(found))))
        verdicts += found
    return _summed(verdicts, reports, problems)


def _count(verdicts: Sequence[Verdict]) -> Count:
    applicable = [verdict for verdict in verdicts if verdict.why is None]
    reproduced = sum(1 for verdict in applicable if not verdict.differences)
    return Count(len(verdicts), len(applicable), reproduced)


def _summed(
    verdicts: Sequence[Verdict], files: Sequence[FileReport], problems: Sequence[FileProblem]
) -> Report:
    tiers = sorted({verdict.tier for verdict in verdicts if verdict.tier is not None})
    unchecked: Counter[str] = Counter()
    for verdict in verdicts:
        unchecked.update(verdict.unchecked)
    return Report(
        **msgspec.structs.asdict(_count(verdicts)),
        failed=tuple(Failed(one.id, one.differences) for one in verdicts if one.differences),
        not_applicable=tuple(NotApplicable(one.id, one.why) for one in verdicts if one.why is not None),
        tiers={tier: _count([one for one in verdicts if one.tier == tier]) for tier in tiers},
        files=tuple(files),
        unchecked=dict(sorted(unchecked.items())),
        problems=tuple(problems),
    )
