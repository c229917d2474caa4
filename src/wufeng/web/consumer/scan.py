"""Paying what somebody shows or sends: a merchant's code, a link in a chat. It all leads to the order's hosted page."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from msgspec import Struct

from wufeng.base.books import Book
from wufeng.base.errors import Code, Problem, not_found
from wufeng.base.ids import Prefix, decode, encode
from wufeng.client import ApiProblem
from wufeng.payments.scans.model import Aim, Kind, ScanView, Standing
from wufeng.payments.scans.opening import page_of_order
from wufeng.payments.scans.queries import Where, resolve
from wufeng.payments.tokens import BARE, open_token
from wufeng.web.paging import Door, Reply, Visit, pages_of
from wufeng.web.texts import minor_of

SCANNED_MAX = 1_000


class Offer(Struct, frozen=True):
    """What somebody was shown or sent, with the text in its address."""

    seen: ScanView
    token: str


async def ask_text(visit: Visit) -> Reply:
    """Where a code is scanned with the camera, or its text put in."""
    return visit.show("consumer/scan.html", text="", error="")


async def read_text(visit: Visit) -> Reply:
    """What was scanned or put in leads to its page."""
    text = visit.field("text")[:SCANNED_MAX]
    try:
        seen = await visit.api.scans.read(text)
    except ApiProblem as problem:
        if problem.code not in (Code.INVALID_FIELD, Code.NOT_FOUND):
            raise
        error = visit.gettext("This is no code that can be paid here. Nothing was paid.")
        return visit.show("consumer/scan.html", status=problem.status, text=text, error=error)
    return visit.go(seen.url)


async def show_code(visit: Visit) -> Reply:
    """A code that somebody's camera saw: one of a merchant's, or one of an order, which leads on at once."""
    token = visit.values["id"]
    if len(token) != BARE:
        opened = found_by_token(visit, Prefix.ORDER, token)
        return await to_page_of(visit, opened)
    return _show(visit, await _static(visit, token))


async def take_code(visit: Visit) -> Reply:
    """Make the order of a static code, and go on to its page. The form's key makes one order of it."""
    offer = await _static(visit, visit.values["id"])
    if visit.caller_or_none is None:
        return visit.go(visit.page.door.sign_in)
    amount_minor = offer.seen.amount_minor
    if amount_minor is None:
        amount_minor = minor_of(visit.field("amount"), visit.book.currency)
        if not amount_minor:
            return _show(visit, offer, error=visit.gettext("Enter an amount, such as 12.80."))
    code = offer.seen.merchant_code
    assert code is not None, "a static code names itself"
    fixed = offer.seen.amount_minor is not None
    try:
        order = await visit.api.merchant_codes.order(
            code, amount_minor=None if fixed else amount_minor, idempotency_key=visit.key()
        )
    except ApiProblem as problem:
        if problem.code not in (Code.STATE_CONFLICT, Code.INVALID_FIELD, Code.IDEMPOTENCY_KEY_REUSED):
            raise
        return _show(visit, offer, error=visit.gettext("Nothing was paid. Look at the amount and try again."))
    return await to_page_of(visit, decode(Prefix.ORDER, order.id))


async def show_link(visit: Visit) -> Reply:
    """A link that a merchant sent."""
    return _show(visit, await _link(visit))


async def take_link(visit: Visit) -> Reply:
    """Get the order of a link, and go on to its page: pressed twice, the same one."""
    offer = await _link(visit)
    if visit.caller_or_none is None:
        return visit.go(visit.page.door.sign_in)
    link = offer.seen.payment_link
    assert link is not None, "a link names itself"
    try:
        order = await visit.api.payment_links.order(link, token=offer.token)
    except ApiProblem as problem:
        if problem.code is not Code.STATE_CONFLICT:
            raise
        return _show(visit, await _link(visit))
    return await to_page_of(visit, decode(Prefix.ORDER, order.id))


async def to_page_of(visit: Visit, order_id: UUID) -> Reply:
    """Go on to the hosted page of an order, which is opened if need be. What cannot be paid and has none is told."""
    services = visit.services
    back = f"{services.settings.public_origin}/app"
    session = await page_of_order(
        services.database, services.ids, services.catalogue, visit.book, order_id, back, visit.at
    )
    if session is None:
        return _show(visit, Offer(await look_up(visit, Aim(Kind.ORDER, order_id)), ""))
    return visit.go(f"/checkout/{encode(Prefix.CHECKOUT_SESSION, session.id)}")


def found_by_token(visit: Visit, prefix: Prefix, token: str) -> UUID:
    """The id in a link, in whichever book it is; the visit then stands in that book. Refuses (not_found) a guess."""
    opened = open_token(visit.services.vault, visit.services.books.values(), prefix, token)
    if opened is None:
        raise not_found("code")
    book, id_ = opened
    stand_in(visit, book)
    return id_


def stand_in(visit: Visit, book: Book) -> None:
    """Somebody signed in to another book is nobody here, and signs in here next."""
    if book.id == visit.book.id:
        return
    visit.in_book(book)
    visit.caller_or_none, visit.token = None, None
    visit.set_cookie("wufeng_book", book.name)


async def look_up(visit: Visit, aim: Aim) -> ScanView:
    """What an aim leads to in the book that the visit stands in."""
    services = visit.services
    async with services.database.read() as db:
        return await resolve(Where(db, services.vault, services.merchants, visit.book, visit.at), aim)


async def _static(visit: Visit, token: str) -> Offer:
    """The static code in the path, in whichever book it is."""
    try:
        code_id = decode(Prefix.MERCHANT_CODE, f"{Prefix.MERCHANT_CODE.value}_{token}")
    except ValueError:
        raise not_found("code") from None
    here = visit.book
    for book in _books(visit):
        stand_in(visit, book)
        try:
            return Offer(await look_up(visit, Aim(Kind.MERCHANT_CODE, code_id)), token)
        except Problem as problem:
            if problem.code is not Code.NOT_FOUND:
                raise
    visit.in_book(here)
    raise not_found("code")


def _books(visit: Visit) -> Iterable[Book]:
    others = [book for book in visit.services.books.values() if book.id != visit.book.id]
    return (visit.book, *others)


async def _link(visit: Visit) -> Offer:
    token = visit.values["id"]
    link_id = found_by_token(visit, Prefix.PAYMENT_LINK, token)
    return Offer(await look_up(visit, Aim(Kind.PAYMENT_LINK, link_id)), token)


def _show(visit: Visit, offer: Offer, error: str = "") -> Reply:
    seen = offer.seen
    typed = visit.field("amount")
    known = seen.amount_minor or (minor_of(typed, seen.currency) if typed else None)
    if typed and not known:
        error = error or visit.gettext("Enter an amount, such as 12.80.")
    shown: dict[str, Any] = {
        "seen": seen,
        "known_minor": known or None,
        "typed": typed,
        "error": error,
        "is_open": seen.status is Standing.OPEN,
        "back_here": f"{visit.path}?{urlencode({'amount': typed})}" if typed and known else visit.path,
    }
    return visit.show("consumer/offer.html", status=422 if error else 200, return_url=None, **shown)


page = pages_of(Door.CONSUMER)

PAGES = (
    page("GET", "/app/scan", "app_scan", ask_text),
    page("POST", "/app/scan", "app_scan_send", read_text),
    page("GET", "/q/{id}", "scanned_code", show_code),
    page("POST", "/q/{id}", "scanned_code_send", take_code),
    page("GET", "/l/{id}", "payment_link", show_link),
    page("POST", "/l/{id}", "payment_link_send", take_link),
)
