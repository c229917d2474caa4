"""The balance: how it stands, money in from a bank account of one's own."""

from wufeng.base.errors import Code
from wufeng.base.ids import Prefix, decode
from wufeng.client import ApiProblem
from wufeng.identity.bank_accounts.model import BankAccountStatus
from wufeng.identity.bank_accounts.queries import list_bank_accounts
from wufeng.identity.people.queries import show_person
from wufeng.payments.wallets.queries import list_movements, show_wallet
from wufeng.web.paging import Door, Reply, Visit, pages_of
from wufeng.web.texts import minor_of

MOVEMENTS = 20


async def wallet(visit: Visit) -> Reply:
    """The balance, its top-ups, and a form for one more."""
    return await _show(visit)


async def top_up(visit: Visit) -> Reply:
    """Pull money from the visitor's own bank account. Sent twice it is one top-up."""
    amount_minor = minor_of(visit.field("amount"), visit.book.currency)
    if not amount_minor:
        return await _show(visit, error="amount", status=422)
    async with visit.services.database.read() as db:
        person = await show_person(db, visit.services.vault, visit.book, visit.caller.id)
    try:
        await visit.api.wallets.top_up(
            person.wallet,
            amount_minor=amount_minor,
            bank_account=visit.field("bank_account"),
            idempotency_key=visit.key(),
        )
    except ApiProblem as problem:
        if problem.code not in (Code.INVALID_FIELD, Code.STATE_CONFLICT):
            raise
        return await _show(visit, error="limit", status=problem.status)
    return visit.go("/app/wallet")


async def ask_account(visit: Visit) -> Reply:
    """A bank account of one's own: its number and its bank."""
    return visit.show("consumer/bank_account.html", error="", next=visit.onward("/app/wallet"))


async def add_account(visit: Visit) -> Reply:
    """Name a bank account. The bank says whether it is the visitor's."""
    try:
        await visit.api.bank_accounts.create(number=visit.field("number"), bank=visit.field("bank"))
    except ApiProblem as problem:
        if problem.code not in (Code.INVALID_FIELD, Code.STATE_CONFLICT):
            raise
        error = "bank" if any("bank" in error.pointer for error in problem.errors) else "number"
        return visit.show(
            "consumer/bank_account.html", status=problem.status, error=error, next=visit.onward("/app/wallet")
        )
    return visit.go(visit.onward("/app/wallet"))


async def _show(visit: Visit, *, error: str = "", status: int = 200) -> Reply:
    services = visit.services
    async with services.database.read() as db:
        person = await show_person(db, services.vault, visit.book, visit.caller.id)
        wallet_id = decode(Prefix.WALLET, person.wallet)
        view = await show_wallet(db, services.vault, visit.book, wallet_id)
        movements = await list_movements(db, visit.book, wallet_id, None, None, MOVEMENTS)
        accounts = await list_bank_accounts(db, services.vault, visit.book, visit.caller.id)
    return visit.show(
        "consumer/wallet.html",
        status=status,
        wallet=view,
        movements=movements,
        accounts=[account for account in accounts if account.status is not BankAccountStatus.DELETED],
        usable=[account for account in accounts if account.status is BankAccountStatus.VERIFIED],
        error=error,
        amount=visit.field("amount"),
    )


page = pages_of(Door.CONSUMER)

PAGES = (
    page("GET", "/app/wallet", "app_wallet", wallet),
    page("POST", "/app/wallet/top-ups", "app_top_up", top_up),
    page("GET", "/app/bank-accounts/new", "app_bank_account", ask_account),
    page("POST", "/app/bank-accounts", "app_bank_account_send", add_account),
)
