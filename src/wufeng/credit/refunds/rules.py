"""What a refund does to a line: the table of PRODUCTS.md 2.2.

Before the bill: less is unbilled. After it, unpaid: the bill owes less from that day on. After it, paid: the line's
other debts, then back to where repayments came from, up to what they repaid. Instalments end from the last backwards:
fees to come and fees billed and unpaid are cancelled with them, paid ones come back where the reason is the merchant's.
The merchant's share of fees goes back with every month that is cancelled, billed or not: of a paid one it stays earned.
Interest is the price of days that have passed: it stays, whatever the reason, unless the product gives it back. What a
bill took of a plan's interest for days to come is no such price: it falls away with its principal from that day on, and
comes back where it was paid.
A minimum is what the bill would have asked for without what was refunded: its share, what earlier bills left to it, and
what was above the limit. A bill of the minimum alone (`Rest.DRAW`) asks for a share of what is left of what was used.
"""

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from wufeng.base.money import round_half_even
from wufeng.credit.accruals.model import Segment
from wufeng.credit.bills.model import Bill, BillStatus
from wufeng.credit.bills.rules import ask_less_above_limit, ask_less_for_earlier, ask_share_of_less, lower
from wufeng.credit.draws.model import Draw
from wufeng.credit.draws.rules import accrue_draw, gone_of, unearned_of
from wufeng.credit.lines.model import Line
from wufeng.credit.products.model import Early, Minimum, Product, RefundFees
from wufeng.credit.products.versions import Versions
from wufeng.credit.refunds.model import SENT_MAX, Effect, EffectKind, Kept, Refunded, Returnable, Returned
from wufeng.credit.repayments.model import Debt, Paid, Source, SourceKind, Spread
from wufeng.credit.repayments.rules import (
    end_plan,
    period_of,
    spread,
    with_line_state,
    without_subsidy_to_come,
)


class _Cut(Struct):
    """The refund of one draw, part by part, as it goes on."""

    draw: Draw
    bills: dict[UUID, Bill]
    effects: list[Effect]
    merchants_fault: bool
    line: Line
    in_time: frozenset[UUID]  # bills that ask for a minimum still: not paid, their last day to pay not over
    principal_minor: int = 0
    fee_cancelled_minor: int = 0
    fee_returned_minor: int = 0
    interest_cancelled_minor: int = 0
    interest_returned_minor: int = 0
    subsidy_given_up_minor: int = 0  # bills had earned it
    paid_minor: int = 0  # of parts that were paid already: not owed, so it is left over

    @property
    def is_lost(self) -> bool:
        """Whether the line is charged off: no bill asks for a minimum any more."""
        return self.line.charged_off_on is not None


def refund(
    debt: Debt,
    draw_ids: Sequence[UUID],
    amount_minor: int,
    repaid: Sequence[Returnable],
    versions: Versions,
    on: date,
    *,
    merchants_fault: bool = False,
    undone: bool = False,
    gone_minor: int = 0,
) -> Refunded:
    """Refund an amount of some draws, the last draw and its last instalment first.

    debt             holds those draws, their bills, and all else the line owes
    repaid           repayments of the line, the latest first: money returns in that order
    merchants_fault  paid fees of the refunded parts come back, on the way that paid principal goes
    undone           as if the purchase had not happened: no charges of it are kept, whatever its product says
    gone_minor       of what is left over, went back as money already: of a refund in a history that is folded again
    Asserts that no more is refunded than was drawn: the payment has seen to that.
    """
    draws = {draw.id: draw for draw in debt.draws}
    bills = {bill.id: bill for bill in debt.bills}
    effects: list[Effect] = []
    cuts: list[_Cut] = []
    in_time = _in_time(debt, on)
    left_minor = amount_minor
    for draw_id in reversed(draw_ids):
        cut = _Cut(draws[draw_id], bills, effects, merchants_fault, debt.line, in_time)
        product = versions.of(cut.draw.product_version)
        left_minor = _cut_draw(
            cut, left_minor, _keeping_nothing(product) if undone else product, versions, on
        )
        draws[draw_id] = cut.draw
        cuts.append(cut)
    assert left_minor == 0, "no more is refunded than was drawn"

    after = with_line_state(
        replace(debt, bills=tuple(bills.values()), draws=tuple(draws.values())), versions.contract, on
    )
    unearned = unearned_of(debt.draws, draws.values())
    given_up_minor = sum(cut.subsidy_given_up_minor for cut in cuts)
    fee_returned_minor = sum(cut.fee_returned_minor for cut in cuts)
    interest_returned_minor = sum(cut.interest_returned_minor for cut in cuts)
    paid_minor = sum(cut.paid_minor for cut in cuts) + fee_returned_minor + interest_returned_minor
    surplus_minor, applied = paid_minor - gone_minor, None
    assert surplus_minor >= 0, "no more has gone than is left over"
    if (
        surplus_minor or gone_minor
    ):  # what had gone was left over by a spread too, and that ends stretches of interest
        applied = spread(after, surplus_minor, versions, on)
        after, surplus_minor = applied.debt, applied.surplus_minor
        effects += _effects_of(applied)
    returned, kept_minor = give_back(surplus_minor, repaid)
    effects += [Effect(EffectKind.RETURNED, back.amount_minor, back.source.id) for back in returned]
    if kept_minor:
        effects.append(Effect(EffectKind.CREDIT_BALANCE, kept_minor, debt.line.id))
    return Refunded(
        owed_before_minor=debt.principal_minor,
        debt=after,
        effects=tuple(effects),
        principal_minor=sum(cut.principal_minor for cut in cuts),
        fee_cancelled_minor=sum(cut.fee_cancelled_minor for cut in cuts),
        subsidy_returned_minor=gone_of(unearned) + given_up_minor,
        subsidy_given_up_minor=given_up_minor,
        unearned=unearned,
        applied=applied,
        returned=returned,
        kept_minor=kept_minor,
        fee_returned_minor=fee_returned_minor,
        interest_cancelled_minor=sum(cut.interest_cancelled_minor for cut in cuts),
        interest_returned_minor=interest_returned_minor,
    )


def keep_refused(debt: Debt, amount_minor: int, versions: Versions, on: date) -> Kept:
    """Money of a refund that a bank refused pays what the line owes by now, as the refund's rest had: "other open
    amounts of the same line first" (PRODUCTS.md 2.2). What is left over stays in the person's favour.

    debt  brought up to that date
    """
    applied = spread(debt, amount_minor, versions, on)
    effects = _effects_of(applied)
    if applied.surplus_minor:
        effects.append(Effect(EffectKind.CREDIT_BALANCE, applied.surplus_minor, debt.line.id))
    return Kept(debt, applied, tuple(effects))


def _keeping_nothing(product: Product) -> Product:
    """A product that gives all charges of a refund back."""
    return replace(
        product,
        instalments=replace(product.instalments, refund_fees=RefundFees.CANCELLED, early=Early.DROPPED),
        repayment=replace(product.repayment, refund_interest=True),
    )


def _in_time(debt: Debt, on: date) -> frozenset[UUID]:
    """The bills of which a minimum is asked still. Of a line that is charged off none is."""
    if debt.line.charged_off_on is not None:
        return frozenset()
    running = (bill for bill in debt.bills if bill.status is not BillStatus.PAID and on <= bill.last_on)
    return frozenset(bill.id for bill in running)


def _cut_draw(cut: _Cut, amount_minor: int, product: Product, versions: Versions, on: date) -> int:
    """Take an amount off a draw's parts, the last first; returns what is left when the draw is used up."""
    before, owed_minor = cut.draw, cut.principal_minor
    for part in reversed(range(len(cut.draw.principal_parts))):
        amount = min(amount_minor, cut.draw.principal_parts[part])
        if amount and part >= cut.draw.billed_parts:
            _cut_unbilled(cut, part, amount, product, versions.contract.minimum, on)
        elif amount:
            _cut_billed(cut, part, amount, product, versions.contract.minimum, on)
        amount_minor -= amount
    for part in range(before.billed_parts):
        _let_interest_go(cut, part, before, product, versions.contract.minimum, on)
    _ask_less_above_limit(cut, cut.principal_minor - owed_minor, versions.contract.minimum, on)
    if before.unbilled_minor and not cut.draw.unbilled_minor and not _keeps_charges(cut.draw, product):
        cut.draw = without_subsidy_to_come(end_plan(cut.draw)[0])
    return amount_minor


def _keeps_charges(draw: Draw, product: Product) -> bool:
    """Whether charges to come stay when no principal is to come: always, or while prepaid parts owe theirs."""
    instalments = product.instalments
    prepaid = any(draw.principal_parts[part] for part in draw.unbilled_parts)
    return instalments.refund_fees is RefundFees.KEPT or (prepaid and instalments.early is Early.DUE)


def _cut_unbilled(
    cut: _Cut, part: int, amount_minor: int, product: Product, minimum: Minimum, on: date
) -> None:
    draw = accrue_draw(cut.draw, on)
    unpaid_minor = draw.unpaid_of_unbilled_parts()[part]
    cancelled_minor = min(amount_minor, unpaid_minor)
    whole_minor = draw.principal_parts[part]
    subsidy_minor = _in_proportion(draw.subsidy_of(part), amount_minor, whole_minor, product)
    fee_minor = _in_proportion(draw.fee_of(part), amount_minor, whole_minor, product)
    interest_minor = _in_proportion(draw.interest_of(part), amount_minor, whole_minor, product)
    cut.draw = replace(
        draw,
        principal_parts=_less(draw.principal_parts, part, amount_minor),
        fee_parts=_less(draw.fee_parts, part, fee_minor),
        subsidy_parts=_less(draw.subsidy_parts, part, subsidy_minor),
        interest_parts=_less(draw.interest_parts, part, interest_minor),
        unbilled_minor=draw.unbilled_minor - cancelled_minor,
        prepaid_minor=draw.prepaid_minor - (amount_minor - cancelled_minor),
        segments=_given_back(draw.segments, cancelled_minor)
        if product.repayment.refund_interest
        else draw.segments,
    )
    cut.principal_minor += cancelled_minor
    cut.paid_minor += amount_minor - cancelled_minor
    _ask_share_of_less(cut, cancelled_minor, None, minimum, on)
    if cancelled_minor:
        kind = EffectKind.UNBILLED if draw.tenor == 1 else EffectKind.INSTALMENT
        cut.effects.append(Effect(kind, cancelled_minor, draw.id))


def _given_back(segments: tuple[Segment, ...], amount_minor: int) -> tuple[Segment, ...]:
    """Stretches as if the amount had never been owed."""
    return tuple(
        replace(segment, balance_minor=max(0, segment.balance_minor - amount_minor)) for segment in segments
    )


def _cut_billed(
    cut: _Cut, part: int, amount_minor: int, product: Product, minimum: Minimum, on: date
) -> None:
    draw, bill = cut.draw, cut.bills[cut.draw.bills[part]]
    of_bill = bill.single_minor if draw.tenor == 1 else bill.instalment_minor
    unpaid_minor = min(amount_minor, bill.unpaid_principal_minor, of_bill)
    fee_minor = _in_proportion(draw.fee_of(part), amount_minor, draw.principal_parts[part], product)
    fee_cancelled_minor = min(fee_minor, bill.unpaid_fee_minor)
    single_minor, instalment_minor = (unpaid_minor, 0) if draw.tenor == 1 else (0, unpaid_minor)
    # What was prepaid lowers no bill, and ends no stretch of its interest.
    if unpaid_minor or fee_cancelled_minor:
        cut.bills[bill.id] = lower(bill, single_minor, instalment_minor, fee_cancelled_minor, 0, minimum, on)
        if not cut.is_lost:
            _ask_less(cut.bills, bill, unpaid_minor, fee_cancelled_minor, minimum, on)
    whole_minor, subsidy_minor = draw.principal_parts[part], draw.subsidy_of(part)
    given_up_minor = _in_proportion(subsidy_minor, unpaid_minor, whole_minor, product)
    cut.draw = replace(
        draw,
        principal_parts=_less(draw.principal_parts, part, amount_minor),
        fee_parts=_less(draw.fee_parts, part, fee_minor),
        subsidy_parts=_less(
            draw.subsidy_parts, part, _in_proportion(subsidy_minor, amount_minor, whole_minor, product)
        ),
    )
    cut.subsidy_given_up_minor += given_up_minor
    cut.principal_minor += unpaid_minor
    cut.fee_cancelled_minor += fee_cancelled_minor
    if cut.merchants_fault:
        cut.fee_returned_minor += fee_minor - fee_cancelled_minor
    cut.paid_minor += amount_minor - unpaid_minor
    _ask_share_of_less(cut, unpaid_minor, bill, minimum, on)
    if unpaid_minor:
        cut.effects.append(Effect(EffectKind.BILL, unpaid_minor, bill.id))


def _let_interest_go(
    cut: _Cut, part: int, before: Draw, product: Product, minimum: Minimum, on: date
) -> None:
    """Take off a billed part the interest of days to come of what was refunded: this part and all after it bear it.

    before  the draw before the refund
    The interest of so much leaves the part. What days have earned of it stays billed, without the part
    (`running_interest`, half-even), so that a refund in two steps ends as one would have. Of a period that is over
    nothing goes.
    """
    whole_minor = sum(before.principal_parts[part:])
    gone_minor = whole_minor - sum(cut.draw.principal_parts[part:])
    stood_minor = before.interest_of(part)
    going_minor = _in_proportion(stood_minor, gone_minor, whole_minor, product) if gone_minor else 0
    if not going_minor:
        return
    bill = cut.bills[before.bills[part]]
    period = period_of(before, part, cut.line.cycle, bill.issued_on)
    assert period is not None, "a draw without dates of its own has the line's"
    since_on, until_on = period
    if on >= until_on:
        return
    share = Fraction(max(0, (on - since_on).days), (until_on - since_on).days)
    passed_minor = round_half_even(stood_minor * share) - round_half_even((stood_minor - going_minor) * share)
    cut.draw = replace(
        cut.draw,
        interest_parts=_less(cut.draw.interest_parts, part, going_minor),
        interest_billed_minor=cut.draw.interest_billed_minor + passed_minor,
    )
    cancelled_minor = min(going_minor - passed_minor, bill.unpaid_interest_minor)
    if cancelled_minor:
        cut.bills[bill.id] = lower(bill, 0, 0, 0, cancelled_minor, minimum, on)
        if not cut.is_lost:
            _ask_less(cut.bills, bill, 0, cancelled_minor, minimum, on)
    cut.interest_cancelled_minor += cancelled_minor
    cut.interest_returned_minor += going_minor - passed_minor - cancelled_minor


def _ask_less_above_limit(cut: _Cut, principal_minor: int, minimum: Minimum, on: date) -> None:
    """Take what is refunded of a draw off what its line's bills ask for above the limit."""
    for bill in [cut.bills[id_] for id_ in cut.in_time]:
        cut.bills[bill.id] = ask_less_above_limit(bill, cut.draw, principal_minor, minimum, on)


def _ask_share_of_less(
    cut: _Cut, principal_minor: int, taken: Bill | None, minimum: Minimum, on: date
) -> None:
    """Take what is refunded off what bills ask for a share of, as far as they found it used.

    taken  the bill that has taken it: those after it did not find it; None: none has
    """
    for bill in [cut.bills[id_] for id_ in cut.in_time]:
        if taken is None or bill.issued_on <= taken.issued_on:
            cut.bills[bill.id] = ask_share_of_less(bill, cut.draw, principal_minor, minimum, on)


def _ask_less(
    bills: dict[UUID, Bill],
    of: Bill,
    principal_minor: int,
    charges_minor: int,
    minimum: Minimum,
    on: date,
) -> None:
    """Take what is refunded of a bill off the minimum of those after it, which had asked for it too."""
    for bill in [bill for bill in bills.values() if bill.issued_on > of.issued_on]:
        bills[bill.id] = ask_less_for_earlier(bill, of, principal_minor, charges_minor, minimum, on)


def _in_proportion(charge_minor: int, amount_minor: int, whole_minor: int, product: Product) -> int:
    """The part of a charge that goes with a part of its principal; all of it with all; none where it is kept."""
    if not charge_minor or product.instalments.refund_fees is RefundFees.KEPT:
        return 0
    return round_half_even(Fraction(charge_minor * amount_minor, whole_minor))


def _less(parts: tuple[int, ...], part: int, amount_minor: int) -> tuple[int, ...]:
    if not parts or not amount_minor:
        return parts
    return (*parts[:part], parts[part] - amount_minor, *parts[part + 1 :])


def _effects_of(applied: Spread) -> list[Effect]:
    """What the rest of a refund paid of the line's other debts, as effects: one a bill, one a draw."""
    sums: dict[tuple[EffectKind, UUID], int] = {}
    for piece in applied.allocation:
        if piece.bill is not None:
            key = (EffectKind.BILL, piece.bill)
        elif piece.draw is not None and piece.part is not Paid.FEE_DROPPED:
            key = (EffectKind.UNBILLED, piece.draw)
        else:
            continue
        sums[key] = sums.get(key, 0) + piece.amount_minor
    return [Effect(kind, amount, to) for (kind, to), amount in sums.items()]


def give_back(
    amount_minor: int, repaid: Sequence[Returnable], accounts_most: int = SENT_MAX
) -> tuple[tuple[Returned, ...], int]:
    """Return money to the sources of repayments, the latest first; what no repayment covers stays on the line, and what
    would go to more bank accounts than one refund sends to.
    """
    returned: list[Returned] = []
    accounts: set[Source] = set()
    for source in repaid:
        if source.source.kind is SourceKind.BANK_ACCOUNT and source.source not in accounts:
            if len(accounts) >= accounts_most:
                continue
            accounts.add(source.source)
        amount = min(amount_minor, source.amount_minor)
        if amount:
            returned.append(Returned(source.repayment_id, source.source, amount))
            amount_minor -= amount
    return tuple(returned), amount_minor


def left_of(repaid: Sequence[Returnable], returned: Sequence[Returned]) -> list[Returnable]:
    """What can still be given back after a refund."""
    gone = {back.repayment_id: back.amount_minor for back in returned}
    left = [
        Returnable(one.repayment_id, one.source, one.amount_minor - gone.get(one.repayment_id, 0))
        for one in repaid
    ]
    return [one for one in left if one.amount_minor]
