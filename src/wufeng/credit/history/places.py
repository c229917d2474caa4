"""Where events stand in a line's history: by the date on which they count, in it by the bucket's numbers.

Numbers are given under the head's lock, in the order of commits, so they say what happened before what. Bills, plans
made of them and changes of the due day post no journal for certain: they stand after the number that was the last when
they were made. So does money that a bank was asked for, if it has answered so late that others came between.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from enum import IntEnum
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from wufeng.credit.history.model import BillSplit, ChargedOff, Delivered, DueDaySet, Event, Issued, Repaid

PENDING = 2**62
"""The number of the first journal that this very batch posts: the head gives them theirs in their order, after all."""

LAST = 2**63 - 1
"""The number of what has no journal yet: after all of its day."""


class Turn(IntEnum):
    """Which comes first of what has the same number in a day."""

    BILL = 0  # of a bill whose number is not known
    DAY = 1  # of what counts for the whole of its day
    BOOKED = 2  # has the number itself
    AFTER = 3  # was made when the number was the last
    PLAN = 4  # of a bill that was
    ASKED = 5  # of a bank, when the number was the last: what is told of that late


class Placed(Struct, frozen=True):
    """An event and its place: the date, the number, the turn, and what it is of.

    booked_seq  the number of its journal, where that is not its place
    """

    on: date
    seq: int
    turn: Turn
    of: UUID
    event: Event
    booked_seq: int | None = None

    @property
    def is_numbered(self) -> bool:
        """Whether the number is one of the bucket's."""
        return self.turn in (Turn.BOOKED, Turn.AFTER, Turn.ASKED)

    def is_found_by(self, close: "Placed") -> bool:
        """Whether a close that did something with that number had it before it."""
        return (self.seq if self.booked_seq is None else self.booked_seq) <= close.seq


def in_order(placed: Iterable[Placed]) -> tuple[Placed, ...]:
    """Events as they happened; those of a late close, and plans of bills, find their places beside the others."""
    all_of = list(placed)
    numbered = [one for one in all_of if one.is_numbered]
    done = [_where_done(one, numbered) for one in all_of]
    of_bills = {one.of: one for one in done if isinstance(one.event, Issued)}
    standing = [_after_its_bill(one, of_bills) for one in done]
    return tuple(sorted(standing, key=lambda one: (one.on, one.seq, one.turn, one.of)))


def _where_done(one: Placed, numbered: Sequence[Placed]) -> Placed:
    """What a close did, on the latest date of what it found: it may be late, and found what had happened since."""
    if not (one.is_numbered and isinstance(one.event, Issued | ChargedOff)):
        return one
    found = (other.event.on for other in numbered if other.is_found_by(one))
    return replace(one, on=max(one.event.on, *found))


def _after_its_bill(one: Placed, of_bills: Mapping[UUID, Placed]) -> Placed:
    """A plan of a bill, as early in its day as can be: what pays the bill finds what the plan has left of it."""
    if not isinstance(one.event, BillSplit):
        return one
    bill = of_bills[one.event.bill_id]
    return replace(one, seq=bill.seq, turn=Turn.PLAN) if bill.on == one.on else one


def inserted(placed: Sequence[Placed], one: Placed) -> tuple[Placed, ...]:
    """A history with one event more, at the end of its date."""
    place = end_of(placed, one.on)
    return (*placed[:place], one, *placed[place:])


def end_of(placed: Sequence[Placed], on: date) -> int:
    """The place at the end of a date: how many events come before it."""
    return next((n for n, other in enumerate(placed) if other.on > on), len(placed))


def booked(event: Event, of: UUID, seq: int) -> Placed:
    """What a journal has booked."""
    return Placed(event.on, seq, Turn.BOOKED, of, event)


def repaid(event: Repaid, seq: int) -> Placed:
    """Money: where its journal has booked it, with that number, or where a bank was asked for it before."""
    if event.asked_seq is None:
        return booked(event, event.repayment_id, seq)
    return Placed(event.on, event.asked_seq, Turn.ASKED, event.repayment_id, event, booked_seq=seq)


def issued(event: Issued, seq: int | None) -> Placed:
    """A bill of a close. seq: None of bills before numbers were kept; they were the first of their day."""
    if seq is None:
        return Placed(event.on, 0, Turn.BILL, event.bill_id, event)
    return Placed(event.on, seq, Turn.AFTER, event.bill_id, event)


def planned(event: BillSplit) -> Placed:
    """A plan of a bill."""
    return Placed(event.on, 0, Turn.DAY, event.draw.id, event)


def delivered(event: Delivered) -> Placed:
    """Goods that have come: for the whole of their day."""
    return Placed(event.on, 0, Turn.DAY, event.draw_id, event)


def moved(event: DueDaySet, line_id: UUID) -> Placed:
    """A change of the due day; one whose number is not known was the first of its day."""
    if event.seq is None:
        return Placed(event.on, 0, Turn.DAY, line_id, event)
    return Placed(event.on, event.seq, Turn.AFTER, line_id, event)
