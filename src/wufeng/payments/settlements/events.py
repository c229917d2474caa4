"""What settlements tell: of all their rows, only a payout that has arrived is told outside."""

from collections.abc import Sequence

from wufeng.base.followers import EventRow
from wufeng.base.webhooks import Audience, PublicEvent

PAID = "settlement.paid"

EVENT_TYPES = (PAID,)
"""Public event types of settlements (API.md)."""


def expand(row: EventRow, _: Audience) -> Sequence[PublicEvent]:
    """The public events of a row: the merchant and the platform read the same."""
    return (PublicEvent(0, PAID, row.object_id, row.data),) if row.kind == PAID else ()
