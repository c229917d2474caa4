"""The versions of one product that one line meets: the one it was opened under, and those its draws were made by.

What belongs to a draw follows the draw's version, what belongs to bills and the contract the line's
(docs/decisions/0017-a-draw-lives-by-its-version.md).
"""

from msgspec import Struct
from msgspec.structs import replace

from wufeng.credit.products.model import Product


class Versions(Struct, frozen=True):
    """A product as one line lives by it, all at the line's tier.

    contract  the version that the line was opened under: least payment, waterfall, late interest, grace, arrears
    later     the versions after it, any of which draws may have been made by
    """

    contract: Product
    later: tuple[Product, ...] = ()

    def of(self, version: int) -> Product:
        """The version that a draw was made by. Asserts that it is known: a version that a row names was kept.

        No draw is older than its line: it lives by the version in force then, or by the line's own, if newer.
        """
        if version == self.contract.version:
            return self.contract
        found = next((product for product in self.later if product.version == version), None)
        assert found is not None, f"product {self.contract.id}@{version} was never loaded"
        return found

    def drawn_by(self, version: int) -> Product:
        """A version as the line has it for draws to come: their price and days are the version's; what befalls bills,
        and who lends, are the contract's (decision 0017). For papers: a draw that is there has its own version, `of`.
        """
        drawn, contract = self.of(version), self.contract
        interest = replace(contract.interest, daily_ppm=drawn.interest.daily_ppm)
        return replace(drawn, interest=interest, lenders=contract.lenders)
