"""Where the money of a repayment went, and why there; what an early one charged for days, and what it saved."""

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from wufeng.base.ids import Prefix, encode
from wufeng.credit.bills.model import Bill, BillItem
from wufeng.credit.documents.explain import Words
from wufeng.credit.documents.planned import Planned
from wufeng.credit.documents.steps import Explained, Why
from wufeng.credit.draws.model import Draw
from wufeng.credit.plans.rules import round_ratio
from wufeng.credit.products.model import Cycle, Part, Product, Rounding
from wufeng.credit.repayments.model import Allocation, Paid, Repayment
from wufeng.credit.repayments.rules import order_at, running_period
from wufeng.credit.waterfall.model import Processing

NO_PLANS: Mapping[UUID, Planned] = {}


class Receipt(Struct, frozen=True):
    """What the pieces of a repayment come from.

    debts  the bills and draws that they name
    cycle  the days of the line when it counts: they move after a plan was made, and its interest runs by them; None:
           those that the plans were made by
    """

    repayment: Repayment
    debts: Mapping[UUID, Bill | Draw]
    product: Product
    plans: Mapping[UUID, Planned] = {}
    cycle: Cycle | None = None

    @property
    def on(self) -> date:
        """The date that it counts from."""
        return self.repayment.value_on

    def draw_of(self, piece: Allocation) -> Draw | None:
        """The draw that a piece names."""
        draw = self.debts.get(piece.draw) if piece.draw is not None else None
        return draw if isinstance(draw, Draw) else None

    def dropped_minor(self, draw_id: UUID, part: int) -> int:
        """Charges of a plan's part (0-based) that fell away with it."""
        return sum(
            piece.amount_minor
            for piece in self.repayment.allocation
            if piece.part is Paid.FEE_DROPPED and (piece.draw, piece.instalment) == (draw_id, part + 1)
        )


def explain_repayment(
    repayment: Repayment,
    bills: Mapping[UUID, Bill],
    draws: Mapping[UUID, Draw],
    product: Product,
    currency: str,
    language: str,
    plans: Mapping[UUID, Planned] = NO_PLANS,
    cycle: Cycle | None = None,
) -> tuple[Explained, ...]:
    """A repayment by its pieces, each with the rule that put it there; then the charges it saved, if any.

    bills, draws  those that its pieces name      plans  of those draws in instalments
    cycle         the days of the line when it counts; None: those that the plans were made by
    """
    paid = Receipt(repayment, {**bills, **draws}, product, plans, cycle)
    return _ReceiptWords(Words(currency, language), paid).whole()


class _ReceiptWords(Struct, frozen=True):
    """Explains one repayment."""

    words: Words
    paid: Receipt

    def whole(self) -> tuple[Explained, ...]:
        repayment = self.paid.repayment
        steps = [self._piece(piece) for piece in repayment.allocation]
        saved = [step for step in steps if step.code is Why.SAVED]
        steps = [step for step in steps if step.code is not Why.SAVED]
        whole = Explained(
            code=Why.REPAYMENT,
            amount_minor=repayment.amount_minor,
            sentence=self.words.say(
                f"repayment_{repayment.status.value}", amount=self.words.money(repayment.amount_minor)
            ),
            of=encode(Prefix.REPAYMENT, repayment.id),
            steps=self.words.filled(repayment.amount_minor, steps, Why.SURPLUS) if steps else (),
        )
        if not saved:
            return (whole,)
        return whole, self.words.made(Why.SAVED, repayment.saved_minor, saved)

    def _piece(self, piece: Allocation) -> Explained:
        draw = self.paid.draw_of(piece)
        match piece.part:
            case Paid.FEE | Paid.INTEREST | Paid.PRINCIPAL:
                return self._by_waterfall(piece)
            case Paid.UNBILLED:
                code, why = _before_bill(draw, self.paid.repayment), Why.BEFORE_BILL
            case Paid.FEE_DROPPED:
                code, why = "saved_fee", Why.SAVED
            case Paid.CREDIT_BALANCE:
                code, why = "surplus", Why.SURPLUS
            case _:
                return self._charged_now(piece)
        said = Explained(
            code=why,
            part=piece.part.value,
            amount_minor=piece.amount_minor,
            of=encode(Prefix.DRAW, piece.draw) if piece.draw is not None else None,
            instalment=piece.instalment,
            sentence=self.words.say(
                code, amount=self.words.money(piece.amount_minor), instalment=piece.instalment or 0
            ),
        )
        plan = self.paid.plans.get(piece.draw) if piece.draw is not None else None
        if why is not Why.SAVED or draw is None or plan is None:
            return said
        return self._saved(said, draw, plan)

    def _by_waterfall(self, piece: Allocation) -> Explained:
        """A piece that paid a part of a bill: the oldest bill first, its parts in the order of its age; or, where the
        product says so, one part over all bills that are overdue, or are not, before the next.
        """
        assert piece.bill is not None, "the waterfall pays bills"
        on, bill = self.paid.on, self.paid.debts[piece.bill]
        assert isinstance(bill, Bill), "the id of a bill is no draw's"
        days = max(0, (on - bill.due_on).days)
        rules = self.paid.product.repayment
        by_part = rules.processing is Processing.VERTICAL
        order = rules.waterfall[0].order if by_part else order_at(rules.waterfall, days)
        part = Part(piece.part.value)
        return Explained(
            code=Why.BY_WATERFALL,
            part=piece.part.value,
            amount_minor=piece.amount_minor,
            of=encode(Prefix.BILL, bill.id),
            days_past_due=days,
            order=order,
            place=order.index(part) + 1,
            sentence=self.words.say(
                f"by_waterfall{'_by_part' if by_part else ''}{'_late' if days else ''}",
                amount=self.words.money(piece.amount_minor),
                part=self.words.say(f"part_{part.value}"),
                issued_on=bill.issued_on.isoformat(),
                days=days,
                place=order.index(part) + 1,
                order=self.words.say("then").join(self.words.say(f"part_{each.value}") for each in order),
            ),
        )

    def _charged_now(self, piece: Allocation) -> Explained:
        """Interest that was charged with the repayment, up to its date: by stretches, or by days of a plan's period."""
        id_ = piece.bill or piece.draw
        assert id_ is not None, "interest is of a bill or a draw"
        draw, plan = self.paid.draw_of(piece), self.paid.plans.get(id_)
        days = self._plan_days(piece.amount_minor, draw, plan, draw.billed_parts) if draw and plan else None
        if days is not None:
            return Explained(
                code=Why.CHARGED_NOW,
                part=piece.part.value,
                amount_minor=piece.amount_minor,
                of=days.of,
                sentence=self.words.say(
                    "charged_now_of_plan",
                    amount=self.words.money(piece.amount_minor),
                    formula=days.sentence,
                ),
                steps=(days,),
            )
        earned = self.words.earned(Why.CHARGED_NOW, self.paid.debts[id_], self.paid.on, piece.amount_minor)
        return replace(earned, part=piece.part.value)

    def _plan_days(self, amount_minor: int, draw: Draw, plan: Planned, part: int) -> Explained | None:
        """What the days of a plan's period had earned of a part's interest; None where that gives another amount."""
        if draw.billable_on is None or part >= draw.tenor or not plan.terms.annual_ppm:
            return None
        interest_minor = amount_minor + self.paid.dropped_minor(draw.id, part)
        period = _period(draw, part, self.paid.cycle or plan.cycle)
        if period is None:
            return None
        since_on, until_on = period
        period_days = (until_on - since_on).days
        days = min(max(0, (self.paid.on - since_on).days), period_days)
        if round_ratio(interest_minor * days, period_days) != amount_minor:
            return None
        item = BillItem(draw.id, part, draw.tenor, 0, 0, interest_minor)
        whole = self.words.item(Why.INSTALMENT_INTEREST, item, {draw.id: plan})
        return Explained(
            code=Why.PLAN_DAYS,
            amount_minor=amount_minor,
            rounding=Rounding.HALF_EVEN,
            of=encode(Prefix.DRAW, draw.id),
            since_on=since_on,
            until_on=until_on,
            days=days,
            period_days=period_days,
            whole=whole,
            instalment=part + 1,
            tenor=draw.tenor,
            sentence=self.words.say(
                "plan_days",
                whole=self.words.money(interest_minor),
                sentence=whole.sentence,
                days=days,
                period_days=period_days,
                since_on=since_on.isoformat(),
                until_on=until_on.isoformat(),
                amount=self.words.money(amount_minor),
            ),
        )

    def _saved(self, said: Explained, draw: Draw, plan: Planned) -> Explained:
        """The charges of a part that fell away: as the plan made them, less what its days had earned already."""
        assert said.instalment is not None and said.amount_minor is not None, "a part of a plan fell away"
        part = said.instalment - 1
        fee_minor, interest_minor = plan.charges_of(part)
        item = BillItem(draw.id, part, draw.tenor, 0, fee_minor, interest_minor)
        codes = (Why.INSTALMENT_FEE, Why.INSTALMENT_INTEREST)
        steps = [self.words.item(code, item, {draw.id: plan}) for code in codes]
        steps = [step for step in steps if step.amount_minor]
        earned_minor = fee_minor + interest_minor - said.amount_minor
        days = self._plan_days(earned_minor, draw, plan, part) if earned_minor else None
        if days is not None:
            less = self.words.say(
                "less_plan_days", amount=self.words.money(earned_minor), formula=days.sentence
            )
            steps.append(replace(days, amount_minor=-earned_minor, sentence=less))
        filled = self.words.filled(said.amount_minor, steps, Why.CHANGED)
        formula = self.words.say("and").join(step.sentence for step in filled)
        return replace(
            said, steps=filled, sentence=self.words.say("opened", sentence=said.sentence, formula=formula)
        )


def _before_bill(draw: Draw | None, repayment: Repayment) -> str:
    """Which sentence tells of principal that no bill had taken: why the money went there."""
    if draw is None or draw.tenor == 1:
        return "before_bill"
    return "before_bill_plan" if repayment.plan == draw.id else "before_bill_instalment"


def _period(draw: Draw, part: int, cycle: Cycle | None) -> tuple[date, date] | None:
    """The due dates between which a part (0-based) of a plan earns: its bill comes so many months after the first."""
    assert draw.billable_on is not None, "a plan that runs is billable"
    bill_on = cycle.bill_after(cycle.bill_on(draw.billable_on), part) if cycle is not None else None
    return running_period(replace(draw, billed_parts=part), cycle, bill_on)
