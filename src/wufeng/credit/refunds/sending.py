"""What refunds of the past send back when late money shows that more had been paid than they knew.

A bank's answer of days ago, with a refund since: had it come in time, the refund had found its debt paid and had sent
the money back. It stands in the person's favour now, and goes back today.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime
from typing import TypeAlias
from uuid import UUID

import msgspec
from msgspec.structs import replace

from wufeng import ledger
from wufeng.base.ids import Prefix, encode
from wufeng.base.lanes import Batch
from wufeng.credit.history.commands import Rewritten
from wufeng.credit.journals import journals_of_sending, note_of
from wufeng.credit.lines.model import Line
from wufeng.credit.refunds import store
from wufeng.credit.refunds.model import SENT_MAX, Returnable, Returned, Sending
from wufeng.credit.refunds.rules import give_back, left_of
from wufeng.credit.repayments import store as repayments
from wufeng.ledger import Cause, JournalKind

Send: TypeAlias = Callable[[Batch, Sequence[Sending], datetime], Awaitable[None]]
"""Who instructs banks of what refunds of the past send back, and keeps refunds as they are shown."""


async def send_nothing(batch: Batch, sendings: Sequence[Sending], at: datetime) -> None:
    """Where nobody shows refunds: the journals are all there is."""


def left_over(done: Rewritten) -> int:
    """What a rewritten history leaves more in the person's favour, as far as it stands there now."""
    grown_minor = done.after.credit_balance_minor - done.before.credit_balance_minor
    return max(0, min(grown_minor, done.after.credit_balance_minor))


async def send_back(batch: Batch, line: Line, done: Rewritten, on: date) -> list[Sending]:
    """Give back what refunds of the past keep more in a rewritten history, the latest first: as far as it has come to
    stand in the person's favour, and to where repayments came from. Posts the journals; who instructs banks is told.

    The rows of the line's repayments say already what they have paid in that history.
    """
    more = _kept_more(done)
    left_minor = min(sum(more.values()), left_over(done))
    if left_minor <= 0:
        return []
    sources = (await repayments.load_returnable(batch.db, batch.bucket, [line.id])).get(line.id, [])
    earlier = await store.load_returned(batch.db, batch.bucket, more.keys())
    sendings = []
    for refund_id, more_minor in reversed(more.items()):
        if more_minor <= 0 or left_minor <= 0:
            continue
        accounts_most = SENT_MAX - await _bank_returns(batch, refund_id)
        back = _returned(min(more_minor, left_minor), sources, accounts_most, earlier[refund_id], on)
        if back:
            left_minor -= sum(one.amount_minor for one in back)
            sources = left_of(sources, back)
            sendings.append(Sending(refund_id, line.id, back))
    if sendings:
        await _keep(batch, line, sendings, earlier, on)
    return sendings


def _kept_more(done: Rewritten) -> dict[UUID, int]:
    """By refund, the oldest first: what it keeps in the person's favour more, or less, than it did."""
    was = done.before.refunds
    more = {
        id_: one.kept_minor - was[id_].kept_minor for id_, one in done.after.refunds.items() if id_ in was
    }
    return {id_: amount_minor for id_, amount_minor in more.items() if amount_minor}


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
