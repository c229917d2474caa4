"""Interest as stretches of days: one balance, one rate, from one date to another. There are no accrual rows."""

from datetime import date

from msgspec import Struct

from wufeng.credit.products.model import Rounding

MICRO = 1_000_000
"""Interest is kept in millionths of the minor unit until it is billed."""


class Segment(Struct, frozen=True, array_like=True):
    """A stretch of days on which one balance bore one rate: the days after `since_on` up to `until_on`, included.

    least_minor  the least interest of one day, whatever the rate gives
    """

    since_on: date
    until_on: date
    balance_minor: int
    daily_ppm: int
    least_minor: int = 0

    @property
    def days(self) -> int:
        """How many days of interest it holds."""
        return (self.until_on - self.since_on).days

    @property
    def interest_micro(self) -> int:
        """The interest, exact, in millionths of the minor unit."""
        return micro_of(self.balance_minor, self.daily_ppm, self.least_minor) * self.days


def micro_of(balance_minor: int, daily_ppm: int, least_minor: int = 0) -> int:
    """One day's interest on a balance, exact, in millionths of the minor unit; a balance of nothing earns nothing."""
    return max(balance_minor * daily_ppm, least_minor * MICRO) if balance_minor > 0 else 0


def round_micro(micro: int, rounding: Rounding = Rounding.HALF_EVEN) -> int:
    """Millionths (>= 0) as minor units."""
    whole, rest = divmod(micro, MICRO)
    match rounding:
        case Rounding.HALF_EVEN:
            return whole + (2 * rest > MICRO or (2 * rest == MICRO and whole % 2 == 1))
        case Rounding.HALF_UP:
            return whole + (2 * rest >= MICRO)
        case Rounding.DOWN:
            return whole
        case Rounding.UP:
            return whole + (rest > 0)
