"""The demo's other people: one who shops, and one whose bill is overdue. Told over HTTP by the typed client."""

import asyncio
from collections.abc import Awaitable, Callable

from msgspec import Struct

from wufeng.cli.stories.stage import Tell, yuan
from wufeng.client import ApiProblem, Confirmation, InlineOrder, Payment, Source, Wufeng

PIN = "190372"
SHOPPER_PHONE, LATE_PHONE = "+8613800010001", "+8613800010002"
SHOPPER_LIMIT_MINOR, LATE_LIMIT_MINOR = 800_000, 300_000
TOPPED_UP_MINOR = 88_000
BANK_ANSWERS_WITHIN_S = 15.0


class Actor(Struct, frozen=True):
    """A person who is signed in, with a line."""

    person: str
    session: str
    line: str

    def __repr__(self) -> str:
        return f"Actor({self.person})"


async def start_late(operator: Wufeng, staff: Wufeng, shop: Wufeng, tell: Tell) -> Actor:
    """In September somebody buys a tea set, and will not pay the bill for it."""
    late = await arrive(operator, staff, "demo-3", LATE_PHONE, "周远航", LATE_LIMIT_MINOR)
    payment = await buy(operator, late, shop, "SET-1", "Tea set for six", 86_400, Source(line=late.line))
    tell("somebody buys and will pay late", f"{yuan(payment.amount_minor)} {payment.status}")
    return late


async def return_late(operator: Wufeng, late: Actor, tell: Tell) -> Actor:
    """Signed in again after the month: the bill is overdue by now."""
    session = await _sign_in(operator, LATE_PHONE)
    me = operator.as_caller(session)
    bills = await me.bills.list(line=late.line).all()
    overdue = next(bill for bill in bills if bill.status == "overdue")
    tell("their bill was not paid", f"{overdue.status}: {yuan(overdue.total_minor)}, due {overdue.due_on}")
    return Actor(late.person, session, late.line)


async def go_shopping(operator: Wufeng, staff: Wufeng, tea: Wufeng, lamps: Wufeng, tell: Tell) -> Actor:
    """A shopper with a fresh line and a few purchases: on the next bill, in instalments, from the balance."""
    shopper = await arrive(operator, staff, "demo-2", SHOPPER_PHONE, "陈一诺", SHOPPER_LIMIT_MINOR)
    balance_minor = await _top_up(operator, shopper)
    line = shopper.line
    bought = [
        await buy(operator, shopper, tea, "TEA-2", "Longjing tea, spring harvest", 26_800, Source(line=line)),
        await buy(operator, shopper, lamps, "LAMP-0", "Lamp “Low Moon”", 129_900, Source(line=line, tenor=3)),
    ]
    if balance_minor:
        wallet = Source(wallet=(await operator.people.get(shopper.person)).wallet)
        bought.append(await buy(operator, shopper, tea, "CUP-2", "Two tea cups", 12_800, wallet))
    sums = ", ".join(f"{yuan(payment.amount_minor)} {payment.status}" for payment in bought)
    tell("a shopper tops up and buys", f"{yuan(balance_minor)} in the balance; {sums}")
    return shopper


def said(payment: Payment) -> str:
    """A payment in a line: how much, what became of it, and why not."""
    why = "".join(f", {reason.text}" for reason in payment.reasons[:1])
    return f"{yuan(payment.amount_minor)} {payment.status}{why}"


async def scan(till: Wufeng, code: str, order: InlineOrder) -> str:
    """What a till hears that scans a pay code."""
    try:
        return said(await till.payments.create(order=order, pay_code=code))
    except ApiProblem as problem:
        return f"{problem.status} {problem.code}"


async def newest_code(operator: Wufeng, phone: str) -> str:
    """The code that a test book would have sent."""
    async for message in operator.messages.list(phone=phone, limit=1):
        return message.code
    raise AssertionError("a test book keeps the messages it would have sent")


async def arrive(
    operator: Wufeng,
    staff: Wufeng,
    number: str,
    phone: str,
    name: str,
    limit_minor: int,
    *,
    product: str = "monthly_bill",
) -> Actor:
    """A new person with a PIN and a line, signed in."""
    person = await operator.people.create(external_id=number, phone=phone, name=name)
    session = await _sign_in(operator, phone)
    await operator.as_caller(None).sessions.send_code(phone=phone, purpose="pin")
    code = await newest_code(operator, phone)
    await operator.as_caller(session).people.set_pin(person.id, pin=PIN, code=code)
    line = await staff.lines.open(
        person=person.id, product=product, limit_minor=limit_minor, reason="demo: somebody to look at"
    )
    return Actor(person.id, session, line.id)


async def _sign_in(operator: Wufeng, phone: str) -> str:
    public = operator.as_caller(None)
    await public.sessions.send_code(phone=phone)
    code = await newest_code(operator, phone)
    session = await public.sessions.create(phone=phone, code=code, device="demo browser")
    assert session.token is not None, "a new session shows its token"
    return session.token


async def buy(
    operator: Wufeng, who: Actor, shop: Wufeng, number: str, subject: str, amount_minor: int, source: Source
) -> Payment:
    """Order something and pay for it, with the PIN."""
    order = InlineOrder(order_no=number, amount_minor=amount_minor, currency="CNY", subject=subject)
    stored = await shop.orders.create(order)
    return await operator.as_caller(who.session).payments.create(
        order=stored.id, funding=[source], confirmation=Confirmation(kind="pin", proof=PIN)
    )


async def _top_up(operator: Wufeng, who: Actor) -> int:
    """What the test bank has brought; 0 when this installation holds no balances, or the bank takes its time."""
    me = operator.as_caller(who.session)
    wallet = (await operator.people.get(who.person)).wallet
    try:
        account = await bind_account(me, "6222021234567890110")
        await me.wallets.top_up(wallet, amount_minor=TOPPED_UP_MINOR, bank_account=account)
    except ApiProblem:
        return 0
    return await until(lambda: _available_minor(me, wallet))


async def bind_account(me: Wufeng, number: str) -> str:
    """A bank account of theirs, once the test bank has found that it is."""
    account = await me.bank_accounts.create(number=number, bank="ICBC")
    await until(lambda: _verified(me))
    return account.id


async def _verified(me: Wufeng) -> int:
    """How many bank accounts the bank has found to be theirs."""
    return len([account async for account in me.bank_accounts.list() if account.status == "verified"])


async def _available_minor(me: Wufeng, wallet: str) -> int:
    return (await me.wallets.get(wallet)).available_minor


async def until(look: Callable[[], Awaitable[int]]) -> int:
    """What a look tells once it tells something; 0 when the bank takes its time."""
    for _ in range(int(BANK_ANSWERS_WITHIN_S * 10)):
        if found := await look():
            return found
        await asyncio.sleep(0.1)
    return 0
