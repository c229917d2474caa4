"""What payments do to the ledger and to lines: journals of captures, holds of what waits."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from wufeng.base.ids import Prefix, encode
from wufeng.credit import Approved, principal_drawn
from wufeng.ledger import AccountKind, Cause, Hold, Journal, account_id, split_between
from wufeng.ledger.rules import split_payment
from wufeng.payments.pay.model import Payment


def capture_journal(
    payment: Payment,
    book_id: int,
    wallet_id: UUID,
    wallet_minor: int,
    draw: Approved | None,
    fee_minor: int,
    on: date,
) -> Journal:
    """The journal of a capture, by the ledger's template; its note leads back to person, line and product version."""
    principal: Sequence[tuple[UUID, int]] = ()
    subsidy: Sequence[tuple[UUID, int]] = ()
    person = encode(Prefix.PERSON, payment.payer_id)
    if draw is None:
        note = f'{{"person":"{person}"}}'
    else:
        line = encode(Prefix.LINE, draw.request.line_id)
        note = f'{{"person":"{person}","line":"{line}","product":"{draw.after.line.product}@{draw.product_version}"}}'
        principal = principal_drawn(draw)
        if subsidy_minor := sum(draw.plan.subsidy_parts):
            subsidy = split_between(subsidy_minor, draw.lenders)
    return split_payment(
        Cause(payment.id, payment.currency, on, book_id, note.encode()),
        wallet_id if wallet_minor else None,
        wallet_minor,
        draw.request.line_id if draw is not None else None,
        principal,
        payment.merchant_id,
        fee_minor,
        subsidy,
    )


def holds_of(payment: Payment, wallet_id: UUID) -> list[Hold]:
    """The holds of a payment that waits for its capture or its reviewer."""
    holds: list[Hold] = []
    if payment.wallet_hold_id is not None:
        wallet = account_id(wallet_id, AccountKind.WALLET)
        holds.append(Hold(payment.wallet_hold_id, wallet, payment.wallet_minor, payment.id))
    if payment.line_hold_id is not None:
        principal = account_id(line_of(payment), AccountKind.LINE_PRINCIPAL)
        holds.append(Hold(payment.line_hold_id, principal, payment.credit_minor, payment.id))
    return holds


def line_of(payment: Payment) -> UUID:
    """The line that a payment with credit draws on."""
    assert payment.funding.line_id is not None, "a payment with credit names its line"
    return payment.funding.line_id
