"""How it came about: decisions and journals; and the clock of test books."""

from datetime import date, datetime
from typing import Any

from msgspec import Struct

from wufeng.client.payments import Reason
from wufeng.client.resource import Listing, Resource, at, given


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


class DayClosed(Struct, frozen=True, kw_only=True):
    """What the close of one business date did."""

    date: date
    steps: Any = None
    rows: Any = None
    errors: Any = None


class BookClock(Struct, frozen=True, kw_only=True):
    """Where a book's clock stands, and what turning it has closed."""

    now: datetime | None = None
    business_date: date | None = None
    closes: list[DayClosed] = []


class Decisions(Resource):
    """Decisions."""

    async def get(self, id_: str) -> Decision:
        """One decision."""
        return await self._get(Decision, f"/v1/decisions/{at(id_)}")


class Journals(Resource):
    """Journals."""

    def list(self, *, of: str, limit: int | None = None) -> Listing[Journal]:
        """The journals of an object, such as a payment or a bill."""
        return self._list(Journal, "/v1/journals", given(of=of, limit=limit))


class Clock(Resource):
    """The clock of a test book."""

    async def get(self) -> BookClock:
        """Where it stands."""
        return await self._get(BookClock, "/v1/clock")

    async def advance(self, *, days: int | None = None, to_on: date | None = None) -> BookClock:
        """Turn it forward by days, or to a business date, closing each day on the way.

        Never sent twice: the days of a first sending may have passed. After OutcomeUnknown, look at `get`.
        """
        return await self._post(BookClock, "/v1/clock/advance", given(days=days, to_on=to_on))
