"""Family cards: a person lets another spend from their wallet or a line, within a cap a month."""

from datetime import timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct

from wufeng.api.bodies import AmountMinor, ConfirmationBody, LineId, ListQuery, WalletId, starting_after
from wufeng.api.confirming import prove
from wufeng.api.payment_reading import PaymentList
from wufeng.api.routing import Call, Nothing, Route, reply, reply_list
from wufeng.base.claims import Answer
from wufeng.base.database import Connection
from wufeng.base.errors import invalid_field, not_found
from wufeng.base.ids import Prefix, decode, slot_of
from wufeng.credit import load_lines_of_people
from wufeng.identity.people.queries import person_of_wallet, phone_id
from wufeng.identity.vault import Private
from wufeng.payments import Reader, show_payments
from wufeng.payments.family import queries, rules
from wufeng.payments.family.model import (
    Caps,
    CardStatus,
    CreateCard,
    FamilyCard,
    FamilyCardView,
    Move,
    MoveCard,
    SetCaps,
)
from wufeng.payments.family.policy import shipped_family_policy
from wufeng.payments.pay.queries import load_payments_of_bucket
from wufeng.risk.model import Confirmation

PhoneText = Annotated[str, Meta(min_length=3, max_length=32, examples=["+8613800138000"])]
CardName = Annotated[str, Meta(min_length=1, max_length=rules.NAME_MAX, examples=["Mum"])]


class NewFamilyCard(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom the owner lets spend, from what, and how much.

    phone              of the other person, who has to accept; the answer does not tell whether anybody has it
    name               what the owner calls the card; the other person reads it too
    wallet, line       one of them: the owner's own
    month_cap_minor    in a business month    payment_cap_minor  in one payment; absent: the month's
    """

    phone: PhoneText
    name: CardName
    wallet: WalletId | None = None
    line: LineId | None = None
    month_cap_minor: AmountMinor
    payment_cap_minor: AmountMinor | None = None
    confirmation: ConfirmationBody


class FamilyCaps(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A card's caps from now on. Raising one takes the owner's confirmation, lowering does not."""

    month_cap_minor: AmountMinor
    payment_cap_minor: AmountMinor | None = None
    confirmation: ConfirmationBody | None = None


class FamilyCardsQuery(ListQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Cards that the caller has given out, or holds and is invited to."""

    role: Literal["owner", "spender"] = "owner"


class FamilyCardList(Struct, frozen=True, kw_only=True):
    """A page of cards, the newest first."""

    data: list[FamilyCardView]
    next: str | None
    has_more: bool


async def create_family_card(call: Call[NewFamilyCard, Nothing]) -> Answer:
    """Invite whoever has a phone to spend."""
    body, services, book = call.body, call.services, call.book
    owner_id = _caller(call)
    invited = phone_id(services.vault, book, Private(body.phone))
    caps = rules.check_caps(Caps(body.month_cap_minor, body.payment_cap_minor), shipped_family_policy())
    name = rules.check_name(body.name)
    async with services.database.read() as db:
        own_phone = await queries.phone_id_of(db, book, owner_id)
        line_id = await _source(call, db, owner_id)
    if own_phone is None:
        raise not_found("person")
    if own_phone == invited:
        raise invalid_field("/phone", "A family card is for somebody else.")
    stored, _ = await prove(call, owner_id, body.confirmation)
    if stored is not None:
        return stored
    on = book.business_date(call.at)
    card = FamilyCard(
        id=services.ids.new(call.at, slot_of(owner_id)),
        owner_id=owner_id,
        owner_phone_id=own_phone,
        spender_phone_id=invited,
        spender_id=None,
        name=name,
        use_wallet=line_id is None,
        line_id=line_id,
        month_cap_minor=caps.month_minor,
        payment_cap_minor=caps.payment_minor,
        status=CardStatus.INVITED,
        expires_at=call.at + timedelta(days=shipped_family_policy().invited_days),
        month_on=rules.month_of(on),
        used_minor=0,
        created_at=call.at,
    )
    command = CreateCard(
        at=call.at,
        people=(owner_id,),
        claim=call.claim,
        request_id=call.request_id,
        card=card,
    )
    return await services.lanes.submit(book.bucket_of(owner_id), command)


async def _source(call: Call[NewFamilyCard, Nothing], db: Connection, owner_id: UUID) -> UUID | None:
    """The owner's line that a card is to spend from; None: their wallet."""
    body = call.body
    if (body.wallet is None) == (body.line is None):
        raise invalid_field("/wallet", "Name either a wallet or a line.")
    if body.wallet is not None:
        if await person_of_wallet(db, call.book, decode(Prefix.WALLET, body.wallet)) != owner_id:
            raise invalid_field("/wallet", "You have no such wallet.")
        return None
    assert body.line is not None
    line_id = decode(Prefix.LINE, body.line)
    lines = await load_lines_of_people(db, call.book.bucket_of(owner_id), [owner_id])
    if line_id not in {line.id for line in lines}:
        raise invalid_field("/line", "You have no such line.")
    return line_id


async def list_family_cards(call: Call[Nothing, FamilyCardsQuery]) -> Answer:
    """The caller's cards, given or held."""
    person_id, before = _caller(call), starting_after(call.query, Prefix.FAMILY_CARD, "family card")
    wanted = call.query.limit + 1
    async with call.services.database.read() as db:
        if call.query.role == "owner":
            cards = await queries.list_given(db, call.book, person_id, before, wanted)
        else:
            cards = await queries.list_held(db, call.book, person_id, call.at, before, wanted)
        views = await queries.show_cards(db, call.services.vault, call.book, cards, person_id, call.at)
    return reply_list(views, call.query.limit)


async def get_family_card(call: Call[Nothing, Nothing]) -> Answer:
    """One card, as its owner or its spender reads it."""
    async with call.services.database.read() as db:
        card, _ = await _card(call, db)
        (view,) = await queries.show_cards(db, call.services.vault, call.book, [card], _caller(call), call.at)
    return reply(view)


async def list_family_card_payments(call: Call[Nothing, ListQuery]) -> Answer:
    """Payments made with a card, declined ones too: its owner sees each whole, its spender their own side of it."""
    services, book, person_id = call.services, call.book, _caller(call)
    before = starting_after(call.query, Prefix.PAYMENT, "payment")
    async with services.database.read() as db:
        card, _ = await _card(call, db)
        ids = await queries.list_uses(db, book, card, before, call.query.limit + 1)
        found = await load_payments_of_bucket(db, book.bucket_of(card.id), ids)
        reader = Reader.PERSON if card.owner_id == person_id else Reader.SPENDER
        views = await show_payments(
            db, services.catalogue, book, [found[id_] for id_ in ids], reader, call.language
        )
    return reply_list(views, call.query.limit)


async def set_family_cap(call: Call[FamilyCaps, Nothing]) -> Answer:
    """Set a card's caps: lower at once, higher with the owner's yes."""
    body, services, owner_id = call.body, call.services, _caller(call)
    caps = rules.check_caps(Caps(body.month_cap_minor, body.payment_cap_minor), shipped_family_policy())
    async with services.database.read() as db:
        card, _ = await _card(call, db)
        if card.owner_id != owner_id:
            raise not_found("family card")
        seen = await queries.see_other(db, services.vault, call.book, card, owner_id)
    stored, level = await prove(call, owner_id, body.confirmation)
    if stored is not None:
        return stored
    command = SetCaps(
        at=call.at,
        people=(owner_id,),
        claim=call.claim,
        request_id=call.request_id,
        card_id=card.id,
        owner_id=owner_id,
        caps=caps,
        confirmed=level > Confirmation.SESSION,
        seen=seen,
    )
    return await services.lanes.submit(call.book.bucket_of(card.id), command)


async def accept_family_card(call: Call[Nothing, Nothing]) -> Answer:
    """Take an invitation: from now on the card pays."""
    return await _move(call, Move.ACCEPT)


async def pause_family_card(call: Call[Nothing, Nothing]) -> Answer:
    """Let a card pay nothing until it is resumed."""
    return await _move(call, Move.PAUSE)


async def resume_family_card(call: Call[Nothing, Nothing]) -> Answer:
    """Let a paused card pay again."""
    return await _move(call, Move.RESUME)


async def stop_family_card(call: Call[Nothing, Nothing]) -> Answer:
    """End a card, at once and for good: its owner, or who holds it or is invited."""
    return await _move(call, Move.STOP)


async def _move(call: Call[Any, Any], move: Move) -> Answer:
    services, person_id = call.services, _caller(call)
    async with services.database.read() as db:
        card, own_phone = await _card(call, db)
        seen = await queries.see_other(db, services.vault, call.book, card, person_id)
    command = MoveCard(
        at=call.at,
        people=(card.owner_id,),
        request_id=call.request_id,
        card_id=card.id,
        actor_id=person_id,
        phone_id=own_phone,
        move=move,
        seen=seen,
    )
    return await services.lanes.submit(call.book.bucket_of(card.id), command)


async def _card(call: Call[Any, Any], db: Connection) -> tuple[FamilyCard, UUID | None]:
    """The card that the path names, if it is any of the caller's business, and the caller's phone."""
    card_id, person_id = call.path_id(Prefix.FAMILY_CARD, "family card"), _caller(call)
    card = await queries.load_card(db, call.book, card_id)
    own_phone = await queries.phone_id_of(db, call.book, person_id)
    if card is None or not queries.may_see(card, person_id, own_phone):
        raise not_found("family card")
    return card, own_phone


def _caller(call: Call[Any, Any]) -> UUID:
    assert call.caller.person_id is not None, "only people have family cards"
    return call.caller.person_id


ROUTES = (
    Route(
        method="POST",
        path="/v1/family_cards",
        operation="create_family_card",
        summary="Let another person spend",
        handle=create_family_card,
        body=NewFamilyCard,
        answers={201: FamilyCardView},
        keyed=True,
    ),
    Route(
        method="GET",
        path="/v1/family_cards",
        operation="list_family_cards",
        summary="Family cards given or held",
        handle=list_family_cards,
        query=FamilyCardsQuery,
        answers={200: FamilyCardList},
    ),
    Route(
        method="GET",
        path="/v1/family_cards/{id}",
        operation="get_family_card",
        summary="One family card",
        handle=get_family_card,
        answers={200: FamilyCardView},
    ),
    Route(
        method="GET",
        path="/v1/family_cards/{id}/payments",
        operation="list_family_card_payments",
        summary="Payments made with a family card",
        handle=list_family_card_payments,
        query=ListQuery,
        answers={200: PaymentList},
    ),
    Route(
        method="POST",
        path="/v1/family_cards/{id}/accept",
        operation="accept_family_card",
        summary="Accept a family card",
        handle=accept_family_card,
        answers={200: FamilyCardView},
    ),
    Route(
        method="POST",
        path="/v1/family_cards/{id}/cap",
        operation="set_family_cap",
        summary="Set a family card's caps",
        handle=set_family_cap,
        body=FamilyCaps,
        answers={200: FamilyCardView},
        keyed=True,
    ),
    Route(
        method="POST",
        path="/v1/family_cards/{id}/pause",
        operation="pause_family_card",
        summary="Pause a family card",
        handle=pause_family_card,
        answers={200: FamilyCardView},
    ),
    Route(
        method="POST",
        path="/v1/family_cards/{id}/resume",
        operation="resume_family_card",
        summary="Resume a family card",
        handle=resume_family_card,
        answers={200: FamilyCardView},
    ),
    Route(
        method="POST",
        path="/v1/family_cards/{id}/stop",
        operation="stop_family_card",
        summary="Stop a family card",
        handle=stop_family_card,
        answers={200: FamilyCardView},
    ),
)
