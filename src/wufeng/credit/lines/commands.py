"""What can be asked of lines: open, limit, raise, freeze, unfreeze, move the due day, close; cap all of a person's.

All of it goes through the lane, under the lock of the person.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import TypeVar
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from wufeng import ledger
from wufeng.base.claims import Answer
from wufeng.base.errors import Code, Problem, invalid_field, not_found
from wufeng.base.events import Event
from wufeng.base.ids import slot_of
from wufeng.base.lanes import Batch, Command, Handler
from wufeng.credit.consents.store import stopped_lines
from wufeng.credit.debts.commands import EVENT_LANGUAGE, Move, line_bodies, move_earned
from wufeng.credit.debts.store import load_debts
from wufeng.credit.lines import rules, store
from wufeng.credit.lines.changes import BySystem, Change, Said, line_change, over_by, told_of
from wufeng.credit.lines.ending import Ending, EndTerms
from wufeng.credit.lines.model import Actor, ChangeKind, Line, LineChange, LineState, LineStatus
from wufeng.credit.lines.paying import pay_out
from wufeng.credit.lines.views import view_cap
from wufeng.credit.products.commands import Products
from wufeng.credit.products.model import STANDARD, Mode, Product
from wufeng.credit.repayments.model import Debt, Target
from wufeng.credit.repayments.rules import brought_up, owed
from wufeng.credit.repayments.store import lines_pending
from wufeng.credit.sources.own import OWN_SOURCES
from wufeng.credit.sources.registry import Sources
from wufeng.identity import audit
from wufeng.identity.audit.model import Act
from wufeng.identity.people.model import PersonStatus
from wufeng.lenders.model import lender_id


class OpenLine(Command, frozen=True, kw_only=True):
    """Open a line; its person is the command's only one. Who answers for it stands in its history, with a reason.

    mode             of those that the product has; None: its first
    tier             whose prices it has: what the sheet of its application said
    dated_on         the date whose day of the month its bills may follow: its sheet's; None: the day it is opened
    actor, staff_id  a member of staff; an application that was accepted has the actor SYSTEM and no staff
    act              for the audit
    """

    person_id: UUID
    product: str
    limit_minor: int
    staff_id: UUID | None
    reason: str
    mode: Mode | None = None
    tier: str = STANDARD
    dated_on: date | None = None
    actor: Actor = Actor.STAFF
    act: Act | None = None
    language: str = "zh"


class LineCommand(Command, frozen=True, kw_only=True):
    """A change of a line; the command's `people` names the line's person. Who asks, and why, goes to its history.

    act  for the audit, where staff do it
    """

    line_id: UUID
    actor: Actor
    actor_id: UUID | None
    reason: str = ""
    act: Act | None = None
    language: str = "zh"


class SetLimit(LineCommand, frozen=True, kw_only=True):
    """Set the limit: a person lowers it, also below what is used; staff keep to the product's range.

    until_on  raise it for a time, to that last date, beside the permanent limit; None: the permanent limit itself. A
              person lowers or shortens such a raise, or declines it by setting the permanent limit as it is
    """

    limit_minor: int
    until_on: date | None = None


class Freeze(LineCommand, frozen=True, kw_only=True):
    """Stop draws. Repayments go on. until_on: the date on which it ends by itself; None: when somebody says so."""

    until_on: date | None = None


class Unfreeze(LineCommand, frozen=True, kw_only=True):
    """Let a frozen line be drawn on again, as far as its arrears allow."""


class SetDueDay(LineCommand, frozen=True, kw_only=True):
    """Move the due day to one that the product allows."""

    due_day: int


class SetAutoDebit(LineCommand, frozen=True, kw_only=True):
    """Have bills debited when they are due, from these sources in their order (wal_…, bka_…); none: no more."""

    sources: tuple[str, ...]


class SetCap(Command, frozen=True, kw_only=True):
    """Cap what all lines of a person together may come to, or end that; the command's `people` names the person.

    act  for the audit
    """

    person_id: UUID
    cap_minor: int | None
    actor: Actor
    actor_id: UUID | None
    reason: str
    act: Act | None = None


class CloseLine(LineCommand, frozen=True, kw_only=True):
    """Close a line: at once when nothing is owed or held, else as soon as that is so. A credit balance is paid out."""


def handlers(
    products: Products, sources: Sources = OWN_SOURCES, person_max_minor: int | None = None
) -> dict[type[Command], Handler]:
    """The lane handlers of lines.

    sources           the kinds that bills may be debited from
    person_max_minor  what all lines of one person may give together; None: nothing bounds it
    """
    desk = _Desk(products, sources, person_max_minor)
    return {
        OpenLine: desk.open,
        SetLimit: desk.set_limit,
        Freeze: desk.freeze,
        Unfreeze: desk.unfreeze,
        SetDueDay: desk.set_due_day,
        SetAutoDebit: desk.set_auto_debit,
        CloseLine: desk.close,
        SetCap: desk.set_cap,
        EndTerms: Ending(products).end_terms,
    }


async def open_lines(
    batch: Batch, products: Products, commands: Sequence[OpenLine]
) -> list[Answer | Problem]:
    """Open lines inside another command's batch, as the lane would: an accepted application opens one so."""
    return await _Desk(products).open(batch, commands)


async def set_limits(
    batch: Batch, products: Products, commands: Sequence[SetLimit]
) -> list[Answer | Problem]:
    """Set limits inside another command's batch, as the lane would: a review of limits does."""
    return await _Desk(products).set_limit(batch, commands)


async def freeze_lines(
    batch: Batch, products: Products, commands: Sequence[Freeze]
) -> list[Answer | Problem]:
    """Freeze lines inside another command's batch, as the lane would: a consent that is withdrawn does."""
    return await _Desk(products).freeze(batch, commands)


async def set_caps(batch: Batch, products: Products, commands: Sequence[SetCap]) -> list[Answer | Problem]:
    """Set people's caps inside another command's batch, as the lane would: an application does."""
    return await _Desk(products).set_cap(batch, commands)


C = TypeVar("C", bound=LineCommand)


class _Loaded(Struct, frozen=True):
    """One line with all that a change is decided from.

    over  what of the line's times was over when it was loaded: its row does not say so yet
    """

    debt: Debt
    state: LineState
    product: Product
    due_day_changes: int
    over: tuple[Change, ...] = ()

    @property
    def line(self) -> Line:
        return self.debt.line

    def after(self, change: Change) -> "_Loaded":
        """The line as the next command of its batch finds it."""
        return replace(
            self,
            debt=replace(self.debt, line=change.line),
            state=replace(self.state, line=change.line),
            due_day_changes=self.due_day_changes + (change.kind is ChangeKind.DUE_DAY_SET),
        )


class _Held:
    """The lines that people hold, closed ones left out, as the commands of a batch find and leave them."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self._lines = {line.id: line for line in lines if line.status is not LineStatus.CLOSED}

    @classmethod
    async def load(cls, batch: Batch, people: Collection[UUID]) -> "_Held":
        return cls(await store.load_lines_of_people(batch.db, batch.bucket, people))

    def keep(self, line: Line) -> None:
        """Note a line that was opened or changed."""
        self._lines[line.id] = line

    def count(self, person_id: UUID, product: str) -> int:
        """How many lines of a product a person holds."""
        return sum(line.person_id == person_id and line.product == product for line in self._lines.values())

    def others_minor(self, person_id: UUID, line_id: UUID, on: date) -> int:
        """What the person's lines give together on a date, one of them left out."""
        own = (line for line in self._lines.values() if line.person_id == person_id and line.id != line_id)
        return rules.given_minor(own, on)


class _Desk:
    """Handlers over the products. It keeps nothing between batches."""

    def __init__(
        self, products: Products, sources: Sources = OWN_SOURCES, person_max_minor: int | None = None
    ) -> None:
        self.products = products
        self.sources = sources
        self.person_max_minor = person_max_minor

    async def open(self, batch: Batch, commands: Sequence[OpenLine]) -> list[Answer | Problem]:
        """Open lines. How many of a product that are not closed a person may hold, the product says."""
        held = await _Held.load(batch, {command.person_id for command in commands})
        opened: dict[int, Line] = {}
        problems: dict[int, Problem] = {}
        for n, command in enumerate(commands):
            outcome = self._opened(batch, command, held)
            if isinstance(outcome, Problem):
                problems[n] = outcome
            else:
                opened[n] = outcome
                held.keep(outcome)
        if opened:
            await self._keep_opened(batch, {n: (commands[n], line) for n, line in opened.items()})
        answers: list[Answer | Problem] = []
        for n, command in enumerate(commands):
            if n in problems:
                answers.append(problems[n])
                continue
            debt, on = Debt(opened[n]), batch.book.business_date(command.at)
            bodies = await line_bodies(batch, self.products, [debt], on, command.language)
            answers.append(Answer(201, bodies[debt.line.id], debt.line.id))
        return answers

    def _opened(self, batch: Batch, command: OpenLine, held: "_Held") -> Line | Problem:
        on = batch.book.business_date(command.at)
        guard = batch.people.get(command.person_id)
        if guard is None:
            return not_found("person")
        if guard.status is not PersonStatus.ACTIVE:
            return Problem(Code.STATE_CONFLICT, f"This person is {guard.status.value}.")
        product = self.products.current(command.product, on)
        if product is None or product.currency != batch.book.currency:
            return invalid_field("/product", "There is no such product in this book.")
        if (problem := rules.problem_of_range(command.limit_minor, product)) is not None:
            return problem
        if (problem := rules.problem_of_mode(command.mode, product)) is not None:
            return problem
        mode = command.mode or product.modes[0]
        dated_on = command.dated_on or on
        cycle = product.cycle.of(dated_on) if mode is Mode.BILL and product.cycle is not None else None
        if not command.reason.strip():
            return invalid_field("/reason", "A line is opened with a reason.")
        if held.count(command.person_id, product.id) >= product.opening.lines_max:
            return Problem(Code.STATE_CONFLICT, _has_enough(product))
        line_id = batch.ids.new(command.at, slot_of(command.person_id))
        if (problem := self._too_much(held, command.person_id, line_id, command.limit_minor, on)) is not None:
            return problem
        return Line(
            id=line_id,
            person_id=command.person_id,
            product=product.id,
            product_version=product.version,
            currency=product.currency,
            lenders=tuple(
                (lender_id(batch.book.id, share.code), share.share_ppm) for share in product.lenders
            ),
            limit_minor=command.limit_minor,
            status=LineStatus.OPEN,
            bill_day=cycle.day if cycle is not None else None,
            due_day=cycle.due_day if cycle is not None else None,
            due_after_days=cycle.due_after_days if cycle is not None else None,
            opened_on=on,
            tier=command.tier,
        )

    async def _keep_opened(self, batch: Batch, opened: Mapping[int, tuple[OpenLine, Line]]) -> None:
        lines = [line for _, line in opened.values()]
        await store.insert_lines(batch.db, batch.bucket, lines)
        accounts = [
            account
            for line in lines
            for account in ledger.guarded_accounts(ledger.Owner.LINE, line.id, line.currency)
        ]
        await ledger.open_accounts(batch.db, batch.bucket, accounts)
        changes = [
            LineChange(
                id=batch.ids.new(command.at, slot_of(line.id)),
                line_id=line.id,
                kind=ChangeKind.OPENED,
                actor=command.actor,
                actor_id=command.staff_id,
                reason=command.reason,
                limit_minor=line.limit_minor,
                at=command.at,
            )
            for command, line in opened.values()
        ]
        await store.insert_changes(batch.db, batch.bucket, changes, len(batch.journals))
        await _audit(batch, [command.act for command, _ in opened.values()])
        for _, line in opened.values():
            bodies = await line_bodies(batch, self.products, [Debt(line)], line.opened_on, EVENT_LANGUAGE)
            event = Event("line.opened", line.id, bodies[line.id], line.opened_on, line.person_id)
            batch.events.append(event)

    async def set_limit(self, batch: Batch, commands: Sequence[SetLimit]) -> list[Answer | Problem]:
        """Set limits, for good or for a time. What they come to in all binds only where one rises."""
        held = await _Held.load(batch, {id_ for command in commands for id_ in command.people})

        def decide(command: SetLimit, loaded: _Loaded, on: date) -> Change | Problem:
            outcome = _limit_set(command, loaded, on)
            if isinstance(outcome, Problem):
                return outcome
            line, limit_minor = outcome.line, outcome.line.limit_on(on)
            if limit_minor > loaded.line.limit_on(on):
                problem = self._too_much(held, line.person_id, line.id, limit_minor, on)
                if problem is not None:
                    return problem
            held.keep(line)
            return outcome

        return await self._change(batch, commands, decide)

    def _too_much(
        self, held: "_Held", person_id: UUID, line_id: UUID, limit_minor: int, on: date
    ) -> Problem | None:
        """Why a line may not have that limit beside the others of its person."""
        if self.person_max_minor is None:
            return None
        others_minor = held.others_minor(person_id, line_id, on)
        return rules.problem_of_person_max(limit_minor, others_minor, self.person_max_minor)

    async def set_cap(self, batch: Batch, commands: Sequence[SetCap]) -> list[Answer | Problem]:
        """Cap what people's lines together may come to. A cap below what they have taken stops draws, nothing else."""
        known = [command for command in commands if command.person_id in batch.people]
        states: Mapping[UUID, LineState] = {}
        if known:
            at = max(command.at for command in known)
            caps = {command.person_id: command.cap_minor for command in known}
            await store.set_caps(batch.db, batch.bucket, caps, at)
            states = await store.load_states_of_people(batch.db, batch.bucket, list(caps))
            changes = [
                line_change(batch, command, Change(state.line, ChangeKind.CAP_SET, command.cap_minor))
                for command in known
                for state in states.values()
                if state.line.person_id == command.person_id and state.line.status is not LineStatus.CLOSED
            ]
            await store.insert_changes(batch.db, batch.bucket, changes, len(batch.journals))
            await _audit(batch, [command.act for command in known])
        return [
            _answer_of_cap(batch, command, states)
            if command.person_id in batch.people
            else not_found("person")
            for command in commands
        ]

    async def freeze(self, batch: Batch, commands: Sequence[Freeze]) -> list[Answer | Problem]:
        """Freeze lines. Those that need a consent which was withdrawn are frozen for good."""
        stopped = await stopped_lines(batch.db, batch.bucket, {command.line_id for command in commands})

        def decide(command: Freeze, loaded: _Loaded, on: date) -> Change | Problem:
            line, until_on = loaded.line, command.until_on
            problem = rules.problem_of_freeze(
                line, until_on, command.actor, on, stopped=command.line_id in stopped
            )
            if problem is not None:
                return problem
            frozen = rules.frozen(line, until_on)
            if frozen is None:
                return rules.conflict(line, "it cannot be frozen")
            return Change(frozen, ChangeKind.FROZEN, until_on=until_on)

        return await self._change(batch, commands, decide)

    async def unfreeze(self, batch: Batch, commands: Sequence[Unfreeze]) -> list[Answer | Problem]:
        """Unfreeze lines, but those that need a consent which was withdrawn."""
        stopped = await stopped_lines(batch.db, batch.bucket, {command.line_id for command in commands})

        def decide(command: Unfreeze, loaded: _Loaded, on: date) -> Change | Problem:
            if command.line_id in stopped:
                return rules.conflict(loaded.line, rules.STOPPED)
            line = rules.unfrozen(loaded.line, loaded.product, on)
            if line is None:
                return rules.conflict(loaded.line, "there is nothing to unfreeze")
            return Change(line, ChangeKind.UNFROZEN)

        return await self._change(batch, commands, decide)

    async def set_due_day(self, batch: Batch, commands: Sequence[SetDueDay]) -> list[Answer | Problem]:
        """Move due days. A bill that stands keeps its date; the next one has the new day.

        Who asks for the day that the line has, be it again, moves nothing and uses up none of a year's changes. A line
        whose bills are due some days after their date has a due day from then on. Plans by a yearly rate earn between
        due dates: their days move too.
        """
        earning: list[tuple[Move, date]] = []

        def decide(command: SetDueDay, loaded: _Loaded, on: date) -> Change | Line | Problem:
            problem = rules.problem_of_due_day(
                loaded.line,
                command.due_day,
                loaded.product,
                loaded.due_day_changes,
                loaded.debt.billed_minor,
            )
            moved = rules.due_on(loaded.line, command.due_day)
            if problem is not None or moved == loaded.line:
                return problem or moved
            earning.append((Move(loaded.debt, replace(loaded.debt, line=moved)), on))
            return Change(moved, ChangeKind.DUE_DAY_SET, was=loaded.line)

        answers = await self._change(batch, commands, decide)
        for move, on in earning:
            await move_earned(batch, [move], on)
        return answers

    async def set_auto_debit(self, batch: Batch, commands: Sequence[SetAutoDebit]) -> list[Answer | Problem]:
        """Choose what bills are debited from: the person's own sources that money may leave."""
        sources = {text: self.sources.parse(text) for command in commands for text in command.sources}
        held = await self.sources.load(batch, sources.values())

        def decide(command: SetAutoDebit, loaded: _Loaded, on: date) -> Change | Problem:  # noqa: ARG001
            if loaded.line.status is LineStatus.CLOSED:
                return rules.conflict(loaded.line, "nothing is debited for it")
            guard = batch.people[loaded.line.person_id]
            for text in command.sources:
                if (problem := self.sources.problem(sources[text], guard, held)) is not None:
                    return problem
            chosen = tuple(dict.fromkeys(command.sources))
            return Change(replace(loaded.line, auto_debit=chosen), ChangeKind.AUTO_DEBIT_SET)

        return await self._change(batch, commands, decide)

    async def close(self, batch: Batch, commands: Sequence[CloseLine]) -> list[Answer | Problem]:
        """Close lines, or let them wait to be closed. What stands in the person's favour goes to the wallet."""
        waits = await lines_pending(batch.db, batch.bucket, {command.line_id for command in commands})

        def decide(command: CloseLine, loaded: _Loaded, on: date) -> Change | Problem:
            line, state = loaded.line, loaded.state
            if line.status is LineStatus.CLOSED:
                return rules.conflict(line, "it is closed already")
            if rules.may_close(state, owed(loaded.debt, Target.ALL, on), waits=command.line_id in waits):
                return Change(rules.closed(line), ChangeKind.CLOSED)
            if line.status is LineStatus.CLOSING:
                return rules.conflict(line, "something is still owed, held or on its way")
            return Change(rules.closing(line, state.taken_minor), ChangeKind.CLOSING)

        return await self._change(batch, commands, decide)

    async def _change(
        self,
        batch: Batch,
        commands: Sequence[C],
        decide: Callable[[C, _Loaded, date], Change | Line | Problem],
    ) -> list[Answer | Problem]:
        """Decide changes of lines one after the other, then keep and tell them.

        decide  gives the line itself where it is already as it is to be: then nothing is kept or told
        """
        loaded = await self._load(batch, commands)
        outcomes: list[Change | Line | Problem] = []
        for command in commands:
            one = loaded.get(command.line_id)
            if one is None or one.line.person_id not in batch.people:
                outcomes.append(not_found("line"))
                continue
            outcome = decide(command, one, batch.book.business_date(command.at))
            if isinstance(outcome, Change):
                loaded[command.line_id] = one.after(outcome)
            outcomes.append(outcome)
        changed = [
            (command, outcome)
            for command, outcome in zip(commands, outcomes, strict=True)
            if isinstance(outcome, Change)
        ]
        if changed:
            await self._keep_changed(batch, changed, loaded)
        return [
            outcome if isinstance(outcome, Problem) else await self._answer(batch, command, outcome, loaded)
            for command, outcome in zip(commands, outcomes, strict=True)
        ]

    async def _load(self, batch: Batch, commands: Sequence[LineCommand]) -> dict[UUID, _Loaded]:
        ids = {command.line_id for command in commands}
        states = await store.load_states(batch.db, batch.bucket, ids)
        lines = {id_: state.line for id_, state in states.items()}
        debts = await load_debts(batch.db, batch.bucket, lines)
        at = max(command.at for command in commands)
        since = at - timedelta(days=365)
        moved = await store.count_changes(batch.db, batch.bucket, ids, ChangeKind.DUE_DAY_SET, since)
        on = batch.book.business_date(at)
        loaded = {}
        for id_, line in lines.items():
            product = self.products.version(line.product, line.product_version, line.tier)
            state = states[id_]
            over = tuple(over_by(state, product, on))
            now = over[-1].line if over else line
            debt = replace(brought_up(debts[id_], product, on), line=now)
            loaded[id_] = _Loaded(debt, replace(state, line=now), product, moved.get(id_, 0), over)
        return loaded

    async def _keep_changed(
        self,
        batch: Batch,
        changed: Sequence[tuple[LineCommand, Change]],
        loaded: Mapping[UUID, _Loaded],
    ) -> None:
        latest = {change.line.id: change.line for _, change in changed}
        at = {change.line.id: command.at for command, change in reversed(changed)}
        await store.update_lines(batch.db, batch.bucket, list(latest.values()))
        done: list[tuple[Said, Change]] = [
            (BySystem(at=at[id_]), change) for id_ in latest for change in loaded[id_].over
        ]
        done += changed
        changes = [line_change(batch, said, change) for said, change in done]
        await store.insert_changes(batch.db, batch.bucket, changes, len(batch.journals))
        await _audit(batch, [command.act for command, _ in changed])
        for said, change in done:
            on = batch.book.business_date(said.at)
            if change.kind is ChangeKind.CLOSED:
                await pay_out(batch, [change.line], on)
            told = told_of(change)
            if told is not None:
                body = await self._body(batch, change.line, loaded, on, EVENT_LANGUAGE)
                batch.events.append(Event(told, change.line.id, body, on, change.line.person_id))

    async def _answer(
        self, batch: Batch, command: LineCommand, outcome: Change | Line, loaded: Mapping[UUID, _Loaded]
    ) -> Answer:
        on = batch.book.business_date(command.at)
        line = outcome.line if isinstance(outcome, Change) else outcome
        body = await self._body(batch, line, loaded, on, command.language)
        return Answer(200, body, command.line_id)

    async def _body(
        self, batch: Batch, line: Line, loaded: Mapping[UUID, _Loaded], on: date, language: str
    ) -> bytes:
        """The line as one command left it: others of the batch may have come after."""
        debt = replace(loaded[line.id].debt, line=line)
        return (await line_bodies(batch, self.products, [debt], on, language))[line.id]


def _limit_set(command: SetLimit, loaded: _Loaded, on: date) -> Change | Problem:
    """A line with the limit that is asked for, as far as its product and who asks allow it."""
    line, product, limit_minor, until_on = loaded.line, loaded.product, command.limit_minor, command.until_on
    if until_on is not None:
        problem = rules.problem_of_raise(line, limit_minor, until_on, command.actor, product, on)
        raised = rules.raised(loaded.state, limit_minor, until_on, on)
        return problem or Change(raised, ChangeKind.RAISED, limit_minor, until_on)
    problem = rules.problem_of_limit(line, limit_minor, command.actor, product)
    limited = rules.limited(loaded.state, limit_minor, command.actor, product, on)
    return problem or Change(limited, ChangeKind.LIMIT_SET)


def _answer_of_cap(batch: Batch, command: SetCap, states: Mapping[UUID, LineState]) -> Answer:
    own = [state for state in states.values() if state.line.person_id == command.person_id]
    view = view_cap(command.person_id, command.cap_minor, own, batch.book.currency)
    return Answer(200, msgspec.json.encode(view), command.person_id)


def _has_enough(product: Product) -> str:
    most = product.opening.lines_max
    if most == 1:
        return "This person has a line of this product already."
    return f"This person has {most} lines of this product already, which is as many as it allows."


async def _audit(batch: Batch, acts: Sequence[Act | None]) -> None:
    await audit(batch.db, batch.book, batch.ids, [act for act in acts if act is not None])
