"""Codes and links to be paid by: a merchant's, and a person's for a friend who pays."""

from datetime import datetime

from msgspec import Struct

from wufeng.client.orders import Order
from wufeng.client.resource import Listing, Resource, at, given
from wufeng.client.transport import Call, Repeat


class MerchantCode(Struct, frozen=True, kw_only=True):
    """A code to print. `url` opens the pay page in any phone; `emv` is the text of the code for wallets."""

    id: str
    created_at: datetime
    merchant: str
    label: str
    currency: str
    status: str
    url: str
    emv: str
    subject: str | None = None
    amount_minor: int | None = None
    closed_at: datetime | None = None


class OrderCode(Struct, frozen=True, kw_only=True):
    """The code of one order, as text and drawn."""

    order: str
    url: str
    emv: str
    url_svg: str
    emv_svg: str


class Scan(Struct, frozen=True, kw_only=True):
    """What a text leads to. `url` is the page to pay it on; no amount: whoever pays says it."""

    kind: str
    status: str
    merchant: str
    merchant_name: str
    currency: str
    subject: str
    url: str
    amount_minor: int | None = None
    merchant_code: str | None = None
    payment_link: str | None = None
    friend_link: str | None = None
    order: str | None = None
    asked_by: str | None = None


class PaymentLink(Struct, frozen=True, kw_only=True):
    """A link for chats; `uses` counts the orders of it that are paid."""

    id: str
    created_at: datetime
    merchant: str
    amount_minor: int
    currency: str
    subject: str
    uses_max: int
    uses: int
    status: str
    expires_at: datetime
    url: str
    closed_at: datetime | None = None


class FriendLink(Struct, frozen=True, kw_only=True):
    """A person's link for somebody else to pay an order."""

    id: str
    created_at: datetime
    order: str
    merchant: str
    amount_minor: int
    currency: str
    subject: str
    status: str
    expires_at: datetime
    url: str
    cancelled_at: datetime | None = None


class MerchantCodes(Resource):
    """A merchant's codes on paper."""

    async def create(
        self, *, label: str, subject: str | None = None, amount_minor: int | None = None
    ) -> MerchantCode:
        """Make one; without an amount whoever pays keys it in."""
        body = given(label=label, subject=subject, amount_minor=amount_minor)
        return await self._post(MerchantCode, "/v1/merchant_codes", body)

    async def get(self, id_: str) -> MerchantCode:
        """One code."""
        return await self._get(MerchantCode, f"/v1/merchant_codes/{at(id_)}")

    def list(self, *, limit: int | None = None) -> Listing[MerchantCode]:
        """The merchant's codes, the newest first."""
        return self._list(MerchantCode, "/v1/merchant_codes", given(limit=limit))

    async def close(self, id_: str) -> MerchantCode:
        """Whoever scans it is told that it takes no payments."""
        return await self._post(MerchantCode, f"/v1/merchant_codes/{at(id_)}/close", {}, Repeat.SAFE)

    async def svg(self, id_: str) -> bytes:
        """Its link, drawn as a QR code."""
        return await self._download(f"/v1/merchant_codes/{at(id_)}", "image/svg+xml")

    async def poster(self, id_: str, *, paper: str = "a5") -> bytes:
        """A poster of it as PDF, on `a4` or `a5`."""
        path = f"/v1/merchant_codes/{at(id_)}"
        call = Call(method="GET", path=path, query={"paper": paper}, accept="application/pdf")
        return (await self._transport.send(call)).body

    async def order(
        self, id_: str, *, amount_minor: int | None = None, idempotency_key: str | None = None
    ) -> Order:
        """As a person who scanned it: the order that is going to be paid."""
        body = given(amount_minor=amount_minor)
        return await self._pay(Order, f"/v1/merchant_codes/{at(id_)}/orders", body, idempotency_key)

    async def of_order(self, id_: str) -> OrderCode:
        """The code of one order, for a till's screen; `id_` is the order's."""
        return await self._get(OrderCode, f"/v1/orders/{at(id_)}/code")


class Scans(Resource):
    """What was scanned."""

    async def read(self, text: str) -> Scan:
        """What the text of a code, a link or a code's id leads to."""
        return await self._post(Scan, "/v1/scans", {"text": text}, Repeat.SAFE)


class PaymentLinks(Resource):
    """A merchant's links for chats."""

    async def create(
        self,
        *,
        amount_minor: int,
        subject: str,
        uses_max: int | None = None,
        expires_at: datetime | None = None,
    ) -> PaymentLink:
        """Make one; it can be paid once, within seven days, unless told otherwise."""
        body = given(amount_minor=amount_minor, subject=subject, uses_max=uses_max, expires_at=expires_at)
        return await self._post(PaymentLink, "/v1/payment_links", body)

    async def get(self, id_: str) -> PaymentLink:
        """One link."""
        return await self._get(PaymentLink, f"/v1/payment_links/{at(id_)}")

    def list(self, *, limit: int | None = None) -> Listing[PaymentLink]:
        """The merchant's links, the newest first."""
        return self._list(PaymentLink, "/v1/payment_links", given(limit=limit))

    async def close(self, id_: str) -> PaymentLink:
        """End it."""
        return await self._post(PaymentLink, f"/v1/payment_links/{at(id_)}/close", {}, Repeat.SAFE)

    async def order(self, id_: str, *, token: str) -> Order:
        """As a person who was sent it: the order that is going to be paid. `token` ends the link's address."""
        return await self._post(Order, f"/v1/payment_links/{at(id_)}/orders", {"token": token}, Repeat.SAFE)


class FriendLinks(Resource):
    """A person's links for friends who pay."""

    async def create(self, id_: str) -> FriendLink:
        """For an order that waits, whose id is `id_`; asked again, the same one."""
        return await self._post(FriendLink, f"/v1/orders/{at(id_)}/friend_links", {}, Repeat.SAFE)

    async def get(self, id_: str) -> FriendLink:
        """One link, and whether it was paid."""
        return await self._get(FriendLink, f"/v1/friend_links/{at(id_)}")

    async def cancel(self, id_: str) -> FriendLink:
        """Ask no longer."""
        return await self._post(FriendLink, f"/v1/friend_links/{at(id_)}/cancel", {}, Repeat.SAFE)
