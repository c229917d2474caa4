"""Merchants, API keys, staff and what they did: the operator's side; and the clock of test books."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from msgspec import Struct

from wufeng.client.resource import Listing, Resource, at, given
from wufeng.client.transport import Call, Repeat

CLOSES_MAX_S = 600.0
"""How long turning the clock may take: it closes every day on the way."""


class FeePlan(Struct, frozen=True):
    """What a merchant pays: millionths of each payment."""

    rate_ppm: int


class Merchant(Struct, frozen=True, kw_only=True):
    """Who sells. `api_key` is there only when it was just made."""

    id: str
    created_at: datetime
    name: str
    scene: str
    status: str
    fee_plan: FeePlan
    closed_at: datetime | None = None
    return_origins: list[str] = []
    api_key: str | None = None

    def __repr__(self) -> str:
        return f"Merchant({self.id})"


class ApiKey(Struct, frozen=True, kw_only=True):
    """A key. `secret`, the whole of it, is there only when it was just made."""

    id: str
    created_at: datetime
    kind: str
    name: str
    prefix: str
    scopes: list[str]
    addresses: list[str] = []
    revoked_at: datetime | None = None
    last_used_on: date | None = None
    secret: str | None = None

    def __repr__(self) -> str:
        return f"ApiKey({self.prefix})"


class StaffSession(Struct, frozen=True, kw_only=True):
    """A member of staff, signed in."""

    id: str
    created_at: datetime
    staff: str
    name: str
    role: str
    book: str
    expires_at: datetime
    token: str | None = None

    def __repr__(self) -> str:
        return f"StaffSession({self.id})"


class Member(Struct, frozen=True, kw_only=True):
    """A member of staff."""

    id: str
    created_at: datetime
    login: str
    name: str
    role: str
    status: str


class AuditEntry(Struct, frozen=True, kw_only=True):
    """What somebody did to an object, and why."""

    id: str
    created_at: datetime
    by_kind: str
    operation: str
    of: str
    reason: str
    by: str | None = None
    request_id: str | None = None


class BookClock(Struct, frozen=True, kw_only=True):
    """Where a book's clock stands."""

    book: str
    mode: str
    now_at: datetime
    business_on: date
    time_zone: str


class DayClosed(Struct, frozen=True, kw_only=True):
    """The close of one business date: rows by step, and what could not be done."""

    business_on: date
    steps: dict[str, int]
    rows: int
    errors: list[str]


class TurnedClock(Struct, frozen=True, kw_only=True):
    """The clock after it was turned, and the days that were closed by it."""

    clock: BookClock
    closes: list[DayClosed]


class Merchants(Resource):
    """Who sells."""

    async def create(
        self, *, name: str, scene: str, fee_plan: FeePlan, return_origins: Sequence[str] = ()
    ) -> Merchant:
        """Make a merchant; the answer alone holds its first key. `return_origins`: as set_return_origins says."""
        body = given(name=name, scene=scene, fee_plan=fee_plan, return_origins=list(return_origins) or None)
        return await self._post(Merchant, "/v1/merchants", body)

    async def get(self, id_: str) -> Merchant:
        """One merchant."""
        return await self._get(Merchant, f"/v1/merchants/{at(id_)}")

    async def set_return_origins(self, id_: str, origins: Sequence[str]) -> Merchant:
        """Say where its checkouts may send people back to; none: anywhere by https."""
        path = f"/v1/merchants/{at(id_)}/return_origins"
        return await self._post(Merchant, path, {"return_origins": list(origins)}, Repeat.SAFE)

    async def close(self, id_: str, *, reason: str) -> Merchant:
        """Close a merchant for good."""
        return await self._post(Merchant, f"/v1/merchants/{at(id_)}/close", {"reason": reason}, Repeat.SAFE)


class ApiKeys(Resource):
    """Keys of the caller, or of a merchant."""

    def list(self, *, merchant: str | None = None) -> Listing[ApiKey]:
        """Keys, the revoked ones too."""
        return self._list(ApiKey, "/v1/api_keys", given(merchant=merchant))

    async def create(
        self,
        *,
        name: str,
        merchant: str | None = None,
        scopes: Sequence[str] | None = None,
        addresses: Sequence[str] | None = None,
    ) -> ApiKey:
        """Make a key with some scopes, or with all that the caller can give; with address ranges, usable from these."""
        body = given(name=name, merchant=merchant, scopes=scopes, addresses=addresses)
        return await self._post(ApiKey, "/v1/api_keys", body)

    async def revoke(self, id_: str) -> ApiKey:
        """The next request with it is unauthenticated."""
        return await self._delete(ApiKey, f"/v1/api_keys/{at(id_)}")


class Staff(Resource):
    """The operator's people."""

    async def sign_in(self, *, login: str, password: str, book: str | None = None) -> StaffSession:
        """Sign in; the book only for those who work in several."""
        body: Mapping[str, str] = given(login=login, password=password, book=book)
        return await self._post(StaffSession, "/v1/staff_sessions", body)

    async def sign_out(self, session: str) -> None:
        """End the caller's own session."""
        await self._delete(dict, f"/v1/staff_sessions/{at(session)}")

    def list(self) -> Listing[Member]:
        """Who works in the book."""
        return self._list(Member, "/v1/staff")

    async def set_role(self, id_: str, *, role: str, reason: str) -> Member:
        """Give a member of staff another role; they sign in anew."""
        body = {"role": role, "reason": reason}
        return await self._post(Member, f"/v1/staff/{at(id_)}/role", body, Repeat.SAFE)

    def audit_entries(self, *, of: str) -> Listing[AuditEntry]:
        """Who did what to an object, the latest first."""
        return self._list(AuditEntry, "/v1/audit_entries", {"of": of})


class Clock(Resource):
    """The clock of a test book."""

    async def get(self) -> BookClock:
        """Where it stands."""
        return await self._get(BookClock, "/v1/clock")

    async def advance(self, *, days: int | None = None, to_on: date | None = None) -> TurnedClock:
        """Turn it forward by days, or to the beginning of a business date, closing each day on the way.

        Never sent twice: the days of a first sending may have passed. After OutcomeUnknown, look at `get`.
        """
        body = given(days=days, to_on=to_on)
        call = Call(
            method="POST", path="/v1/clock/advance", body=body, repeat=Repeat.ONCE, may_take_s=CLOSES_MAX_S
        )
        return await self._call(TurnedClock, call)
