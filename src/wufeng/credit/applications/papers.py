"""What a person signs: the all-in cost sheet, made from the schedules that are executed, and the contract.

Both hold their texts in both languages, so that one hash stands for what was read in either. Their bytes are canonical
JSON (sorted keys, no spaces) and are kept as they were shown. Source: PRODUCTS.md 3.1.
"""

import hashlib
from datetime import date
from typing import Literal
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from wufeng.base.ids import Prefix, encode
from wufeng.base.money import format_minor
from wufeng.base.rates import percent_text, year_text
from wufeng.credit.applications.model import Application, Consent, Offered, OrderWay, Paper, Purchase
from wufeng.credit.applications.texts import both
from wufeng.credit.offers import InstalmentPrice, PriceOption, price_options
from wufeng.credit.plans.rules import annualised_daily_ppm
from wufeng.credit.products.ceiling import in_time_ppm
from wufeng.credit.products.dates import Dates
from wufeng.credit.products.model import (
    STANDARD,
    Cycle,
    Early,
    LateBase,
    LenderShare,
    Mode,
    Name,
    Price,
    Product,
)
from wufeng.credit.texts import tier_name
from wufeng.identity.merchants.model import Scene
from wufeng.lenders.model import WHOLE_PPM

CONTRACT_VERSION = 1
CLAUSES = ("parties", "limit", "use", "cost", "repayment", "late", "end")


class CostItem(Struct, frozen=True):
    """One interest or fee: what it is, how it is reckoned, at which rate, and who receives it."""

    code: str
    name: Name
    method: Name
    standard: Name
    annualised_rate_ppm: int
    receivers: tuple[Name, ...]


class Way(Struct, frozen=True):
    """One way to repay the principal: its schedule, and what it costs when all is paid in time.

    effective_rate_ppm, eu_rate_ppm, us_rate_ppm  see `plans.yearly`; None in sheets that were signed before they stood
    on them, and where Regulation Z has no such periods
    merchant_share_ppm, carried  what the merchant of the order carries of the fee, and the words for it
    """

    tenor: int
    instalments: tuple[InstalmentPrice, ...]
    total_cost_minor: int
    total_minor: int
    annualised_rate_ppm: int
    effective_rate_ppm: int | None = None
    eu_rate_ppm: int | None = None
    us_rate_ppm: int | None = None
    merchant_share_ppm: int = 0
    carried: Name | None = None


class PaperLender(Struct, frozen=True):
    """Who lends, and which part of every draw."""

    code: str
    name: Name
    share_ppm: int


class Sheet(Struct, frozen=True, kw_only=True):
    """The all-in cost sheet of one application.

    basis                what principal_minor is: the whole limit at once, or the order's amount
    ways                 of an order those in which it may be paid, at what its merchant leaves of their fees
    annualised_max_ppm   a year, of the dearest way when all is paid in time; of a whole limit on the dearest day
    items, contingent    what is charged when performed normally, of whatever is bought; and on default only
    tier, tier_name      whose prices of the product it has, beside the standard ones
    mode, mode_text      how what is bought becomes due, of a product with a choice
    """

    object: Literal["cost_sheet"] = "cost_sheet"
    application: str
    person: str
    product: str
    product_version: int
    name: Name
    title: Name
    made_on: date
    currency: str
    limit_minor: int
    basis: Literal["limit", "order"]
    basis_text: Name
    principal_minor: int
    ways: tuple[Way, ...]
    annualised_max_ppm: int
    items: tuple[CostItem, ...]
    contingent: tuple[CostItem, ...]
    nothing_else: Name
    lenders: tuple[PaperLender, ...]
    tier: str = STANDARD
    tier_name: Name | None = None
    mode: Mode | None = None
    mode_text: Name | None = None


class Clause(Struct, frozen=True):
    """One clause of a contract."""

    code: str
    text: Name


class Contract(Struct, frozen=True, kw_only=True):
    """The contract of a line, bound to the sheet by its hash. What was signed when stands with the application."""

    object: Literal["contract"] = "contract"
    version: int = CONTRACT_VERSION
    application: str
    person: str
    product: str
    product_version: int
    name: Name
    title: Name
    made_on: date
    currency: str
    limit_minor: int
    sheet_hash: str
    consents: tuple[Consent, ...]
    lenders: tuple[PaperLender, ...]
    clauses: tuple[Clause, ...]


class Signing(Struct, frozen=True, kw_only=True):
    """What the papers of one application are made from.

    tier  whose prices of the product they show      mode  one of the product's; None: its first
    calendar  what due dates follow, where it is known; None: as of a line that is opened on the date
    """

    application_id: UUID
    person_id: UUID
    product: Product
    limit_minor: int
    on: date
    consents: tuple[Consent, ...]
    purchase: Purchase | None = None
    tier: str = STANDARD
    mode: Mode | None = None
    calendar: Cycle | Dates | None = None


def signing_of(
    found: Application,
    offer: Offered,
    product: Product,
    on: date,
    purchase: Purchase | None,
    calendar: Cycle | Dates | None = None,
) -> Signing:
    """What the papers of an application are made from, by what it is offered, on a date.

    product   the version that is offered, at its standard prices: the offer names the tier
    purchase  the order, as it may be paid on that date; None: the papers are of the whole limit
    """
    return Signing(
        application_id=found.id,
        person_id=found.person_id,
        product=product,
        limit_minor=offer.limit_minor,
        on=on,
        consents=found.consents,
        purchase=purchase,
        tier=offer.tier,
        mode=found.mode,
        calendar=calendar,
    )


def ways_now(found: Application, product: Product, purchase: Purchase | None, on: date) -> tuple[Way, ...]:
    """The ways that the sheet of an offer for its order would show now: on the days of the line that it opens, which
    are those of the date on which it was made. None where it has no sheet, or the order is not to be paid any more.
    """
    if purchase is None or found.sheet is None or not isinstance(found.decision, Offered):
        return ()
    calendar = product.calendar_in(found.mode or product.modes[0], read_sheet(found.sheet).made_on)
    return ways_of(signing_of(found, found.decision, product, on, purchase, calendar))


def says_still(found: Application, product: Product, purchase: Purchase | None, on: date) -> bool:
    """Whether the sheet of an application shows its order as it would be paid now; whatever has none says nothing else.

    Another day, another checkout session or campaign may date and price it otherwise.
    """
    if purchase is None or found.sheet is None:
        return True
    sheet = read_sheet(found.sheet)
    return (sheet.ways if sheet.basis == "order" else ()) == ways_now(found, product, purchase, on)


def payable_ways(
    found: Application, product: Product, purchase: Purchase | None, on: date
) -> tuple[Way, ...]:
    """The ways of a sheet in which its order can be paid whole now, on the very dates and at the price that it says.

    product   the version in force      purchase  the order as it may be paid now; None: it may not
    """
    if purchase is None or found.sheet is None or found.product_version != product.version:
        return ()
    sheet, now = read_sheet(found.sheet), ways_now(found, product, purchase, on)
    whole = sheet.basis == "order" and sheet.principal_minor == purchase.amount_minor
    return tuple(way for way in sheet.ways if way in now) if whole else ()


def papers_of(signing: Signing) -> tuple[Paper, Paper]:
    """The sheet and the contract of an offer."""
    sheet = _paper(_sheet(signing))
    return sheet, _paper(_contract(signing, sheet.hash))


def read_sheet(paper: Paper) -> Sheet:
    """A kept sheet, to be shown."""
    return msgspec.json.decode(paper.content, type=Sheet)


def read_contract(paper: Paper) -> Contract:
    """A kept contract, to be shown."""
    return msgspec.json.decode(paper.content, type=Contract)


def ways_of(signing: Signing) -> tuple[Way, ...]:
    """The ways to repay that a sheet shows, from the schedules that are executed; none where the order has none."""
    product, purchase = signing.product.at_tier(signing.tier), signing.purchase
    if purchase is None or purchase.ways is None:
        return tuple(_way(option) for option in _options(signing))
    return tuple(
        _way(option, _share_of_order(product, way))
        for way in purchase.ways
        for option in _options(signing, way.merchant_share_ppm, (way.tenor,))
    )


def _paper(document: Struct) -> Paper:
    content = msgspec.json.encode(document, order="sorted")
    return Paper(content, hashlib.sha256(content).hexdigest())


def _sheet(signing: Signing) -> Sheet:
    product = signing.product.at_tier(signing.tier)
    ways = ways_of(signing)
    if not ways:  # the order may not be paid in any way that the product has
        signing = replace(signing, purchase=None)
        ways = ways_of(signing)
    options = _options(signing)
    basis: Literal["limit", "order"] = "limit" if signing.purchase is None else "order"
    rates = [way.annualised_rate_ppm for way in ways] + [one.annualised_rate_ppm for one in options]
    mode = _mode_to_say(signing)
    return Sheet(
        application=encode(Prefix.APPLICATION, signing.application_id),
        person=encode(Prefix.PERSON, signing.person_id),
        product=product.id,
        product_version=product.version,
        name=product.name,
        title=both("sheet_title"),
        made_on=signing.on,
        currency=product.currency,
        limit_minor=signing.limit_minor,
        basis=basis,
        basis_text=both(f"sheet_principal_{basis}"),
        principal_minor=_principal_minor(signing),
        ways=ways,
        annualised_max_ppm=max([*rates, _most_ppm(signing, product)]),
        items=_items(product, options),
        contingent=_contingent(product),
        nothing_else=both("sheet_nothing_else"),
        lenders=_lenders(product),
        tier=signing.tier,
        tier_name=tier_name(product, signing.tier),
        mode=mode,
        mode_text=both(f"mode_{mode}") if mode is not None else None,
    )


def _principal_minor(signing: Signing) -> int:
    if signing.purchase is None:
        return signing.limit_minor
    return min(signing.purchase.amount_minor, signing.limit_minor)


def _options(
    signing: Signing, merchant_share_ppm: int = 0, tenors: tuple[int, ...] | None = None
) -> list[PriceOption]:
    product, mode = signing.product.at_tier(signing.tier), signing.mode or signing.product.modes[0]
    calendar = signing.calendar or product.calendar_in(mode, signing.on)
    return price_options(product, calendar, _principal_minor(signing), signing.on, merchant_share_ppm, tenors)


def _share_of_order(product: Product, way: OrderWay) -> int:
    """What the merchant carries of this order's fee beside what the product's price has of itself."""
    price = product.price(way.tenor)
    own = price is None or price.tenor == 1 or price.merchant_share_ppm is not None
    return 0 if own else way.merchant_share_ppm


def _most_ppm(signing: Signing, product: Product) -> int:
    """What the sheet says beside its ways: of an order its day is known, of a limit the dearest day may come."""
    if signing.purchase is not None:
        return annualised_daily_ppm(product.interest.daily_ppm)
    return in_time_ppm(product, signing.mode or product.modes[0])


def _mode_to_say(signing: Signing) -> Mode | None:
    """The mode of a product with a choice: its plans differ by it."""
    modes = signing.product.modes
    return (signing.mode or modes[0]) if len(modes) > 1 else None


def _way(option: PriceOption, share_ppm: int = 0) -> Way:
    rates, share = option.rates, percent_text(share_ppm)
    return Way(
        option.tenor,
        option.instalments,
        option.total_cost_minor,
        option.amount_minor + option.total_cost_minor,
        rates.annualised_ppm,
        rates.effective_ppm,
        rates.eu_ppm,
        rates.us_ppm,
        share_ppm,
        both("sheet_order_share", tenor=option.tenor, share=share) if share_ppm else None,
    )


def _items(product: Product, options: list[PriceOption]) -> tuple[CostItem, ...]:
    """What is charged when all is paid in time: a line a way to repay, and daily interest where there is any."""
    receivers = _receivers(product)
    daily_ppm, items = product.interest.daily_ppm, []
    if daily_ppm:
        items.append(
            CostItem(
                "daily_interest",
                both("sheet_daily_interest"),
                both("sheet_daily_interest_method"),
                _daily(daily_ppm),
                annualised_daily_ppm(daily_ppm),
                receivers,
            )
        )
    for option in options:
        price = product.price(option.tenor)
        assert price is not None, "an option has its price"
        if price.tenor > 1:
            items.append(_instalment_item(price, option.annualised_rate_ppm, receivers))
        elif not daily_ppm:
            items.append(_free("single", both("sheet_single"), both("sheet_single_method"), receivers))
    return tuple(items)


def _free(code: str, name: Name, method: Name, receivers: tuple[Name, ...]) -> CostItem:
    return CostItem(code, name, method, both("sheet_not_charged"), 0, receivers)


def _instalment_item(price: Price, annualised_ppm: int, receivers: tuple[Name, ...]) -> CostItem:
    """What a plan costs its person: a share that the merchant always carries is said."""
    code, share_ppm = f"instalments_{price.tenor}", price.merchant_share_ppm or 0
    if share_ppm == WHOLE_PPM:
        free = both("sheet_instalments_free", tenor=price.tenor)
        return _free(code, free, both("sheet_merchant_method"), receivers)
    kinds = {"fee": price.fee_ppm, "fee_period": price.fee_period_ppm, "annual": price.annual_ppm}
    kind, ppm = next((kind, ppm) for kind, ppm in kinds.items() if ppm is not None)
    name = "sheet_instalment_interest" if kind == "annual" else "sheet_instalment_fee"
    method = both(f"sheet_{kind}_method")
    if share_ppm:
        method = _joined(method, both("sheet_merchant_share", share=percent_text(share_ppm)))
    year, rate = year_text(annualised_ppm), percent_text(ppm)
    return CostItem(
        code,
        both(name, tenor=price.tenor),
        method,
        both(f"sheet_{kind}_standard", year=year, rate=rate),
        annualised_ppm,
        receivers,
    )


def _contingent(product: Product) -> tuple[CostItem, ...]:
    """What is charged only when a bill is not paid whole, or not in time."""
    interest, receivers = product.interest, _receivers(product)
    with_fees = interest.late_base is LateBase.PRINCIPAL_AND_FEES
    late = both("sheet_late_with_fees_method" if with_fees else "sheet_late_method")
    if interest.late_most_ppm is not None:
        late = _joined(late, both("sheet_late_most", most=percent_text(interest.late_most_ppm)))
    if interest.late_least_minor:
        least = format_minor(interest.late_least_minor, product.currency)
        late = _joined(late, both("sheet_late_least", least=least))
    kinds = (
        ("revolving", both("sheet_revolving_method"), interest.revolving_daily_ppm),
        ("late", late, interest.late_daily_ppm),
    )
    items = [
        CostItem(code, both(f"sheet_{code}"), method, _daily(ppm), annualised_daily_ppm(ppm), receivers)
        if ppm
        else _free(code, both(f"sheet_{code}"), method, receivers)
        for code, method, ppm in kinds
    ]
    if product.instalments.early is Early.DUE:
        method, standard = both("sheet_early_method"), both("sheet_early_standard")
        items.append(CostItem("early", both("sheet_early"), method, standard, 0, receivers))
    return tuple(items)


def _contract(signing: Signing, sheet_hash: str) -> Contract:
    product = signing.product
    limit = f"{product.currency} {format_minor(signing.limit_minor, product.currency)}"
    return Contract(
        application=encode(Prefix.APPLICATION, signing.application_id),
        person=encode(Prefix.PERSON, signing.person_id),
        product=product.id,
        product_version=product.version,
        name=product.name,
        title=both("contract_title"),
        made_on=signing.on,
        currency=product.currency,
        limit_minor=signing.limit_minor,
        sheet_hash=sheet_hash,
        consents=signing.consents,
        lenders=_lenders(product),
        clauses=tuple(
            Clause(code, both(f"contract_{code}_{CONTRACT_VERSION}", limit=limit, sheet=sheet_hash))
            for code in CLAUSES
        ),
    )


def payable_scene(product: Product) -> Scene:
    """A scene in which the product pays: its prices are the same in all of them."""
    return next(scene for scene in Scene if not product.scenes.refuse(scene))


def _daily(ppm: int) -> Name:
    return both("sheet_daily_standard", year=year_text(annualised_daily_ppm(ppm)), rate=percent_text(ppm))


def _joined(first: Name, second: Name) -> Name:
    return Name(first.zh + second.zh, first.en + second.en)


def _receivers(product: Product) -> tuple[Name, ...]:
    return tuple(share.name for share in product.lenders)


def _lenders(product: Product) -> tuple[PaperLender, ...]:
    def of(share: LenderShare) -> PaperLender:
        return PaperLender(share.code, share.name, share.share_ppm)

    return tuple(map(of, product.lenders))
