"""Prices as they are shown before anybody is known: arithmetic over a product, used by offers, quotes and checkouts."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from itertools import groupby, pairwise

from msgspec import Struct

from wufeng.base.calendar import add_months
from wufeng.credit.plans.model import Plan
from wufeng.credit.plans.rules import annualised_daily_ppm, annualised_rate_ppm, schedule, terms_of
from wufeng.credit.plans.yearly import Rates, unit_of, yearly_rates
from wufeng.credit.products.dates import Dates
from wufeng.credit.products.model import Cycle, Mode, Product
from wufeng.credit.rates.model import UnitPeriod
from wufeng.identity.merchants.model import Scene

RUNS_TOLD = 3
"""How many runs a line of text has room for; of more it tells the first part and the last."""


class LateTerms(Struct, frozen=True):
    """What unpaid principal costs after the due date: a day, and the same as a yearly rate (× 365, simple)."""

    revolving_daily_ppm: int
    late_daily_ppm: int
    annualised_rate_ppm: int


class InstalmentPrice(Struct, frozen=True):
    """One period of a plan; its fee holds the interest of its plan and of its days."""

    number: int
    due_on: date
    principal_minor: int
    fee_minor: int
    amount_minor: int


class Run(Struct, frozen=True):
    """Parts of one amount that follow each other.

    monthly  whether each is due a month after the one before: then it is so much a month. One part has no rhythm
    """

    count: int
    amount_minor: int
    monthly: bool


class PriceOption(Struct, frozen=True, kw_only=True):
    """One way to pay an amount with credit.

    instalment_minor     what most months cost; the odd fen stand in `instalments`
    total_cost_minor     what the person pays beyond the price when all is paid in time
    merchant_cost_minor  what the merchant pays of the fee
    annualised_rate_ppm  monthly internal rate of return × 12; 0 when nothing is paid beyond the price
    on, unit             the day it is drawn on, and the unit period of its due dates: other rates count from them
    daily_ppm            interest a day from the day of the draw; the total cost is then that of paying on the due date
    """

    product: str
    version: int
    tenor: int
    amount_minor: int
    instalment_minor: int
    instalments: tuple[InstalmentPrice, ...]
    total_cost_minor: int
    merchant_cost_minor: int
    annualised_rate_ppm: int
    daily_ppm: int
    late_terms: LateTerms
    plan: Plan
    on: date
    unit: UnitPeriod | None

    @property
    def executed(self) -> tuple[object, ...]:
        """What a draw at this price carries out: two prices of which it is the same are one plan.

        What they come to a year by the very days may differ: it is said of the day that it was said on.
        """
        return self.version, self.tenor, self.instalments, self.total_cost_minor, self.late_terms

    @property
    def runs(self) -> tuple[Run, ...]:
        """How its parts are told in a line (`runs_of`)."""
        return runs_of(self.instalments)

    @property
    def rates(self) -> Rates:
        """What it costs a year by other formulas too: reckoned when it is shown, not for every price compared."""
        paid = tuple((part.due_on, part.amount_minor) for part in self.instalments)
        rhythm = None if self.daily_ppm else self.plan.rhythm
        return yearly_rates(self.annualised_rate_ppm, self.amount_minor, paid, self.on, rhythm, self.unit)


def offers(
    product: Product, amount_minor: int, scene: Scene, on: date, mode: Mode | None = None
) -> list[PriceOption]:
    """Every way in which a product pays that amount in that scene, the shortest first; empty when it pays none there.

    Limits of a person are not known here: the product's highest limit is the only one.
    mode  one of the product's; None: its first
    """
    if product.scenes.refuse(scene) or not 0 < amount_minor <= product.limit.maximum_minor:
        return []
    return price_options(product, product.calendar_in(mode or product.modes[0], on), amount_minor, on)


def price_options(
    product: Product,
    cycle: Cycle | Dates,
    amount_minor: int,
    on: date,
    merchant_share_ppm: int = 0,
    tenors: Collection[int] | None = None,
) -> list[PriceOption]:
    """The prices of an amount (> 0) on a line's own days, the shortest tenor first.

    merchant_share_ppm  of the fee, carried by the merchant; with a share that is not allowed tenor 1 stands alone
    tenors              only these; None: all of the product. What the amount is too small for is left out
    """
    options = []
    for tenor in product.tenors:
        if tenors is not None and tenor not in tenors:
            continue
        if tenor > 1 and amount_minor < product.instalments.minimum_minor:
            continue
        terms = terms_of(product, cycle, tenor, merchant_share_ppm if tenor > 1 else 0)
        if terms is not None:
            options.append(_option(product, cycle, schedule(terms, amount_minor, on), tenor, on))
    return options


def runs_of(parts: Iterable[InstalmentPrice]) -> tuple[Run, ...]:
    """The parts of a plan by equal amounts, in their order: what pages, previews and offers say of it.

    Instalments that are all the same are one run. A down payment, a first part of interest alone and the part with the
    odd units are runs of their own; where principal is repaid in equal parts and interest falls, each part is one.
    """
    found = []
    for amount_minor, same in groupby(parts, key=lambda part: part.amount_minor):
        days = [part.due_on for part in same]
        found.append(Run(len(days), amount_minor, _are_monthly(days)))
    return tuple(found)


def each_of(runs: Sequence[Run]) -> Run | None:
    """The run that stands for a plan, the longest; None where no part is like its neighbour."""
    longest = max(runs, key=lambda run: run.count)
    return longest if longest.count > 1 or len(runs) == 1 else None


def _are_monthly(days: Sequence[date]) -> bool:
    """Whether dates are a month apart; a day that a month lacks became its last: the highest is the one meant."""
    meant = max(day.day for day in days)
    return len(days) > 1 and all(add_months(one, 1, meant) == other for one, other in pairwise(days))


def late_terms(product: Product) -> LateTerms:
    """What a product takes after the due date."""
    revolving_ppm, late_ppm = product.interest.revolving_daily_ppm, product.interest.late_daily_ppm
    return LateTerms(revolving_ppm, late_ppm, annualised_daily_ppm(max(revolving_ppm, late_ppm)))


def _option(product: Product, cycle: Cycle | Dates, plan: Plan, tenor: int, on: date) -> PriceOption:
    charges = plan.charges_minor
    parts = [
        (due_on, principal, charge, principal + charge)
        for due_on, principal, charge in zip(plan.due_on, plan.principal_parts, charges, strict=True)
    ]
    return PriceOption(
        product=product.id,
        version=product.version,
        tenor=tenor,
        amount_minor=plan.amount_minor,
        instalment_minor=parts[0 if tenor == 1 else tenor // 2][-1],
        instalments=tuple(InstalmentPrice(n, *part) for n, part in enumerate(parts, 1)),
        total_cost_minor=sum(charges),
        merchant_cost_minor=plan.subsidy_minor,
        annualised_rate_ppm=annualised_rate_ppm(plan),
        daily_ppm=plan.daily_ppm,
        late_terms=late_terms(product),
        plan=plan,
        on=on,
        unit=unit_of(cycle),
    )
