"""The counter, in a real browser: the phone and the till side by side, and the phone without a connection."""

import re
from typing import Any

import pytest

from wufeng.client import Wufeng

from .live import Demo, browsing
from .test_journeys import PIN, Words, fresh_phone, open_line, press, sees, sign_up

pytestmark = pytest.mark.timeout(240)


async def at_the_till(windows: Any, demo: Demo, words: Words) -> Any:
    """A window of the shop's, on its till."""
    till = await windows.open(language=words.language, size="desk")
    await till.goto(f"{demo.url}/merchant/sign-in?next=/merchant/till")
    await till.get_by_label(words("API key of your shop")).fill(demo.till_key)
    await press(till, words("Sign in"))
    return till


async def take(till: Any, demo: Demo, amount: str, code: str) -> None:
    """The shop types the amount, and the scanner the code with its Enter."""
    await till.goto(f"{demo.url}/merchant/till")
    await till.wait_for_function("document.activeElement.id === 'amount'")  # the cursor is where it is needed
    await till.keyboard.type(amount)
    await till.keyboard.press("Enter")
    await till.wait_for_function("document.activeElement.id === 'code'")
    await till.keyboard.type(code)
    async with till.expect_navigation():
        await till.keyboard.press("Enter")


async def shown(page: Any) -> str:
    """The code on the phone, as a scanner reads it."""
    return re.sub(r"\D", "", await page.locator("[data-digits]").inner_text())


async def read(page: Any) -> set[str]:
    """What an independent reader reads off the screen: the barcode and the square."""
    zxingcpp = pytest.importorskip("zxingcpp")
    image = pytest.importorskip("PIL.Image")
    import io

    picture = image.open(io.BytesIO(await page.screenshot())).convert("L")
    found = zxingcpp.read_barcodes(picture)
    assert len(found) == 2, [str(one.format) for one in found]
    return {one.text for one in found}


async def with_a_line(windows: Any, demo: Demo, words: Words) -> Any:
    """A phone of somebody whose code pays by a line."""
    page, phone = await windows.open(language=words.language), fresh_phone()
    await sign_up(page, demo, phone, words)
    await open_line(windows, demo, phone, words)
    await page.goto(f"{demo.url}/app/code")
    await page.locator("label.plan", has_text=words("Next bill")).first.locator("input").check()
    await press(page, words("Keep this choice"))
    return page


async def settled(page: Any) -> None:
    """The page has made its first enrolment, and its worker keeps what it needs."""
    await page.evaluate("navigator.serviceWorker.ready")
    await page.wait_for_function(
        "async () => (await caches.keys()).length && (await (await caches.open('wufeng-pay-code-1')).keys()).length > 3"
    )


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_phone_and_till_side_by_side(demo: Demo, language: str, browser: Any) -> None:
    words = Words(language)
    async with browsing(browser) as windows:
        page = await with_a_line(windows, demo, words)
        till = await at_the_till(windows, demo, words)
        await settled(page)
        code = await shown(page)
        assert await read(page) == {code}
        await take(till, demo, "12.80", code)
        await sees(till, words("Paid"), "12.80")
        await page.get_by_text(words("See the receipt")).wait_for(timeout=10_000)
        await sees(page, words("Paid"), "12.80")
        await page.wait_for_function(ANOTHER, arg=code)  # a code that was used is followed by a fresh one

        await take(till, demo, "12.80", code)  # a picture of it, a moment later
        await sees(
            till, words("The code was not accepted. Nothing was taken: ask for a fresh one and scan again.")
        )
        await take(till, demo, "12.80", "281234567890123456")
        await sees(till, words("This is no Wufeng pay code: it has 18 digits and begins with 38."))

        await take(till, demo, "320.00", await shown(page))  # above what a code may pay by itself
        await sees(till, words("Ask the payer to confirm on the phone"))
        await page.get_by_role("link", name=words("Look and confirm")).click(timeout=10_000)
        await page.locator("label.plan", has_text=words("Next bill")).first.locator("input").check()
        await page.locator("#pin").fill(PIN)
        await page.locator(".dock .button").first.click()
        await page.wait_for_url("**/app/payments/**")
        await till.get_by_text(words("Paid"), exact=True).wait_for(timeout=10_000)
        await sees(till, "320.00")


async def test_a_phone_without_a_connection(demo: Demo, browser: Any) -> None:
    """The page opens from what the phone keeps, the code is made there, the till takes it once."""
    words = Words("en")
    async with browsing(browser) as windows:
        page = await with_a_line(windows, demo, words)
        till = await at_the_till(windows, demo, words)
        await settled(page)
        await page.context.set_offline(True)
        await page.goto(f"{demo.url}/app/code")
        await page.get_by_text(words("No connection: this phone makes the code itself")).wait_for()
        await sees(page, "200.00", "500.00")
        code = await shown(page)
        assert len(code) == 18 and code[2] != "0"
        assert await read(page) == {code}, "both pictures are our own script's"
        await take(till, demo, "18.00", code)
        await sees(till, words("Paid"), "18.00")
        await take(till, demo, "18.00", code)
        await sees(
            till, words("The code was not accepted. Nothing was taken: ask for a fresh one and scan again.")
        )
        windows.complaints.clear()  # a browser without a connection says so
        async with page.expect_navigation():  # the page asks for its code anew by itself
            await page.context.set_offline(False)
        await page.goto(f"{demo.url}/app/activity")
        await sees(page, "18.00")
        secret = await page.evaluate(SECRET)
        assert secret == "InvalidAccessError", "no script reads the secret out again"

        await page.goto(f"{demo.url}/app/code")
        await press(page, words("Stop pay codes on this phone"))
        await sees(page, words("This phone shows no pay codes"))


ANOTHER = "code => document.querySelector('[data-digits]').innerText.replace(/[^0-9]/g, '') !== code"

SECRET = """async () => {
  const database = await new Promise((done) => {
    const request = indexedDB.open("wufeng-pay-code", 1);
    request.onsuccess = () => done(request.result);
  });
  const kept = await new Promise((done) => {
    const request = database.transaction("kept").objectStore("kept").get("enrolment");
    request.onsuccess = () => done(request.result);
  });
  return crypto.subtle.exportKey("raw", kept.key).then(() => "told", (error) => error.name);
}"""


async def test_the_code_without_scripts(demo: Demo, browser: Any) -> None:
    words = Words("en")
    async with browsing(browser) as windows:
        page = await windows.open(scripts=False)
        await page.goto(demo.links["a shopper"])
        await page.goto(f"{demo.url}/app/code")
        code = await shown(page)
        assert len(code) == 18
        async with Wufeng(demo.url, demo.till_key, book=demo.book):
            till = await windows.open(scripts=False, size="desk")
            await till.goto(f"{demo.url}/merchant/sign-in?next=/merchant/till")
            await till.get_by_label(words("API key of your shop")).fill(demo.till_key)
            await press(till, words("Sign in"))
            await till.locator("#amount").fill("1.00")
            await till.locator("#amount").press("Enter")
            await sees(till, words("Scan the code on the payer's phone."))
            await till.keyboard.type(code)  # the amount stayed, the cursor is in the code
            await till.keyboard.press("Enter")
            await till.wait_for_url("**/merchant/till?payment=**")
