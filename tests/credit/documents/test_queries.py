"""Explanations and papers of rows that were lived through: refunds, late payments, one that was taken back."""

import csv
import io
from datetime import date

from tests.credit.conftest import House
from tests.credit.documents.test_explain import by_code, holds, opened

from wufeng.base.ids import Prefix, decode
from wufeng.credit.documents.bill import bill_csv
from wufeng.credit.documents.explain import Why
from wufeng.credit.documents.queries import (
    load_bill_paper,
    show_explained_bill,
    show_explained_repayment,
)
from wufeng.credit.queries import Reading, load_bill, load_repayment
from wufeng.identity import Merchants


async def test_refunds_and_late_payments_are_explained_too(house: House) -> None:
    payer = await house.payer(wallet_minor=500_000)
    returned = await house.buy(payer, 100_000)
    await house.buy(payer, 60_000, tenor=3)
    await house.turn_to(date(2026, 10, 1))
    await house.refund(payer, returned, 30_000)
    await house.turn_to(date(2026, 10, 20))
    paid = await house.repay(payer, 20_000)
    await house.turn_to(date(2026, 11, 1))
    second, first = sorted(await house.bills(payer), key=lambda bill: bill.issued_on, reverse=True)
    changed = {}
    async with house.database.read() as db:
        read = Reading(db, house.book, house.products, house.on, "zh")
        for view in (first, second):
            bill, line = await load_bill(read, decode(Prefix.BILL, view.id))
            explained = await show_explained_bill(read, bill, line)
            found = by_code(explained.amounts)
            for one in explained.amounts:
                holds(one)
            assert (found[Why.TOTAL].amount_minor, found[Why.MINIMUM].amount_minor) == (
                view.total_minor,
                view.minimum_minor,
            )
            steps = [step for one in explained.amounts for step in opened(one)]
            changed[view.id] = [step.amount_minor for step in steps if step.code is Why.ADJUSTED]
            rows = list(
                csv.reader(
                    io.StringIO(bill_csv(await load_bill_paper(read, bill, line, Merchants())).decode())
                )
            )
            assert int(rows[-1][4]) == view.total_minor == sum(int(row[4]) for row in rows[1:-1])
        repayment = await load_repayment(read, decode(Prefix.REPAYMENT, paid.id))
        (whole,) = (await show_explained_repayment(read, repayment)).amounts
    assert changed == {first.id: [-30_000], second.id: []}, "the refund alone"
    holds(whole)
    assert [(step.part, step.days_past_due, step.amount_minor) for step in whole.steps] == [
        ("fee", 10, 500),
        ("principal", 10, 19_500),
    ]
