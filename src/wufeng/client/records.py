"""How it came about: decisions and journals."""

from datetime import date, datetime
from typing import Any

from msgspec import Struct

from wufeng.client.orders import Reason
from wufeng.client.resource import Listing, Resource, at


class Decision(Struct, frozen=True, kw_only=True):
    """Why a payment was allowed or declined."""

    id: str
    created_at: datetime
    outcome: str
    payment: str | None = None
    reasons: list[Reason] = []
    features: dict[str, Any] = {}
    rules: Any = None
    versions: dict[str, Any] = {}


class Leg(Struct, frozen=True, kw_only=True):
    """One signed amount on an account; debits above zero."""

    account: str
    amount_minor: int
    kind: str | None = None
    owner: str | None = None


class Journal(Struct, frozen=True, kw_only=True):
    """A balanced set of legs."""

    id: str
    created_at: datetime
    kind: str
    currency: str
    business_on: date | None = None
    of: str | None = None
    legs: list[Leg] = []
    reverses: str | None = None


class Decisions(Resource):
    """Decisions."""

    async def get(self, id_: str) -> Decision:
        """One decision."""
        return await self._get(Decision, f"/v1/decisions/{at(id_)}")


class Journals(Resource):
    """Journals."""

    def list(self, *, of: str) -> Listing[Journal]:
        """The journals of an object, such as a payment or a bill."""
        return self._list(Journal, "/v1/journals", {"of": of})
