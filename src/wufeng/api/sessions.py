"""Sessions: sign in by a code or a passkey, step up, see where one is signed in, sign out there."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from wufeng.api.bodies import ListQuery, starting_after
from wufeng.api.routing import Call, Nothing, Route, reply, reply_list
from wufeng.base.claims import Answer
from wufeng.base.errors import Code, Problem, invalid_field
from wufeng.base.ids import Prefix
from wufeng.identity import Caller, CallerKind
from wufeng.identity.passkeys.commands import ask_to_sign_in
from wufeng.identity.passkeys.model import ChallengeView
from wufeng.identity.passkeys.rules import relying_party_of
from wufeng.identity.places import Place
from wufeng.identity.sessions.commands import (
    revoke_others,
    revoke_session,
    sign_in,
    sign_in_with_passkey,
    step_up,
    step_up_with_passkey,
)
from wufeng.identity.sessions.model import Opened, SessionView
from wufeng.identity.sessions.queries import list_sessions
from wufeng.identity.sessions.rules import view_of_opened
from wufeng.identity.vault import Private

Phone = Annotated[str, Meta(min_length=1, max_length=40, examples=["+8613800138000"])]
Secret = Annotated[str, Meta(min_length=1, max_length=64)]
DeviceProof = Annotated[str, Meta(min_length=1, max_length=128)]
PasskeyAnswer = Annotated[str, Meta(min_length=1, max_length=8_192)]


class CreateSession(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new session by phone and code, or by a passkey. Or, with a live session's credential, by its PIN or a passkey:
    the session stepped up, its token new.

    device        the person's own name of the device
    device_proof  what the device was given when it was new: it is then known again
    passkey       as JSON, the answer to a challenge for signing in
    """

    phone: Phone | None = None
    code: Secret | None = None
    device: Annotated[str, Meta(max_length=100)] | None = None
    device_proof: DeviceProof | None = None
    pin: Secret | None = None
    passkey: PasskeyAnswer | None = None

    def __repr__(self) -> str:
        return "CreateSession(…)"


class SessionList(Struct, frozen=True, kw_only=True):
    """A person's sessions, newest first."""

    data: list[SessionView]
    next: str | None
    has_more: bool


class EndedSessions(Struct, frozen=True, kw_only=True):
    """The sessions that have just ended, newest first."""

    data: list[SessionView]


async def post_sign_in_challenge(call: Call[Nothing, Nothing]) -> Answer:
    """What a passkey is asked to sign in order to sign in, or to step a session up."""
    services = call.services
    party = relying_party_of(services.settings.public_origin)
    challenge = await ask_to_sign_in(
        services.database, services.vault, services.ids, call.book, party, call.at, call.place
    )
    return reply(challenge, 201)


async def create_session(call: Call[CreateSession, Nothing]) -> Answer:
    """Sign in, or step a live session up."""
    body = call.body
    if body.pin is not None or (body.passkey is not None and call.authorization is not None):
        opened = await _step_up(call)
    elif body.passkey is not None:
        opened = await _sign_in_with_passkey(call, body.passkey)
    else:
        opened = await _sign_in(call)
    return reply(view_of_opened(opened), 201)


async def _sign_in(call: Call[CreateSession, Nothing]) -> Opened:
    body, services = call.body, call.services
    if body.phone is None:
        raise invalid_field("/phone", "Give phone and code, or a passkey, to sign in, or pin to step up.")
    if body.code is None:
        raise invalid_field("/code", "Give the code that was sent to this phone.")
    return await sign_in(
        services.lanes,
        services.vault,
        call.book,
        Private(body.phone),
        Private(body.code),
        body.device or "",
        services.sign_up,
        call.at,
        _private(body.device_proof),
        call.place,
    )


async def _sign_in_with_passkey(call: Call[CreateSession, Nothing], passkey: str) -> Opened:
    body, services = call.body, call.services
    _refuse_beside(body, "A passkey signs in alone.", "phone", "code")
    return await sign_in_with_passkey(
        services.database,
        services.ids,
        call.book,
        relying_party_of(services.settings.public_origin),
        Private(passkey),
        body.device or "",
        call.at,
        _private(body.device_proof),
    )


async def _step_up(call: Call[CreateSession, Nothing]) -> Opened:
    """The call is public for those who sign in, so here the credential is read by the route itself."""
    body, services = call.body, call.services
    _refuse_beside(
        body, "A step-up takes the PIN or a passkey alone.", "phone", "code", "device", "device_proof"
    )
    caller = await services.authenticator.authenticate(call.authorization)
    if caller.kind is not CallerKind.PERSON or caller.session_id is None:
        raise Problem(Code.FORBIDDEN, "Only a person's session can be stepped up.")
    if body.pin is not None:
        _refuse_beside(body, "Give either the PIN or a passkey.", "passkey")
        return await _step_up_by_pin(call, caller, Private(body.pin))
    assert body.passkey is not None, "one of the two was given"
    book = caller.book
    return await step_up_with_passkey(
        services.database,
        services.ids,
        book,
        relying_party_of(services.settings.public_origin),
        caller.credential_id,
        caller.id,
        Private(body.passkey),
        book.at(services.clock),
    )


async def _step_up_by_pin(call: Call[Any, Any], caller: Caller, pin: Private) -> Opened:
    services, book = call.services, caller.book
    return await step_up(
        services.database,
        services.vault,
        services.ids,
        book,
        caller.credential_id,
        caller.id,
        pin,
        book.at(services.clock),
        Place(call.client, caller.device_id, caller.device_trusted),
    )


async def get_sessions(call: Call[Nothing, ListQuery]) -> Answer:
    """Where the caller is signed in."""
    before, limit = starting_after(call.query, Prefix.SESSION, "session"), call.query.limit
    async with call.services.database.read() as db:
        found = await list_sessions(
            db, call.book, call.caller.id, call.caller.session_id, call.at, before, limit + 1
        )
    return reply_list(found, limit)


async def delete_session(call: Call[Nothing, Nothing]) -> Answer:
    """Sign one of the caller's devices out, this one or another."""
    session_id = call.path_id(Prefix.SESSION, "session")
    ended = await revoke_session(call.services.database, call.book, session_id, call.caller.id, call.at)
    return reply(ended)


async def delete_other_sessions(call: Call[Nothing, Nothing]) -> Answer:
    """Sign the caller out everywhere but here."""
    ended = await revoke_others(
        call.services.database, call.book, call.caller.id, call.caller.credential_id, call.at
    )
    return reply(EndedSessions(data=ended))


def _refuse_beside(body: CreateSession, why: str, *names: str) -> None:
    for name in names:
        if getattr(body, name) is not None:
            raise invalid_field(f"/{name}", why)


def _private(text: str | None) -> Private | None:
    return Private(text) if text is not None else None


ROUTES = (
    Route(
        method="POST",
        path="/v1/sessions/challenges",
        operation="create_sign_in_challenge",
        summary="What a passkey signs in order to sign in",
        handle=post_sign_in_challenge,
        answers={201: ChallengeView},
    ),
    Route(
        method="POST",
        path="/v1/sessions",
        operation="create_session",
        summary="Sign in by a code or a passkey, or step up",
        handle=create_session,
        body=CreateSession,
        answers={201: SessionView},
    ),
    Route(
        method="GET",
        path="/v1/sessions",
        operation="list_sessions",
        summary="Where the caller is signed in",
        handle=get_sessions,
        query=ListQuery,
        answers={200: SessionList},
    ),
    Route(
        method="DELETE",
        path="/v1/sessions",
        operation="delete_other_sessions",
        summary="Sign out everywhere but here",
        handle=delete_other_sessions,
        answers={200: EndedSessions},
    ),
    Route(
        method="DELETE",
        path="/v1/sessions/{id}",
        operation="delete_session",
        summary="Sign a device out",
        handle=delete_session,
        answers={200: SessionView},
    ),
)
