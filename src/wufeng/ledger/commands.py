"""What those who move money can ask of the ledger: post journals; hold, post and void in two phases.

All of it works inside a lane's batch: balances of guarded accounts move at once, so that the next command of
the batch sees them; journals wait in the batch until its bucket's head has numbered them.
"""

from collections.abc import Sequence
from uuid import UUID

from wufeng.base.followers import Follower, Stream
from wufeng.base.lanes import Batch
from wufeng.ledger import rules, store
from wufeng.ledger.model import FOLD, Hold, Journal

FOLLOWER = Follower(FOLD, Stream.JOURNAL, store.fold)
"""Folds journals into the balances of folded accounts; the application runs it with its other followers."""


async def post(batch: Batch, journals: Sequence[Journal]) -> None:
    """Post journals made by `rules`: their guarded legs move now, in one statement a currency.

    A floor that breaks is the database's error, an account that is not open is LedgerRefused: either fails
    the batch, and the lane goes on until the bad command stands alone. A captured hold is posted before its
    journal.
    """
    for currency, moves in rules.moves(journals).items():
        if moves:
            await store.move_balances(batch.db, batch.bucket, currency, moves)
    batch.journals.extend(journals)


async def place_holds(batch: Batch, holds: Sequence[Hold]) -> None:
    """Reserve debits on guarded accounts; they count against the ceiling until posted or voided."""
    if holds:
        await store.place_holds(batch.db, batch.bucket, holds)


async def post_holds(batch: Batch, parts: Sequence[tuple[UUID, int]]) -> None:
    """Post a part of each hold, or all: (hold, amount > 0). The rest stays held; then `post` the journal."""
    if parts:
        await store.post_holds(batch.db, batch.bucket, parts)


async def void_holds(batch: Batch, ids: Sequence[UUID]) -> None:
    """End holds, release what was not posted: a void, an expiry, a final capture of less than the whole."""
    if ids:
        await store.void_holds(batch.db, batch.bucket, ids)
