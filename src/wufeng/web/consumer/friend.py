"""A friend pays: asking for it, what the friend sees, and the result as it comes to who asked."""

import asyncio
from collections.abc import AsyncIterator

from wufeng.base.errors import Code, not_found
from wufeng.base.ids import Prefix, encode
from wufeng.client import ApiProblem
from wufeng.identity import own_person
from wufeng.payments import find_order
from wufeng.payments.friend_links.model import FriendLinkStatus, FriendLinkView
from wufeng.payments.friend_links.queries import Asked, load_asked
from wufeng.payments.friend_links.rules import problem_if_no_friend
from wufeng.payments.friend_links.views import view_friend_link
from wufeng.payments.merchant_codes.views import drawn
from wufeng.payments.scans.model import Aim, Kind, Standing
from wufeng.web.consumer.scan import found_by_token, look_up, to_page_of
from wufeng.web.merchant.take import own_address
from wufeng.web.paging import Door, Reply, Visit, pages_of
from wufeng.web.texts import as_markup

ROUNDS = 15 * 60
"""How often a live result looks, once a second, before the page has to ask again."""

LOOKS_EVERY_S = 1.0
WAITING = (FriendLinkStatus.OPEN, FriendLinkStatus.TAKEN)


async def ask(visit: Visit) -> Reply:
    """Before a link is made: which order, and what a friend will see of it."""
    order_id = visit.path_id(Prefix.ORDER, "order")
    services = visit.services
    async with services.database.read() as db:
        order = await find_order(db, visit.book, order_id)
        if order is None:
            raise not_found("order")
        merchant = (await services.merchants.load(db, [order.terms.merchant_id]))[order.terms.merchant_id]
    return visit.show(
        "consumer/friend_ask.html",
        order=order.terms,
        merchant=merchant,
        payable=problem_if_no_friend(order, visit.at) is None,
        expires_at=order.terms.expires_at,
        return_url=None,
    )


async def make(visit: Visit) -> Reply:
    """Make the link: pressed twice, the same one."""
    order = encode(Prefix.ORDER, visit.path_id(Prefix.ORDER, "order"))
    try:
        link = await visit.api.friend_links.create(order)
    except ApiProblem as problem:
        if problem.code not in (Code.ORDER_TAKEN, Code.STATE_CONFLICT):
            raise
        return visit.go(visit.path)
    return visit.go(f"/app/friend-links/{link.id}")


async def show_own(visit: Visit) -> Reply:
    """The visitor's own link: what to send, and whether it was paid."""
    asked = await _own(visit)
    view = _view(visit, asked)
    async with visit.services.database.read() as db:
        merchants = await visit.services.merchants.load(db, [asked.order.terms.merchant_id])
    waits = view.status in WAITING
    return visit.show(
        "consumer/friend_link.html",
        link=view,
        merchant=merchants[asked.order.terms.merchant_id],
        order=asked.order.terms,
        expires_at=view.expires_at,
        qr=as_markup(drawn(view.url)) if waits else None,
        return_url=None,
        state=view.status.value,
    )


async def cancel(visit: Visit) -> Reply:
    """Ask no longer."""
    link_id = encode(Prefix.FRIEND_LINK, visit.path_id(Prefix.FRIEND_LINK, "friend link"))
    try:
        await visit.api.friend_links.cancel(link_id)
    except ApiProblem as problem:
        if problem.code is not Code.STATE_CONFLICT:
            raise
    return visit.go(f"/app/friend-links/{link_id}")


async def live(visit: Visit) -> Reply:
    """What becomes of the visitor's link: an event at each change, the last one when it has ended."""
    await _own(visit)
    return Reply(media_type="text/event-stream", stream=_changes(visit, visit.field("seen")))


async def _changes(visit: Visit, seen: str) -> AsyncIterator[bytes]:
    """One indexed read a second. A piece that tells the end has no source of more in it."""
    for _ in range(ROUNDS):
        visit.in_book(visit.services.books[visit.book.id])  # its clock moves on
        view = _view(visit, await _own(visit))
        if view.status.value != seen:
            yield _event(visit, view, view.status.value)
            seen = view.status.value
        if view.status not in WAITING:
            await asyncio.sleep(3 * LOOKS_EVERY_S)  # for the browser to end it
            return
        await asyncio.sleep(LOOKS_EVERY_S)
        yield b": still here\n\n"
    yield _event(visit, _view(visit, await _own(visit)), "asleep")


def _event(visit: Visit, view: FriendLinkView, state: str) -> bytes:
    html = visit.show("consumer/_friend_live.html", link=view, state=state).body.decode()
    lines = "".join(f"data: {line}\n" for line in html.splitlines() if line.strip())
    return f"event: state\n{lines}\n".encode()


async def show_friend(visit: Visit) -> Reply:
    """What the friend sees: who asks, for what, and how much. Whoever asked sees their own page."""
    token = visit.values["id"]
    link_id = found_by_token(visit, Prefix.FRIEND_LINK, token)
    async with visit.services.database.read() as db:
        asked = await load_asked(db, visit.book, link_id)
    if asked is None:
        raise not_found("code")
    if visit.caller_or_none is not None and visit.caller.person_id == asked.link.asker_id:
        return visit.go(f"/app/friend-links/{encode(Prefix.FRIEND_LINK, link_id)}")
    seen = await look_up(visit, Aim(Kind.FRIEND_LINK, link_id))
    return visit.show(
        "consumer/offer.html",
        seen=seen,
        known_minor=seen.amount_minor,
        typed="",
        error="",
        is_open=seen.status is Standing.OPEN,
        back_here=visit.path,
        return_url=None,
    )


async def pay_for_friend(visit: Visit) -> Reply:
    """Go on to the order's page, to pay it by one's own means."""
    link_id = found_by_token(visit, Prefix.FRIEND_LINK, visit.values["id"])
    if visit.caller_or_none is None:
        return visit.go(visit.page.door.sign_in)
    seen = await look_up(visit, Aim(Kind.FRIEND_LINK, link_id))
    if seen.status is not Standing.OPEN:
        return visit.go(visit.path)
    async with visit.services.database.read() as db:
        asked = await load_asked(db, visit.book, link_id)
    assert asked is not None, "it was there a moment ago"
    return await to_page_of(visit, asked.link.order_id)


async def _own(visit: Visit) -> Asked:
    """The link in the path. Another person's is not there."""
    link_id = visit.path_id(Prefix.FRIEND_LINK, "friend link")
    async with visit.services.database.read() as db:
        asked = await load_asked(db, visit.book, link_id)
    if asked is None:
        raise not_found("friend link")
    own_person(visit.caller, asked.link.asker_id, "friend link")
    return asked


def _view(visit: Visit, asked: Asked) -> FriendLinkView:
    return view_friend_link(visit.services.vault, visit.book, own_address(visit), asked, visit.at)


page = pages_of(Door.CONSUMER)

PAGES = (
    page("GET", "/app/orders/{id}/friend", "app_friend", ask),
    page("POST", "/app/orders/{id}/friend", "app_friend_send", make),
    page("GET", "/app/friend-links/{id}", "app_friend_link", show_own),
    page("GET", "/app/friend-links/{id}/live", "app_friend_link_live", live),
    page("POST", "/app/friend-links/{id}/cancel", "app_friend_link_cancel", cancel),
    page("GET", "/f/{id}", "friend_link", show_friend),
    page("POST", "/f/{id}", "friend_link_send", pay_for_friend),
)
