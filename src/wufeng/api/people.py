"""People and how they prove themselves: sign-in, PIN, freeze; what test books would have sent."""

from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct

from wufeng.api.bodies import ListQuery, Reason, starting_after
from wufeng.api.routing import Call, Nothing, Route, reply, reply_list
from wufeng.base.claims import Answer
from wufeng.base.errors import Code, Problem, invalid_field
from wufeng.base.ids import Prefix
from wufeng.identity import CallerKind, act_of, own_person, register
from wufeng.identity.audit.rules import check_reason
from wufeng.identity.codes.commands import send_code
from wufeng.identity.codes.model import CodePurpose, MessageView, SentCode
from wufeng.identity.codes.queries import list_messages
from wufeng.identity.people.commands import Registration, freeze_person, unfreeze_person
from wufeng.identity.people.model import PersonView
from wufeng.identity.people.queries import show_person
from wufeng.identity.pins.commands import set_pin
from wufeng.identity.pins.model import PinProof, ProofKind
from wufeng.identity.sessions.commands import revoke_session, sign_in, step_up
from wufeng.identity.sessions.model import SessionView
from wufeng.identity.sessions.rules import view_of_opened
from wufeng.identity.vault import Private

Phone = Annotated[str, Meta(min_length=1, max_length=40, examples=["+8613800138000"])]
Secret = Annotated[str, Meta(min_length=1, max_length=64)]


class CreatePerson(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person of the operator's. The same external_id and phone again find the same person (200)."""

    external_id: Annotated[str, Meta(min_length=1, max_length=64)]
    phone: Phone
    name: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    document: Annotated[str, Meta(min_length=1, max_length=64)] | None = None

    def __repr__(self) -> str:
        return "CreatePerson(…)"


class SendCode(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a one-time code goes, and what it may be used for."""

    phone: Phone
    purpose: CodePurpose = CodePurpose.SIGN_IN

    def __repr__(self) -> str:
        return "SendCode(…)"


class CreateSession(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Either phone and code: a new session. Or, inside a live session, the PIN: the session stepped up, its token new.

    device  the person's own name of the device
    """

    phone: Phone | None = None
    code: Secret | None = None
    device: Annotated[str, Meta(max_length=100)] | None = None
    pin: Secret | None = None

    def __repr__(self) -> str:
        return "CreateSession(…)"


class SetPin(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The PIN, and what allows it to be set: the old one, or a one-time code sent for the purpose `pin`."""

    pin: Secret
    old_pin: Secret | None = None
    code: Secret | None = None

    def __repr__(self) -> str:
        return "SetPin(…)"


class Freeze(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why. The operator and its staff must say; a person who has lost a phone need not."""

    reason: Reason | None = None


class Unfreeze(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why."""

    reason: Reason


class MessagesQuery(ListQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of which phone."""

    phone: Phone


class MessageList(Struct, frozen=True, kw_only=True):
    """The last messages to a phone, newest first."""

    data: list[MessageView]
    next: str | None
    has_more: bool


async def create_person(call: Call[CreatePerson, Nothing]) -> Answer:
    """Make a person with a wallet, or find the one that was made so before."""
    body = call.body
    registration = Registration(
        phone=Private(body.phone),
        external_id=Private(body.external_id),
        name=Private(body.name) if body.name is not None else None,
        document=Private(body.document) if body.document is not None else None,
    )
    services = call.services
    return await register(services.lanes, services.vault, call.book, registration, call.at, call.request_id)


async def get_person(call: Call[Nothing, Nothing]) -> Answer:
    """One person, masked."""
    person_id = call.path_id(Prefix.PERSON, "person")
    own_person(call.caller, person_id)
    async with call.services.database.read() as db:
        return reply(await show_person(db, call.services.vault, call.book, person_id))


async def post_code(call: Call[SendCode, Nothing]) -> Answer:
    """Send a one-time code. The answer is the same whether the phone is known or not."""
    body, services = call.body, call.services
    sent = await send_code(
        services.database,
        services.vault,
        services.sms.get(call.book.mode),
        services.ids,
        call.book,
        Private(body.phone),
        body.purpose,
        services.sign_up,
        call.at,
    )
    return reply(sent, 201)


async def create_session(call: Call[CreateSession, Nothing]) -> Answer:
    """Sign in by a one-time code, or step a live session up by the PIN."""
    body = call.body
    if body.pin is not None:
        for name in ("phone", "code", "device"):
            if getattr(body, name) is not None:
                raise invalid_field(f"/{name}", "A step-up takes the PIN alone.")
        return await _step_up(call, Private(body.pin))
    if body.phone is None:
        raise invalid_field("/phone", "Give phone and code to sign in, or pin to step up.")
    if body.code is None:
        raise invalid_field("/code", "Give the code that was sent to this phone.")
    services = call.services
    opened = await sign_in(
        services.lanes,
        services.vault,
        call.book,
        Private(body.phone),
        Private(body.code),
        body.device or "",
        services.sign_up,
        call.at,
    )
    return reply(view_of_opened(opened), 201)


async def _step_up(call: Call[CreateSession, Nothing], pin: Private) -> Answer:
    """The call is public for those who sign in, so here the credential is read by the route itself."""
    services = call.services
    caller = await services.authenticator.authenticate(call.authorization)
    if caller.kind is not CallerKind.PERSON or caller.session_id is None:
        raise Problem(Code.FORBIDDEN, "Only a person's session can be stepped up.")
    opened = await step_up(
        services.database,
        services.vault,
        services.ids,
        caller.book,
        caller.session_id,
        caller.id,
        pin,
        caller.book.at(services.clock),
    )
    return reply(view_of_opened(opened), 201)


async def delete_session(call: Call[Nothing, Nothing]) -> Answer:
    """Sign one of the caller's devices out, this one or another."""
    session_id = call.path_id(Prefix.SESSION, "session")
    ended = await revoke_session(call.services.database, call.book, session_id, call.caller.id, call.at)
    return reply(ended)


async def post_pin(call: Call[SetPin, Nothing]) -> Answer:
    """Set or change the caller's PIN; their other sessions end."""
    person_id, body, services = call.path_id(Prefix.PERSON, "person"), call.body, call.services
    own_person(call.caller, person_id)
    await set_pin(
        services.database,
        services.vault,
        call.book,
        person_id,
        Private(body.pin),
        _pin_proof(body),
        call.at,
        keep_session=call.caller.session_id,
    )
    return await _shown(call, person_id)


def _pin_proof(body: SetPin) -> PinProof:
    if body.old_pin is not None and body.code is None:
        return PinProof(ProofKind.OLD_PIN, Private(body.old_pin))
    if body.code is not None and body.old_pin is None:
        return PinProof(ProofKind.CODE, Private(body.code))
    raise invalid_field("/code", "Give either old_pin or a one-time code sent for the purpose pin.")


async def post_freeze(call: Call[Freeze, Nothing]) -> Answer:
    """Stop everything of a person: no payment, and every session ends, the caller's own too."""
    person_id, reason = call.path_id(Prefix.PERSON, "person"), call.body.reason
    own_person(call.caller, person_id)
    if reason is not None or call.caller.kind is not CallerKind.PERSON:
        reason = check_reason(reason or "")
    act = act_of(
        call.caller, "freeze_person", Prefix.PERSON, person_id, call.at, call.request_id, reason or ""
    )
    await freeze_person(call.services.database, call.book, call.services.ids, person_id, act)
    return await _shown(call, person_id)


async def post_unfreeze(call: Call[Unfreeze, Nothing]) -> Answer:
    """Let a frozen person act again; they sign in anew."""
    person_id = call.path_id(Prefix.PERSON, "person")
    own_person(call.caller, person_id)
    reason = check_reason(call.body.reason)
    act = act_of(call.caller, "unfreeze_person", Prefix.PERSON, person_id, call.at, call.request_id, reason)
    await unfreeze_person(call.services.database, call.book, call.services.ids, person_id, act)
    return await _shown(call, person_id)


async def get_messages(call: Call[Nothing, MessagesQuery]) -> Answer:
    """What a test book would have sent to a phone."""
    query, services = call.query, call.services
    before = starting_after(query, Prefix.MESSAGE, "message")
    async with services.database.read() as db:
        found = await list_messages(
            db, services.vault, call.book, Private(query.phone), before, query.limit + 1
        )
    return reply_list(found, query.limit)


async def _shown(call: Call[Any, Any], person_id: UUID) -> Answer:
    async with call.services.database.read() as db:
        return reply(await show_person(db, call.services.vault, call.book, person_id))


ROUTES = (
    Route(
        method="POST",
        path="/v1/people",
        operation="create_person",
        summary="Make a person, or find them again",
        handle=create_person,
        body=CreatePerson,
        answers={201: PersonView, 200: PersonView},
    ),
    Route(
        method="GET",
        path="/v1/people/{id}",
        operation="get_person",
        summary="One person",
        handle=get_person,
        answers={200: PersonView},
    ),
    Route(
        method="POST",
        path="/v1/people/{id}/pin",
        operation="set_pin",
        summary="Set or change the payment PIN",
        handle=post_pin,
        body=SetPin,
        answers={200: PersonView},
    ),
    Route(
        method="POST",
        path="/v1/people/{id}/freeze",
        operation="freeze_person",
        summary="Stop everything of a person",
        handle=post_freeze,
        body=Freeze,
        answers={200: PersonView},
    ),
    Route(
        method="POST",
        path="/v1/people/{id}/unfreeze",
        operation="unfreeze_person",
        summary="Let a frozen person act again",
        handle=post_unfreeze,
        body=Unfreeze,
        answers={200: PersonView},
    ),
    Route(
        method="POST",
        path="/v1/sessions/codes",
        operation="send_code",
        summary="Send a one-time code",
        handle=post_code,
        body=SendCode,
        answers={201: SentCode},
    ),
    Route(
        method="POST",
        path="/v1/sessions",
        operation="create_session",
        summary="Sign in by a code, or step up by the PIN",
        handle=create_session,
        body=CreateSession,
        answers={201: SessionView},
    ),
    Route(
        method="DELETE",
        path="/v1/sessions/{id}",
        operation="delete_session",
        summary="Sign a device out",
        handle=delete_session,
        answers={200: SessionView},
    ),
    Route(
        method="GET",
        path="/v1/messages",
        operation="list_messages",
        summary="What a test book would have sent to a phone",
        handle=get_messages,
        query=MessagesQuery,
        answers={200: MessageList},
    ),
)
