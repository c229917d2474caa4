"""Three credit products through two months."""

from datetime import date

from msgspec import Struct

from wufeng.base.rates import year_text
from wufeng.cli.stories import products
from wufeng.cli.stories.actors import PIN, Actor, go_shopping, newest_code, return_late, start_late
from wufeng.cli.stories.stage import Ending, Stage, Story, Tell, Way, yuan
from wufeng.client import Confirmation, InlineOrder, Payment, Source, Wufeng
from wufeng.client.credit import Bill
from wufeng.client.operating import FeePlan, Merchant
from wufeng.web.paging import Door

PHONE = "+8613812345678"
BOUGHT_MINOR = 100_000
LIMIT_MINOR = 500_000
LAMP_MINOR = 129_900
A_WEEK_ON, BILLED_ON, DUE_ON, TOLD_ON, PAID_OFF_ON, LAST_OF_MONTH, ENDS_ON = (
    date(2026, 9, 10),
    date(2026, 10, 1),
    date(2026, 10, 10),
    date(2026, 10, 13),
    date(2026, 10, 15),
    date(2026, 10, 31),
    date(2026, 11, 1),
)


class Borrowers(Struct, frozen=True, kw_only=True):
    """Who else is in the story, beside its first person."""

    daily: products.Borrower
    orders: Actor
    twin: Actor


async def play(stage: Stage) -> Ending:
    """Bills, instalments, late and daily interest, early settlement, a refund."""
    operator, staff, lamp_shop, tell = stage.operator, stage.staff, stage.shop, stage.tell
    shop = await operator.merchants.create(name="West Lake Tea", scene="retail", fee_plan=FeePlan(6_000))
    assert shop.api_key is not None, "a new merchant's key is shown once"
    tell("a shop opens", f"{shop.name}, {shop.id}")
    person_id, session = await _sign_in(operator, tell)
    person = operator.as_caller(session)
    line = await staff.lines.open(
        person=person_id, product="monthly_bill", limit_minor=LIMIT_MINOR, reason="demo: a first line"
    )
    tell("staff open a credit line, with a reason", f"{yuan(line.limit_minor)} a month, {line.product}")
    payment = await _buy(operator.as_caller(shop.api_key), person, person_id, line.id, tell)
    await _refund(operator.as_caller(shop.api_key), person, shop, line.id, tell)
    tea = operator.as_caller(shop.api_key)
    late = await start_late(operator, staff, tea, tell)
    others = await _begin_with_others(operator, staff, tea, lamp_shop, tell)
    bill = await _live_a_month(operator, person, line.id, others, tea, tell)
    await _buy_lamp(person, lamp_shop, line.id, tell)
    await _see_the_month_out(operator, person, line.id, others, lamp_shop, tell)
    await _explain(staff, payment, tell)
    late = await return_late(operator, late, tell)
    shopper = await go_shopping(operator, staff, tea, lamp_shop, tell)
    people = (
        ("a shopper", shopper.session),
        ("somebody who pays late", late.session),
        ("somebody with daily interest", others.daily.actor.session),
        ("somebody with order instalments", others.orders.session),
    )
    return Ending(
        ways=(
            *(Way(who, Door.CONSUMER, token, "/app") for who, token in people),
            Way("the tea shop's till", Door.MERCHANT, shop.api_key, "/merchant"),
        ),
        credentials=(
            ("shop's key", shop.api_key),
            ("person's session", session),
            ("payment PIN", f"{PIN}   (of everybody here)"),
        ),
        read=(session, f"/v1/bills/{bill.id}"),
    )


async def _begin_with_others(
    operator: Wufeng, staff: Wufeng, tea: Wufeng, lamp_shop: Wufeng, tell: Tell
) -> Borrowers:
    return Borrowers(
        daily=await products.draw_for_a_day(operator, staff, tea, tell),
        orders=await products.buy_in_parts(operator, staff, lamp_shop, tell),
        twin=await products.start_twin(operator, staff, tea, BOUGHT_MINOR),
    )


async def _sign_in(operator: Wufeng, tell: Tell) -> tuple[str, str]:
    """By a one-time code from the test book's messages; then a payment PIN."""
    person = await operator.people.create(external_id="demo-1", phone=PHONE, name="林小满")
    public = operator.as_caller(None)
    await public.sessions.send_code(phone=PHONE)
    code = await newest_code(operator, PHONE)
    session = await public.sessions.create(phone=PHONE, code=code, device="demo phone")
    assert session.token is not None, "a new session shows its token"
    await public.sessions.send_code(phone=PHONE, purpose="pin")
    signed_in = operator.as_caller(session.token)
    await signed_in.people.set_pin(person.id, pin=PIN, code=await newest_code(operator, PHONE))
    tell("a person signs in by a one-time code and sets a PIN", f"{person.name}, {person.id}")
    return person.id, session.token


async def _buy(shop: Wufeng, person: Wufeng, person_id: str, line: str, tell: Tell) -> Payment:
    order = InlineOrder(order_no="TEA-1", amount_minor=BOUGHT_MINOR, currency="CNY", subject="Longjing tea")
    stored = await shop.orders.create(order)
    quote = await person.prices.quote(order=stored.id)
    offers = ", ".join(
        f"{option.tenor} × {yuan(option.instalments[0].amount_minor)} ({year_text(option.annualised_rate_ppm)} a year)"
        for option in quote.options
        if option.tenor and option.tenor > 1
    )
    tell("the shop's order is priced", f"{yuan(BOUGHT_MINOR)} on the next bill, free; or {offers}")
    started = await shop.payments.create(order=stored.id, payer=person_id, funding=[Source(line=line)])
    tell("the shop asks to be paid", f"{started.id} {started.status}: a merchant's word moves no money")
    payment = await person.payments.confirm(started.id, Confirmation(kind="pin", proof=PIN))
    lender = payment.funding[0].lenders[0]
    tell(
        "the person says yes, once",
        f"{payment.status}: {yuan(payment.captured_minor)} lent by {lender['name']}",
    )
    return payment


async def _refund(shop: Wufeng, person: Wufeng, merchant: Merchant, line: str, tell: Tell) -> None:
    order = InlineOrder(
        order_no="CUP-1", amount_minor=12_800, currency="CNY", subject="Tea cup", merchant=merchant.id
    )
    bought = await person.payments.create(
        order=order, funding=[Source(line=line)], confirmation=Confirmation(kind="pin", proof=PIN)
    )
    refund = await shop.refunds.create(
        payment=bought.id, refund_no="R-1", amount_minor=bought.captured_minor, reason="broken"
    )
    effect = refund.effects[0]
    tell(
        "another order is refunded",
        f"{yuan(refund.amount_minor)} {refund.status}: {effect.kind}, nothing is owed of it",
    )


async def _live_a_month(
    operator: Wufeng, person: Wufeng, line: str, others: Borrowers, tea: Wufeng, tell: Tell
) -> Bill:
    await operator.clock.advance(to_on=A_WEEK_ON)
    await products.repay_after_a_week(operator, others.daily, tea, tell)
    turned = await operator.clock.advance(to_on=BILLED_ON)
    (bill,) = [bill async for bill in person.bills.list(line=line)]
    tell(
        f"the clock turns to {BILLED_ON}, {len(turned.closes)} days are closed",
        f"a bill of {yuan(bill.total_minor)}, due {bill.due_on}",
    )
    await products.look_at_the_month_end(operator, others.daily, tell)
    await products.pay_first_part(operator, others.orders, tell)
    await operator.clock.advance(to_on=DUE_ON)
    half = await operator.repayments.create(line=line, amount_minor=BOUGHT_MINOR // 2, source="external")
    tell(
        f"on {DUE_ON} half is repaid",
        f"{yuan(half.amount_minor)} {half.status}; the rest revolves at 0.05% a day",
    )
    await products.pay_the_minimum(operator, others.daily, tell)
    await operator.clock.advance(to_on=TOLD_ON)
    await products.hear_late(operator, others.twin, BOUGHT_MINOR // 2, DUE_ON, tell)
    return await _pay_off(operator, person, line, bill.id, others, tell)


async def _pay_off(
    operator: Wufeng, person: Wufeng, line: str, bill_id: str, others: Borrowers, tell: Tell
) -> Bill:
    await operator.clock.advance(to_on=PAID_OFF_ON)
    rest = await operator.repayments.create(line=line, amount_minor="all", source="external")
    interest_minor = sum(part.amount_minor for part in rest.allocation if part.part == "late_interest")
    tell(
        f"on {PAID_OFF_ON} it is paid off",
        f"{yuan(rest.amount_minor)}, of it {yuan(interest_minor)} interest: 500.00 × 0.05% × 5 days",
    )
    bill = await person.bills.get(bill_id)
    tell("the bill", f"{bill.status}: {yuan(bill.paid_minor)} paid of {yuan(bill.total_minor)}")
    await products.compare(operator, bill, rest, others.twin, tell)
    return bill


async def _buy_lamp(person: Wufeng, lamp_shop: Wufeng, line: str, tell: Tell) -> None:
    order = InlineOrder(order_no="LAMP-1", amount_minor=LAMP_MINOR, currency="CNY", subject="Lamp “Low Moon”")
    stored = await lamp_shop.orders.create(order)
    payment = await person.payments.create(
        order=stored.id,
        funding=[Source(line=line, tenor=3)],
        confirmation=Confirmation(kind="pin", proof=PIN),
    )
    parts = " + ".join(yuan(part.amount_minor) for part in payment.funding[0].instalments)
    tell("the person buys a lamp in three months", f"{yuan(payment.amount_minor)}: {parts}")


async def _see_the_month_out(
    operator: Wufeng, person: Wufeng, line: str, others: Borrowers, lamp_shop: Wufeng, tell: Tell
) -> None:
    await operator.clock.advance(to_on=LAST_OF_MONTH)
    await products.settle_early(operator, others.orders, lamp_shop, tell)
    await operator.clock.advance(to_on=ENDS_ON)
    bill = (await person.bills.list(line=line).all())[0]
    kinds = ", ".join(f"{part.kind} {yuan(part.amount_minor)}" for part in bill.parts)
    tell(f"the bill of {ENDS_ON} has the lamp's first part", f"{yuan(bill.total_minor)}: {kinds}")


async def _explain(staff: Wufeng, payment: Payment, tell: Tell) -> None:
    async for journal in staff.journals.list(of=payment.id):
        legs = ", ".join(f"{leg.kind} {_signed(leg.amount_minor)}" for leg in journal.legs)
        tell("the journal of the tea", legs)


def _signed(minor: int) -> str:
    return f"{'−' if minor < 0 else '+'}{yuan(abs(minor))}"


STORY = Story(
    name="credit",
    description="Three credit products through two months: bills, instalments, interest, early settlement, a refund",
    play=play,
)
