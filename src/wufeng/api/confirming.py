"""A person's yes with its proof, as every call that binds somebody takes it: checked at the edge, stored nowhere."""

from typing import Any
from uuid import UUID

import msgspec

from wufeng.api.bodies import ConfirmationBody, ProofKind
from wufeng.api.routing import Call, stored_answer
from wufeng.base.claims import Answer
from wufeng.base.errors import Code, Problem, invalid_field
from wufeng.identity import check_pin
from wufeng.identity.codes.model import CodePurpose
from wufeng.identity.devices.commands import trust_device
from wufeng.identity.passkeys.commands import check_own_code, prove_passkey
from wufeng.identity.passkeys.model import Ask, ChallengePurpose
from wufeng.identity.passkeys.rules import digest_of_request, relying_party_of
from wufeng.identity.vault import Private
from wufeng.risk.model import Confirmation

_LEVELS = {
    ProofKind.PIN: Confirmation.PIN,
    ProofKind.PASSKEY: Confirmation.PASSKEY,
    ProofKind.PASSKEY_CODE: Confirmation.PASSKEY_CODE,
}


async def prove(
    call: Call[Any, Any], person_id: UUID, confirmation: ConfirmationBody | None
) -> tuple[Answer | None, Confirmation]:
    """How a person has said yes to this request, or the stored answer of a key that comes again.

    The key is looked up first: a repeated request costs no try and needs no proof. A wrong proof is refused here
    (confirmation_failed, of a PIN with tries_left) and stored with no key. A passkey's answer is right for the request
    that its challenge was made for, and for no other. Without a confirmation the session alone speaks.
    """
    if confirmation is None:
        return None, Confirmation.SESSION
    if (stored := await stored_answer(call)) is not None:
        return stored, Confirmation.NONE
    if confirmation.kind is ProofKind.PIN:
        await _prove_pin(call, person_id, Private(confirmation.proof))
    else:
        await _prove_passkey(call, person_id, Private(confirmation.proof))
    if confirmation.kind is ProofKind.PASSKEY_CODE:
        await _prove_code(call, person_id, confirmation.code)
    await _trust(call)
    return None, _LEVELS[confirmation.kind]


async def _prove_pin(call: Call[Any, Any], person_id: UUID, pin: Private) -> None:
    services = call.services
    verdict = await check_pin(
        services.database, services.vault, call.book, person_id, pin, call.at, call.place
    )
    if not verdict.ok:
        raise Problem(
            Code.CONFIRMATION_FAILED, "The PIN was not accepted.", extra={"tries_left": verdict.tries_left}
        )


async def _prove_passkey(call: Call[Any, Any], person_id: UUID, answer: Private) -> None:
    services = call.services
    digest = digest_of_request(call.operation, call.path.get("id", ""), msgspec.to_builtins(call.body))
    await prove_passkey(
        services.database,
        services.ids,
        call.book,
        relying_party_of(services.settings.public_origin),
        Ask(ChallengePurpose.CONFIRM, person_id, digest),
        answer,
        call.at,
    )


async def _prove_code(call: Call[Any, Any], person_id: UUID, code: str | None) -> None:
    """Its tries are the code's and not the PIN's: used up, a new code is sent, and the payment waits on."""
    if code is None:
        raise invalid_field("/confirmation/code", "Give the code that was sent for the purpose payment.")
    services = call.services
    verdict = await check_own_code(
        services.database,
        services.vault,
        call.book,
        person_id,
        CodePurpose.PAYMENT,
        Private(code),
        call.at,
        call.place,
    )
    if not verdict.ok:
        tries: dict[str, int | str] = {"code_tries_left": verdict.tries_left}
        raise Problem(Code.CONFIRMATION_FAILED, "The code was not accepted.", extra=tries)


async def _trust(call: Call[Any, Any]) -> None:
    """A device on which its person has proved more than that they hold the phone is trusted from then on."""
    caller = call.caller
    if caller.device_id is not None and not caller.device_trusted:
        await trust_device(call.services.database, call.book, caller.device_id, call.at)
