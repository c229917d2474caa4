"""A product that nobody's code knows: its file is published while the server runs, and it is bought at the checkout."""

import re
from datetime import timedelta
from pathlib import Path

from tests.api.conftest import PIN

from wufeng.credit import publish
from wufeng.credit.products.commands import SETTLES
from wufeng.credit.products.files import read_product
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
