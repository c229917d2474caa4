"""What is decided about passkeys: what is asked, and whether an answer is right.

The checks of signatures and flags are those of py_webauthn; what it does not check is checked here. A stranger sends
what it reads, so whatever it stumbles over is a refusal and never a failure.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from msgspec import Struct
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, options_to_json_dict, parse_attestation_object
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.structs import (
    AttestationFormat,
    AuthenticatorSelectionCriteria,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from wufeng.base.ids import Prefix, encode
from wufeng.identity.passkeys.model import (
    ANSWER_MAX,
    CHALLENGE_LASTS,
    Ask,
    Assertion,
    ChallengeView,
    Passkey,
    PasskeyView,
    Registered,
    RelyingParty,
)

NAME_OF_PARTY = "Wufeng"
_ID_BYTES = 16
_TIMEOUT_MS = CHALLENGE_LASTS // CHALLENGE_LASTS.resolution // 1_000
_ALGORITHMS = [
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]
_FORMATS = (AttestationFormat.NONE, AttestationFormat.PACKED)
"""No attestation is asked for, so browsers send none, or one that a key makes of itself."""


class _ClientData(Struct):
    """What a browser says about the page that asked."""

    type: str
    challenge: str
    origin: str
    cross_origin: bool = msgspec.field(default=False, name="crossOrigin")


class _Response(Struct, rename="camel"):
    client_data: str = msgspec.field(name="clientDataJSON")
    handle: str | None = msgspec.field(default=None, name="userHandle")
    attestation_object: str = ""


class _Answer(Struct, rename="camel"):
    raw_id: str
    response: _Response
    authenticator_attachment: str | None = None


_read_answer = msgspec.json.Decoder(_Answer).decode
_read_client_data = msgspec.json.Decoder(_ClientData).decode


def relying_party_of(public_origin: str) -> RelyingParty:
    """Whom this installation's passkeys are for, by the origin of its pages. Changing its host ends them all."""
    return RelyingParty(urlsplit(public_origin).hostname or "localhost", public_origin)


def challenge_bytes(challenge_id: UUID, random: bytes) -> bytes:
    """What is signed: the challenge's id, by which its row is found again, and what nobody can guess."""
    return challenge_id.bytes + random


def challenge_id_of(challenge: bytes) -> UUID | None:
    """Which challenge an answer is to; None for bytes that are none of ours."""
    return UUID(bytes=challenge[:_ID_BYTES]) if len(challenge) > _ID_BYTES else None


def digest_of_request(operation: str, object_id: str, request: Mapping[str, object]) -> bytes:
    """What a confirmation is bound to: the whole request, but the confirmation itself.

    operation  the route's; object_id  of its path, or empty
    request    its body with defaults filled in. Order, amount, payee, price and source stand in it or in the objects
               that it names, which never change.
    """
    said = {name: value for name, value in request.items() if name != "confirmation" and value is not None}
    return hashlib.sha256(msgspec.json.encode([operation, object_id, said], order="deterministic")).digest()


def options_to_register(
    party: RelyingParty, challenge: bytes, person_id: UUID, name: str, known: Sequence[bytes]
) -> dict[str, Any]:
    """What a browser is asked in order to make a passkey: one that finds its person by itself, and verifies them.

    name   what the person reads when they choose among passkeys, masked
    known  ids of those that the person has: an authenticator makes no second one
    """
    options = generate_registration_options(
        rp_id=party.id,
        rp_name=NAME_OF_PARTY,
        user_id=person_id.bytes,
        user_name=name,
        challenge=challenge,
        timeout=_TIMEOUT_MS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=one) for one in known],
        supported_pub_key_algs=_ALGORITHMS,
    )
    return options_to_json_dict(options)


def options_to_prove(party: RelyingParty, challenge: bytes, known: Sequence[bytes]) -> dict[str, Any]:
    """What a browser is asked in order to sign a challenge. `known`: whose passkeys may; empty: anybody's."""
    options = generate_authentication_options(
        rp_id=party.id,
        challenge=challenge,
        timeout=_TIMEOUT_MS,
        allow_credentials=[PublicKeyCredentialDescriptor(id=one) for one in known],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json_dict(options)


def read_assertion(text: str) -> Assertion | None:
    """The answer of a passkey as JSON (AuthenticationResponseJSON); None when it cannot be read."""
    try:
        answer, client_data = _read(text)
        handle = answer.response.handle
        return Assertion(
            credential_id=base64url_to_bytes(answer.raw_id),
            handle=base64url_to_bytes(handle) if handle else None,
            challenge=base64url_to_bytes(client_data.challenge),
            text=text,
        )
    except (msgspec.MsgspecError, ValueError):
        return None


def person_of(assertion: Assertion) -> UUID | None:
    """Whose passkey says that it answers; None when it does not say."""
    handle = assertion.handle
    return UUID(bytes=handle) if handle is not None and len(handle) == _ID_BYTES else None


def is_for(assertion: Assertion, ask: Ask) -> bool:
    """Whether an answer may be that person's: one that names a person names that one."""
    named = person_of(assertion)
    if assertion.handle is None:
        return ask.person_id is not None
    return named is not None and ask.person_id in (None, named)


def verify_assertion(
    assertion: Assertion, passkey: Passkey, challenge: bytes, party: RelyingParty
) -> int | None:
    """What the authenticator counts now, when the answer is right; None when anything of it is not.

    Whether that is more than before is `counts_on`'s: a counter in an answer that nobody signed says nothing.
    About a millisecond of computing.
    """
    try:
        _, client_data = _read(assertion.text)
        verified = verify_authentication_response(
            credential=assertion.text,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except Exception:  # a stranger's bytes: whatever they break is a refusal
        return None
    return None if client_data.cross_origin else verified.new_sign_count


def counts_on(before: int, now: int) -> bool:
    """Whether a counter has grown. One that never counts stays 0; any other that does not grow has been copied.

    Source: Web Authentication level 3, 6.1.1 and 7.2 step 22.
    """
    return now > before or now == before == 0


def verify_registration(text: str, challenge: bytes, party: RelyingParty) -> Registered | None:
    """The passkey that an authenticator has made (RegistrationResponseJSON); None when anything of it is not right."""
    try:
        answer, client_data = _read(text)
        attested = parse_attestation_object(base64url_to_bytes(answer.response.attestation_object))
        if client_data.cross_origin or attested.fmt not in _FORMATS:
            return None
        verified = verify_registration_response(
            credential=text,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
            supported_pub_key_algs=_ALGORITHMS,
        )
    except Exception:  # a stranger's bytes: whatever they break is a refusal
        return None
    stays = verified.credential_device_type is CredentialDeviceType.SINGLE_DEVICE
    return Registered(
        credential_id=verified.credential_id,
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        is_bound=stays and answer.authenticator_attachment == "platform",
    )


def challenge_asked_in(text: str) -> bytes | None:
    """The challenge that a registration answers; None when it cannot be read."""
    assertion = read_assertion(text)
    return assertion.challenge if assertion is not None else None


def view_of(passkey: Passkey) -> PasskeyView:
    """A passkey as its person sees it."""
    return PasskeyView(
        id=encode(Prefix.PASSKEY, passkey.id),
        name=passkey.name,
        status=passkey.status,
        device=encode(Prefix.DEVICE, passkey.device_id) if passkey.device_id is not None else None,
        created_at=passkey.created_at,
        used_at=passkey.used_at,
    )


def view_of_challenge(challenge_id: UUID, ask: Ask, options: dict[str, Any], at: datetime) -> ChallengeView:
    """A challenge as the API shows it."""
    return ChallengeView(
        id=encode(Prefix.PASSKEY_CHALLENGE, challenge_id),
        purpose=ask.purpose,
        options=options,
        created_at=at,
        expires_at=at + CHALLENGE_LASTS,
    )


def _read(text: str) -> tuple[_Answer, _ClientData]:
    """Raises a MsgspecError, or a ValueError for what is no base 64."""
    if len(text) > ANSWER_MAX:
        raise ValueError("too long")
    answer = _read_answer(text)
    return answer, _read_client_data(base64url_to_bytes(answer.response.client_data))
