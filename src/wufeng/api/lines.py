"""Credit: lines, their draws and plans, repayments. Bills: bills.py."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, TypeVar
from uuid import UUID

from msgspec import Meta, Struct

from wufeng import credit
from wufeng.api.bodies import AmountMinor, LimitMinor, LineId, ListQuery, PersonId, Reason, starting_after
from wufeng.api.reading import reading
from wufeng.api.routing import Call, Nothing, Route, reply, reply_list
from wufeng.base.claims import Answer
from wufeng.base.database import Connection
from wufeng.base.errors import Code, Problem, invalid_field, not_found
from wufeng.base.ids import Prefix, decode, slot_of
from wufeng.credit import queries
from wufeng.credit.lines.model import Actor, Line
from wufeng.credit.lines.views import CreditCapView, LineChangeView, view_change
from wufeng.credit.views import DrawView, LineView, PlanView, RepaymentView
from wufeng.identity import Act, CallerKind, act_of, own_person
from wufeng.identity.people.queries import standing_of_person, wallets_of_people

Day = Annotated[int, Meta(ge=1, le=31, description="a day of the month")]
Source = Annotated[
    str,
    Meta(
        pattern="^((wal|bka)_[0-7][0-9a-hjkmnp-tv-z]{25}|external)$",
        description="a wallet, a bank account, or `external`: money that reached the operator another way",
        examples=["wal_01h455vb4pex5vsknk084sn02q"],
    ),
]
OwnSource = Annotated[
    str,
    Meta(
        pattern="^(wal|bka)_[0-7][0-9a-hjkmnp-tv-z]{25}$",
        description="a wallet or a bank account",
        examples=["bka_01h455vb4pex5vsknk084sn02q"],
    ),
]
PlanId = Annotated[str, Meta(pattern="^pln_[0-7][0-9a-hjkmnp-tv-z]{25}$")]

C = TypeVar("C", bound=credit.LineCommand)


class Whole(StrEnum):
    """What to repay where no amount is named: everything, what is on bills, or the least that keeps in order."""

    ALL = "all"
    BILLED = "billed"
    MINIMUM = "minimum"


class OpenLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line for a person; its reason is kept. Without a mode it is opened in the product's first."""

    person: PersonId
    product: Annotated[str, Meta(min_length=1, max_length=64, examples=["monthly_bill"])]
    mode: credit.Mode | None = None
    limit_minor: LimitMinor
    reason: Reason


class SetLimit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The new limit. A person only lowers it.

    until  the last date of a raise for a time, beside the permanent limit; a person lowers or shortens one that runs,
           or declines it by setting the permanent limit as it is
    """

    limit_minor: LimitMinor
    until: date | None = None
    reason: Reason | None = None


class Freeze(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why; staff must say it. until: the date on which the freeze ends by itself."""

    until: date | None = None
    reason: Reason | None = None


class SetCreditCap(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all lines of the person together may come to; null: no cap any more."""

    cap_minor: LimitMinor | None
    reason: Reason


class WithReason(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why; staff must say it."""

    reason: Reason | None = None


class SetDueDay(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another due day, of those that the product allows."""

    due_day: Day
    reason: Reason | None = None


class SetAutoDebit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where due bills are debited from, in this order; an empty list ends it."""

    sources: Annotated[tuple[OwnSource, ...], Meta(max_length=5)]
    reason: Reason | None = None


class CreateRepayment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A repayment: an amount, or `all`, `billed`, `minimum`. A plan is paid whole, as it stands.

    source    left out by a person: their wallet
    value_on  an earlier date it counts from; for the operator only
    reason    what staff book it for; kept in the audit
    """

    line: LineId
    amount_minor: AmountMinor | Whole | None = None
    plan: PlanId | None = None
    source: Source | None = None
    value_on: date | None = None
    reason: Reason | None = None


class Reverse(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why the money was taken back."""

    reason: Reason


class LinesQuery(ListQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whose lines; a person's own need no word."""

    person: PersonId | None = None


class LineList(Struct, frozen=True, kw_only=True):
    """A page of lines, the oldest first."""

    data: list[LineView]
    next: str | None
    has_more: bool


class LineChangeList(Struct, frozen=True, kw_only=True):
    """A page of what was done to a line, the newest first."""

    data: list[LineChangeView]
    next: str | None
    has_more: bool


class DrawList(Struct, frozen=True, kw_only=True):
    """A page of draws, the newest first."""

    data: list[DrawView]
    next: str | None
    has_more: bool


async def open_line(call: Call[OpenLine, Nothing]) -> Answer:
    """Open a line for a person."""
    person_id = decode(Prefix.PERSON, call.body.person)
    command = credit.OpenLine(
        at=call.at,
        people=(person_id,),
        claim=call.claim,
        request_id=call.request_id,
        person_id=person_id,
        product=call.body.product,
        mode=call.body.mode,
        limit_minor=call.body.limit_minor,
        staff_id=call.caller.id,
        reason=call.body.reason,
        act=_act(call, Prefix.PERSON, person_id, call.body.reason),
        language=call.language,
    )
    return await call.services.lanes.submit(call.book.bucket_of(person_id), command)


async def list_lines(call: Call[Nothing, LinesQuery]) -> Answer:
    """The lines of a person."""
    person_id = decode(Prefix.PERSON, call.query.person) if call.query.person else call.caller.person_id
    if person_id is None:
        raise invalid_field("person", "Say whose lines.")
    own_person(call.caller, person_id, "person")
    after, limit = starting_after(call.query, Prefix.LINE, "line"), call.query.limit
    async with call.services.database.read() as db:
        views = await queries.list_lines(reading(call, db), person_id, after, limit + 1)
    return reply_list(views, limit)


async def get_line(call: Call[Nothing, Nothing]) -> Answer:
    """One line as it stands today."""
    async with call.services.database.read() as db:
        line = await _line(call, db)
        return reply(await queries.show_line(reading(call, db), line.id))


async def set_line_limit(call: Call[SetLimit, Nothing]) -> Answer:
    """Set a line's limit, for good or until a date: a person lowers it, staff keep to the product's range."""
    body = call.body
    return await _change(
        call, credit.SetLimit, body.reason, limit_minor=body.limit_minor, until_on=body.until
    )


async def freeze_line(call: Call[Freeze, Nothing]) -> Answer:
    """Stop draws on a line, until somebody unfreezes it or until a date; repayments go on."""
    return await _change(call, credit.Freeze, call.body.reason, until_on=call.body.until)


async def unfreeze_line(call: Call[WithReason, Nothing]) -> Answer:
    """Let a frozen line be drawn on again."""
    return await _change(call, credit.Unfreeze, call.body.reason)


async def set_due_day(call: Call[SetDueDay, Nothing]) -> Answer:
    """Move the due day, from the next bill on."""
    return await _change(call, credit.SetDueDay, call.body.reason, due_day=call.body.due_day)


async def set_auto_debit(call: Call[SetAutoDebit, Nothing]) -> Answer:
    """Have bills debited when they are due; a person chooses only from their own."""
    return await _change(call, credit.SetAutoDebit, call.body.reason, sources=call.body.sources)


async def close_line(call: Call[WithReason, Nothing]) -> Answer:
    """Close a line, at once or as soon as nothing is owed; what stands in the person's favour goes to the wallet."""
    return await _change(call, credit.CloseLine, call.body.reason)


async def list_line_changes(call: Call[Nothing, ListQuery]) -> Answer:
    """What was done to a line, by whom and why. Who of the staff it was, staff alone see."""
    after, limit = starting_after(call.query, Prefix.LINE_CHANGE, "line change"), call.query.limit
    to_staff = call.caller.kind is CallerKind.STAFF
    async with call.services.database.read() as db:
        line = await _line(call, db)
        found = await queries.list_changes(reading(call, db), line, after, limit + 1)
    return reply_list([view_change(change, to_staff=to_staff) for change in found], limit)


async def get_credit_cap(call: Call[Nothing, Nothing]) -> Answer:
    """What all lines of a person together may come to, and come to."""
    person_id = call.path_id(Prefix.PERSON, "person")
    own_person(call.caller, person_id, "person")
    async with call.services.database.read() as db:
        if await standing_of_person(db, call.book, person_id) is None:
            raise not_found("person")
        return reply(await queries.show_cap(reading(call, db), person_id))


async def set_credit_cap(call: Call[SetCreditCap, Nothing]) -> Answer:
    """Cap what all lines of a person together may come to. Below what they have taken it stops draws, nothing else."""
    person_id = call.path_id(Prefix.PERSON, "person")
    command = credit.SetCap(
        at=call.at,
        people=(person_id,),
        claim=call.claim,
        request_id=call.request_id,
        person_id=person_id,
        cap_minor=call.body.cap_minor,
        actor=Actor.STAFF,
        actor_id=call.caller.id,
        reason=call.body.reason,
        act=_act(call, Prefix.PERSON, person_id, call.body.reason),
    )
    return await call.services.lanes.submit(call.book.bucket_of(person_id), command)


async def list_draws(call: Call[Nothing, ListQuery]) -> Answer:
    """The draws of a line."""
    after, limit = starting_after(call.query, Prefix.DRAW, "draw"), call.query.limit
    async with call.services.database.read() as db:
        line = await _line(call, db)
        views = await queries.list_draws(reading(call, db), line, after, limit + 1)
    return reply_list(views, limit)


async def get_plan(call: Call[Nothing, Nothing]) -> Answer:
    """The instalments of a draw."""
    draw_id = call.path_id(Prefix.PLAN, "plan")
    async with call.services.database.read() as db:
        read = reading(call, db)
        draw, line = await queries.load_draw(read, draw_id, "plan")
        own_person(call.caller, line.person_id, "plan")
        return reply(await queries.show_plan(read, draw, line))


async def create_repayment(call: Call[CreateRepayment, Nothing]) -> Answer:
    """Repay a line: from the wallet at once, from a bank account once the bank has answered (202)."""
    body = call.body
    async with call.services.database.read() as db:
        line = await _named_line(call, db, decode(Prefix.LINE, body.line))
        source = await _source(call, db, line)
    if body.plan is not None and body.amount_minor in (Whole.BILLED, Whole.MINIMUM):
        raise invalid_field("/amount_minor", 'A plan is paid whole: say "all", what it comes to, or nothing.')
    if body.amount_minor is None and body.plan is None:
        raise invalid_field("/amount_minor", 'Give an amount, "all", "billed" or "minimum", or a plan.')
    if body.value_on is not None and call.caller.kind is CallerKind.PERSON:
        raise invalid_field("/value_on", "Only the operator dates a repayment back.")
    by_staff = call.caller.kind is CallerKind.STAFF
    if body.reason is not None and not by_staff:
        raise invalid_field("/reason", "Only staff say why they book a repayment.")
    command = credit.Repay(
        at=call.at,
        people=(line.person_id,),
        claim=call.claim,
        request_id=call.request_id,
        repayment_id=call.services.ids.new(call.at, slot_of(line.id)),
        line_id=line.id,
        source=source,
        amount_minor=body.amount_minor if isinstance(body.amount_minor, int) else None,
        target=_target(body),
        plan=decode(Prefix.PLAN, body.plan) if body.plan is not None else None,
        value_on=body.value_on,
        act=_act(call, Prefix.LINE, line.id, body.reason or "") if by_staff else None,
    )
    return await call.services.lanes.submit(call.book.bucket_of(line.id), command)


async def get_repayment(call: Call[Nothing, Nothing]) -> Answer:
    """One repayment and what it paid."""
    repayment_id = call.path_id(Prefix.REPAYMENT, "repayment")
    async with call.services.database.read() as db:
        read = reading(call, db)
        repayment = await queries.load_repayment(read, repayment_id)
        own_person(call.caller, repayment.person_id, "repayment")
        return reply(await queries.show_repayment(read, repayment))


async def reverse_repayment(call: Call[Reverse, Nothing]) -> Answer:
    """Take a repayment back: the debt stands as if it had never been."""
    repayment_id = call.path_id(Prefix.REPAYMENT, "repayment")
    async with call.services.database.read() as db:
        repayment = await queries.load_repayment(reading(call, db), repayment_id)
    command = credit.ReverseRepayment(
        at=call.at,
        people=(repayment.person_id,),
        claim=call.claim,
        request_id=call.request_id,
        repayment_id=repayment_id,
        reason=call.body.reason,
        act=_act(call, Prefix.REPAYMENT, repayment_id, call.body.reason),
    )
    return await call.services.lanes.submit(call.book.bucket_of(repayment_id), command)


async def _change(call: Call[Any, Any], kind: type[C], reason: str | None, **more: Any) -> Answer:
    async with call.services.database.read() as db:
        line = await _line(call, db)
    is_person = call.caller.kind is CallerKind.PERSON
    if reason is None and not is_person:
        raise invalid_field("/reason", "Say why: it is kept with the line.")
    command = kind(
        at=call.at,
        people=(line.person_id,),
        claim=call.claim,
        request_id=call.request_id,
        line_id=line.id,
        actor=Actor.PERSON if is_person else Actor.STAFF,
        actor_id=call.caller.id,
        reason=reason or "asked for by the person",
        act=None if is_person else _act(call, Prefix.LINE, line.id, reason or ""),
        language=call.language,
        **more,
    )
    return await call.services.lanes.submit(call.book.bucket_of(line.id), command)


def _act(call: Call[Any, Any], prefix: Prefix, of: UUID, reason: str) -> Act:
    """The caller's deed, for the audit: kept in the transaction that does it."""
    return act_of(call.caller, call.operation, prefix, of, call.at, call.request_id, reason)


async def _line(call: Call[Any, Any], db: Connection) -> Line:
    return await _own_line(call, db, call.path_id(Prefix.LINE, "line"))


async def _own_line(call: Call[Any, Any], db: Connection, line_id: UUID) -> Line:
    line = await queries.load_line(reading(call, db), line_id)
    own_person(call.caller, line.person_id, "line")
    return line


def _target(body: CreateRepayment) -> credit.Target | None:
    if body.plan is not None or not isinstance(body.amount_minor, Whole):
        return None
    return credit.Target(body.amount_minor)


async def _named_line(call: Call[Any, Any], db: Connection, line_id: UUID) -> Line:
    """A line that a body names. Another's is an unacceptable field, like an absent one."""
    try:
        return await _own_line(call, db, line_id)
    except Problem as problem:
        if problem.code is not Code.NOT_FOUND:
            raise
        raise invalid_field("/line", "There is no such line.") from None


async def _source(call: Call[CreateRepayment, Nothing], db: Connection, line: Line) -> credit.Source:
    """Where the money comes from. Money leaves a person by that person's own word only."""
    named, kind = call.body.source, credit.SourceKind
    if call.caller.kind is not CallerKind.PERSON:
        if named != kind.EXTERNAL.value:
            raise invalid_field(
                "/source", 'Only the person takes money from their own; you relay "external".'
            )
        return credit.Source(kind.EXTERNAL, None)
    if named == kind.EXTERNAL.value:
        raise invalid_field("/source", "Only the operator relays money that came another way.")
    if named is None:
        wallets = await wallets_of_people(db, call.book.bucket_of(line.person_id), [line.person_id])
        return credit.Source(kind.WALLET, wallets[line.person_id])
    if named.startswith("wal_"):
        return credit.Source(kind.WALLET, decode(Prefix.WALLET, named))
    return credit.Source(kind.BANK_ACCOUNT, decode(Prefix.BANK_ACCOUNT, named))


ROUTES = (
    Route(
        method="GET",
        path="/v1/lines",
        operation="list_lines",
        summary="Lines of a person",
        handle=list_lines,
        query=LinesQuery,
        answers={200: LineList},
    ),
    Route(
        method="POST",
        path="/v1/lines",
        operation="open_line",
        summary="Open a line",
        handle=open_line,
        body=OpenLine,
        answers={201: LineView},
        keyed=True,
    ),
    Route(
        method="GET",
        path="/v1/lines/{id}",
        operation="get_line",
        summary="One line",
        handle=get_line,
        answers={200: LineView},
    ),
    Route(
        method="POST",
        path="/v1/lines/{id}/limit",
        operation="set_line_limit",
        summary="Set a line's limit",
        handle=set_line_limit,
        body=SetLimit,
        answers={200: LineView},
    ),
    Route(
        method="POST",
        path="/v1/lines/{id}/freeze",
        operation="freeze_line",
        summary="Stop draws on a line",
        handle=freeze_line,
        body=Freeze,
        answers={200: LineView},
    ),
    Route(
        method="POST",
        path="/v1/lines/{id}/unfreeze",
        operation="unfreeze_line",
        summary="Let a frozen line be drawn on",
        handle=unfreeze_line,
        body=WithReason,
        answers={200: LineView},
    ),
    Route(
        method="POST",
        path="/v1/lines/{id}/due_day",
        operation="set_due_day",
        summary="Move a line's due day",
        handle=set_due_day,
        body=SetDueDay,
        answers={200: LineView},
    ),
    Route(
        method="POST",
        path="/v1/lines/{id}/auto_debit",
        operation="set_auto_debit",
        summary="Have bills debited when they are due",
        handle=set_auto_debit,
        body=SetAutoDebit,
        answers={200: LineView},
    ),
    Route(
        method="POST",
        path="/v1/lines/{id}/close",
        operation="close_line",
        summary="Close a line",
        handle=close_line,
        body=WithReason,
        answers={200: LineView},
        keyed=True,
    ),
    Route(
        method="GET",
        path="/v1/lines/{id}/history",
        operation="list_line_changes",
        summary="What was done to a line, newest first",
        handle=list_line_changes,
        query=ListQuery,
        answers={200: LineChangeList},
    ),
    Route(
        method="GET",
        path="/v1/people/{id}/credit_cap",
        operation="get_credit_cap",
        summary="What all lines of a person together may come to",
        handle=get_credit_cap,
        answers={200: CreditCapView},
    ),
    Route(
        method="POST",
        path="/v1/people/{id}/credit_cap",
        operation="set_credit_cap",
        summary="Cap what all lines of a person together may come to",
        handle=set_credit_cap,
        body=SetCreditCap,
        answers={200: CreditCapView},
    ),
    Route(
        method="GET",
        path="/v1/lines/{id}/draws",
        operation="list_draws",
        summary="Draws of a line, newest first",
        handle=list_draws,
        query=ListQuery,
        answers={200: DrawList},
    ),
    Route(
        method="GET",
        path="/v1/plans/{id}",
        operation="get_plan",
        summary="The instalments of a draw",
        handle=get_plan,
        answers={200: PlanView},
    ),
    Route(
        method="POST",
        path="/v1/repayments",
        operation="create_repayment",
        summary="Repay a line",
        handle=create_repayment,
        body=CreateRepayment,
        answers={201: RepaymentView, 202: RepaymentView},
        keyed=True,
    ),
    Route(
        method="GET",
        path="/v1/repayments/{id}",
        operation="get_repayment",
        summary="One repayment",
        handle=get_repayment,
        answers={200: RepaymentView},
    ),
    Route(
        method="POST",
        path="/v1/repayments/{id}/reverse",
        operation="reverse_repayment",
        summary="Take a repayment back",
        handle=reverse_repayment,
        body=Reverse,
        answers={200: RepaymentView},
        keyed=True,
    ),
)
