"""Whether a product file may be offered: what its fields must be to each other, and the ceiling of its prices."""

import re
from collections.abc import Iterable, Iterator
from datetime import date

from wufeng.base.money import CURRENCY_EXPONENTS
from wufeng.base.rates import year_text
from wufeng.credit.plans.rules import OF_DATES, annualised_daily_ppm, least_amount
from wufeng.credit.products.ceiling import price_of
from wufeng.credit.products.dates import Dates, Every, Stub
from wufeng.credit.products.model import (
    OPENING,
    STANDARD,
    Cycle,
    DueDays,
    Finding,
    Method,
    Name,
    Part,
    Price,
    Product,
    Rest,
    Shipped,
    coincide,
)
from wufeng.credit.rates.model import DayCount
from wufeng.identity.merchants.model import NEVER_CREDITABLE

WHOLE = 1_000_000

LONGEST = Every(months=60)
"""The greatest distance between two due dates, and so of a first one."""

MOST_PPM = 10 * WHOLE
"""The highest price or rate that is looked at: ten times the amount."""

MOST_MINOR = 10**14
"""The highest amount a product may name: sums of many such still fit the database."""

MOST_MULTIPLE_MINOR = 1_000_000
"""The coarsest multiple that instalments may be rounded to."""

TENORS = range(2, 61)

MOST_DAYS = 3_650
"""The most days that a product may count from a due date or to one: ten years, and every date that follows is one."""

MOST_LINES = 100
"""How many lines of a product one person may hold at most: what asks for all of them still ends."""

YEARS = range(2000, 2201)

MOST_VERSIONS = 1_000_000

CODE = re.compile(r"[a-z][a-z0-9_]{0,63}")
CODE_RULE = "begins with a small letter and is made of small letters, digits and underscores, at most 64"

LONGEST_NAME = 100
"""Letters of a name that people read: more fits no page."""


def check(product: Product) -> list[Finding]:
    """Everything that is wrong with a product, in the order of its file; an empty list means that it may be offered.

    What prices cost a year is looked at when the days they are paid on, what plans are rounded by, the least amount
    and the ceiling are sound: a price of parts that cannot be has no rate.
    """
    terms = [*_check_days(product), *_check_counting(product)]
    parts = [] if terms else list(_check_parts(product))
    priced = not terms and not parts and 0 <= product.interest.annualised_max_ppm <= MOST_PPM
    return [
        *_check_head(product),
        *terms,
        *_check_rates(product),
        *_check_instalments(product, priced=priced),
        *parts,
        *_check_repayment(product),
        *_check_arrears(product),
        *_check_range(product),
        *_check_lenders(product),
        *_check_tiers(product, priced=priced),
    ]


def check_succession(new: Shipped, kept: Iterable[Shipped]) -> str | None:
    """Why a version may not be kept beside those that are; None: it may.

    A version never changes, keeps its currency and the tiers before it, and begins after every lower one: so the
    highest that has begun is the one in force, and what was drawn by a version was drawn while it was.
    """
    product = new.product
    for other in (one for one in kept if one.product.id == product.id):
        theirs = other.product
        if theirs.version == product.version:
            if other.content_hash == new.content_hash:
                continue
            return (
                f"its file has changed but still says version = {product.version}; "
                "what was drawn lives by the old text, so give the new one a new version"
            )
        if theirs.currency != product.currency:
            return (
                f"version {theirs.version} is in {theirs.currency}: give one in {product.currency} another id"
            )
        lower, higher = sorted((theirs, product), key=lambda one: one.version)
        lost = {tier.code for tier in lower.tiers} - {tier.code for tier in higher.tiers}
        if lost:
            return f"version {higher.version} lacks the tier {min(lost)} of version {lower.version}: lines have it"
        if lower.effective_from >= higher.effective_from:
            later = "after" if theirs.version < product.version else "before"
            return (
                f"version {product.version} must begin {later} version {theirs.version}, "
                f"which begins on {theirs.effective_from}, not on {product.effective_from}"
            )
    return None


def check_notice(new: Shipped, kept: Iterable[Shipped], today: date) -> str | None:
    """Why a version may not be published today; None: it may.

    One that changes a product begins tomorrow at the earliest: quotes with today's prices are open.
    """
    product = new.product
    numbers = {one.product.version for one in kept if one.product.id == product.id}
    if not numbers or product.version in numbers or product.effective_from > today:
        return None
    return (
        f"version {product.version} changes what is offered, so it begins tomorrow at the earliest, "
        f"not on {product.effective_from}"
    )


def _check_head(product: Product) -> Iterator[Finding]:
    if not CODE.fullmatch(product.id):
        yield Finding("id", CODE_RULE)
    if not 1 <= product.version <= MOST_VERSIONS:
        yield Finding("version", f"counts from 1 to {MOST_VERSIONS} at most")
    yield from _check_name(product.name, "name")
    if product.currency not in CURRENCY_EXPONENTS:
        yield Finding("currency", f"{product.currency!r} is not an ISO 4217 code")


def _check_name(name: Name, path: str) -> Iterator[Finding]:
    for language, text in (("zh", name.zh), ("en", name.en)):
        if not (text.strip() and text.isprintable() and len(text) <= LONGEST_NAME):
            yield Finding(
                f"{path}.{language}", f"is a line of 1 to {LONGEST_NAME} letters that can be printed"
            )


def _check_days(product: Product) -> Iterator[Finding]:
    if product.effective_from.year not in YEARS:
        yield Finding("effective_from", f"lies between {YEARS[0]} and {YEARS[-1]}")
    if product.cycle is None and product.dates is None:
        yield Finding(
            "cycle", "or dates must say when draws are due: [cycle] for bills, [dates] for each draw's own"
        )
    if product.cycle is not None:
        yield from _check_cycle(product.cycle, product.due_days)
    if product.dates is not None:
        yield from _check_dates(product.dates)
    if product.cycle is None and product.due_days is not None:
        yield Finding("due_days", "are days of a [cycle], which this product has not")
    billing = product.billing
    if product.minimum.rest is Rest.DRAW and product.dates is not None:
        yield Finding(
            "minimum.rest",
            'is "bill" where draws have [dates] of their own: a part has one due date, and what a bill would leave '
            "of it had no other",
        )
    if not 0 <= billing.grace_days <= 30:
        yield Finding("billing.grace_days", "lies between 0 and 30")
    if billing.confirm_after_days is not None and not 1 <= billing.confirm_after_days <= 365:
        yield Finding("billing.confirm_after_days", "lies between 1 and 365")


def _check_cycle(cycle: Cycle, due_days: DueDays | None) -> Iterator[Finding]:
    for field, day in (("bill_day", cycle.bill_day), ("due_day", cycle.due_day)):
        if isinstance(day, int) and not 1 <= day <= 31:
            yield Finding(f"cycle.{field}", f"is a day of the month, not {day}")
    if (cycle.due_day is None) == (cycle.due_after_days is None):
        yield Finding("cycle", "has one of due_day and due_after_days")
    if cycle.due_after_days is not None and not 1 <= cycle.due_after_days <= 27:
        yield Finding(
            "cycle.due_after_days", "lies between 1 and 27: due before the next bill, in every month"
        )
    if cycle.due_day is not None and cycle.bill_day == OPENING:
        yield Finding(
            "cycle.due_day", 'would be the bill day of some lines: with bill_day = "opening", due_after_days'
        )
    bill_day = cycle.bill_day if isinstance(cycle.bill_day, int) else None
    if bill_day is not None and cycle.due_day is not None and coincide(bill_day, cycle.due_day):
        yield Finding("cycle.due_day", "is not the bill day, in any month: of 28 to 31 one of them at most")
    if due_days is None:
        return
    for day in due_days.allowed:
        if not 1 <= day <= 31 or (bill_day is not None and coincide(bill_day, day)):
            yield Finding(
                "due_days.allowed",
                f"holds days of the month other than the bill day, in every month, not {day}",
            )
    if cycle.due_day is not None and cycle.due_day not in due_days.allowed:
        yield Finding("due_days.allowed", f"holds the product's own due day, {cycle.due_day}")
    if not 0 <= due_days.changes_a_year <= 365:
        yield Finding("due_days.changes_a_year", "lies between 0 and 365")


def _check_dates(dates: Dates) -> Iterator[Finding]:
    distances = (
        ("every", dates.every),
        ("first_after", dates.first_after),
        ("single_after", dates.single_after),
    )
    wrong = [
        Finding(f"dates.{field}", "leads to a later date, within five years: months, weeks or days above 0")
        for field, distance in distances
        if distance is not None
        and not (distance.is_positive and _least_days(distance) <= _least_days(LONGEST))
    ]
    if wrong:
        yield from wrong
        return
    shortest_days = min(_least_days(dates.first_after), _least_days(dates.every))
    if not 0 <= dates.down_payment_ppm < WHOLE:
        yield Finding("dates.down_payment_ppm", f"lies between 0 and {WHOLE - 1:_}")
    elif dates.down_payment_ppm and dates.lead_days >= _least_days(dates.first_after) - 1:
        yield Finding(
            "dates.lead_days", "leaves the down payment, due on the day after the draw, a bill of its own"
        )
    if dates.stub is Stub.INTEREST_ONLY and not dates.has_stub:
        yield Finding(
            "dates.stub", "is for a first_after that is not `every`: there is no other first period"
        )
    if not 0 <= dates.lead_days < max(1, shortest_days):
        yield Finding("dates.lead_days", f"is shorter than the shortest period, {shortest_days} days")


def _least_days(every: Every) -> int:
    return 28 * every.months + 7 * every.weeks + every.days


def _check_rates(product: Product) -> Iterator[Finding]:
    if not 0 < product.minimum.principal_ppm <= WHOLE:
        yield Finding("minimum.principal_ppm", "lies between 1 and 1_000_000")
    if not 0 <= product.minimum.whole_up_to_minor <= MOST_MINOR:
        yield Finding("minimum.whole_up_to_minor", f"lies between 0 and {MOST_MINOR}")
    if not 0 <= product.interest.late_least_minor <= MOST_MINOR:
        yield Finding("interest.late_least_minor", f"lies between 0 and {MOST_MINOR}")
    if product.interest.late_most_ppm is not None and not 0 <= product.interest.late_most_ppm <= WHOLE:
        yield Finding("interest.late_most_ppm", "lies between 0 and 1_000_000")
    ceiling = product.interest.annualised_max_ppm
    if not 0 <= ceiling <= MOST_PPM:
        yield Finding("interest.annualised_max_ppm", f"lies between 0 and {MOST_PPM:_}")
        return
    for field, daily_ppm in (
        ("daily_ppm", product.interest.daily_ppm),
        ("revolving_daily_ppm", product.interest.revolving_daily_ppm),
        ("late_daily_ppm", product.interest.late_daily_ppm),
    ):
        if daily_ppm < 0:
            yield Finding(f"interest.{field}", "is not negative")
        elif annualised_daily_ppm(daily_ppm) > ceiling:
            yield Finding(f"interest.{field}", _above(annualised_daily_ppm(daily_ppm), ceiling))


def _check_instalments(product: Product, *, priced: bool) -> Iterator[Finding]:
    prices, ceiling = product.instalments.prices, product.interest.annualised_max_ppm
    tenors = [price.tenor for price in prices]
    if tenors != sorted(set(tenors)):
        yield Finding("instalments.prices", "stand in the order of their tenors, each once")
    for n, price in enumerate(prices):
        yield from _check_price(price, f"instalments.prices[{n}]", product, ceiling if priced else None)
    if not prices and not product.instalments.single:
        yield Finding("instalments.prices", "name at least one tenor where `single` is false")
    if not 0 <= product.instalments.merchant_share_max_ppm <= WHOLE:
        yield Finding("instalments.merchant_share_max_ppm", "lies between 0 and 1_000_000")
    bills = product.instalments.bills
    if bills is not None and not product.bill_tenors:
        yield Finding("instalments.bills", "need a price that no merchant carries: a bill has no merchant")
    if bills is not None and product.dates is not None and product.dates.down_payment_ppm:
        yield Finding("dates.down_payment_ppm", "is 0 where bills are put into instalments: they have none")
    if bills is not None and not 0 < bills.least_minor <= MOST_MINOR:
        yield Finding("instalments.bills.least_minor", f"lies between 1 and {MOST_MINOR}")
    if bills is not None and not 0 < bills.share_max_ppm <= WHOLE:
        yield Finding("instalments.bills.share_max_ppm", "lies between 1 and 1_000_000")
    if bills is not None and not 0 <= bills.purchase_least_minor <= MOST_MINOR:
        yield Finding("instalments.bills.purchase_least_minor", f"lies between 0 and {MOST_MINOR}")


def _check_counting(product: Product) -> Iterator[Finding]:
    """The counts of days that a plan's dates are enough for, and the multiple of its instalments."""
    if not 1 <= product.rounding.instalment_multiple_minor <= MOST_MULTIPLE_MINOR:
        yield Finding("rounding.instalment_multiple_minor", f"lies between 1 and {MOST_MULTIPLE_MINOR:_}")
    if product.instalments.day_count not in OF_DATES:
        named = ", ".join(count for count in DayCount if count in OF_DATES)
        yield Finding(
            "instalments.day_count",
            f"needs more than the dates of a plan: the last day, or regular periods; {named}",
        )


def _check_parts(product: Product) -> Iterator[Finding]:
    """What keeps every part of a plan above nothing. Only of terms that are sound."""
    instalments, multiple_minor = product.instalments, product.rounding.instalment_multiple_minor
    down_ppm = product.dates.down_payment_ppm if product.dates is not None else 0
    tenors = (price.tenor for price in instalments.prices if price.tenor in TENORS)
    least = max((least_amount(tenor, multiple_minor, down_ppm) for tenor in tenors), default=0)
    if instalments.minimum_minor < least:
        yield Finding(
            "instalments.minimum_minor", f"is at least {least}, or the rounding could exceed a part"
        )
    elif instalments.minimum_minor > MOST_MINOR:
        yield Finding("instalments.minimum_minor", f"is at most {MOST_MINOR}")


def _check_price(price: Price, path: str, product: Product, ceiling: int | None) -> Iterator[Finding]:
    kinds = (
        ("fee_ppm", price.fee_ppm),
        ("fee_period_ppm", price.fee_period_ppm),
        ("annual_ppm", price.annual_ppm),
    )
    given = [(field, ppm) for field, ppm in kinds if ppm is not None]
    if price.tenor not in TENORS:
        yield Finding(f"{path}.tenor", f"lies between {TENORS[0]} and {TENORS[-1]} instalments")
        return
    if len(given) != 1:
        yield Finding(path, "has one of fee_ppm, fee_period_ppm, annual_ppm")
        return
    field, ppm = given[0]
    if price.tenor <= (beside := _beside(product, price)):
        yield Finding(
            f"{path}.tenor", f"is above {beside}: down payment and stub are among the parts it counts"
        )
    elif not 0 <= ppm <= MOST_PPM:
        yield Finding(f"{path}.{field}", f"lies between 0 and {MOST_PPM:_}")
    elif ceiling is not None:
        yield from _check_cost(product, price, f"{path}.{field}", ceiling)
    if price.merchant_share_ppm is not None and not 0 <= price.merchant_share_ppm <= WHOLE:
        yield Finding(f"{path}.merchant_share_ppm", "lies between 0 and 1_000_000")


def _check_cost(product: Product, price: Price, path: str, ceiling: int) -> Iterator[Finding]:
    """The ceiling holds for every amount that may be split: where a large one keeps to it, rounding may still not."""
    dearest, least = price_of(product, price), product.instalments.minimum_minor
    if dearest.rate_ppm > ceiling:
        yield Finding(path, _above(dearest.rate_ppm, ceiling))
    elif dearest.least_ppm > ceiling:
        yield Finding(
            "instalments.minimum_minor",
            f"is too little for {path}: rounded to the minor unit, {least} in {price.tenor} instalments may cost "
            f"{year_text(dearest.least_ppm)} a year, above the ceiling of {year_text(ceiling)}; "
            "raise the least amount, or lower the price",
        )


def _beside(product: Product, price: Price) -> int:
    """How many parts of a price are no instalments: a down payment, a part of interest alone."""
    dates = product.dates
    if dates is None:
        return 0
    is_stub = dates.stub is Stub.INTEREST_ONLY and dates.has_stub and price.method is Method.EQUAL_PAYMENT
    return (dates.down_payment_ppm > 0) + bool(is_stub and price.annual_ppm)


def _check_tiers(product: Product, *, priced: bool) -> Iterator[Finding]:
    codes = [tier.code for tier in product.tiers]
    if len(set(codes)) != len(codes):
        yield Finding("tiers", "have a code of their own each")
    for n, tier in enumerate(product.tiers):
        path = f"tiers[{n}]"
        if not CODE.fullmatch(tier.code) or tier.code == STANDARD:
            yield Finding(f"{path}.code", f"{CODE_RULE}; and is not {STANDARD!r}")
        yield from _check_name(tier.name, f"{path}.name")
        if tier.daily_ppm is None and tier.prices is None:
            yield Finding(path, "changes daily_ppm or prices, or both")
        if tier.daily_ppm is not None and not 0 <= tier.daily_ppm <= product.interest.daily_ppm:
            yield Finding(
                f"{path}.daily_ppm", f"lies between 0 and the standard, {product.interest.daily_ppm}"
            )
        if tier.prices is not None:
            yield from _check_tier_prices(product, tier.prices, f"{path}.prices", priced=priced)


def _check_tier_prices(
    product: Product, prices: tuple[Price, ...], path: str, *, priced: bool
) -> Iterator[Finding]:
    standard = product.instalments.prices
    if [price.tenor for price in prices] != [price.tenor for price in standard]:
        yield Finding(path, "stand for the same numbers of instalments as the standard ones, in their order")
        return
    ceiling = product.interest.annualised_max_ppm if priced else None
    for n, (price, other) in enumerate(zip(prices, standard, strict=True)):
        found = list(_check_price(price, f"{path}[{n}]", product, ceiling))
        yield from found
        if price.merchant_share_ppm != other.merchant_share_ppm:
            yield Finding(f"{path}[{n}]", "has the merchant_share_ppm of the standard price")
        elif priced and not found and not list(_check_price(other, "", product, None)):
            rate, most = price_of(product, price).rate_ppm, price_of(product, other).rate_ppm
            if rate > most:
                yield Finding(
                    f"{path}[{n}]",
                    f"costs {year_text(rate)} a year, more than the standard {year_text(most)}",
                )


def _check_repayment(product: Product) -> Iterator[Finding]:
    steps = product.repayment.waterfall
    ages = [step.days_past_due for step in steps]
    if not ages or ages[0] != 0 or ages != sorted(set(ages)):
        yield Finding("repayment.waterfall", "begins at 0 days past due and rises")
    for n, step in enumerate(steps):
        if step.days_past_due > MOST_DAYS:
            yield Finding(f"repayment.waterfall[{n}].days_past_due", f"is at most {MOST_DAYS}")
        if sorted(step.order) != sorted(Part):
            yield Finding(f"repayment.waterfall[{n}].order", "names fee, interest and principal, each once")


def _check_arrears(product: Product) -> Iterator[Finding]:
    if not 0 <= product.auto_debit.days_after <= MOST_DAYS:
        yield Finding("auto_debit.days_after", f"lies between 0 and {MOST_DAYS}")
    arrears = product.arrears
    if not 1 <= arrears.suspend_after_days <= MOST_DAYS:
        yield Finding(
            "arrears.suspend_after_days", f"lies between 1, the day after the due date, and {MOST_DAYS}"
        )
    charged_off_after = arrears.charge_off_after_days
    if charged_off_after is not None and not arrears.suspend_after_days < charged_off_after <= MOST_DAYS:
        yield Finding(
            "arrears.charge_off_after_days", f"is after suspend_after_days, and at most {MOST_DAYS}"
        )
    for field, least, days in (
        ("remind_before", 0, arrears.remind_before),
        ("remind_after", 1, arrears.remind_after),
    ):
        if any(not least <= day <= MOST_DAYS for day in days):
            yield Finding(f"arrears.{field}", f"holds days between {least} and {MOST_DAYS}")


def _check_range(product: Product) -> Iterator[Finding]:
    opening, limit = product.opening, product.limit
    if not 0 < limit.minimum_minor <= limit.maximum_minor:
        yield Finding("limit.minimum_minor", "is above 0 and not above maximum_minor")
    if limit.maximum_minor > MOST_MINOR:
        yield Finding("limit.maximum_minor", f"is at most {MOST_MINOR}")
    if not 0 <= limit.temporary_max_ppm <= MOST_PPM:
        yield Finding("limit.temporary_max_ppm", f"lies between 0 and {MOST_PPM:_}")
    if not 1 <= opening.tier_min <= 3:
        yield Finding("opening.tier_min", "is 1, 2 or 3")
    if not 0 <= opening.age_min <= 120:
        yield Finding("opening.age_min", "lies between 0 and 120")
    if not 1 <= opening.lines_max <= MOST_LINES:
        yield Finding("opening.lines_max", f"lies between 1 and {MOST_LINES}")
    if missing := sorted(NEVER_CREDITABLE - product.scenes.forbidden):
        yield Finding("scenes.forbidden", f"must name what is never paid with credit: {', '.join(missing)}")


def _check_lenders(product: Product) -> Iterator[Finding]:
    codes = [lender.code for lender in product.lenders]
    for n, lender in enumerate(product.lenders):
        if not CODE.fullmatch(lender.code):
            yield Finding(f"lenders[{n}].code", CODE_RULE)
        yield from _check_name(lender.name, f"lenders[{n}].name")
    if len(set(codes)) != len(codes):
        yield Finding("lenders", "stand there once each")
    if not 1 <= len(codes) <= 2:
        yield Finding("lenders", "are one or two")
    if any(lender.share_ppm <= 0 for lender in product.lenders):
        yield Finding("lenders", "have a share above 0")
    if (total := sum(lender.share_ppm for lender in product.lenders)) != WHOLE:
        yield Finding("lenders", f"have shares that make up 1_000_000 ppm, not {total}")


def _above(rate_ppm: int, ceiling_ppm: int) -> str:
    return f"costs {year_text(rate_ppm)} a year, above the ceiling of {year_text(ceiling_ppm)}"
