"""Published answers: all rates and day counts come out, and the schedules but for those named with a reason."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from wufeng.credit.conformance.model import Report
from wufeng.credit.conformance.page import REASONS, markdown, reason_of
from wufeng.credit.conformance.rules import MalformedError, cases_of, judge, report_of

PROJECT = Path(__file__).resolve().parents[3]
CASES = Path(os.environ.get("WUFENG_SHARED", PROJECT.parent / "shared")) / "conformance"


@pytest.fixture(scope="module")
def report() -> Report:
    """The run over the published cases."""
    files = {path.name: path.read_bytes() for path in sorted(CASES.glob("*.json"))}
    if not files:
        pytest.skip("set WUFENG_SHARED to the folder with conformance/*.json")
    return report_of(files)


@pytest.mark.parametrize("kind", ["yearly rates", "day counts"])
def test_all_rates_and_day_counts_come_out(report: Report, kind: str) -> None:
    (file,) = [file for file in report.files if file.kind == kind]
    assert file.total == file.applicable == file.reproduced > 0


@pytest.mark.parametrize(
    ("tier", "applicable", "reproduced"), [("1", 0.9, 0.98), ("2", 0.9, 0.95), ("3", 0.5, 0.8)]
)
def test_schedules_come_out(report: Report, tier: str, applicable: float, reproduced: float) -> None:
    count = report.tiers[tier]
    assert count.applicable >= applicable * count.total
    assert count.reproduced >= reproduced * count.applicable


def test_a_case_that_differs_is_named_with_its_reason(report: Report) -> None:
    """Every one that differs is known, and every one that is named still differs."""
    assert [one.id for one in report.failed if reason_of(one.id) is None] == []
    assert len(report.failed) == len(REASONS)


def test_no_case_breaks_the_engine(report: Report) -> None:
    assert [one.id for one in report.failed if "the engine broke" in one.differences[0]] == []


def test_the_page_is_of_this_engine(report: Report) -> None:
    page = PROJECT / "docs" / "conformance.md"
    assert page.read_text(encoding="utf-8") == markdown(report), (
        "run `wufeng conformance DIR --markdown docs/conformance.md`"
    )


LOAN: dict[str, Any] = {
    "id": "mine",
    "tier": 1,
    "product": {"schedule_type": "PROGRESSIVE", "days_in_year": "360", "days_in_month": "30"},
    "loan": {
        "principal": "100.00",
        "submitted": "2024-01-01",
        "annual_rate_percent": "12",
        "interest_type": "DECLINING_BALANCE",
        "number_of_repayments": 6,
        "repay_every": 1,
        "repay_unit": "MONTHS",
    },
    "timeline": [
        {"do": "disburse", "date": "2024-01-01", "amount": "100.00"},
        {"expect": "outstanding", "amount": "103.53"},
        {"expect": "status", "status": "ACTIVE"},
    ],
}


def with_timeline(*steps: dict[str, Any]) -> dict[str, Any]:
    """The loan with other steps after its disbursement."""
    return {**LOAN, "timeline": [LOAN["timeline"][0], *steps]}


@pytest.mark.parametrize(
    ("step", "difference"),
    [
        ({"expect": "outstanding", "amount": "103.52"}, "outstanding: expected 103.52, ours 103.53"),
        ({"expect": "overpaid", "amount": "0.01"}, "overpaid: expected 0.01, ours 0.00"),
        ({"expect": "status", "status": "OVERPAID"}, "status: expected OVERPAID, ours active"),
        ({"expect": "schedule", "rows": []}, "schedule: expected 0 rows, ours 6"),
    ],
)
def test_a_wrong_expectation_is_told(step: dict[str, Any], difference: str) -> None:
    assert judge(LOAN, 1).differences == ()
    assert judge(with_timeline(step), 1).differences == (f"step 2, {difference}",)


@pytest.mark.parametrize("column", ["date", "paid_date", "interest", "balance", "days", "in_advance", "due"])
def test_every_column_that_is_given_counts(column: str) -> None:
    right = {
        "nr": 1,
        "days": 31,
        "date": "2024-02-01",
        "paid_date": "2024-01-20",
        "balance": "83.75",
        "principal_due": "16.25",
        "interest": "1.00",
        "due": "17.25",
        "paid": "17.25",
        "in_advance": "17.25",
        "late": "0.00",
        "outstanding": "0.00",
    }
    wrong = {
        "date": "2024-02-02",
        "paid_date": None,
        "interest": "1.01",
        "balance": "83.76",
        "days": 30,
        "in_advance": "0.00",
        "due": "17.24",
    }
    pay = {"do": "repayment", "date": "2024-01-20", "amount": "17.25"}
    others = [
        {"nr": nr, "date": f"2024-0{nr + 1}-01", "balance": balance}
        for nr, balance in enumerate(("67.34", "50.76", "34.02", "17.11", "0.00"), 2)
    ]
    assert judge(with_timeline(pay, {"expect": "schedule", "rows": [right, *others]}), 1).differences == ()
    changed = {**right, column: wrong[column]}
    (difference,) = judge(
        with_timeline(pay, {"expect": "schedule", "rows": [changed, *others]}), 1
    ).differences
    assert column in difference


def test_what_is_not_compared_is_counted() -> None:
    accrual = {"date": "2024-02-01", "type": "Accrual", "amount": "1.00"}
    verdict = judge(
        with_timeline({"expect": "delinquency"}, {"expect": "transactions", "rows": [accrual]}), 1
    )
    assert verdict.unchecked["delinquency"] == 1
    assert verdict.unchecked["transactions: accruals"] == 1
    assert "ours alone" in verdict.differences[0]


def test_what_the_engine_does_not_have_is_not_applicable() -> None:
    assert judge(with_timeline({"do": "securitise"}), 1).why == "the event securitise"
    assert judge({"id": "x", "colour": "blue"}, 1).why == "a case of a shape that is not known here"
    assert judge("text", 7).id == "#7"


def test_a_case_that_breaks_the_engine_has_failed() -> None:
    broken = {**LOAN, "loan": {**LOAN["loan"], "number_of_repayments": "six"}}
    (difference,) = judge(broken, 1).differences
    assert difference.startswith("the engine broke: TypeError")
    assert judge({"convention": "ACT/360", "start": "2024-01-01", "end": 5}, 1).why == "5 is not a date"


def test_files_are_known_by_what_they_hold() -> None:
    day_count = {"convention": "ACT/360", "start": "2024-01-01", "end": "2024-02-01", "days": 31}
    rate = {"id": "r", "daily_percent": "0.05", "computed_percent": 18.25}
    report = report_of(
        {
            "b.json": json.dumps({"cases": [LOAN]}).encode(),
            "a.json": json.dumps([day_count, rate, {"id": "odd"}]).encode(),
            "broken.json": b'{"cases": [',
            "list.json": b'{"about": "no cases"}',
            "nan.json": b'{"cases": [NaN]}',
            "bytes.json": b"\xff\xfe",
        }
    )
    assert [(file.file, file.kind) for file in report.files] == [
        ("a.json", "day counts, yearly rates, unknown"),
        ("b.json", "schedules"),
    ]
    assert (report.total, report.applicable, report.reproduced) == (4, 3, 3)
    assert [one.id for one in report.not_applicable] == ["odd"]
    assert [problem.file for problem in report.problems] == [
        "broken.json",
        "bytes.json",
        "list.json",
        "nan.json",
    ]


@pytest.mark.parametrize("content", [b"", b"[" * 100_000, b"null", b"3", b'{"cases": {}}'])
def test_what_is_no_case_file(content: bytes) -> None:
    with pytest.raises(MalformedError):
        cases_of(content)
