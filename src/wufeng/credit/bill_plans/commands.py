"""Putting a bill into instalments, as a lane command: priced again from locked rows, and made if it is the same."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import msgspec
from msgspec.structs import replace

from wufeng.base.claims import Answer
from wufeng.base.errors import Code, Problem, invalid_field, not_found
from wufeng.base.events import Event
from wufeng.base.ids import slot_of
from wufeng.base.lanes import Batch, Command, Handler
from wufeng.credit.bill_plans import rules
from wufeng.credit.bill_plans.model import Priced
from wufeng.credit.bill_plans.store import load_small
from wufeng.credit.bills import store as bills
from wufeng.credit.bills.model import Bill
from wufeng.credit.debts.commands import Move, keep
from wufeng.credit.debts.rules import touched
from wufeng.credit.debts.store import load_debts
from wufeng.credit.draws import store as draws
from wufeng.credit.draws.commands import join_earning
from wufeng.credit.lines import store as lines
from wufeng.credit.products.commands import Products
from wufeng.credit.products.model import Product
from wufeng.credit.repayments.model import Debt
from wufeng.credit.repayments.rules import brought_up
from wufeng.credit.views import view_plan


class SplitBill(Command, frozen=True, kw_only=True):
    """Put an amount of a bill into instalments, at the option that its person has signed.

    person_id     the bill's person: the command's only one
    amount_minor  of the bill's principal      quote_option  as `GET /v1/bills/{id}/plans` named it
    """

    person_id: UUID
    bill_id: UUID
    amount_minor: int
    quote_option: str


def handlers(products: Products) -> dict[type[Command], Handler]:
    """The lane handlers of plans made of bills."""
    return {SplitBill: _Desk(products).split}


class _Desk:
    def __init__(self, products: Products) -> None:
        self.products = products

    async def split(self, batch: Batch, commands: Sequence[SplitBill]) -> list[Answer | Problem]:
        """Split bills, one after the other: each sees what the ones before it left."""
        return [await self._split(batch, command) for command in commands]

    async def _split(self, batch: Batch, command: SplitBill) -> Answer | Problem:
        found = (await bills.load_bills(batch.db, batch.bucket, [command.bill_id])).get(command.bill_id)
        if found is None:
            return not_found("bill")
        line = (await lines.load_lines(batch.db, batch.bucket, [found.line_id]))[found.line_id]
        if line.person_id != command.person_id or command.person_id not in batch.people:
            return not_found("bill")
        on = batch.book.business_date(command.at)
        product = self.products.drawn_under(line.product, line.product_version, line.tier, on)
        contract = self.products.version(line.product, line.product_version, line.tier)
        debts = await load_debts(batch.db, batch.bucket, {line.id: line}, (), [command.bill_id])
        before = debts[line.id]
        debt = brought_up(before, contract, on)
        bill = next(bill for bill in debt.bills if bill.id == command.bill_id)
        small_minor = await load_small(batch.db, batch.bucket, bill, product)
        priced = _wanted(bill, small_minor, debt, product, command, on)
        if isinstance(priced, Problem):
            return priced
        plan_id = batch.ids.new(command.at, slot_of(line.id))
        made = rules.split(bill, line, product, contract, priced, plan_id, on)
        await draws.insert_draws(batch.db, batch.bucket, [made.draw])
        await join_earning(batch, [(line, made.draw)], on)
        after = replace(debt, bills=rules.with_bill(debt.bills, made.bill), draws=(*debt.draws, made.draw))
        # The plan is a row already: what is kept beside it is what changed of the others.
        owing = replace(before, draws=(*before.draws, made.draw))
        await keep(batch, self.products, [Move(owing, touched(after, on))], on, command.at)
        body = msgspec.json.encode(view_plan(made.draw, [], line, product, contract, on))
        batch.events.append(Event("plan.created", made.draw.id, body, on, line.person_id))
        return Answer(201, body, made.draw.id)


def _wanted(
    bill: Bill, small_minor: int, debt: Debt, product: Product, command: SplitBill, on: date
) -> Priced | Problem:
    """The option that was signed, as it is now, or why the bill may not be split so."""
    if (reason := rules.why_not(bill, small_minor, debt.line, product, on)) is not None:
        return Problem(Code.STATE_CONFLICT, reason)
    bounds = product.instalments.bills
    assert bounds is not None, "the product splits bills"
    most_minor = rules.splittable(bill, small_minor, product)
    if not bounds.least_minor <= command.amount_minor <= most_minor:
        detail = f"{bounds.least_minor} to {most_minor} minor units of this bill may be split."
        return invalid_field("/amount_minor", detail)
    options = rules.options_of(bill, debt.line, product, command.amount_minor, on)
    priced = rules.named(options, command.quote_option)
    if priced is None:
        return Problem(
            Code.STATE_CONFLICT, "The bill or the price has changed since; ask for the options again."
        )
    return priced
