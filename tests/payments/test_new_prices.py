"""A product's new version: what was drawn before it lives by the old prices, what is drawn after by the new ones."""

import asyncio
import json
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from wufeng import credit, payments
from wufeng.base.errors import Problem
from wufeng.base.ids import Prefix, decode
from wufeng.base.lanes import Command
from wufeng.credit.draws.model import Draw
from wufeng.credit.draws.store import load_draws_of_line
from wufeng.credit.products.files import read_product
from wufeng.identity.people.model import Outcome
from wufeng.payments.pay.model import Capture, Funding, Presented
from wufeng.risk.model import Confirmation

from .conftest import TODAY, Payer, Town
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


@pytest.mark.parametrize("minutes", [4, 5])
async def test_a_yes_alone_pays_what_was_shown_or_is_asked_again(town: Town, minutes: int) -> None:
    """Until the last minute of the day the PIN is enough; from the first of the next what costs otherwise is asked."""
    [payer] = await town.people()
    await publish_dearer(town)
    town.clock.turn_to(town.book.start_of(TOMORROW) - timedelta(minutes=5))
    option = next(one for one in (await quote(town, AMOUNT_MINOR, payer)).options if one.tenor == 3)
    order = town.terms("o1", AMOUNT_MINOR)
    shown = await use(town, option.id, order, payer)
    _, body = await town.pay(payer, "o1", AMOUNT_MINOR, funding=shown, confirmation=Confirmation.NONE)
    assert body["status"] == "requires_action"
    town.turn(minutes=minutes)
    status, answer = await town.confirm(payer, body)
    if minutes < 5:
        assert status == 200 and sum((await draws(town, payer))[0].fee_parts) == option.total_cost_minor
        return
    assert (status, answer["code"]) == (422, "invalid_field")
    assert await draws(town, payer) == []
    again = next(one for one in (await quote(town, AMOUNT_MINOR, payer)).options if one.tenor == 3)
    assert (option.total_cost_minor, again.total_cost_minor) == (25_00, 30_00)
    status, _ = await town.confirm(payer, body, funding=await use(town, again.id, order, payer))
    assert status == 200 and sum((await draws(town, payer))[0].fee_parts) == 30_00


@pytest.mark.parametrize("tenor", [6, 12])
async def test_what_costs_the_same_or_is_there_no_more_after_midnight(town: Town, tenor: int) -> None:
    """A new version is another contract, although six months cost in it what they did; twelve are there no more."""
    [payer] = await town.people()
    town.clock.turn_to(town.book.start_of(TOMORROW) - timedelta(minutes=5))
    funding = Funding(use_wallet=False, line_id=payer.line_id, tenor=tenor)
    unchanged, changed = [
        (await town.pay(payer, number, AMOUNT_MINOR, funding=funding, confirmation=Confirmation.NONE))[1]
        for number in ("o1", "o2")
    ]
    town.turn(minutes=5)
    assert (await town.confirm(payer, unchanged))[0] == 200, "nothing is another in the night"
    await publish_dearer(town)
    assert (await town.confirm(payer, changed))[0] == 422


async def test_another_due_date_is_asked_about_too_and_a_balance_never(town: Town) -> None:
    """What is drawn on the 30th stands on the bill of 1 October, what is drawn on the 1st on that of November."""
    [payer] = await town.people(wallet_minor=AMOUNT_MINOR)
    town.clock.turn_to(town.book.start_of(date(2026, 10, 1)) - timedelta(minutes=1))
    fundings = (
        Funding(use_wallet=False, line_id=payer.line_id),
        Funding(True, payer.line_id),
        Funding(True, None),
    )
    waiting = [
        (await town.pay(payer, f"o{n}", AMOUNT_MINOR // 2, funding=funding, confirmation=Confirmation.NONE))[
            1
        ]
        for n, funding in enumerate(fundings)
    ]
    town.turn(minutes=1)
    assert [(await town.confirm(payer, body))[0] for body in waiting] == [422, 200, 200]


async def in_one_batch(town: Town, first: Payer, *commands: Command) -> list[tuple[int, dict[str, Any]]]:
    """The answers of commands that go together: they wait while the lane is busy with a payment of somebody else's."""
    busy = town.pay_command(first, town.terms("busy", AMOUNT_MINOR))
    answers = await asyncio.gather(*(town.ask(first.bucket, command) for command in (busy, *commands)))
    return answers[1:]


@pytest.mark.parametrize("capture", Capture)
async def test_of_one_batch_each_is_priced_by_its_own_date(town: Town, capture: Capture) -> None:
    """Payments of both sides of midnight: what was asked for before it has the price that was shown then."""
    first, early, late, gone = await town.people(4)
    await publish_dearer(town)
    midnight = town.book.start_of(TOMORROW)
    commands = []
    for number, (payer, tenor, seconds) in enumerate(((early, 3, -1), (late, 3, 0), (gone, 12, 0))):
        town.clock.turn_to(midnight + timedelta(seconds=seconds))
        funding = Funding(use_wallet=False, line_id=payer.line_id, tenor=tenor)
        order = town.terms(f"o{number}", AMOUNT_MINOR)
        commands.append(town.pay_command(payer, order, funding=funding, capture=capture))
    answers = await in_one_batch(town, first, *commands)
    assert [status for status, _ in answers] == [201, 201, 402]
    assert answers[2][1]["reasons"][0]["code"] == "tenor_not_offered", "there are twelve until midnight only"
    if capture is Capture.LATER:
        for payer, (_, body) in zip((early, late), answers, strict=False):
            assert (await town.capture(payer, body))[0] == 200
    assert [(one.product_version, sum(one.fee_parts)) for one in await draws(town, early)] == [(1, 25_00)]
    assert [(one.product_version, sum(one.fee_parts)) for one in await draws(town, late)] == [(2, 30_00)]


async def test_nobody_is_let_through_by_the_terms_of_tomorrow(town: Town) -> None:
    """Ten months begin tomorrow: a payment of today does not have them because one of tomorrow shares its batch."""
    first, early, late = await town.people(3)
    await publish_with_ten(town)
    midnight = town.book.start_of(TOMORROW)
    commands = []
    for payer, seconds in ((early, -1), (late, 0)):
        town.clock.turn_to(midnight + timedelta(seconds=seconds))
        funding = Funding(use_wallet=False, line_id=payer.line_id, tenor=10)
        order = town.terms(f"o{seconds}", AMOUNT_MINOR)
        commands.append(town.pay_command(payer, order, funding=funding, capture=Capture.LATER))
    (status, body), (_, held) = await in_one_batch(town, first, *commands)
    assert (status, body["reasons"][0]["code"]) == (402, "tenor_not_offered")
    assert (await town.capture(late, held))[0] == 200


async def test_a_yes_is_priced_by_its_own_date_too(town: Town) -> None:
    first, early, late = await town.people(3)
    await publish_dearer(town)
    midnight = town.book.start_of(TOMORROW)
    town.clock.turn_to(midnight - timedelta(minutes=1))
    waiting = []
    for number, payer in enumerate((early, late)):
        funding = Funding(use_wallet=True, line_id=None)
        _, body = await town.pay(
            payer, f"o{number}", AMOUNT_MINOR, funding=funding, confirmation=Confirmation.NONE
        )
        waiting.append(body)
    commands = []
    for payer, body, seconds in ((early, waiting[0], -1), (late, waiting[1], 0)):
        town.clock.turn_to(midnight + timedelta(seconds=seconds))
        commands.append(yes(town, payer, body, Funding(use_wallet=False, line_id=payer.line_id, tenor=3)))
    assert [status for status, _ in await in_one_batch(town, first, *commands)] == [200, 200]
    assert [sum((await draws(town, payer))[0].fee_parts) for payer in (early, late)] == [25_00, 30_00]


def yes(town: Town, payer: Payer, body: dict[str, Any], funding: Funding | None) -> payments.Confirm:
    return payments.Confirm(
        at=town.at,
        people=(payer.id,),
        payment_id=decode(Prefix.PAYMENT, body["id"]),
        payer_id=payer.id,
        confirmation=Confirmation.PIN,
        funding=funding,
        language="en",
    )


async def close_today(town: Town, payer: Payer) -> None:
    """A minute past midnight the day is closed: what comes to its lane only now is dated on the new one."""
    town.clock.turn_to(town.book.start_of(TOMORROW) + timedelta(minutes=1))
    async with town.database.transaction() as db:
        await db.execute("update head set closed_through = $2 where bucket = $1", payer.bucket, TODAY)


@pytest.mark.parametrize("confirmation", [Confirmation.NONE, Confirmation.PIN])
async def test_what_comes_too_late_for_its_day_pays_the_price_of_that_day_or_nothing(
    town: Town, confirmation: Confirmation
) -> None:
    [payer] = await town.people()
    town.clock.turn_to(town.book.start_of(TOMORROW) - timedelta(seconds=1))
    [dearer, same] = [
        town.pay_command(
            payer,
            town.terms(f"o{tenor}", AMOUNT_MINOR),
            funding=Funding(use_wallet=False, line_id=payer.line_id, tenor=tenor),
            confirmation=confirmation,
        )
        for tenor in (3, 6)
    ]
    await close_today(town, payer)
    assert (await town.ask(payer.bucket, same))[0] == 201, "nothing is another on the new day"
    await publish_dearer(town)
    status, answer = await town.ask(payer.bucket, dearer)
    assert (status, answer["code"]) == (422, "invalid_field")
    assert [row["order_no"] for row in await town.fetch("select order_no from merchant_order")] == ["o6"]
    assert {draw.product_version for draw in await draws(town, payer)} <= {1}
    again = await pay_in(town, payer, "o3", 3)
    assert again["status"] == "captured" and sum((await draws(town, payer))[-1].fee_parts) == 30_00


async def test_a_choice_that_comes_too_late_for_its_day_is_made_again(town: Town) -> None:
    [payer] = await town.people()
    town.clock.turn_to(town.book.start_of(TOMORROW) - timedelta(seconds=1))
    _, body = await town.pay(
        payer, "o1", AMOUNT_MINOR, funding=Funding(use_wallet=True, line_id=None),
        confirmation=Confirmation.NONE,
    )  # fmt: skip
    chosen = Funding(use_wallet=False, line_id=payer.line_id, tenor=3)
    command = yes(town, payer, body, chosen)
    await close_today(town, payer)
    await publish_dearer(town)
    assert (await town.ask(payer.bucket, command))[0] == 422
    assert await draws(town, payer) == []
    assert (await town.confirm(payer, body, funding=chosen))[0] == 200, "it waits for its payer as before"
    assert sum((await draws(town, payer))[0].fee_parts) == 30_00


async def test_who_shows_a_code_has_agreed_to_a_source_and_pays_the_price_of_the_day(town: Town) -> None:
    [payer] = await town.people()
    await publish_dearer(town)
    town.clock.turn_to(town.book.start_of(TOMORROW) - timedelta(seconds=1))
    command = town.pay_command(
        payer,
        town.terms("o1", AMOUNT_MINOR),
        funding=Funding(use_wallet=False, line_id=payer.line_id, tenor=3),
        presented=Presented(UUID(int=1), payer.device_id, town.at),
    )
    await close_today(town, payer)
    assert (await town.ask(payer.bucket, command))[0] == 201
    assert sum((await draws(town, payer))[0].fee_parts) == 30_00
