"""Wallets on the real database: what is refused, what is held, what is told; and that no money appears or is lost."""

import asyncio
import random
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wufeng import ledger
from wufeng.base.claims import Answer, claim_key
from wufeng.base.errors import Code, Problem
from wufeng.ledger import AccountKind
from wufeng.payments import wallets
from wufeng.payments.wallets import StoredValue
from wufeng.payments.wallets.model import MovementKind

ACCOUNT = "62220000000012"


def seen(answer: Answer | Problem) -> tuple[int, Any]:
    if isinstance(answer, Problem):
        assert answer.code is not Code.INTERNAL, repr(answer.__cause__)
        return answer.status, answer.extra.get("reason", answer.code.value)
    return answer.status, msgspec.json.decode(answer.body)


async def test_a_top_up_as_it_is_shown_told_and_booked(house: Any) -> None:
    owner = await house.owner()
    command = house.top_up_command(owner, 100_00)
    status, body = seen(await house.submit(owner.bucket, command))
    assert status == 202
    assert (body["object"], body["status"], body["amount_minor"]) == ("top_up", "pending", 100_00)
    assert body["id"].startswith("top_") and body["bank_account"].startswith("bka_")
    await house.work()
    told = await house.fetch(
        "select kind, person_id, data from event where object_id = $1", command.movement_id
    )
    assert [(row["kind"], row["person_id"]) for row in told] == [
        ("top_up.pending", owner.id),
        ("top_up.posted", owner.id),
    ]
    assert msgspec.json.decode(told[1]["data"]) == {**body, "status": "posted", "posted_on": "2026-09-03"}
    async with house.database.read() as db:
        journals = await ledger.journals_of(db, owner.bucket, command.movement_id)
    assert [posted.journal.kind.label for posted in journals] == ["top_up", "top_up_settled"]
    assert await house.folded(AccountKind.TOP_UP_CLEARING) == 0


async def test_a_withdrawal_that_the_bank_refuses_is_released(house: Any) -> None:
    owner = await house.owner(ACCOUNT + "01")
    good = await house.account(owner.id, ACCOUNT + "00")
    await house.runner.verify_due(owner.bucket)
    await house.submit(owner.bucket, house.top_up_command(owner, 50_00, bank_account_id=good))
    await house.work()
    withdrawal = await house.withdraw(owner, 50_00)
    assert seen(await house.submit(owner.bucket, house.withdraw_command(owner, 1))) == (
        409,
        "insufficient_balance",
    )
    await house.work()
    assert await house.status(withdrawal) == ("failed", "account_closed")
    assert await house.wallet(owner) == (50_00, 0)
    assert await house.fetch("select kind from event where object_id = $1 order by seq", withdrawal) == [
        {"kind": "withdrawal.pending"},
        {"kind": "withdrawal.failed"},
    ]


async def test_requests_that_come_together_see_each_other(house: Any) -> None:
    owner = await house.owner(tier=1)
    asked = [house.submit(owner.bucket, house.top_up_command(owner, 300_00)) for _ in range(8)]
    answers = [seen(answer) for answer in await asyncio.gather(*asked)]
    assert sorted(status for status, _ in answers) == [202] * 3 + [409] * 5
    assert {reason for status, reason in answers if status == 409} == {"tier_limit"}
    await house.work()
    asked = [house.submit(owner.bucket, house.withdraw_command(owner, 400_00)) for _ in range(5)]
    answers = [seen(answer) for answer in await asyncio.gather(*asked)]
    assert sorted(status for status, _ in answers) == [202] * 2 + [409] * 3
    assert await house.wallet(owner) == (900_00, 800_00)


async def test_a_day_ends_the_days_sum_but_not_what_is_pending(house: Any) -> None:
    owner = await house.owner(ACCOUNT + "07", tier=2)
    for _ in range(2):
        assert seen(await house.submit(owner.bucket, house.top_up_command(owner, 20_000_00)))[0] == 202
    too_much = house.top_up_command(owner, 10_000_01)
    assert seen(await house.submit(owner.bucket, too_much)) == (409, "tier_limit")
    house.later(days=1)
    for amount in (20_000_00, 20_000_00):
        assert seen(await house.submit(owner.bucket, house.top_up_command(owner, amount)))[0] == 202
    house.later(days=1)
    assert seen(await house.submit(owner.bucket, house.top_up_command(owner, 20_000_00)))[0] == 202
    assert seen(await house.submit(owner.bucket, house.top_up_command(owner, 1))) == (409, "tier_limit")


async def test_one_batch_over_midnight(house: Any) -> None:
    owner = await house.owner(tier=1)
    before, later = house.top_up_command(owner, 600_00), house.top_up_command(owner, 600_00)
    house.later(days=1)
    later = msgspec.structs.replace(later, at=house.at)
    answers = await asyncio.gather(house.submit(owner.bucket, later), house.submit(owner.bucket, before))
    assert sorted(seen(answer)[0] for answer in answers) == [202, 409], "what is pending counts on both days"


async def test_the_same_key_twice_is_one_top_up(house: Any) -> None:
    owner = await house.owner()
    claim = claim_key(b"p" * 32, owner.id, "k1", "POST", {"amount_minor": 10_00})
    bodies = [
        (await house.submit(owner.bucket, house.top_up_command(owner, 10_00, claim=claim))).body
        for _ in range(3)
    ]
    assert len(set(bodies)) == 1
    assert len(await house.fetch("select id from wallet_movement")) == 1


async def test_who_is_refused(house: Any) -> None:
    owner, other = await house.owner(), await house.owner()
    unverified = await house.account(owner.id, ACCOUNT + "55")
    for command, expected in [
        (house.top_up_command(owner, 1, bank_account_id=other.account_id), (404, "not_found")),
        (house.top_up_command(owner, 1, wallet_id=other.wallet_id), (404, "not_found")),
        (house.top_up_command(owner, 1, bank_account_id=unverified), (409, "state_conflict")),
        (house.withdraw_command(owner, 1), (409, "insufficient_balance")),
    ]:
        assert seen(await house.submit(owner.bucket, command)) == expected
    await freeze_person_of(house, owner)
    assert seen(await house.submit(owner.bucket, house.top_up_command(owner, 1))) == (403, "forbidden")
    assert await house.fetch("select id from wallet_movement") == []


async def freeze_person_of(house: Any, owner: Any) -> None:
    async with house.database.transaction() as db:
        await db.execute("update person set status = 'frozen' where id = $1", owner.id)


async def test_money_that_moved_is_booked_though_the_person_is_frozen_meanwhile(house: Any) -> None:
    owner = await house.owner()
    top_up = await house.top_up(owner, 10_00)
    await freeze_person_of(house, owner)
    await house.work()
    assert (await house.status(top_up))[0] == "posted"


async def test_a_live_book_without_a_bank_moves_no_money(house: Any) -> None:
    owner = await house.owner(book=house.live)
    status, code = seen(await house.submit(owner.bucket, house.top_up_command(owner, 1)))
    assert (status, code) == (403, "forbidden")


async def test_an_installation_that_holds_no_money(house: Any) -> None:
    owner = await house.owner()
    await house.lanes.drain()
    house.stored_value = StoredValue(held=False)
    house.lanes = house.more_lanes()
    for command in (house.top_up_command(owner, 1), house.withdraw_command(owner, 1)):
        answer = await house.submit(owner.bucket, command)
        assert isinstance(answer, Problem) and answer.code is Code.FORBIDDEN
        assert "no stored value" in answer.detail


async def test_lists_are_newest_first_and_paged(house: Any) -> None:
    owner = await house.owner()
    ids = []
    for n in range(5):
        house.later(seconds=1)
        ids.append(await house.top_up(owner, 100 + n))
    async with house.database.read() as db:
        page = await wallets.list_movements(db, house.book, owner.wallet_id, None, None, 3)
        rest = await wallets.list_movements(db, house.book, owner.wallet_id, MovementKind.TOP_UP, ids[2], 3)
        none = await wallets.list_movements(db, house.book, owner.wallet_id, MovementKind.WITHDRAWAL, None, 3)
    assert [view.amount_minor for view in [*page, *rest, *none]] == [104, 103, 102, 101, 100]


async def test_unknown_wallets_and_movements_are_not_found(house: Any) -> None:
    nobody = house.ids.new(house.at, 7)
    async with house.database.read() as db:
        for show in (
            wallets.show_wallet(db, house.vault, house.book, nobody),
            wallets.show_movement(db, house.book, nobody),
        ):
            with pytest.raises(Problem) as refused:
                await show
            assert refused.value.code is Code.NOT_FOUND


DIGITS = ["00", "01", "03", "04", "05", "06", "07"]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("top_up"), st.sampled_from(DIGITS), st.integers(1, 400_00)),
        st.tuples(st.just("withdraw"), st.sampled_from(DIGITS), st.integers(1, 400_00)),
        st.tuples(st.just("work"), st.just(""), st.integers(1, 3)),
        st.tuples(st.just("restart"), st.just(""), st.just(0)),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=12, suppress_health_check=list(HealthCheck), deadline=None)
@given(steps=STEPS, seed=st.integers(0, 1 << 30))
async def test_money_is_conserved_and_no_wallet_is_overdrawn(
    house: Any, steps: list[tuple[str, str, int]], seed: int
) -> None:
    """Any order of movements, answers and restarts: the wallet is what was posted, the hold what is pending."""
    chance = random.Random(seed)
    owner = await house.owner()
    accounts = {d: await house.account(owner.id, f"62220000000077{d}") for d in DIGITS}
    await house.runner.verify_due(owner.bucket)
    begun: list[UUID] = []
    for what, digits, number in steps:
        if what in ("top_up", "withdraw"):
            make = house.top_up_command if what == "top_up" else house.withdraw_command
            command = make(owner, number, bank_account_id=accounts[digits])
            if isinstance(await house.submit(owner.bucket, command), Answer):
                begun.append(command.movement_id)
        elif what == "work":
            await house.work(rounds=number, pause_s=chance.choice([1.0, 61.0]))
        else:
            await house.runner.stop()
            house.new_runner()
        await as_posted(house, owner, begun)
    await house.work(rounds=6)
    await as_posted(house, owner, begun)
    assert await house.test_bank.balance(house.book.id, "CNY") == (
        await house.folded(AccountKind.BANK_CLEARING) + await never_told(house)
    )


async def as_posted(house: Any, owner: Any, begun: list[UUID]) -> None:
    async with house.database.read() as db:
        views = [await wallets.show_movement(db, house.book, id_) for id_ in begun]

    def total(kind: str, status: str) -> int:
        return sum(v.amount_minor for v in views if (v.object.value, v.status.value) == (kind, status))

    balance_minor, held_minor = await house.wallet(owner)
    assert balance_minor == total("top_up", "posted") - total("withdrawal", "posted") >= 0
    assert held_minor == total("withdrawal", "pending") <= balance_minor


async def never_told(house: Any) -> int:
    """What the test bank has done and never says."""
    rows = await house.fetch(
        "select direction, amount_minor from test_bank_instruction where behaviour = 'never'"
    )
    return sum(row["amount_minor"] if row["direction"] == "debit" else -row["amount_minor"] for row in rows)
