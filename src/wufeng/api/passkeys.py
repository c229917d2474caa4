"""Passkeys: make one, see, rename and delete them; what one signs in order to confirm a request."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from wufeng.api import applications, family, payments, plans, rides
from wufeng.api.bodies import problem_of_body
from wufeng.api.routing import Call, Nothing, Route, reply, reply_list
from wufeng.base.claims import Answer
from wufeng.base.errors import Code, FieldError, Problem, invalid_field
from wufeng.base.ids import Prefix
from wufeng.identity.codes.model import CodePurpose
from wufeng.identity.passkeys.commands import (
    ask_to_confirm,
    ask_to_register,
    check_own_code,
    delete_passkey,
    register_passkey,
    rename_passkey,
)
from wufeng.identity.passkeys.model import PASSKEYS_MAX, ChallengeView, PasskeyView, RelyingParty
from wufeng.identity.passkeys.queries import list_passkeys
from wufeng.identity.passkeys.rules import digest_of_request, relying_party_of
from wufeng.identity.sessions.model import AuthLevel
from wufeng.identity.vault import Private

Name = Annotated[str, Meta(max_length=100)]

CONFIRMED: Mapping[str, type] = {
    route.operation: route.body
    for of in (payments, applications, plans, family, rides)
    for route in of.ROUTES
    if "confirmation" in getattr(route.body, "__struct_fields__", ())
}
"""By operation id, the requests that a passkey can confirm: each is bound to one challenge by its whole body."""

_UNPROVED = {"kind": "passkey", "proof": "-"}


class AskPasskey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What allows a passkey to be added: a session stepped up by its PIN or a passkey, or else a one-time code that was
    sent for the purpose `passkey`.
    """

    code: Annotated[str, Meta(min_length=1, max_length=64)] | None = None

    def __repr__(self) -> str:
        return "AskPasskey(…)"


class CreatePasskey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The passkey that an authenticator has made, as JSON, and what its person calls it."""

    answer: Annotated[str, Meta(min_length=1, max_length=8_192)]
    name: Name = ""


class RenamePasskey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What its person calls it now."""

    name: Name


class AskConfirmation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The request that is to be confirmed, as it will be sent.

    call     its operation id: any that takes a confirmation, such as create_payment, confirm_payment, create_plan
    id       of its path, where there is one
    request  its body; a confirmation in it does not count
    """

    call: Annotated[str, Meta(min_length=1, max_length=64, examples=["confirm_payment"])]
    id: Annotated[str, Meta(max_length=64)] = ""
    request: dict[str, Any] = {}


class PasskeyList(Struct, frozen=True, kw_only=True):
    """A person's passkeys, newest first: all of them."""

    data: list[PasskeyView]
    next: str | None
    has_more: bool


async def post_passkey_challenge(call: Call[AskPasskey, Nothing]) -> Answer:
    """What an authenticator signs in order to make a passkey."""
    services = call.services
    await _prove_may_add(call)
    challenge = await ask_to_register(
        services.database,
        services.vault,
        services.ids,
        call.book,
        _party(call),
        call.caller.id,
        call.at,
    )
    return reply(challenge, 201)


async def post_passkey(call: Call[CreatePasskey, Nothing]) -> Answer:
    """Keep the passkey that was made for a challenge of the caller's."""
    services, caller, body = call.services, call.caller, call.body
    passkey = await register_passkey(
        services.database,
        services.ids,
        call.book,
        _party(call),
        caller.id,
        caller.device_id,
        body.name,
        Private(body.answer),
        call.at,
    )
    return reply(passkey, 201)


async def get_passkeys(call: Call[Nothing, Nothing]) -> Answer:
    """The caller's passkeys."""
    async with call.services.database.read() as db:
        return reply_list(await list_passkeys(db, call.book, call.caller.id), PASSKEYS_MAX)


async def post_passkey_name(call: Call[RenamePasskey, Nothing]) -> Answer:
    """Call one of the caller's passkeys something else."""
    passkey_id = call.path_id(Prefix.PASSKEY, "passkey")
    return reply(
        await rename_passkey(call.services.database, call.book, passkey_id, call.caller.id, call.body.name)
    )


async def remove_passkey(call: Call[Nothing, Nothing]) -> Answer:
    """Delete one of the caller's passkeys."""
    passkey_id = call.path_id(Prefix.PASSKEY, "passkey")
    return reply(await delete_passkey(call.services.database, call.book, passkey_id, call.caller.id, call.at))


async def post_confirmation_challenge(call: Call[AskConfirmation, Nothing]) -> Answer:
    """What a passkey signs in order to confirm one request, and no other."""
    services, body = call.services, call.body
    challenge = await ask_to_confirm(
        services.database,
        services.ids,
        call.book,
        _party(call),
        call.caller.id,
        digest_of_request(body.call, body.id, _as_it_will_be_read(body)),
        call.at,
    )
    return reply(challenge, 201)


def _as_it_will_be_read(body: AskConfirmation) -> Mapping[str, object]:
    """The request with its defaults filled in. Refuses what its own route would refuse, with the place in this body."""
    kind = CONFIRMED.get(body.call)
    if kind is None:
        raise invalid_field("/call", f"A passkey confirms {', '.join(CONFIRMED)}.")
    try:
        raw = msgspec.json.encode({**body.request, "confirmation": _UNPROVED})
        read: Mapping[str, object] = msgspec.to_builtins(msgspec.json.decode(raw, type=kind))
    except msgspec.ValidationError as error:
        problem = problem_of_body(error)
        errors = tuple(FieldError(f"/request{one.pointer}", one.detail) for one in problem.errors)
        raise Problem(problem.code, f"/request{problem.detail}", errors=errors) from None
    return read


async def _prove_may_add(call: Call[AskPasskey, Nothing]) -> None:
    """Whoever holds an unlocked phone for a moment must not be able to leave a key of their own behind."""
    caller, code, services = call.caller, call.body.code, call.services
    assert caller.auth_level is not None, "only people have passkeys"
    if caller.auth_level.rank >= AuthLevel.PIN.rank:
        return
    if code is None:
        raise Problem(
            Code.FORBIDDEN,
            "Step the session up, or give a one-time code that was sent for the purpose passkey.",
        )
    verdict = await check_own_code(
        services.database,
        services.vault,
        call.book,
        caller.id,
        CodePurpose.PASSKEY,
        Private(code),
        call.at,
        call.place,
    )
    if not verdict.ok:
        raise Problem(
            Code.CONFIRMATION_FAILED, "The code was not accepted.", extra={"tries_left": verdict.tries_left}
        )


def _party(call: Call[Any, Any]) -> RelyingParty:
    return relying_party_of(call.services.settings.public_origin)


ROUTES = (
    Route(
        method="POST",
        path="/v1/passkeys/challenges",
        operation="create_passkey_challenge",
        summary="What an authenticator signs in order to make a passkey",
        handle=post_passkey_challenge,
        body=AskPasskey,
        answers={201: ChallengeView},
    ),
    Route(
        method="POST",
        path="/v1/passkeys",
        operation="create_passkey",
        summary="Keep a passkey that was made",
        handle=post_passkey,
        body=CreatePasskey,
        answers={201: PasskeyView},
    ),
    Route(
        method="GET",
        path="/v1/passkeys",
        operation="list_passkeys",
        summary="The caller's passkeys",
        handle=get_passkeys,
        answers={200: PasskeyList},
    ),
    Route(
        method="POST",
        path="/v1/passkeys/{id}/name",
        operation="rename_passkey",
        summary="Call a passkey something else",
        handle=post_passkey_name,
        body=RenamePasskey,
        answers={200: PasskeyView},
    ),
    Route(
        method="DELETE",
        path="/v1/passkeys/{id}",
        operation="delete_passkey",
        summary="Delete a passkey",
        handle=remove_passkey,
        answers={200: PasskeyView},
    ),
    Route(
        method="POST",
        path="/v1/confirmations/challenges",
        operation="create_confirmation_challenge",
        summary="What a passkey signs in order to confirm one request",
        handle=post_confirmation_challenge,
        body=AskConfirmation,
        answers={201: ChallengeView},
    ),
)
