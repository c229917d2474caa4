"""Links to be paid by: a merchant's for chats, and a person's for a friend who pays."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from wufeng.api.bodies import AmountMinor, Instant, ListQuery, ShortText, in_utc, starting_after
from wufeng.api.routing import Call, Nothing, Route, reply, reply_list
from wufeng.base.claims import Answer
from wufeng.base.errors import not_found
from wufeng.base.ids import Prefix
from wufeng.identity import own_merchant, own_person
from wufeng.payments import OrderView, view_order
from wufeng.payments.friend_links.commands import ask_friend, cancel_friend
from wufeng.payments.friend_links.model import FriendLinkView
from wufeng.payments.friend_links.queries import load_asked
from wufeng.payments.friend_links.views import view_friend_link
from wufeng.payments.payment_links.commands import NewLink, close_link, create_link, take_up
from wufeng.payments.payment_links.model import PaymentLink, PaymentLinkView
from wufeng.payments.payment_links.queries import list_links, load_link, paid_of, uses_of
from wufeng.payments.payment_links.rules import USES_MAX
from wufeng.payments.payment_links.views import view_link
from wufeng.payments.tokens import BARE, open_token


class NewPaymentLink(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a chat is sent. Without an end it can be paid for seven days; `uses_max` orders of it may be paid."""

    amount_minor: AmountMinor
    subject: ShortText
    uses_max: Annotated[int, Meta(ge=1, le=USES_MAX)] = 1
    expires_at: Instant | None = None


class PaymentLinkList(Struct, frozen=True, kw_only=True):
    """A page of links, the newest first."""

    data: list[PaymentLinkView]
    next: str | None
    has_more: bool


class TakenUp(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The text that stands in the link's address: who has it was given it."""

    token: Annotated[str, Meta(min_length=2 * BARE, max_length=2 * BARE)]


async def post_payment_link(call: Call[NewPaymentLink, Nothing]) -> Answer:
    """Make a link for a chat."""
    body, services, book = call.body, call.services, call.book
    assert call.caller.merchant_id is not None, "only merchants make links"
    new = NewLink(
        merchant_id=call.caller.merchant_id,
        amount_minor=body.amount_minor,
        subject=body.subject,
        uses_max=body.uses_max,
        expires_at=in_utc(body.expires_at, "/expires_at"),
    )
    link = await create_link(services.database, services.ids, book, new, call.at)
    return reply(_shown(call, link, 0), 201, link.id)


def _shown(call: Call[Any, Nothing], link: PaymentLink, uses: int) -> PaymentLinkView:
    services = call.services
    return view_link(services.vault, call.book, services.settings.public_origin, link, uses, call.at)


async def get_payment_links(call: Call[Nothing, ListQuery]) -> Answer:
    """The merchant's links, those that have ended too, the newest first."""
    merchant_id, services = call.caller.merchant_id, call.services
    assert merchant_id is not None, "only merchants list links"
    before = starting_after(call.query, Prefix.PAYMENT_LINK, "payment link")
    async with services.database.read() as db:
        found = await list_links(db, call.book, merchant_id, before, call.query.limit + 1)
        uses = await uses_of(db, call.book, found, call.at)
    origin = services.settings.public_origin
    views = [
        view_link(services.vault, call.book, origin, one, paid_of(uses[one.id]), call.at) for one in found
    ]
    return reply_list(views, call.query.limit)


async def get_payment_link(call: Call[Nothing, Nothing]) -> Answer:
    """One link, and how often it was paid."""
    async with call.services.database.read() as db:
        link = await load_link(db, call.book, call.path_id(Prefix.PAYMENT_LINK, "payment link"))
        if link is None:
            raise not_found("payment link")
        own_merchant(call.caller, link.merchant_id, "payment link")
        uses = await uses_of(db, call.book, [link], call.at)
    return reply(_shown(call, link, paid_of(uses[link.id])))


async def close_payment_link(call: Call[Nothing, Nothing]) -> Answer:
    """Close a link for good. An order that somebody has taken up already can be paid until it ends."""
    services, merchant_id = call.services, call.caller.merchant_id
    assert merchant_id is not None, "only merchants close links"
    link_id = call.path_id(Prefix.PAYMENT_LINK, "payment link")
    link = await close_link(services.database, call.book, link_id, merchant_id, call.at)
    async with services.database.read() as db:
        uses = await uses_of(db, call.book, [link], call.at)
    return reply(_shown(call, link, paid_of(uses[link.id])))


async def post_link_order(call: Call[TakenUp, Nothing]) -> Answer:
    """Whoever was sent a link gets the order that they are going to pay: asked again, the same one while it waits."""
    services, person_id = call.services, call.caller.person_id
    assert person_id is not None, "only people take up links"
    link_id = call.path_id(Prefix.PAYMENT_LINK, "payment link")
    opened = open_token(services.vault, [call.book], Prefix.PAYMENT_LINK, call.body.token)
    if opened is None or opened[1] != link_id:
        raise not_found("payment link")
    order = await take_up(
        services.database, services.ids, services.merchants, call.book, link_id, person_id, call.at
    )
    return reply(view_order(order), 201, order.terms.id)


async def post_friend_link(call: Call[Nothing, Nothing]) -> Answer:
    """A link for somebody else to pay an order that waits; asked again, the same one while it can be used."""
    services, person_id = call.services, call.caller.person_id
    assert person_id is not None, "only people ask friends"
    order_id = call.path_id(Prefix.ORDER, "order")
    asked = await ask_friend(services.database, services.ids, call.book, order_id, person_id, call.at)
    view = view_friend_link(services.vault, call.book, services.settings.public_origin, asked, call.at)
    return reply(view, 201, asked.link.id)


async def get_friend_link(call: Call[Nothing, Nothing]) -> Answer:
    """A link of one's own, and whether it was paid."""
    services = call.services
    async with services.database.read() as db:
        asked = await load_asked(db, call.book, call.path_id(Prefix.FRIEND_LINK, "friend link"))
    if asked is None:
        raise not_found("friend link")
    own_person(call.caller, asked.link.asker_id, "friend link")
    return reply(view_friend_link(services.vault, call.book, services.settings.public_origin, asked, call.at))


async def cancel_friend_link(call: Call[Nothing, Nothing]) -> Answer:
    """Ask no longer."""
    services, person_id = call.services, call.caller.person_id
    assert person_id is not None, "only people ask friends"
    link_id = call.path_id(Prefix.FRIEND_LINK, "friend link")
    asked = await cancel_friend(services.database, call.book, link_id, person_id, call.at)
    return reply(view_friend_link(services.vault, call.book, services.settings.public_origin, asked, call.at))


ROUTES = (
    Route(
        method="POST",
        path="/v1/payment_links",
        operation="create_payment_link",
        summary="Make a link for a chat",
        handle=post_payment_link,
        body=NewPaymentLink,
        answers={201: PaymentLinkView},
    ),
    Route(
        method="GET",
        path="/v1/payment_links",
        operation="list_payment_links",
        summary="Links of the merchant, newest first",
        handle=get_payment_links,
        query=ListQuery,
        answers={200: PaymentLinkList},
    ),
    Route(
        method="GET",
        path="/v1/payment_links/{id}",
        operation="get_payment_link",
        summary="One link",
        handle=get_payment_link,
        answers={200: PaymentLinkView},
    ),
    Route(
        method="POST",
        path="/v1/payment_links/{id}/close",
        operation="close_payment_link",
        summary="Close a link for good",
        handle=close_payment_link,
        answers={200: PaymentLinkView},
    ),
    Route(
        method="POST",
        path="/v1/payment_links/{id}/orders",
        operation="create_link_order",
        summary="Get the order of a link that one was sent",
        handle=post_link_order,
        body=TakenUp,
        answers={201: OrderView},
    ),
    Route(
        method="POST",
        path="/v1/orders/{id}/friend_links",
        operation="create_friend_link",
        summary="Ask a friend to pay an order",
        handle=post_friend_link,
        answers={201: FriendLinkView},
    ),
    Route(
        method="GET",
        path="/v1/friend_links/{id}",
        operation="get_friend_link",
        summary="One link to a friend",
        handle=get_friend_link,
        answers={200: FriendLinkView},
    ),
    Route(
        method="POST",
        path="/v1/friend_links/{id}/cancel",
        operation="cancel_friend_link",
        summary="Ask the friend no longer",
        handle=cancel_friend_link,
        answers={200: FriendLinkView},
    ),
)
