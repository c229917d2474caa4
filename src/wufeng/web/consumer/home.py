"""Home and activity."""

from wufeng.base.database import Connection
from wufeng.base.errors import invalid_field
from wufeng.base.ids import Prefix, decode
from wufeng.credit.lines.model import LineStatus
from wufeng.credit.queries import Reading, list_bills, list_lines, load_line
from wufeng.credit.views import BillView, LineView
from wufeng.identity.pins.queries import has_pin
from wufeng.payments import PaymentFilter, PaymentStatus, list_payments
from wufeng.web.consumer.reading import Shown, payments_of, reading, shown
from wufeng.web.paging import Door, Reply, Visit, pages_of

RECENT = 5
A_PAGE = 20


async def home(visit: Visit) -> Reply:
    """What can be spent, what is due, what happened lately; everything within two taps."""
    services = visit.services
    async with services.database.read() as db:
        read = reading(visit, db)
        lines = [line for line in await list_lines(read, visit.caller.id) if line.status != LineStatus.CLOSED]
        line = lines[0] if lines else None
        bill = await _bill_to_pay(read, line) if line is not None and line.billed_minor else None
        recent, waiting = await _lately(visit, db)
        pin_set = await has_pin(db, visit.book, visit.caller.id)
    return visit.show(
        "consumer/home.html",
        line=line,
        more_lines=lines[1:],
        bill=bill,
        recent=recent,
        waiting=waiting,
        pin_set=pin_set,
        on=read.on,
    )


async def _bill_to_pay(read: Reading, line: LineView) -> BillView | None:
    """The oldest bill with something unpaid on it."""
    row = await load_line(read, decode(Prefix.LINE, line.id))
    bills = await list_bills(read, row, None, 6)
    unpaid = [bill for bill in bills if bill.unpaid_minor]
    return unpaid[-1] if unpaid else None


async def _lately(visit: Visit, db: Connection) -> tuple[list[Shown], list[Shown]]:
    """The newest payments, and those that wait for the visitor: these end in minutes, so they are among the newest."""
    wanted = PaymentFilter(payer_id=visit.caller.id)
    found = await list_payments(db, visit.book, wanted, None, A_PAGE)
    asked = [one for one in found if one.status is PaymentStatus.REQUIRES_ACTION and one.spender_id is None]
    open_ = [one for one in asked if one.expires_at is None or one.expires_at > visit.at]
    done = [one for one in found if one.status is not PaymentStatus.REQUIRES_ACTION][:RECENT]
    views = await shown(visit, db, [*done, *open_])
    return views[: len(done)], views[len(done) :]


async def activity(visit: Visit) -> Reply:
    """All payments, page by page."""
    before = None
    if visit.field("before"):
        try:
            before = decode(Prefix.PAYMENT, visit.field("before"))
        except ValueError:
            raise invalid_field("before", "It names no payment.") from None
    async with visit.services.database.read() as db:
        found = await payments_of(visit, db, before=before, at_most=A_PAGE + 1)
    return visit.show(
        "consumer/activity.html",
        payments=found[:A_PAGE],
        older=found[A_PAGE - 1].payment.id if len(found) > A_PAGE else None,
        first_page=before is None,
    )


page = pages_of(Door.CONSUMER)

PAGES = (
    page("GET", "/app", "app_home", home),
    page("GET", "/app/activity", "app_activity", activity),
)
