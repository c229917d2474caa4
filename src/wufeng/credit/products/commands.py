"""Making products known: files are kept as versions, and the versions of a process stand in memory."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.base.errors import ConfigurationError
from wufeng.credit.products import store
from wufeng.credit.products.model import Product, Shipped
from wufeng.lenders import Lender, lender_id, register_lenders


class Products:
    """All versions of all products, in memory. They never change; new ones are added by `publish`."""

    def __init__(self, products: Iterable[Product] = ()) -> None:
        self._by_version: dict[tuple[str, int], Product] = {}
        self.add(products)

    def add(self, products: Iterable[Product]) -> None:
        """Make versions known."""
        for product in products:
            self._by_version[product.id, product.version] = product

    def version(self, product_id: str, version: int) -> Product:
        """One version. Asserts that it is known: every version that a row names was kept."""
        product = self._by_version.get((product_id, version))
        assert product is not None, f"product {product_id}@{version} was never loaded"
        return product

    def current(self, product_id: str, on: date) -> Product | None:
        """The version in force on a date: the highest that is effective; None when there is none."""
        versions = [
            product
            for (id_, _), product in self._by_version.items()
            if id_ == product_id and product.effective_from <= on
        ]
        return max(versions, key=lambda product: product.version, default=None)

    def offered(self, on: date) -> list[Product]:
        """The version in force of every product, by id."""
        ids = sorted({id_ for id_, _ in self._by_version})
        return [product for id_ in ids if (product := self.current(id_, on)) is not None]


async def publish(db: Connection, products: Sequence[Shipped], at: datetime) -> Products:
    """Keep these versions and return all that were ever kept.

    Raises ConfigurationError for a file that changed under a version number that is taken.
    """
    await store.insert_products(db, products, at)
    kept = await store.load_products(db)
    hashes = {(shipped.product.id, shipped.product.version): shipped.content_hash for shipped in kept}
    for shipped in products:
        product = shipped.product
        if hashes[product.id, product.version] != shipped.content_hash:
            raise ConfigurationError(
                f"product {product.id}: its file has changed but still says version = {product.version}; "
                "what was drawn lives by the old text, so give the new one a new version"
            )
    return Products(shipped.product for shipped in kept)


async def open_book(db: Connection, book: Book, products: Iterable[Product], at: datetime) -> None:
    """Make products usable in a book: their lenders with their accounts. Safe to repeat at every start."""
    lenders = {
        share.code: Lender(lender_id(book.id, share.code), book.id, share.code, share.name.zh, share.name.en)
        for product in products
        if product.currency == book.currency
        for share in product.lenders
    }
    await register_lenders(db, book.id, book.currency, list(lenders.values()), at)
