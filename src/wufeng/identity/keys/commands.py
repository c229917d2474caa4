"""What can be asked about API keys: make one, revoke one. To rotate: make, move over, revoke the old."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from wufeng.base.books import Book
from wufeng.base.database import Connection, Database
from wufeng.base.errors import not_found
from wufeng.base.ids import IdMaker, Prefix
from wufeng.identity.audit.commands import audit
from wufeng.identity.audit.model import act_of
from wufeng.identity.callers import Caller, CallerKind
from wufeng.identity.keys import rules, store
from wufeng.identity.keys.model import SCOPES, ApiKey, KeyKind, NewKey, Scope
from wufeng.identity.places import check_ranges
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
    addresses: Sequence[str] = (),
) -> NewKey:
    """Make a key with the given scopes, or with all of its kind. Several may live at once.

    addresses  ranges (CIDR) that it may be used from; none: from anywhere
    """
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
        addresses=check_ranges(addresses),
    )
    await store.insert_key(db, key)
    return NewKey(key, credential.text)


async def issue_key(
    database: Database,
    ids: IdMaker,
    caller: Caller,
    merchant_id: UUID | None,
    name: str,
    scopes: Collection[Scope] | None,
    at: datetime,
    request_id: str,
    addresses: Sequence[str] = (),
) -> NewKey:
    """Make a key as a caller asks, audited.

    merchant_id  whose it will be, known to be the caller's to give keys to; None for the operator's server
    Refuses scopes that the asking key lacks (forbidden), when the new key has the same owner.
    """
    kind = KeyKind.PLATFORM if merchant_id is None else KeyKind.MERCHANT
    owner_id = rules.platform_id(caller.book.id) if merchant_id is None else merchant_id
    giver = caller.scopes if caller.id == owner_id else None
    given = rules.scopes_to_give(kind, scopes, giver)
    async with database.transaction() as db:
        key = await create_key(db, ids, caller.book, kind, owner_id, name, at, given, addresses)
        act = act_of(caller, "create_api_key", Prefix.API_KEY, key.key.id, at, request_id)
        await audit(db, caller.book, ids, [act])
    return key


async def withdraw_key(
    database: Database, ids: IdMaker, caller: Caller, key_id: UUID, at: datetime, request_id: str
) -> ApiKey:
    """Revoke a key as a caller asks, audited: a merchant its own, the operator and its staff any of the book.

    The next request with it is unauthenticated. Another's, an unknown and a revoked one are not_found.
    """
    async with database.transaction() as db:
        key = await store.load_key(db, caller.book.id, key_id)
        theirs = caller.kind is not CallerKind.MERCHANT or (key is not None and key.owner_id == caller.id)
        if key is None or not theirs:
            raise not_found("API key")
        await revoke_key(db, caller.book, key.owner_id, key_id, at)
        act = act_of(caller, "revoke_api_key", Prefix.API_KEY, key_id, at, request_id)
        await audit(db, caller.book, ids, [act])
    return msgspec.structs.replace(key, revoked_at=at)


async def revoke_key(db: Connection, book: Book, owner_id: UUID, key_id: UUID, at: datetime) -> None:
    """End a key of that owner: the next request with it is unauthenticated. Another's is not_found."""
    if not await store.revoke_key(db, book.id, owner_id, key_id, at):
        raise not_found("API key")
