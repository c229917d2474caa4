"""Code 128 as SVG: digits in pairs (set C), as tills read them.

Source: ISO/IEC 15417. Each symbol is eleven modules in six bars and spaces, the stop thirteen in seven.
"""

QUIET_MODULES = 10
HEIGHT_MODULES = 44
_START_C = 105
_STOP = 106
_CHECK_MODULUS = 103

# The widths of bars and spaces in turn, by symbol value: 0-99 the pair of digits, 103-105 starts, 106 the stop.
_WIDTHS = (
    212222, 222122, 222221, 121223, 121322, 131222, 122213, 122312, 132212, 221213, 221312, 231212, 112232,
    122132, 122231, 113222, 123122, 123221, 223211, 221132, 221231, 213212, 223112, 312131, 311222, 321122,
    321221, 312212, 322112, 322211, 212123, 212321, 232121, 111323, 131123, 131321, 112313, 132113, 132311,
    211313, 231113, 231311, 112133, 112331, 132131, 113123, 113321, 133121, 313121, 211331, 231131, 213113,
    213311, 213131, 311123, 311321, 331121, 312113, 312311, 332111, 314111, 221411, 431111, 111224, 111422,
    121124, 121421, 141122, 141221, 112214, 112412, 122114, 122411, 142112, 142211, 241211, 221114, 413111,
    241112, 134111, 111242, 121142, 121241, 114212, 124112, 124211, 411212, 421112, 421211, 212141, 214121,
    412121, 111143, 111341, 131141, 114113, 114311, 411113, 411311, 113141, 114131, 311141, 411131, 211412,
    211214, 211232, 2331112,
)  # fmt: skip


def bars_of(digits: str) -> list[tuple[int, int]]:
    """The bars of an even number of digits: (where each begins, how wide it is), in modules, the quiet zone counted."""
    assert digits.isascii() and digits.isdigit() and len(digits) % 2 == 0, "set C takes pairs of digits"
    values = [_START_C, *(int(digits[n : n + 2]) for n in range(0, len(digits), 2))]
    check = (values[0] + sum(place * value for place, value in enumerate(values))) % _CHECK_MODULUS
    bars, at = [], QUIET_MODULES
    for value in (*values, check, _STOP):
        for place, width in enumerate(map(int, str(_WIDTHS[value]))):
            if place % 2 == 0:
                bars.append((at, width))
            at += width
    return bars


def code128_svg(digits: str, title: str) -> str:
    """The barcode for a page: one path, drawn by attributes, since our policy takes no styles inside.

    title  is plain text of our own, without characters that markup knows
    """
    bars = bars_of(digits)
    wide = bars[-1][0] + bars[-1][1] + QUIET_MODULES
    path = "".join(f"M{at} 0h{width}v{HEIGHT_MODULES}h-{width}z" for at, width in bars)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {HEIGHT_MODULES}" preserveAspectRatio="none" '
        f'role="img" shape-rendering="crispEdges"><title>{title}</title>'
        f'<path fill="#fff" d="M0 0h{wide}v{HEIGHT_MODULES}H0z"/><path d="{path}"/></svg>'
    )
