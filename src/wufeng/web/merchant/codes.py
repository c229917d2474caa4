"""Codes to print and links to send: the lists, making one, one of them with its drawing and its poster, closing it."""

from uuid import UUID

from wufeng.base.errors import Code, Problem, not_found
from wufeng.base.ids import Prefix, decode, encode
from wufeng.base.money import MINOR_MAX
from wufeng.client import ApiProblem
from wufeng.identity import own_merchant
from wufeng.payments.merchant_codes.model import MerchantCode
from wufeng.payments.merchant_codes.poster import Paper, Poster, print_poster
from wufeng.payments.merchant_codes.queries import list_codes, load_code
from wufeng.payments.merchant_codes.views import drawn, emv_of_code, url_of_code
from wufeng.payments.payment_links.model import PaymentLink, PaymentLinkView
from wufeng.payments.payment_links.queries import list_links, load_link, paid_of, uses_of
from wufeng.payments.payment_links.rules import USES_MAX
from wufeng.payments.payment_links.views import view_link
from wufeng.web.merchant.take import own_address
from wufeng.web.merchant.today import merchant_of
from wufeng.web.paging import Door, Reply, Visit, pages_of
from wufeng.web.texts import as_markup, minor_of

A_PAGE = 25
LABEL_MAX = 64
SUBJECT_MAX = 120


async def list_all(visit: Visit) -> Reply:
    """The merchant's codes, the newest first, and the form for another."""
    return await _list(visit, {})


async def make(visit: Visit) -> Reply:
    """Make a code."""
    label, subject = visit.field("label"), visit.field("subject")
    errors: dict[str, str] = {}
    if not 1 <= len(label) <= LABEL_MAX or not label.isprintable():
        errors["label"] = visit.gettext("Say in a few words where it hangs.")
    if len(subject) > SUBJECT_MAX or not subject.isprintable():
        errors["subject"] = visit.gettext("Say it in one line of at most 120 characters.")
    amount_minor = _amount(visit, errors) if visit.field("amount") else None
    if errors:
        return await _list(visit, errors)
    try:
        made = await visit.api.merchant_codes.create(
            label=label, subject=subject or None, amount_minor=amount_minor
        )
    except ApiProblem as problem:
        if problem.code is not Code.STATE_CONFLICT:
            raise
        return await _list(visit, {"label": visit.gettext("Too many codes are open. Close one first.")})
    return visit.go(f"/merchant/codes/{made.id}")


async def show_one(visit: Visit) -> Reply:
    """One code: its drawing, and its posters."""
    code = await _code(visit)
    async with visit.services.database.read() as db:
        merchant = await merchant_of(visit, db)
    url = url_of_code(own_address(visit), code)
    return visit.show(
        "merchant/code.html",
        code=code,
        code_public=visit.values["id"],
        url=url,
        qr=as_markup(drawn(url)),
        emv_qr=as_markup(drawn(emv_of_code(code, merchant, visit.book))),
        at="codes",
    )


async def close(visit: Visit) -> Reply:
    """Close a code for good."""
    code = await _code(visit)
    public = encode(Prefix.MERCHANT_CODE, code.id)
    await visit.api.merchant_codes.close(public)
    return visit.go(f"/merchant/codes/{public}")


async def poster(visit: Visit) -> Reply:
    """A poster to print, on A4 or A5."""
    code = await _code(visit)
    paper = Paper.A4 if visit.field("paper") == Paper.A4 else Paper.A5
    async with visit.services.database.read() as db:
        merchant = await merchant_of(visit, db)
    currency = visit.book.currency
    made = Poster(
        paper=paper,
        merchant=merchant.name,
        label=code.label,
        amount=visit.formats.money(code.amount_minor, currency) if code.amount_minor is not None else "",
        url=url_of_code(own_address(visit), code),
        emv=emv_of_code(code, merchant, visit.book),
        reference=visit.values["id"],
        made_at=code.created_at,
    )
    name = f'attachment; filename="{visit.values["id"]}-{paper.value}.pdf"'.encode()
    headers = ((b"content-disposition", name),)
    return Reply(body=await print_poster(made), media_type="application/pdf", headers=headers)


async def _code(visit: Visit) -> MerchantCode:
    """The code in the path. Another merchant's is not there."""
    code_id = visit.path_id(Prefix.MERCHANT_CODE, "merchant code")
    async with visit.services.database.read() as db:
        code = await load_code(db, visit.book, code_id)
    if code is None:
        raise not_found("merchant code")
    own_merchant(visit.caller, code.merchant_id, "merchant code")
    return code


async def _list(visit: Visit, errors: dict[str, str]) -> Reply:
    before = _before(Prefix.MERCHANT_CODE, visit.field("after"))
    async with visit.services.database.read() as db:
        found = await list_codes(db, visit.book, visit.caller.id, before, A_PAGE + 1)
    shown = [(encode(Prefix.MERCHANT_CODE, code.id), code) for code in found[:A_PAGE]]
    return visit.show(
        "merchant/codes.html",
        status=422 if errors else 200,
        codes=shown,
        more=shown[-1][0] if len(found) > A_PAGE else None,
        typed={name: visit.field(name) for name in ("label", "subject", "amount")},
        errors={name: errors.get(name, "") for name in ("label", "subject", "amount")},
        most_minor=visit.services.catalogue.limits.code_day.static_max_minor,
        at="codes",
    )


async def list_sent(visit: Visit) -> Reply:
    """The merchant's links, the newest first, and the form for another."""
    return await _list_links(visit, {})


async def make_link(visit: Visit) -> Reply:
    """Make a link to send."""
    subject, errors = visit.field("subject"), dict[str, str]()
    if not 1 <= len(subject) <= SUBJECT_MAX or not subject.isprintable():
        errors["subject"] = visit.gettext("Say it in one line of at most 120 characters.")
    amount_minor = _amount(visit, errors)
    uses = visit.field("uses") or "1"
    if not uses.isascii() or not uses.isdigit() or not 1 <= int(uses[:6]) <= USES_MAX:
        errors["uses"] = visit.gettext("Enter a number from 1 to 100.")
    if errors or amount_minor is None:
        return await _list_links(visit, errors)
    made = await visit.api.payment_links.create(
        amount_minor=amount_minor, subject=subject, uses_max=int(uses)
    )
    return visit.go(f"/merchant/links/{made.id}")


async def show_link(visit: Visit) -> Reply:
    """One link: what to send, and how often it was paid."""
    view = (await _views(visit, [await _link(visit)]))[0]
    return visit.show("merchant/link.html", link=view, qr=as_markup(drawn(view.url)), at="codes")


async def close_link(visit: Visit) -> Reply:
    """Close a link for good."""
    public = encode(Prefix.PAYMENT_LINK, (await _link(visit)).id)
    await visit.api.payment_links.close(public)
    return visit.go(f"/merchant/links/{public}")


async def _link(visit: Visit) -> PaymentLink:
    """The link in the path. Another merchant's is not there."""
    link_id = visit.path_id(Prefix.PAYMENT_LINK, "payment link")
    async with visit.services.database.read() as db:
        link = await load_link(db, visit.book, link_id)
    if link is None:
        raise not_found("payment link")
    own_merchant(visit.caller, link.merchant_id, "payment link")
    return link


async def _views(visit: Visit, links: list[PaymentLink]) -> list[PaymentLinkView]:
    async with visit.services.database.read() as db:
        uses = await uses_of(db, visit.book, links, visit.at)
    vault, origin = visit.services.vault, own_address(visit)
    return [view_link(vault, visit.book, origin, one, paid_of(uses[one.id]), visit.at) for one in links]


async def _list_links(visit: Visit, errors: dict[str, str]) -> Reply:
    before = _before(Prefix.PAYMENT_LINK, visit.field("after"))
    async with visit.services.database.read() as db:
        found = await list_links(db, visit.book, visit.caller.id, before, A_PAGE + 1)
    views = await _views(visit, found[:A_PAGE])
    return visit.show(
        "merchant/links.html",
        status=422 if errors else 200,
        links=views,
        more=views[-1].id if len(found) > A_PAGE else None,
        typed={name: visit.field(name) for name in ("amount", "subject", "uses")},
        errors={name: errors.get(name, "") for name in ("amount", "subject", "uses")},
        at="codes",
    )


def _amount(visit: Visit, errors: dict[str, str]) -> int | None:
    amount_minor = minor_of(visit.field("amount"), visit.book.currency)
    if not amount_minor or amount_minor > MINOR_MAX:
        errors["amount"] = visit.gettext("Enter an amount, such as 12.80.")
        return None
    return amount_minor


def _before(prefix: Prefix, text: str) -> UUID | None:
    if not text:
        return None
    try:
        return decode(prefix, text)
    except ValueError:
        raise Problem(Code.NOT_FOUND, "There is no such page.") from None


page = pages_of(Door.MERCHANT)

PAGES = (
    page("GET", "/merchant/codes", "merchant_codes", list_all),
    page("POST", "/merchant/codes", "merchant_codes_send", make),
    page("GET", "/merchant/codes/{id}", "merchant_code", show_one),
    page("POST", "/merchant/codes/{id}/close", "merchant_code_close", close),
    page("GET", "/merchant/codes/{id}/poster", "merchant_code_poster", poster),
    page("GET", "/merchant/links", "merchant_links", list_sent),
    page("POST", "/merchant/links", "merchant_links_send", make_link),
    page("GET", "/merchant/links/{id}", "merchant_link", show_link),
    page("POST", "/merchant/links/{id}/close", "merchant_link_close", close_link),
)
