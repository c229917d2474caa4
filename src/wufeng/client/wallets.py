"""Wallets, and what merchants are paid."""

from datetime import date, datetime

from msgspec import Struct

from wufeng.client.resource import Listing, Resource, at, given


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
