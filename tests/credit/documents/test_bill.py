"""Bills on paper and as a table: in both languages, and adding up."""

import csv
import io
import re
import string
from datetime import date
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from pypdf import PdfReader
from tests.credit.documents.lives import Life, Month, product
from tests.credit.documents.test_explain import DAILY, MONTHLY, months
from tests.thorough import examples

from wufeng.credit.documents.bill import CSV_COLUMNS, BillPaper, bill_csv, bill_document
from wufeng.credit.documents.model import Document, Figures, Table
from wufeng.credit.documents.pdf import render
from wufeng.credit.documents.texts import exact, money, texts
from wufeng.credit.products.model import Product

NAMES = ["星海咖啡", "Harbour Books", "喆堃家居（北京）有限公司", "=cmd()", "晨光超市"]


def lived() -> Life:
    """Two months: purchases and plans, a bill paid too little of, and interest on the next."""
    life = Life(product())
    life.live(
        [
            Month([(3, 100_000, 1), (5, 129_900, 3), (9, 4_550, 1)]),
            Month([(3, 50_000, 1), (8, 60_000, 6)], [(5, 30_000), (20, 20_000)]),
        ]
    )
    return life


def paper(life: Life, bill_id: UUID, on: date | None = None) -> BillPaper:
    names = {draw: NAMES[place % len(NAMES)] for place, draw in enumerate(life.draws)}
    return BillPaper(life.sources(bill_id, on), life.line, names)


def rows_of(file: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.decode())))


def cents(text: str) -> int:
    return int(text.replace(",", "").replace(".", "").replace("−", "-"))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_pdf_opens_and_adds_up(language: str) -> None:
    life = lived()
    _, second = life.bills
    made = paper(life, second, date(2026, 11, 20))
    file = render(bill_document(made, language))
    assert file == render(bill_document(made, language))
    text = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(file)).pages)
    assert (
        "月付账单（2026 年 11 月 1 日）" if language == "zh" else "Monthly bill: bill of 2026-11-01"
    ) in text
    assert "晨光超市" in text
    rows = [
        [cents(cell) for cell in line.split()[-4:]]
        for line in text.splitlines()
        if re.search(r"( [\d,]+\.\d\d){4}$", line)
    ]
    *items, last = rows
    assert len(items) == 4, "three items and the interest of the bill before"
    assert all(principal + fee + interest == amount for principal, fee, interest, amount in rows)
    assert [sum(column) for column in zip(*items, strict=True)] == last
    assert last[3] == made.sources.bill.total_minor


@settings(max_examples=examples(25, 250), deadline=None)
@given(st.sampled_from([MONTHLY, DAILY]), months, st.sampled_from(["zh", "en"]))
def test_tables_add_up_whatever_happened(terms: Product, lived_: list[Month], language: str) -> None:
    life = Life(terms)
    life.live(lived_)
    for bill_id in life.items:
        made = paper(life, bill_id)
        bill = made.sources.bill
        *rows, last = rows_of(bill_csv(made))
        assert (last["kind"], int(last["amount_minor"])) == ("total", bill.total_minor)
        for column in ("amount_minor", "principal_minor", "fee_minor", "interest_minor"):
            assert sum(int(row[column]) for row in rows) == int(last[column])
        parts, items = tables(bill_document(made, language))
        for table in (parts, items):
            assert table.total is not None
            assert sum(cents(row[-1]) for row in table.rows) == cents(table.total[-1]) == bill.total_minor


def tables(document: Document) -> list[Table]:
    return [block for block in document.blocks if isinstance(block, Table)]


def test_the_table_of_a_bill() -> None:
    life = lived()
    first, second = life.bills
    table = bill_csv(paper(life, second))
    assert table.decode().splitlines()[0] == ",".join(CSV_COLUMNS)
    rows = rows_of(table)
    assert [row["kind"] for row in rows] == ["instalment", "purchase", "instalment", "interest", "total"]
    assert rows[1]["merchant"] == "'=cmd()", "a spreadsheet runs no name"
    assert rows[0]["instalment"] == "2" and rows[0]["tenor"] == "3"
    assert rows[3]["interest_of"].startswith("bil_") and rows[3]["draw"] == ""
    refunded = replace(life.bills[first], single_minor=life.bills[first].single_minor - 4_550)
    life.bills[first] = refunded
    changed = rows_of(bill_csv(paper(life, first)))
    assert [(row["kind"], row["amount_minor"]) for row in changed[-2:]] == [
        ("adjusted", "-4550"),
        ("total", str(refunded.total_minor)),
    ]


def test_a_bill_says_what_lateness_costs_and_that_the_minimum_is_part_of_it() -> None:
    life = lived()
    document = bill_document(paper(life, next(iter(life.bills))), "zh")
    (figures,) = (block for block in document.blocks if isinstance(block, Figures))
    assert [figure.label for figure in figures.figures] == [
        "账单总额（CNY）",
        "最低还款额（CNY）",
        "到期还款日",
    ]
    told = str(document.blocks)
    assert "每日 0.05%（年化 18.25%）" in told
    assert "2026-10-05 还款 300.00" in told and "2026-10-20 还款 200.00" in told
    assert "无缝消费金融 100%" in told


def test_an_unpaid_bill_without_interest_is_short() -> None:
    life = Life(MONTHLY)
    life.live([Month([(3, 100_000, 1)])])
    document = bill_document(paper(life, next(iter(life.bills))), "en")
    told = str(document.blocks)
    assert "Nothing was paid of this bill until 2026-10-01." in told
    assert "How the interest was worked out" not in told


def test_texts_have_the_same_values_in_both_languages() -> None:
    for code, text in texts().items():
        zh, en = (
            {name for _, name, _, _ in string.Formatter().parse(said) if name} for said in (text.zh, text.en)
        )
        assert zh == en or code == "bill_title", code


@pytest.mark.parametrize(
    ("micro", "said"),
    [(526_250_000, "5.2625"), (500_000_000, "5.00"), (1, "0.00000001"), (-123_456_000_000, "−1,234.56")],
)
def test_exact_amounts(micro: int, said: str) -> None:
    assert exact(micro, "CNY") == said


def test_amounts_are_grouped() -> None:
    assert [money(minor, "CNY") for minor in (0, 123_456_789, -5)] == ["0.00", "1,234,567.89", "−0.05"]
    assert (money(1_200, "JPY"), exact(1_500_000, "JPY")) == ("1,200", "1.5")


def test_a_product_with_daily_interest_promises_no_free_days() -> None:
    life = Life(DAILY)
    life.live([Month([(3, 100_000, 1)])])
    told = str(bill_document(paper(life, next(iter(life.bills)), date(2026, 10, 9)), "zh").blocks)
    assert "出账之后尚未入账的利息 0.36：100.00 × 每日 0.04% × 9 天（2026-10-01 至 2026-10-09）= 0.36" in told
    assert "本产品自支用之日起按每日 0.04%（年化 14.6%）计息" in told
    assert "不再产生利息" not in told
    assert "入账前的日息 10.80：1,000.00 × 每日 0.04% × 27 天" in told
