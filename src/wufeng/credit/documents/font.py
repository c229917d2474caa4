"""The font of documents: of each only the characters that are in it, cut from Noto Sans SC (OFL), as TrueType.

The whole font is 8 MB of PostScript outlines, and a library that cuts it for one document reads all of it again: half
a second. Here it is read once in a process, and each character's outline is converted once (decision 0013).
"""

from collections.abc import Iterable
from functools import cache
from io import BytesIO
from threading import Lock

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont, newTable
from fontTools.ttLib.tables._g_l_y_f import Glyph
from msgspec import Struct
from pylopdf_fonts_zh_cn import sans_path

UNITS = 1_000
"""Parts of the font size in which widths are told."""

_ASCENT, _DESCENT, _CAPITALS = 880, -120, 733
_ABSENT = ".notdef"
_POINTS_MAX, _CONTOURS_MAX = 1_024, 128  # of one character: more than any has
_YEAR_1970 = 2_082_844_800  # fonts count seconds from 1904; a cut font has no age


class _Outline(Struct, frozen=True):
    """A character's shape in the bytes of TrueType, and its width and left side bearing."""

    shape: bytes
    metrics: tuple[int, int]


class Whole:
    """The font with all its characters, and the outlines that documents have asked for so far."""

    def __init__(self) -> None:
        self._font = TTFont(sans_path(), lazy=True)
        self._names: dict[int, str] = self._font.getBestCmap()
        self._glyphs = self._font.getGlyphSet()
        self._metrics: dict[str, tuple[int, int]] = self._font["hmtx"].metrics
        self._widths = {chr(code): self._metrics[name][0] for code, name in self._names.items()}
        self._outlines: dict[str, _Outline] = {}
        head = self._font["head"]
        self._box = {side: getattr(head, side) for side in ("xMin", "yMin", "xMax", "yMax")}
        self._lock = Lock()  # the file is read piece by piece, and documents are made in threads
        assert head.unitsPerEm == UNITS

    def has(self, character: str) -> bool:
        """Whether it can be shown."""
        return ord(character) in self._names

    def width_of(self, text: str) -> int:
        """How wide a text that can be shown is, in thousandths of the font size."""
        return sum(map(self._widths.__getitem__, text))

    def outline(self, name: str) -> _Outline:
        """The shape of a glyph as TrueType has it."""
        with self._lock:
            if name not in self._outlines:
                pen = TTGlyphPen(None)
                self._glyphs[name].draw(Cu2QuPen(pen, 1, reverse_direction=True))
                glyph = pen.glyph()
                glyph.recalcBounds(None)
                self._outlines[name] = _Outline(glyph.compile(None), self._metrics[name])
            return self._outlines[name]

    def cut(self, characters: Iterable[str]) -> bytes:
        """A font of these characters, which it must have: the same for the same characters, in any order."""
        names = {f"u{ord(each):05x}": self._names[ord(each)] for each in sorted(set(characters))}
        outlines = {name: self.outline(of) for name, of in {_ABSENT: _ABSENT, **names}.items()}
        build = FontBuilder(UNITS, isTTF=True)
        build.font.recalcTimestamp = build.font.recalcBBoxes = False  # else each outline is compiled again
        build.updateHead(created=_YEAR_1970, modified=_YEAR_1970, **self._box)
        build.setupGlyphOrder(list(outlines))
        build.setupCharacterMap({int(name[1:], 16): name for name in names})
        build.font["loca"], build.font["glyf"] = newTable("loca"), newTable("glyf")
        build.font["glyf"].glyphOrder = list(outlines)
        build.font["glyf"].glyphs = {name: Glyph(outline.shape) for name, outline in outlines.items()}
        build.setupHorizontalMetrics({name: outline.metrics for name, outline in outlines.items()})
        build.setupHorizontalHeader(ascent=_ASCENT, descent=_DESCENT)
        build.setupNameTable({"familyName": "Noto Sans SC", "styleName": "Regular", "fullName": "NotoSansSC"})
        build.setupOS2(sTypoAscender=_ASCENT, sTypoDescender=_DESCENT, sCapHeight=_CAPITALS)
        build.setupPost(keepGlyphNames=False)
        build.setupMaxp()
        build.font["maxp"].maxPoints, build.font["maxp"].maxContours = _POINTS_MAX, _CONTOURS_MAX
        file = BytesIO()
        build.save(file)
        return file.getvalue()


@cache
def whole() -> Whole:
    """The font, read at first use."""
    return Whole()
