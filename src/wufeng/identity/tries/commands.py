"""What can be asked about tries: take one, give it back, forget the old ones.

A try is taken, and committed, before the proof is verified: parallel guesses gain nothing. A right proof gives it
back. One that is refused counts nothing, so that nobody can use up other people's tries by being refused.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from wufeng.base.books import Book
from wufeng.base.database import Connection, Database
from wufeng.identity.places import Place, counted_as
from wufeng.identity.policy import shipped_identity_policy
from wufeng.identity.tries import rules, store
from wufeng.identity.tries.model import Counter, Taken, TryKind
from wufeng.identity.vault import Private, Vault


class TakenTries(Struct, frozen=True):
    """Tries that were taken, to be given back when the proof was right."""

    counters: Sequence[Counter]
    taken: Mapping[UUID, Taken]


async def take_tries(database: Database, counters: Sequence[Counter], at: datetime) -> TakenTries:
    """Take a try of each count, committed when this returns. Raises rate_limited when one of them is used up."""
    if not counters:
        return TakenTries((), {})
    async with database.read() as db:
        taken = await store.count_tries(db, counters, at)
        refused = rules.decide_try(counters, taken, at)
        if refused is not None:
            await store.give_back_tries(db, counters, taken)
            raise refused
    return TakenTries(counters, taken)


async def give_back(database: Database, tries: TakenTries) -> None:
    """After a right proof: its own tries count no more."""
    if tries.counters:
        async with database.read() as db:
            await store.give_back_tries(db, tries.counters, tries.taken)


async def forget_tries(db: Connection, bucket: int, at: datetime, at_most: int) -> int:
    """Delete counts whose window is over; returns how many."""
    return await store.forget_tries(db, bucket, at, at_most)


def counters_of_address(vault: Vault, book: Book, place: Place, kind: TryKind) -> list[Counter]:
    """The count of an address; none where the address is not known."""
    address = counted_as(place.address)
    return [] if address is None else [_counter(vault, book, kind, address)]


def counters_of_pin(vault: Vault, book: Book, place: Place, pin: Private) -> list[Counter]:
    """What a try of a PIN adds to: its address, its device, and the PIN itself over all people.

    A trusted device is not held up by what others try: it adds nothing to the PIN's count over all people.
    """
    counters = counters_of_address(vault, book, place, TryKind.PIN_FROM_ADDRESS)
    if place.device_id is not None:
        counters.append(_counter(vault, book, TryKind.PIN_FROM_DEVICE, place.device_id.hex))
    if not place.device_trusted:
        counters.append(_counter(vault, book, TryKind.SAME_PIN, pin.text))
    if (address := counted_as(place.address)) is not None:
        counters.append(_counter(vault, book, TryKind.SAME_PIN_FROM_ADDRESS, f"{pin.text} {address}"))
    return counters


def _counter(vault: Vault, book: Book, kind: TryKind, what: str) -> Counter:
    """The count is named by a keyed hash: neither an address nor a PIN can be read out of the table."""
    id_ = vault.name(f"try {kind.value}", book.id, what)
    return Counter(kind, book.bucket_of(id_), id_, shipped_identity_policy().tries[kind])
