"""What is kept and decided about the sums that a person may pay."""

from collections.abc import Mapping
from enum import IntEnum, StrEnum

from msgspec import Struct


class Factors(IntEnum):
    """How strongly a payment was confirmed, as the rules for balance payments and bar codes count it."""

    FEW = 0  # fewer than two: a live session, a pay code
    TWO = 1  # two: the PIN, on the person's own device
    SIGNED = 2  # a passkey, which counts as an electronic signature


class CodeKind(IntEnum):
    """What kind of code brought payer and payee together; the limits of the law differ."""

    NONE = 0
    STATIC = 1  # printed: the same for everybody, whatever proves the payer
    SHOWN = 2  # made for one payment, on a screen of either side
    OFFLINE = 3  # made by the person's device without a connection


class Breach(StrEnum):
    """Which bound a payment would cross."""

    ACCOUNT = "account"  # of the account's tier, or of a day by balance
    CODE = "code"  # of a day, or of one payment, by code
    COOLING = "cooling"  # while a taken-over phone cools down


class Spend(Struct, frozen=True, gc=False):
    """A payment about to be counted, in minor units. `balance_minor`: the part that the wallet pays."""

    amount_minor: int
    balance_minor: int
    code: CodeKind
    factors: Factors


class Sums(Struct, frozen=True, gc=False):
    """What a person has paid. Sums of an earlier date or year count as nothing; days never go back.

    day_on                      the business date of the day's sums, as an ordinal
    balance_minor               by balance since the account was opened
    year, balance_year_minor    and in a calendar year
    balance_few_minor, balance_two_minor    by balance on the day: fewer than two factors, two factors
    static_minor, code_few_minor, code_two_minor    by code on the day: classes D, C and B
    offline_minor               by codes made offline on the day
    """

    day_on: int = 0
    year: int = 0
    balance_minor: int = 0
    balance_year_minor: int = 0
    balance_few_minor: int = 0
    balance_two_minor: int = 0
    static_minor: int = 0
    code_few_minor: int = 0
    code_two_minor: int = 0
    offline_minor: int = 0


NOTHING_PAID = Sums()


class TierBounds(Struct, frozen=True, forbid_unknown_fields=True):
    """What an account of a tier may pay by balance: in all since its opening, or a calendar year. None: no bound."""

    since_opening_max_minor: int | None = None
    year_max_minor: int | None = None


class DayBounds(Struct, frozen=True, forbid_unknown_fields=True):
    """A day's sums by how strongly they were confirmed; what a passkey confirms has no bound here."""

    few_factors_max_minor: int
    two_factors_max_minor: int


class CodeBounds(Struct, frozen=True, forbid_unknown_fields=True):
    """A day's sums by code: classes C, B and D."""

    few_factors_max_minor: int
    two_factors_max_minor: int
    static_max_minor: int


class PaymentBounds(Struct, frozen=True, forbid_unknown_fields=True):
    """One payment, and a day."""

    payment_max_minor: int
    day_max_minor: int


class LimitPolicy(Struct, frozen=True):
    """The bounds in force; `name` is id and version."""

    name: str
    tiers: Mapping[int, TierBounds]
    balance_day: DayBounds
    code_day: CodeBounds
    offline: PaymentBounds
    cooling: PaymentBounds
    content_hash: str
