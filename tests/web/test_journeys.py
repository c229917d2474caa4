"""What people do, in a real browser on a running demo: both languages, phone and desk, with scripts and without."""

import asyncio
import itertools
import re
from typing import Any

import pytest
from msgspec.structs import replace

from wufeng.client import Confirmation, InlineOrder, Source, Wufeng
from wufeng.client.operating import FeePlan
from wufeng.web.texts import translations

from .live import Demo, Windows, browsing, running_server

pytestmark = pytest.mark.timeout(240)

PIN = "190372"
NUMBERS = itertools.count(1)


class Words:
    """The words of a language, as they stand on buttons and labels."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._found = translations(language)

    def __call__(self, message: str, **values: object) -> str:
        return self._found.gettext(message) % values if values else self._found.gettext(message)


async def press(page: Any, name: str) -> None:
    """Press the button of that name, and wait for the page that comes."""
    await page.get_by_role("button", name=name, exact=True).first.click()
    await page.wait_for_load_state()


async def sees(page: Any, *texts: str) -> None:
    """The page says all of that."""
    said = re.sub(r"\s+", " ", await page.inner_text("body"))
    for text in texts:
        assert text in said, f"{page.url} does not say {text!r}:\n{said}"


async def sign_up(page: Any, demo: Demo, phone: str, words: Words) -> None:
    """From the welcome page to a home with a PIN."""
    await page.goto(f"{demo.url}/app/welcome?book={demo.book}")
    await page.get_by_label(words("Mobile number")).fill(phone)
    await press(page, words("Send me a code"))
    await page.get_by_label(words("Code of six digits")).fill(await shown_code(page))
    await press(page, words("Sign in"))
    await page.get_by_role("link", name=words("Set it now")).click()
    await press(page, words("Send me a code to set it"))
    await page.get_by_label(words("Code of six digits")).fill(await shown_code(page))
    await page.get_by_label(words("Payment PIN")).fill(PIN)
    await page.get_by_label(words("The PIN once more")).fill(PIN)
    await press(page, words("Set the PIN"))


async def shown_code(page: Any) -> str:
    """The code in the message that would have been sent."""
    match = re.search(r"\b(\d{6})\b", await page.locator(".note").first.inner_text())
    assert match is not None
    return match[1]


def fresh_phone() -> str:
    """A phone that nobody has had in this process."""
    return f"139{next(NUMBERS):08d}"


async def open_line(windows: Windows, demo: Demo, phone: str, words: Words, size: str = "phone") -> Any:
    """A line for somebody who has signed up, as staff open one; the window of the staff."""
    desk = await windows.open(language=words.language, size=size)
    await desk.goto(f"{demo.url}/console/sign-in?next=/console")
    await desk.get_by_label(words("Log-in")).fill(demo.login)
    await desk.get_by_label(words("Password")).fill(demo.password)
    await press(desk, words("Sign in"))
    await desk.goto(f"{demo.url}/console/search?q=%2B86{phone}")
    await desk.get_by_label(words("Product")).select_option("monthly_bill")
    await desk.get_by_label(words("Limit of the line")).fill("8,400.00")
    await desk.locator("#reason").fill("journey")
    await press(desk, words("Open the line"))
    await sees(desk, "8,400.00")
    return desk


async def checkout(demo: Demo, amount_minor: int = 129_900, subject: str = "Desk") -> str:
    """The address of a page to pay on."""
    async with Wufeng(demo.url, demo.till_key, book=demo.book) as till:
        number = f"J{next(NUMBERS)}-{demo.book}-{id(demo)}"
        order = await till.orders.create(
            InlineOrder(order_no=number, amount_minor=amount_minor, currency="CNY", subject=subject)
        )
        session = await till.checkout_sessions.create(order=order.id, return_url=f"{demo.url}/app")
    return f"{demo.url}{session.url}"


async def choose(page: Any, name: str) -> None:
    """Choose a way to pay by the words beside it."""
    await page.locator("label.plan", has_text=name).first.locator("input").check()


@pytest.mark.parametrize(("language", "size"), [("zh", "phone"), ("en", "desk")])
async def test_a_stranger_pays_repays_and_understands(
    demo: Demo, language: str, size: str, browser: Any
) -> None:
    """Sign up, get a line, buy in the shop on credit, read the bill, repay a part, be refunded; staff see why."""
    words, phone = Words(language), fresh_phone()
    async with browsing(browser) as windows:
        page = await windows.open(language=language, size=size)
        await sign_up(page, demo, phone, words)
        await sees(page, words("You have no credit line yet"))

        desk = await open_line(windows, demo, phone, words, size)
        await page.goto(demo.links["an outsider's shop to buy in"])
        await page.locator("a[href*='/shop/']").first.click()
        for figure in ("443.83", "14.94%"):
            await page.get_by_text(figure).locator("visible=true").first.wait_for()
        await page.locator("main form button").first.click()
        await page.wait_for_url("**/checkout/**")
        await sees(page, "1,299.00", "32.48", "14.94%", words("Who lends"), words("If you pay late"))
        assert await page.locator("input[name=option]:checked").count() == 0, "no credit is chosen beforehand"
        await choose(page, words("%(count)s instalments", count=3))
        await page.locator("#pin").fill(PIN)
        await page.locator(".dock .button").click()
        await page.wait_for_url("**/app/payments/**")
        await sees(page, words("Paid"), "443.83", "443.82", words("What happens next"))
        receipt = page.url
        await page.get_by_role("link", name=words("Back to the shop")).click()
        await page.wait_for_url("**/shop/orders/**")
        await page.get_by_text("evt_").wait_for(
            timeout=15_000
        )  # the webhook came, and its signature is right

        await desk.goto(f"{demo.url}/console/clock")
        await desk.locator("button", has_text=words("Next bill day")).click()
        await desk.wait_for_load_state()
        await page.goto(f"{demo.url}/app")
        await page.locator("a[href^='/app/bills/']").first.click()
        await sees(page, "443.83", words("Instalment %(number)s of %(count)s", number=1, count=3))

        await add_bank_account(page, demo, words)
        await page.goto(f"{demo.url}/app/credit")
        await page.get_by_role("link", name=words("Repay"), exact=True).click()
        await page.get_by_role("radio", name=words("Another amount")).check()
        await page.locator("#other").fill("200.00")
        await page.locator("label.choice", has_text="ICBC").locator("input").check()
        await press(page, words("Repay"))
        await page.get_by_role("heading", name=words("Repaid")).wait_for(timeout=20_000)
        await sees(page, "200.00", "243.83")

        await refund(demo, receipt.rpartition("/")[2])
        await page.goto(receipt)
        await sees(page, words("Paid, refunded in part"), words("Refunds"), "100.00")

        await desk.goto(f"{demo.url}/console/search?q={receipt.rpartition('/')[2]}")
        await sees(desk, "1,299.00", "200.00", "100.00")
        await desk.locator("a[href*='/console/decisions/']").first.click()
        await sees(desk, "monthly_bill@1", "payment@")
        await desk.go_back()
        await desk.locator("a[href*='/console/journals']").first.click()
        await sees(desk, words("Debits"), words("Credits"))


async def add_bank_account(page: Any, demo: Demo, words: Words) -> None:
    """Name a bank account, and wait until the bank has said whose it is."""
    await page.goto(f"{demo.url}/app/bank-accounts/new")
    await page.get_by_label(words("Bank"), exact=True).fill("ICBC")
    await page.get_by_label(words("Account or debit card number")).fill("6222020000012208")
    await press(page, words("Add"))
    for _ in range(40):
        await page.goto(f"{demo.url}/app/wallet")
        if await page.get_by_text(words("Yours, says the bank")).count():
            return
        await page.wait_for_timeout(500)
    raise AssertionError("the test bank has not answered")


async def refund(demo: Demo, payment: str) -> None:
    """A hundred back, as staff give it: the shop is an outsider, and its key is not ours."""
    async with Wufeng(demo.url, book=demo.book) as public:
        staff = await public.staff.sign_in(login=demo.login, password=demo.password, book=demo.book)
        await public.as_caller(staff.token).refunds.create(
            payment=payment, refund_no="R1", amount_minor=10_000, reason="scratched"
        )


async def test_paying_and_repaying_without_scripts(demo: Demo, browser: Any) -> None:
    words, phone = Words("en"), fresh_phone()
    async with browsing(browser) as windows:
        page = await windows.open(scripts=False)
        await sign_up(page, demo, phone, words)
        await open_line(windows, demo, phone, words)
        await page.goto(await checkout(demo))
        await choose(page, "Next bill")
        await page.locator("#pin").fill(PIN)
        await page.locator(".dock .button").click()
        await page.wait_for_url("**/app/payments/**")
        await sees(page, "Paid")
        await page.goto(f"{demo.url}/app/credit")
        await page.get_by_role("link", name="Repay", exact=True).click()
        await sees(page, "There is nothing to pay from yet.")
        await add_bank_account(page, demo, words)
        await page.goto(f"{demo.url}/app/credit")
        await page.get_by_role("link", name="Repay", exact=True).click()
        await page.locator("label.choice", has_text="Everything").locator("input").check()
        await press(page, "Repay")
        await page.get_by_role("heading", name="Repaid").wait_for(timeout=20_000)
        await sees(page, "1,299.00", "¥0.00")


async def test_paying_and_repaying_with_the_keyboard_alone(demo: Demo, browser: Any) -> None:
    words, phone = Words("en"), fresh_phone()
    async with browsing(browser) as windows:
        page = await windows.open(size="desk")
        await sign_up(page, demo, phone, words)
        await open_line(windows, demo, phone, words)
        await page.goto(await checkout(demo))
        await tab_to(page, "input[name=option]")
        await page.keyboard.press("Space")
        await tab_to(page, "#pin")
        await page.keyboard.type(PIN)
        await tab_to(page, ".dock .button")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/app/payments/**")
        await sees(page, "Paid", "1,299.00")
        await add_bank_account(page, demo, words)
        await page.goto(f"{demo.url}/app/credit")
        await tab_to(page, "a[href^='/app/repay']")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/app/repay?**")
        await tab_to(page, "#other")
        await page.keyboard.type("99.00")
        await page.keyboard.press("Shift+Tab")
        await page.keyboard.press("ArrowDown")
        await tab_to(page, "input[name=source]")
        await page.keyboard.press("Space")
        await tab_to(page, "main form .button")
        await page.keyboard.press("Enter")
        await page.get_by_role("heading", name="Repaid").wait_for(timeout=20_000)
        await sees(page, "1,200.00")


async def tab_to(page: Any, selector: str) -> None:
    """Press Tab until something is focused, which must show."""
    for _ in range(30):
        await page.keyboard.press("Tab")
        if await page.evaluate("selector => document.activeElement.matches(selector)", selector):
            style = "getComputedStyle(document.activeElement.closest('label') || document.activeElement)"
            seen = f"{style}.outlineStyle + getComputedStyle(document.activeElement).outlineStyle"
            assert "solid" in await page.evaluate(seen) or "auto" in await page.evaluate(seen)
            return
    raise AssertionError(f"Tab never comes to {selector}")


async def test_pressed_twice_gone_back_and_two_tabs_are_one_payment(demo: Demo, browser: Any) -> None:
    words, phone = Words("en"), fresh_phone()
    async with browsing(browser) as windows:
        page = await windows.open()
        await sign_up(page, demo, phone, words)
        await open_line(windows, demo, phone, words)
        address = await checkout(demo)
        await page.goto(address)
        tab = await page.context.new_page()
        await tab.goto(address)
        for window in (page, tab):
            await choose(window, "Next bill")
            await window.locator("#pin").fill(PIN)
        await page.route("**/checkout/**", lambda route: slowly(route))
        await page.locator(".dock .button").dblclick()
        await page.wait_for_url("**/app/payments/**")
        receipt = page.url
        await tab.locator(".dock .button").click()
        await tab.wait_for_url("**/app/payments/**")
        assert tab.url == receipt
        await page.go_back()
        await page.wait_for_url("**/app/payments/**")
        assert page.url == receipt
        await page.goto(f"{demo.url}/app/activity")
        assert await page.locator("a[href^='/app/payments/']").count() == 1


async def slowly(route: Any) -> None:
    """A network on which a press has time to be repeated."""
    await asyncio.sleep(0.5)
    await route.continue_()


async def test_nothing_that_is_stored_runs(demo: Demo, browser: Any) -> None:
    """Scripts in every field that is shown anywhere, through all apps."""
    evil = "<script>window.ran=1</script><img src=x onerror=window.ran=1>\"'>"
    async with Wufeng(demo.url, demo.key, book=demo.book) as operator:
        public = operator.as_caller(None)
        shop = await operator.merchants.create(name=evil[:60], scene="retail", fee_plan=FeePlan(0))
        phone = f"+86{fresh_phone()}"
        person = await operator.people.create(external_id=evil[:60], phone=phone, name=evil[:60])
        await public.sessions.send_code(phone=phone)
        code = await _code(operator, phone)
        session = await public.sessions.create(phone=phone, code=code, device=evil[:60])
        await public.sessions.send_code(phone=phone, purpose="pin")
        code = await _code(operator, phone)
        me = operator.as_caller(session.token)
        await me.people.set_pin(person.id, pin=PIN, code=code)
        staff = await public.staff.sign_in(login=demo.login, password=demo.password, book=demo.book)
        line = await operator.as_caller(staff.token).lines.open(
            person=person.id, product="monthly_bill", limit_minor=500_000, reason=evil
        )
        till = operator.as_caller(shop.api_key)
        order = await till.orders.create(
            InlineOrder(order_no=evil[:30], amount_minor=5_000, currency="CNY", subject=evil)
        )
        asked = await till.checkout_sessions.create(order=order.id, return_url=f"{demo.url}/app")
        payment = await me.payments.create(
            order=order.id, funding=[Source(line=line.id)], confirmation=Confirmation(kind="pin", proof=PIN)
        )
        await till.refunds.create(payment=payment.id, refund_no=evil[:20], amount_minor=100, reason=evil)
    async with browsing(browser) as windows:
        page = await windows.open()
        await page.goto(demo.links["a supervisor"])
        for name, value in (("wufeng_person", session.token), ("wufeng_merchant", shop.api_key)):
            await page.context.add_cookies([{"name": name, "value": value, "url": demo.url}])
        for path in (
            "/app",
            "/app/activity",
            f"/app/payments/{payment.id}",
            asked.url,
            "/app/credit",
            "/merchant",
            "/merchant/orders",
            f"/merchant/orders/{order.id}",
            f"/console/people/{person.id}",
            f"/console/search?q={order.id}",
            f"/console/decisions/{payment.decision}",
            f"/console/journals?of={payment.id}",
        ):
            await page.goto(f"{demo.url}{path}")
            assert await page.evaluate("window.ran") is None, path
            assert await page.locator("img[src=x]").count() == 0, path


async def _code(operator: Wufeng, phone: str) -> str:
    async for message in operator.messages.list(phone=phone, limit=1):
        return message.code
    raise AssertionError("no code was sent")


async def test_a_server_that_dies_in_the_middle_is_no_dead_end(browser: Any) -> None:
    """Killed while the form is open, and started again: the browser goes back, and pays once."""
    words, phone = Words("en"), fresh_phone()
    async with running_server() as server, browsing(browser) as windows:
        page = await windows.open()
        await sign_up(page, server.demo, phone, words)
        await open_line(windows, server.demo, phone, words)
        async with Wufeng(server.demo.url, server.demo.key) as operator:
            shop = await operator.merchants.create(name="Tea", scene="retail", fee_plan=FeePlan(0))
        address = await checkout(replace(server.demo, till_key=shop.api_key), 4_500, "Tea")
        await page.goto(address)
        await choose(page, "Next bill")
        await page.locator("#pin").fill(PIN)
        server.kill()
        await page.locator(".dock .button").click(no_wait_after=True)
        await page.wait_for_timeout(1_000)
        assert page.url.startswith("chrome-error:"), "nobody answers"
        server.start()
        await page.goto(address)
        await choose(page, "Next bill")
        await page.locator("#pin").fill(PIN)
        await page.locator(".dock .button").click()
        await page.wait_for_url("**/app/payments/**")
        await page.goto(f"{server.demo.url}/app/activity")
        assert await page.locator("a[href^='/app/payments/']").count() == 1
        windows.complaints = [c for c in windows.complaints if "ERR_CONNECTION" not in c]
