"""What can be asked of lines: open, set the limit, freeze, unfreeze, set the due day, close. All through the lane."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import TypeVar
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from wufeng import ledger
from wufeng.base.claims import Answer
from wufeng.base.errors import Code, Problem, invalid_field, not_found
from wufeng.base.events import Event
from wufeng.base.ids import slot_of
from wufeng.base.lanes import Batch, Command, Handler
from wufeng.credit.debts.commands import EVENT_LANGUAGE, line_bodies, load_amounts
from wufeng.credit.debts.store import load_debts
from wufeng.credit.lines import rules, store
from wufeng.credit.lines.model import Actor, ChangeKind, Line, LineChange, LineState, LineStatus
from wufeng.credit.products.commands import Products
from wufeng.credit.products.model import Product
from wufeng.credit.repayments.model import Debt, SourceKind
from wufeng.credit.repayments.rules import brought_up, problem_of_source, source_of
from wufeng.identity import audit
from wufeng.identity.audit.model import Act
from wufeng.identity.bank_accounts.queries import bank_account_states
from wufeng.identity.people.model import PersonStatus
from wufeng.ledger import Cause
from wufeng.ledger.rules import credit_balance_to_wallet
from wufeng.lenders.model import lender_id

EVENTS = {
    LineStatus.FROZEN: "line.frozen",
    LineStatus.SUSPENDED: "line.suspended",
    LineStatus.CLOSED: "line.closed",
}


class OpenLine(Command, frozen=True, kw_only=True):
    """Open a line; its person is the command's only one. `staff_id` answers for it, with a reason.

    act  for the audit
    """

    person_id: UUID
    product: str
    limit_minor: int
    staff_id: UUID
    reason: str
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
    """Set the limit: a person lowers it, also below what is used; staff keep to the product's range."""

    limit_minor: int


class Freeze(LineCommand, frozen=True, kw_only=True):
    """Stop draws. Repayments go on."""


class Unfreeze(LineCommand, frozen=True, kw_only=True):
    """Let a frozen line be drawn on again, as far as its arrears allow."""


class SetDueDay(LineCommand, frozen=True, kw_only=True):
    """Move the due day to one that the product allows."""

    due_day: int


class SetAutoDebit(LineCommand, frozen=True, kw_only=True):
    """Have bills debited when they are due, from these sources in their order (wal_…, bka_…); none: no more."""

    sources: tuple[str, ...]


class CloseLine(LineCommand, frozen=True, kw_only=True):
    """Close a line: at once when nothing is owed or held, else as soon as that is so. A credit balance is paid out."""


def handlers(products: Products) -> dict[type[Command], Handler]:
    """The lane handlers of lines."""
    desk = _Desk(products)
    return {
        OpenLine: desk.open,
        SetLimit: desk.set_limit,
        Freeze: desk.freeze,
        Unfreeze: desk.unfreeze,
        SetDueDay: desk.set_due_day,
        SetAutoDebit: desk.set_auto_debit,
        CloseLine: desk.close,
    }


C = TypeVar("C", bound=LineCommand)


class _Loaded(Struct, frozen=True):
    """One line with all that a change is decided from."""

    debt: Debt
    state: LineState
    product: Product
    due_day_changes: int

    @property
    def line(self) -> Line:
        return self.debt.line


class _Change(Struct, frozen=True):
    """A line after a change, and what the change was."""

    line: Line
    kind: ChangeKind


class _Desk:
    """Handlers over the products. It keeps nothing between batches."""

    def __init__(self, products: Products) -> None:
        self.products = products

    async def open(self, batch: Batch, commands: Sequence[OpenLine]) -> list[Answer | Problem]:
        """Open lines. A person has at most one line of a product that is not closed."""
        people = {command.person_id for command in commands}
        taken = {
            (line.person_id, line.product)
            for line in await store.load_lines_of_people(batch.db, batch.bucket, people)
            if line.status is not LineStatus.CLOSED
        }
        opened: dict[int, Line] = {}
        problems: dict[int, Problem] = {}
        for n, command in enumerate(commands):
            outcome = self._opened(batch, command, taken)
            if isinstance(outcome, Problem):
                problems[n] = outcome
            else:
                opened[n] = outcome
                taken.add((outcome.person_id, outcome.product))
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

    def _opened(self, batch: Batch, command: OpenLine, taken: set[tuple[UUID, str]]) -> Line | Problem:
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
        if not command.reason.strip():
            return invalid_field("/reason", "A line is opened with a reason.")
        if (command.person_id, product.id) in taken:
            return Problem(Code.STATE_CONFLICT, "This person has a line of this product already.")
        return Line(
            id=batch.ids.new(command.at, slot_of(command.person_id)),
            person_id=command.person_id,
            product=product.id,
            product_version=product.version,
            currency=product.currency,
            lenders=tuple(
                (lender_id(batch.book.id, share.code), share.share_ppm) for share in product.lenders
            ),
            limit_minor=command.limit_minor,
            status=LineStatus.OPEN,
            bill_day=product.cycle.bill_day,
            due_day=product.cycle.due_day,
            opened_on=on,
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
                actor=Actor.STAFF,
                actor_id=command.staff_id,
                reason=command.reason,
                limit_minor=line.limit_minor,
                at=command.at,
            )
            for command, line in opened.values()
        ]
        await store.insert_changes(batch.db, batch.bucket, changes)
        await _audit(batch, [command.act for command, _ in opened.values()])
        for _, line in opened.values():
            bodies = await line_bodies(batch, self.products, [Debt(line)], line.opened_on, EVENT_LANGUAGE)
            event = Event("line.opened", line.id, bodies[line.id], line.opened_on, line.person_id)
            batch.events.append(event)

    async def set_limit(self, batch: Batch, commands: Sequence[SetLimit]) -> list[Answer | Problem]:
        """Set limits."""

        def decide(command: SetLimit, loaded: _Loaded, on: date) -> _Change | Problem:  # noqa: ARG001
            line, limit_minor = loaded.line, command.limit_minor
            problem = rules.problem_of_limit(line, limit_minor, command.actor, loaded.product)
            return problem or _Change(replace(line, limit_minor=limit_minor), ChangeKind.LIMIT_SET)

        return await self._change(batch, commands, decide)

    async def freeze(self, batch: Batch, commands: Sequence[Freeze]) -> list[Answer | Problem]:
        """Freeze lines."""

        def decide(command: Freeze, loaded: _Loaded, on: date) -> _Change | Problem:  # noqa: ARG001
            line = rules.frozen(loaded.line)
            if line is None:
                return rules.conflict(loaded.line, "it cannot be frozen")
            return _Change(line, ChangeKind.FROZEN)

        return await self._change(batch, commands, decide)

    async def unfreeze(self, batch: Batch, commands: Sequence[Unfreeze]) -> list[Answer | Problem]:
        """Unfreeze lines."""

        def decide(command: Unfreeze, loaded: _Loaded, on: date) -> _Change | Problem:  # noqa: ARG001
            line = rules.unfrozen(loaded.line, loaded.product, on)
            if line is None:
                return rules.conflict(loaded.line, "there is nothing to unfreeze")
            return _Change(line, ChangeKind.UNFROZEN)

        return await self._change(batch, commands, decide)

    async def set_due_day(self, batch: Batch, commands: Sequence[SetDueDay]) -> list[Answer | Problem]:
        """Move due days. A bill that stands keeps its date; the next one has the new day."""

        def decide(command: SetDueDay, loaded: _Loaded, on: date) -> _Change | Problem:  # noqa: ARG001
            problem = rules.problem_of_due_day(
                loaded.line,
                command.due_day,
                loaded.product,
                loaded.due_day_changes,
                loaded.debt.billed_minor,
            )
            moved = replace(loaded.line, due_day=command.due_day)
            return problem or _Change(moved, ChangeKind.DUE_DAY_SET)

        return await self._change(batch, commands, decide)

    async def set_auto_debit(self, batch: Batch, commands: Sequence[SetAutoDebit]) -> list[Answer | Problem]:
        """Choose what bills are debited from: the person's own wallet and verified bank accounts."""
        sources = {text: source_of(text) for command in commands for text in command.sources}
        ids = {one.id for one in sources.values() if one.id and one.kind is SourceKind.BANK_ACCOUNT}
        accounts = await bank_account_states(batch.db, batch.bucket, ids) if ids else {}

        def decide(command: SetAutoDebit, loaded: _Loaded, on: date) -> _Change | Problem:  # noqa: ARG001
            if loaded.line.status is LineStatus.CLOSED:
                return rules.conflict(loaded.line, "nothing is debited for it")
            guard = batch.people[loaded.line.person_id]
            for text in command.sources:
                source = sources[text]
                account = accounts.get(source.id) if source.id else None
                if (problem := problem_of_source(source, guard, account)) is not None:
                    return problem
            chosen = tuple(dict.fromkeys(command.sources))
            return _Change(replace(loaded.line, auto_debit=chosen), ChangeKind.AUTO_DEBIT_SET)

        return await self._change(batch, commands, decide)

    async def close(self, batch: Batch, commands: Sequence[CloseLine]) -> list[Answer | Problem]:
        """Close lines, or let them wait to be closed. What stands in the person's favour goes to the wallet."""

        def decide(command: CloseLine, loaded: _Loaded, on: date) -> _Change | Problem:  # noqa: ARG001
            line = loaded.line
            if line.status is LineStatus.CLOSED:
                return rules.conflict(line, "it is closed already")
            if rules.may_close(loaded.state, loaded.debt.billed_minor):
                closed = replace(line, status=LineStatus.CLOSED, next_bill_on=None, suspend_on=None)
                return _Change(closed, ChangeKind.CLOSED)
            if line.status is LineStatus.CLOSING:
                return rules.conflict(line, "something is still owed or held")
            closing = replace(line, status=LineStatus.CLOSING, suspend_on=None)
            return _Change(closing, ChangeKind.CLOSING)

        return await self._change(batch, commands, decide)

    async def _change(
        self,
        batch: Batch,
        commands: Sequence[C],
        decide: Callable[[C, _Loaded, date], _Change | Problem],
    ) -> list[Answer | Problem]:
        """Decide changes of lines one after the other, then keep and tell them."""
        loaded = await self._load(batch, commands)
        outcomes: list[_Change | Problem] = []
        for command in commands:
            one = loaded.get(command.line_id)
            if one is None or one.line.person_id not in batch.people:
                outcomes.append(not_found("line"))
                continue
            outcome = decide(command, one, batch.book.business_date(command.at))
            if isinstance(outcome, _Change):
                debt = replace(one.debt, line=outcome.line)
                state = replace(one.state, line=outcome.line)
                loaded[command.line_id] = replace(one, debt=debt, state=state)
            outcomes.append(outcome)
        changed = [
            (command, outcome)
            for command, outcome in zip(commands, outcomes, strict=True)
            if isinstance(outcome, _Change)
        ]
        if changed:
            await self._keep_changed(batch, changed, loaded)
        return [
            outcome if isinstance(outcome, Problem) else await self._answer(batch, command, loaded)
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
            product = self.products.version(line.product, line.product_version)
            debt = replace(brought_up(debts[id_], product, on), line=line)
            loaded[id_] = _Loaded(debt, states[id_], product, moved.get(id_, 0))
        return loaded

    async def _keep_changed(
        self,
        batch: Batch,
        changed: Sequence[tuple[LineCommand, _Change]],
        loaded: Mapping[UUID, _Loaded],
    ) -> None:
        latest = {change.line.id: change.line for _, change in changed}
        await store.update_lines(batch.db, batch.bucket, list(latest.values()))
        await store.insert_changes(
            batch.db,
            batch.bucket,
            [
                LineChange(
                    id=batch.ids.new(command.at, slot_of(change.line.id)),
                    line_id=change.line.id,
                    kind=change.kind,
                    actor=command.actor,
                    actor_id=command.actor_id,
                    reason=command.reason,
                    limit_minor=change.line.limit_minor,
                    at=command.at,
                )
                for command, change in changed
            ],
        )
        await _audit(batch, [command.act for command, _ in changed])
        await self._pay_out(batch, [pair for pair in changed if pair[1].kind is ChangeKind.CLOSED])
        for command, change in changed:
            line, on = change.line, batch.book.business_date(command.at)
            told = change.kind in (ChangeKind.FROZEN, ChangeKind.CLOSED, ChangeKind.UNFROZEN)
            if told and line.status in EVENTS:
                debt = replace(loaded[line.id].debt, line=line)
                body = (await line_bodies(batch, self.products, [debt], on))[line.id]
                batch.events.append(Event(EVENTS[line.status], line.id, body, on, line.person_id))

    async def _pay_out(self, batch: Batch, closed: Sequence[tuple[LineCommand, _Change]]) -> None:
        if not closed:
            return
        amounts = await load_amounts(batch.db, batch.bucket, [change.line.id for _, change in closed])
        journals = []
        for command, change in closed:
            line = change.line
            amount_minor = amounts[line.id].credit_balance_minor
            if amount_minor:
                on = batch.book.business_date(command.at)
                cause = Cause(line.id, line.currency, on, batch.book.id)
                wallet_id = batch.people[line.person_id].wallet_id
                journals.append(credit_balance_to_wallet(cause, line.id, wallet_id, amount_minor))
        await ledger.post(batch, journals)

    async def _answer(self, batch: Batch, command: LineCommand, loaded: Mapping[UUID, _Loaded]) -> Answer:
        on = batch.book.business_date(command.at)
        debt = loaded[command.line_id].debt
        bodies = await line_bodies(batch, self.products, [debt], on, command.language)
        return Answer(200, bodies[command.line_id], command.line_id)


async def _audit(batch: Batch, acts: Sequence[Act | None]) -> None:
    await audit(batch.db, batch.book, batch.ids, [act for act in acts if act is not None])
