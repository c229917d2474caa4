"""Which part of a refund has not lowered the debt, because money of it went back that was not there."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from wufeng.base.errors import Code, Problem
from wufeng.credit.history.model import BillSplit, Event, Refunded, SentBack
from wufeng.credit.history.telling import Lacking, Teller
from wufeng.credit.refunds.model import Returned


def covered(teller: Teller, events: Sequence[Event]) -> Sequence[Event]:
    """The events, in which money of refunds that went back later stood in the person's favour when it did, and plans
    find the principal that they have taken over.

    What of it was not there has not lowered the debt: the least by which the amount of its refund must be lower (as
    `telling` has it). So much of what went back was the merchant's money itself, not the person's. It stays so where a
    plan has taken the debt over: money that would cover it after all stands in the person's favour.
    Raises a problem where a refund gave back more than its amount, and nothing covers it, and where a plan lacks
    principal, and no refund has sent so much back.
    """
    if not _gone_of(events):
        return events
    places = _places_of(events)
    by: dict[UUID, int] = {}
    settled = 0
    while (missing := _first_missing(teller, events, by, settled)) is not None:
        if isinstance(missing, _Short):
            refund_id, by_minor = missing.refund_id, _least_for_short(teller, events, by, missing)
        else:
            refund_id, by_minor = _least_for_plan(teller, events, by, missing)
        by[refund_id], settled = by_minor, places[refund_id]
    return _lowered(events, by)


class _Short(Struct, frozen=True):
    """Money of a refund that went back and was not there, after `count` of the first `known` events."""

    known: int
    count: int
    refund_id: UUID
    minor: int


class _Lack(Struct, frozen=True):
    """Principal that a plan took over and that is not there: the plan is the last of the first `count` events."""

    known: int
    count: int
    problem: Lacking


def _first_missing(
    teller: Teller, events: Sequence[Event], by: Mapping[UUID, int], settled: int
) -> _Short | _Lack | None:
    """The first of it, as it was found when it happened: what plans of later have left alone was not known then.

    settled  among the first so many events nothing is missing
    """
    lowered = _lowered(events, by)
    for known in _looked_at(events):
        if known <= settled:
            continue
        count = 0
        try:
            for count, standing in teller.after_each(lowered[:known], known):
                for refund_id, minor in standing.short.items():
                    return _Short(known, count, refund_id, minor)
        except Lacking as problem:
            return _Lack(known, count + 1, problem)
    return None


def _looked_at(events: Sequence[Event]) -> list[int]:
    """After how many events something may be missing: after plans, and after the last money that went back before."""
    kinds = [(n, type(event)) for n, event in enumerate(events, 1) if isinstance(event, SentBack | BillSplit)]
    return [n for (n, kind), (_, then) in pairwise([*kinds, (0, BillSplit)]) if BillSplit in (kind, then)]


def _least_for_short(teller: Teller, events: Sequence[Event], by: Mapping[UUID, int], short: _Short) -> int:
    """The least by which a refund must be lower so that what went back of it was there: at most by all of that."""
    refund_id = short.refund_id
    refunded = next(one for one in events if isinstance(one, Refunded) and one.refund_id == refund_id)
    most = min(_sent_of(events)[refund_id], refunded.amount_minor)

    def lacks(minor: int) -> bool:
        lowered = _lowered(events, {**by, refund_id: minor})[: short.known]
        return refund_id in teller.told(lowered, short.count).short

    least = _least(by.get(refund_id, 0) + short.minor, most, lacks)
    if least is None:
        detail = f"A refund of {refunded.on} gave interest back that would have been owed; settle it with the person."
        raise Problem(Code.STATE_CONFLICT, detail)
    return least


def _least_for_plan(
    teller: Teller, events: Sequence[Event], by: Mapping[UUID, int], lack: _Lack
) -> tuple[UUID, int]:
    """The least by which a refund before a plan must be lower so that the plan finds its principal: the newest first,
    as far as it has sent money back. All of that, where it helps and is not enough.
    """
    gone = _gone_of(events)
    for refunded in reversed(events[: lack.count]):
        if not isinstance(refunded, Refunded):
            continue
        refund_id = refunded.refund_id
        was, most = by.get(refund_id, 0), min(gone[refund_id], refunded.amount_minor)

        def lacking(minor: int, refund_id: UUID = refund_id) -> int:
            lowered = _lowered(events, {**by, refund_id: minor})[: lack.known]
            try:
                teller.told(lowered, lack.count)
            except Lacking as problem:
                return problem.minor
            return 0

        least = _least(was + lack.problem.minor, most, lambda minor: lacking(minor) > 0)
        if least is not None:
            return refund_id, least
        if was < most and lacking(most) < lack.problem.minor:
            return refund_id, most
    raise lack.problem


def _least(low: int, high: int, lacks: Callable[[int], bool]) -> int | None:
    """The least amount that does not lack: the less of a refund is left, the less is missing. None: all of it does.

    Mostly it is what is missing as it is; or all, where what is owed again takes the money that was there of it. What
    lies between is found by halves.
    """
    if low <= high and not lacks(low):
        return low
    if low >= high:
        return None
    if high - low == 1 or lacks(high - 1):
        return None if lacks(high) else high
    high -= 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if lacks(middle) else (low, middle)
    return high


def _lowered(events: Sequence[Event], by: Mapping[UUID, int]) -> list[Event]:
    """The events with refunds lower by so much, and so much less taken from the person's favour when it went back: of
    what went back later first.
    """
    left, sent, lowered = dict(by), _sent_of(events), []
    for event in events:
        if isinstance(event, Refunded) and event.refund_id in by:
            at_once_minor = max(0, by[event.refund_id] - sent[event.refund_id])
            returned = _less_at_once(event.returned, at_once_minor)
            event = replace(event, uncovered_minor=by[event.refund_id], returned=returned)
        elif isinstance(event, SentBack):
            part_minor = min(left.get(event.refund_id, 0), event.amount_minor)
            if part_minor:
                left[event.refund_id] -= part_minor
                event = replace(event, amount_minor=event.amount_minor - part_minor)
        lowered.append(event)
    return lowered


def _less_at_once(returned: Sequence[Returned], minor: int) -> tuple[Returned, ...]:
    """What a refund has returned, with so much less of what went back with itself."""
    less = []
    for back in returned:
        part_minor = 0 if back.sending else min(minor, back.amount_minor)
        minor -= part_minor
        less.append(replace(back, amount_minor=back.amount_minor - part_minor))
    return tuple(less)


def _places_of(events: Sequence[Event]) -> dict[UUID, int]:
    """The place of the first event of each refund."""
    places: dict[UUID, int] = {}
    for place, event in enumerate(events):
        if isinstance(event, Refunded | SentBack):
            places.setdefault(event.refund_id, place)
    return places


def _sent_of(events: Sequence[Event]) -> Counter[UUID]:
    """What each refund has sent back later."""
    sent: Counter[UUID] = Counter()
    for event in events:
        if isinstance(event, SentBack):
            sent[event.refund_id] += event.amount_minor
    return sent


def _gone_of(events: Sequence[Event]) -> Counter[UUID]:
    """What each refund has given back as money, with itself or later."""
    gone = _sent_of(events)
    for event in events:
        if isinstance(event, Refunded) and event.returned_minor:
            gone[event.refund_id] += event.returned_minor
    return gone
