"""What the risk engine knows and answers: reasons in their order, outcomes, policies, features, decisions.

Structs that every payment makes say gc=False, here and in payments: they hold no cycles, and the collector would walk
over each of them (a fifth of the Python time of a batch was its own).
"""

from datetime import date, datetime
from enum import IntEnum, StrEnum
from uuid import UUID

from msgspec import Struct


class Reason(StrEnum):
    """Why a payment was declined. The order of this list is the order in which reasons stand (API.md)."""

    PAYER_FROZEN = "payer_frozen"
    LISTED = "listed"
    MERCHANT_CLOSED = "merchant_closed"
    ORDER_EXPIRED = "order_expired"
    CONFIRMATION_FAILED = "confirmation_failed"
    TIER_LIMIT = "tier_limit"
    CODE_LIMIT = "code_limit"
    FAMILY_CARD_CLOSED = "family_card_closed"
    FAMILY_CAP = "family_cap"
    FARES_UNPAID = "fares_unpaid"
    LINE_MISSING = "line_missing"
    LINE_FROZEN = "line_frozen"
    LINE_IN_ARREARS = "line_in_arrears"
    SCENE_FORBIDDEN = "scene_forbidden"
    LIMIT_EXCEEDED = "limit_exceeded"
    INSUFFICIENT_BALANCE = "insufficient_balance"
    TENOR_NOT_OFFERED = "tenor_not_offered"
    CAMPAIGN_OVER = "campaign_over"
    AMOUNT_TOO_SMALL = "amount_too_small"
    AFFORDABILITY = "affordability"
    SUSPECTED_CASH_OUT = "suspected_cash_out"
    VELOCITY = "velocity"
    DEVICE_UNTRUSTED = "device_untrusted"
    UNUSUAL_PAYMENT = "unusual_payment"
    LENDER_UNAVAILABLE = "lender_unavailable"
    RISK_UNAVAILABLE = "risk_unavailable"
    RATE_CAP = "rate_cap"


REASON_ORDER: dict[Reason, int] = {reason: place for place, reason in enumerate(Reason)}

FRAUD_REASONS = frozenset(
    {
        Reason.LISTED,
        Reason.SUSPECTED_CASH_OUT,
        Reason.VELOCITY,
        Reason.DEVICE_UNTRUSTED,
        Reason.UNUSUAL_PAYMENT,
        Reason.RISK_UNAVAILABLE,
    }
)
"""Reasons that a merchant sees only as `declined_by_risk`."""


class Outcome(IntEnum):
    """What the risk engine wants done, weakest first: the strongest hit wins."""

    ALLOW = 0
    STEP_UP = 1
    REVIEW = 2
    DECLINE = 3

    @property
    def code(self) -> str:
        """The name at the border and in the tables."""
        return _OUTCOME_CODES[self]


class Confirmation(IntEnum):
    """How the payer said yes, the weakest proof first."""

    NONE = 0  # somebody else named the payer
    SESSION = 1  # a live session alone: enough within the policy's no-PIN limits
    PAY_CODE = 2  # a code that the person's own device made: enough within the same limits
    PIN = 3
    PASSKEY = 4
    PASSKEY_CODE = 5  # a passkey, and a one-time code

    @property
    def code(self) -> str:
        """The name at the border and in the tables."""
        return _CONFIRMATION_CODES[self]


# An enum's `name` is a slow look-up, and every payment asks for these.
_OUTCOME_CODES = {outcome: outcome.name.lower() for outcome in Outcome}
_CONFIRMATION_CODES = {confirmation: confirmation.name.lower() for confirmation in Confirmation}
OUTCOMES = {code: outcome for outcome, code in _OUTCOME_CODES.items()}
"""Outcomes by the code that files and tables use."""
CONFIRMATIONS = {code: confirmation for confirmation, code in _CONFIRMATION_CODES.items()}
"""Confirmations by the code at the border and in the tables."""


class Measure(StrEnum):
    """What a velocity rule adds up."""

    COUNT = "count"
    AMOUNT = "amount"


class VelocityRule(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """So many payments, or so much money, of one payer in a sliding window, this payment included.

    window_s     seconds, at most a day          over   the rule hits above this count or minor-unit amount
    below_minor  counts payments under this amount only (None: all)
    """

    id: str
    measure: Measure
    window_s: int
    over: int
    then: str
    reason: Reason = Reason.VELOCITY
    below_minor: int | None = None


class ListRule(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Payers or merchants on a list, by id."""

    id: str
    list: str
    then: str = "decline"
    reason: Reason = Reason.LISTED


class NoPin(Struct, frozen=True, forbid_unknown_fields=True):
    """Up to where a live session alone is a confirmation (minor units): one payment, and the sum of a business date."""

    payment_max_minor: int
    day_max_minor: int


class StepUp(Struct, frozen=True, forbid_unknown_fields=True):
    """Above an amount (minor units) a payment needs so strong a confirmation: `pin`, `passkey` or `passkey_code`."""

    above_minor: int
    needs: str

    @property
    def confirmation(self) -> Confirmation:
        """The weakest confirmation that will do."""
        return CONFIRMATIONS[self.needs]


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """Bounds of one payment and of a payer's business date, in minor units."""

    payment_max_minor: int
    day_max_minor: int
    day_count_max: int


class Review(Struct, frozen=True, forbid_unknown_fields=True):
    """How long a payment waits for a reviewer, and what becomes of it when nobody has answered by then."""

    minutes: int = 30
    on_timeout: str = "decline"  # or "allow"


class Policy(Struct, frozen=True):
    """A dated set of limits and rules. Each decision names the version it used.

    books  a pattern of book names that it is for, such as `play-*`
    """

    id: str
    version: int
    effective_from: datetime
    no_pin: NoPin
    limits: Limits
    step_up: tuple[StepUp, ...] = ()
    velocity: tuple[VelocityRule, ...] = ()
    lists: tuple[ListRule, ...] = ()
    review: Review = Review()
    books: str = "*"
    content_hash: str = ""

    @property
    def name(self) -> str:
        """Id and version as decisions keep them: `payment@1`."""
        return f"{self.id}@{self.version}"


class Features(Struct, frozen=True, gc=False):
    """What is known of a payer when deciding; folded by every payment that is let through.

    recent_at_s, recent_minor  the latest payments, at most 32, the newest last: seconds since 1970 and amounts
    day_on                     the business date (as an ordinal) that the sums of a day stand for
    day_no_pin_minor           what a session alone has paid on that date
    """

    recent_at_s: tuple[int, ...] = ()
    recent_minor: tuple[int, ...] = ()
    day_on: int = 0
    day_count: int = 0
    day_minor: int = 0
    day_no_pin_minor: int = 0
    lifetime_count: int = 0


NO_HISTORY = Features()


class PaymentFacts(Struct, frozen=True, gc=False):
    """What the risk engine is told of one payment: `at` the instant, `on` its business date, on the book's clock."""

    payer_id: UUID
    merchant_id: UUID
    amount_minor: int
    at: datetime
    on: date
    confirmation: Confirmation
    payer_frozen: bool
    merchant_closed: bool
    test_outcome: Outcome | None


class Verdict(Struct, frozen=True, gc=False):
    """The risk engine's part of a decision.

    outcome  strongest of the rules that hit     reasons  in API.md's order     rules  ids of the rules that hit
    """

    outcome: Outcome
    reasons: tuple[Reason, ...]
    rules: tuple[str, ...]


class Decision(Struct, frozen=True, gc=False):
    """What is kept of every payment decided: enough to explain it and to compute it again."""

    id: UUID
    payment_id: UUID
    payer_id: UUID
    merchant_id: UUID
    amount_minor: int
    at: datetime
    outcome: Outcome
    reasons: tuple[Reason, ...]
    rules: tuple[str, ...]
    policy: str
    product: str | None
    confirmation: Confirmation
    features: Features


class ListMember(Struct, frozen=True, kw_only=True):
    """A person or a merchant on a list that policies name: why, since when, and by which member of staff."""

    list: str
    member_id: UUID
    reason: str
    added_at: datetime
    added_by: UUID | None
