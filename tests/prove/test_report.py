"""The page is made from results, and a run of some proofs replaces theirs alone."""

from pathlib import Path

from wufeng.prove import Caught, Finding, Report, Result, render


def result(id_: str, figure: str, *, ok: bool = True) -> Result:
    """A result."""
    findings = () if ok else (Finding("limit", "line 1"),)
    return Result(
        id=id_, seed=7, runs=2, counts={"kills": 2}, figure=figure, duration_s=3.2, ok=ok, findings=findings
    )


def test_results_gather_on_the_page(tmp_path: Path) -> None:
    page = tmp_path / "docs" / "reliability.md"
    render(page, Report(results=(result("F1", "2 kills"), result("C1", "over 1", ok=False))))
    render(page, Report(results=(result("F1", "60 kills"),)))
    caught = Caught(plant="skip_limit", tried=("C1",), caught_by={"C1": ("limit",)}, missed_by=(), ok=True)
    render(page, Report(plants=(caught,)))
    text = page.read_text()
    assert "60 kills" in text and "2 kills" not in text
    assert "| over 1 | **no** |" in text
    assert "| `skip_limit` | C1 (limit) | nobody |" in text
    assert "Not run for this page: C3, C6, C8, F2, F3, I1, I2, P1." in text
    assert page.with_suffix(".json").exists()
