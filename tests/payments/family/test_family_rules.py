"""What a family card allows and how it moves: the border and one past it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from wufeng.base.errors import Problem
from wufeng.payments.family import rules
from wufeng.payments.family.model import Caps, CardStatus, FamilyCard, FamilyPolicy, Move, Spend
from wufeng.risk.model import Reason

AT = datetime(2026, 9, 3, 4, tzinfo=UTC)
ON, SEPTEMBER = date(2026, 9, 3), date(2026, 9, 1)
OWNER, SPENDER, STRANGER = UUID(int=1), UUID(int=2), UUID(int=3)
OWNER_PHONE, SPENDER_PHONE, OTHER_PHONE = UUID(int=11), UUID(int=12), UUID(int=13)
CARD = UUID(int=20)
SPEND = Spend(CARD, SPENDER)
POLICY = FamilyPolicy("family@1", 5, 20_000_00, 7)


def card_of(**more: Any) -> FamilyCard:
    fields: dict[str, Any] = {
        "id": CARD, "owner_id": OWNER, "owner_phone_id": OWNER_PHONE, "spender_phone_id": SPENDER_PHONE,
        "spender_id": SPENDER, "name": "Mum", "use_wallet": True, "line_id": None, "month_cap_minor": 100_00,
        "payment_cap_minor": None, "status": CardStatus.ACTIVE, "expires_at": AT + timedelta(days=7),
        "month_on": SEPTEMBER, "used_minor": 0, "created_at": AT,
    }  # fmt: skip
    return FamilyCard(**{**fields, **more})


INVITED = card_of(status=CardStatus.INVITED, spender_id=None)


@pytest.mark.parametrize(
    ("card", "amount_minor", "reason"),
    [
        (card_of(), 100_00, None),
        (card_of(), 100_01, Reason.FAMILY_CAP),
        (card_of(used_minor=99_99), 1, None),
        (card_of(used_minor=99_99), 2, Reason.FAMILY_CAP),
        (card_of(used_minor=150_00), 1, Reason.FAMILY_CAP),  # a cap that was lowered under what is spent
        (card_of(used_minor=100_00, month_on=date(2026, 8, 1)), 100_00, None),  # a new month
        (
            card_of(used_minor=99_99, month_on=date(2026, 10, 1)),
            2,
            Reason.FAMILY_CAP,
        ),  # another clock is ahead
        (card_of(payment_cap_minor=30_00), 30_00, None),
        (card_of(payment_cap_minor=30_00), 30_01, Reason.FAMILY_CAP),
        (card_of(status=CardStatus.PAUSED), 1, Reason.FAMILY_CARD_CLOSED),
        (card_of(status=CardStatus.STOPPED), 1, Reason.FAMILY_CARD_CLOSED),
        (INVITED, 1, Reason.FAMILY_CARD_CLOSED),
        (None, 1, Reason.FAMILY_CARD_CLOSED),
        (card_of(spender_id=STRANGER), 1, Reason.FAMILY_CARD_CLOSED),
        (card_of(owner_id=STRANGER), 1, Reason.FAMILY_CARD_CLOSED),
    ],
)
def test_what_a_card_pays(card: FamilyCard | None, amount_minor: int, reason: Reason | None) -> None:
    found = rules.refusals(card, SPEND, OWNER, amount_minor, ON)
    assert found == (() if reason is None else (reason,))


@pytest.mark.parametrize(
    ("card", "move", "actor", "phone", "after"),
    [
        (INVITED, Move.ACCEPT, SPENDER, SPENDER_PHONE, CardStatus.ACTIVE),
        (INVITED, Move.ACCEPT, OWNER, OWNER_PHONE, "state_conflict"),
        (INVITED, Move.ACCEPT, STRANGER, OTHER_PHONE, "not_found"),
        (INVITED, Move.ACCEPT, SPENDER, None, "not_found"),  # the phone is not theirs any more
        (replace(INVITED, expires_at=AT), Move.ACCEPT, SPENDER, SPENDER_PHONE, "state_conflict"),
        (card_of(), Move.ACCEPT, SPENDER, SPENDER_PHONE, CardStatus.ACTIVE),  # again
        (card_of(), Move.ACCEPT, STRANGER, SPENDER_PHONE, "not_found"),  # the phone came to another
        (card_of(), Move.PAUSE, OWNER, None, CardStatus.PAUSED),
        (card_of(), Move.PAUSE, SPENDER, None, "state_conflict"),
        (card_of(), Move.RESUME, SPENDER, None, "state_conflict"),
        (card_of(status=CardStatus.PAUSED), Move.RESUME, OWNER, None, CardStatus.ACTIVE),
        (card_of(status=CardStatus.STOPPED), Move.RESUME, OWNER, None, "state_conflict"),
        (INVITED, Move.PAUSE, OWNER, None, "state_conflict"),
        (INVITED, Move.STOP, SPENDER, SPENDER_PHONE, CardStatus.STOPPED),
        (card_of(), Move.STOP, SPENDER, None, CardStatus.STOPPED),
        (card_of(), Move.STOP, OWNER, None, CardStatus.STOPPED),
        (card_of(), Move.STOP, STRANGER, None, "not_found"),
    ],
)
def test_how_a_card_moves(
    card: FamilyCard, move: Move, actor: UUID, phone: UUID | None, after: CardStatus | str
) -> None:
    found = rules.moved(card, move, actor, phone, AT)
    if isinstance(found, Problem):
        assert found.code.value == after
    else:
        assert found.status is after
        assert (found.spender_id == SPENDER) or found.status is CardStatus.STOPPED


@pytest.mark.parametrize(
    ("caps", "rises"),
    [
        (Caps(100_00, None), False),
        (Caps(99_99, None), False),
        (Caps(100_01, None), True),
        (Caps(100_00, 50_00), False),
        (Caps(50_00, 50_00), False),
    ],
)
def test_only_more_needs_the_owners_yes(caps: Caps, rises: bool) -> None:
    assert rules.raises(card_of(), caps) is rises
    found = rules.with_caps(card_of(), caps, AT, confirmed=False)
    assert isinstance(found, Problem) is rises
    assert not isinstance(rules.with_caps(card_of(), caps, AT, confirmed=True), Problem)


def test_taking_off_a_payments_cap_is_more() -> None:
    assert rules.raises(card_of(payment_cap_minor=10_00), Caps(90_00, None))
    assert not isinstance(
        rules.with_caps(card_of(payment_cap_minor=10_00), Caps(90_00, 10_00), AT, confirmed=False), Problem
    )


@pytest.mark.parametrize("caps", [Caps(20_000_01, None), Caps(10_00, 10_01)])
def test_caps_out_of_bounds_are_refused(caps: Caps) -> None:
    with pytest.raises(Problem):
        rules.check_caps(caps, POLICY)


@given(
    cap=st.integers(1, 10_000),
    amounts=st.lists(st.tuples(st.integers(1, 5_000), st.integers(0, 70)), max_size=30),
)
def test_a_month_never_takes_more_than_its_cap(cap: int, amounts: list[tuple[int, int]]) -> None:
    card = card_of(month_cap_minor=cap)
    spent: dict[date, int] = {}
    on = ON
    for amount, days in amounts:
        on += timedelta(days=days)
        if not rules.refusals(card, SPEND, OWNER, amount, on):
            card = rules.used(card, amount, on)
            month = rules.month_of(on)
            spent[month] = spent.get(month, 0) + amount
        assert rules.left_minor(card, on) == cap - spent.get(rules.month_of(on), 0)
    assert all(taken <= cap for taken in spent.values())
