"""A line's debt as a fold of its events."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from msgspec.structs import replace

from wufeng.credit.history.covering import covered
from wufeng.credit.history.model import Drawn, Event, Refunded, Standing
from wufeng.credit.history.telling import as_of, open_debt, told
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
    standing = told(line, _all_returned(covered(line, events, versions)), versions, len(events))
    late_on = line.next_bill_on if line.next_bill_on is not None and line.next_bill_on <= on else None
    expecting = replace(standing, line=replace(standing.line, next_bill_on=late_on))
    return as_of(expecting, versions, on)


def _all_returned(events: Sequence[Event]) -> Sequence[Event]:
    """The events, in which an undo that is told now and leaves nothing of its purchase gives the merchant back all of
    the subsidy that no refund of it has: no charge of it is kept.
    """
    return [
        replace(event, subsidy_returned_minor=_left_of_subsidy(events, event))
        if isinstance(event, Refunded) and event.undone and event.subsidy_returned_minor is None
        else event
        for event in events
    ]


def _left_of_subsidy(events: Sequence[Event], undo: Refunded) -> int | None:
    """What was paid of it less what was given back as told; None where something of the purchase is left."""
    ids, refunds = set(undo.draw_ids), [event for event in events if isinstance(event, Refunded)]
    while more := {id_ for one in refunds if not ids.isdisjoint(one.draw_ids) for id_ in one.draw_ids} - ids:
        ids |= more
    draws = [event.draw for event in events if isinstance(event, Drawn) and event.draw.id in ids]
    given = [one for one in refunds if not ids.isdisjoint(one.draw_ids)]
    refunded_minor = sum(one.amount_minor - one.uncovered_minor for one in given)
    if refunded_minor < sum(sum(draw.principal_parts) for draw in draws):
        return None
    returned_minor = sum(one.subsidy_returned_minor or 0 for one in given)
    return sum(draw.unearned_minor for draw in draws) - returned_minor


def settling(
    line: Line, events: Sequence[Event], place: int, plan: UUID, versions: Versions, on: date
) -> Spread | None:
    """What settles a plan as it stood at a place among a line's events, which is of that date; None where no instalment
    of it was to come. A `Repaid` at that place, of just that amount, does it.
    """
    standing = told(line, covered(line, events, versions), versions, place)
    if plan not in standing.draws:
        return None
    return settle_plan(brought_up(open_debt(standing, [plan]), versions.contract, on), plan, versions, on)
