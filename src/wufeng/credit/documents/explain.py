"""How each amount of a bill or a repayment came about: as data that adds up, and as a sentence.

An amount opens into steps. Steps in minor units add up; steps in millionths (interest, shares) are added first and
rounded once by the rule that stands beside them. What refunds, reversals and plans have changed since is a step of its
own, `adjusted`, so that every amount is explained to the fen whatever has happened to it.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from wufeng.base.ids import Prefix, encode
from wufeng.base.rates import percent_text
from wufeng.credit.accruals.model import MICRO, Segment, round_micro
from wufeng.credit.accruals.rules import Bearing, interest_to_bill
from wufeng.credit.bills.model import Bill, BillItem, BillItems
from wufeng.credit.documents.pieces import before_bill, of_instalment, on_bill, posted
from wufeng.credit.documents.planned import Planned, PlanWords
from wufeng.credit.documents.steps import Explained, Why, comes_to
from wufeng.credit.documents.texts import exact, money, say
from wufeng.credit.draws.model import Draw
from wufeng.credit.history.model import Refunded
from wufeng.credit.products.model import Minimum, Pieces, Product, Rest, Rounding
from wufeng.credit.repayments.model import Paid, Repayment


class BillSources(Struct, frozen=True):
    """What a bill's amounts come from, as it stands on a date.

    earlier  bills and draws whose interest it took, and the draws of its items
    repayments, refunds  those of its line, in any order
    plans    of its items' draws in instalments; the parts of one that is not there are told without their formula
    used_minor  principal of which it asks for a part only, where its product bills no more than that (`used_at_issue`)
    """

    bill: Bill
    items: BillItems
    product: Product
    currency: str
    on: date
    earlier: Mapping[UUID, Bill | Draw] = {}
    repayments: Sequence[Repayment] = ()
    plans: Mapping[UUID, Planned] = {}
    used_minor: int | None = None
    refunds: Sequence[Refunded] = ()


def explain_bill(sources: BillSources, language: str) -> tuple[Explained, ...]:
    """The total by its parts, the minimum, what was paid, and the interest that no bill holds yet.

    The last two only where there is any. Asserts that each amount is what its steps come to.
    """
    return Words(sources.currency, language).bill(sources)


def explain_plan(
    draw: Draw, one: Planned, currency: str, language: str, repayments: Sequence[Repayment] = ()
) -> tuple[Explained, ...]:
    """A plan by its instalments as they stand, each by the formula it was made by; then its cost, if it has any.

    repayments  of its line: charges may have fallen away with one
    """
    return Words(currency, language).plan(draw, one, repayments)


class Words(Struct, frozen=True):
    """Makes explanations in one currency and language."""

    currency: str
    language: str

    def bill(self, sources: BillSources) -> tuple[Explained, ...]:
        """The amounts of a bill: see `explain_bill`."""
        bill, items = sources.bill, sources.items.items
        before = [one for one in sources.repayments if one.value_on < bill.issued_on]
        singles = [item for item in items if item.tenor == 1]
        plans = [item for item in items if item.tenor > 1]
        parts = [
            self._of_items(
                Why.PURCHASES,
                bill.single_minor,
                [self._purchase(i, sources) for i in singles],
                self._refunds_of(singles, sources),
            ),
            self._of_items(
                Why.INSTALMENTS,
                bill.instalment_minor,
                [self.item(Why.INSTALMENT, i, sources.plans, before) for i in plans],
                self._refunds_of(plans, sources),
            ),
            self._of_items(
                Why.INSTALMENT_FEES,
                bill.fee_minor,
                [self.item(Why.INSTALMENT_FEE, i, sources.plans, before) for i in plans],
            ),
            self._interest(sources, before),
            self._late_interest(bill, sources.on),
        ]
        parts = [part for part in parts if part.amount_minor or part.steps]
        accrued_minor = interest_to_bill(bill, sources.on)
        amounts = [
            self.made(Why.TOTAL, bill.total_minor, parts),
            self._minimum(bill, sources),
        ]
        if bill.paid_minor:
            amounts.append(self._paid(sources))
        if accrued_minor:
            amounts.append(self.earned(Why.ACCRUED, bill, sources.on, accrued_minor))
        return tuple(amounts)

    def item(
        self,
        code: Why,
        item: BillItem,
        plans: Mapping[UUID, Planned],
        repayments: Sequence[Repayment] = (),
    ) -> Explained:
        """A draw's part on a bill: its principal, its fee or its interest, by the plan where it has one.

        repayments  that may have paid a part of it before, or let it fall away
        """
        amounts = {Why.INSTALMENT_FEE: item.fee_minor, Why.INSTALMENT_INTEREST: item.interest_minor}
        amount_minor = amounts.get(code, item.principal_minor)
        said = Explained(
            code=code,
            amount_minor=amount_minor,
            of=encode(Prefix.DRAW, item.draw_id),
            instalment=item.part + 1,
            tenor=item.tenor,
            sentence=self.say(
                code.value, amount=self.money(amount_minor), instalment=item.part + 1, tenor=item.tenor
            ),
        )
        one = plans.get(item.draw_id)
        if one is None or not amount_minor:
            return said
        paid, tell = (
            (Paid.UNBILLED, self._repaid) if code is Why.INSTALMENT else (Paid.FEE_DROPPED, self._fell)
        )
        early = [
            tell(repayment, -minor)
            for repayment in posted(repayments)
            if (minor := of_instalment(repayment, item, paid))
        ]
        return self._by_plan(said, one, item.part, early)

    def _by_plan(self, said: Explained, one: Planned, part: int, early: Sequence[Explained]) -> Explained:
        """A part with the formula of its plan, and with what has become of it since."""
        assert said.amount_minor is not None, "parts are in minor units"
        words = PlanWords(self.currency, self.language)
        by_code = {Why.INSTALMENT_FEE: words.fee, Why.INSTALMENT_INTEREST: words.interest}
        steps = by_code.get(said.code, words.principal)(one, part)
        steps = [*steps, *early] if comes_to([*steps, *early], None) >= said.amount_minor else steps
        filled = self.filled(said.amount_minor, steps, Why.CHANGED)
        formula = self.say("and").join(words.told(filled))
        told = self.say("opened", sentence=said.sentence, formula=formula)
        return replace(said, sentence=told, steps=filled)

    def plan(self, draw: Draw, one: Planned, repayments: Sequence[Repayment]) -> tuple[Explained, ...]:
        """The parts of a plan as they stand, and what they cost together."""
        parts = [self._plan_part(draw, one, part, repayments) for part in range(len(draw.principal_parts))]
        cost = [
            self.step(Why.INSTALMENT_FEE, sum(draw.fee_parts)),
            self.step(Why.INSTALMENT_INTEREST, sum(draw.interest_parts)),
        ]
        cost = [step for step in cost if step.amount_minor]
        cost_minor = sum(draw.fee_parts) + sum(draw.interest_parts)
        return (*parts, *([self.made(Why.PLAN_COST, cost_minor, cost)] if cost else []))

    def _plan_part(self, draw: Draw, one: Planned, part: int, repayments: Sequence[Repayment]) -> Explained:
        item = BillItem(
            draw.id,
            part,
            draw.tenor,
            draw.principal_parts[part],
            draw.fee_of(part),
            draw.interest_of(part),
        )
        plans = {draw.id: one}
        steps = [
            self.item(Why.INSTALMENT, item, plans),  # paid early it stays what it is
            self.item(Why.INSTALMENT_FEE, item, plans, repayments),
            self.item(Why.INSTALMENT_INTEREST, item, plans, repayments),
        ]
        steps = [step for step in steps if step.amount_minor]
        amount_minor = sum(step.amount_minor or 0 for step in steps)
        return Explained(
            code=Why.PLAN_PART,
            amount_minor=amount_minor,
            of=encode(Prefix.DRAW, draw.id),
            instalment=part + 1,
            tenor=draw.tenor,
            sentence=self.say(
                "plan_part" if steps else "plan_part_nothing",
                amount=self.money(amount_minor),
                instalment=part + 1,
                tenor=draw.tenor,
                formula=self._sum(steps),
            ),
            steps=tuple(steps),
        )

    def _of_items(
        self, code: Why, amount_minor: int, steps: list[Explained], refunds: Sequence[Explained] = ()
    ) -> Explained:
        """A kind of item; what has changed since is told beside it: by the refunds, where they are all of it."""
        steps = [step for step in steps if step.amount_minor]
        count = len(steps)
        if comes_to([*steps, *refunds], None) == amount_minor:
            steps += refunds
        made = self.made(code, amount_minor, steps, count=count)
        if len(made.steps) == count:
            return made
        told = self.say("changed_since", sentence=made.sentence, formula=self._sum(made.steps))
        return replace(made, sentence=told)

    def _refunds_of(self, items: Sequence[BillItem], sources: BillSources) -> list[Explained]:
        """What refunds gave back of some items' draws since the bill was issued."""
        ids = {item.draw_id for item in items}
        return [
            Explained(
                code=Why.REFUNDED,
                amount_minor=-refund.amount_minor,
                until_on=refund.on,
                of=encode(Prefix.REFUND, refund.refund_id),
                sentence=self.say(
                    "refunded", on=refund.on.isoformat(), amount=self.money(refund.amount_minor)
                ),
            )
            for refund in sources.refunds
            if refund.on >= sources.bill.issued_on and ids.intersection(refund.draw_ids)
        ]

    def _interest(self, sources: BillSources, before: Sequence[Repayment]) -> Explained:
        """The interest that a bill took: of earlier bills and draws, by stretches, and of plans by their rate."""
        until = sources.bill.issued_on - timedelta(days=1)
        steps = []
        for billed in sources.items.interest:
            if (one := sources.earlier.get(billed.of)) is not None:
                why = Why.DRAW_INTEREST if billed.is_draw else Why.BILL_INTEREST
                steps.append(self.earned(why, one, until, billed.amount_minor))
        steps += [
            self.item(Why.INSTALMENT_INTEREST, item, sources.plans, before)
            for item in sources.items.items
            if item.interest_minor
        ]
        return self.made(Why.INTEREST, sources.bill.interest_minor, steps)

    def _late_interest(self, bill: Bill, on: date) -> Explained:
        """The interest of the bill itself that was charged when it was paid between two bills."""
        if not bill.late_interest_minor:
            return Explained(code=Why.LATE_INTEREST, amount_minor=0, sentence="")
        return self.earned(Why.LATE_INTEREST, bill, on, bill.late_interest_minor, interest_to_bill(bill, on))

    def earned(
        self, code: Why, one: Bill | Draw, until: date, amount_minor: int, not_billed_minor: int = 0
    ) -> Explained:
        """Interest up to a date: the stretches, rounded, less what was billed of them before or elsewhere."""
        if one.pieces is Pieces.EACH:
            return self._earned_in_pieces(code, one, until, amount_minor, not_billed_minor)
        steps = [self._stretch(segment) for segment in stretches(one, until)]
        micro = sum(step.amount_micro or 0 for step in steps)
        if one.most_minor is not None and micro > one.most_minor * MICRO:
            cap = self.say("cap", most=self.money(one.most_minor))
            steps.append(Explained(code=Why.CAP, amount_micro=one.most_minor * MICRO - micro, sentence=cap))
            micro = one.most_minor * MICRO
        exact_ = self.say(
            "rounded",
            sum=" + ".join(exact(step.amount_micro or 0, self.currency) for step in steps) or "0",
            rounding=self.say(f"rounding_{one.rounding}"),
            rounded=self.money(round_micro(micro, one.rounding)),
        )
        if not_billed_minor:
            steps.append(self.step(Why.NOT_BILLED_YET, -not_billed_minor))
        otherwise = Why.BILLED_OTHERWISE if steps else Why.PLAN_DAYS
        steps = list(self.filled(amount_minor, steps, otherwise, one.rounding))
        told = [step.sentence for step in steps if step.amount_micro is not None]
        told += [exact_] if len(told) > 1 or micro % MICRO else []
        less = [step.sentence for step in steps if step.amount_minor is not None]
        return self._earned_as(code, one, amount_minor, steps, [*told, *less])

    def _earned_in_pieces(
        self, code: Why, one: Bill | Draw, until: date, amount_minor: int, not_billed_minor: int
    ) -> Explained:
        """The same, where each stretch is rounded by itself."""
        steps = [self._rounded(self._stretch(segment), one.rounding) for segment in stretches(one, until)]
        earned_minor = sum(step.amount_minor or 0 for step in steps)
        if one.most_minor is not None and earned_minor > one.most_minor:
            cap = self.say("cap", most=self.money(one.most_minor))
            steps.append(Explained(code=Why.CAP, amount_minor=one.most_minor - earned_minor, sentence=cap))
        if not_billed_minor:
            steps.append(self.step(Why.NOT_BILLED_YET, -not_billed_minor))
        steps = list(self.filled(amount_minor, steps, Why.BILLED_OTHERWISE if steps else Why.PLAN_DAYS))
        return self._earned_as(code, one, amount_minor, steps, [step.sentence for step in steps])

    def _rounded(self, stretch: Explained, rounding: Rounding) -> Explained:
        assert stretch.amount_micro is not None, "a stretch is exact"
        minor = round_micro(stretch.amount_micro, rounding)
        told = self.say(
            "rounded_stretch",
            stretch=stretch.sentence,
            rounding=self.say(f"rounding_{rounding}"),
            rounded=self.money(minor),
        )
        return replace(stretch, amount_minor=minor, amount_micro=None, rounding=rounding, sentence=told)

    def _earned_as(
        self, code: Why, one: Bill | Draw, amount_minor: int, steps: list[Explained], told: list[str]
    ) -> Explained:
        return Explained(
            code=code,
            amount_minor=amount_minor,
            rounding=one.rounding,
            of=encode(Prefix.BILL if isinstance(one, Bill) else Prefix.DRAW, one.id),
            sentence=self.say(
                f"{code.value}_{_whose(code, one, steps)}",
                amount=self.money(amount_minor),
                issued_on=one.issued_on.isoformat() if isinstance(one, Bill) else "",
                formula=self.say("and").join(told),
            ),
            steps=tuple(steps),
        )

    def _stretch(self, segment: Segment) -> Explained:
        least = segment.least_minor * MICRO > segment.balance_minor * segment.daily_ppm
        first = segment.since_on + timedelta(days=1)
        return Explained(
            code=Why.SEGMENT,
            amount_micro=segment.interest_micro,
            since_on=segment.since_on,
            until_on=segment.until_on,
            days=segment.days,
            balance_minor=segment.balance_minor,
            daily_ppm=segment.daily_ppm,
            least_minor=segment.least_minor or None,
            sentence=self.say(
                "segment_least" if least else "segment",
                balance=self.money(segment.balance_minor),
                rate=percent_text(segment.daily_ppm),
                least=self.money(segment.least_minor),
                days=segment.days,
                first_on=first.isoformat(),
                until_on=segment.until_on.isoformat(),
                interest=exact(segment.interest_micro, self.currency),
            ),
        )

    def _purchase(self, item: BillItem, sources: BillSources) -> Explained:
        """A purchase on a bill: whole, or less what was paid of it before and what other bills take."""
        said = self.item(Why.PURCHASE, item, sources.plans)
        draw = sources.earlier.get(item.draw_id)
        if not isinstance(draw, Draw) or draw.amount_minor == item.principal_minor:
            return said
        paid = [
            self._repaid(repayment, -amount_minor)
            for repayment in posted(sources.repayments)
            if repayment.value_on < sources.bill.issued_on
            and (amount_minor := before_bill(repayment, draw.id))
        ]
        paid_minor = -sum(step.amount_minor or 0 for step in paid)
        paid = paid if paid_minor <= draw.amount_minor - item.principal_minor else []
        whole = self.step(Why.PURCHASE, draw.amount_minor)
        told = self.say(
            "purchase_part", whole=self.money(draw.amount_minor), amount=self.money(item.principal_minor)
        )
        filled = self.filled(item.principal_minor, [whole, *paid], Why.ELSEWHERE)
        return replace(said, sentence=told, steps=filled)

    def _minimum(self, bill: Bill, sources: BillSources) -> Explained:
        """What has to be paid by the due date: a share of principal rounded up, and all of the rest."""
        steps = [
            *self._principal_asked(bill, sources),
            self.step(Why.INSTALMENTS, bill.instalment_minor),
            self.step(Why.INSTALMENT_FEES, bill.fee_minor),
            self.step(Why.INTEREST, bill.interest_minor),
            self.step(Why.MISSED, bill.missed_minor),
        ]
        steps = [step for step in steps if step.amount_minor or step.amount_micro]
        filled = self.filled(bill.minimum_minor, steps, Why.ADJUSTED, Rounding.UP)
        return Explained(
            code=Why.MINIMUM,
            amount_minor=bill.minimum_minor,
            rounding=Rounding.UP,
            sentence=self.say(
                "minimum",
                amount=self.money(bill.minimum_minor),
                formula=self.say("and").join(step.sentence for step in filled),
            ),
            steps=filled,
        )

    def _principal_asked(self, bill: Bill, sources: BillSources) -> list[Explained]:
        """The principal's part of the minimum: a share, or all of it, and why; with what lies above the limit."""
        minimum, principal_minor = sources.product.minimum, bill.single_minor + bill.carried_minor
        if minimum.rest is Rest.DRAW:
            return self._principal_of_used(bill, sources)
        if principal_minor <= minimum.whole_up_to_minor:
            return [self._whole_principal(principal_minor, minimum)]
        share_minor = -(-principal_minor * minimum.principal_ppm // MICRO)
        over_minor = min(principal_minor - share_minor, bill.over_limit_asked_minor)
        return [self._share_of(principal_minor, minimum), self.step(Why.OVER_LIMIT, over_minor)]

    def _principal_of_used(self, bill: Bill, sources: BillSources) -> list[Explained]:
        """All principal of a bill that asks for the minimum only; by what was used where that gives it, with what lies
        above the limit.
        """
        minimum, used_minor = sources.product.minimum, sources.used_minor
        carried = self.step(Why.CARRIED, bill.carried_minor)
        if used_minor is None:
            return [self.step(Why.PRINCIPAL_WHOLE, bill.single_minor), carried]
        if used_minor <= minimum.whole_up_to_minor:
            return [self._whole_principal(used_minor, minimum), carried]
        share_minor = -(-used_minor * minimum.principal_ppm // MICRO)
        over_minor = min(used_minor - share_minor, bill.over_limit_taken_minor)
        return [self._share_of(used_minor, minimum), self.step(Why.OVER_LIMIT, over_minor), carried]

    def _whole_principal(self, principal_minor: int, minimum: Minimum) -> Explained:
        whole = self.step(Why.PRINCIPAL_WHOLE, principal_minor)
        if not minimum.whole_up_to_minor:
            return whole
        told = self.say(
            "principal_small",
            amount=self.money(principal_minor),
            most=self.money(minimum.whole_up_to_minor),
        )
        return replace(whole, sentence=told, balance_minor=principal_minor)

    def _share_of(self, principal_minor: int, minimum: Minimum) -> Explained:
        return Explained(
            code=Why.PRINCIPAL_SHARE,
            amount_micro=principal_minor * minimum.principal_ppm,
            balance_minor=principal_minor,
            share_ppm=minimum.principal_ppm,
            sentence=self.say(
                "principal_share",
                balance=self.money(principal_minor),
                share=percent_text(minimum.principal_ppm),
                amount=self.money(-(-principal_minor * minimum.principal_ppm // MICRO)),
            ),
        )

    def _paid(self, sources: BillSources) -> Explained:
        """What was paid of a bill: by repayments, and from what stood in the person's favour. A refund of another
        purchase goes through that too: in the books it is on the line's credit balance first."""
        steps = [
            self._repaid(repayment, amount_minor)
            for repayment in posted(sources.repayments)
            if (amount_minor := on_bill(repayment, sources.bill.id))
        ]
        return self.made(Why.PAID, sources.bill.paid_minor, steps, Why.CREDIT_BALANCE)

    def _repaid(self, repayment: Repayment, amount_minor: int) -> Explained:
        """What a repayment takes off, or adds to what was paid."""
        return Explained(
            code=Why.REPAID,
            amount_minor=amount_minor,
            until_on=repayment.value_on,
            of=encode(Prefix.REPAYMENT, repayment.id),
            sentence=self.say(
                "repaid", on=repayment.value_on.isoformat(), amount=self.money(abs(amount_minor))
            ),
        )

    def _fell(self, repayment: Repayment, amount_minor: int) -> Explained:
        """A charge that fell away as the plan was paid early."""
        on, money = repayment.value_on.isoformat(), self.money(-amount_minor)
        return replace(
            self._repaid(repayment, amount_minor),
            code=Why.SAVED,
            sentence=self.say("fell_away", on=on, amount=money),
        )

    def made(
        self,
        code: Why,
        amount_minor: int,
        steps: Sequence[Explained],
        otherwise: Why = Why.ADJUSTED,
        count: int = 0,
    ) -> Explained:
        """An amount that is the sum of its steps, and of what has changed since."""
        filled = self.filled(amount_minor, steps, otherwise)
        return Explained(
            code=code,
            amount_minor=amount_minor,
            sentence=self.say(
                code.value,
                amount=self.money(amount_minor),
                count=count,
                formula=self._sum(filled),
            ),
            steps=filled,
        )

    def filled(
        self,
        amount_minor: int,
        steps: Sequence[Explained],
        otherwise: Why,
        rounding: Rounding | None = None,
    ) -> tuple[Explained, ...]:
        """The steps with one more for what they leave unexplained; then they come to the amount."""
        rest_minor = amount_minor - comes_to(steps, rounding)
        filled = (*steps, self.step(otherwise, rest_minor)) if rest_minor else tuple(steps)
        assert comes_to(filled, rounding) == amount_minor, "an explanation comes to its amount"
        return filled

    def step(self, code: Why, amount_minor: int) -> Explained:
        """One step that is told by what it is and how much."""
        return Explained(
            code=code,
            amount_minor=amount_minor,
            sentence=self.say(f"step_{code.value}", amount=self.money(amount_minor)),
        )

    def _sum(self, steps: Sequence[Explained]) -> str:
        """Amounts by what they are, added up: those of one kind that follow each other are one."""
        told = []
        for code, same in groupby(steps, key=lambda step: step.code):
            told.append(self.step(code, sum(step.amount_minor or 0 for step in same)).sentence)
        return " + ".join(told)

    def say(self, code: str, **values: str | int) -> str:
        """A text of the catalogue in the language."""
        return say(code, self.language, **values)

    def money(self, amount_minor: int) -> str:
        """An amount of the currency in major units."""
        return money(amount_minor, self.currency)


def stretches(one: Bearing, until: date) -> list[Segment]:
    """The stretches of a bill's or draw's interest up to a date, the running one too; none that earned nothing.

    Stretches of one balance and rate that follow each other are one, unless each is rounded by itself: a repayment or a
    bill that changed neither ended the first.
    """
    found = [_until(each, until) for each in one.segments if each.since_on < until]
    if one.daily_ppm and one.accrued_on < until and one.bearing_minor > 0:
        found.append(Segment(one.accrued_on, until, one.bearing_minor, one.daily_ppm, one.least_minor))
    joined: list[Segment] = []
    for each in found:
        if joined and one.pieces is Pieces.ADDED and _goes_on(joined[-1], each):
            joined[-1] = replace(joined[-1], until_on=each.until_on)
        elif each.interest_micro:
            joined.append(each)
    return joined


def _goes_on(one: Segment, other: Segment) -> bool:
    return (one.until_on, one.balance_minor, one.daily_ppm, one.least_minor) == (
        other.since_on,
        other.balance_minor,
        other.daily_ppm,
        other.least_minor,
    )


def _until(segment: Segment, until: date) -> Segment:
    return replace(segment, until_on=min(segment.until_on, until))


def _whose(code: Why, one: Bill | Draw, steps: Sequence[Explained]) -> str:
    """Which sentence tells interest: of a draw, of a bill, or of a bill that bears some before its due date."""
    if isinstance(one, Draw):
        return "of_draw"
    early = any(step.since_on is not None and step.since_on < one.due_on for step in steps)
    return "since_issue" if early and code in (Why.LATE_INTEREST, Why.ACCRUED) else "of_bill"
