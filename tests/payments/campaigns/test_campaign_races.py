"""A budget under races: batches, two buckets, two processes, and the timer that evens slices out between them."""

import asyncio
from typing import Any

import pytest
from tests.payments.conftest import Payer, Town, seen

from wufeng import payments
from wufeng.payments import Campaign
from wufeng.payments.pay.model import Capture

from .test_campaigns import AMOUNT_MINOR, PRICE_MINOR, in_months, make, pay, used


async def race(
    town: Town, payers: list[Payer], campaign: Campaign, capture: Capture = Capture.NOW
) -> list[tuple[int, dict[str, Any]]]:
    """Everybody pays at once, over the lanes of two processes."""
    other = town.more_lanes()
    answers = await asyncio.gather(
        *(
            town.submit(
                payer.bucket,
                town.pay_command(
                    payer,
                    town.terms(f"o{n}", AMOUNT_MINOR),
                    funding=in_months(payer, campaign),
                    capture=capture,
                ),
                (town.lanes, other)[n % 2],
            )
            for n, payer in enumerate(payers)
        )
    )
    await other.drain()
    return [seen(answer) for answer in answers]


async def everybody(town: Town, each: int) -> list[Payer]:
    here, there = await town.people(each), await town.people(each, bucket=town.book.buckets[1])
    return [payer for pair in zip(here, there, strict=True) for payer in pair]


@pytest.mark.parametrize("capture", list(Capture))
async def test_a_budget_is_never_passed_by_two_processes_in_two_buckets(town: Town, capture: Capture) -> None:
    payers = await everybody(town, 12)
    campaign = await make(town, budget_minor=10 * PRICE_MINOR + PRICE_MINOR // 2)
    answers = await race(town, payers, campaign, capture)
    paid = [body for status, body in answers if status == 201]
    assert {status for status, _ in answers} == {201, 402}
    assert all(
        [reason["code"] for reason in body["reasons"]] == ["campaign_over"]
        for status, body in answers
        if status == 402
    )
    assert await used(town, campaign) == len(paid) * PRICE_MINOR
    assert 8 <= len(paid) <= 10, "of the last parts some lie in the other bucket"
    await payments.even_out(town.database, town.book, town.at)
    more = 0
    for n, payer in enumerate(payers):
        more += (await pay(town, payer, f"p{n}", campaign))[0] == 201
        await payments.even_out(town.database, town.book, town.at)
    assert len(paid) + more == 10, "once it was evened out the whole of it is used"
    assert await used(town, campaign) == 10 * PRICE_MINOR


async def test_room_in_the_other_bucket_comes_with_the_timer(town: Town) -> None:
    [here] = await town.people()
    [there] = await town.people(bucket=town.book.buckets[1])
    campaign = await make(town, budget_minor=4 * PRICE_MINOR)
    assert (await pay(town, here, "o1", campaign))[0] == 201  # and a part of the budget ahead
    await pay(town, there, "o2", campaign)
    await pay(town, there, "o3", campaign)
    status, _ = await pay(town, there, "o4", campaign)
    if status == 402:
        assert await payments.even_out(town.database, town.book, town.at) > 0
        assert (await pay(town, there, "o4", campaign))[0] == 201
    assert await used(town, campaign) == 4 * PRICE_MINOR
    assert await payments.even_out(town.database, town.book, town.at) == 0, "there is nothing to free"


async def test_the_first_payments_of_two_processes_make_one_slice(town: Town) -> None:
    payers = await town.people(10)
    campaign = await make(town)
    assert {status for status, _ in await race(town, payers, campaign)} == {201}
    assert await used(town, campaign) == 10 * PRICE_MINOR
    assert len(await town.fetch("select 1 from campaign_slice")) == 1


async def test_refunds_voids_payments_and_the_timer_race_and_the_sum_holds(town: Town) -> None:
    payers = await everybody(town, 8)
    campaign = await make(town, budget_minor=8 * PRICE_MINOR)
    bodies = await race(town, payers, campaign, Capture.LATER)
    held = [(payer, body) for payer, (status, body) in zip(payers, bodies, strict=True) if status == 201]
    await asyncio.gather(*(town.capture(payer, body) for payer, body in held[::2]))
    stop = asyncio.Event()

    async def timer() -> None:
        while not stop.is_set():
            await payments.even_out(town.database, town.book, town.at)
            await asyncio.sleep(0)

    evening = asyncio.create_task(timer())
    await asyncio.gather(
        *(town.refund(payer, body, "r", AMOUNT_MINOR) for payer, body in held[::2]),
        *(town.void(payer, body) for payer, body in held[1::2]),
        *(pay(town, payer, f"p{n}", campaign) for n, payer in enumerate(payers)),
    )
    stop.set()
    await evening
    rows = await town.fetch(
        "select count(*) as held from payment where campaign_id is not null and campaign_minor > 0"
    )
    assert await used(town, campaign) == rows[0]["held"] * PRICE_MINOR <= 8 * PRICE_MINOR
