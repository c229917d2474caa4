"""The order of a line's history: by numbers, whatever ids and dates say, and however late the closes were."""

from datetime import date
from random import Random
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.credit.history.lives import LATE, LINE, SCENES, WALLET, Plot, Step, lived, plot_of, plots, told
from tests.thorough import examples

from wufeng.credit.debts.issuing import Known
from wufeng.credit.history import places
from wufeng.credit.history.model import BillSplit, DueDaySet, Issued, Repaid
from wufeng.credit.history.places import LAST, Placed
from wufeng.credit.history.rules import fold

BILL = UUID(int=9)


def paid(on: date, seq: int, number: int = 1) -> Placed:
    """Money that counts from a date."""
    return places.booked(Repaid(on, UUID(int=number), WALLET, 100), UUID(int=number), seq)


def billed(on: date, seq: int | None) -> Placed:
    """The bill of a date."""
    return places.issued(Issued(on, BILL, Known(on)), seq)


@settings(
    max_examples=examples(150, 5_000),
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@given(plots(scenes=(*SCENES, *LATE, *LATE)), st.integers())
def test_any_history_comes_back_into_its_order(plot: Plot, seed: int) -> None:
    """Late closes, captures of older orders, settlements and changes of the due day on one day: rows are the fold."""
    note(told(plot))
    clerk = lived(plot)
    shuffled = list(clerk.placed)
    Random(seed).shuffle(shuffled)
    events = [one.event for one in places.in_order(shuffled)]
    standing = fold(clerk.opened, events, clerk.versions, clerk.on)
    for bill in clerk.bills.values():
        assert replace(standing.bills[bill.id], wake_on=None) == replace(bill, wake_on=None)
    assert standing.draws == clerk.draws
    assert standing.items == clerk.items
    assert standing.credit_balance_minor == clerk.credit_minor


def test_numbers_say_what_came_first_in_a_day() -> None:
    on = date(2026, 10, 1)
    move = places.moved(DueDaySet(on, 10, None, 20, seq=5), LINE)
    history = [paid(on, 7, 1), billed(on, 6), move, paid(on, 5, 3)]
    assert places.in_order(history) == (paid(on, 5, 3), move, billed(on, 6), paid(on, 7, 1))


def test_money_stands_where_its_bank_was_asked() -> None:
    """After what came before that. A late close has found it once it was booked."""
    on, next_on = date(2026, 10, 1), date(2026, 10, 2)
    asked = replace(paid(next_on, 0, 4).event, asked_seq=5)
    history = [paid(next_on, 5, 1), paid(next_on, 6, 3), places.repaid(asked, 9)]
    assert [one.of.int for one in places.in_order(history)] == [1, 4, 3]
    for seq, stands_on in ((8, on), (9, next_on)):
        *_, late_bill = sorted(
            places.in_order([places.repaid(asked, 9), billed(on, seq)]), key=lambda one: one.seq
        )
        assert late_bill.on == stands_on


def test_what_has_no_number_is_the_first_of_its_day() -> None:
    on = date(2026, 10, 1)
    move = places.moved(DueDaySet(on, 10, None, 20), LINE)
    assert places.in_order([paid(on, 1), move, billed(on, None)]) == (billed(on, None), move, paid(on, 1))


def test_a_late_bill_stands_after_what_it_found() -> None:
    first, second = date(2026, 10, 1), date(2026, 10, 2)
    history = places.in_order([billed(first, 4), paid(second, 4), paid(second, 5, 2)])
    assert [one.event.on for one in history] == [second, first, second]
    late = paid(first, LAST, 3)
    assert places.inserted(history, late) == (late, *history)
    assert places.in_order([late, *history]) == (late, *history)


def test_a_bill_that_was_in_time_stands_before_money_dated_back_to_its_day() -> None:
    on = date(2026, 10, 1)
    history = (billed(on, 4), paid(date(2026, 10, 3), 8))
    late = paid(on, 9, 2)
    assert (
        places.in_order([late, *history]) == (history[0], late, history[1]) == places.inserted(history, late)
    )


def test_a_late_close_and_an_older_order() -> None:
    """As the property above has it, in one life that always is there."""
    plot = plot_of(
        "monthly_bill",
        Step(0, "order", 0),
        Step(0, "buy", 32_000),
        Step(1, "capture", 30_000),
        Step(0, "to_eve", 0),
        Step(0, "stay_open", 0, 1),
        Step(0, "pay", 41_000),
        Step(0, "buy", 5_000),
        after=3,
    )
    clerk = lived(plot)
    events = [one.event for one in places.in_order(reversed(clerk.placed))]
    assert [type(one) for one in events] == [type(one) for one in clerk.events]
    assert any(one.event.on != one.on for one in places.in_order(clerk.placed)), "a bill was late"


@pytest.mark.parametrize("days_after_bill", [0, 2], ids=["on the bill's day", "two days after"])
def test_a_plan_of_a_bill_is_there_for_what_settles_it_on_its_day(days_after_bill: int) -> None:
    """It stands after its bill and before all else of its day: money that ends it finds it, whatever came between."""
    plot = plot_of(
        "monthly_bill",
        Step(0, "buy", 90_000),
        Step(0, "to_bill", 0, days_after_bill),
        Step(0, "pay", 1_000),
        Step(0, "split", 0),
        Step(0, "settle", 0, 1),
        Step(0, "buy", 7_000),
        after=40,
    )
    clerk = lived(plot)
    assert [one.plan for one in clerk.events if isinstance(one, Repaid)] == [None, list(clerk.draws)[1]]
    events = [one.event for one in places.in_order(reversed(clerk.placed))]
    kinds = [type(one) for one in events]
    assert kinds.index(Issued) < kinds.index(BillSplit) < kinds.index(Repaid)
    assert fold(clerk.opened, events, clerk.versions, clerk.on).draws == clerk.draws
