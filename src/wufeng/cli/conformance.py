"""`wufeng conformance`: published answers, run through the credit kernel."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from wufeng.base.errors import ConfigurationError
from wufeng.cli.output import AsJson, print_json, print_line, print_table
from wufeng.credit.conformance.model import FileProblem, Report
from wufeng.credit.conformance.page import markdown
from wufeng.credit.conformance.rules import report_of

FOUND_SOMETHING = 1
COLUMNS = ("total", "applicable", "reproduced")


def command(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A folder with case files (*.json), or one file.")
    ],
    page: Annotated[
        Path | None, typer.Option("--markdown", help="Write the counts and reasons into this page.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run published cases: schedules, yearly rates, day counts. Exit code 1: a file cannot be read as cases."""
    contents, unread = _read(folder)
    report = report_of(contents, unread)
    if page is not None:
        _write(page, markdown(report))
    if as_json:
        print_json(report)
    else:
        _show(report)
    if report.problems:
        raise typer.Exit(FOUND_SOMETHING)


def _read(folder: Path) -> tuple[dict[str, bytes], list[FileProblem]]:
    paths = [folder] if folder.is_file() else sorted(folder.glob("*.json"))
    if not paths:
        raise ConfigurationError(
            f"{folder} holds no case files (*.json)" if folder.is_dir() else f"{folder} is not there"
        )
    contents, unread = {}, []
    for path in paths:
        try:
            contents[path.name] = path.read_bytes()
        except OSError as error:
            unread.append(FileProblem(path.name, f"cannot be read: {error.strerror}"))
    return contents, unread


def _write(page: Path, text: str) -> None:
    try:
        page.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{page} cannot be written: {error.strerror}") from None


def _show(report: Report) -> None:
    rows: list[Sequence[object]] = [
        (one.file, one.kind, one.total, one.applicable, one.reproduced) for one in report.files
    ]
    rows.append(("all", "", report.total, report.applicable, report.reproduced))
    print_table(("file", "cases", *COLUMNS), rows)
    if report.tiers:
        tiers = [(tier, one.total, one.applicable, one.reproduced) for tier, one in report.tiers.items()]
        print_table(("tier", *COLUMNS), tiers)
    if report.failed:
        failed = [(one.id, len(one.differences), one.differences[0]) for one in report.failed]
        print_table(("not reproduced", "count", "first difference"), failed)
    if report.not_applicable:
        reasons = Counter(one.why for one in report.not_applicable)
        print_table(("not applicable", "count"), reasons.most_common())
    if report.unchecked:
        print_table(("not compared", "count"), list(report.unchecked.items()))
    for problem in report.problems:
        print_line(f"{problem.file} {problem.detail}", "red")
