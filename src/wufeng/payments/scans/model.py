"""What a person has scanned, typed or been sent: a merchant's code, an order, a link."""

from enum import StrEnum
from typing import Literal
from uuid import UUID

from msgspec import Struct


class Kind(StrEnum):
    """What a text leads to."""

    MERCHANT_CODE = "merchant_code"  # a static code: an order is made from it
    ORDER = "order"
    PAYMENT_LINK = "payment_link"  # an order is made from it
    FRIEND_LINK = "friend_link"  # somebody asks for their order to be paid


class Standing(StrEnum):
    """Whether it can be paid now."""

    OPEN = "open"
    TAKEN = "taken"  # somebody is paying it
    PAID = "paid"
    ENDED = "ended"  # closed, cancelled, expired or used up


class Said(Struct, frozen=True):
    """What a code for wallets says beside the id: it must be what the id stands for."""

    merchant_id: UUID
    currency: str
    amount_minor: int | None


class Aim(Struct, frozen=True):
    """What a text names, before it is looked for: an id, or a token that holds one.

    said  None: the text is a link or an id
    """

    kind: Kind
    id: UUID | None = None
    token: str = ""
    said: Said | None = None


class ScanView(Struct, frozen=True, kw_only=True):
    """What is to be paid to whom. `amount_minor` null: whoever pays keys it in. `url`: the page to pay it on.

    asked_by  who asks a friend to pay, masked
    """

    object: Literal["scan"] = "scan"
    kind: Kind
    status: Standing
    merchant: str
    merchant_name: str
    amount_minor: int | None
    currency: str
    subject: str
    merchant_code: str | None = None
    payment_link: str | None = None
    friend_link: str | None = None
    order: str | None = None
    asked_by: str | None = None
    url: str
