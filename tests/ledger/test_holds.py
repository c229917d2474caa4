"""Holds in two phases, floors and ceilings: what the database itself keeps of a guarded balance."""

import asyncio
from uuid import UUID

import asyncpg
import pytest
from tests.ledger.conftest import Ledger

from wufeng.base.errors import Problem
from wufeng.ledger import AccountKind, Hold, HoldStatus, LedgerRefused, rules, verify

WALLET = AccountKind.WALLET


def hold_of(ledger: Ledger, amount_minor: int, kind: AccountKind = WALLET) -> Hold:
    return Hold(ledger.new_id(), ledger.account(kind), amount_minor, ledger.new_id())


async def cause_of(ledger: Ledger, **what: object) -> BaseException:
    """Why a command failed: the lane wraps it, for callers hear no more than that nothing was done."""
    with pytest.raises(Problem) as failed:
        await ledger.work(**what)
    assert failed.value.__cause__ is not None
    return failed.value.__cause__


async def state_of(ledger: Ledger, hold: Hold) -> tuple[int, str]:
    row = await ledger.owner.fetchrow("select posted_minor, status from hold where id = $1", hold.id)
    return row["posted_minor"], row["status"]


async def test_a_hold_is_placed_posted_in_parts_and_ends_posted(ledger: Ledger) -> None:
    await ledger.post(ledger.top_up(100_00))
    hold = hold_of(ledger, 100_00)
    await ledger.work(holds=(hold,))
    assert await ledger.balances(WALLET) == (-100_00, 100_00)
    pay = rules.wallet_payment(ledger.cause(), ledger.wallet, 30_00, ledger.merchant, 0)
    await ledger.work(parts=((hold.id, 30_00),), journals=(pay,))
    assert await ledger.balances(WALLET) == (-70_00, 70_00)
    assert await state_of(ledger, hold) == (30_00, HoldStatus.HELD)
    rest = rules.wallet_payment(ledger.cause(), ledger.wallet, 70_00, ledger.merchant, 0)
    await ledger.work(parts=((hold.id, 40_00), (hold.id, 30_00)), journals=(rest,))
    assert await ledger.balances(WALLET) == (0, 0)
    assert await state_of(ledger, hold) == (100_00, HoldStatus.POSTED)
    assert (await verify(ledger.database)).breaks == ()


async def test_a_void_releases_what_was_not_posted(ledger: Ledger) -> None:
    await ledger.post(ledger.top_up(100_00))
    hold, other = hold_of(ledger, 60_00), hold_of(ledger, 40_00)
    await ledger.work(holds=(hold, other))
    pay = rules.wallet_payment(ledger.cause(), ledger.wallet, 10_00, ledger.merchant, 0)
    await ledger.work(parts=((hold.id, 10_00),), journals=(pay,))
    await ledger.work(voids=(hold.id,))
    assert await ledger.balances(WALLET) == (-90_00, 40_00)
    assert await state_of(ledger, hold) == (10_00, HoldStatus.VOIDED)
    assert (await verify(ledger.database)).breaks == ()


async def test_a_hold_on_a_line_counts_as_held(ledger: Ledger) -> None:
    hold = hold_of(ledger, 70_00, AccountKind.LINE_PRINCIPAL)
    await ledger.work(holds=(hold,))
    assert await ledger.balances(AccountKind.LINE_PRINCIPAL) == (0, 70_00)
    await ledger.work(parts=((hold.id, 70_00),), journals=(ledger.buy(70_00),))
    assert await ledger.balances(AccountKind.LINE_PRINCIPAL) == (70_00, 0)


@pytest.mark.parametrize(
    ("parts", "voids", "refusal"),
    [
        (["posted", 1], [], LedgerRefused),  # it has ended
        (["voided", 1], [], LedgerRefused),
        (["unknown", 1], [], LedgerRefused),
        (["open", 0], [], LedgerRefused),  # nothing
        (["open", -1], [], LedgerRefused),
        (["open", 10_01], [], asyncpg.CheckViolationError),  # a fen more than it holds
        ([], ["posted"], LedgerRefused),
        ([], ["voided"], LedgerRefused),
        ([], ["unknown"], LedgerRefused),
        ([], ["open", "posted"], LedgerRefused),  # one of two: neither
    ],
)
async def test_what_holds_refuse(
    ledger: Ledger, parts: list[object], voids: list[str], refusal: type[Exception]
) -> None:
    await ledger.post(ledger.top_up(100_00))
    holds = {name: hold_of(ledger, 10_00) for name in ("open", "posted", "voided")}
    await ledger.work(holds=tuple(holds.values()))
    pay = rules.wallet_payment(ledger.cause(), ledger.wallet, 10_00, ledger.merchant, 0)
    await ledger.work(parts=((holds["posted"].id, 10_00),), journals=(pay,), voids=(holds["voided"].id,))
    before = await ledger.balances(WALLET)
    ids = {name: hold.id for name, hold in holds.items()} | {"unknown": ledger.new_id()}
    cause = await cause_of(
        ledger,
        parts=((ids[parts[0]], parts[1]),) if parts else (),
        voids=tuple(ids[name] for name in voids),
    )
    assert isinstance(cause, refusal)
    assert await ledger.balances(WALLET) == before
    assert await state_of(ledger, holds["open"]) == (0, HoldStatus.HELD)
    assert (await verify(ledger.database)).breaks == ()


async def test_a_hold_needs_an_open_account_and_an_id_of_its_own(ledger: Ledger) -> None:
    await ledger.post(ledger.top_up(100_00))
    stranger = Hold(ledger.new_id(), ledger.new_id(), 1, ledger.new_id())
    assert isinstance(await cause_of(ledger, holds=(stranger,)), LedgerRefused)
    hold = hold_of(ledger, 1)
    await ledger.work(holds=(hold,))
    assert isinstance(await cause_of(ledger, holds=(hold,)), asyncpg.UniqueViolationError)
    assert isinstance(await cause_of(ledger, holds=(hold_of(ledger, 0),)), asyncpg.CheckViolationError)


async def test_a_wallet_is_not_overdrawn_by_one_fen(ledger: Ledger) -> None:
    await ledger.post(ledger.top_up(100_00))
    await ledger.work(holds=(hold_of(ledger, 40_00),))
    too_much = rules.withdrawal(ledger.cause(), ledger.wallet, 60_01)
    cause = await cause_of(ledger, journals=(too_much,))
    assert isinstance(cause, asyncpg.CheckViolationError) and cause.constraint_name == "account_ceiling"
    cause = await cause_of(ledger, holds=(hold_of(ledger, 60_01),))
    assert isinstance(cause, asyncpg.CheckViolationError) and cause.constraint_name == "account_ceiling"
    await ledger.post(rules.withdrawal(ledger.cause(), ledger.wallet, 60_00))
    assert await ledger.balances(WALLET) == (-40_00, 40_00)


async def test_more_than_is_owed_is_not_repaid(ledger: Ledger) -> None:
    await ledger.post(ledger.top_up(100_00), ledger.buy(10_00))
    parts = rules.split_between(10_01, ledger.shares)
    cause = await cause_of(
        ledger, journals=(rules.repayment_from_wallet(ledger.cause(), ledger.wallet, ledger.line, parts),)
    )
    assert isinstance(cause, asyncpg.CheckViolationError) and cause.constraint_name == "account_floor"


async def test_an_account_takes_its_own_currency_only(ledger: Ledger) -> None:
    yen = rules.Cause(ledger.new_id(), "JPY", ledger.cause().business_on, ledger.book.id)
    cause = await cause_of(ledger, journals=(rules.top_up(yen, ledger.wallet, 1),))
    assert isinstance(cause, LedgerRefused)
    assert isinstance(
        await cause_of(ledger, journals=(rules.top_up(ledger.cause(), UUID(int=9), 1),)), LedgerRefused
    )


async def test_amounts_beyond_64_bits_are_an_error_not_another_number(ledger: Ledger) -> None:
    await ledger.post(ledger.top_up(2**63 - 1))
    cause = await cause_of(ledger, journals=(ledger.top_up(2),))
    assert isinstance(cause, asyncpg.NumericValueOutOfRangeError)
    assert await ledger.balances(WALLET) == (-(2**63 - 1), 0)


async def test_one_that_overdraws_does_not_take_its_batch_with_it(ledger: Ledger) -> None:
    await ledger.post(ledger.top_up(100_00))
    one_fen = [rules.withdrawal(ledger.cause(), ledger.wallet, 1) for _ in range(20)]
    too_much = rules.withdrawal(ledger.cause(), ledger.wallet, 100_00)
    answers = await asyncio.gather(
        *(ledger.post(journal) for journal in [*one_fen[:10], too_much, *one_fen[10:]]),
        return_exceptions=True,
    )
    assert [isinstance(answer, Problem) for answer in answers] == [False] * 10 + [True] + [False] * 10
    assert await ledger.balances(WALLET) == (-99_80, 0)
    assert (await verify(ledger.database)).breaks == ()
