"""Documents for people to keep: bills, and how each amount came about. What a page is made of; `pdf` draws it."""

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

__all__ = [
    "Align",
    "Block",
    "Column",
    "Document",
    "Facts",
    "Figure",
    "Figures",
    "Heading",
    "Note",
    "Paragraph",
    "Table",
]
