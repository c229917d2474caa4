"""What a play is given, and what it tells in the end."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct


class Fault(StrEnum):
    """Why a row of a stream is left out; each is counted, none is fatal."""

    MISSING_VALUE = "missing_value"
    AMOUNT_NOT_POSITIVE = "amount_not_positive"
    DUPLICATE = "duplicate"
    OUT_OF_ORDER = "out_of_order"


class Row(Struct, frozen=True):
    """One payment of the stream: who pays at which terminal, when (local time of the book) and how much."""

    number: int
    at: datetime
    card: int
    terminal: int
    amount_minor: int


class Stream(Struct, frozen=True):
    """The rows of the first days, in the order of time, and what was left out."""

    rows: tuple[Row, ...]
    left_out: dict[Fault, int]


class PlaySettings(Struct, frozen=True, kw_only=True):
    """How people behave, by a seed; the same seed gives the same decisions.

    late_share_ppm    of the people who repay after their due date, or not at all: half and half
    spread_share_ppm  of purchases of at least 100.00 that are paid in instalments
    in_flight         payments under way at a time
    """

    seed: int = 7
    late_share_ppm: int = 100_000
    spread_share_ppm: int = 200_000
    in_flight: int = 128


class Payer(Struct, frozen=True):
    """A card of the stream, come to life."""

    id: UUID
    line_id: UUID
    bucket: int
    repays_after_days: int | None  # from the bill's issue; None: not within this play


class Phase(StrEnum):
    """What a play is doing, for a progress bar."""

    PEOPLE = "people"
    PAYMENTS = "payments"
    REPAYMENTS = "repayments"
    PROOF = "proof"


Progress = Callable[[Phase, int, int], None]
"""(phase, done, of how many)."""


class Played(Struct, frozen=True, kw_only=True):
    """What happened. Amounts are minor units of the book's currency.

    seconds, per_second   of the payments alone, closes not counted
    repaid                repayments that were posted, by when they came
    """

    book: str
    first_on: str
    last_on: str
    people: int
    merchants: int
    left_out: dict[str, int]
    payments: int
    approved: int
    declined: dict[str, int]
    amount_minor: int
    seconds: float
    payments_per_s: float
    days_closed: int
    bills: int
    repaid_in_time: int
    repaid_late: int
    repaid_minor: int
    suspended_lines: int
    credit_outstanding_minor: int
    interest_income_minor: int
    instalment_fee_income_minor: int
    merchant_fee_income_minor: int
    journals: int
    journals_proved_per_s: int
    ledger_ok: bool
    ledger_breaks: list[str]
