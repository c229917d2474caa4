"""What can be asked about API keys: make one, revoke one. To rotate: make, move over, revoke the old."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.base.errors import not_found
from wufeng.base.ids import IdMaker
from wufeng.identity.keys import rules, store
from wufeng.identity.keys.model import SCOPES, ApiKey, KeyKind, NewKey, Scope
from wufeng.identity.tokens import key_prefix, new_key


async def create_key(
    db: Connection,
    ids: IdMaker,
    book: Book,
    kind: KeyKind,
    owner_id: UUID,
    name: str,
    at: datetime,
    scopes: Collection[Scope] | None = None,
) -> NewKey:
    """Make a key with the given scopes, or with all of its kind. Several may live at once."""
    id_ = ids.new_anywhere(at)
    credential = new_key(book.mode, id_)
    key = ApiKey(
        id=id_,
        book_id=book.id,
        kind=kind,
        owner_id=owner_id,
        name=rules.check_key_name(name),
        prefix=key_prefix(book.mode, id_),
        secret_hash=credential.hash,
        scopes=rules.check_scopes(kind, SCOPES[kind] if scopes is None else scopes),
        created_at=at,
    )
    await store.insert_key(db, key)
    return NewKey(key, credential.text)


async def revoke_key(db: Connection, book: Book, owner_id: UUID, key_id: UUID, at: datetime) -> None:
    """End a key of that owner: the next request with it is unauthenticated. Another's is not_found."""
    if not await store.revoke_key(db, book.id, owner_id, key_id, at):
        raise not_found("API key")
