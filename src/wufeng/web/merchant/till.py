"""The till: an amount, the code that the payer's phone shows, the result as it comes.

A scanner is a keyboard that types the digits and ends with Enter, so the page is a form with its cursor in the right
field. It works without scripts; with them Enter in the amount leads on to the code.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

from wufeng.base.errors import Code, not_found
from wufeng.base.ids import Prefix, decode
from wufeng.client import ApiProblem, InlineOrder
from wufeng.identity import own_merchant
from wufeng.payments import PaymentView, Reader, load_payment, show_payments
from wufeng.payments.pay_codes import rules
from wufeng.web.merchant.take import AMOUNT_MAX_MINOR
from wufeng.web.paging import Door, Reply, Visit, pages_of
from wufeng.web.texts import minor_of

WAITS = timedelta(minutes=3)
"""How long a till waits for the payer's yes on the phone."""

ROUNDS = 5 * 60
LOOKS_EVERY_S = 0.5


async def ask(visit: Visit) -> Reply:
    """The form, and what became of the last code, if one was scanned."""
    payment = await _payment(visit, visit.field("payment")) if visit.field("payment") else None
    return _show(visit, payment)


async def take(visit: Visit) -> Reply:
    """Take a payment by the code scanned. The form's key names the order: sent twice, it is one payment."""
    key, code = visit.key(), visit.field("code").replace(" ", "")
    amount_minor = minor_of(visit.field("amount"), visit.book.currency)
    if amount_minor is None or not 0 < amount_minor <= AMOUNT_MAX_MINOR:
        return _show(visit, None, amount_error=visit.gettext("Enter an amount, such as 12.80."))
    if not code:
        return _show(visit, None, code_error=visit.gettext("Scan the code on the payer's phone."))
    if not _is_ours(code):
        message = visit.gettext("This is no Wufeng pay code: it has 18 digits and begins with 38.")
        return _show(visit, None, code_error=message)
    order = InlineOrder(
        order_no=f"TILL-{key[:16].upper()}",
        amount_minor=amount_minor,
        currency=visit.book.currency,
        subject=visit.gettext("Purchase"),
        expires_at=visit.at + WAITS,
    )
    try:
        payment = await visit.api.payments.create(order=order, pay_code=code, idempotency_key=key)
    except ApiProblem as problem:
        return _show(visit, None, code_error=_refused(visit, problem))
    return visit.go(f"/merchant/till?payment={payment.id}")


async def live(visit: Visit) -> Reply:
    """The payment's result as it comes."""
    view, seen = await _payment(visit, visit.values["id"]), visit.field("seen")
    return Reply(media_type="text/event-stream", stream=_changes(visit, view.id, seen))


async def _changes(visit: Visit, payment: str, seen: str) -> AsyncIterator[bytes]:
    for _ in range(ROUNDS):
        view = await _payment(visit, payment)
        if view.status.value != seen:
            yield _event(visit, view)
            return
        await asyncio.sleep(LOOKS_EVERY_S)
        yield b": still here\n\n"


def _event(visit: Visit, view: PaymentView) -> bytes:
    html = visit.show("merchant/_till_live.html", payment=view).body.decode()
    lines = "".join(f"data: {line}\n" for line in html.splitlines() if line.strip())
    return f"event: state\n{lines}\n".encode()


async def _payment(visit: Visit, payment: str) -> PaymentView:
    """A payment of this merchant's. Another's is not there."""
    try:
        payment_id = decode(Prefix.PAYMENT, payment)
    except ValueError:
        raise not_found("payment") from None
    services, book = visit.services, visit.book
    async with services.database.read() as db:
        found = await load_payment(db, book, payment_id)
        if found is None:
            raise not_found("payment")
        own_merchant(visit.caller, found.merchant_id, "payment")
        (view,) = await show_payments(db, services.catalogue, book, [found], Reader.MERCHANT, visit.language)
    return view


def _is_ours(code: str) -> bool:
    digits = code.isascii() and code.isdigit()
    return digits and len(code) == rules.CODE_DIGITS and code.startswith(rules.PREFIX)


def _refused(visit: Visit, problem: ApiProblem) -> str:
    """Why nothing was taken, in words; a problem that this page has none for is raised on."""
    match problem.code:
        case Code.CONFIRMATION_FAILED:
            return visit.gettext(
                "The code was not accepted. Nothing was taken: ask for a fresh one and scan again."
            )
        case Code.RATE_LIMITED:
            return visit.gettext("Too many codes were not accepted here. Try again in a few minutes.")
        case Code.ORDER_NO_REUSED | Code.IDEMPOTENCY_KEY_REUSED | Code.ORDER_TAKEN:
            return visit.gettext("This form has taken a payment already. This is a fresh one: scan again.")
        case _:
            raise problem


def _show(visit: Visit, payment: PaymentView | None, amount_error: str = "", code_error: str = "") -> Reply:
    wrong = bool(amount_error or code_error)
    return visit.show(
        "merchant/till.html",
        status=422 if wrong else 200,
        payment=payment,
        amount=visit.field("amount") if wrong else "",
        amount_error=amount_error,
        code_error=code_error,
        at="till",
    )


page = pages_of(Door.MERCHANT)

PAGES = (
    page("GET", "/merchant/till", "merchant_till", ask),
    page("POST", "/merchant/till", "merchant_till_take", take),
    page("GET", "/merchant/till/{id}/live", "merchant_till_live", live),
)
