"""A merchant's settlements: what each business date came to, and its payout."""

from datetime import date

from msgspec import Struct

from wufeng.api.bodies import ListQuery, starting_after
from wufeng.api.routing import Call, Nothing, Route, reply, reply_list
from wufeng.base.claims import Answer
from wufeng.base.errors import Code, Problem, invalid_field
from wufeng.base.ids import Prefix
from wufeng.identity import own_merchant
from wufeng.payments.settlements import (
    SettlementView,
    csv_of,
    get_settlement,
    list_settlements,
    view_of,
)

CSV = "text/csv"


class SettlementsQuery(ListQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of which business dates, both ends included; without them all."""

    from_on: date | None = None
    to_on: date | None = None


class SettlementList(Struct, frozen=True, kw_only=True):
    """A page of settlements."""

    data: list[SettlementView]
    next: str | None
    has_more: bool


async def get_settlements(call: Call[Nothing, SettlementsQuery]) -> Answer:
    """The merchant's settlements, the newest date first."""
    query, merchant_id = call.query, call.caller.merchant_id
    assert merchant_id is not None, "only merchants list settlements"
    before = await _date_of_last(call)
    async with call.services.database.read() as db:
        found = await list_settlements(
            db, call.book, merchant_id, query.from_on, query.to_on, before, query.limit + 1
        )
    if call.format == CSV:
        return Answer(200, csv_of(found[: query.limit]).encode())
    return reply_list(found, query.limit)


async def show_settlement(call: Call[Nothing, Nothing]) -> Answer:
    """One settlement."""
    settlement_id = call.path_id(Prefix.SETTLEMENT, "settlement")
    async with call.services.database.read() as db:
        settlement = await get_settlement(db, call.book, settlement_id)
    own_merchant(call.caller, settlement.merchant_id, "settlement")
    view = view_of(settlement)
    return Answer(200, csv_of([view]).encode()) if call.format == CSV else reply(view)


async def _date_of_last(call: Call[Nothing, SettlementsQuery]) -> date | None:
    """The business date of the settlement that the page comes after."""
    last_id = starting_after(call.query, Prefix.SETTLEMENT, "settlement of this list")
    if last_id is None:
        return None
    try:
        async with call.services.database.read() as db:
            last = await get_settlement(db, call.book, last_id)
        own_merchant(call.caller, last.merchant_id, "settlement")
    except Problem as problem:
        if problem.code is not Code.NOT_FOUND:
            raise
        raise invalid_field("starting_after", "It names no settlement of this list.") from None
    return last.business_on


ROUTES = (
    Route(
        method="GET",
        path="/v1/settlements",
        operation="list_settlements",
        summary="Settlements of the caller, newest first",
        handle=get_settlements,
        query=SettlementsQuery,
        answers={200: SettlementList},
        formats=(CSV,),
    ),
    Route(
        method="GET",
        path="/v1/settlements/{id}",
        operation="get_settlement",
        summary="One settlement",
        handle=show_settlement,
        answers={200: SettlementView},
        formats=(CSV,),
    ),
)
