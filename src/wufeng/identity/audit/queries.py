"""What can be read of the audit."""

from uuid import UUID

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.base.ids import Prefix, encode
from wufeng.identity.audit import rules, store
from wufeng.identity.audit.model import AuditEntryView

_LAST = UUID(int=(1 << 128) - 1)


async def list_audit_entries(
    db: Connection, book: Book, object_id: UUID, before: UUID | None = None, at_most: int = 100
) -> list[AuditEntryView]:
    """What was done to one object, newest first; `before` an entry of an earlier page."""
    found = await store.list_entries(db, book.bucket_of(object_id), object_id, before or _LAST, at_most)
    return [
        AuditEntryView(
            id=encode(Prefix.AUDIT_ENTRY, id_),
            by_kind=act.by_kind,
            by=rules.shown_by(act),
            credential=rules.shown_credential(act),
            operation=act.operation,
            of=encode(act.object_prefix, act.object_id),
            reason=act.reason,
            request_id=act.request_id,
            created_at=act.at,
        )
        for id_, act in found
    ]
