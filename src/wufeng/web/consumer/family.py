"""Family cards: whom one lets spend, what one may spend of somebody else's, each with its payments."""

from wufeng.base.database import Connection
from wufeng.base.errors import Code, not_found
from wufeng.base.ids import Prefix, decode, encode
from wufeng.client import ApiProblem, Confirmation
from wufeng.credit.lines.model import LineStatus
from wufeng.credit.queries import list_lines
from wufeng.identity.people.queries import show_person
from wufeng.identity.pins.queries import has_pin
from wufeng.payments import Reader, show_payments
from wufeng.payments.family import queries
from wufeng.payments.family.model import CardStatus, FamilyCard, FamilyCardView
from wufeng.payments.pay.queries import load_payments_of_bucket
from wufeng.web.consumer.reading import Shown, merchant_names, reading, state_of
from wufeng.web.paging import Door, Reply, Visit, pages_of
from wufeng.web.texts import minor_of

FAMILY = "family_card"
"""The option of a payment that waits for who spends: its card is chosen already."""

CARDS = 50
PAYMENTS = 30
OVER = (CardStatus.STOPPED, CardStatus.LAPSED)


async def cards(visit: Visit) -> Reply:
    """Cards given out and cards held, invitations first."""
    services, person_id = visit.services, visit.caller.id
    async with services.database.read() as db:
        given = await queries.list_given(db, visit.book, person_id, None, CARDS)
        held = await queries.list_held(db, visit.book, person_id, visit.at, None, CARDS)
        views = await queries.show_cards(db, services.vault, visit.book, [*given, *held], person_id, visit.at)
    return visit.show(
        "consumer/family.html",
        given=[view for view in views[: len(given)] if view.status not in OVER],
        held=[view for view in views[len(given) :] if view.status not in OVER],
    )


async def new(visit: Visit) -> Reply:
    """The form of a new card."""
    return await _ask(visit)


async def create(visit: Visit) -> Reply:
    """Invite somebody. Sent twice it is one card; the answer does not tell whether anybody has the phone."""
    currency, pin = visit.book.currency, visit.field("pin")
    month_minor = minor_of(visit.field("month_cap"), currency)
    if not month_minor:
        return await _ask(visit, error="month_cap", status=422)
    payment_minor = minor_of(visit.field("payment_cap"), currency) if visit.field("payment_cap") else None
    if visit.field("payment_cap") and not payment_minor:
        return await _ask(visit, error="payment_cap", status=422)
    source = visit.field("source")
    try:
        card = await visit.api.family_cards.create(
            phone=visit.field("phone"),
            name=visit.field("name"),
            wallet=source if source.startswith("wal_") else None,
            line=source if source.startswith("lin_") else None,
            month_cap_minor=month_minor,
            payment_cap_minor=payment_minor,
            confirmation=Confirmation(kind="pin", proof=pin),
            idempotency_key=visit.key(),
        )
    except ApiProblem as problem:
        return await _ask(visit, error=_error_of(problem), status=problem.status, problem=problem)
    return visit.go(f"/app/family/{card.id}")


def _error_of(problem: ApiProblem) -> str:
    """Which of the form's own messages a problem is; one that it has no words for is raised on."""
    match problem.code:
        case Code.CONFIRMATION_FAILED:
            return "pin"
        case Code.STATE_CONFLICT:
            return "many"
        case Code.INVALID_FIELD:
            pointer = problem.errors[0].pointer if problem.errors else ""
            known = {"/phone": "phone", "/name": "name", "/month_cap_minor": "month_cap"}
            return known.get(pointer, "payment_cap" if pointer == "/payment_cap_minor" else "source")
        case _:
            raise problem


async def _ask(
    visit: Visit, *, error: str = "", status: int = 200, problem: ApiProblem | None = None
) -> Reply:
    services = visit.services
    async with services.database.read() as db:
        person = await show_person(db, services.vault, visit.book, visit.caller.id)
        lines = await list_lines(reading(visit, db), visit.caller.id)
        pin_set = await has_pin(db, visit.book, visit.caller.id)
    names = ("phone", "name", "source", "month_cap", "payment_cap")
    return visit.show(
        "consumer/family_new.html",
        status=status,
        wallet=person.wallet,
        lines=[line for line in lines if line.status == LineStatus.OPEN],
        pin_set=pin_set,
        error=error,
        tries_left=problem.extra.get("tries_left") if problem is not None else None,
        filled={name: visit.field(name) for name in names},
    )


async def card(visit: Visit) -> Reply:
    """One card: what is left, who pays with it, and what its two people may do."""
    return await _show(visit)


async def set_caps(visit: Visit) -> Reply:
    """The owner's new caps: lower at once, higher with the PIN."""
    currency, pin = visit.book.currency, visit.field("pin")
    month_minor = minor_of(visit.field("month_cap"), currency)
    payment_minor = minor_of(visit.field("payment_cap"), currency) if visit.field("payment_cap") else None
    if not month_minor or (visit.field("payment_cap") and not payment_minor):
        return await _show(visit, error="month_cap", status=422)
    try:
        await visit.api.family_cards.set_cap(
            visit.values["id"],
            month_cap_minor=month_minor,
            payment_cap_minor=payment_minor,
            confirmation=Confirmation(kind="pin", proof=pin) if pin else None,
            idempotency_key=visit.key(),
        )
    except ApiProblem as problem:
        if problem.code not in (Code.CONFIRMATION_FAILED, Code.INVALID_FIELD, Code.STATE_CONFLICT):
            raise
        error = "pin" if problem.code is Code.CONFIRMATION_FAILED else "month_cap"
        return await _show(visit, error=error, status=problem.status)
    return visit.go(f"/app/family/{visit.values['id']}")


async def move(visit: Visit) -> Reply:
    """Accept, pause, resume or stop."""
    wanted, id_ = visit.field("move"), visit.values["id"]
    cards_api = visit.api.family_cards
    moves = {
        "accept": cards_api.accept,
        "pause": cards_api.pause,
        "resume": cards_api.resume,
        "stop": cards_api.stop,
    }
    if wanted not in moves:
        return await _show(visit, error="move", status=422)
    try:
        await moves[wanted](id_)
    except ApiProblem as problem:
        if problem.code is not Code.STATE_CONFLICT:
            raise
        return await _show(visit, error="move", status=problem.status)
    return visit.go(f"/app/family/{id_}")


async def _show(visit: Visit, *, error: str = "", status: int = 200) -> Reply:
    services, person_id = visit.services, visit.caller.id
    card_id = visit.path_id(Prefix.FAMILY_CARD, "family card")
    async with services.database.read() as db:
        found = await queries.load_card(db, visit.book, card_id)
        own_phone = await queries.phone_id_of(db, visit.book, person_id)
        if found is None or not queries.may_see(found, person_id, own_phone):
            raise not_found("family card")
        (view,) = await queries.show_cards(db, services.vault, visit.book, [found], person_id, visit.at)
        made = await _payments(visit, db, found)
        name = await _source_name(visit, db, view)
    return visit.show(
        "consumer/family_card.html",
        status=status,
        card=view,
        source_name=name,
        payments=made,
        error=error,
        month_cap=visit.field("month_cap"),
        payment_cap=visit.field("payment_cap"),
    )


async def _payments(visit: Visit, db: Connection, found: FamilyCard) -> list[Shown]:
    ids = await queries.list_uses(db, visit.book, found, None, PAYMENTS)
    loaded = await load_payments_of_bucket(db, visit.book.bucket_of(found.id), ids)
    reader = Reader.PERSON if found.owner_id == visit.caller.id else Reader.SPENDER
    views = await show_payments(
        db, visit.services.catalogue, visit.book, [loaded[id_] for id_ in ids], reader, visit.language
    )
    names = await merchant_names(visit, db, [view.merchant for view in views])
    return [Shown(view, names[view.merchant], state_of(view)) for view in views]


async def _source_name(visit: Visit, db: Connection, view: FamilyCardView) -> str:
    """What the owner's line is called; the other person reads only that it is credit, or a balance."""
    if view.line is None:
        return ""
    lines = await list_lines(reading(visit, db), visit.caller.id)
    return next((line.name for line in lines if line.id == view.line), "")


async def cards_to_pay_with(visit: Visit, db: Connection) -> list[FamilyCardView]:
    """Cards that the visitor may pay with now, for the pages that ask what to pay from."""
    held = await queries.list_held(db, visit.book, visit.caller.id, visit.at, None, CARDS)
    active = [card for card in held if card.status is CardStatus.ACTIVE]
    return await queries.show_cards(db, visit.services.vault, visit.book, active, visit.caller.id, visit.at)


def card_of_option(option: str) -> str | None:
    """The card that a form's option names; None: it names another way to pay."""
    try:
        return encode(Prefix.FAMILY_CARD, decode(Prefix.FAMILY_CARD, option))
    except ValueError:
        return None


page = pages_of(Door.CONSUMER)

PAGES = (
    page("GET", "/app/family", "app_family", cards),
    page("GET", "/app/family/new", "app_family_new", new),
    page("POST", "/app/family", "app_family_send", create),
    page("GET", "/app/family/{id}", "app_family_card", card),
    page("POST", "/app/family/{id}/caps", "app_family_caps", set_caps),
    page("POST", "/app/family/{id}/move", "app_family_move", move),
)
