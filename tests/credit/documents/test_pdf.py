"""The PDF builder: text that can be found again, the same bytes for the same document, pages that do not tear rows."""

import io
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from pypdf import PdfReader
from tests.thorough import examples

from wufeng.credit.documents import (
    Align,
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
from wufeng.credit.documents.font import UNITS, whole
from wufeng.credit.documents.lines import broken, pieces_of
from wufeng.credit.documents.pdf import render

COLUMNS = (Column("商户", 3), Column("金额", 1, Align.END))


def sheet(*rows: tuple[str, str], language: str = "zh") -> Document:
    return Document(
        title="综合融资成本明示表",
        language=language,
        reference="app_01h455vb4pex5vsknk084sn02q",
        dated_on=date(2026, 11, 1),
        blocks=(
            Figures((Figure("年化综合融资成本", "15.86%"), Figure("本金", "1,200.00"))),
            Heading("费用"),
            Facts((("资金方", "无缝消费金融"),)),
            Table(COLUMNS, rows, ("合计", "105.60")),
            Paragraph("逾期后按未还本金每日 0.05%（年化 18.25%）计息。"),
            Note("四舍六入五成双。"),
        ),
    )


def texts(file: bytes) -> list[str]:
    """The text of each page, without spaces."""
    return [re.sub(r"\s", "", page.extract_text()) for page in PdfReader(io.BytesIO(file)).pages]


def test_what_is_written_can_be_read_again() -> None:
    (page,) = texts(render(sheet(("星海咖啡", "105.60"))))
    for said in (
        "综合融资成本明示表",
        "15.86%",
        "无缝消费金融",
        "星海咖啡105.60",
        "合计105.60",
        "第1页，共1页",
    ):
        assert said in page


def test_the_same_document_is_the_same_bytes() -> None:
    one = sheet(("星海咖啡", "105.60"))
    assert render(one) == render(sheet(("星海咖啡", "105.60")))
    assert render(one) != render(replace(one, dated_on=date(2026, 11, 2)))


def test_documents_drawn_at_once_are_the_same_as_one_by_one() -> None:
    sheets = [sheet((f"第 {number} 家商户甲乙丙丁"[: 6 + number % 4], "1.00")) for number in range(16)]
    alone = [render(one) for one in sheets]
    whole.cache_clear()
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(render, sheets)) == alone


def test_the_file_says_what_it_is_and_in_which_language() -> None:
    for language, locale, foot in (("zh", "zh-CN", "第1页"), ("en", "en", "Page1of1")):
        file = render(sheet(language=language))
        read = PdfReader(io.BytesIO(file))
        assert read.metadata is not None
        assert (read.metadata.title, read.metadata.subject) == (
            "综合融资成本明示表", "app_01h455vb4pex5vsknk084sn02q"
        )  # fmt: skip
        assert read.root_object["/Lang"] == locale
        assert foot in texts(file)[0]


def test_its_font_is_inside_and_holds_what_it_shows_alone() -> None:
    file = render(sheet(("星海咖啡", "105.60")))
    assert len(file) < 60_000
    (page,) = PdfReader(io.BytesIO(file)).pages
    fonts = page["/Resources"]["/Font"]
    (font,) = [fonts[name] for name in fonts]
    descriptor = font["/DescendantFonts"][0].get_object()["/FontDescriptor"]
    assert "/FontFile2" in descriptor


def test_a_server_that_draws_nothing_loads_no_library() -> None:
    told = "import sys, wufeng.app, wufeng.credit.documents.drawing; print('fpdf' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"


def test_long_tables_go_on_with_their_head() -> None:
    rows = tuple((f"商户 {number} " + "很长的名字" * (number % 9), f"{number}.00") for number in range(120))
    pages = texts(render(sheet(*rows)))
    assert len(pages) > 3
    assert all("商户金额" in page for page in pages[:-1])
    found = [int(number) for page in pages for number in re.findall(r"商户(\d+?)(?=很|\1\.00)", page)]
    assert found == list(range(120))


def test_what_the_font_lacks_is_a_box_and_breaks_are_spaces() -> None:
    (page,) = texts(render(sheet(("😀 店\n铺\x00", "1.00"))))
    assert "□店铺□1.00" in page


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("还清（含当日），不计息。", ["还", "清", "（含", "当", "日），", "不", "计", "息。"]),
        ("按每日 0.05% 计", ["按", "每", "日", " ", "0.05%", " ", "计"]),
        ("Pay (now), please.", ["Pay", " ", "(now),", " ", "please."]),
    ],
)
def test_where_lines_may_end(text: str, pieces: list[str]) -> None:
    assert pieces_of(text) == pieces


TEXT = st.text(st.sampled_from("还清账单总额，。（）0123456789.% abcdefgh-"), max_size=120)


@settings(max_examples=examples(60, 800), deadline=None)
@given(TEXT, st.integers(3, 40))
def test_lines_lose_nothing_and_fit(text: str, ems: int) -> None:
    font, width = whole(), ems * UNITS
    lines = broken(text, width, font.width_of)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(font.width_of(line) <= width for line in lines)


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_can_be_drawn(name: str, told: str) -> None:
    document = sheet((name, "1.00"))
    assert render(replace(document, blocks=(*document.blocks, Paragraph(told)))).startswith(b"%PDF-")
