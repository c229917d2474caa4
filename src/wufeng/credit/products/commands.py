"""Making products known: files are kept as versions, and the versions of a process stand in memory."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.base.errors import ConfigurationError
from wufeng.credit.products import store
from wufeng.credit.products.model import STANDARD, Product, Shipped
from wufeng.credit.products.rules import check_succession
from wufeng.credit.products.versions import Versions
from wufeng.lenders import Lender, lender_id, register_lenders

SETTLES = timedelta(seconds=30)
"""How long a version that was published is only known before it is offered: by then every process has read it."""


class Products:
    """All versions of all products, in memory. They never change; new ones come from `publish`, also while it runs.

    A version is known first, so that rows which name it can be read, and offered a little later.
    """

    def __init__(self, products: Iterable[Product] = ()) -> None:
        self._known: dict[tuple[str, int], Product] = {}
        self._offered: dict[tuple[str, int], Product] = {}
        self._tiered: dict[tuple[str, int, str], Product] = {}
        self._of_lines: dict[tuple[str, int, str], Versions] = {}
        self.add(products)

    def __contains__(self, version: tuple[str, int]) -> bool:
        return version in self._known

    def add(self, products: Iterable[Product]) -> None:
        """Make versions known and offer them."""
        products = list(products)
        self.know(products)
        self._offered.update({(product.id, product.version): product for product in products})

    def know(self, products: Iterable[Product]) -> None:
        """Make versions known, so that what is drawn by them elsewhere can be read; none is drawn by here."""
        self._known.update({(product.id, product.version): product for product in products})
        self._of_lines.clear()

    def waiting(self) -> list[Product]:
        """The versions that are known and not offered yet."""
        return [product for version, product in self._known.items() if version not in self._offered]

    def version(self, product_id: str, version: int, tier: str = STANDARD) -> Product:
        """One version, with the prices of a tier. Asserts that it is known: every version that a row names was kept."""
        product = self._known.get((product_id, version))
        assert product is not None, f"product {product_id}@{version} was never loaded"
        return product if tier == STANDARD else self._at_tier(product, tier)

    def _at_tier(self, product: Product, tier: str) -> Product:
        key = product.id, product.version, tier
        found = self._tiered.get(key)
        if found is None:
            found = self._tiered[key] = product.at_tier(tier)
        return found

    def of_line(self, product_id: str, version: int, tier: str) -> Versions:
        """The versions by which a line lives that was opened under one: its contract's, and its later draws'."""
        key = product_id, version, tier
        found = self._of_lines.get(key)
        if found is None:
            later = sorted(number for id_, number in self._known if id_ == product_id and number > version)
            found = self._of_lines[key] = Versions(
                self.version(product_id, version, tier),
                tuple(self.version(product_id, number, tier) for number in later),
            )
        return found

    def versions(self) -> list[Product]:
        """Every version there is, by id and number."""
        return [product for _, product in sorted(self._known.items(), key=lambda one: one[0])]

    def current(self, product_id: str, on: date) -> Product | None:
        """The version in force on a date: the highest that is effective; None when there is none."""
        versions = [
            product
            for (id_, _), product in self._offered.items()
            if id_ == product_id and product.effective_from <= on
        ]
        return max(versions, key=lambda product: product.version, default=None)

    def drawn_under(self, line_product: str, line_version: int, tier: str, on: date) -> Product:
        """The version that draws and plans of a date live by: the one in force then, or the line's own, if newer.

        tier  of the line, whose prices they have
        """
        own, current = self.version(line_product, line_version), self.current(line_product, on)
        product = own if current is None or current.version < own.version else current
        return product if tier == STANDARD else self._at_tier(product, tier)

    def offered(self, on: date) -> list[Product]:
        """The version in force of every product, by id."""
        ids = sorted({id_ for id_, _ in self._offered})
        return [product for id_ in ids if (product := self.current(id_, on)) is not None]


async def publish(db: Connection, products: Sequence[Shipped], at: datetime) -> Products:
    """Keep these versions and return all that were ever kept.

    Raises ConfigurationError for a file that changed under a version number that is taken, and for one that does not
    begin after all lower versions of its product: the transaction must then end without a commit.
    """
    await store.insert_products(db, products, at)
    kept = await store.load_products(db)
    for shipped in products:
        if (why := check_succession(shipped, kept)) is not None:
            raise ConfigurationError(f"product {shipped.product.id}: {why}")
    return Products(shipped.product for shipped in kept)


async def refresh(db: Connection, products: Products, at: datetime) -> None:
    """Read what others have published meanwhile, and offer what was read long enough ago. `at`: the system's time.

    Cheap when there is nothing new: one row a version, without the files.
    """
    kept = await store.load_versions(db)
    new = [version for version in kept if version not in products]
    if new:
        products.know(shipped.product for shipped in await store.load_products(db, new))
    products.add(one for one in products.waiting() if at - kept[one.id, one.version] >= SETTLES)


async def open_book(db: Connection, book: Book, products: Iterable[Product], at: datetime) -> None:
    """Make products usable in a book: their lenders with their accounts. Safe to repeat at every start."""
    lenders = {
        share.code: Lender(lender_id(book.id, share.code), book.id, share.code, share.name.zh, share.name.en)
        for product in products
        if product.currency == book.currency
        for share in product.lenders
    }
    await register_lenders(db, book.id, book.currency, list(lenders.values()), at)
