"""The journals of all that happens: pure functions, one a template, proven to sum to zero for all inputs.

A poster never builds legs itself. Guarded legs stand first and legs of nothing are left out. Amounts are
minor units and >= 0 unless a docstring says otherwise; principal, interest and fees come split by lender
(`split_between`).
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from uuid import UUID

from wufeng.base.money import split_by_weight
from wufeng.ledger.model import (
    AccountKind,
    Cause,
    FoldedAccount,
    Journal,
    JournalKind,
    NewAccount,
    Owner,
    Parts,
    Posted,
    Upkeep,
    account_id,
    book_owner,
)

Legs = list[tuple[UUID, int]]

# Folded accounts are few and every journal names some; making a UUID costs five times what the cache does.
_shared = lru_cache(maxsize=1 << 16)(account_id)


@lru_cache(maxsize=1024)
def _of_book(book: int, kind: AccountKind) -> UUID:
    return account_id(book_owner(book), kind)


def guarded_accounts(owner: Owner, owner_id: UUID, currency: str) -> list[NewAccount]:
    """The guarded accounts a wallet or a line is born with (the charged-off one is opened when needed)."""
    return [
        new_account(kind, owner_id, currency)
        for kind in AccountKind
        if kind.owner is owner and kind.upkeep is Upkeep.GUARDED and kind is not AccountKind.LINE_CHARGED_OFF
    ]


def new_account(kind: AccountKind, owner_id: UUID, currency: str) -> NewAccount:
    """A guarded account with the floor and ceiling of its kind."""
    assert kind.upkeep is Upkeep.GUARDED, "a folded account is registered, not opened"
    return NewAccount(account_id(owner_id, kind), kind, owner_id, currency, kind.min_minor, kind.max_minor)


def folded_accounts(owner: Owner, owner_id: UUID, currency: str, book: int) -> list[FoldedAccount]:
    """The folded accounts that a merchant, a lender or a book (`book_owner`) is born with."""
    return [
        FoldedAccount(account_id(owner_id, kind), kind, owner_id, currency, book)
        for kind in AccountKind
        if kind.owner is owner and kind.upkeep is Upkeep.FOLDED
    ]


def split_between(amount_minor: int, shares: Sequence[tuple[UUID, int]]) -> Parts:
    """Split an amount by shares (lender, ppm); odd minor units fall on the lead, who stands first."""
    if len(shares) == 1:
        return ((shares[0][0], amount_minor),)
    amounts = split_by_weight(amount_minor, [share for _, share in shares])
    return tuple((lender, amount) for (lender, _), amount in zip(shares, amounts, strict=True))


def split_change(before_minor: int, after_minor: int, shares: Sequence[tuple[UUID, int]]) -> Parts:
    """Split what was repaid of a debt, so that each lender is always owed its share of what is left.

    Split one by one, part payments would leave lenders with odd units when the whole is paid; split as the
    difference of two splits they come to zero together. With n lenders the lead's part may be up to n - 2
    units below zero: with two never.
    """
    before, after = split_between(before_minor, shares), split_between(after_minor, shares)
    return tuple((lender, old - new) for (lender, old), (_, new) in zip(before, after, strict=True))


def credit_payment(
    cause: Cause, line_id: UUID, principal: Parts, merchant_id: UUID, fee_minor: int, subsidy: Parts = ()
) -> Journal:
    """A payment on credit. Arguments as in `split_payment`."""
    return split_payment(cause, None, 0, line_id, principal, merchant_id, fee_minor, subsidy)


def wallet_payment(
    cause: Cause, wallet_id: UUID, amount_minor: int, merchant_id: UUID, fee_minor: int
) -> Journal:
    """A payment from a wallet. Arguments as in `split_payment`."""
    return split_payment(cause, wallet_id, amount_minor, None, (), merchant_id, fee_minor)


def split_payment(
    cause: Cause,
    wallet_id: UUID | None,
    wallet_minor: int,
    line_id: UUID | None,
    principal: Parts,
    merchant_id: UUID,
    fee_minor: int,
    subsidy: Parts = (),
) -> Journal:
    """A captured payment: from the wallet, the rest drawn on the line; the merchant is owed it less the fee.

    principal  the draw, by lender: owed by the line, owed on to the lenders, to be paid in by them
    fee_minor  the merchant's fee
    subsidy    instalment fees that the merchant pays in the person's place, by lender; earned when billed
    """
    principal_minor = _total(principal)
    payable_minor = wallet_minor + principal_minor - fee_minor - _total(subsidy)
    return _journal(
        JournalKind.PAYMENT,
        cause,
        [
            *_own(wallet_id, AccountKind.WALLET, wallet_minor),
            *_own(line_id, AccountKind.LINE_PRINCIPAL, principal_minor),
        ],
        [
            *_by_lender(AccountKind.LENDER_PRINCIPAL, principal, -1),
            *_by_lender(AccountKind.LENDER_POOL, principal, 1),
            (_shared(merchant_id, AccountKind.MERCHANT_PAYABLE), -payable_minor),
            *_by_lender(AccountKind.UNEARNED_SUBSIDY, subsidy, -1),
            (_of_book(cause.book, AccountKind.MERCHANT_FEE_INCOME), -fee_minor),
        ],
    )


def refund(
    cause: Cause,
    merchant_id: UUID,
    line_id: UUID | None = None,
    principal: Parts = (),
    credit_balance_minor: int = 0,
    wallet_id: UUID | None = None,
    wallet_minor: int = 0,
    bank_minor: int = 0,
    fee_returned_minor: int = 0,
    subsidy_returned: Parts = (),
) -> Journal:
    """A merchant gives money back: first less is owed on the line, the rest returns where it came from.

    principal             what the line owes less, by lender (the lender is paid back through the pool)
    credit_balance_minor  kept on the line in the person's favour
    wallet_minor          to the wallet; bank_minor on its way to a bank (`refund_settled` when it is there)
    fee_returned_minor    of the merchant's fee; subsidy_returned: of fees paid ahead, by lender
    """
    principal_minor = _total(principal)
    given_back_minor = principal_minor + credit_balance_minor + wallet_minor + bank_minor
    return _journal(
        JournalKind.REFUND,
        cause,
        [
            *_own(line_id, AccountKind.LINE_PRINCIPAL, -principal_minor),
            *_own(line_id, AccountKind.LINE_CREDIT_BALANCE, -credit_balance_minor),
            *_own(wallet_id, AccountKind.WALLET, -wallet_minor),
        ],
        [
            *_by_lender(AccountKind.LENDER_PRINCIPAL, principal, 1),
            *_by_lender(AccountKind.LENDER_POOL, principal, -1),
            (
                _shared(merchant_id, AccountKind.MERCHANT_PAYABLE),
                given_back_minor - fee_returned_minor - _total(subsidy_returned),
            ),
            *_by_lender(AccountKind.UNEARNED_SUBSIDY, subsidy_returned, 1),
            (_of_book(cause.book, AccountKind.REFUND_CLEARING), -bank_minor),
            (_of_book(cause.book, AccountKind.MERCHANT_FEE_INCOME), fee_returned_minor),
        ],
    )


def refund_settled(cause: Cause, amount_minor: int) -> Journal:
    """The bank has paid a refund out."""
    return _cleared(
        JournalKind.REFUND_SETTLED,
        cause,
        AccountKind.REFUND_CLEARING,
        AccountKind.BANK_CLEARING,
        amount_minor,
    )


def charges_billed(
    cause: Cause, line_id: UUID, interest: Parts = (), fees: Parts = (), subsidy_earned: Parts = ()
) -> Journal:
    """Interest and instalment fees become owed, merchant-paid fees of this month earned; each by lender.

    In a correction a lender's part may be below zero where the whole is not.
    """
    return _journal(
        JournalKind.CHARGES_BILLED,
        cause,
        [
            *_own(line_id, AccountKind.LINE_INTEREST, _total(interest)),
            *_own(line_id, AccountKind.LINE_FEE, _total(fees)),
        ],
        [
            *_by_lender(AccountKind.INTEREST_INCOME, interest, -1),
            *_by_lender(AccountKind.INSTALMENT_FEE_INCOME, merged([*fees, *subsidy_earned]), -1),
            *_by_lender(AccountKind.UNEARNED_SUBSIDY, subsidy_earned, 1),
        ],
    )


def charges_cancelled(
    cause: Cause, line_id: UUID, interest: Parts = (), fees: Parts = (), subsidy_unearned: Parts = ()
) -> Journal:
    """Billed interest and fees that are owed no longer: waived, or corrected by a value-dated event.

    subsidy_unearned  merchant-paid fees that are to be earned only later after all, by lender
    """
    return _journal(
        JournalKind.CHARGES_CANCELLED,
        cause,
        [
            *_own(line_id, AccountKind.LINE_INTEREST, -_total(interest)),
            *_own(line_id, AccountKind.LINE_FEE, -_total(fees)),
        ],
        [
            *_by_lender(AccountKind.INTEREST_INCOME, interest, 1),
            *_by_lender(AccountKind.INSTALMENT_FEE_INCOME, merged([*fees, *subsidy_unearned]), 1),
            *_by_lender(AccountKind.UNEARNED_SUBSIDY, subsidy_unearned, -1),
        ],
    )


def charges_returned(cause: Cause, line_id: UUID, interest: Parts = (), fees: Parts = ()) -> Journal:
    """Interest and fees that were paid come back to the person, at the cost of those who had earned them: by lender."""
    return _journal(
        JournalKind.CHARGES_RETURNED,
        cause,
        _own(line_id, AccountKind.LINE_CREDIT_BALANCE, -_total(interest) - _total(fees)),
        [
            *_by_lender(AccountKind.INTEREST_INCOME, interest, 1),
            *_by_lender(AccountKind.INSTALMENT_FEE_INCOME, fees, 1),
        ],
    )


def accrual(cause: Cause, earned: Parts) -> Journal:
    """Interest that was earned and that no bill holds, by lender: what it grew by; below zero where it was billed."""
    return _journal(
        JournalKind.ACCRUAL,
        cause,
        [],
        [
            *_by_lender(AccountKind.ACCRUED_INTEREST, earned, 1),
            *_by_lender(AccountKind.ACCRUED_INTEREST_INCOME, earned, -1),
        ],
    )


def repayment_from_wallet(
    cause: Cause,
    wallet_id: UUID,
    line_id: UUID,
    principal: Parts = (),
    interest_minor: int = 0,
    fee_minor: int = 0,
    surplus_minor: int = 0,
) -> Journal:
    """A repayment out of the wallet; a surplus stays on the line in the person's favour."""
    paid_minor = _total(principal) + interest_minor + fee_minor + surplus_minor
    source = _own(wallet_id, AccountKind.WALLET, paid_minor)
    return _repayment(
        JournalKind.REPAYMENT, cause, source, [], line_id, principal, interest_minor, fee_minor, surplus_minor
    )


def repayment_from_bank(
    cause: Cause,
    line_id: UUID,
    principal: Parts = (),
    interest_minor: int = 0,
    fee_minor: int = 0,
    surplus_minor: int = 0,
) -> Journal:
    """A repayment that a bank has confirmed; a surplus stays on the line in the person's favour."""
    paid_minor = _total(principal) + interest_minor + fee_minor + surplus_minor
    source = [(_of_book(cause.book, AccountKind.BANK_CLEARING), paid_minor)]
    return _repayment(
        JournalKind.REPAYMENT, cause, [], source, line_id, principal, interest_minor, fee_minor, surplus_minor
    )


def credit_balance_applied(
    cause: Cause, line_id: UUID, principal: Parts = (), interest_minor: int = 0, fee_minor: int = 0
) -> Journal:
    """What stood in the person's favour on a line pays what the same line owes."""
    paid_minor = _total(principal) + interest_minor + fee_minor
    source = _own(line_id, AccountKind.LINE_CREDIT_BALANCE, paid_minor)
    return _repayment(
        JournalKind.CREDIT_BALANCE_APPLIED,
        cause,
        source,
        [],
        line_id,
        principal,
        interest_minor,
        fee_minor,
        0,
    )


def credit_balance_to_wallet(cause: Cause, line_id: UUID, wallet_id: UUID, amount_minor: int) -> Journal:
    """A line's credit balance returns to the wallet."""
    return _journal(
        JournalKind.CREDIT_BALANCE_RETURNED,
        cause,
        [
            *_own(line_id, AccountKind.LINE_CREDIT_BALANCE, amount_minor),
            *_own(wallet_id, AccountKind.WALLET, -amount_minor),
        ],
        [],
    )


def credit_balance_to_bank(cause: Cause, line_id: UUID, amount_minor: int) -> Journal:
    """A line's credit balance is on its way to a bank; `refund_settled` when it is there."""
    return _journal(
        JournalKind.CREDIT_BALANCE_RETURNED,
        cause,
        _own(line_id, AccountKind.LINE_CREDIT_BALANCE, amount_minor),
        [(_of_book(cause.book, AccountKind.REFUND_CLEARING), -amount_minor)],
    )


def charge_off(
    cause: Cause, line_id: UUID, principal: Parts, interest: Parts = (), fees: Parts = ()
) -> Journal:
    """The loss is taken, by lender; the debt remains, counted beside the books on memo accounts.

    Lost principal is owed to its lender no longer; lost interest and fees, booked as income before, are an
    expense.
    """
    charges, lost = [*interest, *fees], [*principal, *interest, *fees]
    return _journal(
        JournalKind.CHARGE_OFF,
        cause,
        [
            *_own(line_id, AccountKind.LINE_PRINCIPAL, -_total(principal)),
            *_own(line_id, AccountKind.LINE_INTEREST, -_total(interest)),
            *_own(line_id, AccountKind.LINE_FEE, -_total(fees)),
            *_own(line_id, AccountKind.LINE_CHARGED_OFF, _total(lost)),
        ],
        [
            *_by_lender(AccountKind.LENDER_PRINCIPAL, principal, 1),
            *_by_lender(AccountKind.CREDIT_LOSS, merged(charges), 1),
            *_by_lender(AccountKind.CHARGED_OFF_CONTRA, merged(lost), -1),
        ],
    )


def recovery_from_wallet(cause: Cause, wallet_id: UUID, line_id: UUID, recovered: Parts) -> Journal:
    """Money on a charged-off debt, out of the wallet: it is the lenders', by their parts."""
    return _recovery(cause, _own(wallet_id, AccountKind.WALLET, _total(recovered)), [], line_id, recovered)


def recovery_from_bank(cause: Cause, line_id: UUID, recovered: Parts) -> Journal:
    """Money on a charged-off debt, through a bank: it is the lenders', by their parts."""
    source = [(_of_book(cause.book, AccountKind.BANK_CLEARING), _total(recovered))]
    return _recovery(cause, [], source, line_id, recovered)


def recovery_from_credit_balance(cause: Cause, line_id: UUID, recovered: Parts) -> Journal:
    """What stands in the person's favour on a charged-off line goes to the lenders, by their parts."""
    source = _own(line_id, AccountKind.LINE_CREDIT_BALANCE, _total(recovered))
    return _recovery(cause, source, [], line_id, recovered)


def charged_off_cancelled(cause: Cause, line_id: UUID, cancelled: Parts) -> Journal:
    """A charged-off debt that is owed no longer, because what it was for was refunded; nobody is paid."""
    return _journal(
        JournalKind.CHARGES_CANCELLED,
        cause,
        _own(line_id, AccountKind.LINE_CHARGED_OFF, -_total(cancelled)),
        _by_lender(AccountKind.CHARGED_OFF_CONTRA, cancelled, 1),
    )


def top_up(cause: Cause, wallet_id: UUID, amount_minor: int) -> Journal:
    """A bank says it has paid: the wallet may spend it. Before that answer nothing is booked."""
    return _journal(
        JournalKind.TOP_UP,
        cause,
        _own(wallet_id, AccountKind.WALLET, -amount_minor),
        [(_of_book(cause.book, AccountKind.TOP_UP_CLEARING), amount_minor)],
    )


def top_up_settled(cause: Cause, amount_minor: int) -> Journal:
    """A top-up's money has been seen on our account at the bank."""
    return _cleared(
        JournalKind.TOP_UP_SETTLED,
        cause,
        AccountKind.BANK_CLEARING,
        AccountKind.TOP_UP_CLEARING,
        amount_minor,
    )


def withdrawal(cause: Cause, wallet_id: UUID, amount_minor: int) -> Journal:
    """Money leaves a wallet and is on its way to a bank (its hold is posted at the same time)."""
    return _journal(
        JournalKind.WITHDRAWAL,
        cause,
        _own(wallet_id, AccountKind.WALLET, amount_minor),
        [(_of_book(cause.book, AccountKind.WITHDRAWAL_CLEARING), -amount_minor)],
    )


def withdrawal_settled(cause: Cause, amount_minor: int) -> Journal:
    """The bank has paid a withdrawal out."""
    return _cleared(
        JournalKind.WITHDRAWAL_SETTLED,
        cause,
        AccountKind.WITHDRAWAL_CLEARING,
        AccountKind.BANK_CLEARING,
        amount_minor,
    )


def withdrawal_returned(cause: Cause, wallet_id: UUID, amount_minor: int) -> Journal:
    """The bank could not pay a withdrawal out: the wallet has it again."""
    return _journal(
        JournalKind.WITHDRAWAL_RETURNED,
        cause,
        _own(wallet_id, AccountKind.WALLET, -amount_minor),
        [(_of_book(cause.book, AccountKind.WITHDRAWAL_CLEARING), amount_minor)],
    )


def merchant_settlement(cause: Cause, merchant_id: UUID, amount_minor: int) -> Journal:
    """What a merchant is owed is on its way to the merchant's bank."""
    return _journal(
        JournalKind.MERCHANT_SETTLEMENT,
        cause,
        [],
        [
            (_shared(merchant_id, AccountKind.MERCHANT_PAYABLE), amount_minor),
            (_of_book(cause.book, AccountKind.SETTLEMENT_CLEARING), -amount_minor),
        ],
    )


def merchant_settlement_settled(cause: Cause, amount_minor: int) -> Journal:
    """The bank has paid a merchant."""
    return _cleared(
        JournalKind.MERCHANT_SETTLEMENT_SETTLED,
        cause,
        AccountKind.SETTLEMENT_CLEARING,
        AccountKind.BANK_CLEARING,
        amount_minor,
    )


def merchant_settlement_returned(cause: Cause, merchant_id: UUID, amount_minor: int) -> Journal:
    """The bank could not pay a merchant: it is owed again."""
    return _journal(
        JournalKind.MERCHANT_SETTLEMENT_RETURNED,
        cause,
        [],
        [
            (_shared(merchant_id, AccountKind.MERCHANT_PAYABLE), -amount_minor),
            (_of_book(cause.book, AccountKind.SETTLEMENT_CLEARING), amount_minor),
        ],
    )


def lender_settlement(cause: Cause, lender_id: UUID, paid_in_minor: int) -> Journal:
    """Cash between a lender and the book through a bank: > 0 the lender has paid in, < 0 it was paid out."""
    return _journal(
        JournalKind.LENDER_SETTLEMENT,
        cause,
        [],
        [
            (_of_book(cause.book, AccountKind.BANK_CLEARING), paid_in_minor),
            (_shared(lender_id, AccountKind.LENDER_POOL), -paid_in_minor),
        ],
    )


def reversal(cause: Cause, original: Posted) -> Journal:
    """Undo a journal of the same bucket with new legs, the exact opposite.

    A reversal is not reversed again.
    """
    undone = original.journal
    assert undone.kind is not JournalKind.REVERSAL, "post the journal anew instead"
    assert undone.currency == cause.currency, "a reversal is in its original's currency"
    return Journal(
        kind=JournalKind.REVERSAL,
        of=cause.of,
        currency=cause.currency,
        business_on=cause.business_on,
        accounts=undone.accounts,
        amounts=tuple(-amount for amount in undone.amounts),
        guarded=undone.guarded,
        note=cause.note,
        reverses=original.seq,
    )


def moves(journals: Iterable[Journal]) -> dict[str, dict[UUID, int]]:
    """What a batch moves on guarded accounts: by currency, by account; legs on one account are summed."""
    by_currency: dict[str, dict[UUID, int]] = {}
    for journal in journals:
        sums = by_currency.setdefault(journal.currency, {})
        for position in range(journal.guarded):
            account = journal.accounts[position]
            sums[account] = sums.get(account, 0) + journal.amounts[position]
    return by_currency


def _repayment(
    kind: JournalKind,
    cause: Cause,
    guarded_source: Legs,
    folded_source: Legs,
    line_id: UUID,
    principal: Parts,
    interest_minor: int,
    fee_minor: int,
    surplus_minor: int,
) -> Journal:
    return _journal(
        kind,
        cause,
        [
            *guarded_source,
            *_own(line_id, AccountKind.LINE_PRINCIPAL, -_total(principal)),
            *_own(line_id, AccountKind.LINE_INTEREST, -interest_minor),
            *_own(line_id, AccountKind.LINE_FEE, -fee_minor),
            *_own(line_id, AccountKind.LINE_CREDIT_BALANCE, -surplus_minor),
        ],
        [
            *folded_source,
            *_by_lender(AccountKind.LENDER_PRINCIPAL, principal, 1),
            *_by_lender(AccountKind.LENDER_POOL, principal, -1),
        ],
    )


def _recovery(
    cause: Cause, guarded_source: Legs, folded_source: Legs, line_id: UUID, recovered: Parts
) -> Journal:
    return _journal(
        JournalKind.RECOVERY,
        cause,
        [*guarded_source, *_own(line_id, AccountKind.LINE_CHARGED_OFF, -_total(recovered))],
        [
            *folded_source,
            *_by_lender(AccountKind.LENDER_POOL, recovered, -1),
            *_by_lender(AccountKind.CHARGED_OFF_CONTRA, recovered, 1),
        ],
    )


def _cleared(
    kind: JournalKind, cause: Cause, debit: AccountKind, credit: AccountKind, amount_minor: int
) -> Journal:
    return _journal(
        kind,
        cause,
        [],
        [(_of_book(cause.book, debit), amount_minor), (_of_book(cause.book, credit), -amount_minor)],
    )


def _total(parts: Parts) -> int:
    return parts[0][1] if len(parts) == 1 else sum(amount for _, amount in parts)


def _own(owner: UUID | None, kind: AccountKind, amount_minor: int) -> Legs:
    """The leg of a person's own account, if there is one."""
    if not amount_minor:
        return []
    assert owner is not None, f"an amount on {kind.label} needs its owner"
    return [(account_id(owner, kind), amount_minor)]


def _by_lender(kind: AccountKind, parts: Parts, sign: int) -> Legs:
    return [(_shared(lender, kind), sign * amount) for lender, amount in parts]


def merged(parts: Parts) -> Parts:
    """Amounts by lender with one for each lender."""
    by_lender: dict[UUID, int] = {}
    for lender, amount in parts:
        by_lender[lender] = by_lender.get(lender, 0) + amount
    return tuple(by_lender.items())


def _journal(kind: JournalKind, cause: Cause, guarded: Legs, folded: Legs) -> Journal:
    legs = [leg for leg in guarded if leg[1]]
    guarded_legs = len(legs)
    legs += [leg for leg in folded if leg[1]]
    assert legs, "a journal of nothing is not posted"
    accounts, amounts = zip(*legs, strict=True)
    assert sum(amounts) == 0, f"{kind.label} does not balance"
    return Journal(
        kind=kind,
        of=cause.of,
        currency=cause.currency,
        business_on=cause.business_on,
        accounts=accounts,
        amounts=amounts,
        guarded=guarded_legs,
        note=cause.note,
    )
