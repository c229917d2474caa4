"""A line's debt as a fold of its events."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from msgspec.structs import replace

from wufeng.credit.history.covering import covered
from wufeng.credit.history.model import Event, Standing
from wufeng.credit.history.subsidies import all_returned
from wufeng.credit.history.telling import Teller, as_of, open_debt
from wufeng.credit.lines.model import Line
from wufeng.credit.products.versions import Versions
from wufeng.credit.repayments.model import Spread
from wufeng.credit.repayments.rules import brought_up, settle_plan


def fold(line: Line, events: Sequence[Event], versions: Versions, on: date) -> Standing:
    """All that a line's events have made of it by a date.

    line    with the terms it has today; what events make of it (arrears, the next bill) is taken from them alone, but
            for a bill whose close is late: no bill is made for a date that has been closed
    events  in their order (`in_order`)
    """
    return fold_by(Teller(line, versions), events, on)


def fold_by(teller: Teller, events: Sequence[Event], on: date) -> Standing:
    """The `fold` of a line's events by who has told much of them already."""
    line, versions = teller.line, teller.versions
    whole = all_returned(covered(teller, events), line.lenders)
    standing = teller.told(whole, len(events))
    late_on = line.next_bill_on if line.next_bill_on is not None and line.next_bill_on <= on else None
    expecting = replace(standing, line=replace(standing.line, next_bill_on=late_on))
    return as_of(expecting, versions, on)


def settling(teller: Teller, events: Sequence[Event], place: int, plan: UUID, on: date) -> Spread | None:
    """What settles a plan as it stood at a place among a line's events, which is of that date; None where no instalment
    of it was to come. A `Repaid` at that place, of just that amount, does it.
    """
    standing = teller.told(covered(teller, events), place)
    if plan not in standing.draws:
        return None
    debt = brought_up(open_debt(standing, [plan]), teller.versions.contract, on)
    return settle_plan(debt, plan, teller.versions, on)
