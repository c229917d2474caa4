"""`wufeng doctor`: what is wrong with an installation, and how to mend it."""

import typer
from rich.text import Text

from wufeng.cli.doctor.checks import examine
from wufeng.cli.doctor.model import Finding, Verdict
from wufeng.cli.output import AsJson, console, print_json, print_line
from wufeng.cli.running import run

FOUND_SOMETHING = 1

_MARKS = {
    Verdict.OK: Text("ok  ", "green"),
    Verdict.WARN: Text("warn", "yellow"),
    Verdict.FAIL: Text("fail", "bold red"),
}


def command(as_json: AsJson = False) -> None:
    """Look the installation over: each line ok, warn or fail, with what to do. Exit code 1: something fails."""
    findings = run(examine())
    if as_json:
        print_json({"ok": not _failed(findings), "findings": findings})
    else:
        for finding in findings:
            console().print(
                Text.assemble(_MARKS[finding.verdict], " ", (finding.what, "bold"), "  ", finding.said)
            )
            if finding.remedy:
                print_line(f"     → {finding.remedy}")
    if _failed(findings):
        raise typer.Exit(FOUND_SOMETHING)


def _failed(findings: list[Finding]) -> bool:
    return any(finding.verdict is Verdict.FAIL for finding in findings)
