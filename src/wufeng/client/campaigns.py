"""Subsidy campaigns: a merchant carries the price of instalments."""

from collections.abc import Sequence
from datetime import date, datetime

from msgspec import Struct

from wufeng.client.resource import Listing, Resource, at, given
from wufeng.client.transport import Repeat


class Campaign(Struct, frozen=True, kw_only=True):
    """What a merchant carries, and how much of it was used. No budget: no limit."""

    id: str
    created_at: datetime
    merchant: str
    name: str
    status: str
    from_on: date
    until_on: date
    order_least_minor: int
    order_most_minor: int | None
    tenors: tuple[int, ...]
    products: tuple[str, ...]
    share_ppm: int
    budget_minor: int | None
    used_minor: int
    currency: str


class Campaigns(Resource):
    """Campaigns of a merchant; the operator's server sees those of all."""

    async def create(
        self,
        *,
        name: str,
        from_on: date,
        until_on: date,
        tenors: Sequence[int],
        merchant: str | None = None,
        share_ppm: int | None = None,
        order_least_minor: int | None = None,
        order_most_minor: int | None = None,
        products: Sequence[str] | None = None,
        budget_minor: int | None = None,
        idempotency_key: str | None = None,
    ) -> Campaign:
        """Make one. A merchant leaves `merchant` out; without a share it carries the whole price."""
        body = given(
            merchant=merchant,
            name=name,
            from_on=from_on,
            until_on=until_on,
            tenors=tenors,
            share_ppm=share_ppm,
            order_least_minor=order_least_minor,
            order_most_minor=order_most_minor,
            products=products,
            budget_minor=budget_minor,
        )
        return await self._pay(Campaign, "/v1/campaigns", body, idempotency_key)

    async def get(self, id_: str) -> Campaign:
        """One campaign."""
        return await self._get(Campaign, f"/v1/campaigns/{at(id_)}")

    def list(self, *, merchant: str | None = None, limit: int | None = None) -> Listing[Campaign]:
        """Campaigns, the newest first."""
        return self._list(Campaign, "/v1/campaigns", given(merchant=merchant, limit=limit))

    async def pause(self, id_: str) -> Campaign:
        """No new price has it."""
        return await self._post(Campaign, f"/v1/campaigns/{at(id_)}/pause", {}, Repeat.SAFE)

    async def resume(self, id_: str) -> Campaign:
        """It goes on."""
        return await self._post(Campaign, f"/v1/campaigns/{at(id_)}/resume", {}, Repeat.SAFE)

    async def end(self, id_: str) -> Campaign:
        """It is over for good."""
        return await self._post(Campaign, f"/v1/campaigns/{at(id_)}/end", {}, Repeat.SAFE)
