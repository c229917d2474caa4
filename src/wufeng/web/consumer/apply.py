"""Opening credit in one visit: what may be opened, consents, the result with its reasons, the sheet, the signature.

Come from a checkout (`order`, `next`), the sheet is of that order, and one confirmation opens the line and pays.
"""

from datetime import date
from urllib.parse import quote, urlencode

from wufeng.base.database import Connection
from wufeng.base.errors import Code, not_found
from wufeng.base.ids import Prefix, encode
from wufeng.client import ApiProblem, Confirmation, Consent, Declared
from wufeng.client.applications import Application as Signed
from wufeng.credit.applications import queries
from wufeng.credit.applications.documents import contract_document, sheet_document
from wufeng.credit.applications.model import Application, ApplicationStatus
from wufeng.credit.applications.papers import Way, payable_ways, read_sheet
from wufeng.credit.applications.policy import shipped_application_policy
from wufeng.credit.applications.rules import problem_of_referral
from wufeng.credit.applications.views import ApplicationTermsView, ProductTermsView
from wufeng.credit.documents import Document
from wufeng.credit.documents.drawing import drawn
from wufeng.identity import own_person
from wufeng.identity.passkeys.queries import has_passkey
from wufeng.identity.people.queries import birth_date_of_person
from wufeng.identity.pins.queries import has_pin
from wufeng.payments import find_order
from wufeng.payments.orders.rules import waits_to_be_paid
from wufeng.payments.quotes.purchases import purchase_still
from wufeng.web.consumer.passkeys import ask_to_confirm, confirmation_of, party_of
from wufeng.web.consumer.pay import options_of
from wufeng.web.consumer.reading import reading
from wufeng.web.paging import Door, Reply, Visit, local_path, pages_of
from wufeng.web.texts import minor_of

APPLICATIONS = 10
TENOR_DIGITS = 4


async def ask(visit: Visit) -> Reply:
    """What may be opened; of one product its terms, the consents, and what has to be said."""
    return await _ask(visit)


async def send(visit: Visit) -> Reply:
    """Apply. Sent twice it is one application."""
    terms, _ = await _terms(visit)
    agreed = [
        Consent(purpose=one.purpose, version=one.version)
        for one in terms.consents
        if visit.field(f"consent_{one.purpose}") == str(one.version)
    ]
    if len(agreed) < len(terms.consents):
        return await _ask(visit, error="consents", status=422)
    declared = _declared(visit)
    if declared is None:
        return await _ask(visit, error="declared", status=422)
    try:
        made = await visit.api.applications.create(
            product=visit.field("product"),
            consents=agreed,
            declared=declared,
            order=visit.field("order") or None,
            mode=visit.field("mode") or None,
            idempotency_key=visit.key(),
        )
    except ApiProblem as problem:
        if problem.code is Code.STATE_CONFLICT:
            waiting = problem.extra.get("application")  # one of something else that a person looks at
            return visit.go(f"/app/applications/{waiting}" if waiting else "/app/credit")
        if problem.code is Code.ORDER_TAKEN:
            return visit.go(_onward(visit) or "/app/credit")
        error = next((name for name in ("born_on", "declared") if _names(problem, name)), None)
        if error is None:
            raise
        return await _ask(visit, error=error, status=problem.status)
    return visit.go(_with_next(f"/app/applications/{made.id}", visit))


async def show(visit: Visit) -> Reply:
    """One application: what was decided and why; of an offer its sheet, to be signed."""
    return await _show(visit)


async def accept(visit: Visit) -> Reply:
    """Sign; with `pay`, pay the order too, by the same confirmation. Sent twice it is one line and one payment."""
    application_id = visit.values["id"]
    proof = confirmation_of(visit) or Confirmation(kind="pin", proof="")
    tenor = _tenor(visit)
    if visit.field("pay") and not await _stands(visit, tenor):
        return await _show(visit, error="offer", status=422)
    try:
        signed = await visit.api.applications.accept(
            application_id, proof, sheet_hash=visit.field("sheet_hash"), idempotency_key=visit.key()
        )
    except ApiProblem as problem:
        match problem.code:
            case Code.CONFIRMATION_FAILED:
                return await _show(visit, error="pin" if proof.kind == "pin" else "passkey", problem=problem)
            case Code.INVALID_FIELD | Code.STATE_CONFLICT | Code.IDEMPOTENCY_KEY_REUSED:
                return await _show(visit, error="offer", problem=problem)
            case _:
                raise
    pays = proof.kind == "pin"  # a passkey's answer confirms one request alone
    if tenor is not None and pays and signed.order is not None and signed.line is not None:
        return await _pay(visit, signed, tenor, proof)
    return visit.go(_with_next(f"/app/applications/{signed.id}", visit))


async def ask_to_sign(visit: Visit) -> Reply:
    """What a passkey is asked in order to sign the sheet."""
    async with visit.services.database.read() as db:
        await _own(visit, db)
    request = {"sheet_hash": visit.field("sheet_hash")}
    return await ask_to_confirm(visit, "accept_application", visit.values["id"], request)


async def refer(visit: Visit) -> Reply:
    """Ask for a person."""
    try:
        await visit.api.applications.refer(visit.values["id"])
    except ApiProblem as problem:
        if problem.code is not Code.STATE_CONFLICT:
            raise
    return visit.go(f"/app/applications/{visit.values['id']}")


async def withdraw(visit: Visit) -> Reply:
    """Take a consent back. Sent twice it is taken back once."""
    async with visit.services.database.read() as db:
        await _own(visit, db)  # before the purpose is looked at: what is another's is not there
    try:
        await visit.api.applications.withdraw_consent(visit.values["id"], visit.field("purpose"))
    except ApiProblem as problem:
        if problem.code is not Code.INVALID_FIELD:
            raise
    return visit.go(f"/app/applications/{visit.values['id']}#consents")


async def paper(visit: Visit) -> Reply:
    """The cost sheet to keep."""
    async with visit.services.database.read() as db:
        found = await _own(visit, db)
    return await _pdf(sheet_document(queries.sheet_of(found), visit.language))


async def contract(visit: Visit) -> Reply:
    """The contract to keep."""
    async with visit.services.database.read() as db:
        found = await _own(visit, db)
    return await _pdf(contract_document(queries.contract_of(found), found, visit.language))


async def _ask(visit: Visit, *, error: str = "", status: int = 200) -> Reply:
    terms, age_known = await _terms(visit)
    wanted = visit.field("product")
    product = next((one for one in terms.products if one.product == wanted), None)
    if wanted and product is None:
        raise not_found("product")
    if product is None:
        async with visit.services.database.read() as db:
            earlier = await queries.list_applications(
                reading(visit, db),
                visit.caller.id,
                shipped_application_policy(),
                visit.at,
                at_most=APPLICATIONS,
            )
        return visit.show(
            "consumer/apply.html",
            products=[(one, _address(visit, one)) for one in terms.products],
            onward=_onward(visit),
            earlier=earlier,
        )
    return visit.show(
        "consumer/apply_form.html",
        status=status,
        product=product,
        consents=terms.consents,
        agreed={one.purpose for one in terms.consents if visit.field(f"consent_{one.purpose}")},
        age_known=age_known,
        order=visit.field("order"),
        onward=_onward(visit),
        others=_others(visit),
        said=visit.field,
        error=error,
    )


async def _terms(visit: Visit) -> tuple[ApplicationTermsView, bool]:
    """What may be opened, and whether a document tells the visitor's age."""
    services = visit.services
    async with services.database.read() as db:
        terms = await queries.show_terms(reading(visit, db), visit.caller.id, shipped_application_policy())
        born_on = await birth_date_of_person(db, services.vault, visit.book, visit.caller.id)
    return terms, born_on is not None


async def _show(
    visit: Visit, *, error: str = "", problem: ApiProblem | None = None, status: int = 200
) -> Reply:
    async with visit.services.database.read() as db:
        found = await _own(visit, db)
        view = queries.show_application(reading(visit, db), found, shipped_application_policy(), visit.at)
        offered = found.status is ApplicationStatus.OFFERED
        payable = await _payable(visit, db, found) if offered else ()
        pin_set = await has_pin(db, visit.book, visit.caller.id)
        passkey_set = await has_passkey(db, visit.book, visit.caller.id)
    sheet = read_sheet(found.sheet) if found.sheet is not None else None
    return visit.show(
        "consumer/apply_result.html",
        status=problem.status if problem is not None else status,
        application=view,
        sheet=sheet,
        payable=payable[0] if payable else None,
        unpaid=view.status is ApplicationStatus.ACCEPTED and bool(visit.field("unpaid")),
        pin_set=pin_set,
        passkey_set=passkey_set,
        party=party_of(visit),
        referable=problem_of_referral(found, visit.at, shipped_application_policy()) is None,
        onward=_onward(visit),
        error=error,
        tries_left=problem.extra.get("tries_left") if problem is not None else None,
    )


async def _pay(visit: Visit, signed: Signed, tenor: int, proof: Confirmation) -> Reply:
    """Pay the order from the line that was just opened, by the proof that opened it, at the price that was signed; if
    it cannot be, that is said.
    """
    assert signed.order is not None and signed.line is not None, "asked before"
    option = await _option(visit, signed, tenor)
    if option is None:
        return await _paid_or_not(visit, signed)
    try:
        payment = await visit.api.payments.create(
            order=signed.order,
            quote_option=option,
            confirmation=proof,
            idempotency_key=f"{visit.key()}-pay",
        )
    except ApiProblem as problem:
        if problem.code not in (
            Code.ORDER_TAKEN,
            Code.STATE_CONFLICT,
            Code.INVALID_FIELD,
            Code.IDEMPOTENCY_KEY_REUSED,  # the same form, sent twice at once: each has a quote of its own
        ):
            raise
        return await _paid_or_not(visit, signed)
    return visit.go(f"/app/payments/{payment.id}")


async def _option(visit: Visit, signed: Signed, tenor: int) -> str | None:
    """The option that draws all of the order on the line that was opened, if it is what the sheet says; None: it is
    not, or the order does not wait to be paid any more.
    """
    async with visit.services.database.read() as db:
        found = await _own(visit, db)
        order = await find_order(db, visit.book, found.order_id) if found.order_id else None
    if order is None or found.sheet is None or not waits_to_be_paid(order, visit.at):
        return None
    way = next((way for way in read_sheet(found.sheet).ways if way.tenor == tenor), None)
    for option in await options_of(visit, order):
        on_line = [source.line for source in option.funding] == [signed.line]
        if way is not None and on_line and option.tenor == tenor:
            said = (option.instalments, option.total_cost_minor) == (way.instalments, way.total_cost_minor)
            return option.id if said else None
    return None


async def _paid_or_not(visit: Visit, signed: Signed) -> Reply:
    """To the payment, if the visitor has paid the order already; else to what was signed, and that it is not paid."""
    async with visit.services.database.read() as db:
        found = await _own(visit, db)
        order = await find_order(db, visit.book, found.order_id) if found.order_id else None
    if order is not None and order.payment_id is not None and order.payer_id == visit.caller.id:
        return visit.go(f"/app/payments/{encode(Prefix.PAYMENT, order.payment_id)}")
    return visit.go(_with_next(f"/app/applications/{signed.id}?unpaid=1", visit))


async def _own(visit: Visit, db: Connection) -> Application:
    application_id = visit.path_id(Prefix.APPLICATION, "application")
    found = await queries.load_application(reading(visit, db), application_id)
    own_person(visit.caller, found.person_id, "application")
    return found


def _tenor(visit: Visit) -> int | None:
    """In how many parts the order is to be paid at once; None: not asked for, or no number."""
    typed = visit.field("pay")
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < TENOR_DIGITS else None


async def _stands(visit: Visit, tenor: int | None) -> bool:
    """Whether an order can be paid so as the sheet says. Of what was signed already, the first answer is told again."""
    async with visit.services.database.read() as db:
        found = await _own(visit, db)
        payable = await _payable(visit, db, found)
    return found.status is not ApplicationStatus.OFFERED or tenor in {way.tenor for way in payable}


async def _payable(visit: Visit, db: Connection, found: Application) -> tuple[Way, ...]:
    """The ways of an application's sheet in which its order can be paid now (`papers.payable_ways`)."""
    on, products = visit.book.business_date(visit.at), visit.services.products
    purchase = await purchase_still(db, visit.book, products, found, visit.at)
    product = products.current(found.product, on)
    return payable_ways(found, product, purchase, on) if product is not None else ()


def _declared(visit: Visit) -> Declared | None:
    """What the form says; None when a field of it cannot be read."""
    amounts = []
    for name in ("income", "repayments"):
        typed = visit.field(name)
        amount = minor_of(typed, visit.book.currency) if typed else 0
        if amount is None:
            return None
        amounts.append(amount)
    count, born = visit.field("elsewhere") or "0", visit.field("born_on")
    if not (count.isascii() and count.isdigit()):
        return None
    try:
        born_on = date.fromisoformat(born) if born else None
    except ValueError:
        return None
    return Declared(
        born_on=born_on,
        income_month_minor=amounts[0],
        lines_elsewhere=int(count),
        repayments_elsewhere_month_minor=amounts[1],
    )


def _names(problem: ApiProblem, name: str) -> bool:
    return any(name in error.pointer for error in problem.errors)


def _onward(visit: Visit) -> str:
    """Where the visitor came from, if it is of this site; empty without."""
    return local_path(visit.field("next"), "")


def _address(visit: Visit, product: ProductTermsView) -> str:
    asked = {"order": visit.field("order"), "next": _onward(visit)}
    given = {name: value for name, value in asked.items() if value}
    return f"/app/apply?{urlencode({'product': product.product, **given})}"


def _others(visit: Visit) -> str:
    """The address of all that may be opened, still for the order that the visitor came with."""
    asked = {"order": visit.field("order"), "next": _onward(visit)}
    given = urlencode({name: value for name, value in asked.items() if value})
    return f"/app/apply?{given}" if given else "/app/apply"


def _with_next(path: str, visit: Visit) -> str:
    onward = _onward(visit)
    join = "&" if "?" in path else "?"
    return f"{path}{join}next={quote(onward, safe='')}" if onward else path


async def _pdf(document: Document) -> Reply:
    return Reply(body=await drawn(document), media_type="application/pdf")


page = pages_of(Door.CONSUMER)

PAGES = (
    page("GET", "/app/apply", "app_apply", ask),
    page("POST", "/app/apply", "app_apply_send", send),
    page("GET", "/app/applications/{id}", "app_application", show),
    page("POST", "/app/applications/{id}/accept", "app_application_accept", accept),
    page("POST", "/app/applications/{id}/accept/challenge", "app_ask_to_sign", ask_to_sign),
    page("POST", "/app/applications/{id}/refer", "app_application_refer", refer),
    page("POST", "/app/applications/{id}/withdraw", "app_application_withdraw", withdraw),
    page("GET", "/app/applications/{id}/sheet", "app_application_paper", paper),
    page("GET", "/app/applications/{id}/contract", "app_application_contract", contract),
)
