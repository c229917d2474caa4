"""What is decided about documents: their form, and the tier that checks give."""

import re
from collections.abc import Collection
from datetime import date

from wufeng.base.errors import invalid_field
from wufeng.base.ids import Prefix, encode
from wufeng.identity.documents.model import (
    Claimed,
    DocumentKind,
    OutsideCheck,
    Refusal,
    Verification,
    VerificationView,
)
from wufeng.identity.people.model import Outcome, Tier
from wufeng.identity.people.rules import normalise_document
from wufeng.identity.vault import Private

NAME_MAX = 100
EVIDENCE_MAX = 200
AGE_MAX_YEARS = 130

_RESIDENT = re.compile(r"[1-9][0-9]{16}[0-9X]", re.ASCII)
_PASSPORT = re.compile(r"[A-Z0-9]{6,12}", re.ASCII)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS = "10X98765432"
_PROVINCES = frozenset(
    {
        *range(11, 16),  # north
        *range(21, 24),  # north-east
        *range(31, 38),  # east
        *range(41, 47),  # middle and south
        *range(50, 55),  # south-west
        *range(61, 66),  # north-west
        71, 81, 82, 83,  # Taiwan, Hong Kong, Macau; 83: the residence permit of people from Taiwan
        *range(91, 100),  # permanent residence of foreigners: 9 and two digits of where it was given
    }
)  # fmt: skip
"""The first two digits of GB/T 2260, and those of permits that have a number of the same form."""

CHECKS_FOR = {Tier.I: 1, Tier.II: 3, Tier.III: 5}
"""Outside checks that a tier asks for; face to face it asks for none. Source: PBOC order 43 of 2015, article 11."""


def check_claim(kind: DocumentKind, name: str, document: str, evidence: str | None, on: date) -> Claimed:
    """What somebody says of themselves, normalised. Refuses a form that cannot be (invalid_field).

    on  the business date: nobody was born after it
    """
    return Claimed(
        kind,
        Private(_text(name, "/name", NAME_MAX)),
        Private(check_document(kind, document, on)),
        None if evidence is None else Private(_text(evidence, "/evidence", EVIDENCE_MAX)),
    )


def check_document(kind: DocumentKind, text: str, on: date, pointer: str = "/document") -> str:
    """A document number in its one written form (invalid_field). The number is not repeated."""
    number = normalise_document(text)
    if kind is DocumentKind.PASSPORT:
        if not _PASSPORT.fullmatch(number):
            raise invalid_field(pointer, "A passport number has 6 to 12 letters and digits.")
        return number
    if not _RESIDENT.fullmatch(number):
        raise invalid_field(pointer, "A resident identity number has 18 digits; the last may be X.")
    if number[17] != check_digit(number[:17]):
        raise invalid_field(pointer, "Its last digit does not fit the others: one of them is mistyped.")
    if int(number[:2]) not in _PROVINCES:
        raise invalid_field(pointer, "Its first digits name no region.")
    if not _was_born(number, on):
        raise invalid_field(pointer, "Digits 7 to 14 are no date of birth.")
    return number


def check_unsaid(text: str, pointer: str = "/document") -> str:
    """A document of a kind that nobody said, as the operator registers it, normalised (invalid_field).

    What has the form of a resident identity number must have its check digit.
    """
    number = normalise_document(text)
    if not number:
        raise invalid_field(pointer, "A document number has letters or digits.")
    if looks_resident(number) and number[17] != check_digit(number[:17]):
        raise invalid_field(pointer, "Its last digit does not fit the others: one of them is mistyped.")
    return number


def check_digit(body: str) -> str:
    """The check character of the first 17 digits of a resident identity number.

    Source: GB 11643-1999, ISO 7064 MOD 11-2: the weights are powers of two modulo 11.
    """
    assert len(body) == 17 and body.isascii() and body.isdigit(), "the form was checked before"
    return _CHECK_DIGITS[sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True)) % 11]


def looks_resident(number: str) -> bool:
    """Whether a normalised number of an unsaid kind is a resident identity number by its form."""
    return _RESIDENT.fullmatch(number) is not None


def tier_of_checks(before: Tier, checks: Collection[OutsideCheck]) -> Tier:
    """The tier of a person who has passed these checks outside. It never falls."""
    count = len(set(checks) | {OutsideCheck.PHONE})
    reached = max(tier for tier, needed in CHECKS_FOR.items() if count >= needed)
    return max(before, reached)


def decide_claim(outcome: Outcome, *, owned_by_another: bool, has_other_document: bool) -> Refusal | None:
    """Whether a document may be checked for a person at all, before anybody outside is asked; None says yes."""
    if has_other_document:
        return Refusal.OTHER_DOCUMENT
    if owned_by_another or outcome is Outcome.DOCUMENT_TAKEN:
        return Refusal.DOCUMENT_TAKEN
    return None


def decide_answer(
    before: Tier, outcome: Outcome, checks: Collection[OutsideCheck], earlier: Collection[OutsideCheck] = ()
) -> Tier | Refusal:
    """What the outside's answer gives: a tier, or a refusal when it is nothing, or too little for tier II.

    earlier  checks of the same document that were passed in attempts before; they count too
    """
    reached = tier_of_checks(Tier.I, {*checks, *earlier})
    if not checks or reached < Tier.II or outcome is Outcome.VERIFICATION_REFUSED:
        return Refusal.NOT_CONFIRMED
    return max(before, reached)


def view_of(verification: Verification) -> VerificationView:
    """An attempt as the API shows it."""
    return VerificationView(
        id=encode(Prefix.VERIFICATION, verification.id),
        person=encode(Prefix.PERSON, verification.person_id),
        method=verification.method,
        kind=verification.kind,
        status=verification.status,
        reason=verification.reason,
        checks=list(verification.checks),
        tier=verification.tier.value,
        created_at=verification.created_at,
        answered_at=verification.answered_at,
    )


def _was_born(number: str, on: date) -> bool:
    try:
        born_on = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    return born_on <= on and on.year - born_on.year <= AGE_MAX_YEARS


def _text(text: str, pointer: str, at_most: int) -> str:
    trimmed = text.strip()
    if not 1 <= len(trimmed) <= at_most or not trimmed.isprintable():
        raise invalid_field(pointer, f"It must have 1 to {at_most} printable characters.")
    return trimmed
