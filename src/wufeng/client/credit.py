"""Lines, bills, plans and repayments."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from msgspec import Struct

from wufeng.client.explanations import Explanation
from wufeng.client.payments import Confirmation
from wufeng.client.resource import Listing, Resource, at, given
from wufeng.client.transport import Repeat


class Line(Struct, frozen=True, kw_only=True):
    """A person's credit under one product."""

    id: str
    created_at: datetime
    person: str
    product: str
    status: str
    currency: str
    limit_minor: int
    temporary_limit_minor: int | None = None
    temporary_until_on: date | None = None
    effective_limit_minor: int | None = None
    over_limit_minor: int = 0
    used_minor: int
    held_minor: int
    available_minor: int
    frozen_until_on: date | None = None
    billed_minor: int = 0
    unbilled_minor: int = 0
    credit_balance_minor: int = 0
    accrued_minor: int = 0
    minimum_minor: int = 0
    next_bill_on: date | None = None
    next_due_on: date | None = None
    days_past_due: int = 0
    band: str = "M0"
    tier: str = "standard"
    tier_name: str = ""
    rates: dict[str, int] = {}
    lenders: list[dict[str, Any]] = []


class LineChange(Struct, frozen=True, kw_only=True):
    """One entry of a line's history."""

    id: str
    created_at: datetime
    line: str
    kind: str
    actor: str
    reason: str
    limit_minor: int
    amount_minor: int | None = None
    until_on: date | None = None
    staff: str | None = None


class CreditCap(Struct, frozen=True, kw_only=True):
    """What all lines of a person together may come to, and come to."""

    person: str
    currency: str
    cap_minor: int | None
    used_minor: int
    held_minor: int
    available_minor: int | None


class Draw(Struct, frozen=True, kw_only=True):
    """One use of a line."""

    id: str
    created_at: datetime
    line: str
    payment: str
    status: str
    amount_minor: int
    tenor: int
    merchant: str | None = None
    unbilled_minor: int = 0
    posted_on: date | None = None
    billable_on: date | None = None


class BillPart(Struct, frozen=True, kw_only=True):
    """One kind of amount on a bill, and how it comes about."""

    kind: str
    amount_minor: int
    explain: Any = None


class Bill(Struct, frozen=True, kw_only=True):
    """What a line owes for one cycle."""

    id: str
    created_at: datetime
    line: str
    status: str
    currency: str
    issued_on: date
    due_on: date
    total_minor: int
    minimum_minor: int
    paid_minor: int
    unpaid_minor: int | None = None
    accrued_minor: int = 0
    parts: list[BillPart] = []


class PlanInstalment(Struct, frozen=True, kw_only=True):
    """One due part of a plan."""

    number: int
    status: str
    amount_minor: int
    principal_minor: int | None = None
    fee_minor: int | None = None
    unpaid_minor: int | None = None
    bill: str | None = None
    due_on: date | None = None


class Plan(Struct, frozen=True, kw_only=True):
    """How a draw is repaid."""

    id: str
    created_at: datetime
    line: str
    draw: str
    tenor: int
    amount_minor: int
    total_cost_minor: int
    annualised_rate_ppm: int
    instalments: list[PlanInstalment]


class Allocation(Struct, frozen=True, kw_only=True):
    """One piece of a repayment: to a bill, or to a draw before its bill."""

    part: str
    amount_minor: int
    bill: str | None = None
    draw: str | None = None
    instalment: int | None = None


class Repayment(Struct, frozen=True, kw_only=True):
    """Money that came in for a line."""

    id: str
    created_at: datetime
    line: str
    status: str
    amount_minor: int
    currency: str | None = None
    source: str | None = None
    value_on: date | None = None
    posted_on: date | None = None
    allocation: list[Allocation] = []
    saved_minor: int = 0


class Lines(Resource):
    """Lines of the caller, or for staff of a person."""

    def list(self, *, person: str | None = None, limit: int | None = None) -> Listing[Line]:
        """Lines, the latest first."""
        return self._list(Line, "/v1/lines", given(person=person, limit=limit))

    async def get(self, id_: str) -> Line:
        """One line."""
        return await self._get(Line, f"/v1/lines/{at(id_)}")

    async def open(
        self,
        *,
        person: str,
        product: str,
        limit_minor: int,
        reason: str,
        mode: str | None = None,
        idempotency_key: str | None = None,
    ) -> Line:
        """Open a line for a person, as staff, with the reason for it.

        mode  `order` (each draw on dates of its own) or `bill`, where the product has both; none: its first
        """
        body = given(person=person, product=product, limit_minor=limit_minor, reason=reason, mode=mode)
        return await self._pay(Line, "/v1/lines", body, idempotency_key)

    async def set_limit(
        self, id_: str, *, limit_minor: int, until: date | None = None, reason: str | None = None
    ) -> Line:
        """Change the limit: a person lowers it, staff set it; `until` a date: raise it for a time beside that."""
        return await self._change(id_, "limit", given(limit_minor=limit_minor, until=until, reason=reason))

    async def freeze(self, id_: str, *, until: date | None = None, reason: str | None = None) -> Line:
        """No new draws, for good or until a date."""
        return await self._change(id_, "freeze", given(until=until, reason=reason))

    async def unfreeze(self, id_: str, *, reason: str | None = None) -> Line:
        """Draws again."""
        return await self._change(id_, "unfreeze", given(reason=reason))

    async def set_due_day(self, id_: str, *, due_day: int, reason: str | None = None) -> Line:
        """The day of the month on which bills are due."""
        return await self._change(id_, "due_day", given(due_day=due_day, reason=reason))

    async def set_auto_debit(self, id_: str, *, sources: Sequence[str], reason: str | None = None) -> Line:
        """Have bills debited on their due date from wallets or bank accounts, in this order; none: no more."""
        return await self._change(id_, "auto_debit", given(sources=sources, reason=reason))

    async def close(self, id_: str, *, reason: str | None = None, idempotency_key: str | None = None) -> Line:
        """End the line once nothing is owed; what stands in the person's favour is paid out."""
        return await self._pay(Line, f"/v1/lines/{at(id_)}/close", given(reason=reason), idempotency_key)

    def history(self, id_: str, *, limit: int | None = None) -> Listing[LineChange]:
        """What was done to a line, the latest first."""
        return self._list(LineChange, f"/v1/lines/{at(id_)}/history", given(limit=limit))

    async def cap(self, id_: str) -> CreditCap:
        """What all lines of a person together may come to, by the person's id."""
        return await self._get(CreditCap, f"/v1/people/{at(id_)}/credit_cap")

    async def set_cap(self, id_: str, *, cap_minor: int | None, reason: str) -> CreditCap:
        """Cap what all lines of a person together may come to, as staff; None: no cap any more."""
        body = {"cap_minor": cap_minor, "reason": reason}
        return await self._post(CreditCap, f"/v1/people/{at(id_)}/credit_cap", body, Repeat.SAFE)

    def draws(self, id_: str, *, limit: int | None = None) -> Listing[Draw]:
        """The uses of a line, the latest first."""
        return self._list(Draw, f"/v1/lines/{at(id_)}/draws", given(limit=limit))

    async def _change(self, id_: str, what: str, body: dict[str, Any]) -> Line:
        """These set a state rather than move it, so they may be sent again."""
        return await self._post(Line, f"/v1/lines/{at(id_)}/{what}", body, Repeat.SAFE)


class BillPlanInstalment(Struct, frozen=True, kw_only=True):
    """One period of a plan that a bill could be split into."""

    number: int
    due_on: date
    principal_minor: int
    fee_minor: int
    amount_minor: int


class BillPlanOption(Struct, frozen=True, kw_only=True):
    """One way to split a bill, with its price."""

    quote_option: str
    tenor: int
    amount_minor: int
    instalment_minor: int
    instalments: tuple[BillPlanInstalment, ...]
    total_cost_minor: int
    annualised_rate_ppm: int
    effective_rate_ppm: int = 0
    eu_rate_ppm: int = 0
    us_rate_ppm: int | None = None


class BillPlanOptions(Struct, frozen=True, kw_only=True):
    """All the ways to split a bill today; none, with the reason, when there is none."""

    bill: str
    least_minor: int
    most_minor: int
    options: tuple[BillPlanOption, ...]
    reason: str | None = None


class Bills(Resource):
    """What a line owes, cycle by cycle."""

    def list(self, *, line: str, limit: int | None = None) -> Listing[Bill]:
        """A line's bills, the latest first."""
        return self._list(Bill, "/v1/bills", given(line=line, limit=limit))

    async def get(self, id_: str) -> Bill:
        """One bill."""
        return await self._get(Bill, f"/v1/bills/{at(id_)}")

    async def csv(self, id_: str) -> bytes:
        """One bill as a table."""
        return await self._download(f"/v1/bills/{at(id_)}", "text/csv")

    async def pdf(self, id_: str) -> bytes:
        """One bill on paper, in the client's language."""
        return await self._download(f"/v1/bills/{at(id_)}", "application/pdf")

    async def explain(self, id_: str) -> Explanation:
        """How each amount of a bill came about."""
        return await self._get(Explanation, f"/v1/bills/{at(id_)}/explain")


class Plans(Resource):
    """How draws are repaid, and bills that are put into instalments."""

    async def options(self, id_: str, *, amount_minor: int | None = None) -> BillPlanOptions:
        """What a bill (its id) could be split into today; no amount: as much of it as may be."""
        query = given(amount_minor=amount_minor)
        return await self._get(BillPlanOptions, f"/v1/bills/{at(id_)}/plans", query)

    async def create(
        self,
        *,
        bill: str,
        amount_minor: int,
        quote_option: str,
        confirmation: Confirmation,
        idempotency_key: str | None = None,
    ) -> Plan:
        """Put an amount of a bill into instalments, at an option of `options`, with the person's PIN."""
        body = given(
            bill=bill, amount_minor=amount_minor, quote_option=quote_option, confirmation=confirmation
        )
        return await self._pay(Plan, "/v1/plans", body, idempotency_key)

    async def get(self, id_: str) -> Plan:
        """One plan."""
        return await self._get(Plan, f"/v1/plans/{at(id_)}")

    async def explain(self, id_: str) -> Explanation:
        """How each instalment of a plan came about."""
        return await self._get(Explanation, f"/v1/plans/{at(id_)}/explain")


class Repayments(Resource):
    """Money in."""

    async def create(
        self,
        *,
        line: str,
        amount_minor: int | str | None = None,
        source: str | None = None,
        plan: str | None = None,
        value_on: date | None = None,
        reason: str | None = None,
        idempotency_key: str | None = None,
    ) -> Repayment:
        """Repay an amount, or `all`, `billed`, `minimum`; or a plan, whole.

        source    a wallet or a bank account of the person's, or `external`: money that came in another way
        value_on  an earlier date that it counts from, for the operator
        reason    what staff book it for, kept in the audit
        """
        body = given(
            line=line,
            amount_minor=amount_minor,
            source=source,
            plan=plan,
            value_on=value_on,
            reason=reason,
        )
        return await self._pay(Repayment, "/v1/repayments", body, idempotency_key)

    async def get(self, id_: str) -> Repayment:
        """One repayment."""
        return await self._get(Repayment, f"/v1/repayments/{at(id_)}")

    async def explain(self, id_: str) -> Explanation:
        """Where the money of a repayment went, and by which rule."""
        return await self._get(Explanation, f"/v1/repayments/{at(id_)}/explain")

    async def reverse(self, id_: str, *, reason: str, idempotency_key: str | None = None) -> Repayment:
        """The money did not stay: what the repayment had paid is owed again."""
        return await self._pay(
            Repayment, f"/v1/repayments/{at(id_)}/reverse", {"reason": reason}, idempotency_key
        )
