"""What can be seen in the database: durability, schema, rights, clock, closes, followers, webhooks."""

from collections.abc import Collection
from datetime import timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from wufeng.base.books import Book, Mode, load_books
from wufeng.base.clock import SystemClock
from wufeng.base.config import Durability, Settings
from wufeng.base.database import Connection
from wufeng.base.errors import ConfigurationError
from wufeng.base.migrations import pending, shipped_migrations
from wufeng.cli.doctor import queries
from wufeng.cli.doctor.model import Finding, Verdict, fail, ok, warn

NEVER_CHANGED = ("journal", "decision", "event", "audit_entry")
SKEW_MAX = timedelta(seconds=5)
LAG_WARN = 10_000
WEBHOOKS_SINCE = timedelta(days=7)
OTHER_CONNECTIONS = 12  # followers, the sender, the bank's runner, timers, a tool or two


async def look(db: Connection, settings: Settings) -> list[Finding]:
    """Look the database over, as the application's role."""
    server = await queries.server_settings(db)
    schema = await _schema(db)
    findings = [_durability(server, settings), schema]
    if schema.verdict is Verdict.FAIL:
        return findings
    books = await load_books(db)
    findings += [
        await _rights(db, server.role_name),
        await _clock(db),
        _books(books.values()),
        _connections(server, settings, books.values()),
        *await _closes(db, books),
        await _followers(db),
        await _webhooks(db, books.values()),
    ]
    return findings


def _durability(server: queries.ServerSettings, settings: Settings) -> Finding:
    names = ("fsync", "full_page_writes", "synchronous_commit")
    off = [name for name in names if getattr(server, name) == "off"]
    if off:
        said = f"{', '.join(off)} off: what was answered may be lost"
        if settings.durability is Durability.UNSAFE_FOR_TESTS:
            return warn("durability", said, "never with real money: unset WUFENG_DURABILITY")
        return fail(
            "durability", said, f"set {', '.join(f'{name} = on' for name in off)} and restart the server"
        )
    if server.data_checksums == "off":
        return warn("durability", "the server keeps no checksums of its pages", "run pg_checksums --enable")
    return ok("durability", f"PostgreSQL {server.version}: answered means on disk")


async def _schema(db: Connection) -> Finding:
    applied = await queries.applied_migrations(db)
    if applied is None:
        return fail("schema", "the database is empty", "run `wufeng init`")
    try:
        waiting = pending(shipped_migrations(), applied)
    except ConfigurationError as error:
        return fail("schema", str(error), "run the release that fits the database")
    if waiting:
        names = ", ".join(f"{one.number:04d}_{one.name}" for one in waiting)
        return fail("schema", f"not applied: {names}", "run `wufeng migrate`")
    return ok("schema", f"migration {applied[-1].number:04d}, this release's last")


async def _rights(db: Connection, role: str) -> Finding:
    granted = await queries.wrong_rights(db, NEVER_CHANGED)
    if granted:
        return fail(
            "rights", f"{role} may {', '.join(granted)}", f"revoke them from {role}: history is never changed"
        )
    return ok("rights", f"{role} cannot change {', '.join(NEVER_CHANGED)}")


async def _clock(db: Connection) -> Finding:
    before = SystemClock().now()
    theirs = await queries.instant(db)
    after = SystemClock().now()
    skew = max(before - theirs, theirs - after, timedelta(0))
    if skew > SKEW_MAX:
        return fail(
            "clock", f"the database's clock is {skew.total_seconds():.0f} s off ours", "run NTP on both"
        )
    return ok("clock", f"{after:%Y-%m-%d %H:%M:%S} UTC, the database agrees")


def _books(books: Collection[Book]) -> Finding:
    if not books:
        return fail("books", "there is none", "run `wufeng init`")
    for book in books:
        try:
            ZoneInfo(book.time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            return fail(
                "books",
                f"{book.name}: no time zone {book.time_zone}",
                "install the package tzdata: make setup",
            )
    said = ", ".join(
        f"{book.name} ({book.mode.value}, {book.currency}, {len(book.buckets)} buckets)" for book in books
    )
    return ok("books", said)


def _connections(server: queries.ServerSettings, settings: Settings, books: Collection[Book]) -> Finding:
    buckets = sum(len(book.buckets) for book in books)
    needed = settings.workers * (settings.pool_size + buckets + OTHER_CONNECTIONS)
    said = f"{needed} needed by {settings.workers} workers, {server.max_connections} allowed"
    if needed > server.max_connections:
        return fail("connections", said, "raise max_connections, or lower WUFENG_WORKERS or WUFENG_POOL_SIZE")
    return ok("connections", said)


async def _closes(db: Connection, books: dict[int, Book]) -> list[Finding]:
    findings = []
    clock = SystemClock()
    for head in await queries.heads(db):
        book = books[head.book]
        on = book.business_date(book.at(clock))
        what = f"close of {book.name}"
        if head.closed_through is None:
            findings.append(ok(what, "no business date has been closed yet"))
        elif (days := (on - head.closed_through).days) > 2:
            said = f"closed through {head.closed_through}, and it is {on}: {days - 1} dates are open"
            findings.append(
                warn(what, said, f"keep `wufeng serve` running, or run `wufeng close --book {book.name}`")
            )
        else:
            turned = " (turned clock)" if book.mode is Mode.TEST and book.clock_offset_us else ""
            findings.append(ok(what, f"closed through {head.closed_through}, today is {on}{turned}"))
    return findings


async def _followers(db: Connection) -> Finding:
    behind = {name: lag for name, lag in (await queries.lags(db)).items() if lag > LAG_WARN}
    if behind:
        said = ", ".join(f"{name} is {lag:,} behind" for name, lag in behind.items())
        return warn(
            "followers",
            said,
            "look for their errors in the log of `wufeng serve`; without a server none runs",
        )
    return ok("followers", "none is far behind")


async def _webhooks(db: Connection, books: Collection[Book]) -> Finding:
    buckets = [bucket for book in books for bucket in book.buckets]
    found = await queries.deliveries(db, buckets, SystemClock().now() - WEBHOOKS_SINCE)
    if found.dead:
        said = f"{found.dead:,} were given up in the last week"
        return warn("webhooks", said, "mend the receiver, then POST /v1/deliveries/{id}/resend")
    if found.failing:
        return warn(
            "webhooks", f"{found.failing:,} failed more than three times", "look at the receiver's answers"
        )
    return ok("webhooks", "none is stuck")
