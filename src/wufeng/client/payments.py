"""Orders, their prices, payments, refunds, checkouts; wallets and settlements."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from msgspec import Struct

from wufeng.client.resource import Listing, Resource, at, given
from wufeng.client.transport import Repeat


class InlineOrder(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An order made with its payment. A merchant leaves `merchant` out."""

    order_no: str
    amount_minor: int
    currency: str
    subject: str
    merchant: str | None = None
    scene: str | None = None
    receipt: str | None = None
    expires_at: datetime | None = None
    metadata: dict[str, str] | None = None


class Source(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What to pay from: a wallet, or a line with its months."""

    wallet: str | None = None
    line: str | None = None
    tenor: int | None = None


class Confirmation(Struct, frozen=True, kw_only=True):
    """The payer's yes with its proof: Confirmation(kind="pin", proof="135790")."""

    kind: str
    proof: str


class Reason(Struct, frozen=True, kw_only=True):
    """Why a payment was declined. `code` is stable."""

    code: str
    text: str
    adverse_action: str | None = None


class Instalment(Struct, frozen=True, kw_only=True):
    """One part of a plan."""

    number: int
    amount_minor: int
    principal_minor: int | None = None
    fee_minor: int | None = None


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
    """What the payer has to do."""

    kind: str
    url: str | None = None
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

    @property
    def is_declined(self) -> bool:
        """Whether the decision was no; `reasons` say why, the first is *the* reason."""
        return self.status == "declined"


class Order(Struct, frozen=True, kw_only=True):
    """What is to be paid."""

    id: str
    created_at: datetime
    merchant: str
    order_no: str
    amount_minor: int
    currency: str
    subject: str
    state: str
    scene: str | None = None
    receipt: str | None = None
    payment: str | None = None
    expires_at: datetime | None = None
    paid_at: datetime | None = None
    shipped_at: datetime | None = None
    receipt_confirmed_at: datetime | None = None
    metadata: dict[str, str] = {}


class Offer(Struct, frozen=True, kw_only=True):
    """A way to pay in instalments, for a product page."""

    product: str
    tenor: int
    instalment_minor: int
    total_cost_minor: int
    annualised_rate_ppm: int


class QuoteOption(Struct, frozen=True, kw_only=True):
    """One priced way to pay. Its `id` goes into the payment."""

    id: str
    available: bool
    total_cost_minor: int
    annualised_rate_ppm: int
    product: str | None = None
    tenor: int | None = None
    funding: list[dict[str, Any]] = []
    instalments: list[Instalment] = []
    late_terms: Any = None
    lenders: list[dict[str, Any]] = []
    reasons: list[Reason] = []


class Quote(Struct, frozen=True, kw_only=True):
    """The priced ways to pay one order."""

    id: str
    created_at: datetime
    expires_at: datetime
    options: list[QuoteOption]
    sheet_hash: str | None = None


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
    effects: list[Effect] = []


class CheckoutSession(Struct, frozen=True, kw_only=True):
    """The hosted page of one order."""

    id: str
    created_at: datetime
    order: str
    url: str
    status: str | None = None
    expires_at: datetime | None = None


class Wallet(Struct, frozen=True, kw_only=True):
    """A person's own money."""

    id: str
    created_at: datetime
    person: str
    balance_minor: int
    held_minor: int
    available_minor: int
    currency: str
    tier: int | None = None


class Movement(Struct, frozen=True, kw_only=True):
    """A top-up or a withdrawal; `object` says which. `pending` until the bank has answered."""

    id: str
    object: str
    created_at: datetime
    status: str
    wallet: str
    bank_account: str
    amount_minor: int
    currency: str
    failure: str | None = None
    posted_on: date | None = None


class Settlement(Struct, frozen=True, kw_only=True):
    """What a merchant is due for a business date, and its payout."""

    id: str
    created_at: datetime
    status: str
    merchant: str
    business_date: date
    currency: str
    gross_minor: int
    fees_minor: int
    refunds_minor: int
    net_minor: int
    payout_minor: int
    paid_on: date | None = None
    failure: str | None = None


class Orders(Resource):
    """A merchant's orders."""

    async def create(self, order: InlineOrder) -> Order:
        """Make an order. Its number names it for ever, so sending it again gives the same order."""
        body = {name: value for name, value in _fields(order).items() if name != "merchant"}
        return await self._post(Order, "/v1/orders", body, Repeat.SAFE)

    async def get(self, id_: str) -> Order:
        """One order."""
        return await self._get(Order, f"/v1/orders/{at(id_)}")

    def list(self, *, order_no: str | None = None, limit: int | None = None) -> Listing[Order]:
        """The merchant's orders, the latest first."""
        return self._list(Order, "/v1/orders", given(order_no=order_no, limit=limit))

    async def confirm_receipt(self, id_: str) -> Order:
        """The person has the goods."""
        return await self._post(Order, f"/v1/orders/{at(id_)}/confirm_receipt", {}, Repeat.SAFE)

    async def ship(self, id_: str) -> Order:
        """The goods are on their way."""
        return await self._post(Order, f"/v1/orders/{at(id_)}/ship", {}, Repeat.SAFE)

    async def close(self, id_: str) -> Order:
        """The order is not to be paid any more."""
        return await self._post(Order, f"/v1/orders/{at(id_)}/close", {}, Repeat.SAFE)


class Prices(Resource):
    """What it costs to pay with credit."""

    async def offers(self, *, merchant: str, amount_minor: int, scene: str | None = None) -> list[Offer]:
        """For product pages, without a person."""
        query = given(merchant=merchant, amount_minor=amount_minor, scene=scene)
        return await self._list(Offer, "/v1/offers", query).all()

    async def quote(
        self,
        *,
        order: str | None = None,
        merchant: str | None = None,
        amount_minor: int | None = None,
        currency: str | None = None,
        scene: str | None = None,
        payer: str | None = None,
    ) -> Quote:
        """The priced ways to pay an order, or an amount at a merchant's."""
        body = given(
            order=order,
            merchant=merchant,
            amount_minor=amount_minor,
            currency=currency,
            scene=scene,
            payer=payer,
        )
        return await self._post(Quote, "/v1/quotes", body, Repeat.SAFE)


class Payments(Resource):
    """Payments: start, confirm, capture, void, read."""

    async def create(
        self,
        *,
        order: str | InlineOrder,
        payer: str | None = None,
        funding: Sequence[Source] | None = None,
        quote_option: str | None = None,
        pay_code: str | None = None,
        capture: str | None = None,
        confirmation: Confirmation | None = None,
        idempotency_key: str | None = None,
    ) -> Payment:
        """Pay an order, by its id or inline. A declined payment is returned like any other: look at `status`."""
        body = given(
            order=order,
            payer=payer,
            funding=funding,
            quote_option=quote_option,
            pay_code=pay_code,
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
        idempotency_key: str | None = None,
    ) -> Refund:
        """Give back a part or the whole; `refund_no` is unique within the payment."""
        body = given(payment=payment, refund_no=refund_no, amount_minor=amount_minor, reason=reason)
        return await self._pay(Refund, "/v1/refunds", body, idempotency_key)

    async def get(self, id_: str) -> Refund:
        """One refund."""
        return await self._get(Refund, f"/v1/refunds/{at(id_)}")


class CheckoutSessions(Resource):
    """Hosted pages."""

    async def create(
        self,
        *,
        order: str,
        return_url: str,
        tenors: Sequence[int] | None = None,
        merchant_fee_share_ppm: int | None = None,
    ) -> CheckoutSession:
        """A page on which the payer pays an order."""
        body = given(
            order=order, return_url=return_url, tenors=tenors, merchant_fee_share_ppm=merchant_fee_share_ppm
        )
        return await self._post(CheckoutSession, "/v1/checkout_sessions", body)

    async def get(self, id_: str) -> CheckoutSession:
        """One session."""
        return await self._get(CheckoutSession, f"/v1/checkout_sessions/{at(id_)}")

    async def expire(self, id_: str) -> CheckoutSession:
        """End it."""
        return await self._post(CheckoutSession, f"/v1/checkout_sessions/{at(id_)}/expire", {}, Repeat.SAFE)


class Wallets(Resource):
    """A person's own money, and how it comes in and goes out."""

    async def get(self, id_: str) -> Wallet:
        """One wallet."""
        return await self._get(Wallet, f"/v1/wallets/{at(id_)}")

    async def top_up(
        self, id_: str, *, amount_minor: int, bank_account: str, idempotency_key: str | None = None
    ) -> Movement:
        """Pull money from the person's bank account."""
        body = {"amount_minor": amount_minor, "bank_account": bank_account}
        return await self._pay(Movement, f"/v1/wallets/{at(id_)}/top_ups", body, idempotency_key)

    async def withdraw(
        self, id_: str, *, amount_minor: int, bank_account: str, idempotency_key: str | None = None
    ) -> Movement:
        """Pay money out to the person's bank account."""
        body = {"amount_minor": amount_minor, "bank_account": bank_account}
        return await self._pay(Movement, f"/v1/wallets/{at(id_)}/withdrawals", body, idempotency_key)


class Settlements(Resource):
    """What a merchant is paid."""

    def list(self, *, limit: int | None = None) -> Listing[Settlement]:
        """The merchant's settlements, the latest first."""
        return self._list(Settlement, "/v1/settlements", given(limit=limit))

    async def get(self, id_: str) -> Settlement:
        """One settlement."""
        return await self._get(Settlement, f"/v1/settlements/{at(id_)}")

    async def csv(self, id_: str) -> bytes:
        """One settlement as a table."""
        return await self._download(f"/v1/settlements/{at(id_)}", "text/csv")


def _fields(order: InlineOrder) -> Mapping[str, object]:
    return given(**{name: getattr(order, name) for name in order.__struct_fields__})
