"""Making quotes, and reading what an option means for a payment. No money moves, so no lane is needed."""

from datetime import date, datetime, timedelta
from functools import partial
from uuid import UUID

import msgspec
from msgspec.structs import replace

from wufeng import credit, ledger
from wufeng.base.books import Book
from wufeng.base.database import Connection, Database
from wufeng.base.errors import invalid_field
from wufeng.base.ids import IdMaker, Prefix, decode, slot_of
from wufeng.credit import Line, PriceOption
from wufeng.credit.lines.model import LineStatus
from wufeng.identity import Merchants
from wufeng.identity.merchants.model import Merchant, MerchantStatus, Scene
from wufeng.identity.people.model import PersonStatus
from wufeng.identity.people.queries import standing_of_person
from wufeng.ledger import AccountKind, account_id
from wufeng.payments.campaigns.queries import offered_at
from wufeng.payments.campaigns.rules import price_ways
from wufeng.payments.catalogue import Catalogue
from wufeng.payments.checkout.model import Bounds
from wufeng.payments.checkout.queries import bounds_of_order
from wufeng.payments.orders.model import Order, OrderTerms
from wufeng.payments.orders.rules import problem_if_not_payable
from wufeng.payments.pay.model import Funding
from wufeng.payments.quotes import rules, store
from wufeng.payments.quotes.model import Asked, Meant, OfferView, Quote, QuoteView
from wufeng.payments.quotes.rules import NO_BOUNDS, Purse, Way
from wufeng.payments.quotes.views import view_offer, view_quote
from wufeng.risk.model import Reason


async def list_offers(
    db: Connection,
    catalogue: Catalogue,
    merchants: Merchants,
    book: Book,
    merchant_id: UUID,
    amount_minor: int,
    scene: Scene | None,
    at: datetime,
    language: str,
) -> list[OfferView]:
    """What an amount costs with credit at a merchant, for a product page. `scene` None: the merchant's own.

    Refuses (raises invalid_field) a merchant that is not there; at a closed one there are none.
    """
    merchant = await _merchant(db, merchants, book, merchant_id, "merchant")
    if merchant.status is not MerchantStatus.ACTIVE:
        return []
    on = book.business_date(at)
    scene, offered = scene or merchant.scene, await offered_at(db, book, merchant_id, on)
    return [
        view_offer(merchant_id, book.currency, scene, product, priced, language)
        for product in catalogue.products.offered(on)
        if product.currency == book.currency and credit.offers(product, amount_minor, scene, on)
        for priced in price_ways(
            product, product.calendar(on), amount_minor, amount_minor, 0, None, offered, on
        )
    ]


async def create_quote(
    database: Database,
    ids: IdMaker,
    catalogue: Catalogue,
    merchants: Merchants,
    book: Book,
    asked: Asked,
    order: Order | None,
    at: datetime,
) -> QuoteView:
    """Price the ways to pay an order, or an amount at a merchant; with a payer also say which are open to them now.

    order  the stored order that is asked for; a live checkout session of it binds tenors and the merchant's share
    The prices hold for the catalogue's minutes, or only to the end of the day if they, or the dates, are others then.
    Refuses (raises) a merchant or payer that is not there, and an order that is closed, or that somebody pays or has
    paid.
    """
    if order is not None and (problem := problem_if_not_payable(order)) is not None:
        raise problem
    on = book.business_date(at)
    async with database.read() as db:
        merchant = await _merchant(db, merchants, book, asked.merchant_id, "/merchant")
        bounds = NO_BOUNDS
        if order is not None:
            bounds = await bounds_of_order(db, book, order.terms.id, at) or NO_BOUNDS
        blocks = rules.blocks_of(merchant, order.terms if order is not None else None, at)
        ways_on = partial(_ways, db, catalogue, book, asked, blocks, bounds)
        wallet_id, ways = await ways_on(on)
        tomorrow, expires_at = on + timedelta(days=1), at + timedelta(minutes=catalogue.quote_minutes)
        if expires_at > book.start_of(tomorrow):
            _, coming = await ways_on(tomorrow)
            if not rules.same_prices(ways, coming):
                expires_at = book.start_of(tomorrow)
        quote, view = _quote(ids, book, asked, ways, wallet_id, at, expires_at)
        await store.insert_quote(db, book.bucket_of(quote.id), quote)
    return view


async def _ways(
    db: Connection,
    catalogue: Catalogue,
    book: Book,
    asked: Asked,
    blocks: tuple[Reason, ...],
    bounds: Bounds,
    on: date,
) -> tuple[UUID | None, list[Way]]:
    """The ways to pay on a date, and the payer's wallet if there is a payer. `blocks` stop every one of them."""
    offered = await offered_at(db, book, asked.merchant_id, on, asked.payer_id)
    if asked.payer_id is None:
        products = catalogue.products.offered(on)
        return None, rules.ways_of_nobody(asked, products, blocks, bounds, on, offered)
    wallet_id, purse = await _purse(db, catalogue, book, asked, blocks, on)
    return wallet_id, rules.ways_of_payer(asked, purse, bounds, on, offered)


def _quote(
    ids: IdMaker,
    book: Book,
    asked: Asked,
    ways: list[Way],
    wallet_id: UUID | None,
    at: datetime,
    expires_at: datetime,
) -> tuple[Quote, QuoteView]:
    id_ = ids.new(at, slot_of(asked.payer_id)) if asked.payer_id is not None else ids.new_anywhere(at)
    view = view_quote(id_, book, asked, ways, wallet_id, at, expires_at)
    quote = Quote(
        id=id_,
        payer_id=asked.payer_id,
        merchant_id=asked.merchant_id,
        order_id=asked.order_id,
        amount_minor=asked.amount_minor,
        currency=book.currency,
        scene=asked.scene,
        body=msgspec.json.encode(view),
        options=tuple(way.meant for way in ways),
        expires_at=expires_at,
        created_at=at,
    )
    return quote, view


async def _merchant(
    db: Connection, merchants: Merchants, book: Book, merchant_id: UUID, pointer: str
) -> Merchant:
    merchant = (await merchants.load(db, [merchant_id])).get(merchant_id)
    if merchant is None or merchant.book_id != book.id:
        raise invalid_field(pointer, "There is no such merchant.")
    return merchant


async def _purse(
    db: Connection,
    catalogue: Catalogue,
    book: Book,
    asked: Asked,
    blocks: tuple[Reason, ...],
    on: date,
) -> tuple[UUID, Purse]:
    """What a payer could pay from now. Read without locks: a quote is no promise of credit, the payment decides."""
    assert asked.payer_id is not None, "only a known payer has a purse"
    bucket = book.bucket_of(asked.payer_id)
    standing = await standing_of_person(db, book, asked.payer_id)
    if standing is None:
        raise invalid_field("/payer", "There is no such person.")
    status, wallet_id = standing
    if status is not PersonStatus.ACTIVE:
        blocks = (*blocks, Reason.PAYER_FROZEN)
    states = await credit.load_states_of_people(db, bucket, [asked.payer_id])
    lines = [(state, catalogue.drawn_under(state.line, on)) for state in states.values()]
    account = account_id(wallet_id, AccountKind.WALLET)
    balance = (await ledger.load_balances(db, bucket, [account])).get(account)
    available = (balance.available_minor or 0) if balance is not None else 0
    return wallet_id, Purse(available, lines, blocks)


async def funding_of_option(
    db: Connection,
    catalogue: Catalogue,
    book: Book,
    option: str,
    order: OrderTerms,
    payer_id: UUID,
    at: datetime,
) -> Funding:
    """The funding that a quote's option (`qte_….1`) means for a payment of that order by that payer.

    Refuses (raises invalid_field at /quote_option) one that does not exist, was made for another merchant, amount,
    scene, order or payer, has run out, is not among those of the order's checkout, or has another price or other dates
    than the payer's line has now.
    """
    quote, number = await _quote_of_option(db, book, option)
    if (problem := rules.problem_of_use(quote, order, payer_id, at)) is not None:
        raise problem
    meant = quote.options[number]
    if meant.product is None:
        return Funding(meant.use_wallet, None)
    bounds = await bounds_of_order(db, book, order.id, at) or NO_BOUNDS
    if (problem := rules.problem_of_bounds(meant, bounds)) is not None:
        raise problem
    line = await _line_meant(db, book, meant, payer_id)
    shown = _read_view(quote.body).options[number]
    price = _price_now(catalogue, line, meant, order.amount_minor, book.business_date(at))
    if (problem := rules.problem_of_price(shown, price, line.lenders)) is not None:
        raise problem
    return Funding(
        meant.use_wallet,
        line.id,
        meant.tenor,
        meant.merchant_share_ppm,
        meant.campaign_id,
        meant.wallet_minor,
    )


_read_view = msgspec.json.Decoder(QuoteView).decode


async def _line_meant(db: Connection, book: Book, meant: Meant, payer_id: UUID) -> Line:
    """The line that an option draws on: its own, or the one that the payer has of its product."""
    for line in await credit.load_lines_of_people(db, book.bucket_of(payer_id), [payer_id]):
        open_one = line.product == meant.product and line.status is not LineStatus.CLOSED
        if line.id == meant.line_id or (meant.line_id is None and open_one):
            return line
    raise invalid_field("/quote_option", "The payer has no line of this product.")


def _price_now(
    catalogue: Catalogue, line: Line, meant: Meant, amount_minor: int, on: date
) -> PriceOption | None:
    product, credit_minor = catalogue.drawn_under(line, on), amount_minor - (meant.wallet_minor or 0)
    calendar, share_ppm = credit.calendar_of(line, product), meant.merchant_share_ppm
    found = credit.price_options(product, calendar, credit_minor, on, share_ppm, (meant.tenor,))
    return found[0] if found else None


async def carried_by_campaign(
    database: Database,
    catalogue: Catalogue,
    book: Book,
    order: OrderTerms,
    funding: Funding,
    payer_id: UUID,
    at: datetime,
) -> Funding:
    """Funding that names its line and tenor itself, with the best share that a campaign of the merchant carries now.

    It is the price of this moment: with a quote's option the price shown is the price paid, or none is.
    """
    if funding.line_id is None or funding.tenor == 1:
        return funding
    on = book.business_date(at)
    async with database.read() as db:
        offered = await offered_at(db, book, order.merchant_id, on, payer_id)
        if not offered:
            return funding
        lines = await credit.load_lines_of_people(db, book.bucket_of(payer_id), [payer_id])
    line = next((line for line in lines if line.id == funding.line_id), None)
    if line is None:
        return funding  # the payment says so
    product, amount_minor = catalogue.drawn_under(line, on), order.amount_minor
    calendar, share_ppm = credit.calendar_of(line, product), funding.merchant_share_ppm
    ways = price_ways(product, calendar, amount_minor, amount_minor, share_ppm, (funding.tenor,), offered, on)
    if not ways:
        return funding  # the payment says why
    (priced,) = ways
    return replace(funding, merchant_share_ppm=priced.merchant_share_ppm, campaign_id=priced.campaign_id)


async def _quote_of_option(db: Connection, book: Book, option: str) -> tuple[Quote, int]:
    text, _, number = option.rpartition(".")
    unknown = invalid_field("/quote_option", "There is no such option.")
    try:
        quote_id = decode(Prefix.QUOTE, text)
    except ValueError:
        raise unknown from None
    quote = await store.load_quote(db, book.bucket_of(quote_id), quote_id)
    known = {str(place): place - 1 for place in range(1, len(quote.options) + 1)} if quote else {}
    if quote is None or number not in known:
        raise unknown
    return quote, known[number]
