"""What is decided about settlements: pure."""

import csv
import io
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from wufeng.base.ids import Prefix, encode
from wufeng.payments.settlements.model import Due, Settlement, SettlementStatus, SettlementView

CSV_FIELDS = tuple(name for name in SettlementView.__struct_fields__ if name != "object")
"""The columns of the csv form, in order; amounts are minor units."""


def draw_up(due: Due, settlement_id: UUID, at: datetime) -> Settlement:
    """The settlement of a merchant's date. All that is owed is paid out; what is owed by it is carried over."""
    assert due.carried_minor <= 0, "whatever was in the merchant's favour was paid out"
    payout_minor = max(0, due.sums.net_minor + due.carried_minor)
    return Settlement(
        id=settlement_id,
        merchant_id=due.merchant_id,
        business_on=due.business_on,
        status=SettlementStatus.PENDING if payout_minor else SettlementStatus.CARRIED,
        currency=due.currency,
        sums=due.sums,
        carried_minor=due.carried_minor,
        payout_minor=payout_minor,
        created_at=at,
    )


def view_of(settlement: Settlement) -> SettlementView:
    """A settlement as the API shows it."""
    sums = settlement.sums
    return SettlementView(
        id=encode(Prefix.SETTLEMENT, settlement.id),
        status=settlement.status,
        merchant=encode(Prefix.MERCHANT, settlement.merchant_id),
        business_date=settlement.business_on,
        currency=settlement.currency,
        payments=sums.payments,
        refunds=sums.refunds,
        gross_minor=sums.gross_minor,
        refunds_minor=sums.refunded_minor,
        fees_minor=sums.fee_minor,
        subsidies_minor=sums.subsidy_minor,
        returned_minor=sums.returned_minor,
        net_minor=sums.net_minor,
        carried_minor=settlement.carried_minor,
        payout_minor=settlement.payout_minor,
        failure=settlement.failure,
        paid_on=settlement.paid_on,
        created_at=settlement.created_at,
    )


def csv_of(views: Sequence[SettlementView]) -> str:
    """Settlements as csv (RFC 4180) with a line of names; empty fields are nulls."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(CSV_FIELDS)
    for view in views:
        plain = msgspec.to_builtins(view)
        writer.writerow(["" if plain[name] is None else plain[name] for name in CSV_FIELDS])
    return out.getvalue()
