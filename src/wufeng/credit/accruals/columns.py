"""How interest is rounded, as columns: null where it is as with most products."""

from wufeng.credit.products.model import Pieces, Rounding


def rounding_column(rounding: Rounding) -> str | None:
    """A rule of rounding; None for half-even."""
    return None if rounding is Rounding.HALF_EVEN else rounding.value


def rounding_of(column: str | None) -> Rounding:
    """The rule that a column names."""
    return Rounding.HALF_EVEN if column is None else Rounding(column)


def pieces_column(pieces: Pieces) -> str | None:
    """What is rounded; None for all stretches together."""
    return None if pieces is Pieces.ADDED else pieces.value


def pieces_of(column: str | None) -> Pieces:
    """What a column says is rounded."""
    return Pieces.ADDED if column is None else Pieces(column)
