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
from wufeng.credit.accruals.model import MICRO, Segment, round_micro
from wufeng.credit.accruals.rules import Bearing, interest_to_bill
from wufeng.credit.bills.model import Bill, BillItem, BillItems
from wufeng.credit.documents.planned import Planned, PlanWords
from wufeng.credit.documents.steps import Explained, Rounding, Why, comes_to
from wufeng.credit.documents.texts import exact, money, say
from wufeng.credit.draws.model import Draw
from wufeng.credit.products.model import Minimum, Part, Product, Rest
from wufeng.credit.repayments.model import NOT_PAID, Allocation, Paid, Repayment, RepaymentStatus
from wufeng.credit.repayments.rules import order_at
from wufeng.credit.texts import percent_text


class BillSources(Struct, frozen=True):
    """What a bill's amounts come from, as it stands on a date.

    earlier  bills and draws whose interest it took      repayments  those of its line, in any order
    plans    of its items' draws in instalments; the parts of one that is not there are told without their formula
    """

    bill: Bill
    items: BillItems
    product: Product
    currency: str
    on: date
    earlier: Mapping[UUID, Bill | Draw] = {}
    repayments: Sequence[Repayment] = ()
    plans: Mapping[UUID, Planned] = {}


def explain_bill(sources: BillSources, language: str) -> tuple[Explained, ...]:
    """The total by its parts, the minimum, what was paid, and the interest that no bill holds yet.

    The last two only where there is any. Asserts that each amount is what its steps come to.
    """
    return _Words(sources.currency, language).bill(sources)


def explain_repayment(
    repayment: Repayment,
    bills: Mapping[UUID, Bill],
    draws: Mapping[UUID, Draw],
    product: Product,
    currency: str,
    language: str,
) -> tuple[Explained, ...]:
    """A repayment by its pieces, each with the rule that put it there; then the fees it saved, if any.

    bills, draws  those that its pieces name
    """
    return _Words(currency, language).repayment(repayment, {**bills, **draws}, product)


def explain_plan(draw: Draw, one: Planned, currency: str, language: str) -> tuple[Explained, ...]:
    """A plan by its instalments as they stand, each by the formula it was made by; then its cost, if it has any."""
    return _Words(currency, language).plan(draw, one)


class _Words(Struct, frozen=True):
    """Makes explanations in one currency and language."""

    currency: str
    language: str

    def bill(self, sources: BillSources) -> tuple[Explained, ...]:
        bill, items, of = sources.bill, sources.items.items, sources.plans
        singles = [item for item in items if item.tenor == 1]
        plans = [item for item in items if item.tenor > 1]
        parts = [
            self._of_items(
                Why.PURCHASES, bill.single_minor, [self._item(Why.PURCHASE, i, of) for i in singles]
            ),
            self._of_items(
                Why.INSTALMENTS, bill.instalment_minor, [self._item(Why.INSTALMENT, i, of) for i in plans]
            ),
            self._of_items(
                Why.INSTALMENT_FEES, bill.fee_minor, [self._item(Why.INSTALMENT_FEE, i, of) for i in plans]
            ),
            self._interest(sources),
            self._late_interest(bill, sources.on),
        ]
        parts = [part for part in parts if part.amount_minor or part.steps]
        accrued_minor = interest_to_bill(bill, sources.on)
        amounts = [
            self._made(Why.TOTAL, bill.total_minor, parts),
            self._minimum(bill, sources.product.minimum),
        ]
        if bill.paid_minor:
            amounts.append(self._paid(sources))
        if accrued_minor:
            amounts.append(self._earned(Why.ACCRUED, bill, sources.on, accrued_minor))
        return tuple(amounts)

    def repayment(
        self, repayment: Repayment, debts: Mapping[UUID, Bill | Draw], product: Product
    ) -> tuple[Explained, ...]:
        on = repayment.value_on
        steps = [self._piece(piece, debts, product, on) for piece in repayment.allocation]
        steps = [step for step in steps if step.code is not Why.SAVED]
        whole = Explained(
            code=Why.REPAYMENT,
            amount_minor=repayment.amount_minor,
            sentence=self._say(
                f"repayment_{repayment.status.value}", amount=self._money(repayment.amount_minor)
            ),
            of=encode(Prefix.REPAYMENT, repayment.id),
            steps=self._filled(repayment.amount_minor, steps, Why.SURPLUS) if steps else (),
        )
        saved = [
            self._piece(piece, debts, product, on)
            for piece in repayment.allocation
            if piece.part is Paid.FEE_DROPPED
        ]
        if not saved:
            return (whole,)
        return whole, self._made(Why.SAVED, repayment.saved_minor, saved)

    def _piece(
        self, piece: Allocation, debts: Mapping[UUID, Bill | Draw], product: Product, on: date
    ) -> Explained:
        match piece.part:
            case Paid.FEE | Paid.INTEREST | Paid.PRINCIPAL:
                return self._by_waterfall(piece, debts, product, on)
            case Paid.UNBILLED:
                code = "before_bill" if _tenor(piece, debts) == 1 else "before_bill_instalment"
                why = Why.BEFORE_BILL
            case Paid.FEE_DROPPED:
                code, why = "saved_fee", Why.SAVED
            case Paid.CREDIT_BALANCE:
                code, why = "surplus", Why.SURPLUS
            case _:
                return self._charged_now(piece, debts, on)
        return Explained(
            code=why,
            part=piece.part.value,
            amount_minor=piece.amount_minor,
            of=encode(Prefix.DRAW, piece.draw) if piece.draw is not None else None,
            instalment=piece.instalment,
            sentence=self._say(
                code, amount=self._money(piece.amount_minor), instalment=piece.instalment or 0
            ),
        )

    def _by_waterfall(
        self, piece: Allocation, debts: Mapping[UUID, Bill | Draw], product: Product, on: date
    ) -> Explained:
        """A piece that paid a part of a bill: the oldest bill first, its parts in the order of its age."""
        assert piece.bill is not None, "the waterfall pays bills"
        bill = debts[piece.bill]
        assert isinstance(bill, Bill), "the id of a bill is no draw's"
        days = max(0, (on - bill.due_on).days)
        order = order_at(product.repayment.waterfall, days)
        part = Part(piece.part.value)
        return Explained(
            code=Why.BY_WATERFALL,
            part=piece.part.value,
            amount_minor=piece.amount_minor,
            of=encode(Prefix.BILL, bill.id),
            days_past_due=days,
            order=order,
            place=order.index(part) + 1,
            sentence=self._say(
                "by_waterfall_late" if days else "by_waterfall",
                amount=self._money(piece.amount_minor),
                part=self._say(f"part_{part.value}"),
                issued_on=bill.issued_on.isoformat(),
                days=days,
                place=order.index(part) + 1,
                order=self._say("then").join(self._say(f"part_{each.value}") for each in order),
            ),
        )

    def _charged_now(self, piece: Allocation, debts: Mapping[UUID, Bill | Draw], on: date) -> Explained:
        """Interest that was charged with the repayment, up to its date."""
        id_ = piece.bill or piece.draw
        assert id_ is not None, "interest is of a bill or a draw"
        earned = self._earned(Why.CHARGED_NOW, debts[id_], on, piece.amount_minor)
        return replace(earned, part=piece.part.value)

    def _item(self, code: Why, item: BillItem, plans: Mapping[UUID, Planned]) -> Explained:
        """A draw's part on a bill: its principal, its fee or its interest, by the plan where it has one."""
        amounts = {Why.INSTALMENT_FEE: item.fee_minor, Why.INSTALMENT_INTEREST: item.interest_minor}
        amount_minor = amounts.get(code, item.principal_minor)
        said = Explained(
            code=code,
            amount_minor=amount_minor,
            of=encode(Prefix.DRAW, item.draw_id),
            instalment=item.part + 1,
            tenor=item.tenor,
            sentence=self._say(
                code.value, amount=self._money(amount_minor), instalment=item.part + 1, tenor=item.tenor
            ),
        )
        one = plans.get(item.draw_id)
        return said if one is None or not amount_minor else self._by_plan(said, one, item.part)

    def _by_plan(self, said: Explained, one: Planned, part: int) -> Explained:
        """A part with the formula of its plan, and with what has become of it since."""
        assert said.amount_minor is not None, "parts are in minor units"
        words = PlanWords(self.currency, self.language)
        by_code = {Why.INSTALMENT_FEE: words.fee, Why.INSTALMENT_INTEREST: words.interest}
        steps = by_code.get(said.code, words.principal)(one, part)
        filled = self._filled(said.amount_minor, steps, Why.CHANGED)
        formula = self._say("and").join(words.told(filled))
        told = self._say("opened", sentence=said.sentence, formula=formula)
        return replace(said, sentence=told, steps=filled)

    def plan(self, draw: Draw, one: Planned) -> tuple[Explained, ...]:
        """The parts of a plan as they stand, and what they cost together."""
        parts = [self._plan_part(draw, one, part) for part in range(len(draw.principal_parts))]
        cost = [
            self._step(Why.INSTALMENT_FEE, sum(draw.fee_parts)),
            self._step(Why.INSTALMENT_INTEREST, sum(draw.interest_parts)),
        ]
        cost = [step for step in cost if step.amount_minor]
        cost_minor = sum(draw.fee_parts) + sum(draw.interest_parts)
        return (*parts, *([self._made(Why.PLAN_COST, cost_minor, cost)] if cost else []))

    def _plan_part(self, draw: Draw, one: Planned, part: int) -> Explained:
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
            self._item(code, item, plans)
            for code in (Why.INSTALMENT, Why.INSTALMENT_FEE, Why.INSTALMENT_INTEREST)
        ]
        steps = [step for step in steps if step.amount_minor]
        amount_minor = sum(step.amount_minor or 0 for step in steps)
        return Explained(
            code=Why.PLAN_PART,
            amount_minor=amount_minor,
            of=encode(Prefix.DRAW, draw.id),
            instalment=part + 1,
            tenor=draw.tenor,
            sentence=self._say(
                "plan_part" if steps else "plan_part_nothing",
                amount=self._money(amount_minor),
                instalment=part + 1,
                tenor=draw.tenor,
                formula=self._sum(steps),
            ),
            steps=tuple(steps),
        )

    def _of_items(self, code: Why, amount_minor: int, steps: list[Explained]) -> Explained:
        """A kind of item; what has changed since is told beside it."""
        steps = [step for step in steps if step.amount_minor]
        made = self._made(code, amount_minor, steps, count=len(steps))
        if len(made.steps) == len(steps):
            return made
        told = self._say("changed_since", sentence=made.sentence, formula=self._sum(made.steps))
        return replace(made, sentence=told)

    def _interest(self, sources: BillSources) -> Explained:
        """The interest that a bill took: of earlier bills and draws, by stretches, and of plans by their rate."""
        until = sources.bill.issued_on - timedelta(days=1)
        steps = []
        for billed in sources.items.interest:
            if (one := sources.earlier.get(billed.of)) is not None:
                why = Why.DRAW_INTEREST if billed.is_draw else Why.BILL_INTEREST
                steps.append(self._earned(why, one, until, billed.amount_minor))
        steps += [
            self._item(Why.INSTALMENT_INTEREST, item, sources.plans)
            for item in sources.items.items
            if item.interest_minor
        ]
        return self._made(Why.INTEREST, sources.bill.interest_minor, steps)

    def _late_interest(self, bill: Bill, on: date) -> Explained:
        """The interest of the bill itself that was charged when it was paid between two bills."""
        if not bill.late_interest_minor:
            return Explained(code=Why.LATE_INTEREST, amount_minor=0, sentence="")
        return self._earned(Why.LATE_INTEREST, bill, on, bill.late_interest_minor, interest_to_bill(bill, on))

    def _earned(
        self, code: Why, one: Bill | Draw, until: date, amount_minor: int, not_billed_minor: int = 0
    ) -> Explained:
        """Interest up to a date: the stretches, rounded together, less what was billed of them before or elsewhere."""
        steps = [self._stretch(segment) for segment in stretches(one, until)]
        micro = sum(step.amount_micro or 0 for step in steps)
        if one.most_minor is not None and micro > one.most_minor * MICRO:
            cap = self._say("cap", most=self._money(one.most_minor))
            steps.append(Explained(code=Why.CAP, amount_micro=one.most_minor * MICRO - micro, sentence=cap))
            micro = one.most_minor * MICRO
        exact_ = self._say(
            "rounded",
            sum=" + ".join(exact(step.amount_micro or 0, self.currency) for step in steps) or "0",
            rounded=self._money(round_micro(micro)),
        )
        if not_billed_minor:
            steps.append(self._step(Why.NOT_BILLED_YET, -not_billed_minor))
        otherwise = Why.BILLED_OTHERWISE if steps else Why.PLAN_DAYS
        steps = list(self._filled(amount_minor, steps, otherwise, Rounding.HALF_EVEN))
        is_bill = isinstance(one, Bill)
        told = [step.sentence for step in steps if step.amount_micro is not None]
        told += [exact_] if len(told) > 1 or micro % MICRO else []
        less = [step.sentence for step in steps if step.amount_minor is not None]
        return Explained(
            code=code,
            amount_minor=amount_minor,
            rounding=Rounding.HALF_EVEN,
            of=encode(Prefix.BILL if is_bill else Prefix.DRAW, one.id),
            sentence=self._say(
                f"{code.value}_{_whose(code, one, steps)}",
                amount=self._money(amount_minor),
                issued_on=one.issued_on.isoformat() if isinstance(one, Bill) else "",
                formula=self._say("and").join([*told, *less]),
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
            sentence=self._say(
                "segment_least" if least else "segment",
                balance=self._money(segment.balance_minor),
                rate=percent_text(segment.daily_ppm),
                least=self._money(segment.least_minor),
                days=segment.days,
                first_on=first.isoformat(),
                until_on=segment.until_on.isoformat(),
                interest=exact(segment.interest_micro, self.currency),
            ),
        )

    def _minimum(self, bill: Bill, minimum: Minimum) -> Explained:
        """What has to be paid by the due date: a share of principal rounded up, and all of the rest."""
        principal_minor = bill.single_minor + bill.carried_minor
        steps = [
            self._principal_asked(principal_minor, minimum),
            self._step(Why.INSTALMENTS, bill.instalment_minor),
            self._step(Why.INSTALMENT_FEES, bill.fee_minor),
            self._step(Why.INTEREST, bill.interest_minor),
            self._step(Why.MISSED, bill.missed_minor),
        ]
        steps = [step for step in steps if step.amount_minor or step.amount_micro]
        filled = self._filled(bill.minimum_minor, steps, Why.ADJUSTED, Rounding.UP)
        return Explained(
            code=Why.MINIMUM,
            amount_minor=bill.minimum_minor,
            rounding=Rounding.UP,
            sentence=self._say(
                "minimum",
                amount=self._money(bill.minimum_minor),
                formula=self._say("and").join(step.sentence for step in filled),
            ),
            steps=filled,
        )

    def _principal_asked(self, principal_minor: int, minimum: Minimum) -> Explained:
        if minimum.rest is Rest.DRAW or principal_minor <= minimum.whole_up_to_minor:
            return self._step(Why.PRINCIPAL_WHOLE, principal_minor)
        return Explained(
            code=Why.PRINCIPAL_SHARE,
            amount_micro=principal_minor * minimum.principal_ppm,
            balance_minor=principal_minor,
            share_ppm=minimum.principal_ppm,
            sentence=self._say(
                "principal_share",
                balance=self._money(principal_minor),
                share=percent_text(minimum.principal_ppm),
                amount=self._money(-(-principal_minor * minimum.principal_ppm // MICRO)),
            ),
        )

    def _paid(self, sources: BillSources) -> Explained:
        """What was paid of a bill: by repayments, and by refunds of other purchases."""
        steps = []
        for repayment in sorted(sources.repayments, key=lambda one: (one.value_on, one.id)):
            amount_minor = sum(
                piece.amount_minor
                for piece in repayment.allocation
                if piece.bill == sources.bill.id and piece.part not in NOT_PAID
            )
            if amount_minor and repayment.status is RepaymentStatus.POSTED:
                sentence = self._say(
                    "repaid", on=repayment.value_on.isoformat(), amount=self._money(amount_minor)
                )
                steps.append(
                    Explained(
                        code=Why.REPAID,
                        amount_minor=amount_minor,
                        until_on=repayment.value_on,
                        of=encode(Prefix.REPAYMENT, repayment.id),
                        sentence=sentence,
                    )
                )
        return self._made(Why.PAID, sources.bill.paid_minor, steps, Why.REFUNDED)

    def _made(
        self,
        code: Why,
        amount_minor: int,
        steps: Sequence[Explained],
        otherwise: Why = Why.ADJUSTED,
        count: int = 0,
    ) -> Explained:
        """An amount that is the sum of its steps, and of what has changed since."""
        filled = self._filled(amount_minor, steps, otherwise)
        return Explained(
            code=code,
            amount_minor=amount_minor,
            sentence=self._say(
                code.value,
                amount=self._money(amount_minor),
                count=count,
                formula=self._sum(filled),
            ),
            steps=filled,
        )

    def _filled(
        self,
        amount_minor: int,
        steps: Sequence[Explained],
        otherwise: Why,
        rounding: Rounding | None = None,
    ) -> tuple[Explained, ...]:
        """The steps with one more for what they leave unexplained; then they come to the amount."""
        rest_minor = amount_minor - comes_to(steps, rounding)
        filled = (*steps, self._step(otherwise, rest_minor)) if rest_minor else tuple(steps)
        assert comes_to(filled, rounding) == amount_minor, "an explanation comes to its amount"
        return filled

    def _step(self, code: Why, amount_minor: int) -> Explained:
        return Explained(
            code=code,
            amount_minor=amount_minor,
            sentence=self._say(f"step_{code.value}", amount=self._money(amount_minor)),
        )

    def _sum(self, steps: Sequence[Explained]) -> str:
        """Amounts by what they are, added up: those of one kind that follow each other are one."""
        told = []
        for code, same in groupby(steps, key=lambda step: step.code):
            told.append(self._step(code, sum(step.amount_minor or 0 for step in same)).sentence)
        return " + ".join(told)

    def _say(self, code: str, **values: str | int) -> str:
        return say(code, self.language, **values)

    def _money(self, amount_minor: int) -> str:
        return money(amount_minor, self.currency)


def stretches(one: Bearing, until: date) -> list[Segment]:
    """The stretches of a bill's or draw's interest up to a date, the running one too; none that earned nothing.

    Stretches of one balance and rate that follow each other are one: a repayment or a bill that changed neither ended
    the first.
    """
    found = [_until(each, until) for each in one.segments if each.since_on < until]
    if one.daily_ppm and one.accrued_on < until and one.bearing_minor > 0:
        found.append(Segment(one.accrued_on, until, one.bearing_minor, one.daily_ppm, one.least_minor))
    joined: list[Segment] = []
    for each in found:
        if joined and _goes_on(joined[-1], each):
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


def _tenor(piece: Allocation, debts: Mapping[UUID, Bill | Draw]) -> int:
    draw = debts.get(piece.draw) if piece.draw is not None else None
    return draw.tenor if isinstance(draw, Draw) else 1
