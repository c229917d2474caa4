"""The overview: what goes on, what is reserved and owed, when the ledger was proved, and what is wrong."""

from datetime import date, datetime, timedelta
from typing import Any

from msgspec import Struct

from wufeng import ledger
from wufeng.base.database import Connection
from wufeng.base.events import closed_through
from wufeng.ledger import AccountKind, Verification, account_id
from wufeng.lenders.model import lender_id
from wufeng.payments.bank.store import open_counts
from wufeng.payments.traffic.queries import count_recent, sum_reserved
from wufeng.web.console.frame import show
from wufeng.web.paging import Door, Reply, Visit, pages_of

LAG_MAX = 2_000
"""Numbers behind which a follower is told of: a moment's work."""
BANK_WAITS = timedelta(minutes=10)
PROOF_AGE = timedelta(days=1)
PAYING = frozenset({"create_payment", "confirm_payment"})


class Alarm(Struct, frozen=True):
    """Something that is wrong. `kind` chooses the sentence (console/_figures.html), `late` that it cannot wait."""

    kind: str
    late: bool
    count: int = 0
    name: str = ""


class Lag(Struct, frozen=True):
    """How a follower does, over the buckets of the book."""

    name: str
    lag: int
    stuck: bool


async def overview(visit: Visit) -> Reply:
    """The page; its figures renew themselves where scripts run."""
    return await show(visit, "overview.html", **await _figures(visit))


async def figures(visit: Visit) -> Reply:
    """The figures alone."""
    return visit.show("console/figures.html", clock_time=visit.formats.clock_time, **await _figures(visit))


async def _figures(visit: Visit) -> dict[str, Any]:
    services, book, now = visit.services, visit.book, visit.services.clock.now()
    behind = [one for one in await services.followers.lags() if one.bucket in book.buckets]
    async with services.database.read() as db:
        traffic = await count_recent(db, book, visit.at)
        reserved = await sum_reserved(db, book)
        owed_minor = await _owed(visit, db)
        closed_on = await closed_through(db, book.buckets)
        bank = await open_counts(db, book.buckets)
        proof = await ledger.latest_verification(db, book)
    stuck = {(one.follower, one.bucket) for one in services.followers.troubles if one.bucket in book.buckets}
    names = sorted({one.follower for one in behind} | {name for name, _ in stuck})
    lags = [
        Lag(
            name, sum(one.lag for one in behind if one.follower == name), any(name == who for who, _ in stuck)
        )
        for name in names
    ]
    slow = [one for one in bank if now - one.oldest_at > BANK_WAITS]
    on = book.business_date(visit.at)
    return {
        "traffic": traffic,
        "reserved": reserved,
        "owed_minor": owed_minor,
        "p99": _p99(visit),
        "on": on,
        "closed_on": closed_on,
        "lags": lags,
        "queue": sum(count for bucket, count in services.lanes.waiting().items() if bucket in book.buckets),
        "bank_open": sum(one.count for one in bank),
        "proof": proof,
        "proof_minutes": int((now - proof.at).total_seconds() // 60) if proof else 0,
        "alarms": _alarms(lags, proof, now, closed_on, on, sum(one.count for one in slow)),
        "at": visit.at,
    }


def _alarms(
    lags: list[Lag], proof: Verification | None, now: datetime, closed_on: date | None, on: date, slow: int
) -> list[Alarm]:
    alarms = [Alarm("stuck", True, one.lag, one.name) for one in lags if one.stuck]
    if proof is not None and proof.breaks:
        alarms.append(Alarm("breaks", True, proof.breaks))
    late_days = (on - closed_on).days - 1 if closed_on is not None else 0
    if late_days > 0:
        alarms.append(Alarm("close", True, late_days))
    alarms += [Alarm("lag", False, one.lag, one.name) for one in lags if one.lag > LAG_MAX and not one.stuck]
    if proof is None:
        alarms.append(Alarm("never_proved", False))
    elif proof.changed_since and now - proof.at > PROOF_AGE:
        alarms.append(Alarm("proof_old", False, (now - proof.at).days))
    if slow:
        alarms.append(Alarm("bank", False, slow))
    return alarms


async def _owed(visit: Visit, db: Connection) -> int:
    """Principal that lines owe: what the book owes on to its lenders, who are few, and not the lines, who are many."""
    book = visit.book
    codes = {
        share.code
        for product in visit.services.products.offered(book.business_date(visit.at))
        for share in product.lenders
    }
    ids = [account_id(lender_id(book.id, code), AccountKind.LENDER_PRINCIPAL) for code in codes]
    return -sum((await ledger.folded_balances(db, book.buckets, ids)).values())


def _p99(visit: Visit) -> int | None:
    """Milliseconds; -1: beyond all that is measured. Of this process, since it started."""
    seconds = visit.services.metrics.quantile(PAYING, 0.99)
    if seconds is None:
        return None
    return -1 if seconds == float("inf") else round(seconds * 1000)


page = pages_of(Door.CONSOLE)

PAGES = (
    page("GET", "/console", "console_overview", overview),
    page("GET", "/console/figures", "console_figures", figures),
)
