"""Online, in a real browser: two tabs on one order, offers in a page of another origin, sign-in by a provider."""

import http.server
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import Any

import httpx
import pytest

from wufeng.cli import serving
from wufeng.identity.merchants.origins import read_address
from wufeng.web.embed import SCRIPTS

from .live import Demo, browsing, running_server
from .test_journeys import PIN, Words, checkout, choose, fresh_phone, open_line, press, sees, sign_up

pytestmark = pytest.mark.timeout(240)

SHOP_POLICY = "default-src 'none'; script-src {demo}; connect-src {demo}; style-src 'none'; img-src data:"
XSS = '"><img src=x onerror="window.hurt=1"><script>window.hurt=1</script>'
AMOUNT = 129_900


async def test_two_tabs_pay_an_order_once(demo: Demo, browser: Any) -> None:
    """Both tabs stand ready, both are sent: one receipt, in both."""
    words, phone = Words("en"), fresh_phone()
    async with browsing(browser) as windows:
        first = await windows.open()
        await sign_up(first, demo, phone, words)
        await open_line(windows, demo, phone, words)
        page = await checkout(demo, 500_00)
        second = await first.context.new_page()
        for tab in (first, second):
            await tab.goto(page)
            await choose(tab, words("Next bill"))
            await tab.locator("#pin").fill(PIN)
        for tab in (first, second):
            await tab.locator(".dock .button").click(no_wait_after=True)
        for tab in (first, second):
            await tab.wait_for_url("**/app/payments/**")
            await sees(tab, words("Paid"), "500.00")
        assert first.url == second.url
        await first.goto(f"{demo.url}/app/activity")
        assert await first.locator("a[href^='/app/payments/']").count() == 1


@contextmanager
def another_site(policy: str) -> Iterator[tuple[str, dict[str, str]]]:
    """A shop's own server, of another origin: what stands in its pages by path."""
    pages: dict[str, str] = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = pages.get(self.path.partition("?")[0], "").encode()
            self.send_response(200 if body else 404)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.send_header("content-security-policy", policy)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://localhost:{server.server_address[1]}", pages
    finally:
        server.shutdown()


def _page(demo: Demo, inside: str, language: str = "en") -> str:
    head = f"<link rel=icon href='data:,'><title>Shop</title><script src='{demo.url}/embed/v1.js' defer></script>"
    return f"<!doctype html><html lang='{language}'><meta charset=utf-8>{head}<body>{inside}</body></html>"


def _offers(demo: Demo, language: str) -> list[dict[str, Any]]:
    headers = {"accept-language": language, "wufeng-book": demo.book}
    asked = {"merchant": _merchant(demo), "amount_minor": str(AMOUNT)}
    answer = httpx.get(f"{demo.url}/v1/offers", params=asked, headers=headers, trust_env=False)
    assert answer.status_code == 200, answer.text
    data: list[dict[str, Any]] = answer.json()["data"]
    return data


def _merchant(demo: Demo) -> str:
    headers = {"authorization": f"Bearer {demo.till_key}"}
    answer = httpx.get(f"{demo.url}/v1/orders?limit=1", headers=headers, trust_env=False)
    merchant: str = answer.json()["data"][0]["merchant"]
    return merchant


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_offers_stand_in_a_page_of_another_origin(demo: Demo, language: str, browser: Any) -> None:
    """The same figures as the API's, under the strictest policy a shop can have; the button is a plain link."""
    pay = await checkout(demo, AMOUNT)
    button = (
        f"<a class=wufeng-pay href='{pay}' data-merchant='{_merchant(demo)}' data-amount='{AMOUNT}' "
        f"data-book='{demo.book}'>Pay</a>"
    )
    with another_site(SHOP_POLICY.format(demo=demo.url)) as (shop, pages):
        pages["/"] = _page(demo, button, language)
        async with browsing(browser) as windows:
            page = await windows.open(language=language)
            await page.goto(f"{shop}/")
            await page.locator(".wufeng-offers section").wait_for()
            said = re.sub(
                r"\s+", " ", await page.locator(".wufeng-offers section").evaluate("e => e.textContent")
            )
            offers = _offers(demo, language)
            assert len(offers) > 3
            for offer in offers:
                assert f"¥{offer['instalment_minor'] / 100:,.2f}" in said, offer
                assert f"¥{offer['total_cost_minor'] / 100:,.2f}" in said, offer
                assert f"{offer['annualised_rate_ppm'] / 10_000:.2f}%" in said and offer["name"] in said, (
                    offer
                )
            assert await page.locator(".wufeng-offers tbody tr").count() == len(offers)
            assert not await page.context.cookies(shop), "no cookie was set or sent"
            plain = await windows.open(language=language, scripts=False)
            for one in (page, plain):
                await one.goto(f"{shop}/")
                await one.locator("a.wufeng-pay").click()
                await one.wait_for_url("**/checkout/**")
                await sees(one, "1,299.00", Words(language)("Sign in to pay"))


async def test_what_stands_in_attributes_and_answers_stays_text(demo: Demo, browser: Any) -> None:
    merchant = _merchant(demo)
    place = f"<div class=wufeng-offers data-merchant='{merchant}' data-amount='{AMOUNT}'"
    evil = [
        f"<div class=wufeng-offers data-merchant='{escape(XSS)}' data-amount='{AMOUNT}'>own words</div>",
        f"<div class=wufeng-offers data-merchant='{merchant}' data-amount='{escape(XSS)}'>own words</div>",
        f"{place} data-book='{escape(XSS)}'>own words</div>",
        f"{place} data-book='a&#10;b'>own words</div>",
        f"<a class=wufeng-pay href='#' data-merchant='{merchant}' data-amount='-1'>own words</a>",
        f"{place} data-book='{demo.book}' data-language='{escape(XSS)}'>own words</div>",
    ]
    names = {"data": [_offers(demo, "en")[0] | {"name": XSS}, _offers(demo, "en")[1] | {"name": XSS}]}
    with another_site("default-src * 'unsafe-inline' data:") as (shop, pages):
        pages["/"] = _page(demo, "".join(evil), XSS.replace("'", ""))
        pages["/names"] = _page(
            demo, f"<div class=wufeng-offers data-merchant='{merchant}' data-amount=1></div>"
        )
        async with browsing(browser) as windows:
            page = await windows.open()
            await page.goto(f"{shop}/")
            await page.locator(".wufeng-offers section").wait_for()
            assert await page.locator(".wufeng-offers section").count() == 1, "only the last one has prices"
            assert await page.locator(".wufeng-offers slot").count() == len(evil) - 1, (
                "the others keep their own words"
            )

            async def lie(route: Any) -> None:
                headers = {"access-control-allow-origin": "*"}
                await route.fulfill(status=200, headers=headers, body=json.dumps(names))

            await page.route("**/v1/offers?**", lie)
            await page.goto(f"{shop}/names")
            await page.locator(".wufeng-offers section").wait_for()
            assert "onerror" in await page.locator(".wufeng-offers section").evaluate("e => e.textContent")
            assert await page.evaluate("window.hurt") is None
            windows.complaints[:] = [said for said in windows.complaints if "v1/offers" not in said]


async def test_a_price_that_changes_is_asked_anew(demo: Demo, browser: Any) -> None:
    asked = f"data-merchant='{_merchant(demo)}' data-amount='{AMOUNT}' data-book='{demo.book}'"
    place = f"<div class=wufeng-offers {asked}></div>"
    with another_site(SHOP_POLICY.format(demo=demo.url)) as (shop, pages):
        pages["/"] = _page(demo, place)
        async with browsing(browser) as windows:
            page = await windows.open()
            await page.goto(f"{shop}/")
            await page.get_by_text("443.83").first.wait_for()
            await page.locator(".wufeng-offers").evaluate("e => { e.dataset.amount = '45900' }")
            await page.get_by_text("443.83").first.wait_for(state="detached")
            assert await page.locator(".wufeng-offers section").count() == 1


def test_the_script_is_small_and_open_to_every_site(demo: Demo) -> None:
    answer = httpx.get(f"{demo.url}/embed/v1.js", trust_env=False)
    assert answer.content == SCRIPTS["v1.js"] and len(answer.content) <= 8 * 1024
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert httpx.get(f"{demo.url}/embed/v0.js", trust_env=False).status_code == 404
    for path, opened in (
        ("/v1/offers", True),
        ("/v1/payments", False),
        ("/v1/quotes", False),
        ("/app", False),
    ):
        for method in ("OPTIONS", "GET"):
            asked = {"origin": "https://shop.example", "access-control-request-method": "GET"}
            seen = httpx.request(method, f"{demo.url}{path}", headers=asked, trust_env=False)
            assert ("access-control-allow-origin" in seen.headers) is opened, (method, path)
            assert "access-control-allow-credentials" not in seen.headers


ADDRESSES = [
    "https://shop.example/a?b=c", "HTTPS://Shop.Example:443/x", "https://shop.example:8443", "http://127.0.0.1:80/x",
    "https://[2001:DB8::1]:8443/x", "https://a@shop.example", "https://shop.example\\@evil.example",
    "https://shop.example%2eevil.example/", "https://shop.example/..//evil.example", "https:evil.example",
    "https://shop.example?@evil.example", "https://0x7f.1/", "https://2130706433/", "https://shop.example:0443",
]  # fmt: skip


async def test_an_address_is_the_same_place_to_us_and_to_a_browser(demo: Demo, browser: Any) -> None:
    """What is taken as a way back has, in Chromium, the origin that was judged; 0x7f.1 and its like only by number."""
    async with browsing(browser) as windows:
        page = await windows.open()
        await page.goto(f"{demo.url}/app/welcome")
        for url in ADDRESSES:
            address = read_address(url)
            if address is None:
                continue
            read = await page.evaluate("url => new URL(url).origin", url)
            assert read == address.origin or re.fullmatch(r"https://(0x7f\.1|2130706433)", address.origin), (
                url
            )


async def test_the_operators_own_people_sign_in_by_their_provider(browser: Any) -> None:
    """The test provider as a process of its own, a server configured by wufeng.toml, and a browser between them."""
    words = Words("en")
    async with running_server() as server, browsing(browser) as windows:
        server.kill()
        url, port = server.demo.url, serving.free_port()
        server.configure(
            f'[openid.test]\nissuer = "http://127.0.0.1:{port}"\nclient_id = "wufeng"\nname = "Lowmoon ID"\n'
            f'callback_url = "{url}/app/openid/callback"\nsign_up = true\n'
        )
        server.start()
        with _provider(port, url):
            page = await windows.open()
            await page.goto(f"{url}/app/credit")
            await page.get_by_role(
                "link", name=words("Sign in with %(provider)s", provider="Lowmoon ID")
            ).click()
            await page.wait_for_url("**/authorize?**")
            await press(page, "Do not sign in")
            await sees(page, words("You are not signed in"))
            await page.get_by_role(
                "link", name=words("Try again with %(provider)s", provider="Lowmoon ID")
            ).click()
            await page.get_by_role("button", name="林小满").click()
            await page.wait_for_url(f"{url}/app/credit")
            await sees(page, words("You have no credit line yet"))


@contextmanager
def _provider(port: int, url: str) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "-m", "wufeng.cli", "openid-provider", "--port", str(port), "--wufeng", url],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(100):
            try:
                httpx.get(f"http://127.0.0.1:{port}/.well-known/openid-configuration", trust_env=False)
                break
            except httpx.TransportError:
                threading.Event().wait(0.1)
        yield
    finally:
        process.terminate()
        process.wait(20)
