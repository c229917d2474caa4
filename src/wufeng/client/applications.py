"""Applications: open a credit line in one visit, and why limits are what they are."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from msgspec import Struct

from wufeng.client.payments import Confirmation
from wufeng.client.resource import Listing, Resource, at, given


class Consent(Struct, frozen=True, kw_only=True):
    """What is agreed to: a purpose of the terms, and the version of its text."""

    purpose: str
    version: int


class Declared(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a person says of themselves; the birth date only where no document tells it."""

    born_on: date | None = None
    income_month_minor: int = 0
    lines_elsewhere: int = 0
    repayments_elsewhere_month_minor: int = 0


class AskedConsent(Struct, frozen=True, kw_only=True):
    """What has to be agreed to, with its text."""

    purpose: str
    version: int
    title: str
    text: str


class ApplicationTerms(Struct, frozen=True, kw_only=True):
    """What may be applied for, with its key terms, and what has to be agreed to."""

    policy: str
    consents: list[AskedConsent]
    products: list[dict[str, Any]]


class ApplicationReason(Struct, frozen=True, kw_only=True):
    """Why nothing was offered, or what kept the limit low."""

    code: str
    adverse_action: str
    text: str


class Points(Struct, frozen=True, kw_only=True):
    """One addend of the score."""

    code: str
    value: int
    points: int
    most: int
    text: str


class LimitStep(Struct, frozen=True, kw_only=True):
    """What the limit was after one step."""

    code: str
    limit_minor: int
    text: str


class Paper(Struct, frozen=True, kw_only=True):
    """A document: its hash, and where it is read."""

    hash: str
    url: str
    version: int


class Application(Struct, frozen=True, kw_only=True):
    """An application; also one that was declined, which is an answer and not an error."""

    id: str
    created_at: datetime
    person: str
    product: str
    status: str
    currency: str
    kind: str = "opening"
    name: str = ""
    limit_minor: int | None = None
    grade: str | None = None
    score: int = 0
    price: dict[str, Any] | None = None
    reasons: list[ApplicationReason] = []
    points: list[Points] = []
    limit_steps: list[LimitStep] = []
    order: str | None = None
    order_minor: int | None = None
    mode: str | None = None
    line: str | None = None
    consents: list[dict[str, Any]] = []
    sheet: Paper | None = None
    contract: Paper | None = None
    expires_at: datetime | None = None
    accepted_at: datetime | None = None


class LineReview(Struct, frozen=True, kw_only=True):
    """One monthly review of a line, and what came of it."""

    id: str
    created_at: datetime
    line: str
    reviewed_on: date
    outcome: str
    before_minor: int
    limit_minor: int
    reasons: list[ApplicationReason] = []
    application: str | None = None


class Applications(Resource):
    """Applications of the caller, or for staff of a person."""

    async def terms(self) -> ApplicationTerms:
        """What the caller may apply for, and has to agree to."""
        return await self._get(ApplicationTerms, "/v1/application_terms")

    async def create(
        self,
        *,
        product: str,
        consents: Sequence[Consent],
        declared: Declared | None = None,
        order: str | None = None,
        mode: str | None = None,
        idempotency_key: str | None = None,
    ) -> Application:
        """Apply for a line; decided at once. Comes back to the one under way for the product.

        mode  `order` (each purchase is due by itself) or `bill` (one bill a month), of a product with both
        """
        body = given(product=product, consents=consents, declared=declared, order=order, mode=mode)
        return await self._pay(Application, "/v1/applications", body, idempotency_key)

    def list(self, *, person: str | None = None, limit: int | None = None) -> Listing[Application]:
        """Applications, the latest first."""
        return self._list(Application, "/v1/applications", given(person=person, limit=limit))

    def referred(self, *, limit: int | None = None) -> Listing[Application]:
        """Applications that wait for a decision of the staff, the longest waiting first."""
        return self._list(Application, "/v1/applications", given(status="referred", limit=limit))

    async def get(self, id_: str) -> Application:
        """One application."""
        return await self._get(Application, f"/v1/applications/{at(id_)}")

    async def accept(
        self,
        id_: str,
        confirmation: Confirmation,
        *,
        sheet_hash: str,
        idempotency_key: str | None = None,
    ) -> Application:
        """Sign the sheet that was read, by its hash: the line is open."""
        body = given(sheet_hash=sheet_hash, confirmation=confirmation)
        return await self._pay(Application, f"/v1/applications/{at(id_)}/accept", body, idempotency_key)

    async def refer(self, id_: str) -> Application:
        """Ask that a person looks at an application that was declined."""
        return await self._post(Application, f"/v1/applications/{at(id_)}/refer", {})

    async def withdraw_consent(self, id_: str, purpose: str) -> Application:
        """Take a consent back: what it was needed for stops, what was decided and drawn stands."""
        return await self._post(
            Application, f"/v1/applications/{at(id_)}/withdraw_consent", {"purpose": purpose}
        )

    async def decide(
        self,
        id_: str,
        *,
        reason: str,
        limit_minor: int | None = None,
        idempotency_key: str | None = None,
    ) -> Application:
        """Decide a referred application, as staff: a limit to offer, or none."""
        body = given(limit_minor=limit_minor, reason=reason)
        return await self._pay(Application, f"/v1/applications/{at(id_)}/decide", body, idempotency_key)

    async def sheet(self, id_: str) -> bytes:
        """The all-in cost sheet: the bytes whose SHA-256 is signed."""
        return await self._download(f"/v1/applications/{at(id_)}/sheet", "application/json")

    async def sheet_pdf(self, id_: str) -> bytes:
        """The all-in cost sheet to print."""
        return await self._download(f"/v1/applications/{at(id_)}/sheet", "application/pdf")

    async def contract(self, id_: str) -> bytes:
        """The contract: the bytes that are kept."""
        return await self._download(f"/v1/applications/{at(id_)}/contract", "application/json")

    async def contract_pdf(self, id_: str) -> bytes:
        """The contract to print, with who signed it when."""
        return await self._download(f"/v1/applications/{at(id_)}/contract", "application/pdf")

    def reviews(self, id_: str, *, limit: int | None = None) -> Listing[LineReview]:
        """The monthly reviews of a line, the latest first."""
        return self._list(LineReview, f"/v1/lines/{at(id_)}/reviews", given(limit=limit))
