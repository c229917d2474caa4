"""What holds of every history: money is conserved, lateness does not matter, what never happened leaves no trace."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, assume, given, note, settings
from hypothesis import strategies as st
from msgspec import structs
from msgspec.structs import replace
from tests.credit.history.lives import (
    DAY,
    Clerk,
    Plot,
    Step,
    lived,
    plot_of,
    plots,
    told,
)
from tests.thorough import examples

from wufeng.credit.accruals.rules import accrued_micro, interest_to_bill
from wufeng.credit.bills.model import Bill, BillStatus
from wufeng.credit.draws.model import Draw
from wufeng.credit.history.model import Drawn, Event, Issued, Refunded, Repaid, ReturnKept, Standing
from wufeng.credit.history.rules import fold
from wufeng.credit.products.model import Part, Product
from wufeng.credit.repayments.model import Debt, Paid, Target
from wufeng.credit.repayments.rules import order_at, spread

NOBODY = UUID(int=0)

many = settings(
    max_examples=examples(40, 1_000), deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


def folded(clerk: Clerk, events: Sequence[Event]) -> Standing:
    """A clerk's line with other events."""
    return fold(clerk.opened, events, clerk.versions, clerk.on)


def total(events: Sequence[Event], kind: type[Any]) -> int:
    """The sum of the amounts of some events."""
    return sum(event.draw.amount_minor if kind is Drawn else event.amount_minor for event in of(events, kind))


def of(events: Sequence[Event], kind: type[Any]) -> list[Any]:
    """The events of one kind."""
    return [event for event in events if isinstance(event, kind)]


@many
@given(plots())
def test_money_is_conserved(plot: Plot) -> None:
    """Drawn and charged is paid, given back or owed; what was refunded is off the draws' parts to the fen."""
    note(told(plot))
    clerk = lived(plot)
    standing = folded(clerk, clerk.events)
    returned = sum(back.amount_minor for event in of(clerk.events, Refunded) for back in event.returned)
    came = sum(total(clerk.events, kind) for kind in (Repaid, Refunded, ReturnKept))
    stayed = came - returned - standing.credit_balance_minor
    charged = standing.charged.interest_minor + standing.charged.fee_minor
    owed = standing.principal_minor + standing.interest_owed_minor + standing.fee_owed_minor
    cancelled = standing.lost_cancelled_minor  # fees of a loss, owed no longer though charged
    assert total(clerk.events, Drawn) + charged == owed + stayed + cancelled
    if (
        standing.lost is not None
    ):  # drawn = repaid + refunded + charged off + outstanding: now none stands in the books
        assert standing.recovered_minor + cancelled + owed == standing.lost.total_minor
    parts = sum(sum(draw.principal_parts) for draw in standing.draws.values() if draw.of_bill is None)
    assert parts + total(clerk.events, Refunded) == total(clerk.events, Drawn)


@many
@given(plots())
def test_nothing_is_negative_and_states_say_what_amounts_do(plot: Plot) -> None:
    note(told(plot))
    clerk = lived(plot)
    standing = folded(clerk, clerk.events)
    assert standing.credit_balance_minor >= 0
    for bill in standing.bills.values():
        amounts = {name: value for name, value in structs.asdict(bill).items() if name.endswith("_minor")}
        assert min(value for value in amounts.values() if value is not None) >= 0, amounts
        assert min(bill.unpaid_principal_minor, bill.unpaid_fee_minor, bill.unpaid_interest_minor) >= 0
        assert (bill.status is BillStatus.PAID) is (bill.unpaid_minor == 0)
        assert all(segment.days > 0 and segment.balance_minor > 0 for segment in bill.segments)
        assert interest_to_bill(bill, clerk.on) >= 0 and accrued_micro(bill, clerk.on) >= 0
        items = standing.items[bill.id].items
        assert bill.single_minor + bill.instalment_minor <= sum(item.principal_minor for item in items)
        assert bill.fee_minor <= sum(item.fee_minor for item in items)
    for draw in standing.draws.values():
        every = (*draw.principal_parts, *draw.fee_parts, *draw.interest_parts, *draw.subsidy_parts)
        assert min(every) >= 0 and draw.unbilled_minor >= 0 and draw.prepaid_minor >= 0
        to_come = sum(draw.principal_parts[part] for part in draw.unbilled_parts)
        assert draw.unbilled_minor + draw.prepaid_minor == to_come
        assert len(draw.bills) == draw.billed_parts
        assert draw.interest_billed_minor >= 0


@many
@given(plots())
def test_a_plan_is_what_was_bought_to_the_fen(plot: Plot) -> None:
    """Parts sum to the price; until something is refunded, ended or lost, bills and what is to come are all its fee."""
    note(told(plot))
    clerk = lived(plot)
    refunded = {id_ for event in of(clerk.events, Refunded) for id_ in event.draw_ids}
    ended = {
        piece.draw
        for pieces in clerk.allocations.values()
        for piece in pieces
        if piece.part in (Paid.FEE_DROPPED, Paid.DAILY_INTEREST)
    }
    for event in of(clerk.events, Drawn):
        assert sum(event.draw.principal_parts) == event.draw.amount_minor
        after = clerk.draws[event.draw.id]
        if after.id in refunded | ended or clerk.is_lost:  # a loss ends all plans
            continue
        assert sum(after.principal_parts) == event.draw.amount_minor
        assert (after.fee_parts, after.interest_parts) == (event.draw.fee_parts, event.draw.interest_parts)
        billed = [item for one in clerk.items.values() for item in one.items if item.draw_id == after.id]
        assert sum(item.fee_minor for item in billed) == sum(after.fee_parts[: after.billed_parts])
        assert sum(item.interest_minor for item in billed) == sum(after.interest_parts[: after.billed_parts])


@many
@given(plots(max_steps=9), st.integers(1, 150_000))
def test_the_waterfall_exhausts_each_step_before_the_next(plot: Plot, money_minor: int) -> None:
    note(told(plot))
    clerk = lived(plot)
    before = clerk.debt()
    done = spread(before, money_minor, clerk.versions, clerk.on)
    after = done.debt
    assert done.paid_minor + done.surplus_minor == money_minor
    assert_bills_in_order(before, after, plot.product, clerk.on)
    if done.sum_of(Paid.LATE_INTEREST, Paid.DAILY_INTEREST, Paid.UNBILLED) or done.surplus_minor:
        assert after.billed_minor == 0
    if done.sum_of(Paid.UNBILLED) or done.surplus_minor:
        assert all(interest_to_bill(one, clerk.on) == 0 for one in (*after.bills, *after.draws))
    near = [draw for draw in after.draws if draw.tenor == 1]
    far = {draw.id for draw in after.draws if draw.tenor > 1}
    paid_far = any(piece.part is Paid.UNBILLED and piece.draw in far for piece in done.allocation)
    if paid_far or done.surplus_minor:
        assert all(draw.unbilled_minor == 0 for draw in near)
    if done.surplus_minor and plot.product.repayment.to_instalments:
        assert after.principal_minor == 0


def assert_bills_in_order(before: Debt, after: Debt, product: Product, on: date) -> None:
    """Past due first, then the oldest; inside a bill part by part: after one that is not exhausted nothing is paid."""
    was = {bill.id: bill for bill in before.bills}
    turns: list[tuple[int, int]] = []
    for bill in sorted(after.bills, key=lambda bill: (bill.due_on >= on, bill.issued_on, bill.id)):
        for part in order_at(product.repayment.waterfall, max(0, (on - bill.due_on).days)):
            left = unpaid(bill, part)
            turns.append((unpaid(was[bill.id], part) - left, left))
    stopped = [n for n, (_, left) in enumerate(turns) if left]
    assert not stopped or all(paid == 0 for paid, _ in turns[stopped[0] + 1 :])


def unpaid(bill: Bill, part: Part) -> int:
    """What is owed of a part; interest charged with the money is paid with it."""
    return {
        Part.FEE: bill.unpaid_fee_minor,
        Part.INTEREST: bill.unpaid_interest_minor,
        Part.PRINCIPAL: bill.unpaid_principal_minor,
    }[part]


# Lateness.


def facts(plot: Plot) -> Plot:
    """The plot with nothing that is decided by what is owed, and money that nothing is given back to.

    What has been decided stays when money comes late: plans and losses are compared with the oracle's instead.
    """
    arrears = replace(plot.product.arrears, charge_off_after_days=None)
    steps = tuple(plain(step) for step in plot.steps)
    return replace(plot, steps=steps, product=replace(plot.product, arrears=arrears))


def plain(step: Step) -> Step:
    """A step that does the same whatever is owed."""
    if step.what == "settle" or step.what.startswith("pay"):
        return replace(step, what="pay", number=0)
    return replace(step, what="wait") if step.what in ("to_bill", "split", "due_day", "raise_over") else step


def lives_with_and_without(plot: Plot, place: int, minor: int) -> tuple[Clerk, Clerk, Repaid]:
    """Two lives of one plot: with a repayment as the last event of the day of a step, and without it."""
    plot = facts(plot)
    place = place % len(plot.steps)
    while place + 1 < len(plot.steps) and plot.steps[place + 1].gap == 0:
        place += 1
    paying = Step(0, "pay", minor, 0)
    steps = plot.steps
    with_it = lived(replace(plot, steps=(*steps[: place + 1], paying, *steps[place + 1 :])))
    without = lived(plot)
    on = plot.start + sum(step.gap for step in steps[: place + 1]) * DAY
    (one,) = [event for event in of(with_it.events, Repaid) if event.on == on][-1:]
    return with_it, without, one


def inserted(events: Sequence[Event], one: Repaid) -> list[Event]:
    """The events with a repayment more, at the end of its value date: the rule of `history.commands.rewritten`."""
    one = replace(one, repayment_id=UUID(int=99))  # each life numbers its own events
    place = next((n for n, event in enumerate(events) if event.on > one.on), len(events))
    return [*events[:place], one, *events[place:]]


def dates(events: Sequence[Event]) -> dict[date, date]:
    """When bills were issued, and when they are due."""
    return {event.on: event.known.due_on for event in of(events, Issued)}


def gone(events: Sequence[Event]) -> list[int]:
    """What refunds have given back to merchants of their part of fees: that has gone, and no history calls it back."""
    return [event.subsidy_returned_minor for event in of(events, Refunded)]


def rows(standing: Standing) -> dict[str, object]:
    """A standing without ids: bills by their date, draws and money in their order; bills of nothing left out.

    So is the date on which the line was last touched: that of such a bill may be the last.
    """
    names: dict[UUID | None, object] = {None: None}
    names |= {bill.id: bill.issued_on for bill in standing.bills.values()}
    names |= {id_: n for n, id_ in enumerate(sorted(standing.draws))}
    bills = [bill for bill in standing.bills.values() if bill.total_minor or standing.items[bill.id].items]
    return {
        "bills": {
            bill.issued_on: replace(bill, id=NOBODY, wake_on=bill.wake_on and date.max) for bill in bills
        },
        "items": {bill.issued_on: items_of(standing, bill.id, names) for bill in bills},
        "draws": [row_of(draw, names) for _, draw in sorted(standing.draws.items())],
        "paid": [
            sorted(
                (piece.part, piece.amount_minor, str(names[piece.bill]), str(names[piece.draw]))
                for piece in pieces
            )
            for pieces in standing.allocations.values()
        ],
        "charged": standing.charged,
        "credit": standing.credit_balance_minor,
        "line": replace(standing.line, touched_on=None),
    }


def row_of(draw: Draw, names: Mapping[UUID | None, object]) -> object:
    """A draw without ids."""
    return replace(draw, id=NOBODY, bills=()), [names[bill] for bill in draw.bills]


def items_of(standing: Standing, bill_id: UUID, names: Mapping[UUID | None, object]) -> object:
    """What stood on a bill, without ids."""
    found = standing.items[bill_id]
    parts = [(names[item.draw_id], replace(item, draw_id=NOBODY)) for item in found.items]
    return parts, sorted((str(names[one.of]), one.amount_minor) for one in found.interest)


def assert_same(one: Standing, other: Standing) -> None:
    """Two histories have come to the same rows; repayments in whatever order they were made."""
    first, second = rows(one), rows(other)
    first["paid"], second["paid"] = sorted(first["paid"]), sorted(second["paid"])
    for name in first:
        assert first[name] == second[name], name


@many
@given(plots(), st.integers(0, 15), st.integers(1, 120_000))
def test_money_that_comes_late_gives_what_it_would_have_in_time(plot: Plot, place: int, minor: int) -> None:
    """Bills were issued, due dates passed, other money came in between: rows, stretches of interest, all is the same.

    What was issued is a fact: only where the timely line has no bill that the other lacks can they be the same. (Where
    the other has one more, nothing of it is left.)
    """
    note(told(plot) + f"\npaid {minor} after step {place % len(plot.steps)}")
    timely, late, one = lives_with_and_without(plot, place, minor)
    assume(dates(timely.events).items() <= dates(late.events).items())
    assume(gone(timely.events) == gone(late.events))
    assert_same(folded(late, inserted(late.events, one)), folded(timely, timely.events))


@many
@given(plots(), st.integers(0, 15), st.integers(1, 120_000))
def test_money_taken_back_was_never_there(plot: Plot, place: int, minor: int) -> None:
    note(told(plot) + f"\npaid {minor} after step {place % len(plot.steps)}")
    paid, never, one = lives_with_and_without(plot, place, minor)
    assume(dates(never.events).items() <= dates(paid.events).items())
    assume(gone(never.events) == gone(paid.events))
    events = [event for event in paid.events if event is not one]
    assert_same(folded(paid, events), folded(never, never.events))


@many
@given(plots(), st.integers(0, 15), st.integers(1, 120_000))
def test_added_and_taken_away_again_changes_nothing(plot: Plot, place: int, minor: int) -> None:
    """Whatever was issued meanwhile."""
    timely, late, one = lives_with_and_without(plot, place, minor)
    both = inserted(late.events, one)
    again = folded(late, [event for event in both if event in late.events])
    assert len(both) == len(late.events) + 1 and again == folded(late, late.events)
    moved = inserted([event for event in timely.events if event is not one], one)
    assert_same(folded(timely, moved), folded(timely, timely.events))


@many
@given(plots(), st.integers(0, 60))
def test_when_one_looks_does_not_matter(plot: Plot, later: int) -> None:
    """A fold of some days later is what the fold of today becomes by then."""
    clerk = lived(plot)
    on = clerk.on + later * DAY
    assume(clerk.line.next_bill_on is None or on < clerk.line.next_bill_on)
    standing = folded(clerk, clerk.events)
    clerk.turn_to(on)
    seen = folded(clerk, clerk.events)
    assert seen.line == clerk.line
    for id_, bill in clerk.bills.items():
        assert replace(seen.bills[id_], wake_on=None) == replace(bill, wake_on=None)
    assert (standing.draws, standing.charged) == (seen.draws, seen.charged)


# The order of one day.


def swapped(plot: Plot, first: Step, second: Step) -> tuple[Standing, Standing]:
    """A plot that ends with two steps of one day, and with the same two the other way round."""
    plot = facts(plot)
    ends = [
        replace(plot, steps=(*plot.steps, *pair), after=45) for pair in ((first, second), (second, first))
    ]
    one, other = (lived(end) for end in ends)
    return folded(one, one.events), folded(other, other.events)


amounts = st.integers(1, 150_000)


@many
@given(plots(), amounts, amounts)
def test_two_repayments_of_a_day_do_not_mind_their_order(plot: Plot, first: int, second: int) -> None:
    one, other = swapped(plot, Step(0, "pay", first), Step(0, "pay", second))
    assert_same(without_money(one), without_money(other))


def without_money(standing: Standing) -> Standing:
    """A standing but for who paid what: of two of one day the first pays the first part."""
    return replace(standing, allocations={})


@many
@given(plots(), amounts, st.integers(0, 11))
def test_money_for_bills_does_not_mind_a_draw_of_the_same_day(plot: Plot, minor: int, number: int) -> None:
    """As long as bills take all of it. What is left over minds: it pays the draw if the draw was there before it."""
    minor = min(minor, lived(replace(facts(plot), after=0)).owed(Target.BILLED))
    assume(minor)
    one, other = swapped(plot, Step(0, "pay", minor), Step(0, "buy", 50_000, number))
    assert_same(without_money(one), without_money(other))


@many
@given(plots(), st.integers(0, 11), st.integers(0, 11))
def test_two_draws_of_a_day_do_not_mind_their_order(plot: Plot, first: int, second: int) -> None:
    """To the line it is the same; each keeps its place among the draws, the oldest of which are paid first."""
    one, other = swapped(plot, Step(0, "buy", 70_001, first), Step(0, "buy", 70_001, second))
    for name in (
        "principal_minor",
        "interest_owed_minor",
        "fee_owed_minor",
        "charged",
        "credit_balance_minor",
    ):
        assert getattr(one, name) == getattr(other, name), name


@pytest.mark.parametrize(
    ("steps", "owed_minor", "credit_minor"),
    [
        (("pay", "buy"), 10_000, 10_000),  # nothing was owed: it stays in favour, and pays the next bill
        (("buy", "pay"), 0, 0),
    ],
)
def test_money_left_over_minds_a_draw_of_the_same_day(
    steps: Sequence[str], owed_minor: int, credit_minor: int
) -> None:
    """The order is that of the journals, which nobody can change afterwards; so the fold keeps it."""
    plot = plot_of("monthly_bill", *[Step(0, what, 10_000) for what in steps])
    standing = folded(clerk := lived(plot), clerk.events)
    assert (standing.principal_minor, standing.credit_balance_minor) == (owed_minor, credit_minor)


@pytest.mark.parametrize(
    ("steps", "credit_minor"),
    [
        (("pay", "refund"), 4_000),  # it had been paid: nobody to give it back to
        (("refund", "pay"), 4_000),  # it was no longer owed when the money came
    ],
)
def test_a_refund_and_money_of_one_day_come_to_the_same_balance(
    steps: Sequence[str], credit_minor: int
) -> None:
    what = {"pay": Step(0, "pay", 10_000), "refund": Step(0, "refund", 4_000)}
    plot = plot_of("monthly_bill", Step(0, "buy", 10_000), *[what[one] for one in steps])
    standing = folded(clerk := lived(plot), clerk.events)
    assert (standing.principal_minor, standing.credit_balance_minor) == (0, credit_minor)
