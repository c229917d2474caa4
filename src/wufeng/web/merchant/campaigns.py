"""Campaigns: the list with what was used, making one, one of them, and pausing, resuming or ending it."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from msgspec import Struct

from wufeng.base.errors import Code, not_found
from wufeng.base.ids import Prefix, decode
from wufeng.client import ApiProblem
from wufeng.credit import Product
from wufeng.identity import own_merchant
from wufeng.payments import CampaignStatus, CampaignView, list_campaigns, load_campaign, view_campaign
from wufeng.payments.campaigns.rules import NAME_MAX, carries
from wufeng.web.paging import Door, Reply, Visit, pages_of
from wufeng.web.texts import minor_of

A_PAGE = 25
FIELDS = ("name", "from_on", "until_on", "share", "order_least", "order_most", "budget")
PPM_OF_PERCENT = 10_000


class Choices(Struct, frozen=True):
    """What a campaign may be for: products in force whose price a merchant may carry, and their tenors."""

    products: tuple[Product, ...]
    tenors: tuple[int, ...]


async def list_all(visit: Visit) -> Reply:
    """The merchant's campaigns, the newest first."""
    after = _campaign_id(visit.field("after"))
    async with visit.services.database.read() as db:
        found = await list_campaigns(db, visit.book, visit.caller.id, after, A_PAGE + 1)
    on = visit.book.business_date(visit.at)
    campaigns = [view_campaign(one, visit.book.currency, on) for one in found[:A_PAGE]]
    return visit.show(
        "merchant/campaigns.html",
        campaigns=campaigns,
        on=on,
        more=campaigns[-1].id if len(found) > A_PAGE else None,
        at="campaigns",
    )


async def show_one(visit: Visit) -> Reply:
    """One campaign: its bounds, its budget and what was used of it."""
    return await _show(visit)


async def ask_new(visit: Visit) -> Reply:
    """The form."""
    return _ask(visit, {})


async def make(visit: Visit) -> Reply:
    """Make one. The form's key is the request's: sent twice, it is one campaign."""
    key = visit.key()
    errors: dict[str, str] = {}
    fields = _read(visit, errors)
    if errors:
        return _ask(visit, errors)
    try:
        made = await visit.api.campaigns.create(**fields, idempotency_key=key)
    except ApiProblem as problem:
        if problem.code is Code.IDEMPOTENCY_KEY_REUSED:
            return visit.go("/merchant/campaigns")
        if problem.code not in (Code.INVALID_FIELD, Code.STATE_CONFLICT):
            raise
        return _ask(visit, _told(visit, problem))
    return visit.go(f"/merchant/campaigns/{made.id}?made=1")


async def move(visit: Visit) -> Reply:
    """Pause, resume or end a campaign; the field `to` says which."""
    campaign = await _campaign(visit)
    calls = {
        CampaignStatus.PAUSED: visit.api.campaigns.pause,
        CampaignStatus.OPEN: visit.api.campaigns.resume,
        CampaignStatus.ENDED: visit.api.campaigns.end,
    }
    wanted = next((to for to in calls if to.value == visit.field("to")), None)
    if wanted is None:
        return await _show(visit, visit.gettext("Say what is to become of it."))
    try:
        await calls[wanted](campaign.id)
    except ApiProblem as problem:
        if problem.code is not Code.STATE_CONFLICT:
            raise
        return await _show(visit, visit.gettext("It is over already: nothing was changed."))
    return visit.go(f"/merchant/campaigns/{campaign.id}")


async def _campaign(visit: Visit) -> CampaignView:
    """The campaign in the path. Another merchant's is not there."""
    campaign_id = visit.path_id(Prefix.CAMPAIGN, "campaign")
    async with visit.services.database.read() as db:
        found = await load_campaign(db, visit.book, campaign_id)
    if found is None:
        raise not_found("campaign")
    own_merchant(visit.caller, found.campaign.merchant_id, "campaign")
    return view_campaign(found, visit.book.currency, visit.book.business_date(visit.at))


async def _show(visit: Visit, error: str = "") -> Reply:
    campaign, on = await _campaign(visit), visit.book.business_date(visit.at)
    known = {product.id: _name(visit, product) for product in visit.services.products.offered(on)}
    return visit.show(
        "merchant/campaign.html",
        status=422 if error else 200,
        campaign=campaign,
        products=[known.get(id_, id_) for id_ in campaign.products],
        on=on,
        made=visit.field("made") == "1",
        error=error,
        at="campaigns",
    )


def _choices(visit: Visit) -> Choices:
    on, currency = visit.book.business_date(visit.at), visit.book.currency
    products = tuple(
        product
        for product in visit.services.products.offered(on)
        if product.currency == currency and any(carries(product, tenor, 1) for tenor in product.tenors)
    )
    tenors = {tenor for product in products for tenor in product.tenors if carries(product, tenor, 1)}
    return Choices(products, tuple(sorted(tenors)))


def _name(visit: Visit, product: Product) -> str:
    return product.name.zh if visit.language == "zh" else product.name.en


def _read(visit: Visit, errors: dict[str, str]) -> dict[str, Any]:
    """What the form says, as the API takes it; what it does not understand stands in `errors`, by field."""
    choices = _choices(visit)
    name = visit.field("name")
    if not 1 <= len(name) <= NAME_MAX or not name.isprintable():
        errors["name"] = visit.gettext("Say it in one line of at most 100 characters.")
    tenors = [tenor for tenor in choices.tenors if visit.field(f"tenor_{tenor}")]
    if not tenors:
        errors["tenors"] = visit.gettext("Choose at least one.")
    fields = {
        "name": name,
        "from_on": _date(visit, "from_on", errors),
        "until_on": _date(visit, "until_on", errors),
        "tenors": tenors,
        "products": [one.id for one in choices.products if visit.field(f"product_{one.id}")] or None,
        "share_ppm": _share(visit, errors),
    }
    for name in ("order_least", "order_most", "budget"):
        fields[f"{name}_minor"] = _amount(visit, name, errors)
    return fields


def _date(visit: Visit, name: str, errors: dict[str, str]) -> date | None:
    try:
        return date.fromisoformat(visit.field(name))
    except ValueError:
        errors[name] = visit.gettext("Enter a date.")
        return None


def _share(visit: Visit, errors: dict[str, str]) -> int:
    """Millionths from whole percents."""
    typed = visit.field("share")
    if not (typed.isascii() and typed.isdigit() and len(typed) <= 3 and 1 <= int(typed) <= 100):
        errors["share"] = visit.gettext("Enter a whole number from 1 to 100.")
        return 0
    return int(typed) * PPM_OF_PERCENT


def _amount(visit: Visit, name: str, errors: dict[str, str]) -> int | None:
    """An amount in minor units; left empty it is no bound."""
    typed = visit.field(name)
    amount_minor = minor_of(typed, visit.book.currency) if typed else None
    if typed and not amount_minor:
        errors[name] = visit.gettext("Enter an amount, such as 12.80, or leave it empty.")
    return amount_minor


_FIELDS = {
    "name": "name",
    "until_on": "until_on",
    "tenors": "tenors",
    "share_ppm": "share",
    "order_most_minor": "order_most",
}
"""Where the API's pointers stand in the form."""


def _told(visit: Visit, problem: ApiProblem) -> dict[str, str]:
    """Why nothing was made, by field; what is of no field stands above."""
    if problem.code is Code.STATE_CONFLICT:
        return {
            "all": visit.gettext("Nothing was made: too many campaigns of yours are not over. End one first.")
        }
    pointer = problem.errors[0].pointer.split("/")[1] if problem.errors else ""
    words = {
        "until_on": visit.gettext("It lies before the first day, or is over."),
        "tenors": visit.gettext("No chosen product lets you carry this share of so many months."),
        "order_most": visit.gettext("It lies below the least amount."),
    }
    field = _FIELDS.get(pointer, "all")
    return {field: words.get(field, visit.gettext("Nothing was made. Look at the form again."))}


def _ask(visit: Visit, errors: Mapping[str, str]) -> Reply:
    choices = _choices(visit)
    form = {name: visit.field(name) for name in FIELDS}
    if visit.page.method == "GET":
        form |= {"from_on": visit.book.business_date(visit.at).isoformat(), "share": "100"}
    return visit.show(
        "merchant/campaign_new.html",
        status=422 if errors else 200,
        tenors=[(tenor, bool(visit.field(f"tenor_{tenor}"))) for tenor in choices.tenors],
        products=[
            (product.id, _name(visit, product), bool(visit.field(f"product_{product.id}")))
            for product in choices.products
        ],
        form=form,
        errors={name: errors.get(name, "") for name in (*FIELDS, "tenors", "all")},
        at="campaigns",
    )


def _campaign_id(text: str) -> UUID | None:
    try:
        return decode(Prefix.CAMPAIGN, text) if text else None
    except ValueError:
        return None


page = pages_of(Door.MERCHANT)

PAGES = (
    page("GET", "/merchant/campaigns", "merchant_campaigns", list_all),
    page("GET", "/merchant/campaigns/new", "merchant_campaign_new", ask_new),
    page("POST", "/merchant/campaigns", "merchant_campaign_send", make),
    page("GET", "/merchant/campaigns/{id}", "merchant_campaign", show_one),
    page("POST", "/merchant/campaigns/{id}", "merchant_campaign_move", move),
)
