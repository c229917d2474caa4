"""The proof: all recomputed from the journals in SQL and compared with what is kept, while payments go on.

Bucket by bucket, each in a snapshot of its own (repeatable read): nothing is locked and nobody waits. An
empty list of breaks means that the journals balance, that every balance, hold and folded stripe is what they
add up to, and that no number is missing.
"""

import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from wufeng.base.books import Book
from wufeng.base.database import Connection, Database
from wufeng.base.sql import load
from wufeng.ledger.model import FOLD

SQL = load(__file__)

BREAKS_MAX = 100
"""Breaks of one kind listed for one bucket: who finds a hundred looks for one cause."""


class BreakKind(StrEnum):
    """What does not agree."""

    NUMBER = "number"  # a number of the bucket is missing, given twice, or beyond the head
    UNBALANCED = "unbalanced"  # a journal's legs do not sum to zero, or one of them is nothing
    MISSHAPEN = "misshapen"  # a journal's arrays or kind, or a hold's amounts, cannot be
    WENT_BACK = "went_back"  # a journal is booked at an earlier instant than the one before it
    UNKNOWN_ACCOUNT = "unknown_account"  # legs on an account that was never opened or registered
    MISPLACED = "misplaced"  # a folded leg among the guarded ones, or the other way round
    IDENTITY = "identity"  # an account's id is not made of its owner's and its kind's number
    CURRENCY = "currency"  # legs in another currency than their account's
    GUARDED_BALANCE = "guarded_balance"  # a balance is not the sum of its account's legs
    FOLDED_BALANCE = "folded_balance"  # a stripe is not the sum of its legs up to the follower's cursor
    BOUNDS = "bounds"  # a floor or a ceiling is broken
    HELD = "held"  # an account's held amount is not the sum of its open holds
    REVERSAL = "reversal"  # a reversal without its opposite before it, or a second one
    TRIAL_BALANCE = "trial_balance"  # the balances of a bucket do not sum to zero
    CURSOR = "cursor"  # the follower stands beyond the head


class Break(Struct, frozen=True):
    """One disagreement: `where` is a journal's number, an account, a hold or a currency.

    kind  a `BreakKind`, or what a further check names
    """

    bucket: int
    kind: StrEnum
    where: str
    expected: str = ""
    found: str = ""


Check = Callable[[Connection, int], Awaitable[Sequence[Break]]]
"""What a part above the ledger knows of its own sums: it looks at one bucket, in the snapshot of the proof."""


class Report(Struct, frozen=True):
    """What was read, and what did not agree. No breaks: proven. `through`: the sum of the heads' numbers."""

    breaks: tuple[Break, ...]
    buckets: int
    journals: int
    legs: int
    accounts: int
    holds: int
    seconds: float
    through: int = 0

    @property
    def journals_per_s(self) -> int:
        """Journals proven a second."""
        return round(self.journals / self.seconds) if self.seconds > 0 else 0


class Verification(Struct, frozen=True):
    """One proof of a book as it is kept: when, up to which numbers, and whether anything has been booked since."""

    at: datetime
    through: int
    journals: int
    breaks: int
    took_ms: int
    changed_since: bool


class Counts(Struct, frozen=True):
    """The size of a bucket in its snapshot. `fold_seq` is how far the folded balances have come."""

    head_seq: int
    fold_seq: int
    journals: int
    legs: int
    events: int
    accounts: int
    holds: int


async def verify(
    database: Database, buckets: Sequence[int] | None = None, checks: Sequence[Check] = ()
) -> Report:
    """Prove the ledger, or some of its buckets, and what further checks look at in the same snapshots."""
    started_s = time.perf_counter()
    breaks: list[Break] = []
    sizes: list[Counts] = []
    async with database.read() as db:
        if buckets is None:
            buckets = [row["bucket"] for row in await db.fetch(SQL.buckets)]
        for bucket in buckets:
            async with db.transaction(isolation="repeatable_read", readonly=True):
                await db.execute(SQL.whole_in_one_snapshot)
                row = await db.fetchrow(SQL.counts, bucket, FOLD)
                assert row is not None, f"there is no bucket {bucket}"
                counts = Counts(**dict(row))
                sizes.append(counts)
                breaks += await _breaks_of(db, bucket, counts)
                for check in checks:
                    breaks += await check(db, bucket)
    return Report(
        breaks=tuple(breaks),
        buckets=len(sizes),
        journals=sum(size.journals for size in sizes),
        legs=sum(size.legs for size in sizes),
        accounts=sum(size.accounts for size in sizes),
        holds=sum(size.holds for size in sizes),
        seconds=time.perf_counter() - started_s,
        through=sum(size.head_seq for size in sizes),
    )


async def verify_book(database: Database, book: Book, at: datetime, checks: Sequence[Check] = ()) -> Report:
    """Prove one book and keep that it was done. `at` is the system's instant."""
    report = await verify(database, book.buckets, checks)
    async with database.read() as db:
        await db.execute(
            SQL.keep_verification,
            book.id,
            at,
            report.through,
            report.journals,
            len(report.breaks),
            round(report.seconds * 1000),
        )
    return report


async def verify_if_due(
    database: Database, book: Book, at: datetime, every: timedelta, checks: Sequence[Check] = ()
) -> Report | None:
    """Prove a book that has changed since its last proof, unless that was a moment ago. None: it is not due.

    A large book is proved more rarely, so that proving takes a twentieth of the time at most.
    """
    async with database.read() as db:
        last = await latest_verification(db, book)
        through = await db.fetchval(SQL.heads_of, book.buckets)
    if last is not None:
        rest = max(every, timedelta(milliseconds=20 * last.took_ms))
        if last.through == through or at - last.at < rest:
            return None
    return await verify_book(database, book, at, checks)


async def latest_verification(db: Connection, book: Book) -> Verification | None:
    """The last proof of a book that was kept; None: there was none."""
    row = await db.fetchrow(SQL.latest_verification, book.id, book.buckets)
    return None if row is None else Verification(**dict(row))


def merged(reports: Iterable[Report]) -> Report:
    """Several books' reports as one."""
    found = list(reports)
    return Report(
        breaks=tuple(one for report in found for one in report.breaks),
        buckets=sum(report.buckets for report in found),
        journals=sum(report.journals for report in found),
        legs=sum(report.legs for report in found),
        accounts=sum(report.accounts for report in found),
        holds=sum(report.holds for report in found),
        seconds=sum(report.seconds for report in found),
        through=sum(report.through for report in found),
    )


async def _breaks_of(db: Connection, bucket: int, counts: Counts) -> list[Break]:
    breaks = await _number_breaks(db, bucket, counts)
    for statement, kind in _OF_JOURNALS:
        breaks += [
            Break(bucket, kind, f"journal {row['seq']}", found=row.get("found") or "")
            for row in await db.fetch(statement, bucket, BREAKS_MAX)
        ]
    breaks += [
        Break(
            bucket, BreakKind(row["kind"]), f"account {row['id']}", row["expected"] or "", row["found"] or ""
        )
        for row in await db.fetch(SQL.balances, bucket, counts.fold_seq, BREAKS_MAX)
    ]
    breaks += [
        Break(
            bucket,
            BreakKind.BOUNDS,
            f"account {row['id']}",
            found=f"{row['balance_minor']}, held {row['held_minor']}",
        )
        for row in await db.fetch(SQL.bounds, bucket, BREAKS_MAX)
    ]
    breaks += [
        Break(bucket, BreakKind.HELD, f"account {row['id']}", row["expected"], row["found"])
        for row in await db.fetch(SQL.held, bucket, BREAKS_MAX)
    ]
    breaks += [
        Break(bucket, BreakKind.MISSHAPEN, f"hold {row['id']}")
        for row in await db.fetch(SQL.misshapen_holds, bucket, BREAKS_MAX)
    ]
    breaks += [
        Break(bucket, BreakKind.TRIAL_BALANCE, row["currency"], "0", row["found"])
        for row in await db.fetch(SQL.trial, bucket, counts.fold_seq)
    ]
    return breaks


_OF_JOURNALS = (
    (SQL.unbalanced, BreakKind.UNBALANCED),
    (SQL.misshapen, BreakKind.MISSHAPEN),
    (SQL.went_back, BreakKind.WENT_BACK),
    (SQL.reversals, BreakKind.REVERSAL),
)


async def _number_breaks(db: Connection, bucket: int, counts: Counts) -> list[Break]:
    breaks = []
    if counts.fold_seq > counts.head_seq:
        found = f"{counts.fold_seq}"
        breaks.append(Break(bucket, BreakKind.CURSOR, FOLD, f"at most {counts.head_seq}", found))
    row = await db.fetchrow(SQL.numbers, bucket)
    assert row is not None, f"there is no bucket {bucket}"
    if row["twice"]:
        breaks.append(Break(bucket, BreakKind.NUMBER, "numbers given twice", "0", f"{row['twice']}"))
    if row["highest"] is not None and row["highest"] > counts.head_seq:
        breaks.append(
            Break(bucket, BreakKind.NUMBER, "highest", f"at most {counts.head_seq}", f"{row['highest']}")
        )
    if row["lowest"] is not None and row["lowest"] < 1:
        breaks.append(Break(bucket, BreakKind.NUMBER, "lowest", "at least 1", f"{row['lowest']}"))
    if breaks or row["given"] != counts.head_seq:
        for missing in await db.fetch(SQL.missing_numbers, bucket, BREAKS_MAX):
            breaks.append(
                Break(bucket, BreakKind.NUMBER, f"journal or event {missing['seq']}", "one", "none")
            )
    return breaks
