"""Payments and refunds."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from msgspec import Struct

from wufeng.client.explanations import Explanation
from wufeng.client.orders import InlineOrder, Instalment, Reason
from wufeng.client.resource import Listing, Resource, at, given


class Source(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What to pay from: a wallet, a line with its months, or a family card by itself."""

    wallet: str | None = None
    line: str | None = None
    family_card: str | None = None
    tenor: int | None = None


class Confirmation(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The payer's yes with its proof: Confirmation(kind="pin", proof="135790").

    kind   `pin`; `passkey`, whose proof is its answer as JSON; `passkey_code`, with the one-time code beside it
    """

    kind: str
    proof: str
    code: str | None = None


class Funding(Struct, frozen=True, kw_only=True):
    """One source of a payment, with what became of it."""

    kind: str
    amount_minor: int
    wallet: str | None = None
    line: str | None = None
    draw: str | None = None
    tenor: int | None = None
    product: str | None = None
    instalments: list[Instalment] = []
    lenders: list[dict[str, Any]] = []
    annualised_rate_ppm: int | None = None


class NextAction(Struct, frozen=True, kw_only=True):
    """What the payer has to do. `needs`: the weakest confirmation that will do."""

    kind: str
    url: str | None = None
    needs: str | None = None
    expires_at: datetime | None = None


class Payment(Struct, frozen=True, kw_only=True):
    """One attempt to pay an order: also one that was declined, which is an answer and not an error."""

    id: str
    created_at: datetime
    status: str
    order: str
    order_no: str
    merchant: str
    payer: str
    amount_minor: int
    currency: str
    captured_minor: int = 0
    refunded_minor: int = 0
    fee_minor: int | None = None
    funding: list[Funding] = []
    decision: str | None = None
    reasons: list[Reason] = []
    next_action: NextAction | None = None
    confirmed_by: str | None = None
    expires_at: datetime | None = None
    captured_at: datetime | None = None
    scene: str | None = None
    subject: str | None = None
    channel: str | None = None

    @property
    def is_declined(self) -> bool:
        """Whether the decision was no; `reasons` say why, the first is *the* reason."""
        return self.status == "declined"


class Effect(Struct, frozen=True, kw_only=True):
    """Where a part of a refund went."""

    kind: str
    amount_minor: int
    to: str | None = None


class Refund(Struct, frozen=True, kw_only=True):
    """Money given back of a captured payment."""

    id: str
    created_at: datetime
    status: str
    payment: str
    refund_no: str
    amount_minor: int
    currency: str | None = None
    reason: str | None = None
    reason_code: str = "other"
    charges_returned_minor: int = 0
    effects: list[Effect] = []
    value_on: date | None = None


class UndonePayment(Struct, frozen=True, kw_only=True):
    """A payment that was undone: the refunds that did it, one for each date of capture."""

    payment: str
    refunds: list[Refund]


class Payments(Resource):
    """Payments: start, confirm, capture, void, read."""

    async def create(
        self,
        *,
        order: str | InlineOrder,
        payer: str | None = None,
        pay_code: str | None = None,
        funding: Sequence[Source] | None = None,
        quote_option: str | None = None,
        capture: str | None = None,
        confirmation: Confirmation | None = None,
        idempotency_key: str | None = None,
    ) -> Payment:
        """Pay an order, by its id or inline. A declined payment is returned like any other: look at `status`."""
        body = given(
            order=order,
            payer=payer,
            pay_code=pay_code,
            funding=funding,
            quote_option=quote_option,
            capture=capture,
            confirmation=confirmation,
        )
        return await self._pay(Payment, "/v1/payments", body, idempotency_key)

    async def confirm(
        self,
        id_: str,
        confirmation: Confirmation,
        *,
        funding: Sequence[Source] | None = None,
        quote_option: str | None = None,
        idempotency_key: str | None = None,
    ) -> Payment:
        """The payer's yes, and if they wish another funding."""
        body = given(confirmation=confirmation, funding=funding, quote_option=quote_option)
        return await self._pay(Payment, f"/v1/payments/{at(id_)}/confirm", body, idempotency_key)

    async def refuse(self, id_: str, *, idempotency_key: str | None = None) -> Payment:
        """The payer's no."""
        return await self._pay(Payment, f"/v1/payments/{at(id_)}/confirm", {"refuse": True}, idempotency_key)

    async def capture(
        self,
        id_: str,
        *,
        amount_minor: int | None = None,
        final: bool | None = None,
        idempotency_key: str | None = None,
    ) -> Payment:
        """Take an authorised amount: all of it, or a part; `final` (the default) releases the rest."""
        body = given(amount_minor=amount_minor, final=final)
        return await self._pay(Payment, f"/v1/payments/{at(id_)}/capture", body, idempotency_key)

    async def void(self, id_: str, *, idempotency_key: str | None = None) -> Payment:
        """Release an authorised amount."""
        return await self._pay(Payment, f"/v1/payments/{at(id_)}/void", {}, idempotency_key)

    async def undo(self, id_: str, *, reason: str, idempotency_key: str | None = None) -> UndonePayment:
        """As staff: give back what is left of a captured payment as of its captures, as if it had never been."""
        body = {"reason": reason}
        return await self._pay(UndonePayment, f"/v1/payments/{at(id_)}/undo", body, idempotency_key)

    async def review(
        self, id_: str, *, approve: bool, reason: str, idempotency_key: str | None = None
    ) -> Payment:
        """A reviewer's word, as staff, on a payment that waits for one."""
        body = {"approve": approve, "reason": reason}
        return await self._pay(Payment, f"/v1/payments/{at(id_)}/review", body, idempotency_key)

    async def get(self, id_: str) -> Payment:
        """One payment."""
        return await self._get(Payment, f"/v1/payments/{at(id_)}")

    def list(
        self,
        *,
        order_no: str | None = None,
        idempotency_key: str | None = None,
        payer: str | None = None,
        status: str | None = None,
        limit: int | None = None,
    ) -> Listing[Payment]:
        """The caller's payments, the latest first; by its key, the one whose answer was lost."""
        query = given(
            order_no=order_no, idempotency_key=idempotency_key, payer=payer, status=status, limit=limit
        )
        return self._list(Payment, "/v1/payments", query)


class Refunds(Resource):
    """Refunds of captured payments."""

    async def create(
        self,
        *,
        payment: str,
        refund_no: str,
        amount_minor: int,
        reason: str | None = None,
        reason_code: str | None = None,
        value_on: date | None = None,
        idempotency_key: str | None = None,
    ) -> Refund:
        """Give back a part or the whole; `refund_no` is unique within the payment.

        reason_code  changed_mind, not_received, faulty, not_as_described, duplicate or other: where it is the
                     merchant's fault, fees of instalments that the payer has paid come back too
        value_on     for staff: the earlier date from which it counts, as if it had been made then
        """
        body = given(
            payment=payment,
            refund_no=refund_no,
            amount_minor=amount_minor,
            reason=reason,
            reason_code=reason_code,
            value_on=value_on,
        )
        return await self._pay(Refund, "/v1/refunds", body, idempotency_key)

    async def get(self, id_: str) -> Refund:
        """One refund."""
        return await self._get(Refund, f"/v1/refunds/{at(id_)}")

    async def explain(self, id_: str) -> Explanation:
        """What a refund did to what its payer owes, and what went back: for its payer."""
        return await self._get(Explanation, f"/v1/refunds/{at(id_)}/explain")
