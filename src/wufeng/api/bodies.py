"""Types that bodies and parameters share, and what is said when one of them does not fit."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from wufeng.base.errors import Code, FieldError, Problem, invalid_field
from wufeng.base.ids import Prefix, decode
from wufeng.base.money import MINOR_MAX

LIMIT_MAX = 100


def _id(prefix: Prefix) -> Meta:
    return Meta(
        pattern=f"^{prefix.value}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$",
        examples=[f"{prefix.value}_01h455vb4pex5vsknk084sn02q"],
    )


PersonId = Annotated[str, _id(Prefix.PERSON)]
WalletId = Annotated[str, _id(Prefix.WALLET)]
MerchantId = Annotated[str, _id(Prefix.MERCHANT)]
OrderId = Annotated[str, _id(Prefix.ORDER)]
PaymentId = Annotated[str, _id(Prefix.PAYMENT)]
LineId = Annotated[str, _id(Prefix.LINE)]
DrawId = Annotated[str, _id(Prefix.DRAW)]
BillId = Annotated[str, _id(Prefix.BILL)]
FamilyCardId = Annotated[str, _id(Prefix.FAMILY_CARD)]
BankAccountId = Annotated[str, _id(Prefix.BANK_ACCOUNT)]

AmountMinor = Annotated[
    int, Meta(ge=1, le=MINOR_MAX, description="in the currency's minor unit", examples=[12_00])
]
LimitMinor = Annotated[int, Meta(ge=0, le=MINOR_MAX, description="in the currency's minor unit")]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$", examples=["CNY"])]
OrderNo = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[\x21-\x7e]+$", examples=["A-1001"])]
ShortText = Annotated[str, Meta(min_length=1, max_length=128)]
Reason = Annotated[str, Meta(min_length=1, max_length=500)]
Ppm = Annotated[int, Meta(ge=0, le=1_000_000, description="parts per million")]
Limit = Annotated[int, Meta(ge=1, le=LIMIT_MAX)]
INSTANT_YEARS = range(2000, 9000)
Instant = Annotated[
    datetime, Meta(tz=True, description=f"in the years {INSTANT_YEARS[0]} to {INSTANT_YEARS[-1]}")
]


def in_utc(instant: datetime | None, pointer: str) -> datetime | None:
    """An instant that a body names, in UTC. Refuses one near either end of the calendar (invalid_field): another zone's
    date, or a day more, would lie beyond it.
    """
    if instant is None:
        return None
    if instant.year not in INSTANT_YEARS:
        detail = f"It lies in one of the years {INSTANT_YEARS[0]} to {INSTANT_YEARS[-1]}."
        raise invalid_field(pointer, detail)
    return instant.astimezone(UTC)


class ProofKind(StrEnum):
    """How a person proves to be there."""

    PIN = "pin"
    PASSKEY = "passkey"
    PASSKEY_CODE = "passkey_code"


class ConfirmationBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person's yes with its proof, which is never stored.

    proof  the PIN, or as JSON the passkey's answer to a challenge for this very request
    code   with `passkey_code`: the one-time code that was sent for the purpose `payment`
    """

    kind: ProofKind
    proof: Annotated[str, Meta(min_length=1, max_length=8_192)]
    code: Annotated[str, Meta(min_length=1, max_length=64)] | None = None

    def __repr__(self) -> str:
        return f"ConfirmationBody({self.kind.value})"


class ListQuery(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A page: how many, and after which id of the page before."""

    limit: Limit = 20
    starting_after: str | None = None


def starting_after(query: ListQuery, prefix: Prefix, what: str) -> UUID | None:
    """The id that a page comes after; None for the first. Refuses one that names no such object (invalid_field)."""
    if query.starting_after is None:
        return None
    try:
        return decode(prefix, query.starting_after)
    except ValueError:
        raise invalid_field("starting_after", f"It names no {what}.") from None


_AT = re.compile(r" - at `(?P<path>[^`]*)`$")
_UNKNOWN = re.compile(r"unknown field `(?P<name>[^`]*)`")
_MISSING = re.compile(r"missing required field `(?P<name>[^`]*)`")
_PATTERN = re.compile(r"matching regex '.*'$")


def problem_of_body(error: msgspec.ValidationError, *, is_query: bool = False) -> Problem:
    """What does not fit, with a JSON pointer to it, or the parameter's name."""
    text = str(error)
    path = ""
    if match := _AT.search(text):
        path, text = match["path"], text[: match.start()]
    pointer = "".join(f"/{part}" for part in re.findall(r"[^.\[\]$]+", path))
    if match := _UNKNOWN.search(text) or _MISSING.search(text):
        pointer += f"/{match['name']}"
        text = "There is no such field." if "unknown" in text else "It is required."
    text = _PATTERN.sub("of the documented form", text)
    detail = text[:200]
    if is_query:
        pointer = pointer.lstrip("/")
    shown = pointer or "the body"
    return Problem(Code.INVALID_FIELD, f"{shown}: {detail}", errors=(FieldError(pointer, detail),))


def refuse_nul(raw: bytes, decoded: Any) -> None:
    """Refuse a text with a NUL in it: the database has none."""
    if b"\\u0000" not in raw:
        return
    for pointer, text in _texts(msgspec.to_builtins(decoded), ""):
        if "\0" in text:
            detail = "It holds a NUL character."
            raise Problem(Code.INVALID_FIELD, f"{pointer}: {detail}", errors=(FieldError(pointer, detail),))


def _texts(value: object, pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield pointer, value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield pointer, str(name)
            yield from _texts(item, f"{pointer}/{str(name).replace(chr(0), '')}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, f"{pointer}/{index}")
