"""What an account may pay: the sums of the law, at their borders and over any history."""

from datetime import date, timedelta
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from wufeng.base.errors import ConfigurationError
from wufeng.compliance import Breach, CodeKind, Factors, Spend, Sums, read_limit_policy, shipped_limit_policy
from wufeng.compliance.limits.model import NOTHING_PAID
from wufeng.compliance.limits.rules import breaches, breaks_cooling, fold_release, fold_spend

POLICY = shipped_limit_policy()
TODAY = date(2026, 9, 3)
FEW, TWO, SIGNED = Factors
NONE, STATIC, SHOWN, OFFLINE = CodeKind


def paid(*spends: Spend, on: date = TODAY) -> Sums:
    sums = NOTHING_PAID
    for spend in spends:
        sums = fold_spend(sums, spend, on)
    return sums


def by_balance(minor: int, factors: Factors = SIGNED) -> Spend:
    return Spend(minor, minor, NONE, factors)


def by_code(minor: int, kind: CodeKind, factors: Factors) -> Spend:
    return Spend(minor, 0, kind, factors)


@pytest.mark.parametrize(
    ("tier", "before", "spend", "breach"),
    [
        (1, by_balance(900_00), by_balance(100_00), None),
        (1, by_balance(900_00), by_balance(100_01), Breach.ACCOUNT),
        (2, by_balance(99_999_00), by_balance(1_00), None),
        (2, by_balance(99_999_00), by_balance(1_01), Breach.ACCOUNT),
        (3, by_balance(199_999_00), by_balance(1_00), None),
        (3, by_balance(199_999_00), by_balance(1_01), Breach.ACCOUNT),
        (3, by_balance(900_00, FEW), by_balance(100_00, FEW), None),
        (3, by_balance(900_00, FEW), by_balance(100_01, FEW), Breach.ACCOUNT),
        (3, by_balance(4_900_00, TWO), by_balance(100_00, TWO), None),
        (3, by_balance(4_900_00, TWO), by_balance(100_01, TWO), Breach.ACCOUNT),
        (3, by_balance(4_900_00, TWO), by_balance(9_000_00, SIGNED), None),
        (3, by_code(400_00, STATIC, SIGNED), by_code(100_00, STATIC, SIGNED), None),
        (3, by_code(400_00, STATIC, SIGNED), by_code(100_01, STATIC, SIGNED), Breach.CODE),
        (3, by_code(400_00, STATIC, SIGNED), by_code(900_00, SHOWN, FEW), None),
        (3, by_code(900_00, SHOWN, FEW), by_code(100_01, SHOWN, FEW), Breach.CODE),
        (3, by_code(4_900_00, SHOWN, TWO), by_code(100_01, SHOWN, TWO), Breach.CODE),
        (3, by_code(4_900_00, SHOWN, TWO), by_code(100_01, SHOWN, SIGNED), None),
        (3, by_code(400_00, OFFLINE, FEW), by_code(100_00, OFFLINE, FEW), None),
        (3, by_code(400_00, OFFLINE, FEW), by_code(100_01, OFFLINE, FEW), Breach.CODE),
        (3, by_code(1, OFFLINE, FEW), by_code(200_01, OFFLINE, FEW), Breach.CODE),
        (1, by_code(50_000_00, NONE, TWO), by_code(50_000_00, NONE, TWO), None),  # credit, and no code
    ],
)
def test_borders(tier: int, before: Spend, spend: Spend, breach: Breach | None) -> None:
    found = breaches(spend, paid(before), tier, POLICY, TODAY)
    assert found == ((breach,) if breach is not None else ())


def test_a_new_day_and_a_new_year_begin_at_nothing() -> None:
    sums = paid(by_balance(4_900_00, TWO), by_code(500_00, STATIC, TWO))
    assert breaches(by_balance(100_01, TWO), sums, 2, POLICY, TODAY) == (Breach.ACCOUNT,)
    tomorrow = TODAY + timedelta(days=1)
    assert breaches(by_balance(100_01, TWO), sums, 2, POLICY, tomorrow) == ()
    assert breaches(by_code(500_00, STATIC, FEW), sums, 2, POLICY, tomorrow) == ()
    year_spent = paid(by_balance(100_000_00))
    assert breaches(by_balance(1), year_spent, 2, POLICY, date(2026, 12, 31)) == (Breach.ACCOUNT,)
    assert breaches(by_balance(1), year_spent, 2, POLICY, date(2027, 1, 1)) == ()
    assert breaches(by_balance(1), year_spent, 1, POLICY, date(2027, 1, 1)) == (Breach.ACCOUNT,)


def test_a_payment_late_for_its_day_counts_in_the_day_that_has_begun() -> None:
    """Two change places at the turn of the year: neither its day nor its year begins again."""
    old, new = date(2026, 12, 31), date(2027, 1, 1)
    spend, little = Spend(900_00, 900_00, NONE, FEW), Spend(1, 1, NONE, FEW)
    sums = fold_spend(NOTHING_PAID, spend, new)
    assert breaches(by_balance(100_01, FEW), sums, 3, POLICY, old) == (Breach.ACCOUNT,)
    sums = fold_spend(fold_spend(sums, little, old), little, new)
    assert sums == fold_spend(NOTHING_PAID, Spend(900_02, 900_02, NONE, FEW), new)


def test_cooling_takes_a_payment_and_a_day() -> None:
    assert not breaks_cooling(200_00, 300_00, POLICY)
    assert breaks_cooling(200_01, 0, POLICY) and breaks_cooling(200_00, 300_01, POLICY)


SPENDS = st.builds(
    lambda amount, part, code, factors: Spend(amount, min(part, amount), code, factors),
    st.integers(1, 300_000),
    st.integers(0, 300_000),
    st.sampled_from(CodeKind),
    st.sampled_from(Factors),
)


@given(st.lists(st.tuples(st.integers(-1, 2), SPENDS), max_size=40), st.sampled_from([1, 2, 3]))
def test_what_is_let_through_never_adds_up_to_more(days: list[tuple[int, Spend]], tier: int) -> None:
    """Against sums made from nothing but the list of payments. One of an earlier date counts in the day it comes on."""
    on, counted_on, sums, let_through = TODAY, TODAY, NOTHING_PAID, []
    for later, spend in days:
        on += timedelta(days=later)
        if not breaches(spend, sums, tier, POLICY, on):
            sums = fold_spend(sums, spend, on)
            counted_on = max(counted_on, on)
            let_through.append((counted_on, spend))
    for day in {on for on, _ in let_through}:
        of_day = [spend for on, spend in let_through if on == day]
        assert sum(s.amount_minor for s in of_day if s.code is STATIC) <= 500_00
        few = [s for s in of_day if s.factors is FEW]
        assert sum(s.amount_minor for s in few if s.code in (SHOWN, OFFLINE)) <= 1_000_00
        assert sum(s.balance_minor for s in few) <= 1_000_00
        two = [s for s in of_day if s.factors is TWO]
        assert sum(s.amount_minor for s in two if s.code in (SHOWN, OFFLINE)) <= 5_000_00
        assert sum(s.balance_minor for s in two) <= 5_000_00
    in_all = sum(spend.balance_minor for _, spend in let_through)
    assert in_all == sums.balance_minor
    assert in_all <= {1: 1_000_00, 2: 100_000_00, 3: 200_000_00}[tier]


@given(st.lists(SPENDS, max_size=5), SPENDS, st.lists(SPENDS, max_size=5))
def test_what_is_let_go_on_its_day_was_never_counted(
    before: list[Spend], held: Spend, after: list[Spend]
) -> None:
    nothing = Spend(0, 0, NONE, SIGNED)
    assert fold_release(paid(*before, held, *after), held, TODAY) == paid(nothing, *before, *after)


@pytest.mark.parametrize(
    ("later", "same_year"), [(TODAY + timedelta(days=1), True), (date(2027, 1, 1), False)]
)
def test_what_is_let_go_later_stays_in_no_sum_that_lasts(later: date, same_year: bool) -> None:
    held, spend = Spend(500_00, 400_00, STATIC, TWO), Spend(90_00, 80_00, STATIC, TWO)
    sums = fold_release(fold_spend(paid(held), spend, later), held, TODAY)
    assert sums == fold_spend(NOTHING_PAID, spend, later)
    assert fold_release(paid(held), held, later).balance_year_minor == (0 if same_year else 400_00)


def test_what_was_held_before_sums_were_kept_takes_nothing_off() -> None:
    assert fold_release(paid(by_balance(1_00)), by_balance(9_00), TODAY) == paid(Spend(0, 0, NONE, SIGNED))


@given(SPENDS, st.sampled_from([1, 2, 3]))
def test_a_smaller_payment_is_never_refused_where_a_larger_one_passes(spend: Spend, tier: int) -> None:
    before = paid(by_balance(300_00, FEW), by_code(300_00, STATIC, FEW))
    if not breaches(spend, before, tier, POLICY, TODAY):
        less = replace(spend, amount_minor=spend.amount_minor - spend.amount_minor // 2, balance_minor=0)
        assert breaches(less, before, tier, POLICY, TODAY) == ()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("[tier.3]", "[tier.4]", "tiers 1, 2, 3"),
        ("static_max_minor = 500_00", "static_max_minor = -1", "code_day.static_max_minor is below zero"),
        ("static_max_minor = 500_00", "static_most = 1", "static_most"),
    ],
)
def test_what_a_limits_file_may_not_say(old: str, new: str, says: str) -> None:
    source = (files("wufeng.catalogue") / "policies" / "limits.toml").read_text(encoding="utf-8")
    assert old in source
    with pytest.raises(ConfigurationError) as refused:
        read_limit_policy(source.replace(old, new), "limits.toml")
    assert "limits.toml" in str(refused.value) and says in str(refused.value)
