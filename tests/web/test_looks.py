"""Every page as it is looked at: nothing that axe finds, in both themes; nothing wider than the screen."""

from typing import Any

import pytest

from wufeng.client import Wufeng

from .live import Demo, browsing
from .test_journeys import checkout

VIOLATIONS = "axe.run({resultTypes: ['violations']}).then(results => results.violations)"


async def pages_of(page: Any, demo: Demo) -> list[str]:
    """The address of every page, and of its states, with the window signed in everywhere."""
    for who in ("a shopper", "the tea shop's till", "a supervisor"):
        await page.goto(demo.links[who])
    found = [
        "/app/welcome",
        "/app/sign-in",
        "/app",
        "/app/pay",
        "/app/credit",
        "/app/wallet",
        "/app/activity",
    ]
    found += ["/app/code", "/app/code/offline", "/merchant/till"]
    found += ["/app/apply", "/app/apply?product=order_instalments"]
    found += ["/app/pin", "/app/bank-accounts/new", "/app/nowhere", "/design", "/shop"]
    found += ["/merchant", "/merchant/take", "/merchant/orders", "/merchant/sign-in"]
    found += ["/merchant/campaigns", "/merchant/campaigns/new"]
    found += await codes_and_links(demo)
    found += ["/console", "/console/search", "/console/clock", "/console/sign-in"]
    found += ["/console/products", "/console/products/monthly_bill@1", "/console/closes"]
    for start, pattern in (
        ("/app/activity", "/app/payments/"),
        ("/app/credit", "/app/bills/"),
        ("/app/credit", "/app/plans/"),
        ("/app/credit", "/app/lines/"),
        ("/app/credit", "/app/repay?"),
        ("/shop", "/shop/"),
        ("/merchant/orders", "/merchant/orders/"),
        ("/console/search?q=%2B8613812345678", "/console/decisions/"),
        ("/console/search?q=%2B8613812345678", "/console/journals"),
    ):
        await page.goto(f"{demo.url}{start}")
        hrefs = await page.locator(f"a[href^='{pattern}']").evaluate_all(
            "all => all.map(a => a.getAttribute('href'))"
        )
        found += list(dict.fromkeys(hrefs))[:2]
    found += [f"{path}/split" for path in found if path.startswith("/app/bills/")][:1]
    await page.goto(f"{demo.url}/console/search?q=%2B8613812345678")
    found.append(page.url.removeprefix(demo.url))
    found.append((await checkout(demo)).removeprefix(demo.url))
    found.append(
        (
            await checkout(
                demo, 98_765_432_10, ("A subject that goes on and on, longer than its line " * 3)[:120]
            )
        ).removeprefix(demo.url)
    )
    return found


@pytest.mark.parametrize(("theme", "size", "language"), [("light", "phone", "zh"), ("dark", "desk", "en")])
async def test_axe_finds_nothing_and_nothing_is_too_wide(
    demo: Demo, theme: str, size: str, language: str, browser: Any
) -> None:
    axe = pytest.importorskip("axe_playwright_python.base", reason="axe is not installed")
    bad: list[str] = []

    async def look(page: Any, path: str) -> None:
        if await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            bad.append(f"{path}: wider than the screen")
        for violation in await page.evaluate(VIOLATIONS):
            where = violation["nodes"][0]
            bad.append(
                f"{path}: {violation['id']}: {where['html'][:160]} {where.get('failureSummary', '')[:300]}"
            )

    async with browsing(browser) as windows:
        page = await windows.open(theme=theme, size=size, language=language)
        paths = await pages_of(page, demo)
        # Half a megabyte, which is sent once, and compiled once for all pages.
        await page.add_init_script(axe.AXE_SCRIPT)
        for path in paths:
            await page.goto(f"{demo.url}{path}")
            await look(page, path)
        await page.goto(await checkout(demo, 500))
        await page.locator("input[name=option]:enabled").first.check()
        await page.locator("#pin").fill("000000")
        await page.locator(".dock .button").click()
        await page.get_by_role("alert").wait_for()
        await look(page, "a wrong PIN")
        await page.goto(demo.links["somebody who pays late"])
        for path in await states_of(page, demo):
            await page.goto(f"{demo.url}{path}")
            await look(page, f"the late payer's {path}")
    assert not bad, "\n".join(bad)


async def codes_and_links(demo: Demo) -> list[str]:
    """Where codes are scanned, made and taken up, open ones and one that has ended."""
    async with Wufeng(demo.url, demo.till_key, book=demo.book) as till:
        code = await till.merchant_codes.create(label="Counter 1", subject="Tea")
        link = await till.payment_links.create(amount_minor=30_00, subject="Lunch", uses_max=3)
        ended = await till.payment_links.close(
            (await till.payment_links.create(amount_minor=1, subject="x")).id
        )
        [order] = (await till.orders.list(limit=1).page()).data
    urls = [one.url.split("/", 3)[3] for one in (code, link, ended)]
    return [
        "/app/scan",
        f"/app/orders/{order.id}/friend",
        *(f"/{url}" for url in urls),
        "/merchant/codes",
        f"/merchant/codes/{code.id}",
        "/merchant/links",
        f"/merchant/links/{link.id}",
    ]


async def states_of(page: Any, demo: Demo) -> list[str]:
    """What somebody sees who has not paid in time, and has just been declined."""
    address = await checkout(demo, 500)
    await page.goto(address)
    found = [address.removeprefix(demo.url), "/app", "/app/credit", "/app/pay"]
    await page.goto(f"{demo.url}/app/credit")
    found.append(str(await page.locator("a[href^='/app/bills/']").first.get_attribute("href")))
    found.append(str(await page.locator("a[href^='/app/repay?']").first.get_attribute("href")))
    return found
