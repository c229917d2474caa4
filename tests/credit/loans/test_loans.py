"""A loan as a fold: what is conserved, and that taking back and dating back are nothing but another fold."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wufeng.credit.loans.model import (
    Charged,
    ChargedBack,
    ChargedOff,
    CreditRefunded,
    Disbursed,
    Event,
    InterestBasis,
    LoanState,
    LoanTerms,
    Moved,
    Paid,
    PaymentKind,
    PostingKind,
    Reaged,
    Reamortised,
    RefundedInCash,
    ScheduleKind,
    Status,
    Waived,
)
from wufeng.credit.loans.rules import fold, preview, recorded, to_pay_off
from wufeng.credit.products.dates import Every
from wufeng.credit.waterfall.model import Component, Future, Processing, Waterfall
from wufeng.credit.waterfall.rules import order_of

PENALTY, FEE, INTEREST, PRINCIPAL = Component
START = date(2024, 1, 1)
BY_THE_BOOK = Waterfall((order_of(list(Component)),))
MONTHLY = LoanTerms(tenor=3, every=Every(months=1), waterfalls={PaymentKind.REPAYMENT: BY_THE_BOOK})


def on(days: int) -> date:
    return START + timedelta(days=days)


def principal_of(state: LoanState) -> list[int]:
    return [row.due[PRINCIPAL] for row in state.rows]


TERMS = st.builds(
    LoanTerms,
    tenor=st.integers(1, 8),
    every=st.sampled_from([Every(months=1), Every(days=15)]),
    waterfalls=st.builds(
        lambda processing, future: {
            PaymentKind.REPAYMENT: Waterfall((order_of(list(Component)),), processing, future)
        },
        st.sampled_from(Processing),
        st.sampled_from(Future),
    ),
    kind=st.sampled_from(ScheduleKind),
    annual_ppm=st.sampled_from([0, 120_000]),
    basis=st.sampled_from(InterestBasis),
    multiple_minor=st.sampled_from([1, 100]),
    down_payment_ppm=st.sampled_from([0, 250_000]),
)
DAYS = st.integers(0, 200)
AMOUNTS = st.integers(1, 200_000)
LATER = st.lists(
    st.one_of(
        st.builds(lambda day, amount: Paid(on(day), amount), DAYS, AMOUNTS),
        st.builds(
            lambda day, due, part, amount: Charged(on(day), on(due), part, amount),
            DAYS,
            DAYS,
            st.sampled_from([FEE, PENALTY]),
            st.integers(1, 5_000),
        ),
        st.builds(lambda day, amount: ChargedBack(on(day), amount), DAYS, AMOUNTS),
        st.builds(lambda day, amount: RefundedInCash(on(day), amount), DAYS, AMOUNTS),
        st.builds(lambda day, amount: Disbursed(on(day), amount), DAYS, st.integers(10_000, 200_000)),
        st.builds(lambda day: ChargedOff(on(day)), DAYS),
    ),
    max_size=8,
)


@given(TERMS, st.integers(10_000, 500_000), LATER)
def test_money_is_conserved(terms: LoanTerms, amount_minor: int, later: list[Event]) -> None:
    events = [Disbursed(START, amount_minor), *later]
    state = fold(terms, events)
    came_in = sum(event.amount_minor for event in events if isinstance(event, Paid))
    went_back = sum(event.amount_minor for event in events if isinstance(event, ChargedBack))
    lent = sum(event.amount_minor for event in events if isinstance(event, Disbursed))
    went_back += sum(
        posting.amount_minor
        for posting in state.postings
        if posting.kind is PostingKind.REFUNDED_IN_CASH  # no more than had been paid
    )
    charged = sum(event.amount_minor for event in events if isinstance(event, Charged))
    interest = sum(row.due[INTEREST] for row in state.rows)
    owed = lent + charged + interest + went_back - came_in
    assert state.outstanding_minor - state.overpaid_minor == owed
    for row in state.rows:
        assert all(0 <= row.paid[part] <= row.due[part] for part in (FEE, PENALTY, PRINCIPAL))
        assert 0 <= row.in_advance_minor + row.late_minor <= row.paid_minor
        assert (row.paid_on is None) or row.outstanding_minor == 0
    expected = Status.ACTIVE if state.outstanding_minor else Status.CLOSED
    assert state.status is (
        Status.OVERPAID if state.overpaid_minor and not state.outstanding_minor else expected
    )


@given(TERMS, st.integers(10_000, 500_000), LATER, st.randoms(use_true_random=False))
def test_the_order_of_telling_does_not_matter_across_days(
    terms: LoanTerms, amount_minor: int, later: list[Event], random: object
) -> None:
    events: list[Event] = [Disbursed(START, amount_minor)]
    used = {START}
    for event in later:  # one event a day, so that only dates order them
        if event.on not in used and not isinstance(event, Charged):
            used.add(event.on)
            events.append(event)
    shuffled = list(events)
    random.shuffle(shuffled)
    assert fold(terms, shuffled) == fold(terms, events)


@given(TERMS, st.integers(10_000, 500_000), DAYS)
def test_what_pays_off_leaves_nothing(terms: LoanTerms, amount_minor: int, day: int) -> None:
    events: list[Event] = [Disbursed(START, amount_minor)]
    amount = to_pay_off(terms, events, on(day))
    state = fold(terms, [*events, Paid(on(day), amount)])
    assert (state.outstanding_minor, state.overpaid_minor, state.status) == (0, 0, Status.CLOSED)


def test_a_preview_is_the_loan_without_its_money() -> None:
    state = preview(MONTHLY, 1_000_00, START)
    assert state.status is Status.APPROVED
    assert principal_of(state) == [333_33, 333_33, 333_34]
    assert fold(MONTHLY, []).status is Status.APPROVED


def test_a_later_disbursement() -> None:
    events = [Disbursed(START, 900_00), Disbursed(on(40), 300_00)]
    assert principal_of(fold(MONTHLY, events)) == [300_00, 450_00, 450_00]


def test_money_too_much_pays_what_is_lent_later() -> None:
    events = [Disbursed(START, 900_00), Paid(on(1), 1_000_00), Disbursed(on(2), 300_00)]
    state = fold(MONTHLY, events)
    assert (state.outstanding_minor, state.overpaid_minor) == (200_00, 0)


def test_the_engine_posts_the_down_payment_less_what_was_too_much() -> None:
    terms = LoanTerms(
        tenor=3,
        every=Every(days=15),
        waterfalls={PaymentKind.REPAYMENT: BY_THE_BOOK},
        down_payment_ppm=250_000,
        down_payment_posted=True,
    )
    events = list(recorded(terms, [], Disbursed(START, 400_00)))
    assert events[1:] == [Paid(START, 100_00, PaymentKind.DOWN_PAYMENT)]
    events.append(Paid(on(1), 310_00))
    later = recorded(terms, events, Disbursed(on(2), 200_00))
    assert later[1:] == (Paid(on(2), 40_00, PaymentKind.DOWN_PAYMENT),)


def test_a_repayment_taken_back_was_never_made() -> None:
    first, second = Paid(on(31), 300_00), Paid(on(60), 300_00)
    events = [Disbursed(START, 900_00), second]
    assert fold(MONTHLY, events).rows[0].late_minor == 300_00
    assert fold(MONTHLY, [*events, first]).rows[0].late_minor == 0, "dated back, it came in time"


@pytest.mark.parametrize(
    ("kind", "future", "paid"),
    [
        (PaymentKind.PAYOUT_REFUND, Future.NEXT, [300_00, 0, 0]),
        (PaymentKind.GOODWILL_CREDIT, Future.LAST, [0, 0, 300_00]),
        (PaymentKind.MERCHANT_REFUND, Future.EVENLY, [100_00, 100_00, 100_00]),
    ],
)
def test_refunds_by_kind(kind: PaymentKind, future: Future, paid: list[int]) -> None:
    waterfalls = {
        PaymentKind.REPAYMENT: BY_THE_BOOK,
        kind: Waterfall(BY_THE_BOOK.orders, future=future),
    }
    terms = LoanTerms(tenor=3, every=Every(months=1), waterfalls=waterfalls)
    state = fold(terms, [Disbursed(START, 900_00), Paid(on(1), 300_00, kind)])
    assert [row.paid_minor for row in state.rows] == paid


def test_a_chargeback_is_owed_with_the_next_instalment_or_after_the_last() -> None:
    events: list[Event] = [Disbursed(START, 900_00), Paid(on(1), 900_00)]
    assert principal_of(fold(MONTHLY, [*events, ChargedBack(on(40), 100_00)])) == [300_00, 400_00, 300_00]
    late = fold(MONTHLY, [*events, ChargedBack(on(200), 100_00)])
    assert principal_of(late) == [300_00, 300_00, 300_00, 100_00]
    assert late.rows[-1].due_on == on(200)


def test_a_credit_that_is_refunded_is_gone() -> None:
    events: list[Event] = [Disbursed(START, 900_00), Paid(on(1), 950_00), CreditRefunded(on(2), 50_00)]
    assert fold(MONTHLY, events).status is Status.CLOSED


def test_what_was_paid_last_goes_back_first() -> None:
    events: list[Event] = [Disbursed(START, 900_00), Paid(on(31), 450_00)]
    state = fold(MONTHLY, [*events, RefundedInCash(on(32), 200_00)])
    assert [row.paid_minor for row in state.rows] == [250_00, 0, 0]
    assert [row.in_advance_minor for row in state.rows] == [0, 0, 0]
    late = fold(MONTHLY, [Disbursed(START, 900_00), Paid(on(40), 250_00), RefundedInCash(on(41), 100_00)])
    assert (late.rows[0].paid_minor, late.rows[0].late_minor) == (150_00, 150_00)


def test_a_waived_charge_is_not_paid() -> None:
    events: list[Event] = [Disbursed(START, 900_00), Charged(START, on(10), FEE, 10_00), Waived(on(10), 0)]
    state = fold(MONTHLY, [*events, Paid(on(31), 300_00)])
    assert state.rows[0].paid[FEE] == 0
    assert state.outstanding_minor == 600_00


def test_a_moved_due_date_moves_those_after_it() -> None:
    classic = LoanTerms(
        tenor=3, every=Every(days=15), waterfalls=MONTHLY.waterfalls, kind=ScheduleKind.CLASSIC
    )
    lent = Disbursed(START, 900_00)
    moved = fold(classic, [lent, Moved(on(1), on(15), on(30))])
    assert [row.due_on for row in moved.rows] == [on(30), on(45), on(60)]
    holiday = fold(classic, [lent, Moved(on(1), on(15), holiday=1)])
    assert principal_of(holiday) == [0, 300_00, 300_00, 300_00]
    longer = fold(classic, [lent, Moved(on(1), on(30), extra=2)])
    assert principal_of(longer) == [300_00, *[150_00] * 4]


def test_what_is_past_due_moves_into_what_comes_or_starts_anew() -> None:
    events: list[Event] = [Disbursed(START, 900_00)]
    assert principal_of(fold(MONTHLY, [*events, Reamortised(on(40))])) == [0, 450_00, 450_00]
    anew = fold(MONTHLY, [*events, Reaged(on(100), on(120), Every(months=1), 6)])
    assert principal_of(anew) == [0, 0, 0, *[150_00] * 6]
    assert anew.rows[3].due_on == on(120)
    assert anew.outstanding_minor == 900_00


def test_interest_by_the_day_stops_with_what_is_paid_early() -> None:
    """Fineract C3842: 8.33 planned, 2.42 borne in nine days; the rest of the month is of the next period."""
    terms = LoanTerms(
        tenor=3,
        every=Every(months=1),
        waterfalls={PaymentKind.REPAYMENT: BY_THE_BOOK},
        annual_ppm=100_000,
        basis=InterestBasis.DAILY,
    )
    lent = Disbursed(date(2024, 7, 1), 1_000_00)
    assert [row.due[INTEREST] for row in fold(terms, [lent]).rows] == [8_33, 5_58, 2_80]
    state = fold(
        terms,
        [
            lent,
            Paid(date(2024, 7, 10), 338_90),
            Paid(date(2024, 7, 15), 50_00, PaymentKind.MERCHANT_REFUND, Future.LAST),
        ],
    )
    assert [row.due[INTEREST] for row in state.rows] == [2_42, 8_80, 2_36]
