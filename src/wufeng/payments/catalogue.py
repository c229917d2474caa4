"""What payments are decided by, beside state: the products on the shelf and each book's policy."""

from collections.abc import Mapping

from msgspec import Struct

from wufeng.credit.lines.model import Line
from wufeng.credit.products.model import Product
from wufeng.risk.model import Policy


class Catalogue(Struct, frozen=True):
    """Products by (id, version), every version that a line may still draw by; the policy in force by book.

    confirm_minutes    how long a payment waits for its payer's word
    authorised_days    how long an authorised amount stays held
    """

    products: Mapping[tuple[str, int], Product]
    policies: Mapping[int, Policy]
    confirm_minutes: int = 15
    authorised_days: int = 7

    def product_of(self, line: Line) -> Product:
        """The version a line draws by."""
        return self.products[line.product, line.product_version]

    def newest(self, product_id: str) -> Product | None:
        """The newest version of a product; None for an unknown one."""
        versions = [version for id_, version in self.products if id_ == product_id]
        return self.products[product_id, max(versions)] if versions else None
