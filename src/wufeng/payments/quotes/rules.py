"""What ways to pay there are, what each costs, and whether an option may be used: pure."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime

import msgspec
from msgspec import Struct

from wufeng.base.errors import Problem, invalid_field
from wufeng.base.ids import Prefix, encode
from wufeng.credit import (
    Declined,
    DrawRequest,
    LineState,
    PriceOption,
    Product,
    calendar_of,
    decide_draw,
    draw_id,
)
from wufeng.credit.lines.model import LineStatus
from wufeng.credit.lines.rules import ceiling_minor
from wufeng.credit.products.dates import Dates
from wufeng.credit.products.model import Cycle
from wufeng.identity.merchants.model import Merchant, MerchantStatus, Scene
from wufeng.lenders.model import Shares
from wufeng.payments.campaigns.model import Offered, Priced
from wufeng.payments.campaigns.rules import price_ways
from wufeng.payments.checkout.model import Bounds
from wufeng.payments.orders.model import OrderTerms
from wufeng.payments.quotes.model import Asked, Meant, Quote, QuoteOption
from wufeng.risk import in_order
from wufeng.risk.model import Reason

NO_BOUNDS = Bounds((), 0)
"""No checkout session: every tenor of the product, the fee is the payer's."""


class Way(Struct, frozen=True):
    """One way to pay, priced and judged. `price` is of the drawn part; None: all from the wallet.

    lenders  of the payer's line; None: those of the product
    """

    meant: Meant
    wallet_minor: int
    credit_minor: int
    product: Product | None
    price: PriceOption | None
    reasons: tuple[Reason, ...]
    lenders: Shares | None = None


class Purse(Struct, frozen=True):
    """What a payer could pay from. `blocks` stop every way (a frozen payer, a closed merchant, an expired order).

    lines  all of the payer's, closed ones too: they share one cap
    """

    wallet_minor: int
    lines: Sequence[tuple[LineState, Product]]
    blocks: tuple[Reason, ...]


def blocks_of(merchant: Merchant, order: OrderTerms | None, at: datetime) -> tuple[Reason, ...]:
    """What lets nobody pay now: a closed merchant, an order whose time has passed."""
    expired = order is not None and order.expires_at is not None and at >= order.expires_at
    closed = merchant.status is not MerchantStatus.ACTIVE
    return (
        *((Reason.MERCHANT_CLOSED,) if closed else ()),
        *((Reason.ORDER_EXPIRED,) if expired else ()),
    )


def ways_of_payer(
    asked: Asked, purse: Purse, bounds: Bounds, on: date, offered: Sequence[Offered] = ()
) -> list[Way]:
    """The ways that a known payer has: the wallet, each line by tenor, and the wallet first with the rest drawn."""
    ways: list[Way] = []
    amount_minor = asked.amount_minor
    if asked.shows_wallet:
        short = purse.wallet_minor < amount_minor
        reasons = (*purse.blocks, *((Reason.INSUFFICIENT_BALANCE,) if short else ()))
        meant = Meant(use_wallet=True, line_id=None, product=None, tenor=1, merchant_share_ppm=0)
        ways.append(Way(meant, amount_minor, 0, None, None, in_order(reasons)))
    states = {state.line.id: state for state, _ in purse.lines}
    products = {state.line.id: product for state, product in purse.lines}
    for state, product in purse.lines:
        if state.line.status is LineStatus.CLOSED:
            continue
        ceiling = ceiling_minor(state.line.id, states, products, on)
        ways += _of_line(asked, state, product, ceiling, 0, purse.blocks, bounds, on, offered)
        if asked.shows_wallet and 0 < purse.wallet_minor < amount_minor:
            ways += _of_line(
                asked, state, product, ceiling, purse.wallet_minor, purse.blocks, bounds, on, offered
            )
    return ways


def _of_line(
    asked: Asked,
    state: LineState,
    product: Product,
    ceiling: int,
    wallet_minor: int,
    blocks: tuple[Reason, ...],
    bounds: Bounds,
    on: date,
    offered: Sequence[Offered],
) -> list[Way]:
    credit_minor = asked.amount_minor - wallet_minor
    ways: list[Way] = []
    for priced in _prices(
        product, calendar_of(state.line, product), asked, credit_minor, bounds, on, offered
    ):
        price, share_ppm = priced.price, priced.merchant_share_ppm
        request = DrawRequest(
            id=draw_id(state.line.id),
            line_id=state.line.id,
            payment_id=state.line.id,
            merchant_id=asked.merchant_id,
            amount_minor=credit_minor,
            scene=asked.scene,
            tenor=price.tenor,
            merchant_share_ppm=share_ppm,
        )
        answer = decide_draw(state, request, product, on, ceiling)
        reasons = answer.reasons if isinstance(answer, Declined) else ()
        meant = Meant(
            use_wallet=wallet_minor > 0,
            line_id=state.line.id,
            product=product.id,
            tenor=price.tenor,
            merchant_share_ppm=share_ppm,
            campaign_id=priced.campaign_id,
            wallet_minor=wallet_minor or None,
        )
        ways.append(
            Way(
                meant,
                wallet_minor,
                credit_minor,
                product,
                price,
                in_order((*blocks, *reasons)),
                state.line.lenders,
            )
        )
    return ways


def ways_of_nobody(
    asked: Asked,
    products: Sequence[Product],
    blocks: tuple[Reason, ...],
    bounds: Bounds,
    on: date,
    offered: Sequence[Offered] = (),
) -> list[Way]:
    """The ways that a payer nobody knows yet would have: each product by tenor, if it pays this scene; `blocks` stop
    every one of them.
    """
    return [
        Way(
            Meant(
                use_wallet=False,
                line_id=None,
                product=product.id,
                tenor=priced.price.tenor,
                merchant_share_ppm=priced.merchant_share_ppm,
                campaign_id=priced.campaign_id,
            ),
            0,
            asked.amount_minor,
            product,
            priced.price,
            in_order(blocks),
        )
        for product in products
        if not product.scenes.refuse(asked.scene) and asked.amount_minor <= product.limit.maximum_minor
        for priced in _prices(product, product.calendar(on), asked, asked.amount_minor, bounds, on, offered)
    ]


def _prices(
    product: Product,
    cycle: Cycle | Dates,
    asked: Asked,
    credit_minor: int,
    bounds: Bounds,
    on: date,
    offered: Sequence[Offered],
) -> list[Priced]:
    share_ppm, tenors = bounds.merchant_share_ppm, bounds.tenors or None
    return price_ways(product, cycle, asked.amount_minor, credit_minor, share_ppm, tenors, offered, on)


def same_prices(ways: Sequence[Way], others: Sequence[Way]) -> bool:
    """Whether ways of two dates are the same plans, from the same sources and with the same shares."""
    return [_executed(way) for way in ways] == [_executed(way) for way in others]


def _executed(way: Way) -> tuple[object, ...]:
    return way.meant, way.price.executed if way.price is not None else None


def sheet_hash(sheet: Mapping[str, object]) -> str:
    """SHA-256 (hex) of what was shown, as JSON with sorted names and no blanks: the same sheet has the same hash.

    sheet  the quote's view without id, created_at and sheet_hash, its options without ids
    """
    return hashlib.sha256(msgspec.json.encode(sheet, order="sorted")).hexdigest()


def problem_of_use(quote: Quote, order: OrderTerms, payer_id: object, at: datetime) -> Problem | None:
    """Whether an option of a quote may pay that order: it was made for this merchant, amount, scene and payer, and
    its time has not passed.
    """
    if at >= quote.expires_at:
        return _refused("The quote has expired; ask for a new one.")
    if quote.payer_id is not None and quote.payer_id != payer_id:
        return _refused("There is no such option.")
    if quote.order_id is not None and quote.order_id != order.id:
        return _refused("The quote is for another order.")
    asked: tuple[object, ...] = (quote.merchant_id, quote.amount_minor, quote.currency, quote.scene)
    if asked != (order.merchant_id, order.amount_minor, order.currency, Scene(order.scene)):
        return _refused("The quote is for another merchant, amount or scene.")
    return None


def problem_of_bounds(meant: Meant, bounds: Bounds) -> Problem | None:
    """Whether an option is one of those that a quote of the order would have now: an amount's quote knows nothing of
    the order's checkout, and that may have ended or begun since.
    """
    if meant.product is None:
        return None
    if bounds.tenors and meant.tenor not in bounds.tenors:
        return _refused(f"This checkout offers tenors {', '.join(map(str, bounds.tenors))}.")
    share_ppm = bounds.merchant_share_ppm if meant.tenor > 1 else 0
    by_campaign = meant.campaign_id is not None and meant.merchant_share_ppm > share_ppm
    if meant.merchant_share_ppm != share_ppm and not by_campaign:
        return _refused("This order's checkout has other prices; ask for a quote of the order.")
    return None


def problem_of_price(shown: QuoteOption, price: PriceOption | None, lenders: Shares) -> Problem | None:
    """Whether what was shown is what the payer's own line would execute: the price shown is the price paid, or none is.

    price    of the line, now; None: it has no such plan
    A quote for nobody shows its product's prices and days: a line may be of a better tier, with a due day of its own.
    """
    if (
        price is not None
        and shown.product == f"{price.product}@{price.version}"
        and (shown.instalments, shown.total_cost_minor) == (price.instalments, price.total_cost_minor)
        and shown.late_terms == price.late_terms
        and [(one.lender, one.share_ppm) for one in shown.lenders]
        == [(encode(Prefix.LENDER, id_), share_ppm) for id_, share_ppm in lenders]
    ):
        return None
    return _refused("The payer's line has other prices or dates than this quote; ask for one with the payer.")


def _refused(detail: str) -> Problem:
    return invalid_field("/quote_option", detail)
