"""Sign-ins that have come back from their provider, in the bucket of their own id."""

from datetime import datetime
from uuid import UUID

from wufeng.base.database import Connection
from wufeng.base.sql import load

SQL = load(__file__)


async def insert_return(db: Connection, bucket: int, sign_in_id: UUID, at: datetime) -> bool:
    """Keep that a sign-in has come back; False: it had before."""
    return await db.fetchval(SQL.insert_return, bucket, sign_in_id, at) is not None


async def delete_returns(db: Connection, bucket: int, before: datetime, at_most: int) -> int:
    """Forget the oldest returns from before an instant; returns how many."""
    return len(await db.fetch(SQL.delete_returns, bucket, before, at_most))
