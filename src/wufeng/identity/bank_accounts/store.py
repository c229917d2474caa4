"""Bank accounts in the database, in the bucket of their person, sealed under the person's key."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from asyncpg import Record

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.identity.bank_accounts.model import BankAccount, BankAccountStatus, BankInstruction
from wufeng.identity.bank_accounts.rules import mask_number
from wufeng.identity.vault import PersonKey, Private, Vault

SQL = load(__file__)

_FIELD = "bank account"


async def insert_account(
    db: Connection,
    bucket: int,
    key: PersonKey,
    account: BankAccount,
    number: Private,
    number_name: UUID,
) -> bool:
    """Write a bank account; False when the person has one with this number."""
    id_ = await db.fetchval(
        SQL.insert_account,
        bucket,
        account.id,
        account.person_id,
        account.bank,
        key.seal(_FIELD, number.text),
        number_name,
        account.created_at,
    )
    return id_ is not None


async def load_accounts(
    db: Connection, vault: Vault, bucket: int, ids: Collection[UUID]
) -> dict[UUID, BankInstruction]:
    """Bank accounts in clear. Unknown and deleted ones, and those of erased people, are absent."""
    rows = await db.fetch(SQL.load_accounts, bucket, list(ids))
    return {row["id"]: _in_clear(vault, row) for row in rows}


async def load_under_way(
    db: Connection, vault: Vault, bucket: int, ids: Collection[UUID]
) -> dict[UUID, BankInstruction]:
    """Bank accounts in clear, deleted ones too. Unknown ones, and those of erased people, are absent."""
    rows = await db.fetch(SQL.load_under_way, bucket, list(ids))
    return {row["id"]: _in_clear(vault, row) for row in rows}


async def load_states(
    db: Connection, bucket: int, ids: Collection[UUID]
) -> dict[UUID, tuple[UUID, BankAccountStatus]]:
    """Whose each account is and where it stands, nothing unsealed. An unknown one is absent."""
    rows = await db.fetch(SQL.load_states, bucket, list(ids))
    return {row["id"]: (row["person_id"], BankAccountStatus(row["status"])) for row in rows}


async def count_verified(db: Connection, bucket: int, people: Collection[UUID]) -> dict[UUID, int]:
    """How many accounts of each person the bank has said to be theirs; a person without one is absent."""
    rows = await db.fetch(SQL.count_verified, bucket, list(people))
    return {row["person_id"]: row["count"] for row in rows}


async def list_accounts(
    db: Connection, vault: Vault, bucket: int, person_id: UUID, after: UUID, at_most: int
) -> list[BankAccount]:
    """The bank accounts of a person, oldest first, without the deleted ones, after one of them."""
    return [
        BankAccount(
            id=row["id"],
            person_id=row["person_id"],
            bank=row["bank"],
            number_masked=mask_number(_number(vault, row).text),
            status=BankAccountStatus(row["status"]),
            created_at=row["created_at"],
        )
        for row in await db.fetch(SQL.list_accounts, bucket, person_id, after, at_most)
    ]


async def list_unverified(db: Connection, bucket: int, at_most: int) -> list[UUID]:
    """Bank accounts that the bank has not answered about, oldest first."""
    return [row["id"] for row in await db.fetch(SQL.list_unverified, bucket, at_most)]


async def move_status(
    db: Connection,
    bucket: int,
    account_id: UUID,
    sources: Collection[BankAccountStatus],
    target: BankAccountStatus,
    at: datetime,
) -> bool:
    """Move a bank account from one of those states; False when it stands elsewhere."""
    states = [status.value for status in sources]
    return await db.fetchval(SQL.move_status, bucket, account_id, states, target.value, at) is not None


async def delete_account(
    db: Connection, bucket: int, account_id: UUID, person_id: UUID, at: datetime
) -> bool:
    """Delete a bank account of that person; False when there is none."""
    return await db.fetchval(SQL.delete_account, bucket, account_id, person_id, at) is not None


async def delete_of_person(db: Connection, bucket: int, person_id: UUID, at: datetime) -> None:
    """Delete all bank accounts of a person who is erased."""
    await db.execute(SQL.delete_of_person, bucket, person_id, at)


def _number(vault: Vault, row: Record) -> Private:
    key = vault.open_person_key(row["person_id"], row["sealed_key"])
    return Private(key.unseal(_FIELD, row["number"]))


def _in_clear(vault: Vault, row: Record) -> BankInstruction:
    return BankInstruction(
        id=row["id"],
        person_id=row["person_id"],
        bank=row["bank"],
        number=_number(vault, row),
        status=BankAccountStatus(row["status"]),
    )
