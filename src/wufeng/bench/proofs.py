"""What it costs to verify a proof of a payer's: a passkey's signature, a PIN's slow hash."""

import hashlib
import secrets
import time
from base64 import urlsafe_b64encode
from datetime import datetime
from statistics import median

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from wufeng.base.ids import id_of
from wufeng.identity.hashing import hash_slowly, proves_slowly
from wufeng.identity.passkeys.model import Assertion, Passkey, PasskeyStatus, RelyingParty
from wufeng.identity.passkeys.rules import read_assertion, verify_assertion

_PRESENT_AND_VERIFIED = 0x05
_COSE_X, _COSE_Y = (
    bytes.fromhex("a5010203262001215820"),
    bytes.fromhex("225820"),
)  # a key of ES256 on P-256 (RFC 9053)
_PARTY = RelyingParty("localhost", "http://localhost")


async def pin_ms(times: int) -> float:
    """Milliseconds, at the median, to verify a right PIN as payments do."""
    peppered = secrets.token_bytes(32)
    stored = await hash_slowly(peppered)
    taken = []
    for _ in range(times):
        began_s = time.perf_counter()
        proved = await proves_slowly(stored, peppered)
        taken.append((time.perf_counter() - began_s) * 1000)
        assert proved, "the PIN that was hashed"
    return round(median(taken), 3)


def passkey_ms(times: int, at: datetime) -> float:
    """Milliseconds, at the median, to verify a right answer of a passkey (ECDSA on P-256) as payments do."""
    taken = []
    for _ in range(times):
        passkey, challenge, text = _answered(at)
        began_s = time.perf_counter()
        assertion = read_assertion(text)
        assert isinstance(assertion, Assertion)
        count = verify_assertion(assertion, passkey, challenge, _PARTY)
        taken.append((time.perf_counter() - began_s) * 1000)
        assert count == 1, "an honest answer"
    return round(median(taken), 3)


def _answered(at: datetime) -> tuple[Passkey, bytes, str]:
    """A passkey, a challenge and its answer, as an authenticator and a browser make them."""
    key, challenge, credential_id = (
        ec.generate_private_key(ec.SECP256R1()),
        secrets.token_bytes(32),
        b"c" * 32,
    )
    point = key.public_key().public_numbers()
    public = _COSE_X + point.x.to_bytes(32) + _COSE_Y + point.y.to_bytes(32)
    client = msgspec.json.encode(
        {"type": "webauthn.get", "challenge": _text(challenge), "origin": _PARTY.origin, "crossOrigin": False}
    )
    data = hashlib.sha256(_PARTY.id.encode()).digest() + bytes([_PRESENT_AND_VERIFIED]) + (1).to_bytes(4)
    signature = key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
    answer = {
        "id": _text(credential_id),
        "rawId": _text(credential_id),
        "type": "public-key",
        "clientExtensionResults": {},
        "response": {
            "clientDataJSON": _text(client),
            "authenticatorData": _text(data),
            "signature": _text(signature),
            "userHandle": _text(id_of(1).bytes),
        },
    }
    passkey = Passkey(
        id=id_of(2),
        person_id=id_of(1),
        credential_id=credential_id,
        public_key=public,
        sign_count=0,
        name="bench",
        device_id=None,
        status=PasskeyStatus.ACTIVE,
        created_at=at,
        used_at=None,
    )
    return passkey, challenge, msgspec.json.encode(answer).decode()


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
