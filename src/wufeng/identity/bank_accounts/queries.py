"""What can be read about bank accounts."""

from collections.abc import Collection
from uuid import UUID

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.identity.bank_accounts import rules, store
from wufeng.identity.bank_accounts.model import BankAccountStatus, BankAccountView, BankInstruction
from wufeng.identity.vault import Vault

FIRST = UUID(int=0)


async def list_bank_accounts(
    db: Connection, vault: Vault, book: Book, person_id: UUID, after: UUID = FIRST, at_most: int = 100
) -> list[BankAccountView]:
    """The bank accounts of a person as the API shows them, oldest first; `after` the last one of another page."""
    found = await store.list_accounts(db, vault, book.bucket_of(person_id), person_id, after, at_most)
    return [rules.view_of(account) for account in found]


async def bank_instructions(
    db: Connection, vault: Vault, bucket: int, ids: Collection[UUID]
) -> dict[UUID, BankInstruction]:
    """Bank accounts in clear, for the bank seam alone; unknown and deleted ones are absent."""
    return await store.load_accounts(db, vault, bucket, ids)


async def unverified_bank_accounts(db: Connection, bucket: int, at_most: int) -> list[UUID]:
    """What the bank seam has still to ask the bank about, oldest first."""
    return await store.list_unverified(db, bucket, at_most)


async def accounts_under_way(
    db: Connection, vault: Vault, bucket: int, ids: Collection[UUID]
) -> dict[UUID, BankInstruction]:
    """Bank accounts in clear for instructions that were accepted before: deleted ones are among them."""
    return await store.load_under_way(db, vault, bucket, ids)


async def bank_account_states(
    db: Connection, bucket: int, ids: Collection[UUID]
) -> dict[UUID, tuple[UUID, BankAccountStatus]]:
    """(person, status) of bank accounts, for whoever moves money through one; an unknown id is absent."""
    return await store.load_states(db, bucket, ids)


async def count_verified(db: Connection, bucket: int, people: Collection[UUID]) -> dict[UUID, int]:
    """How many verified bank accounts each person has; a person without one is absent."""
    return await store.count_verified(db, bucket, people)
