"""Which orders a campaign is for, which one a price has, and how campaigns move."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from wufeng import credit
from wufeng.base.errors import Code, Problem
from wufeng.payments.campaigns.model import Campaign, CampaignStatus, Offered, Room
from wufeng.payments.campaigns.rules import (
    CLOSED,
    MOVES,
    carries,
    check_new,
    matches,
    moved,
    price_ways,
    room_on,
    status_on,
    subsidy_minor,
)

FROM, UNTIL = date(2026, 9, 1), date(2026, 9, 30)
ON = date(2026, 9, 3)
PRODUCTS = {one.product.id: one.product for one in credit.shipped_products()}
MONTHLY, NEW_LINE = PRODUCTS["monthly_bill"], PRODUCTS["order_instalments"]
WHOLE = 1_000_000


def campaign_of(**more: Any) -> Campaign:
    given_ = {
        "id": UUID(int=1),
        "book_id": 1,
        "merchant_id": UUID(int=2),
        "name": "free",
        "from_on": FROM,
        "until_on": UNTIL,
        "order_least_minor": 100_00,
        "order_most_minor": 5_000_00,
        "tenors": (3, 6),
        "products": (),
        "share_ppm": WHOLE,
        "budget_minor": None,
        "status": CampaignStatus.OPEN,
        "created_at": datetime(2026, 9, 1, tzinfo=UTC),
    }
    return Campaign(**(given_ | more))


@pytest.mark.parametrize(
    ("asked", "fits"),
    [
        ({}, True),
        ({"on": FROM}, True),
        ({"on": FROM - timedelta(days=1)}, False),
        ({"on": UNTIL}, True),
        ({"on": UNTIL + timedelta(days=1)}, False),
        ({"order_minor": 100_00}, True),
        ({"order_minor": 99_99}, False),
        ({"order_minor": 5_000_00}, True),
        ({"order_minor": 5_000_01}, False),
        ({"tenor": 6}, True),
        ({"tenor": 12}, False),
        ({"tenor": 1}, False),
        ({"products": ("order_instalments",)}, False),
        ({"products": ("monthly_bill",)}, True),
        ({"status": CampaignStatus.PAUSED}, False),
        ({"status": CampaignStatus.ENDED}, False),
        ({"order_most_minor": None, "order_minor": 9_000_000_00}, True),
    ],
)
def test_what_a_campaign_is_for(asked: dict[str, Any], fits: bool) -> None:
    asked = dict(asked)
    on, order_minor, tenor = asked.pop("on", ON), asked.pop("order_minor", 1_000_00), asked.pop("tenor", 3)
    assert matches(campaign_of(**asked), MONTHLY, tenor, order_minor, on) is fits


def test_a_price_that_fixes_a_share_or_forbids_one_is_left_alone() -> None:
    assert carries(MONTHLY, 3, WHOLE)
    assert not carries(PRODUCTS["pay_in_four"], 4, WHOLE), "the price says who carries it"
    assert not carries(PRODUCTS["daily_interest"], 3, 1), "nobody may carry it"
    assert not carries(MONTHLY, 5, 1), "there is no such tenor"


def ways(*offered: Offered, share_ppm: int = 0) -> list[tuple[int, int, int, int | None]]:
    found = price_ways(MONTHLY, MONTHLY.calendar(ON), 1_000_00, 1_000_00, share_ppm, None, offered, ON)
    return [
        (
            one.price.tenor,
            one.price.total_cost_minor,
            one.merchant_share_ppm,
            one.campaign_id.int if one.campaign_id is not None else None,
        )
        for one in found
    ]


def test_the_best_share_that_has_room_is_the_prices() -> None:
    own = [
        (1, 0, 0, None),
        (3, 25_00, 0, None),
        (6, 45_00, 0, None),
        (9, 65_00, 0, None),
        (12, 88_00, 0, None),
    ]
    whole, half = campaign_of(), campaign_of(id=UUID(int=7), share_ppm=500_000, tenors=(3,))
    assert ways() == own
    assert ways(Offered(whole, None)) == [own[0], (3, 0, WHOLE, 1), (6, 0, WHOLE, 1), *own[3:]]
    assert ways(Offered(half, None), Offered(whole, 25_00))[1:3] == [(3, 0, WHOLE, 1), own[2]]
    assert ways(Offered(half, None), Offered(whole, 24_99))[1] == (3, 12_50, 500_000, 7)
    assert ways(Offered(whole, 0)) == own, "a used-up one is not shown"


def test_the_orders_own_share_stands_unless_a_campaign_carries_more() -> None:
    half = campaign_of(share_ppm=500_000)
    assert ways(Offered(half, None), share_ppm=500_000)[1] == (3, 12_50, 500_000, None)
    assert ways(Offered(half, None), share_ppm=499_999)[1] == (3, 12_50, 500_000, 1)
    assert ways(Offered(half, None), share_ppm=WHOLE)[1] == (3, 0, WHOLE, None)


@given(
    st.sampled_from([MONTHLY, NEW_LINE]),
    st.integers(20_00, 100_000_00),
    st.sampled_from([3, 6, 12]),
    st.integers(1, WHOLE),
)
def test_a_shown_price_is_what_a_draw_costs_and_the_whole_share_leaves_nothing(
    product: credit.Product, amount_minor: int, tenor: int, share_ppm: int
) -> None:
    one = Offered(
        campaign_of(share_ppm=share_ppm, order_least_minor=1, order_most_minor=None, tenors=(3, 6, 12)), None
    )
    calendar = product.calendar(ON)
    (priced,) = price_ways(product, calendar, amount_minor, amount_minor, 0, (tenor,), (one,), ON)
    (own,) = price_ways(product, calendar, amount_minor, amount_minor, 0, (tenor,), (), ON)
    subsidy = subsidy_minor(product, calendar, amount_minor, tenor, share_ppm, ON)
    assert priced.price.merchant_cost_minor == subsidy
    assert priced.price.total_cost_minor + subsidy == own.price.total_cost_minor
    assert (priced.price.total_cost_minor == 0) or share_ppm < WHOLE


def test_a_part_too_small_for_a_plan_costs_the_merchant_nothing() -> None:
    assert subsidy_minor(MONTHLY, MONTHLY.calendar(ON), 1, 12, WHOLE, ON) == 0
    assert subsidy_minor(MONTHLY, MONTHLY.calendar(ON), 1_000_00, 5, WHOLE, ON) == 0


def test_every_move_is_in_the_table_and_what_is_over_stays_so() -> None:
    for now in CampaignStatus:
        for to in CampaignStatus:
            before = campaign_of(status=now)
            after = moved(before, to, ON)
            if to is now:
                assert after is before
            elif to in MOVES[now]:
                assert after == replace(before, status=to)
            else:
                assert isinstance(after, Problem) and after.code is Code.STATE_CONFLICT
    late = UNTIL + timedelta(days=1)
    assert status_on(campaign_of(), UNTIL) is CampaignStatus.OPEN
    assert status_on(campaign_of(status=CampaignStatus.PAUSED), late) is CampaignStatus.ENDED
    assert isinstance(moved(campaign_of(status=CampaignStatus.PAUSED), CampaignStatus.OPEN, late), Problem)


@pytest.mark.parametrize(
    ("more", "pointer"),
    [
        ({"name": "  "}, "/name"),
        ({"name": "a\nb"}, "/name"),
        ({"until_on": FROM - timedelta(days=1)}, "/until_on"),
        ({"from_on": ON - timedelta(days=9), "until_on": ON - timedelta(days=1)}, "/until_on"),
        ({"order_most_minor": 99_99}, "/order_most_minor"),
        ({"products": ("monthly_bill", "none")}, "/products/1"),
        ({"tenors": (3, 5)}, "/tenors/1"),
        ({"tenors": (4,), "products": ("pay_in_four",)}, "/tenors/0"),
        ({"tenors": (3,), "products": ("daily_interest",)}, "/tenors/0"),
    ],
)
def test_what_is_not_made(more: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Problem) as refused:
        check_new(campaign_of(**more), PRODUCTS.values(), ON)
    assert refused.value.errors[0].pointer == pointer


def test_what_is_made_is_put_in_order() -> None:
    made = check_new(
        campaign_of(name=" free ", tenors=(6, 3, 6), until_on=ON, products=("monthly_bill",) * 2),
        PRODUCTS.values(),
        ON,
    )
    assert (made.name, made.tenors, made.products) == ("free", (3, 6), ("monthly_bill",))


@pytest.mark.parametrize(
    ("room", "left"),
    [
        (None, CLOSED),
        (Room(5, CampaignStatus.OPEN, ON, ON), 5),
        (Room(5, CampaignStatus.PAUSED, ON, ON), CLOSED),
        (Room(5, CampaignStatus.OPEN, ON + timedelta(days=1), UNTIL), CLOSED),
        (Room(5, CampaignStatus.OPEN, FROM, ON - timedelta(days=1)), CLOSED),
    ],
)
def test_a_room_is_open_while_its_campaign_is(room: Room | None, left: int) -> None:
    assert room_on(room, ON) == left
