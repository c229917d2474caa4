"""The journals of credit, built from decisions by the ledger's templates: pure, and by lender.

Principal is split as a change of what the line owes (`split_change`), so that lenders always own their shares of it and
come to zero together with it. So is a subsidy, as a change of what is unearned of its draw. A line has its lenders for
ever and all of its draws have the same. What is owed of a loss is one debt: memo accounts are split as a change of it.
What is told otherwise is posted by lender as what steps post in the one history, less what they do in the other.
"""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from msgspec import Struct

from wufeng.credit.charge_offs.rules import Lost
from wufeng.credit.debts.issuing import IssuedBill
from wufeng.credit.draws.model import Approved, Unearned
from wufeng.credit.draws.rules import unearned_of
from wufeng.credit.history.model import Owed, Standing
from wufeng.credit.lines.model import Line
from wufeng.credit.refunds.model import Kept, Refunded, Sent
from wufeng.credit.repayments.model import Source, SourceKind, Spread
from wufeng.ledger import rules as ledger
from wufeng.ledger.model import AccountKind, Cause, Journal, JournalKind, Parts, Posted, account_id


def principal_drawn(approved: Approved) -> Parts:
    """A draw by lender, as `split_payment` wants it."""
    after_minor = approved.after.used_minor
    before_minor = after_minor - approved.request.amount_minor
    return _grown(before_minor, after_minor, approved.after.line)


def principal_refunded(refunded: Refunded) -> Parts:
    """What a refund takes off the line's principal, by lender, as `ledger.rules.refund` wants it."""
    before_minor = refunded.owed_before_minor
    line = refunded.debt.line
    if line.charged_off_on is not None:  # nothing of it stands in the books: it comes by the credit balance
        return ()
    return ledger.split_change(before_minor, before_minor - refunded.principal_minor, line.lenders)


def subsidy_refunded(refunded: Refunded) -> Parts:
    """The merchant's share of fees that a refund gives back, by lender, as `ledger.rules.refund` wants it. What
    bills had earned of it comes from each lender as it goes there (`_subsidy_given_up`).
    """
    to_come = _gone(refunded.unearned, refunded.debt.line)
    return ledger.merged([*to_come, *_given_up(refunded)])


def journals_after_refund(refunded: Refunded, cause: Cause) -> list[Journal]:
    """What follows the refund's own journal, which takes `principal_refunded` off the line and puts `surplus_minor` on
    its credit balance: charges cancelled, paid ones given back, other debts paid from it, the rest
    returned to where repayments came from. What is kept stays on the credit balance.
    """
    line = refunded.debt.line
    journals = _subsidy_given_up(refunded, cause) + _charges_returned(refunded, cause)
    if line.charged_off_on is not None:
        return journals + _after_refund_of_lost(refunded, cause)
    if refunded.interest_cancelled_minor or refunded.fee_cancelled_minor:
        interest = ledger.split_between(refunded.interest_cancelled_minor, line.lenders)
        fees = ledger.split_between(refunded.fee_cancelled_minor, line.lenders)
        journals.append(ledger.charges_cancelled(cause, line.id, interest, fees))
    if refunded.applied is not None:
        owed_minor = refunded.owed_before_minor - refunded.principal_minor
        journals += journals_of_credit_balance(cause, line, refunded.applied, owed_minor)
    journals += [_given_back(cause, line, sent) for sent in refunded.sent]
    return journals


class RefundLegs(Struct, frozen=True):
    """What a refund of draws brings to its own journal (`ledger.rules.refund`), and what is posted before and after it.

    principal, subsidy    off the line, and back to the merchant of its share of fees; by lender
    credit_balance_minor  to the line's credit balance: below zero where more principal is paid with what was charged
                          too much than the refund brings; `after` puts it right
    """

    principal: Parts
    credit_balance_minor: int
    subsidy: Parts
    before: tuple[Journal, ...]
    after: tuple[Journal, ...]


def legs_of_refund(refunded: Refunded, cause: Cause) -> RefundLegs:
    """A refund that counts from the day on which it is made."""
    return RefundLegs(
        principal_refunded(refunded),
        refunded.surplus_minor,
        subsidy_refunded(refunded),
        (),
        tuple(journals_after_refund(refunded, cause)),
    )


def legs_of_late_refund(
    cause: Cause, line: Line, amount_minor: int, before: Standing, after: Standing, sent: Sequence[Sent]
) -> RefundLegs:
    """A refund that counts from an earlier date: what was charged and lost otherwise first, then what it moved in all.

    sent  what goes back to where repayments came from, today
    """
    moved = moved_between(before, after)
    assert moved.money_minor == amount_minor, "what comes late goes where it would have gone"
    then = []
    if moved.interest_minor or moved.fee_minor:
        charges = moved.interest_minor, moved.fee_minor
        then.append(ledger.credit_balance_applied(cause, line.id, (), *charges))
    then += journals_of_recovery_correction(cause, line, before, after)
    return RefundLegs(
        _principal_moved(line, before, after),
        amount_minor - moved.principal_minor,
        subsidy_refunded_late(before, after),
        (
            *journals_of_correction(cause, line, before, after, subsidy_refunded_late(before, after)),
            *journals_of_loss_correction(cause, line, before, after),
        ),
        (*then, *(_given_back(cause, line, one) for one in sent)),
    )


def _subsidy_given_up(refunded: Refunded, cause: Cause) -> list[Journal]:
    """What lenders had earned of the subsidy that goes back is not earned: `subsidy_refunded` takes it from there."""
    if not refunded.subsidy_given_up_minor:
        return []
    return [ledger.charges_cancelled(cause, refunded.debt.line.id, subsidy_unearned=_given_up(refunded))]


def _given_up(refunded: Refunded) -> Parts:
    return ledger.split_between(refunded.subsidy_given_up_minor, refunded.debt.line.lenders)


def _charges_returned(refunded: Refunded, cause: Cause) -> list[Journal]:
    if not refunded.charges_returned_minor:
        return []
    line = refunded.debt.line
    interest = ledger.split_between(refunded.interest_returned_minor, line.lenders)
    fees = ledger.split_between(refunded.fee_returned_minor, line.lenders)
    return [ledger.charges_returned(cause, line.id, interest, fees)]


def _after_refund_of_lost(refunded: Refunded, cause: Cause) -> list[Journal]:
    """A refund on a charged-off line: what it took off the debt is recovered through the credit balance."""
    line, left_minor = refunded.debt.line, refunded.debt.billed_minor
    applied_minor = refunded.applied.paid_minor if refunded.applied is not None else 0
    gone_minor = refunded.principal_minor + applied_minor
    owed_minor = left_minor + gone_minor
    recovered = ledger.split_change(owed_minor, left_minor, line.lenders)
    journals = [ledger.recovery_from_credit_balance(cause, line.id, recovered)] if gone_minor else []
    if cancelled_minor := refunded.interest_cancelled_minor + refunded.fee_cancelled_minor:
        charges = ledger.split_change(owed_minor + cancelled_minor, owed_minor, line.lenders)
        journals.append(ledger.charged_off_cancelled(cause, line.id, charges))
    return journals + [_given_back(cause, line, sent) for sent in refunded.sent]


def journals_of_kept(kept: Kept, cause: Cause) -> list[Journal]:
    """What follows the journal that puts money which a bank refused on the credit balance again: what it pays."""
    line = kept.before.line
    if line.charged_off_on is not None:
        return journals_of_recovery(cause, line, None, kept.applied, kept.before.billed_minor)
    return journals_of_credit_balance(cause, line, kept.applied, kept.before.principal_minor)


def journals_of_sending(cause: Cause, line: Line, sent: Sequence[Sent]) -> list[Journal]:
    """What a refund of the past sends back today."""
    return [_given_back(cause, line, one) for one in sent]


def _given_back(cause: Cause, line: Line, sent: Sent) -> Journal:
    """Money that a refund returns to the source of repayments."""
    if sent.source.kind is SourceKind.WALLET:
        assert sent.source.id is not None, "a wallet has an id"
        return ledger.credit_balance_to_wallet(cause, line.id, sent.source.id, sent.amount_minor)
    assert sent.source.kind is SourceKind.BANK_ACCOUNT, "only a source that is known gets money back"
    return ledger.credit_balance_to_bank(cause, line.id, sent.amount_minor)


def journals_of_repayment(
    cause: Cause, line: Line, source: Source, spread: Spread, owed_before_minor: int
) -> list[Journal]:
    """A repayment: what it charged first, then what it paid; a surplus goes to the credit balance.

    owed_before_minor  principal the line owed before it
    """
    assert line.charged_off_on is None, "what comes in after a charge-off is a recovery"
    journals = _charged(cause, line, spread)
    principal = _paid(owed_before_minor, spread, line)
    amounts = (spread.interest_minor, spread.fee_minor, spread.surplus_minor)
    if source.kind is SourceKind.WALLET:
        assert source.id is not None, "a wallet has an id"
        journals.append(ledger.repayment_from_wallet(cause, source.id, line.id, principal, *amounts))
    else:
        journals.append(ledger.repayment_from_bank(cause, line.id, principal, *amounts))
    return journals


def journals_of_credit_balance(
    cause: Cause, line: Line, spread: Spread, owed_before_minor: int
) -> list[Journal]:
    """What stood in the person's favour pays what the line owes. Nothing paid is no journal."""
    journals = _charged(cause, line, spread)
    if spread.paid_minor:
        principal = _paid(owed_before_minor, spread, line)
        interest_minor, fee_minor = spread.interest_minor, spread.fee_minor
        journals.append(ledger.credit_balance_applied(cause, line.id, principal, interest_minor, fee_minor))
    return journals


def journals_of_correction(
    cause: Cause, line: Line, before: Standing, after: Standing, returned: Parts = ()
) -> list[Journal]:
    """What a rewritten history has charged and earned more, or less, by lender as it was charged. A part may be of the
    other sign than the whole.

    returned  what goes back to merchants of subsidies by the journal beside them, by lender. Where nothing does, and
              lenders have given back other parts of the same, they have earned others
    """
    was, now = before.charged, after.charged
    otherwise = _more(subsidy_refunded_late(before, after), returned)
    more = (
        _more(was.interest, now.interest),
        ledger.merged([*_more(was.fee, now.fee), *otherwise]),
        _earned_more(line, before, after, returned),
    )
    journals, gone = [], [_negative(parts) for parts in more]
    billed = [parts if _total(parts) >= 0 else () for parts in more]
    cancelled = [parts if _total(parts) > 0 else () for parts in gone]
    if _any(*billed):
        journals.append(ledger.charges_billed(cause, line.id, *billed))
    if _any(*cancelled):
        journals.append(ledger.charges_cancelled(cause, line.id, *cancelled))
    return journals


def _earned_more(line: Line, before: Standing, after: Standing, returned: Parts) -> Parts:
    """What a rewritten history has earned more of subsidies, by lender: what is unearned no longer, less what goes back
    to merchants beside it. A part may be below zero though the whole is not.
    """
    gone = _gone(unearned_of(before.draws.values(), after.draws.values()), line)
    earned = _more(returned, gone)
    earned_minor = after.charged.subsidy_minor - before.charged.subsidy_minor
    assert _total(earned) == earned_minor, "what is unearned no longer is earned or returned"
    return earned


def subsidy_refunded_late(before: Standing, after: Standing) -> Parts:
    """What a rewritten history has given back more to merchants of their shares of fees, by lender."""
    return _more(before.charged.subsidy_returned, after.charged.subsidy_returned)


def _more(was: Parts, now: Parts) -> Parts:
    """What there is more now, by lender."""
    return ledger.merged([*now, *_negative(was)])


def _negative(parts: Parts) -> Parts:
    return tuple((lender, -amount) for lender, amount in parts)


def _total(parts: Parts) -> int:
    return sum(amount for _, amount in parts)


def _any(*amounts: Parts) -> bool:
    return any(amount for parts in amounts for _, amount in parts)


class Moved(Struct, frozen=True):
    """How a rewritten history moves what a line owes: what was paid of principal, interest and fees in the books, and
    what came to the credit balance, from where a loss is recovered; each may be negative.
    """

    principal_minor: int
    interest_minor: int
    fee_minor: int
    surplus_minor: int

    @property
    def money_minor(self) -> int:
        """The money that moved it."""
        return self.principal_minor + self.interest_minor + self.fee_minor + self.surplus_minor


def moved_between(before: Standing, after: Standing) -> Moved:
    """What was paid more in one history than in the other."""
    interest_minor = after.charged.interest_minor - before.charged.interest_minor
    fee_minor = after.charged.fee_minor - before.charged.fee_minor
    was, now = before.in_books, after.in_books
    recovered_minor = after.recovered_minor - before.recovered_minor
    return Moved(
        was.principal_minor - now.principal_minor,
        was.interest_minor + interest_minor - now.interest_minor,
        was.fee_minor + fee_minor - now.fee_minor,
        after.credit_balance_minor - before.credit_balance_minor + recovered_minor,
    )


def journals_of_loss_correction(cause: Cause, line: Line, before: Standing, after: Standing) -> list[Journal]:
    """What a rewritten history has lost less, or more: taken back into the books, where its money pays it. By lender it
    is what the charge-off, and refunds since then, would have posted in the one history and in the other.
    """
    if before.lost is None or after.lost is None:
        return []
    journals = []
    more = _lost_more(line, before.lost, after.lost)
    cancelled = _more(before.lost_cancelled, after.lost_cancelled)
    if _any(*more):
        journals.append(ledger.charge_off(cause, line.id, *more))
    if _any(cancelled):
        journals.append(ledger.charged_off_cancelled(cause, line.id, cancelled))
    return journals


def _lost_more(line: Line, was: Owed, now: Owed) -> list[Parts]:
    """What is lost more of principal, interest and fees, each by lender: as if the charge-off had taken it so."""
    return [_more(old, new) for old, new in zip(_lost(line, was), _lost(line, now), strict=True)]


def _lost(line: Line, owed: Owed) -> list[Parts]:
    """A loss by lender, as the charge-off takes it."""
    return _grown_by(0, (owed.principal_minor, owed.interest_minor, owed.fee_minor), line)


def _grown_by(owed_minor: int, more: Sequence[int], line: Line) -> list[Parts]:
    """Amounts that come on top of a debt one after the other, each by lender: together they are its change."""
    parts: list[Parts] = []
    for amount_minor in more:
        parts.append(_grown(owed_minor, owed_minor + amount_minor, line))
        owed_minor += amount_minor
    return parts


def journals_of_recovery_correction(
    cause: Cause, line: Line, before: Standing, after: Standing, undone: Mapping[UUID, int] | None = None
) -> list[Journal]:
    """What a rewritten history has recovered more out of the credit balance, or less into it: what is owed no longer of
    the loss as it is now, so that memo accounts are each lender's shares of what is owed.

    undone  by lender: what was recovered by journals that are reversed beside it
    """
    if before.lost is None or after.lost is None:
        return []
    lost = [part for parts in _lost_more(line, before.lost, after.lost) for part in parts]
    gone = ledger.split_change(before.owed_minor, after.owed_minor, line.lenders)
    cancelled = _more(before.lost_cancelled, after.lost_cancelled)
    recovered = _more(cancelled, ledger.merged([*lost, *gone, *(undone or {}).items()]))
    if not _any(recovered):
        return []
    return [ledger.recovery_from_credit_balance(cause, line.id, recovered)]


def journal_of_late_repayment(
    cause: Cause, line: Line, source: Source, before: Standing, after: Standing
) -> Journal:
    """A repayment that counts from an earlier date: what it moved in all."""
    moved = moved_between(before, after)
    principal = _principal_moved(line, before, after)
    amounts = (moved.interest_minor, moved.fee_minor, moved.surplus_minor)
    if source.kind is SourceKind.WALLET:
        assert source.id is not None, "a wallet has an id"
        return ledger.repayment_from_wallet(cause, source.id, line.id, principal, *amounts)
    return ledger.repayment_from_bank(cause, line.id, principal, *amounts)


def _principal_moved(line: Line, before: Standing, after: Standing) -> Parts:
    """Principal that is paid more in one history than in the other, by lender. Of a loss, what was not lost is paid."""
    was, now = before.in_books.principal_minor, after.in_books.principal_minor
    return ledger.split_change(was, now, line.lenders)


def journals_of_reversal(
    cause: Cause, line: Line, originals: Sequence[Posted], before: Standing, after: Standing
) -> list[Journal]:
    """A repayment undone: its own journals reversed, and what moves beside them because others pay in its place.

    originals  those that moved its money: what it paid, and what it recovered of a loss
    """
    moved = moved_between(before, after)
    legs: dict[UUID, int] = {}
    for original in originals:
        for account, amount in zip(original.journal.accounts, original.journal.amounts, strict=True):
            legs[account] = legs.get(account, 0) + amount
    paid = {kind: -legs.get(account_id(line.id, kind), 0) for kind in _OF_LINE}
    principal = tuple(
        (lender, part_minor + legs.get(account_id(lender, AccountKind.LENDER_PRINCIPAL), 0))
        for lender, part_minor in _principal_moved(line, before, after)
    )
    interest_minor = moved.interest_minor + paid[AccountKind.LINE_INTEREST]
    fee_minor = moved.fee_minor + paid[AccountKind.LINE_FEE]
    journals = [ledger.reversal(cause, original) for original in originals]
    if interest_minor or fee_minor or any(part_minor for _, part_minor in principal):
        journals.append(ledger.credit_balance_applied(cause, line.id, principal, interest_minor, fee_minor))
    undone = {
        lender: legs.get(account_id(lender, AccountKind.CHARGED_OFF_CONTRA), 0) for lender, _ in line.lenders
    }
    return journals + journals_of_recovery_correction(cause, line, before, after, undone)


def moves_its_money(line: Line, posted: Posted) -> bool:
    """Whether a journal of a repayment moved the money that came, not what stood on the line before."""
    if posted.journal.kind is JournalKind.REPAYMENT:
        return True
    favour = account_id(line.id, AccountKind.LINE_CREDIT_BALANCE)
    return posted.journal.kind is JournalKind.RECOVERY and favour not in posted.journal.accounts


_OF_LINE = (
    AccountKind.LINE_INTEREST,
    AccountKind.LINE_FEE,
)


def journals_of_bill(
    cause: Cause, line: Line, interest_minor: int, fee_minor: int, earned: Parts
) -> list[Journal]:
    """What a bill charges: interest of earlier bills, fees of its instalments, and merchants' fees earned with them."""
    if not (interest_minor or fee_minor or any(amount for _, amount in earned)):
        return []
    return [
        ledger.charges_billed(
            cause,
            line.id,
            interest=ledger.split_between(interest_minor, line.lenders),
            fees=ledger.split_between(fee_minor, line.lenders),
            subsidy_earned=earned,
        )
    ]


def _gone(unearned: Iterable[Unearned], line: Line) -> Parts:
    """What went of unearned subsidies, by lender: of each draw each lender keeps its share of what is left."""
    parts: list[tuple[UUID, int]] = []
    for one in unearned:
        parts += ledger.split_change(one.before_minor, one.after_minor, line.lenders)
    return ledger.merged(parts)


def journals_of_issue(cause: Cause, line: Line, issued: IssuedBill) -> list[Journal]:
    """A new bill: what it charges, and what the line's credit balance pays of it. None of it: no journal."""
    bill = issued.bill
    assert bill is not None, "a bill was issued"
    posted = journals_of_bill(cause, line, bill.interest_minor, bill.fee_minor, _gone(issued.unearned, line))
    if issued.applied is not None:
        posted += journals_of_credit_balance(cause, line, issued.applied, issued.owed_minor)
    return posted


def journals_of_charge_off(cause: Cause, lost: Lost) -> list[Journal]:
    """A loss: what is charged with it first, then all that is owed, by lender."""
    line = lost.debt.line
    journals = journals_of_bill(cause, line, lost.interest_minor, 0, _gone(lost.unearned, line))
    owed = (lost.principal_minor, lost.interest_owed_minor, lost.fee_owed_minor)
    journals.append(ledger.charge_off(cause, line.id, *_grown_by(0, owed, line)))
    return journals


def journals_of_recovery(
    cause: Cause, line: Line, source: Source | None, spread: Spread, owed_before_minor: int
) -> list[Journal]:
    """Money on a charged-off debt, for its lenders; a surplus goes to the credit balance.

    source             None: the line's own credit balance
    owed_before_minor  all that was owed before it: principal, interest and fees are one debt now
    """
    recovered = ledger.split_change(owed_before_minor, owed_before_minor - spread.paid_minor, line.lenders)
    journals: list[Journal] = []
    in_wallet = source is not None and source.kind is SourceKind.WALLET
    if spread.paid_minor:
        if source is None:
            journals.append(ledger.recovery_from_credit_balance(cause, line.id, recovered))
        elif in_wallet:
            assert source.id is not None, "a wallet has an id"
            journals.append(ledger.recovery_from_wallet(cause, source.id, line.id, recovered))
        else:
            journals.append(ledger.recovery_from_bank(cause, line.id, recovered))
    if spread.surplus_minor and source is not None:
        kept = (0, 0, spread.surplus_minor)
        if in_wallet:
            assert source.id is not None, "a wallet has an id"
            journals.append(ledger.repayment_from_wallet(cause, source.id, line.id, (), *kept))
        else:
            journals.append(ledger.repayment_from_bank(cause, line.id, (), *kept))
    return journals


def note_of(line: Line, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """What leads a reader of a journal back to the line."""
    return {"product": f"{line.product}@{line.product_version}", **(more or {})}


def _charged(cause: Cause, line: Line, spread: Spread) -> list[Journal]:
    return journals_of_bill(cause, line, spread.charged_minor, 0, _gone(spread.unearned, line))


def _paid(owed_before_minor: int, spread: Spread, line: Line) -> Parts:
    return ledger.split_change(owed_before_minor, owed_before_minor - spread.principal_minor, line.lenders)


def _grown(before_minor: int, after_minor: int, line: Line) -> tuple[tuple[UUID, int], ...]:
    """Principal that grows, by lender: the opposite of `split_change`."""
    return tuple(
        (lender, -amount) for lender, amount in ledger.split_change(before_minor, after_minor, line.lenders)
    )
