"""Online: a link in a chat, a hosted checkout, an order that two people pay at once, a friend who pays."""

import asyncio

from wufeng.base.rates import year_text
from wufeng.cli.stories.actors import PIN, Actor, arrive
from wufeng.cli.stories.stage import Ending, Stage, Story, Way, yuan
from wufeng.client import ApiProblem, Confirmation, InlineOrder, Source, Wufeng
from wufeng.client.operating import FeePlan
from wufeng.web.paging import Door

PHONES = ("+8613812345678", "+8613900010002")
LIMIT_MINOR = 800_000


async def play(stage: Stage) -> Ending:
    """A bookshop sells without a counter."""
    operator, staff, tell = stage.operator, stage.staff, stage.tell
    shop = await operator.merchants.create(name="Harbour Books", scene="retail", fee_plan=FeePlan(6_000))
    assert shop.api_key is not None, "a new merchant's key is shown once"
    books = operator.as_caller(shop.api_key)
    reader = await arrive(operator, staff, "demo-1", PHONES[0], "王若溪", LIMIT_MINOR)
    friend = await arrive(operator, staff, "demo-2", PHONES[1], "赵明川", LIMIT_MINOR)
    await _offers(operator, shop.id, stage)
    await _link(operator, books, reader, stage)
    await _raced(operator, books, (reader, friend), stage)
    asked = await _asked(operator, books, reader, friend, stage)
    order = await books.orders.create(_book("BOOK-9", 89_900))
    page = await books.checkout_sessions.create(order=order.id, return_url=f"{stage.url}/app")
    tell("an order waits on its hosted page", page.url)
    return Ending(
        ways=(
            Way("the reader, on the checkout", Door.CONSUMER, reader.session, page.url),
            Way("the friend's receipt", Door.CONSUMER, friend.session, f"/app/payments/{asked}"),
            Way("the bookshop's links", Door.MERCHANT, shop.api_key, "/merchant/orders"),
        ),
        credentials=(("the bookshop's API key", shop.api_key), ("everybody's PIN", PIN)),
    )


async def _offers(operator: Wufeng, shop: str, stage: Stage) -> None:
    offers = await operator.as_caller(None).prices.offers(merchant=shop, amount_minor=89_900)
    longest = max(offers, key=lambda offer: offer.tenor)
    stage.tell(
        "the product page says what a month costs, before anybody signs in",
        f"{longest.tenor} × {yuan(longest.instalment_minor)}, {yuan(longest.total_cost_minor)} in all,"
        f" {year_text(longest.annualised_rate_ppm)} a year",
    )


async def _link(operator: Wufeng, books: Wufeng, reader: Actor, stage: Stage) -> None:
    link = await books.payment_links.create(amount_minor=12_800, subject="A book of maps")
    stage.tell("the shop sends a link in a chat", link.url)
    me = operator.as_caller(reader.session)
    order = await me.payment_links.order(link.id, token=link.url.rsplit("/", 1)[-1])
    paid = await me.payments.create(
        order=order.id, funding=[Source(line=reader.line)], confirmation=Confirmation(kind="pin", proof=PIN)
    )
    stage.tell("whoever has it pays", f"{yuan(paid.amount_minor)} {paid.status}")


async def _raced(operator: Wufeng, books: Wufeng, two: tuple[Actor, Actor], stage: Stage) -> None:
    order = await books.orders.create(_book("BOOK-2", 8_800))

    async def pay(who: Actor) -> str:
        try:
            paid = await operator.as_caller(who.session).payments.create(
                order=order.id,
                funding=[Source(line=who.line)],
                confirmation=Confirmation(kind="pin", proof=PIN),
            )
        except ApiProblem as problem:
            return f"{problem.status} {problem.code}"
        return paid.status

    said = await asyncio.gather(*(pay(who) for who in two))
    stage.tell("two people pay one order in the same second", " and ".join(said))


async def _asked(operator: Wufeng, books: Wufeng, reader: Actor, friend: Actor, stage: Stage) -> str:
    """A friend pays what somebody else has ordered; returns the payment."""
    order = await books.orders.create(_book("BOOK-3", 15_600))
    await books.payments.create(order=order.id, payer=reader.person, funding=[Source(line=reader.line)])
    link = await operator.as_caller(reader.session).friend_links.create(order.id)
    stage.tell("the reader asks a friend to pay", link.url)
    them = operator.as_caller(friend.session)
    scan = await them.scans.read(link.url)
    stage.tell(
        "the friend sees who asks, masked",
        f"{scan.asked_by}: {scan.subject}, {yuan(scan.amount_minor or 0)}",
    )
    paid = await them.payments.create(
        order=order.id, funding=[Source(line=friend.line)], confirmation=Confirmation(kind="pin", proof=PIN)
    )
    after = await operator.as_caller(reader.session).friend_links.get(link.id)
    stage.tell("and pays from their own line", f"{paid.status}; the reader's link is {after.status}")
    return paid.id


def _book(number: str, amount_minor: int) -> InlineOrder:
    return InlineOrder(order_no=number, amount_minor=amount_minor, currency="CNY", subject="Books")


STORY = Story(
    name="online",
    description="Online: offers, a link in a chat, one order paid by two at once, a friend who pays, the checkout",
    play=play,
)
