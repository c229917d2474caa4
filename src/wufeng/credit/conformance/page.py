"""The page docs/conformance.md: rendered from a run, never written by hand."""

from collections import Counter
from collections.abc import Iterator, Mapping

from wufeng.credit.conformance.model import Count, Report

REASONS: Mapping[str, str] = {
    "rs07-repayment-schedule-with-interest-type-decli-67f86f": "its rows put interest off for three instalments, "
    "its parameters name no such grace (those of RS06, its neighbour, do)",
    "multi-repayment-reversal-after-maturity-lp2-down-082c1e": "the repayment that is taken back is not the one of "
    "the day that the case names",
    "verify-that-payment-allocation-is-correct-in-cas-311948": "what was paid in advance is counted twice in the "
    "source when a charge comes later",
    "verify-the-due-penalty-fee-interest-principal-in-49b228": "a penalty paid before its due date is not counted "
    "as paid in advance in the source",
    "as-a-user-i-want-to-repay-a-loan-which-was-charg-04e115": "a loan in cents, whose twin without a charge-off "
    "(`…-ed8040`, the same parameters) is in whole units, as the product says",
    "verify-that-the-accounting-treatment-is-correct-2267ae": "the same",
    "verify-that-the-accounting-treatment-is-correct-b119ea": "the same",
}
"""Why a case of the published set comes out differently, by the end of its id."""

_HEAD = """\
# Conformance

Rendered by `wufeng conformance DIR --markdown docs/conformance.md`; do not edit. The pure kernel (schedules, yearly
rates, day counts, the spread of money) is run over published answers of others. A case is reproduced when every
expectation of its timeline comes out to the cent: each given column of each row of its schedules, what is outstanding
and overpaid, the status, and the transactions. A rate is compared to 0.000001 %. A case that breaks the engine has
failed. What the engine does not have is not applicable, with its reason.

Schedules and the spread of money are run as loans that stand alone (`credit/loans`): a fold of their own, which no
line uses. It shares with products what is computed: `amortise`, `equal_payment`, `period_rates` (`credit/plans`) and
`allocate` (`credit/waterfall`). How draws, bills and repayments of a line follow each other is not held by these
cases, but by the tests under `tests/credit`. A product file that says a case's terms (rate, method, day count,
multiple, down payment) gives its published first schedule: `tests/credit/products/test_published_schedules.py`.
"""

_SOURCES = """\
## Sources

- Schedules: scenarios and unit tests of Apache Fineract (apache/fineract), © The Apache Software Foundation, Apache
  License 2.0.
- Day counts: tests of QuantLib (lballabio/QuantLib), © its authors, BSD-3-Clause, which transcribe the example sheets
  of ISDA; ACT/360 and ACT/365 Fixed by definition.
- Yearly rates: 12 CFR 1026 (Regulation Z), Appendix J; the European Commission's examples for Annex I of Directive
  2008/48/EC; instalment and daily prices in China, derived (PBC announcement 2021 No. 3). Each case names its document.

The cases are numbers; no code of these projects is used. The files are not part of this project: their folder is an
argument, and for the tests the setting `WUFENG_SHARED`.
"""


def reason_of(id_: str) -> str | None:
    """Why a failed case is known to differ; None when it is not known."""
    return next((why for end, why in REASONS.items() if id_.endswith(end)), None)


def markdown(report: Report) -> str:
    """The page."""
    parts = (
        _HEAD.rstrip(),
        *_counts(report),
        *_failed(report),
        *_not_applicable(report),
        *_unchecked(report),
    )
    return "\n".join([*parts, "", _SOURCES])


def _counts(report: Report) -> Iterator[str]:
    yield from ("", "| cases | total | applicable | reproduced |", "|---|---|---|---|")
    for file in report.files:
        yield f"| {file.kind} (`{file.file}`) | {file.total} | {file.applicable} | {file.reproduced} |"
    yield _row("**all**", Count(report.total, report.applicable, report.reproduced))
    yield from (
        "",
        "Schedules by tier (1: plain loans; 2: charges, chargebacks, changes; 3: charge-off, recalculation):",
    )
    yield from ("", "| tier | total | applicable | reproduced |", "|---|---|---|---|")
    for tier, count in report.tiers.items():
        yield _row(tier, count)


def _row(name: str, count: Count) -> str:
    return f"| {name} | {count.total} | {count.applicable} | {count.reproduced} |"


def _failed(report: Report) -> Iterator[str]:
    if not report.failed:
        return
    yield from (
        "",
        "## Not reproduced",
        "",
        "| case | differences | first of them | why |",
        "|---|---|---|---|",
    )
    for one in report.failed:
        why = reason_of(one.id) or "not known"
        yield f"| `{one.id}` | {len(one.differences)} | {one.differences[0]} | {why} |"


def _not_applicable(report: Report) -> Iterator[str]:
    if not report.not_applicable:
        return
    yield from ("", "## Not applicable", "", "| what is missing | cases |", "|---|---|")
    for why, count in Counter(one.why for one in report.not_applicable).most_common():
        yield f"| {why} | {count} |"


def _unchecked(report: Report) -> Iterator[str]:
    if not report.unchecked:
        return
    yield from ("", "## Not compared", "", "| expectation | times |", "|---|---|")
    for what, count in report.unchecked.items():
        yield f"| {what} | {count} |"
