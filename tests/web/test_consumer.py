"""The consumer app as a browser without scripts meets it: forms, redirects, cookies, and what they do to the money."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID

import httpx
import pytest
from msgspec.structs import replace
from tests.cases import cases

from wufeng import ledger
from wufeng.app import App, Background, Draft, Founded, found, opened
from wufeng.base.books import Mode
from wufeng.base.clock import FixedClock
from wufeng.base.config import Settings
from wufeng.base.ids import Prefix, decode, encode
from wufeng.client import Confirmation, InlineOrder, Source, Wufeng
from wufeng.client.operating import FeePlan, Merchant
from wufeng.client.people import Person

NOON = datetime(2026, 9, 3, 4, 0, tzinfo=UTC)
PIN = "190372"
URL = "http://test"


class Browser:
    """A browser without scripts: it keeps cookies and sends forms with where they come from."""

    def __init__(self, app: App) -> None:
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app.site()), base_url=URL, headers={"accept-language": "en"}
        )
        self.at = "/"

    async def get(self, path: str) -> httpx.Response:
        """Look at a page."""
        answer = await self.http.get(path)
        if answer.status_code == 200:
            self.at = path
        return answer

    async def post(self, path: str, **fields: str) -> httpx.Response:
        """Send a form of the page that was looked at last."""
        headers = {
            "origin": URL,
            "referer": f"{URL}{self.at}",
            "content-type": "application/x-www-form-urlencoded",
        }
        return await self.http.post(path, content=urlencode(fields), headers=headers)

    def keep(self, token: str) -> "Browser":
        """Be signed in."""
        self.http.headers["cookie"] = f"wufeng_person={token}"
        return self


class Street:
    """A test book with people and shops, arranged by the calls that anybody could make."""

    def __init__(self, app: App, clock: FixedClock, operator: Wufeng, staff: Wufeng) -> None:
        self.app, self.clock, self.operator, self.staff = app, clock, operator, staff
        self.numbers = 0

    async def person(self, *, limit_minor: int = 0, pin: bool = True) -> "Shopper":
        """A signed-in person, with a PIN, and a line if there is a limit."""
        self.numbers += 1
        phone = f"+8613900{self.numbers:06d}"
        person = await self.operator.people.create(external_id=phone, phone=phone, name="林小满")
        nobody = self.operator.as_caller(None)
        await nobody.sessions.send_code(phone=phone)
        session = await nobody.sessions.create(phone=phone, code=await self.code(phone))
        assert session.token is not None
        api, line = self.operator.as_caller(session.token), ""
        if pin:
            await nobody.sessions.send_code(phone=phone, purpose="pin")
            await api.people.set_pin(person.id, pin=PIN, code=await self.code(phone))
        if limit_minor:
            opened_line = await self.staff.lines.open(
                person=person.id, product="monthly_bill", limit_minor=limit_minor, reason="test"
            )
            line = opened_line.id
        return Shopper(person, phone, session.token, api, line, Browser(self.app).keep(session.token))

    async def code(self, phone: str) -> str:
        """The newest code that would have been sent to a phone."""
        async for message in self.operator.messages.list(phone=phone, limit=1):
            return message.code
        raise AssertionError("no code was sent")

    async def shop(self) -> tuple[Merchant, Wufeng]:
        """A merchant and its API."""
        merchant = await self.operator.merchants.create(
            name="青禾家居旗舰店", scene="home", fee_plan=FeePlan(6_000)
        )
        return merchant, self.operator.as_caller(merchant.api_key)

    async def checkout(self, shop: Wufeng, amount_minor: int) -> str:
        """The path of a checkout page for a fresh order."""
        self.numbers += 1
        order = await shop.orders.create(
            InlineOrder(
                order_no=f"T{self.numbers}", amount_minor=amount_minor, currency="CNY", subject="Desk"
            )
        )
        session = await shop.checkout_sessions.create(order=order.id, return_url="https://shop.example/back")
        return session.url

    async def turn(self, days: int) -> None:
        """Turn the book's clock."""
        await self.operator.clock.advance(days=days)


class Shopper:
    """A person with a phone, an API and a browser."""

    def __init__(
        self, person: Person, phone: str, token: str, api: Wufeng, line: str, browser: Browser
    ) -> None:
        self.person, self.phone, self.token, self.api = person, phone, token, api
        self.line, self.browser = line, browser

    async def payments(self) -> list[str]:
        """The states of all payments, the newest first."""
        return [payment.status async for payment in self.api.payments.list()]


@pytest.fixture
async def street(settings: Settings, founded: Founded) -> AsyncIterator[Street]:
    clock = FixedClock(NOON)
    own = replace(settings, webhooks_to_private_addresses=True)
    await found(own, [Draft(name="other", mode=Mode.TEST)], clock=clock)
    async with opened(own, clock=clock, background=Background.OFF) as app:
        key = founded.secrets.platform_keys["test"]
        transport = httpx.ASGITransport(app.api())
        async with Wufeng(URL, key, book="test", transport=transport) as operator:
            login, password = founded.secrets.staff_login, founded.secrets.staff_password
            session = await operator.as_caller(None).staff.sign_in(
                login=login, password=password, book="test"
            )
            yield Street(app, clock, operator, operator.as_caller(session.token))
        await app.services.followers.catch_up()
        report = await ledger.verify(app.database)
        assert not report.breaks, report.breaks


def text_of(answer: httpx.Response) -> str:
    """What a page says, without its tags."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.text)))


def key_of(answer: httpx.Response) -> str:
    """The key of the first form that has one."""
    match = re.search(r'name="key" value="([0-9a-f]{32})"', answer.text)
    assert match is not None, "the form has no key"
    return match[1]


def option_of(answer: httpx.Response, words: str) -> str:
    """The value of the option whose label has these words."""
    for label in re.findall(r"<label class=\"(?:choice|plan)[^\"]*\">.*?</label>", answer.text, re.DOTALL):
        if words in re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", label)):
            match = re.search(r'name="option" value="([^"]+)"', label)
            assert match is not None
            return match[1]
    raise AssertionError(f"no option says {words!r}")


def leads_to(answer: httpx.Response) -> str:
    """Where a form sends its sender."""
    assert answer.status_code == 303, (answer.status_code, text_of(answer))
    return answer.headers["location"]


async def test_sign_in_by_a_code_and_come_back(street: Street) -> None:
    browser = Browser(street.app)
    asked = await browser.get("/app/credit?line=x")
    assert parse_qs(urlsplit(leads_to(asked)).query)["next"] == ["/app/credit?line=x"]
    await browser.get("/app/sign-in?next=/app/credit")
    sent = await browser.post("/app/sign-in", phone="13912345678", next="/app/credit")
    code = await street.code("+8613912345678")
    assert code in text_of(sent), "a test book shows the message that would have been sent"
    wrong = "111111" if code != "111111" else "222222"
    refused = await browser.post("/app/sign-in/code", phone="+8613912345678", code=wrong, next="/app/credit")
    assert refused.status_code == 403
    assert "tries are left" in text_of(refused)
    assert "set-cookie" not in refused.headers
    entered = await browser.post("/app/sign-in/code", phone="+8613912345678", code=code, next="/app/credit")
    assert leads_to(entered) == "/app/credit"
    cookie = entered.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie
    assert "You have no credit line yet" in text_of(await browser.get("/app/credit"))
    assert leads_to(await browser.post("/app/sign-out")) == "/app/welcome"
    assert (await browser.get("/app")).status_code == 303


@cases("elsewhere", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:1"])
async def test_signing_in_leads_nowhere_else(street: Street, elsewhere: str) -> None:
    browser = Browser(street.app)
    await browser.post("/app/sign-in", phone="13912345678", next=elsewhere)
    code = await street.code("+8613912345678")
    entered = await browser.post("/app/sign-in/code", phone="+8613912345678", code=code, next=elsewhere)
    assert leads_to(entered) == "/app"


async def test_setting_the_pin(street: Street) -> None:
    shopper = await street.person(pin=False)
    assert "Set your payment PIN" in text_of(await shopper.browser.get("/app"))
    await shopper.browser.post("/app/pin/code", next="/app")
    code = await street.code(shopper.phone)
    differ = await shopper.browser.post("/app/pin", code=code, pin=PIN, again="190373", next="/app")
    assert (differ.status_code, "differ" in text_of(differ)) == (422, True)
    weak = await shopper.browser.post("/app/pin", code=code, pin="123456", again="123456", next="/app")
    assert (weak.status_code, "Choose six digits" in text_of(weak)) == (422, True)
    assert (
        leads_to(await shopper.browser.post("/app/pin", code=code, pin=PIN, again=PIN, next="/app")) == "/app"
    )
    assert "Set your payment PIN" not in text_of(await shopper.browser.get("/app"))


async def test_the_price_stands_beside_the_choice_and_no_credit_is_chosen(street: Street) -> None:
    shopper, (_, shop) = await street.person(limit_minor=840_000), await street.shop()
    path = await street.checkout(shop, 129_900)
    stranger = text_of(await Browser(street.app).get(path))
    assert "青禾家居旗舰店" in stranger and "1,299.00" in stranger and "Sign in to pay" in stranger
    page = await shopper.browser.get(path)
    shown = text_of(page)
    for price in (
        "¥443.83 a month",
        "costs ¥32.48 in all",
        "14.94% a year",
        "the last ¥443.82",
        "0.05% a day",
        "100%",
    ):
        assert price in shown, price
    assert "checked" not in page.text, "nothing is chosen for somebody whose balance does not suffice"


async def test_paying_once_however_often_it_is_sent(street: Street) -> None:
    shopper, (_, shop) = await street.person(limit_minor=840_000), await street.shop()
    path = await street.checkout(shop, 129_900)
    page = await shopper.browser.get(path)
    form = {"key": key_of(page), "option": option_of(page, "3 instalments")}
    wrong = await shopper.browser.post(path, **form, pin="000000")
    assert wrong.status_code == 403
    assert "The PIN was wrong. Nothing was paid." in text_of(wrong) and "4 tries are left" in text_of(wrong)
    assert await shopper.payments() == []
    other_tab = await shopper.browser.get(path)
    receipt = leads_to(await shopper.browser.post(path, **form, pin=PIN))
    assert leads_to(await shopper.browser.post(path, **form, pin=PIN)) == receipt, "pressed twice"
    again = {"key": key_of(other_tab), "option": option_of(other_tab, "6 instalments")}
    assert leads_to(await shopper.browser.post(path, **again, pin=PIN)) == path, "another tab learns of it"
    assert leads_to(await shopper.browser.get(path)) == receipt, "so does the back button"
    assert await shopper.payments() == ["captured"]
    shown = text_of(await shopper.browser.get(receipt))
    for part in (
        "Paid",
        "1,299.00",
        "3 instalments",
        "¥443.83",
        "¥443.82",
        "¥32.48",
        "due 10 Oct 2026",
        "Back to the shop",
    ):
        assert part in shown, part


async def test_an_old_price_is_made_anew_before_anything_is_paid(street: Street) -> None:
    shopper, (_, shop) = await street.person(limit_minor=840_000), await street.shop()
    path = await street.checkout(shop, 129_900)
    page = await shopper.browser.get(path)
    street.clock.turn_to(NOON + timedelta(minutes=16))
    late = await shopper.browser.post(
        path, key=key_of(page), option=option_of(page, "3 instalments"), pin=PIN
    )
    assert (late.status_code, "made anew" in text_of(late)) == (422, True)
    assert await shopper.payments() == []
    chosen = option_of(late, "3 instalments")
    assert re.search(rf'value="{re.escape(chosen)}" checked', late.text), "what was chosen stays chosen"
    leads_to(await shopper.browser.post(path, key=key_of(late), option=chosen, pin=PIN))
    assert await shopper.payments() == ["captured"]


async def test_what_cannot_be_paid_says_why(street: Street) -> None:
    shopper, (_, shop) = await street.person(limit_minor=100_000), await street.shop()
    path = await street.checkout(shop, 129_900)
    page = await shopper.browser.get(path)
    assert "You cannot pay this right now" in text_of(page)
    assert "Credit limit reached" in text_of(page)
    none = await shopper.browser.post(path, key="0" * 32, pin=PIN)
    assert (none.status_code, "Choose what you pay from" in text_of(none)) == (422, True)
    bare = await shopper.browser.post(path, option="qte_x.1", pin=PIN)
    assert bare.status_code == 400, "a form without its key does nothing"
    assert await shopper.payments() == []


async def test_a_decline_tells_reasons_and_leaves_the_order_free(street: Street) -> None:
    shopper, (_, shop) = await street.person(limit_minor=200_000), await street.shop()
    path = await street.checkout(shop, 129_900)
    page = await shopper.browser.get(path)
    await street.staff.lines.set_limit(shopper.line, limit_minor=100_000, reason="test")
    form = {"key": key_of(page), "option": option_of(page, "3 instalments"), "pin": PIN}
    receipt = await shopper.browser.get(leads_to(await shopper.browser.post(path, **form)))
    shown = text_of(receipt)
    for part in ("Not paid", "Credit limit reached", "No money has moved", "object", "Pay another way"):
        assert part in shown, part
    assert await shopper.payments() == ["declined"]
    street.clock.turn_to(NOON + timedelta(seconds=1))  # within one millisecond payments have no order
    await street.staff.lines.set_limit(shopper.line, limit_minor=200_000, reason="test")
    page = await shopper.browser.get(path)
    form = {"key": key_of(page), "option": option_of(page, "3 instalments"), "pin": PIN}
    leads_to(await shopper.browser.post(path, **form))
    assert await shopper.payments() == ["captured", "declined"]


async def test_a_lost_session_does_nothing_and_leads_back(street: Street) -> None:
    shopper, (_, shop) = await street.person(limit_minor=840_000), await street.shop()
    path = await street.checkout(shop, 129_900)
    page = await shopper.browser.get(path)
    form = {"key": key_of(page), "option": option_of(page, "3 instalments"), "pin": PIN}
    await shopper.api.sessions.end(_session_of(shopper.token))
    asked = urlsplit(leads_to(await shopper.browser.post(path, **form)))
    assert (asked.path, parse_qs(asked.query)) == ("/app/sign-in", {"next": [path], "lost": ["1"]})
    assert "Nothing of what you just sent was done" in text_of(await shopper.browser.get(asked.geturl()))
    signed_in = street.operator.as_caller(None)
    await signed_in.sessions.send_code(phone=shopper.phone)
    fresh = await signed_in.sessions.create(phone=shopper.phone, code=await street.code(shopper.phone))
    assert [p async for p in street.operator.as_caller(fresh.token).payments.list()] == []


async def test_a_payment_that_waits_is_confirmed_or_refused(street: Street) -> None:
    shopper, (_, shop) = await street.person(limit_minor=840_000), await street.shop()
    asked = []
    for number in (1, 2):
        order = InlineOrder(order_no=f"W{number}", amount_minor=4_500, currency="CNY", subject="Coffee")
        asked.append(
            await shop.payments.create(
                order=order, payer=shopper.person.id, funding=[Source(line=shopper.line)]
            )
        )
    assert "青禾家居旗舰店 asks for ¥45.00" in text_of(await shopper.browser.get("/app"))
    first, second = (f"/app/payments/{payment.id}" for payment in asked)
    page = await shopper.browser.get(first)
    form = {"key": key_of(page), "option": option_of(page, "Next bill"), "pin": PIN}
    assert leads_to(await shopper.browser.post(f"{first}/confirm", **form)) == first
    assert "Paid" in text_of(await shopper.browser.get(first))
    page = await shopper.browser.get(second)
    assert leads_to(await shopper.browser.post(f"{second}/refuse", key=key_of(page))) == second
    assert "Not paid" in text_of(await shopper.browser.get(second))
    assert sorted(await shopper.payments()) == ["captured", "declined"]


async def test_a_payment_that_waits_says_that_its_order_is_paid_or_closed(street: Street) -> None:
    shopper, (_, shop) = await street.person(limit_minor=840_000), await street.shop()
    other = await street.person(limit_minor=840_000)
    orders = [
        await shop.orders.create(
            InlineOrder(order_no=f"W{n}", amount_minor=4_500, currency="CNY", subject="Coffee")
        )
        for n in range(3)
    ]
    asked = [
        await shop.payments.create(
            order=order.id, payer=shopper.person.id, funding=[Source(line=shopper.line)]
        )
        for order in orders
    ]
    waiting = [f"/app/payments/{payment.id}" for payment in asked]
    yes = Confirmation(kind="pin", proof=PIN)
    await other.api.payments.create(order=orders[0].id, funding=[Source(line=other.line)], confirmation=yes)
    await shop.orders.close(orders[1].id)
    own = await shopper.api.payments.create(
        order=orders[2].id, funding=[Source(line=shopper.line)], confirmation=yes
    )
    paid, closed = [await shopper.browser.get(path) for path in waiting[:2]]
    assert "This order is paid" in text_of(paid) and "This page has ended" in text_of(closed)
    assert 'name="pin"' not in paid.text + closed.text, "nothing is confirmed here any more"
    assert leads_to(await shopper.browser.get(waiting[2])) == f"/app/payments/{own.id}"


async def test_a_bill_is_understood_and_bad_amounts_repay_nothing(street: Street) -> None:
    shopper, (merchant, _) = await street.person(limit_minor=840_000), await street.shop()
    order = InlineOrder(
        order_no="B1", amount_minor=129_900, currency="CNY", subject="Oak desk", merchant=merchant.id
    )
    await shopper.api.payments.create(
        order=order,
        funding=[Source(line=shopper.line, tenor=3)],
        confirmation=Confirmation(kind="pin", proof=PIN),
    )
    await street.turn(30)
    (bill,) = [bill async for bill in shopper.api.bills.list(line=shopper.line)]
    home = text_of(await shopper.browser.get("/app"))
    assert "Due on 10 Oct" in home and "¥443.83" in home
    shown = text_of(await shopper.browser.get(f"/app/bills/{bill.id}"))
    for part in ("443.83", "10 Oct 2026", "Oak desk", "Instalment 1 of 3", "fee ¥10.83"):
        assert part in shown, part
    assert "Minimum payment 443.83: instalments 433.00; instalment fees 10.83" in shown
    formula = "principal 1,299.00 × 2.5% = 32.475, rounded half to even, is 32.48; 32.48 ÷ 3"
    assert f"Instalment 1 of 3, fee 10.83: {formula}" in shown
    (draw,) = [draw async for draw in shopper.api.lines.draws(shopper.line)]
    plan_id = draw.id.replace("drw_", "pln_")
    why = await shopper.api.plans.explain(plan_id)
    assert [one.amount_minor for one in why.amounts] == [44_383, 44_383, 44_382, 3_248]
    whole = why.amounts[0].steps[1].steps[0].whole
    assert whole is not None and (whole.amount_minor, whole.steps[0].share_ppm) == (3_248, 25_000)
    plan = text_of(await shopper.browser.get(f"/app/plans/{plan_id}"))
    assert f"Instalment 2 of 3, fee 10.83: {formula}" in plan
    assert "32.48 − 2 × 10.83 = 10.82: the last instalment carries the remainder" in plan
    paper = await shopper.browser.get(f"/app/bills/{bill.id}/pdf")
    assert (paper.headers["content-type"], paper.content[:5]) == ("application/pdf", b"%PDF-")
    assert paper.headers["content-disposition"] == 'attachment; filename="wufeng-bill-2026-10-01.pdf"'
    table = await shopper.browser.get(f"/app/bills/{bill.id}/csv")
    assert ",44383,0,drw_" in table.text and f"{bill.id},total,,,44383," in table.text
    path = f"/app/repay?line={shopper.line}"
    page = await shopper.browser.get(path)
    assert "¥443.83" in text_of(page) and "saves ¥21.65 of fees" in text_of(page)
    form = {"key": key_of(page), "line": shopper.line, "source": shopper.person.wallet}
    for bad in ("0", "-5", "1.234", "x", "", "1e3", "9" * 20):
        refused = await shopper.browser.post("/app/repay", **form, amount="other", other=bad)
        assert refused.status_code == 422, bad
        assert "Nothing was done" in text_of(refused), bad
    empty = await shopper.browser.post("/app/repay", **form, amount="other", other="100")
    assert empty.status_code in (409, 422) and "Choose another, or a smaller amount" in text_of(empty)
    assert (await shopper.api.bills.get(bill.id)).paid_minor == 0


async def test_what_an_overdue_bill_asks_for_puts_the_line_in_order(street: Street) -> None:
    """Its minimum no longer does, and is not told."""
    shopper, (merchant, _) = await street.person(limit_minor=840_000), await street.shop()
    order = InlineOrder(
        order_no="B1", amount_minor=86_400, currency="CNY", subject="Tea set", merchant=merchant.id
    )
    await shopper.api.payments.create(
        order=order, funding=[Source(line=shopper.line)], confirmation=Confirmation(kind="pin", proof=PIN)
    )
    await street.turn(40)
    (bill,) = [bill async for bill in shopper.api.bills.list(line=shopper.line)]
    asked_minor = bill.unpaid_minor + bill.accrued_minor
    said = text_of(await shopper.browser.get(f"/app/bills/{bill.id}"))
    assert asked_minor == 86_530 and "Pay all of it, ¥865.30, to be in order again." in said
    assert "Minimum" not in said
    credit = text_of(await shopper.browser.get("/app/credit"))
    assert "Pay the ¥865.30 that are overdue" in credit
    least = await street.operator.repayments.create(
        line=shopper.line, amount_minor=bill.minimum_minor, source="external"
    )
    assert (await shopper.api.lines.get(shopper.line)).status == "suspended", "the minimum came too late"
    await street.operator.repayments.create(
        line=shopper.line, amount_minor=asked_minor - least.amount_minor, source="external"
    )
    assert (await shopper.api.lines.get(shopper.line)).status == "open"


async def test_a_receipt_says_where_each_piece_of_a_refund_went_and_why(street: Street) -> None:
    shopper, (merchant, shop) = await street.person(limit_minor=500_000), await street.shop()
    order = InlineOrder(
        order_no="R1", amount_minor=120_000, currency="CNY", subject="Desk", merchant=merchant.id
    )
    paid = await shopper.api.payments.create(
        order=order, funding=[Source(line=shopper.line)], confirmation=Confirmation(kind="pin", proof=PIN)
    )
    await shop.refunds.create(payment=paid.id, refund_no="R1-1", amount_minor=20_000, reason="scratched")
    said = text_of(await shopper.browser.get(f"/app/payments/{paid.id}"))
    assert "Taken off what is not billed yet" in said
    assert "The purchase was on no bill yet: 200.00 less is owed" in said


async def test_a_receipt_says_what_interest_by_the_day_costs(street: Street) -> None:
    shopper, (merchant, _) = await street.person(), await street.shop()
    line = await street.staff.lines.open(
        person=shopper.person.id, product="daily_interest", limit_minor=500_000, reason="test"
    )
    order = InlineOrder(
        order_no="D1", amount_minor=120_000, currency="CNY", subject="Desk", merchant=merchant.id
    )
    paid = await shopper.api.payments.create(
        order=order, funding=[Source(line=line.id)], confirmation=Confirmation(kind="pin", proof=PIN)
    )
    said = text_of(await shopper.browser.get(f"/app/payments/{paid.id}"))
    assert "Cost a year 14.6" in said and "Costs in all" in said


async def test_repaying_from_a_bank_account_that_was_just_added(street: Street) -> None:
    shopper, (merchant, _) = await street.person(limit_minor=840_000), await street.shop()
    order = InlineOrder(
        order_no="B1", amount_minor=50_000, currency="CNY", subject="Lamp", merchant=merchant.id
    )
    await shopper.api.payments.create(
        order=order, funding=[Source(line=shopper.line)], confirmation=Confirmation(kind="pin", proof=PIN)
    )
    back = f"/app/repay?line={shopper.line}"
    refused = await shopper.browser.post("/app/bank-accounts", bank="ICBC", number="12", next=back)
    assert (refused.status_code, "10 to 20 digits" in text_of(refused)) == (422, True)
    added = await shopper.browser.post(
        "/app/bank-accounts", bank="ICBC", number="6222020000012208", next=back
    )
    assert leads_to(added) == back
    bucket = street.app.books.named("test").bucket_of(decode(Prefix.PERSON, shopper.person.id))
    assert "ICBC" not in text_of(await shopper.browser.get(back)), "the bank has not answered yet"
    await street.app.bank.verify_due(bucket)
    (account,) = [account async for account in shopper.api.bank_accounts.list()]
    page = await shopper.browser.get(back)
    form = {
        "key": key_of(page),
        "line": shopper.line,
        "source": account.id,
        "amount": "other",
        "other": "200.00",
    }
    shown = leads_to(await shopper.browser.post("/app/repay", **form))
    assert leads_to(await shopper.browser.post("/app/repay", **form)) == shown, "pressed twice"
    assert "The bank has not answered yet" in text_of(await shopper.browser.get(shown))
    left = text_of(await shopper.browser.get(back))
    assert "Under way" in left and "¥200.00" in left and "¥300.00" in left, (
        "what is left beside it is offered"
    )
    await street.app.services.followers.catch_up()
    await street.app.bank.send_due(bucket)
    await street.app.bank.idle()
    done = text_of(await shopper.browser.get(shown))
    assert "Repaid" in done and "¥200.00" in done and "¥300.00" in done, done
    line = await shopper.api.lines.get(shopper.line)
    assert line.used_minor == 30_000


async def test_who_repays_all_while_all_is_under_way_is_told_so(street: Street) -> None:
    shopper, (merchant, _) = await street.person(limit_minor=840_000), await street.shop()
    order = InlineOrder(
        order_no="B2", amount_minor=50_000, currency="CNY", subject="Lamp", merchant=merchant.id
    )
    await shopper.api.payments.create(
        order=order, funding=[Source(line=shopper.line)], confirmation=Confirmation(kind="pin", proof=PIN)
    )
    back = f"/app/repay?line={shopper.line}"
    await shopper.browser.post("/app/bank-accounts", bank="ICBC", number="6222020000012208", next=back)
    bucket = street.app.books.named("test").bucket_of(decode(Prefix.PERSON, shopper.person.id))
    await street.app.bank.verify_due(bucket)
    (account,) = [account async for account in shopper.api.bank_accounts.list()]
    pages = [await shopper.browser.get(back) for _ in range(2)]  # in two windows
    form = {"line": shopper.line, "source": account.id, "amount": "all"}
    shown = leads_to(await shopper.browser.post("/app/repay", **form, key=key_of(pages[0])))
    again = await shopper.browser.post("/app/repay", **form, key=key_of(pages[1]))
    said = text_of(again)
    assert again.status_code == 409 and "All of that is under way already" in said
    assert "This source cannot pay that" not in said and "nothing more is needed" in said
    assert "Under way" in said and "¥500.00" in said and shown in again.text
    assert again.text.count("/app/repayments/") == 1, "it was asked of the bank once"


async def test_another_persons_is_not_there(street: Street) -> None:
    owner, other, (merchant, _) = (
        await street.person(limit_minor=840_000),
        await street.person(),
        await street.shop(),
    )
    order = InlineOrder(order_no="X", amount_minor=5_000, currency="CNY", subject="x", merchant=merchant.id)
    payment = await owner.api.payments.create(
        order=order, funding=[Source(line=owner.line)], confirmation=Confirmation(kind="pin", proof=PIN)
    )
    await street.turn(30)
    (bill,) = [bill async for bill in owner.api.bills.list(line=owner.line)]
    for path in (f"/app/payments/{payment.id}", f"/app/bills/{bill.id}", f"/app/repay?line={owner.line}"):
        assert (await owner.browser.get(path)).status_code == 200, path
        assert (await other.browser.get(path)).status_code == 404, path


@cases(
    "headers",
    [
        {},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": URL, "sec-fetch-site": "cross-site"},
    ],
)
async def test_a_form_of_another_site_does_nothing(street: Street, headers: dict[str, str]) -> None:
    shopper, (_, shop) = await street.person(limit_minor=840_000), await street.shop()
    path = await street.checkout(shop, 129_900)
    page = await shopper.browser.get(path)
    form = {"key": key_of(page), "option": option_of(page, "3 instalments"), "pin": PIN}
    answer = await shopper.browser.http.post(path, data=form, headers=headers)
    assert answer.status_code == 403
    assert await shopper.payments() == []


def _session_of(token: str) -> str:
    return encode(Prefix.SESSION, UUID(token.split("_")[2]))


async def test_what_is_no_path_is_answered(street: Street) -> None:
    """`OPTIONS *` asks of the server itself: it gets an answer, and no failure."""
    seen: list[int] = []

    async def send(message: dict[str, object]) -> None:
        if message["type"] == "http.response.start":
            seen.append(int(str(message["status"])))

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    for path in ("*", "", "/"):
        scope = {"type": "http", "method": "OPTIONS", "path": path, "query_string": b"", "headers": []}
        await street.app.site()(scope, receive, send)
    assert len(seen) == 3 and all(400 <= status < 500 for status in seen)
