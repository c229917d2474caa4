"""What refunds of the past send back when late money shows that more had been paid than they knew.

A bank's answer of days ago, with a refund since: had it come in time, the refund had found its debt paid and had sent
the money back. It stands in the person's favour now, and goes back today: by the rules of either kind of refund. One of
its own day sends what it keeps on that day; one that is dated back, and so may stand before the money, what it leaves
over by the day on which it is made.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
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
from wufeng.credit.history.model import Event, Refunded, Repaid, ReturnKept, Standing
from wufeng.credit.journals import journals_of_sending, note_of
from wufeng.credit.lines.model import Line
from wufeng.credit.products.versions import Versions
from wufeng.credit.refunds import store
from wufeng.credit.refunds.model import SENT_MAX, Returnable, Returned, Sending
from wufeng.credit.refunds.rules import give_back, left_of
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
    mores = _mores(done, money, versions, on) if left_minor else []
    if not mores:
        return []
    line = done.move.after.line
    sources = await _sources(batch, line, mores)
    earlier = await store.load_returned(batch.db, batch.bucket, [one.refund.refund_id for one in mores])
    sendings = []
    for more in mores:
        refund_id = more.refund.refund_id
        there = [one for one in sources if one.repayment_id in _there(done, more.refund)]
        accounts_most = SENT_MAX - await _bank_returns(batch, refund_id)
        back = _returned(min(more.amount_minor, left_minor), there, accounts_most, earlier[refund_id], on)
        if back:
            left_minor -= sum(one.amount_minor for one in back)
            sources = left_of(sources, back)
            sendings.append(Sending(refund_id, line.id, back))
    if sendings:
        await _keep(batch, line, sendings, earlier, on)
    return sendings


class _More(Struct, frozen=True):
    """What a refund leaves over more than it did. freed: by repayment, what it would pay without the refund."""

    refund: Refunded
    amount_minor: int
    freed: Mapping[UUID, int] = {}


def _mores(done: Rewritten, money: Repaid, versions: Versions, on: date) -> list[_More]:
    """What refunds leave over more, the latest first: those that stand after the money keep it on their own date, as
    they would have then; others that were made when it was there have freed it by counting from before it.
    """
    events = [one.event for one in done.told]
    after_it = events[events.index(money) :]
    found = [event for event in after_it if isinstance(event, Refunded) and not event.is_dated_back]
    own = {event.refund_id for event in found}
    freeing = [
        event
        for event in events
        if isinstance(event, Refunded) and event.refund_id not in own and _is_there(money, event)
    ]
    return [*_freed(done, freeing, versions, on), *_kept(done, found)]


def _kept(done: Rewritten, refunds: Sequence[Refunded]) -> Iterator[_More]:
    """What refunds keep more on their own date, the latest first: no more than all of them together."""
    more = {}
    for one in refunds:
        was = done.before.refunds[one.refund_id]
        more[one.refund_id] = done.after.refunds[one.refund_id].kept_minor - was.kept_minor
    left_minor = sum(more.values())
    for one in reversed(refunds):
        amount_minor = min(more[one.refund_id], left_minor)
        if amount_minor > 0:
            left_minor -= amount_minor
            yield _More(one, amount_minor)


def _freed(done: Rewritten, refunds: Sequence[Refunded], versions: Versions, on: date) -> Iterator[_More]:
    """What is left over by today with each refund and would not be without it, the latest first. Each is asked in the
    history without those that were made after it.
    """
    line, told, standing = done.move.before.line, done.told, done.after
    for one in sorted(refunds, key=lambda refund: refund.refund_id, reverse=True):
        without = tuple(placed for placed in told if placed.of != one.refund_id)
        before = folded(line, without, versions, on)
        sent = tuple(placed for placed in told if not _is_refused(placed.event, one.refund_id))
        after = folded(line, sent, versions, on) if sent != told else standing
        if isinstance(before, Problem) or isinstance(after, Problem):
            return  # without it nothing can be told: what is left over stays in the person's favour
        amount_minor = after.credit_balance_minor - before.credit_balance_minor
        if amount_minor > 0:
            yield _More(one, amount_minor, _paid_more(before, standing, one, done))
        told, standing = without, before


def _is_refused(event: Event, refund_id: UUID) -> bool:
    """Whether a bank refused money of the refund: it had been sent, and is not left over once more."""
    return isinstance(event, ReturnKept) and event.refund_id == refund_id


def _paid_more(before: Standing, after: Standing, refund: Refunded, done: Rewritten) -> dict[UUID, int]:
    """By repayment that was there: what it pays without the refund beside what it pays with it and has been sent."""
    more = {
        id_: paid_by(before.allocations.get(id_, ())) - paid_by(after.allocations.get(id_, ()))
        for id_ in _there(done, refund)
    }
    for back in refund.returned:
        if back.sending and back.repayment_id in more:
            more[back.repayment_id] -= back.amount_minor
    return {id_: amount_minor for id_, amount_minor in more.items() if amount_minor > 0}


def _there(done: Rewritten, refund: Refunded) -> set[UUID]:
    """The repayments that were there when a refund was made."""
    repaid = (one.event for one in done.told if isinstance(one.event, Repaid))
    return {one.repayment_id for one in repaid if _is_there(one, refund)}


def _is_there(money: Repaid, refund: Refunded) -> bool:
    """Whether money was there, by the date from which it counts and the order of ids on it, when a refund was made."""
    return (money.on, money.repayment_id) < (refund.made_on or refund.on, refund.refund_id)


async def _sources(batch: Batch, line: Line, mores: Sequence[_More]) -> list[Returnable]:
    """What can go back to where repayments came from, the latest first."""
    freed: Counter[UUID] = Counter()
    for more in mores:
        freed.update(more.freed)
    return (await repayments.load_returnable(batch.db, batch.bucket, [line.id], freed)).get(line.id, [])


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
    on: date,
) -> tuple[Returned, ...]:
    """What a refund sends back in a further sending, to so many bank accounts at most."""
    back, _ = give_back(amount_minor, sources, accounts_most)
    number = max((one.sending for one in earlier), default=0) + 1
    return tuple(replace(one, sending=number, on=on) for one in back)


async def _keep(
    batch: Batch,
    line: Line,
    sendings: Sequence[Sending],
    earlier: dict[UUID, tuple[Returned, ...]],
    on: date,
) -> None:
    by_refund = {one.refund_id: (*earlier[one.refund_id], *one.returned) for one in sendings}
    await store.update_returned(batch.db, batch.bucket, by_refund)
    back = [returned for one in sendings for returned in one.returned]
    await repayments.add_returned(batch.db, batch.bucket, back)
    for one in sendings:
        await ledger.post(batch, journals_of_sending(_cause(batch, line, one, on), line, one.sent))


def _cause(batch: Batch, line: Line, sending: Sending, on: date) -> Cause:
    ids = {"person": encode(Prefix.PERSON, line.person_id), "line": encode(Prefix.LINE, line.id)}
    return Cause(sending.refund_id, line.currency, on, batch.book.id, msgspec.json.encode(note_of(line, ids)))
