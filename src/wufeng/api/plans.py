"""Plans: what a bill could be split into, the split with its person's yes, and how each instalment came about."""

from typing import Annotated

from msgspec import Meta, Struct

from wufeng import credit
from wufeng.api.bodies import AmountMinor, ConfirmationBody
from wufeng.api.confirming import prove
from wufeng.api.reading import reading
from wufeng.api.routing import Call, Nothing, Route, reply
from wufeng.base.claims import Answer
from wufeng.base.ids import Prefix, decode
from wufeng.credit import queries
from wufeng.credit.bill_plans.model import BillPlanOptions
from wufeng.credit.bill_plans.queries import bill_plan_options
from wufeng.credit.documents.queries import ExplanationView, show_explained_plan
from wufeng.credit.views import PlanView
from wufeng.identity import own_person


class OptionsQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much of the bill's principal; left out: as much as may be."""

    amount_minor: AmountMinor | None = None


class CreatePlan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Put a part of a bill into instalments, at the price that an option named."""

    bill: Annotated[str, Meta(pattern="^bil_[0-7][0-9a-hjkmnp-tv-z]{25}$")]
    amount_minor: AmountMinor
    quote_option: Annotated[str, Meta(pattern="^opt_[0-9a-f]{32}$")]
    confirmation: ConfirmationBody


async def list_bill_plans(call: Call[Nothing, OptionsQuery]) -> Answer:
    """What a bill could be split into today."""
    async with call.services.database.read() as db:
        read = reading(call, db)
        bill, line = await queries.load_bill(read, call.path_id(Prefix.BILL, "bill"))
        own_person(call.caller, line.person_id, "bill")
        return reply(await bill_plan_options(read, bill, line, call.query.amount_minor))


async def create_plan(call: Call[CreatePlan, Nothing]) -> Answer:
    """Split a bill: less is due now, the rest comes in instalments. It cannot be taken back."""
    bill_id = decode(Prefix.BILL, call.body.bill)
    async with call.services.database.read() as db:
        _, line = await queries.load_bill(reading(call, db), bill_id)
        own_person(call.caller, line.person_id, "bill")
    person_id = line.person_id
    stored, _ = await prove(call, person_id, call.body.confirmation)
    if stored is not None:
        return stored
    command = credit.SplitBill(
        at=call.at,
        people=(person_id,),
        claim=call.claim,
        request_id=call.request_id,
        person_id=person_id,
        bill_id=bill_id,
        amount_minor=call.body.amount_minor,
        quote_option=call.body.quote_option,
    )
    return await call.services.lanes.submit(call.book.bucket_of(bill_id), command)


async def explain_plan(call: Call[Nothing, Nothing]) -> Answer:
    """How each instalment of a plan came about."""
    async with call.services.database.read() as db:
        read = reading(call, db)
        draw, line = await queries.load_draw(read, call.path_id(Prefix.PLAN, "plan"), "plan")
        own_person(call.caller, line.person_id, "plan")
        return reply(await show_explained_plan(read, draw, line))


ROUTES = (
    Route(
        method="GET",
        path="/v1/bills/{id}/plans",
        operation="list_bill_plans",
        summary="What a bill could be split into",
        handle=list_bill_plans,
        query=OptionsQuery,
        answers={200: BillPlanOptions},
    ),
    Route(
        method="POST",
        path="/v1/plans",
        operation="create_plan",
        summary="Put a bill into instalments",
        handle=create_plan,
        body=CreatePlan,
        answers={201: PlanView},
        keyed=True,
    ),
    Route(
        method="GET",
        path="/v1/plans/{id}/explain",
        operation="explain_plan",
        summary="How each instalment of a plan came about",
        handle=explain_plan,
        answers={200: ExplanationView},
    ),
)
