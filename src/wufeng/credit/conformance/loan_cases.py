"""Cases of schedules: a timeline is replayed on a loan, and every expectation in it compared to the cent."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from msgspec import Struct

from wufeng.credit.conformance.loan_replay import Replay, Step
from wufeng.credit.conformance.model import Case
from wufeng.credit.conformance.numbers import minor, shown
from wufeng.credit.loans.model import (
    Disbursed,
    LoanState,
    PaymentKind,
    Posting,
    PostingKind,
    Row,
    RowKind,
    ScheduleKind,
    Status,
)
from wufeng.credit.waterfall.model import Component

PENALTY, FEE, INTEREST, PRINCIPAL = Component
STATUSES = {
    "APPROVED": Status.APPROVED,
    "ACTIVE": Status.ACTIVE,
    "OVERPAID": Status.OVERPAID,
    "CLOSED (OBLIGATIONS MET)": Status.CLOSED,
    "CLOSED_OBLIGATIONS_MET": Status.CLOSED,
}
NAMES: Mapping[PaymentKind | PostingKind | None, str] = {
    PaymentKind.REPAYMENT: "Repayment",
    PaymentKind.DOWN_PAYMENT: "Down Payment",
    PaymentKind.GOODWILL_CREDIT: "Goodwill Credit",
    PaymentKind.MERCHANT_REFUND: "Merchant Issued Refund",
    PaymentKind.PAYOUT_REFUND: "Payout Refund",
    PaymentKind.CHARGE_ADJUSTMENT: "Charge Adjustment",
    PostingKind.DISBURSED: "Disbursement",
    PostingKind.CHARGED_BACK: "Chargeback",
    PostingKind.CREDIT_REFUNDED: "Credit Balance Refund",
    PostingKind.REFUNDED_IN_CASH: "Refund",
    PostingKind.REAMORTISED: "Re-amortize",
    PostingKind.REAGED: "Re-age",
    PostingKind.WAIVED: "Waive loan charges",
    PostingKind.CHARGED_OFF: "Charge-off",
}
NO_BALANCE = {"Re-amortize", "Re-age", "Charge-off"}
"""Transactions that move no money: the source prints a balance that is none."""


def loan_differences(case: Case, unchecked: Counter[str]) -> Iterator[str]:
    """Where a loan that lives through the case's timeline differs; `unchecked` counts what was not compared."""
    replay = Replay(case)
    for number, step in enumerate(case["timeline"], 1):
        if "do" in step:
            replay.do(step)
            continue
        for difference in _differences(replay, step, unchecked):
            yield f"step {number}, {difference}"


def _differences(replay: Replay, step: Step, unchecked: Counter[str]) -> Iterator[str]:
    state = replay.state()
    match step["expect"]:
        case "schedule":
            yield from _schedule(replay, state, step)
        case "transactions":
            yield from _transactions(replay, state, step["rows"], unchecked)
        case "outstanding":
            yield from _amount("outstanding", step["amount"], state.outstanding_minor)
        case "overpaid":
            yield from _amount("overpaid", step["amount"], state.overpaid_minor)
        case "status":
            if STATUSES.get(step["status"]) is not state.status:
                yield f"status: expected {step['status']}, ours {state.status.value}"
        case other:
            unchecked[str(other)] += 1


def _amount(what: str, expected: Any, ours: int) -> Iterator[str]:
    if minor(expected) != ours:
        yield f"{what}: expected {expected}, ours {shown(ours)}"


class Line(Struct, frozen=True):
    """A row as it is shown: a disbursement (row None) or a due part, with the balance after it."""

    number: int | None
    on: date
    balance_minor: int
    row: Row | None = None


def lines_of(state: LoanState, kind: ScheduleKind, *, with_disbursements: bool) -> list[Line]:
    """Disbursements and due parts by date. The balance is what is left of what was lent if all goes by plan."""
    lines: list[Line] = []
    lent, balance = list(state.disbursed), 0
    for number, row in enumerate(state.rows, 1):
        while lent and _comes_before(lent[0], row, kind, with_disbursements=with_disbursements):
            disbursed = lent.pop(0)
            balance += disbursed.amount_minor
            lines.append(Line(None, disbursed.on, disbursed.amount_minor))
        if not with_disbursements:
            while lent and lent[0].on <= row.due_on:
                balance += lent.pop(0).amount_minor
        balance -= row.due[PRINCIPAL] - row.added_minor
        lines.append(Line(number, row.due_on, balance, row))
    return [line for line in lines if with_disbursements or line.row is not None]


def _comes_before(disbursed: Disbursed, row: Row, kind: ScheduleKind, *, with_disbursements: bool) -> bool:
    if disbursed.on != row.due_on:
        return disbursed.on < row.due_on
    classic = kind is ScheduleKind.CLASSIC
    return with_disbursements and (classic or row.kind is RowKind.DOWN_PAYMENT)


def _schedule(replay: Replay, state: LoanState, step: Step) -> Iterator[str]:
    expected: Sequence[Mapping[str, Any]] = step["rows"]
    with_disbursements = any(row.get("nr") is None for row in expected)
    lines = lines_of(state, replay.terms.kind, with_disbursements=with_disbursements)
    if len(lines) != len(expected):
        yield f"schedule: expected {len(expected)} rows, ours {len(lines)}"
        return
    due_parts = sum(line.row is not None for line in lines)
    if step.get("periods") is not None and step["periods"] != due_parts:
        yield f"schedule, periods: expected {step['periods']}, ours {due_parts}"
    for row, line in zip(expected, lines, strict=True):
        yield from _line(row, line)
    if step.get("total"):
        columns = [_columns(line.row) for line in lines if line.row is not None]
        for name, value in step["total"].items():
            yield from _amount(f"schedule, total {name}", value, sum(column[name] for column in columns))


AMOUNTS = (
    "principal_due",
    "interest",
    "fees",
    "penalties",
    "due",
    "paid",
    "in_advance",
    "late",
    "outstanding",
)


def _columns(row: Row) -> dict[str, int]:
    amounts = (
        *(row.due[part] for part in (PRINCIPAL, INTEREST, FEE, PENALTY)),
        row.due_minor,
        row.paid_minor,
        row.in_advance_minor,
        row.late_minor,
        row.outstanding_minor,
    )
    return dict(zip(AMOUNTS, amounts, strict=True))


def _line(expected: Mapping[str, Any], line: Line) -> Iterator[str]:
    where = f"schedule, row {expected.get('nr') or 'disbursed ' + str(expected['date'])}"
    if expected.get("nr") != line.number:
        yield f"{where}: ours is row {line.number}"
        return
    if str(line.on) != expected["date"]:
        yield f"{where} date: expected {expected['date']}, ours {line.on}"
    yield from _amount(f"{where} balance", expected["balance"], line.balance_minor)
    row = line.row
    if row is None:
        for name in AMOUNTS:
            if expected.get(name) is not None:
                yield from _amount(f"{where} {name}", expected[name], 0)  # lending asks for nothing
        return
    for name, ours in _columns(row).items():
        if expected.get(name) is not None:
            yield from _amount(f"{where} {name}", expected[name], ours)
    days = (row.due_on - row.from_on).days
    if expected.get("days") is not None and expected["days"] != days:
        yield f"{where} days: expected {expected['days']}, ours {days}"
    if expected.get("from") is not None and expected["from"] != str(row.from_on):
        yield f"{where} from: expected {expected['from']}, ours {row.from_on}"
    paid_on = str(row.paid_on) if row.paid_on else None
    if "paid_date" in expected and expected["paid_date"] != paid_on:
        yield f"{where} paid_date: expected {expected['paid_date']}, ours {paid_on}"


def _transactions(
    replay: Replay, state: LoanState, rows: Sequence[Mapping[str, Any]], unchecked: Counter[str]
) -> Iterator[str]:
    """All of both lists, in any order within a day; accruals are the ledger's own and have no counterpart."""
    expected = [row for row in rows if not row["type"].startswith("Accrual")]
    unchecked["transactions: accruals"] += len(rows) - len(expected)
    unchecked["transactions: balance after a re-age, re-amortisation or charge-off"] += sum(
        row["type"] in NO_BALANCE for row in expected
    )
    ours = [_shown_posting(posting) for posting in (*state.postings, *replay.gone)]
    for row in expected:
        wanted = _shown_row(row)
        match = next((one for one in ours if _matches(wanted, one, row)), None)
        if match is None:
            yield f"transactions: expected {_text(wanted)}, ours {_nearest(wanted, ours)}"
        else:
            ours.remove(match)
    for one in ours:
        yield f"transactions: ours alone {_text(one)}"


Shown = tuple[str, str, int, int, int, int, int, int, int]


def _shown_posting(posting: Posting) -> Shown:
    kind = posting.kind if posting.kind is not PostingKind.PAID else posting.payment
    return (
        str(posting.on),
        NAMES[kind],
        posting.amount_minor,
        posting.parts[PRINCIPAL],
        posting.parts[INTEREST],
        posting.parts[FEE],
        posting.parts[PENALTY],
        posting.overpaid_minor,
        posting.principal_owed_minor,
    )


def _shown_row(row: Mapping[str, Any]) -> Shown:
    names = ("amount", "principal", "interest", "fees", "penalties")
    amounts = [minor(row[name] or 0) for name in names]
    return (
        row["date"],
        row["type"],
        amounts[0],
        amounts[1],
        amounts[2],
        amounts[3],
        amounts[4],
        minor(row.get("overpayment") or 0),
        minor(row.get("loan_balance") or 0),
    )


def _matches(wanted: Shown, ours: Shown, row: Mapping[str, Any]) -> bool:
    if wanted[:7] != ours[:7]:
        return False
    if row.get("overpayment") is not None and wanted[7] != ours[7]:
        return False
    return row.get("loan_balance") is None or row["type"] in NO_BALANCE or wanted[8] == ours[8]


def _nearest(wanted: Shown, ours: Sequence[Shown]) -> str:
    same = [one for one in ours if one[:2] == wanted[:2]]
    return _text(same[0]) if same else "none of that day and kind"


def _text(one: Shown) -> str:
    return " ".join((one[0], one[1], *map(shown, one[2:])))
