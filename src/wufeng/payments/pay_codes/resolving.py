"""From a code that a till has scanned to whose it is: two reads, shared by all that come at the same time.

A code that is not accepted is told by nothing: unknown, wrong, old, used, stopped, of a revoked device or a frozen
person, each takes the same statements and the same arithmetic. A wrong password is counted for its handle, every code
that was not accepted for the shop and the address that it came from; both are found full at the edge, before anything
is looked up.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from msgspec import Struct

from wufeng.base.books import Book
from wufeng.base.coalesce import BucketCoalescer
from wufeng.base.database import Connection, Database
from wufeng.base.errors import Code, Problem
from wufeng.identity.vault import Vault
from wufeng.payments.pay.model import Presented
from wufeng.payments.pay.start import code_refused
from wufeng.payments.pay_codes import rules, store
from wufeng.payments.pay_codes.commands import code_name, handle_name
from wufeng.payments.pay_codes.model import Handle, Made, OnlineCode, Resolved, Standing

V = TypeVar("V")
Asked = tuple[UUID, UUID, datetime]
"""A device, a code, and the instant at which it is shown."""


class Shown(Struct, frozen=True):
    """A code as a till sent it, who scanned it, and from where (None: unknown)."""

    code: str
    merchant_id: UUID
    address: str | None

    def __repr__(self) -> str:
        return f"Shown(…, {self.merchant_id})"


class _Found(Struct, frozen=True):
    """What came of a code. `wrong_of`: the handle whose password was wrong."""

    resolved: Resolved | None
    wrong_of: UUID | None = None


class _Tally:
    """What one shop or address has shown here lately; `full_until`: nothing more is looked up before."""

    __slots__ = ("began_at", "full_until", "hits")

    def __init__(self, at: datetime) -> None:
        self.began_at = at
        self.full_until: datetime | None = None
        self.hits = 0


async def _load_standings(db: Connection, bucket: int, asked: Sequence[Asked]) -> Mapping[Asked, Standing]:
    latest = max(at for _, _, at in asked)
    found = await store.load_standings(db, bucket, [(device, code) for device, code, _ in asked], latest)
    return {key: found[key[:2]] for key in asked if key[:2] in found}


class PayCodes:
    """Resolves codes, for one process.

    Codes under one handle are looked at one after another, so that of many at once no more than five are compared,
    and one more for each further process.
    """

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault
        self._handles: BucketCoalescer[UUID, Handle] = BucketCoalescer(database, store.load_handles)
        self._codes: BucketCoalescer[UUID, Made] = BucketCoalescer(database, store.load_codes)
        self._standings: BucketCoalescer[Asked, Standing] = BucketCoalescer(database, _load_standings)
        self._busy: dict[UUID, tuple[asyncio.Lock, int]] = {}
        self._tallies: dict[UUID, _Tally] = {}

    async def resolve(
        self, book: Book, shown: Shown, at: datetime, stored: Callable[[], Awaitable[V | None]] | None = None
    ) -> Resolved | V:
        """Whose code that is and what it pays with.

        stored  asked for a code that is not accepted: the answer of a request that was sent before, which counts as
                no miss
        Raises confirmation_failed, the same for every reason; rate_limited for a shop or an address that has shown
        too many such codes.
        """
        names = self._names(book, shown)
        self._refuse_full(names, at)
        code = rules.read_code(shown.code)
        if isinstance(code, OnlineCode):
            found = await self._online(book, code, at)
        else:
            name = handle_name(self._vault, book, code.handle)
            lock, waiting = self._busy.get(name) or (asyncio.Lock(), 0)
            self._busy[name] = lock, waiting + 1
            try:
                async with lock:
                    found = await self._offline(book, name, code.password, at)
                    if found.wrong_of is not None:
                        return await self._missed(book, names, found, at, stored)
            finally:
                lock, waiting = self._busy.pop(name)
                if waiting > 1:
                    self._busy[name] = lock, waiting - 1
        if found.resolved is None:
            return await self._missed(book, names, found, at, stored)
        for tallied in names:
            self._tally(tallied, at).hits += 1
        return found.resolved

    async def _online(self, book: Book, code: OnlineCode, at: datetime) -> _Found:
        name = code_name(self._vault, book, code.digits)
        made = await self._codes.get(book.bucket_of(name), name)
        person_id, device_id = (made.person_id, made.device_id) if made is not None else (name, name)
        standing = await self._standings.get(book.bucket_of(person_id), (device_id, name, at))
        if made is None or standing is None or not rules.pays_online(made, standing, at):
            return _Found(None)
        presented = Presented(name, made.device_id, made_at=made.created_at)
        return _Found(Resolved(made.person_id, standing.funding, presented))

    async def _offline(self, book: Book, name: UUID, password: str, at: datetime) -> _Found:
        handle = await self._handles.get(book.bucket_of(name), name)
        # An unknown handle is compared with a secret that nobody has, and looked for in a bucket like any other.
        known = handle or Handle(name, name, self._vault.seal_pay_secret(name, name.bytes * 2), 0)
        step = rules.matching_step(self._vault.open_pay_secret(name, known.secret), password, at)
        code_id = rules.offline_code_id(name, step if step is not None else rules.step_of(at))
        standing = await self._standings.get(book.bucket_of(known.person_id), (known.device_id, code_id, at))
        if handle is None or standing is None or not rules.pays_offline(handle, name, step, standing):
            return _Found(None, name if step is None else None)
        if handle.tries:
            async with self._database.read() as db:
                await store.forgive_tries(db, book.bucket_of(name), name, handle.tries)
        presented = Presented(code_id, handle.device_id, handle_name=name)
        return _Found(Resolved(handle.person_id, standing.funding, presented))

    async def _missed(
        self,
        book: Book,
        names: Sequence[UUID],
        found: _Found,
        at: datetime,
        stored: Callable[[], Awaitable[V | None]] | None,
    ) -> V:
        if stored is not None and (answer := await stored()) is not None:
            return answer
        since = at - rules.MISSES_WINDOW
        async with self._database.transaction() as db:
            for name in sorted(names):
                misses, window_at = await store.count_miss(db, book.bucket_of(name), name, at, since)
                if misses >= rules.misses_allowed(self._tally(name, at).hits):
                    self._tally(name, at).full_until = window_at + rules.MISSES_WINDOW
            wrong = found.wrong_of or names[0]  # a statement in any case: its time tells nothing
            await store.spend_try(db, book.bucket_of(wrong), wrong, rules.TRIES_MAX)
        raise code_refused()

    def _names(self, book: Book, shown: Shown) -> list[UUID]:
        """Under what misses are counted: the shop and the address."""
        texts = [f"shop {shown.merchant_id}"]
        if shown.address is not None:
            texts.append(f"address {shown.address}")
        return [self._vault.name("pay_code_miss", book.id, text) for text in texts]

    def _tally(self, name: UUID, at: datetime) -> _Tally:
        tally = self._tallies.get(name)
        if tally is None or at - tally.began_at >= rules.MISSES_WINDOW:
            if len(self._tallies) > 10_000:
                self._tallies.clear()
            tally = self._tallies[name] = _Tally(at)
        return tally

    def _refuse_full(self, names: Sequence[UUID], at: datetime) -> None:
        for name in names:
            tally = self._tallies.get(name)
            if tally is not None and tally.full_until is not None and at < tally.full_until:
                seconds = math.ceil((tally.full_until - at).total_seconds())
                raise Problem(
                    Code.RATE_LIMITED, "Too many codes of yours were not accepted.", retry_after_s=seconds
                )
