"""Repaying: how much, from where, and what it did."""

from collections.abc import Sequence

from msgspec import Struct

from wufeng.base.errors import Code, not_found
from wufeng.base.ids import Prefix, decode, encode
from wufeng.client import ApiProblem
from wufeng.credit.documents.queries import show_explained_repayment
from wufeng.credit.documents.steps import Explained
from wufeng.credit.queries import (
    RepaymentQuote,
    list_under_way,
    load_line,
    load_repayment,
    quote_repayment,
    show_line,
    show_repayment,
)
from wufeng.credit.rates.rules import daily_rate
from wufeng.credit.repayments.model import Paid, Target
from wufeng.credit.views import AllocationView, RepaymentView
from wufeng.credit.waterfall.model import Processing
from wufeng.identity import own_person
from wufeng.identity.bank_accounts.model import BankAccountStatus, BankAccountView
from wufeng.identity.bank_accounts.queries import list_bank_accounts
from wufeng.identity.people.queries import show_person
from wufeng.payments.wallets.model import WalletView
from wufeng.payments.wallets.queries import show_wallet
from wufeng.web.consumer.reading import reading
from wufeng.web.paging import Door, Reply, Visit, pages_of
from wufeng.web.texts import minor_of

LONG_AGO_S = 20
"""A bank that has not answered for so long is said to be slow, and the page stops looking by itself."""


TARGETS = (Target.BILLED, Target.MINIMUM, Target.ALL)


class Amount(Struct, frozen=True):
    """One amount that can be chosen: `billed`, `minimum` or `all`, and what it would do."""

    name: str
    quote: RepaymentQuote


async def ask(visit: Visit) -> Reply:
    """How much, and from where."""
    return await _ask(visit)


async def send(visit: Visit) -> Reply:
    """Repay. Sent twice it is one repayment."""
    amount: int | str | None = visit.field("amount")
    if amount == "other":
        amount = minor_of(visit.field("other"), visit.book.currency)
    if not amount or (amount not in ("billed", "minimum", "all") and not isinstance(amount, int)):
        return await _ask(visit, error="amount", status=422)
    if not visit.field("source"):
        return await _ask(visit, error="source", status=422)
    try:
        repayment = await visit.api.repayments.create(
            line=visit.field("line"),
            amount_minor=amount,
            source=visit.field("source"),
            idempotency_key=visit.key(),
        )
    except ApiProblem as problem:
        if problem.code not in (Code.INVALID_FIELD, Code.STATE_CONFLICT, Code.IDEMPOTENCY_KEY_REUSED):
            raise
        named = any("source" in error.pointer for error in problem.errors)
        at_source = named or problem.code is Code.STATE_CONFLICT  # too little in it, or not verified yet
        return await _ask(visit, error="source" if at_source else "amount", status=problem.status)
    return visit.go(f"/app/repayments/{repayment.id}")


async def show(visit: Visit) -> Reply:
    """One repayment: what it paid, or that the bank has not answered yet."""
    repayment_id = visit.path_id(Prefix.REPAYMENT, "repayment")
    async with visit.services.database.read() as db:
        read = reading(visit, db)
        found = await load_repayment(read, repayment_id)
        own_person(visit.caller, found.person_id, "repayment")
        view = await show_repayment(read, found)
        line = await show_line(read, found.line_id)
        why = _by_piece(view, (await show_explained_repayment(read, found)).amounts)
    waited_s = (visit.at - view.created_at).total_seconds()
    return visit.show(
        "consumer/repayment.html", repayment=view, line=line, why=why, look_again=waited_s < LONG_AGO_S
    )


def _by_piece(view: RepaymentView, amounts: Sequence[Explained]) -> list[tuple[AllocationView, Explained]]:
    """Each piece of a repayment with the rule that put it there; both tell the pieces in one order."""
    paid, saved = iter(amounts[0].steps), iter(amounts[1].steps if len(amounts) > 1 else ())
    return [(piece, next(saved if piece.part is Paid.FEE_DROPPED else paid)) for piece in view.allocation]


async def _ask(visit: Visit, *, error: str = "", status: int = 200) -> Reply:
    services = visit.services
    try:
        line_id = decode(Prefix.LINE, visit.field("line"))
    except ValueError:
        raise not_found("line") from None
    async with services.database.read() as db:
        read = reading(visit, db)
        line = await load_line(read, line_id)
        own_person(visit.caller, line.person_id, "line")
        view = await show_line(read, line_id)
        product = read.products.version(line.product, line.product_version)
        targets = [Amount(one.value, await quote_repayment(read, line, None, one)) for one in TARGETS]
        under_way = await list_under_way(read, line)
        person = await show_person(db, services.vault, visit.book, visit.caller.id)
        wallet = await show_wallet(db, services.vault, visit.book, decode(Prefix.WALLET, person.wallet))
        accounts = await list_bank_accounts(db, services.vault, visit.book, visit.caller.id)
    amounts, chosen = _worth_offering(targets), visit.field("amount")
    if under_way and any(one.name == chosen and not one.quote.amount_minor for one in targets):
        error = (
            error and "under_way"
        )  # no source is at fault: all that was chosen is paid already, if banks say yes
    sources = [account for account in accounts if account.status is BankAccountStatus.VERIFIED]
    return visit.show(
        "consumer/repay.html",
        status=status,
        line=view,
        amounts=amounts,
        chosen=_chosen(chosen, amounts),
        under_way=[(one, _bank_of(one, accounts)) for one in under_way],
        other=visit.field("other"),
        wallet=wallet,
        accounts=sources,
        waits=any(account.status is BankAccountStatus.UNVERIFIED for account in accounts),
        source=visit.field("source") or _likely(wallet, sources, amounts),
        line_id=encode(Prefix.LINE, line_id),
        a_year=daily_rate,
        by_part=product.repayment.processing is Processing.VERTICAL,
        error=error,
    )


def _worth_offering(targets: Sequence[Amount]) -> list[Amount]:
    """Each amount once, without those that come to nothing: what is billed, the minimum, everything."""
    amounts: list[Amount] = []
    for one in targets:
        minor = one.quote.amount_minor
        if minor and all(minor != other.quote.amount_minor for other in amounts):
            amounts.append(one)
    return amounts


def _chosen(chosen: str, amounts: Sequence[Amount]) -> str:
    """What is marked on the page: what was chosen, if it is still offered, else the first."""
    if chosen == "other" or chosen in {one.name for one in amounts}:
        return chosen
    return amounts[0].name if amounts else "other"


def _bank_of(repayment: RepaymentView, accounts: Sequence[BankAccountView]) -> str:
    """The bank that was asked, and its account; empty of an account that was taken away."""
    found = next((one for one in accounts if one.id == repayment.bank_account), None)
    return f"{found.bank} {found.number}" if found is not None else ""


def _likely(wallet: WalletView, accounts: list[BankAccountView], amounts: list[Amount]) -> str:
    """The source that can pay what is offered first."""
    enough = bool(amounts) and wallet.available_minor >= amounts[0].quote.amount_minor
    if enough or not accounts:
        return wallet.id if wallet.available_minor else ""
    return accounts[0].id


page = pages_of(Door.CONSUMER)

PAGES = (
    page("GET", "/app/repay", "app_repay", ask),
    page("POST", "/app/repay", "app_repay_send", send),
    page("GET", "/app/repayments/{id}", "app_repayment", show),
)
