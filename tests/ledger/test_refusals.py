"""What the database itself refuses, in the application's role: a journal is written once, balanced, for ever."""

from typing import Any
from uuid import UUID

import asyncpg
import pytest
from tests.ledger.conftest import NOON, ON, Ledger

from wufeng.base.database import Connection

INSERT = """
insert into journal (bucket, seq, at, kind, of, currency, business_on, accounts, amounts, guarded, note, reverses)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""
A, B = UUID(int=1), UUID(int=2)


async def insert(db: Connection, bucket: int, **changed: Any) -> None:
    row: dict[str, Any] = {
        "bucket": bucket,
        "seq": 1_000,
        "at": NOON,
        "kind": 1,
        "of": A,
        "currency": "CNY",
        "business_on": ON,
        "accounts": [A, B],
        "amounts": [100, -100],
        "guarded": 0,
        "note": "{}",
        "reverses": None,
    }
    await db.execute(INSERT, *(row | changed).values())


NO_JOURNALS: list[tuple[dict[str, Any], str]] = [
    ({"amounts": [100, -99]}, "journal_balances"),
    ({"amounts": [100, -100, 0], "accounts": [A, B, A]}, "journal_balances"),  # a leg of nothing
    ({"amounts": [0, 0]}, "journal_balances"),
    ({"amounts": [100, None]}, "journal_balances"),
    ({"amounts": [], "accounts": []}, "journal_legs"),
    ({"amounts": [100, -60, -40]}, "journal_legs"),  # three amounts on two accounts
    ({"accounts": [A, None]}, "journal_legs"),
    ({"guarded": 3}, "journal_legs"),
    ({"guarded": -1}, "journal_legs"),
    ({"currency": "CNYX"}, "journal_currency_check"),
    ({"kind": 90}, "journal_reversal"),  # a reversal of nothing
]


async def test_a_journal_that_is_none(ledger: Ledger, db: Connection) -> None:
    for changed, constraint in NO_JOURNALS:
        with pytest.raises(asyncpg.CheckViolationError) as refused:
            await insert(db, ledger.bucket, **changed)
        assert refused.value.constraint_name == constraint
    await insert(db, ledger.bucket)  # the same without a fault


async def test_sums_that_wrap_around_do_not_balance(ledger: Ledger, db: Connection) -> None:
    with pytest.raises(asyncpg.NumericValueOutOfRangeError):
        await insert(db, ledger.bucket, amounts=[2**63 - 1, 2**63 - 1, 2], accounts=[A, B, A])


async def test_arrays_that_hide_legs_are_refused(ledger: Ledger, db: Connection) -> None:
    """Arrays may begin at 5 or have two dimensions: sums would see them, slices of legs would not."""
    shape = (
        "insert into journal select bucket, kind, business_on, 1001, at, reverses, of, guarded, currency, {}, note "
        "from journal where seq = 1000"
    )
    await insert(db, ledger.bucket)
    for arrays in (
        "accounts, '[5:6]={100,-100}'::bigint[]",
        "accounts, '{{100,-100}}'::bigint[]",
        "array[accounts], amounts",
    ):
        with pytest.raises(asyncpg.CheckViolationError):
            await db.execute(shape.format(arrays))


FORBIDDEN = [
    "update journal set note = '{}'",
    "update journal set amounts = array[1, -1]",
    "delete from journal",
    "truncate journal",
    "alter table journal disable trigger journal_never_changed",
    "alter table journal disable trigger all",
    "alter table journal drop constraint journal_balances",
    "drop trigger journal_never_changed on journal",
    "create or replace function wufeng_sums_to_zero(bigint[]) returns boolean language sql as 'select true'",
    "set session_replication_role = replica",
    "set role wufeng_owner",
    "create table copy (n int)",
    "create temporary table journal (n int)",
    "delete from account",
    "delete from hold",
    "delete from folded_balance",
    "delete from event",
    "update event set data = ''",
    "update account set owner = id",
    "update account set kind = 11",
    "update account set currency = 'JPY'",
    "update account set id = owner",
    "update account set bucket = 1",
    "update hold set amount_minor = 1",
    "update hold set account_id = id",
    "update folded_balance set id = gen_random_uuid()",
    "update folded_account set kind = 20",
    "delete from folded_account",
    "update account_kind set class = 'asset'",
    "insert into journal_kind values (99, 'new')",
    "truncate account cascade",
]


async def test_what_the_application_may_not(ledger: Ledger, db: Connection) -> None:
    await ledger.live_a_little()
    allowed = [statement for statement in FORBIDDEN if not await is_forbidden(db, statement)]
    assert allowed == []


async def is_forbidden(db: Connection, statement: str) -> bool:
    try:
        await db.execute(statement)
    except asyncpg.InsufficientPrivilegeError:
        return True
    return False


async def test_even_the_owner_runs_into_the_trigger(ledger: Ledger) -> None:
    await ledger.live_a_little()
    for statement in ("update journal set note = '{}'", "delete from journal", "truncate journal"):
        with pytest.raises(asyncpg.RestrictViolationError, match="journals are never changed, only reversed"):
            await ledger.owner.execute(statement)


async def test_floors_ceilings_and_holds_are_the_databases(ledger: Ledger, db: Connection) -> None:
    await ledger.live_a_little()
    for statement in (
        "update account set balance_minor = 1 where max_minor = 0",  # a wallet below nothing
        "update account set balance_minor = -1 where min_minor = 0",
        "update account set held_minor = -1",
        "update account set held_minor = -balance_minor + 1 where max_minor = 0",
        "update hold set posted_minor = amount_minor + 1",
        "update hold set posted_minor = amount_minor",  # and still held
        "update hold set status = 'posted'",
        "update hold set status = 'lost'",
    ):
        with pytest.raises(asyncpg.CheckViolationError):
            await db.execute(statement)


NOT_THE_OPPOSITE: list[tuple[dict[str, Any], type[Exception]]] = [
    ({"reverses": 9}, asyncpg.ForeignKeyViolationError),  # not there
    ({"reverses": 1001}, asyncpg.ForeignKeyViolationError),  # itself
    ({"amounts": [-99, 99]}, asyncpg.CheckViolationError),
    ({"amounts": [100, -100]}, asyncpg.CheckViolationError),
    ({"accounts": [B, A]}, asyncpg.CheckViolationError),
    ({"guarded": 1}, asyncpg.CheckViolationError),
    ({"currency": "JPY"}, asyncpg.CheckViolationError),
    ({"kind": 1}, asyncpg.CheckViolationError),  # the opposite, but not called a reversal
]


async def test_a_reversal_is_the_opposite_once(ledger: Ledger, db: Connection) -> None:
    await insert(db, ledger.bucket)
    reversal: dict[str, Any] = {"seq": 1001, "kind": 90, "amounts": [-100, 100], "reverses": 1000}
    for changed, error in NOT_THE_OPPOSITE:
        with pytest.raises(error):
            await insert(db, ledger.bucket, **reversal | changed)
    await insert(db, ledger.bucket, **reversal)
    with pytest.raises(asyncpg.UniqueViolationError):  # a second one
        await insert(db, ledger.bucket, **reversal | {"seq": 1002})
    with pytest.raises(asyncpg.CheckViolationError):  # a reversal of the reversal
        await insert(db, ledger.bucket, seq=1003, kind=90, reverses=1001)


async def test_a_reversal_stays_in_its_bucket(ledger: Ledger, db: Connection) -> None:
    await insert(db, ledger.bucket)
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await insert(db, ledger.book.buckets[1], seq=1001, kind=90, amounts=[-100, 100], reverses=1000)


async def test_a_note_is_kept_byte_for_byte(ledger: Ledger, db: Connection) -> None:
    note = '{ "line": "lin_1",  "a": 1.10, "a": 2 }'
    await insert(db, ledger.bucket, note=note)
    assert await db.fetchval("select note::text from journal where seq = 1000") == note
    with pytest.raises(asyncpg.InvalidTextRepresentationError):
        await insert(db, ledger.bucket, seq=1001, note="not json")
