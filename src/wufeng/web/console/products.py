"""Credit products as staff look them up: every version with its file, and what a purchase would cost under it."""

from datetime import date
from enum import StrEnum

from msgspec import Struct

from wufeng.base.errors import not_found
from wufeng.base.money import format_minor
from wufeng.credit import Product
from wufeng.credit.products.ceiling import dearest_ppm
from wufeng.credit.products.model import STANDARD, Mode
from wufeng.credit.products.preview import Preview, Schedule, preview
from wufeng.credit.products.store import load_products
from wufeng.credit.rates.rules import PPM, daily_rate
from wufeng.web.console.frame import show
from wufeng.web.paging import Door, Reply, Visit, pages_of
from wufeng.web.texts import minor_of

EXAMPLE_MINOR = 100_000
"""What a purchase costs that nobody has named: within the reach of the usual limits."""
SHARES = (0, PPM // 2, PPM)
"""Of the price, carried by the merchant: what can be looked at."""


class Standing(StrEnum):
    """Where a version stands on a date."""

    TO_COME = "to_come"
    IN_FORCE = "in_force"
    REPLACED = "replaced"


class Listed(Struct, frozen=True):
    """A version in a list. `dearest_ppm`: the most that it may cost its person a year, in time or late."""

    product: Product
    standing: Standing
    dearest_ppm: int


class Way(Struct, frozen=True):
    """One number of instalments of the example, as the table of rates wants it, and its schedule."""

    tenor: int
    annualised_rate_ppm: int
    effective_rate_ppm: int
    eu_rate_ppm: int
    us_rate_ppm: int | None
    schedule: Schedule


class Asked(Struct, frozen=True):
    """What the form asked to be shown. `amount_minor`: None when none was typed that can be read."""

    text: str
    amount_minor: int | None
    mode: Mode
    tier: str
    merchant_share_ppm: int


async def products(visit: Visit) -> Reply:
    """Every version of the book's currency that is in force or to come, by product."""
    return await show(visit, "products.html", products=_listed(visit, None))


async def product(visit: Visit) -> Reply:
    """One version: what an example costs, its terms, its file, and its product's other versions."""
    found = _version(visit)
    on = max(visit.book.business_date(visit.at), found.effective_from)
    asked = _asked(visit, found)
    shown = _preview(found, asked, on)
    ways = [_way(schedule) for schedule in shown.schedules] if shown is not None else []
    async with visit.services.database.read() as db:
        (kept,) = await load_products(db, [(found.id, found.version)])
    return await show(
        visit,
        "product.html",
        status=422 if shown is None else 200,
        product=found,
        asked=asked,
        on=on,
        ways=ways,
        chosen=next(
            (way for way in ways if str(way.tenor) == visit.field("tenor")), ways[-1] if ways else None
        ),
        shares=[share for share in SHARES if share <= found.instalments.merchant_share_max_ppm],
        tiers=[STANDARD, *(tier.code for tier in found.tiers)],
        dearest_ppm=dearest_ppm(found),
        a_year=daily_rate,
        versions=_listed(visit, found.id),
        source=kept.source,
        content_hash=kept.content_hash,
    )


def _listed(visit: Visit, product_id: str | None) -> list[Listed]:
    """Versions of the book's currency, the newest of a product first: of all products those that are not replaced."""
    on = visit.book.business_date(visit.at)
    known = visit.services.products
    rows = [
        Listed(one, _standing(one, known.current(one.id, on), on), dearest_ppm(one))
        for one in reversed(known.versions())
        if one.currency == visit.book.currency and product_id in (None, one.id)
    ]
    rows.sort(key=lambda row: row.product.id)
    return [row for row in rows if product_id is not None or row.standing is not Standing.REPLACED]


def _standing(version: Product, current: Product | None, on: date) -> Standing:
    if current is not None and version.version == current.version:
        return Standing.IN_FORCE
    if version.effective_from > on or current is None or version.version > current.version:
        return Standing.TO_COME
    return Standing.REPLACED


def _version(visit: Visit) -> Product:
    """The version that the path names (`id@version`)."""
    id_, _, number = visit.values["id"].partition("@")
    known = visit.services.products
    version = int(number) if number.isascii() and number.isdigit() and len(number) < 9 else 0
    if (id_, version) not in known or known.version(id_, version).currency != visit.book.currency:
        raise not_found("product")
    return known.version(id_, version)


def _asked(visit: Visit, found: Product) -> Asked:
    """The form, where it says something that the product knows; else the product's own."""
    least = max(found.instalments.minimum_minor, min(EXAMPLE_MINOR, found.limit.maximum_minor))
    text = visit.field("amount") or format_minor(least, found.currency)
    tier, share = visit.field("tier"), visit.field("merchant_share")
    return Asked(
        text=text,
        amount_minor=minor_of(text, found.currency),
        mode=next((mode for mode in found.modes if mode == visit.field("mode")), found.modes[0]),
        tier=tier if found.tier(tier) is not None else STANDARD,
        merchant_share_ppm=next((one for one in SHARES if str(one) == share), 0),
    )


def _preview(found: Product, asked: Asked, on: date) -> Preview | None:
    if not asked.amount_minor:
        return None
    priced = found.at_tier(asked.tier)
    return preview(priced, asked.amount_minor, on, asked.mode, asked.merchant_share_ppm, None)


def _way(schedule: Schedule) -> Way:
    rates = schedule.rates
    return Way(
        schedule.tenor, rates.annualised_ppm, rates.effective_ppm, rates.eu_ppm, rates.us_ppm, schedule
    )


page = pages_of(Door.CONSOLE)

PAGES = (
    page("GET", "/console/products", "console_products", products),
    page("GET", "/console/products/{id}", "console_product", product),
)
