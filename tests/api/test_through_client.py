"""The typed client over the whole application: what its views read of every part, and one life of a payment."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from uuid import UUID

import httpx
import pytest

from wufeng.base.errors import Code
from wufeng.base.ids import Prefix, decode
from wufeng.client import (
    ApiProblem,
    Call,
    Confirmation,
    FeePlan,
    InlineOrder,
    Merchant,
    Patience,
    Source,
    Wufeng,
)
from wufeng.identity.staff.model import Role

from .conftest import PIN, Api

YES = Confirmation(kind="pin", proof=PIN)


@pytest.fixture
async def platform(api: Api) -> AsyncIterator[Wufeng]:
    """The client of the operator's own server."""
    transport = httpx.ASGITransport(api.app.api(), raise_app_exceptions=False)
    async with Wufeng(
        "http://test", api.platform, transport=transport, language="zh", patience=Patience(deadline_s=10)
    ) as client:
        yield client


async def new_person(platform: Wufeng, number: int = 1) -> tuple[str, Wufeng]:
    """Sign up as a phone does: a code, a session, a PIN."""
    phone = f"+86139000000{number:02d}"
    person = await platform.people.create(external_id=f"p{number}", phone=phone, name="王芳")
    assert await platform.people.create(external_id=f"p{number}", phone=phone, name="王芳") == person, (
        "safe to repeat"
    )
    anyone = platform.as_caller(None)
    await anyone.sessions.send_code(phone=phone)
    (message,) = (await platform.messages.list(phone=phone).page()).data
    session = await anyone.sessions.create(phone=phone, code=message.code, device="phone")
    me = platform.as_caller(session.token)
    await anyone.sessions.send_code(phone=phone, purpose="pin")
    message = (await platform.messages.list(phone=phone, limit=1).page()).data[0]
    await me.people.set_pin(person.id, pin=PIN, code=message.code)
    stepped = await me.sessions.step_up(pin=PIN)
    assert (stepped.auth_level, stepped.person) == ("pin", person.id)
    return person.id, platform.as_caller(stepped.token)


async def new_shop(platform: Wufeng) -> tuple[Merchant, Wufeng]:
    merchant = await platform.merchants.create(name="茶", scene="retail", fee_plan=FeePlan(6_000))
    assert merchant.api_key is not None
    return merchant, platform.as_caller(merchant.api_key)


def order(number: str, amount_minor: int, merchant: str | None = None) -> InlineOrder:
    return InlineOrder(
        order_no=number, amount_minor=amount_minor, currency="CNY", subject="tea", merchant=merchant
    )


async def test_a_life_on_credit(api: Api, platform: Wufeng) -> None:
    """Sign up, a line, an order, a quote, a payment, a refund, a bill, a repayment; each read again by who may."""
    person, me = await new_person(platform)
    _, shop = await new_shop(platform)
    staff = platform.as_caller(await api.new_staff(Role.ADMIN))
    line = await staff.lines.open(person=person, product="monthly_bill", limit_minor=500_000, reason="a test")
    assert (await me.lines.get(line.id)).available_minor == 500_000

    placed = await shop.orders.create(order("A-1", 120_000))
    assert await shop.orders.create(order("A-1", 120_000)) == placed
    quote = await me.prices.quote(order=placed.id)
    option = next(one for one in quote.options if one.available and one.tenor in (None, 1))
    paid = await me.payments.create(order=placed.id, quote_option=option.id, confirmation=YES)
    assert (paid.status, paid.funding[0].kind, paid.funding[0].line) == ("captured", "line", line.id)
    assert await me.payments.get(paid.id) == paid
    assert (await shop.payments.get(paid.id)).fee_minor == 720
    assert [one.id async for one in me.payments.list(status="captured")] == [paid.id]

    await api.catch_up()
    assert (await shop.orders.get(placed.id)).state == "paid"
    refund = await shop.refunds.create(payment=paid.id, refund_no="R-1", amount_minor=20_000, reason="broken")
    assert (refund.status, sum(effect.amount_minor for effect in refund.effects)) == ("posted", 20_000)
    assert await shop.refunds.get(refund.id) == refund
    (went,) = (await me.refunds.explain(refund.id)).amounts
    assert (went.amount_minor, [step.amount_minor for step in went.steps]) == (20_000, [20_000])
    assert (await me.lines.get(line.id)).used_minor == 100_000
    (draw,) = await me.lines.draws(line.id).all()
    assert (draw.payment, draw.amount_minor) == (paid.id, 120_000)

    turned = await platform.clock.advance(to_on=date(2026, 10, 1))
    assert (turned.clock.business_on, len(turned.closes)) == (date(2026, 10, 1), 28)
    assert (await platform.clock.get()).business_on == date(2026, 10, 1)
    (bill,) = await me.bills.list(line=line.id).all()
    assert (bill.total_minor, bill.status, bill.issued_on) == (100_000, "open", date(2026, 10, 1))
    assert await me.bills.get(bill.id) == bill
    assert b"100" in await me.bills.csv(bill.id)
    assert (await me.bills.pdf(bill.id)).startswith(b"%PDF-")
    explained = await me.bills.explain(bill.id)
    assert (explained.amounts[0].code, explained.amounts[0].amount_minor) == ("total", bill.total_minor)
    repaid = await platform.repayments.create(line=line.id, amount_minor="all", source="external")
    assert (repaid.status, repaid.amount_minor) == ("posted", 100_000)
    assert sum(piece.amount_minor for piece in repaid.allocation) == 100_000
    assert (await me.bills.get(bill.id)).status == "paid"
    assert (await me.lines.get(line.id)).used_minor == 0

    assert paid.decision is not None
    assert (await staff.decisions.get(paid.decision)).outcome == "allow"
    legs = [leg for journal in await staff.journals.list(of=paid.id).all() for leg in journal.legs]
    assert sum(leg.amount_minor for leg in legs) == 0
    assert legs


async def test_the_feed_as_it_happens(api: Api, platform: Wufeng) -> None:
    person, me = await new_person(platform)
    merchant, shop = await new_shop(platform)
    line = await api.open_line(_id(person), 500_000)
    seen: list[str] = []

    async def follow() -> None:
        async for event in shop.events.follow(poll_s=0.02):
            seen.append(event.type)
            if len(seen) == 3:
                return

    following = asyncio.create_task(follow())
    await asyncio.sleep(0.3)
    await me.payments.create(
        order=order("A-1", 1_000, merchant.id), funding=[Source(line=line)], confirmation=YES
    )
    await asyncio.wait_for(following, 20)
    assert seen == ["payment.captured", "order.paid", "draw.posted"]


def _id(text: str) -> UUID:
    return decode(Prefix.PERSON, text)


async def test_a_decline_is_an_answer_and_a_problem_is_raised(api: Api, platform: Wufeng) -> None:
    person, me = await new_person(platform)
    merchant, shop = await new_shop(platform)
    line = await api.open_line(_id(person), 50_000)
    declined = await me.payments.create(
        order=order("A-1", 60_000, merchant.id),
        funding=[Source(line=line)],
        confirmation=YES,
        idempotency_key="k",
    )
    assert declined.is_declined
    assert declined.reasons[0].code == "limit_exceeded"
    again = await me.payments.create(
        order=order("A-1", 60_000, merchant.id),
        funding=[Source(line=line)],
        confirmation=YES,
        idempotency_key="k",
    )
    assert again == declined
    (by_key,) = await me.payments.list(idempotency_key="k").all()
    assert by_key == declined
    with pytest.raises(ApiProblem) as reused:
        await me.payments.create(
            order=order("A-1", 60_001, merchant.id),
            funding=[Source(line=line)],
            confirmation=YES,
            idempotency_key="k",
        )
    assert reused.value.code is Code.IDEMPOTENCY_KEY_REUSED
    with pytest.raises(ApiProblem) as wrong:
        await me.payments.create(
            order=order("A-2", 500, merchant.id),
            funding=[Source(line=line)],
            confirmation=Confirmation(kind="pin", proof="000000"),
        )
    assert (wrong.value.code, wrong.value.extra["tries_left"]) == (Code.CONFIRMATION_FAILED, 4)
    with pytest.raises(ApiProblem) as absent:
        await shop.payments.get("pay_01h455vb4pex5vsknk084sn02q")
    assert absent.value.code is Code.NOT_FOUND
    with pytest.raises(ApiProblem) as bad:
        await me.payments.create(order=order("A-3", 0, merchant.id), funding=[Source(line=line)])
    assert bad.value.errors[0].pointer == "/order/amount_minor"


async def test_authorise_capture_void_and_refuse(api: Api, platform: Wufeng) -> None:
    person, me = await new_person(platform)
    _, shop = await new_shop(platform)
    line = await api.open_line(_id(person), 500_000)
    started = await shop.payments.create(order=order("A-1", 10_000), payer=person, capture="later")
    assert started.status == "requires_action"
    assert started.next_action is not None
    authorised = await me.payments.confirm(started.id, YES, funding=[Source(line=line)])
    assert authorised.status == "authorised"
    part = await shop.payments.capture(started.id, amount_minor=4_000, final=False)
    assert (part.captured_minor, part.status) == (4_000, "authorised")
    voided = await shop.payments.void(started.id)
    assert voided.captured_minor == 4_000
    second = await shop.payments.create(order=order("A-2", 10_000), payer=person)
    assert (await me.payments.refuse(second.id)).is_declined


async def test_keys_accounts_and_addresses(api: Api, platform: Wufeng) -> None:
    _, me = await new_person(platform)
    merchant, shop = await new_shop(platform)
    key = await shop.api_keys.create(name="read only", scopes=["read"])
    assert key.secret is not None
    assert key.secret not in repr(key)
    assert {one.id for one in await shop.api_keys.list().all()} >= {key.id}
    assert (await shop.api_keys.revoke(key.id)).revoked_at is not None
    account = await me.bank_accounts.create(number="6222021234567890123", bank="ICBC")
    assert account.number.endswith("0123")
    assert [one.id async for one in me.bank_accounts.list()] == [account.id]
    endpoint = await shop.webhook_endpoints.create("https://receiver.example/hook", ["order.paid"])
    assert endpoint.secret is not None
    assert [one.id for one in await shop.webhook_endpoints.list()] == [endpoint.id]
    assert await shop.webhook_endpoints.deliveries(endpoint.id).all() == []
    assert (await shop.webhook_endpoints.delete(endpoint.id)).status == "deleted"
    assert (await platform.merchants.get(merchant.id)).api_key is None
    assert (await platform.send(Call(method="GET", path="/healthz"))).body == b'{"status":"ok"}'
