"""The bank answers, late, twice or never; processes die in between: one effect, and unknown is never guessed."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from wufeng.identity.bank_accounts.commands import delete_bank_account
from wufeng.ledger import AccountKind
from wufeng.payments.bank import BankAnswer, Instruction, Outcome, TestBank, Verification

ACCOUNT = "62220000000012"

BEHAVIOURS = [
    # last digits, status after the first round, and once the bank was asked again
    ("00", "posted", "posted"),
    ("01", "failed", "failed"),
    ("02", "posted", "posted"),
    ("03", "pending", "posted"),
    ("04", "posted", "posted"),
    ("05", "pending", "posted"),
    ("06", "pending", "posted"),
    ("07", "pending", "pending"),
]


@pytest.mark.parametrize(("digits", "at_first", "at_last"), BEHAVIOURS)
async def test_a_top_up(house: Any, digits: str, at_first: str, at_last: str) -> None:
    owner = await house.owner(ACCOUNT + digits)
    top_up = await house.top_up(owner, 100_00)
    assert await house.status(top_up) == ("pending", None)
    assert await house.wallet(owner) == (0, 0), "nothing is booked before the bank's yes"
    await house.work()
    assert (await house.status(top_up))[0] == at_first
    assert await house.wallet(owner) == (100_00 if at_first == "posted" else 0, 0)
    await house.work(rounds=4)
    status, failure = await house.status(top_up)
    assert (status, failure) == (at_last, "insufficient_funds" if at_last == "failed" else None)
    assert await house.wallet(owner) == (100_00 if at_last == "posted" else 0, 0)
    await the_bank_agrees(house, unknown_minor=100_00 if digits == "07" else 0)


@pytest.mark.parametrize(("digits", "at_first", "at_last"), BEHAVIOURS)
async def test_a_withdrawal(house: Any, digits: str, at_first: str, at_last: str) -> None:
    owner = await house.owner(ACCOUNT + digits)
    await filled(house, owner, 300_00)
    withdrawal = await house.withdraw(owner, 100_00)
    assert await house.wallet(owner) == (300_00, 100_00), "held at once"
    wallet_of = {"pending": (300_00, 100_00), "posted": (200_00, 0), "failed": (300_00, 0)}
    await house.work()
    assert (await house.status(withdrawal))[0] == at_first
    assert await house.wallet(owner) == wallet_of[at_first]
    await house.work(rounds=4)
    status, failure = await house.status(withdrawal)
    assert (status, failure) == (at_last, "account_closed" if at_last == "failed" else None)
    assert await house.wallet(owner) == wallet_of[at_last]
    await the_bank_agrees(house, unknown_minor=-100_00 if digits == "07" else 0)


async def filled(house: Any, owner: Any, amount_minor: int) -> None:
    """Money in a wallet, from another bank account that does what it is told."""
    good = await house.account(owner.id, "6222000000009900")
    await house.runner.verify_due(owner.bucket)
    command = house.top_up_command(owner, amount_minor, bank_account_id=good)
    await house.submit(owner.bucket, command)
    await house.work()
    assert (await house.status(command.movement_id))[0] == "posted"


async def the_bank_agrees(house: Any, unknown_minor: int = 0) -> None:
    """What the bank has on our account is what we think it has; the rest is what it never told."""
    assert await house.test_bank.balance(house.book.id, "CNY") == (
        await house.folded(AccountKind.BANK_CLEARING) + unknown_minor
    )
    for kind in (AccountKind.TOP_UP_CLEARING, AccountKind.WITHDRAWAL_CLEARING):
        assert await house.folded(kind) == 0


async def test_unknown_is_never_turned_into_failed_by_waiting(house: Any) -> None:
    owner = await house.owner(ACCOUNT + "07")
    top_up = await house.top_up(owner, 100_00)
    await house.work(rounds=60)
    assert await house.status(top_up) == ("pending", None)
    (row,) = await house.fetch("select status, tries from bank_instruction")
    assert row == {"status": "sent", "tries": 60}


async def test_questions_come_at_growing_distances(house: Any) -> None:
    owner = await house.owner(ACCOUNT + "07")
    await house.top_up(owner, 100_00)
    await house.work(rounds=31, pause_s=1.0)
    (row,) = await house.fetch("select tries from bank_instruction")
    assert row["tries"] == 5, "asked after 1, 2, 4, 8 seconds; the next is due after 16"


class Halting:
    """A bank whose caller never hears of its answer: the process dies while it waits."""

    def __init__(self, bank: TestBank, *, arrives: bool) -> None:
        self.bank = bank
        self.arrives = arrives
        self.reached = asyncio.Event()
        self.instructed = 0

    async def instruct(self, instruction: Instruction) -> BankAnswer:
        self.instructed += 1
        if self.arrives:
            await self.bank.instruct(instruction)
        self.reached.set()
        await asyncio.Event().wait()
        raise AssertionError("it waits for ever")

    async def ask(self, instruction_id: UUID) -> BankAnswer:
        return await self.bank.ask(instruction_id)

    async def verify(self, account: object) -> Verification:
        return Verification.UNKNOWN


@pytest.mark.parametrize("arrives", [True, False])
@pytest.mark.parametrize("kind", ["top_up", "withdrawal"])
async def test_a_process_dies_between_sending_and_the_answer(house: Any, kind: str, arrives: bool) -> None:
    owner = await house.owner(ACCOUNT + "00")
    await filled(house, owner, 300_00)
    begin = house.top_up if kind == "top_up" else house.withdraw
    movement = await begin(owner, 100_00)
    await house.follow()
    house.bank = halting = Halting(house.test_bank, arrives=arrives)
    await house.runner.send_due(owner.bucket)
    await asyncio.wait_for(halting.reached.wait(), 5)
    await house.runner.stop()  # the process is gone

    house.bank = TestBank(house.database, house.clock)  # the bank's process too: it remembers by its table
    house.new_runner()
    await house.work()
    assert (await house.status(movement))[0] == "pending", "the lease of the dead runner still runs"
    house.later(seconds=61)
    await house.work()
    assert (await house.status(movement))[0] == "posted"
    assert await house.wallet(owner) == (400_00 if kind == "top_up" else 200_00, 0)
    await the_bank_agrees(house)


async def test_a_process_dies_between_the_objects_answer_and_the_list(house: Any) -> None:
    """The object has its answer, the work list has not: the same answer comes again, and changes nothing."""
    owner = await house.owner(ACCOUNT + "00")
    top_up = await house.top_up(owner, 100_00)
    await house.work()
    async with house.database.transaction() as db:
        await db.execute("update bank_instruction set status = 'sent', ended_at = null")
    house.new_runner()
    await house.work(rounds=2)
    assert (await house.status(top_up))[0] == "posted"
    assert await house.wallet(owner) == (100_00, 0)
    assert await house.fetch("select status from bank_instruction") == [{"status": "done"}]
    assert len(await house.fetch("select seq from journal where of = $1", top_up)) == 2
    await the_bank_agrees(house)


async def test_two_processes_share_the_list(house: Any) -> None:
    owner = await house.owner(ACCOUNT + "00")
    await asyncio.gather(*(house.top_up(owner, 10_00) for _ in range(12)))
    await house.follow()
    first, second = house.runner, house.new_runner()
    while sum(await asyncio.gather(first.send_due(owner.bucket), second.send_due(owner.bucket))):
        await asyncio.gather(first.idle(), second.idle())
    assert await house.wallet(owner) == (120_00, 0)
    assert {row["tries"] for row in await house.fetch("select tries from bank_instruction")} == {1}
    await the_bank_agrees(house)


async def test_a_lease_that_ended_is_taken_over_and_the_late_answer_changes_nothing(house: Any) -> None:
    owner = await house.owner(ACCOUNT + "00")
    top_up = await house.top_up(owner, 100_00)
    await house.follow()
    gate = asyncio.Event()

    class Gated(Halting):
        async def instruct(self, instruction: Instruction) -> BankAnswer:
            answer = await self.bank.instruct(instruction)
            self.reached.set()
            await gate.wait()
            return answer

    house.bank = gated = Gated(house.test_bank, arrives=True)
    slow = house.runner
    await slow.send_due(owner.bucket)
    await asyncio.wait_for(gated.reached.wait(), 5)
    house.later(seconds=61)
    house.new_runner()
    await house.work()
    assert (await house.status(top_up))[0] == "posted"
    gate.set()
    await slow.idle()
    assert await house.wallet(owner) == (100_00, 0)
    assert len(await house.fetch("select seq from journal where of = $1", top_up)) == 2
    await the_bank_agrees(house)


async def test_the_work_list_is_written_once(house: Any) -> None:
    owner = await house.owner(ACCOUNT + "00")
    await house.top_up(owner, 100_00)
    await house.follow()
    async with house.database.transaction() as db:
        await db.execute("update cursor set seq = 0 where follower = 'bank'")
    await house.work()
    assert len(await house.fetch("select id from bank_instruction")) == 1
    assert await house.wallet(owner) == (100_00, 0)


async def test_words_that_nobody_asked_for(house: Any) -> None:
    owner = await house.owner(ACCOUNT + "07")
    top_up = await house.top_up(owner, 100_00)
    await house.follow()
    done = BankAnswer(Outcome.DONE)
    await house.runner.hear(house.book.id, top_up, done)
    assert (await house.status(top_up))[0] == "pending", "it was never sent"
    await house.runner.hear(house.book.id, house.ids.new(house.at, 7), done)
    await house.work()
    await house.runner.hear(house.book.id, top_up, BankAnswer(Outcome.PENDING))
    assert (await house.status(top_up))[0] == "pending"
    await asyncio.gather(*(house.runner.hear(house.book.id, top_up, done) for _ in range(8)))
    await house.runner.hear(house.book.id, top_up, BankAnswer(Outcome.REFUSED, "too_late"))
    assert await house.status(top_up) == ("posted", None)
    assert await house.wallet(owner) == (100_00, 0)
    await the_bank_agrees(house)


async def test_what_is_under_way_ends_though_the_account_is_deleted(house: Any) -> None:
    owner = await house.owner(ACCOUNT + "06")
    top_up = await house.top_up(owner, 100_00)
    await house.work()
    await delete_bank_account(house.database, house.vault, house.book, owner.id, owner.account_id, house.at)
    await house.work(rounds=3)
    assert (await house.status(top_up))[0] == "posted"
    await the_bank_agrees(house)


async def test_a_lane_that_is_full_is_tried_again(house: Any) -> None:
    owner = await house.owner(ACCOUNT + "00")
    top_up = await house.top_up(owner, 100_00)
    await house.follow()
    house.lanes.closing = True
    await house.work()
    house.lanes.closing = False
    assert (await house.status(top_up))[0] == "pending"
    await house.work(rounds=3)
    assert (await house.status(top_up))[0] == "posted"
    await the_bank_agrees(house)


async def test_accounts_are_verified(house: Any) -> None:
    owner = await house.owner()
    good = await house.account(owner.id, ACCOUNT + "11")
    bad = await house.account(owner.id, ACCOUNT + "09")
    await asyncio.gather(*(house.runner.verify_due(bucket) for bucket in house.book.buckets))
    found = {row["id"]: row["status"] for row in await house.fetch("select id, status from bank_account")}
    assert (found[good], found[bad]) == ("verified", "refused")


async def test_an_account_the_bank_is_silent_about_stays_unverified(house: Any) -> None:
    owner = await house.owner()
    account = await house.account(owner.id, ACCOUNT + "11")
    house.bank = Halting(house.test_bank, arrives=True)
    assert await house.runner.verify_due(owner.bucket) == 0
    house.bank = house.test_bank
    assert await house.runner.verify_due(owner.bucket) == 0, "asked again only after a pause"
    house.later(seconds=2)
    assert await house.runner.verify_due(owner.bucket) == 1
    (row,) = await house.fetch("select status from bank_account where id = $1", account)
    assert row["status"] == "verified"


async def test_the_runner_by_itself(house: Any) -> None:
    """Started, it verifies accounts and moves money without being told, and stops."""
    owner = await house.owner()
    account = await house.account(owner.id, ACCOUNT + "11")
    await house.runner.start()
    async with asyncio.timeout(10):
        while await house.fetch("select id from bank_account where status = 'unverified'"):
            await asyncio.sleep(0.05)
    command = house.top_up_command(owner, 50_00, bank_account_id=account)
    await house.submit(owner.bucket, command)
    await house.follow()
    house.runner.wake(owner.bucket)
    async with asyncio.timeout(10):
        while (await house.status(command.movement_id))[0] == "pending":
            await asyncio.sleep(0.05)
    assert await house.wallet(owner) == (50_00, 0)


async def test_the_same_id_with_another_amount_is_refused_by_the_test_bank(house: Any) -> None:
    owner = await house.owner(ACCOUNT + "00")
    top_up = await house.top_up(owner, 100_00)
    await house.work()
    account = None
    other = Instruction(
        id=top_up, book=house.book.id, kind="top_up", direction="debit", amount_minor=1, currency="CNY",
        owner_id=owner.id, account=account,
    )  # fmt: skip
    assert await house.test_bank.instruct(other) == BankAnswer(Outcome.REFUSED, "id_reused")
