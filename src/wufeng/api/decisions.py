"""Decisions: how a payment was decided. Staff see all of it, a person their own part."""

from wufeng.api.routing import Call, Nothing, Route, reply
from wufeng.base.claims import Answer
from wufeng.base.errors import not_found
from wufeng.base.ids import Prefix
from wufeng.identity import CallerKind, own_person
from wufeng.risk import DecisionView, load_decision, view_for_person, view_for_staff


async def get_decision(call: Call[Nothing, Nothing]) -> Answer:
    """One decision with its reasons; for staff also features, rules and versions."""
    decision_id = call.path_id(Prefix.DECISION, "decision")
    async with call.services.database.read() as db:
        decision = await load_decision(db, call.book.bucket_of(decision_id), decision_id)
    if decision is None:
        raise not_found("decision")
    own_person(call.caller, decision.payer_id, "decision")
    view = view_for_staff if call.caller.kind is CallerKind.STAFF else view_for_person
    return reply(view(decision, call.language))


ROUTES = (
    Route(
        method="GET",
        path="/v1/decisions/{id}",
        operation="get_decision",
        summary="How a payment was decided",
        handle=get_decision,
        answers={200: DecisionView},
    ),
)
