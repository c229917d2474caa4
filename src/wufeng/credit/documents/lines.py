"""How text is broken into lines: between Chinese characters and between words, never before a closing mark."""

import re
from collections.abc import Callable

_OPENING = "([{（［｛【《「『〔“‘¥￥"
_CLOSING = ")]},.;:!?%）］｝】》」』〕”’，。、；：！？％·…—"
_PIECES = re.compile(r"[⺀-鿿豈-﫿＀-￯、-〿]|[^\s⺀-鿿豈-﫿＀-￯、-〿]+(?: %)?|\s+")


def pieces_of(text: str) -> list[str]:
    """A text cut where a line may end. A closing mark stays with what it closes, an opening one with what it opens."""
    pieces: list[str] = []
    for piece in _PIECES.findall(" ".join(text.split())):
        last = pieces[-1] if pieces else ""
        joined = last and not last.isspace() and (piece[0] in _CLOSING or last[-1] in _OPENING)
        if joined and not piece.isspace():
            pieces[-1] += piece
        else:
            pieces.append(piece)
    return pieces


def broken(text: str, width: int, width_of: Callable[[str], int]) -> list[str]:
    """The lines of a text in a width; one line at least. A word that is wider than the line is broken anywhere.

    width_of  of any text, the sum of its characters' widths
    """
    lines, line, filled = [], "", 0
    for piece in pieces_of(text):
        wide = width_of(piece)
        if line and not piece.isspace() and filled + wide > width:
            lines.append(line.rstrip())
            line, filled = "", 0
        if not line and piece.isspace():
            continue
        line, filled = line + piece, filled + wide
        while filled > width and len(line.rstrip()) > 1:
            fits = max((n for n in range(1, len(line)) if width_of(line[:n]) <= width), default=1)
            lines.append(line[:fits].rstrip())
            line = line[fits:]
            filled = width_of(line)
    return [*lines, line.rstrip()]
