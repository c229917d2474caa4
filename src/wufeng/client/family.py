"""Family cards: a person lets another spend from their wallet or a line."""

from datetime import datetime

from msgspec import Struct

from wufeng.client.payments import Confirmation, Payment
from wufeng.client.resource import Listing, Resource, at, given
from wufeng.client.transport import Repeat


class Seen(Struct, frozen=True, kw_only=True):
    """The other person of a card, masked."""

    name: str | None = None
    phone: str | None = None


class FamilyCard(Struct, frozen=True, kw_only=True):
    """A card as its owner or its spender reads it. Used and left are of this business month."""

    id: str
    created_at: datetime
    role: str
    status: str
    name: str
    other: Seen | None = None
    source: str
    line: str | None = None
    currency: str
    month_cap_minor: int
    payment_cap_minor: int | None = None
    used_minor: int
    left_minor: int
    expires_at: datetime | None = None


class FamilyCards(Resource):
    """Cards that the caller has given out or holds."""

    async def create(
        self,
        *,
        phone: str,
        name: str,
        month_cap_minor: int,
        confirmation: Confirmation,
        wallet: str | None = None,
        line: str | None = None,
        payment_cap_minor: int | None = None,
        idempotency_key: str | None = None,
    ) -> FamilyCard:
        """Invite whoever has that phone; the answer does not tell whether anybody does. From a wallet or a line."""
        body = given(
            phone=phone,
            name=name,
            wallet=wallet,
            line=line,
            month_cap_minor=month_cap_minor,
            payment_cap_minor=payment_cap_minor,
            confirmation=confirmation,
        )
        return await self._pay(FamilyCard, "/v1/family_cards", body, idempotency_key)

    async def get(self, id_: str) -> FamilyCard:
        """One card."""
        return await self._get(FamilyCard, f"/v1/family_cards/{at(id_)}")

    def list(self, *, role: str | None = None, limit: int | None = None) -> Listing[FamilyCard]:
        """Cards given out (role `owner`), or held and invited to (`spender`), the newest first."""
        return self._list(FamilyCard, "/v1/family_cards", given(role=role, limit=limit))

    def payments(self, id_: str, *, limit: int | None = None) -> Listing[Payment]:
        """Payments made with a card, declined ones too, the newest first."""
        return self._list(Payment, f"/v1/family_cards/{at(id_)}/payments", given(limit=limit))

    async def accept(self, id_: str) -> FamilyCard:
        """Take an invitation."""
        return await self._move(id_, "accept")

    async def set_cap(
        self,
        id_: str,
        *,
        month_cap_minor: int,
        payment_cap_minor: int | None = None,
        confirmation: Confirmation | None = None,
        idempotency_key: str | None = None,
    ) -> FamilyCard:
        """Set the caps; letting more be spent takes the owner's confirmation."""
        body = given(
            month_cap_minor=month_cap_minor, payment_cap_minor=payment_cap_minor, confirmation=confirmation
        )
        return await self._pay(FamilyCard, f"/v1/family_cards/{at(id_)}/cap", body, idempotency_key)

    async def pause(self, id_: str) -> FamilyCard:
        """It pays nothing until it is resumed."""
        return await self._move(id_, "pause")

    async def resume(self, id_: str) -> FamilyCard:
        """It pays again."""
        return await self._move(id_, "resume")

    async def stop(self, id_: str) -> FamilyCard:
        """It is over for good."""
        return await self._move(id_, "stop")

    async def _move(self, id_: str, move: str) -> FamilyCard:
        return await self._post(FamilyCard, f"/v1/family_cards/{at(id_)}/{move}", {}, Repeat.SAFE)
