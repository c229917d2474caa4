"""Passkeys in a real browser, with Chromium's virtual authenticator: made, signed in with, paid with; two devices."""

from typing import Any
from urllib.parse import urlsplit

import pytest

from .live import Demo, browsing
from .test_journeys import Words, checkout, choose, fresh_phone, open_line, press, sees, shown_code, sign_up

pytestmark = pytest.mark.timeout(240)


def by_name(url: str) -> str:
    """The same address by the machine's name: browsers bind passkeys to names, never to numbers."""
    parts = urlsplit(url)
    return parts._replace(netloc=f"localhost:{parts.port}").geturl()


async def with_authenticator(page: Any) -> Any:
    """Give a window an authenticator that holds passkeys and verifies its person."""
    tools = await page.context.new_cdp_session(page)
    await tools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    made = await tools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return tools, made["authenticatorId"]


async def credentials(tools: Any, authenticator: str) -> list[dict[str, Any]]:
    found = await tools.send("WebAuthn.getCredentials", {"authenticatorId": authenticator})
    kept: list[dict[str, Any]] = found["credentials"]
    return kept


async def sign_in_by_code(page: Any, demo: Demo, phone: str, words: Words) -> None:
    await page.goto(f"{demo.url}/app/welcome?book={demo.book}")
    await page.get_by_label(words("Mobile number")).fill(phone)
    await press(page, words("Send me a code"))
    await page.get_by_label(words("Code of six digits")).fill(await shown_code(page))
    await press(page, words("Sign in"))


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_a_passkey_is_made_signs_in_and_pays(demo: Demo, language: str, browser: Any) -> None:
    words, phone = Words(language), fresh_phone()
    home = Demo(by_name(demo.url), demo.book, demo.key, demo.till_key, demo.login, demo.password, demo.links)
    async with browsing(browser) as windows:
        page = await windows.open(language=language)
        tools, authenticator = await with_authenticator(page)
        await sign_up(page, home, phone, words)
        await open_line(windows, home, phone, words)

        await page.get_by_role("link", name=words("Me"), exact=True).click()
        await page.get_by_role("link", name=words("Add a passkey")).click()
        await page.get_by_label(words("Payment PIN")).fill("190372")
        await press(page, words("Go on"))
        await page.get_by_role("button", name=words("Make the passkey")).click()
        await page.wait_for_url(f"{home.url}/app/me")
        await sees(page, "Chrome · Linux", words("proved by PIN"))
        (kept,) = await credentials(tools, authenticator)
        assert kept["rpId"] == "localhost" and kept["isResidentCredential"]

        await page.get_by_role("button", name=words("Sign out"), exact=True).first.click()
        await page.wait_for_url("**/app/welcome")
        await page.get_by_role("button", name=words("Sign in with a passkey")).click()
        await page.wait_for_url(f"{home.url}/app")
        await page.goto(f"{home.url}/app/me")
        await sees(page, words("proved by passkey"))
        assert await page.locator("form[action^='/app/me/devices/']").count() == 1, "the same device"

        await page.goto(by_name(await checkout(demo)))
        button = page.get_by_role("button", name=words("Pay %(amount)s with a passkey", amount="¥1,299.00"))
        await button.click()
        await page.locator("#passkey-said").wait_for()
        await sees(page, words("Choose what you pay from."))
        await choose(page, words("%(count)s instalments", count=3))
        await button.click()
        await page.wait_for_url("**/app/payments/**")
        await sees(page, words("Paid"), "443.83")
        (kept,) = await credentials(tools, authenticator)
        assert kept["signCount"] >= 3


async def test_of_two_devices_one_is_removed_and_is_out_at_once(demo: Demo, browser: Any) -> None:
    words, phone = Words("en"), fresh_phone()
    async with browsing(browser) as windows:
        phone_page = await windows.open()
        desk_page = await windows.open(size="desk")
        await sign_up(phone_page, demo, phone, words)
        await sign_in_by_code(desk_page, demo, phone, words)
        await sees(desk_page, words("Home"))

        await phone_page.goto(f"{demo.url}/app/me")
        removable = phone_page.locator("li", has=phone_page.locator("form[action^='/app/me/devices/']"))
        assert await removable.count() == 2
        await removable.filter(has_not_text=words("This one")).get_by_role("button").click()
        await phone_page.wait_for_load_state()
        assert await removable.count() == 1

        await desk_page.goto(f"{demo.url}/app/wallet")
        assert "/app/sign-in" in desk_page.url, "dead at the next request"
        await sign_in_by_code(desk_page, demo, phone, words)
        await phone_page.reload()
        assert await removable.count() == 2, "what was removed is a new device when it comes back"


async def test_without_scripts_or_by_number_the_pin_remains(demo: Demo, browser: Any) -> None:
    words, phone = Words("en"), fresh_phone()
    async with browsing(browser) as windows:
        page = await windows.open()
        await sign_up(page, demo, phone, words)
        await page.goto(f"{demo.url}/app/welcome")
        await page.goto(f"{demo.url}/app/sign-in")
        assert await page.locator("[data-passkey]").first.is_hidden(), "127.0.0.1 is no relying party"
        silent = await windows.open(scripts=False)
        await silent.goto(f"{by_name(demo.url)}/app/sign-in")
        assert await silent.locator("[data-passkey]").first.is_hidden()
        await silent.goto(f"{by_name(demo.url)}/app/welcome?book={demo.book}")
        await silent.get_by_label(words("Mobile number")).fill(phone)
        await press(silent, words("Send me a code"))
        await sees(silent, words("Enter the code"))
