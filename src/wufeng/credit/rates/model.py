"""What yearly rates are made of: ways to count days, and flows of money in time."""

from datetime import date
from enum import StrEnum
from fractions import Fraction

from msgspec import Struct


class DayCount(StrEnum):
    """How the time between two dates is counted; the names of the trade stand beside the codes."""

    THIRTY_360 = "thirty_360"  # 30/360 BOND BASIS
    THIRTY_360_US = "thirty_360_us"  # 30/360 US
    THIRTY_E_360 = "thirty_e_360"  # 30E/360
    THIRTY_E_360_ISDA = "thirty_e_360_isda"  # 30E/360 ISDA
    THIRTY_365 = "thirty_365"  # 30/365
    ACTUAL_360 = "actual_360"  # ACT/360
    ACTUAL_365 = "actual_365"  # ACT/365 FIXED
    ACTUAL_366 = "actual_366"  # ACT/366 FIXED
    ACTUAL_ACTUAL_ISDA = "actual_actual_isda"  # ACT/ACT ISDA
    ACTUAL_ACTUAL_ICMA = "actual_actual_icma"  # ACT/ACT ICMA
    ACTUAL_ACTUAL_BY_END = "actual_actual_by_end"  # ACT/ACT, a day in the year in which it ends


class Flow(Struct, frozen=True):
    """Money that moves at a moment: whole periods after the start and a fraction (0 <= f < 1) of one more.

    amount_minor  > 0 what the person pays, < 0 what is lent
    """

    whole: int
    amount_minor: int
    odd: Fraction = Fraction(0)


class DatedFlow(Struct, frozen=True):
    """Money that moves so many years after the first advance (a fee may come before it: years < 0)."""

    years: Fraction
    amount_minor: int


class UnitPeriod(StrEnum):
    """The regular distance between payments. Source: 12 CFR 1026 (Regulation Z), Appendix J (b)(4)."""

    DAY = "day"
    WEEK = "week"
    TWO_WEEKS = "2 weeks"
    FOUR_WEEKS = "4 weeks"
    SEMIMONTH = "semimonth"
    MONTH = "month"
    TWO_MONTHS = "2 months"
    QUARTER = "quarter"
    SIX_MONTHS = "6 months"
    YEAR = "year"


class Span(Struct, frozen=True):
    """A distance in unit periods: whole ones, and a fraction of another."""

    whole: int
    odd: Fraction = Fraction(0)


class ReferencePeriod(Struct, frozen=True):
    """The regular interest period that ACT/ACT ICMA compares with."""

    start: date
    end: date
