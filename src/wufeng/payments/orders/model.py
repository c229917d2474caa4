"""Orders: what is to be paid. A merchant's order number names one order for ever."""

from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from msgspec import Struct

from wufeng.base.ids import hashed_id
from wufeng.identity.merchants.model import Scene


class OrderState(StrEnum):
    """An order's way. Shipment and receipt matter where a product bills a draw only then."""

    OPEN = "open"  # -> paid, closed, expired
    PAID = "paid"  # -> shipped, receipt_confirmed
    SHIPPED = "shipped"  # -> receipt_confirmed
    RECEIPT_CONFIRMED = "receipt_confirmed"  # end
    CLOSED = "closed"  # end
    EXPIRED = "expired"  # end


class Receipt(StrEnum):
    """Whether the person confirms that the goods have come."""

    NONE = "none"
    CONFIRM = "confirm"


class Channel(StrEnum):
    """How payer and payee meet. An order says how it is offered; a pay code that is shown says so for its payment."""

    APP = "app"  # in the payer's app or the merchant's own
    CHECKOUT = "checkout"  # the hosted page
    STATIC_CODE = "static_code"  # the merchant's printed code
    DYNAMIC_CODE = "dynamic_code"  # the merchant's code of one order
    LINK = "link"  # sent in a chat
    PAY_CODE = "pay_code"  # the payer's code, made while connected
    OFFLINE_CODE = "offline_code"  # the payer's code, made without a connection
    RIDE = "ride"  # fares of a day


class OrderTerms(Struct, frozen=True, gc=False):
    """What never changes of an order.

    id          derived from the merchant and the order number (`order_id`), so the number is unique by itself
    channel     how it is offered: no term of the bargain, so an order that comes again may differ in it
    expires_at  instant on the book's clock after which it can no longer be paid; None: never
    """

    id: UUID
    merchant_id: UUID
    order_no: str
    amount_minor: int
    currency: str
    subject: str
    scene: Scene
    receipt: Receipt = Receipt.NONE
    expires_at: datetime | None = None
    metadata: bytes | None = None
    channel: Channel = Channel.APP


class Order(Struct, frozen=True):
    """An order and its claim: `payment_id` is the one payment that may be authorised, pending or captured."""

    terms: OrderTerms
    state: OrderState
    payment_id: UUID | None
    payer_id: UUID | None
    paid_at: datetime | None
    shipped_at: datetime | None
    receipt_confirmed_at: datetime | None
    created_at: datetime

    @staticmethod
    def new(terms: OrderTerms, at: datetime) -> "Order":
        """An order as it is born: open and free."""
        return Order(terms, OrderState.OPEN, None, None, None, None, None, at)


class Taking(Struct, frozen=True, gc=False):
    """A payment that takes an order: PAID when it has been captured, OPEN while it is authorised or pending."""

    payment_id: UUID
    payer_id: UUID
    state: OrderState


class OrderView(Struct, frozen=True, kw_only=True):
    """An order at the border."""

    id: str
    object: Literal["order"] = "order"
    created_at: datetime
    merchant: str
    order_no: str
    amount_minor: int
    currency: str
    subject: str
    scene: Scene
    receipt: Receipt
    state: OrderState
    payment: str | None
    expires_at: datetime | None
    paid_at: datetime | None
    shipped_at: datetime | None
    receipt_confirmed_at: datetime | None
    metadata: dict[str, str]


def order_id(merchant_id: UUID, order_no: str, named_by: UUID | None = None) -> UUID:
    """The id of a merchant's order number: a hash, whose last bits are the slot of order and claim.

    named_by  the person who made the number up in an inline order: a number space of their own, so that nobody can
              take a merchant's numbers; None for the merchant's own and the platform's
    """
    space = named_by.bytes if named_by is not None else b""
    return hashed_id(b"order", merchant_id.bytes, space, order_no.encode())
