"""Merchants in memory: what every payment asks of a table that hardly changes."""

import asyncio
from collections.abc import Collection
from uuid import UUID

from wufeng.base.database import Connection
from wufeng.identity.merchants import store
from wufeng.identity.merchants.model import Merchant

FRESH_FOR_S = 5.0
"""How long another process may go on as if a merchant had not been closed or changed."""

_ROOM = 50_000


class Merchants:
    """The merchants lately asked for. An entry older than five seconds is read again before it is used."""

    def __init__(self) -> None:
        self._entries: dict[UUID, tuple[float, Merchant]] = {}

    async def load(self, db: Connection, ids: Collection[UUID]) -> dict[UUID, Merchant]:
        """Merchants by id, in one statement for those not at hand. An unknown id is absent, never remembered."""
        now = asyncio.get_running_loop().time()
        entries = self._entries
        stale = {id_ for id_ in ids if (entry := entries.get(id_)) is None or entry[0] < now}
        if stale:
            if len(entries) > _ROOM:
                entries.clear()
            for id_ in stale:
                entries.pop(id_, None)
            for id_, merchant in (await store.load_merchants(db, stale)).items():
                entries[id_] = (now + FRESH_FOR_S, merchant)
        return {id_: entries[id_][1] for id_ in ids if id_ in entries}

    def at_hand(self, id_: UUID) -> Merchant | None:
        """A merchant whose entry is fresh, without the database; None: `load` it."""
        entry = self._entries.get(id_)
        return entry[1] if entry is not None and entry[0] >= asyncio.get_running_loop().time() else None

    def forget(self, merchant_id: UUID) -> None:
        """Read this one again at its next use: it has just been changed here."""
        self._entries.pop(merchant_id, None)
