"""Whether a product file may be offered: what its fields must be to each other, and the ceiling of its prices."""

from collections.abc import Iterator

from wufeng.base.money import CURRENCY_EXPONENTS
from wufeng.credit.plans.rules import PPM, annualised_daily_ppm, annualised_price_ppm, least_amount
from wufeng.credit.products.model import Finding, Part, Product
from wufeng.identity.merchants.model import NEVER_CREDITABLE

WHOLE = 1_000_000


def check(product: Product) -> list[Finding]:
    """Everything that is wrong with a product, in the order of its file; an empty list means that it may be offered."""
    return [
        *_check_head(product),
        *_check_rates(product),
        *_check_instalments(product),
        *_check_repayment(product),
        *_check_range(product),
        *_check_lenders(product),
    ]


def _check_head(product: Product) -> Iterator[Finding]:
    if not product.id.isidentifier() or product.id != product.id.lower():
        yield Finding("id", "is made of small letters, digits and underscores")
    if product.version < 1:
        yield Finding("version", "counts from 1")
    if product.currency not in CURRENCY_EXPONENTS:
        yield Finding("currency", f"{product.currency!r} is not an ISO 4217 code")
    for field, day in (("bill_day", product.cycle.bill_day), ("due_day", product.cycle.due_day)):
        if not 1 <= day <= 31:
            yield Finding(f"cycle.{field}", f"is a day of the month, not {day}")
    if product.cycle.bill_day == product.cycle.due_day:
        yield Finding("cycle.due_day", "is not the bill day")
    for day in product.due_days.allowed:
        if not 1 <= day <= 31 or day == product.cycle.bill_day:
            yield Finding("due_days.allowed", f"holds days of the month other than the bill day, not {day}")
    if product.cycle.due_day not in product.due_days.allowed:
        yield Finding("due_days.allowed", f"holds the product's own due day, {product.cycle.due_day}")
    if product.due_days.changes_a_year < 0:
        yield Finding("due_days.changes_a_year", "is not negative")


def _check_rates(product: Product) -> Iterator[Finding]:
    if not 0 < product.minimum.principal_ppm <= WHOLE:
        yield Finding("minimum.principal_ppm", "lies between 1 and 1_000_000")
    ceiling = product.interest.annualised_max_ppm
    for field, daily_ppm in (
        ("revolving_daily_ppm", product.interest.revolving_daily_ppm),
        ("late_daily_ppm", product.interest.late_daily_ppm),
    ):
        if daily_ppm < 0:
            yield Finding(f"interest.{field}", "is not negative")
        elif annualised_daily_ppm(daily_ppm) > ceiling:
            yield Finding(f"interest.{field}", _above(annualised_daily_ppm(daily_ppm), ceiling))


def _check_instalments(product: Product) -> Iterator[Finding]:
    prices, ceiling = product.instalments.prices, product.interest.annualised_max_ppm
    tenors = [price.tenor for price in prices]
    if tenors != sorted(set(tenors)):
        yield Finding("instalments.prices", "stand in the order of their tenors, each once")
    for n, price in enumerate(prices):
        if not 2 <= price.tenor <= 60:
            yield Finding(f"instalments.prices[{n}].tenor", "lies between 2 and 60 months")
        elif price.fee_ppm < 0:
            yield Finding(f"instalments.prices[{n}].fee_ppm", "is not negative")
        elif (rate := annualised_price_ppm(price.tenor, price.fee_ppm)) > ceiling:
            yield Finding(f"instalments.prices[{n}].fee_ppm", _above(rate, ceiling))
    least = max((least_amount(tenor) for tenor in tenors), default=0)
    if product.instalments.minimum_minor < least:
        yield Finding(
            "instalments.minimum_minor", f"is at least {least}, or the rounding could exceed a part"
        )
    if not 0 <= product.instalments.merchant_share_max_ppm <= WHOLE:
        yield Finding("instalments.merchant_share_max_ppm", "lies between 0 and 1_000_000")


def _check_repayment(product: Product) -> Iterator[Finding]:
    steps = product.repayment.waterfall
    ages = [step.days_past_due for step in steps]
    if not ages or ages[0] != 0 or ages != sorted(set(ages)):
        yield Finding("repayment.waterfall", "begins at 0 days past due and rises")
    for n, step in enumerate(steps):
        if sorted(step.order) != sorted(Part):
            yield Finding(f"repayment.waterfall[{n}].order", "names fee, interest and principal, each once")


def _check_range(product: Product) -> Iterator[Finding]:
    if product.arrears.suspend_after_days < 1:
        yield Finding("arrears.suspend_after_days", "is at least 1, the day after the due date")
    if not 0 < product.limit.minimum_minor <= product.limit.maximum_minor:
        yield Finding("limit.minimum_minor", "is above 0 and not above maximum_minor")
    if missing := sorted(NEVER_CREDITABLE - product.scenes.forbidden):
        yield Finding("scenes.forbidden", f"must name what is never paid with credit: {', '.join(missing)}")


def _check_lenders(product: Product) -> Iterator[Finding]:
    codes = [lender.code for lender in product.lenders]
    if len(set(codes)) != len(codes):
        yield Finding("lenders", "stand there once each")
    if any(lender.share_ppm <= 0 for lender in product.lenders):
        yield Finding("lenders", "have a share above 0")
    if (total := sum(lender.share_ppm for lender in product.lenders)) != WHOLE:
        yield Finding("lenders", f"have shares that make up 1_000_000 ppm, not {total}")


def _above(rate_ppm: int, ceiling_ppm: int) -> str:
    return f"costs {_percent(rate_ppm)} a year, above the ceiling of {_percent(ceiling_ppm)}"


def _percent(ppm: int) -> str:
    return f"{ppm * 100 // PPM}.{ppm * 100 * 100 // PPM % 100:02d} %"
