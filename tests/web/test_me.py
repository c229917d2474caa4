"""Me, without a browser: devices by their cookie, a passkey made, signed in and paid with through the pages' forms."""

import json
from typing import Any

from tests.api.conftest import PIN, Person
from tests.identity.authenticator import Authenticator

from wufeng.base.ids import Prefix, decode
from wufeng.web.consumer.devices import COOKIE, device_name
from wufeng.web.paging import Door

from .conftest import Town
from .visitor import Seen, Visitor

PHONE_AGENT = "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36"


def options(seen: Seen) -> dict[str, Any]:
    assert seen.status == 200 and seen.header("content-type") == "application/json", seen.text
    asked: dict[str, Any] = json.loads(seen.body)
    return asked


async def add_passkey(town: Town, visitor: Visitor) -> Authenticator:
    """Prove the PIN, then have a passkey made; the visitor's session is another one after it."""
    before = visitor.cookies[Door.CONSUMER.cookie]
    stepped = await visitor.post("/app/me/passkey/pin", {"pin": PIN, "next": "/app/me"})
    assert stepped.location == "/app/me/passkey?next=/app/me"
    assert visitor.cookies[Door.CONSUMER.cookie] != before
    assert (await town.visitor(token=before).get("/app/me")).status == 303, "the old token is dead"
    key = Authenticator()
    made = key.make(options(await visitor.post("/app/me/passkey/challenge")))
    kept = await visitor.post("/app/me/passkey", {"passkey": made, "name": "my key", "next": "/app/me"})
    assert kept.location == "/app/me"
    return key


async def signed_in(town: Town) -> tuple[Person, Visitor]:
    person = await town.api.new_person(line_minor=5_000_00, wallet_minor=500_00)
    return person, town.visitor(token=person.token)


async def test_me_shows_what_proves_and_where(town: Town) -> None:
    _, visitor = await signed_in(town)
    page = await visitor.get("/app/me")
    assert "This one" in page.text and "Add a passkey" in page.text and "signed in, no more" in page.text
    wrong = await visitor.post("/app/me/passkey/pin", {"pin": "461937"})
    assert wrong.status == 403 and "4 tries are left" in wrong.text
    late = await visitor.post("/app/me/passkey/challenge")
    assert late.status == 422 and json.loads(late.body) == {
        "said": "Too much time has passed. Load the page again."
    }
    await add_passkey(town, visitor)
    page = await visitor.get("/app/me")
    assert "my key" in page.text and "proved by PIN" in page.text
    passkey = page.text.split("/app/me/passkeys/")[1].split("/")[0]
    await visitor.post(f"/app/me/passkeys/{passkey}/name", {"name": "<b>blue</b>"})
    page = await visitor.get("/app/me")
    assert "&lt;b&gt;blue" in page.text and "<b>blue" not in page.text
    await visitor.post(f"/app/me/passkeys/{passkey}/delete")
    assert "blue" not in (await visitor.get("/app/me")).text


async def test_a_bad_registration_is_told(town: Town) -> None:
    _, visitor = await signed_in(town)
    await visitor.post("/app/me/passkey/pin", {"pin": PIN})
    forged = Authenticator().make(options(await visitor.post("/app/me/passkey/challenge")), flags=0)
    for answer in (forged, "{}", ""):
        seen = await visitor.post("/app/me/passkey", {"passkey": answer, "name": "x"})
        assert seen.status in (403, 422) and "The passkey was not kept" in seen.text


async def test_sign_in_by_passkey_is_the_same_device(town: Town) -> None:
    _, visitor = await signed_in(town)
    key = await add_passkey(town, visitor)
    browser = town.visitor()
    answer = key.answer(options(await browser.post("/app/sign-in/passkey/challenge")))
    entered = await browser.post("/app/sign-in/passkey", {"passkey": answer, "next": "/app/wallet"})
    assert entered.location == "/app/wallet" and browser.cookies[COOKIE].startswith("wfd_")
    proof = browser.cookies[COOKIE]
    replayed = await browser.post("/app/sign-in/passkey", {"passkey": answer})
    assert replayed.status == 422 and "The passkey was not accepted" in replayed.text
    await browser.post("/app/sign-out")
    answer = key.answer(options(await browser.post("/app/sign-in/passkey/challenge")))
    entered = await browser.post("/app/sign-in/passkey", {"passkey": answer})
    cookie = next(value for name, value in entered.headers if name == "set-cookie" and COOKIE in value)
    assert browser.cookies[COOKIE] == proof and "HttpOnly" in cookie and "SameSite=Lax" in cookie
    page = await browser.get("/app/me")
    assert page.text.count("/app/me/devices/") == 2, "the one of the API, and this browser once"
    ended = await browser.post("/app/me/sessions/end")
    assert ended.location == "/app/me" and (await visitor.get("/app")).status == 303


async def test_pay_by_passkey_on_the_checkout(town: Town) -> None:
    person, visitor = await signed_in(town)
    session = await town.checkout(await town.api.new_merchant(), 300_00)
    path = f"/checkout/{session}"
    assert "data-passkey" not in (await visitor.get(path)).text, "nobody without one is shown a button"
    key = await add_passkey(town, visitor)
    person.token = visitor.cookies[Door.CONSUMER.cookie]
    page = await visitor.get(path)
    assert f'data-passkey="{path}/challenge"' in page.text and 'name="pin"' in page.text
    form = {"key": page.field("key"), "option": page.field("option")}
    unsaid = await visitor.post(f"{path}/challenge", {"key": form["key"]})
    assert unsaid.status == 422 and json.loads(unsaid.body) == {"said": "Choose what you pay from."}
    other = key.answer(options(await visitor.post(f"{path}/challenge", form | {"option": "qte_1.1"})))
    refused = await visitor.post(path, form | {"passkey": other})
    assert refused.status == 403 and "The passkey was not accepted" in refused.text
    assert await town.payments_of(person) == 0
    form = {"key": refused.field("key"), "option": refused.field("option")}
    answer = key.answer(options(await visitor.post(f"{path}/challenge", form)))
    paid = await visitor.post(path, form | {"passkey": answer})
    assert paid.location.startswith("/app/payments/pay_")
    payment_id = paid.location.rpartition("/")[2]
    payment = (await town.api.get(f"/v1/payments/{payment_id}", person.token)).json()
    assert (payment["status"], payment["confirmed_by"]) == ("captured", "passkey")


async def test_a_waiting_payment_says_what_it_needs(town: Town) -> None:
    """The largest wait for a passkey and a code: the page asks for both, and has the code sent."""
    person, visitor = await signed_in(town)
    shop = await town.api.new_merchant()
    wallet_id = decode(Prefix.WALLET, person.wallet)
    await town.api.fill(decode(Prefix.PERSON, person.id), wallet_id, 60_000_00)
    async with town.api.app.database.read() as db:
        await db.execute("update person set tier = 3")
    order = town.api.order(shop, 41_000_00)
    begun = await town.api.post(
        "/v1/payments", visitor.cookies[Door.CONSUMER.cookie],
        {"order": order, "funding": [{"wallet": person.wallet}]},
    )  # fmt: skip
    assert begun.json()["next_action"]["needs"] == "passkey_code", begun.text
    path = f"/app/payments/{begun.json()['id']}"
    page = await visitor.get(path)
    assert "So much is paid with a passkey." in page.text and 'name="pin"' not in page.text
    key = await add_passkey(town, visitor)
    page = await visitor.post(f"{path}/code")
    code = page.text.split('data-fill="code" data-value="')[1][:6]
    form = {"key": page.field("key"), "option": page.field("option")}
    answer = key.answer(options(await visitor.post(f"{path}/confirm/challenge", form)))
    weak = await visitor.post(f"{path}/confirm", form | {"passkey": answer})
    assert weak.status == 403 and "So much needs a stronger proof" in weak.text
    form = {"key": weak.field("key"), "option": weak.field("option")}
    answer = key.answer(options(await visitor.post(f"{path}/confirm/challenge", form)))
    wrong = await visitor.post(
        f"{path}/confirm", form | {"passkey": answer, "code": f"{(int(code) + 1) % 10**6:06d}"}
    )
    assert wrong.status == 403 and "The code is wrong or too old" in wrong.text
    form = {"key": wrong.field("key"), "option": wrong.field("option")}
    answer = key.answer(options(await visitor.post(f"{path}/confirm/challenge", form)))
    paid = await visitor.post(f"{path}/confirm", form | {"passkey": answer, "code": code})
    assert paid.status == 303 and "Paid" in (await visitor.get(path)).text


class Said:
    """A visit, as far as a browser's name is asked."""

    def __init__(self, agent: str) -> None:
        self.headers = {b"user-agent": agent.encode()} if agent else {}


def test_a_browser_is_named_by_what_it_says() -> None:
    assert device_name(Said(PHONE_AGENT)) == "Chrome · Android"  # type: ignore[arg-type]
    assert device_name(Said("curl/8")) == device_name(Said("")) == "web"  # type: ignore[arg-type]
