"""What can be asked of the audit: to keep what was done."""

from collections.abc import Sequence

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.base.ids import IdMaker, slot_of
from wufeng.identity.audit import store
from wufeng.identity.audit.model import Act


async def audit(db: Connection, book: Book, ids: IdMaker, acts: Sequence[Act]) -> None:
    """Keep what was done, inside the transaction that does it: the deed and its entry commit together.

    In a lane: `audit(batch.db, batch.book, batch.ids, acts)` with the acts of the commands that changed
    something. An entry stands in the bucket of its object.
    """
    if not acts:
        return
    await store.insert_entries(
        db,
        [book.bucket_of(act.object_id) for act in acts],
        [ids.new(act.at, slot_of(act.object_id)) for act in acts],
        acts,
    )
