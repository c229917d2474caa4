"""Take a payment: an amount and what it is for become an order, shown as a code to scan."""

from wufeng.base.errors import Code
from wufeng.client import ApiProblem, InlineOrder
from wufeng.web.paging import Door, Reply, Visit, pages_of
from wufeng.web.texts import minor_of

SUBJECT_MAX = 120
AMOUNT_MAX_MINOR = 100_000_000


async def ask_amount(visit: Visit) -> Reply:
    """The amount, and what it is for."""
    return _ask(visit)


async def open_order(visit: Visit) -> Reply:
    """Make the order. The form's key names it: sent twice, it is one order."""
    key = visit.key()
    amount_minor = minor_of(visit.field("amount"), visit.book.currency)
    if amount_minor is None or not 0 < amount_minor <= AMOUNT_MAX_MINOR:
        return _ask(visit, amount_error=visit.gettext("Enter an amount, such as 12.80."))
    subject = visit.field("subject") or visit.gettext("Purchase")
    if len(subject) > SUBJECT_MAX or not subject.isprintable():
        return _ask(visit, subject_error=visit.gettext("Say it in one line of at most 120 characters."))
    order = InlineOrder(
        order_no=f"POS-{key[:16].upper()}",
        amount_minor=amount_minor,
        currency=visit.book.currency,
        subject=subject,
    )
    try:
        made = await visit.api.orders.create(order, channel="dynamic_code")
    except ApiProblem as problem:
        if problem.code is not Code.ORDER_NO_REUSED:
            raise
        message = visit.gettext("This form has made another order already. This is a fresh one.")
        return _ask(visit, amount_error=message)
    return visit.go(f"/merchant/orders/{made.id}")


def own_address(visit: Visit) -> str:
    """This site's own address, as the visitor's browser reached it."""
    host = visit.headers.get(b"host", b"").decode("latin-1")
    secure = visit.headers.get(b"x-forwarded-proto", b"").decode("latin-1") == "https"
    return f"{'https' if secure else 'http'}://{host}"


def _ask(visit: Visit, amount_error: str = "", subject_error: str = "") -> Reply:
    return visit.show(
        "merchant/take.html",
        status=422 if amount_error or subject_error else 200,
        amount=visit.field("amount"),
        subject=visit.field("subject"),
        amount_error=amount_error,
        subject_error=subject_error,
        at="take",
    )


page = pages_of(Door.MERCHANT)

PAGES = (
    page("GET", "/merchant/take", "merchant_take", ask_amount),
    page("POST", "/merchant/take", "merchant_take_send", open_order),
)
