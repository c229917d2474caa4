"""A product's new version: what was drawn before it lives by the old prices, what is drawn after by the new ones."""

import json
from datetime import date, timedelta
from typing import Any

import pytest

from wufeng import credit, payments
from wufeng.base.errors import Problem
from wufeng.base.ids import Prefix, decode
from wufeng.credit.draws.model import Draw
from wufeng.credit.draws.store import load_draws_of_line
from wufeng.credit.products.files import read_product
from wufeng.identity.people.model import Outcome
from wufeng.payments.pay.model import Capture, Funding
from wufeng.risk.model import Confirmation

from .conftest import Payer, Town
from .test_quotes import quote, use

TOMORROW = date(2026, 9, 4)
AMOUNT_MINOR = 1_000_00
OLD = [(1, 0), (3, 25_00), (6, 45_00), (9, 65_00), (12, 88_00)]
NEW = [(1, 0), (3, 30_00), (6, 45_00), (9, 65_00)]


async def publish_dearer(town: Town) -> None:
    """From tomorrow on three months cost 3 %, and nobody can have twelve."""
    first = next(one for one in credit.shipped_products() if one.product.id == "monthly_bill")
    source = (
        first.source.replace("version = 1", "version = 2")
        .replace("2015-04-01", str(TOMORROW))
        .replace("fee_ppm = 25_000", "fee_ppm = 30_000")
        .replace("    { tenor = 12, fee_ppm = 88_000 },\n", "")
        .replace("    { tenor = 12, fee_ppm = 75_000 },\n", "")  # people of good standing neither
    )
    async with town.database.transaction() as db:
        kept = await credit.publish(db, [read_product(source, "mine.toml")], town.at)
    town.catalogue.products.add(kept.versions())


async def offered(town: Town) -> list[tuple[int, int]]:
    async with town.database.read() as db:
        found = await payments.list_offers(
            db, town.catalogue, town.merchants, town.book, town.merchant_id, AMOUNT_MINOR, None, town.at, "en"
        )
    return [(one.tenor, one.total_cost_minor) for one in found if one.product.startswith("monthly_bill@")]


async def pay_in(town: Town, payer: Payer, order_no: str, tenor: int) -> dict[str, Any]:
    status, body = await town.pay(
        payer, order_no, AMOUNT_MINOR, funding=Funding(use_wallet=False, line_id=payer.line_id, tenor=tenor)
    )
    return {"status": status, **body}


async def draws(town: Town, payer: Payer) -> list[Draw]:
    async with town.database.read() as db:
        found = await load_draws_of_line(db, payer.bucket, payer.line_id)
    return sorted(found, key=lambda draw: draw.product_version)


async def test_old_draws_keep_their_plan_and_new_ones_have_the_new_price(town: Town) -> None:
    [payer] = await town.people()
    await publish_dearer(town)
    assert await offered(town) == OLD, "it begins tomorrow"
    first = await pay_in(town, payer, "before", 3)
    [before] = await draws(town, payer)
    assert (before.product_version, before.fee_parts) == (1, (833, 833, 834))

    town.turn(days=1)
    assert town.book.business_date(town.at) == TOMORROW
    assert await offered(town) == NEW
    seen = await quote(town, AMOUNT_MINOR, payer)
    assert [(one.tenor, one.total_cost_minor) for one in seen.options if one.tenor] == NEW
    assert {one.product for one in seen.options if one.tenor} == {"monthly_bill@2"}
    await pay_in(town, payer, "after", 3)
    assert (await pay_in(town, payer, "gone", 12))["reasons"][0]["code"] == "tenor_not_offered"
    unchanged, after = await draws(town, payer)
    assert unchanged == before
    assert (after.product_version, after.fee_parts) == (2, (1000, 1000, 1000))

    refunded = await town.refund(payer, first, "r1", AMOUNT_MINOR // 2)
    assert refunded[0] == 201, refunded
    assert (await draws(town, payer))[0].fee_parts == (833, 416, 0), "by the price it was drawn at"


async def publish_with_ten(town: Town) -> None:
    """From tomorrow on there are ten months, and three cost 2 %."""
    first = next(one for one in credit.shipped_products() if one.product.id == "monthly_bill")
    twelve = "    { tenor = 12,"
    source = (
        first.source.replace("version = 1", "version = 2")
        .replace("2015-04-01", str(TOMORROW))
        .replace("fee_ppm = 25_000", "fee_ppm = 20_000")
        .replace(twelve, "    { tenor = 10, fee_ppm = 65_500 },\n" + twelve)  # of good standing too
    )
    async with town.database.transaction() as db:
        kept = await credit.publish(db, [read_product(source, "mine.toml")], town.at)
    town.catalogue.products.add(kept.versions())


def notes_of(rows: list[dict[str, Any]]) -> list[str]:
    """The product versions that journals of draws name."""
    notes = [json.loads(row["note"]) for row in rows]
    return [note["product"] for note in notes if "product" in note]


@pytest.mark.parametrize("outcome", [Outcome.NONE, Outcome.REVIEW])
@pytest.mark.parametrize(("tenor", "cost_minor"), [(3, 20_00), (10, 65_50)])
async def test_what_was_confirmed_after_midnight_is_captured_at_that_days_price(
    town: Town, tenor: int, cost_minor: int, outcome: Outcome
) -> None:
    """It began to wait for its payer before it: the price is that of the date on which it was let through."""
    [payer] = await town.people(outcome=outcome)
    await publish_with_ten(town)
    town.clock.turn_to(town.book.start_of(TOMORROW) - timedelta(minutes=5))
    _, body = await town.pay(
        payer, "o1", AMOUNT_MINOR, funding=Funding(use_wallet=True, line_id=None), capture=Capture.LATER,
        confirmation=Confirmation.NONE,
    )  # fmt: skip
    assert body["status"] == "requires_action"
    town.turn(minutes=8)
    option = next(one for one in (await quote(town, AMOUNT_MINOR, payer)).options if one.tenor == tenor)
    assert option.total_cost_minor == cost_minor
    funding = await use(town, option.id, town.terms("o1", AMOUNT_MINOR), payer)
    await town.confirm(payer, body, funding=funding)
    if outcome is Outcome.REVIEW:
        town.turn(minutes=8)
        await town.review(payer, body, approve=True)
    _, body = await town.capture(payer, body)
    [source] = body["funding"]
    assert sum(part["fee_minor"] for part in source["instalments"]) == cost_minor
    assert [(draw.product_version, sum(draw.fee_parts)) for draw in await draws(town, payer)] == [
        (2, cost_minor)
    ]


@pytest.mark.parametrize("outcome", [Outcome.NONE, Outcome.REVIEW])
async def test_a_late_capture_names_the_version_it_was_authorised_under(town: Town, outcome: Outcome) -> None:
    [payer] = await town.people(outcome=outcome)
    await publish_dearer(town)
    town.clock.turn_to(town.book.start_of(TOMORROW) - timedelta(minutes=5))
    funding = Funding(use_wallet=False, line_id=payer.line_id, tenor=12)
    _, body = await town.pay(payer, "o1", AMOUNT_MINOR, funding=funding, capture=Capture.LATER)
    town.turn(minutes=10)
    if outcome is Outcome.REVIEW:
        await town.review(payer, body, approve=True)
    _, body = await town.capture(payer, body)
    assert body["funding"][0]["product"] == "monthly_bill@1"
    assert notes_of(await town.fetch("select note::text from journal where note is not null")) == [
        "monthly_bill@1"
    ]
    assert {row["product"] for row in await town.fetch("select product from decision")} == {"monthly_bill@1"}


async def test_a_payment_reads_the_same_whenever_it_is_read(town: Town) -> None:
    """A line that was opened under the first version draws by the second: that is what its payment says."""
    [payer] = await town.people()
    await publish_dearer(town)
    town.turn(days=1)
    told = await pay_in(town, payer, "o1", 3)
    async with town.database.read() as db:
        payment = await payments.load_payment(db, town.book, decode(Prefix.PAYMENT, told["id"]))
        assert payment is not None
        [read] = await payments.show_payments(
            db, town.catalogue, town.book, [payment], payments.Reader.PERSON, "en"
        )
    assert [read.funding[0].product, told["funding"][0]["product"]] == ["monthly_bill@2"] * 2


async def test_a_quote_ends_with_the_day_before_a_new_price(town: Town) -> None:
    [payer] = await town.people()
    last_minutes = town.book.start_of(TOMORROW) - timedelta(minutes=5)
    town.clock.turn_to(last_minutes)
    seen = await quote(town, AMOUNT_MINOR, payer)
    assert seen.expires_at == last_minutes + timedelta(minutes=15), "nothing changes tomorrow"
    await publish_dearer(town)
    seen = await quote(town, AMOUNT_MINOR, payer)
    option = next(one for one in seen.options if one.tenor == 3)
    assert seen.expires_at == town.book.start_of(TOMORROW)
    town.turn(minutes=6)
    with pytest.raises(Problem, match="expired"):
        await use(town, option.id, town.terms("o1", AMOUNT_MINOR), payer)
