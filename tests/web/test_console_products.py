"""Products and day closes in the console: what staff look up, and what it says where there is nothing."""

import re
from datetime import date, timedelta

from wufeng.credit import StepRun, publish
from wufeng.credit.products.commands import SETTLES
from wufeng.credit.products.files import read_product, shipped_products
from wufeng.identity.staff.model import Role
from wufeng.web.console.closes import _total
from wufeng.web.paging import Door

from .conftest import Town
from .visitor import Visitor


async def desk(town: Town, language: str = "en") -> Visitor:
    return town.visitor(Door.CONSOLE, await town.api.new_staff(Role.ANALYST), language=language)


async def test_every_product_is_listed_with_the_most_that_it_costs(town: Town) -> None:
    page = await (await desk(town)).get("/console/products")
    for id_, dearest in (
        ("monthly_bill", "18.25%"),
        ("order_instalments", "21.57%"),
        ("pay_in_four", "0.00%"),
    ):
        row = re.search(rf'/console/products/{id_}@\d+".*?</tr>', page.text, re.DOTALL)
        assert row is not None and f"<b>{dearest}</b>" in row[0] and "In force" in row[0], id_


async def test_a_version_shows_what_a_purchase_costs_its_terms_and_its_file(town: Town) -> None:
    staff = await desk(town)
    page = await staff.get("/console/products/monthly_bill@1?amount=1299&tenor=3")
    for said in ("14.94%", "443.83", "443.82", "1,331.48", "32.48", "fee_ppm = 25_000", "24.00%"):
        assert said in page.text, said
    assert page.text.index("14.94%") < page.text.index("Compounded"), (
        "the other formulas come after it, folded"
    )
    cheaper = await staff.get("/console/products/monthly_bill@1?amount=1299&tenor=3&tier=preferred")
    assert "14.94%" not in cheaper.text and "In force" in cheaper.text
    carried = await staff.get("/console/products/monthly_bill@1?amount=1299&tenor=3&merchant_share=1000000")
    assert "433.00" in carried.text and "¥32.48" in carried.text


async def test_an_amount_that_is_not_offered_is_said_so(town: Town) -> None:
    staff = await desk(town, "zh")
    for amount in ("1", "abc", "0"):
        page = await staff.get(f"/console/products/pay_in_four@1?amount={amount}")
        assert (page.status, "该产品不支持这个金额" in page.text) == (422, True), amount
    for id_ in ("nothing@1", "monthly_bill@9", "monthly_bill", "monthly_bill@x"):
        assert (await staff.get(f"/console/products/{id_}")).status == 404, id_


async def test_a_version_to_come_stands_beside_the_one_in_force(town: Town) -> None:
    api = town.api
    shipped = next(one for one in shipped_products() if one.product.id == "monthly_bill")
    source = shipped.source.replace("version = 1", "version = 2").replace("2015-04-01", "2026-10-01")
    later = read_product(source, "monthly_bill.toml")
    async with api.app.database.transaction() as db:
        await publish(db, [later], api.clock.now())
    api.clock.turn_to(api.clock.now() + SETTLES + timedelta(seconds=5))
    await api.app.timers.run_now("products")
    staff = await desk(town)
    listed = (await staff.get("/console/products")).text
    assert listed.index("monthly_bill@2") < listed.index("monthly_bill@1") and "To come" in listed
    page = (await staff.get("/console/products/monthly_bill@2")).text
    assert "bought on 1 Oct 2026" in page and "/console/products/monthly_bill@1" in page


async def test_closes_are_told_by_step_and_by_bucket(town: Town) -> None:
    staff = await desk(town)
    assert "No business date has been closed yet" in (await staff.get("/console/closes")).text
    assert (await town.api.new_person(line_minor=1_000_00)).id
    await town.api.post("/v1/clock/advance", town.api.platform, {"days": 3}, key=None)
    page = await staff.get("/console/closes")
    assert "Close of 5 Sept 2026" in page.text and "no error" in page.text
    for on in ("2026-09-03", "2026-09-04", "2026-09-05"):
        assert f"/console/closes?on={on}" in page.text
    chosen = await staff.get("/console/closes?on=2026-09-03")
    assert "Close of 3 Sept 2026" in chosen.text and "Bills issued" in chosen.text
    assert "Nothing was closed on 1 Sept 2026" in (await staff.get("/console/closes?on=2026-09-01")).text
    assert (await staff.get("/console/closes?on=x")).status == 200


def test_what_could_not_be_done_is_counted_with_its_bucket() -> None:
    on = date(2026, 9, 3)
    runs = [
        StepRun(1, on, "bills", 10, 30, ()),
        StepRun(1, on, "due_dates", 1, 5, ("lin_1: no",)),
        StepRun(2, on, "bills", 7, 50, ("lin_2: no", "lin_3: no")),
    ]
    total = _total(runs)
    assert (total.row_count, total.took_ms, total.slowest_ms, total.buckets) == (18, 85, 50, 2)
    assert [(one.bucket, one.step) for one in total.troubles] == [
        (1, "due_dates"),
        (2, "bills"),
        (2, "bills"),
    ]


async def test_what_is_tried_again_is_told_from_what_must_be_mended(town: Town) -> None:
    staff, bucket = await desk(town), town.api.book.buckets[0]
    await town.api.post("/v1/clock/advance", town.api.platform, {"days": 1}, key=None)
    again, mended = "is tried again at the next close", "is not tried again: each close finds it again"

    async def seen(step: str) -> tuple[bool, bool]:
        async with town.api.app.database.transaction() as db:
            await db.execute(
                "update close_run set errors = case when step = $2 then array['no'] else '{}' end"
                " where bucket = $1",
                bucket,
                step,
            )
        text = (await staff.get("/console/closes")).text
        return again in text, mended in text

    assert await seen("bills") == (True, False)
    assert await seen("accruals") == (False, True)
    assert await seen("none") == (False, False)


async def test_interest_that_products_have_earned_stands_below_the_closes(town: Town) -> None:
    staff = await desk(town)
    assert "Interest earned by lines" not in (await staff.get("/console/closes")).text
    async with town.api.app.database.transaction() as db:
        await db.execute(
            "insert into accrual_ledger (bucket, product, product_version, income_minor, accrued_minor)"
            " values ($1, 'study_now', 1, 1234, 234)",
            town.api.book.buckets[0],
        )
    page = (await staff.get("/console/closes")).text
    row = re.search(r"study_now@1</th>.*?</tr>", page, re.DOTALL)
    assert row is not None and re.findall(r"¥[\d.]+", row[0]) == ["¥10.00", "¥2.34", "¥12.34"]
