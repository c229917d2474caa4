"""Where product versions are kept: a small reference table with each file, byte for byte."""

from collections.abc import Collection, Sequence
from datetime import datetime

from wufeng.base.database import Connection
from wufeng.base.errors import ConfigurationError
from wufeng.base.sql import load
from wufeng.credit.products.files import read_kept
from wufeng.credit.products.model import Shipped

SQL = load(__file__)


async def insert_products(db: Connection, products: Sequence[Shipped], at: datetime) -> None:
    """Keep versions that are not there yet."""
    await db.execute(
        SQL.insert_products,
        [shipped.product.id for shipped in products],
        [shipped.product.version for shipped in products],
        [shipped.product.effective_from for shipped in products],
        [shipped.content_hash for shipped in products],
        [shipped.source for shipped in products],
        at,
    )


async def load_products(db: Connection, versions: Collection[tuple[str, int]] | None = None) -> list[Shipped]:
    """These versions; None: every one that was ever kept. One that cannot be read any more is a ConfigurationError."""
    kept = []
    for row in await db.fetch(SQL.load_products):
        if versions is not None and (row["id"], row["version"]) not in versions:
            continue
        shipped = read_kept(row["source"], f"{row['id']}@{row['version']}")
        if shipped.content_hash != row["content_hash"]:
            raise ConfigurationError(
                f"product {row['id']}@{row['version']} in the database is not what it was"
            )
        kept.append(shipped)
    return kept


async def load_versions(db: Connection) -> dict[tuple[str, int], datetime]:
    """When each version was published."""
    return {(row["id"], row["version"]): row["created_at"] for row in await db.fetch(SQL.load_versions)}
