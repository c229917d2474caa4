"""What can be read about staff."""

from wufeng.base.database import Connection
from wufeng.identity.staff import store
from wufeng.identity.staff.model import Staff


async def list_staff(db: Connection) -> list[Staff]:
    """All members of staff, by log-in name, the closed ones too."""
    return await store.list_staff(db)
