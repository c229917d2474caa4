"""Authentication: from a bearer token to a Caller, with nothing remembered between requests.

Look-ups that come at the same time share one statement a kind (and a bucket, for people's sessions), which
brings the book's clock along. A revoked key or session is dead at the next request.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec
from asyncpg import InterfaceError, PostgresError

from wufeng.base.books import Book, Books
from wufeng.base.clock import Clock
from wufeng.base.coalesce import Coalescer
from wufeng.base.database import Database
from wufeng.base.errors import Code, ConfigurationError, Problem
from wufeng.identity.callers import Caller, CallerKind
from wufeng.identity.keys import store as keys
from wufeng.identity.keys.model import ApiKey, KeyKind
from wufeng.identity.places import may_come_from
from wufeng.identity.sessions import rules as session_rules
from wufeng.identity.sessions import store as sessions
from wufeng.identity.sessions.model import Session
from wufeng.identity.staff import rules as staff_rules
from wufeng.identity.staff import store as staff
from wufeng.identity.staff.model import StaffSession
from wufeng.identity.tokens import Credential, CredentialKind, parse_credential

log = logging.getLogger(__name__)

_REFUSED = "The credential is missing, unknown, expired or revoked."


class Authenticator:
    """Turns bearer tokens into callers, for one process."""

    def __init__(self, database: Database, books: Books, clock: Clock) -> None:
        self._database = database
        self._books = books
        self._clock = clock
        self._keys: Coalescer[UUID, tuple[ApiKey, int]] = Coalescer(self._load_keys)
        self._staff: Coalescer[UUID, tuple[StaffSession, int]] = Coalescer(self._load_staff)
        self._sessions: dict[int, Coalescer[UUID, tuple[Session, int]]] = {}
        self._new_books: Coalescer[int, Book] = Coalescer(self._load_books)
        self._notes: dict[UUID, asyncio.Task[None]] = {}

    async def authenticate(self, authorization: str | None, address: str | None = None) -> Caller:
        """The caller behind an Authorization header. Raises `unauthenticated`, the same for every reason.

        address  where the request comes from, for keys that may be used from some addresses only
        """
        scheme, _, token = (authorization or "").partition(" ")
        credential = parse_credential(token.strip()) if scheme.lower() == "bearer" else None
        if credential is None:
            raise Problem(Code.UNAUTHENTICATED, _REFUSED)
        match credential.kind:
            case CredentialKind.API_KEY:
                caller = await self._caller_of_key(credential, address)
            case CredentialKind.SESSION:
                caller = await self._caller_of_session(credential)
            case CredentialKind.STAFF_SESSION:
                caller = await self._caller_of_staff(credential)
            case CredentialKind.DEVICE:
                caller = None  # it makes a device known at sign-in, and opens nothing
        if caller is None:
            raise Problem(Code.UNAUTHENTICATED, _REFUSED)
        return caller

    async def drain(self) -> None:
        """Wait for what runs behind the requests: the notes of when keys were last used."""
        await asyncio.gather(*self._notes.values())

    async def _caller_of_key(self, credential: Credential, address: str | None) -> Caller | None:
        found = await self._keys.get(credential.id)
        if found is None:
            return None
        key, offset_us = found
        known = await self._book(key.book_id)
        if not credential.proves(key.secret_hash) or key.revoked_at is not None or known is None:
            return None
        if not may_come_from(address, key.addresses):
            return None
        book = _with_clock(known, offset_us)
        self._note_use(key, book)
        return Caller(
            kind=CallerKind.MERCHANT if key.kind is KeyKind.MERCHANT else CallerKind.PLATFORM,
            id=key.owner_id,
            credential_id=key.id,
            book=book,
            merchant_id=key.owner_id if key.kind is KeyKind.MERCHANT else None,
            scopes=key.scopes,
        )

    async def _caller_of_session(self, credential: Credential) -> Caller | None:
        assert credential.book_id is not None, "a session's token names its book"
        known = await self._book(credential.book_id)
        if known is None:
            return None
        found = await self._sessions_of(known, known.bucket_of(credential.id)).get(credential.id)
        if found is None:
            return None
        session, offset_us = found
        book = _with_clock(known, offset_us)
        at = book.at(self._clock)
        if not credential.proves(session.secret_hash) or not session_rules.is_alive(session, at):
            return None
        return Caller(
            kind=CallerKind.PERSON,
            id=session.person_id,
            credential_id=session.id,
            book=book,
            person_id=session.person_id,
            auth_level=session_rules.level_of(session.pin_at, session.passkey_at, at),
            device_id=session.device_id,
            device_trusted=session.device_trusted,
        )

    async def _caller_of_staff(self, credential: Credential) -> Caller | None:
        found = await self._staff.get(credential.id)
        if found is None:
            return None
        session, offset_us = found
        known = await self._book(session.book_id)
        alive = staff_rules.is_alive(session, self._clock.now())
        if not credential.proves(session.secret_hash) or not alive or known is None:
            return None
        return Caller(
            kind=CallerKind.STAFF,
            id=session.staff_id,
            credential_id=session.id,
            book=_with_clock(known, offset_us),
            role=session.role,
        )

    async def _book(self, book_id: int) -> Book | None:
        """A book; one that another process has made since the start is read in."""
        return self._books.get(book_id) or await self._new_books.get(book_id)

    async def _load_books(self, book_ids: Sequence[int]) -> Mapping[int, Book]:
        async with self._database.read() as db:
            await self._books.refresh(db)
        return {book_id: self._books[book_id] for book_id in book_ids if book_id in self._books}

    def _sessions_of(self, book: Book, bucket: int) -> Coalescer[UUID, tuple[Session, int]]:
        coalescer = self._sessions.get(bucket)
        if coalescer is None:

            async def load(ids: Sequence[UUID]) -> Mapping[UUID, tuple[Session, int]]:
                async with self._database.read() as db:
                    return await sessions.load_sessions(db, book, bucket, ids)

            coalescer = self._sessions[bucket] = Coalescer(load)
        return coalescer

    async def _load_keys(self, ids: Sequence[UUID]) -> Mapping[UUID, tuple[ApiKey, int]]:
        async with self._database.read() as db:
            return await keys.load_keys(db, ids)

    async def _load_staff(self, ids: Sequence[UUID]) -> Mapping[UUID, tuple[StaffSession, int]]:
        async with self._database.read() as db:
            return await staff.load_sessions(db, ids)

    def _note_use(self, key: ApiKey, book: Book) -> None:
        """Remember the day of a key's last use, behind the request; most requests find it noted."""
        today = book.business_date(book.at(self._clock))
        if key.id in self._notes or (key.last_used_on is not None and key.last_used_on >= today):
            return

        async def note() -> None:
            try:
                async with self._database.read() as db:
                    await keys.mark_used(db, [key.id], today)
            except (PostgresError, InterfaceError, ConfigurationError, OSError) as error:
                # The next request will.
                log.warning("the use of a key was not noted: %s", type(error).__name__)
            finally:
                del self._notes[key.id]

        self._notes[key.id] = asyncio.get_running_loop().create_task(note())


def _with_clock(book: Book, offset_us: int) -> Book:
    if book.clock_offset_us == offset_us:
        return book
    return msgspec.structs.replace(book, clock_offset_us=offset_us)
