"""Which campaign a price has, what it costs the merchant, and how campaigns move: pure.

Source: PRODUCTS.md 1.1, merchant-subsidised instalments; 2.2, the subsidy of cancelled months goes back.
"""

from collections.abc import Collection, Sequence
from datetime import date

from msgspec.structs import replace

from wufeng.base.errors import Code, Problem, invalid_field
from wufeng.base.money import MINOR_MAX
from wufeng.credit import PriceOption, Product, price_options
from wufeng.credit.plans.rules import least_amount, schedule, terms_of
from wufeng.credit.products.dates import Dates
from wufeng.credit.products.model import Cycle
from wufeng.payments.campaigns.model import Campaign, CampaignStatus, Offered, Priced, Room

S = CampaignStatus
MOVES: dict[CampaignStatus, frozenset[CampaignStatus]] = {
    S.OPEN: frozenset({S.PAUSED, S.ENDED}),
    S.PAUSED: frozenset({S.OPEN, S.ENDED}),
    S.ENDED: frozenset(),
}

LIVE_MAX = 50
"""How many campaigns of a merchant may be open or paused at a time: each price looks at all of them."""

NAME_MAX = 100
CLOSED = -1
"""The room of a campaign that takes no payment: not even one that costs it nothing."""


def status_on(campaign: Campaign, on: date) -> CampaignStatus:
    """Where a campaign stands on a business date: past its last one it has ended."""
    return S.ENDED if on > campaign.until_on else campaign.status


def moved(campaign: Campaign, to: CampaignStatus, on: date) -> Campaign | Problem:
    """The campaign in another state; in that state already it stays as it is. What has ended does not come back."""
    now = status_on(campaign, on)
    if now is to:
        return campaign
    if to not in MOVES[now]:
        return Problem(Code.STATE_CONFLICT, f"This campaign is {now.value}; it does not become {to.value}.")
    return replace(campaign, status=to)


def check_new(campaign: Campaign, products: Collection[Product], on: date) -> Campaign:
    """A campaign as it may be made on a date, its name trimmed, its tenors and products in order.

    products  in force. Refuses (raises invalid_field) bounds that leave nothing, products and tenors that are not
    offered, and a share that no price of them allows.
    """
    name = campaign.name.strip()
    if not 1 <= len(name) <= NAME_MAX or not name.isprintable():
        raise invalid_field("/name", f"It must have 1 to {NAME_MAX} printable characters.")
    if campaign.until_on < max(campaign.from_on, on):
        raise invalid_field("/until_on", "It lies before the first date, or is over.")
    most_minor = campaign.order_most_minor
    if most_minor is not None and most_minor < campaign.order_least_minor:
        raise invalid_field("/order_most_minor", "It lies below the least amount.")
    known = {product.id: product for product in products}
    for place, id_ in enumerate(campaign.products):
        if id_ not in known:
            raise invalid_field(f"/products/{place}", f"These are offered: {', '.join(sorted(known))}.")
    meant = [known[id_] for id_ in campaign.products] or list(known.values())
    for place, tenor in enumerate(campaign.tenors):
        if not any(carries(product, tenor, campaign.share_ppm) for product in meant):
            detail = "No product in force lets a merchant carry this share of this many instalments."
            raise invalid_field(f"/tenors/{place}", detail)
    return replace(
        campaign,
        name=name,
        tenors=tuple(sorted(set(campaign.tenors))),
        products=tuple(sorted(set(campaign.products))),
    )


def carries(product: Product, tenor: int, share_ppm: int) -> bool:
    """Whether a campaign may carry a share of a product's price. A price that fixes a share itself keeps its own."""
    price = product.price(tenor)
    if price is None or tenor < 2 or price.merchant_share_ppm is not None:
        return False
    return share_ppm <= product.instalments.merchant_share_max_ppm


def matches(campaign: Campaign, product: Product, tenor: int, order_minor: int, on: date) -> bool:
    """Whether a campaign is for an order of that amount, paid so on that business date."""
    return (
        status_on(campaign, on) is S.OPEN
        and campaign.from_on <= on
        and campaign.order_least_minor <= order_minor <= (campaign.order_most_minor or MINOR_MAX)
        and tenor in campaign.tenors
        and (not campaign.products or product.id in campaign.products)
        and carries(product, tenor, campaign.share_ppm)
    )


def price_ways(
    product: Product,
    cycle: Cycle | Dates,
    order_minor: int,
    amount_minor: int,
    share_ppm: int,
    tenors: Collection[int] | None,
    offered: Sequence[Offered],
    on: date,
) -> list[Priced]:
    """The prices of an amount by tenor, each with the best share that its merchant carries.

    order_minor   what campaigns' bounds are of; amount_minor: the drawn part of it
    share_ppm     the order's own, which stands unless a campaign carries more and its room holds it
    """
    options = price_options(product, cycle, amount_minor, on, share_ppm, tenors)
    return [_best(product, cycle, order_minor, option, share_ppm, offered, on) for option in options]


def _best(
    product: Product,
    cycle: Cycle | Dates,
    order_minor: int,
    own: PriceOption,
    share_ppm: int,
    offered: Sequence[Offered],
    on: date,
) -> Priced:
    better = [
        one
        for one in offered
        if one.campaign.share_ppm > share_ppm and matches(one.campaign, product, own.tenor, order_minor, on)
    ]
    for one in sorted(better, key=lambda one: (-one.campaign.share_ppm, one.campaign.id)):
        carried_ppm = one.campaign.share_ppm
        (price,) = price_options(product, cycle, own.amount_minor, on, carried_ppm, (own.tenor,))
        if one.room_minor is None or price.merchant_cost_minor <= one.room_minor:
            return Priced(price, carried_ppm, one.campaign.id)
    return Priced(own, share_ppm if own.tenor > 1 else 0, None)


def subsidy_minor(
    product: Product, cycle: Cycle | Dates, amount_minor: int, tenor: int, share_ppm: int, on: date
) -> int:
    """What the merchant carries of the price of a draw; 0 where there is no such plan."""
    terms = terms_of(product, cycle, tenor, share_ppm)
    if terms is None or amount_minor < max(least_amount(tenor), product.instalments.minimum_minor):
        return 0
    return schedule(terms, amount_minor, on).subsidy_minor


def room_on(room: Room | None, on: date) -> int:
    """What a payment of a business date may take of a batch's room; CLOSED where the campaign is over, or not yet."""
    if room is None or room.status is not S.OPEN or not room.from_on <= on <= room.until_on:
        return CLOSED
    return room.left_minor
