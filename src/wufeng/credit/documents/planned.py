"""How the parts of a plan came about: the price of the draw's version, its rounding, and who is left the rest.

The figures are those of the very draw: its amount, the terms of the product version (and tier) that it was made by, and
the merchant's share of its order. Each part of the plan is what its steps come to, to the minor unit.
"""

from collections.abc import Sequence
from fractions import Fraction
from uuid import UUID

from msgspec import Struct

from wufeng.credit.documents.steps import Explained, Rounding, Why, comes_to
from wufeng.credit.documents.texts import exact, money, say
from wufeng.credit.draws.model import Draw
from wufeng.credit.draws.rules import calendar_of
from wufeng.credit.lines.model import Line
from wufeng.credit.plans.model import Plan, Terms
from wufeng.credit.plans.rules import equal_payment, period_rates, round_ratio, schedule, terms_of
from wufeng.credit.products.model import Method, Product, Remainder
from wufeng.credit.rates.rules import PPM
from wufeng.credit.texts import percent_text

YEAR_DAYS = 360
"""Days of a year of twelve equal months: by them a product's yearly rate is spread over its periods (PRODUCTS.md 1)."""


class Planned(Struct, frozen=True):
    """A draw's plan as it was made, before anything was paid early or refunded.

    rates  what each period bears, in 1 / whole of the balance; empty where the price is a fee
    """

    draw_id: UUID
    amount_minor: int
    terms: Terms
    plan: Plan
    rates: tuple[int, ...] = ()
    whole: int = 1

    @property
    def cost_minor(self) -> int:
        """The whole price, whoever carries it."""
        return self.plan.total_cost_minor + self.plan.subsidy_minor

    def interest_of(self, part: int) -> int:
        """The interest of a part, whoever carries it."""
        return self.plan.interest_parts[part] + self.plan.subsidy_parts[part]

    def left_before(self, part: int) -> int:
        """The principal that no part before has repaid."""
        return self.amount_minor - sum(self.plan.principal_parts[:part])

    def days_of(self, rates: Sequence[int]) -> int:
        """How many days of a year of 360 some periods bear interest for."""
        days = Fraction(sum(rates) * PPM * YEAR_DAYS, self.whole * self.terms.annual_ppm)
        assert days.denominator == 1, "a product's periods are whole days"
        return days.numerator


def planned(draw: Draw, line: Line, product: Product) -> Planned:
    """The plan that a posted draw was made by; `product` is its version at the line's tier.

    Asserts that the version still has the tenor: a version never changes.
    """
    assert draw.posted_on is not None, "only what was posted has a plan"
    terms = terms_of(product, calendar_of(line, product), draw.tenor, draw.merchant_share_ppm)
    assert terms is not None, "a version never changes"
    plan = schedule(terms, draw.amount_minor, draw.posted_on)
    if not terms.annual_ppm:
        return Planned(draw.id, draw.amount_minor, terms, plan)
    rates = period_rates(terms.annual_ppm, terms.day_count, terms.cycle, draw.posted_on, plan.due_on)
    return Planned(draw.id, draw.amount_minor, terms, plan, *rates)


class PlanWords(Struct, frozen=True):
    """Explains the parts (0-based) of plans in one currency and language."""

    currency: str
    language: str

    def principal(self, one: Planned, part: int) -> list[Explained]:
        """The steps of a part's principal. Asserts that they come to it."""
        if one.terms.annual_ppm and one.terms.method is Method.EQUAL_PAYMENT:
            steps = self._of_equal_payments(one, part)
        elif one.terms.annual_ppm and one.terms.method is Method.EQUAL_PRINCIPAL:
            steps = [self._share(self._principal(one.amount_minor), one, part)]
        elif one.terms.annual_ppm:
            steps = self._of_payment(self._flat_interest(one), one.interest_of(part), one, part)
        else:
            steps = self._of_payment(self._cost(one), one.plan.fee_parts[part], one, part)
        return _adding_up(steps, one.plan.principal_parts[part])

    def fee(self, one: Planned, part: int) -> list[Explained]:
        """The steps of a part's fee. Asserts that they come to it."""
        return _adding_up([self._share(self._cost(one), one, part)], one.plan.fee_parts[part])

    def interest(self, one: Planned, part: int) -> list[Explained]:
        """The steps of a part's interest. Asserts that they come to it."""
        is_flat = one.terms.method is Method.FLAT
        step = (
            self._share(self._flat_interest(one), one, part) if is_flat else self._period_interest(one, part)
        )
        steps = [step]
        if one.plan.subsidy_parts[part]:
            steps.append(self._merchant_share(one, one.interest_of(part), one.plan.subsidy_parts[part]))
        return _adding_up(steps, one.plan.interest_parts[part])

    def told(self, steps: Sequence[Explained]) -> list[str]:
        """The sentences of some steps; a share's follows that of its whole."""
        told: list[str] = []
        for step in steps:
            if step.whole is not None and step.whole.steps:
                told.append(step.whole.sentence)
            told.append(step.sentence)
        return told

    def _of_payment(self, cost: Explained, cost_minor: int, one: Planned, part: int) -> list[Explained]:
        """Principal as what is left of a payment, when the cost of the part is off; without a cost all of it is."""
        principal = self._principal(one.amount_minor)
        if not cost.amount_minor:
            return [self._share(principal, one, part)]
        whole_minor = one.amount_minor + cost.amount_minor
        whole = Explained(
            code=Why.WITH_COST,
            amount_minor=whole_minor,
            sentence=self._say(
                "with_interest" if one.terms.annual_ppm else "with_fee",
                principal=principal.sentence,
                cost=self._money(cost.amount_minor),
                whole=self._money(whole_minor),
            ),
            steps=(principal, cost),
        )
        less = Why.LESS_INTEREST if one.terms.annual_ppm else Why.LESS_FEE
        return [self._share(whole, one, part), self._less(less, cost_minor)]

    def _of_equal_payments(self, one: Planned, part: int) -> list[Explained]:
        """Principal as what is left of the equal payment; the last part takes all that is left."""
        payment, cost_minor = self._equal_payment(one), one.interest_of(part)
        principal_minor = one.plan.principal_parts[part]
        is_last = part == one.terms.tenor - 1
        if not is_last and payment.amount_minor == principal_minor + cost_minor:
            return [payment, self._less(Why.LESS_INTEREST, cost_minor)]
        earlier_minor = one.amount_minor - one.left_before(part)
        principal = self._principal(one.amount_minor)
        return [principal, *([self._step(Why.EARLIER_PARTS, -earlier_minor)] if earlier_minor else [])]

    def _equal_payment(self, one: Planned) -> Explained:
        """The annuity's payment, and what moved it so that the last one differs less."""
        terms, tenor = one.terms, one.terms.tenor
        found_minor = equal_payment(terms, one.amount_minor, one.rates, one.whole)
        # A long first period may bear more interest than a payment: then it repays nothing, and the next ones do.
        repaying = (part for part in range(tenor - 1) if one.plan.principal_parts[part])
        first = next(repaying, None)
        paid_minor = (
            found_minor if first is None else one.plan.principal_parts[first] + one.interest_of(first)
        )
        is_even, first_days = len(set(one.rates)) == 1, one.days_of(one.rates[:1])
        found = Explained(
            code=Why.ANNUITY,
            amount_minor=found_minor,
            balance_minor=one.amount_minor,
            annual_ppm=terms.annual_ppm,
            tenor=tenor,
            rounding=Rounding.HALF_EVEN,
            days=None if is_even else first_days,
            sentence=self._say(
                "annuity" if is_even else "annuity_first",
                days=first_days,
                year_days=YEAR_DAYS,
                balance=self._money(one.amount_minor),
                rate=percent_text(terms.annual_ppm),
                tenor=tenor,
                amount=self._money(found_minor),
            ),
        )
        moved = self._step(Why.LEVELLED, paid_minor - found_minor)
        steps = (found, moved) if moved.amount_minor else (found,)
        return Explained(
            code=Why.EQUAL_PAYMENT,
            amount_minor=paid_minor,
            sentence=self._say("and").join(step.sentence for step in steps),
            steps=steps,
        )

    def _period_interest(self, one: Planned, part: int) -> Explained:
        """What is left of the principal, at the yearly rate, for the days of the period."""
        left_minor, days = one.left_before(part), one.days_of(one.rates[part : part + 1])
        return self._by_rate(Why.PERIOD_INTEREST, one, left_minor, days, one.interest_of(part))

    def _flat_interest(self, one: Planned) -> Explained:
        """The whole amount, at the yearly rate, for the days of all periods."""
        interest_minor = sum(one.interest_of(part) for part in range(one.terms.tenor))
        days = one.days_of(one.rates)
        return self._by_rate(Why.FLAT_INTEREST, one, one.amount_minor, days, interest_minor)

    def _by_rate(
        self, code: Why, one: Planned, balance_minor: int, days: int, amount_minor: int
    ) -> Explained:
        annual_ppm = one.terms.annual_ppm
        assert amount_minor == round_ratio(balance_minor * annual_ppm * days, PPM * YEAR_DAYS)
        return Explained(
            code=code,
            amount_minor=amount_minor,
            rounding=Rounding.HALF_EVEN,
            balance_minor=balance_minor,
            annual_ppm=annual_ppm,
            days=days,
            year_days=YEAR_DAYS,
            sentence=self._say(
                code.value,
                balance=self._money(balance_minor),
                rate=percent_text(annual_ppm),
                days=days,
                year_days=YEAR_DAYS,
                amount=self._money(amount_minor),
            ),
        )

    def _cost(self, one: Planned) -> Explained:
        """A plan's whole fee by its price, less what the merchant carries of it."""
        steps = [self._price(one)] if one.cost_minor else []
        if one.plan.subsidy_minor:
            steps.append(self._merchant_share(one, one.cost_minor, one.plan.subsidy_minor))
        cost_minor = one.cost_minor - one.plan.subsidy_minor
        steps = _adding_up(steps, cost_minor, Rounding.HALF_EVEN)
        return Explained(
            code=Why.COST,
            amount_minor=cost_minor,
            rounding=Rounding.HALF_EVEN,
            sentence=self._say("and").join(step.sentence for step in steps),
            steps=tuple(steps),
        )

    def _price(self, one: Planned) -> Explained:
        """The price of all periods: a share of the amount at once, or a rounded share of it with each."""
        terms, tenor = one.terms, one.terms.tenor
        assert not (terms.fee_ppm and terms.fee_period_ppm), "a price is one of the three"
        share_ppm = terms.fee_ppm or terms.fee_period_ppm
        micro = one.amount_minor * share_ppm
        once, code = bool(terms.fee_ppm), Why.FEE_OF_AMOUNT if terms.fee_ppm else Why.FEE_A_PERIOD
        return Explained(
            code=code,
            amount_micro=micro if once else None,
            amount_minor=None if once else one.cost_minor,
            balance_minor=one.amount_minor,
            share_ppm=share_ppm,
            tenor=None if once else tenor,
            rounding=None if once else Rounding.HALF_EVEN,
            sentence=self._say(
                code.value,
                balance=self._money(one.amount_minor),
                share=percent_text(share_ppm),
                exact=exact(micro, self.currency),
                each=self._money(round_ratio(micro, PPM)),
                tenor=tenor,
                amount=self._money(one.cost_minor),
            ),
        )

    def _merchant_share(self, one: Planned, of_minor: int, carried_minor: int) -> Explained:
        return Explained(
            code=Why.MERCHANT_SHARE,
            amount_minor=-carried_minor,
            rounding=Rounding.HALF_EVEN,
            balance_minor=of_minor,
            share_ppm=one.terms.merchant_share_ppm,
            sentence=self._say(
                "merchant_share",
                whole=self._money(of_minor),
                share=percent_text(one.terms.merchant_share_ppm),
                amount=self._money(carried_minor),
                left=self._money(of_minor - carried_minor),
            ),
        )

    def _share(self, whole: Explained, one: Planned, part: int) -> Explained:
        """A part's share of a whole: an equal part, rounded, or what the equal ones leave."""
        assert whole.amount_minor is not None, "a whole that is split is in minor units"
        tenor, remainder = one.terms.tenor, one.terms.remainder
        equal_minor = round_ratio(whole.amount_minor, tenor)
        is_down = equal_minor * (tenor - 1) > whole.amount_minor
        if is_down:
            equal_minor = whole.amount_minor // tenor
        odd_minor = whole.amount_minor - equal_minor * (tenor - 1)
        is_odd = part == (0 if remainder is Remainder.FIRST else tenor - 1)
        codes = ("share_down" if is_down else "share", f"share_{remainder.value}")
        return Explained(
            code=Why.SHARE,
            amount_minor=odd_minor if is_odd else equal_minor,
            rounding=None if is_odd or is_down else Rounding.HALF_EVEN,
            whole=whole,
            tenor=tenor,
            instalment=part + 1,
            remainder=remainder if is_odd else None,
            sentence=self._say(
                codes[is_odd],
                whole=self._money(whole.amount_minor),
                tenor=tenor,
                others=tenor - 1,
                equal=self._money(equal_minor),
                odd=self._money(odd_minor),
            ),
        )

    def _principal(self, amount_minor: int) -> Explained:
        return self._step(Why.PRINCIPAL, amount_minor)

    def _less(self, code: Why, amount_minor: int) -> Explained:
        sentence = self._say(code.value, amount=self._money(amount_minor))
        return Explained(code=code, amount_minor=-amount_minor, sentence=sentence)

    def _step(self, code: Why, amount_minor: int) -> Explained:
        return Explained(
            code=code,
            amount_minor=amount_minor,
            sentence=self._say(f"step_{code.value}", amount=self._money(amount_minor)),
        )

    def _say(self, code: str, **values: str | int) -> str:
        return say(code, self.language, **values)

    def _money(self, amount_minor: int) -> str:
        return money(amount_minor, self.currency)


def _adding_up(
    steps: list[Explained], amount_minor: int, rounding: Rounding | None = None
) -> list[Explained]:
    assert comes_to(steps, rounding) == amount_minor, "a part of a plan is what its steps come to"
    return steps
