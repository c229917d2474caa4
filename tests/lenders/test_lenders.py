"""Lenders of a book: known once, with accounts; shares are whole."""

from datetime import UTC, datetime, time

import pytest

from wufeng import ledger
from wufeng.base.books import Book, Mode, create_book
from wufeng.base.database import Database
from wufeng.lenders import Lender, lender_id, load_lenders, register_lenders, shares_of

AT = datetime(2026, 9, 3, tzinfo=UTC)


async def test_registering_twice_changes_nothing(database: Database) -> None:
    draft = Book(0, "main", Mode.TEST, "CNY", "Asia/Shanghai", time(0), 0, (), ())
    async with database.transaction() as db:
        book = await create_book(db, draft, 1, AT)
        lender = Lender(lender_id(book.id, "lead"), book.id, "lead", "甲", "Lead")
        for _ in range(2):
            await register_lenders(db, book.id, "CNY", [lender], AT)
        assert await load_lenders(db) == {lender.id: lender}
        accounts = await ledger.folded_accounts_of(db, lender.id)
    assert {account.kind for account in accounts} == {
        kind for kind in ledger.AccountKind if kind.owner is ledger.Owner.LENDER
    }


def test_a_lender_has_one_id_in_a_book_and_another_in_the_next() -> None:
    assert lender_id(1, "lead") == lender_id(1, "lead")
    assert len({lender_id(1, "lead"), lender_id(2, "lead"), lender_id(1, "second")}) == 3


def test_shares_are_whole() -> None:
    lead, second = lender_id(1, "lead"), lender_id(1, "second")
    assert shares_of([lead, second], [700_000, 300_000]) == ((lead, 700_000), (second, 300_000))
    with pytest.raises(AssertionError):
        shares_of([lead, second], [700_000, 299_999])
