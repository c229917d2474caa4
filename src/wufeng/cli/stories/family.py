"""A family card: somebody lets another spend from their line within a cap, sees it, and halts it."""

from wufeng.cli.stories.actors import PIN, Actor, arrive, said
from wufeng.cli.stories.stage import Ending, Stage, Story, Way, yuan
from wufeng.client import Confirmation, InlineOrder, Payment, Source, Wufeng
from wufeng.client.operating import FeePlan
from wufeng.web.paging import Door

OWNER_PHONE, CHILD_PHONE = "+8613812345678", "+8613900010003"
CAP_MINOR = 30_000


async def play(stage: Stage) -> Ending:
    """A month of pocket money."""
    operator, staff, tell = stage.operator, stage.staff, stage.tell
    shop = await operator.merchants.create(name="Corner Stationery", scene="retail", fee_plan=FeePlan(6_000))
    assert shop.api_key is not None, "a new merchant's key is shown once"
    till = operator.as_caller(shop.api_key)
    owner = await arrive(operator, staff, "demo-1", OWNER_PHONE, "孙静", 500_000)
    child = await arrive(operator, staff, "demo-2", CHILD_PHONE, "孙小宇", 50_000)
    mother, daughter = operator.as_caller(owner.session), operator.as_caller(child.session)
    card = await mother.family_cards.create(
        phone=CHILD_PHONE,
        name="小宇",
        line=owner.line,
        month_cap_minor=CAP_MINOR,
        confirmation=Confirmation(kind="pin", proof=PIN),
    )
    tell(
        "a mother gives her daughter a card on her line",
        f"up to {yuan(CAP_MINOR)} a month; it is {card.status}",
    )
    card = await daughter.family_cards.accept(card.id)
    tell("the daughter takes it", card.status)
    first = await _buy(till, daughter, card.id, "PEN-1", 18_000)
    tell("she buys with it", f"{said(first)}; payer is the mother's {'line' if first.funding else 'account'}")
    tell("above the month's cap it is declined", said(await _buy(till, daughter, card.id, "PEN-2", 12_001)))
    seen = [payment async for payment in mother.family_cards.payments(card.id)]
    tell("the mother sees each payment", ", ".join(said(payment) for payment in seen))
    await mother.family_cards.pause(card.id)
    tell("and halts it at once", said(await _buy(till, daughter, card.id, "PEN-3", 100)))
    return _ending(owner, child)


def _ending(owner: Actor, child: Actor) -> Ending:
    return Ending(
        ways=(
            Way("the mother's family cards", Door.CONSUMER, owner.session, "/app/family"),
            Way("the daughter's", Door.CONSUMER, child.session, "/app/family"),
        ),
        credentials=(("everybody's PIN", PIN),),
    )


async def _buy(till: Wufeng, who: Wufeng, card: str, number: str, amount_minor: int) -> Payment:
    order = InlineOrder(order_no=number, amount_minor=amount_minor, currency="CNY", subject="Pens and paper")
    stored = await till.orders.create(order)
    return await who.payments.create(
        order=stored.id,
        funding=[Source(family_card=card)],
        confirmation=Confirmation(kind="pin", proof=PIN),
    )


STORY = Story(
    name="family",
    description="A family card: spending from somebody else's line within a month's cap, seen and halted by its owner",
    play=play,
)
