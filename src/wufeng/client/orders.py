"""Orders, what it costs to pay them, and hosted pages to pay them on."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct, structs

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


class Run(Struct, frozen=True):
    """Parts of one amount that follow each other."""

    count: int
    amount_minor: int
    monthly: bool


class Offer(Struct, frozen=True, kw_only=True):
    """A way to pay in instalments, for a product page. `runs`: its parts by equal amounts, in their order."""

    product: str
    tenor: int
    instalment_minor: int
    total_cost_minor: int
    annualised_rate_ppm: int
    runs: list[Run] = []
    effective_rate_ppm: int = 0
    eu_rate_ppm: int = 0
    us_rate_ppm: int | None = None
    campaign: str | None = None


class QuoteOption(Struct, frozen=True, kw_only=True):
    """One priced way to pay. Its `id` goes into the payment."""

    id: str
    available: bool
    total_cost_minor: int
    annualised_rate_ppm: int
    effective_rate_ppm: int = 0
    eu_rate_ppm: int = 0
    us_rate_ppm: int | None = None
    product: str | None = None
    tenor: int | None = None
    campaign: str | None = None
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


class CheckoutSession(Struct, frozen=True, kw_only=True):
    """The hosted page of one order."""

    id: str
    created_at: datetime
    order: str
    url: str
    status: str | None = None
    expires_at: datetime | None = None
    return_url: str | None = None
    cancel_url: str | None = None


class Orders(Resource):
    """A merchant's orders."""

    async def create(self, order: InlineOrder, *, channel: str | None = None) -> Order:
        """Make an order. Its number names it for ever, so sending it again gives the same order.

        channel  how it is offered: `app`, `checkout` or `dynamic_code`
        """
        fields = given(**structs.asdict(order), channel=channel)
        fields.pop("merchant", None)
        return await self._post(Order, "/v1/orders", fields, Repeat.SAFE)

    async def get(self, id_: str) -> Order:
        """One order."""
        return await self._get(Order, f"/v1/orders/{at(id_)}")

    def list(self, *, limit: int | None = None) -> Listing[Order]:
        """The merchant's orders, the latest first."""
        return self._list(Order, "/v1/orders", given(limit=limit))

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
        scene: str | None = None,
        payer: str | None = None,
    ) -> Quote:
        """The priced ways to pay an order, or an amount at a merchant's."""
        body = given(order=order, merchant=merchant, amount_minor=amount_minor, scene=scene, payer=payer)
        return await self._post(Quote, "/v1/quotes", body, Repeat.SAFE)


class CheckoutSessions(Resource):
    """Hosted pages."""

    async def create(
        self,
        *,
        order: str,
        return_url: str,
        cancel_url: str | None = None,
        tenors: Sequence[int] | None = None,
        merchant_fee_share_ppm: int | None = None,
    ) -> CheckoutSession:
        """A page on which the payer pays an order; `cancel_url` is where somebody goes who does not."""
        body = given(
            order=order,
            return_url=return_url,
            cancel_url=cancel_url,
            tenors=tenors,
            merchant_fee_share_ppm=merchant_fee_share_ppm,
        )
        return await self._post(CheckoutSession, "/v1/checkout_sessions", body)

    async def get(self, id_: str) -> CheckoutSession:
        """One session."""
        return await self._get(CheckoutSession, f"/v1/checkout_sessions/{at(id_)}")

    async def expire(self, id_: str) -> CheckoutSession:
        """End it."""
        return await self._post(CheckoutSession, f"/v1/checkout_sessions/{at(id_)}/expire", {}, Repeat.SAFE)

    async def cancel(self, id_: str) -> CheckoutSession:
        """As a person who has the page: not to pay on it."""
        return await self._post(CheckoutSession, f"/v1/checkout_sessions/{at(id_)}/cancel", {}, Repeat.SAFE)
