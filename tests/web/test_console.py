"""The console: who gets in, true figures, one person found every way, decisions and journals, the line, the clock."""

import html
import re
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from tests.api.conftest import NOON, Person, Shop

from wufeng.base.ids import Prefix, decode
from wufeng.base.metrics import Metrics
from wufeng.identity import Private
from wufeng.identity.staff.commands import create_staff
from wufeng.identity.staff.model import Role
from wufeng.ledger import verify_book
from wufeng.risk.model import ListMember
from wufeng.risk.store import add_member
from wufeng.web.paging import Door

from .conftest import Town
from .visitor import Visitor

KEY = "0123456789abcdef0123456789abcdef"
PASSWORD = "correct horse battery 9"
PHONE = "+8613911112222"


async def at_desk(town: Town, role: Role = Role.SUPERVISOR) -> Visitor:
    return town.visitor(Door.CONSOLE, await town.api.new_staff(role))


async def scene(town: Town) -> tuple[Person, Shop, dict[str, Any], dict[str, Any]]:
    """A person with one payment on credit and one that their limit declined."""
    person = await town.api.new_person(line_minor=100_000, phone=PHONE)
    shop = await town.api.new_merchant()
    paid = (await town.api.pay(person, shop, 30_000)).json()
    town.api.clock.turn_to(NOON + timedelta(seconds=5))
    declined = (await town.api.pay(person, shop, 90_000)).json()
    assert (paid["status"], declined["status"]) == ("captured", "declined")
    await town.api.catch_up()
    return person, shop, paid, declined


def stat(page: str, label: str) -> str:
    found = re.search(rf'<div class="stat"><p>{label}</p><b>([^<]*)</b>', page)
    assert found is not None, f"no figure {label}"
    return html.unescape(found[1])


async def test_staff_sign_in_into_one_of_their_books_and_out(town: Town) -> None:
    services = town.api.app.services
    async with services.database.transaction() as db:
        books = list(services.books.values())
        at = services.clock.now()
        await create_staff(
            db, services.vault, services.ids, "ada", "Ada", Private(PASSWORD), Role.ADMIN, books, at
        )
    visitor = town.visitor(Door.CONSOLE)
    assert (await visitor.get("/console")).location == "/console/sign-in?next=/console"
    wrong = await visitor.post("/console/sign-in", {"login": "ada", "password": "not this one"})
    assert (wrong.status, "is wrong" in wrong.text) == (422, True)
    several = await visitor.post("/console/sign-in", {"login": "ada", "password": PASSWORD})
    assert several.status == 422
    assert re.findall(r"<option[^>]*>(\w+)", several.text) == ["live", "test"]
    form = {"login": "ada", "password": PASSWORD, "book": "test", "next": "/console/clock"}
    assert (await visitor.post("/console/sign-in", form)).location == "/console/clock"
    page = await visitor.get("/console")
    assert (page.status, "Ada" in page.text, "Administrator" in page.text) == (200, True, True)
    renewed = await visitor.post("/console/sign-in", form | {"next": "/console/figures"})
    assert renewed.location == "/console", "a part of a page is no page"
    token = visitor.cookies[Door.CONSOLE.cookie]
    await visitor.post("/console/sign-out")
    old = town.visitor(Door.CONSOLE, token)
    assert (await old.get("/console")).status == 303, "the session is over, not only the cookie gone"


async def test_the_overview_says_what_is_true(town: Town) -> None:
    await scene(town)
    desk = await at_desk(town)
    page = (await desk.get("/console")).text
    assert stat(page, "Today") == "2"
    assert stat(page, "Approval rate") == "50.0%"
    assert stat(page, "Owed on lines") == "¥300.00"
    assert stat(page, "Ledger verified") == "never"
    assert "was never proved" in page
    await verify_book(town.api.app.database, town.api.book, NOON)
    figures = await desk.get("/console/figures")
    assert "<html" not in figures.text
    assert stat(figures.text, "Ledger verified") == "just now"
    assert "Nothing is wrong" in figures.text


async def test_what_is_wrong_is_an_alarm(town: Town) -> None:
    await scene(town)
    desk, database = await at_desk(town), town.api.app.database
    async with database.read() as db:
        await db.execute(
            "insert into verification (book, at, through, journals, breaks, took_ms) values ($1, $2, 1, 1, 3, 1)",
            town.api.book.id,
            NOON,
        )
        await db.execute(
            "update head set closed_through = $1 where bucket = any($2::smallint[])",
            NOON.date().replace(day=1),
            town.api.book.buckets,
        )
    page = (await desk.get("/console")).text
    assert "found 3 breaks" in page
    assert "1 ended business dates are not closed" in page


async def test_search_finds_the_person_by_everything(town: Town) -> None:
    person, shop, paid, _ = await scene(town)
    desk = await at_desk(town)
    drawn = next(funding for funding in paid["funding"] if funding["kind"] == "line")
    texts = [
        person.id,
        PHONE,
        "139 1111 2222",
        person.wallet,
        paid["id"],
        paid["order"],
        person.line,
        drawn["draw"],
    ]
    for text in texts:
        seen = await desk.get(f"/console/search?q={quote(text)}")
        assert seen.status == 303, text
        assert seen.location.startswith(f"/console/people/{person.id}"), text
    assert (
        await desk.get(f"/console/search?q={paid['decision']}")
    ).location == f"/console/decisions/{paid['decision']}"
    merchant = (await desk.get(f"/console/search?q={shop.id}")).text
    assert paid["id"] in merchant
    assert "¥300.00" in merchant
    for text in ("nobody", "pay_1", "per_01h455vb4pex5vsknk084sn02q", "+8613900009999", "x" * 200):
        seen = await desk.get(f"/console/search?q={quote(text)}")
        assert (seen.status, "Nothing was found" in seen.text) == (200, True), text


async def test_an_order_number_is_found_with_its_merchant_and_without(town: Town) -> None:
    person, shop, _, _ = await scene(town)
    order = town.api.order(shop, 1_000) | {"order_no": "K-77"}
    del order["merchant"]
    made = (await town.api.post("/v1/orders", shop.key, order)).json()
    desk = await at_desk(town)
    for text in ("K-77", f"K-77 {shop.id}"):
        seen = await desk.get(f"/console/search?q={quote(text)}")
        assert (seen.status, made["id"] in seen.text) == (200, True), "nobody has paid it yet: a list"
    await town.api.pay(person, shop, 1_000, order=made["id"])
    for text in ("K-77", f"K-77 {shop.id}", made["id"]):
        seen = await desk.get(f"/console/search?q={quote(text)}")
        assert seen.location.startswith(f"/console/people/{person.id}?around=pay_"), text


async def test_the_timeline_tells_a_decline_with_its_reasons(town: Town) -> None:
    person, _, paid, declined = await scene(town)
    desk = await at_desk(town)
    page = (await desk.get(f"/console/people/{person.id}")).text
    assert "139****2222" in page
    assert PHONE not in page
    part = page[page.index(f'id="{declined["id"]}"') :]
    part = part[: part.index("</li>")]
    assert "Credit limit reached" in part
    assert f"/console/decisions/{declined['decision']}" in part
    assert page.index(declined["id"]) < page.index(paid["id"]), "the newest first"
    assert "Line opened" in page
    earlier = await desk.get(f"/console/people/{person.id}?before=1")
    assert "Nothing has happened yet" in earlier.text
    around = await desk.get(f"/console/people/{person.id}?around={paid['id']}")
    assert f'id="{paid["id"]}"' in around.text


async def test_a_decision_is_explained(town: Town) -> None:
    _, _, paid, declined = await scene(town)
    desk = await at_desk(town, Role.ANALYST)
    page = (await desk.get(f"/console/decisions/{declined['decision']}")).text
    for text in (
        "limit_exceeded",
        "adverse action",
        "payment@2",
        "monthly_bill@1",
        "PIN",
        "¥900.00",
        "¥300.00",
    ):
        assert text in page, text
    allowed = (await desk.get(f"/console/decisions/{paid['decision']}")).text
    assert "Nothing spoke against it" in allowed
    assert "It was the first" in allowed


async def test_a_rule_that_hit_is_named_with_what_it_does(town: Town) -> None:
    person, shop, _, _ = await scene(town)
    api = town.api
    id_ = decode(Prefix.PERSON, person.id)
    member = ListMember(list="blocked", member_id=id_, reason="test", added_at=NOON, added_by=None)
    async with api.app.database.read() as db:
        await add_member(db, member)
    listed = (await api.pay(person, shop, 1_000)).json()
    page = (await (await at_desk(town)).get(f"/console/decisions/{listed['decision']}")).text
    rules = page[page.index("Rules that hit") : page.index("What was known of the payer")]
    assert "L001" in rules
    assert "on the list blocked" in rules
    assert "Declined" in rules


async def test_t_accounts_sum_on_both_sides(town: Town) -> None:
    person, _, paid, declined = await scene(town)
    desk = await at_desk(town, Role.ANALYST)
    page = (await desk.get(f"/console/journals?of={paid['id']}")).text

    def sums(pattern: str) -> float:
        return sum(float(text.replace(",", "")) for text in re.findall(pattern, page) if text)

    debits, credits_ = sums(r'<td class="debit">([\d.,]*)</td>'), sums(r'<td class="right">([\d.,]*)</td>')
    assert round(debits, 2) == round(credits_, 2) >= 300
    assert f"<span data-debit>¥{debits:,.2f}</span> = <span data-credit>¥{debits:,.2f}</span>" in page
    assert f"/console/people/{person.id}" in page
    assert "Line principal" in page
    journal = re.findall(r"jnl_[0-9a-z]{26}", page)[0]
    assert "Line principal" in (await desk.get(f"/console/journals?of={journal}")).text
    assert "No journal belongs to this" in (await desk.get(f"/console/journals?of={declined['id']}")).text
    assert (await desk.get("/console/journals?of=nonsense")).status == 404


async def test_a_supervisor_opens_a_line_once_and_with_a_reason(town: Town) -> None:
    person = await town.api.new_person()
    desk, path = await at_desk(town), f"/console/people/{person.id}"
    form = {"key": KEY, "product": "monthly_bill", "limit": "5,000", "reason": "asked at the counter"}
    assert 'id="reason-error"' in (await desk.post(f"{path}/lines", form | {"reason": ""})).text
    assert 'id="limit-error"' in (await desk.post(f"{path}/lines", form | {"limit": "much"})).text
    refused = await desk.post(f"{path}/lines", form | {"product": "no_such", "key": KEY[::-1]})
    assert (refused.status >= 400, "The line was not opened" in refused.text) == (True, True)
    assert "No line yet" in (await desk.get(path)).text
    for _ in range(2):
        assert (await desk.post(f"{path}/lines", form)).location == f"{path}#lines"
    page = (await desk.get(path)).text
    assert page.count("¥5,000.00") >= 1
    assert page.count('<section class="card" aria-label=') == 1
    assert "asked at the counter" in page


@pytest.mark.parametrize(("role", "status"), [(Role.ANALYST, 403), (Role.OPERATOR, 403), (Role.ADMIN, 303)])
async def test_only_some_roles_open_lines(town: Town, role: Role, status: int) -> None:
    person = await town.api.new_person()
    desk = await at_desk(town, role)
    form = {"key": KEY, "product": "monthly_bill", "limit": "5000", "reason": "asked"}
    assert (await desk.post(f"/console/people/{person.id}/lines", form)).status == status
    assert ("Open the line" in (await desk.get(f"/console/people/{person.id}")).text) is (
        role is Role.ADMIN
    ), "other products are left to open"


async def test_the_clock_turns_once_a_form_and_says_what_closed(town: Town) -> None:
    await scene(town)
    desk = await at_desk(town, Role.OPERATOR)
    page = (await desk.get("/console/clock")).text
    assert re.findall(r'name="to_on" value="([\d-]+)"', page) == ["2026-09-04", "2026-10-01", "2026-10-03"]
    turned = (await desk.post("/console/clock", {"to_on": "2026-10-01"})).text
    assert "Closed by this turn" in turned
    assert "1 Oct 2026" in turned
    row = turned[turned.index("30 Sept 2026" if "30 Sept 2026" in turned else "30 Sep 2026") :]
    assert '<td class="right">1</td>' in row[: row.index("</tr>")], "one bill was issued"
    again = await desk.post("/console/clock", {"to_on": "2026-10-01"})
    assert (again.status, "Nothing was turned" in again.text) == (422, True)
    assert (await desk.post("/console/clock", {"to_on": "soon"})).status == 422
    analyst = await at_desk(town, Role.ANALYST)
    assert (await analyst.post("/console/clock", {"to_on": "2026-10-02"})).status == 403
    assert 'name="to_on"' not in (await analyst.get("/console/clock")).text


async def test_a_person_and_a_merchant_are_nobody_here(town: Town) -> None:
    person, shop, paid, _ = await scene(town)
    for token in (person.token, shop.key):
        stranger = town.visitor(Door.CONSOLE, token)
        for path in ("/console", f"/console/people/{person.id}", f"/console/journals?of={paid['id']}"):
            assert (await stranger.get(path)).status == 403


async def test_another_books_objects_are_not_here(town: Town) -> None:
    person, shop, paid, declined = await scene(town)
    services = town.api.app.services
    async with services.database.transaction() as db:
        at, live = services.clock.now(), services.books.named("live")
        await create_staff(
            db, services.vault, services.ids, "liv", "Liv", Private(PASSWORD), Role.ADMIN, [live], at
        )
    desk = town.visitor(Door.CONSOLE)
    await desk.post("/console/sign-in", {"login": "liv", "password": PASSWORD})
    assert (await desk.get("/console")).status == 200
    for path in (
        f"/console/people/{person.id}",
        f"/console/decisions/{declined['decision']}",
        "/console/clock",
    ):
        assert (await desk.get(path)).status == 404, path
    assert paid["id"] not in (await desk.get(f"/console/search?q={shop.id}")).text
    for text in (person.id, PHONE, paid["id"], paid["order"], person.line, paid["order_no"]):
        seen = await desk.get(f"/console/search?q={quote(text)}")
        assert "Nothing was found" in seen.text, text
    assert "Line principal" not in (await desk.get(f"/console/journals?of={paid['id']}")).text


def test_the_quantile_is_the_end_of_the_bucket_that_holds_it() -> None:
    metrics = Metrics()
    assert metrics.quantile({"create_payment"}, 0.99) is None
    for _ in range(98):
        metrics.request("create_payment", 201, 0.004)
    metrics.request("confirm_payment", 200, 0.03)
    metrics.request("confirm_payment", 402, 0.03)
    metrics.request("get_payment", 200, 4.0)
    assert metrics.quantile({"create_payment", "confirm_payment"}, 0.5) == 0.005
    assert metrics.quantile({"create_payment", "confirm_payment"}, 0.99) == 0.05


async def test_a_busy_book_is_counted_from_its_newest_payments(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene(town)
    monkeypatch.setattr("wufeng.payments.traffic.queries.NEWEST", len(town.api.book.buckets))
    page = (await (await at_desk(town)).get("/console/figures")).text
    assert stat(page, "Today") == "1+", "one of each bucket, and it says that there are more"
    assert stat(page, "Payments a second") == "1.00", "over the time that the counted ones took"
    assert stat(page, "Approval rate") == "0.0%", "the newest was declined"
