"""A refund that counts from an earlier date: the line's history is folded again with it there, and what is left over
goes back as money on the day on which it is made.
"""

from collections.abc import Iterator, Sequence
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from wufeng.base.errors import Code, Problem, invalid_field
from wufeng.base.lanes import Batch
from wufeng.credit.bills.model import Bill
from wufeng.credit.debts.commands import keep
from wufeng.credit.debts.rules import touched
from wufeng.credit.history.commands import Lived, Rewritten, going_on, keep_items, load_lived, retold
from wufeng.credit.history.model import Refunded as RefundEvent
from wufeng.credit.history.model import Standing
from wufeng.credit.journals import RefundLegs, legs_of_late_refund
from wufeng.credit.lines import store as lines
from wufeng.credit.lines.model import Line, LineStatus
from wufeng.credit.products.commands import Products
from wufeng.credit.refunds import store
from wufeng.credit.refunds.model import (
    Effect,
    EffectKind,
    RefundRequest,
    Returnable,
    Returned,
    Sent,
    sent_of,
)
from wufeng.credit.refunds.rules import give_back, left_of
from wufeng.credit.refunds.sending import left_over
from wufeng.credit.repayments import store as repayments
from wufeng.credit.repayments.rules import problem_of_value_on
from wufeng.ledger import Cause


class RefundedLate(Struct, frozen=True):
    """What a refund does to a line by counting from an earlier date, told on the day on which it is made.

    before, after           the standings between which the difference is posted
    effects                 what is owed less by now, of which bills and draws, and what came into the person's favour
    charges_returned_minor  beside the amount: interest and fees that were paid and would not have been owed
    returned                what of it goes back to where repayments came from, today
    """

    line: Line
    amount_minor: int
    before: Standing
    after: Standing
    effects: tuple[Effect, ...]
    charges_returned_minor: int
    returned: tuple[Returned, ...]

    @property
    def subsidy_returned_minor(self) -> int:
        """The merchant's share of fees of months cancelled."""
        return self.after.charged.subsidy_returned_minor - self.before.charged.subsidy_returned_minor

    @property
    def sent(self) -> tuple[Sent, ...]:
        """What goes back, by the source that it goes to."""
        return sent_of(self.returned)

    def legs(self, cause: Cause) -> RefundLegs:
        """What is posted of it: its own journal's legs, and the journals before and after that."""
        return legs_of_late_refund(cause, self.line, self.amount_minor, self.before, self.after, self.sent)


async def refund_late(
    batch: Batch, requests: Sequence[RefundRequest], products: Products
) -> list[RefundedLate] | Problem:
    """Refund what one line drew as of the requests' value dates, and keep what they do to the line; or why not: all of
    them or none. Each is told in the history that the ones before it have made, and answers keep their order.

    The line's person is locked by the caller's command. The caller posts `ledger.rules.refund` among the `legs` of
    each; money RETURNED to a bank account is the caller's to instruct. Nothing is written where it cannot be.
    """
    (line_id,), (on,) = {one.line_id for one in requests}, {one.on for one in requests}
    line = (await lines.load_lines(batch.db, batch.bucket, [line_id]))[line_id]
    if line.status is LineStatus.CLOSED:
        detail = "Its line is closed, and nothing is owed on it any more: refund it as of today."
        return Problem(Code.STATE_CONFLICT, detail)
    lived = await load_lived(batch, products, line, on)
    if isinstance(lived, Problem):
        return lived
    sources = (await repayments.load_returnable(batch.db, batch.bucket, [line.id])).get(line.id, [])
    told: list[_Told] = []
    for request in requests:
        one = _told(lived, request, sources)
        if isinstance(one, Problem):
            return one
        told.append(one)
        lived = going_on(lived, one.done, _event_of(request, one.late))
        sources = left_of(sources, one.late.returned)
    await _keep(batch, products, requests, told)
    return [one.late for one in told]


class _Told(Struct, frozen=True):
    """A refund in the history that it has made, and what is told of it."""

    done: Rewritten
    late: RefundedLate


def _told(lived: Lived, request: RefundRequest, sources: Sequence[Returnable]) -> _Told | Problem:
    if (problem := _problem_of_value_on(lived, request)) is not None:
        return problem
    done = retold(lived, request.on, added=_event(request))
    if isinstance(done, Problem):
        return done
    back, _ = give_back(left_over(done), sources)
    after = done.repaid_after(request.id)
    returned = tuple(replace(one, sending=1, on=request.on, later=one.repayment_id in after) for one in back)
    effects, charges_minor = _effects(request, done, sum(one.amount_minor for one in returned))
    line = lived.history.rows.line
    late = RefundedLate(line, request.amount_minor, done.before, done.after, effects, charges_minor, returned)
    return _Told(done, late)


def _event(request: RefundRequest) -> RefundEvent:
    assert request.value_on is not None, "the request names its value date"
    return RefundEvent(
        request.value_on,
        request.id,
        request.draw_ids,
        request.amount_minor,
        merchants_fault=request.merchants_fault,
        subsidy_returned_minor=None,
        undone=request.undone,
        made_on=request.on,
    )


def _event_of(request: RefundRequest, late: RefundedLate) -> RefundEvent:
    """The refund as it is told from then on."""
    back_minor = late.subsidy_returned_minor
    return replace(_event(request), returned=late.returned, subsidy_returned_minor=back_minor)


def _problem_of_value_on(lived: Lived, request: RefundRequest) -> Problem | None:
    """Why it may not count from then: neither in the future nor before what it gives back was captured."""
    value_on = request.value_on
    assert value_on is not None, "the request names its value date"
    rows = lived.history.rows
    captured_on = max(
        draw.posted_on for draw in rows.draws if draw.id in request.draw_ids and draw.posted_on is not None
    )
    if value_on < captured_on:
        return invalid_field("/value_on", f"Not before {captured_on}, on which the last of it was captured.")
    return problem_of_value_on(rows.line, value_on, request.on)


async def _keep(
    batch: Batch, products: Products, requests: Sequence[RefundRequest], told: Sequence[_Told]
) -> None:
    """What the last of them has rewritten is what all have: it is kept once, and a line that waits is closed once."""
    new = [
        store.NewRefund(request, one.late.returned, one.late.subsidy_returned_minor)
        for request, one in zip(requests, told, strict=True)
    ]
    await store.insert_refunds(batch.db, batch.bucket, new)
    done = told[-1].done
    await keep_items(batch, done)
    if done.repayments:
        await repayments.update_repayments(batch.db, batch.bucket, done.repayments)
    if returned := [back for one in told for back in one.late.returned]:
        await repayments.add_returned(batch.db, batch.bucket, returned)
    latest_on = max(_event(request).on for request in requests)
    move = replace(done.move, after=touched(done.move.after, latest_on))
    await keep(batch, products, [move], requests[0].on)


def _effects(request: RefundRequest, done: Rewritten, returned_minor: int) -> tuple[tuple[Effect, ...], int]:
    """What is owed less now than without the refund, by bill and draw, and what came into the person's favour; and what
    they add up to beside the amount: charges that had been paid. Where others are owed more, so much less is told.
    """
    before, after = done.before, done.after
    favour_minor = after.credit_balance_minor - before.credit_balance_minor
    told = list(_changes(before, after))
    more_minor = -sum(amount for _, amount in told if amount < 0) + max(0, -favour_minor)
    effects: list[Effect] = []
    for (kind, to), amount_minor in reversed(told):
        taken_minor = min(more_minor, max(0, amount_minor))
        more_minor -= taken_minor
        if amount_minor - taken_minor > 0:
            effects.insert(0, Effect(kind, amount_minor - taken_minor, to))
    kept_minor = favour_minor - returned_minor - more_minor
    if kept_minor > 0:
        effects.append(Effect(EffectKind.CREDIT_BALANCE, kept_minor, request.line_id))
    beside_minor = sum(one.amount_minor for one in effects) + returned_minor - request.amount_minor
    if beside_minor < 0:  # paid interest of a draw, of days before its bill: no row tells of it
        effects.append(Effect(EffectKind.UNBILLED, -beside_minor, request.draw_ids[-1]))
    return tuple(effects), max(0, beside_minor)


def _changes(before: Standing, after: Standing) -> Iterator[tuple[tuple[EffectKind, UUID], int]]:
    """By bill and draw: principal that is owed less, and charges that more was paid of."""
    for id_, bill in after.bills.items():
        was = before.bills.get(id_)
        paid_minor = _charges_paid(bill) - (_charges_paid(was) if was is not None else 0)
        owed_minor = was.unpaid_principal_minor if was is not None else 0
        yield (EffectKind.BILL, id_), owed_minor - bill.unpaid_principal_minor + max(0, paid_minor)
    for id_, draw in after.draws.items():
        kind = EffectKind.UNBILLED if draw.tenor == 1 else EffectKind.INSTALMENT
        yield (kind, id_), before.draws[id_].unbilled_minor - draw.unbilled_minor


def _charges_paid(bill: Bill) -> int:
    return bill.paid_fee_minor + bill.paid_interest_minor
