"""What several pages of the consumer app read: lines, payments with the names of their merchants."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from msgspec import Struct

from wufeng.base.database import Connection
from wufeng.base.ids import Prefix, decode
from wufeng.credit.queries import Reading
from wufeng.payments import PaymentFilter, PaymentStatus, PaymentView, Reader, list_payments, show_payments
from wufeng.payments.pay.model import Payment
from wufeng.web.paging import Visit


class Shown(Struct, frozen=True):
    """A payment as a list shows it. `state` tells refunds too."""

    payment: PaymentView
    merchant: str
    state: str


def reading(visit: Visit, db: Connection) -> Reading:
    """What reads of credit need."""
    on = visit.book.business_date(visit.at)
    return Reading(db, visit.book, visit.services.products, on, visit.language)


async def payments_of(
    visit: Visit,
    db: Connection,
    *,
    status: PaymentStatus | None = None,
    before: UUID | None = None,
    at_most: int = 20,
) -> list[Shown]:
    """The visitor's payments, the newest first."""
    wanted = PaymentFilter(payer_id=visit.caller.id, status=status)
    return await shown(visit, db, await list_payments(db, visit.book, wanted, before, at_most))


async def shown(visit: Visit, db: Connection, found: Sequence[Payment]) -> list[Shown]:
    """Payments with the names of their merchants."""
    views = await show_payments(
        db, visit.services.catalogue, visit.book, found, Reader.PERSON, visit.language
    )
    names = await merchant_names(visit, db, [view.merchant for view in views])
    return [Shown(view, names[view.merchant], state_of(view)) for view in views]


async def merchant_names(visit: Visit, db: Connection, ids: Sequence[str]) -> Mapping[str, str]:
    """The names of merchants, by their public ids."""
    by_id = {decode(Prefix.MERCHANT, id_): id_ for id_ in ids}
    found = await visit.services.merchants.load(db, list(by_id))
    return {public: found[id_].name if id_ in found else public for id_, public in by_id.items()}


def state_of(payment: PaymentView) -> str:
    """What a payment's tag says: its status, or how far it was refunded."""
    if payment.status is PaymentStatus.CAPTURED and payment.refunded_minor:
        return "refunded" if payment.refunded_minor == payment.captured_minor else "part_refunded"
    return payment.status.value
