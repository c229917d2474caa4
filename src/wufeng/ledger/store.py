"""Where accounts, holds and journals are kept.

Everything works inside the caller's transaction, in one bucket.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from wufeng.base.database import Connection
from wufeng.base.errors import WufengError
from wufeng.base.sql import load
from wufeng.ledger.model import Balance, FoldedAccount, Hold, Journal, NewAccount

SQL = load(__file__)


class LedgerRefused(WufengError):
    """A guarded write did not find its rows: a bug of the poster, never a decline. Nothing may commit."""


async def open_accounts(db: Connection, bucket: int, accounts: Sequence[NewAccount]) -> None:
    """Open guarded accounts at zero. One that is open already stays as it is."""
    await db.execute(
        SQL.open_accounts,
        bucket,
        [account.id for account in accounts],
        [account.kind.number for account in accounts],
        [account.owner for account in accounts],
        [account.currency for account in accounts],
        [account.min_minor for account in accounts],
        [account.max_minor for account in accounts],
    )


async def register_folded_accounts(db: Connection, accounts: Sequence[FoldedAccount]) -> None:
    """Register the folded accounts of a merchant, a lender or a book, once for all buckets."""
    await db.execute(
        SQL.register_folded_accounts,
        [account.id for account in accounts],
        [account.kind.number for account in accounts],
        [account.owner for account in accounts],
        [account.currency for account in accounts],
        [account.book for account in accounts],
    )


async def load_balances(db: Connection, bucket: int, ids: Collection[UUID]) -> dict[UUID, Balance]:
    """Balances of guarded accounts, without a lock: the person's guards them. An unknown id is absent."""
    rows = await db.fetch(SQL.load_balances, bucket, ids)
    return {id_: Balance(balance, held, low, high) for id_, balance, held, low, high in rows}


async def move_balances(db: Connection, bucket: int, currency: str, moves: Mapping[UUID, int]) -> None:
    """Add to guarded balances of one currency.

    Refused: a missing account, another currency, a broken floor.
    """
    status = await db.execute(SQL.move_balances, bucket, list(moves), list(moves.values()), currency)
    if status != f"UPDATE {len(moves)}":
        raise LedgerRefused(
            f"bucket {bucket}: {len(moves)} {currency} accounts were to move, the answer was {status}"
        )


async def place_holds(db: Connection, bucket: int, holds: Sequence[Hold]) -> None:
    """Reserve debits. Refused: a missing account, a broken ceiling, an id used before."""
    whole = await db.fetchval(
        SQL.place_holds,
        bucket,
        [hold.id for hold in holds],
        [hold.account_id for hold in holds],
        [hold.of for hold in holds],
        [hold.amount_minor for hold in holds],
    )
    if not whole:
        raise LedgerRefused(f"bucket {bucket}: a hold on an account that is not open")


async def post_holds(db: Connection, bucket: int, parts: Sequence[tuple[UUID, int]]) -> None:
    """Release what is about to be debited: (hold, amount). Refused: an ended hold, more than it holds."""
    whole = await db.fetchval(
        SQL.post_holds, bucket, [hold for hold, _ in parts], [amount for _, amount in parts]
    )
    if not whole:
        raise LedgerRefused(f"bucket {bucket}: a hold to post that is not held")


async def void_holds(db: Connection, bucket: int, ids: Sequence[UUID]) -> None:
    """End holds and release what was not posted. Refused: a hold that has ended."""
    whole = await db.fetchval(SQL.void_holds, bucket, ids)
    if not whole:
        raise LedgerRefused(f"bucket {bucket}: a hold to void that is not held")


async def write_journals(
    db: Connection, bucket: int, first_seq: int, booked_at: datetime, journals: Sequence[Journal]
) -> None:
    """Append journals under the numbers first_seq, first_seq + 1 …, which the bucket's head has given."""
    rows = [
        (
            bucket,
            journal.kind,
            journal.business_on,
            seq,
            booked_at,
            journal.reverses,
            journal.of,
            journal.guarded,
            journal.currency,
            journal.accounts,
            journal.amounts,
            journal.note.decode(),
        )
        for seq, journal in enumerate(journals, first_seq)
    ]
    await db.execute(SQL.write_journals, bucket, rows)


async def fold(db: Connection, bucket: int, after_seq: int, through_seq: int) -> None:
    """Add the folded legs of journals after_seq < seq <= through_seq to the bucket's stripes, all in SQL."""
    await db.execute(SQL.fold, bucket, after_seq, through_seq)
