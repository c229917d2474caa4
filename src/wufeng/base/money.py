"""Money: integers of a currency's minor unit. No float ever touches an amount."""

import re
from collections.abc import Sequence
from fractions import Fraction

from msgspec import Struct

_EXPONENTS_OTHER_THAN_TWO = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_EXPONENT_TWO = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC
CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES
KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR
NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT
TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD YER ZAR ZMW
"""
CURRENCY_EXPONENTS: dict[str, int] = dict.fromkeys(_EXPONENT_TWO.split(), 2) | {
    code: exponent for exponent, codes in _EXPONENTS_OTHER_THAN_TWO.items() for code in codes.split()
}
"""Decimal places of each currency's minor unit. Source: ISO 4217, list one."""

MINOR_MAX = 2**53 - 1
"""The largest amount one command may name: every JSON reader holds it exactly, and sums of 1,000 still fit 64 bits."""

_MAJOR = re.compile(r"(-?)([0-9]{1,18})(?:\.([0-9]{1,4}))?")  # not \d, which takes the digits of all scripts


class Money(Struct, frozen=True, order=True):
    """An amount of one currency, in its minor unit (fen, cent, yen)."""

    amount_minor: int
    currency: str

    def __str__(self) -> str:
        return f"{self.currency} {format_minor(self.amount_minor, self.currency)}"


def exponent_of(currency: str) -> int:
    """Decimal places of a currency. Raises ValueError for a code that ISO 4217 does not list."""
    try:
        return CURRENCY_EXPONENTS[currency]
    except KeyError:
        raise ValueError(f"{currency!r} is not an ISO 4217 currency code") from None


def format_minor(amount_minor: int, currency: str) -> str:
    """Write an amount in major units without grouping: 120050 CNY -> "1200.50", 500 JPY -> "500"."""
    places = exponent_of(currency)
    sign, digits = ("-" if amount_minor < 0 else ""), str(abs(amount_minor)).rjust(places + 1, "0")
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"


def parse_major(text: str, currency: str) -> int:
    """Read an amount in major units: "1200.5" CNY -> 120050. More decimals than the currency has is a ValueError."""
    places = exponent_of(currency)
    match = _MAJOR.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not an amount such as 1200.50")
    sign, whole, decimals = match[1], match[2], match[3] or ""
    if len(decimals) > places:
        raise ValueError(f"{currency} has {places} decimal places, {text!r} has {len(decimals)}")
    minor = int(whole + decimals.ljust(places, "0"))
    return -minor if sign else minor


def split_by_weight(amount_minor: int, weights: Sequence[int], remainder_at: int = 0) -> list[int]:
    """Split an amount in proportion to integer weights; the parts sum to the amount exactly.

    Each part is rounded towards zero, what is left over falls on the part at `remainder_at`.
    Asserts that the weights are not negative and not all zero.
    """
    total = sum(weights)
    assert total > 0 and min(weights) >= 0, "weights must be >= 0 and not all zero"
    sign = -1 if amount_minor < 0 else 1
    parts = [sign * (abs(amount_minor) * weight // total) for weight in weights]
    parts[remainder_at] += amount_minor - sum(parts)
    return parts


def split_evenly(amount_minor: int, count: int, remainder_at: int = -1) -> list[int]:
    """Split an amount into `count` equal parts; the odd minor units fall on one part, by default the last."""
    return split_by_weight(amount_minor, [1] * count, remainder_at)


def round_half_even(exact: Fraction) -> int:
    """Round an exact amount to whole minor units, halves to the even neighbour: the only rounding of money."""
    return round(exact)
