"""What can be asked of static codes: make one, close one. No money moves, so no lane is needed."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from wufeng.base.books import Book
from wufeng.base.database import Database
from wufeng.base.errors import Code, Problem, not_found
from wufeng.base.ids import IdMaker, Prefix, encode, hashed_id, slot_of
from wufeng.identity.merchants.model import Merchant, MerchantStatus
from wufeng.payments.merchant_codes import rules, store
from wufeng.payments.merchant_codes.model import CodeStatus, MerchantCode
from wufeng.payments.offered import terms_of
from wufeng.payments.orders.model import Channel, OrderTerms


class NewCode(Struct, frozen=True, kw_only=True):
    """A code somebody wants. Without an amount whoever pays keys it in."""

    merchant_id: UUID
    label: str
    subject: str | None
    amount_minor: int | None


async def create_code(
    database: Database, ids: IdMaker, book: Book, new: NewCode, at: datetime
) -> MerchantCode:
    """Make a static code. Refuses (raises state_conflict) more than `rules.OPEN_MAX` open ones of a merchant."""
    bucket = book.bucket_of(new.merchant_id)
    code = MerchantCode(
        id=ids.new(at, slot_of(new.merchant_id)),
        merchant_id=new.merchant_id,
        label=new.label,
        subject=new.subject,
        amount_minor=new.amount_minor,
        closed_at=None,
        created_at=at,
    )
    async with database.transaction() as db:
        if await store.count_open(db, bucket, new.merchant_id) >= rules.OPEN_MAX:
            raise Problem(Code.STATE_CONFLICT, f"{rules.OPEN_MAX} codes are open: close one first.")
        await store.insert_code(db, bucket, code)
    return code


async def close_code(
    database: Database, book: Book, code_id: UUID, merchant_id: UUID, at: datetime
) -> MerchantCode:
    """Close a code for good. Another merchant's is not there (raises not_found); twice changes nothing."""
    async with database.transaction() as db:
        code = await store.close_code(db, book.bucket_of(code_id), code_id, merchant_id, at)
    if code is None:
        raise not_found("merchant code")
    return code


def order_of_code(
    code: MerchantCode,
    merchant: Merchant,
    book: Book,
    person_id: UUID,
    claim_id: UUID,
    asked_minor: int | None,
    at: datetime,
) -> OrderTerms:
    """The order that a person who scanned a code is to pay, in a number space of their own.

    claim_id  of the request's key: the same key names the same order
    Refuses (raises) a code that is closed, and an amount that it does not allow.
    """
    if code.status is CodeStatus.CLOSED or merchant.status is not MerchantStatus.ACTIVE:
        raise Problem(Code.STATE_CONFLICT, "This code takes no payments any more.")
    amount_minor = rules.amount_to_pay(code.amount_minor, asked_minor)
    if isinstance(amount_minor, Problem):
        raise amount_minor
    named = hashed_id(b"scanned", code.id.bytes, claim_id.bytes)
    return terms_of(
        Channel.STATIC_CODE,
        merchant,
        book,
        person_id,
        named,
        amount_minor,
        code.subject or code.label,
        at,
        {"merchant_code": encode(Prefix.MERCHANT_CODE, code.id), "label": code.label},
    )
