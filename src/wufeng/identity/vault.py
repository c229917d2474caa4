"""The vault: seals personal data, names things by keyed hashes, and holds the secrets that are outside the
database.

The two secrets of an installation give a key for each use (HKDF-SHA256), so no key serves two purposes. Every
person has a key of their own, sealed by the master key; what is known about the person is sealed under it.
Destroying the person's key erases the person.
"""

import hashlib
import hmac
import os
import secrets
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from msgspec import Struct

from wufeng.base.config import Secrets
from wufeng.base.errors import WufengError

_VERSION = b"\x01"  # first byte of everything sealed: AES-256-GCM, nonce of 12 bytes, master key 1
_NONCE_BYTES = 12
_KEY_BYTES = 32


class Unreadable(WufengError):
    """Sealed data does not open: another master key, another owner, or changed bytes."""


class Private(Struct, frozen=True):
    """A text about a person, or a secret of one, on its way to being sealed or checked. It never prints itself."""

    text: str

    def __repr__(self) -> str:
        return "Private(…)"

    __str__ = __repr__

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return [("text", "…")]  # msgspec's own would show the field


class PersonKey:
    """The key of one person. A field's name and its owner are bound into the seal, so fields cannot be swapped."""

    def __init__(self, person_id: UUID, key: bytes) -> None:
        self._aead = AESGCM(key)
        self._person_id = person_id

    def seal(self, field: str, text: str) -> bytes:
        """Seal one field."""
        return _seal(self._aead, text.encode(), self._person_id.bytes + field.encode())

    def unseal(self, field: str, sealed: bytes) -> str:
        """Read one field. Raises Unreadable."""
        return _unseal(self._aead, sealed, self._person_id.bytes + field.encode()).decode()

    def __repr__(self) -> str:
        return "PersonKey(…)"


class Vault:
    """What the installation's secrets can do. It is built once a process and never prints itself."""

    def __init__(self, secrets_: Secrets) -> None:
        self._master = AESGCM(_derive(secrets_.sealing_key, b"seal person keys"))
        self._tickets = AESGCM(_derive(secrets_.sealing_key, b"demo tickets"))
        self._sign_ins = AESGCM(_derive(secrets_.sealing_key, b"openid sign-ins"))
        self._pay_secrets = AESGCM(_derive(secrets_.sealing_key, b"secrets of pay codes"))
        self._names = _derive(secrets_.pepper, b"name by hash")
        self._codes = _derive(secrets_.pepper, b"one-time codes")
        self._pepper = _derive(secrets_.pepper, b"pepper of pins and passwords")
        self.claim_pepper = _derive(secrets_.pepper, b"digests of requests")

    def __repr__(self) -> str:
        return "Vault(…)"

    def new_person_key(self, person_id: UUID) -> tuple[PersonKey, bytes]:
        """A fresh key for a person, and the same key sealed, to be stored."""
        key = secrets.token_bytes(_KEY_BYTES)
        return PersonKey(person_id, key), _seal(self._master, key, b"person key" + person_id.bytes)

    def open_person_key(self, person_id: UUID, sealed_key: bytes) -> PersonKey:
        """The key of a person from its sealed form. Raises Unreadable."""
        return PersonKey(person_id, _unseal(self._master, sealed_key, b"person key" + person_id.bytes))

    def seal_ticket(self, plain: bytes) -> bytes:
        """A ticket that this installation alone can make and read."""
        return _seal(self._tickets, plain, b"ticket")

    def open_ticket(self, sealed: bytes) -> bytes:
        """What a ticket holds. Raises Unreadable for one that is not of this installation."""
        return _unseal(self._tickets, sealed, b"ticket")

    def seal_pay_secret(self, handle_name: UUID, secret: bytes) -> bytes:
        """The secret of a phone that makes pay codes, to be stored under that handle alone."""
        return _seal(self._pay_secrets, secret, b"pay code" + handle_name.bytes)

    def open_pay_secret(self, handle_name: UUID, sealed: bytes) -> bytes:
        """The secret of a phone from its sealed form. Raises Unreadable."""
        return _unseal(self._pay_secrets, sealed, b"pay code" + handle_name.bytes)

    def seal_sign_in(self, plain: bytes) -> bytes:
        """A sign-in by a provider that is under way, as the browser keeps it."""
        return _seal(self._sign_ins, plain, b"openid sign-in")

    def open_sign_in(self, sealed: bytes) -> bytes:
        """What was sealed so. Raises Unreadable for what is not of this installation."""
        return _unseal(self._sign_ins, sealed, b"openid sign-in")

    def name(self, kind: str, book_id: int, text: str) -> UUID:
        """A keyed hash that names a text in a book (a phone, an external id); its last 16 bits are a slot."""
        message = f"{kind}\0{book_id}\0{text}".encode()
        return UUID(bytes=hmac.digest(self._names, message, hashlib.sha256)[:16])

    def code_hash(self, phone_name: UUID, purpose: str, code: Private) -> bytes:
        """The hash of a one-time code, keyed: six digits could be found from a bare hash."""
        message = phone_name.bytes + purpose.encode() + b"\0" + code.text.encode()
        return hmac.digest(self._codes, message, hashlib.sha256)

    def peppered(self, owner_id: UUID, text: Private) -> bytes:
        """What argon2id is given: a PIN or password under the pepper, so that a stolen table alone gives nothing."""
        return hmac.digest(self._pepper, owner_id.bytes + text.text.encode(), hashlib.sha256)


def _derive(master_key: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), _KEY_BYTES, salt=None, info=b"wufeng " + purpose).derive(master_key)


def _seal(aead: AESGCM, plain: bytes, bound_to: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return _VERSION + nonce + aead.encrypt(nonce, plain, _VERSION + bound_to)


def _unseal(aead: AESGCM, sealed: bytes, bound_to: bytes) -> bytes:
    if sealed[:1] != _VERSION:
        raise Unreadable("sealed by an unknown version")
    nonce, text = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    try:
        return aead.decrypt(nonce, text, _VERSION + bound_to)
    except (InvalidTag, ValueError):
        raise Unreadable("sealed under another key, for another owner, or changed") from None
