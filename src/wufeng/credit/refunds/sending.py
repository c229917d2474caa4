"""What refunds of the past send back when late money shows that more had been paid than they knew.

A bank's answer of days ago, with a refund since: had it come in time, the refund had found its debt paid and had sent
the money back. It stands in the person's favour now, and goes back today: by the rules of either kind of refund. One of
its own day sends what it keeps on that day; one that is dated back, and so may stand before the money, what it leaves
over by the day on which it is made.
"""

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
from wufeng.credit.history.telling import Teller
from wufeng.credit.journals import journals_of_sending, note_of
from wufeng.credit.lines.model import Line
from wufeng.credit.products.versions import Versions
from wufeng.credit.refunds import store
from wufeng.credit.refunds.model import SENT_MAX, Returnable, Returned, Sending
from wufeng.credit.refunds.rules import give_back
from wufeng.credit.repayments import store as repayments
from wufeng.credit.repayments.model import Repayment, SourceKind, paid_by
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
    left_minor, line, sendings = left_over(done), done.move.after.line, []
    for more in _mores(done, money, versions) if left_minor else ():
        refund_id = more.refund.refund_id
        returned = await store.load_returned(
            batch.db, batch.bucket, [one.refund_id for _, one in _made(done.told)]
        )
        rows = await repayments.load_repayments_of_line(batch.db, batch.bucket, line.id)
        accounts_most = SENT_MAX - await _bank_returns(batch, refund_id)
        amount_minor, after = min(more.amount_minor, left_minor), done.repaid_after(refund_id)
        sources, earlier = _sources(more, rows, returned), returned[refund_id]
        back = _returned(amount_minor, sources, accounts_most, earlier, after, on)
        if back:
            left_minor -= sum(one.amount_minor for one in back)
            sendings.append(Sending(refund_id, line.id, back))
            await _keep(batch, line, sendings[-1], earlier, on)
        if not left_minor:
            break
    return sendings


class _More(Struct, frozen=True):
    """What a refund leaves over more than it did.

    told, found  the events that had come to pass when it was made, without it; what they make
    """

    refund: Refunded
    amount_minor: int
    told: tuple[Placed, ...]
    found: Standing


def _mores(done: Rewritten, money: Repaid, versions: Versions) -> Iterator[_More]:
    """What refunds leave over more that were made when the money was there, the latest first: as of their making, for
    each of them has found what the ones before it have left. Where nothing can be told without one, what it leaves over
    stays in the person's favour.
    """
    teller = Teller(done.move.before.line, versions)
    came = next(one for one in done.told if one.event == money)
    for made, refund in sorted(_made(done.told), key=lambda one: one[0].seq, reverse=True):
        if not _is_known(came, made, refund) or _keeps_nothing(done, refund):
            continue
        known = tuple(one for one in done.told if _is_known(one, made, refund))
        told = tuple(one for one in known if one != made)
        left, found = (folded(teller, events, refund.told_on) for events in (known, told))
        if isinstance(left, Problem) or isinstance(found, Problem):
            continue
        amount_minor = left.credit_balance_minor - found.credit_balance_minor - _sent_later(refund)
        if amount_minor > 0:
            yield _More(refund, amount_minor, told, found)


def _made(told: Sequence[Placed]) -> list[tuple[Placed, Refunded]]:
    """The refunds. They have the number of their making, also where they count from before it."""
    return [(one, one.event) for one in told if isinstance(one.event, Refunded)]


def _is_known(one: Placed, made: Placed, refund: Refunded) -> bool:
    """Whether an event had come to pass when a refund was made: on that day, by the bucket's numbers."""
    if one.of == refund.refund_id:
        return one == made
    on = one.event.told_on if isinstance(one.event, Refunded) else one.on
    if on == refund.told_on and one.is_numbered:
        return one.seq < made.seq
    return on <= refund.told_on


def _keeps_nothing(done: Rewritten, refund: Refunded) -> bool:
    """Whether a refund of its own day keeps nothing then but what it has sent: refunds that were dated back before it
    have it keep more than at its making, never less.
    """
    kept_minor = done.after.refunds[refund.refund_id].kept_minor
    return not refund.is_dated_back and kept_minor <= _sent_later(refund)


def _sent_later(refund: Refunded) -> int:
    return sum(sent.amount_minor for sent in refund.sent_later)


def _sources(
    more: _More, rows: Sequence[Repayment], returned: Mapping[UUID, Sequence[Returned]]
) -> list[Returnable]:
    """What of repayments can go back that were there when the refund was made, the latest first: what each pays in the
    history that it would have found, less what has gone back of it with refunds that do not stand before it there; and
    never more than is left of what came.
    """
    places = {one.of: n for n, one in enumerate(more.told) if isinstance(one.event, Repaid | Refunded)}
    found = []
    for row in reversed(rows):
        place = places.get(row.id)
        if place is None or row.source.kind is SourceKind.EXTERNAL:
            continue
        gone = (
            back for id_, all_of in returned.items() if places.get(id_, place) >= place for back in all_of
        )
        gone_minor = sum(back.amount_minor for back in gone if back.repayment_id == row.id)
        pays_minor = paid_by(more.found.allocations[row.id]) - gone_minor
        if (amount_minor := min(pays_minor, row.amount_minor - row.returned_minor)) > 0:
            found.append(Returnable(row.id, row.source, amount_minor))
    return found


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
