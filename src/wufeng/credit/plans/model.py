"""How a draw is repaid: terms, and the plan that follows from them."""

from datetime import date

from msgspec import Struct

from wufeng.credit.products.model import Cycle, Remainder


class Terms(Struct, frozen=True):
    """The price of one purchase: months, the fee for all of them, who carries how much of it, and the days.

    fee_ppm             of the amount, for all months together
    merchant_share_ppm  of that fee, carried by the merchant
    """

    tenor: int
    fee_ppm: int
    cycle: Cycle
    merchant_share_ppm: int = 0
    remainder: Remainder = Remainder.LAST


class Plan(Struct, frozen=True):
    """The instalments of a draw, one element a month; tenor 1 is a single part on the next bill.

    subsidy_parts  the merchant's share of each month's fee: not the person's, but earned month by month all the same
    """

    principal_parts: tuple[int, ...]
    fee_parts: tuple[int, ...]
    subsidy_parts: tuple[int, ...]
    due_on: tuple[date, ...]

    @property
    def amount_minor(self) -> int:
        """The principal."""
        return sum(self.principal_parts)

    @property
    def instalments_minor(self) -> tuple[int, ...]:
        """What the person pays each month."""
        return tuple(p + f for p, f in zip(self.principal_parts, self.fee_parts, strict=True))

    @property
    def total_cost_minor(self) -> int:
        """What the person pays beyond the price when all is paid in time."""
        return sum(self.fee_parts)

    @property
    def subsidy_minor(self) -> int:
        """What the merchant pays of the fee."""
        return sum(self.subsidy_parts)
