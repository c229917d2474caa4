"""Every template of a journal sums to zero for all inputs, names its accounts rightly, and has no empty legs."""

import inspect
from collections.abc import Callable
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Protocol
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wufeng.base.money import MINOR_MAX
from wufeng.ledger import AccountKind, Cause, Journal, JournalKind, Parts, Posted, Upkeep, account_id
from wufeng.ledger import book_owner as owner_of_book
from wufeng.ledger import rules as r

WALLET, LINE, MERCHANT, OF = (UUID(int=n << 96 | 0x7 << 76) for n in (1, 2, 3, 4))
LENDERS = [UUID(int=n << 96 | 0x7 << 76) for n in (11, 12, 13)]
C = Cause(OF, "CNY", date(2026, 9, 3), 1)
OWNERS = [WALLET, LINE, MERCHANT, *LENDERS, owner_of_book(1)]
KIND_OF = {account_id(owner, kind): kind for owner in OWNERS for kind in AccountKind}


class Inputs(Protocol):
    """Where the amounts of a template come from: numbers drawn, or unknowns."""

    def amount(self) -> int: ...
    def parts(self) -> Parts: ...


TEMPLATES: dict[str, Callable[[Inputs], Journal]] = {
    "credit_payment": lambda x: r.credit_payment(C, LINE, x.parts(), MERCHANT, x.amount(), x.parts()),
    "wallet_payment": lambda x: r.wallet_payment(C, WALLET, x.amount(), MERCHANT, x.amount()),
    "split_payment": lambda x: r.split_payment(
        C, WALLET, x.amount(), LINE, x.parts(), MERCHANT, x.amount(), x.parts()
    ),
    "refund": lambda x: r.refund(
        C, MERCHANT, LINE, x.parts(), x.amount(), WALLET, x.amount(), x.amount(), x.amount(), x.parts()
    ),
    "refund_settled": lambda x: r.refund_settled(C, x.amount()),
    "charges_billed": lambda x: r.charges_billed(C, LINE, x.parts(), x.parts(), x.parts()),
    "charges_cancelled": lambda x: r.charges_cancelled(C, LINE, x.parts(), x.parts()),
    "charges_returned": lambda x: r.charges_returned(C, LINE, x.parts(), x.parts()),
    "repayment_from_wallet": lambda x: r.repayment_from_wallet(
        C, WALLET, LINE, x.parts(), x.amount(), x.amount(), x.amount()
    ),
    "repayment_from_bank": lambda x: r.repayment_from_bank(
        C, LINE, x.parts(), x.amount(), x.amount(), x.amount()
    ),
    "credit_balance_applied": lambda x: r.credit_balance_applied(C, LINE, x.parts(), x.amount(), x.amount()),
    "credit_balance_to_wallet": lambda x: r.credit_balance_to_wallet(C, LINE, WALLET, x.amount()),
    "credit_balance_to_bank": lambda x: r.credit_balance_to_bank(C, LINE, x.amount()),
    "charge_off": lambda x: r.charge_off(C, LINE, x.parts(), x.parts(), x.parts()),
    "recovery_from_wallet": lambda x: r.recovery_from_wallet(C, WALLET, LINE, x.parts()),
    "accrual": lambda x: r.accrual(C, x.parts()),
    "recovery_from_credit_balance": lambda x: r.recovery_from_credit_balance(C, LINE, x.parts()),
    "charged_off_cancelled": lambda x: r.charged_off_cancelled(C, LINE, x.parts()),
    "recovery_from_bank": lambda x: r.recovery_from_bank(C, LINE, x.parts()),
    "top_up": lambda x: r.top_up(C, WALLET, x.amount()),
    "top_up_settled": lambda x: r.top_up_settled(C, x.amount()),
    "withdrawal": lambda x: r.withdrawal(C, WALLET, x.amount()),
    "withdrawal_settled": lambda x: r.withdrawal_settled(C, x.amount()),
    "withdrawal_returned": lambda x: r.withdrawal_returned(C, WALLET, x.amount()),
    "merchant_settlement": lambda x: r.merchant_settlement(C, MERCHANT, x.amount()),
    "merchant_settlement_settled": lambda x: r.merchant_settlement_settled(C, x.amount()),
    "merchant_settlement_returned": lambda x: r.merchant_settlement_returned(C, MERCHANT, x.amount()),
    "lender_settlement": lambda x: r.lender_settlement(C, LENDERS[0], x.amount()),
    "reversal": lambda x: r.reversal(
        C, Posted(bucket=1, seq=1, at=datetime.min.replace(tzinfo=UTC), journal=TEMPLATES["refund"](x))
    ),
}


def test_no_template_is_forgotten() -> None:
    """Whatever in rules.py makes a journal is proven here, and every kind of journal is made by one."""
    makers = {
        name
        for name, function in inspect.getmembers(r, inspect.isfunction)
        if not name.startswith("_") and inspect.signature(function).return_annotation is Journal
    }
    assert makers == set(TEMPLATES)
    made = {template(Unknowns(2)).kind for template in TEMPLATES.values()}
    assert made == set(JournalKind)


class Linear:
    """A sum of unknowns with integer coefficients: what a template does with it, it does with every number."""

    def __init__(self, coefficients: dict[str, int]) -> None:
        self.coefficients = {name: factor for name, factor in coefficients.items() if factor}

    def __add__(self, other: "Linear | int") -> "Linear":
        if isinstance(other, int):
            assert other == 0, "a constant amount in a template"
            return self
        names = self.coefficients.keys() | other.coefficients.keys()
        return Linear({n: self.coefficients.get(n, 0) + other.coefficients.get(n, 0) for n in names})

    __radd__ = __add__

    def __neg__(self) -> "Linear":
        return self * -1

    def __sub__(self, other: "Linear | int") -> "Linear":
        return self + -other

    def __rsub__(self, other: "Linear | int") -> "Linear":
        return -self + other

    def __mul__(self, factor: int) -> "Linear":
        return Linear({name: factor * number for name, number in self.coefficients.items()})

    __rmul__ = __mul__

    def __bool__(self) -> bool:
        return bool(self.coefficients)

    def __eq__(self, other: object) -> bool:
        return not (self - other if isinstance(other, Linear | int) else self)

    __hash__ = None  # type: ignore[assignment]


class Unknowns:
    """Every amount is an unknown of its own; parts have one for each lender."""

    def __init__(self, lenders: int) -> None:
        self.lenders = LENDERS[:lenders]
        self.names = iter(f"x{n}" for n in range(1_000))

    def amount(self) -> int:
        return Linear({next(self.names): 1})  # type: ignore[return-value]

    def parts(self) -> Parts:
        return tuple((lender, self.amount()) for lender in self.lenders)


@pytest.mark.parametrize("lenders", [1, 2, 3])
@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_sums_to_zero_for_all_inputs(name: str, lenders: int) -> None:
    journal = TEMPLATES[name](Unknowns(lenders))
    total = sum(journal.amounts)
    assert isinstance(total, Linear) and not total.coefficients
    assert all(isinstance(amount, Linear) for amount in journal.amounts)


def test_a_form_that_is_not_zero_is_seen() -> None:
    """The proof can fail: a leg forgotten, a leg twice, a leg with the wrong sign."""
    x = Unknowns(1)
    a, b = x.amount(), x.amount()
    assert sum([a, -a]) == 0 and sum([a + b, -a, -b]) == 0
    assert sum([a, -b]) != 0 and sum([a, a]) != 0 and sum([a + b, -a, b]) != 0


@pytest.mark.parametrize("name", TEMPLATES)
def test_guarded_legs_stand_first(name: str) -> None:
    journal = TEMPLATES[name](Unknowns(2))
    upkeeps = [KIND_OF[account].upkeep for account in journal.accounts]
    assert upkeeps == [Upkeep.GUARDED] * journal.guarded + [Upkeep.FOLDED] * (len(upkeeps) - journal.guarded)


class Drawn:
    """Amounts drawn by chance, often 0 and sometimes the largest a command may name."""

    def __init__(self, draw: Callable[[st.SearchStrategy[int]], int]) -> None:
        self.draw = draw

    def amount(self) -> int:
        return self.draw(st.one_of(st.just(0), st.just(MINOR_MAX), st.integers(0, MINOR_MAX)))

    def parts(self) -> Parts:
        lenders = LENDERS[: self.draw(st.integers(0, 3))]
        weights = [self.draw(st.integers(1, 1_000_000)) for _ in lenders]
        return r.split_between(self.amount(), list(zip(lenders, weights, strict=True))) if lenders else ()


@pytest.mark.parametrize("name", TEMPLATES)
@given(data=st.data())
def test_no_leg_is_empty_and_all_sum_to_zero(name: str, data: st.DataObject) -> None:
    try:
        journal = TEMPLATES[name](Drawn(data.draw))
    except AssertionError as refused:
        if str(refused).startswith("a journal of nothing"):
            return
        raise
    assert 0 not in journal.amounts
    assert sum(journal.amounts) == 0
    assert len(journal.accounts) == len(journal.amounts) >= 2
    assert len(set(journal.accounts)) == len(journal.accounts), "one leg an account, so that a page shows one"
    assert all(abs(amount) < 2**63 for amount in journal.amounts)
    assert 0 <= journal.guarded <= len(journal.accounts)


LEAD, SECOND = LENDERS[:2]
SHARES = ((LEAD, 700_000), (SECOND, 300_000))


@pytest.mark.parametrize(
    ("journal", "legs"),
    [
        (
            r.credit_payment(C, LINE, r.split_between(100_00, SHARES), MERCHANT, 60),
            {
                (LINE, "line_principal"): 100_00,
                (LEAD, "lender_principal"): -70_00,
                (SECOND, "lender_principal"): -30_00,
                (LEAD, "lender_pool"): 70_00,
                (SECOND, "lender_pool"): 30_00,
                (MERCHANT, "merchant_payable"): -99_40,
                (None, "merchant_fee_income"): -60,
            },
        ),
        (  # the merchant pays the person's instalment fee ahead; it is earned when billed
            r.credit_payment(C, LINE, ((LEAD, 100_00),), MERCHANT, 60, ((LEAD, 2_50),)),
            {
                (LINE, "line_principal"): 100_00,
                (LEAD, "lender_principal"): -100_00,
                (LEAD, "lender_pool"): 100_00,
                (MERCHANT, "merchant_payable"): -96_90,
                (LEAD, "unearned_subsidy"): -2_50,
                (None, "merchant_fee_income"): -60,
            },
        ),
        (
            r.split_payment(C, WALLET, 40_00, LINE, ((LEAD, 60_00),), MERCHANT, 0),
            {
                (WALLET, "wallet"): 40_00,
                (LINE, "line_principal"): 60_00,
                (LEAD, "lender_principal"): -60_00,
                (LEAD, "lender_pool"): 60_00,
                (MERCHANT, "merchant_payable"): -100_00,
            },
        ),
        (  # 60.00 still owed is owed no longer, 40.00 had been repaid and goes back to the wallet
            r.refund(
                C,
                MERCHANT,
                LINE,
                ((LEAD, 60_00),),
                wallet_id=WALLET,
                wallet_minor=40_00,
                fee_returned_minor=60,
            ),
            {
                (LINE, "line_principal"): -60_00,
                (WALLET, "wallet"): -40_00,
                (LEAD, "lender_principal"): 60_00,
                (LEAD, "lender_pool"): -60_00,
                (MERCHANT, "merchant_payable"): 99_40,
                (None, "merchant_fee_income"): 60,
            },
        ),
        (
            r.charges_billed(C, LINE, ((LEAD, 1_25),)),
            {(LINE, "line_interest"): 1_25, (LEAD, "interest_income"): -1_25},
        ),
        (  # 100.00 of principal, 1.25 of interest, 10.00 too much
            r.repayment_from_bank(C, LINE, ((LEAD, 100_00),), 1_25, 0, 10_00),
            {
                (LINE, "line_principal"): -100_00,
                (LINE, "line_interest"): -1_25,
                (LINE, "line_credit_balance"): -10_00,
                (None, "bank_clearing"): 111_25,
                (LEAD, "lender_principal"): 100_00,
                (LEAD, "lender_pool"): -100_00,
            },
        ),
        (
            r.charge_off(C, LINE, ((LEAD, 100_00),), ((LEAD, 1_25),)),
            {
                (LINE, "line_principal"): -100_00,
                (LINE, "line_interest"): -1_25,
                (LINE, "line_charged_off"): 101_25,
                (LEAD, "lender_principal"): 100_00,
                (LEAD, "credit_loss"): 1_25,
                (LEAD, "charged_off_contra"): -101_25,
            },
        ),
    ],
    ids=["credit", "subsidised", "split", "refund", "interest", "repayment", "charge_off"],
)
def test_the_legs_of_what_happens_most(journal: Journal, legs: dict[tuple[UUID | None, str], int]) -> None:
    named = {
        account_id(owner or owner_of_book(1), AccountKind[label.upper()]): amount
        for (owner, label), amount in legs.items()
    }
    assert dict(zip(journal.accounts, journal.amounts, strict=True)) == named


def test_a_reversal_is_the_exact_opposite_and_is_not_reversed() -> None:
    paid = r.credit_payment(C, LINE, ((LEAD, 100_00),), MERCHANT, 60)
    undone = r.reversal(C, Posted(bucket=1, seq=7, at=datetime(2026, 9, 3, tzinfo=UTC), journal=paid))
    assert undone.accounts == paid.accounts and undone.guarded == paid.guarded and undone.reverses == 7
    assert undone.amounts == tuple(-amount for amount in paid.amounts)
    with pytest.raises(AssertionError, match="post the journal anew"):
        r.reversal(C, Posted(bucket=1, seq=8, at=datetime(2026, 9, 3, tzinfo=UTC), journal=undone))


SHARE_TABLES = st.lists(st.integers(1, 1_000_000), min_size=1, max_size=5).map(
    lambda weights: [(UUID(int=n), weight) for n, weight in enumerate(weights)]
)


@given(st.integers(-MINOR_MAX, MINOR_MAX), SHARE_TABLES)
def test_a_split_is_whole_and_odd_units_are_the_leads(amount: int, shares: list[tuple[UUID, int]]) -> None:
    parts = r.split_between(amount, shares)
    total = sum(weight for _, weight in shares)
    assert sum(part for _, part in parts) == amount
    assert [lender for lender, _ in parts] == [lender for lender, _ in shares]
    assert all(part * amount >= 0 for _, part in parts), "nobody owes for another"
    for (_, part), (_, weight) in list(zip(parts, shares, strict=True))[1:]:
        assert abs(part) == abs(amount) * weight // total


@given(st.lists(st.integers(0, MINOR_MAX), min_size=1, max_size=6), SHARE_TABLES)
def test_changes_of_a_split_come_to_zero_together(debts: list[int], shares: list[tuple[UUID, int]]) -> None:
    """However a debt is paid off, each lender gets exactly its share of it in the end."""
    steps = [*sorted(debts, reverse=True), 0]
    paid = dict.fromkeys((lender for lender, _ in shares), 0)
    for before, after in pairwise(steps):
        change = r.split_change(before, after, shares)
        assert sum(part for _, part in change) == before - after
        floor = -max(0, len(shares) - 2)
        assert all(part >= floor for _, part in change) and all(part >= 0 for _, part in change[1:])
        for lender, part in change:
            paid[lender] += part
    assert paid == dict(r.split_between(steps[0], shares))


def test_what_a_batch_moves_is_summed_by_currency_and_account() -> None:
    dear = Cause(OF, "JPY", date(2026, 9, 3), 1)
    journals = [
        r.top_up(C, WALLET, 5),
        r.withdrawal(C, WALLET, 3),
        r.top_up(dear, LINE, 7),
        r.top_up_settled(C, 9),
    ]
    assert r.moves(journals) == {
        "CNY": {account_id(WALLET, AccountKind.WALLET): -2},
        "JPY": {account_id(LINE, AccountKind.WALLET): -7},
    }
