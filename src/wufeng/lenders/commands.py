"""Making lenders known to a book."""

from collections.abc import Sequence
from datetime import datetime

from wufeng import ledger
from wufeng.base.database import Connection
from wufeng.lenders import store
from wufeng.lenders.model import Lender


async def register_lenders(
    db: Connection, book_id: int, currency: str, lenders: Sequence[Lender], at: datetime
) -> None:
    """Keep lenders of a book with their accounts in a currency. Those that are known already change nothing."""
    await store.insert_lenders(db, book_id, lenders, at)
    accounts = [
        account
        for lender in lenders
        for account in ledger.folded_accounts(ledger.Owner.LENDER, lender.id, currency, book_id)
    ]
    await ledger.register_folded_accounts(db, accounts)
