"""The first key and the first member of staff: what `wufeng init` makes and prints once."""

import secrets
from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.base.ids import IdMaker
from wufeng.identity.keys.commands import create_key
from wufeng.identity.keys.model import KeyKind
from wufeng.identity.keys.queries import list_keys
from wufeng.identity.keys.rules import platform_id
from wufeng.identity.staff.commands import create_staff
from wufeng.identity.staff.model import Role
from wufeng.identity.staff.queries import list_staff
from wufeng.identity.vault import Private, Vault

FIRST_LOGIN = "admin"


class FirstSecrets(Struct, frozen=True, kw_only=True):
    """What is shown once. A key for each book that had none; a password if there was no staff.

    platform_keys  by the book's name
    """

    platform_keys: dict[str, str]
    staff_login: str | None
    staff_password: str | None

    def __repr__(self) -> str:
        return "FirstSecrets(…)"


async def bootstrap(
    db: Connection, vault: Vault, ids: IdMaker, books: Sequence[Book], at: datetime
) -> FirstSecrets:
    """Make a platform key for each book without one, and an administrator if there is no staff yet.

    Inside the caller's transaction. Safe to repeat: what is there stays, and is not shown again.
    """
    platform_keys: dict[str, str] = {}
    for book in books:
        if not await list_keys(db, book, platform_id(book.id)):
            key = await create_key(db, ids, book, KeyKind.PLATFORM, platform_id(book.id), "first key", at)
            platform_keys[book.name] = key.text
    if await list_staff(db):
        return FirstSecrets(platform_keys=platform_keys, staff_login=None, staff_password=None)
    password = secrets.token_urlsafe(15)
    await create_staff(db, vault, ids, FIRST_LOGIN, "Administrator", Private(password), Role.ADMIN, books, at)
    return FirstSecrets(platform_keys=platform_keys, staff_login=FIRST_LOGIN, staff_password=password)
