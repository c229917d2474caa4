"""When a line is debited, and how what is due is split over sources. Pure.

Source: PRODUCTS.md 1.1 and 2.3: on the due day at the product's times, then once a day; sources in the person's order;
in part where there is not enough; another person's money never.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from wufeng.base.books import Book
from wufeng.credit.bills.model import BillStatus
from wufeng.credit.debits.model import Hour, Tried
from wufeng.credit.lines.model import LineStatus
from wufeng.credit.products.model import AutoDebit, Product
from wufeng.credit.repayments.model import Debt, Source


def is_wanted(debt: Debt, terms: AutoDebit, tried: Tried | None, on: date, number: int) -> bool:
    """Whether a line is to be tried now: it names sources, was not tried so far, and a bill is in its days.

    number  0: the first try of a date, on the due date and each of the `days_after` behind it; later ones are of the
            due date alone. All that is due is asked for, not only the bill whose day it is: the oldest is paid first
    """
    if not debt.line.auto_debit or debt.line.status is LineStatus.CLOSED:
        return False
    if tried is not None and tried.has_made(on, number):
        return False
    ages = [(on - bill.due_on).days for bill in debt.bills if bill.status is not BillStatus.PAID]
    if number:
        return number < len(terms.times) and 0 in ages
    return any(0 <= age <= terms.days_after for age in ages)


def split(sources: Sequence[tuple[Source, int | None]], due_minor: int) -> list[tuple[Source, int]]:
    """Split an amount due over sources in their order, each what it has; one of which nobody knows (None) all the rest.

    The sum is the smaller of what is due and what there is.
    """
    pieces: list[tuple[Source, int]] = []
    for source, available_minor in sources:
        amount_minor = due_minor if available_minor is None else min(due_minor, available_minor)
        if amount_minor > 0:
            pieces.append((source, amount_minor))
            due_minor -= amount_minor
    return pieces


def hours(
    products: Iterable[Product], book: Book, on: date, since: datetime | None, until: datetime
) -> list[Hour]:
    """The times of a date, from the second of each product on, that have come by an instant, in their order.

    since  only those after this instant; None: all of the date
    The first of a product's times is the day close's, with which the date begins.
    """
    found: dict[tuple[datetime, int], dict[str, tuple[int, ...]]] = {}
    for product in products:
        if product.currency != book.currency:
            continue
        times = sorted(instant_of(book, on, one) for one in product.auto_debit.times)
        for number, at in enumerate(times[1:], 1):
            if at <= until and (since is None or since < at):
                versions = found.setdefault((at, number), {})
                versions[product.id] = (*versions.get(product.id, ()), product.version)
    return [Hour(at, number, found[at, number]) for at, number in sorted(found)]


def instant_of(book: Book, on: date, local: time) -> datetime:
    """The instant of a local time inside a business date, which may begin on the evening before (the cut-off)."""
    evening = book.cut_off != time.min and local >= book.cut_off
    day = on - timedelta(days=1) if evening else on
    return datetime.combine(day, local, ZoneInfo(book.time_zone))
