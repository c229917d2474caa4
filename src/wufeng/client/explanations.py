"""How amounts came about."""

from datetime import date

from msgspec import Struct


class Explained(Struct, frozen=True, kw_only=True):
    """One amount, the steps that make it, and the sentence that says so.

    amount_micro  millionths of the minor unit, in place of amount_minor, where a step is rounded with its neighbours
    """

    code: str
    amount_minor: int | None = None
    amount_micro: int | None = None
    sentence: str
    rounding: str | None = None
    of: str | None = None
    part: str | None = None
    instalment: int | None = None
    tenor: int | None = None
    since_on: date | None = None
    until_on: date | None = None
    days: int | None = None
    balance_minor: int | None = None
    daily_ppm: int | None = None
    least_minor: int | None = None
    share_ppm: int | None = None
    days_past_due: int | None = None
    order: list[str] | None = None
    place: int | None = None
    whole: "Explained | None" = None
    remainder: str | None = None
    annual_ppm: int | None = None
    year_days: int | None = None
    leap_days: int | None = None
    period_days: int | None = None
    multiple_minor: int | None = None
    steps: "list[Explained]" = []


class Explanation(Struct, frozen=True, kw_only=True):
    """The amounts of a bill, a repayment, a refund or a plan, each opened into what made it."""

    id: str
    currency: str
    dated_on: date
    amounts: list[Explained]
