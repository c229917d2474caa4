"""Instalments: a bill put into some, and one plan as it stands, to be settled early with what that saves."""

from msgspec import Struct

from wufeng.base.database import Connection
from wufeng.base.errors import Code, Problem
from wufeng.base.ids import Prefix, decode, encode
from wufeng.base.money import format_minor
from wufeng.client import ApiProblem, Confirmation
from wufeng.credit.bill_plans.model import BillPlanOptions
from wufeng.credit.bill_plans.queries import bill_plan_options
from wufeng.credit.documents.queries import show_explained_plan
from wufeng.credit.draws.model import Draw
from wufeng.credit.lines.model import Line
from wufeng.credit.queries import (
    Reading,
    RepaymentQuote,
    list_under_way,
    load_bill,
    load_draw,
    quote_repayment,
    show_bill,
    show_line,
    show_plan,
)
from wufeng.identity import own_person
from wufeng.identity.bank_accounts.model import BankAccountStatus, BankAccountView
from wufeng.identity.bank_accounts.queries import list_bank_accounts
from wufeng.identity.passkeys.queries import has_passkey
from wufeng.identity.people.queries import show_person
from wufeng.identity.pins.queries import has_pin
from wufeng.payments.wallets.model import WalletView
from wufeng.payments.wallets.queries import show_wallet
from wufeng.web.consumer.passkeys import ask_to_confirm, confirmation_of, party_of, say
from wufeng.web.consumer.reading import reading
from wufeng.web.paging import Door, Reply, Visit, pages_of
from wufeng.web.texts import minor_of


class Sources(Struct, frozen=True):
    """What a plan can be settled from. `waits`: on the bank's word about an account that was added."""

    wallet: WalletView
    accounts: tuple[BankAccountView, ...]
    waits: bool


async def ask_split(visit: Visit) -> Reply:
    """How much of a bill, in how many instalments, at which price."""
    return await _ask_split(visit)


async def send_split(visit: Visit) -> Reply:
    """Put the bill into instalments. Sent twice it is one plan."""
    amount_minor = minor_of(visit.field("amount"), visit.book.currency)
    if amount_minor is None:
        return await _ask_split(visit, error="amount", status=422)
    if not visit.field("option") or visit.field("look"):  # another amount: its prices first
        return await _ask_split(visit)
    confirmation = confirmation_of(visit) or Confirmation(kind="pin", proof="")
    try:
        plan = await visit.api.plans.create(
            bill=visit.values["id"],
            amount_minor=amount_minor,
            quote_option=visit.field("option"),
            confirmation=confirmation,
            idempotency_key=visit.key(),
        )
    except ApiProblem as problem:
        match problem.code:
            case Code.CONFIRMATION_FAILED:
                error = "pin" if confirmation.kind == "pin" else "passkey"
                return await _ask_split(visit, error=error, status=problem.status, problem=problem)
            case Code.INVALID_FIELD | Code.STATE_CONFLICT | Code.IDEMPOTENCY_KEY_REUSED:
                return await _ask_split(visit, error="option", status=problem.status)
            case _:
                raise
    return visit.go(f"/app/plans/{plan.id}")


async def ask_to_split(visit: Visit) -> Reply:
    """What a passkey is asked in order to put the bill into instalments."""
    async with visit.services.database.read() as db:
        _, line = await load_bill(reading(visit, db), visit.path_id(Prefix.BILL, "bill"))
    own_person(visit.caller, line.person_id, "bill")
    amount_minor = minor_of(visit.field("amount"), visit.book.currency)
    if amount_minor is None or not visit.field("option"):
        return say(visit.gettext("Look at the prices again."))
    request = {
        "bill": visit.values["id"],
        "amount_minor": amount_minor,
        "quote_option": visit.field("option"),
    }
    return await ask_to_confirm(visit, "create_plan", "", request)


async def show(visit: Visit) -> Reply:
    """One plan, instalment by instalment, and what settling it now would take and save."""
    return await _show(visit)


async def settle(visit: Visit) -> Reply:
    """Pay all that is to come of a plan. Sent twice it is paid once."""
    async with visit.services.database.read() as db:
        _, line = await _own(visit, db)
    if not visit.field("source"):
        return await _show(visit, error="source", status=422)
    try:
        repayment = await visit.api.repayments.create(
            line=encode(Prefix.LINE, line.id),
            plan=visit.values["id"],
            source=visit.field("source"),
            idempotency_key=visit.key(),
        )
    except ApiProblem as problem:
        if problem.code not in (Code.INVALID_FIELD, Code.STATE_CONFLICT, Code.IDEMPOTENCY_KEY_REUSED):
            raise
        return await _show(visit, error="source", status=problem.status)
    return visit.go(f"/app/repayments/{repayment.id}")


async def _ask_split(
    visit: Visit, *, error: str = "", status: int = 200, problem: ApiProblem | None = None
) -> Reply:
    bill_id = visit.path_id(Prefix.BILL, "bill")
    typed = visit.field("amount")
    amount_minor = minor_of(typed, visit.book.currency) if typed else None
    async with visit.services.database.read() as db:
        read = reading(visit, db)
        bill, line = await load_bill(read, bill_id)
        own_person(visit.caller, line.person_id, "bill")
        view = await show_bill(read, bill, line)
        try:
            offered: BillPlanOptions = await bill_plan_options(read, bill, line, amount_minor)
        except Problem:
            offered = await bill_plan_options(read, bill, line, None)
            error, status = "amount", 422
        pin_set = await has_pin(db, visit.book, visit.caller.id)
        passkey_set = await has_passkey(db, visit.book, visit.caller.id)
    drawn = visit.services.products.drawn_under(line.product, line.product_version, line.tier, read.on)
    return visit.show(
        "consumer/split.html",
        status=status,
        bill=view,
        offered=offered,
        amount=format_minor(offered.options[0].amount_minor, visit.book.currency) if offered.options else "",
        chosen=visit.field("option"),
        early=drawn.instalments.early,
        pin_set=pin_set,
        passkey_set=passkey_set,
        party=party_of(visit),
        error=error,
        tries_left=problem.extra.get("tries_left") if problem is not None else None,
    )


async def _show(visit: Visit, *, error: str = "", status: int = 200) -> Reply:
    async with visit.services.database.read() as db:
        read = reading(visit, db)
        draw, line = await _own(visit, db)
        plan = await show_plan(read, draw, line)
        view = await show_line(read, line.id)
        quote = await _quote(read, draw, line)
        under_way = [one for one in await list_under_way(read, line) if one.plan == plan.id]
        explained = await show_explained_plan(read, draw, line)
        shops = await visit.services.merchants.load(db, [draw.merchant_id] if draw.merchant_id else [])
        sources = await _sources(visit, db)
    why = {one.instalment: one for one in explained.amounts}
    return visit.show(
        "consumer/plan.html",
        status=status,
        plan=plan,
        shop=next((shop.name for shop in shops.values()), None),
        why=why,
        line=view,
        quote=quote,
        under_way=under_way,
        wallet=sources.wallet,
        accounts=sources.accounts,
        waits=sources.waits,
        error=error,
    )


async def _own(visit: Visit, db: Connection) -> tuple[Draw, Line]:
    draw, line = await load_draw(reading(visit, db), visit.path_id(Prefix.PLAN, "plan"), "plan")
    own_person(visit.caller, line.person_id, "plan")
    return draw, line


async def _quote(read: Reading, draw: Draw, line: Line) -> RepaymentQuote | None:
    """What settling a plan now would take; None when nothing of it is to come."""
    return await quote_repayment(read, line, None, None, draw.id) if draw.unbilled_minor else None


async def _sources(visit: Visit, db: Connection) -> Sources:
    services = visit.services
    person = await show_person(db, services.vault, visit.book, visit.caller.id)
    wallet = await show_wallet(db, services.vault, visit.book, decode(Prefix.WALLET, person.wallet))
    accounts = await list_bank_accounts(db, services.vault, visit.book, visit.caller.id)
    verified = tuple(account for account in accounts if account.status is BankAccountStatus.VERIFIED)
    waits = any(account.status is BankAccountStatus.UNVERIFIED for account in accounts)
    return Sources(wallet, verified, waits)


page = pages_of(Door.CONSUMER)

PAGES = (
    page("GET", "/app/bills/{id}/split", "app_split", ask_split),
    page("POST", "/app/bills/{id}/split", "app_split_send", send_split),
    page("POST", "/app/bills/{id}/split/challenge", "app_ask_to_split", ask_to_split),
    page("GET", "/app/plans/{id}", "app_plan", show),
    page("POST", "/app/plans/{id}/settle", "app_plan_settle", settle),
)
