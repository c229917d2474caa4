"""Codes that merchants show, and what somebody who scans one is told."""

from typing import Annotated

from msgspec import Meta, Struct

from wufeng.api.bodies import AmountMinor, ListQuery, ShortText, starting_after
from wufeng.api.routing import Call, Nothing, Route, reply, reply_list
from wufeng.base.claims import Answer
from wufeng.base.database import Connection
from wufeng.base.errors import not_found
from wufeng.base.ids import Prefix
from wufeng.base.money import format_minor
from wufeng.identity import own_merchant
from wufeng.identity.merchants.model import Merchant
from wufeng.identity.merchants.queries import load_merchant
from wufeng.payments import CreateOrder, OrderView, find_order
from wufeng.payments.merchant_codes.commands import NewCode, close_code, create_code, order_of_code
from wufeng.payments.merchant_codes.model import MerchantCode, MerchantCodeView, OrderCodeView
from wufeng.payments.merchant_codes.poster import Paper, Poster, print_poster
from wufeng.payments.merchant_codes.queries import list_codes, load_code
from wufeng.payments.merchant_codes.views import (
    drawn,
    emv_of_code,
    url_of_code,
    view_code,
    view_order_code,
)
from wufeng.payments.scans.model import ScanView
from wufeng.payments.scans.queries import Where, resolve
from wufeng.payments.scans.rules import TEXT_MAX, read_text

SVG, PDF = "image/svg+xml", "application/pdf"
Label = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"\S", examples=["Counter 1"])]


class NewMerchantCode(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A code to print. Without an amount whoever pays keys it in; without a subject they read the label."""

    label: Label
    subject: ShortText | None = None
    amount_minor: AmountMinor | None = None


class MerchantCodeList(Struct, frozen=True, kw_only=True):
    """A page of codes, the newest first."""

    data: list[MerchantCodeView]
    next: str | None
    has_more: bool


class PosterQuery(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The paper of a poster; only asked for with `Accept: application/pdf`."""

    paper: Paper = Paper.A5


class ScannedAmount(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the payer keyed in; left out where the code says it."""

    amount_minor: AmountMinor | None = None


class NewScan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was scanned, typed or sent: the text of a code, a link of ours, or a code's id."""

    text: Annotated[str, Meta(min_length=1, max_length=TEXT_MAX)]


async def post_merchant_code(call: Call[NewMerchantCode, Nothing]) -> Answer:
    """Make a static code."""
    body, services, book = call.body, call.services, call.book
    assert call.caller.merchant_id is not None, "only merchants make codes"
    new = NewCode(
        merchant_id=call.caller.merchant_id,
        label=body.label.strip(),
        subject=body.subject,
        amount_minor=body.amount_minor,
    )
    code = await create_code(services.database, services.ids, book, new, call.at)
    async with services.database.read() as db:
        merchant = await load_merchant(db, book, code.merchant_id)
    return reply(view_code(code, merchant, book, services.settings.public_origin), 201, code.id)


async def get_merchant_codes(call: Call[Nothing, ListQuery]) -> Answer:
    """The merchant's codes, closed ones too, the newest first."""
    merchant_id = call.caller.merchant_id
    assert merchant_id is not None, "only merchants list codes"
    before = starting_after(call.query, Prefix.MERCHANT_CODE, "merchant code")
    async with call.services.database.read() as db:
        merchant = await load_merchant(db, call.book, merchant_id)
        found = await list_codes(db, call.book, merchant_id, before, call.query.limit + 1)
    origin = call.services.settings.public_origin
    return reply_list([view_code(code, merchant, call.book, origin) for code in found], call.query.limit)


async def get_merchant_code(call: Call[Nothing, PosterQuery]) -> Answer:
    """One code; by `Accept` its link drawn as a QR code (SVG), or a poster of it (PDF)."""
    async with call.services.database.read() as db:
        code, merchant = await _own_code(call, db)
    origin = call.services.settings.public_origin
    if call.format == SVG:
        return Answer(200, drawn(url_of_code(origin, code)).encode())
    if call.format == PDF:
        return Answer(200, await print_poster(_poster(call, code, merchant)))
    return reply(view_code(code, merchant, call.book, origin))


def _poster(call: Call[Nothing, PosterQuery], code: MerchantCode, merchant: Merchant) -> Poster:
    currency = call.book.currency
    amount = "" if code.amount_minor is None else f"{currency} {format_minor(code.amount_minor, currency)}"
    return Poster(
        paper=call.query.paper,
        merchant=merchant.name,
        label=code.label,
        amount=amount,
        url=url_of_code(call.services.settings.public_origin, code),
        emv=emv_of_code(code, merchant, call.book),
        reference=call.path["id"],
        made_at=code.created_at,
    )


async def close_merchant_code(call: Call[Nothing, Nothing]) -> Answer:
    """Close a code for good: whoever scans it is told."""
    services, merchant_id = call.services, call.caller.merchant_id
    assert merchant_id is not None, "only merchants close codes"
    code_id = call.path_id(Prefix.MERCHANT_CODE, "merchant code")
    code = await close_code(services.database, call.book, code_id, merchant_id, call.at)
    async with services.database.read() as db:
        merchant = await load_merchant(db, call.book, code.merchant_id)
    return reply(view_code(code, merchant, call.book, services.settings.public_origin))


async def _own_code(call: Call[Nothing, PosterQuery], db: Connection) -> tuple[MerchantCode, Merchant]:
    code = await load_code(db, call.book, call.path_id(Prefix.MERCHANT_CODE, "merchant code"))
    if code is None:
        raise not_found("merchant code")
    own_merchant(call.caller, code.merchant_id, "merchant code")
    return code, await load_merchant(db, call.book, code.merchant_id)


async def post_code_order(call: Call[ScannedAmount, Nothing]) -> Answer:
    """Whoever scanned a static code makes the order that they are going to pay; it waits for thirty minutes."""
    services, book, person_id = call.services, call.book, call.caller.person_id
    assert person_id is not None and call.claim is not None, "people take up codes, each time by a key"
    async with services.database.read() as db:
        code = await load_code(db, book, call.path_id(Prefix.MERCHANT_CODE, "merchant code"))
        if code is None:
            raise not_found("merchant code")
        merchant = await load_merchant(db, book, code.merchant_id)
    terms = order_of_code(code, merchant, book, person_id, call.claim.id, call.body.amount_minor, call.at)
    command = CreateOrder(at=call.at, claim=call.claim, request_id=call.request_id, terms=terms)
    return await services.lanes.submit(book.bucket_of(terms.id), command)


async def get_order_code(call: Call[Nothing, Nothing]) -> Answer:
    """The code of one order, to be shown on a till's screen; by `Accept` its link drawn as a QR code (SVG)."""
    services, book = call.services, call.book
    async with services.database.read() as db:
        order = await find_order(db, book, call.path_id(Prefix.ORDER, "order"))
        if order is None:
            raise not_found("order")
        own_merchant(call.caller, order.terms.merchant_id, "order")
        merchant = await load_merchant(db, book, order.terms.merchant_id)
    view = view_order_code(services.vault, order.terms, merchant, book, services.settings.public_origin)
    if call.format == SVG:
        return Answer(200, view.url_svg.encode())
    return reply(view)


async def post_scan(call: Call[NewScan, Nothing]) -> Answer:
    """What a text leads to: who is paid, how much, what for. Nothing is made by it."""
    services, aim = call.services, read_text(call.body.text)
    async with services.database.read() as db:
        view = await resolve(Where(db, services.vault, services.merchants, call.book, call.at), aim)
    return reply(view)


ROUTES = (
    Route(
        method="POST",
        path="/v1/merchant_codes",
        operation="create_merchant_code",
        summary="Make a code to print",
        handle=post_merchant_code,
        body=NewMerchantCode,
        answers={201: MerchantCodeView},
    ),
    Route(
        method="GET",
        path="/v1/merchant_codes",
        operation="list_merchant_codes",
        summary="Codes of the merchant, newest first",
        handle=get_merchant_codes,
        query=ListQuery,
        answers={200: MerchantCodeList},
    ),
    Route(
        method="GET",
        path="/v1/merchant_codes/{id}",
        operation="get_merchant_code",
        summary="One code, also drawn (SVG) and as a poster (PDF)",
        handle=get_merchant_code,
        query=PosterQuery,
        answers={200: MerchantCodeView},
        formats=(SVG, PDF),
    ),
    Route(
        method="POST",
        path="/v1/merchant_codes/{id}/close",
        operation="close_merchant_code",
        summary="Close a code for good",
        handle=close_merchant_code,
        answers={200: MerchantCodeView},
    ),
    Route(
        method="POST",
        path="/v1/merchant_codes/{id}/orders",
        operation="create_code_order",
        summary="Make the order of a scanned code",
        handle=post_code_order,
        body=ScannedAmount,
        answers={201: OrderView},
        keyed=True,
    ),
    Route(
        method="GET",
        path="/v1/orders/{id}/code",
        operation="get_order_code",
        summary="The code of one order, also drawn (SVG)",
        handle=get_order_code,
        answers={200: OrderCodeView},
        formats=(SVG,),
    ),
    Route(
        method="POST",
        path="/v1/scans",
        operation="create_scan",
        summary="What a scanned text leads to",
        handle=post_scan,
        body=NewScan,
        answers={200: ScanView},
    ),
)
