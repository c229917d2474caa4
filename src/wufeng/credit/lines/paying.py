"""What stands in a person's favour on a line that is closed: it goes to the wallet."""

from collections.abc import Sequence
from datetime import date

from wufeng import ledger
from wufeng.base.lanes import Batch
from wufeng.credit.lines.model import Line
from wufeng.ledger import AccountKind, Cause, account_id
from wufeng.ledger.rules import credit_balance_to_wallet


async def pay_out(batch: Batch, lines: Sequence[Line], on: date) -> int:
    """Pay the credit balances of closed lines to their people's wallets; returns how many there were.

    The people are locked by the caller's command. What a batch posts later to a balance is paid out by the next close.
    """
    accounts = {line.id: account_id(line.id, AccountKind.LINE_CREDIT_BALANCE) for line in lines}
    balances = await ledger.load_balances(batch.db, batch.bucket, list(accounts.values())) if lines else {}
    journals = []
    for line in lines:
        amount_minor = balances.get(accounts[line.id], ledger.NOTHING).owed_to_owner_minor
        if amount_minor:
            cause = Cause(line.id, line.currency, on, batch.book.id)
            wallet_id = batch.people[line.person_id].wallet_id
            journals.append(credit_balance_to_wallet(cause, line.id, wallet_id, amount_minor))
    await ledger.post(batch, journals)
    return len(journals)
