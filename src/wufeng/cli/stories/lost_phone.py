"""A lost phone: everything stops by one call, and a new number cools down before it may spend much."""

from wufeng.cli.stories.actors import PIN, arrive, newest_code, said, scan
from wufeng.cli.stories.stage import Ending, Stage, Story, Way
from wufeng.client import ApiProblem, Confirmation, InlineOrder, Source, Wufeng
from wufeng.client.operating import FeePlan
from wufeng.web.paging import Door

PHONE, NEW_PHONE = "+8613812345678", "+8613900010009"


async def play(stage: Stage) -> Ending:
    """From the loss to a new phone."""
    operator, staff, tell = stage.operator, stage.staff, stage.tell
    shop = await operator.merchants.create(name="West Lake Tea", scene="retail", fee_plan=FeePlan(6_000))
    assert shop.api_key is not None, "a new merchant's key is shown once"
    till = operator.as_caller(shop.api_key)
    owner = await arrive(operator, staff, "demo-1", PHONE, "陆远", 500_000)
    me = operator.as_caller(owner.session)
    held = await me.payments.create(
        order=(await till.orders.create(_tea("TEA-1", 26_000))).id,
        funding=[Source(line=owner.line)],
        capture="later",
        confirmation=Confirmation(kind="pin", proof=PIN),
    )
    code = (await me.pay_codes.create(funding=[Source(line=owner.line)])).code
    tell("before the loss", f"{said(held)}; a pay code is on the screen")
    public = operator.as_caller(None)
    await public.sessions.send_code(phone=PHONE, purpose="freeze")
    await public.people.freeze_by_phone(phone=PHONE, code=await newest_code(operator, PHONE), pin=PIN)
    tell("from any other phone: number, one-time code and PIN", "everything stops")
    tell("the session of the lost phone", await _refusal(me))
    tell("its pay code at a till", await scan(till, code, _tea("TEA-3", 5_000)))
    held = await till.payments.get(held.id)
    tell("what was held stays held", held.status)
    await staff.people.unfreeze(owner.person, reason="demo: proved who they are at the counter")
    session = await _sign_in(operator, PHONE)
    me = operator.as_caller(session)
    await me.people.send_phone_code(owner.person, phone=NEW_PHONE)
    person = await me.people.change_phone(
        owner.person, phone=NEW_PHONE, code=await newest_code(operator, NEW_PHONE), pin=PIN
    )
    tell("on a new phone they change their number", f"now {person.phone}")
    order = await till.orders.create(_tea("TEA-2", 30_000))
    large = await me.payments.create(
        order=order.id, funding=[Source(line=owner.line)], confirmation=Confirmation(kind="pin", proof=PIN)
    )
    tell("a new phone with a new number cools down: little may be paid", said(large))
    return Ending(
        ways=(Way("the owner's devices and sessions", Door.CONSUMER, session, "/app/me"),),
        credentials=(("the owner's PIN", PIN),),
    )


async def _sign_in(operator: Wufeng, phone: str) -> str:
    public = operator.as_caller(None)
    await public.sessions.send_code(phone=phone)
    code = await newest_code(operator, phone)
    session = await public.sessions.create(phone=phone, code=code, device="a new phone")
    assert session.token is not None, "a new session shows its token"
    return session.token


async def _refusal(caller: Wufeng) -> str:
    try:
        await caller.sessions.list().all()
    except ApiProblem as problem:
        return f"{problem.status} {problem.code}"
    return "lives on"


def _tea(number: str, amount_minor: int) -> InlineOrder:
    return InlineOrder(order_no=number, amount_minor=amount_minor, currency="CNY", subject="Tea")


STORY = Story(
    name="lost-phone",
    description="A lost phone: one call stops everything, what is held stays, and a new number cools down first",
    play=play,
)
