"""At the counter and in a chat, in a real browser: what one screen shows, another one reads and pays."""

import io
from typing import Any

import pytest

from wufeng.client import Wufeng

from .live import Demo, browsing
from .test_journeys import PIN, Words, choose, fresh_phone, open_line, press, sees, sign_up

pytestmark = pytest.mark.timeout(240)


async def seen_by_a_camera(page: Any, place: str) -> str:
    """What a phone's camera reads of a place on a screen."""
    zxing = pytest.importorskip("zxingcpp", reason="zxing-cpp is not installed")
    from PIL import Image

    picture = await page.locator(place).first.screenshot()
    (found,) = zxing.read_barcodes(Image.open(io.BytesIO(picture)))
    text: str = found.text
    return text


async def pay_in_three(page: Any, words: Words) -> None:
    """Choose three instalments, confirm with the PIN, and come to the receipt."""
    await page.wait_for_url("**/checkout/**")
    await choose(page, words("%(count)s instalments", count=3))
    await page.locator("#pin").fill(PIN)
    await page.locator(".dock .button").first.click()
    await page.wait_for_url("**/app/payments/**")
    await sees(page, words("Paid"))


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_the_till_shows_a_code_and_the_phone_that_sees_it_pays(
    demo: Demo, language: str, browser: Any
) -> None:
    words, phone = Words(language), fresh_phone()
    async with browsing(browser) as windows:
        mine = await windows.open(language=language)
        await sign_up(mine, demo, phone, words)
        await open_line(windows, demo, phone, words)
        till = await windows.open(language=language, size="desk")
        await till.goto(demo.links["the tea shop's till"])
        await till.goto(f"{demo.url}/merchant/take")
        await till.get_by_label(words("Amount in %(symbol)s", symbol="¥")).fill("300.00")
        await press(till, words("Show the code"))
        await sees(till, words("Waits for the payer"))
        await mine.goto(await seen_by_a_camera(till, ".qr"))
        await sees(mine, "300.00")
        await pay_in_three(mine, words)
        await till.get_by_text(words("See the order")).wait_for(timeout=15_000)
        await sees(till, words("Paid"))


async def test_a_printed_code_is_paid_without_scripts_after_signing_in(demo: Demo, browser: Any) -> None:
    """Whoever sees the poster: amount, then sign in, then pay; nothing needs a script."""
    words, phone = Words("en"), fresh_phone()
    async with Wufeng(demo.url, demo.till_key, book=demo.book) as shop:
        code = await shop.merchant_codes.create(label="Counter 1", subject="Tea")
    async with browsing(browser) as windows:
        first = await windows.open()
        await sign_up(first, demo, phone, words)
        await open_line(windows, demo, phone, words)
        page = await windows.open(scripts=False)
        await page.goto(f"{demo.url}/q/{code.url.rpartition('/')[2]}")
        await page.get_by_label("Amount in ¥").fill("128.00")
        await press(page, "Go on")
        await sees(page, "128.00", "Sign in to pay")
        await page.get_by_label("Mobile number").fill(phone)
        await press(page, "Send me a code")
        note = await page.locator(".note").first.inner_text()
        digits = next(word for word in note.replace(".", " ").split() if len(word) == 6 and word.isdigit())
        await page.get_by_label("Code of six digits").fill(digits)
        await press(page, "Sign in")
        await sees(page, "128.00")
        await press(page, "Go on")
        await pay_in_three(page, words)


async def test_a_friend_pays_and_who_asked_sees_it_at_once(demo: Demo, browser: Any) -> None:
    words, phone = Words("en"), fresh_phone()
    async with Wufeng(demo.url, demo.till_key, book=demo.book) as shop:
        link = await shop.payment_links.create(amount_minor=300_00, subject="Lunch")
    async with browsing(browser) as windows:
        friend = await windows.open()
        await sign_up(friend, demo, phone, words)
        await open_line(windows, demo, phone, words)
        asker = await windows.open(language="zh")
        await sign_up(asker, demo, fresh_phone(), Words("zh"))
        await asker.goto(f"{demo.url}/l/{link.url.rpartition('/')[2]}")
        await press(asker, "继续付款")
        await asker.get_by_role("link", name="找朋友代付").click()
        await press(asker, "生成链接")
        await sees(asker, "等待朋友付款")
        await friend.goto(await seen_by_a_camera(asker, ".qr"))
        await sees(friend, "asks you to pay this", "300.00", "Lunch")
        await press(friend, "Go on to pay")
        await pay_in_three(friend, words)
        await asker.get_by_text("谢谢你的朋友吧", exact=False).wait_for(timeout=15_000)
        async with Wufeng(demo.url, demo.till_key, book=demo.book) as shop:
            assert (await shop.payment_links.get(link.id)).status == "used_up"
