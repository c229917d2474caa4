"""What can be asked of repayments: repay, post or fail what a bank has answered, reverse. All through the lane."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from wufeng import ledger
from wufeng.base.claims import Answer
from wufeng.base.errors import Code, Problem, invalid_field, not_found
from wufeng.base.events import Event
from wufeng.base.ids import Prefix, encode
from wufeng.base.lanes import Batch, Command, Handler
from wufeng.credit import journals
from wufeng.credit.bills import store as bills
from wufeng.credit.debts.commands import Move, keep
from wufeng.credit.debts.rules import touched
from wufeng.credit.debts.store import load_debts
from wufeng.credit.history.commands import (
    Rewritten,
    keep_items,
    principal_of,
    repaid_of,
    rewritten,
    settling_late,
)
from wufeng.credit.history.model import Repaid
from wufeng.credit.history.telling import with_surplus
from wufeng.credit.lines import store as lines
from wufeng.credit.lines.model import Line, LineStatus
from wufeng.credit.products.commands import Products
from wufeng.credit.products.versions import Versions
from wufeng.credit.refunds import store as refunds
from wufeng.credit.refunds.sending import Send, send_back, send_nothing
from wufeng.credit.repayments import store
from wufeng.credit.repayments.model import (
    Allocation,
    Debt,
    Repayment,
    RepaymentStatus,
    Source,
    Target,
)
from wufeng.credit.repayments.rules import (
    once_answered,
    owed,
    problem_of_value_on,
    repaid,
    settle_plan,
)
from wufeng.credit.sources.model import Held, Pays
from wufeng.credit.sources.own import OWN_SOURCES
from wufeng.credit.sources.registry import Sources, known
from wufeng.credit.views import view_repayment
from wufeng.identity import audit
from wufeng.identity.audit.model import Act
from wufeng.ledger import Cause, Journal


class Repay(Command, frozen=True, kw_only=True):
    """Repay a line; `people` names the line's person. The id is chosen at the edge, in the line's slot.

    amount_minor  or `target`, never both; a plan is paid as it stands and needs neither
    value_on      None: the business date. Earlier ones are for the operator: money that came late through a bank
    act           the deed of staff, kept with it; None: the person's own, or relayed by the operator's server
    """

    repayment_id: UUID
    line_id: UUID
    source: Source
    amount_minor: int | None = None
    target: Target | None = None
    plan: UUID | None = None
    value_on: date | None = None
    act: Act | None = None


class BankAnswered(Command, frozen=True, kw_only=True):
    """What the bank said of a pending repayment; `people` names its person. Said late or twice it changes nothing."""

    repayment_id: UUID
    ok: bool
    reason: str = ""


class ReverseRepayment(Command, frozen=True, kw_only=True):
    """The money was taken back: the debt stands as if the repayment had never been. `people` names its person."""

    repayment_id: UUID
    reason: str
    act: Act | None = None


def handlers(
    products: Products, sources: Sources = OWN_SOURCES, send: Send = send_nothing
) -> dict[type[Command], Handler]:
    """The lane handlers of repayments.

    sources  the kinds that people may repay from
    send     takes what refunds of the past send back when late money has shown that it had been paid
    """
    desk = _Desk(products, sources, send)
    return {Repay: desk.repay, BankAnswered: desk.bank_answered, ReverseRepayment: desk.reverse}


async def repay(
    batch: Batch, products: Products, sources: Sources, commands: Sequence[Repay]
) -> list[Answer | Problem]:
    """Repay inside another command's batch, as the lane would: auto-debit does so."""
    return await _Desk(products, sources).repay(batch, commands)


class _Book:
    """What a batch of repayments has loaded, and what it has done so far; each command sees those before it."""

    def __init__(self, debts: Mapping[UUID, Debt]) -> None:
        self.before = dict(debts)
        self.debts = dict(debts)
        self.held: Mapping[UUID, Held] = {}
        self.pending: dict[UUID, list[Repayment]] = {}  # by line, where a command must know them
        self.available_minor: dict[
            UUID, int
        ] = {}  # by source, where it is known; each repayment takes from it
        self.journals: list[Journal] = []
        self.new: list[Repayment] = []
        self.acts: list[Act] = []
        self.moved: list[Repayment] = []
        self.told: list[tuple[str, Repayment, date]] = []
        self.late: list[tuple[Repaid, Rewritten]] = []  # money that came late, and what it has done


class _Asked(Struct, frozen=True):
    """A repayment that may be made: how much, and the date it counts from."""

    amount_minor: int
    value_on: date


class _Desk:
    def __init__(self, products: Products, sources: Sources, send: Send = send_nothing) -> None:
        self.products = products
        self.sources = sources
        self.send = send

    async def repay(self, batch: Batch, commands: Sequence[Repay]) -> list[Answer | Problem]:
        """Repay lines: from a wallet or relayed money at once, from a bank account once the bank has answered."""
        late = [n for n, command in enumerate(commands) if _is_late(batch, command)]
        if not late:
            return await self._repay(batch, commands)
        timely = [n for n in range(len(commands)) if n not in late]
        answers = dict(zip(timely, await self._repay(batch, [commands[n] for n in timely]), strict=True))
        for n in late:  # each rewrites a history that the ones before it have written
            answers |= {n: (await self._repay(batch, [commands[n]]))[0]}
        return [answers[n] for n in range(len(commands))]

    async def _repay(self, batch: Batch, commands: Sequence[Repay]) -> list[Answer | Problem]:
        if not commands:
            return []
        plans = [command.plan for command in commands if command.plan is not None]
        book = await self._load(batch, {command.line_id for command in commands}, plans)
        book.pending = await self._pending(batch, commands)
        book.held = await self.sources.load(batch, [command.source for command in commands])
        book.available_minor = known(book.held)
        answers: list[Answer | Problem] = []
        for command in commands:
            debt = book.debts.get(command.line_id)
            if debt is None or debt.line.person_id not in batch.people:
                answers.append(not_found("line"))
                continue
            on = batch.book.business_date(command.at)
            asked = await self._asked(batch, book, command, debt, on)
            if isinstance(asked, Problem):
                answers.append(asked)
                continue
            repayment = Repayment(
                id=command.repayment_id,
                line_id=debt.line.id,
                person_id=debt.line.person_id,
                source=command.source,
                status=RepaymentStatus.PENDING,
                amount_minor=asked.amount_minor,
                value_on=asked.value_on,
                created_at=command.at,
                plan=command.plan,
            )
            if self.sources.pays(command.source) is Pays.LATER:
                book.pending.setdefault(debt.line.id, []).append(repayment)
                book.told.append(("repayment.pending", repayment, on))
            elif isinstance(posted := await self._post(batch, book, repayment, on), Problem):
                answers.append(posted)
                continue
            else:
                repayment = posted
            book.new.append(repayment)
            book.acts += [command.act] if command.act is not None else []
            pending = repayment.status is RepaymentStatus.PENDING
            answers.append(_answer(repayment, debt.line.currency, 202 if pending else 201))
        await self._keep(batch, book, max(command.at for command in commands))
        return answers

    async def bank_answered(self, batch: Batch, commands: Sequence[BankAnswered]) -> list[Answer | Problem]:
        """Post or fail repayments that a bank has answered, one after the other: most are dated back."""
        return [answer for command in commands for answer in await self._bank_answered(batch, [command])]

    async def _bank_answered(self, batch: Batch, commands: Sequence[BankAnswered]) -> list[Answer | Problem]:
        known = await store.load_repayments(
            batch.db, batch.bucket, {command.repayment_id for command in commands}
        )
        plans = [repayment.plan for repayment in known.values() if repayment.plan is not None]
        book = await self._load(batch, {repayment.line_id for repayment in known.values()}, plans)
        answers: list[Answer | Problem] = []
        for command in commands:
            repayment = known.get(command.repayment_id)
            if repayment is None or repayment.person_id not in batch.people:
                answers.append(not_found("repayment"))
                continue
            on = batch.book.business_date(command.at)
            if repayment.status is RepaymentStatus.PENDING:
                if command.ok:
                    repayment = await self._post_answered(batch, book, repayment, on)
                else:
                    repayment = replace(repayment, status=RepaymentStatus.FAILED, reason=command.reason)
                    book.told.append(("repayment.failed", repayment, on))
                known[repayment.id] = repayment
                book.moved.append(repayment)
            currency = book.debts[repayment.line_id].line.currency
            answers.append(_answer(repayment, currency, 200))
        await self._keep(batch, book, max(command.at for command in commands))
        return answers

    async def reverse(self, batch: Batch, commands: Sequence[ReverseRepayment]) -> list[Answer | Problem]:
        """Reverse repayments, one after the other: rare, and each needs bills of its own."""
        return [await self._reverse(batch, command) for command in commands]

    async def _reverse(self, batch: Batch, command: ReverseRepayment) -> Answer | Problem:
        found = await store.load_repayments(batch.db, batch.bucket, [command.repayment_id])
        repayment = found.get(command.repayment_id)
        if repayment is None or repayment.person_id not in batch.people:
            return not_found("repayment")
        on = batch.book.business_date(command.at)
        book = await self._load(batch, {repayment.line_id}, [])
        line = book.debts[repayment.line_id].line
        if repayment.status is RepaymentStatus.REVERSED:
            return _answer(repayment, line.currency, 200)
        problem = self._problem_of_reversal(repayment, line)
        if problem is not None:
            return problem
        done = await rewritten(batch, self.products, line, on, added=None, removed=repayment.id)
        if isinstance(done, Problem):
            return done
        moved_minor = journals.moved_between(done.before, done.after).money_minor
        assert moved_minor == -repayment.amount_minor, "what a repayment brought goes with it"
        posted = await ledger.journals_of(batch.db, batch.bucket, repayment.id)
        originals = [one for one in posted if journals.moves_its_money(line, one)]
        cause = self._cause(batch, repayment, line, on)
        book.journals += self._corrections(cause, line, done)
        book.journals += journals.journals_of_reversal(cause, line, originals, done.before, done.after)
        reversed_ = replace(repayment, status=RepaymentStatus.REVERSED, reason=command.reason)
        book.moved += [reversed_, *done.repayments]
        book.told.append(("repayment.reversed", reversed_, on))
        await self._rewrite(batch, book, done, on)
        book.acts += [command.act] if command.act is not None else []
        await self._keep(batch, book, command.at)
        return _answer(reversed_, line.currency, 200)

    def _corrections(self, cause: Cause, line: Line, done: Rewritten) -> list[Journal]:
        """What a rewritten history has charged and lost otherwise; its money comes beside it."""
        before, after = done.before, done.after
        return [
            *journals.journals_of_correction(cause, line, before, after),
            *journals.journals_of_loss_correction(cause, line, before, after),
        ]

    async def _rewrite(self, batch: Batch, book: _Book, done: Rewritten, on: date) -> None:
        """Put a rewritten history in the place of what the book has loaded of the line."""
        await keep_items(batch, done)
        line_id = done.move.after.line.id
        book.before[line_id] = done.move.before
        book.debts[line_id] = touched(done.move.after, on)

    def _problem_of_reversal(self, repayment: Repayment, line: Line) -> Problem | None:
        if repayment.status is not RepaymentStatus.POSTED:
            detail = f"This repayment is {repayment.status.value}; only a posted one is reversed."
            return Problem(Code.STATE_CONFLICT, detail)
        if line.status is LineStatus.CLOSED:
            detail = (
                "Its line is closed, and nothing can be owed on it any more: claim the money from the person."
            )
            return Problem(Code.STATE_CONFLICT, detail)
        return None

    async def _asked(
        self, batch: Batch, book: _Book, command: Repay, debt: Debt, on: date
    ) -> _Asked | Problem:
        """How much is to be repaid, or why it may not be."""
        source = command.source
        if debt.line.status is LineStatus.CLOSED:
            return Problem(Code.STATE_CONFLICT, "This line is closed; nothing is owed.")
        guard = batch.people[debt.line.person_id]
        if (problem := self.sources.problem(source, guard, book.held)) is not None:
            return problem
        value_on = command.value_on or on
        if (problem := problem_of_value_on(debt.line, value_on, on)) is not None:
            return problem
        pending = book.pending.get(debt.line.id, ())
        if command.plan is not None:
            amount_minor = await self._amount_of_plan(batch, command, debt, pending, on)
        else:
            amount_minor = self._amount(command, debt, pending, value_on, on)
        if isinstance(amount_minor, Problem):
            return amount_minor
        problem = self.sources.problem_of_amount(source, amount_minor, book.available_minor)
        if problem is not None:
            return problem
        return _Asked(amount_minor, value_on)

    async def _pending(self, batch: Batch, commands: Sequence[Repay]) -> dict[UUID, list[Repayment]]:
        """What banks have not answered yet of lines whose commands leave it to us how much is to be repaid."""
        asking = {
            command.line_id
            for command in commands
            if command.amount_minor is None or command.plan is not None
        }
        return await store.load_pending(batch.db, batch.bucket, asking) if asking else {}

    async def _amount_of_plan(
        self, batch: Batch, command: Repay, debt: Debt, pending: Sequence[Repayment], on: date
    ) -> int | Problem:
        """What settles a plan on the date that the money counts from: of an earlier one, as the plan stood then."""
        plan, versions = command.plan, self._versions(debt.line)
        assert plan is not None, "the command names a plan"
        if any(one.plan == plan for one in pending):
            detail = "A repayment of this plan is under way; its bank has not answered."
            return Problem(Code.STATE_CONFLICT, detail)
        if command.value_on is not None and command.value_on < on:
            settled = await settling_late(batch, self.products, debt.line, plan, command.value_on, on)
        else:
            settled = settle_plan(debt, plan, versions, on)
        if isinstance(settled, Problem):
            return settled
        if settled is None:
            return invalid_field("/plan", "No instalment of such a plan is to come.")
        if command.amount_minor not in (None, settled.paid_minor):
            return invalid_field("/amount_minor", f"This plan is settled with {settled.paid_minor}.")
        return settled.paid_minor

    def _amount(
        self, command: Repay, debt: Debt, pending: Sequence[Repayment], value_on: date, on: date
    ) -> int | Problem:
        """What is named, or what a target comes to beside what is on its way already."""
        if command.amount_minor is not None:
            return command.amount_minor
        target = command.target or Target.ALL
        amount_minor = owed(once_answered(debt, pending, self._versions(debt.line), on), target, value_on)
        but = " but what is under way already" if pending else ""
        return amount_minor or Problem(Code.STATE_CONFLICT, f"Nothing is owed{but} ({target.value}).")

    async def _post_answered(self, batch: Batch, book: _Book, repayment: Repayment, on: date) -> Repayment:
        """Post what a bank has paid: into the line's history, if a day, a bill or a refund came since it was asked."""
        if repayment.value_on < on or await self._is_told_since(batch, repayment):
            posted = await self._post_late(batch, book, repayment, on)
            if isinstance(posted, Repayment):
                return posted
            repayment = replace(repayment, value_on=on)  # nobody can date it so any more
        return self._post_today(batch, book, replace(repayment, asked_seq=None), on)

    async def _is_told_since(self, batch: Batch, repayment: Repayment) -> bool:
        place = batch.db, batch.bucket, repayment.line_id, repayment.asked_seq or 0
        return await bills.is_billed_since(*place) or await refunds.is_refunded_since(*place)

    async def _post(self, batch: Batch, book: _Book, repayment: Repayment, on: date) -> Repayment | Problem:
        """Spread a repayment over its line's debt; returns it as posted. One that counts from an earlier date is put
        into the line's history there."""
        if repayment.value_on < on:
            return await self._post_late(batch, book, repayment, on)
        return self._post_today(batch, book, repayment, on)

    def _post_today(self, batch: Batch, book: _Book, repayment: Repayment, on: date) -> Repayment:
        debt = book.debts[repayment.line_id]
        spread = repaid(debt, repayment.amount_minor, repayment.plan, self._versions(debt.line), on)
        book.debts[debt.line.id] = touched(spread.debt, on)
        cause = self._cause(batch, repayment, debt.line, on)
        if debt.line.charged_off_on is not None:
            book.journals += journals.journals_of_recovery(
                cause, debt.line, repayment.source, spread, debt.billed_minor
            )
        else:
            book.journals += journals.journals_of_repayment(
                cause, debt.line, repayment.source, spread, debt.principal_minor
            )
        return self._posted(book, repayment, with_surplus(spread), on)

    async def _post_late(
        self, batch: Batch, book: _Book, repayment: Repayment, on: date
    ) -> Repayment | Problem:
        line = book.debts[repayment.line_id].line
        event = repaid_of(repayment)
        done = await rewritten(batch, self.products, line, on, added=event, removed=None)
        if isinstance(done, Problem):
            return done
        moved = journals.moved_between(done.before, done.after)
        assert moved.money_minor == repayment.amount_minor, "what comes late goes where it would have gone"
        cause = self._cause(batch, repayment, line, on)
        book.journals += self._corrections(cause, line, done)
        book.journals.append(
            journals.journal_of_late_repayment(cause, line, repayment.source, done.before, done.after)
        )
        book.journals += journals.journals_of_recovery_correction(cause, line, done.before, done.after)
        book.moved += done.repayments
        book.late.append((event, done))
        await self._rewrite(batch, book, done, repayment.value_on)
        return self._posted(book, repayment, done.after.allocations[repayment.id], on)

    def _posted(
        self, book: _Book, repayment: Repayment, pieces: tuple[Allocation, ...], on: date
    ) -> Repayment:
        if repayment.source.id in book.available_minor:
            book.available_minor[repayment.source.id] -= repayment.amount_minor
        posted = replace(
            repayment,
            status=RepaymentStatus.POSTED,
            posted_on=on,
            principal_minor=principal_of(pieces),
            allocation=pieces,
        )
        book.told.append(("repayment.posted", posted, on))
        return posted

    def _cause(self, batch: Batch, repayment: Repayment, line: Line, on: date) -> Cause:
        note = {
            "person": encode(Prefix.PERSON, line.person_id),
            "line": encode(Prefix.LINE, line.id),
            **journals.note_of(line),
        }
        return Cause(repayment.id, line.currency, on, batch.book.id, msgspec.json.encode(note))

    async def _load(
        self, batch: Batch, line_ids: set[UUID], draw_ids: Sequence[UUID], bill_ids: Sequence[UUID] = ()
    ) -> _Book:
        found = await lines.load_lines(batch.db, batch.bucket, line_ids)
        debts = await load_debts(batch.db, batch.bucket, found, draw_ids, bill_ids)
        return _Book(debts)

    async def _keep(self, batch: Batch, book: _Book, at: datetime) -> None:
        await ledger.post(batch, book.journals)
        if book.new:
            await store.insert_repayments(batch.db, batch.bucket, book.new, len(batch.journals))
        if book.moved:
            await store.update_repayments(batch.db, batch.bucket, book.moved)
        await audit(batch.db, batch.book, batch.ids, book.acts)
        for money, done in book.late:
            versions = self._versions(done.move.after.line)
            if sendings := await send_back(batch, done, money, versions, batch.book.business_date(at)):
                await self.send(batch, sendings, at)
        for kind, repayment, on in book.told:
            currency = book.debts[repayment.line_id].line.currency
            body = msgspec.json.encode(view_repayment(repayment, currency))
            batch.events.append(Event(kind, repayment.id, body, on, repayment.person_id))
        changed = [
            Move(book.before[id_], book.debts[id_])
            for id_ in book.debts
            if book.debts[id_] != book.before[id_]
        ]
        if changed:
            on = max(on for _, _, on in book.told)
            await keep(batch, self.products, changed, on, at)

    def _versions(self, line: Line) -> Versions:
        return self.products.of_line(line.product, line.product_version, line.tier)


def _is_late(batch: Batch, command: Repay) -> bool:
    return command.value_on is not None and command.value_on < batch.book.business_date(command.at)


def _answer(repayment: Repayment, currency: str, status: int) -> Answer:
    return Answer(status, msgspec.json.encode(view_repayment(repayment, currency)), repayment.id)
