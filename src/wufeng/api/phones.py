"""The phone of a person: changed for another number, or lost, so that everything stops."""

from typing import Annotated

from msgspec import Meta, Struct

from wufeng.api.bodies import Reason
from wufeng.api.routing import Call, Nothing, Route, reply
from wufeng.api.timing import evenly
from wufeng.base.claims import Answer
from wufeng.base.errors import invalid_field
from wufeng.base.ids import Prefix
from wufeng.identity import CallerKind, act_of, own_person
from wufeng.identity.audit.rules import check_reason
from wufeng.identity.codes.commands import send_code_to_new_phone
from wufeng.identity.codes.model import SentCode
from wufeng.identity.people.losing import Loss, freeze_by_phone
from wufeng.identity.people.model import PersonView
from wufeng.identity.people.phones import PhoneChange, PhoneProof, change_phone
from wufeng.identity.people.queries import get_person, show_person
from wufeng.identity.sessions.model import AuthLevel
from wufeng.identity.vault import Private

Phone = Annotated[str, Meta(min_length=1, max_length=40, examples=["+8613800138000"])]
Secret = Annotated[str, Meta(min_length=1, max_length=64)]


class SendPhoneCode(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The number to change to."""

    phone: Phone

    def __repr__(self) -> str:
        return "SendPhoneCode(…)"


class ChangePhone(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The number to change to with the code that it received, and one proof: a code that the old number received, or
    the PIN; neither in a session that was stepped up a moment ago. Staff show the document that they have seen.
    """

    phone: Phone
    code: Secret
    old_code: Secret | None = None
    pin: Secret | None = None
    document: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    reason: Reason | None = None

    def __repr__(self) -> str:
        return "ChangePhone(…)"


class FreezeByPhone(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The number of a lost phone, a code that it received for the purpose `freeze`, and the PIN or the document."""

    phone: Phone
    code: Secret
    pin: Secret | None = None
    document: Annotated[str, Meta(min_length=1, max_length=64)] | None = None

    def __repr__(self) -> str:
        return "FreezeByPhone(…)"


class Stopped(Struct, frozen=True, kw_only=True):
    """Everything of the person with that number has stopped."""

    object: str = "freeze"
    status: str = "frozen"


async def post_phone_code(call: Call[SendPhoneCode, Nothing]) -> Answer:
    """Send a code to the number that a person wants to change to, whoever's it is now."""
    person_id, services = call.path_id(Prefix.PERSON, "person"), call.services
    own_person(call.caller, person_id)
    async with services.database.read() as db:
        await get_person(db, services.vault, call.book, person_id)  # not_found
    sent = await send_code_to_new_phone(
        services.database,
        services.vault,
        services.sms.get(call.book.mode),
        services.ids,
        call.book,
        Private(call.body.phone),
        call.at,
        call.place,
        call.language,
    )
    return reply(sent, 201)


async def post_phone(call: Call[ChangePhone, Nothing]) -> Answer:
    """Change a person's number. The old one is told; the person's other sessions end."""
    person_id, services = call.path_id(Prefix.PERSON, "person"), call.services
    own_person(call.caller, person_id)
    reason = check_reason(call.body.reason or "") if call.caller.kind is CallerKind.STAFF else ""
    act = act_of(call.caller, "change_phone", Prefix.PERSON, person_id, call.at, call.request_id, reason)
    await change_phone(
        services.database,
        services.vault,
        services.sms.get(call.book.mode),
        services.ids,
        call.book,
        person_id,
        _change(call),
        act,
        call.place,
    )
    async with services.database.read() as db:
        return reply(await show_person(db, services.vault, call.book, person_id))


async def post_freeze_by_phone(call: Call[FreezeByPhone, Nothing]) -> Answer:
    """Stop everything of the person whose number it is, without a session: the phone is lost."""
    body, services = call.body, call.services
    if (body.pin is None) == (body.document is None):
        raise invalid_field("/pin", "Give either the PIN or the number of the document.")
    await freeze_by_phone(
        services.database,
        services.vault,
        services.sms.get(call.book.mode),
        services.ids,
        call.book,
        Loss(
            Private(body.phone),
            Private(body.code),
            Private(body.pin) if body.pin is not None else None,
            Private(body.document) if body.document is not None else None,
        ),
        call.at,
        call.place,
        call.request_id,
    )
    return reply(Stopped())


def _change(call: Call[ChangePhone, Nothing]) -> PhoneChange:
    body, caller = call.body, call.caller
    kinds = {PhoneProof.OLD_CODE: body.old_code, PhoneProof.PIN: body.pin, PhoneProof.DOCUMENT: body.document}
    shown = [(how, proof) for how, proof in kinds.items() if proof is not None]
    by_staff = caller.kind is CallerKind.STAFF
    stepped_up = caller.auth_level is not None and caller.auth_level.rank >= AuthLevel.PIN.rank
    if not shown and stepped_up:
        shown = [(PhoneProof.SESSION, "")]
    if len(shown) != 1 or (shown[0][0] is PhoneProof.DOCUMENT) is not by_staff:
        wanted = "document, which staff have seen" if by_staff else "old_code, pin, or a session stepped up"
        raise invalid_field("/old_code", f"Give one proof: {wanted}.")
    how, proof = shown[0]
    return PhoneChange(
        phone=Private(body.phone),
        code=Private(body.code),
        how=how,
        proof=Private(proof),
        device_id=caller.device_id,
        keep_session=None if by_staff else caller.session_id,
    )


ROUTES = (
    Route(
        method="POST",
        path="/v1/people/{id}/phone_codes",
        operation="send_phone_code",
        summary="Send a code to the number that a person wants to change to",
        handle=post_phone_code,
        body=SendPhoneCode,
        answers={201: SentCode},
    ),
    Route(
        method="POST",
        path="/v1/people/{id}/phone",
        operation="change_phone",
        summary="Change a person's phone number",
        handle=post_phone,
        body=ChangePhone,
        answers={200: PersonView},
    ),
    Route(
        method="POST",
        path="/v1/people/freeze",
        operation="freeze_by_phone",
        summary="Stop everything of the person with a lost phone",
        handle=evenly(post_freeze_by_phone),
        body=FreezeByPhone,
        answers={200: Stopped},
    ),
)
