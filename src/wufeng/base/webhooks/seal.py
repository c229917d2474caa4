"""The secrets of endpoints: made here, shown once, kept sealed."""

import base64
import secrets
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_PREFIX = "whsec_"
_NONCE_BYTES = 12


def new_secret() -> str:
    """A fresh signing secret in the form of Standard Webhooks: whsec_ and 32 random bytes in base 64."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


class SecretSeal:
    """Seals endpoint secrets (AES-256-GCM) under a key of 32 bytes that is kept outside the database."""

    def __init__(self, key: bytes) -> None:
        assert len(key) == 32, "AES-256 has keys of 32 bytes"
        self._aead = AESGCM(key)

    def seal(self, endpoint_id: UUID, secret: str) -> bytes:
        """The sealed form; it opens for this endpoint only."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, secret.encode(), endpoint_id.bytes)

    def unseal(self, endpoint_id: UUID, sealed: bytes) -> str:
        """The secret. Raises cryptography's InvalidTag for another key or another endpoint's secret."""
        return self._aead.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], endpoint_id.bytes).decode()
