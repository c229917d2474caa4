"""The spread of money: conserved, in order, and today's order of repayments as one of its settings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wufeng.credit.waterfall.model import (
    Age,
    Component,
    Due,
    Future,
    Processing,
    Waterfall,
)
from wufeng.credit.waterfall.rules import allocate, order_of

PENALTY, FEE, INTEREST, PRINCIPAL = Component
AMOUNTS = st.integers(0, 500)
PARTS = st.fixed_dictionaries(dict.fromkeys(Component, AMOUNTS))


@st.composite
def debts(draw: st.DrawFn) -> list[Due]:
    """Periods, the oldest first: past due, due, in advance."""
    ages = sorted(draw(st.lists(st.sampled_from(Age), max_size=6)), key=list(Age).index)
    return [Due(number, age, draw(PARTS)) for number, age in enumerate(ages)]


WATERFALLS = st.builds(
    lambda components, processing, future: Waterfall((order_of(components),), processing, future),
    st.permutations(list(Component)),
    st.sampled_from(Processing),
    st.sampled_from(Future),
)


@given(debts(), st.integers(0, 12_000), WATERFALLS)
def test_money_is_conserved_and_no_more_than_what_is_due(
    dues: list[Due], money: int, waterfall: Waterfall
) -> None:
    allocation = allocate(dues, money, waterfall)
    assert sum(piece.amount_minor for piece in allocation.pieces) + allocation.surplus_minor == money
    paid: dict[tuple[int, Component], int] = {}
    for piece in allocation.pieces:
        assert piece.amount_minor > 0
        place = (piece.number, piece.component)
        paid[place] = paid.get(place, 0) + piece.amount_minor
    owed = {(due.number, part): amount for due in dues for part, amount in due.parts.items()}
    assert all(amount <= owed[place] for place, amount in paid.items())
    if allocation.surplus_minor:
        assert sum(paid.values()) == sum(owed.values()), "a surplus is left only when nothing is due"


@given(debts(), st.integers(0, 12_000), st.permutations(list(Component)), st.sampled_from(Processing))
def test_nothing_is_paid_before_what_comes_before_it(
    dues: list[Due], money: int, components: list[Component], processing: Processing
) -> None:
    waterfall = Waterfall((order_of(components),), processing)
    places = [(due.number, due.age, part) for due in dues for part in components]
    ages = list(Age)
    if processing is Processing.HORIZONTAL:
        places.sort(key=lambda place: (ages.index(place[1]), place[0], components.index(place[2])))
    else:
        places.sort(key=lambda place: (ages.index(place[1]), components.index(place[2]), place[0]))
    paid = {
        (piece.number, piece.component): piece.amount_minor
        for piece in allocate(dues, money, waterfall).pieces
    }
    for number, _, part in places:
        amount = min(money, dues[number].parts[part])
        assert paid.get((number, part), 0) == amount
        money -= amount


def _due(number: int, age: Age, principal: int = 100, fee: int = 0) -> Due:
    return Due(number, age, {FEE: fee, PRINCIPAL: principal})


@pytest.mark.parametrize(
    ("future", "money", "paid"),
    [
        (Future.NEXT, 150, [100, 50, 0]),
        (Future.LAST, 150, [0, 50, 100]),
        (Future.EVENLY, 150, [50, 50, 50]),
        (Future.EVENLY, 100, [33, 33, 34]),
        (Future.EVENLY, 1, [0, 0, 1]),
        (Future.EVENLY, 299, [100, 100, 99]),
    ],
)
def test_money_in_advance(future: Future, money: int, paid: list[int]) -> None:
    dues = [_due(number, Age.IN_ADVANCE) for number in range(3)]
    waterfall = Waterfall((order_of((FEE, PRINCIPAL)),), future=future)
    got = [0, 0, 0]
    for piece in allocate(dues, money, waterfall).pieces:
        got[piece.number] += piece.amount_minor
    assert got == paid


def test_what_a_full_period_does_not_take_is_spread_again() -> None:
    dues = [_due(0, Age.IN_ADVANCE, 10), _due(1, Age.IN_ADVANCE, 100), _due(2, Age.IN_ADVANCE, 100)]
    waterfall = Waterfall((order_of((FEE, PRINCIPAL)),), future=Future.EVENLY)
    got = [0, 0, 0]
    for piece in allocate(dues, 90, waterfall).pieces:
        got[piece.number] += piece.amount_minor
    assert got == [10, 40, 40]


def test_vertically_a_fee_of_a_later_period_comes_before_principal_of_an_earlier_one() -> None:
    dues = [_due(0, Age.DUE, fee=10), _due(1, Age.DUE, fee=10)]
    order = (order_of((FEE, PRINCIPAL)),)
    vertical = allocate(dues, 25, Waterfall(order, Processing.VERTICAL))
    assert [(p.number, p.component, p.amount_minor) for p in vertical.pieces] == [
        (0, FEE, 10),
        (1, FEE, 10),
        (0, PRINCIPAL, 5),
    ]
    horizontal = allocate(dues, 25, Waterfall(order))
    assert [(p.number, p.component, p.amount_minor) for p in horizontal.pieces] == [
        (0, FEE, 10),
        (0, PRINCIPAL, 15),
    ]


def test_an_order_goes_by_days_past_due() -> None:
    parts = {FEE: 10, INTEREST: 10, PRINCIPAL: 10}
    waterfall = Waterfall(
        (order_of((FEE, INTEREST, PRINCIPAL)), order_of((PRINCIPAL, INTEREST, FEE), days_past_due=91))
    )
    old, young = Due(0, Age.PAST_DUE, parts, 91), Due(1, Age.PAST_DUE, parts, 90)
    pieces = allocate([young, old], 40, waterfall).pieces
    assert [(piece.number, piece.component) for piece in pieces] == [
        (0, PRINCIPAL),
        (0, INTEREST),
        (0, FEE),
        (1, FEE),
    ]
