"""A campaign from its making to its last fen: prices, payments, captures, refunds and its budget."""

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.payments.conftest import TODAY, Payer, Town
from tests.payments.test_new_prices import TOMORROW, in_one_batch, publish_with_ten
from tests.payments.test_quotes import quote, stored, use

from wufeng import payments
from wufeng.base.database import Connection
from wufeng.base.errors import Code, Problem
from wufeng.base.ids import Prefix, decode, encode
from wufeng.identity.people.model import Outcome
from wufeng.payments import Campaign, CampaignStatus
from wufeng.payments.pay.model import Capture, Funding
from wufeng.risk.model import Confirmation

WHOLE = 1_000_000
AMOUNT_MINOR = 1_000_00  # in three months the price is 25.00, in six 45.00
PRICE_MINOR = 25_00


async def make(town: Town, **more: Any) -> Campaign:
    """A campaign of the town's merchant: three or six months free, from 100.00 to 5,000.00, this month."""
    given_: dict[str, Any] = {
        "id": town.ids.new_anywhere(town.at),
        "book_id": town.book.id,
        "merchant_id": town.merchant_id,
        "name": "free",
        "from_on": TODAY,
        "until_on": date(2026, 9, 30),
        "order_least_minor": 100_00,
        "order_most_minor": 5_000_00,
        "tenors": (3, 6),
        "products": (),
        "share_ppm": WHOLE,
        "budget_minor": None,
        "status": CampaignStatus.OPEN,
        "created_at": town.at,
    }
    campaign = Campaign(**(given_ | more))
    command = payments.CreateCampaign(at=town.at, campaign=campaign, currency="CNY")
    status, body = await town.ask(town.book.bucket_of(campaign.id), command)
    assert (status, body["used_minor"]) == (201, 0), body
    return campaign


def in_months(payer: Payer, campaign: Campaign, tenor: int = 3, *, use_wallet: bool = False) -> Funding:
    """What an option with the campaign means."""
    return Funding(use_wallet, payer.line_id, tenor, campaign.share_ppm, campaign.id)


async def pay(
    town: Town, payer: Payer, order_no: str, campaign: Campaign, amount_minor: int = AMOUNT_MINOR, **more: Any
) -> tuple[int, dict[str, Any]]:
    return await town.pay(payer, order_no, amount_minor, **({"funding": in_months(payer, campaign)} | more))


async def used(town: Town, campaign: Campaign) -> int:
    """What was used, as its merchant reads it. Checks what always holds of a budget on the way."""
    async with town.database.read() as db:
        found = await payments.load_campaign(db, town.book, campaign.id)
        slices = await db.fetch(
            "select given_minor, used_minor from campaign_slice where campaign_id = $1", campaign.id
        )
        given_minor = await db.fetchval("select given_minor from campaign where id = $1", campaign.id)
        held_minor = await db.fetchval(
            "select coalesce(sum(campaign_minor + campaign_held_minor), 0)::bigint from payment where campaign_id = $1",
            campaign.id,
        )
    assert found is not None
    assert held_minor == found.used_minor, "the slices and the payments tell the same"
    if campaign.budget_minor is not None:
        room_minor = sum(row["given_minor"] - row["used_minor"] for row in slices)
        unassigned_minor = campaign.budget_minor - given_minor
        assert room_minor >= 0 and unassigned_minor >= 0
        assert room_minor + unassigned_minor + found.used_minor == campaign.budget_minor
    return found.used_minor


async def move(
    town: Town, campaign: Campaign, to: CampaignStatus, merchant_id: UUID | None = None
) -> CampaignStatus:
    moved = await payments.move_campaign(town.database, town.book, campaign.id, merchant_id, to, town.at)
    return moved.campaign.status


async def test_prices_show_it_and_the_person_pays_nothing_beyond_the_price(town: Town) -> None:
    [payer] = await town.people()
    campaign = await make(town, budget_minor=100_00)
    public = encode(Prefix.CAMPAIGN, campaign.id)
    async with town.database.read() as db:
        found = await payments.list_offers(
            db, town.catalogue, town.merchants, town.book, town.merchant_id, AMOUNT_MINOR, None, town.at, "en"
        )
    monthly = [(o.tenor, o.total_cost_minor, o.campaign) for o in found if o.product == "monthly_bill@1"]
    assert monthly == [(1, 0, None), (3, 0, public), (6, 0, public), (9, 65_00, None), (12, 88_00, None)]
    seen = await quote(town, AMOUNT_MINOR, payer)
    option = next(option for option in seen.options if option.tenor == 3)
    assert (option.total_cost_minor, option.annualised_rate_ppm, option.campaign) == (0, 0, public)
    funding = await use(town, option.id, town.terms("o1", AMOUNT_MINOR), payer)
    assert funding == in_months(payer, campaign)
    status, body = await town.pay(payer, "o1", AMOUNT_MINOR, funding=funding)
    assert (status, body["status"]) == (201, "captured")
    [source] = body["funding"]
    assert [part["fee_minor"] for part in source["instalments"]] == [0, 0, 0]
    assert sum(part["amount_minor"] for part in source["instalments"]) == AMOUNT_MINOR
    assert await town.payable() == AMOUNT_MINOR - 6_00 - PRICE_MINOR, "the merchant carries it"
    assert await used(town, campaign) == PRICE_MINOR


async def test_a_stored_order_and_a_quote_for_nobody_have_it_too(town: Town) -> None:
    [payer] = await town.people()
    campaign = await make(town)
    order = await stored(town, town.terms("o1", AMOUNT_MINOR))
    option = next(
        one
        for one in (await quote(town, AMOUNT_MINOR, None, order)).options
        if one.product == "monthly_bill@1" and one.tenor == 3
    )
    assert (option.total_cost_minor, option.campaign) == (0, encode(Prefix.CAMPAIGN, campaign.id))
    assert await use(town, option.id, order, payer) == in_months(payer, campaign)


async def test_named_funding_has_the_best_share_of_the_moment(town: Town) -> None:
    [payer] = await town.people()
    campaign = await make(town, budget_minor=PRICE_MINOR)

    async def carried(funding: Funding, amount_minor: int = AMOUNT_MINOR) -> Funding:
        return await payments.carried_by_campaign(
            town.database,
            town.catalogue,
            town.book,
            town.terms("o", amount_minor),
            funding,
            payer.id,
            town.at,
        )

    free = Funding(use_wallet=False, line_id=payer.line_id, tenor=3)
    assert await carried(free) == in_months(payer, campaign)
    for other in (
        Funding(use_wallet=True, line_id=None),
        Funding(use_wallet=False, line_id=payer.line_id),
        Funding(use_wallet=False, line_id=payer.line_id, tenor=12),
        Funding(use_wallet=False, line_id=payer.line_id, tenor=5),
        Funding(use_wallet=False, line_id=UUID(int=9), tenor=3),
        Funding(use_wallet=False, line_id=payer.line_id, tenor=3, merchant_share_ppm=WHOLE),
    ):
        assert await carried(other) == other
    assert await carried(free, 99_99) == free
    assert await carried(free, AMOUNT_MINOR + 1_00) == free, "its budget does not hold that price"


async def test_a_used_up_budget_declines_what_was_shown_and_charges_nobody(town: Town) -> None:
    [payer] = await town.people()
    campaign = await make(town, budget_minor=2 * PRICE_MINOR - 1)
    assert (await pay(town, payer, "o1", campaign))[0] == 201
    status, body = await pay(town, payer, "o2", campaign)
    assert (status, body["status"]) == (402, "declined")
    assert [reason["code"] for reason in body["reasons"]] == ["campaign_over"]
    assert await used(town, campaign) == PRICE_MINOR
    assert len(await town.fetch("select 1 from draw")) == 1
    seen = await quote(town, AMOUNT_MINOR, payer)
    again = next(option for option in seen.options if option.tenor == 3)
    assert (again.total_cost_minor, again.campaign) == (PRICE_MINOR, None), "the new price says what it is"
    funding = await use(town, again.id, town.terms("o2", AMOUNT_MINOR), payer)
    assert (await town.pay(payer, "o2", AMOUNT_MINOR, funding=funding))[0] == 201, "the order was free again"


async def test_the_last_fen_of_a_budget_is_used(town: Town) -> None:
    [payer] = await town.people()
    campaign = await make(town, budget_minor=PRICE_MINOR)
    assert (await pay(town, payer, "o1", campaign))[0] == 201
    assert await used(town, campaign) == PRICE_MINOR
    assert (await pay(town, payer, "o2", campaign, 100_00))[0] == 402


@pytest.mark.parametrize("to", [CampaignStatus.PAUSED, CampaignStatus.ENDED])
async def test_a_paused_or_ended_one_takes_no_payment_whatever_was_shown(
    town: Town, to: CampaignStatus
) -> None:
    [payer] = await town.people()
    campaign = await make(town, budget_minor=100_00)
    assert await move(town, campaign, to) is to
    assert await move(town, campaign, to, town.merchant_id) is to, "twice changes nothing"
    status, body = await pay(town, payer, "o1", campaign)
    assert (status, body["reasons"][0]["code"]) == (402, "campaign_over")
    assert await used(town, campaign) == 0
    if to is CampaignStatus.PAUSED:
        assert await move(town, campaign, CampaignStatus.OPEN) is CampaignStatus.OPEN
        assert (await pay(town, payer, "o2", campaign))[0] == 201
    else:
        with pytest.raises(Problem) as refused:
            await move(town, campaign, CampaignStatus.OPEN)
        assert refused.value.code is Code.STATE_CONFLICT


async def test_nobody_moves_anothers_campaign(town: Town) -> None:
    campaign = await make(town)
    for id_, owner in ((campaign.id, UUID(int=9)), (UUID(int=9), None)):
        with pytest.raises(Problem) as refused:
            await payments.move_campaign(town.database, town.book, id_, owner, CampaignStatus.ENDED, town.at)
        assert refused.value.code is Code.NOT_FOUND


async def test_a_quote_ends_with_the_last_day_of_its_campaign(town: Town) -> None:
    [payer] = await town.people()
    campaign = await make(town, until_on=TODAY)
    town.turn(hours=11, minutes=55)  # five minutes to midnight in Shanghai
    seen = await quote(town, AMOUNT_MINOR, payer)
    assert seen.expires_at - town.at == timedelta(minutes=5)
    assert (await pay(town, payer, "o1", campaign))[0] == 201
    town.turn(minutes=5)
    status, body = await pay(town, payer, "o2", campaign)
    assert (status, body["reasons"][0]["code"]) == (402, "campaign_over")
    assert (await quote(town, AMOUNT_MINOR, payer)).options[2].campaign is None


async def test_of_one_batch_over_midnight_each_takes_the_price_of_its_own_date(town: Town) -> None:
    """From tomorrow on three months cost 20.00: room is taken for 25.00 and 20.00, and both have it."""
    first, early, late = await town.people(3)
    await publish_with_ten(town)
    campaign = await make(town, budget_minor=PRICE_MINOR + 20_00)
    commands = []
    for number, payer in enumerate((early, late)):
        town.clock.turn_to(town.book.start_of(TOMORROW) + timedelta(seconds=number - 1))
        order = town.terms(f"o{number}", AMOUNT_MINOR)
        commands.append(town.pay_command(payer, order, funding=in_months(payer, campaign)))
    answers = await in_one_batch(town, first, *commands)
    assert [status for status, _ in answers] == [201, 201]
    assert await used(town, campaign) == PRICE_MINOR + 20_00


async def test_one_of_tomorrow_is_not_shown_today(town: Town) -> None:
    [payer] = await town.people()
    campaign = await make(town, from_on=TODAY + timedelta(days=1))
    assert not any(option.campaign for option in (await quote(town, AMOUNT_MINOR, payer)).options)
    assert (await pay(town, payer, "o1", campaign))[0] == 402


async def test_a_declined_payment_and_one_that_waits_for_a_yes_use_nothing(town: Town) -> None:
    [poor] = await town.people(limit_minor=500_00)
    [payer] = await town.people()
    campaign = await make(town, budget_minor=100_00)
    status, body = await pay(town, poor, "o1", campaign)
    assert (status, [one["code"] for one in body["reasons"]]) == (402, ["limit_exceeded"])
    status, body = await pay(town, payer, "o2", campaign, confirmation=Confirmation.NONE)
    assert body["status"] == "requires_action" and await used(town, campaign) == 0
    status, body = await town.confirm(payer, body)
    assert (status, body["status"]) == (200, "captured")
    assert body["funding"][0]["instalments"][0]["fee_minor"] == 0
    assert await used(town, campaign) == PRICE_MINOR


async def test_a_confirmation_finds_the_budget_used_up(town: Town) -> None:
    first, second = await town.people(2)
    campaign = await make(town, budget_minor=PRICE_MINOR)
    _, waits = await pay(town, first, "o1", campaign, confirmation=Confirmation.NONE)
    assert (await pay(town, second, "o2", campaign))[0] == 201
    status, body = await town.confirm(first, waits)
    assert (status, body["reasons"][0]["code"]) == (402, "campaign_over")
    assert await used(town, campaign) == PRICE_MINOR


async def test_the_wallets_part_costs_the_campaign_nothing(town: Town) -> None:
    [payer] = await town.people(wallet_minor=600_00)
    campaign = await make(town, budget_minor=100_00)
    status, _ = await pay(town, payer, "o1", campaign, funding=in_months(payer, campaign, use_wallet=True))
    assert status == 201 and await used(town, campaign) == 10_00, "2.5 % of 400.00"


async def test_an_authorised_amount_keeps_its_part_until_it_ends(town: Town) -> None:
    payer, other = await town.people(2)
    campaign = await make(town, budget_minor=2 * PRICE_MINOR)
    later = {"capture": Capture.LATER}
    _, first = await pay(town, payer, "o1", campaign, **later)
    _, second = await pay(town, other, "o2", campaign, **later)
    assert await used(town, campaign) == 2 * PRICE_MINOR
    assert (await pay(town, payer, "o3", campaign))[0] == 402
    assert (await town.capture(payer, first, 400_00, final=False))[0] == 200
    assert await used(town, campaign) == 2 * PRICE_MINOR
    assert (await town.capture(payer, first, 300_00, final=True))[0] == 200
    assert await used(town, campaign) == PRICE_MINOR + 17_50, "300.00 of the order were released"
    assert (await town.void(other, second))[0] == 200
    assert await used(town, campaign) == 17_50
    assert await town.payable() == 700_00 - 4_20 - 17_50


async def test_a_void_after_a_part_keeps_what_the_part_took(town: Town) -> None:
    [payer] = await town.people()
    campaign = await make(town, budget_minor=100_00)
    _, body = await pay(town, payer, "o1", campaign, capture=Capture.LATER)
    await town.capture(payer, body, 400_00, final=False)
    assert (await town.void(payer, body))[0] == 200
    assert await used(town, campaign) == 10_00


async def test_an_expired_authorisation_gives_its_part_back(town: Town) -> None:
    [payer] = await town.people()
    campaign = await make(town, budget_minor=100_00)
    await pay(town, payer, "o1", campaign, capture=Capture.LATER)
    town.turn(days=7)
    assert (await town.expire(payer))["expired"] == 1
    assert await used(town, campaign) == 0


@pytest.mark.parametrize(("budget_minor", "last"), [(2_54, 200), (2_53, 409), (2_52, 409)])
async def test_parts_that_round_up_take_more_only_where_there_is_more(
    town: Town, budget_minor: int, last: int
) -> None:
    [payer] = await town.people()
    # 2.5 %, half-even: of 101.00 it is 2.52; of 20.60 it is 0.52, four times; of the last 18.60 it is 0.46.
    campaign = await make(town, budget_minor=budget_minor)
    _, body = await pay(town, payer, "o1", campaign, 101_00, capture=Capture.LATER)
    await move(town, campaign, CampaignStatus.PAUSED)  # what was authorised has its price
    for _ in range(4):
        assert (await town.capture(payer, body, 20_60, final=False))[0] == 200
    assert await used(town, campaign) == 2_52
    status, answer = await town.capture(payer, body, 18_60)
    assert status == last
    if status == 409:
        assert answer["code"] == "state_conflict" and await used(town, campaign) == 2_52
        assert (await town.capture(payer, body, 17_80))[0] == 200, "less of it is captured"
    assert await used(town, campaign) == min(budget_minor, 2_54) - (budget_minor == 2_53)


async def test_a_reviewed_payment_takes_its_part_when_it_is_let_through(town: Town) -> None:
    yes, no = await town.people(2, outcome=Outcome.REVIEW)
    campaign = await make(town, budget_minor=2 * PRICE_MINOR)
    _, first = await pay(town, yes, "o1", campaign)
    _, second = await pay(town, no, "o2", campaign)
    assert first["status"] == "pending" and await used(town, campaign) == 2 * PRICE_MINOR
    await town.review(yes, first, approve=True)
    await town.review(no, second, approve=False)
    assert await used(town, campaign) == PRICE_MINOR
    assert await town.payable() == AMOUNT_MINOR - 6_00 - PRICE_MINOR


async def test_a_review_declines_what_the_budget_cannot_carry_any_more(town: Town, owner: Connection) -> None:
    [payer] = await town.people(outcome=Outcome.REVIEW)
    campaign = await make(town, budget_minor=PRICE_MINOR)
    _, body = await pay(town, payer, "o1", campaign)
    # As if the price had been lower on the day it was authorised, and the rest of the budget had gone since.
    await owner.execute("update payment set campaign_held_minor = campaign_held_minor - 1")
    await owner.execute(
        "update campaign_slice set used_minor = used_minor - 1, given_minor = given_minor - 1"
    )
    await owner.execute("update campaign set given_minor = given_minor - 1, budget_minor = budget_minor - 1")
    lower = replace(campaign, budget_minor=PRICE_MINOR - 1)
    status, answer = await town.review(payer, body, approve=True)
    assert (status, answer["reasons"][0]["code"]) == (402, "campaign_over")
    assert await used(town, lower) == 0 and await town.fetch("select 1 from draw") == []


async def test_a_refund_returns_the_subsidy_to_the_merchant_and_the_budget(town: Town) -> None:
    [payer] = await town.people()
    campaign = await make(town, budget_minor=PRICE_MINOR)
    _, body = await pay(town, payer, "o1", campaign)
    assert (await town.refund(payer, body, "r1", 500_00))[0] == 201
    assert await used(town, campaign) == 12_50
    assert await town.payable() == 500_00 - 3_00 - 12_50
    assert (await town.refund(payer, body, "r2", 500_00))[0] == 201
    assert await used(town, campaign) == 0 and await town.payable() == 0
    assert (await pay(town, payer, "o2", campaign))[0] == 201, "what came back is used again"


async def test_a_refund_after_the_end_is_counted_too(town: Town) -> None:
    [payer] = await town.people()
    campaign = await make(town)
    _, body = await pay(town, payer, "o1", campaign)
    await move(town, campaign, CampaignStatus.ENDED)
    await town.refund(payer, body, "r1", AMOUNT_MINOR)
    assert await used(town, campaign) == 0


async def test_a_merchant_has_so_many_campaigns_that_are_not_over(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wufeng.payments.campaigns.rules.LIVE_MAX", 2)
    first, _ = await make(town), await make(town)
    third = payments.CreateCampaign(at=town.at, campaign=first, currency="CNY")
    status, problem = await town.ask(town.book.buckets[0], third)
    assert (status, problem["code"]) == (409, "state_conflict")
    await move(town, first, CampaignStatus.ENDED)
    await make(town)


async def test_the_newest_are_listed_first_page_by_page(town: Town) -> None:
    made = []
    for _ in range(3):
        made.append((await make(town)).id)
        town.turn(seconds=1)
    async with town.database.read() as db:
        page = await payments.list_campaigns(db, town.book, town.merchant_id, None, 2)
        rest = await payments.list_campaigns(db, town.book, None, page[-1].campaign.id, 2)
        none = await payments.list_campaigns(db, town.book, UUID(int=9), None, 2)
    assert [one.campaign.id for one in (*page, *rest)] == made[::-1] and none == []


async def statements_of(town: Town, payers: list[Payer], funding: dict[UUID, Funding]) -> list[str]:
    """The statements of one batch of payments, by a process that knows its merchants already."""
    said: list[str] = []
    town.database._watch = lambda record: said.append(record.query)
    lanes = town.more_lanes()
    await town.pay(payers[0], f"warm{len(funding)}{id(lanes)}", 100_00, lanes=lanes)
    said.clear()
    commands = [
        (
            payer,
            town.pay_command(payer, town.terms(f"{id(lanes)}-{n}", AMOUNT_MINOR), funding=funding[payer.id]),
        )
        for n, payer in enumerate(payers)
    ]
    answers = await asyncio.gather(
        *(town.submit(payer.bucket, command, lanes) for payer, command in commands)
    )
    assert all(getattr(answer, "status", 0) == 201 for answer in answers)
    await lanes.drain()
    town.database._watch = None
    return [query for query in said if query not in ("begin", "commit")]


async def test_a_batch_pays_one_statement_more_and_only_with_a_campaign_in_it(town: Town) -> None:
    payers = await town.people(2, limit_minor=10_000_00)
    campaign = await make(town, budget_minor=10_000_00)
    free = {payer.id: in_months(payer, campaign) for payer in payers}
    own = {payer.id: Funding(use_wallet=False, line_id=payer.line_id, tenor=3) for payer in payers}
    await statements_of(town, payers, free)  # the slice is made on first use
    with_campaign = await statements_of(town, payers[:1], free)
    without = await statements_of(town, payers[:1], own)
    assert not any("campaign_slice" in query for query in without)
    assert len([query for query in with_campaign if "campaign_slice" in query]) == 1
    assert len(with_campaign) == len(without) + 1


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    budget_minor=st.integers(1, 120_00),
    share_ppm=st.sampled_from([WHOLE, 333_333, 1]),
    steps=st.lists(
        st.tuples(
            st.sampled_from(["pay", "authorise", "capture", "final", "void", "refund", "even out"]),
            st.integers(0, 5),
            st.integers(100_00, 1_500_00),
            st.sampled_from([3, 6]),
        ),
        min_size=1,
        max_size=14,
    ),
)
async def test_whatever_happens_the_budget_holds_and_nothing_of_it_is_lost(
    town: Town, budget_minor: int, share_ppm: int, steps: list[tuple[str, int, int, int]]
) -> None:
    payers = [
        *await town.people(3, limit_minor=100_000_00),
        *await town.people(3, limit_minor=100_000_00, bucket=town.book.buckets[1]),
    ]
    campaign = await make(town, budget_minor=budget_minor, share_ppm=share_ppm)
    made: dict[int, list[dict[str, Any]]] = {n: [] for n in range(len(payers))}
    for n, (step, whose, amount_minor, tenor) in enumerate(steps):
        payer, name = payers[whose], f"{campaign.id}-{n}"
        funding = in_months(payer, campaign, tenor)
        latest = made[whose][-1] if made[whose] else None
        if step in ("pay", "authorise"):
            capture = Capture.NOW if step == "pay" else Capture.LATER
            status, body = await town.pay(payer, name[-30:], amount_minor, funding=funding, capture=capture)
            if status == 201:
                made[whose].append(body)
        elif step == "even out":
            await payments.even_out(town.database, town.book, town.at)
        elif latest is not None and step == "capture":
            await town.capture(payer, latest, amount_minor // 7, final=False)
        elif latest is not None and step == "final":
            await town.capture(payer, latest)
        elif latest is not None and step == "void":
            await town.void(payer, latest)
        elif latest is not None:
            await town.refund(payer, latest, name[-30:], amount_minor // 3)
        assert 0 <= await used(town, campaign) <= budget_minor
    for whose, bodies in made.items():
        for body in bodies:
            await _undo(town, payers[whose], decode(Prefix.PAYMENT, body["id"]), body)
    assert await used(town, campaign) == 0, "all of it came back"
    rows = await town.fetch("select fee_parts from draw where merchant_share_ppm = 1000000")
    assert not any(any(row["fee_parts"] or ()) for row in rows), "the person paid nothing beyond the price"


async def _undo(town: Town, payer: Payer, payment_id: UUID, body: dict[str, Any]) -> None:
    """Void what is held, then refund all that was captured."""
    await town.void(payer, body)
    [row] = await town.fetch(
        "select captured_minor - refunded_minor as left_minor from payment where id = $1", payment_id
    )
    if row["left_minor"]:
        status, answer = await town.refund(payer, body, "undo", row["left_minor"])
        assert status == 201, answer
