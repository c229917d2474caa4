"""What refunds of the past send back when late money shows that more had been paid than they knew.

A bank's answer of days ago, with a refund since: had it come in time, the refund had found its debt paid and had sent
the money back. It stands in the person's favour now, and goes back today: by the rules of either kind of refund. One of
its own day sends what it keeps on that day; one that is dated back, and so may stand before the money, what it leaves
over by the day on which it is made.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TypeAlias
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from wufeng import ledger
from wufeng.base.errors import Problem
from wufeng.base.ids import Prefix, encode
from wufeng.base.lanes import Batch
from wufeng.credit.history.commands import Rewritten, folded
from wufeng.credit.history.model import Refunded, Repaid, Standing
from wufeng.credit.history.places import Placed
from wufeng.credit.journals import journals_of_sending, note_of
from wufeng.credit.lines.model import Line
from wufeng.credit.products.versions import Versions
from wufeng.credit.refunds import store
from wufeng.credit.refunds.model import SENT_MAX, Returnable, Returned, Sending
from wufeng.credit.refunds.rules import give_back
from wufeng.credit.repayments import store as repayments
from wufeng.credit.repayments.model import paid_by
from wufeng.ledger import Cause, JournalKind

Send: TypeAlias = Callable[[Batch, Sequence[Sending], datetime], Awaitable[None]]
"""Who instructs banks of what refunds of the past send back, and keeps refunds as they are shown."""


async def send_nothing(batch: Batch, sendings: Sequence[Sending], at: datetime) -> None:
    """Where nobody shows refunds: the journals are all there is."""


def left_over(done: Rewritten) -> int:
    """What a rewritten history leaves more in the person's favour, as far as it stands there now."""
    grown_minor = done.after.credit_balance_minor - done.before.credit_balance_minor
    return max(0, min(grown_minor, done.after.credit_balance_minor))


async def send_back(
    batch: Batch, done: Rewritten, money: Repaid, versions: Versions, on: date
) -> list[Sending]:
    """Give back what refunds of the past leave over more in a history that has been rewritten with money that came
    late: as far as it has come to stand in the person's favour, and to where repayments came from that were there when
    the refund was made. Posts the journals; who instructs banks is told.

    The rows of the line's repayments say already what they have paid in that history.
    """
    left_minor = left_over(done)
    line, mores = done.move.after.line, _mores(done, money, versions, on) if left_minor else []
    sendings: list[Sending] = []
    for more in mores:
        refund_id = more.refund.refund_id
        earlier = (await store.load_returned(batch.db, batch.bucket, [refund_id]))[refund_id]
        sources = await _sources(batch, done, more, _gone(more, sendings))
        accounts_most = SENT_MAX - await _bank_returns(batch, refund_id)
        amount_minor, after = min(more.amount_minor, left_minor), done.repaid_after(refund_id)
        back = _returned(amount_minor, sources, accounts_most, earlier, after, on)
        if back:
            left_minor -= sum(one.amount_minor for one in back)
            sendings.append(Sending(refund_id, line.id, back))
            await _keep(batch, line, sendings[-1], earlier, on)
    return sendings


class _More(Struct, frozen=True):
    """What a refund leaves over more than it did.

    found    the history that it would have found
    without  the refunds of the line that this history is told without
    """

    refund: Refunded
    amount_minor: int
    found: Standing
    without: tuple[Refunded, ...] = ()


def _mores(done: Rewritten, money: Repaid, versions: Versions, on: date) -> list[_More]:
    """What refunds leave over more, the latest first: those of their own day that stand after the money keep it then;
    those that are dated back and were made when the money was there free it by counting from before it.
    """
    line, told = done.move.before.line, _as_asked(done.told, money)
    timely = folded(line, told, versions, on) if told != done.told else done.after
    if isinstance(timely, Problem):
        return []
    refunds = [(n, one.event) for n, one in enumerate(told) if isinstance(one.event, Refunded)]
    place = _place_of(told, money)
    own = [one for n, one in refunds if n > place and not one.is_dated_back]
    freeing = [one for _, one in refunds if one.is_dated_back and _is_there(money, one)]
    mores = [*_keeping(timely, own), *_freeing(line, told, freeing, versions)]
    return sorted(mores, key=lambda more: more.refund.refund_id, reverse=True)


def _as_asked(told: tuple[Placed, ...], money: Repaid) -> tuple[Placed, ...]:
    """The history in which what was repaid on the money's day stands before what was made after it had been asked for,
    not at the end of the day, where answers of banks are told.
    """
    repaid = [one for one in told if one.on == money.on and isinstance(one.event, Repaid)]
    for one in sorted(repaid, key=lambda placed: placed.of):
        place = told.index(one)
        later = (
            n
            for n, other in enumerate(told[:place])
            if other.on == one.on and isinstance(other.event, Repaid | Refunded) and other.of > one.of
        )
        asked = next(later, place)
        told = (*told[:asked], one, *told[asked:place], *told[place + 1 :])
    return told


def _place_of(told: Sequence[Placed], money: Repaid) -> int:
    return next(n for n, one in enumerate(told) if one.event == money)


def _keeping(timely: Standing, refunds: Sequence[Refunded]) -> Iterator[_More]:
    """What refunds keep on their own date and have not sent since: no more than all of them together."""
    more = {
        one.refund_id: timely.refunds[one.refund_id].kept_minor
        - sum(sent.amount_minor for sent in one.sent_later)
        for one in refunds
    }
    left_minor = sum(more.values())
    for one in reversed(refunds):
        amount_minor = min(more[one.refund_id], left_minor)
        if amount_minor > 0:
            left_minor -= amount_minor
            yield _More(one, amount_minor, timely)


def _freeing(
    line: Line, told: Sequence[Placed], refunds: Sequence[Refunded], versions: Versions
) -> Iterator[_More]:
    """What each refund would have left over when it was made, and has not sent: what would not have been without it."""
    latest = sorted(refunds, key=lambda refund: refund.refund_id, reverse=True)
    for number, one in enumerate(latest, 1):
        known = [placed for placed in told if _is_known(placed, one)]
        with_it = tuple(placed for placed in known if placed.of != one.refund_id or placed.event == one)
        without = tuple(placed for placed in known if placed.of != one.refund_id)
        left, found = (folded(line, told_so, versions, one.told_on) for told_so in (with_it, without))
        if isinstance(found, Problem) or isinstance(left, Problem):
            return  # without it nothing can be told: what is left over stays in the person's favour
        sent_minor = sum(sent.amount_minor for sent in one.sent_later)
        amount_minor = left.credit_balance_minor - found.credit_balance_minor - sent_minor
        if amount_minor > 0:
            yield _More(one, amount_minor, found, tuple(latest[:number]))


def _is_known(placed: Placed, refund: Refunded) -> bool:
    """Whether an event had come to pass when a refund was made; of money and refunds the order of ids says so."""
    event = placed.event
    if isinstance(event, Repaid):
        return _is_there(event, refund)
    if isinstance(event, Refunded):
        return (event.told_on, event.refund_id) <= (refund.told_on, refund.refund_id)
    return placed.on <= refund.told_on


def _is_there(money: Repaid, refund: Refunded) -> bool:
    """Whether money was there, by the date from which it counts and the order of ids on it, when a refund was made."""
    return (money.on, money.repayment_id) < (refund.told_on, refund.refund_id)


async def _sources(batch: Batch, done: Rewritten, more: _More, gone: Mapping[UUID, int]) -> list[Returnable]:
    """What of repayments can go back that were there when the refund was made, by what they pay in the history that it
    would have found, the latest first. gone: of that, has been sent.
    """
    repaid = [one.event for one in done.told if isinstance(one.event, Repaid)]
    there = [one.repayment_id for one in repaid if _is_there(one, more.refund)]
    beside = {
        id_: paid_by(more.found.allocations[id_]) - paid_by(done.after.allocations[id_]) - gone.get(id_, 0)
        for id_ in there
    }
    line_id = done.move.after.line.id
    by_line = await repayments.load_returnable(batch.db, batch.bucket, [line_id], beside)
    return [one for one in by_line.get(line_id, ()) if one.repayment_id in beside]


def _gone(more: _More, sendings: Sequence[Sending]) -> Counter[UUID]:
    """By repayment: what refunds have sent of it that it pays again without them, and what of them is sent just now."""
    ids = {one.refund_id for one in more.without}
    now = (back for one in sendings if one.refund_id in ids for back in one.returned)
    amounts: Counter[UUID] = Counter()
    for back in (*(back for one in more.without for back in one.returned), *now):
        amounts[back.repayment_id] += back.amount_minor if back.later else 0
    return amounts


async def _bank_returns(batch: Batch, refund_id: UUID) -> int:
    """How many returns to banks a refund has: each has a journal. It is one for all repayments of an account; refunds
    used to have one for each repayment.
    """
    posted = [one.journal for one in await ledger.journals_of(batch.db, batch.bucket, refund_id)]
    pending = [journal for journal in batch.journals if journal.of == refund_id]
    return sum(
        1
        for one in (*posted, *pending)
        if one.kind is JournalKind.CREDIT_BALANCE_RETURNED and one.guarded == 1
    )


def _returned(
    amount_minor: int,
    sources: Sequence[Returnable],
    accounts_most: int,
    earlier: Sequence[Returned],
    after: Collection[UUID],
    on: date,
) -> tuple[Returned, ...]:
    """What a refund sends back in a further sending, to so many bank accounts at most. after: repayments after it."""
    back, _ = give_back(amount_minor, sources, accounts_most)
    number = max((one.sending for one in earlier), default=0) + 1
    return tuple(replace(one, sending=number, on=on, later=one.repayment_id in after) for one in back)


async def _keep(batch: Batch, line: Line, sending: Sending, earlier: Sequence[Returned], on: date) -> None:
    returned = (*earlier, *sending.returned)
    await store.update_returned(batch.db, batch.bucket, {sending.refund_id: returned})
    await repayments.add_returned(batch.db, batch.bucket, sending.returned)
    await ledger.post(batch, journals_of_sending(_cause(batch, line, sending, on), line, sending.sent))


def _cause(batch: Batch, line: Line, sending: Sending, on: date) -> Cause:
    ids = {"person": encode(Prefix.PERSON, line.person_id), "line": encode(Prefix.LINE, line.id)}
    return Cause(sending.refund_id, line.currency, on, batch.book.id, msgspec.json.encode(note_of(line, ids)))
