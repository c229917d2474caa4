"""What pages show of interest that was earned: sums of products, as the last closes left them."""

from collections.abc import Sequence

from msgspec import Struct

from wufeng.base.database import Connection
from wufeng.base.sql import load

SQL = load(__file__)


class EarnedInterest(Struct, frozen=True):
    """A product's interest in the ledger: billed less waived since the beginning, and accrued on no bill yet."""

    product: str
    version: int
    billed_minor: int
    accrued_minor: int

    @property
    def earned_minor(self) -> int:
        """Both together: the income."""
        return self.billed_minor + self.accrued_minor


async def load_interest(db: Connection, buckets: Sequence[int]) -> list[EarnedInterest]:
    """The interest of products in some buckets, as of their last closes; products that earned none are left out."""
    return [EarnedInterest(**dict(row)) for row in await db.fetch(SQL.load_interest, buckets)]
