"""Documents drawn as PDF: A4 pages with Chinese and English text that can be searched and copied.

    from wufeng.credit.documents import Align, Column, Document, Facts, Figure, Figures, Heading, Paragraph, Table
    from wufeng.credit.documents.drawing import drawn

    sheet = Document(title="综合融资成本明示表", language="zh", reference="app_01h4…", dated_on=on, blocks=(
        Figures((Figure("年化综合融资成本", "15.86 %"), Figure("本金", "1,200.00 元"))),
        Heading("费用"),
        Table((Column("项目", 3), Column("元", 2, Align.END)), (("手续费", "105.60"),), ("合计", "105.60")),
        Paragraph("……"),
    ))
    file = await drawn(sheet)

Texts come in ready: in one language, amounts already written. The same document is the same bytes. A character that
the font lacks is shown as a box. It takes some 35 ms of a core, the first one in a process half a second, and this
module as long to load: `drawing.drawn` does both beside the event loop.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import accumulate
from tempfile import NamedTemporaryFile

from fpdf import FPDF
from fpdf.fonts import TTFFont
from msgspec import Struct

from wufeng.credit.documents.font import UNITS, whole
from wufeng.credit.documents.lines import broken
from wufeng.credit.documents.model import (
    Align,
    Block,
    Document,
    Facts,
    Figures,
    Heading,
    Note,
    Paragraph,
    Table,
)

# Points, as on paper: 72 to the inch, 595 x 842 to the A4 page.
_LEFT, _TOP, _WIDTH, _BOTTOM, _FOOT = 54, 60, 487, 770, 806
_GAP, _PADDING, _NAMES = 14, 6, 130
_FONT = "wufeng"
_BOX = "□"


class _Type(Struct, frozen=True):
    """How text looks: size and leading in points, colour."""

    size: int
    leading: int
    colour: str


_TITLE = _Type(20, 28, "#1b1f24")
_HEADING = _Type(13, 20, "#0b5d4e")
_FIGURE = _Type(17, 24, "#1b1f24")
_TEXT = _Type(10, 16, "#1b1f24")
_LABEL = _Type(10, 16, "#5b6470")
_SMALL = _Type(8, 13, "#5b6470")
_PALE, _DARK = "#d5d9de", "#1b1f24"
_PAGE_OF = {"zh": "第 {page} 页，共 {pages} 页", "en": "Page {page} of {pages}"}
_LOCALE = {"zh": "zh-CN", "en": "en"}


class _Text(Struct, frozen=True):
    """A line of text at its place, counted from the page's upper left corner to the start of its baseline."""

    text: str
    type: _Type
    x: int
    y: int


class _Rule(Struct, frozen=True):
    """A line across the page."""

    colour: str
    y: int


_Page = list[_Text | _Rule]


def render(document: Document) -> bytes:
    """The document as a PDF file."""
    layout = _Layout(document)
    for block in document.blocks:
        layout.add(block)
    pages = layout.finished()
    characters = {each for page in pages for mark in page if isinstance(mark, _Text) for each in mark.text}
    with NamedTemporaryFile(suffix=".ttf") as font:
        font.write(whole().cut(characters))
        font.flush()
        pdf = _empty(document, font.name)
        for page in pages:
            _draw(pdf, page)
        return bytes(pdf.output())


def _empty(document: Document, font_file: str) -> FPDF:
    """A file without pages that says what it is, and nothing of when it was made."""
    on = document.dated_on
    pdf = FPDF(unit="pt", format="A4")
    pdf.set_auto_page_break(False)
    pdf.add_font(_FONT, fname=font_file)
    font = pdf.fonts[_FONT]
    assert isinstance(font, TTFFont)
    font.ttfont.recalcBBoxes = (
        False  # the outlines are as they were cut: to measure them again is half of the time
    )
    pdf.set_creation_date(datetime(on.year, on.month, on.day, tzinfo=UTC))
    pdf.set_lang(_LOCALE[document.language])
    pdf.set_title(document.title)
    pdf.set_subject(document.reference)
    pdf.set_creator("Wufeng")
    return pdf


def _draw(pdf: FPDF, page: _Page) -> None:
    pdf.add_page()
    for mark in page:
        match mark:
            case _Text(text, type_, x, y):
                pdf.set_font(_FONT, size=type_.size)
                pdf.set_text_color(type_.colour)
                pdf.text(x, y, text)
            case _Rule(colour, y):
                pdf.set_draw_color(colour)
                pdf.set_line_width(1)
                pdf.line(_LEFT, y, _LEFT + _WIDTH, y)


class _Layout:
    """Pages as far as they are laid out, and how far down the last one is full."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._pages: list[_Page] = [[]]
        self._y = _TOP
        self._paragraph(document.title, _TITLE)
        self._paragraph(f"{document.reference} · {document.dated_on.isoformat()}", _SMALL)

    def add(self, block: Block) -> None:
        """Lay out the next block."""
        match block:
            case Heading(text):
                self._y += _GAP
                self._room(_HEADING.leading + 3 * _TEXT.leading)  # a heading never ends a page
                self._paragraph(text, _HEADING)
            case Paragraph(text):
                self._y += _PADDING
                self._paragraph(text, _TEXT)
            case Note(text):
                self._y += _PADDING
                self._paragraph(text, _SMALL)
            case Figures(figures):
                self._y += _GAP
                frame = _Frame((_WIDTH // len(figures),) * len(figures), (Align.START,) * len(figures))
                self._room(_LABEL.leading + _FIGURE.leading)
                self._row(frame.cells([figure.label for figure in figures], _LABEL))
                self._row(frame.cells([figure.value for figure in figures], _FIGURE))
            case Facts(rows):
                self._y += _PADDING
                names = _Frame((_NAMES, _WIDTH - _NAMES), (Align.START, Align.START))
                for row in rows:
                    name, value = names.cells(row, _LABEL)[0], names.cells(row, _TEXT)[1]
                    self._row([name, value])
            case Table():
                self._table(block)

    def finished(self) -> list[_Page]:
        """The pages, each with its foot now that their number is known."""
        for number, page in enumerate(self._pages, 1):
            text = _PAGE_OF[self._document.language].format(page=number, pages=len(self._pages))
            foot = _shown(self._document.reference)
            page.append(_Text(foot, _SMALL, _LEFT, _FOOT))
            page.append(_Text(text, _SMALL, _LEFT + _WIDTH - _points(text, _SMALL), _FOOT))
        return self._pages

    def _table(self, table: Table) -> None:
        shares = sum(column.share for column in table.columns)
        frame = _Frame(
            tuple(_WIDTH * column.share // shares for column in table.columns),
            tuple(column.align for column in table.columns),
        )
        head = frame.cells([column.title for column in table.columns], _LABEL)
        self._y += _PADDING
        self._room(_height(head) + 2 * _TEXT.leading)
        self._head(head)
        for texts in table.rows:
            row = frame.cells(texts, _TEXT)
            if self._y + _height(row) > _BOTTOM:
                self._new_page()
                self._head(head)
            self._row(row)
            self._rule(_PALE)
        if table.total is not None:
            self._rule(_DARK)
            self._row(frame.cells(table.total, _TEXT))

    def _head(self, head: Sequence["_Cell"]) -> None:
        self._row(head)
        self._rule(_DARK)

    def _row(self, row: Sequence["_Cell"]) -> None:
        """Cells side by side, not torn over two pages."""
        self._room(_height(row))
        for cell in row:
            for number, line in enumerate(cell.lines):
                indent = cell.width - _points(line, cell.type) if cell.align is Align.END else 0
                self._write(line, cell.type, cell.left + indent, self._y + number * cell.type.leading)
        self._y += _height(row)

    def _paragraph(self, text: str, type_: _Type) -> None:
        for line in _broken(text, type_, _WIDTH):
            self._room(type_.leading)
            self._write(line, type_, _LEFT, self._y)
            self._y += type_.leading

    def _write(self, line: str, type_: _Type, x: int, top: int) -> None:
        if line:
            self._pages[-1].append(_Text(line, type_, x, top + type_.leading * 3 // 4))

    def _rule(self, colour: str) -> None:
        self._pages[-1].append(_Rule(colour, self._y))

    def _room(self, height: int) -> None:
        """Begin a page when that much does not fit on this one."""
        if self._y + height > _BOTTOM and self._y > _TOP:
            self._new_page()

    def _new_page(self) -> None:
        self._pages.append([])
        self._y = _TOP


class _Cell(Struct, frozen=True):
    """A text broken into the lines of its cell."""

    lines: list[str]
    type: _Type
    left: int
    width: int
    align: Align


class _Frame(Struct, frozen=True):
    """The columns that cells stand in: how wide each is, its padding included, and where its texts stand."""

    widths: tuple[int, ...]
    aligns: tuple[Align, ...]

    def cells(self, texts: Sequence[str], type_: _Type) -> list[_Cell]:
        """A row's cells. Asserts that there is one a column."""
        assert len(texts) == len(self.widths), "a row has a text for each column"
        lefts = accumulate(self.widths, initial=_LEFT)
        last = len(self.widths) - 1
        cells = []
        for place, (text, width, align, left) in enumerate(
            zip(texts, self.widths, self.aligns, lefts, strict=False)
        ):
            inner = width if place == last else width - _PADDING
            cells.append(_Cell(_broken(text, type_, inner), type_, left, inner, align))
        return cells


def _height(row: Sequence[_Cell]) -> int:
    return max(len(cell.lines) * cell.type.leading for cell in row)


def _shown(text: str) -> str:
    """The text as the font can show it, a box for each character that it lacks; breaks and tabs are spaces."""
    font = whole()
    return "".join(each if font.has(each) else _BOX for each in " ".join(text.split()))


def _broken(text: str, type_: _Type, width: int) -> list[str]:
    return broken(_shown(text), width * UNITS // type_.size, whole().width_of)


def _points(line: str, type_: _Type) -> int:
    """How wide a line is, in points, rounded up."""
    return -(-whole().width_of(line) * type_.size // UNITS)
