"""What is decided about money into and out of wallets: pure."""

from uuid import UUID

from msgspec.structs import replace

from wufeng.base.errors import Code, Problem, not_found
from wufeng.base.ids import Prefix, encode
from wufeng.identity.bank_accounts.model import BankAccountStatus
from wufeng.identity.people.model import PersonGuard, PersonStatus
from wufeng.ledger.model import Balance
from wufeng.payments.wallets.model import (
    Ask,
    Movement,
    MovementKind,
    MovementView,
    TierLimits,
    Usage,
    WalletPolicy,
)

PREFIXES = {MovementKind.TOP_UP: Prefix.TOP_UP, MovementKind.WITHDRAWAL: Prefix.WITHDRAWAL}


def problem_of(
    kind: MovementKind,
    ask: Ask,
    guard: PersonGuard | None,
    account: tuple[UUID, BankAccountStatus] | None,
    balance: Balance,
    usage: Usage,
    policy: WalletPolicy,
) -> Problem | None:
    """Why a movement may not begin; None: it may. Checks in this order, so the same request gets the same answer:

    whose it is, the person's state, the bank account's, one amount, the day's amount, the wallet's room or money.
    """
    if guard is None or guard.wallet_id != ask.wallet_id:
        return not_found("wallet")
    if guard.status is not PersonStatus.ACTIVE:
        return Problem(Code.FORBIDDEN, "This person is frozen.")
    if account is None or account[0] != ask.person_id or account[1] is BankAccountStatus.DELETED:
        return not_found("bank account")
    if account[1] is not BankAccountStatus.VERIFIED:
        return Problem(
            Code.STATE_CONFLICT, f"This bank account is {account[1].value}; only a verified one moves money."
        )
    limits = policy.tiers[guard.tier.value]
    if kind is MovementKind.TOP_UP:
        return _top_up_problem(ask.amount_minor, balance, usage, limits, policy)
    return _withdrawal_problem(ask.amount_minor, balance, usage, limits, policy)


def _top_up_problem(
    amount_minor: int, balance: Balance, usage: Usage, limits: TierLimits, policy: WalletPolicy
) -> Problem | None:
    if amount_minor > limits.top_up_max_minor:
        return _over_tier("one top-up", limits.top_up_max_minor, policy)
    if usage.top_ups_today_minor + amount_minor > limits.top_up_day_max_minor:
        return _over_tier("the top-ups of a day", limits.top_up_day_max_minor, policy)
    after_minor = balance.owed_to_owner_minor + usage.top_ups_pending_minor + amount_minor
    if after_minor > limits.balance_max_minor:
        return _over_tier("a balance", limits.balance_max_minor, policy)
    return None


def _withdrawal_problem(
    amount_minor: int, balance: Balance, usage: Usage, limits: TierLimits, policy: WalletPolicy
) -> Problem | None:
    if amount_minor > limits.withdrawal_max_minor:
        return _over_tier("one withdrawal", limits.withdrawal_max_minor, policy)
    if usage.withdrawals_today_minor + amount_minor > limits.withdrawal_day_max_minor:
        return _over_tier("the withdrawals of a day", limits.withdrawal_day_max_minor, policy)
    available_minor = balance.available_minor or 0
    if amount_minor > available_minor:
        return Problem(
            Code.STATE_CONFLICT,
            f"{available_minor} minor units are available, not {amount_minor}.",
            extra={"reason": "insufficient_balance"},
        )
    return None


def _over_tier(what: str, limit_minor: int, policy: WalletPolicy) -> Problem:
    return Problem(
        Code.STATE_CONFLICT,
        f"The person's tier allows {limit_minor} minor units for {what} ({policy.name}).",
        extra={"reason": "tier_limit", "limit_minor": limit_minor},
    )


def after_ask(kind: MovementKind, amount_minor: int, balance: Balance, usage: Usage) -> tuple[Balance, Usage]:
    """What the next request of the same batch finds: a batch is a fold of `problem_of`."""
    if kind is MovementKind.TOP_UP:
        return balance, replace(
            usage,
            top_ups_today_minor=usage.top_ups_today_minor + amount_minor,
            top_ups_pending_minor=usage.top_ups_pending_minor + amount_minor,
        )
    return (
        replace(balance, held_minor=balance.held_minor + amount_minor),
        replace(usage, withdrawals_today_minor=usage.withdrawals_today_minor + amount_minor),
    )


def view_of(movement: Movement) -> MovementView:
    """A movement as the API shows it."""
    return MovementView(
        id=encode(PREFIXES[movement.kind], movement.id),
        object=movement.kind,
        status=movement.status,
        wallet=encode(Prefix.WALLET, movement.wallet_id),
        person=encode(Prefix.PERSON, movement.person_id),
        bank_account=encode(Prefix.BANK_ACCOUNT, movement.bank_account_id),
        amount_minor=movement.amount_minor,
        currency=movement.currency,
        failure=movement.failure,
        posted_on=movement.posted_on,
        created_at=movement.created_at,
    )
