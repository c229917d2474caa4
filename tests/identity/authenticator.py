"""An authenticator in software, for tests: it makes passkeys and answers challenges, rightly or as attackers would."""

import hashlib
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

ORIGIN = "http://localhost:8000"
PRESENT, VERIFIED, MAY_BE_SYNCED, SYNCED, ATTESTED = 0x01, 0x04, 0x08, 0x10, 0x40


def text_of(raw: bytes) -> str:
    """Base 64 for URLs, without padding."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def bytes_of(text: str) -> bytes:
    """The bytes of such a text."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Authenticator:
    """One passkey, as the device that holds it.

    counts  whether it counts its answers; a synced one does not
    """

    def __init__(self, *, counts: bool = True, synced: bool = False, attachment: str = "platform") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._flags = MAY_BE_SYNCED | SYNCED if synced else 0
        self._attachment = attachment
        self._counts = counts
        self.credential_id = secrets.token_bytes(32)
        self.handle = b""
        self.count = 0

    def make(self, options: dict[str, Any], **wrong: Any) -> str:
        """The answer to a challenge to register. `wrong` changes what an honest one would say."""
        self.handle = bytes_of(options["user"]["id"])
        client = _client_data("webauthn.create", options, wrong)
        data = self._authenticator_data(options["rp"]["id"], wrong, ATTESTED) + self._credential()
        attested = {"fmt": wrong.get("fmt", "none"), "attStmt": wrong.get("statement", {}), "authData": data}
        response = {
            "clientDataJSON": text_of(client),
            "attestationObject": text_of(cbor2.dumps(attested)),
            "transports": ["internal"],
        }
        return json.dumps(self._answer(response, wrong))

    def answer(self, options: dict[str, Any], **wrong: Any) -> str:
        """The answer to a challenge. `wrong` changes what an honest one would say."""
        client = _client_data("webauthn.get", options, wrong)
        if self._counts:
            self.count += 1
        data = self._authenticator_data(options["rpId"], wrong)
        signer: ec.EllipticCurvePrivateKey = wrong.get("signer", self._key)
        signature = signer.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        handle = wrong.get("handle", self.handle)
        response = {
            "clientDataJSON": text_of(client),
            "authenticatorData": text_of(data),
            "signature": text_of(signature),
            "userHandle": text_of(handle) if handle is not None else None,
        }
        return json.dumps(self._answer(response, wrong))

    def _answer(self, response: dict[str, Any], wrong: dict[str, Any]) -> dict[str, Any]:
        id_ = text_of(wrong.get("credential_id", self.credential_id))
        return {
            "id": id_,
            "rawId": id_,
            "type": "public-key",
            "authenticatorAttachment": self._attachment,
            "clientExtensionResults": {},
            "response": response,
        }

    def _authenticator_data(self, rp_id: str, wrong: dict[str, Any], more: int = 0) -> bytes:
        flags = wrong.get("flags", PRESENT | VERIFIED) | self._flags | more
        count: int = wrong.get("count", self.count)
        hashed = hashlib.sha256(wrong.get("rp_id", rp_id).encode()).digest()
        return hashed + bytes([flags]) + count.to_bytes(4)

    def _credential(self) -> bytes:
        point = self._key.public_key().public_numbers()
        key = {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32), -3: point.y.to_bytes(32)}
        length = len(self.credential_id).to_bytes(2)
        return bytes(16) + length + self.credential_id + cbor2.dumps(key)


def _client_data(kind: str, options: dict[str, Any], wrong: dict[str, Any]) -> bytes:
    said = {
        "type": wrong.get("type", kind),
        "challenge": wrong.get("challenge", options["challenge"]),
        "origin": wrong.get("origin", ORIGIN),
        "crossOrigin": wrong.get("cross_origin", False),
    }
    return json.dumps(said).encode()
