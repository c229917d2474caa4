"""Codes as the border shows them, as text and drawn."""

import io

import segno

from wufeng.base.books import Book
from wufeng.base.ids import Prefix, encode
from wufeng.identity import Vault
from wufeng.identity.merchants.model import Merchant
from wufeng.payments.merchant_codes import emv, rules
from wufeng.payments.merchant_codes.model import MerchantCode, MerchantCodeView, OrderCodeView
from wufeng.payments.orders.model import OrderTerms
from wufeng.payments.tokens import bare, token_of


def url_of_code(origin: str, code: MerchantCode) -> str:
    """Where the camera of a phone goes that sees the code: it hangs in public, so its id is no secret."""
    return f"{origin}/q/{bare(Prefix.MERCHANT_CODE, code.id)}"


def url_of_order(vault: Vault, book: Book, origin: str, order: OrderTerms) -> str:
    """Where the camera of a phone goes that sees an order's code."""
    return f"{origin}/q/{token_of(vault, book, Prefix.ORDER, order.id)}"


def emv_of_code(code: MerchantCode, merchant: Merchant, book: Book) -> str:
    """The text of a static code for wallets."""
    payload = rules.static_payload(
        merchant, code.id, code.label, code.amount_minor, book.currency, book.time_zone
    )
    return emv.build(payload)


def emv_of_order(order: OrderTerms, merchant: Merchant, book: Book) -> str:
    """The text of an order's code for wallets."""
    payload = rules.dynamic_payload(
        merchant, order.id, order.order_no, order.amount_minor, order.currency, book.time_zone
    )
    return emv.build(payload)


def view_code(code: MerchantCode, merchant: Merchant, book: Book, origin: str) -> MerchantCodeView:
    """A static code as its merchant reads it."""
    return MerchantCodeView(
        id=encode(Prefix.MERCHANT_CODE, code.id),
        created_at=code.created_at,
        merchant=encode(Prefix.MERCHANT, code.merchant_id),
        label=code.label,
        subject=code.subject,
        amount_minor=code.amount_minor,
        currency=book.currency,
        status=code.status,
        closed_at=code.closed_at,
        url=url_of_code(origin, code),
        emv=emv_of_code(code, merchant, book),
    )


def view_order_code(
    vault: Vault, order: OrderTerms, merchant: Merchant, book: Book, origin: str
) -> OrderCodeView:
    """The code of one order."""
    url, text = url_of_order(vault, book, origin, order), emv_of_order(order, merchant, book)
    return OrderCodeView(
        order=encode(Prefix.ORDER, order.id), url=url, emv=text, url_svg=drawn(url), emv_svg=drawn(text)
    )


def drawn(text: str) -> str:
    """A text as the SVG of a QR code, black on white, without styles: pages take none inside."""
    out = io.BytesIO()
    segno.make(text, error="m", micro=False, encoding="utf-8").save(
        out, kind="svg", scale=8, border=4, xmldecl=False, svgns=True, omitsize=True, light="#fff"
    )
    return out.getvalue().decode()
