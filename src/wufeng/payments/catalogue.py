"""What payments are decided by, beside state: the products on the shelf, each book's policy, the limits of the law."""

from collections.abc import Mapping
from datetime import date

from msgspec import Struct

from wufeng.compliance import LimitPolicy
from wufeng.credit import Line, Product, Products
from wufeng.risk.model import Policy


class Catalogue(Struct, frozen=True):
    """Every product version that a line may draw by; the policy in force, by book; the limits of the law.

    confirm_minutes          how long a payment waits for its payer's word
    authorised_days          how long an authorised amount stays held
    quote_minutes            how long a quote's prices hold
    payable_floor_minor      how far below zero refunds may take what a merchant is owed; a refund that would go further
                             is refused. Folded balances lag behind by the follower, so the floor may be overshot by
                             what is refunded in that time (well under a second)
    """

    products: Products
    policies: Mapping[int, Policy]
    limits: LimitPolicy
    confirm_minutes: int = 15
    authorised_days: int = 7
    quote_minutes: int = 15
    payable_floor_minor: int = 1_000_000

    def product_of(self, line: Line) -> Product:
        """The version a line was opened under: its own terms, and its lenders."""
        return self.products.version(line.product, line.product_version, line.tier)

    def drawn_under(self, line: Line, on: date) -> Product:
        """The version that a line's draws of a date live by: the one in force then, or the line's own, if newer."""
        return self.products.drawn_under(line.product, line.product_version, line.tier, on)
