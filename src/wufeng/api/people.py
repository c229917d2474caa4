"""People and how they prove themselves: codes, PIN, freeze; what test books would have sent."""

from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct

from wufeng.api.bodies import ListQuery, Reason, starting_after
from wufeng.api.erasing import refuse_unfinished
from wufeng.api.routing import Call, Nothing, Route, reply, reply_list
from wufeng.api.timing import evenly
from wufeng.base.claims import Answer
from wufeng.base.errors import invalid_field
from wufeng.base.ids import Prefix
from wufeng.identity import CallerKind, act_of, own_person, register
from wufeng.identity.audit.rules import check_reason
from wufeng.identity.codes.commands import send_code
from wufeng.identity.codes.model import CodePurpose, MessageView, SentCode
from wufeng.identity.codes.queries import list_messages
from wufeng.identity.people.commands import Registration, erase_person, freeze_person, unfreeze_person
from wufeng.identity.people.model import PersonView
from wufeng.identity.people.queries import person_of_external_id, show_person
from wufeng.identity.pins.commands import set_pin
from wufeng.identity.pins.model import PinProof, ProofKind
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


class Erase(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why. It must be said."""

    reason: Annotated[str, Meta(max_length=500)] = ""


class PeopleQuery(ListQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who: by the operator's own name of them."""

    external_id: Annotated[str, Meta(min_length=1, max_length=64)]


class PersonList(Struct, frozen=True, kw_only=True):
    """The person of that name, or nobody."""

    data: list[PersonView]
    next: str | None
    has_more: bool


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


async def list_people(call: Call[Nothing, PeopleQuery]) -> Answer:
    """The person whom the operator calls so: a list of one, or of nobody."""
    services, external_id = call.services, Private(call.query.external_id)
    async with services.database.read() as db:
        person_id = await person_of_external_id(db, services.vault, call.book, external_id)
        found = [] if person_id is None else [await show_person(db, services.vault, call.book, person_id)]
    return reply_list(found, call.query.limit)


async def delete_person(call: Call[Nothing, Erase]) -> Answer:
    """Erase a frozen person who owes and owns nothing: their key and all that is known of them is destroyed."""
    person_id, services = call.path_id(Prefix.PERSON, "person"), call.services
    own_person(call.caller, person_id)
    await refuse_unfinished(call, person_id)
    reason = check_reason(call.query.reason, "reason")
    act = act_of(call.caller, "erase_person", Prefix.PERSON, person_id, call.at, call.request_id, reason)
    await erase_person(services.database, services.vault, call.book, services.ids, person_id, act)
    return await _shown(call, person_id)


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
        call.place,
        call.language,
    )
    return reply(sent, 201)


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
        place=call.place,
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
        path="/v1/people",
        operation="list_people",
        summary="The person of an external_id",
        handle=list_people,
        query=PeopleQuery,
        answers={200: PersonList},
    ),
    Route(
        method="DELETE",
        path="/v1/people/{id}",
        operation="erase_person",
        summary="Erase a person",
        handle=delete_person,
        query=Erase,
        answers={200: PersonView},
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
        handle=evenly(post_code),
        body=SendCode,
        answers={201: SentCode},
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
