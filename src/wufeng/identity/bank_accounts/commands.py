"""What can be asked about bank accounts: add one, delete one; and what the bank said of it.

Plain transactions, not lane commands: no money moves and no credit is opened by them.
"""

from datetime import datetime
from uuid import UUID

import msgspec

from wufeng.base.books import Book
from wufeng.base.database import Connection, Database
from wufeng.base.errors import Code, Problem, not_found
from wufeng.base.ids import IdMaker, slot_of
from wufeng.identity.bank_accounts import rules, store
from wufeng.identity.bank_accounts.model import BankAccount, BankAccountStatus
from wufeng.identity.people import store as people
from wufeng.identity.people.model import PersonStatus
from wufeng.identity.vault import Private, Vault


async def add_bank_account(
    database: Database,
    vault: Vault,
    ids: IdMaker,
    book: Book,
    person_id: UUID,
    bank: str,
    number: Private,
    at: datetime,
) -> BankAccount:
    """Add a bank account, unverified: the bank seam asks the bank and then says `mark_verified` or
    `mark_refused`.

    Refuses a number that the person has added before (state_conflict), and a person who is not active
    (forbidden).
    """
    bank_code, digits = rules.check_bank(bank), rules.normalise_number(number.text)
    bucket = book.bucket_of(person_id)
    account = BankAccount(
        id=ids.new(at, slot_of(person_id)),
        person_id=person_id,
        bank=bank_code,
        number_masked=rules.mask_number(digits.text),
        status=BankAccountStatus.UNVERIFIED,
        created_at=at,
    )
    async with database.transaction() as db:
        if await people.share_person(db, bucket, person_id) is not PersonStatus.ACTIVE:
            raise Problem(Code.FORBIDDEN, "This person is frozen.")
        key = (await people.load_keys(db, vault, bucket, [person_id]))[person_id]
        # The person is part of the name: the table does not tell who else has this account.
        number_name = vault.name("bank_account", book.id, f"{person_id}\0{bank_code}\0{digits.text}")
        if not await store.insert_account(db, bucket, key, account, digits, number_name):
            raise Problem(Code.STATE_CONFLICT, "This bank account has been added before.")
    return account


async def delete_bank_account(
    database: Database, vault: Vault, book: Book, person_id: UUID, account_id: UUID, at: datetime
) -> BankAccount:
    """Delete a bank account of that person; what is under way with it still ends. Another's is not_found."""
    async with database.transaction() as db:
        before = UUID(int=account_id.int - 1) if account_id.int else account_id
        found = await store.list_accounts(db, vault, book.bucket_of(person_id), person_id, before, 1)
        account = next((account for account in found if account.id == account_id), None)
        deleted = account and await store.delete_account(
            db, book.bucket_of(account_id), account_id, person_id, at
        )
    if account is None or not deleted:
        raise not_found("bank account")
    return msgspec.structs.replace(account, status=BankAccountStatus.DELETED)


async def mark_verified(db: Connection, bucket: int, account_id: UUID, at: datetime) -> bool:
    """The bank says that the account is this person's. False when it was decided or deleted before."""
    return await store.move_status(
        db, bucket, account_id, [BankAccountStatus.UNVERIFIED], BankAccountStatus.VERIFIED, at
    )


async def mark_refused(db: Connection, bucket: int, account_id: UUID, at: datetime) -> bool:
    """The bank does not know the account, or it is another's. False when it was decided or deleted before."""
    return await store.move_status(
        db, bucket, account_id, [BankAccountStatus.UNVERIFIED], BankAccountStatus.REFUSED, at
    )
