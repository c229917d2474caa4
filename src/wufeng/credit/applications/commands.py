"""What can be asked of applications: apply, accept, decide what was referred; and what the day close does with them.

All through the lane, under the lock of the person: a person has one application of a product under way, and a sheet
is accepted once.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec
from msgspec.structs import replace

from wufeng.base.claims import Answer
from wufeng.base.errors import Code, Problem, invalid_field, not_found
from wufeng.base.events import Event
from wufeng.base.ids import Prefix, encode
from wufeng.base.lanes import Batch, Command, Handler
from wufeng.credit.applications import rules, store
from wufeng.credit.applications.assessing import Asked, asked_again, inputs_of
from wufeng.credit.applications.model import (
    Application,
    ApplicationKind,
    ApplicationPolicy,
    ApplicationReason,
    ApplicationStatus,
    Bound,
    Consent,
    Decision,
    Declared,
    Declined,
    Facts,
    Inputs,
    LimitStep,
    Offered,
    Purchase,
    Raised,
    Referred,
)
from wufeng.credit.applications.papers import papers_of, read_sheet, says_still, signing_of
from wufeng.credit.applications.views import view_application
from wufeng.credit.consents.store import insert_withdrawal
from wufeng.credit.debts.commands import EVENT_LANGUAGE
from wufeng.credit.lines import store as lines
from wufeng.credit.lines.commands import Freeze, OpenLine, SetLimit, freeze_lines, open_lines, set_limits
from wufeng.credit.lines.model import Actor, LineStatus
from wufeng.credit.lines.rules import LIVING, problem_of_mode, thawed
from wufeng.credit.products.commands import Products
from wufeng.credit.products.dates import Dates
from wufeng.credit.products.model import Cycle, Mode, Product
from wufeng.identity import audit
from wufeng.identity.audit.model import Act
from wufeng.identity.people.model import PersonStatus

CONSENT_WITHDRAWN = "consent.withdrawn"

EVENTS = {
    ApplicationStatus.OFFERED: "application.offered",
    ApplicationStatus.DECLINED: "application.declined",
    ApplicationStatus.ACCEPTED: "application.accepted",
}


class Apply(Command, frozen=True, kw_only=True):
    """Apply for a line; the command's only person is the one who applies. Comes back to the one under way.

    age_years, facts  as they were read at the edge: credit reads neither documents nor payments
    purchase          the order it is made for
    mode              of those that the product has; None: its first
    """

    application_id: UUID
    person_id: UUID
    product: str
    consents: tuple[Consent, ...]
    declared: Declared
    age_years: int
    facts: Facts
    purchase: Purchase | None = None
    mode: Mode | None = None
    language: str = "zh"


class AcceptApplication(Command, frozen=True, kw_only=True):
    """Sign an offer: the person's proof was checked at the edge, and is bound to the sheet by its hash.

    bank_accounts  verified ones of theirs now, as they were read at the edge
    """

    application_id: UUID
    person_id: UUID
    sheet_hash: str
    confirmed_by: str
    bank_accounts: int
    language: str = "zh"


class DecideReferred(Command, frozen=True, kw_only=True):
    """A member of staff decides a referred application; its person is the command's only one. None declines it.

    purchase  the order that it was made for, if it waits to be paid still
    """

    application_id: UUID
    limit_minor: int | None
    purchase: Purchase | None = None
    act: Act | None = None
    language: str = "zh"


class WithdrawConsent(Command, frozen=True, kw_only=True):
    """The person takes a consent of an application back, at any time and for good."""

    application_id: UUID
    person_id: UUID
    purpose: str
    language: str = "zh"


class ReferApplication(Command, frozen=True, kw_only=True):
    """The person asks that a person looks at their declined application."""

    application_id: UUID
    person_id: UUID
    language: str = "zh"


def handlers(products: Products, policy: ApplicationPolicy) -> dict[type[Command], Handler]:
    """The lane handlers of applications, but those of the day close."""
    desk = Desk(products, policy)
    return {
        Apply: desk.apply,
        AcceptApplication: desk.accept,
        ReferApplication: desk.refer,
        DecideReferred: desk.decide_referred,
        WithdrawConsent: desk.withdraw,
    }


class Desk:
    """Handlers over the products and the policy. One command after the other: applications are rare."""

    def __init__(self, products: Products, policy: ApplicationPolicy) -> None:
        self.products = products
        self.policy = policy

    async def apply(self, batch: Batch, commands: Sequence[Apply]) -> list[Answer | Problem]:
        """Decide applications: 201 with a new one, 200 with the one that is under way."""
        return [await self._apply(batch, command) for command in commands]

    async def accept(self, batch: Batch, commands: Sequence[AcceptApplication]) -> list[Answer | Problem]:
        """Open lines, or raise limits, for offers that were signed."""
        return [await self._accept(batch, command) for command in commands]

    async def refer(self, batch: Batch, commands: Sequence[ReferApplication]) -> list[Answer | Problem]:
        """Leave declined applications to a person, who then offers or declines."""
        return [await self._refer(batch, command) for command in commands]

    async def decide_referred(
        self, batch: Batch, commands: Sequence[DecideReferred]
    ) -> list[Answer | Problem]:
        """Offer or decline what the policy left to a person."""
        return [await self._decide_referred(batch, command) for command in commands]

    async def withdraw(self, batch: Batch, commands: Sequence[WithdrawConsent]) -> list[Answer | Problem]:
        """Take consents back. What was decided and drawn stands; where credit needs the consent, no more is."""
        return [await self._withdraw(batch, command) for command in commands]

    async def _apply(self, batch: Batch, command: Apply) -> Answer | Problem:
        on = batch.book.business_date(command.at)
        guard = batch.people.get(command.person_id)
        if guard is None:
            return not_found("person")
        product = self.products.current(command.product, on)
        if product is None or product.currency != batch.book.currency:
            return invalid_field("/product", "There is no such product in this book.")
        if (problem := problem_of_mode(command.mode, product)) is not None:
            return problem
        if (problem := rules.problem_of_consents(command.consents, self.policy)) is not None:
            return problem
        under_way = await self._under_way(batch, command, product)
        if isinstance(under_way, Problem):
            return under_way
        if under_way is not None:
            return self._answer(under_way, 200, command.language)
        if (problem := await self._problem_of_lines(batch, command.person_id, product)) is not None:
            return problem
        asked = Asked(
            guard=guard, age_years=command.age_years, facts=command.facts, declared=command.declared
        )
        inputs = await inputs_of(batch, asked, self.policy, command.at)
        decision = rules.decide_application(inputs, self.policy, product)
        new = self._applied(command, product, inputs, decision, on)
        await self.keep_new(batch, new, on)
        return self._answer(new, 201, command.language)

    async def _under_way(
        self, batch: Batch, command: Apply, product: Product
    ) -> Application | Problem | None:
        """The person's application under way, if it is what is asked for; one that cannot go on gives way to the new.

        An offer of another order, or in another mode, gives way too, and one whose order has other ways, prices or
        dates by now: its sheet is not of what would be signed. What waits for a person's decision keeps its place.
        """
        found = await store.load_open(
            batch.db, batch.bucket, command.person_id, command.product, ApplicationKind.OPENING
        )
        if found is None:
            return None
        goes_on = not is_over(found, command.at) and rules.may_go_on(found, product, self.policy)
        order_id = command.purchase.order_id if command.purchase else None
        asked = rules.is_of(found, order_id, command.mode, product)
        on = batch.book.business_date(command.at)
        if goes_on and asked and says_still(found, product, command.purchase, on):
            return found
        if goes_on and not asked and found.status is ApplicationStatus.REFERRED:
            return _of_something_else(found)
        await self._lapse(batch, found)
        return None

    async def _lapse(self, batch: Batch, found: Application) -> None:
        """End an application that nothing can come of any more."""
        lapsed = replace(found, status=ApplicationStatus.LAPSED, expires_at=None)
        await store.update_application(batch.db, batch.bucket, lapsed)

    async def _problem_of_lines(self, batch: Batch, person_id: UUID, product: Product) -> Problem | None:
        own = await lines.load_lines_of_people(batch.db, batch.bucket, [person_id])
        taken = [line for line in own if line.product == product.id and line.status is not LineStatus.CLOSED]
        if len(taken) < product.opening.lines_max:
            return None
        return Problem(Code.STATE_CONFLICT, "You have as many lines of this product as it allows.")

    def _applied(
        self, command: Apply, product: Product, inputs: Inputs, decision: Decision, on: date
    ) -> Application:
        purchase = command.purchase
        new = Application(
            id=command.application_id,
            person_id=command.person_id,
            kind=ApplicationKind.OPENING,
            product=product.id,
            product_version=product.version,
            currency=product.currency,
            status=ApplicationStatus.CHECKING,
            policy=self.policy.name,
            inputs=inputs,
            decision=decision,
            limit_minor=None,
            consents=self.policy.consents,
            order_id=purchase.order_id if purchase else None,
            order_minor=purchase.amount_minor if purchase else None,
            mode=command.mode or product.modes[0],
            created_at=command.at,
            decided_at=command.at,
        )
        return self.decided(new, decision, product, command.at, on, purchase)

    def decided(
        self,
        found: Application,
        decision: Decision,
        product: Product,
        at: datetime,
        on: date,
        purchase: Purchase | None = None,
        calendar: Cycle | Dates | None = None,
    ) -> Application:
        """An application with its decision: an offer gets its papers, and each that waits a time to end.

        calendar  what due dates of its line follow; None: it is not open yet
        """
        decided = replace(found, decision=decision, decided_at=at)
        if isinstance(decision, Declined):
            return replace(decided, status=ApplicationStatus.DECLINED, expires_at=None)
        if isinstance(decision, Referred):
            expires_at = at + timedelta(days=self.policy.offer.refer_days)
            return replace(decided, status=ApplicationStatus.REFERRED, expires_at=expires_at)
        sheet, contract = papers_of(signing_of(found, decision, product, on, purchase, calendar))
        return replace(
            decided,
            status=ApplicationStatus.OFFERED,
            limit_minor=decision.limit_minor,
            sheet=sheet,
            contract=contract,
            expires_at=at + timedelta(days=self.policy.offer.days),
        )

    async def _accept(self, batch: Batch, command: AcceptApplication) -> Answer | Problem:
        on = batch.book.business_date(command.at)
        loaded = await store.load_applications(batch.db, batch.bucket, [command.application_id])
        found, guard = loaded.get(command.application_id), batch.people.get(command.person_id)
        if found is None or guard is None or found.person_id != command.person_id:
            return not_found("application")
        if is_over(found, command.at):
            await store.lapse(batch.db, batch.bucket, [found.id], command.at)
            return Problem(Code.STATE_CONFLICT, "This application has lapsed: apply again.")
        if guard.status is not PersonStatus.ACTIVE:
            return Problem(Code.STATE_CONFLICT, f"This person is {guard.status.value}.")
        product = self.products.current(found.product, on)
        problem = rules.problem_of_acceptance(found, command.sheet_hash, product, self.policy)
        if problem is not None:
            return problem
        assert product is not None, "an offer that stands is of the version in force"
        asked = asked_again(found, guard, command.bank_accounts)
        if (problem := await self._problem_of_offer(batch, found, asked, product, command.at)) is not None:
            return problem
        line_id = await self._carried_out(batch, command, found)
        if isinstance(line_id, Problem):
            return line_id
        line = (await lines.load_lines(batch.db, batch.bucket, [line_id]))[line_id]
        accepted = replace(
            found,
            status=ApplicationStatus.ACCEPTED,
            line_id=line_id,
            confirmed_by=command.confirmed_by,
            expires_at=None,
            accepted_at=command.at,
            review_on=rules.next_review_on(on, line.bill_day),
        )
        await store.update_application(batch.db, batch.bucket, accepted)
        await store.end_reviews(batch.db, batch.bucket, line_id, accepted.id)
        self._tell(batch, accepted, on)
        return self._answer(accepted, 200, command.language)

    async def _problem_of_offer(
        self, batch: Batch, found: Application, asked: Asked, product: Product, at: datetime
    ) -> Problem | None:
        """Why an offer that stands is not carried out: its person, their lines, or its line are no longer as they were.

        One whose limit is wrong by now ends, so that its person may apply again.
        """
        assert isinstance(found.decision, Offered), "only an offer is signed"
        now = await inputs_of(batch, asked, self.policy, at)
        raised = await self._raised(batch, found, at)
        if (problem := rules.problem_of_signer(found.inputs, now, product, raised)) is not None:
            return problem
        if (problem := rules.problem_of_offered(found.decision, now, self.policy, raised)) is not None:
            await self._lapse(batch, found)
        return problem

    async def _raised(self, batch: Batch, found: Application, at: datetime) -> Raised | None:
        """The line whose limit an application raises, as it counts now; None: it opens one."""
        if found.kind is not ApplicationKind.RAISE:
            return None
        assert found.line_id is not None, "a raise has its line"
        line = (await lines.load_lines(batch.db, batch.bucket, [found.line_id]))[found.line_id]
        product = self.products.version(line.product, line.product_version, line.tier)
        now = thawed(line, product, batch.book.business_date(at))
        reviewed_minor = await store.load_reviewed_limit(batch.db, batch.bucket, line.id, found.id)
        return Raised(now.status, now.limit_minor, reviewed_minor)

    async def _carried_out(
        self, batch: Batch, command: AcceptApplication, found: Application
    ) -> UUID | Problem:
        """The line that the application has opened, or raised the limit of."""
        assert found.limit_minor is not None, "an offer has its limit"
        reason = f"accepted: {encode(Prefix.APPLICATION, found.id)}"
        if found.kind is ApplicationKind.RAISE:
            assert found.line_id is not None, "a raise has its line"
            return await self.set_limit(batch, found, found.limit_minor, reason, command.at)
        assert isinstance(found.decision, Offered) and found.sheet is not None, "only an offer is signed"
        opening = OpenLine(
            at=command.at,
            people=(found.person_id,),
            request_id=command.request_id,
            person_id=found.person_id,
            product=found.product,
            limit_minor=found.limit_minor,
            tier=found.decision.tier,
            mode=found.mode,
            dated_on=read_sheet(found.sheet).made_on,
            staff_id=None,
            actor=Actor.SYSTEM,
            reason=reason,
        )
        (answer,) = await open_lines(batch, self.products, [opening])
        if isinstance(answer, Problem):
            return answer
        assert answer.object_id is not None, "a line that was opened has its id"
        return answer.object_id

    async def set_limit(
        self, batch: Batch, found: Application, limit_minor: int, reason: str, at: datetime
    ) -> UUID | Problem:
        """Set the limit of an application's line, in its history by the system and for that reason."""
        assert found.line_id is not None, "an application that was accepted has its line"
        setting = SetLimit(
            at=at,
            people=(found.person_id,),
            line_id=found.line_id,
            actor=Actor.SYSTEM,
            actor_id=None,
            reason=reason,
            limit_minor=limit_minor,
        )
        (answer,) = await set_limits(batch, self.products, [setting])
        return answer if isinstance(answer, Problem) else found.line_id

    async def _refer(self, batch: Batch, command: ReferApplication) -> Answer | Problem:
        loaded = await store.load_applications(batch.db, batch.bucket, [command.application_id])
        found = loaded.get(command.application_id)
        if found is None or found.person_id != command.person_id or command.person_id not in batch.people:
            return not_found("application")
        if (problem := rules.problem_of_referral(found, command.at, self.policy)) is not None:
            return problem
        under_way = await store.load_open(
            batch.db, batch.bucket, found.person_id, found.product, found.kind, found.line_id
        )
        if under_way is not None:
            return Problem(Code.STATE_CONFLICT, "Another application for this product is under way.")
        decision = found.decision
        referred = Referred(decision.score, decision.points, decision.reasons)
        product = self.products.version(found.product, found.product_version)
        on = batch.book.business_date(command.at)
        waits = self.decided(found, referred, product, command.at, on)
        await store.update_application(batch.db, batch.bucket, waits)
        return self._answer(waits, 200, command.language)

    async def _decide_referred(self, batch: Batch, command: DecideReferred) -> Answer | Problem:
        on = batch.book.business_date(command.at)
        loaded = await store.load_applications(batch.db, batch.bucket, [command.application_id])
        found = loaded.get(command.application_id)
        if found is None or found.person_id not in batch.people:
            return not_found("application")
        if found.status is not ApplicationStatus.REFERRED or is_over(found, command.at):
            return Problem(Code.STATE_CONFLICT, f"This application is {_now(found, command.at).value}.")
        product = self.products.version(found.product, found.product_version)
        if command.limit_minor is not None:
            current = self.products.current(found.product, on)
            problem = await self._problem_of_offering(batch, command, found, current)
            if problem is not None:
                return problem
            product = current or product
            found = replace(found, product_version=product.version)
        decision = _by_staff(found, command.limit_minor, self.policy, product)
        decided = self.decided(found, decision, product, command.at, on, command.purchase)
        await store.update_application(batch.db, batch.bucket, decided)
        if command.act is not None:
            await audit(batch.db, batch.book, batch.ids, [command.act])
        self._tell(batch, decided, on)
        return self._answer(decided, 200, command.language)

    async def _problem_of_offering(
        self, batch: Batch, command: DecideReferred, found: Application, product: Product | None
    ) -> Problem | None:
        assert command.limit_minor is not None, "None declines"
        asked = asked_again(found, batch.people[found.person_id], found.inputs.bank_accounts)
        now = await inputs_of(batch, asked, self.policy, command.at)
        return rules.problem_of_offering(found, command.limit_minor, product, now, self.policy)

    async def _withdraw(self, batch: Batch, command: WithdrawConsent) -> Answer | Problem:
        loaded = await store.load_applications(batch.db, batch.bucket, [command.application_id])
        found = loaded.get(command.application_id)
        if found is None or found.person_id != command.person_id or command.person_id not in batch.people:
            return not_found("application")
        if (problem := rules.problem_of_withdrawal(found, command.purpose)) is not None:
            return problem
        if command.purpose in found.withdrawn:
            return self._answer(found, 200, command.language)
        needed = rules.needs(command.purpose, self.policy)
        line_id = found.line_id if needed else None
        await insert_withdrawal(batch.db, batch.bucket, found.id, command.purpose, line_id, command.at)
        after = replace(found, withdrawn={**found.withdrawn, command.purpose: command.at})
        if needed and rules.ends_with(found):
            after = replace(after, status=ApplicationStatus.LAPSED, expires_at=None)
            await store.update_application(batch.db, batch.bucket, after)
        if line_id is not None:
            after = replace(after, review_on=None)
            await self._stop_line(batch, line_id, command)
        on = batch.book.business_date(command.at)
        body = msgspec.json.encode(self._view(after, EVENT_LANGUAGE))
        batch.events.append(Event(CONSENT_WITHDRAWN, after.id, body, on, after.person_id))
        return self._answer(after, 200, command.language)

    async def _stop_line(self, batch: Batch, line_id: UUID, command: WithdrawConsent) -> None:
        """Let a line be drawn on no more, and decide nothing about it any more. What it owes is repaid as agreed."""
        await store.stop_line(batch.db, batch.bucket, line_id)
        line = (await lines.load_lines(batch.db, batch.bucket, [line_id]))[line_id]
        if line.status not in LIVING or (line.status is LineStatus.FROZEN and line.frozen_until_on is None):
            return
        freezing = Freeze(
            at=command.at,
            people=(command.person_id,),
            line_id=line_id,
            actor=Actor.SYSTEM,  # a person may not give a freeze that runs another end
            actor_id=None,
            reason=f"consent withdrawn: {command.purpose}",
        )
        (answer,) = await freeze_lines(batch, self.products, [freezing])
        assert not isinstance(answer, Problem), "a living line can be frozen for good"

    async def keep_new(self, batch: Batch, new: Application, on: date) -> None:
        """Keep a new application and tell it."""
        await store.insert_application(batch.db, batch.bucket, new)
        self._tell(batch, new, on)

    def _tell(self, batch: Batch, found: Application, on: date) -> None:
        if found.status in EVENTS:
            body = msgspec.json.encode(self._view(found, EVENT_LANGUAGE))
            batch.events.append(Event(EVENTS[found.status], found.id, body, on, found.person_id))

    def _answer(self, found: Application, status: int, language: str) -> Answer:
        return Answer(status, msgspec.json.encode(self._view(found, language)), found.id)

    def _view(self, found: Application, language: str) -> msgspec.Struct:
        product = self.products.version(found.product, found.product_version)
        return view_application(found, product, self.policy, language)


def _of_something_else(found: Application) -> Problem:
    """A person is to decide an application of another order, or in another mode, than is asked for."""
    id_ = encode(Prefix.APPLICATION, found.id)
    detail = f"A person is looking at {id_}, of another order or in another mode: wait for it."
    return Problem(Code.STATE_CONFLICT, detail, extra={"application": id_})


def is_over(found: Application, at: datetime) -> bool:
    """Whether the time of an application has run out; the day close ends it, nobody accepts it meanwhile."""
    return found.expires_at is not None and found.expires_at <= at


def _now(found: Application, at: datetime) -> ApplicationStatus:
    return ApplicationStatus.LAPSED if is_over(found, at) else found.status


def _by_staff(
    found: Application, limit_minor: int | None, policy: ApplicationPolicy, product: Product
) -> Decision:
    """A referred application as a person decided it: its score stays, the lowest grade's price is given."""
    decision = found.decision
    if limit_minor is None:
        reasons = rules.in_order((*decision.reasons, ApplicationReason.DECLINED_BY_STAFF))
        return Declined(decision.score, decision.points, reasons)
    lowest = policy.grades[0]
    price = policy.price(lowest.price)
    return Offered(
        decision.score,
        decision.points,
        decision.reasons,
        lowest.code,
        price,
        limit_minor,
        (LimitStep(Bound.STAFF, limit_minor),),
        rules.tier_given(product, price.name),
    )
