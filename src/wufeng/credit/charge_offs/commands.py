"""The close's step that takes losses, as a lane command: found by their age, decided from locked rows."""

from collections.abc import Sequence

import msgspec

from wufeng import ledger
from wufeng.base import faults
from wufeng.base.claims import Answer
from wufeng.base.errors import Problem
from wufeng.base.events import Event
from wufeng.base.ids import slot_of
from wufeng.base.lanes import Batch, Command, Handler
from wufeng.credit import journals
from wufeng.credit.bills import store as bills
from wufeng.credit.charge_offs import store
from wufeng.credit.charge_offs.rules import Lost, charge_off, is_due
from wufeng.credit.close.commands import CloseLines
from wufeng.credit.close.store import record_rows
from wufeng.credit.debts.commands import Move, keep, line_bodies
from wufeng.credit.debts.store import load_debts
from wufeng.credit.lines import store as lines
from wufeng.credit.lines.model import Line
from wufeng.credit.products.commands import Products
from wufeng.credit.products.model import Product
from wufeng.ledger import AccountKind, Cause, Journal

CHARGE_OFFS = "charge_offs"


class ChargeOff(CloseLines, frozen=True, kw_only=True):
    """The loss of lines is taken whose arrears are too old."""


def handlers(products: Products) -> dict[type[Command], Handler]:
    """The lane handler of the step."""
    return {ChargeOff: _Desk(products).charge_off}


class _Desk:
    def __init__(self, products: Products) -> None:
        self.products = products

    async def charge_off(self, batch: Batch, commands: Sequence[ChargeOff]) -> list[Answer | Problem]:
        """Take losses, chunk by chunk."""
        return [await self._charge_off(batch, command) for command in commands]

    async def _charge_off(self, batch: Batch, command: ChargeOff) -> Answer:
        on = command.on
        found = await lines.load_lines(batch.db, batch.bucket, command.lines)
        due = {
            id_: line
            for id_, line in sorted(found.items())
            if line.person_id in batch.people and is_due(line, on)
        }
        debts = await load_debts(batch.db, batch.bucket, due)
        moves: list[Move] = []
        lost: list[Lost] = []
        posted: list[Journal] = []
        for debt in debts.values():
            line = debt.line
            bill_id = batch.ids.new(command.at, slot_of(line.id))
            one = charge_off(debt, bill_id, self._product(line), on)
            note = msgspec.json.encode(journals.note_of(line))
            cause = Cause(line.id, line.currency, on, batch.book.id, note)
            posted += journals.journals_of_charge_off(cause, one)
            moves.append(Move(debt, one.debt))
            lost.append(one)
        await self._keep(batch, moves, lost, posted, command)
        await record_rows(batch.db, batch.bucket, command.closed_on, CHARGE_OFFS, len(lost), command.at)
        faults.point(f"close_{CHARGE_OFFS}")
        return Answer(200, msgspec.json.encode(len(lost)))

    async def _keep(
        self,
        batch: Batch,
        moves: Sequence[Move],
        lost: Sequence[Lost],
        posted: Sequence[Journal],
        command: ChargeOff,
    ) -> None:
        if not lost:
            return
        on = command.on
        accounts = [
            ledger.rules.new_account(AccountKind.LINE_CHARGED_OFF, one.debt.line.id, one.debt.line.currency)
            for one in lost
        ]
        await ledger.open_accounts(batch.db, batch.bucket, accounts)
        await ledger.post(batch, posted)
        made = [(one.bill, one.items) for one in lost if one.bill is not None]
        if made:
            await bills.insert_bills(batch.db, batch.bucket, made, len(batch.journals))
        kept = await keep(batch, self.products, moves, on)
        await store.insert_charge_offs(batch.db, batch.bucket, lost, on)
        bodies = await line_bodies(batch, self.products, [move.after for move in kept], on)
        for move in kept:
            line = move.after.line
            event = Event("line.charged_off", line.id, bodies[line.id], on, line.person_id)
            batch.events.append(event)

    def _product(self, line: Line) -> Product:
        return self.products.version(line.product, line.product_version, line.tier)
