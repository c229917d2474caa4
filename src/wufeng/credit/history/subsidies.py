"""What refunds give back of merchants' shares of fees, where a purchase is undone as a whole: all that was paid ahead,
from each lender what it had of it.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from wufeng.credit.draws.model import Draw
from wufeng.credit.history.model import Drawn, Event, Refunded
from wufeng.ledger.model import Parts
from wufeng.ledger.rules import merged, split_between

Lenders = Sequence[tuple[UUID, int]]


def all_returned(events: Sequence[Event], lenders: Lenders) -> Sequence[Event]:
    """The events, in which an undo that is told now and leaves nothing of its purchase gives the merchant back all of
    the subsidy that no refund of it has: no charge of it is kept. By lender, the refunds of a purchase all of whose
    subsidy an undo has brought back give back together what was paid ahead, draw by draw.
    """
    told = [_with_the_rest(events, event) for event in events]
    parts: dict[UUID, Parts] = {}
    for undo in _undos(told):
        purchase = _purchase_of(told, undo)
        if purchase.is_all_returned:
            parts |= _by_lender(purchase, undo, lenders)
    return [
        replace(event, subsidy_returned=parts[event.refund_id])
        if isinstance(event, Refunded) and event.refund_id in parts
        else event
        for event in told
    ]


def _undos(events: Iterable[Event]) -> list[Refunded]:
    return [event for event in events if isinstance(event, Refunded) and event.undone]


class _Purchase(Struct, frozen=True):
    """Draws that refunds have given back together, and all of these refunds."""

    draws: tuple[Draw, ...]
    refunds: tuple[Refunded, ...]

    @property
    def is_refunded(self) -> bool:
        """Whether nothing is left of it."""
        refunded_minor = sum(one.amount_minor - one.uncovered_minor for one in self.refunds)
        return refunded_minor >= sum(sum(draw.principal_parts) for draw in self.draws)

    @property
    def left_of_subsidy_minor(self) -> int:
        """What was paid of it less what was given back as told."""
        returned_minor = sum(one.subsidy_returned_minor or 0 for one in self.refunds)
        return sum(draw.unearned_minor for draw in self.draws) - returned_minor

    @property
    def is_all_returned(self) -> bool:
        """Whether its refunds, each as it was told, have given all of its subsidy back."""
        is_told = all(one.subsidy_returned_minor is not None for one in self.refunds)
        return is_told and not self.left_of_subsidy_minor


def _purchase_of(events: Sequence[Event], undo: Refunded) -> _Purchase:
    ids, refunds = set(undo.draw_ids), [event for event in events if isinstance(event, Refunded)]
    while more := {id_ for one in refunds if not ids.isdisjoint(one.draw_ids) for id_ in one.draw_ids} - ids:
        ids |= more
    draws = (event.draw for event in events if isinstance(event, Drawn) and event.draw.id in ids)
    return _Purchase(tuple(draws), tuple(one for one in refunds if not ids.isdisjoint(one.draw_ids)))


def _with_the_rest(events: Sequence[Event], event: Event) -> Event:
    """An undo that is told now and leaves nothing of its purchase, with all of the subsidy that is left."""
    if not isinstance(event, Refunded) or not event.undone or event.subsidy_returned_minor is not None:
        return event
    purchase = _purchase_of(events, event)
    if not purchase.is_refunded:
        return event
    return replace(event, subsidy_returned_minor=purchase.left_of_subsidy_minor)


def _by_lender(purchase: _Purchase, undo: Refunded, lenders: Lenders) -> dict[UUID, Parts]:
    """What each refund of a purchase gives back, by lender: the undo what was paid less what the others give back."""
    returned = {
        one.refund_id: split_between(one.subsidy_returned_minor or 0, lenders)
        for one in purchase.refunds
        if one.refund_id != undo.refund_id
    }
    paid = [part for draw in purchase.draws for part in split_between(draw.unearned_minor, lenders)]
    gone = [(lender, -amount) for parts in returned.values() for lender, amount in parts]
    return {**returned, undo.refund_id: merged([*paid, *gone])}
