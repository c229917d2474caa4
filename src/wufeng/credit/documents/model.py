"""A document as data: a title, and blocks that follow each other down the pages."""

from datetime import date
from enum import StrEnum

from msgspec import Struct


class Align(StrEnum):
    """Where a cell's text stands; amounts stand at the end, so that their digits are under each other."""

    START = "start"
    END = "end"


class Heading(Struct, frozen=True):
    """Opens a part of the document."""

    text: str


class Paragraph(Struct, frozen=True):
    """Running text. It breaks between Chinese characters and between words of other scripts."""

    text: str


class Note(Struct, frozen=True):
    """Small print: sources, rounding, what a figure is without."""

    text: str


class Figure(Struct, frozen=True):
    """One number that the reader came for, with what it is."""

    label: str
    value: str


class Figures(Struct, frozen=True):
    """One to four figures side by side, large: an annualised rate, a total, a due date."""

    figures: tuple[Figure, ...]


class Facts(Struct, frozen=True):
    """Names and values, a line each."""

    rows: tuple[tuple[str, str], ...]


class Column(Struct, frozen=True):
    """A column of a table.

    share  of the table's width, in proportion to the other columns' shares
    """

    title: str
    share: int = 1
    align: Align = Align.START


class Table(Struct, frozen=True):
    """Rows of cells; its head is repeated on each page that it reaches.

    total  a last row that stands out: what the rows add up to
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    total: tuple[str, ...] | None = None


Block = Heading | Paragraph | Note | Figures | Facts | Table


class Document(Struct, frozen=True, kw_only=True):
    """A document before it is drawn.

    language   zh or en: of the page numbers, and what the file says of itself
    reference  the id of what it is about; stands on each page
    dated_on   the date it is of, and all that it knows of time: the same document is the same bytes whenever it is made
    """

    title: str
    language: str
    reference: str
    dated_on: date
    blocks: tuple[Block, ...]
