"""Any life of a line, by the engine and by an oracle that counts day by day: the same books, below the fen too."""

import os
from collections import Counter
from datetime import date

from hypothesis import HealthCheck, Phase, given, note, settings
from msgspec.structs import replace
from tests.credit.history.lives import Clerk, Plot, live, plots, told
from tests.credit.history.oracle import Oracle, Purchase, Statement

from wufeng.credit.accruals.rules import accrued_micro
from wufeng.credit.bills.model import Bill
from wufeng.credit.draws.model import Draw
from wufeng.credit.history.model import Issued, Standing
from wufeng.credit.history.rules import fold
from wufeng.credit.lines.model import LineStatus
from wufeng.credit.products.model import Part

EXAMPLES = int(os.environ.get("WUFENG_ORACLE", "1500"))
"""WUFENG_ORACLE=10000 is a longer look."""


LONG = "WUFENG_ORACLE" in os.environ


@settings(
    max_examples=EXAMPLES,
    derandomize=not LONG,
    phases=[Phase.explicit, Phase.generate] if LONG else list(Phase),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(plots())
def test_any_history_comes_out_as_the_oracle_says(plot: Plot) -> None:
    note(told(plot))
    oracle, heard, clerk = None, 0, None
    for clerk in live(plot):
        if oracle is None:
            oracle = Oracle(plot.product, clerk.opened.cycle, plot.start)
        new = clerk.events[heard:]
        heard = len(clerk.events)
        oracle.turn_to(clerk.on, [event for event in new if isinstance(event, Issued)])
        for event in new:
            if not isinstance(event, Issued):
                oracle.hear(event)
        compare_rows(oracle, clerk)
    assert oracle is not None and clerk is not None
    standing = fold(clerk.opened, clerk.events, plot.product, clerk.on)
    compare_fold(standing, clerk)
    compare_charged(oracle, standing)


def compare_rows(oracle: Oracle, clerk: Clerk) -> None:
    """Bills, draws, line and credit balance of the single steps, as the oracle's books have them."""
    for bill, statement in zip(clerk.bills.values(), oracle.statements, strict=True):
        compare_bill(bill, statement, clerk)
    for draw, purchase in zip(clerk.draws.values(), oracle.purchases, strict=True):
        compare_draw(draw, purchase, clerk)
    assert clerk.credit_minor == oracle.credit
    line = clerk.line
    assert line.past_due_since == oracle.past_due_since
    assert (line.status is LineStatus.SUSPENDED) is oracle.suspended
    if line.cycle is not None:
        assert line.next_bill_on == oracle.next_bill_on
    dates = {bill.id: bill.issued_on for bill in clerk.bills.values()}
    for id_, pieces in clerk.allocations.items():
        mine = [
            (
                one.part.value,
                one.amount_minor,
                dates[one.bill] if one.bill else one.draw,
                one.instalment,
            )
            for one in pieces
        ]
        theirs = [
            piece if piece[0] != "credit_balance" else (*piece[:2], None, None)
            for piece in oracle.pieces[id_]
        ]
        assert Counter(mine) == Counter(theirs)


def compare_bill(bill: Bill, statement: Statement, clerk: Clerk) -> None:
    assert (bill.issued_on, bill.due_on, bill.last_on) == (
        statement.issued_on,
        statement.due_on,
        statement.last_on,
    )
    assert {
        "status": bill.status.value,
        "single": bill.single_minor,
        "instalment": bill.instalment_minor,
        "fee": bill.fee_minor,
        "interest": bill.interest_minor,
        "late_interest": bill.late_interest_minor,
        "carried": bill.carried_minor,
        "missed": bill.missed_minor,
        "minimum": bill.minimum_minor,
        "paid_principal": bill.paid_principal_minor,
        "paid_fee": bill.paid_fee_minor,
        "paid_interest": bill.paid_interest_minor,
        "counted": bill.counted_minor if bill.unpaid_minor else None,  # of a paid bill nobody asks
        "charged": bill.interest_billed_minor,
        "earned": accrued_micro(bill, clerk.on),
    } == {
        "status": statement.state,
        "single": statement.single,
        "instalment": statement.instalment,
        "fee": statement.fee,
        "interest": statement.interest,
        "late_interest": statement.late_interest,
        "carried": statement.carried,
        "missed": statement.missed,
        "minimum": statement.minimum,
        "paid_principal": statement.paid[Part.PRINCIPAL],
        "paid_fee": statement.paid[Part.FEE],
        "paid_interest": statement.paid[Part.INTEREST],
        "counted": statement.counted if statement.owed else None,
        "charged": statement.charged,
        "earned": statement.earned,
    }
    items = clerk.items[bill.id].items
    assert [(item.draw_id, item.principal_minor) for item in items] == statement.allotted


def compare_draw(draw: Draw, purchase: Purchase, clerk: Clerk) -> None:
    dates = [clerk.bills[bill].issued_on for bill in draw.bills]
    parts = range(len(draw.principal_parts))
    assert {
        "principal": draw.principal_parts,
        "fee": tuple(draw.fee_of(part) for part in parts),
        "interest": tuple(draw.interest_of(part) for part in parts),
        "subsidy": tuple(draw.subsidy_of(part) for part in parts),
        "bills": dates,
        "prepaid": draw.prepaid_minor,
        "unbilled": draw.unbilled_minor,
        "billable_on": draw.billable_on,
        "charged": draw.interest_billed_minor,
        "earned": accrued_micro(draw, clerk.on),
    } == {
        "principal": tuple(rate.principal for rate in purchase.rates),
        "fee": tuple(rate.fee for rate in purchase.rates),
        "interest": tuple(rate.interest for rate in purchase.rates),
        "subsidy": tuple(rate.subsidy for rate in purchase.rates),
        "bills": [rate.bill.issued_on for rate in purchase.rates if rate.bill is not None],
        "prepaid": sum(rate.prepaid for rate in purchase.to_come),
        "unbilled": purchase.unbilled,
        "billable_on": purchase.billable_on,
        "charged": purchase.charged,
        "earned": purchase.earned,
    }


def compare_fold(standing: Standing, clerk: Clerk) -> None:
    """The fold of the events is what the single steps have kept."""
    assert {id_: plain(bill) for id_, bill in standing.bills.items()} == {
        id_: plain(bill) for id_, bill in clerk.bills.items()
    }
    assert standing.draws == clerk.draws
    assert standing.items == clerk.items
    assert standing.allocations == clerk.allocations
    assert standing.credit_balance_minor == clerk.credit_minor
    assert standing.line == clerk.line


def plain(bill: Bill) -> Bill:
    """A bill without the date on which the close looks at it again: only whether it does."""
    return replace(bill, wake_on=bill.wake_on and date.max)


def compare_charged(oracle: Oracle, standing: Standing) -> None:
    charged = standing.charged
    assert charged.interest_minor == oracle.interest_charged
    assert charged.fee_minor == oracle.fee_charged
    assert charged.subsidy_minor == oracle.subsidy_earned
    assert charged.subsidy_returned_minor == oracle.subsidy_back
