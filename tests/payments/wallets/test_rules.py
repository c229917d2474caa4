"""Who may move how much: the tiers' table, the order of the reasons, a batch as a fold."""

from uuid import UUID

import pytest
from msgspec.structs import replace

from wufeng.base.errors import Code, ConfigurationError, Problem
from wufeng.identity.bank_accounts.model import BankAccountStatus
from wufeng.identity.people.model import Outcome, PersonGuard, PersonStatus, Tier
from wufeng.ledger.model import Balance
from wufeng.payments.wallets import TopUp, read_wallet_policy, shipped_wallet_policy
from wufeng.payments.wallets.model import Ask, MovementKind, Usage
from wufeng.payments.wallets.rules import after_ask, problem_of

POLICY = shipped_wallet_policy()
PERSON, WALLET, ACCOUNT = UUID(int=1), UUID(int=2), UUID(int=3)
VERIFIED = (PERSON, BankAccountStatus.VERIFIED)
IN, OUT = MovementKind.TOP_UP, MovementKind.WITHDRAWAL


def guard(tier: Tier = Tier.II, status: PersonStatus = PersonStatus.ACTIVE) -> PersonGuard:
    return PersonGuard(PERSON, status, tier, Outcome.NONE, WALLET)


def ask(amount_minor: int) -> Ask:
    return TopUp(
        at=None, movement_id=UUID(int=9), person_id=PERSON, wallet_id=WALLET, bank_account_id=ACCOUNT,
        amount_minor=amount_minor,
    )  # type: ignore[arg-type]  # fmt: skip


def wallet_with(balance_minor: int, held_minor: int = 0) -> Balance:
    return Balance(-balance_minor, held_minor, None, 0)


def reason_of(problem: Problem | None) -> object:
    return None if problem is None else problem.extra.get("reason", problem.code)


@pytest.mark.parametrize(
    ("kind", "tier", "amount", "balance", "usage", "reason"),
    [
        (IN, Tier.I, 1_000_00, 0, Usage(), None),  # the last fen of each limit, and one past it
        (IN, Tier.I, 1_000_01, 0, Usage(), "tier_limit"),
        (IN, Tier.I, 1, 1_000_00, Usage(), "tier_limit"),
        (IN, Tier.I, 1, 999_99, Usage(), None),
        (IN, Tier.I, 1, 999_98, Usage(top_ups_pending_minor=1), None),
        (IN, Tier.I, 1, 999_98, Usage(top_ups_pending_minor=2), "tier_limit"),
        (IN, Tier.I, 1, 0, Usage(top_ups_today_minor=1_000_00), "tier_limit"),
        (IN, Tier.II, 20_000_00, 80_000_00, Usage(), None),
        (IN, Tier.II, 20_000_01, 0, Usage(), "tier_limit"),
        (IN, Tier.II, 20_000_00, 80_000_01, Usage(), "tier_limit"),
        (IN, Tier.III, 50_000_00, 150_000_00, Usage(top_ups_today_minor=50_000_00), None),
        (IN, Tier.III, 50_000_00, 0, Usage(top_ups_today_minor=50_000_01), "tier_limit"),
        (OUT, Tier.I, 500_00, 500_00, Usage(), None),
        (OUT, Tier.I, 500_01, 500_00, Usage(), "insufficient_balance"),
        (OUT, Tier.I, 1_000_01, 5_000_00, Usage(), "tier_limit"),
        (OUT, Tier.II, 1_00, 5_000_00, Usage(withdrawals_today_minor=49_999_00), None),
        (OUT, Tier.II, 1_01, 5_000_00, Usage(withdrawals_today_minor=49_999_00), "tier_limit"),
    ],
)
def test_limits(
    kind: MovementKind, tier: Tier, amount: int, balance: int, usage: Usage, reason: str | None
) -> None:
    problem = problem_of(kind, ask(amount), guard(tier), VERIFIED, wallet_with(balance), usage, POLICY)
    assert reason_of(problem) == reason


def test_money_that_is_held_cannot_be_withdrawn() -> None:
    held = wallet_with(100_00, held_minor=40_00)
    assert problem_of(OUT, ask(60_00), guard(), VERIFIED, held, Usage(), POLICY) is None
    problem = problem_of(OUT, ask(60_01), guard(), VERIFIED, held, Usage(), POLICY)
    assert reason_of(problem) == "insufficient_balance"


@pytest.mark.parametrize("kind", [IN, OUT])
@pytest.mark.parametrize(
    ("person", "account", "code"),
    [
        (None, VERIFIED, Code.NOT_FOUND),
        (replace(guard(), wallet_id=UUID(int=5)), VERIFIED, Code.NOT_FOUND),
        (guard(status=PersonStatus.FROZEN), VERIFIED, Code.FORBIDDEN),
        (guard(), None, Code.NOT_FOUND),
        (guard(), (UUID(int=6), BankAccountStatus.VERIFIED), Code.NOT_FOUND),
        (guard(), (PERSON, BankAccountStatus.DELETED), Code.NOT_FOUND),
        (guard(), (PERSON, BankAccountStatus.UNVERIFIED), Code.STATE_CONFLICT),
        (guard(), (PERSON, BankAccountStatus.REFUSED), Code.STATE_CONFLICT),
    ],
)
def test_whose_it_is(
    kind: MovementKind,
    person: PersonGuard | None,
    account: tuple[UUID, BankAccountStatus] | None,
    code: Code,
) -> None:
    problem = problem_of(kind, ask(1), person, account, wallet_with(100), Usage(), POLICY)
    assert problem is not None and problem.code is code


def test_a_batch_is_a_fold() -> None:
    balance, usage, taken = wallet_with(100_00), Usage(), 0
    for _ in range(5):
        if problem_of(OUT, ask(30_00), guard(), VERIFIED, balance, usage, POLICY) is None:
            balance, usage = after_ask(OUT, 30_00, balance, usage)
            taken += 1
    assert taken == 3 and balance.available_minor == 10_00 and usage.withdrawals_today_minor == 90_00
    balance, usage = after_ask(IN, 7_00, balance, usage)
    assert balance.available_minor == 10_00, "a top-up is no money before the bank's yes"
    assert (usage.top_ups_today_minor, usage.top_ups_pending_minor) == (7_00, 7_00)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("[tier.3]", "[tier.4]"), "limits are wanted for the tiers 1, 2, 3"),
        (
            ("balance_max_minor = 1_000_00", "balance_max_minor = -1"),
            "tier.1.balance_max_minor is below zero",
        ),
        (("balance_max_minor = 1_000_00", "balance_max = 1"), "wallet.toml"),
        (("version = 1", "version = one"), "wallet.toml"),
    ],
)
def test_a_policy_that_may_not_be_used(change: tuple[str, str], said: str) -> None:
    tier = "[tier.{}]\nbalance_max_minor = 1_000_00\ntop_up_max_minor = 1\ntop_up_day_max_minor = 1\n"
    tier += "withdrawal_max_minor = 1\nwithdrawal_day_max_minor = 1\n"
    source = '[policy]\nid = "wallet"\nversion = 1\neffective_from = 2026-01-01\n'
    source += "".join(tier.format(n) for n in (1, 2, 3))
    assert read_wallet_policy(source, "wallet.toml").name == "wallet@1"
    with pytest.raises(ConfigurationError, match=said):
        read_wallet_policy(source.replace(*change, 1), "wallet.toml")
