"""From events to the bank's work list: what a pending object asks the bank to do.

An event's data is the object as the API shows it; only what the bank needs is read from it.
"""

from uuid import UUID

import msgspec
from msgspec import Struct

from wufeng.base.followers import EventRow
from wufeng.base.ids import Prefix, decode
from wufeng.payments.bank.model import Direction, Kind, NewInstruction

TOP_UP_PENDING = "top_up.pending"
WITHDRAWAL_PENDING = "withdrawal.pending"
REPAYMENT_PENDING = "repayment.pending"
REFUND_PENDING = "refund.pending"
SETTLEMENT_PENDING = "settlement.pending"


class _Movement(Struct, frozen=True):
    amount_minor: int
    currency: str
    bank_account: str


class _Settlement(Struct, frozen=True):
    payout_minor: int
    currency: str


_MOVEMENTS = {
    TOP_UP_PENDING: (Kind.TOP_UP, Direction.DEBIT),
    WITHDRAWAL_PENDING: (Kind.WITHDRAWAL, Direction.CREDIT),
    REPAYMENT_PENDING: (Kind.REPAYMENT, Direction.DEBIT),
    REFUND_PENDING: (Kind.REFUND, Direction.CREDIT),
}

KINDS = (*_MOVEMENTS, SETTLEMENT_PENDING)
"""The events that the bank follower reads; all of them internal, never shown to anybody outside."""


def instruction_of(row: EventRow) -> NewInstruction:
    """What the bank is to do because of an event of one of `KINDS`.

    The data of all but a settlement has `amount_minor`, `currency` and `bank_account`: of what goes to or comes from
    the bank, which may be less than the object's whole amount.
    """
    if row.kind == SETTLEMENT_PENDING:
        settlement = msgspec.json.decode(row.data, type=_Settlement)
        return NewInstruction(
            id=row.object_id,
            kind=Kind.SETTLEMENT,
            direction=Direction.CREDIT,
            owner_id=_owner(row.merchant_id),
            bank_account_id=None,
            amount_minor=settlement.payout_minor,
            currency=settlement.currency,
        )
    kind, direction = _MOVEMENTS[row.kind]
    movement = msgspec.json.decode(row.data, type=_Movement)
    return NewInstruction(
        id=row.object_id,
        kind=kind,
        direction=direction,
        owner_id=_owner(row.person_id),
        bank_account_id=decode(Prefix.BANK_ACCOUNT, movement.bank_account),
        amount_minor=movement.amount_minor,
        currency=movement.currency,
    )


def _owner(id_: UUID | None) -> UUID:
    assert id_ is not None, "a pending object names whose it is"
    return id_
