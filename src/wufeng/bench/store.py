"""What a benchmark asks of its scratch database."""

from collections.abc import Sequence
from uuid import UUID

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.ledger import AccountKind, account_id

SQL = load(__file__)


async def prepare_naive(
    owner: Connection, payers: Sequence[tuple[int, UUID, UUID]], merchants: Sequence[UUID], lender_id: UUID
) -> None:
    """Make what the naive script picks from: payers as (bucket, person, line)."""
    await owner.execute(SQL.make_helpers)
    await owner.execute(
        SQL.insert_payers,
        [bucket for bucket, _, _ in payers],
        [person for _, person, _ in payers],
        [line for _, _, line in payers],
        [account_id(line, AccountKind.LINE_PRINCIPAL) for _, _, line in payers],
        account_id(lender_id, AccountKind.LENDER_PRINCIPAL),
        account_id(lender_id, AccountKind.LENDER_POOL),
    )
    await owner.execute(
        SQL.insert_merchants,
        list(merchants),
        [account_id(merchant, AccountKind.MERCHANT_PAYABLE) for merchant in merchants],
    )
    await owner.execute(SQL.copy_payload)


async def wal_bytes(owner: Connection) -> int:
    """How much has ever been written to the log."""
    return int(await owner.fetchval(SQL.wal_position))


async def backends(owner: Connection) -> list[int]:
    """The server processes of this database's connections."""
    return [row["pid"] for row in await owner.fetch(SQL.backends)]


async def analyse(owner: Connection) -> None:
    """Fresh statistics, as autovacuum would soon make."""
    await owner.execute(SQL.analyse)


async def checkpoint(superuser: Connection) -> None:
    """Write every changed page to disk; log files no longer needed are kept to be used again."""
    await superuser.execute(SQL.checkpoint)
