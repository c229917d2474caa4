"""`wufeng conformance`: a report of any folder with case files, and one line for what is none."""

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Wufeng

DAY_COUNT = {"id": "d", "convention": "ACT/360", "start": "2024-01-01", "end": "2024-02-01", "days": 31}
WRONG = {**DAY_COUNT, "id": "w", "days": 30}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a file of cases, of which one is wrong, and a file that is none of our business."""
    path = tmp_path / "cases"
    path.mkdir()
    (path / "any name.json").write_text(json.dumps({"cases": [DAY_COUNT, WRONG]}))
    (path / "README.md").write_text("not JSON")
    return path


def test_the_report(wufeng: Wufeng, folder: Path) -> None:
    ran = wufeng("conformance", str(folder), "--json")
    assert ran.code == 0
    report = ran.json
    assert (report["total"], report["applicable"], report["reproduced"]) == (2, 2, 1)
    assert report["failed"] == [{"id": "w", "differences": ["days: expected 30, ours 31"]}]
    assert report["files"][0]["file"] == "any name.json"
    assert (report["not_applicable"], report["tiers"], report["problems"]) == ([], {}, [])


def test_a_table_for_people(wufeng: Wufeng, folder: Path) -> None:
    ran = wufeng("conformance", str(folder))
    assert ran.code == 0
    assert "any name.json" in ran.out and "days: expected 30, ours 31" in ran.out


def test_a_page(wufeng: Wufeng, folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    assert wufeng("conformance", str(folder), "--markdown", str(page)).code == 0
    text = page.read_text(encoding="utf-8")
    assert "| `w` | 1 | days: expected 30, ours 31 | not known |" in text
    assert "QuantLib" in text and str(tmp_path) not in text


def test_a_file_that_is_no_case_file_is_named(wufeng: Wufeng, folder: Path) -> None:
    (folder / "half.json").write_text('{"cases": [')
    (folder / "folder.json").mkdir()
    ran = wufeng("conformance", str(folder), "--json")
    assert ran.code == 1
    assert [problem["file"] for problem in ran.json["problems"]] == ["folder.json", "half.json"]
    assert ran.json["reproduced"] == 1
    assert "half.json is not JSON" in wufeng("conformance", str(folder)).out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nowhere",), "nowhere is not there"),
        (("{tmp}",), "holds no case files (*.json)"),
        (("{cases}", "--markdown", "/proc/nowhere/page.md"), "cannot be written"),
        ((), "Missing argument"),
    ],
)
def test_what_cannot_be_done(
    wufeng: Wufeng, folder: Path, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    ran = wufeng("conformance", *(word.format(tmp=tmp_path, cases=folder) for word in words))
    assert ran.code == 2
    assert said in ran.err


def test_one_file(wufeng: Wufeng, folder: Path) -> None:
    ran = wufeng("conformance", str(folder / "any name.json"), "--json")
    assert (ran.code, ran.json["total"]) == (0, 2)
