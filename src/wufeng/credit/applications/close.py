"""Applications and the day close: offers that nobody accepted lapse, and lines are reviewed on their bill day.

A review decides a line again by the policy that opens lines. A cut takes effect, with its reasons; a raise is offered,
as an application to be signed like the first: nobody owes more than they signed for.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec
from msgspec.structs import replace

from wufeng.base.claims import Answer
from wufeng.base.database import Connection
from wufeng.base.errors import Problem
from wufeng.base.ids import slot_of
from wufeng.base.lanes import Batch, Command, Handler
from wufeng.credit.applications import rules, store
from wufeng.credit.applications.assessing import Asked, inputs_of
from wufeng.credit.applications.commands import Desk
from wufeng.credit.applications.model import (
    Application,
    ApplicationKind,
    ApplicationPolicy,
    ApplicationStatus,
    Bound,
    Declared,
    Facts,
    Inputs,
    LimitStep,
    LineReview,
    Offered,
    ReviewOutcome,
)
from wufeng.credit.close.chunks import Due, send_all
from wufeng.credit.close.model import CloseStep, DayClose, StepResult
from wufeng.credit.close.store import record_rows
from wufeng.credit.draws.rules import calendar_of
from wufeng.credit.lines import store as lines
from wufeng.credit.lines.model import Line, LineState, LineStatus
from wufeng.credit.products.commands import Products

LAPSES, REVIEWS = "application_lapses", "line_reviews"

CHUNK = 50
"""Applications that one command handles: small enough that payments behind it hardly notice."""

Gather = Callable[[Connection, int, Collection[UUID], datetime, int], Awaitable[Mapping[UUID, Facts]]]
"""How facts about people are come by, above credit: (db, bucket, people, at, days) -> facts by person."""


class LapseApplications(Command, frozen=True, kw_only=True):
    """Applications whose time has run out end; their people are the command's."""

    closed_on: date
    applications: tuple[UUID, ...]


class ReviewLines(Command, frozen=True, kw_only=True):
    """Lines of accepted applications are reviewed; `facts` are of their people, who are the command's."""

    closed_on: date
    applications: tuple[UUID, ...]
    facts: Mapping[UUID, Facts]

    @property
    def on(self) -> date:
        """The date that begins."""
        return self.closed_on + timedelta(days=1)


def handlers(products: Products, policy: ApplicationPolicy) -> dict[type[Command], Handler]:
    """The lane handlers of the day close's steps for applications."""
    desk = _CloseDesk(products, policy)
    return {LapseApplications: desk.lapse, ReviewLines: desk.review}


def close_steps(policy: ApplicationPolicy, gather: Gather) -> list[CloseStep]:
    """The steps of this noun: after credit's own, so that a bill day's bill is issued before its line is reviewed."""

    async def lapses(close: DayClose) -> StepResult:
        async def find(db: Connection, at_most: int) -> Due:
            return await store.applications_to_lapse(db, close.bucket, close.at, at_most)

        async def make(due: Due) -> Command:
            return LapseApplications(
                at=close.at,
                people=tuple(sorted(set(due.values()))),
                closed_on=close.closed_on,
                applications=tuple(due),
            )

        return await send_all(close, "application", find, make, CHUNK)

    async def reviews(close: DayClose) -> StepResult:
        async def find(db: Connection, at_most: int) -> Due:
            return await store.applications_to_review(db, close.bucket, close.on, at_most)

        async def make(due: Due) -> Command:
            people = sorted(set(due.values()))
            async with close.lanes.database.read() as db:
                facts = await gather(db, close.bucket, people, close.at, policy.admission.history_days)
            return ReviewLines(
                at=close.at,
                people=tuple(people),
                closed_on=close.closed_on,
                applications=tuple(due),
                facts=facts,
            )

        return await send_all(close, "application", find, make, CHUNK)

    return [CloseStep(LAPSES, lapses), CloseStep(REVIEWS, reviews)]


class _CloseDesk:
    def __init__(self, products: Products, policy: ApplicationPolicy) -> None:
        self.products = products
        self.policy = policy
        self.desk = Desk(products, policy)

    async def lapse(self, batch: Batch, commands: Sequence[LapseApplications]) -> list[Answer | Problem]:
        """End what nobody accepted or decided in time."""
        answers: list[Answer | Problem] = []
        for command in commands:
            over = await store.lapse(batch.db, batch.bucket, command.applications, command.at)
            answers.append(await _done(batch, command.closed_on, LAPSES, len(over), command.at))
        return answers

    async def review(self, batch: Batch, commands: Sequence[ReviewLines]) -> list[Answer | Problem]:
        """Review lines, each by the facts that were gathered for its person."""
        answers: list[Answer | Problem] = []
        for command in commands:
            found = await store.load_applications(batch.db, batch.bucket, command.applications)
            ids = {one.line_id for one in found.values() if one.line_id is not None}
            states = await lines.load_states(batch.db, batch.bucket, ids)
            rows = 0
            for one in found.values():
                due = one.review_on is not None and one.review_on <= command.on
                if due and one.line_id is not None and one.person_id in batch.people:
                    rows += await self._review(batch, command, one, states[one.line_id])
            answers.append(await _done(batch, command.closed_on, REVIEWS, rows, command.at))
        return answers

    async def _review(self, batch: Batch, command: ReviewLines, found: Application, state: LineState) -> int:
        """Review one line; 1 if it was. One that is stopped waits for its next month, a closed one is left alone."""
        line, next_on = state.line, rules.next_review_on(command.on, state.line.bill_day)
        closed = line.status in (LineStatus.CLOSED, LineStatus.CLOSING)
        await store.set_review(batch.db, batch.bucket, found.id, None if closed else next_on)
        if line.status is not LineStatus.OPEN:
            return 0
        product = self.products.version(line.product, line.product_version, line.tier)
        whole = await self._inputs(batch, command, found)
        inputs = rules.standing(whole, found.inputs)
        decision, new = (rules.decide_review(one, self.policy, product) for one in (inputs, whole))
        by_staff = rules.by_staff(found.decision)
        outcome, limit_minor = rules.reviewed(
            decision,
            new,
            line.limit_minor,
            state.used_minor,
            line.opened_on,
            command.on,
            self.policy,
            product,
            admitted=not rules.refusals(whole, self.policy, product),
            before=rules.decide_review(found.inputs, self.policy, product) if by_staff else None,
        )
        if outcome is ReviewOutcome.OFFERED:
            inputs, decision = whole, new
        offer_id = None
        if outcome is ReviewOutcome.LOWERED:
            await self._lower(batch, command, found, decision.reasons, limit_minor)
        elif outcome is ReviewOutcome.OFFERED:
            assert isinstance(decision, Offered), "only an offer raises"
            own = replace(decision, tier=line.tier)  # what was signed stays: a raise changes no price
            offer_id = await self._offer_raise(batch, command, found, line, inputs, own, limit_minor)
            outcome = outcome if offer_id is not None else ReviewOutcome.KEPT
        review = LineReview(
            id=batch.ids.new(command.at, slot_of(line.id)),
            line_id=line.id,
            reviewed_on=command.on,
            outcome=outcome,
            policy=self.policy.name,
            inputs=inputs,
            decision=decision,
            before_minor=line.limit_minor,
            limit_minor=limit_minor if outcome is ReviewOutcome.LOWERED else line.limit_minor,
            application_id=offer_id,
            at=command.at,
        )
        await store.insert_review(batch.db, batch.bucket, review)
        return 1

    async def _inputs(self, batch: Batch, command: ReviewLines, found: Application) -> Inputs:
        """What a review looks at: the person as they are now, and what they declared when they applied."""
        before = found.inputs
        declared = Declared(
            before.income_month_minor, before.lines_elsewhere, before.repayments_elsewhere_month_minor
        )
        asked = Asked(
            guard=batch.people[found.person_id],
            age_years=before.age_years,
            facts=command.facts.get(found.person_id, Facts()),
            declared=declared,
            line_id=found.line_id,
        )
        return await inputs_of(batch, asked, self.policy, command.at)

    async def _lower(
        self,
        batch: Batch,
        command: ReviewLines,
        found: Application,
        reasons: Sequence[str],
        limit_minor: int,
    ) -> None:
        reason = f"review of {command.on}: {', '.join(reasons)}"
        outcome = await self.desk.set_limit(batch, found, limit_minor, reason, command.at)
        assert not isinstance(outcome, Problem), (
            "an open line's limit can be lowered to what its product gives"
        )

    async def _offer_raise(
        self,
        batch: Batch,
        command: ReviewLines,
        found: Application,
        line: Line,
        inputs: Inputs,
        decision: Offered,
        limit_minor: int,
    ) -> UUID | None:
        """Offer a higher limit, as an application; None when one is offered already, or the product no more.

        Its papers say what the line's next draws cost, which go by the version in force, and what its bills do, which
        go by its own.
        """
        current = self.products.current(line.product, command.on)
        under_way = await store.load_open(
            batch.db, batch.bucket, found.person_id, found.product, ApplicationKind.RAISE, found.line_id
        )
        if under_way is not None or current is None or current.version < line.product_version:
            return None
        versions = self.products.of_line(line.product, line.product_version, line.tier)
        product = versions.drawn_by(current.version)
        steps = decision.steps
        if limit_minor < decision.limit_minor:
            steps = (*steps, LimitStep(Bound.RAISE_MAX, limit_minor))
        raised = replace(decision, limit_minor=limit_minor, steps=steps)
        offer = Application(
            id=batch.ids.new(command.at, slot_of(found.person_id)),
            person_id=found.person_id,
            kind=ApplicationKind.RAISE,
            product=product.id,
            product_version=product.version,
            currency=product.currency,
            status=ApplicationStatus.CHECKING,
            policy=self.policy.name,
            inputs=inputs,
            decision=raised,
            limit_minor=None,
            consents=found.consents,
            line_id=found.line_id,
            mode=found.mode,
            created_at=command.at,
            decided_at=command.at,
        )
        calendar = calendar_of(line, versions.contract)
        decided = self.desk.decided(offer, raised, product, command.at, command.on, calendar=calendar)
        await self.desk.keep_new(batch, decided, command.on)
        return decided.id


async def _done(batch: Batch, closed_on: date, step: str, rows: int, at: datetime) -> Answer:
    await record_rows(batch.db, batch.bucket, closed_on, step, rows, at)
    return Answer(200, msgspec.json.encode(rows))
