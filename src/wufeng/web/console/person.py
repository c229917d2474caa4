"""One person: who, their lines, and all that happened, the newest first; staff open a line here."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from msgspec import Struct

from wufeng.base.database import Connection
from wufeng.base.errors import Code, invalid_field
from wufeng.base.ids import Prefix, decode, encode, first_id_of, instant_of
from wufeng.client import ApiProblem
from wufeng.credit.queries import Reading, line_history, list_bills, list_lines, list_repayments, load_line
from wufeng.identity.audit.queries import list_audit_entries
from wufeng.identity.documents.queries import list_verifications
from wufeng.identity.people.queries import show_person
from wufeng.payments import PaymentFilter, Reader, list_payments, show_payments, view_refund
from wufeng.payments.pay.model import PaymentStatus
from wufeng.payments.refunds.queries import refunds_of_payment
from wufeng.payments.wallets.queries import list_movements, show_wallet
from wufeng.web.console.frame import DECIDING, WORKING, merchant_names, reading, show
from wufeng.web.paging import Door, Reply, Visit, pages_of
from wufeng.web.texts import minor_of

A_PAGE = 100
LINES_MAX = 20
ATTEMPTS_SHOWN = 5
REFUNDED_MAX = 20
"""Refunded payments of a page whose refunds are read."""


class Moment(Struct, frozen=True):
    """One thing that happened: its kind chooses how it is told (console/_moment.html)."""

    at: datetime
    kind: str
    what: Any
    line: str = ""


async def person(visit: Visit) -> Reply:
    """The page. `?before=` an instant (ms) shows what was earlier; `?around=` the part with a payment on it."""
    return await _show(visit, visit.path_id(Prefix.PERSON, "person"))


async def open_line(visit: Visit) -> Reply:
    """Open a line for the person, with a reason; sent twice it is one line."""
    person_id = visit.path_id(Prefix.PERSON, "person")
    limit_minor = minor_of(visit.field("limit"), visit.book.currency)
    if limit_minor is None:
        return await _show(visit, person_id, error="limit", status=422)
    if not visit.field("reason"):
        return await _show(visit, person_id, error="reason", status=422)
    try:
        await visit.api.lines.open(
            person=encode(Prefix.PERSON, person_id),
            product=visit.field("product"),
            limit_minor=limit_minor,
            reason=visit.field("reason"),
            idempotency_key=visit.key(),
        )
    except ApiProblem as problem:
        if problem.code not in (Code.INVALID_FIELD, Code.STATE_CONFLICT):
            raise
        fields = {error.pointer for error in problem.errors}
        known = next(
            (name for name in ("limit", "reason", "product") for field in fields if name in field), "refused"
        )
        return await _show(visit, person_id, error=known, detail=problem.detail, status=problem.status)
    return visit.go(f"/console/people/{visit.values['id']}#lines")


async def show_refused(visit: Visit, person_id: UUID, detail: str, status: int) -> Reply:
    """The page again, with what was said of a deed on the account (account.py) that was refused."""
    return await _show(visit, person_id, account_error=detail, status=status)


async def _show(
    visit: Visit,
    person_id: UUID,
    error: str = "",
    detail: str = "",
    status: int = 200,
    account_error: str = "",
) -> Reply:
    services, book = visit.services, visit.book
    before = _before(visit)
    async with services.database.read() as db:
        seen = await show_person(db, services.vault, book, person_id)
        read = reading(visit, db)
        lines = await list_lines(read, person_id, at_most=LINES_MAX)
        attempts = await list_verifications(db, book, person_id, None, ATTEMPTS_SHOWN)
        wallet = await show_wallet(db, services.vault, book, decode(Prefix.WALLET, seen.wallet))
        moments = await _timeline(visit, read, person_id, [line.id for line in lines], before)
        around = visit.field("around")
        if around and before is None and all(m.kind != "payment" or m.what.id != around for m in moments):
            before = _instant_of(around) + timedelta(milliseconds=1)
            moments = await _timeline(visit, read, person_id, [line.id for line in lines], before)
        names = await merchant_names(visit, db, {m.what.merchant for m in moments if m.kind == "payment"})
    shown = moments[:A_PAGE]
    opened = {line.product.partition("@")[0] for line in lines if line.status != "closed"}
    products = [one for one in services.products.offered(read.on) if one.currency == book.currency]
    return await show(
        visit,
        "person.html",
        status=status,
        person=seen,
        wallet=wallet,
        lines=lines,
        moments=shown,
        names=names,
        first_page=before is None,
        older=int(shown[-1].at.timestamp() * 1000) if len(moments) > A_PAGE else None,
        products=[one for one in products if one.id not in opened],
        chosen=visit.field("product"),
        limit=visit.field("limit"),
        reason=visit.field("reason"),
        attempts=attempts,
        account_error=account_error,
        at=visit.at,
        may_work=visit.caller.role in WORKING,
        may_open=visit.caller.role in DECIDING,
        error=error,
        detail=detail,
    )


def _before(visit: Visit) -> datetime | None:
    text = visit.form.get("before", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 14):
        raise invalid_field("before", "It is no instant.")
    return instant_of(UUID(int=int(text) << 80))


def _instant_of(payment: str) -> datetime:
    try:
        return instant_of(decode(Prefix.PAYMENT, payment))
    except ValueError:
        raise invalid_field("around", "It names no payment.") from None


async def _timeline(
    visit: Visit, read: Reading, person_id: UUID, lines: list[str], before: datetime | None
) -> list[Moment]:
    """One more than a page of what happened before an instant, the newest first.

    Each kind gives its own newest; ids are in the order of time, so an instant is a bound of ids.
    """
    end = first_id_of(before) if before is not None else None
    at_most = A_PAGE + 1
    moments = await _payments(visit, read.db, person_id, end)
    audited: list[tuple[UUID, str]] = [(person_id, "")]
    for shown in lines:
        line = await load_line(read, decode(Prefix.LINE, shown))
        audited.append((line.id, shown))
        moments += [Moment(change.at, "line", change, shown) for change in await line_history(read, line.id)]
        # Bills and repayments are paged by rows of theirs: a line has few, and all are read.
        moments += [
            Moment(one.created_at, "bill", one, shown) for one in await list_bills(read, line, None, at_most)
        ]
        found = await list_repayments(read, line, end, at_most)
        moments += [Moment(one.created_at, "repayment", one, shown) for one in found]
    wallet = decode(
        Prefix.WALLET, (await show_person(read.db, visit.services.vault, read.book, person_id)).wallet
    )
    movements = await list_movements(read.db, read.book, wallet, None, end, at_most)
    moments += [Moment(one.created_at, "movement", one) for one in movements]
    for object_id, shown in audited:
        entries = await list_audit_entries(read.db, read.book, object_id, end, at_most)
        moments += [Moment(entry.created_at, "audit", entry, shown) for entry in entries]
    kept = [moment for moment in moments if before is None or moment.at < before]
    return sorted(kept, key=lambda moment: moment.at, reverse=True)[:at_most]


async def _payments(visit: Visit, db: Connection, person_id: UUID, end: UUID | None) -> list[Moment]:
    book = visit.book
    found = await list_payments(db, book, PaymentFilter(payer_id=person_id), end, A_PAGE + 1)
    views = await show_payments(db, visit.services.catalogue, book, found, Reader.PLATFORM, visit.language)
    moments = [Moment(view.created_at, "payment", view) for view in views]
    refunded = [view for view in views if view.refunded_minor and view.status is PaymentStatus.CAPTURED][
        :REFUNDED_MAX
    ]
    for view in refunded:
        refunds = await refunds_of_payment(db, book, decode(Prefix.PAYMENT, view.id))
        moments += [Moment(one.created_at, "refund", view_refund(one)) for one in refunds]
    return moments


page = pages_of(Door.CONSOLE)

PAGES = (
    page("GET", "/console/people/{id}", "console_person", person),
    page("POST", "/console/people/{id}/lines", "console_open_line", open_line),
)
