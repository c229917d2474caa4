"""Offers and quotes as the border shows them."""

from datetime import datetime
from uuid import UUID

import msgspec

from wufeng.base.books import Book
from wufeng.base.ids import Prefix, encode
from wufeng.credit import Product
from wufeng.credit.plans.yearly import NO_COST
from wufeng.identity.merchants.model import Scene
from wufeng.lenders.model import lender_id
from wufeng.payments.campaigns.model import Priced
from wufeng.payments.pay.views import view_lenders
from wufeng.payments.quotes.model import (
    Asked,
    OfferView,
    QuoteFunding,
    QuoteOption,
    QuoteView,
    SourceKind,
)
from wufeng.payments.quotes.rules import Way, sheet_hash
from wufeng.risk import view_reasons


def view_offer(
    merchant_id: UUID, currency: str, scene: Scene, product: Product, priced: Priced, language: str
) -> OfferView:
    """One offer, with the product's name in the reader's language."""
    price, rates = priced.price, priced.price.rates
    return OfferView(
        merchant=encode(Prefix.MERCHANT, merchant_id),
        amount_minor=price.amount_minor,
        currency=currency,
        scene=scene,
        product=f"{product.id}@{product.version}",
        name=product.name.zh if language.startswith("zh") else product.name.en,
        tenor=price.tenor,
        instalment_minor=price.instalment_minor,
        runs=price.runs,
        total_cost_minor=price.total_cost_minor,
        annualised_rate_ppm=rates.annualised_ppm,
        effective_rate_ppm=rates.effective_ppm,
        eu_rate_ppm=rates.eu_ppm,
        us_rate_ppm=rates.us_ppm,
        campaign=encode(Prefix.CAMPAIGN, priced.campaign_id) if priced.campaign_id is not None else None,
    )


def view_quote(
    quote_id: UUID,
    book: Book,
    asked: Asked,
    ways: list[Way],
    wallet_id: UUID | None,
    at: datetime,
    expires_at: datetime,
) -> QuoteView:
    """A quote with its sheet's hash."""
    id_ = encode(Prefix.QUOTE, quote_id)
    options = tuple(
        _option(f"{id_}.{number}", book, asked, way, wallet_id) for number, way in enumerate(ways, 1)
    )
    view = QuoteView(
        id=id_,
        created_at=at,
        expires_at=expires_at,
        merchant=encode(Prefix.MERCHANT, asked.merchant_id),
        order=encode(Prefix.ORDER, asked.order_id) if asked.order_id is not None else None,
        payer=encode(Prefix.PERSON, asked.payer_id) if asked.payer_id is not None else None,
        amount_minor=asked.amount_minor,
        currency=book.currency,
        scene=asked.scene,
        options=options,
        sheet_hash="",
    )
    return msgspec.structs.replace(view, sheet_hash=sheet_hash(sheet_of(view)))


def sheet_of(view: QuoteView) -> dict[str, object]:
    """What a quote's hash is of: all that was shown, but its own names."""
    sheet: dict[str, object] = msgspec.to_builtins(view)
    for name in ("id", "object", "created_at", "sheet_hash"):
        del sheet[name]
    options = msgspec.to_builtins(view.options)
    for option in options:
        del option["id"]
    return {**sheet, "options": options}


def _option(id_: str, book: Book, asked: Asked, way: Way, wallet_id: UUID | None) -> QuoteOption:
    funding: list[QuoteFunding] = []
    if way.meant.use_wallet:
        wallet = encode(Prefix.WALLET, wallet_id) if wallet_id is not None else None
        funding.append(QuoteFunding(SourceKind.WALLET, way.wallet_minor, wallet=wallet))
    if way.credit_minor:
        line = encode(Prefix.LINE, way.meant.line_id) if way.meant.line_id is not None else None
        funding.append(QuoteFunding(SourceKind.LINE, way.credit_minor, line=line))
    price, product = way.price, way.product
    rates = price.rates if price is not None else NO_COST
    shares = way.lenders
    if shares is None:
        lenders = product.lenders if product is not None else ()
        shares = tuple((lender_id(book.id, one.code), one.share_ppm) for one in lenders)
    return QuoteOption(
        id=id_,
        funding=tuple(funding),
        product=f"{product.id}@{product.version}" if product is not None else None,
        tenor=price.tenor if price is not None else None,
        instalments=price.instalments if price is not None else (),
        total_cost_minor=price.total_cost_minor if price is not None else 0,
        annualised_rate_ppm=rates.annualised_ppm,
        effective_rate_ppm=rates.effective_ppm,
        eu_rate_ppm=rates.eu_ppm,
        us_rate_ppm=rates.us_ppm,
        campaign=encode(Prefix.CAMPAIGN, way.meant.campaign_id)
        if way.meant.campaign_id is not None
        else None,
        late_terms=price.late_terms if price is not None else None,
        lenders=view_lenders(shares, product, book.id, asked.language),
        available=not way.reasons,
        reasons=view_reasons(way.reasons, asked.language, for_merchant=False),
    )
