"""What the day close ends: raises and freezes whose time is over, lines that waited to be closed.

All of it counts already (`rules.thawed`, `Line.limit_on`): the rows follow here, and what happened is told. A line that
waits is looked at once a date: a hold that was voided or a bank that refused tells no line.
"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from wufeng.base import faults
from wufeng.base.claims import Answer
from wufeng.base.errors import Problem
from wufeng.base.events import Event
from wufeng.base.lanes import Batch
from wufeng.credit.close.commands import CloseLines
from wufeng.credit.close.store import record_rows
from wufeng.credit.debts.commands import line_bodies
from wufeng.credit.debts.store import load_debts
from wufeng.credit.lines import rules, store
from wufeng.credit.lines.changes import BySystem, Change, line_change, over_by, told_of
from wufeng.credit.lines.model import ChangeKind, Line, LineState, LineStatus
from wufeng.credit.lines.paying import pay_out
from wufeng.credit.products.commands import Products
from wufeng.credit.repayments.model import Debt, Target
from wufeng.credit.repayments.rules import brought_up, owed
from wufeng.credit.repayments.store import lines_pending

ENDINGS = "line_terms"
"""The step of the day close; it comes before bills are issued."""


class EndTerms(CloseLines, frozen=True, kw_only=True):
    """Raises and freezes whose time is over end; lines are closed that waited and owe nothing any more."""


class _Seen(Struct, frozen=True):
    """One line of the chunk, and what has become of it."""

    state: LineState
    debt: Debt
    changes: tuple[Change, ...]

    @property
    def after(self) -> Line:
        return self.changes[-1].line if self.changes else self.state.line


class Ending:
    """The handler over the products. It keeps nothing between batches."""

    def __init__(self, products: Products) -> None:
        self.products = products

    async def end_terms(self, batch: Batch, commands: Sequence[EndTerms]) -> list[Answer | Problem]:
        """End what is over on the date that begins."""
        return [await self._end_terms(batch, command) for command in commands]

    async def _end_terms(self, batch: Batch, command: EndTerms) -> Answer:
        on = command.on
        seen = await self._see(batch, command.lines, on)
        changed = [one for one in seen if one.changes]
        if changed:
            await store.update_lines(batch.db, batch.bucket, [one.after for one in changed])
            by = BySystem(at=command.at)
            changes = [line_change(batch, by, change) for one in changed for change in one.changes]
            await store.insert_changes(batch.db, batch.bucket, changes, len(batch.journals))
        ends = [one.after for one in seen if one.after.status in (LineStatus.CLOSING, LineStatus.CLOSED)]
        closed = [line for line in ends if line.status is LineStatus.CLOSED]
        paid_out = await pay_out(batch, closed, on)
        if ends:
            await store.mark_looked(batch.db, batch.bucket, [line.id for line in ends], on)
        for one in changed:
            await self._tell(batch, one, on)
        rows = len(changed) + paid_out
        await record_rows(batch.db, batch.bucket, command.closed_on, ENDINGS, rows, command.at)
        faults.point(f"close_{ENDINGS}")
        return Answer(200, msgspec.json.encode(rows))

    async def _see(self, batch: Batch, line_ids: Sequence[UUID], on: date) -> list[_Seen]:
        """The chunk's lines, as far as their people are locked."""
        states = await store.load_states(batch.db, batch.bucket, line_ids)
        ours = {id_: states[id_] for id_ in sorted(states) if states[id_].line.person_id in batch.people}
        debts = await load_debts(batch.db, batch.bucket, {id_: state.line for id_, state in ours.items()})
        waits = await lines_pending(batch.db, batch.bucket, list(ours))
        return [self._seen(state, debts[id_], on, waits=id_ in waits) for id_, state in ours.items()]

    def _seen(self, state: LineState, debt: Debt, on: date, *, waits: bool) -> _Seen:
        line = state.line
        product = self.products.version(line.product, line.product_version, line.tier)
        changes = [*over_by(state, product, on)]
        if line.status is LineStatus.CLOSING:
            owed_minor = owed(brought_up(debt, product, on), Target.ALL, on)
            if rules.may_close(state, owed_minor, waits=waits):
                changes.append(Change(rules.closed(line), ChangeKind.CLOSED))
        return _Seen(state, debt, tuple(changes))

    async def _tell(self, batch: Batch, one: _Seen, on: date) -> None:
        kinds = [kind for kind in map(told_of, one.changes) if kind is not None]
        bodies = await line_bodies(batch, self.products, [replace(one.debt, line=one.after)], on)
        for kind in kinds:
            body = bodies[one.after.id]
            batch.events.append(Event(kind, one.after.id, body, on, one.after.person_id))
