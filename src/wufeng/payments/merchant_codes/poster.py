"""A static code on paper: A4 or A5, to be hung at a till. The same poster is the same bytes.

The large code opens the pay page in any phone; the small one is for wallets that read EMVCo codes.
"""

import asyncio
from datetime import UTC, datetime
from enum import StrEnum
from tempfile import NamedTemporaryFile

import segno
from msgspec import Struct
from msgspec.structs import replace

from wufeng.credit.documents.font import UNITS, whole
from wufeng.credit.documents.lines import broken

_BRAND, _INK, _QUIET = "#0a6652", "#12181f", "#55606e"
_BOX = "□"
_FONT = "wufeng"
_QUIET_ZONE = 4
_SCAN = (
    ("zh", "扫码支付", "用手机相机或钱包扫一扫"),
    ("en", "Scan to pay", "with your camera or a wallet"),
)
_WALLETS = "EMVCo 钱包 · wallets"


class Paper(StrEnum):
    """The sizes that posters are printed on."""

    A4 = "a4"
    A5 = "a5"


class Poster(Struct, frozen=True):
    """What a poster says. `amount`: written with its currency; empty where the payer keys it in."""

    paper: Paper
    merchant: str
    label: str
    amount: str
    url: str
    emv: str
    reference: str
    made_at: datetime


class _Text(Struct, frozen=True):
    """A line of text in the middle of the page: its baseline lies at `y`."""

    text: str
    size: int
    colour: str
    y: int


class _Code(Struct, frozen=True):
    """A QR code in the middle of the page: its top lies at `y`, a module has `module` points."""

    rows: tuple[tuple[bool, ...], ...]
    module: int
    y: int

    @property
    def side(self) -> int:
        """How wide it is with its quiet zone."""
        return (len(self.rows) + 2 * _QUIET_ZONE) * self.module


# Points, as on paper: 72 to the inch.
_SIZES = {Paper.A4: (595, 842), Paper.A5: (420, 595)}


async def print_poster(poster: Poster) -> bytes:
    """The poster as a PDF file, drawn beside the event loop: the library takes half a second to load."""
    return await asyncio.to_thread(_print, poster)


def _print(poster: Poster) -> bytes:
    from fpdf import FPDF
    from fpdf.fonts import TTFFont

    width, height = _SIZES[poster.paper]
    marks = _laid_out(poster, width, height)
    characters = {each for mark in marks if isinstance(mark, _Text) for each in mark.text}
    with NamedTemporaryFile(suffix=".ttf") as font:
        font.write(whole().cut(characters))
        font.flush()
        pdf = FPDF(unit="pt", format=(width, height))
        pdf.set_auto_page_break(False)
        pdf.add_font(_FONT, fname=font.name)
        cut = pdf.fonts[_FONT]
        assert isinstance(cut, TTFFont)
        cut.ttfont.recalcBBoxes = False  # the outlines are as they were cut
        pdf.set_creation_date(poster.made_at.astimezone(UTC))
        pdf.set_title(poster.merchant)
        pdf.set_subject(poster.reference)
        pdf.set_creator("Wufeng")
        pdf.add_page()
        for mark in marks:
            match mark:
                case _Text(text, size, colour, y):
                    pdf.set_font(_FONT, size=size)
                    pdf.set_text_color(colour)
                    pdf.text((width - _points(text, size)) // 2, y, text)
                case _Code():
                    _draw(pdf, mark, width)
        return bytes(pdf.output())


def _laid_out(poster: Poster, width: int, height: int) -> list[_Text | _Code]:
    """From the top: who is paid, how much, the large code, what to do in both languages, the small code, its name.

    The large code gets what the others leave.
    """
    unit = height // 60  # 9 points on A5, 14 on A4
    marks: list[_Text | _Code] = []
    y = 5 * unit
    size, lines = _name(poster.merchant, unit, width - 4 * unit)
    for line in lines:
        marks.append(_Text(line, size, _INK, y))
        y += 3 * unit
    if poster.amount:
        marks.append(_Text(_shown(poster.amount), 2 * unit, _BRAND, y))
        y += 2 * unit
    small = _code(poster.emv, unit // 4, height - 4 * unit)
    small = replace(small, y=small.y - small.side)
    calls_y = small.y - 8 * unit
    large_module = min(calls_y - y, width - 4 * unit) // _modules(poster.url)
    large = _code(poster.url, large_module, y - unit)
    marks += [large, small]
    for number, (_, call, how) in enumerate(_SCAN):
        top = calls_y + number * 4 * unit
        marks.append(_Text(call, 2 * unit, _BRAND, top + unit))
        marks.append(_Text(how, unit, _QUIET, top + 2 * unit + unit // 2))
    marks.append(_Text(_shown(_WALLETS), unit, _QUIET, height - 3 * unit))
    foot = _lines(f"{poster.label} · {poster.reference}", unit - 2, width - 4 * unit)[0]
    marks.append(_Text(foot, unit - 2, _QUIET, height - unit))
    return marks


def _name(text: str, unit: int, width: int) -> tuple[int, list[str]]:
    """The size and the lines of a name: two at most, the smaller the longer it is."""
    for size in (2 * unit + unit // 2, 2 * unit, unit + unit // 2):
        if len(lines := _lines(text, size, width)) <= 2:
            break
    return size, lines[:2]


def _rows(text: str) -> tuple[tuple[bool, ...], ...]:
    made = segno.make(text, error="m", micro=False, encoding="utf-8")
    return tuple(tuple(bool(module) for module in row) for row in made.matrix)


def _modules(text: str) -> int:
    """How many modules wide a text's code is, with its quiet zone."""
    return len(_rows(text)) + 2 * _QUIET_ZONE


def _code(text: str, module: int, y: int) -> _Code:
    return _Code(_rows(text), module, y)


def _draw(pdf: object, code: _Code, width: int) -> None:
    """Dark modules, a run of a row at a time, so that no printer shows seams within it."""
    from fpdf import FPDF

    assert isinstance(pdf, FPDF)
    left, module = (width - code.side) // 2 + _QUIET_ZONE * code.module, code.module
    top = code.y + _QUIET_ZONE * module
    pdf.set_fill_color("#000000")
    for number, row in enumerate(code.rows):
        start = 0
        while start < len(row):
            end = start
            while end < len(row) and row[end]:
                end += 1
            if end > start:
                pdf.rect(left + start * module, top + number * module, (end - start) * module, module, "F")
            start = max(end, start + 1)


def _lines(text: str, size: int, width: int) -> list[str]:
    return broken(_shown(text), width * UNITS // size, whole().width_of)


def _shown(text: str) -> str:
    """The text as the font can show it, a box for each character that it lacks."""
    font = whole()
    return "".join(each if font.has(each) else _BOX for each in " ".join(text.split()))


def _points(line: str, size: int) -> int:
    return -(-whole().width_of(line) * size // UNITS)
