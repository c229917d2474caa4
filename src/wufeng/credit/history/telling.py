"""What the events of a line make of its debt, one after the other, by the very rules that the single steps use."""

from collections import deque
from collections.abc import Collection, Iterator, Sequence
from datetime import date, timedelta
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from wufeng.base.errors import Code, Problem
from wufeng.credit.bill_plans.rules import off_bill
from wufeng.credit.bills.model import Bill, BillItems, BillStatus
from wufeng.credit.bills.rules import is_settled
from wufeng.credit.charge_offs.rules import charge_off
from wufeng.credit.debts.issuing import issue_bill
from wufeng.credit.debts.rules import touched, with_next_bill
from wufeng.credit.draws.model import Draw
from wufeng.credit.draws.rules import billable, calendar_of, charges_open, gone_of
from wufeng.credit.history.model import (
    BillSplit,
    ChargedOff,
    Delivered,
    Drawn,
    DueDaySet,
    Event,
    Issued,
    Owed,
    Refunded,
    Repaid,
    ReturnKept,
    SentBack,
    Standing,
)
from wufeng.credit.history.reserves import Reserve, Withheld, hand_back, reserves_of, still_running, withhold
from wufeng.credit.journals import subsidy_refunded
from wufeng.credit.lines.model import Line, LineStatus
from wufeng.credit.products.model import Product, Rest
from wufeng.credit.products.versions import Versions
from wufeng.credit.refunds.model import Refunded as Done
from wufeng.credit.refunds.rules import keep_refused, refund
from wufeng.credit.repayments.model import Allocation, Debt, Paid, Spread, Target
from wufeng.credit.repayments.rules import brought_up, owed, repaid, spread, with_line_state
from wufeng.ledger.model import Parts
from wufeng.ledger.rules import merged, split_between, split_change


class Teller:
    """Tells what events make of a line, again and again with some of them otherwise: anew only from about there.

    A standing is made of the one before, an event, and the reserves that the event sees: where all of these are as they
    were, so is the standing. Kept are those before refunds, where histories part, and the last; and none in which money
    is short, so that it is always told where it became so.
    """

    def __init__(self, line: Line, versions: Versions) -> None:
        self.line = line
        self.versions = versions
        self._kept: list[tuple[int, Standing]] = []
        self._fresh: Standing | None = None
        self._events: Sequence[Event] = ()
        self._reserves: tuple[Reserve, ...] = ()

    def told(self, events: Sequence[Event], count: int) -> Standing:
        """What the first so many of the line's events have made of it."""
        [(_, standing)] = deque(self.after_each(events, count), maxlen=1)
        return standing

    def after_each(self, events: Sequence[Event], count: int) -> Iterator[tuple[int, Standing]]:
        """What stands after some of the line's events, with their number, and after each one more up to so many.

        It begins with the latest that is kept and stands as it did: nothing is short there.
        """
        reserves = reserves_of(events, self.line, self.versions)
        fresh = Standing(_fresh(self.line, events), {}, {}, {}, {})
        same = min(self._same(events, reserves), count) if fresh == self._fresh else 0
        kept = [one for one in self._kept if one[0] <= same] or [(0, fresh)]
        self._kept, self._fresh, self._events, self._reserves = kept, fresh, tuple(events), reserves
        begun, standing = kept[-1]
        yield begun, standing
        for place in range(begun, count):
            standing = apply(standing, events[place], self.versions, Leaving(reserves, place))
            if not standing.short:
                if not isinstance(events[place], Refunded):
                    kept.pop()
                kept.append((place + 1, standing))
            yield place + 1, standing

    def _same(self, events: Sequence[Event], reserves: Sequence[Reserve]) -> int:
        """How many events are as they were told last, and saw what they see now."""
        seen_from = [reserve.seen_from for reserve in {*reserves} ^ {*self._reserves}]
        places = enumerate(zip(events, self._events, strict=False))
        other = next((place for place, (now, was) in places if now is not was and now != was), len(events))
        return min(other, len(self._events), *seen_from)


def _fresh(line: Line, events: Sequence[Event]) -> Line:
    """The line as it was before all of its events."""
    moved = next((event for event in events if isinstance(event, DueDaySet)), None)
    status = line.status
    if status is LineStatus.SUSPENDED or (line.charged_off_on is not None and status is LineStatus.CLOSING):
        status = LineStatus.OPEN
    return replace(
        line,
        status=status,
        due_day=moved.was_day if moved is not None else line.due_day,
        due_after_days=moved.was_after_days if moved is not None else line.due_after_days,
        next_bill_on=None,
        past_due_since=None,
        suspend_on=None,
        charge_off_on=None,
        charged_off_on=None,
        touched_on=None,
    )


class Leaving(Struct, frozen=True):
    """What money of one event must leave alone: principal that plans to come take over."""

    reserves: tuple[Reserve, ...] = ()
    place: int = 0

    def withhold(self, standing: Standing, debt: Debt, on: date) -> Withheld:
        """The debt as the event sees it."""
        return withhold(debt, standing.bills, self.reserves, self.place, on)


class Lacking(Problem):
    """A plan has taken over more principal of a bill than there is, by so much."""

    def __init__(self, detail: str, minor: int) -> None:
        super().__init__(Code.STATE_CONFLICT, detail)
        self.minor = minor


def apply(standing: Standing, event: Event, versions: Versions, leaving: Leaving) -> Standing:
    """What one event makes of a standing."""
    match event:
        case Drawn():
            drawn = replace(standing, draws={**standing.draws, event.draw.id: event.draw})
            return _expecting(drawn, event.on)
        case BillSplit():
            return _split(standing, event, versions, leaving)
        case Delivered():
            return _delivered(standing, event, versions)
        case Issued():
            return _issued(standing, event, versions, leaving)
        case Repaid():
            return _repaid(standing, event, versions, leaving)
        case Refunded():
            return _refunded(standing, event, versions, leaving)
        case SentBack():
            return _sent_back(standing, event)
        case ReturnKept():
            return _kept(standing, event, versions, leaving)
        case ChargedOff():
            return _charged_off(standing, event, versions, leaving)
        case DueDaySet():
            moved = replace(standing.line, due_day=event.due_day, due_after_days=None)
            return replace(standing, line=moved)


def _split(standing: Standing, event: BillSplit, versions: Versions, leaving: Leaving) -> Standing:
    product = versions.contract
    debt = brought_up(open_debt(standing), product, event.on)
    bill = next((bill for bill in debt.bills if bill.id == event.bill_id), None)
    there_minor = min(bill.single_minor, bill.unpaid_principal_minor) if bill is not None else 0
    if bill is None or there_minor < event.draw.amount_minor:
        issued_on = standing.bills[event.bill_id].issued_on
        detail = f"A plan was made of the bill of {issued_on}, which asks for a share of what was used: date it then."
        if product.minimum.rest is not Rest.DRAW:
            detail = (
                f"A plan of {event.on} took over what would have been given back before it: date it then."
            )
        raise Lacking(detail, event.draw.amount_minor - there_minor)
    bills = tuple(off_bill(bill, event.draw, product, event.on) if one is bill else one for one in debt.bills)
    after = touched(replace(debt, bills=bills, draws=(*debt.draws, event.draw)), event.on)
    after = with_next_bill(with_line_state(after, product, event.on), event.on)
    # Money in favour has left the plan its principal, which had earned interest until it was made.
    return _apply_credit(_with(standing, after), after, versions, leaving, event.on)


def _delivered(standing: Standing, event: Delivered, versions: Versions) -> Standing:
    draw = standing.draws[event.draw_id]
    product = versions.of(draw.product_version)
    after = billable(draw, calendar_of(standing.line, product), event.on)
    return _expecting(replace(standing, draws={**standing.draws, draw.id: after}), event.on)


def _issued(standing: Standing, event: Issued, versions: Versions, leaving: Leaving) -> Standing:
    issued = issue_bill(open_debt(standing), 0, event.bill_id, event.on, versions.contract, event.known)
    after = _with(standing, with_next_bill(issued.debt, event.on))
    if issued.bill is None:  # it was issued all the same: nothing is left of it
        return _with_empty_bill(after, _nothing_issued(standing.line, event, versions.contract))
    after = _charging(
        replace(after, items={**after.items, event.bill_id: issued.items}),
        interest_minor=issued.bill.interest_minor,
        fee_minor=issued.bill.fee_minor,
        subsidy_minor=gone_of(issued.unearned),
    )
    return _apply_credit(after, issued.debt, versions, leaving, event.on)


def _apply_credit(standing: Standing, debt: Debt, versions: Versions, leaving: Leaving, on: date) -> Standing:
    """What stands in the person's favour pays bills, and the interest that they have earned, when a new one is made."""
    withheld = leaving.withhold(standing, debt, on)
    money_minor = min(standing.credit_balance_minor, owed(withheld.debt, Target.BILLED, on))
    if not money_minor:
        return standing
    done = spread(withheld.debt, money_minor, versions, on)
    debt = hand_back(done.debt, withheld, versions.contract.minimum, on)
    left_minor = standing.credit_balance_minor - done.paid_minor
    expecting = replace(debt, line=replace(debt.line, next_bill_on=None))
    after = _with(standing, with_next_bill(expecting, on))
    return _charged_by(replace(after, credit_balance_minor=left_minor), done)


def _nothing_issued(line: Line, event: Issued, contract: Product) -> Bill:
    """A bill of a close on which nothing would have stood: what it took from the line's terms of then stays with it."""
    known, above = event.known, event.known.above
    return replace(
        _empty(line, event, known.due_on),
        rounding=contract.rounding.interest,
        pieces=contract.rounding.pieces,
        over_limit_minor=known.over_limit_of(0),
        over_limit_from_minor=above.from_minor if above is not None else None,
        over_limit_most_minor=above.most_minor if above is not None else 0,
        over_limit_used_minor=known.over_limit_used(0),
        used_minor=0 if known.keeps_used else None,
        grace_days=contract.billing.grace_days,
    )


def _empty(line: Line, event: Issued | ChargedOff, due_on: date) -> Bill:
    return Bill(
        id=event.bill_id,
        line_id=line.id,
        issued_on=event.on,
        due_on=due_on,
        status=BillStatus.PAID,
        accrued_on=due_on,
    )


def _with_empty_bill(standing: Standing, empty: Bill) -> Standing:
    """A bill that was issued and on which nothing would have stood."""
    return replace(
        standing,
        bills={**standing.bills, empty.id: empty},
        items={**standing.items, empty.id: BillItems()},
        line=touched(Debt(standing.line), empty.issued_on).line,
    )


def _repaid(standing: Standing, event: Repaid, versions: Versions, leaving: Leaving) -> Standing:
    debt = brought_up(
        open_debt(standing, [event.plan] if event.plan is not None else ()), versions.contract, event.on
    )
    withheld = leaving.withhold(standing, debt, event.on)
    done = repaid(withheld.debt, event.amount_minor, event.plan, versions, event.on)
    debt = hand_back(done.debt, withheld, versions.contract.minimum, event.on)
    if done.settled is not None:
        debt = still_running(debt, withheld, event.on)
    after = _with(standing, with_next_bill(touched(debt, event.on), event.on))
    after = replace(
        after,
        allocations={**after.allocations, event.repayment_id: with_surplus(done)},
        credit_balance_minor=after.credit_balance_minor + done.surplus_minor,
    )
    return _charged_by(after, done)


def _refunded(standing: Standing, event: Refunded, versions: Versions, leaving: Leaving) -> Standing:
    debt = brought_up(open_debt(standing, event.draw_ids), versions.contract, event.on)
    withheld = leaving.withhold(standing, debt, event.on)
    done = _as_told(withheld.debt, event, versions)
    debt = hand_back(done.debt, withheld, versions.contract.minimum, event.on)
    if done.applied is None:
        debt = still_running(debt, withheld, event.on)
    after = _with(standing, with_next_bill(touched(debt, event.on), event.on))
    after = _uncharging(after, event, done)
    after = replace(
        after,
        credit_balance_minor=after.credit_balance_minor + done.kept_minor,
        refunds={**after.refunds, event.refund_id: done},
        lost_cancelled=_lost_cancelled(standing, done),
    )
    return after if done.applied is None else _charged_by(after, done.applied)


def _sent_back(standing: Standing, event: SentBack) -> Standing:
    left_minor = standing.credit_balance_minor - event.amount_minor
    after = replace(standing, credit_balance_minor=max(0, left_minor))
    if left_minor >= 0:
        return after
    short_minor = standing.short.get(event.refund_id, 0) - left_minor
    return replace(after, short={**standing.short, event.refund_id: short_minor})


def _kept(standing: Standing, event: ReturnKept, versions: Versions, leaving: Leaving) -> Standing:
    debt = brought_up(open_debt(standing), versions.contract, event.on)
    withheld = leaving.withhold(standing, debt, event.on)
    done = keep_refused(withheld.debt, event.amount_minor, versions, event.on).applied
    debt = hand_back(done.debt, withheld, versions.contract.minimum, event.on)
    after = _with(standing, with_next_bill(touched(debt, event.on), event.on))
    left_minor = after.credit_balance_minor + done.surplus_minor
    return _charged_by(replace(after, credit_balance_minor=left_minor), done)


def _as_told(debt: Debt, event: Refunded, versions: Versions) -> Done:
    """The refund, of which so much went back as money as was told then.

    Money that has gone and that nothing paid covers any more has not lowered the debt: so much less is taken off the
    draws, and the person owes it. What more is left over stays in their favour.
    """

    def of(amount_minor: int, gone_minor: int) -> Done:
        return refund(
            debt,
            event.draw_ids,
            amount_minor,
            (),
            versions,
            event.on,
            merchants_fault=event.merchants_fault,
            undone=event.undone,
            gone_minor=gone_minor,
        )

    told_minor = amount_minor = event.amount_minor - event.uncovered_minor
    while True:
        done = of(amount_minor, 0)
        if not event.returned_minor:
            return done
        left_minor = done.kept_minor + (done.applied.paid_minor if done.applied is not None else 0)
        gone_minor = event.returned_minor - (told_minor - amount_minor)
        if gone_minor <= left_minor:
            return of(amount_minor, gone_minor)
        if not amount_minor:
            detail = f"A refund of {event.on} gave fees back that would not have been paid; settle it with the person."
            raise Problem(Code.STATE_CONFLICT, detail)
        amount_minor -= min(amount_minor, gone_minor - left_minor)


def _uncharging(standing: Standing, event: Refunded, done: Done) -> Standing:
    """What a refund takes off the charges; what the merchant did not get back of its part is earned."""
    is_lost = standing.lost is not None
    fee_cancelled_minor = 0 if is_lost else done.fee_cancelled_minor
    interest_cancelled_minor = 0 if is_lost else done.interest_cancelled_minor
    returned_minor = event.subsidy_returned_minor
    if returned_minor is None:
        returned_minor = done.subsidy_returned_minor
    kept_minor = done.subsidy_returned_minor - returned_minor
    after = _charging(standing, -interest_cancelled_minor, -fee_cancelled_minor)
    after = _charging(
        after,
        -done.interest_returned_minor,
        -done.fee_returned_minor,
        kept_minor - done.subsidy_given_up_minor,
    )
    return _giving_back(after, event, done, kept_minor)


def _lost_cancelled(standing: Standing, done: Done) -> Parts:
    """With what a refund takes off the charges of a loss: the first of what it found owed that is owed no longer."""
    if standing.lost is None:
        return ()
    left_minor = standing.owed_minor - done.fee_cancelled_minor - done.interest_cancelled_minor
    cancelled = split_change(standing.owed_minor, left_minor, standing.line.lenders)
    return merged([*standing.lost_cancelled, *cancelled])


def _giving_back(standing: Standing, event: Refunded, done: Done, kept_minor: int) -> Standing:
    """What a refund gives back of subsidies, as its own journal splits it, but for what the merchant did not get; of a
    purchase that is undone as a whole, as the event has it by lender.
    """
    charged = standing.charged
    if event.subsidy_returned is not None:
        returned = merged([*charged.subsidy_returned, *event.subsidy_returned])
        return replace(standing, charged=replace(charged, subsidy_returned=returned))
    all_kept_minor = charged.subsidy_kept_minor + kept_minor
    kept = split_change(charged.subsidy_kept_minor, all_kept_minor, standing.line.lenders)
    returned = merged([*charged.subsidy_returned, *subsidy_refunded(done), *kept])
    return replace(
        standing,
        charged=replace(charged, subsidy_returned=returned, subsidy_kept_minor=all_kept_minor),
    )


def _charged_off(standing: Standing, event: ChargedOff, versions: Versions, leaving: Leaving) -> Standing:
    lost = charge_off(open_debt(standing), event.bill_id, versions.contract, event.on)
    after = _with(standing, lost.debt)
    if lost.bill is not None:
        after = replace(after, items={**after.items, event.bill_id: lost.items})
    elif event.is_billed:
        after = _with_empty_bill(after, _empty(standing.line, event, event.on))
    all_owed = Owed(lost.principal_minor, lost.interest_owed_minor, lost.fee_owed_minor)
    after = _charging(replace(after, lost=all_owed), lost.interest_minor, 0, gone_of(lost.unearned))
    # As it was lived, nothing stood in favour of a line in arrears; what money that came late has left over recovers.
    return _apply_credit(after, lost.debt, versions, leaving, event.on)


def as_of(standing: Standing, versions: Versions, on: date) -> Standing:
    """The standing as the day closes before a date leave it."""
    product = versions.contract
    debt = with_line_state(brought_up(open_debt(standing), product, on), product, on)
    after = _with(standing, with_next_bill(debt, on))
    return replace(after, bills={id_: _awake(bill, on) for id_, bill in after.bills.items()})


def _awake(bill: Bill, on: date) -> Bill:
    """A bill that was told as due on its due date is looked at again when its days of grace are over."""
    if bill.wake_on is None or bill.wake_on > on:
        return bill
    return replace(bill, wake_on=bill.last_on + timedelta(days=1))


def open_debt(standing: Standing, draw_ids: Collection[UUID] = ()) -> Debt:
    """What single steps load of a line: bills not settled, draws not wholly billed, and those that are named."""
    named = {bill for id_ in draw_ids for bill in standing.draws[id_].bills}
    bills = [bill for bill in standing.bills.values() if bill.id in named or not is_settled(bill)]
    draws = [draw for draw in standing.draws.values() if draw.id in draw_ids or _is_open(draw)]
    return Debt(
        standing.line,
        tuple(sorted(bills, key=lambda bill: (bill.issued_on, bill.id))),
        tuple(sorted(draws, key=lambda draw: draw.id)),
    )


def _is_open(draw: Draw) -> bool:
    return draw.unbilled_minor > 0 or charges_open(draw)


def _with(standing: Standing, debt: Debt) -> Standing:
    return replace(
        standing,
        line=debt.line,
        bills={**standing.bills, **{bill.id: bill for bill in debt.bills}},
        draws={**standing.draws, **{draw.id: draw for draw in debt.draws}},
    )


def _expecting(standing: Standing, on: date) -> Standing:
    return replace(standing, line=with_next_bill(open_debt(standing), on).line)


def _charging(
    standing: Standing,
    interest_minor: int,
    fee_minor: int,
    subsidy_minor: int = 0,
) -> Standing:
    """What one journal charges, or takes off again."""
    charged, lenders = standing.charged, standing.line.lenders

    def and_(parts: Parts, more_minor: int) -> Parts:
        return merged([*parts, *split_between(more_minor, lenders)])

    return replace(
        standing,
        charged=replace(
            charged,
            interest=and_(charged.interest, interest_minor),
            fee=and_(charged.fee, fee_minor),
            subsidy_minor=charged.subsidy_minor + subsidy_minor,
        ),
    )


def _charged_by(standing: Standing, spread: Spread) -> Standing:
    return _charging(standing, spread.charged_minor, 0, gone_of(spread.unearned))


def with_surplus(spread: Spread) -> tuple[Allocation, ...]:
    """The pieces of a repayment, with what stays in the person's favour as one of them."""
    if not spread.surplus_minor:
        return spread.allocation
    return (*spread.allocation, Allocation(Paid.CREDIT_BALANCE, spread.surplus_minor))
