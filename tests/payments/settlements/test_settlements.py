"""Settlements: what the journals of closed days come to, paid once, over all buckets, whatever dies in between."""

import asyncio
import csv
import io
import itertools
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wufeng import ledger
from wufeng.base.events import close_date
from wufeng.base.ids import IdMaker
from wufeng.credit.close.runner import close_day, close_through
from wufeng.identity.merchants.commands import create_merchant
from wufeng.identity.merchants.model import FeePlan, Scene
from wufeng.ledger import AccountKind, Cause
from wufeng.ledger.rules import refund, reversal, top_up, wallet_payment
from wufeng.payments import settlements
from wufeng.payments.bank import Answered, BankAnswer, Instruction, Kind, Outcome, Verification
from wufeng.payments.settlements import store
from wufeng.payments.settlements.model import DrawUpSettlements

TODAY = date(2026, 9, 3)
LENDER = UUID(int=0x11)


class Market:
    """Merchants and payers in every bucket, and days that end."""

    def __init__(self, house: Any) -> None:
        self.house = house
        self.book = house.book
        self.payers: dict[int, Any] = {}

    async def open(self) -> "Market":
        while len(self.payers) < len(self.book.buckets):
            owner = await self.house.owner()
            self.payers.setdefault(owner.bucket, owner)
        async with self.house.database.transaction() as db:
            accounts = ledger.folded_accounts(ledger.Owner.LENDER, LENDER, "CNY", self.book.id)
            await ledger.register_folded_accounts(db, accounts)
        return self

    async def shop(self) -> UUID:
        merchant, _ = await create_merchant(
            self.house.database,
            self.house.ids,
            self.book,
            "Shop",
            Scene.RETAIL,
            FeePlan(6_000),
            self.house.at,
        )
        return merchant.id

    @property
    def on(self) -> date:
        return self.book.business_date(self.house.at)

    def cause(self, on: date | None = None) -> Cause:
        return Cause(IdMaker().new_anywhere(self.house.at), "CNY", on or self.on, self.book.id)

    async def post(self, bucket: int, *journals: Any) -> None:
        command = self.post_kind(at=self.house.at, journals=journals)
        await self.house.lanes.submit(bucket, command)

    @property
    def post_kind(self) -> Any:
        return next(kind for kind in self.house.lanes.handlers if kind.__name__ == "Post")

    async def pay(
        self, merchant: UUID, amount_minor: int, fee_minor: int = 0, *, bucket: int | None = None
    ) -> None:
        bucket = self.book.buckets[0] if bucket is None else bucket
        wallet = self.payers[bucket].wallet_id
        await self.post(
            bucket,
            top_up(self.cause(), wallet, amount_minor),
            wallet_payment(self.cause(), wallet, amount_minor, merchant, fee_minor),
        )

    async def refund(
        self, merchant: UUID, amount_minor: int, fee_returned_minor: int = 0, *, bucket: int | None = None
    ) -> None:
        bucket = self.book.buckets[0] if bucket is None else bucket
        journal = refund(
            self.cause(),
            merchant,
            wallet_id=self.payers[bucket].wallet_id,
            wallet_minor=amount_minor,
            fee_returned_minor=fee_returned_minor,
        )
        await self.post(bucket, journal)

    async def close(self, on: date | None = None, buckets: list[int] | None = None) -> int:
        """End a day: the clock goes on to the next, then each bucket closes it. Rows made."""
        on = on or self.on
        if self.on <= on:
            self.house.later(days=(on - self.on).days + 1)
        rows = 0
        for bucket in buckets or self.book.buckets:
            day = await close_day(self.house.lanes, self.book, bucket, on, settlements.close_steps())
            assert day.errors == ()
            rows += day.rows
        return rows

    async def of(self, merchant: UUID) -> list[Any]:
        """A merchant's settlements, oldest first."""
        async with self.house.database.read() as db:
            found = await settlements.list_settlements(db, self.book, merchant, None, None, None, 100)
        return found[::-1]

    async def owed(self, merchant: UUID) -> int:
        return -await self.house.folded(AccountKind.MERCHANT_PAYABLE, merchant)


@pytest.fixture
async def market(house: Any) -> Market:
    return await Market(house).open()


async def test_a_day_of_a_merchant_over_all_buckets(market: Market) -> None:
    house, shop = market.house, await market.shop()
    for bucket in market.book.buckets:
        await market.pay(shop, 1_000_00, 6_00, bucket=bucket)
        await market.pay(shop, 100_00, 60, bucket=bucket)
    await market.refund(shop, 300_00, 1_80, bucket=market.book.buckets[1])
    assert await market.of(shop) == []
    await market.close()
    (made,) = await market.of(shop)
    assert (made.business_date, made.payments, made.refunds) == (TODAY, 4, 1)
    assert (made.gross_minor, made.refunds_minor, made.fees_minor) == (2_200_00, 300_00, 11_40)
    assert (made.net_minor, made.carried_minor, made.payout_minor) == (1_888_60, 0, 1_888_60)
    assert made.status == "pending" and await market.owed(shop) == 0
    assert await house.folded(AccountKind.SETTLEMENT_CLEARING) == -1_888_60

    await house.work()
    (paid,) = await market.of(shop)
    assert (paid.status, paid.paid_on) == ("paid", TODAY + timedelta(days=1))
    assert await house.folded(AccountKind.SETTLEMENT_CLEARING) == 0
    assert await house.test_bank.balance(market.book.id, "CNY") == -1_888_60
    told = await house.fetch(
        "select kind, merchant_id, business_on, data from event where kind like 'settlement%' order by seq"
    )
    assert [(row["kind"], row["merchant_id"]) for row in told] == [
        ("settlement.pending", shop),
        ("settlement.paid", shop),
    ]
    assert msgspec.json.decode(told[1]["data"], type=settlements.SettlementView) == paid


async def test_instalment_fees_that_the_merchant_carried(market: Market) -> None:
    shop, wallet = await market.shop(), market.payers[market.book.buckets[0]].wallet_id
    with_subsidy = ledger.rules.split_payment(
        market.cause(), wallet, 1_000_00, None, (), shop, 6_00, ((LENDER, 23_00),)
    )
    back = refund(
        market.cause(), shop, wallet_id=wallet, wallet_minor=500_00, fee_returned_minor=3_00,
        subsidy_returned=((LENDER, 11_50),),
    )  # fmt: skip
    bucket = market.book.buckets[0]
    await market.post(bucket, top_up(market.cause(), wallet, 1_000_00), with_subsidy, back)
    await market.close()
    (made,) = await market.of(shop)
    assert (made.gross_minor, made.refunds_minor) == (1_000_00, 500_00)
    assert (made.fees_minor, made.subsidies_minor, made.net_minor) == (3_00, 11_50, 485_50)


async def test_what_stands_against_a_merchant_is_carried_over(market: Market) -> None:
    shop = await market.shop()
    await market.pay(shop, 100_00)
    await market.close()
    await market.refund(shop, 70_00)
    await market.close()
    await market.pay(shop, 50_00)
    await market.close()
    await market.pay(shop, 45_00)
    await market.close()
    assert [
        (one.status, one.net_minor, one.carried_minor, one.payout_minor) for one in await market.of(shop)
    ] == [
        ("pending", 100_00, 0, 100_00),
        ("carried", -70_00, 0, 0),
        ("carried", 50_00, -70_00, 0),
        ("pending", 45_00, -20_00, 25_00),
    ]
    assert await market.owed(shop) == 0


async def test_a_payout_that_the_bank_cannot_make_is_due_again(market: Market) -> None:
    house, shop = market.house, await market.shop()
    await market.pay(shop, 100_00)
    await market.close()
    house.bank = Answering(BankAnswer(Outcome.REFUSED, "account_closed"))
    await house.work()
    (failed,) = await market.of(shop)
    assert (failed.status, failed.failure) == ("failed", "account_closed")
    assert await market.owed(shop) == 100_00
    house.bank = house.test_bank
    await market.close()
    _, second = await market.of(shop)
    assert (second.payments, second.returned_minor, second.payout_minor) == (0, 100_00, 100_00)
    await house.work(rounds=2)
    assert [one.status for one in await market.of(shop)] == ["failed", "paid"]
    assert await market.owed(shop) == 0


class Answering:
    """A bank that answers everything with one answer."""

    def __init__(self, answer: BankAnswer) -> None:
        self.answer = answer

    async def instruct(self, instruction: Instruction) -> BankAnswer:
        return self.answer

    async def ask(self, instruction_id: UUID) -> BankAnswer:
        return self.answer

    async def verify(self, account: object) -> Verification:
        return Verification.UNKNOWN


async def test_a_payout_the_bank_is_silent_about_stays_pending(market: Market) -> None:
    house, shop = market.house, await market.shop()
    await market.pay(shop, 100_00)
    await market.close()
    house.bank = Answering(BankAnswer(Outcome.UNKNOWN))
    await house.work(rounds=10)
    assert [one.status for one in await market.of(shop)] == ["pending"]
    house.bank = house.test_bank
    await house.work(rounds=2)
    assert [one.status for one in await market.of(shop)] == ["paid"]


async def test_nothing_is_settled_before_every_bucket_has_closed(market: Market) -> None:
    first, second = market.book.buckets
    shop = await market.shop()
    await market.pay(shop, 10_00, bucket=first)
    await market.pay(shop, 20_00, bucket=second)
    await market.close(TODAY, [first])
    await market.pay(shop, 30_00, bucket=second)
    await market.close(TODAY + timedelta(days=1), [first])
    assert await market.of(shop) == []
    await market.close(TODAY, [second])
    assert [one.net_minor for one in await market.of(shop)] == [30_00]
    await market.close(TODAY + timedelta(days=1), [second])
    assert [one.net_minor for one in await market.of(shop)] == [30_00, 30_00]
    assert await market.owed(shop) == 0


async def test_what_is_booked_on_the_next_day_before_the_close_belongs_to_the_next_day(
    market: Market,
) -> None:
    shop = await market.shop()
    await market.pay(shop, 10_00)
    market.house.later(days=1)
    await market.pay(shop, 1_00)
    market.house.later(days=1)
    await market.pay(shop, 10)
    for n in range(3):
        await market.close(TODAY + timedelta(days=n))
    assert [(one.business_date, one.net_minor) for one in await market.of(shop)] == [
        (TODAY, 10_00),
        (TODAY + timedelta(days=1), 1_00),
        (TODAY + timedelta(days=2), 10),
    ]


async def test_days_that_were_slept_through(market: Market) -> None:
    """Many days closed in a row: each has its settlement, and the payouts are dated when they are made."""
    shop = await market.shop()
    for n in range(3):
        await market.pay(shop, 10_00 + n)
        market.house.later(days=2)
    for bucket in market.book.buckets:
        through = market.on - timedelta(days=1)
        await close_through(market.house.lanes, market.book, bucket, through, settlements.close_steps())
    assert [one.net_minor for one in await market.of(shop)] == [10_00, 10_01, 10_02]
    assert await market.owed(shop) == 0


async def test_a_close_that_died_after_summing_is_finished(market: Market) -> None:
    shop = await market.shop()
    await market.pay(shop, 10_00)
    market.house.later(days=1)
    for bucket in market.book.buckets:
        async with market.house.database.transaction() as db:
            await close_date(db, bucket, TODAY)
            await store.draw_parts(db, bucket, TODAY)
    assert await market.of(shop) == []
    await market.close(TODAY)
    assert len(await market.of(shop)) == 1


async def test_closing_again_and_at_once_changes_nothing(market: Market) -> None:
    shops = [await market.shop() for _ in range(5)]
    for shop in shops:
        await market.pay(shop, 10_00)
    market.house.later(days=1)
    await asyncio.gather(*(market.close(TODAY) for _ in range(4)))
    before = [await market.of(shop) for shop in shops]
    assert [len(found) for found in before] == [1] * 5
    await market.close(TODAY)
    assert [await market.of(shop) for shop in shops] == before
    assert len(await market.house.fetch("select seq from journal where kind = 40")) == 5


async def test_many_merchants_are_settled_in_several_transactions(market: Market) -> None:
    shops = [await market.shop() for _ in range(7)]
    for shop in shops:
        await market.pay(shop, 10_00)
    market.house.later(days=1)
    for bucket in market.book.buckets:
        async with market.house.database.transaction() as db:
            await close_date(db, bucket, TODAY)
            await store.draw_parts(db, bucket, TODAY)
    for bucket in market.book.buckets:
        more, runs = True, 0
        while more:
            answer = await market.house.lanes.submit(bucket, DrawUpSettlements(at=market.house.at, at_most=2))
            more, runs = msgspec.json.decode(answer.body)["more"], runs + 1
    assert [len(await market.of(shop)) for shop in shops] == [1] * 7


async def test_an_open_day_is_not_summed(market: Market) -> None:
    async with market.house.database.read() as db:
        with pytest.raises(AssertionError, match="only a closed date"):
            await store.draw_parts(db, market.book.buckets[0], TODAY)


async def test_a_reversal_counts_against_what_it_undoes(market: Market) -> None:
    shop, bucket = await market.shop(), market.book.buckets[0]
    await market.pay(shop, 100_00, 60)
    await market.pay(shop, 40_00, 24)
    async with market.house.database.read() as db:
        seqs = await db.fetch("select seq from journal where kind = 1 order by seq")
        original = await ledger.journal_at(db, bucket, seqs[1]["seq"])
    await market.close()
    await market.post(bucket, reversal(market.cause(), original))
    await market.close()
    first, second = await market.of(shop)
    assert (first.payments, first.gross_minor, first.fees_minor) == (2, 140_00, 84)
    assert (second.payments, second.gross_minor, second.fees_minor) == (-1, -40_00, -24)
    assert second.net_minor == -39_76


async def test_lists_by_date_and_as_csv(market: Market) -> None:
    house, shop = market.house, await market.shop()
    for n in range(4):
        await market.pay(shop, 10_00 + n, 5)
        await market.close()
    async with house.database.read() as db:
        listed = settlements.list_settlements
        some = await listed(
            db, market.book, shop, TODAY + timedelta(days=1), TODAY + timedelta(days=2), None, 9
        )
        page = await listed(db, market.book, shop, None, None, some[0].business_date, 2)
        other = await listed(db, market.book, await market.shop(), None, None, None, 9)
    assert [view.net_minor for view in some] == [9_97, 9_96]
    assert [view.net_minor for view in page] == [9_96, 9_95] and other == []
    rows = list(csv.DictReader(io.StringIO(settlements.csv_of(some))))
    assert [(row["business_date"], row["net_minor"], row["failure"]) for row in rows] == [
        ("2026-09-05", "997", ""),
        ("2026-09-04", "996", ""),
    ]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("pay"), st.integers(0, 3), st.integers(100, 500_00)),
        st.tuples(st.just("refund"), st.integers(0, 3), st.integers(1, 100_00)),
        st.tuples(st.just("night"), st.integers(1, 2), st.just(0)),
        st.tuples(st.just("close"), st.integers(0, 1), st.just(0)),
        st.tuples(st.just("bank"), st.integers(0, 2), st.just(0)),
    ),
    min_size=3,
    max_size=14,
)
ANSWERS = [
    BankAnswer(Outcome.DONE),
    BankAnswer(Outcome.REFUSED, "account_closed"),
    BankAnswer(Outcome.UNKNOWN),
]


@settings(max_examples=10, suppress_health_check=list(HealthCheck), deadline=None)
@given(steps=STEPS)
async def test_settlements_and_what_is_not_settled_yet_are_what_is_owed(
    market: Market, steps: list[tuple[str, int, int]]
) -> None:
    """In any order of payments, refunds, nights, closes of single buckets and answers of the bank:

    Σ net of settlements + what is not settled yet = payable + Σ payouts, where each payout that failed comes back.
    """
    shops = [await market.shop() for _ in range(2)]
    activity: dict[UUID, dict[date, int]] = {shop: {} for shop in shops}

    def note(shop: UUID, net_minor: int) -> None:
        activity[shop][market.on] = activity[shop].get(market.on, 0) + net_minor

    for what, n, amount in steps:
        shop, bucket = shops[n % 2], market.book.buckets[n // 2 % 2]
        match what:
            case "pay":
                await market.pay(shop, amount, amount // 100, bucket=bucket)
                note(shop, amount - amount // 100)
            case "refund":
                wallet_minor, _ = await market.house.wallet(market.payers[bucket])
                await market.refund(shop, amount, bucket=bucket)
                note(shop, -amount)
                assert (await market.house.wallet(market.payers[bucket]))[0] == wallet_minor + amount
            case "night":
                market.house.later(days=n)
            case "close":
                yesterday = market.on - timedelta(days=1)
                await close_through(
                    market.house.lanes,
                    market.book,
                    market.book.buckets[n],
                    yesterday,
                    settlements.close_steps(),
                )
            case "bank":
                market.house.bank = Answering(ANSWERS[n])
                await market.house.work(rounds=2)
        for shop in shops:
            await the_identity_holds(market, shop, activity[shop])
    market.house.later(days=1)
    for bucket in market.book.buckets:
        yesterday = market.on - timedelta(days=1)
        await close_through(market.house.lanes, market.book, bucket, yesterday, settlements.close_steps())
    for shop in shops:
        await the_identity_holds(market, shop, activity[shop])
        assert sum(one.net_minor - one.returned_minor for one in await market.of(shop)) == sum(
            activity[shop].values()
        ), "when all is closed, all is settled"


async def the_identity_holds(market: Market, shop: UUID, activity: dict[date, int]) -> None:
    made = await market.of(shop)
    settled_on = {one.business_date for one in made}
    failed_minor = sum(one.payout_minor for one in made if one.status == "failed")
    for one in made:  # each date is settled whole: as the model of this test has it
        assert one.net_minor - one.returned_minor == activity.get(one.business_date, 0)
    unsettled_minor = sum(net for on, net in activity.items() if on not in settled_on)
    unsettled_minor += failed_minor - sum(one.returned_minor for one in made)
    assert sum(one.net_minor for one in made) + unsettled_minor == (
        await market.owed(shop) + sum(one.payout_minor for one in made)
    )
    for before, after in itertools.pairwise(made):
        assert after.carried_minor == before.carried_minor + before.net_minor - before.payout_minor <= 0


async def test_a_payout_takes_its_first_answer_only(market: Market) -> None:
    house, shop = market.house, await market.shop()
    await market.pay(shop, 100_00)
    await market.close()
    await house.work()
    (row,) = await house.fetch("select id from settlement")
    for done in (True, False):
        answered = Answered(
            id=row["id"], kind=Kind.SETTLEMENT, owner_id=shop, done=done, code="", at=house.at
        )
        await house.lanes.submit(market.book.bucket_of(shop), settlements.answer_command(answered))
    assert [one.status for one in await market.of(shop)] == ["paid"]
    assert await market.owed(shop) == 0
    assert len(await house.fetch("select seq from journal where of = $1", row["id"])) == 2
