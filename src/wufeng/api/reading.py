"""What reads of credit need of a call."""

from typing import Any

from wufeng.api.routing import Call
from wufeng.base.database import Connection
from wufeng.credit.queries import Reading


def reading(call: Call[Any, Any], db: Connection) -> Reading:
    """What reads of credit need, on the call's business date and in its language."""
    on = call.book.business_date(call.at)
    return Reading(db, call.book, call.services.products, on, call.language)
