"""What a stranger tries on the pages: a changed price, credit for a day's hours, a message of the bank that comes late,
a bill on paper. Each walk goes by the API and the pages alone.
"""

import io
import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pypdf import PdfReader
from tests.api.conftest import PIN, Person
from tests.web.test_own_product import example

from wufeng.credit import publish
from wufeng.credit.products.commands import SETTLES
from wufeng.credit.products.files import read_product
from wufeng.identity.staff.model import Role
from wufeng.web.paging import Door

from .conftest import Town
from .visitor import Visitor

SHANGHAI = ZoneInfo("Asia/Shanghai")


async def make_known(town: Town, source: str) -> None:
    """Publish a product's file and wait until the running server offers it."""
    api = town.api
    async with api.app.database.transaction() as db:
        await publish(db, [read_product(source, "ten_weeks.toml")], api.clock.now())
    api.clock.turn_to(api.clock.now() + SETTLES + timedelta(seconds=5))
    assert await api.app.timers.run_now("products")


async def open_line(town: Town, person: Person, product: str) -> str:
    opened = await town.api.post(
        "/v1/lines",
        await town.api.new_staff(Role.SUPERVISOR),
        {"person": person.id, "product": product, "limit_minor": 500_000, "reason": "test"},
    )
    assert opened.status_code == 201, opened.text
    line: str = opened.json()["id"]
    return line


async def buy(town: Town, person: Person, amount_minor: int) -> tuple[Visitor, str]:
    """Buy at the checkout with the last way to pay there; the browser, and the page of the receipt."""
    browser = town.visitor(Door.CONSUMER, person.token)
    path = f"/checkout/{await town.checkout(await town.api.new_merchant(), amount_minor)}"
    page = await browser.get(path)
    option = re.findall(r'name="option"[^>]*value="(qte_[^"]+)"', page.text)[-1]
    paid = await browser.post(path, {"key": page.field("key"), "option": option, "pin": PIN})
    assert paid.status == 303, paid.text
    return browser, paid.location


async def test_a_changed_price_leaves_what_was_bought_as_it_was(town: Town) -> None:
    await make_known(town, example())
    person = await town.api.new_person()
    line = await open_line(town, person, "ten_weeks")
    browser, receipt = await buy(town, person, 100_000)
    plan = re.findall(r"/app/plans/pln_\w+", (await browser.get(f"/app/credit?line={line}")).text)[0]
    before = (await browser.get(plan)).text
    assert before.count("¥200.00") >= 5 and "0.00% a year" in before
    dearer = (
        example()
        .replace("version = 1", "version = 2")
        .replace("2026-01-01", "2026-09-10")
        .replace("merchant_share_ppm = 1_000_000 }]", "merchant_share_ppm = 0 }]")
    )
    await make_known(town, dearer)
    await town.api.post("/v1/clock/advance", town.api.platform, {"days": 8}, key=None)
    _, dear = await buy(town, person, 100_000)
    assert "¥204.00" in (await browser.get(dear)).text, "2 % of it, in five parts, now paid by the person"
    again = (await browser.get(plan)).text
    assert again.count("¥200.00") == before.count("¥200.00") and "0.00% a year" in again
    assert "¥204.00" not in (await browser.get(receipt)).text


async def test_a_line_of_dates_has_no_days_of_the_month_and_says_from_what_to_pay(town: Town) -> None:
    await make_known(town, example())
    person = await town.api.new_person()
    line = await open_line(town, person, "ten_weeks")
    browser, _ = await buy(town, person, 100_000)
    page = (await browser.get(f"/app/credit?line={line}")).text
    assert "None" not in page and "each purchase has its own" in page
    assert "10.95% a year: 0.03% a day of what is late" in page and "Only the minimum" not in page
    await town.api.post("/v1/clock/advance", town.api.platform, {"days": 12}, key=None)
    plan = re.findall(r"/app/plans/pln_\w+", (await browser.get(f"/app/credit?line={line}")).text)[0]
    for path in (f"/app/repay?line={line}", plan):
        page = (await browser.get(path)).text
        assert "There is nothing to pay from yet" in page and "/app/bank-accounts/new?next=" in page, path
        assert 'class="button "' not in page, "no button that could only be refused"
    assert (await browser.get(plan)).text.count("To be paid") == 1, "the first part is billed"
    back = f"/app/repay?line={line}"
    added = await browser.post(
        "/app/bank-accounts", {"bank": "ICBC", "number": "6222020000012208", "next": back}
    )
    assert (added.status, added.location) == (303, back)
    for path in (back, plan):
        assert "The bank has not confirmed your account yet" in (await browser.get(path)).text, path


async def test_daily_interest_from_nine_to_six_of_one_day_is_nothing(town: Town) -> None:
    api = town.api
    person = await api.new_person(wallet_minor=200_000)
    line = await open_line(town, person, "daily_interest")
    api.clock.turn_to(datetime(2026, 9, 4, 9, tzinfo=SHANGHAI))
    browser, _ = await buy(town, person, 100_000)
    api.clock.turn_to(datetime(2026, 9, 4, 18, tzinfo=SHANGHAI))
    page = await browser.get(f"/app/repay?line={line}")
    assert "¥1,000.00" in page.text
    form = {"key": page.field("key"), "line": line, "amount": "all", "source": person.wallet}
    sent = await browser.post("/app/repay", form)
    assert sent.status == 303, sent.text
    receipt = (await browser.get(sent.location)).text
    assert "¥1,000.00" in receipt and "Daily interest</dt>" not in receipt
    seen = (await api.get(f"/v1/lines/{line}", person.token)).json()
    assert (seen["used_minor"], seen["accrued_minor"]) == (0, 0)


async def test_a_message_of_the_bank_three_days_late_shows_what_a_timely_one_would_have(town: Town) -> None:
    api = town.api
    shown = []
    people = [await api.new_person(), await api.new_person()]
    lines = [await open_line(town, person, "daily_interest") for person in people]
    browsers = [(await buy(town, person, 100_000))[0] for person in people]
    for day, told in ((7, 0), (10, 1)):  # paid on the 7th, both; of the second it is told on the 10th
        days = day - int((await api.get("/v1/clock", api.platform)).json()["business_on"][-2:])
        await api.post("/v1/clock/advance", api.platform, {"days": days}, key=None)
        body = {"line": lines[told], "amount_minor": 40_000, "source": "external"} | (
            {"value_on": "2026-09-07"} if told else {}
        )
        posted = await api.post("/v1/repayments", api.platform, body)
        assert posted.status_code == 201, posted.text
    await api.post("/v1/clock/advance", api.platform, {"to_on": "2026-10-02"}, key=None)
    for browser, line in zip(browsers, lines, strict=True):
        page = (await browser.get(f"/app/credit?line={line}")).text
        (bill,) = set(re.findall(r"/app/bills/bil_\w+", page))
        shown.append(re.findall(r"¥[\d,.]+", (await browser.get(bill)).text))
    assert shown[0] == shown[1] and "¥" in shown[0][0]


async def test_a_chinese_bill_on_paper_is_read_back_and_adds_up(town: Town) -> None:
    api = town.api
    person = await api.new_person()
    line = await open_line(town, person, "monthly_bill")
    for amount_minor in (100_000, 23_450, 6_789):
        await buy(town, person, amount_minor)
    await api.post("/v1/clock/advance", api.platform, {"to_on": "2026-10-02"}, key=None)
    browser = town.visitor(Door.CONSUMER, person.token, language="zh")
    (bill,) = (await api.get(f"/v1/bills?line={line}", person.token)).json()["data"]
    paper = await browser.get(f"/app/bills/{bill['id']}/pdf")
    assert paper.header("content-type") == "application/pdf"
    text = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(paper.body)).pages)
    assert "账单" in text and "最低还款" in text, text
    cents = [int(found.replace(",", "").replace(".", "")) for found in re.findall(r"\d[\d,]*\.\d\d", text)]
    items = [item["principal_minor"] + item["fee_minor"] for item in bill["items"]]
    assert all(one in cents for one in items), "each purchase stands on it"
    assert sum(items) == bill["total_minor"] and bill["total_minor"] in cents
