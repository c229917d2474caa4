"""All that the world is told: the events of every context as callers read them, in one place for feed and webhooks."""

from collections.abc import Sequence

from wufeng.base.followers import EventRow
from wufeng.base.webhooks import Audience, PublicEvent
from wufeng.payments import events
from wufeng.payments.settlements import events as settlement_events

CREDIT_TYPES = (
    "application.offered",
    "application.declined",
    "application.accepted",
    "consent.withdrawn",
    "line.opened",
    "line.frozen",
    "line.unfrozen",
    "line.limit_changed",
    "line.suspended",
    "line.charged_off",
    "line.closed",
    "plan.created",
    "bill.issued",
    "bill.due",
    "bill.paid",
    "bill.overdue",
    "bill.reminder",
    "repayment.posted",
    "repayment.reversed",
)
"""What credit tells the platform, each row as it stands. No merchant is told of a person's credit."""

EVENT_TYPES = frozenset({*events.EVENT_TYPES, *settlement_events.EVENT_TYPES, *CREDIT_TYPES})
"""Every type of event there is (API.md, event names)."""


def expand(row: EventRow, audience: Audience) -> Sequence[PublicEvent]:
    """The public events of any row; none of a row that is for followers alone, such as repayment.pending."""
    if row.kind in CREDIT_TYPES:
        return (PublicEvent(0, row.kind, row.object_id, row.data),)
    return events.expand(row, audience) or settlement_events.expand(row, audience)
