"""What of refunds is not covered is found by telling little of a line anew, and telling it anew changes nothing."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.credit.history.lives import DAY, EXTERNAL, WALLET, Clerk, Plot, lived, plot_of, plots, told

from wufeng.base.errors import Problem
from wufeng.credit.history import telling
from wufeng.credit.history.covering import covered
from wufeng.credit.history.model import BillSplit, Event, Refunded, Repaid, SentBack, Standing
from wufeng.credit.history.rules import fold, fold_by
from wufeng.credit.history.telling import Teller
from wufeng.credit.repayments.model import Target


def sent_later(events: Sequence[Event], days: int) -> list[Event]:
    """The events, in which what refunds gave back as money went back so many days later."""
    dated: list[tuple[Event, int]] = []
    for event in events:
        if isinstance(event, Refunded) and event.returned_minor:
            on, amount_minor = event.on + days * DAY, event.returned_minor
            back = tuple(replace(one, sending=1, on=on) for one in event.returned)
            dated.append((replace(event, returned=back, made_on=on), 0))
            dated.append((SentBack(on, event.refund_id, amount_minor), 1))
        else:
            dated.append((event, 0))
    return [event for event, _ in sorted(dated, key=lambda one: (one[0].on, one[1]))]


def without(events: Sequence[Event], gone: set[UUID]) -> list[Event]:
    """The events without some repayments."""
    return [event for event in events if not isinstance(event, Repaid) or event.repayment_id not in gone]


def outcome(clerk: Clerk, events: Sequence[Event], teller: Teller | None = None) -> Standing | str:
    """What comes of some events, of which not all need have been: or why nothing does."""
    try:
        if teller is None:
            return fold(clerk.opened, events, clerk.versions, clerk.on)
        return fold_by(teller, events, clerk.on)
    except (Problem, AssertionError, LookupError) as error:
        return repr(error)


@settings(max_examples=60)
@given(plots(), st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 2)), min_size=2, max_size=5))
def test_who_has_told_much_already_tells_the_same(plot: Plot, others: list[tuple[int, int]]) -> None:
    note(told(plot))
    clerk = lived(plot)
    teller = Teller(clerk.opened, clerk.versions)
    repaid = [event.repayment_id for event in clerk.events if isinstance(event, Repaid)]
    for bits, days in [(0, 0), *others]:
        gone = {id_ for n, id_ in enumerate(repaid) if bits >> n & 1}
        events = without(sent_later(clerk.events, days) if days else clerk.events, gone)
        assert outcome(clerk, events, teller) == outcome(clerk, events)


@pytest.mark.parametrize("before", [0, 1], ids=["after the bill", "before it"])
def test_a_plan_to_come_is_seen_by_money_before_it(before: int) -> None:
    clerk = Clerk(plot_of("monthly_bill"))
    clerk.buy(60_000, 0)
    draw = clerk.buy(20_000, 0)
    if before:
        clerk.refund((draw,), 5_000)
    clerk.turn_to(clerk.on + timedelta(days=clerk.days_to_bill(1)))
    if not before:
        clerk.refund((draw,), 5_000)
    clerk.split_bill(3)
    *earlier, plan = clerk.events
    assert isinstance(plan, BillSplit)
    place = next(n for n, event in enumerate(earlier) if isinstance(event, Refunded))
    money = Repaid(earlier[place - 1].on, clerk.new_id(), WALLET, 50_000)
    late = [*earlier[:place], money, *earlier[place:]]
    assert_told_the_same(Teller(clerk.opened, clerk.versions), late, [*late, plan], late)


def test_a_line_begins_with_the_days_that_it_had() -> None:
    clerk = Clerk(plot_of("monthly_bill"))
    draw = clerk.buy(60_000, 0)
    clerk.refund((draw,), 5_000)
    clerk.move_due_day(20)
    assert_told_the_same(Teller(clerk.line, clerk.versions), clerk.events, clerk.events[:2])


def assert_told_the_same(teller: Teller, *stories: Sequence[Event]) -> None:
    """One who tells stories one after the other tells of each what one does who has told none."""
    for events in stories:
        told_anew = Teller(teller.line, teller.versions).told(events, len(events))
        assert teller.told(events, len(events)) == told_anew


def test_money_that_is_short_is_told_anew_from_before_it_was() -> None:
    clerk, gone = many_refunds(1, 3)
    events = without(sent_later(clerk.events, 3), gone)
    teller = Teller(clerk.opened, clerk.versions)
    assert teller.told(events, len(events)).short
    (_, begun), *anew = teller.after_each(events, len(events))
    assert not begun.short and any(standing.short for _, standing in anew)
    counts = [count for count, _ in anew]
    assert counts == list(range(counts[0], len(events) + 1)) and counts[0] > 1


def many_refunds(months: int, each: int) -> tuple[Clerk, set[UUID]]:
    """A life in which purchases are repaid and half of each refunded, with plans of bills; and these repayments."""
    clerk, gone = Clerk(plot_of("monthly_bill")), set()
    for month in range(months):
        for number in range(each):
            draw = clerk.buy(30_000 + 100 * number, 0)
            gone.add(clerk.repay(30_000 + 100 * number))
            clerk.turn_to(clerk.on + timedelta(days=1))
            clerk.refund((draw,), 15_000)
        clerk.buy(50_000, 0)
        clerk.turn_to(clerk.on + timedelta(days=max(1, clerk.days_to_bill(1))))
        if month % 2 == 0:
            clerk.split_bill(3)
        if owed_minor := clerk.owed(Target.BILLED):
            clerk.repay(owed_minor, EXTERNAL)
    return clerk, gone


@pytest.fixture
def applied(monkeypatch: pytest.MonkeyPatch) -> list[Event]:
    """The events that are told, in their order, each as often as it is."""
    seen: list[Event] = []
    apply = telling.apply

    def counted(standing: Standing, event: Event, *more: object) -> Standing:
        seen.append(event)
        return apply(standing, event, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(telling, "apply", counted)
    return seen


def test_refunds_that_nothing_covers_are_found_by_telling_little_anew(applied: list[Event]) -> None:
    clerk, gone = many_refunds(8, 6)
    events = without(sent_later(clerk.events, 3), gone)
    applied.clear()
    whole = covered(Teller(clerk.opened, clerk.versions), events)
    lowered = [event for event in whole if isinstance(event, Refunded) and event.uncovered_minor]
    assert len(lowered) >= 20, "much has gone back that was not there"
    assert len(applied) < 4 * len(events), "each event is told a few times, however many refunds there are"


def test_a_fold_tells_each_event_once_where_nothing_is_missing(applied: list[Event]) -> None:
    clerk, _ = many_refunds(4, 3)
    events = [event for event in clerk.events if not isinstance(event, BillSplit)]
    applied.clear()
    fold(clerk.opened, events, clerk.versions, clerk.on)
    assert len(applied) == len(events)
