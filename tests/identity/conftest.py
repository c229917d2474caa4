"""A world for identity's tests: a test book and a live one in a real database, lanes that make people, a vault."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

import pytest
from msgspec import json

from wufeng import ledger
from wufeng.base.books import Book, Books, Mode, create_book, load_books
from wufeng.base.clock import FixedClock
from wufeng.base.config import Secrets
from wufeng.base.database import Database
from wufeng.base.errors import Problem
from wufeng.base.ids import IdMaker, Prefix, decode
from wufeng.base.lanes import Lanes
from wufeng.base.problems import render_problem
from wufeng.identity.audit.model import Act
from wufeng.identity.authentication import Authenticator
from wufeng.identity.callers import CallerKind
from wufeng.identity.codes.commands import send_code
from wufeng.identity.codes.model import CodePurpose, SignUp
from wufeng.identity.codes.queries import list_messages
from wufeng.identity.codes.store import MessageTable
from wufeng.identity.keys.commands import create_key
from wufeng.identity.keys.model import KeyKind, NewKey, Scope
from wufeng.identity.keys.rules import platform_id
from wufeng.identity.people.commands import CreatePerson, Registration, create_people_handler, register
from wufeng.identity.people.store import lock_people
from wufeng.identity.pins.commands import set_pin
from wufeng.identity.pins.model import PinProof, ProofKind
from wufeng.identity.sessions.commands import sign_in
from wufeng.identity.sessions.model import Opened
from wufeng.identity.vault import Private, Vault

NOON = datetime(2026, 9, 3, 4, 0, tzinfo=UTC)
SECRETS = Secrets(pepper=b"p" * 32, sealing_key=b"s" * 32)
PHONE = "+8613900001111"
PIN = "802754"


class World:
    """Books, lanes and clock; what a caller of identity does, in a line each."""

    def __init__(self, database: Database, books: Books) -> None:
        self.database = database
        self.books = books
        self.book = books.named("main")
        self.live = books.named("live")
        self.clock = FixedClock(NOON)
        self.vault = Vault(SECRETS)
        self.ids = IdMaker()
        self.lanes = self.more_lanes()
        self.authenticator = Authenticator(database, books, self.clock)

    def more_lanes(self) -> Lanes:
        """Lanes as another process would have them."""
        return Lanes(
            self.database,
            self.books,
            self.clock,
            {CreatePerson: create_people_handler(self.vault)},
            lock_people=lock_people,
            write_journals=ledger.write_journals,
            render_problem=render_problem,
            ids=self.ids,
        )

    @property
    def at(self) -> datetime:
        return self.book.at(self.clock)

    def later(self, by: timedelta) -> datetime:
        self.clock.turn_to(self.clock.now() + by)
        return self.at

    def act(self, object_id: UUID, operation: str = "freeze_person", reason: str = "lost phone") -> Act:
        return Act(
            by_kind=CallerKind.STAFF,
            by_id=UUID(int=1),
            credential_id=UUID(int=2),
            operation=operation,
            object_prefix=Prefix.PERSON,
            object_id=object_id,
            reason=reason,
            at=self.at,
            request_id="req_test",
        )

    async def create(
        self,
        phone: str = PHONE,
        external_id: str | None = None,
        name: str | None = None,
        document: str | None = None,
        lanes: Lanes | None = None,
        book: Book | None = None,
    ) -> tuple[int, dict[str, object]] | Problem:
        """Create a person as the platform does: status and body, or the problem."""
        texts = [None if text is None else Private(text) for text in (external_id, name, document)]
        try:
            answer = await register(
                lanes or self.lanes,
                self.vault,
                book or self.book,
                Registration(phone=Private(phone), external_id=texts[0], name=texts[1], document=texts[2]),
                self.at,
            )
        except Problem as problem:
            return problem
        return answer.status, json.decode(answer.body)

    async def person(self, phone: str = PHONE) -> UUID:
        created = await self.create(phone)
        assert not isinstance(created, Problem)
        return decode(Prefix.PERSON, str(created[1]["id"]))

    async def send(
        self,
        phone: str = PHONE,
        purpose: CodePurpose = CodePurpose.SIGN_IN,
        sign_up: SignUp = SignUp.CLOSED,
        book: Book | None = None,
    ) -> Problem | None:
        """Ask for a code to be sent."""
        book = book or self.book
        try:
            await send_code(
                self.database,
                self.vault,
                MessageTable() if book.mode is Mode.TEST else None,
                self.ids,
                book,
                Private(phone),
                purpose,
                sign_up,
                self.at,
            )
        except Problem as problem:
            return problem
        return None

    async def messages(self, phone: str = PHONE) -> list[str]:
        """The codes sent to a phone, newest first, read out of the texts."""
        async with self.database.read() as db:
            found = await list_messages(db, self.vault, self.book, Private(phone))
        found = [message for message in found if message.purpose != "notice"]
        codes = [match[0] for message in found if (match := re.search(r"\d{6}", message.text))]
        assert codes == [message.code for message in found]
        return codes

    async def code(
        self,
        phone: str = PHONE,
        purpose: CodePurpose = CodePurpose.SIGN_IN,
        sign_up: SignUp = SignUp.CLOSED,
    ) -> str:
        """Send a code and read it."""
        assert await self.send(phone, purpose, sign_up) is None
        return (await self.messages(phone))[0]

    async def sign_in(
        self, phone: str = PHONE, sign_up: SignUp = SignUp.CLOSED, device: str = "a phone"
    ) -> Opened:
        """Sign in by a fresh code."""
        code = Private(await self.code(phone, sign_up=sign_up))
        return await sign_in(
            self.lanes, self.vault, self.book, Private(phone), code, device, sign_up, self.at
        )

    async def set_pin(
        self, person_id: UUID, pin: str = PIN, phone: str = PHONE, keep: UUID | None = None
    ) -> None:
        """Set a PIN by a one-time code."""
        proof = PinProof(ProofKind.CODE, Private(await self.code(phone, CodePurpose.PIN)))
        await set_pin(
            self.database, self.vault, self.book, person_id, Private(pin), proof, self.at, keep_session=keep
        )

    async def platform_key(self, *scopes: Scope, book: Book | None = None) -> NewKey:
        """A key of the operator's server, with the scopes named or with all."""
        book = book or self.book
        async with self.database.transaction() as db:
            return await create_key(
                db, self.ids, book, KeyKind.PLATFORM, platform_id(book.id), "test", self.at, scopes or None
            )


def draft(name: str, mode: Mode) -> Book:
    return Book(0, name, mode, "CNY", "Asia/Shanghai", time(0), 0, (), ())


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    async with database.transaction() as db:
        await create_book(db, draft("main", Mode.TEST), 2, NOON)
        await create_book(db, draft("live", Mode.LIVE), 1, NOON)
        books = Books(await load_books(db))
    world = World(database, books)
    yield world
    await world.authenticator.drain()
    await world.lanes.drain()


async def gathered(*awaitables: object) -> list[object]:
    """All results, problems as values."""
    return list(await asyncio.gather(*awaitables, return_exceptions=True))  # type: ignore[call-overload]
