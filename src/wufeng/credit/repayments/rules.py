"""How money is spread over a debt. The same rules serve repayments, refunds and a line's credit balance.

Source: PRODUCTS.md 2.1: oldest due period first; inside it fees, interest, principal (principal first when it is more
than 90 days past due: the product's waterfall); a surplus reduces unbilled spending, then the nearest instalments.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from wufeng.base.errors import Code, Problem, invalid_field
from wufeng.base.ids import Prefix, decode
from wufeng.credit.bills.model import Bill
from wufeng.credit.bills.rules import (
    TakenBack,
    accrue,
    as_of,
    bring_up,
    interest_to_bill,
    minimum_due,
    past_due_since,
    reopen,
    status_of,
)
from wufeng.credit.draws.model import Draw
from wufeng.credit.lines.model import Line
from wufeng.credit.lines.rules import with_arrears
from wufeng.credit.products.model import Part, Product, WaterfallStep
from wufeng.credit.repayments.model import (
    PAID_PARTS,
    Allocation,
    Debt,
    Paid,
    Source,
    SourceKind,
    Spread,
    Target,
)
from wufeng.identity.bank_accounts.model import BankAccountStatus
from wufeng.identity.people.model import PersonGuard, PersonStatus


class Due(Struct, frozen=True):
    """What one period owes, by part, and how old it is."""

    bill_id: UUID
    days_past_due: int
    parts: Mapping[Part, int]


def order_at(waterfall: Sequence[WaterfallStep], days_past_due: int) -> tuple[Part, ...]:
    """The order of parts for a debt of that age: the last step that it has reached."""
    return [step for step in waterfall if step.days_past_due <= days_past_due][-1].order


def allocate(
    dues: Sequence[Due], money_minor: int, waterfall: Sequence[WaterfallStep]
) -> tuple[list[tuple[UUID, Part, int]], int]:
    """Spread money over periods, oldest first, each exhausted before the next; returns the pieces and the surplus."""
    assert money_minor >= 0, "money in is not negative"
    pieces: list[tuple[UUID, Part, int]] = []
    for due in dues:
        for part in order_at(waterfall, due.days_past_due):
            amount = min(money_minor, due.parts[part])
            if amount:
                pieces.append((due.bill_id, part, amount))
                money_minor -= amount
    return pieces, money_minor


def due_of(bill: Bill, on: date) -> Due:
    """What a bill owes, by part."""
    return Due(
        bill.id,
        max(0, (on - bill.due_on).days),
        {
            Part.FEE: bill.unpaid_fee_minor,
            Part.INTEREST: bill.unpaid_interest_minor,
            Part.PRINCIPAL: bill.unpaid_principal_minor,
        },
    )


def spread(debt: Debt, money_minor: int, product: Product, on: date) -> Spread:
    """Spread money over a debt on a business date.

    Bills first, by the waterfall; then the interest they have earned since their due dates; then draws on the next
    bill, oldest first; then instalments to come, the nearest first. A plan whose principal is wholly paid ends, and the
    fees of its months to come are dropped. What nothing is left for is the surplus.
    """
    bills = [accrue(bill, on) for bill in debt.bills]
    pieces, left_minor = allocate(
        [due_of(bill, on) for bill in bills], money_minor, product.repayment.waterfall
    )
    bills = _count(_pay_bills(bills, pieces), pieces, on)
    allocation = [Allocation(PAID_PARTS[part], amount, bill=bill_id) for bill_id, part, amount in pieces]

    bills, late, left_minor = _pay_late_interest(bills, left_minor, on)
    draws, early, left_minor, subsidy_minor = _prepay(debt.draws, left_minor)
    after = replace(debt, bills=tuple(status_of(bill, on) for bill in bills), draws=draws)
    pieces_of_all = (*allocation, *late, *early)
    return Spread(with_line_state(after, product, on), pieces_of_all, left_minor, subsidy_minor)


def _pay_bills(bills: Sequence[Bill], pieces: Sequence[tuple[UUID, Part, int]]) -> list[Bill]:
    by_id = {bill.id: bill for bill in bills}
    for bill_id, part, amount in pieces:
        bill = by_id[bill_id]
        match part:
            case Part.FEE:
                bill = replace(bill, paid_fee_minor=bill.paid_fee_minor + amount)
            case Part.INTEREST:
                bill = replace(bill, paid_interest_minor=bill.paid_interest_minor + amount)
            case Part.PRINCIPAL:
                bill = replace(bill, paid_principal_minor=bill.paid_principal_minor + amount)
        by_id[bill_id] = bill
    return list(by_id.values())


def _count(bills: Sequence[Bill], pieces: Sequence[tuple[UUID, Part, int]], on: date) -> list[Bill]:
    """Count what was paid towards the minimum of each running bill: on it and on the bills before it."""
    paid_minor, counted = 0, []
    for bill in bills:
        paid_minor += sum(amount for bill_id, _, amount in pieces if bill_id == bill.id)
        running = on <= bill.due_on and paid_minor
        counted.append(replace(bill, counted_minor=bill.counted_minor + paid_minor) if running else bill)
    return counted


def _pay_late_interest(
    bills: Sequence[Bill], money_minor: int, on: date
) -> tuple[list[Bill], list[Allocation], int]:
    after, pieces = [], []
    for bill in bills:
        amount = min(money_minor, interest_to_bill(bill, on))
        if amount:
            bill = replace(
                bill,
                late_interest_minor=bill.late_interest_minor + amount,
                interest_billed_minor=bill.interest_billed_minor + amount,
                paid_interest_minor=bill.paid_interest_minor + amount,
            )
            pieces.append(Allocation(Paid.LATE_INTEREST, amount, bill=bill.id))
            money_minor -= amount
        after.append(bill)
    return after, pieces, money_minor


def _prepay(draws: Sequence[Draw], money_minor: int) -> tuple[tuple[Draw, ...], list[Allocation], int, int]:
    """Pay draws before their bill: those on the next bill first, then instalments, month by month.

    Returns the draws, the pieces, what is left, and the subsidy earned by plans that ended.
    """
    by_id = {draw.id: draw for draw in draws}
    unpaid = {draw.id: draw.unpaid_of_unbilled_parts() for draw in draws}
    order = [
        (draw.tenor > 1, part - draw.billed_parts, place, draw.id, part)
        for place, draw in enumerate(draws)
        for part in unpaid[draw.id]
    ]
    pieces: list[Allocation] = []
    for _, _, _, draw_id, part in sorted(order):
        amount = min(money_minor, unpaid[draw_id][part])
        if amount:
            draw = by_id[draw_id]
            by_id[draw_id] = replace(
                draw,
                prepaid_minor=draw.prepaid_minor + amount,
                unbilled_minor=draw.unbilled_minor - amount,
            )
            pieces.append(Allocation(Paid.UNBILLED, amount, draw=draw_id, instalment=part + 1))
            money_minor -= amount
    subsidy_minor = 0
    for draw in by_id.values():
        ended, dropped = end_plan(draw)
        pieces += dropped
        if not ended.unbilled_minor:
            subsidy_minor += sum(ended.subsidy_of(part) for part in ended.unbilled_parts)
            ended = without_subsidy_to_come(ended)
        by_id[draw.id] = ended
    return tuple(by_id.values()), pieces, money_minor, subsidy_minor


def without_subsidy_to_come(draw: Draw) -> Draw:
    """The draw with no subsidy left for its months to come: it was earned or given back."""
    if not any(draw.subsidy_of(part) for part in draw.unbilled_parts):
        return draw
    kept = draw.subsidy_parts[: draw.billed_parts]
    return replace(draw, subsidy_parts=kept + (0,) * len(draw.unbilled_parts))


def end_plan(draw: Draw) -> tuple[Draw, list[Allocation]]:
    """Drop the fees of the months to come when no principal is left to be billed (PRODUCTS.md 1.1, newer terms)."""
    if draw.unbilled_minor or not any(draw.fee_of(part) for part in draw.unbilled_parts):
        return draw, []
    dropped = [
        Allocation(Paid.FEE_DROPPED, draw.fee_of(part), draw=draw.id, instalment=part + 1)
        for part in draw.unbilled_parts
        if draw.fee_of(part)
    ]
    kept = draw.fee_parts[: draw.billed_parts]
    return replace(draw, fee_parts=kept + (0,) * len(draw.unbilled_parts)), dropped


def brought_up(debt: Debt, product: Product, on: date) -> Debt:
    """The debt as the day closes before a date leave it, whether or not they have run yet."""
    bills = tuple(bring_up(bill, product, on) for bill in debt.bills)
    return debt if bills == debt.bills else with_line_state(replace(debt, bills=bills), product, on)


def with_line_state(debt: Debt, product: Product, on: date) -> Debt:
    """The debt with its line's arrears as its bills say."""
    return replace(debt, line=with_arrears(debt.line, past_due_since(debt.bills), product, on))


def owed(debt: Debt, target: Target, on: date) -> int:
    """How much a target comes to on a date."""
    if target is Target.MINIMUM:
        return minimum_due(debt.bills, on)
    billed_minor = sum(bill.unpaid_minor + interest_to_bill(bill, on) for bill in debt.bills)
    if target is Target.BILLED:
        return billed_minor
    return billed_minor + sum(draw.unbilled_minor for draw in debt.draws)


def repaid(
    debt: Debt, money_minor: int, plan: UUID | None, product: Product, value_on: date, on: date
) -> Spread:
    """Pay money on a debt as if it had come on `value_on`, and show the debt as it then stands on `on`.

    plan  pay the instalments to come of this draw, if they still come to exactly that amount; else by the waterfall
    A due date that passed in between is judged again: what was paid in time was not late. Asserts that nothing else
    has happened to the debt since `value_on` (`problem_of_value_on` refuses that).
    """
    now = brought_up(debt, product, on)
    then = replace(now, bills=tuple(as_of(bill, value_on) for bill in now.bills)) if value_on < on else now
    settled = settle_plan(then, plan) if plan is not None else None
    if settled is None or settled.paid_minor != money_minor:
        settled = spread(then, money_minor, product, value_on)
    after = brought_up(settled.debt, product, on)
    return replace(settled, debt=with_line_state(after, product, on))


def problem_of_source(
    source: Source, guard: PersonGuard, bank_account: tuple[UUID, BankAccountStatus] | None
) -> Problem | None:
    """Why money may not come from there: a frozen person's stays where it is, and another's is another's.

    bank_account  (person, state) of the source, when it is one that is known
    """
    if source.kind is SourceKind.EXTERNAL:
        return None
    if guard.status is not PersonStatus.ACTIVE:
        return Problem(Code.FORBIDDEN, f"This person is {guard.status.value}.")
    if source.kind is SourceKind.WALLET:
        own = source.id == guard.wallet_id
        return None if own else invalid_field("/source", "It is not the wallet of the line's person.")
    if bank_account is None or bank_account[0] != guard.id or bank_account[1] is BankAccountStatus.DELETED:
        return invalid_field("/source", "There is no such bank account.")
    if bank_account[1] is not BankAccountStatus.VERIFIED:
        detail = f"This bank account is {bank_account[1].value}; only a verified one moves money."
        return Problem(Code.STATE_CONFLICT, detail)
    return None


def problem_of_value_on(line: Line, value_on: date, on: date) -> Problem | None:
    """Why money may not be dated back so far: issued bills, and what was paid or refunded since, stand as they are."""
    if value_on > on:
        return invalid_field("/value_on", "It is not in the future.")
    earliest = line.touched_on or line.opened_on
    if value_on < earliest:
        return invalid_field(
            "/value_on", f"Not before {earliest}, the line's last bill, repayment or refund."
        )
    return None


def due_by(debt: Debt, on: date) -> int:
    """What bills ask for whose due date has come, the interest that they have earned included."""
    due = [bill for bill in debt.bills if bill.due_on <= on]
    return sum(bill.unpaid_minor + interest_to_bill(bill, on) for bill in due)


def source_of(text: str) -> Source:
    """A source by its id at the border: wal_… or bka_…. Raises ValueError for anything else."""
    if text.startswith(f"{Prefix.WALLET.value}_"):
        return Source(SourceKind.WALLET, decode(Prefix.WALLET, text))
    return Source(SourceKind.BANK_ACCOUNT, decode(Prefix.BANK_ACCOUNT, text))


class Money(Struct, frozen=True):
    """What a debit may take: the wallet's money, and whether the bank may be asked (it is not, while it is asked)."""

    wallet_minor: int
    bank_is_free: bool


def debits(sources: Sequence[str], due_minor: int, money: Money) -> list[tuple[Source, int]]:
    """How an amount due is debited: each source in its order, a wallet what it has, a bank account all the rest."""
    asked: list[tuple[Source, int]] = []
    for source in map(source_of, sources):
        room_minor = money.wallet_minor
        if source.kind is SourceKind.BANK_ACCOUNT:
            room_minor = due_minor if money.bank_is_free else 0
        amount_minor = min(due_minor, room_minor)
        if amount_minor > 0:
            asked.append((source, amount_minor))
            due_minor -= amount_minor
    return asked


def settle_plan(debt: Debt, draw_id: UUID) -> Spread | None:
    """Pay all instalments to come of one plan, and nothing else; None when none is to come."""
    draw = next((draw for draw in debt.draws if draw.id == draw_id and draw.tenor > 1), None)
    if draw is None or not draw.unbilled_minor:
        return None
    (settled,), pieces, left_minor, subsidy_minor = _prepay([draw], draw.unbilled_minor)
    assert left_minor == 0, "a plan takes exactly what it still owes"
    draws = tuple(settled if other.id == draw_id else other for other in debt.draws)
    return Spread(replace(debt, draws=draws), tuple(pieces), 0, subsidy_minor)


def take_back(
    debt: Debt, allocation: Sequence[Allocation], paid_on: date, product: Product, on: date
) -> Debt:
    """The debt as if a repayment had never been. Its bills and draws must be in the debt.

    What was charged with the repayment (late interest) stays charged and is owed; dropped fees come back.
    """
    bills = []
    counted_minor = 0
    for bill in debt.bills:
        mine = [piece for piece in allocation if piece.bill == bill.id]
        counted_minor += sum(piece.amount_minor for piece in mine if piece.part is not Paid.LATE_INTEREST)
        taken = TakenBack(
            paid_on,
            principal_minor=sum(piece.amount_minor for piece in mine if piece.part is Paid.PRINCIPAL),
            fee_minor=sum(piece.amount_minor for piece in mine if piece.part is Paid.FEE),
            interest_minor=sum(
                piece.amount_minor for piece in mine if piece.part in (Paid.INTEREST, Paid.LATE_INTEREST)
            ),
            counted_minor=counted_minor if bill.issued_on <= paid_on <= bill.due_on else 0,
        )
        touched = mine or taken.counted_minor
        bills.append(reopen(bill, taken, product, on) if touched else bill)
    draws = tuple(_take_back_from_draw(draw, allocation) for draw in debt.draws)
    return with_line_state(replace(debt, bills=tuple(bills), draws=draws), product, on)


def _take_back_from_draw(draw: Draw, allocation: Sequence[Allocation]) -> Draw:
    mine = [piece for piece in allocation if piece.draw == draw.id]
    amount = sum(piece.amount_minor for piece in mine if piece.part is Paid.UNBILLED)
    if not amount:
        return draw
    fees = list(draw.fee_parts)
    for piece in mine:
        if (
            piece.part is Paid.FEE_DROPPED
            and piece.instalment is not None
            and piece.instalment > draw.billed_parts
        ):
            fees[piece.instalment - 1] = piece.amount_minor
    still_prepaid = min(amount, draw.prepaid_minor)
    owed_again = replace(
        draw,
        prepaid_minor=draw.prepaid_minor - still_prepaid,
        unbilled_minor=draw.unbilled_minor + amount,
        fee_parts=tuple(fees),
    )
    return _with_more_to_bill(owed_again, amount - still_prepaid)


def _with_more_to_bill(draw: Draw, amount_minor: int) -> Draw:
    """Prepaid money that a bill or a refund has used up meanwhile is owed with the next part, or as one more part."""
    if not amount_minor:
        return draw
    parts = list(draw.principal_parts)
    if draw.unbilled_parts:
        parts[draw.billed_parts] += amount_minor
        return replace(draw, principal_parts=tuple(parts))
    return replace(
        draw,
        principal_parts=(*parts, amount_minor),
        fee_parts=(*draw.fee_parts, 0) if draw.fee_parts else (),
        subsidy_parts=(*draw.subsidy_parts, 0) if draw.subsidy_parts else (),
    )
