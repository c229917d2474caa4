"""What an application is decided from, how, and what is kept of it: inputs, policy, decision, states.

Rates are ppm, amounts minor units. A birth date is personal data and stays in identity: only the age comes here.
"""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias
from uuid import UUID

from msgspec import Struct

from wufeng.credit.lines.model import LineStatus
from wufeng.credit.products.model import STANDARD, Mode
from wufeng.identity.merchants.model import Scene


class ApplicationStatus(StrEnum):
    """Where an application stands (API.md)."""

    CHECKING = "checking"  # -> offered, referred, declined   decided in the transaction that takes it in
    OFFERED = "offered"  # -> accepted, lapsed
    REFERRED = "referred"  # -> offered, declined, lapsed     a person of the operator's decides
    ACCEPTED = "accepted"  # end   signed; its line is open, or its limit raised
    DECLINED = "declined"  # -> referred   when the person asks for a person, in time and once
    LAPSED = "lapsed"  # end


OPEN = frozenset({ApplicationStatus.CHECKING, ApplicationStatus.OFFERED, ApplicationStatus.REFERRED})
"""States of which a person has at most one application of a product."""


class ApplicationKind(StrEnum):
    """What an application is for."""

    OPENING = "opening"  # a line that is not there yet
    RAISE = "raise"  # a higher limit of a line, offered by its monthly review


class ApplicationReason(StrEnum):
    """Why an application was declined, or what kept a limit low. The order of this list is the order in which they
    stand: first those that API.md has for payments, in its order, then those of applications."""

    PAYER_FROZEN = "payer_frozen"
    LINE_IN_ARREARS = "line_in_arrears"
    LIMIT_EXCEEDED = "limit_exceeded"
    AFFORDABILITY = "affordability"
    RATE_CAP = "rate_cap"
    AGE_BELOW_MINIMUM = "age_below_minimum"
    TIER_TOO_LOW = "tier_too_low"
    BANK_ACCOUNT_MISSING = "bank_account_missing"
    TOO_MANY_APPLICATIONS = "too_many_applications"
    LATE_BEFORE = "late_before"
    LINES_ELSEWHERE = "lines_elsewhere"
    HISTORY_SHORT = "history_short"
    SPENDING_LOW = "spending_low"
    INFLOW_LOW = "inflow_low"
    DECLINED_BY_STAFF = "declined_by_staff"


REASON_ORDER = {reason: place for place, reason in enumerate(ApplicationReason)}


class Consent(Struct, frozen=True, forbid_unknown_fields=True):
    """What a person has agreed to: a purpose, and the version of its text (PRODUCTS.md 3.6)."""

    purpose: str
    version: int


class Habits(Struct, frozen=True):
    """What a person paid and brought in over the policy's last days.

    payments  captured ones of their own      paid_minor  their sum, refunds taken off
    scenes    in how many different ones
    inflow_minor  what came into the wallet from outside and was not sent back there
    """

    payments: int = 0
    paid_minor: int = 0
    scenes: int = 0
    inflow_minor: int = 0


NO_HABITS = Habits()


class Facts(Struct, frozen=True):
    """What other contexts know of a person: gathered above credit, which may not read payments, and handed in."""

    bank_accounts: int = 0
    habits: Habits = NO_HABITS


class Declared(Struct, frozen=True):
    """What a person says of themselves.

    lines_elsewhere                   credit lines and loans with others
    repayments_elsewhere_month_minor  what those take a month
    """

    income_month_minor: int = 0
    lines_elsewhere: int = 0
    repayments_elsewhere_month_minor: int = 0


class OrderWay(Struct, frozen=True):
    """A tenor in which an order may be paid, and what its merchant carries of the fee."""

    tenor: int
    merchant_share_ppm: int


class Purchase(Struct, frozen=True):
    """The order that an application is made for: its sheet is of this amount.

    ways  as checkout and campaigns have them when the sheet is made; None: every tenor, and nothing is carried
    """

    order_id: UUID
    amount_minor: int
    scene: Scene
    ways: tuple[OrderWay, ...] | None = None


class Inputs(Struct, frozen=True, kw_only=True):
    """All that a decision is made from, as it is kept: from this and the policy it can be made again.

    known_days       since the person was made               suspensions  of their lines by arrears, in a year
    others_minor     limits of their other lines here        declined     applications declined lately
    """

    frozen: bool
    age_years: int
    tier: int
    bank_accounts: int
    known_days: int
    payments: int
    paid_minor: int
    scenes: int
    inflow_minor: int
    income_month_minor: int
    lines_elsewhere: int
    repayments_elsewhere_month_minor: int
    suspensions: int
    in_arrears: bool
    others_minor: int
    declined: int

    @property
    def declared(self) -> Declared:
        """What the person said of themselves."""
        return Declared(self.income_month_minor, self.lines_elsewhere, self.repayments_elsewhere_month_minor)


class Characteristic(StrEnum):
    """What the scorecard gives points for; each is a field of `Inputs`."""

    TIER = "tier"
    BANK_ACCOUNTS = "bank_accounts"
    KNOWN_DAYS = "known_days"
    PAYMENTS = "payments"
    PAID = "paid_minor"
    SCENES = "scenes"
    INFLOW = "inflow_minor"
    LINES_ELSEWHERE = "lines_elsewhere"
    SUSPENSIONS = "suspensions"

    @property
    def more_is_worse(self) -> bool:
        """Whether a higher value may not bring more points."""
        return self in (Characteristic.LINES_ELSEWHERE, Characteristic.SUSPENSIONS)

    @property
    def is_amount(self) -> bool:
        """Whether its value is money."""
        return self in (Characteristic.PAID, Characteristic.INFLOW)


class Band(Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """Points from a value on."""

    from_: int
    points: int


class PointsRule(Struct, frozen=True, forbid_unknown_fields=True):
    """How many points one characteristic gives, and which reason it is when it gives few."""

    of: Characteristic
    reason: ApplicationReason
    bands: tuple[Band, ...]

    @property
    def most(self) -> int:
        """The most points that it gives."""
        return max(band.points for band in self.bands)


class Grade(Struct, frozen=True, forbid_unknown_fields=True):
    """From a score on: the limit, and which price list of the product; one that has none of that name gives its own.

    base_minor + spending_ppm of what a month's payments come to, at most max_minor
    """

    code: str
    score_min: int
    base_minor: int
    spending_ppm: int
    max_minor: int
    price: str


class PriceTier(Struct, frozen=True, forbid_unknown_fields=True):
    """A price list that a grade gives, if nothing a person pays of it is dearer than this a year."""

    name: str
    annualised_max_ppm: int


class Admission(Struct, frozen=True, forbid_unknown_fields=True):
    """Who is decided about at all. What a product asks for beyond it stands in its file (`opening`)."""

    history_days: int
    declined_days: int
    declined_max: int


class Affordability(Struct, frozen=True, forbid_unknown_fields=True):
    """What a person can repay a month: presumed_minor + a share of income − what is repaid elsewhere.

    income      the larger of what came into the wallet a month, and declared_ppm of what was declared
    months      a limit is at most so many months of it
    """

    presumed_minor: int
    income_share_ppm: int
    declared_ppm: int
    months: int


class OfferTerms(Struct, frozen=True, forbid_unknown_fields=True):
    """How long an offer and a referral stand, and to what limits are rounded down."""

    days: int
    refer_days: int
    refer_from: int
    step_minor: int
    person_max_minor: int


class Review(Struct, frozen=True, forbid_unknown_fields=True):
    """The monthly review (RISK.md 1.2): a raise is offered to lines that are old enough and used, a cut takes effect.

    used_min_ppm, used_max_ppm  of the limit      raise_max_ppm  of the limit, at once
    cut_from_ppm                a limit is lowered when the policy gives no more than this part of it
    """

    months_min: int
    used_min_ppm: int
    used_max_ppm: int
    raise_max_ppm: int
    cut_from_ppm: int


class ApplicationPolicy(Struct, frozen=True, kw_only=True):
    """One version of the policy; `name` is `application@1`."""

    name: str
    effective_from: date
    content_hash: str
    admission: Admission
    affordability: Affordability
    offer: OfferTerms
    review: Review
    consents: tuple[Consent, ...]
    points: tuple[PointsRule, ...]
    prices: tuple[PriceTier, ...]
    grades: tuple[Grade, ...]

    def price(self, name: str) -> PriceTier:
        """A price tier by its name. The file was checked: a grade's is there."""
        return next(price for price in self.prices if price.name == name)


class PointsLine(Struct, frozen=True):
    """One addend of a score: of `most` points, for this value."""

    of: Characteristic
    value: int
    points: int
    most: int


class Bound(StrEnum):
    """What made a limit what it is, step by step."""

    GRADE = "grade"
    SPENDING = "spending"
    GRADE_MAX = "grade_max"
    AFFORDABILITY = "affordability"
    PERSON_MAX = "person_max"
    PRODUCT_MAX = "product_max"
    ROUNDED = "rounded"
    RAISE_MAX = "raise_max"
    STAFF = "staff"


class LimitStep(Struct, frozen=True):
    """A limit after one step."""

    by: Bound
    limit_minor: int


class Offered(Struct, frozen=True, tag="offered"):
    """A line, or a higher limit, is offered. `reasons`: what most kept the limit low.

    price  what the grade gives      tier  the price list of the product that it comes to; of a raise: the line's own
    """

    score: int
    points: tuple[PointsLine, ...]
    reasons: tuple[ApplicationReason, ...]
    grade: str
    price: PriceTier
    limit_minor: int
    steps: tuple[LimitStep, ...]
    tier: str = STANDARD


class Referred(Struct, frozen=True, tag="referred"):
    """A person has to look at it."""

    score: int
    points: tuple[PointsLine, ...]
    reasons: tuple[ApplicationReason, ...]


class Declined(Struct, frozen=True, tag="declined"):
    """Nothing is offered, for these reasons."""

    score: int
    points: tuple[PointsLine, ...]
    reasons: tuple[ApplicationReason, ...]


Decision: TypeAlias = Offered | Referred | Declined


class Paper(Struct, frozen=True):
    """A document as it was shown: its canonical bytes and their SHA-256 (hex)."""

    content: bytes
    hash: str


NOTHING_WITHDRAWN: Mapping[str, datetime] = MappingProxyType({})


class Application(Struct, frozen=True, kw_only=True):
    """An application as its row keeps it.

    sheet, contract  as they were offered; None: nothing was      confirmed_by  the proof of the signature
    withdrawn        consents that were taken back since, by purpose: when
    review_on        the next monthly review of the line, kept by the application that was accepted last
    mode             in which its line is, or is to be opened; None: its product's first, of one from before the choice
    """

    id: UUID
    person_id: UUID
    kind: ApplicationKind
    product: str
    product_version: int
    currency: str
    status: ApplicationStatus
    policy: str
    inputs: Inputs
    decision: Decision
    limit_minor: int | None
    consents: tuple[Consent, ...]
    withdrawn: Mapping[str, datetime] = NOTHING_WITHDRAWN
    order_id: UUID | None = None
    order_minor: int | None = None
    line_id: UUID | None = None
    mode: Mode | None = None
    sheet: Paper | None = None
    contract: Paper | None = None
    confirmed_by: str | None = None
    expires_at: datetime | None = None
    review_on: date | None = None
    created_at: datetime
    decided_at: datetime
    accepted_at: datetime | None = None


class ReviewOutcome(StrEnum):
    """What a monthly review did."""

    OFFERED = "offered"  # a higher limit, as an application that the person may accept
    KEPT = "kept"
    LOWERED = "lowered"


class Raised(Struct, frozen=True):
    """A line whose limit is to be raised: as it counts now, and the limit that its review looked at."""

    status: LineStatus
    limit_minor: int
    reviewed_minor: int | None


class LineReview(Struct, frozen=True, kw_only=True):
    """One monthly review of a line: what was looked at, what came of it. `limit_minor` is the limit after it."""

    id: UUID
    line_id: UUID
    reviewed_on: date
    outcome: ReviewOutcome
    policy: str
    inputs: Inputs
    decision: Decision
    before_minor: int
    limit_minor: int
    application_id: UUID | None
    at: datetime
