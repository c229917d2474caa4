"""What is left alone because a plan has taken it over: principal of a bill that its person put into instalments.

The plan is the person's decision and stays as it was. So money, a refund or a credit balance that a rewritten history
has before it pays everything of the bill but that principal; what is left over goes on by the product's order. Before
the bill is issued the principal stands on the draws that the bill will take: the newest of them keep it.

In the history as it was lived this changes nothing: so much was still unpaid when the plan was made.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from wufeng.credit.bills.model import Bill, BillStatus
from wufeng.credit.bills.rules import accrue, minimum_of, status_of
from wufeng.credit.draws.model import Draw
from wufeng.credit.draws.rules import accrue_draw, billable, calendar_of
from wufeng.credit.history.model import BillSplit, Delivered, Drawn, Event, Issued, Refunded
from wufeng.credit.lines.model import Line
from wufeng.credit.products.model import Minimum, Rest
from wufeng.credit.products.versions import Versions
from wufeng.credit.repayments.model import Debt


class Source(Struct, frozen=True):
    """A draw that a bill takes. place: of its event; left_minor: of its amount, after all refunds before the plan."""

    draw_id: UUID
    place: int
    left_minor: int


class Reserve(Struct, frozen=True):
    """What plans take over of one bill.

    splits     the place of each plan's event, and its amount
    draws      what the bill takes, the newest first; empty where a bill takes a share of what is used only
    seen_from  the place of the first event that may see it: of the first of those draws, or of the bill
    """

    bill_id: UUID
    splits: tuple[tuple[int, int], ...]
    draws: tuple[Source, ...]
    seen_from: int

    def amount_at(self, place: int) -> int:
        """What plans to come take over, seen from an event."""
        return sum(amount_minor for split, amount_minor in self.splits if split > place)


class Withheld(Struct, frozen=True):
    """A debt without reserved principal, and how much of it each bill and draw has left out.

    whole  the debt with it, as it was: the stretches of its interest run
    """

    debt: Debt
    bills: Mapping[UUID, Bill]
    draws: Mapping[UUID, int]
    whole: Debt


def reserves_of(events: Sequence[Event], line: Line, versions: Versions) -> tuple[Reserve, ...]:
    """The reserves of a history."""
    splits: dict[UUID, list[tuple[int, int]]] = {}
    for place, event in enumerate(events):
        if isinstance(event, BillSplit):
            splits.setdefault(event.bill_id, []).append((place, event.draw.amount_minor))
    if not splits:
        return ()
    taken = {} if versions.contract.minimum.rest is Rest.DRAW else _taken(events, line, versions)
    made = {event.bill_id: place for place, event in enumerate(events) if isinstance(event, Issued)}
    reserves = []
    for bill_id, places in splits.items():
        left = _left_after_refunds(events[: places[-1][0]])
        sources = [Source(id_, place, left[id_]) for id_, place in reversed(taken.get(bill_id, ()))]
        seen_from = min((made.get(bill_id, 0), *(source.place for source in sources)))
        reserves.append(Reserve(bill_id, tuple(places), tuple(sources), seen_from))
    return tuple(reserves)


def _taken(events: Sequence[Event], line: Line, versions: Versions) -> dict[UUID, list[tuple[UUID, int]]]:
    """The draws without instalments that each bill takes, with the places of their events, in the order of their ids:
    so money pays them, whenever their payments were captured."""
    waiting: dict[UUID, tuple[Draw, int]] = {}
    taken: dict[UUID, list[tuple[UUID, int]]] = {}
    for place, event in enumerate(events):
        if isinstance(event, Drawn) and event.draw.tenor == 1:
            waiting[event.draw.id] = event.draw, place
        elif isinstance(event, Delivered) and event.draw_id in waiting:
            draw, drawn = waiting[event.draw_id]
            calendar = calendar_of(line, versions.of(draw.product_version))
            waiting[draw.id] = billable(draw, calendar, event.on), drawn
        elif isinstance(event, Issued):
            ready = [id_ for id_, (draw, _) in waiting.items() if _takes(draw, event.on)]
            taken[event.bill_id] = [(id_, waiting.pop(id_)[1]) for id_ in sorted(ready)]
    return taken


def _takes(draw: Draw, issued_on: date) -> bool:
    """Whether a bill of a date takes a draw without instalments."""
    if draw.billable_on is None or draw.billable_on >= issued_on:
        return False
    return not draw.bill_dates or draw.bill_dates[0] <= issued_on


def _left_after_refunds(events: Sequence[Event]) -> dict[UUID, int]:
    """What refunds have left of the amount of each draw, by the order in which they take it."""
    left: dict[UUID, int] = {}
    for event in events:
        if isinstance(event, Drawn):
            left[event.draw.id] = event.draw.amount_minor
        elif isinstance(event, Refunded):
            amount_minor = event.amount_minor - event.uncovered_minor
            for draw_id in reversed(event.draw_ids):
                part_minor = min(amount_minor, left[draw_id])
                left[draw_id] -= part_minor
                amount_minor -= part_minor
    return left


def withhold(
    debt: Debt, issued: Mapping[UUID, Bill], reserves: Sequence[Reserve], place: int, on: date
) -> Withheld:
    """The debt as an event sees it that must leave reserved principal alone. issued: all bills there are by now."""
    if not reserves:
        return Withheld(debt, {}, {}, debt)
    bills = {bill.id: bill for bill in debt.bills}
    draws = {draw.id: draw for draw in debt.draws}
    kept_bills: dict[UUID, Bill] = {}
    kept_draws: dict[UUID, int] = {}
    for reserve in reserves:
        amount_minor = reserve.amount_at(place)
        if not amount_minor:
            continue
        if reserve.bill_id in issued:
            if (bill := bills.get(reserve.bill_id)) is not None:
                kept_bills[bill.id] = bill = accrue(bill, on)
                kept_minor = min(amount_minor, bill.single_minor, bill.unpaid_principal_minor)
                bills[bill.id] = replace(bill, single_minor=bill.single_minor - kept_minor)
            continue
        for id_, kept_minor in _on_draws(reserve, draws, amount_minor, place).items():
            kept_draws[id_] = kept_minor
            draws[id_] = _less(accrue_draw(draws[id_], on), kept_minor)
    without = replace(debt, bills=tuple(bills.values()), draws=tuple(draws.values()))
    return Withheld(without, kept_bills, kept_draws, debt)


def _on_draws(reserve: Reserve, draws: Mapping[UUID, Draw], amount_minor: int, place: int) -> dict[UUID, int]:
    """How much of a bill's reserve each draw keeps that is there already: the newest first."""
    amount_minor -= sum(source.left_minor for source in reserve.draws if source.place >= place)
    kept: dict[UUID, int] = {}
    for source in reserve.draws:
        draw = draws.get(source.draw_id)
        if amount_minor > 0 and draw is not None and source.place < place:
            kept_minor = min(amount_minor, draw.unbilled_minor, source.left_minor)
            if kept_minor:
                kept[draw.id] = kept_minor
            amount_minor -= kept_minor
    return kept


def _less(draw: Draw, amount_minor: int) -> Draw:
    """A draw without instalments, with so much less of it to be billed; a negative amount gives it back."""
    *earlier, last_minor = draw.principal_parts
    parts = (*earlier, last_minor - amount_minor)
    return replace(draw, principal_parts=parts, unbilled_minor=draw.unbilled_minor - amount_minor)


def hand_back(debt: Debt, withheld: Withheld, minimum: Minimum, on: date) -> Debt:
    """A debt after an event, with the reserved principal that it was not to see."""
    if not (withheld.bills or withheld.draws):
        return debt
    was = {bill.id: bill for bill in withheld.debt.bills}
    bills = tuple(
        _whole(bill, withheld.bills[bill.id], was[bill.id], minimum, on)
        if bill.id in withheld.bills
        else bill
        for bill in debt.bills
    )
    draws = tuple(
        _less(draw, -withheld.draws[draw.id]) if draw.id in withheld.draws else draw for draw in debt.draws
    )
    return replace(debt, bills=bills, draws=draws)


def still_running(debt: Debt, withheld: Withheld, on: date) -> Debt:
    """A debt with its reserved principal again, after an event that was no spread of money: where it has changed
    nothing of a bill or draw, it has not ended the running stretch of its interest either.
    """
    was = {bill.id: bill for bill in withheld.whole.bills if bill.id in withheld.bills}
    draws = {draw.id: draw for draw in withheld.whole.draws if draw.id in withheld.draws}
    return replace(
        debt,
        bills=tuple(_running_as(was[bill.id], bill) if bill.id in was else bill for bill in debt.bills),
        draws=tuple(
            draws[draw.id] if draw.id in draws and draw == accrue_draw(draws[draw.id], on) else draw
            for draw in debt.draws
        ),
    )


def _running_as(was: Bill, bill: Bill) -> Bill:
    """A bill with the stretch that ran before, if nothing that stands on it has changed: its minimum may have."""
    if bill.total_minor != was.total_minor:
        return bill
    return replace(bill, accrued_on=was.accrued_on, segments=was.segments)


def _whole(bill: Bill, before: Bill, withheld: Bill, minimum: Minimum, on: date) -> Bill:
    """A bill with its reserved principal again: it is paid, or its minimum is, as that principal says."""
    kept_minor = before.single_minor - withheld.single_minor
    bill = replace(bill, single_minor=bill.single_minor + kept_minor, wake_on=before.wake_on)
    if bill.status is not BillStatus.OVERDUE:
        bill = replace(bill, status=before.status)
    return status_of(replace(bill, minimum_minor=minimum_of(minimum, bill)), on)
