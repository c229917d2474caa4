"""What can be asked about staff: sign in and out, create, change the password, close.

Staff work across books, so their instants are the system's; a turned test clock does not sign anybody out.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from wufeng.base.books import Book, Books
from wufeng.base.database import Connection, Database
from wufeng.base.errors import Code, Problem, invalid_field, not_found
from wufeng.base.ids import IdMaker
from wufeng.identity.audit.commands import audit
from wufeng.identity.audit.model import Act
from wufeng.identity.hashing import hash_slowly, proves_slowly, refuse_when_busy
from wufeng.identity.staff import rules, store
from wufeng.identity.staff.model import STAFF_SESSION_LASTS, Role, Staff, StaffOpened, StaffStatus
from wufeng.identity.tokens import CredentialKind, new_session
from wufeng.identity.vault import Private, Vault

NAME_MAX = 100
_WRONG = "Log-in or password is wrong, or there were too many tries."
_NOBODY = UUID(int=0)
# What an unknown log-in is verified against, so that it takes as long as a known one: a hash of random bytes.
_HASH_OF_NOTHING = (
    "$argon2id$v=19$m=19456,t=2,p=1$vsFbB95aJhKBqjGJk0sKFg$sTsS7DEkpzF1Ir0kO7tEjFrquto2PA9quL18nROIio0"
)


async def sign_in_staff(
    database: Database,
    vault: Vault,
    ids: IdMaker,
    books: Books,
    login: str,
    password: Private,
    book_name: str | None,
    at: datetime,
) -> StaffOpened:
    """Open a staff session in one book: the named one, or the only one this member of staff works in.

    An unknown name, a wrong password and a locked log-in get the same answer in the same time
    (unauthenticated).
    """
    refuse_when_busy()
    async with database.read() as db:
        found = await store.take_try(db, login.strip().lower(), at)
    owner, stored = (found[0].id, found[1]) if found else (_NOBODY, _HASH_OF_NOTHING)
    right = await proves_slowly(stored, vault.peppered(owner, password))
    if found is None or not right:
        raise Problem(Code.UNAUTHENTICATED, _WRONG)
    staff = found[0]
    async with database.read() as db:
        await store.forgive_tries(db, staff.id)
    book = _book_of(staff, books, book_name)
    session_id = ids.new_anywhere(at)
    credential = new_session(CredentialKind.STAFF_SESSION, book.id, session_id)
    expires_at = at + STAFF_SESSION_LASTS
    async with database.read() as db:
        if not await store.insert_session(
            db, session_id, staff.id, book.id, credential.hash, at, expires_at, stored
        ):
            raise Problem(Code.UNAUTHENTICATED, _WRONG)
    return StaffOpened(
        token=credential.text,
        session_id=session_id,
        staff=staff,
        book_id=book.id,
        created_at=at,
        expires_at=expires_at,
    )


async def sign_out_staff(database: Database, session_id: UUID, at: datetime) -> None:
    """End a staff session; its token is dead from the next request on."""
    async with database.read() as db:
        await store.revoke_session(db, session_id, at)


async def create_staff(
    db: Connection,
    vault: Vault,
    ids: IdMaker,
    login: str,
    name: str,
    password: Private,
    role: Role,
    books: Sequence[Book],
    at: datetime,
) -> Staff:
    """Make a member of staff for those books. Refuses a log-in name that is taken (state_conflict)."""
    if not 1 <= len(name.strip()) <= NAME_MAX or not name.isprintable():
        raise invalid_field("/name", f"It must have 1 to {NAME_MAX} printable characters.")
    staff = Staff(
        id=ids.new_anywhere(at),
        login=rules.check_login(login),
        name=name.strip(),
        role=role,
        book_ids=tuple(book.id for book in books),
        status=StaffStatus.ACTIVE,
        created_at=at,
    )
    rules.check_password(password, staff.login)
    hashed = await hash_slowly(vault.peppered(staff.id, password))
    if not await store.insert_staff(db, staff, hashed):
        raise Problem(Code.STATE_CONFLICT, "This log-in name is taken.")
    return staff


async def change_password(
    database: Database, vault: Vault, login: str, password: Private, at: datetime
) -> None:
    """Set a new password, unlock the log-in and end its sessions. Whether the caller may is decided before."""
    async with database.read() as db:
        staff = await store.load_staff(db, rules.check_login(login))
    if staff is None or staff.status is not StaffStatus.ACTIVE:
        raise not_found("staff")
    rules.check_password(password, staff.login)
    hashed = await hash_slowly(vault.peppered(staff.id, password))
    async with database.transaction() as db:
        if await store.set_password(db, staff.login, hashed) is None:
            raise not_found("staff")
        await store.revoke_of_staff(db, staff.id, at)


async def change_role(database: Database, login: str, role: Role, at: datetime) -> None:
    """Give a member of staff another role; sessions end, so that nobody goes on in a role they had."""
    async with database.transaction() as db:
        staff_id = await store.set_role(db, rules.check_login(login), role)
        if staff_id is None:
            raise not_found("staff")
        await store.revoke_of_staff(db, staff_id, at)


async def give_role(
    database: Database, book: Book, ids: IdMaker, staff_id: UUID, role: Role, act: Act, at: datetime
) -> Staff:
    """Give a member of staff of a book another role, as an administrator of it asks; audited, sessions end.

    at  the system's instant; the act's is the book's
    Nobody changes their own role (forbidden): there is always another administrator. An unknown, a closed one, and one
    of other books are not_found.
    """
    if act.by_id == staff_id:
        raise Problem(Code.FORBIDDEN, "Nobody changes their own role.")
    async with database.transaction() as db:
        found = {staff.id: staff for staff in await store.list_staff(db)}.get(staff_id)
        if found is None or book.id not in found.book_ids:
            raise not_found("staff")
        if await store.set_role(db, found.login, role) is None:
            raise not_found("staff")
        await store.revoke_of_staff(db, staff_id, at)
        await audit(db, book, ids, [act])
    return replace(found, role=role)


async def close_staff(database: Database, login: str, at: datetime) -> None:
    """Shut a member of staff out at once; what they did stays theirs."""
    async with database.transaction() as db:
        staff_id = await store.close_staff(db, rules.check_login(login))
        if staff_id is None:
            raise not_found("staff")
        await store.revoke_of_staff(db, staff_id, at)


def _book_of(staff: Staff, books: Books, name: str | None) -> Book:
    theirs = [books[book_id] for book_id in staff.book_ids if book_id in books]
    if name is None and len(theirs) == 1:
        return theirs[0]
    for book in theirs:
        if book.name == name:
            return book
    names = ", ".join(sorted(book.name for book in theirs))
    raise invalid_field("/book", f"Name one of your books: {names}.")
