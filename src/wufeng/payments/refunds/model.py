"""Refunds: a merchant gives money back after capture, whole or in parts."""

from datetime import date, datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from msgspec import Struct

from wufeng import credit
from wufeng.base.ids import id_of
from wufeng.base.lanes import Command
from wufeng.identity.audit.model import Act


class RefundStatus(StrEnum):
    """A refund's way. What it does to a line or a wallet is done at once; only a bank may take its time."""

    PENDING = "pending"  # -> posted   a part is on its way to a bank
    POSTED = "posted"  # end
    FAILED = "failed"  # end   no way leads here yet: what a bank refuses is there for the line


class ReturnStatus(StrEnum):
    """Money on its way back to a bank account."""

    PENDING = "pending"  # -> paid, kept
    PAID = "paid"  # end
    KEPT = "kept"  # end   the bank refused it: it pays what the line owes


class RefundReason(StrEnum):
    """Why a payment is refunded, as a machine reads it; the words beside it are free."""

    CHANGED_MIND = "changed_mind"
    NOT_RECEIVED = "not_received"
    FAULTY = "faulty"
    NOT_AS_DESCRIBED = "not_as_described"
    DUPLICATE = "duplicate"  # the same thing was charged twice
    OTHER = "other"
    UNDONE = "undone"  # the payment was undone by staff, as if it had never been: nobody names it

    @property
    def is_merchants_fault(self) -> bool:
        """Whether the reason is the merchant's: fees of instalments that were paid come back too (PRODUCTS.md 2.2)."""
        return self in MERCHANTS_FAULTS


MERCHANTS_FAULTS = frozenset(
    {
        RefundReason.NOT_RECEIVED,
        RefundReason.FAULTY,
        RefundReason.NOT_AS_DESCRIBED,
        RefundReason.DUPLICATE,
    }
)


class BankReturn(Struct, frozen=True):
    """Money that goes back to a bank account, once for all the repayments that came from it. Its id is the bank's
    idempotency key.
    """

    id: UUID
    line_id: UUID
    bank_account_id: UUID
    amount_minor: int
    status: ReturnStatus = ReturnStatus.PENDING


class EffectView(Struct, frozen=True):
    """One piece of a refund: a bill, a draw's unbilled part, instalments to come, a line's credit balance, or money
    returned to a wallet or a bank account.
    """

    kind: credit.EffectKind
    amount_minor: int
    to: str


class Refund(Struct, frozen=True, kw_only=True):
    """A refund as it is kept.

    wallet_minor            of the amount, what had been paid from the wallet and is there again
    fee_returned_minor      of the merchant's fee
    charges_returned_minor  charges that the payer had paid and gets back beside the amount, from who earned them: fees
                            of instalments, and interest that would not have been owed; `effects` tell of both
    value_on                the date from which it counts; None: the day it was made
    """

    id: UUID
    payment_id: UUID
    merchant_id: UUID
    payer_id: UUID
    refund_no: str
    amount_minor: int
    wallet_minor: int
    fee_returned_minor: int
    charges_returned_minor: int = 0
    currency: str
    reason: str
    reason_code: RefundReason = RefundReason.OTHER
    value_on: date | None = None
    status: RefundStatus
    effects: tuple[EffectView, ...]
    returns: tuple[BankReturn, ...]
    created_at: datetime
    posted_at: datetime | None


class RefundView(Struct, frozen=True, kw_only=True):
    """A refund at the border.

    reason_code             why: where it is the merchant's fault, paid fees of instalments come back too
    fee_returned_minor      of the merchant's fee
    charges_returned_minor  those fees, and interest that would not have been owed, beside the amount: `effects` add up
                            to both
    value_on                the date from which it counts, where that is earlier than the day it was made
    """

    id: str
    object: Literal["refund"] = "refund"
    created_at: datetime
    status: RefundStatus
    payment: str
    merchant: str
    refund_no: str
    amount_minor: int
    currency: str
    reason: str
    reason_code: RefundReason
    fee_returned_minor: int
    charges_returned_minor: int
    effects: tuple[EffectView, ...]
    posted_at: datetime | None
    value_on: date | None


class CreateRefund(Command, frozen=True, kw_only=True):
    """Give money back. Submit it to the payment's bucket, with its payer in `people`.

    refund_id    made at the edge, in the payment's slot
    merchant_id  whose payment it must be; None: staff refund any
    value_on     the date from which it counts; None: the day it is made. An earlier one is for staff
    act          the deed of staff, kept with it; None: the merchant's own refund
    """

    refund_id: UUID
    payment_id: UUID
    merchant_id: UUID | None
    refund_no: str
    amount_minor: int
    reason: str
    reason_code: RefundReason = RefundReason.OTHER
    value_on: date | None = None
    act: Act | None = None

    @property
    def undoes(self) -> bool:
        """Whether it is a part of undoing the payment: each capture is given back as of its own date."""
        return self.reason_code is RefundReason.UNDONE


class UndoPayment(Command, frozen=True, kw_only=True):
    """Give back what is left of a captured payment as if it had never been. Submit it to the payment's bucket, with its
    payer in `people`.
    """

    payment_id: UUID
    reason: str
    act: Act | None = None


class UndonePayment(Struct, frozen=True, kw_only=True):
    """A payment that was undone, at the border: the refunds that did it, one for each date of capture."""

    payment: str
    object: Literal["undone_payment"] = "undone_payment"
    refunds: tuple[RefundView, ...]


class RefundAnswered(Command, frozen=True, kw_only=True):
    """What a bank said of a return; `people` names the payer. Said late or twice it changes nothing."""

    return_id: UUID
    done: bool


RETURNS_MAX = credit.SENT_MAX
"""How many bank accounts one refund may go back to."""


def return_id(refund_id: UUID, number: int) -> UUID:
    """The id of a refund's n-th return to a bank: made from the refund's own, so it needs no look-up."""
    assert 0 <= number < RETURNS_MAX, "a refund goes back to at most 64 bank accounts"
    return id_of(refund_id.int ^ number << 64)
