"""A product that nobody's code knows: its file is published while the server runs, and it is bought at the checkout."""

import re
from datetime import timedelta
from pathlib import Path

from tests.api.conftest import PIN

from wufeng.credit import publish
from wufeng.credit.products.commands import SETTLES
from wufeng.credit.products.files import read_product, shipped_products
from wufeng.identity.staff.model import Role
from wufeng.web.paging import Door

from .conftest import Town

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "products.md"


def example() -> str:
    """The product of the guide."""
    found = re.search(r"^```toml\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


async def test_the_product_of_the_guide_is_bought_at_the_checkout(town: Town) -> None:
    api = town.api
    async with api.app.database.transaction() as db:
        await publish(db, [read_product(example(), "ten_weeks.toml")], api.app.services.clock.now())
    api.clock.turn_to(api.clock.now() + SETTLES + timedelta(seconds=5))
    assert await api.app.timers.run_now("products"), "the running server hears of it"

    shop, person = await api.new_merchant(), await api.new_person()
    offers = (await api.get(f"/v1/offers?merchant={shop.id}&amount_minor=100000")).json()["data"]
    assert [one["tenor"] for one in offers if one["product"] == "ten_weeks@1"] == [5]
    opened = await api.post(
        "/v1/lines",
        await api.new_staff(Role.SUPERVISOR),
        {"person": person.id, "product": "ten_weeks", "limit_minor": 500_000, "reason": "test"},
    )
    assert opened.status_code == 201, opened.text
    line = opened.json()["id"]

    browser = town.visitor(Door.CONSUMER, person.token)
    path = f"/checkout/{await town.checkout(shop, 100_000)}"
    page = await browser.get(path)
    assert "Ten weeks" in page.text and "200.00" in page.text, page.text
    options = re.findall(r'name="option"[^>]*value="(qte_[^"]+)"', page.text)
    paid = await browser.post(path, {"key": page.field("key"), "option": options[-1], "pin": PIN})
    assert paid.status == 303, paid.text
    receipt = await browser.get(paid.location)
    assert "200.00" in receipt.text

    await api.post("/v1/clock/advance", api.platform, {"days": 12}, key=None)
    (bill,) = (await api.get(f"/v1/bills?line={line}", person.token)).json()["data"]
    assert (bill["total_minor"], bill["issued_on"], bill["due_on"]) == (20_000, "2026-09-14", "2026-09-17")


def slow_start() -> str:
    """The shipped study loan for every shop, with a longer first period of interest alone, and fees that stay due."""
    (source,) = [one.source for one in shipped_products() if one.product.id == "study_now"]
    for old, new in (
        ('id = "study_now"', 'id = "slow_start"'),
        ("first_after = { months = 6 }", 'first_after = { months = 1, days = 10 }\nstub = "interest_only"'),
        ("tenor = 6, annual_ppm = 90_000", "tenor = 4, annual_ppm = 100_000"),
        ("single = false", 'single = false\nearly = "due"'),
        ('allowed = ["education"]', ""),
    ):
        assert source.count(old) == 1, old
        source = source.replace(old, new)
    return source


async def test_pages_tell_a_part_that_differs_by_itself_and_what_settling_early_takes(town: Town) -> None:
    """A first part of interest alone, and fees that stay due: nothing of it is told as so much a month."""
    api = town.api
    source = slow_start()
    async with api.app.database.transaction() as db:
        await publish(db, [read_product(source, "slow_start.toml")], api.app.services.clock.now())
    api.clock.turn_to(api.clock.now() + SETTLES + timedelta(seconds=5))
    assert await api.app.timers.run_now("products")
    shop, person = await api.new_merchant(), await api.new_person()
    offers = (await api.get(f"/v1/offers?merchant={shop.id}&amount_minor=100000")).json()["data"]
    (offer,) = [one for one in offers if one["product"] == "slow_start@1"]
    assert [run["count"] for run in offer["runs"]] == [1, 2, 1]
    assert [run["monthly"] for run in offer["runs"]] == [False, True, False]
    first, each, last = (f"¥{run['amount_minor'] / 100:,.2f}" for run in offer["runs"])
    staff = await api.new_staff(Role.SUPERVISOR)
    terms = {"person": person.id, "product": "slow_start", "limit_minor": 500_000, "reason": "test"}
    assert (await api.post("/v1/lines", staff, terms)).status_code == 201

    path = f"/checkout/{await town.checkout(shop, 100_000)}"
    page = (await town.visitor(Door.CONSUMER, person.token).get(path)).text
    assert f"{each} a month" in page and f"first {first}, then 2 × {each}, the last {last}" in page
    assert f"{first} a month" not in page and f"{first} each" not in page
    assert "fees and interest not yet due are paid all the same" in page and "fall away" not in page
    page = (await town.visitor(Door.CONSUMER, person.token, language="zh").get(path)).text
    assert f"首期 {first}，之后 2 期每期 {each}，末期 {last}" in page and "未到期的手续费和利息照收" in page
