"""Credentials as text: what kind, which book, which row, and the secret.

`wf_test_<id>_<secret>` and `wf_live_…`  an API key; the prefix shows the book's mode
`wfs_<book>_<id>_<secret>`               a person's session; the id's slot tells its bucket
`wft_<book>_<id>_<secret>`               a staff session
`wfd_<book>_<id>_<secret>`               a device's proof: known again at sign-in, it opens nothing by itself
The id is a UUID in 32 hex digits, the secret 256 random bits in base 64 for URLs. Only the hash of the whole
text is stored, so that no part of it can be exchanged.
"""

import hashlib
import hmac
import re
import secrets
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from wufeng.base.books import Mode

_KEY = re.compile(r"wf_(?:test|live)_([0-9a-f]{32})_[A-Za-z0-9_-]{43}", re.ASCII)
_SESSION = re.compile(r"wf([st])_([0-9]{1,5})_([0-9a-f]{32})_[A-Za-z0-9_-]{43}", re.ASCII)
_DEVICE = re.compile(r"wfd_([0-9]{1,5})_([0-9a-f]{32})_[A-Za-z0-9_-]{43}", re.ASCII)


class CredentialKind(StrEnum):
    """What a credential belongs to."""

    API_KEY = "api_key"
    SESSION = "session"
    STAFF_SESSION = "staff_session"
    DEVICE = "device"


class Credential(Struct, frozen=True):
    """A credential read from a header, not yet believed. It never prints its secret.

    book_id  as the token says it, to find the bucket; None for a key
    """

    kind: CredentialKind
    id: UUID
    text: str
    book_id: int | None = None

    def __repr__(self) -> str:
        return f"Credential({self.kind.value}, {self.id})"

    __str__ = __repr__

    @property
    def hash(self) -> bytes:
        """What is stored: 256 random bits need no salt and no stretching."""
        return hashlib.sha256(self.text.encode()).digest()

    def proves(self, stored_hash: bytes) -> bool:
        """Whether this is the credential that was hashed; takes the same time whatever the answer."""
        return hmac.compare_digest(self.hash, stored_hash)


def key_prefix(mode: Mode, id_: UUID) -> str:
    """The part of an API key that may be stored and shown."""
    return f"wf_{mode.value}_{id_.hex}"


def new_key(mode: Mode, id_: UUID) -> Credential:
    """A fresh API key; its text is given out once."""
    return Credential(CredentialKind.API_KEY, id_, f"{key_prefix(mode, id_)}_{secrets.token_urlsafe(32)}")


def new_session(kind: CredentialKind, book_id: int, id_: UUID) -> Credential:
    """A fresh token of a person's or staff session; its text is given out once."""
    assert kind in (CredentialKind.SESSION, CredentialKind.STAFF_SESSION), "others have prefixes of their own"
    letter = "s" if kind is CredentialKind.SESSION else "t"
    return Credential(kind, id_, f"wf{letter}_{book_id}_{id_.hex}_{secrets.token_urlsafe(32)}", book_id)


def new_device(book_id: int, id_: UUID) -> Credential:
    """A fresh proof of a device; its text is given out once."""
    text = f"wfd_{book_id}_{id_.hex}_{secrets.token_urlsafe(32)}"
    return Credential(CredentialKind.DEVICE, id_, text, book_id)


def parse_device(text: str) -> Credential | None:
    """Read a device's proof; anything else is None. `parse_credential` knows none: nobody calls with it."""
    if match := _DEVICE.fullmatch(text):
        return Credential(CredentialKind.DEVICE, UUID(match[2]), text, int(match[1]))
    return None


def parse_credential(text: str) -> Credential | None:
    """Read the text after `Bearer `; anything that is not one of our forms is None."""
    if match := _KEY.fullmatch(text):
        return Credential(CredentialKind.API_KEY, UUID(match[1]), text)
    if match := _SESSION.fullmatch(text):
        kind = CredentialKind.SESSION if match[1] == "s" else CredentialKind.STAFF_SESSION
        return Credential(kind, UUID(match[3]), text, int(match[2]))
    return None
