"""Ids: TypeIDs over UUIDv7. The last 16 bits are a slot, which says in which bucket the object lives.

An id is a `uuid.UUID` inside and `pay_01j…` at the border (TypeID specification 0.3: a prefix, an underscore and the
128 bits in Crockford's base 32, 26 characters). The slot never changes; slots map to buckets by a table (books.py).
"""

import hashlib
import random
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from asyncpg.pgproto.pgproto import UUID as DriverUUID  # noqa: N811  not a constant

SLOTS = 1 << 16
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}
_PAIRS = [a + b for a in _ALPHABET for b in _ALPHABET]  # ten bits at a time: twice as fast as five


class Prefix(StrEnum):
    """The first part of an id at the border: what kind of object it names."""

    PERSON = "per"
    WALLET = "wal"
    MERCHANT = "mer"
    API_KEY = "key"
    STAFF = "stf"
    SESSION = "ses"
    DEVICE = "dev"
    PASSKEY = "psk"
    PASSKEY_CHALLENGE = "pch"
    BANK_ACCOUNT = "bka"
    VERIFICATION = "vrf"
    MESSAGE = "msg"
    ORDER = "ord"
    PAYMENT = "pay"
    PAY_CODE = "pcd"
    DECISION = "dec"
    REFUND = "rfd"
    QUOTE = "qte"
    CHECKOUT_SESSION = "chk"
    CAMPAIGN = "cmp"
    MERCHANT_CODE = "mco"
    PAYMENT_LINK = "plk"
    FRIEND_LINK = "frl"
    LENDER = "len"
    APPLICATION = "app"
    LINE_REVIEW = "lrv"
    LINE = "lin"
    DRAW = "drw"
    PLAN = "pln"
    BILL = "bil"
    REPAYMENT = "rep"
    TOP_UP = "top"
    WITHDRAWAL = "wdr"
    SETTLEMENT = "stl"
    JOURNAL = "jnl"
    HOLD = "hld"
    ACCOUNT = "acc"
    EVENT = "evt"
    WEBHOOK_ENDPOINT = "whe"
    DELIVERY = "dlv"
    REQUEST = "req"
    AUDIT_ENTRY = "aud"
    LINE_CHANGE = "lch"
    FAMILY_CARD = "fam"
    RIDE = "rid"
    RIDE_CHARGE = "rch"


def id_of(value: int) -> UUID:
    """The id with these 128 bits, as the driver's own kind of UUID: made, hashed and sent several times as fast."""
    return DriverUUID(value.to_bytes(16))


class IdMaker:
    """Makes ids from instants it is given and a source of randomness; the same seed gives the same ids."""

    def __init__(self, rng: random.Random | None = None) -> None:
        self._random_bits = (rng or random.Random()).getrandbits

    def new(self, at: datetime, slot: int) -> UUID:
        """A fresh UUIDv7 of that instant (millisecond) whose object lives in `slot` (0..65535)."""
        millis = (at - _EPOCH) // _MILLISECOND
        bits = self._random_bits(58)
        return id_of(
            (millis & 0xFFFF_FFFF_FFFF) << 80
            | 0x7 << 76
            | (bits >> 46) << 64
            | 0b10 << 62
            | (bits & 0x3FFF_FFFF_FFFF) << 16
            | slot
        )

    def new_anywhere(self, at: datetime) -> UUID:
        """A fresh id in a slot drawn by chance: how a person gets a bucket at birth."""
        return self.new(at, self._random_bits(16))


def first_id_of(at: datetime) -> UUID:
    """The lowest id of an instant: what was made then or later has this id or a greater one."""
    return id_of(((at - _EPOCH) // _MILLISECOND & 0xFFFF_FFFF_FFFF) << 80)


def instant_of(id_: UUID) -> datetime:
    """The instant (UTC, millisecond) at which an id was made: a UUIDv7 begins with it."""
    return datetime.fromtimestamp((id_.int >> 80) / 1000, UTC)


def slot_of(id_: UUID) -> int:
    """The slot an id carries."""
    return id_.int & 0xFFFF


def slot_of_hash(digest: bytes) -> int:
    """The slot of a row that is homed by its own hash (claims, orders): the digest's last 16 bits."""
    return int.from_bytes(digest[-2:])


def hashed_id(*parts: bytes) -> UUID:
    """A 128-bit name for a tuple of byte strings (BLAKE2b, length-prefixed so that no two tuples collide)."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(len(part).to_bytes(4))
        digest.update(part)
    return DriverUUID(digest.digest())


def encode(prefix: Prefix, id_: UUID) -> str:
    """An id as the border shows it: `pay_01j…`."""
    value = id_.int
    pairs = _PAIRS
    return (
        f"{prefix.value}_{pairs[value >> 120]}{pairs[value >> 110 & 1023]}{pairs[value >> 100 & 1023]}"
        f"{pairs[value >> 90 & 1023]}{pairs[value >> 80 & 1023]}{pairs[value >> 70 & 1023]}{pairs[value >> 60 & 1023]}"
        f"{pairs[value >> 50 & 1023]}{pairs[value >> 40 & 1023]}{pairs[value >> 30 & 1023]}{pairs[value >> 20 & 1023]}"
        f"{pairs[value >> 10 & 1023]}{pairs[value & 1023]}"
    )


def decode(prefix: Prefix, text: str) -> UUID:
    """Read an id of one kind. Raises ValueError for another kind, a wrong length or a letter outside the alphabet."""
    head, _, body = text.rpartition("_")
    if head != prefix.value:
        raise ValueError(f"{text[:40]!r} does not begin with {prefix.value}_")
    if len(body) != 26 or body[0] > "7":
        raise ValueError(f"{text[:40]!r} is not an id: {prefix.value}_ and 26 characters are expected")
    value = 0
    try:
        for letter in body:
            value = value << 5 | _VALUES[letter]
    except KeyError:
        raise ValueError(f"{text[:40]!r} has a character that ids never hold") from None
    return id_of(value)
