"""Key claims: one Idempotency-Key of one caller means one request, one effect and one answer.

A claim is a small row homed by its own hash. It is inserted before anything is decided and answered in the same
transaction, so a committed claim always holds its answer: either all of a command happened, or none of it.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from msgspec import Struct

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.base.errors import Code, Problem
from wufeng.base.ids import hashed_id
from wufeng.base.sql import load

SQL = load(__file__)

_WHOLE_BYTES = 16
_NAME_BYTES = 4
_VALUE_BYTES = 4


class Answer(Struct, frozen=True):
    """What a caller hears: status and body, the very bytes that a repeated request gets again."""

    status: int
    body: bytes
    object_id: UUID | None = None

    def __repr__(self) -> str:
        return (
            f"Answer({self.status}, {len(self.body)} bytes)"  # a body may tell who a person is, or a new key
        )


class KeyClaim(Struct, frozen=True):
    """One use of an Idempotency-Key.

    id        hash of the caller and the key
    digest    what was asked: a digest of the whole, then a short one of each field's name and value
    pointers  JSON pointers of the fields, in the digest's order, to name the one that differs
    """

    id: UUID
    digest: bytes
    pointers: tuple[str, ...]

    def problem_if_other(self, stored_digest: bytes) -> Problem | None:
        """The problem of a key that came with another request before, naming a field that differs."""
        if stored_digest[:_WHOLE_BYTES] == self.digest[:_WHOLE_BYTES]:
            return None
        return Problem(
            Code.IDEMPOTENCY_KEY_REUSED, f"{self._first_difference(stored_digest)} (use a new key)."
        )

    def _first_difference(self, stored_digest: bytes) -> str:
        stored = dict(_fields(stored_digest))
        for pointer, (name, value) in zip(self.pointers, _fields(self.digest), strict=True):
            if name not in stored:
                return f"{pointer} was not in the first request with this key"
            if stored[name] != value:
                return f"{pointer} differs from the first request with this key"
        return "A field of the first request with this key is missing"


def _fields(digest: bytes) -> list[tuple[bytes, bytes]]:
    """Digests of name and value, a pair a field. Names are short: two may share one, so this is no mapping."""
    step = _NAME_BYTES + _VALUE_BYTES
    parts = [digest[start : start + step] for start in range(_WHOLE_BYTES, len(digest), step)]
    return [(part[:_NAME_BYTES], part[_NAME_BYTES:]) for part in parts]


def _leaves(value: object, pointer: str, into: dict[str, str]) -> None:
    """Every value under its JSON pointer (RFC 6901); a list or an object of nothing is a value of its own."""
    before = len(into)
    if isinstance(value, dict):
        for name in value:
            _leaves(value[name], f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}", into)
        if len(into) == before and pointer:
            into[pointer] = "object"
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            _leaves(item, f"{pointer}/{index}", into)
        if len(into) == before:
            into[pointer] = f"list:{len(value)}"
    elif value is not None:
        into[pointer] = f"{type(value).__name__}:{value}"


def claim_key(
    pepper: bytes, caller_id: UUID, key: str, operation: str, request: Mapping[str, object]
) -> KeyClaim:
    """Name a request for its key.

    pepper     the installation's secret: digests of small values must not be guessable from the table
    operation  method and path
    request    the canonical body: defaults filled in, proofs, PINs and codes left out; a null is the same as absent
    """
    leaves: dict[str, str] = {}
    _leaves(request, "", leaves)
    pointers = tuple(sorted(leaves))
    keyed = _keyed(pepper)
    whole = keyed.copy()
    whole.update(operation.encode())
    parts: list[bytes] = []
    for pointer in pointers:
        field = keyed.copy()
        field.update(f"{len(pointer)}:{pointer}{leaves[pointer]}".encode())
        digest = field.digest()
        whole.update(digest)
        parts.append(_name_digest(pointer) + digest[:_VALUE_BYTES])
    # The operation stands as a field too, so that a key used on another route is told as such.
    operation_value = hashlib.blake2b(operation.encode(), digest_size=_VALUE_BYTES).digest()
    return KeyClaim(
        id=key_id(caller_id, key),
        digest=whole.digest() + _name_digest("operation") + operation_value + b"".join(parts),
        pointers=("the method or path", *pointers),
    )


@lru_cache(maxsize=4)
def _keyed(pepper: bytes) -> "hashlib.blake2b":
    """A hash that has taken the pepper, to be copied: taking it costs as much as a field."""
    return hashlib.blake2b(key=pepper[:64], digest_size=_WHOLE_BYTES)


@lru_cache(maxsize=4096)
def _name_digest(pointer: str) -> bytes:
    """The short digest of a field's name. Almost all requests have the same few names."""
    return hashlib.blake2b(pointer.encode(), digest_size=_NAME_BYTES).digest()


def key_id(caller_id: UUID, key: str) -> UUID:
    """The name of a caller's key; its last 16 bits are the slot in which the claim lives."""
    return hashed_id(b"key", caller_id.bytes, key.encode())


class Claimed(Struct, frozen=True):
    """A claim found: what was asked, and the answer if it has one."""

    digest: bytes
    answer: Answer | None


async def insert_claims(
    db: Connection, book: Book, claims: Sequence[KeyClaim], at: datetime
) -> dict[UUID, Claimed]:
    """Claim keys for the caller's transaction; returns those that were claimed before, with what they hold.

    A claim that another transaction is inserting is waited for (bounded by lock_timeout), in id order.
    """
    ordered = sorted(claims, key=lambda claim: (book.bucket_of(claim.id), claim.id))
    buckets = [book.bucket_of(claim.id) for claim in ordered]
    fresh = await db.fetch(
        SQL.insert_claims, buckets, [claim.id for claim in ordered], [claim.digest for claim in ordered], at
    )
    if len(fresh) == len(ordered):
        return {}
    inserted = {row["id"] for row in fresh}
    old = [claim for claim in ordered if claim.id not in inserted]
    found = await load_claims(db, book, [claim.id for claim in old])
    if gone := [claim for claim in old if claim.id not in found]:
        found |= await insert_claims(db, book, gone, at)  # given back or forgotten between the two statements
    return found


async def load_claims(db: Connection, book: Book, ids: Sequence[UUID]) -> dict[UUID, Claimed]:
    """Read claims; one never used is absent."""
    rows = await db.fetch(SQL.load_claims, sorted({book.bucket_of(id_) for id_ in ids}), list(ids))
    return {
        row["id"]: Claimed(
            row["digest"],
            None if row["status"] is None else Answer(row["status"], row["answer"], row["object_id"]),
        )
        for row in rows
    }


async def answer_claims(db: Connection, book: Book, answers: Mapping[UUID, Answer]) -> None:
    """Store the answers with their claims; a later transaction gives the same bytes."""
    ids = list(answers)
    await db.execute(
        SQL.answer_claims,
        [book.bucket_of(id_) for id_ in ids],
        ids,
        [answers[id_].status for id_ in ids],
        [answers[id_].body for id_ in ids],
        [answers[id_].object_id for id_ in ids],
    )


async def release_claims(db: Connection, book: Book, ids: Sequence[UUID]) -> None:
    """Give keys back whose requests could not be answered: nothing happened, the key may be used again."""
    await db.execute(SQL.release_claims, sorted({book.bucket_of(id_) for id_ in ids}), list(ids))


async def forget_claims(db: Connection, bucket: int, before: datetime, at_most: int) -> int:
    """Delete claims older than the retention (at least 24 hours); returns how many."""
    return len(await db.fetch(SQL.forget_claims, bucket, before, at_most))
