"""Who a person is: their document checked outside, or face to face by staff; and the tier that it gives."""

from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct

from wufeng.api.bodies import ListQuery, Reason, starting_after
from wufeng.api.routing import Call, Nothing, Route, reply, reply_list
from wufeng.base.claims import Answer
from wufeng.base.errors import invalid_field
from wufeng.base.ids import Prefix
from wufeng.identity import CallerKind, Tier, act_of, own_person
from wufeng.identity.audit.rules import check_reason
from wufeng.identity.documents.commands import Registry, verify_face_to_face, verify_outside
from wufeng.identity.documents.model import (
    Claimed,
    DocumentKind,
    Verification,
    VerificationStatus,
    VerificationView,
)
from wufeng.identity.documents.queries import list_verifications
from wufeng.identity.documents.rules import check_claim, view_of
from wufeng.identity.people.queries import get_person


class CreateVerification(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who somebody is. A person asks for checks outside; staff say that they have seen person and document.

    evidence      a reference of the operator's own, such as a scan's, handed on to whoever checks
    tier, reason  staff alone: the tier to give, and why; without name and document they have seen the one that is kept
    """

    kind: DocumentKind = DocumentKind.RESIDENT_ID
    name: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    document: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    evidence: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    tier: Annotated[int, Meta(ge=2, le=3)] | None = None
    reason: Reason | None = None

    def __repr__(self) -> str:
        return "CreateVerification(…)"


class VerificationList(Struct, frozen=True, kw_only=True):
    """A person's attempts, newest first."""

    data: list[VerificationView]
    next: str | None
    has_more: bool


async def post_verification(call: Call[CreateVerification, Nothing]) -> Answer:
    """Check who a person is: 201 with what came of it, 202 when the outside has not answered yet."""
    person_id = call.path_id(Prefix.PERSON, "person")
    own_person(call.caller, person_id)
    made = await (
        _by_staff(call, person_id)
        if call.caller.kind is CallerKind.STAFF
        else _by_the_person(call, person_id)
    )
    waits = made.status is VerificationStatus.PENDING
    return reply(view_of(made), 202 if waits else 201, made.id)


async def get_verifications(call: Call[Nothing, ListQuery]) -> Answer:
    """A person's attempts, and what came of them."""
    person_id = call.path_id(Prefix.PERSON, "person")
    own_person(call.caller, person_id)
    before = starting_after(call.query, Prefix.VERIFICATION, "verification")
    async with call.services.database.read() as db:
        await get_person(db, call.services.vault, call.book, person_id)  # not_found
        found = await list_verifications(db, call.book, person_id, before, call.query.limit + 1)
    return reply_list(found, call.query.limit)


async def _by_the_person(call: Call[CreateVerification, Nothing], person_id: UUID) -> Verification:
    for field in ("tier", "reason"):
        if getattr(call.body, field) is not None:
            raise invalid_field(f"/{field}", "Staff alone say it, when they have seen the person.")
    claimed = _claimed(call)
    if claimed is None:
        raise invalid_field("/document", "Give your name and the number of your document.")
    return await verify_outside(_registry(call), call.book, person_id, claimed, call.at)


async def _by_staff(call: Call[CreateVerification, Nothing], person_id: UUID) -> Verification:
    body = call.body
    if body.tier is None:
        raise invalid_field("/tier", "Say which tier it gives: 2 or 3.")
    reason = check_reason(body.reason or "")
    act = act_of(
        call.caller, "create_verification", Prefix.PERSON, person_id, call.at, call.request_id, reason
    )
    tier = Tier(body.tier)
    return await verify_face_to_face(_registry(call), call.book, person_id, _claimed(call), tier, act)


def _claimed(call: Call[CreateVerification, Nothing]) -> Claimed | None:
    body = call.body
    if body.name is None and body.document is None:
        return None
    if body.name is None:
        raise invalid_field("/name", "A document is somebody's: give the name that stands on it.")
    if body.document is None:
        raise invalid_field("/document", "Give the number of the document.")
    on = call.book.business_date(call.at)
    return check_claim(body.kind, body.name, body.document, body.evidence, on)


def _registry(call: Call[Any, Any]) -> Registry:
    services = call.services
    verifier = services.verifiers.get(call.book.mode)
    return Registry(services.database, services.vault, services.ids, verifier)


ROUTES = (
    Route(
        method="POST",
        path="/v1/people/{id}/verifications",
        operation="create_verification",
        summary="Check who a person is",
        handle=post_verification,
        body=CreateVerification,
        answers={201: VerificationView, 202: VerificationView},
    ),
    Route(
        method="GET",
        path="/v1/people/{id}/verifications",
        operation="list_verifications",
        summary="How a person was checked",
        handle=get_verifications,
        query=ListQuery,
        answers={200: VerificationList},
    ),
)
