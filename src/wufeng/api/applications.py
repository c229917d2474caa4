"""Applications: open a credit line in one visit. Consents, decision, sheet, signature; and the reviews of lines."""

from datetime import date
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from wufeng import credit
from wufeng.api.bodies import (
    ConfirmationBody,
    LimitMinor,
    ListQuery,
    OrderId,
    PersonId,
    Reason,
    starting_after,
)
from wufeng.api.confirming import prove
from wufeng.api.reading import reading
from wufeng.api.routing import Call, Nothing, Route, reply, reply_list
from wufeng.base.claims import Answer
from wufeng.base.database import Connection
from wufeng.base.errors import invalid_field
from wufeng.base.ids import Prefix, decode, slot_of
from wufeng.credit.applications import queries
from wufeng.credit.applications.documents import contract_document, sheet_document
from wufeng.credit.applications.model import Application, Consent, Declared, Purchase
from wufeng.credit.applications.papers import Contract, Sheet
from wufeng.credit.applications.policy import shipped_application_policy
from wufeng.credit.applications.rules import age_on
from wufeng.credit.applications.views import ApplicationTermsView, ApplicationView, LineReviewView
from wufeng.credit.documents.drawing import drawn
from wufeng.credit.queries import load_line
from wufeng.identity import CallerKind, act_of, own_person
from wufeng.identity.bank_accounts.queries import count_verified
from wufeng.identity.people.queries import birth_date_of_person
from wufeng.payments import find_order
from wufeng.payments.orders.rules import problem_if_not_payable
from wufeng.payments.quotes.purchases import purchase_of, purchase_still
from wufeng.payments.spending.queries import gather_facts

PDF = "application/pdf"
OLDEST = 150

Count = Annotated[int, Meta(ge=0, le=1_000)]


class ConsentBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is agreed to: a purpose of the application's terms, and the version of its text."""

    purpose: Annotated[str, Meta(min_length=1, max_length=64, examples=["automatic_decision"])]
    version: Annotated[int, Meta(ge=1, le=10_000)]


class DeclaredBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person says of themselves.

    born_on                           asked for only where no document tells it
    lines_elsewhere                   loans and credit lines with others
    repayments_elsewhere_month_minor  what those take a month
    """

    born_on: date | None = None
    income_month_minor: LimitMinor = 0
    lines_elsewhere: Count = 0
    repayments_elsewhere_month_minor: LimitMinor = 0


class CreateApplication(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An application for a line of a product; with an order its cost sheet is of that order.

    mode  how what is bought becomes due, of a product with a choice; without it, in the product's first
    """

    product: Annotated[str, Meta(min_length=1, max_length=64, examples=["monthly_bill"])]
    consents: Annotated[tuple[ConsentBody, ...], Meta(max_length=20)]
    order: OrderId | None = None
    mode: credit.Mode | None = None
    declared: DeclaredBody = DeclaredBody()


class AcceptApplication(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The signature: the hash of the sheet that was read, and the person's proof."""

    sheet_hash: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    confirmation: ConfirmationBody


class WithdrawConsent(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which consent is taken back, by its purpose."""

    purpose: Annotated[str, Meta(min_length=1, max_length=64, examples=["bureau_query"])]


class DecideApplication(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a member of staff decides of a referred application: a limit to offer, or none; and why."""

    limit_minor: LimitMinor | None = None
    reason: Reason


class ApplicationsQuery(ListQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whose applications; a person's own need no word. For staff: those that wait for a decision, of everybody."""

    person: PersonId | None = None
    status: Literal["referred"] | None = None


class ApplicationList(Struct, frozen=True, kw_only=True):
    """A page of applications, the newest first."""

    data: list[ApplicationView]
    next: str | None
    has_more: bool


class LineReviewList(Struct, frozen=True, kw_only=True):
    """A page of monthly reviews, the newest first."""

    data: list[LineReviewView]
    next: str | None
    has_more: bool


async def get_terms(call: Call[Nothing, Nothing]) -> Answer:
    """What the caller may apply for, and what has to be agreed to."""
    async with call.services.database.read() as db:
        return reply(
            await queries.show_terms(reading(call, db), call.caller.id, shipped_application_policy())
        )


async def create_application(call: Call[CreateApplication, Nothing]) -> Answer:
    """Apply: decided at once. 200 with the application that is under way for the product already."""
    body, person_id = call.body, call.caller.id
    policy, bucket = shipped_application_policy(), call.book.bucket_of(call.caller.id)
    async with call.services.database.read() as db:
        age_years = await _age(call, db)
        purchase = await _purchase(call, db)
        facts = await gather_facts(db, bucket, [person_id], call.at, policy.admission.history_days)
    declared = body.declared
    command = credit.Apply(
        at=call.at,
        people=(person_id,),
        claim=call.claim,
        request_id=call.request_id,
        application_id=call.services.ids.new(call.at, slot_of(person_id)),
        person_id=person_id,
        product=body.product,
        consents=tuple(Consent(consent.purpose, consent.version) for consent in body.consents),
        declared=Declared(
            declared.income_month_minor, declared.lines_elsewhere, declared.repayments_elsewhere_month_minor
        ),
        age_years=age_years,
        facts=facts[person_id],
        purchase=purchase,
        mode=body.mode,
        language=call.language,
    )
    return await call.services.lanes.submit(bucket, command)


async def list_applications(call: Call[Nothing, ApplicationsQuery]) -> Answer:
    """The applications of a person, the newest first; for staff also those that wait for them, the oldest first."""
    if call.query.status is not None:
        return await _list_referred(call)
    person_id = decode(Prefix.PERSON, call.query.person) if call.query.person else call.caller.person_id
    if person_id is None:
        raise invalid_field("person", "Say whose applications.")
    own_person(call.caller, person_id, "person")
    before, limit = starting_after(call.query, Prefix.APPLICATION, "application"), call.query.limit
    async with call.services.database.read() as db:
        views = await queries.list_applications(
            reading(call, db), person_id, shipped_application_policy(), call.at, before, limit + 1
        )
    return reply_list(views, limit)


async def _list_referred(call: Call[Nothing, ApplicationsQuery]) -> Answer:
    if call.caller.kind is not CallerKind.STAFF or call.query.person is not None:
        raise invalid_field("status", "Staff ask for it, of everybody.")
    after, limit = starting_after(call.query, Prefix.APPLICATION, "application"), call.query.limit
    async with call.services.database.read() as db:
        views = await queries.list_referred(
            reading(call, db), shipped_application_policy(), call.at, after, limit + 1
        )
    return reply_list(views, limit)


async def get_application(call: Call[Nothing, Nothing]) -> Answer:
    """One application, with the reasons and points that decided it."""
    async with call.services.database.read() as db:
        found = await _own_application(call, db)
        view = queries.show_application(reading(call, db), found, shipped_application_policy(), call.at)
    return reply(view)


async def accept_application(call: Call[AcceptApplication, Nothing]) -> Answer:
    """Sign: the sheet by its hash, with the person's proof. The line is open, or its limit raised."""
    async with call.services.database.read() as db:
        found = await _own_application(call, db)
        accounts = await count_verified(db, call.book.bucket_of(found.id), [found.person_id])
    stored, _ = await prove(call, found.person_id, call.body.confirmation)
    if stored is not None:
        return stored
    command = credit.AcceptApplication(
        at=call.at,
        people=(found.person_id,),
        claim=call.claim,
        request_id=call.request_id,
        application_id=found.id,
        person_id=found.person_id,
        sheet_hash=call.body.sheet_hash,
        confirmed_by=call.body.confirmation.kind.value,
        bank_accounts=accounts.get(found.person_id, 0),
        language=call.language,
    )
    return await call.services.lanes.submit(call.book.bucket_of(found.id), command)


async def refer_application(call: Call[Nothing, Nothing]) -> Answer:
    """Ask that a person looks at an application that was declined."""
    async with call.services.database.read() as db:
        found = await _own_application(call, db)
    command = credit.ReferApplication(
        at=call.at,
        people=(found.person_id,),
        claim=call.claim,
        request_id=call.request_id,
        application_id=found.id,
        person_id=found.person_id,
        language=call.language,
    )
    return await call.services.lanes.submit(call.book.bucket_of(found.id), command)


async def withdraw_consent(call: Call[WithdrawConsent, Nothing]) -> Answer:
    """Take a consent back. What was decided and drawn stands; the line may not be drawn on any more if it needs it."""
    async with call.services.database.read() as db:
        found = await _own_application(call, db)
    command = credit.WithdrawConsent(
        at=call.at,
        people=(found.person_id,),
        claim=call.claim,
        request_id=call.request_id,
        application_id=found.id,
        person_id=found.person_id,
        purpose=call.body.purpose,
        language=call.language,
    )
    return await call.services.lanes.submit(call.book.bucket_of(found.id), command)


async def decide_application(call: Call[DecideApplication, Nothing]) -> Answer:
    """Decide what was referred: offer a limit, or decline. The sheet is of its order, if that can still be paid."""
    async with call.services.database.read() as db:
        found = await _own_application(call, db)
        purchase = await purchase_still(db, call.book, call.services.products, found, call.at)
    act = act_of(
        call.caller,
        call.operation,
        Prefix.APPLICATION,
        found.id,
        call.at,
        call.request_id,
        call.body.reason,
    )
    command = credit.DecideReferred(
        at=call.at,
        people=(found.person_id,),
        claim=call.claim,
        request_id=call.request_id,
        application_id=found.id,
        limit_minor=call.body.limit_minor,
        purchase=purchase,
        act=act,
        language=call.language,
    )
    return await call.services.lanes.submit(call.book.bucket_of(found.id), command)


async def get_sheet(call: Call[Nothing, Nothing]) -> Answer:
    """The all-in cost sheet: the very bytes whose SHA-256 is signed; as PDF in the caller's language."""
    async with call.services.database.read() as db:
        paper = queries.sheet_of(await _own_application(call, db))
    if call.format == PDF:
        return Answer(200, await drawn(sheet_document(paper, call.language)))
    return Answer(200, paper.content)


async def get_contract(call: Call[Nothing, Nothing]) -> Answer:
    """The contract: the very bytes that are kept; as PDF in the caller's language, with who signed it when."""
    async with call.services.database.read() as db:
        found = await _own_application(call, db)
    paper = queries.contract_of(found)
    if call.format == PDF:
        return Answer(200, await drawn(contract_document(paper, found, call.language)))
    return Answer(200, paper.content)


async def list_line_reviews(call: Call[Nothing, ListQuery]) -> Answer:
    """The monthly reviews of a line: what was looked at, and why its limit was raised, kept or lowered."""
    before, limit = starting_after(call.query, Prefix.LINE_REVIEW, "line review"), call.query.limit
    async with call.services.database.read() as db:
        read = reading(call, db)
        line = await load_line(read, call.path_id(Prefix.LINE, "line"))
        own_person(call.caller, line.person_id, "line")
        views = await queries.list_reviews(read, line, shipped_application_policy(), before, limit + 1)
    return reply_list(views, limit)


async def _age(call: Call[CreateApplication, Nothing], db: Connection) -> int:
    """Completed years, by the document where there is one, else as the person says. The date itself is not kept."""
    known = await birth_date_of_person(db, call.services.vault, call.book, call.caller.id)
    born_on = known or call.body.declared.born_on
    if born_on is None:
        raise invalid_field("/declared/born_on", "Say when you were born: no document of yours tells it.")
    age_years = age_on(born_on, call.book.business_date(call.at))
    if not 0 <= age_years <= OLDEST:
        raise invalid_field("/declared/born_on", "Nobody alive was born on that date.")
    return age_years


async def _purchase(call: Call[CreateApplication, Nothing], db: Connection) -> Purchase | None:
    if call.body.order is None:
        return None
    order = await find_order(db, call.book, decode(Prefix.ORDER, call.body.order))
    if order is None:
        raise invalid_field("/order", "There is no such order.")
    if (problem := problem_if_not_payable(order)) is not None:
        raise problem
    on = call.book.business_date(call.at)
    product = call.services.products.current(call.body.product, on)
    if product is None:
        raise invalid_field("/product", "There is no such product in this book.")
    return await purchase_of(db, call.book, order.terms, product, call.body.mode, call.caller.id, call.at)


async def _own_application(call: Call[Any, Any], db: Connection) -> Application:
    application_id = call.path_id(Prefix.APPLICATION, "application")
    found = await queries.load_application(reading(call, db), application_id)
    own_person(call.caller, found.person_id, "application")
    return found


ROUTES = (
    Route(
        method="GET",
        path="/v1/application_terms",
        operation="get_application_terms",
        summary="What may be applied for, and agreed to",
        handle=get_terms,
        answers={200: ApplicationTermsView},
    ),
    Route(
        method="POST",
        path="/v1/applications",
        operation="create_application",
        summary="Apply for a credit line",
        handle=create_application,
        body=CreateApplication,
        answers={200: ApplicationView, 201: ApplicationView},
        keyed=True,
    ),
    Route(
        method="GET",
        path="/v1/applications",
        operation="list_applications",
        summary="Applications, newest first",
        handle=list_applications,
        query=ApplicationsQuery,
        answers={200: ApplicationList},
    ),
    Route(
        method="GET",
        path="/v1/applications/{id}",
        operation="get_application",
        summary="One application",
        handle=get_application,
        answers={200: ApplicationView},
    ),
    Route(
        method="POST",
        path="/v1/applications/{id}/accept",
        operation="accept_application",
        summary="Sign the sheet and the contract",
        handle=accept_application,
        body=AcceptApplication,
        answers={200: ApplicationView},
        keyed=True,
    ),
    Route(
        method="POST",
        path="/v1/applications/{id}/refer",
        operation="refer_application",
        summary="Ask for a person to look at a declined application",
        handle=refer_application,
        answers={200: ApplicationView},
    ),
    Route(
        method="POST",
        path="/v1/applications/{id}/withdraw_consent",
        operation="withdraw_consent",
        summary="Take a consent back",
        handle=withdraw_consent,
        body=WithdrawConsent,
        answers={200: ApplicationView},
    ),
    Route(
        method="POST",
        path="/v1/applications/{id}/decide",
        operation="decide_application",
        summary="Decide a referred application",
        handle=decide_application,
        body=DecideApplication,
        answers={200: ApplicationView},
        keyed=True,
    ),
    Route(
        method="GET",
        path="/v1/applications/{id}/sheet",
        operation="get_application_sheet",
        summary="The all-in cost sheet",
        handle=get_sheet,
        answers={200: Sheet},
        formats=(PDF,),
    ),
    Route(
        method="GET",
        path="/v1/applications/{id}/contract",
        operation="get_application_contract",
        summary="The contract",
        handle=get_contract,
        answers={200: Contract},
        formats=(PDF,),
    ),
    Route(
        method="GET",
        path="/v1/lines/{id}/reviews",
        operation="list_line_reviews",
        summary="Monthly reviews of a line, newest first",
        handle=list_line_reviews,
        query=ListQuery,
        answers={200: LineReviewList},
    ),
)
