"""A case's timeline on a loan of ours: each event becomes events of the loan, which can be taken back."""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date
from fractions import Fraction
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from wufeng.base.money import round_half_even
from wufeng.credit.conformance.loan_terms import FUTURES, KINDS, every, terms_of_case
from wufeng.credit.conformance.model import Case, NotApplicableError
from wufeng.credit.conformance.numbers import day, exact, minor, percent_ppm
from wufeng.credit.loans.model import (
    Charged,
    ChargedBack,
    ChargedOff,
    CreditRefunded,
    Disbursed,
    Event,
    LoanState,
    Moved,
    Paid,
    Paused,
    PaymentKind,
    Posting,
    PostingKind,
    RateChanged,
    Reaged,
    Reamortised,
    RefundedInCash,
    ScheduleKind,
    Waived,
)
from wufeng.credit.loans.rules import fold, preview, recorded, to_pay_off
from wufeng.credit.products.model import Method
from wufeng.credit.waterfall.model import Component

Step = Mapping[str, Any]

PAYMENTS = {
    "repayment": PaymentKind.REPAYMENT,
    "goodwill_credit": PaymentKind.GOODWILL_CREDIT,
    "merchant_issued_refund": PaymentKind.MERCHANT_REFUND,
    "payout_refund": PaymentKind.PAYOUT_REFUND,
}


class Entry(Struct, frozen=True):
    """An event as the timeline calls it."""

    what: str
    event: Event
    number: int

    @property
    def on(self) -> date:
        """Its date."""
        return self.event.on


class Replay:
    """One case on its way through its timeline."""

    def __init__(self, case: Case) -> None:
        self.terms = terms_of_case(case)
        self.gone: list[Posting] = []
        self._loan: Mapping[str, Any] = case["loan"]
        self._today = day(self._loan["submitted"])
        self._expected_on = self._today
        self._splits_chargebacks = bool(case["product"].get("credit_allocation"))
        self._entries: list[Entry] = []
        self._posted: Counter[str] = Counter()

    @property
    def events(self) -> tuple[Event, ...]:
        """All that happened and was not taken back."""
        return tuple(entry.event for entry in self._entries)

    def state(self) -> LoanState:
        """The loan now; before any disbursement, the schedule of what was asked for, if it were lent today."""
        if any(isinstance(event, Disbursed) for event in self.events):
            return fold(self.terms, self.events)
        if not self._posted["disburse"]:
            self._expected_on = max(self._expected_on, self._today)
        return preview(self.terms, minor(self._loan["principal"]), self._expected_on)

    def do(self, step: Step) -> None:
        """Let one event of the timeline happen."""
        what = step["do"]
        if what in PAYMENTS:
            future = FUTURES[step["future_installments"]] if "future_installments" in step else None
            self._post(what, Paid(self._on(step), minor(step["amount"]), PAYMENTS[what], future))
        elif what in HANDLERS:
            HANDLERS[what](self, step)
        else:
            raise NotApplicableError(f"the event {what}")

    def _on(self, step: Step) -> date:
        return day(step["date"]) if step.get("date") else self._today

    def _post(self, what: str, event: Event) -> None:
        for one in recorded(self.terms, self.events, event):
            name = what if one is event else "down_payment"
            self._posted[name] += 1
            self._entries.append(Entry(name, one, self._posted[name]))

    def _take_back(self, entry: Entry) -> None:
        """Drop an event; its posting stays to be seen as it was."""
        before = list(fold(self.terms, self.events).postings)
        self._entries.remove(entry)
        left = list(fold(self.terms, self.events).postings) if self._has_loan() else []
        event = entry.event
        for posting in left:
            if posting in before:
                before.remove(posting)
        amount = getattr(event, "amount_minor", None)
        mine = [
            posting
            for posting in before
            if posting.on == event.on and (amount is None or posting.amount_minor == amount)
        ]
        self.gone += mine[:1]

    def _has_loan(self) -> bool:
        return any(isinstance(event, Disbursed) for event in self.events)

    def business_date(self, step: Step) -> None:
        """The clock."""
        self._today = day(step["date"])

    def disburse(self, step: Step) -> None:
        """Money is lent."""
        self._post("disburse", Disbursed(self._on(step), minor(step["amount"])))

    def pay_off(self, step: Step) -> None:
        """Pay all that is owed on a date."""
        on = self._on(step)
        self._post("repayment", Paid(on, to_pay_off(self.terms, self.events, on)))

    def set_rule(self, step: Step) -> None:
        """Change what money in advance does."""
        kind = KINDS[step["transaction_type"]]
        changed = replace(self.terms.waterfalls[PaymentKind.REPAYMENT], future=FUTURES[step["rule"]])
        self.terms = replace(self.terms, waterfalls={**self.terms.waterfalls, kind: changed})

    def add_charge(self, step: Step) -> None:
        """A fee or a penalty; a percentage is of what was lent and its interest."""
        if "amount" in step:
            amount = minor(step["amount"])
        else:
            state = self.state()
            whole = sum(
                row.due[part] for row in state.rows for part in (Component.PRINCIPAL, Component.INTEREST)
            )
            amount = round_half_even(Fraction(whole, 100) * exact(step["percent"]))
        component = Component(step["kind"])
        self._post("add_charge", Charged(self._today, day(step["due_date"]), component, amount))

    def adjust_charge(self, step: Step) -> None:
        """Money for a charge."""
        self._post(
            "charge_adjustment", Paid(self._today, minor(step["amount"]), PaymentKind.CHARGE_ADJUSTMENT)
        )

    def waive_charge(self, _: Step) -> None:
        """The latest charge is not asked for, from its due date on."""
        charges = [event for event in self.events if isinstance(event, Charged)]
        self._post("waive_charge", Waived(charges[-1].due_on, len(charges) - 1))

    def charge_off(self, step: Step) -> None:
        """The loss is taken."""
        self._post("charge_off", ChargedOff(self._on(step)))

    def charge_back(self, step: Step) -> None:
        """A repayment is owed again, in the parts that it had paid where the product says so."""
        amount = minor(step["amount"])
        parts = self._parts_of(amount) if self._splits_chargebacks else None
        self._post("chargeback", ChargedBack(self._today, amount, parts))

    def _parts_of(self, amount_minor: int) -> dict[Component, int]:
        """An amount in the parts of the latest payment that was as large: penalties, fees, interest, principal."""
        payments = [posting for posting in self.state().postings if posting.kind is PostingKind.PAID]
        paid = next(posting for posting in reversed(payments) if posting.amount_minor >= amount_minor)
        parts = {}
        for component in Component:
            parts[component] = min(amount_minor, paid.parts[component])
            amount_minor -= parts[component]
        parts[Component.PRINCIPAL] += amount_minor
        return parts

    def refund_credit(self, step: Step) -> None:
        """What was paid too much goes back."""
        self._post("credit_balance_refund", CreditRefunded(self._on(step), minor(step["amount"])))

    def refund_in_cash(self, step: Step) -> None:
        """Money that had been paid goes back."""
        self._post("refund_by_cash", RefundedInCash(self._on(step), minor(step["amount"])))

    def reamortise(self, step: Step) -> None:
        """What is past due moves into the instalments to come."""
        self._refuse_interest()
        self._post("reamortize", Reamortised(self._on(step)))

    def reage(self, step: Step) -> None:
        """All that is owed starts anew."""
        self._refuse_interest()
        distance = every(step["frequency"], step["frequency_unit"])
        start = day(step["start_date"])
        self._post("reage", Reaged(self._today, start, distance, step["installments"]))

    def _refuse_interest(self) -> None:
        if self.terms.annual_ppm:
            raise NotApplicableError("re-ageing or re-amortising a loan with interest")

    def pause(self, step: Step) -> None:
        """Days without interest."""
        if not step.get("both_days_included", True):
            raise NotApplicableError("a pause whose ends bear interest")
        self._post("interest_pause", Paused(self._today, day(step["from"]), day(step["to"])))

    def reschedule(self, step: Step) -> None:
        """A due date is moved, instalments are added, or the rate changes."""
        holiday, extra = step.get("grace_on_principal") or 0, step.get("extra_terms") or 0
        if step.get("grace_on_interest") or (holiday and self.terms.annual_ppm):
            raise NotApplicableError("a reschedule with grace on interest")
        start = day(step["from"])
        if step.get("new_interest_rate") is not None:
            if self.terms.kind is not ScheduleKind.CLASSIC or self.terms.method is not Method.FLAT:
                raise NotApplicableError("a new rate of interest that is not flat")
            change = RateChanged(self._today, start, percent_ppm(step["new_interest_rate"]))
            self._post("reschedule", change)
        moved_to = day(step["new_due_date"]) if step.get("new_due_date") else None
        if (extra or holiday) and self.terms.kind is not ScheduleKind.CLASSIC:
            raise NotApplicableError("instalments that are added to a progressive loan")
        if moved_to is not None or extra or holiday:
            self._post("reschedule", Moved(self._today, start, moved_to, extra, holiday))

    def undo(self, step: Step) -> None:
        """Take back the nth transaction of a day, the nth of a kind of that day (or, if it has none, ever), or the
        latest repayment.
        """
        what, on = step["type"], day(step["made_on"]) if "made_on" in step else self._on(step)
        if what == "any":
            found = [entry for entry in self._entries if entry.what in TRANSACTIONS and entry.on == on]
            found = found[step["nth_on_date"] - 1 :]
        elif what == "last_repayment":
            found = [entry for entry in self._entries if entry.what == "repayment"][-1:]
        else:
            number = step["nth_on_date"]
            mine = [entry for entry in self._entries if entry.what == what]
            found = [entry for entry in mine if entry.on == on][number - 1 :]
            found = found or [entry for entry in mine if entry.number == number]
        if not found:
            raise NotApplicableError(f"undo of a {what} on {on}, of which there is none")
        self._take_back(found[0])

    def undo_last(self, what: str) -> None:
        """Take back the latest event of a kind."""
        self._take_back(next(entry for entry in reversed(self._entries) if entry.what == what))

    def undo_disbursal(self, _: Step) -> None:
        """Nothing was lent, so nothing was paid."""
        self._entries.clear()
        self.gone.clear()

    def undo_last_disbursal(self, _: Step) -> None:
        """The latest disbursement, and what was paid from its day on."""
        last = max(n for n, entry in enumerate(self._entries) if entry.what == "disburse")
        on = self._entries[last].on
        self._entries = [
            entry
            for n, entry in enumerate(self._entries)
            if n < last or (entry.what not in TRANSACTIONS and entry.on < on)
        ]


TRANSACTIONS = {
    *PAYMENTS,
    "down_payment",
    "disburse",
    "chargeback",
    "credit_balance_refund",
    "refund_by_cash",
    "charge_adjustment",
    "waive_charge",
    "charge_off",
    "reage",
    "reamortize",
}

HANDLERS: Mapping[str, Callable[[Replay, Step], None]] = {
    "business_date": Replay.business_date,
    "disburse": Replay.disburse,
    "pay_off": Replay.pay_off,
    "set_future_installments_rule": Replay.set_rule,
    "add_charge": Replay.add_charge,
    "charge_adjustment": Replay.adjust_charge,
    "waive_charge": Replay.waive_charge,
    "chargeback": Replay.charge_back,
    "charge_off": Replay.charge_off,
    "undo_charge_off": lambda replay, _: replay.undo_last("charge_off"),
    "credit_balance_refund": Replay.refund_credit,
    "refund_by_cash": Replay.refund_in_cash,
    "reamortize": Replay.reamortise,
    "undo_reamortize": lambda replay, _: replay.undo_last("reamortize"),
    "reage": Replay.reage,
    "undo_reage": lambda replay, _: replay.undo_last("reage"),
    "interest_pause": Replay.pause,
    "reschedule": Replay.reschedule,
    "undo": Replay.undo,
    "undo_disbursal": Replay.undo_disbursal,
    "undo_last_disbursal": Replay.undo_last_disbursal,
    "close_of_business": lambda _replay, _step: None,
}
"""The night's run changes nothing here: late fees by percentage are refused with their product."""
