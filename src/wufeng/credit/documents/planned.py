"""How the parts of a plan came about: the price of the draw's version, its rounding, and who is left the rest.

The figures are those of the very draw: its amount, the terms of the product version (and tier) that it was made by, and
the merchant's share of its order. Each part of the plan is what its steps come to, to the minor unit.
"""

from collections.abc import Sequence
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from wufeng.base.rates import percent_text
from wufeng.credit.documents.steps import Explained, Why, comes_to
from wufeng.credit.documents.texts import exact, money, say
from wufeng.credit.draws.model import Draw
from wufeng.credit.draws.rules import calendar_of
from wufeng.credit.lines.model import Line
from wufeng.credit.plans.model import Plan, Terms
from wufeng.credit.plans.rules import (
    Days,
    equal_payment,
    period_days,
    period_rates,
    round_ratio,
    round_to_multiple,
    schedule,
    terms_of,
)
from wufeng.credit.products.model import Cycle, Method, Product, Remainder, Rounding
from wufeng.credit.rates.rules import PPM

LEAP_YEAR = 366
MONTH = Days(30, 0, 360)
"""A period that goes without saying."""


class Planned(Struct, frozen=True):
    """A draw's plan as it was made, before anything was paid early or refunded.

    amount_minor, plan  of the parts that come after a down payment
    down_minor          the part before them; 0: there is none
    rates  what each period bears, in 1 / whole of the balance; empty where the price is a fee      spans  by its days
    """

    draw_id: UUID
    amount_minor: int
    terms: Terms
    plan: Plan
    down_minor: int = 0
    rates: tuple[int, ...] = ()
    whole: int = 1
    spans: tuple[Days, ...] = ()

    @property
    def count(self) -> int:
        """How many parts come after a down payment."""
        return len(self.plan.principal_parts)

    @property
    def beside(self) -> int:
        """The first part that repays principal: behind one of interest alone, if there is one."""
        return self.count - self.terms.tenor

    @property
    def cost_minor(self) -> int:
        """The whole price, whoever carries it."""
        return self.plan.total_cost_minor + self.plan.subsidy_minor

    def interest_of(self, part: int) -> int:
        """The interest of a part, whoever carries it."""
        return self.plan.interest_parts[part] + self.plan.subsidy_parts[part]

    @property
    def cycle(self) -> Cycle | None:
        """The days of its line; None: it has dates of its own."""
        return self.terms.cycle if isinstance(self.terms.cycle, Cycle) else None

    def charges_of(self, part: int) -> tuple[int, int]:
        """The fee and the interest that the person was to pay with a part of the draw (a down payment is the first)."""
        part -= bool(self.down_minor)
        if part < 0:
            return 0, 0
        return self.plan.fee_parts[part], self.plan.interest_parts[part] if self.plan.interest_parts else 0

    def left_before(self, part: int) -> int:
        """The principal that no part before has repaid."""
        return self.amount_minor - sum(self.plan.principal_parts[:part])


def planned(draw: Draw, line: Line, product: Product) -> Planned:
    """The plan that a posted draw was made by; `product` is its version at the line's tier.

    Asserts that the version still has the tenor: a version never changes.
    """
    assert draw.posted_on is not None, "only what was posted has a plan"
    terms = terms_of(product, calendar_of(line, product), draw.tenor, draw.merchant_share_ppm)
    assert terms is not None, "a version never changes"
    plan = schedule(terms, draw.amount_minor, draw.posted_on)
    down_minor = plan.principal_parts[0] if terms.down_payment_ppm else 0
    plan = _without_first(plan) if down_minor else plan
    one = Planned(draw.id, draw.amount_minor - down_minor, terms, plan, down_minor)
    if not terms.annual_ppm:
        return one
    by = (terms.day_count, terms.cycle, draw.posted_on, plan.due_on)
    rates, whole = period_rates(terms.annual_ppm, *by)
    return replace(one, rates=rates, whole=whole, spans=period_days(*by))


def assert_made(draw: Draw, one: Planned) -> None:
    """Assert that a plan is the one that made its draw, as far as the draw still tells: nothing was refunded of it.

    Its charges stand as they were while some of it is to be billed and nothing of that was paid early.
    """
    if sum(draw.principal_parts) != draw.amount_minor:
        return
    down = (one.down_minor,) if one.down_minor else ()
    assert draw.principal_parts == (*down, *one.plan.principal_parts), f"another plan made draw {draw.id}"
    if draw.unbilled_minor and not draw.prepaid_minor:
        charges = [(draw.fee_of(part), draw.interest_of(part)) for part in range(draw.tenor)]
        made = [one.charges_of(part) for part in range(draw.tenor)]
        assert charges == made, f"another plan made the charges of draw {draw.id}"


def _without_first(plan: Plan) -> Plan:
    return replace(
        plan,
        principal_parts=plan.principal_parts[1:],
        fee_parts=plan.fee_parts[1:],
        subsidy_parts=plan.subsidy_parts[1:],
        due_on=plan.due_on[1:],
        interest_parts=plan.interest_parts[1:],
    )


class PlanWords(Struct, frozen=True):
    """Explains the parts (0-based) of plans in one currency and language."""

    currency: str
    language: str

    def principal(self, one: Planned, part: int) -> list[Explained]:
        """The steps of a part's principal. Asserts that they come to it."""
        if one.down_minor:
            if not part:
                return [self._down_payment(one)]
            part -= 1
        if one.terms.annual_ppm and one.terms.method is Method.EQUAL_PAYMENT:
            steps = self._of_equal_payments(one, part)
        elif one.terms.annual_ppm and one.terms.method is Method.EQUAL_PRINCIPAL:
            steps = [self._share(self._principal(one), one, part, one.terms.multiple_minor)]
        elif one.terms.annual_ppm:
            steps = self._of_payment(self._flat_interest(one), one.interest_of(part), one, part)
        else:
            steps = self._of_payment(self._cost(one), one.plan.fee_parts[part], one, part)
        return _adding_up(steps, one.plan.principal_parts[part])

    def fee(self, one: Planned, part: int) -> list[Explained]:
        """The steps of a part's fee. Asserts that they come to it."""
        part -= bool(one.down_minor)
        return _adding_up([self._share(self._cost(one), one, part)], one.plan.fee_parts[part])

    def interest(self, one: Planned, part: int) -> list[Explained]:
        """The steps of a part's interest. Asserts that they come to it."""
        part -= bool(one.down_minor)
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
        principal = self._principal(one)
        if not cost.amount_minor:
            return [self._share(principal, one, part, one.terms.multiple_minor)]
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
        shared = self._share(whole, one, part, one.terms.multiple_minor)
        return [shared, self._less(less, cost_minor)]

    def _of_equal_payments(self, one: Planned, part: int) -> list[Explained]:
        """Principal as what is left of the equal payment; the last part takes all that is left."""
        payment, cost_minor = self._equal_payment(one), one.interest_of(part)
        principal_minor = one.plan.principal_parts[part]
        is_last = part == one.count - 1
        if not is_last and payment.amount_minor == principal_minor + cost_minor:
            return [payment, self._less(Why.LESS_INTEREST, cost_minor)]
        earlier_minor = one.amount_minor - one.left_before(part)
        principal = self._principal(one)
        return [principal, *([self._step(Why.EARLIER_PARTS, -earlier_minor)] if earlier_minor else [])]

    def _equal_payment(self, one: Planned) -> Explained:
        """The annuity's payment, and what moved it so that the last one differs less."""
        terms, tenor = one.terms, one.terms.tenor
        rates, first_span = one.rates[one.beside :], one.spans[one.beside]
        found_minor = equal_payment(terms, one.amount_minor, rates, one.whole)
        # A long first period may bear more interest than a payment: then it repays nothing, and the next ones do.
        repaying = (part for part in range(one.beside, one.count - 1) if one.plan.principal_parts[part])
        first = next(repaying, None)
        paid_minor = (
            found_minor if first is None else one.plan.principal_parts[first] + one.interest_of(first)
        )
        is_even = set(one.spans[one.beside :]) == {MONTH}
        found = Explained(
            code=Why.ANNUITY,
            amount_minor=found_minor,
            balance_minor=one.amount_minor,
            annual_ppm=terms.annual_ppm,
            tenor=tenor,
            rounding=Rounding.HALF_EVEN,
            multiple_minor=terms.multiple_minor if terms.multiple_minor > 1 else None,
            days=None if is_even else first_span.days,
            leap_days=None if is_even else first_span.leap or None,
            sentence=self._say(
                "annuity" if is_even else "annuity_first",
                span=_span_text(first_span),
                rounding=self._rounding(Rounding.HALF_EVEN, terms.multiple_minor),
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
        left_minor, span = one.left_before(part), one.spans[part]
        return self._by_rate(Why.PERIOD_INTEREST, one, left_minor, span, one.interest_of(part))

    def _flat_interest(self, one: Planned) -> Explained:
        """The whole amount, at the yearly rate, for the days of all periods."""
        interest_minor = sum(one.interest_of(part) for part in range(one.count))
        all_days = Days(
            sum(span.days for span in one.spans), sum(span.leap for span in one.spans), one.spans[0].year_days
        )
        return self._by_rate(Why.FLAT_INTEREST, one, one.amount_minor, all_days, interest_minor)

    def _by_rate(
        self, code: Why, one: Planned, balance_minor: int, span: Days, amount_minor: int
    ) -> Explained:
        annual_ppm, rounding = one.terms.annual_ppm, one.terms.rounding
        parts = span.days * LEAP_YEAR + span.leap * span.year_days
        whole = PPM * LEAP_YEAR * span.year_days
        assert amount_minor == round_ratio(balance_minor * annual_ppm * parts, whole, rounding)
        return Explained(
            code=code,
            amount_minor=amount_minor,
            rounding=rounding,
            balance_minor=balance_minor,
            annual_ppm=annual_ppm,
            days=span.days,
            year_days=span.year_days,
            leap_days=span.leap or None,
            sentence=self._say(
                code.value,
                balance=self._money(balance_minor),
                rate=percent_text(annual_ppm),
                span=_span_text(span),
                rounding=self._rounding(rounding),
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

    def _share(self, whole: Explained, one: Planned, part: int, multiple_minor: int = 1) -> Explained:
        """A part's share of a whole: an equal part, rounded to a multiple, or what the equal ones leave."""
        assert whole.amount_minor is not None, "a whole that is split is in minor units"
        tenor, remainder = one.terms.tenor, one.terms.remainder
        equal_minor = round_to_multiple(whole.amount_minor, tenor, multiple_minor)
        is_down = equal_minor * (tenor - 1) > whole.amount_minor
        if is_down:
            equal_minor = whole.amount_minor // (tenor * multiple_minor) * multiple_minor
        odd_minor = whole.amount_minor - equal_minor * (tenor - 1)
        is_odd = part == (0 if remainder is Remainder.FIRST else tenor - 1)
        codes = ("share_down" if is_down else "share", f"share_{remainder.value}")
        return Explained(
            code=Why.SHARE,
            amount_minor=odd_minor if is_odd else equal_minor,
            rounding=None if is_odd or is_down else Rounding.HALF_EVEN,
            multiple_minor=multiple_minor if multiple_minor > 1 else None,
            whole=whole,
            tenor=tenor,
            instalment=part + 1,
            remainder=remainder if is_odd else None,
            sentence=self._say(
                codes[is_odd],
                whole=self._money(whole.amount_minor),
                tenor=tenor,
                others=tenor - 1,
                rounding=self._rounding(Rounding.HALF_EVEN, multiple_minor),
                equal=self._money(equal_minor),
                odd=self._money(odd_minor),
            ),
        )

    def _principal(self, one: Planned) -> Explained:
        """What the parts repay together: the principal, or what a down payment leaves of it."""
        if not one.down_minor:
            return self._step(Why.PRINCIPAL, one.amount_minor)
        sentence = self._say("step_principal_left", amount=self._money(one.amount_minor))
        return Explained(code=Why.PRINCIPAL, amount_minor=one.amount_minor, sentence=sentence)

    def _down_payment(self, one: Planned) -> Explained:
        """The part that is due before all others: a share of the amount."""
        terms, whole_minor = one.terms, one.amount_minor + one.down_minor
        assert one.down_minor == round_to_multiple(
            whole_minor * terms.down_payment_ppm, PPM, terms.multiple_minor
        )
        return Explained(
            code=Why.DOWN_PAYMENT,
            amount_minor=one.down_minor,
            rounding=Rounding.HALF_EVEN,
            multiple_minor=terms.multiple_minor if terms.multiple_minor > 1 else None,
            balance_minor=whole_minor,
            share_ppm=terms.down_payment_ppm,
            sentence=self._say(
                "step_down_payment",
                balance=self._money(whole_minor),
                share=percent_text(terms.down_payment_ppm),
                rounding=self._rounding(Rounding.HALF_EVEN, terms.multiple_minor),
                amount=self._money(one.down_minor),
            ),
        )

    def _rounding(self, rounding: Rounding, multiple_minor: int = 1) -> str:
        """A rule of rounding in words."""
        if multiple_minor > 1:
            return self._say("rounding_multiple", multiple=self._money(multiple_minor))
        return self._say(f"rounding_{rounding}")

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


def _span_text(span: Days) -> str:
    """Days as parts of a year: 31/365, or (11/365 + 20/366)."""
    common, leap = f"{span.days}/{span.year_days}", f"{span.leap}/{LEAP_YEAR}"
    if not span.leap:
        return common
    return f"({common} + {leap})" if span.days else leap


def _adding_up(
    steps: list[Explained], amount_minor: int, rounding: Rounding | None = None
) -> list[Explained]:
    assert comes_to(steps, rounding) == amount_minor, "a part of a plan is what its steps come to"
    return steps
