"""Payments: what can be asked, inside a lane's batch. Load a set, decide each, store the set."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from wufeng import credit, ledger
from wufeng.base.claims import Answer
from wufeng.base.errors import Code, Problem, invalid_field, not_found
from wufeng.base.events import Event
from wufeng.base.ids import Prefix, encode
from wufeng.base.lanes import Batch, Handler
from wufeng.credit.draws.model import Approved, Draw
from wufeng.identity import guards_of, load_merchants
from wufeng.identity.people.model import PersonGuard
from wufeng.ledger.model import AccountKind, Cause, Hold, Journal, account_id
from wufeng.ledger.rules import split_between, split_payment
from wufeng.payments.catalogue import Catalogue
from wufeng.payments.orders import rules as order_rules
from wufeng.payments.orders import store as orders
from wufeng.payments.orders.model import Order, OrderState, OrderTerms
from wufeng.payments.pay import rules, store
from wufeng.payments.pay.model import (
    Capture,
    CapturePayment,
    Confirm,
    ExpirePayments,
    Pay,
    Payment,
    PaymentStatus,
    Reader,
    Refuse,
    VoidPayment,
)
from wufeng.payments.pay.rules import Attempt, Decided, Given, PayerState, Way
from wufeng.payments.pay.views import DrawFacts, facts_of, payment_body, view_payment
from wufeng.risk import store as risk
from wufeng.risk.model import AuthLevel, Reason
from wufeng.risk.rules import needs_confirmation

STATUS_OF_WAY = {
    Way.CAPTURE: PaymentStatus.CAPTURED,
    Way.AUTHORISE: PaymentStatus.AUTHORISED,
    Way.REVIEW: PaymentStatus.PENDING,
    Way.ASK: PaymentStatus.REQUIRES_ACTION,
    Way.DECLINE: PaymentStatus.DECLINED,
}
EVENT_OF_STATUS = {
    PaymentStatus.CAPTURED: "payment.captured",
    PaymentStatus.AUTHORISED: "payment.authorised",
    PaymentStatus.DECLINED: "payment.declined",
    PaymentStatus.VOIDED: "payment.voided",
    PaymentStatus.EXPIRED: "payment.expired",
    PaymentStatus.FAILED: "payment.failed",
}


def handlers(catalogue: Catalogue) -> dict[type, Handler]:
    """The lane handlers of payments, deciding by that catalogue."""
    desk = _Desk(catalogue)
    return {
        Pay: desk.pay,
        Confirm: desk.confirm,
        Refuse: desk.refuse,
        CapturePayment: desk.capture,
        VoidPayment: desk.void,
        ExpirePayments: desk.expire,
    }


class _Settled(Struct, frozen=True):
    """A payment with what became of it, ready to be stored, told and answered."""

    payment: Payment
    reader: Reader
    language: str
    decided: Decided | None = None
    draws: tuple[DrawFacts, ...] = ()


class _Desk:
    """Handlers over one catalogue. It keeps nothing between batches."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue

    async def pay(self, batch: Batch, commands: Sequence[Pay]) -> list[Answer | Problem]:
        """Start payments. Several of one order in one batch take turns: the second sees what the first did."""
        answers: list[Answer | Problem | None] = [None] * len(commands)
        waiting = list(range(len(commands)))
        while waiting:
            seen: set[UUID] = set()
            turn = [
                n for n in waiting if not (commands[n].order.id in seen or seen.add(commands[n].order.id))
            ]
            waiting = [n for n in waiting if n not in set(turn)] if len(turn) < len(waiting) else []
            for n, answer in zip(
                turn, await self._pay_distinct(batch, [commands[n] for n in turn]), strict=True
            ):
                answers[n] = answer
        return [answer for answer in answers if answer is not None]

    async def _pay_distinct(self, batch: Batch, commands: Sequence[Pay]) -> list[Answer | Problem]:
        table = await self._load(
            batch,
            {command.payer_id for command in commands},
            {command.order.merchant_id for command in commands},
            {command.funding.line_id for command in commands if command.funding.line_id},
        )
        answers: list[Answer | Problem | None] = [table.problem_of(command) for command in commands]
        alive = [n for n, answer in enumerate(answers) if answer is None]
        asked = [commands[n] for n in alive]
        existing = await orders.insert_orders(
            batch.db,
            batch.book,
            [command.order for command in asked],
            [
                (command.payment_id, command.payer_id) if table.pays_at_once(command) else None
                for command in asked
            ],
            max((command.at for command in asked), default=commands[0].at),
        )
        settled: list[_Settled] = []
        fixes = _OrderFixes()
        for n in alive:
            command = commands[n]
            outcome = table.decide_new(batch, command, existing.get(command.order.id))
            if isinstance(outcome, Problem):
                answers[n] = outcome
                continue
            settled.append(outcome)
            written = existing.get(command.order.id) is None and table.was_written_as_paid(command)
            fixes.note(command.order.id, outcome.payment, written_as_paid=written)
        await self._store(batch, table, settled, fixes, is_new=True)
        bodies = self._answers(batch, table, settled, created=201)
        for n in alive:
            if answers[n] is None:
                answers[n] = bodies[commands[n].payment_id]
        return [answer for answer in answers if answer is not None]

    async def confirm(self, batch: Batch, commands: Sequence[Confirm]) -> list[Answer | Problem]:
        """Decide payments whose payers have said yes. The order is taken only now."""
        loaded = await store.load_payments(
            batch.db, batch.bucket, {command.payment_id for command in commands}
        )
        lines = {
            line
            for command in commands
            for line in (
                command.funding.line_id if command.funding else None,
                p.funding.line_id if (p := loaded.get(command.payment_id)) else None,
            )
            if line
        }
        table = await self._load(
            batch,
            {command.payer_id for command in commands},
            {payment.merchant_id for payment in loaded.values()},
            lines,
        )
        locked = await orders.lock_orders(
            batch.db, batch.book, [payment.order_id for payment in loaded.values()]
        )
        answers: list[Answer | Problem | None] = []
        settled: list[_Settled] = []
        fixes = _OrderFixes()
        for command in commands:
            payment = loaded.get(command.payment_id)
            outcome = table.decide_confirmed(batch, command, payment, locked)
            if isinstance(outcome, Problem):
                answers.append(outcome)
                continue
            loaded[command.payment_id] = outcome.payment
            settled.append(outcome)
            fixes.note(outcome.payment.order_id, outcome.payment, written_as_paid=False)
            if outcome.payment.status in (
                PaymentStatus.CAPTURED,
                PaymentStatus.AUTHORISED,
                PaymentStatus.PENDING,
            ):
                order = locked[outcome.payment.order_id]
                locked[order.terms.id] = replace(order, payment_id=outcome.payment.id)
            answers.append(None)
        await self._store(batch, table, settled, fixes, is_new=False)
        bodies = self._answers(batch, table, settled, created=200)
        return [
            answer or bodies[command.payment_id] for command, answer in zip(commands, answers, strict=True)
        ]

    async def refuse(self, batch: Batch, commands: Sequence[Refuse]) -> list[Answer | Problem]:
        """Decline payments that their payers refused, or could not prove."""
        loaded = await store.load_payments(
            batch.db, batch.bucket, {command.payment_id for command in commands}
        )
        table = await self._load(
            batch,
            {command.payer_id for command in commands},
            {payment.merchant_id for payment in loaded.values()},
            set(),
        )
        answers: list[Answer | Problem | None] = []
        settled: list[_Settled] = []
        for command in commands:
            payment = loaded.get(command.payment_id)
            if payment is None or payment.payer_id != command.payer_id:
                answers.append(not_found("payment"))
            elif (problem := rules.problem_if_not_awaiting(payment)) is not None:
                answers.append(problem)
            else:
                declined = _ended(payment, PaymentStatus.DECLINED, (Reason.CONFIRMATION_FAILED,))
                loaded[payment.id] = declined
                settled.append(_Settled(declined, Reader.PERSON, command.language))
                answers.append(None)
        await self._store(batch, table, settled, _OrderFixes(), is_new=False)
        bodies = self._answers(batch, table, settled, created=200)
        return [
            answer or bodies[command.payment_id] for command, answer in zip(commands, answers, strict=True)
        ]

    async def capture(self, batch: Batch, commands: Sequence[CapturePayment]) -> list[Answer | Problem]:
        """Take authorised amounts, whole or part. Each part of credit becomes a draw of its own."""
        return [await self._capture_one(batch, command) for command in commands]

    async def _capture_one(self, batch: Batch, command: CapturePayment) -> Answer | Problem:
        payment = (await store.load_payments(batch.db, batch.bucket, [command.payment_id])).get(
            command.payment_id
        )
        if payment is None or payment.merchant_id != command.merchant_id:
            return not_found("payment")
        plan = rules.plan_capture(payment, command.amount_minor, final=command.final)
        if isinstance(plan, Problem):
            return plan
        line_ids = {payment.funding.line_id} if payment.funding.line_id else set()
        table = await self._load(batch, {payment.payer_id}, {payment.merchant_id}, line_ids)
        on = batch.book.business_date(command.at)
        merchant = table.given.merchants[payment.merchant_id]
        earlier = await credit.draws_of_payments(batch.db, batch.bucket, [payment.id])
        draw: Approved | None = None
        if plan.credit_minor:
            draw = credit.approve_captured_part(
                table.states[payment.payer_id].lines[_line_of(payment)],
                rules._draw_request(payment, _line_of(payment), plan.credit_minor),
                table.given.products[_line_of(payment)],
                on,
                len(earlier),
            )
        after = rules.captured(
            payment, plan.amount_minor, merchant.fee_plan.rate_ppm, command.at, ends=plan.ends
        )
        posted: list[tuple[UUID, int]] = []
        if plan.wallet_minor and payment.wallet_hold_id:
            posted.append((payment.wallet_hold_id, plan.wallet_minor))
        if plan.credit_minor and payment.line_hold_id:
            posted.append((payment.line_hold_id, plan.credit_minor))
        await ledger.post_holds(batch, posted)
        if draw is not None:
            await credit.post_draws(batch, [draw], on)
        fee_minor = after.fee_minor - payment.fee_minor
        await ledger.post(batch, [_journal(batch, payment, plan.wallet_minor, draw, fee_minor, on, table)])
        if plan.ends:
            await self._release_holds(batch, [(payment, plan.wallet_minor, plan.credit_minor)])
            await orders.take_orders(
                batch.db,
                batch.book,
                {payment.order_id: (payment.id, payment.payer_id)},
                OrderState.PAID,
                command.at,
            )
        await store.update_payments(batch.db, batch.bucket, [after])
        draws = (*(facts_of(one) for one in earlier), *((_facts(draw),) if draw else ()))
        settled = _Settled(after, Reader.MERCHANT, command.language, draws=draws)
        if plan.ends:
            self._tell(batch, table, [settled], on)
        return self._answers(batch, table, [settled], created=200)[payment.id]

    async def void(self, batch: Batch, commands: Sequence[VoidPayment]) -> list[Answer | Problem]:
        """Release authorised amounts. After a part capture the payment stays captured with what was taken."""
        loaded = await store.load_payments(
            batch.db, batch.bucket, {command.payment_id for command in commands}
        )
        answers: list[Answer | Problem | None] = []
        voided: list[tuple[Payment, VoidPayment]] = []
        for command in commands:
            payment = loaded.get(command.payment_id)
            if payment is None or payment.merchant_id != command.merchant_id:
                answers.append(not_found("payment"))
            elif payment.status not in (PaymentStatus.AUTHORISED, PaymentStatus.PENDING):
                detail = (
                    f"This payment is {payment.status.value}; only an authorised or pending one is voided."
                )
                answers.append(Problem(Code.STATE_CONFLICT, detail))
            else:
                ended = _ended(payment, PaymentStatus.VOIDED, ())
                loaded[payment.id] = ended
                voided.append((payment, command))
                answers.append(None)
        table = await self._load(
            batch,
            {payment.payer_id for payment, _ in voided},
            {payment.merchant_id for payment, _ in voided},
            {payment.funding.line_id for payment, _ in voided if payment.funding.line_id},
        )
        await self._end_held(batch, [(payment, loaded[payment.id]) for payment, _ in voided])
        drawn = await _draw_facts(batch, [payment.id for payment, _ in voided])
        settled = [
            _Settled(loaded[payment.id], Reader.MERCHANT, command.language, draws=drawn.get(payment.id, ()))
            for payment, command in voided
        ]
        for one, (_, command) in zip(settled, voided, strict=True):
            self._tell(batch, table, [one], batch.book.business_date(command.at))
        bodies = self._answers(batch, table, settled, created=200)
        return [
            answer or bodies[command.payment_id] for command, answer in zip(commands, answers, strict=True)
        ]

    async def expire(self, batch: Batch, commands: Sequence[ExpirePayments]) -> list[Answer | Problem]:
        """End what nobody confirmed, captured or reviewed in time."""
        at, limit = max(c.at for c in commands), max(c.limit for c in commands)
        due = await store.load_due_payments(batch.db, batch.bucket, at, limit)
        due = [payment for payment in due if payment.payer_id in batch.people]
        ended = [_expired(payment) for payment in due]
        if due:
            table = await self._load(
                batch,
                {payment.payer_id for payment in due},
                {payment.merchant_id for payment in due},
                {payment.funding.line_id for payment in due if payment.funding.line_id},
            )
            await self._end_held(batch, list(zip(due, ended, strict=True)))
            drawn = await _draw_facts(batch, [payment.id for payment in due])
            settled = [
                _Settled(payment, Reader.MERCHANT, "zh", draws=drawn.get(payment.id, ())) for payment in ended
            ]
            self._tell(batch, table, settled, batch.book.business_date(at))
        body = msgspec.json.encode({"expired": len(due)})
        return [Answer(200, body) for _ in commands]

    async def _end_held(self, batch: Batch, moves: Sequence[tuple[Payment, Payment]]) -> None:
        """Store payments that end without (a further) capture: holds voided, orders freed or paid in part."""
        await self._release_holds(batch, [(before, 0, 0) for before, _ in moves])
        freed = {
            b.order_id: b.id for b, after in moves if after.captured_minor == 0 and b.decision_id is not None
        }
        if freed:
            await orders.release_orders(batch.db, batch.book, freed)
        taken = {b.order_id: (b.id, b.payer_id) for b, after in moves if after.captured_minor > 0}
        if taken:
            at = max(after.captured_at or after.created_at for _, after in moves)
            await orders.take_orders(batch.db, batch.book, taken, OrderState.PAID, at)
        if moves:
            await store.update_payments(batch.db, batch.bucket, [after for _, after in moves])

    async def _release_holds(self, batch: Batch, payments: Sequence[tuple[Payment, int, int]]) -> None:
        """Void what is left of holds: (payment, the wallet's and the line's part posted just now)."""
        left: list[UUID] = []
        for payment, wallet_minor, credit_minor in payments:
            wallet_taken = min(payment.wallet_minor, payment.captured_minor) + wallet_minor
            credit_taken = max(0, payment.captured_minor - payment.wallet_minor) + credit_minor
            if payment.wallet_hold_id and wallet_taken < payment.wallet_minor:
                left.append(payment.wallet_hold_id)
            if payment.line_hold_id and credit_taken < payment.credit_minor:
                left.append(payment.line_hold_id)
        await ledger.void_holds(batch, left)

    async def _load(
        self, batch: Batch, payers: set[UUID], merchants: set[UUID], lines: set[UUID]
    ) -> "_Table":
        """All that the payments of a batch are decided from, each kind of row in one statement."""
        guards = {id_: guard for id_, guard in guards_of(batch).items() if id_ in payers}
        features = await risk.load_features(batch.db, batch.bucket, guards)
        found = await load_merchants(batch.db, batch.book.id, merchants)
        listed = await risk.load_listed(batch.db, [*guards, *found])
        states = await credit.load_lines(batch.db, batch.bucket, lines) if lines else {}
        wallets = {id_: account_id(guard.wallet_id, AccountKind.WALLET) for id_, guard in guards.items()}
        balances = await ledger.load_balances(batch.db, batch.bucket, list(wallets.values()))
        payer_states: dict[UUID, PayerState] = {}
        for payer_id, guard in guards.items():
            balance = balances.get(wallets[payer_id])
            own = {id_: state for id_, state in states.items() if state.line.person_id == payer_id}
            available = balance.available_minor or 0 if balance is not None else 0
            payer_states[payer_id] = PayerState(guard, available, own, features[payer_id])
        products = {id_: self.catalogue.product_of(state.line) for id_, state in states.items()}
        given = Given(self.catalogue.policies[batch.book.id], products, found, listed)
        return _Table(self.catalogue, given, payer_states)

    async def _store(
        self,
        batch: Batch,
        table: "_Table",
        settled: Sequence[_Settled],
        fixes: "_OrderFixes",
        *,
        is_new: bool,
    ) -> None:
        if not settled:
            return
        payments = [one.payment for one in settled]
        await (store.insert_payments if is_new else store.update_payments)(batch.db, batch.bucket, payments)
        decided = [(one.payment, one.decided) for one in settled if one.decided is not None]
        if decided:
            await risk.write_decisions(batch.db, batch.bucket, [outcome.decision for _, outcome in decided])
        money = [
            (payment, outcome) for payment, outcome in decided if outcome.way not in (Way.DECLINE, Way.ASK)
        ]
        if money:
            folded = {payment.payer_id: table.states[payment.payer_id].features for payment, _ in money}
            await risk.write_features(batch.db, batch.bucket, folded)
            await self._move_money(batch, table, money)
        await fixes.write(batch, max(payment.created_at for payment in payments))
        on = batch.book.business_date(max(payment.captured_at or payment.created_at for payment in payments))
        self._tell(batch, table, settled, on)

    async def _move_money(
        self, batch: Batch, table: "_Table", money: Sequence[tuple[Payment, Decided]]
    ) -> None:
        taken = [(payment, outcome) for payment, outcome in money if outcome.way is Way.CAPTURE]
        by_date: dict[date, list[Approved]] = {}
        journals: list[Journal] = []
        for payment, outcome in taken:
            on = batch.book.business_date(outcome.decision.at)
            if outcome.draw is not None:
                by_date.setdefault(on, []).append(outcome.draw)
            journals.append(
                _journal(batch, payment, outcome.wallet_minor, outcome.draw, payment.fee_minor, on, table)
            )
        for on, drawn in by_date.items():
            await credit.post_draws(batch, drawn, on)
        if journals:
            await ledger.post(batch, journals)
        held = [
            hold
            for payment, outcome in money
            if outcome.way is not Way.CAPTURE
            for hold in _holds(payment, table)
        ]
        await ledger.place_holds(batch, held)

    def _tell(self, batch: Batch, table: "_Table", settled: Sequence[_Settled], on: date) -> None:
        """One event a payment that moved; a merchant reads it, so fraud reasons stand in it as one."""
        for one in settled:
            kind = EVENT_OF_STATUS.get(one.payment.status)
            if kind is None:
                continue
            body = payment_body(table.view(batch, one, Reader.MERCHANT))
            batch.events.append(
                Event(kind, one.payment.id, body, on, one.payment.payer_id, one.payment.merchant_id)
            )

    def _answers(
        self, batch: Batch, table: "_Table", settled: Sequence[_Settled], *, created: int
    ) -> dict[UUID, Answer]:
        answers: dict[UUID, Answer] = {}
        for one in settled:
            status = created
            if one.payment.status is PaymentStatus.DECLINED:
                status = 402
            elif one.payment.status is PaymentStatus.PENDING:
                status = 202
            body = payment_body(table.view(batch, one, one.reader))
            answers[one.payment.id] = Answer(status, body, one.payment.id)
        return answers


class _Table:
    """What was loaded for a batch; the payers' states move on with each payment decided."""

    def __init__(self, catalogue: Catalogue, given: Given, states: dict[UUID, PayerState]) -> None:
        self.catalogue = catalogue
        self.given = given
        self.states = states
        self._written_as_paid: set[UUID] = set()

    def problem_of(self, command: Pay) -> Problem | None:
        """What makes a request unanswerable before anything is decided."""
        if command.payer_id not in self.states:
            return invalid_field("/payer", "There is no such person.")
        if command.order.merchant_id not in self.given.merchants:
            return invalid_field("/order/merchant", "There is no such merchant.")
        return None

    def pays_at_once(self, command: Pay) -> bool:
        """Whether the order may be written as paid straight away: most payments are, the others are put right."""
        at_once = command.capture is Capture.NOW and not self._must_ask(command)
        if at_once:
            self._written_as_paid.add(command.payment_id)
        return at_once

    def was_written_as_paid(self, command: Pay) -> bool:
        """Whether a new order of this command was written as paid."""
        return command.payment_id in self._written_as_paid

    def _must_ask(self, command: Pay) -> bool:
        features = self.states[command.payer_id].features
        today = command.at.toordinal()
        return needs_confirmation(
            command.auth_level, command.order.amount_minor, features, today, self.given.policy
        )

    def decide_new(self, batch: Batch, command: Pay, existing: Order | None) -> "_Settled | Problem":
        """Decide a new payment against the state that the ones before it left."""
        on = batch.book.business_date(command.at)
        expired = False
        if existing is not None:
            problem = order_rules.problem_if_other_terms(existing.terms, command.order)
            problem = problem or order_rules.problem_if_not_payable(existing)
            if problem is not None:
                return problem
            expired = order_rules.has_expired(existing, command.at)
        elif command.order.expires_at is not None:
            expired = command.at >= command.order.expires_at
        state = self.states[command.payer_id]
        payment = _new_payment(command)
        wants_word = needs_confirmation(
            command.auth_level, payment.amount_minor, state.features, on.toordinal(), self.given.policy
        )
        if wants_word and not expired:
            waiting = self._awaiting(payment, command.at, existing.terms if existing else command.order)
            return _Settled(waiting, command.reader, command.language)
        return self._decide(
            batch,
            Attempt(payment, command.auth_level, expired),
            command.at,
            on,
            command.reader,
            command.language,
        )

    def decide_confirmed(
        self, batch: Batch, command: Confirm, payment: Payment | None, locked: dict[UUID, Order]
    ) -> "_Settled | Problem":
        """Decide a payment that waited for its payer's word."""
        if payment is None or payment.payer_id != command.payer_id:
            return not_found("payment")
        if (problem := rules.problem_if_not_awaiting(payment)) is not None:
            return problem
        if payment.expires_at is not None and command.at >= payment.expires_at:
            return _Settled(_ended(payment, PaymentStatus.EXPIRED, ()), Reader.PERSON, command.language)
        order = locked[payment.order_id]
        if (problem := order_rules.problem_if_not_payable(order)) is not None:
            return problem
        if command.funding is not None:
            share_ppm = payment.funding.merchant_share_ppm
            payment = replace(payment, funding=replace(command.funding, merchant_share_ppm=share_ppm))
        on = batch.book.business_date(command.at)
        payment = replace(payment, expires_at=None, confirmed_by=command.auth_level.name.lower())
        attempt = Attempt(payment, command.auth_level, order_rules.has_expired(order, command.at))
        return self._decide(batch, attempt, command.at, on, Reader.PERSON, command.language)

    def _decide(
        self, batch: Batch, attempt: Attempt, at: datetime, on: date, reader: Reader, language: str
    ) -> "_Settled":
        payment = attempt.payment
        state = self.states[payment.payer_id]
        decision_id = batch.ids.new(at, payment.id.int & 0xFFFF)
        decided = rules.authorise(attempt, state, self.given, decision_id, at, on)
        self.states[payment.payer_id] = decided.after
        payment = self._as_decided(batch, payment, decided, at)
        draws = (_facts(decided.draw),) if decided.draw is not None and decided.way is Way.CAPTURE else ()
        return _Settled(payment, reader, language, decided, draws)

    def _as_decided(self, batch: Batch, payment: Payment, decided: Decided, at: datetime) -> Payment:
        way, slot = decided.way, payment.id.int & 0xFFFF
        fields = replace(
            payment,
            status=STATUS_OF_WAY[way],
            wallet_minor=decided.wallet_minor,
            credit_minor=decided.credit_minor,
            decision_id=decided.decision.id,
            reasons=decided.decision.reasons,
        )
        if way is Way.CAPTURE:
            merchant = self.given.merchants[payment.merchant_id]
            amount_minor = payment.amount_minor
            fee_minor = rules.fee_of(amount_minor, merchant.fee_plan.rate_ppm)
            return replace(fields, captured_minor=amount_minor, fee_minor=fee_minor, captured_at=at)
        if way is Way.ASK:
            return self._awaiting(fields, at, None)
        if way is Way.DECLINE:
            return fields
        lasts = (
            timedelta(days=self.catalogue.authorised_days)
            if way is Way.AUTHORISE
            else timedelta(minutes=self.given.policy.review_minutes)
        )
        return replace(
            fields,
            wallet_hold_id=batch.ids.new(at, slot) if decided.wallet_minor else None,
            line_hold_id=batch.ids.new(at, slot) if decided.credit_minor else None,
            expires_at=at + lasts,
        )

    def _awaiting(self, payment: Payment, at: datetime, order: OrderTerms | None) -> Payment:
        """A payment that waits for its payer: for 15 minutes, or until its order expires."""
        until = at + timedelta(minutes=self.catalogue.confirm_minutes)
        if order is not None and order.expires_at is not None:
            until = min(until, order.expires_at)
        return replace(payment, status=PaymentStatus.REQUIRES_ACTION, expires_at=until, confirmed_by=None)

    def view(self, batch: Batch, one: _Settled, reader: Reader):  # type: ignore[no-untyped-def]
        """The view of a settled payment for a reader."""
        payment = one.payment
        line_id = payment.funding.line_id
        state = self.states.get(payment.payer_id)
        return view_payment(
            payment,
            one.draws,
            self.given.products.get(line_id) if line_id else None,
            state.guard.wallet_id if state else None,
            batch.book.id,
            reader,
            one.language,
        )


class _OrderFixes:
    """What is still to be written on orders: taken by a payment, or written as paid too early."""

    def __init__(self) -> None:
        self.paid: dict[UUID, tuple[UUID, UUID]] = {}
        self.held: dict[UUID, tuple[UUID, UUID]] = {}
        self.released: dict[UUID, UUID] = {}

    def note(self, order_id: UUID, payment: Payment, *, written_as_paid: bool) -> None:
        """Note what a payment's status means for its order."""
        pair = (payment.id, payment.payer_id)
        if payment.status is PaymentStatus.CAPTURED:
            if not written_as_paid:
                self.paid[order_id] = pair
        elif payment.status in (PaymentStatus.AUTHORISED, PaymentStatus.PENDING):
            self.held[order_id] = pair
        elif written_as_paid:
            self.released[order_id] = payment.id

    async def write(self, batch: Batch, at: datetime) -> None:
        """Write them."""
        if self.paid:
            await orders.take_orders(batch.db, batch.book, self.paid, OrderState.PAID, at)
        if self.held:
            await orders.take_orders(batch.db, batch.book, self.held, OrderState.OPEN, at)
        if self.released:
            await orders.release_orders(batch.db, batch.book, self.released)


def _new_payment(command: Pay) -> Payment:
    order = command.order
    return Payment(
        id=command.payment_id,
        payer_id=command.payer_id,
        merchant_id=order.merchant_id,
        order_id=order.id,
        order_no=order.order_no,
        amount_minor=order.amount_minor,
        currency=order.currency,
        scene=order.scene.value,
        subject=order.subject,
        status=PaymentStatus.REQUIRES_ACTION,
        capture=command.capture,
        funding=command.funding,
        caller_id=command.caller_id,
        confirmed_by=command.auth_level.name.lower() if command.auth_level > AuthLevel.NONE else None,
        created_at=command.at,
    )


def _ended(payment: Payment, status: PaymentStatus, reasons: tuple[Reason, ...]) -> Payment:
    """A payment that ends; one that was captured in part stays captured with that part."""
    if payment.captured_minor > 0:
        status = PaymentStatus.CAPTURED
    return replace(payment, status=status, reasons=reasons or payment.reasons, expires_at=None)


def _expired(payment: Payment) -> Payment:
    if payment.status is PaymentStatus.PENDING:
        return _ended(
            payment, PaymentStatus.DECLINED, payment.reasons
        )  # nobody reviewed it: the policy's on_timeout
    return _ended(payment, PaymentStatus.EXPIRED, ())


def _line_of(payment: Payment) -> UUID:
    assert payment.funding.line_id is not None, "a payment with credit names its line"
    return payment.funding.line_id


def _facts(draw: Approved) -> DrawFacts:
    request = draw.request
    return DrawFacts(
        id=request.id,
        line_id=request.line_id,
        amount_minor=request.amount_minor,
        tenor=request.tenor,
        principal_parts=draw.plan.principal_parts,
        fee_parts=draw.plan.fee_parts,
        lenders=draw.lenders,
    )


async def _draw_facts(batch: Batch, payment_ids: Sequence[UUID]) -> dict[UUID, tuple[DrawFacts, ...]]:
    found: dict[UUID, tuple[DrawFacts, ...]] = {}
    if payment_ids:
        drawn: Sequence[Draw] = await credit.draws_of_payments(batch.db, batch.bucket, payment_ids)
        for draw in drawn:
            found[draw.payment_id] = (*found.get(draw.payment_id, ()), facts_of(draw))
    return found


def _journal(
    batch: Batch,
    payment: Payment,
    wallet_minor: int,
    draw: Approved | None,
    fee_minor: int,
    on: date,
    table: _Table,
) -> Journal:
    """The journal of a capture: by the ledger's template, with a note that leads back to person, line and product."""
    guard: PersonGuard = table.states[payment.payer_id].guard
    note: dict[str, str] = {"person": encode(Prefix.PERSON, payment.payer_id)}
    principal: Sequence[tuple[UUID, int]] = ()
    subsidy: Sequence[tuple[UUID, int]] = ()
    if draw is not None:
        product = table.given.products[draw.request.line_id]
        note |= {
            "line": encode(Prefix.LINE, draw.request.line_id),
            "product": f"{product.id}@{product.version}",
        }
        principal = split_between(draw.request.amount_minor, draw.lenders)
        if draw.plan.subsidy_minor:
            subsidy = split_between(draw.plan.subsidy_minor, draw.lenders)
    cause = Cause(payment.id, payment.currency, on, batch.book.id, msgspec.json.encode(note))
    return split_payment(
        cause,
        guard.wallet_id if wallet_minor else None,
        wallet_minor,
        draw.request.line_id if draw else None,
        principal,
        payment.merchant_id,
        fee_minor,
        subsidy,
    )


def _holds(payment: Payment, table: _Table) -> list[Hold]:
    holds: list[Hold] = []
    if payment.wallet_hold_id is not None:
        wallet = account_id(table.states[payment.payer_id].guard.wallet_id, AccountKind.WALLET)
        holds.append(Hold(payment.wallet_hold_id, wallet, payment.wallet_minor, payment.id))
    if payment.line_hold_id is not None:
        principal = account_id(_line_of(payment), AccountKind.LINE_PRINCIPAL)
        holds.append(Hold(payment.line_hold_id, principal, payment.credit_minor, payment.id))
    return holds
