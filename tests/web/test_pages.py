"""Who may see what: every page × every kind of caller × {own, another's, absent}, by the table of access alone.

And what holds for every page whoever asks: the policy headers, same-site posts, local redirects, and that nothing
a browser or its enemy can send makes a page fail. A page with an id and without a sample in OBJECTS fails here.
"""

import asyncio
import re
from collections import Counter
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from tests.api.conftest import PIN
from tests.api.matrix import Who, World
from tests.api.test_matrix import ABSENT, refusal
from tests.cases import cases

from wufeng.base import receiving
from wufeng.identity import PAGE_RULES
from wufeng.web import PAGES
from wufeng.web.paging import FORM_MAX_BYTES, HEADERS, Door, Page, _cookies, local_path
from wufeng.web.texts import LANGUAGES, Formats, minor_of

from .conftest import Town
from .visitor import FORM, ORIGIN, Seen, Visitor


class Sample(Struct, frozen=True, kw_only=True):
    """How a page names its object.

    kind     what the world calls it; None: a text of its own that stands in `named`
    query    the parameter, when it is not in the path
    anyones  another's object is shown as one's own is: whoever has the link may pay
    """

    kind: str | None = None
    named: str = ""
    query: str = ""
    anyones: bool = False


OBJECTS: dict[str, Sample] = {
    "static": Sample(named="none.css", anyones=True),
    "app_end_session": Sample(kind="session"),
    "app_revoke_device": Sample(kind="device"),
    "app_rename_passkey": Sample(kind="passkey"),
    "app_delete_passkey": Sample(kind="passkey"),
    "app_ask_to_pay": Sample(kind="checkout_session", anyones=True),
    "app_ask_to_confirm": Sample(kind="payment"),
    "app_confirm_code": Sample(kind="payment"),
    "app_ask_to_sign": Sample(kind="application"),
    "app_ask_to_split": Sample(kind="bill"),
    "app_payment": Sample(kind="payment"),
    "app_confirm": Sample(kind="payment"),
    "app_refuse": Sample(kind="payment"),
    "app_line": Sample(kind="line"),
    "app_line_limit": Sample(kind="line"),
    "app_line_decline": Sample(kind="line"),
    "app_line_freeze": Sample(kind="line"),
    "app_line_due_day": Sample(kind="line"),
    "app_line_close": Sample(kind="line"),
    "app_application": Sample(kind="application"),
    "app_application_accept": Sample(kind="application"),
    "app_application_refer": Sample(kind="application"),
    "app_application_withdraw": Sample(kind="application"),
    "app_application_paper": Sample(kind="application"),
    "app_application_contract": Sample(kind="application"),
    "app_bill": Sample(kind="bill"),
    "app_bill_pdf": Sample(kind="bill"),
    "app_bill_csv": Sample(kind="bill"),
    "app_split": Sample(kind="bill"),
    "app_split_send": Sample(kind="bill"),
    "app_plan": Sample(kind="plan"),
    "app_plan_settle": Sample(kind="plan"),
    "app_repay": Sample(kind="line", query="line"),
    "app_repayment": Sample(kind="repayment"),
    "app_friend": Sample(kind="open_order", anyones=True),
    "app_friend_send": Sample(kind="open_order", anyones=True),
    "app_friend_link": Sample(kind="friend_link"),
    "app_friend_link_live": Sample(kind="friend_link"),
    "app_friend_link_cancel": Sample(kind="friend_link"),
    "scanned_code": Sample(named="none", anyones=True),
    "scanned_code_send": Sample(named="none", anyones=True),
    "payment_link": Sample(named="none", anyones=True),
    "payment_link_send": Sample(named="none", anyones=True),
    "friend_link": Sample(named="none", anyones=True),
    "friend_link_send": Sample(named="none", anyones=True),
    "app_family_card": Sample(kind="family_card"),
    "app_family_caps": Sample(kind="family_card"),
    "app_family_move": Sample(kind="family_card"),
    "app_ride_pay": Sample(kind="ride_charge"),
    "checkout": Sample(kind="checkout_session", anyones=True),
    "checkout_pay": Sample(kind="checkout_session", anyones=True),
    "checkout_cancel": Sample(kind="checkout_session", anyones=True),
    "embed": Sample(named="none.js", anyones=True),
    "merchant_order": Sample(kind="order"),
    "merchant_order_live": Sample(kind="order"),
    "merchant_till_live": Sample(kind="payment"),
    "merchant_refund": Sample(kind="order"),
    "merchant_code": Sample(kind="merchant_code"),
    "merchant_code_close": Sample(kind="merchant_code"),
    "merchant_code_poster": Sample(kind="merchant_code"),
    "merchant_link": Sample(kind="payment_link"),
    "merchant_link_close": Sample(kind="payment_link"),
    "merchant_campaign": Sample(kind="campaign"),
    "merchant_campaign_move": Sample(kind="campaign"),
    "shop_product": Sample(named="none", anyones=True),
    "shop_buy": Sample(named="none", anyones=True),
    "shop_order": Sample(named="none", anyones=True),
    "demo_ticket": Sample(named="none", anyones=True),
    "console_person": Sample(kind="person"),
    "console_decision": Sample(kind="decision"),
    "console_open_line": Sample(kind="person"),
    "console_freeze": Sample(kind="person"),
    "console_unfreeze": Sample(kind="person"),
    "console_tier": Sample(kind="person"),
    "console_staff_role": Sample(kind="staff"),
    "console_application": Sample(kind="application"),
    "console_decide_application": Sample(kind="application"),
    "console_application_policy": Sample(named="none@1", anyones=True),
    "console_product": Sample(named="monthly_bill@1", anyones=True),
}
"""By operation: every page with an id in its path, and those that take one in their query."""

LAST = ("_turn", "_sign_out")
"""What turns the caller's clock, then what ends its session, is asked last of those who may."""


def _turn(page: Page, who: Who) -> int:
    if refusal(PAGE_RULES[page.operation], who) is not None:
        return 0
    return next((place for place, end in enumerate(LAST, 1) if page.operation.endswith(end)), 0)


def ids(page: Page) -> str:
    return f"{page.method} {page.path}"


POSTS = [page for page in PAGES if page.method == "POST" and not page.raw]


def test_every_page_with_an_id_has_a_sample() -> None:
    lacking = [ids(page) for page in PAGES if "{" in page.path and page.operation not in OBJECTS]
    assert lacking == [], "say in OBJECTS which of the world's objects the page shows"


def test_every_rule_of_a_page_has_its_page() -> None:
    served = {page.operation for page in PAGES}
    unbuilt = PAGE_RULES.keys() - served - {"no_page"}
    assert not unbuilt, f"no page has these rules: {sorted(unbuilt)}"


class Matrix:
    """Asks cells and keeps what does not fit."""

    def __init__(self, town: Town, world: World) -> None:
        self.town = town
        self.world = world
        self.misfits: list[str] = []
        self.counts: Counter[int] = Counter()

    async def check(self, page: Page, who: Who) -> None:
        """Every target of one page for one caller."""
        status = refusal(PAGE_RULES[page.operation], who)
        sample = OBJECTS.get(page.operation)
        targets = ("own", "another", "absent") if sample is not None and sample.kind else ("own",)
        told = {target: await self._ask(page, who, sample, target) for target in targets}
        for target, seen in told.items():
            self.counts[seen.status] += 1
            wrong = self._wrong(page, who, status, seen)
            if wrong is None and status is None and sample is not None:
                wrong = _wrong_object(page, sample, target, seen, who)
            if wrong is not None:
                self.misfits.append(f"{ids(page)} · {who.name} · {target}: {seen.status}, {wrong}")
        secret = status is None and who.kind is not None and sample is not None and not sample.anyones
        if secret and "another" in told and _plain(told["another"]) != _plain(told["absent"]):
            self.misfits.append(f"{ids(page)} · {who.name}: tells another's from an absent one")

    async def _ask(self, page: Page, who: Who, sample: Sample | None, target: str) -> Seen:
        path = page.path
        if sample is not None:
            named = self._id(sample, who, target)
            path = re.sub(r"\{\w+\}", named, path)
            if sample.query:
                path = f"{path}?{sample.query}={named}"
        visitor = self.town.visitor(page.door, who.token)
        return await visitor.ask(page.method, path, **_posted(page))

    def _id(self, sample: Sample, who: Who, target: str) -> str:
        if sample.kind is None:
            return sample.named
        things = self.world.things
        if target == "absent":
            return f"{things['A'][sample.kind].partition('_')[0]}_{ABSENT}"
        owner = (who.owns if target == "own" else who.other) or "live"
        return things.get(owner, {}).get(sample.kind) or things["A"][sample.kind]

    def _wrong(self, page: Page, who: Who, status: int | None, seen: Seen) -> str | None:
        at_door = seen.status == 303 and urlsplit(seen.location).path == page.door.sign_in
        if status == 401:
            following = parse_qs(urlsplit(seen.location).query).get("next", [""])[0]
            local = following.startswith("/") and not following.startswith("//")
            return None if at_door and local else f"expected the way to {page.door.sign_in}"
        if status is not None:
            return None if seen.status == status else f"expected {status}"
        public = PAGE_RULES[page.operation].reach.public
        if seen.status >= 500 or seen.status == 405:
            return "expected an answer"
        if at_door and not public and "sign_out" not in page.operation:
            return "is signed in, and sent to sign in"
        return None


def _posted(page: Page) -> dict[str, Any]:
    if page.method != "POST":
        return {}
    headers = {"origin": ORIGIN, "sec-fetch-site": "same-origin", "content-type": FORM}
    return {"headers": headers, "body": b"key=0123456789abcdef0123456789abcdef"}


def _wrong_object(page: Page, sample: Sample, target: str, seen: Seen, who: Who) -> str | None:
    if target == "own" and sample.kind and page.method == "GET" and who.owns:
        return None if seen.status in (200, 303) else "expected one's own"
    if target == "absent" or (target == "another" and not sample.anyones):
        return None if seen.status == 404 else "expected 404"
    return None


def _plain(seen: Seen) -> str:
    """A page without what differs from request to request: its number, keys, and the address that was asked."""
    return re.sub(r"\b[a-z]{2,4}_[0-9a-z]{26}\b", "", re.sub(r"[0-9a-f]{32}", "", seen.text))


async def test_the_matrix_of_pages(town: Town, world: World) -> None:
    matrix = Matrix(town, world)
    asked = [(page, who) for page in PAGES if not page.raw for who in world.callers]
    for turn in range(len(LAST) + 1):
        now = [(page, who) for page, who in asked if _turn(page, who) == turn]
        for chunk in range(0, len(now), 40):
            await asyncio.gather(*(matrix.check(page, who) for page, who in now[chunk : chunk + 40]))
    cells = sum(matrix.counts.values())
    print(f"{cells} cells, {len(PAGES)} pages, {len(world.callers)} callers: {dict(matrix.counts)}")  # noqa: T201
    assert matrix.misfits == [], "\n" + "\n".join(matrix.misfits[:40])


async def test_every_answer_carries_the_policy(town: Town) -> None:
    wanted = {name.decode(): value.decode() for name, value in HEADERS}
    assert "unsafe" not in wanted["content-security-policy"] and wanted["x-frame-options"] == "DENY"
    nobody = town.visitor()
    asked = [(page.method, re.sub(r"\{\w+\}", "absent", page.path), _posted(page)) for page in PAGES]
    asked += [("GET", "/app/no-such-page", {}), ("PUT", "/app", {}), ("HEAD", "/app/welcome", {})]
    for method, path, more in asked:
        seen = await nobody.ask(method, path, **more)
        lacking = [name for name, value in wanted.items() if seen.header(name) != value]
        assert not lacking, f"{method} {path}: {lacking}"
        assert seen.status < 500, f"{method} {path}: {seen.status}"


FOREIGN = [
    {"origin": "", "sec-fetch-site": ""},
    {"origin": "null", "sec-fetch-site": ""},
    {"origin": "https://evil.example", "sec-fetch-site": ""},
    {"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
    {"origin": ORIGIN, "sec-fetch-site": "cross-site"},
    {"origin": ORIGIN, "sec-fetch-site": "same-site"},
    {"origin": f"{ORIGIN}.evil.example", "sec-fetch-site": ""},
    {"origin": f"http://evil.example/{ORIGIN}", "sec-fetch-site": ""},
    {"origin": "null", "sec-fetch-site": "none"},
]


@cases("headers", FOREIGN)
async def test_a_form_of_another_site_is_refused(town: Town, headers: dict[str, str]) -> None:
    person = await town.api.new_person(line_minor=1_000_00, wallet_minor=500_00)
    shop = await town.api.new_merchant()
    session = await town.checkout(shop, 100_00)
    visitor = town.visitor(token=person.token)
    page = await visitor.get(f"/checkout/{session}")
    form = {"key": page.field("key"), "option": page.field("option"), "pin": PIN}

    refused = await visitor.post(f"/checkout/{session}", form, headers=headers)
    assert refused.status == 403 and await town.payments_of(person) == 0
    for post in POSTS:
        path = re.sub(r"\{\w+\}", "absent", post.path)
        seen = await town.visitor(post.door, person.token).post(path, form, headers=headers)
        assert seen.status == 403, ids(post)

    assert (await visitor.post(f"/checkout/{session}", form)).status == 303, (
        "the same form from this site pays"
    )
    assert await town.payments_of(person) == 1


EVIL = [
    "//evil.example", "/\\evil.example", "https:evil.example", "https://evil.example", "\\\\evil.example",
    "/\t/evil.example", "/\n/evil.example", "javascript:alert(1)", "///evil.example", "/app\r\nset-cookie: a=b",
    "evil.example", "", "/äpp", "http:///evil.example", " //evil.example", "/app\0",
]  # fmt: skip


@pytest.mark.parametrize("target", EVIL)
def test_what_leads_elsewhere_is_not_followed(target: str) -> None:
    assert local_path(target, "/app") == "/app"


@given(st.text(alphabet=st.sampled_from("/\\:.@?#%aé \t\r\n\x00h"), max_size=12) | st.text(max_size=30))
def test_a_local_path_stays_here_as_browsers_read_it(text: str) -> None:
    path = local_path(text, "/otherwise")
    read = re.sub(r"[\t\r\n]", "", path).replace("\\", "/")  # as the URL standard has browsers do
    assert read == path and path.startswith("/") and not path.startswith("//")
    assert urlsplit(f"http://site{path}").netloc == "site"
    assert path.isascii() and path.isprintable()


@cases("target", ["//evil.example", "/\\evil", "https:evil", "/%5cevil", "/%0d%0aset-cookie:x"])
async def test_redirects_stay_here(town: Town, target: str) -> None:
    visitor = town.visitor()
    back = await visitor.post("/language", {"to": "en", "back": target})
    assert back.status == 303 and _is_local(back.location), back.location
    signed = await _sign_in(town, "+8613800138000", target)
    assert signed.status == 303 and _is_local(signed.location), signed.location
    assert "\r" not in signed.location and "set-cookie: x" not in str(signed.headers).lower()


def _is_local(location: str) -> bool:
    return location.startswith("/") and not location.startswith(("//", "/\\"))


async def _sign_in(town: Town, phone: str, next_path: str) -> Seen:
    visitor = town.visitor()
    page = await visitor.post("/app/sign-in", {"phone": phone, "next": next_path})
    code = re.search(r'data-value="(\d{6})"', page.text)
    assert code is not None, page.text
    form = {"phone": phone, "code": code[1], "next": page.field("next")}
    return await visitor.post("/app/sign-in/code", form)


async def test_nothing_that_is_sent_makes_a_page_fail(town: Town) -> None:
    person = await town.api.new_person(line_minor=1_000_00, wallet_minor=500_00)
    session = await town.checkout(await town.api.new_merchant(), 100_00)
    visitor = town.visitor(token=person.token)
    pay = f"/checkout/{session}"
    bodies: list[tuple[int, bytes, dict[str, str]]] = [
        (422, b"", {}),
        (400, b"option=x%00&pin=1", {}),
        (400, b"option=a&option=b", {}),
        (400, b"\xff\xfe=1", {}),
        (400, b"option=%ff", {}),
        (413, b"option=" + b"x" * FORM_MAX_BYTES, {}),
        (400, b"&".join(b"f%d=1" % number for number in range(300)), {}),
        (415, b'{"option": 1}', {"content-type": "application/json"}),
        (415, b"--x--", {"content-type": "multipart/form-data; boundary=x"}),
        (415, b"option=1", {"content-type": ""}),
        (400, b"option=abc&pin=190372", {}),  # no key
        (400, b"option=abc&pin=190372&key=short", {}),
        (400, b"option=abc&pin=190372&key=%E4%B8%AD%E6%96%87%E4%B8%AD%E6%96%87%E4%B8%AD%E6%96%87!!", {}),
    ]
    for status, body, headers in bodies:
        seen = await visitor.post(pay, body=body, headers=headers)
        assert seen.status == status, f"{body[:40]!r}: {seen.status}"
        assert "<h1>" in seen.text or "alert" in seen.text, "the page says what happened"
    assert await town.payments_of(person) == 0


@cases(
    "cookie",
    ["=", ";;;", "wufeng_person", "wufeng_person=", "a=b; wufeng_person=\xff\xfe", "wufeng_person=" + "x" * 5000,
     "wufeng_person=../..", "wufeng_language=../../etc; wufeng_book=no'book", "wufeng_person=1; wufeng_person=2"],
)  # fmt: skip
async def test_broken_cookies_are_nobody(town: Town, cookie: str) -> None:
    for path in ("/app", "/app/payments/pay_1", "/app/welcome"):
        seen = await town.visitor().get(path, headers={"cookie": cookie})
        assert seen.status in (200, 303), f"{path}: {seen.status}"


async def test_heads_unknown_addresses_and_other_methods(town: Town) -> None:
    nobody = town.visitor()
    whole, head = await nobody.get("/app/welcome"), await nobody.ask("HEAD", "/app/welcome")
    assert head.status == 200 and head.body == b"" and int(head.header("content-length")) > 500
    assert whole.body != b""
    assert ((bare := await nobody.get("/")).status, bare.location) == (303, "/app")
    for path in (
        "/app/nothing",
        "/app/",
        "/app//",
        "/static/../pyproject.toml",
        "/static/%2e%2e/secrets",
        "/app/%00",
    ):
        seen = await nobody.get(path)
        assert seen.status == 404 and "<h1>" in seen.text, path
    assert (await nobody.ask("DELETE", "/app")).status == 405
    assert (await nobody.get("/app/sign-in/code")).status == 405
    for path in ("/app?next=%ff", "/app/welcome?next=%00", "/app/welcome?a=1&a=2"):
        assert (await nobody.get(path)).status in (200, 303, 400), path


async def test_a_session_that_ended_leads_back_to_where_one_was(town: Town) -> None:
    person = await town.api.new_person(line_minor=1_000_00)
    visitor = town.visitor(token=person.token)
    repay = f"/app/repay?line={person.line}"
    assert (await visitor.get(repay)).status == 200
    await visitor.post("/app/sign-out")
    assert Door.CONSUMER.cookie not in visitor.cookies
    visitor = town.visitor(token=person.token)
    gone = await visitor.get(repay)
    assert unquote(gone.location) == f"/app/sign-in?next={repay}"
    lost = await visitor.post("/app/repay", {"line": person.line}, headers={"referer": ORIGIN + repay})
    assert unquote(lost.location) == f"/app/sign-in?next={repay}&lost=1"
    assert "You were signed out" in (await visitor.get(lost.location)).text


async def test_a_form_that_is_held_back_until_its_session_has_ended(town: Town) -> None:
    person = await town.api.new_person(line_minor=1_000_00, wallet_minor=500_00)
    session = await town.checkout(await town.api.new_merchant(), 100_00)
    visitor = town.visitor(token=person.token)
    page = await visitor.get(f"/checkout/{session}")
    form = {"key": page.field("key"), "option": page.field("option"), "pin": PIN}

    async def sign_out() -> None:
        await town.visitor(token=person.token).post("/app/sign-out")

    late = await visitor.post(f"/checkout/{session}", form, meanwhile=sign_out)
    assert late.location.startswith("/app/sign-in?next="), (late.status, late.text[:200])
    assert (await visitor.get(f"/checkout/{session}")).status == 200, "the order is still to be paid"


@pytest.mark.parametrize(
    ("language", "words"), [("en", "did not reach us whole in time"), ("zh", "没有按时完整送达")]
)
async def test_a_form_that_comes_too_slowly_is_told_so(
    town: Town, monkeypatch: pytest.MonkeyPatch, language: str, words: str
) -> None:
    monkeypatch.setattr(receiving, "WITHIN_S", 0.05)
    never = asyncio.Event()

    async def for_ever() -> None:
        await never.wait()

    visitor = town.visitor(language=language)
    late = await visitor.post("/app/sign-in", {"phone": "13900000001"}, meanwhile=for_ever)
    assert late.status == 408 and words in late.text


async def test_the_same_form_pays_once(town: Town) -> None:
    person = await town.api.new_person(line_minor=1_000_00, wallet_minor=500_00)
    session = await town.checkout(await town.api.new_merchant(), 100_00)
    visitor = town.visitor(token=person.token)
    page = await visitor.get(f"/checkout/{session}")
    form = {"key": page.field("key"), "option": page.field("option"), "pin": PIN}
    answers = await asyncio.gather(*(visitor.post(f"/checkout/{session}", form) for _ in range(4)))
    later = await visitor.post(f"/checkout/{session}", form)
    tab = await visitor.get(f"/checkout/{session}")
    places = {seen.location for seen in (*answers, later, tab)}
    assert all(seen.status in (303, 409) for seen in answers) and later.status == tab.status == 303
    assert sum(place.startswith("/app/payments/") for place in places) == 1, places
    assert await town.payments_of(person) == 1
    receipt = await visitor.get(later.location)
    assert receipt.status == 200 and "Paid" in receipt.text


SCRIPT = "\"><script>alert(1)</script><img src=x onerror=alert(1)>'&{{7*7}}"


async def test_scripts_in_fields_are_text(town: Town) -> None:
    person = await town.api.new_person(line_minor=1_000_00, wallet_minor=500_00)
    shop = await town.api.new_merchant()
    session = await town.checkout(shop, 100_00, subject=SCRIPT)
    visitor = town.visitor(token=person.token)
    page = await visitor.get(f"/checkout/{session}")
    form = {"key": page.field("key"), "option": page.field("option"), "pin": PIN}
    paid = await visitor.post(f"/checkout/{session}", form)
    seen = [
        page,
        await visitor.get(paid.location),
        await visitor.get("/app"),
        await visitor.get("/app/activity"),
    ]
    for path in (
        f"/app/welcome?next={quote(SCRIPT)}",
        f"/app/sign-in?next=/{quote(SCRIPT)}&phone={quote(SCRIPT)}",
    ):
        seen.append(await town.visitor().get(path))
    seen.append(await visitor.post("/app/sign-in", {"phone": SCRIPT, "next": "/" + SCRIPT}))
    seen.append(await visitor.post("/app/repay", {"line": person.line, "amount": "other", "other": SCRIPT}))
    for one in seen:
        assert (
            "<script>alert" not in one.text
            and "<img src=x" not in one.text
            and "49" not in _between(one.text)
        )


def _between(text: str) -> str:
    """What stands where the braces were: a template in a template would have counted."""
    return "".join(re.findall(r"&amp;(.{0,3})", text))


# what pages read and write


@pytest.mark.parametrize("language", LANGUAGES)
@given(minor=st.integers(0, 10**12 - 1), currency=st.sampled_from(["CNY", "JPY", "USD"]))
def test_an_amount_is_read_as_it_is_written(language: str, minor: int, currency: str) -> None:
    assert minor_of(Formats(language, "Asia/Shanghai").number(minor, currency), currency) == minor


def test_the_date_of_an_instant_is_the_books() -> None:
    evening = datetime(2026, 9, 2, 16, 0, tzinfo=UTC)  # midnight in Shanghai
    assert Formats("en", "Asia/Shanghai").day_of(evening) == "3 Sept 2026"
    assert Formats("zh", "UTC").day_of(evening) == "2026年9月2日"


@given(st.text(max_size=20))
def test_an_amount_is_whole_fen_or_none(text: str) -> None:
    found = minor_of(text, "CNY")
    assert found is None or 0 <= found < 10**15


@pytest.mark.parametrize(
    ("text", "minor"),
    [("1299", 129900), ("1,299.00", 129900), ("￥12.5", 1250), ("１２．５", 1250), (".5", 50), ("12.", 1200),
     ("1.234", None), ("-1", None), ("", None), (".", None), ("¥", None), ("1e3", None), ("١", None), ("1.2.3", None)],
)  # fmt: skip
def test_amounts_as_people_type_them(text: str, minor: int | None) -> None:
    assert minor_of(text, "CNY") == minor


@given(st.text(max_size=60))
def test_any_cookie_header_is_read(header: str) -> None:
    assert all(name and ";" not in name + value for name, value in _cookies(header).items())


def test_a_visitor_keeps_cookies() -> None:
    assert Visitor(None, wufeng_person="a").cookies == {"wufeng_person": "a"}
