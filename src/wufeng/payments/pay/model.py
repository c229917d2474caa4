"""Payments: one attempt to pay an order, and what can be asked of it."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from wufeng.base.ids import instant_of
from wufeng.base.lanes import Command
from wufeng.identity.audit.model import Act
from wufeng.identity.merchants.model import Scene
from wufeng.payments.family.model import Spend
from wufeng.payments.orders.model import Channel, OrderTerms, Receipt
from wufeng.risk.model import Confirmation, Reason


class PaymentStatus(StrEnum):
    """A payment's way; refunded amounts are amounts, not states. `rules.MOVES` is the table of moves."""

    REQUIRES_ACTION = "requires_action"  # the payer has not said yes; no journal yet
    PENDING = "pending"  # held; a reviewer has not answered
    AUTHORISED = "authorised"  # held; captured_minor tells what was taken between
    CAPTURED = "captured"
    DECLINED = "declined"
    VOIDED = "voided"
    EXPIRED = "expired"
    FAILED = "failed"


class Capture(StrEnum):
    """When the money is taken."""

    NOW = "now"
    LATER = "later"  # authorise first, then capture or void


class Funding(Struct, frozen=True, gc=False):
    """What a payment is to be paid from: the wallet, a line, or the wallet first and the rest drawn on the line.

    tenor               monthly instalments of the drawn part; 1: all on the next bill
    merchant_share_ppm  of the instalment fee, carried by the merchant (a checkout session or a campaign says so)
    campaign_id         the campaign that the share comes from; None: the order's own
    wallet_minor        the wallet's part, no more and no less: the price of the rest was shown; None: as far as it goes
    """

    use_wallet: bool
    line_id: UUID | None
    tenor: int = 1
    merchant_share_ppm: int = 0
    campaign_id: UUID | None = None
    wallet_minor: int | None = None


class Payment(Struct, frozen=True, gc=False, kw_only=True):
    """A payment as it is kept.

    wallet_minor, credit_minor  the parts of the amount, once held or captured; the wallet's part is captured first
    fee_minor                   the merchant's fee on what is captured, refunds not taken off
    wallet_refunded_minor       of refunded_minor, what came out of the wallet's part
    campaign_minor              of its campaign's budget, what was captured with it, less what refunds gave back
    campaign_held_minor         and what is kept for the amount still to be captured
    inline_order                the order was made by this payment and has no terms that the payment does not show
    channel                     how payer and payee met
    needs                       while it waits for its payer: the weakest confirmation that will do
    spender_id                  who pays with a family card of the payer's; None: the payer
    expires_at                  until when it may be confirmed, reviewed or captured; None once it has ended
    """

    id: UUID
    payer_id: UUID
    merchant_id: UUID
    order_id: UUID
    order_no: str
    amount_minor: int
    currency: str
    scene: Scene
    subject: str
    receipt: Receipt
    inline_order: bool
    status: PaymentStatus
    capture: Capture
    funding: Funding
    wallet_minor: int = 0
    credit_minor: int = 0
    captured_minor: int = 0
    fee_minor: int = 0
    refunded_minor: int = 0
    wallet_refunded_minor: int = 0
    campaign_minor: int = 0
    campaign_held_minor: int = 0
    wallet_hold_id: UUID | None = None
    line_hold_id: UUID | None = None
    decision_id: UUID | None = None
    reasons: tuple[Reason, ...] = ()
    caller_id: UUID
    confirmed_by: str | None = None
    channel: Channel = Channel.APP
    needs: Confirmation | None = None
    spender_id: UUID | None = None
    expires_at: datetime | None = None
    captured_at: datetime | None = None
    created_at: datetime

    @property
    def confirmer_id(self) -> UUID:
        """Whose yes it needs: who spends, else the payer."""
        return self.spender_id or self.payer_id

    @property
    def held_at(self) -> datetime:
        """When it was let through and its amount held: an id of a hold begins with that, and a review keeps both."""
        hold_id = self.line_hold_id or self.wallet_hold_id
        assert hold_id is not None, "what is captured in parts, or let go, was held"
        return instant_of(hold_id)

    @property
    def confirmation(self) -> Confirmation:
        """How it was confirmed."""
        return next((kind for kind in Confirmation if kind.code == self.confirmed_by), Confirmation.NONE)


class Sales(Struct, frozen=True):
    """What a merchant took. `credit_minor`: of the gross, what was drawn on lines."""

    payments: int
    gross_minor: int
    credit_minor: int

    @property
    def credit_ppm(self) -> int | None:
        """The share paid on credit; None without a sale."""
        return self.credit_minor * 1_000_000 // self.gross_minor if self.gross_minor else None


class PaymentFilter(Struct, frozen=True, kw_only=True):
    """Which payments a list shows; None does not narrow it. `only` is one payment, whatever it is."""

    payer_id: UUID | None = None
    merchant_id: UUID | None = None
    status: PaymentStatus | None = None
    order_no: str | None = None
    only: UUID | None = None


class Reader(StrEnum):
    """Who reads a payment: a merchant sees fraud reasons as one, a person does not see the merchant's fee."""

    PERSON = "person"
    SPENDER = "spender"  # of a family card: their own side, nothing of its owner's money
    MERCHANT = "merchant"
    PLATFORM = "platform"  # and staff: all of it


class Presented(Struct, frozen=True, gc=False):
    """A pay code that the payer showed, resolved at the edge. It pays once: the lane sees to that.

    code_id      what the code is known by, the same however often it is read
    device_id    of the payer's that shows it
    made_at      when it was made here; None: the device made it without a connection
    handle_name  of the enrolment that the device made it by; None: made here
    """

    code_id: UUID
    device_id: UUID
    made_at: datetime | None = None
    handle_name: UUID | None = None

    @property
    def offline(self) -> bool:
        """Whether it was made without a connection."""
        return self.handle_name is not None


class Pay(Command, frozen=True, kw_only=True):
    """Start a payment of an order. Submit it to the payer's bucket, with the payer in `people`.

    payment_id    made at the edge, in the payer's slot
    order         inline, or the terms of a stored order as they were read: they never change
    confirmation  how the payer has said yes so far; NONE when somebody else names the payer
    reader        who asks: the answer is written for them
    presented     the pay code that brought the request; None: the order's own channel
    spend         the family card of the payer's that somebody else pays with, and who; None: the payer pays
    """

    payment_id: UUID
    order: OrderTerms
    payer_id: UUID
    funding: Funding
    capture: Capture
    confirmation: Confirmation
    caller_id: UUID
    reader: Reader
    presented: Presented | None = None
    spend: Spend | None = None
    language: str = "zh"


class Confirm(Command, frozen=True, kw_only=True):
    """The payer's yes to a payment in `requires_action`, proved at the edge.

    funding  what the payer chose now; None keeps what the payment names
    """

    payment_id: UUID
    payer_id: UUID  # or who spends with the payer's family card
    confirmation: Confirmation
    funding: Funding | None
    language: str = "zh"


class Refuse(Command, frozen=True, kw_only=True):
    """The payer's no, or the last wrong proof: the payment in `requires_action` is declined."""

    payment_id: UUID
    payer_id: UUID
    language: str = "zh"


class ReviewPayment(Command, frozen=True, kw_only=True):
    """A reviewer's answer to a payment that is `pending`. `staff_id` stands in the decision row that it makes.

    act  for the audit, with the reviewer's reason
    """

    payment_id: UUID
    approve: bool
    staff_id: UUID
    act: Act | None = None
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
