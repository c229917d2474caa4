"""A bill as people keep it: a page-ready document, and a table of its items."""

import csv
import io
from collections.abc import Mapping, Sequence
from uuid import UUID

from msgspec import Struct

from wufeng.base.ids import Prefix, encode
from wufeng.base.rates import percent_text
from wufeng.credit.accruals.rules import interest_to_bill
from wufeng.credit.bills.model import Bill, InterestBilled
from wufeng.credit.documents.explain import BillSources, explain_bill
from wufeng.credit.documents.model import (
    Align,
    Block,
    Column,
    Document,
    Facts,
    Figure,
    Figures,
    Heading,
    Note,
    Paragraph,
    Table,
)
from wufeng.credit.documents.steps import Explained, Why
from wufeng.credit.documents.texts import money, say
from wufeng.credit.lines.model import Line
from wufeng.credit.plans.rules import annualised_daily_ppm
from wufeng.credit.products.model import Product

CSV_COLUMNS = (
    "bill",
    "kind",
    "interest_of",
    "merchant",
    "amount_minor",
    "interest_minor",
    "draw",
    "instalment",
    "tenor",
    "principal_minor",
    "fee_minor",
    "currency",
)
"""The columns of a bill's table. A row an item (`purchase`, `instalment`), then interest of earlier bills and draws
(`interest`, whose source is `interest_of`), `late_interest`, what has changed since it was issued (`adjusted`), and
last the `total`, whose amount is the bill's total_minor. Each amount is principal + fee + interest."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class BillPaper(Struct, frozen=True):
    """What a bill's document shows.

    merchants  names by draw; a draw without one shows its id
    """

    sources: BillSources
    line: Line
    merchants: Mapping[UUID, str] = {}


class _Row(Struct, frozen=True, kw_only=True):
    """One row of a bill's items, its total included."""

    kind: str
    name: str = ""
    of: str = ""
    draw: str = ""
    instalment: int | None = None
    tenor: int | None = None
    principal_minor: int = 0
    fee_minor: int = 0
    interest_minor: int = 0

    @property
    def amount_minor(self) -> int:
        return self.principal_minor + self.fee_minor + self.interest_minor


def bill_csv(paper: BillPaper) -> bytes:
    """The table of a bill (`CSV_COLUMNS`), in minor units. A name that a spreadsheet would take for a formula is
    quoted with an apostrophe."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\r\n")
    table.writerow(CSV_COLUMNS)
    bill_id = encode(Prefix.BILL, paper.sources.bill.id)
    for row in _rows(paper, "en"):
        name = row.name if row.draw else ""
        table.writerow(
            [
                bill_id,
                row.kind,
                row.of,
                f"'{name}" if name.startswith(_FORMULA) else name,
                row.amount_minor,
                row.interest_minor,
                row.draw,
                row.instalment,
                row.tenor,
                row.principal_minor,
                row.fee_minor,
                paper.sources.currency,
            ]
        )
    return text.getvalue().encode()


def bill_document(paper: BillPaper, language: str) -> Document:
    """A bill as it stands on its sources' date, page-ready: amounts, items, interest, minimum, payments, late terms."""
    sources = paper.sources
    bill, product, currency = sources.bill, sources.product, sources.currency
    language = "zh" if language.startswith("zh") else "en"
    explained = {each.code: each for each in explain_bill(sources, language)}
    name = product.name.zh if language == "zh" else product.name.en
    issued_on = bill.issued_on
    return Document(
        title=say(
            "bill_title",
            language,
            product=name,
            year=issued_on.year,
            month=issued_on.month,
            day=issued_on.day,
            issued_on=issued_on.isoformat(),
        ),
        language=language,
        reference=encode(Prefix.BILL, bill.id),
        dated_on=sources.on,
        blocks=(
            Figures(
                (
                    Figure(
                        say("figure_total", language, currency=currency), money(bill.total_minor, currency)
                    ),
                    Figure(
                        say("figure_minimum", language, currency=currency),
                        money(bill.minimum_minor, currency),
                    ),
                    Figure(say("figure_due_on", language), bill.due_on.isoformat()),
                )
            ),
            _facts(paper, language),
            *_parts(explained[Why.TOTAL], currency, language),
            *_items(paper, language),
            *_interest(explained, language),
            Heading(say("heading_minimum", language)),
            Paragraph(explained[Why.MINIMUM].sentence),
            *_payments(explained.get(Why.PAID), sources, language),
            Heading(say("heading_late", language)),
            Paragraph(_late_terms(product, bill, currency, language)),
            Note(say("note_rounding", language, currency=currency)),
        ),
    )


def _facts(paper: BillPaper, language: str) -> Facts:
    sources, line = paper.sources, paper.line
    bill, product, on = sources.bill, sources.product, sources.on.isoformat()
    lenders = [
        f"{share.name.zh if language == 'zh' else share.name.en} {percent_text(share.share_ppm)}"
        for share in product.lenders
    ]
    unpaid_minor = bill.unpaid_minor + interest_to_bill(bill, sources.on)
    return Facts(
        (
            (say("fact_line", language), encode(Prefix.LINE, line.id)),
            (say("fact_product", language), f"{line.product}@{line.product_version}"),
            (say("fact_lenders", language), say("then", language).join(lenders)),
            (say("fact_issued_on", language), bill.issued_on.isoformat()),
            (say("fact_status", language, on=on), say(f"status_{bill.status.value}", language)),
            (
                say("fact_unpaid", language, currency=sources.currency),
                money(unpaid_minor, sources.currency),
            ),
        )
    )


def _parts(total: Explained, currency: str, language: str) -> tuple[Block, ...]:
    rows = tuple(
        (
            say(f"name_{part.code.value}", language),
            part.sentence,
            money(part.amount_minor or 0, currency),
        )
        for part in total.steps
    )
    columns = (
        Column(say("column_part", language), 3),
        Column(say("column_why", language), 11),
        Column(say("column_amount", language), 3, Align.END),
    )
    last = (say("row_total", language), "", money(total.amount_minor or 0, currency))
    return Heading(say("heading_parts", language)), Table(columns, rows, last)


def _items(paper: BillPaper, language: str) -> tuple[Block, ...]:
    currency = paper.sources.currency
    columns = (
        Column(say("column_item", language), 10),
        Column(say("column_instalment", language), 4),
        *(
            Column(say(f"column_{name}", language), 4, Align.END)
            for name in ("principal", "fee", "interest", "amount")
        ),
    )
    *rows, last = [
        (
            row.name or row.draw,
            f"{row.instalment}/{row.tenor}" if row.tenor is not None and row.tenor > 1 else "",
            *(
                money(amount, currency)
                for amount in (row.principal_minor, row.fee_minor, row.interest_minor, row.amount_minor)
            ),
        )
        for row in _rows(paper, language)
    ]
    return Heading(say("heading_items", language)), Table(columns, tuple(rows), last)


def _interest(explained: Mapping[Why, Explained], language: str) -> tuple[Block, ...]:
    """Each interest by its stretches: what this bill took, what was charged of itself, what is on no bill yet."""
    found = [step for part in explained[Why.TOTAL].steps if part.code is Why.INTEREST for step in part.steps]
    found += [part for part in explained[Why.TOTAL].steps if part.code is Why.LATE_INTEREST]
    found += [explained[Why.ACCRUED]] if Why.ACCRUED in explained else []
    if not found:
        return ()
    return Heading(say("heading_interest", language)), *(Paragraph(one.sentence) for one in found)


def _payments(paid: Explained | None, sources: BillSources, language: str) -> tuple[Block, ...]:
    heading = Heading(say("heading_payments", language))
    if paid is None:
        return heading, Paragraph(say("nothing_paid", language, on=sources.on.isoformat()))
    return heading, *(Paragraph(step.sentence) for step in paid.steps)


def _late_terms(product: Product, bill: Bill, currency: str, language: str) -> str:
    """What happens when it is not paid in time, as the product says it."""
    interest = product.interest
    told = []
    if not interest.daily_ppm:
        told.append(say("free_terms", language))
    else:
        year = percent_text(annualised_daily_ppm(interest.daily_ppm))
        told.append(say("daily_terms", language, rate=percent_text(interest.daily_ppm), year=year))
    told.append(
        say(
            "late_terms",
            language,
            revolving_rate=percent_text(interest.revolving_daily_ppm),
            revolving_year=percent_text(annualised_daily_ppm(interest.revolving_daily_ppm)),
            late_rate=percent_text(interest.late_daily_ppm),
            late_year=percent_text(annualised_daily_ppm(interest.late_daily_ppm)),
        )
    )
    if bill.grace_days:
        told.append(say("grace", language, days=bill.grace_days))
    if interest.late_least_minor:
        told.append(say("late_least", language, least=money(interest.late_least_minor, currency)))
    if interest.late_most_ppm is not None:
        told.append(say("late_most", language, share=percent_text(interest.late_most_ppm)))
    told.append(say("suspend", language, days=product.arrears.suspend_after_days))
    return ("" if language == "zh" else " ").join(told)


def _rows(paper: BillPaper, language: str) -> list[_Row]:
    """The items, the interest, what has changed since, and the total: the rows before it add up to it."""
    sources = paper.sources
    bill, items = sources.bill, sources.items
    rows = [
        _Row(
            kind="purchase" if item.tenor == 1 else "instalment",
            name=paper.merchants.get(item.draw_id, ""),
            draw=encode(Prefix.DRAW, item.draw_id),
            instalment=item.part + 1,
            tenor=item.tenor,
            principal_minor=item.principal_minor,
            fee_minor=item.fee_minor,
            interest_minor=item.interest_minor,
        )
        for item in items.items
    ]
    rows += [_interest_row(billed, sources, language) for billed in items.interest]
    if bill.late_interest_minor:
        rows.append(
            _Row(
                kind="late_interest",
                name=say("row_late_interest", language),
                of=encode(Prefix.BILL, bill.id),
                interest_minor=bill.late_interest_minor,
            )
        )
    total = _Row(
        kind="total",
        name=say("row_total", language),
        principal_minor=bill.single_minor + bill.instalment_minor,
        fee_minor=bill.fee_minor,
        interest_minor=bill.interest_minor + bill.late_interest_minor,
    )
    assert total.amount_minor == bill.total_minor, "a bill is principal, fees and interest"
    return [*rows, *_adjusted(rows, total, language), total]


def _interest_row(billed: InterestBilled, sources: BillSources, language: str) -> _Row:
    one = sources.earlier.get(billed.of)
    if isinstance(one, Bill):
        name = say("row_bill_interest", language, issued_on=one.issued_on.isoformat())
    else:
        name = say("row_draw_interest" if billed.is_draw else "row_interest", language)
    return _Row(
        kind="interest",
        name=name,
        of=encode(Prefix.DRAW if billed.is_draw else Prefix.BILL, billed.of),
        interest_minor=billed.amount_minor,
    )


def _adjusted(rows: Sequence[_Row], total: _Row, language: str) -> list[_Row]:
    """What refunds, reversals and plans made of the bill have changed since: the items stand as they were issued."""
    changed = _Row(
        kind="adjusted",
        name=say("row_adjusted", language),
        principal_minor=total.principal_minor - sum(row.principal_minor for row in rows),
        fee_minor=total.fee_minor - sum(row.fee_minor for row in rows),
        interest_minor=total.interest_minor - sum(row.interest_minor for row in rows),
    )
    return [changed] if changed.principal_minor or changed.fee_minor or changed.interest_minor else []
