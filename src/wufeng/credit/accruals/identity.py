"""What the ledger has of interest, product by product, beside what closes noted and events counted.

DESIGN.md, decision 5: accrued receivable = Σ unbilled accrual; income = billed + accrued − waived. What was waived is
billed less: both sides count it so.
"""

from msgspec import Struct


class Standing(Struct, frozen=True):
    """A product's interest by journals, by its closes and by its events. Minor units.

    income_minor  what journals booked as earned, billed or accrued     accrued_minor  what they hold as receivable
    noted_minor   what the closes noted as accrued     billed_minor  what events billed, by rows of bills and draws
    """

    product: str
    version: int
    income_minor: int
    accrued_minor: int
    noted_minor: int
    billed_minor: int

    def differences(self, bucket: int) -> list[str]:
        """What does not agree, each with both numbers."""
        of = f"bucket {bucket}, product {self.product}@{self.version}"
        found = []
        if self.accrued_minor != self.noted_minor:
            found.append(
                f"{of}: accrued interest is {self.noted_minor} by the closes, {self.accrued_minor} in the ledger"
            )
        earned_minor = self.billed_minor + self.noted_minor
        if self.income_minor != earned_minor:
            found.append(
                f"{of}: interest earned is {self.billed_minor} billed + {self.noted_minor} accrued = {earned_minor},"
                f" {self.income_minor} in the ledger"
            )
        return found
