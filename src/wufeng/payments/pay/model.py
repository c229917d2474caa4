"""Payments: one attempt to pay an order, and what can be asked of it."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from wufeng.base.lanes import Command
from wufeng.payments.orders.model import OrderTerms
from wufeng.risk.model import AuthLevel, Reason


class PaymentStatus(StrEnum):
    """A payment's way; refunded amounts are amounts, not states."""

    REQUIRES_ACTION = (
        "requires_action"  # -> pending, authorised, captured, declined, expired   no journal yet
    )
    PENDING = (
        "pending"  # -> authorised, captured, declined, failed, voided   held, a reviewer has not answered
    )
    AUTHORISED = (
        "authorised"  # -> captured, voided, expired   held; captured_minor tells what was taken between
    )
    CAPTURED = "captured"  # end
    DECLINED = "declined"  # end
    VOIDED = "voided"  # end
    EXPIRED = "expired"  # end
    FAILED = "failed"  # end


class Capture(StrEnum):
    """When the money is taken."""

    NOW = "now"
    LATER = "later"  # authorise first, then capture or void


class Funding(Struct, frozen=True):
    """What a payment is to be paid from: the wallet, a line, or the wallet first and the rest drawn on the line.

    tenor               monthly instalments of the drawn part; 1: all on the next bill
    merchant_share_ppm  of the instalment fee, carried by the merchant (a checkout session says so)
    """

    use_wallet: bool
    line_id: UUID | None
    tenor: int = 1
    merchant_share_ppm: int = 0


class Payment(Struct, frozen=True, kw_only=True):
    """A payment as it is kept.

    wallet_minor, credit_minor  the parts of the amount, once authorised or captured
    fee_minor                   the merchant's fee on what is captured, refunds not taken off
    """

    id: UUID
    payer_id: UUID
    merchant_id: UUID
    order_id: UUID
    order_no: str
    amount_minor: int
    currency: str
    scene: str
    subject: str
    status: PaymentStatus
    capture: Capture
    funding: Funding
    wallet_minor: int = 0
    credit_minor: int = 0
    captured_minor: int = 0
    fee_minor: int = 0
    refunded_minor: int = 0
    wallet_refunded_minor: int = 0
    wallet_hold_id: UUID | None = None
    line_hold_id: UUID | None = None
    decision_id: UUID | None = None
    reasons: tuple[Reason, ...] = ()
    caller_id: UUID
    confirmed_by: str | None = None
    expires_at: datetime | None = None
    captured_at: datetime | None = None
    created_at: datetime


class Reader(StrEnum):
    """Who reads a payment's reasons: a merchant sees fraud reasons as one."""

    PERSON = "person"
    MERCHANT = "merchant"


class Pay(Command, frozen=True, kw_only=True):
    """Start a payment of an order; `named_by` tells whose number the order's is (orders.model.order_id).

    auth_level  how the payer has said yes so far; NONE when somebody else names the payer
    existing    the order is known to exist (it was named by id): its terms were read before
    """

    payment_id: UUID
    order: OrderTerms
    payer_id: UUID
    funding: Funding
    capture: Capture
    auth_level: AuthLevel
    caller_id: UUID
    reader: Reader
    language: str = "zh"


class Confirm(Command, frozen=True, kw_only=True):
    """The payer's yes to a payment in `requires_action`, proved at the edge.

    funding  what the payer chose now; None keeps what the payment names
    """

    payment_id: UUID
    payer_id: UUID
    auth_level: AuthLevel
    funding: Funding | None
    language: str = "zh"


class Refuse(Command, frozen=True, kw_only=True):
    """The payer's no, or the last wrong proof: the payment in `requires_action` is declined."""

    payment_id: UUID
    payer_id: UUID
    language: str = "zh"


class CapturePayment(Command, frozen=True, kw_only=True):
    """Take an authorised amount, whole or part. `final` releases what is left."""

    payment_id: UUID
    merchant_id: UUID
    amount_minor: int | None
    final: bool
    language: str = "zh"


class VoidPayment(Command, frozen=True, kw_only=True):
    """Release an authorised amount, or what is left of it."""

    payment_id: UUID
    merchant_id: UUID
    language: str = "zh"


class ExpirePayments(Command, frozen=True, kw_only=True):
    """Expire what nobody confirmed, captured or reviewed in time; made by the timers, at most `limit` at a time."""

    limit: int = 200


class InstalmentView(Struct, frozen=True):
    """One part of a plan as the payer reads it."""

    number: int
    principal_minor: int
    fee_minor: int
    amount_minor: int


class LenderView(Struct, frozen=True):
    """Who lends, and how much of it."""

    lender: str
    name: str
    share_ppm: int


class FundingView(Struct, frozen=True, omit_defaults=True):
    """One source of a payment. A line's entry carries its draw once there is one."""

    kind: str
    amount_minor: int
    wallet: str | None = None
    line: str | None = None
    draw: str | None = None
    tenor: int | None = None
    instalments: tuple[InstalmentView, ...] = ()
    lenders: tuple[LenderView, ...] = ()
    product: str | None = None
    annualised_rate_ppm: int | None = None


class NextAction(Struct, frozen=True):
    """What the payer has to do, and until when."""

    kind: str
    url: str
    expires_at: datetime | None
