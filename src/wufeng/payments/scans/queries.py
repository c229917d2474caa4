"""What a scanned text leads to, looked up: each kind of code where it lives."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.base.errors import not_found
from wufeng.base.ids import Prefix, decode, encode
from wufeng.identity import Merchants, Vault
from wufeng.identity.merchants.model import Merchant, MerchantStatus
from wufeng.identity.people.queries import get_person
from wufeng.payments.friend_links.model import FriendLinkStatus
from wufeng.payments.friend_links.queries import load_asked
from wufeng.payments.friend_links.rules import status_of as status_of_friend_link
from wufeng.payments.merchant_codes.model import CodeStatus
from wufeng.payments.merchant_codes.queries import load_code
from wufeng.payments.orders.queries import find_order
from wufeng.payments.payment_links.model import LinkStatus
from wufeng.payments.payment_links.queries import load_link, paid_of, uses_of
from wufeng.payments.payment_links.rules import status_of as status_of_link
from wufeng.payments.scans import rules
from wufeng.payments.scans.model import Aim, Kind, Said, ScanView, Standing
from wufeng.payments.tokens import bare, open_token, token_of

_PREFIXES = {
    Kind.ORDER: Prefix.ORDER,
    Kind.PAYMENT_LINK: Prefix.PAYMENT_LINK,
    Kind.FRIEND_LINK: Prefix.FRIEND_LINK,
}
_OF_FRIEND = {
    FriendLinkStatus.OPEN: Standing.OPEN,
    FriendLinkStatus.TAKEN: Standing.TAKEN,
    FriendLinkStatus.PAID: Standing.PAID,
    FriendLinkStatus.CANCELLED: Standing.ENDED,
    FriendLinkStatus.EXPIRED: Standing.ENDED,
}


class Where(Struct, frozen=True):
    """Where a scan is looked up: what every kind needs."""

    db: Connection
    vault: Vault
    merchants: Merchants
    book: Book
    at: datetime


async def resolve(where: Where, aim: Aim) -> ScanView:
    """What an aim leads to. Refuses (raises) what is not there, in another book, or not what its code says."""
    id_ = aim.id
    if id_ is None:
        opened = open_token(where.vault, [where.book], _PREFIXES[aim.kind], aim.token)
        if opened is None:
            raise not_found("code")
        id_ = opened[1]
    match aim.kind:
        case Kind.MERCHANT_CODE:
            view = await _static_code(where, id_)
        case Kind.ORDER:
            view = await _order(where, id_)
        case Kind.PAYMENT_LINK:
            view = await _payment_link(where, id_)
        case Kind.FRIEND_LINK:
            view = await _friend_link(where, id_)
    truth = Said(decode(Prefix.MERCHANT, view.merchant), view.currency, view.amount_minor)
    if (problem := rules.problem_if_altered(aim.said, truth)) is not None:
        raise problem
    return view


async def _merchant(where: Where, merchant_id: UUID) -> Merchant:
    merchant = (await where.merchants.load(where.db, [merchant_id])).get(merchant_id)
    if merchant is None or merchant.book_id != where.book.id:
        raise not_found("code")
    return merchant


async def _static_code(where: Where, code_id: UUID) -> ScanView:
    code = await load_code(where.db, where.book, code_id)
    if code is None:
        raise not_found("code")
    merchant = await _merchant(where, code.merchant_id)
    is_open = code.status is CodeStatus.OPEN and merchant.status is MerchantStatus.ACTIVE
    return ScanView(
        kind=Kind.MERCHANT_CODE,
        status=Standing.OPEN if is_open else Standing.ENDED,
        merchant=encode(Prefix.MERCHANT, merchant.id),
        merchant_name=merchant.name,
        amount_minor=code.amount_minor,
        currency=where.book.currency,
        subject=code.subject or code.label,
        merchant_code=encode(Prefix.MERCHANT_CODE, code.id),
        url=f"/q/{bare(Prefix.MERCHANT_CODE, code.id)}",
    )


async def _order(where: Where, order_id: UUID) -> ScanView:
    order = await find_order(where.db, where.book, order_id)
    if order is None:
        raise not_found("code")
    merchant = await _merchant(where, order.terms.merchant_id)
    return ScanView(
        kind=Kind.ORDER,
        status=rules.standing_of_order(order, where.at),
        merchant=encode(Prefix.MERCHANT, merchant.id),
        merchant_name=merchant.name,
        amount_minor=order.terms.amount_minor,
        currency=order.terms.currency,
        subject=order.terms.subject,
        order=encode(Prefix.ORDER, order_id),
        url=f"/q/{token_of(where.vault, where.book, Prefix.ORDER, order_id)}",
    )


async def _payment_link(where: Where, link_id: UUID) -> ScanView:
    link = await load_link(where.db, where.book, link_id)
    if link is None:
        raise not_found("code")
    merchant = await _merchant(where, link.merchant_id)
    uses = (await uses_of(where.db, where.book, [link], where.at))[link_id]
    is_open = status_of_link(link, paid_of(uses), where.at) is LinkStatus.OPEN
    return ScanView(
        kind=Kind.PAYMENT_LINK,
        status=Standing.OPEN if is_open and merchant.status is MerchantStatus.ACTIVE else Standing.ENDED,
        merchant=encode(Prefix.MERCHANT, merchant.id),
        merchant_name=merchant.name,
        amount_minor=link.amount_minor,
        currency=where.book.currency,
        subject=link.subject,
        payment_link=encode(Prefix.PAYMENT_LINK, link.id),
        url=f"/l/{token_of(where.vault, where.book, Prefix.PAYMENT_LINK, link.id)}",
    )


async def _friend_link(where: Where, link_id: UUID) -> ScanView:
    asked = await load_asked(where.db, where.book, link_id)
    if asked is None:
        raise not_found("code")
    terms = asked.order.terms
    merchant = await _merchant(where, terms.merchant_id)
    person = await get_person(where.db, where.vault, where.book, asked.link.asker_id)
    return ScanView(
        kind=Kind.FRIEND_LINK,
        status=_OF_FRIEND[status_of_friend_link(asked.link, asked.order, where.at)],
        merchant=encode(Prefix.MERCHANT, merchant.id),
        merchant_name=merchant.name,
        amount_minor=terms.amount_minor,
        currency=terms.currency,
        subject=terms.subject,
        friend_link=encode(Prefix.FRIEND_LINK, link_id),
        order=encode(Prefix.ORDER, terms.id),
        asked_by=person.name_masked or person.phone_masked,
        url=f"/f/{token_of(where.vault, where.book, Prefix.FRIEND_LINK, link_id)}",
    )
