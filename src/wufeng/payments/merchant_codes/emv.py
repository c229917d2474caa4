"""The text in an EMVCo merchant-presented QR code: read and written, pure.

A payload is a row of objects: two digits of an id, two digits of a length **in characters**, a value. Some values are
rows of objects themselves. The last object is a checksum over the UTF-8 **bytes** of all before it.

    parse(text) -> Payload         refuses what is not sound, saying what is wrong and where (invalid_field)
    build(payload) -> text         build(parse(text)) == text, and parse(build(payload)) == payload

Source: EMV QR Code Specification for Payment Systems, merchant-presented mode (GATEWAYS.md f, with three published
samples); CRC-16/CCITT-FALSE: polynomial 1021, from FFFF, nothing reflected, nothing added.
"""

import binascii
import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from wufeng.base.errors import Problem, invalid_field
from wufeng.base.money import MINOR_MAX, exponent_of, parse_major
from wufeng.payments.merchant_codes.currencies import ALPHABETIC, NUMERIC

TEXT_MAX = 512
"""Characters of a payload, as the specification bounds it."""

VALUE_MAX = 99
_CRC = "6304"
_TEMPLATES = frozenset(f"{number:02d}" for number in (*range(26, 52), 62, 64, *range(80, 100)))
_ACCOUNTS = range(2, 52)
_TWO_DIGITS = re.compile(r"[0-9]{2}")
_AMOUNT = re.compile(r"[0-9]{1,10}(?:\.[0-9]{1,4})?")
_LONGEST = {"59": 25, "60": 15, "61": 10, "62.03": 25, "62.05": 25, "62.07": 25, "64.01": 25, "64.02": 15}
_PATTERNS = {
    "00": (re.compile(r"01"), "01, the one version there is"),
    "01": (re.compile(r"1[12]"), "11 (static) or 12 (dynamic)"),
    "52": (re.compile(r"[0-9]{4}"), "four digits"),
    "53": (re.compile(r"[0-9]{3}"), "three digits"),
    "55": (re.compile(r"0[123]"), "01, 02 or 03"),
    "58": (re.compile(r"[A-Z]{2}"), "two capital letters"),
    "64.00": (re.compile(r"[A-Za-z]{2}"), "two letters"),
}
_REQUIRED = ("52", "53", "58", "59", "60")


class Field(Struct, frozen=True, gc=False):
    """An object with a text: `id` has two digits, `value` 1 to 99 characters."""

    id: str
    value: str

    def __str__(self) -> str:
        return f"{self.id}{len(self.value):02d}{self.value}"


class Template(Struct, frozen=True, gc=False):
    """An object that holds objects."""

    id: str
    fields: tuple[Field, ...]

    def __str__(self) -> str:
        inside = "".join(map(str, self.fields))
        return f"{self.id}{len(inside):02d}{inside}"


class Payload(Struct, frozen=True, gc=False):
    """The objects of a payload in their order, the checksum left out."""

    objects: tuple[Field | Template, ...]

    def value(self, id_: str) -> str | None:
        """The text of an object, `59` or `62.05`; None when there is none."""
        head, _, inner = id_.partition(".")
        for one in self.objects:
            if one.id == head:
                if isinstance(one, Field):
                    return None if inner else one.value
                return next((field.value for field in one.fields if field.id == inner), None)
        return None

    @property
    def currency(self) -> str:
        """The currency's letters."""
        return ALPHABETIC[self.value("53") or ""]

    @property
    def amount_minor(self) -> int | None:
        """The amount in minor units; None: whoever pays keys it in."""
        amount = self.value("54")
        return None if amount is None else parse_major(amount, self.currency)

    def account(self, scheme: str) -> Template | None:
        """The merchant's account under a scheme, named by its globally unique identifier."""
        for one in self.objects:
            if isinstance(one, Template) and 26 <= int(one.id) <= 51 and Field("00", scheme) in one.fields:
                return one
        return None


def parse(text: str) -> Payload:
    """Read a payload. Refuses (raises invalid_field at /text) one that is not sound: nothing of it is to be used."""
    try:
        raw = text.encode()
    except UnicodeEncodeError as error:
        raise _wrong(f"character {error.start} is none") from None
    if len(text) > TEXT_MAX:
        raise _wrong(f"it has {len(text)} characters, at most {TEXT_MAX} are allowed")
    if text[-8:-4] != _CRC:
        raise _wrong("it does not end with a checksum (63)")
    if text[-4:] != checksum(raw[:-4]):
        raise _wrong("its checksum (63) does not fit: a character was changed or lost")
    objects = tuple(
        Template(id_, tuple(_fields(value, at, f"{id_}."))) if id_ in _TEMPLATES else Field(id_, value)
        for id_, value, at in _split(text[:-8], 0, "")
    )
    payload = Payload(objects)
    _check(payload)
    return payload


def build(payload: Payload) -> str:
    """Write a payload with its checksum. Asserts what `parse` would refuse: it is ours to write well."""
    body = "".join(map(str, payload.objects)) + _CRC
    text = body + checksum(body.encode())
    assert parse(text) == payload, "what is written is read again"
    return text


def checksum(raw: bytes) -> str:
    """CRC-16/CCITT-FALSE as four capital hexadecimal digits. `raw` ends with 6304."""
    return f"{binascii.crc_hqx(raw, 0xFFFF):04X}"


def _fields(text: str, start: int, path: str) -> Iterator[Field]:
    for id_, value, _ in _split(text, start, path):
        yield Field(id_, value)


def _split(text: str, start: int, path: str) -> Iterator[tuple[str, str, int]]:
    """(id, value, where the value stands) of each object in a text, which stands at `start` in the whole."""
    seen: set[str] = set()
    at = 0
    while at < len(text):
        id_, length, place = text[at : at + 2], text[at + 2 : at + 4], start + at
        if not _TWO_DIGITS.fullmatch(id_):
            raise _wrong(f"at {place} the two digits of an id are expected")
        if not _TWO_DIGITS.fullmatch(length) or length == "00":
            raise _wrong(f"{path}{id_} at {place}: its length is not two digits from 01 to 99")
        if id_ in seen:
            raise _wrong(f"{path}{id_} at {place}: it is there twice")
        seen.add(id_)
        value = text[at + 4 : at + 4 + int(length)]
        if len(value) != int(length):
            raise _wrong(f"{path}{id_} at {place}: it says {int(length)} characters, {len(value)} are left")
        if not value.isprintable():
            raise _wrong(f"{path}{id_} at {place}: it holds a character that cannot be shown")
        yield id_, value, place + 4
        at += 4 + len(value)


def _check(payload: Payload) -> None:
    objects = payload.objects
    if not objects or objects[0].id != "00":
        raise _wrong("it does not begin with its version (00)")
    ids = {one.id for one in objects}
    for id_ in _REQUIRED:
        if id_ not in ids:
            raise _wrong(f"{id_} is missing")
    if not any(int(id_) in _ACCOUNTS for id_ in ids):
        raise _wrong("it names no merchant's account (02 to 51)")
    for id_, (pattern, meant) in _PATTERNS.items():
        value = payload.value(id_)
        if value is not None and not pattern.fullmatch(value):
            raise _wrong(f"{id_}: it must be {meant}")
    for id_, most in _LONGEST.items():
        if len(payload.value(id_) or "") > most:
            raise _wrong(f"{id_}: it has more than {most} characters")
    _check_money(payload)


def _check_money(payload: Payload) -> None:
    if payload.value("53") not in ALPHABETIC:
        raise _wrong("53: this currency is unknown")
    amount = payload.value("54")
    if amount is not None:
        places = exponent_of(payload.currency)
        if not _AMOUNT.fullmatch(amount) or len(amount.partition(".")[2]) > places:
            raise _wrong(f"54: an amount with at most {places} decimals is expected, such as 23.72")
        if not 0 < parse_major(amount, payload.currency) <= MINOR_MAX:
            raise _wrong("54: this amount cannot be paid")
    tip = payload.value("55")
    for id_, needed in (("56", "02"), ("57", "03")):
        if (payload.value(id_) is not None) != (tip == needed):
            raise _wrong(f"55 and {id_} do not fit together")


def _wrong(detail: str) -> Problem:
    return invalid_field("/text", f"This is no sound payment code: {detail}.")


def template(id_: str, values: Iterable[tuple[str, str | None]]) -> Template:
    """A template of those values that there are."""
    return Template(id_, tuple(Field(inner, value) for inner, value in values if value))


def currency_field(currency: str) -> Field:
    """The currency as the payload says it: three digits."""
    return Field("53", NUMERIC[currency])
