"""The two kinds that everybody has: the person's wallet, and bank accounts that the bank has verified."""

from collections.abc import Collection, Mapping
from uuid import UUID

from wufeng import ledger
from wufeng.base.errors import Code, Problem, invalid_field
from wufeng.base.ids import Prefix
from wufeng.base.lanes import Batch
from wufeng.credit.repayments.model import SourceKind
from wufeng.credit.sources.model import Held, Pays, SourceType
from wufeng.credit.sources.registry import Sources
from wufeng.identity.bank_accounts.model import BankAccountStatus
from wufeng.identity.bank_accounts.queries import bank_account_states
from wufeng.ledger import AccountKind, account_id

NO_SUCH_ACCOUNT = "There is no such bank account."


async def _wallets(batch: Batch, ids: Collection[UUID]) -> Mapping[UUID, Held]:
    """Wallets of the batch's people: another's is not looked at."""
    own = {guard.wallet_id: guard for guard in batch.people.values() if guard.wallet_id in ids}
    accounts = {id_: account_id(id_, AccountKind.WALLET) for id_ in own}
    balances = await ledger.load_balances(batch.db, batch.bucket, list(accounts.values())) if own else {}
    return {
        id_: Held(guard.id, None, balances.get(accounts[id_], ledger.NOTHING).available_minor or 0)
        for id_, guard in own.items()
    }


async def _bank_accounts(batch: Batch, ids: Collection[UUID]) -> Mapping[UUID, Held]:
    found = await bank_account_states(batch.db, batch.bucket, ids)
    return {id_: Held(person, problem_of_status(status)) for id_, (person, status) in found.items()}


def problem_of_status(status: BankAccountStatus) -> Problem | None:
    """Why a bank account in that state moves no money."""
    if status is BankAccountStatus.DELETED:
        return invalid_field("/source", NO_SUCH_ACCOUNT)
    if status is not BankAccountStatus.VERIFIED:
        detail = f"This bank account is {status.value}; only a verified one moves money."
        return Problem(Code.STATE_CONFLICT, detail)
    return None


WALLET = SourceType(
    kind=SourceKind.WALLET,
    prefix=Prefix.WALLET,
    pays=Pays.AT_ONCE,
    noun="wallet",
    not_theirs="It is not the wallet of the line's person.",
    load=_wallets,
)
BANK_ACCOUNT = SourceType(
    kind=SourceKind.BANK_ACCOUNT,
    prefix=Prefix.BANK_ACCOUNT,
    pays=Pays.LATER,
    noun="bank account",
    not_theirs=NO_SUCH_ACCOUNT,
    load=_bank_accounts,
)

OWN_SOURCES = Sources((WALLET, BANK_ACCOUNT))
"""What a process knows to which nobody brings more; cards and the fund come beside them in the composition root."""
