"""Auto-debit: which tries a line has had, and what a try is."""

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

from msgspec import Struct


class Tried(Struct, frozen=True):
    """The last date on which a line was tried, and how many of the product's times of that date were made."""

    on: date
    count: int

    def has_made(self, on: date, number: int) -> bool:
        """Whether that try (0-based) of a date was made, or is past."""
        return on < self.on or (on == self.on and number < self.count)


class Hour(Struct, frozen=True):
    """One time of a date at which some products try again: which of theirs it is (1-based after the close's own).

    products  versions by product id
    """

    at: datetime
    number: int
    products: Mapping[str, tuple[int, ...]]


class Asked(Struct, frozen=True):
    """A repayment that an outside rail was asked for."""

    repayment_id: UUID
    line_id: UUID
    on: date
    number: int
