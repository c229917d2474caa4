"""Who funds: lenders, and the shares in which they fund a draw."""

from collections.abc import Sequence
from functools import lru_cache
from uuid import UUID

from msgspec import Struct

from wufeng.base.ids import hashed_id

WHOLE_PPM = 1_000_000
"""All shares of one draw together, in parts per million."""


class Lender(Struct, frozen=True):
    """One who funds draws of one book. `code` is the name that product files use."""

    id: UUID
    book: int
    code: str
    name_zh: str
    name_en: str


Shares = tuple[tuple[UUID, int], ...]
"""(lender, parts per million), the lead first; they sum to 1,000,000."""


def lender_id(book_id: int, code: str) -> UUID:
    """The id of a lender, the same in every process and every time: a hash of its book and its code."""
    return hashed_id(b"lender", book_id.to_bytes(2), code.encode())


def shares_of(lenders: Sequence[UUID], shares_ppm: Sequence[int]) -> Shares:
    """Shares as they come from two columns. Asserts that they are whole."""
    assert sum(shares_ppm) == WHOLE_PPM, "shares make up the whole"
    return tuple(zip(lenders, shares_ppm, strict=True))


@lru_cache(maxsize=4096)
def columns_of(shares: Shares) -> tuple[tuple[UUID, ...], tuple[int, ...]]:
    """Shares as two columns: the inverse of `shares_of`."""
    return tuple(lender for lender, _ in shares), tuple(share for _, share in shares)
