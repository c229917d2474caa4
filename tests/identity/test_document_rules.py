"""Documents: check digits, dates and regions of resident numbers; what outside checks give."""

import contextlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wufeng.base.errors import Problem
from wufeng.identity.documents.model import DocumentKind, OutsideCheck, Refusal
from wufeng.identity.documents.rules import (
    check_claim,
    check_digit,
    check_document,
    check_unsaid,
    decide_answer,
    decide_claim,
    tier_of_checks,
)
from wufeng.identity.people.model import Outcome, Tier

TODAY = date(2026, 9, 3)
RESIDENT, PASSPORT = DocumentKind.RESIDENT_ID, DocumentKind.PASSPORT
CHECKS = sorted(set(OutsideCheck) - {OutsideCheck.PHONE})


def refused(kind: DocumentKind, number: str) -> str | None:
    """What is said of a number that is refused; None when it is accepted."""
    try:
        check_document(kind, number, TODAY)
    except Problem as problem:
        told = problem
    else:
        return None
    assert [error.pointer for error in told.errors] == ["/document"]
    assert number not in str(told), "a document is not repeated"
    return told.detail


@pytest.mark.parametrize(
    "number",
    [
        "11010519491231002X",  # GB 11643-1999, annex A, 1
        "440524188001010014",  # annex A, 2: born 1880
    ],
)
def test_the_standards_own_examples(number: str) -> None:
    assert check_digit(number[:17]) == number[17]


@pytest.mark.parametrize(
    ("number", "what"),
    [
        ("11010519491231002X", None),
        ("11010519491231002x", None),  # as it is typed
        ("110105 19491231 002X", None),
        ("810000199408230021", None),  # a Hong Kong resident's permit
        ("110105194912310021", "last digit"),
        ("11010519491231003X", "last digit"),  # one digit mistyped
        ("11010519491321002X", "last digit"),  # two neighbours exchanged
        ("11010519491231002", "18 digits"),
        ("1101051949123100X2", "18 digits"),
        ("١١٠١٠٥١٩٤٩١٢٣١٠٠٢X", "18 digits"),  # digits of another script
        ("160105194912310029", "region"),
        ("110105194902300028", "date of birth"),  # 30 February
        ("110105202609040017", "date of birth"),  # tomorrow
        ("440524188001010014", "date of birth"),  # 146 years old
    ],
)
def test_a_resident_number(number: str, what: str | None) -> None:
    if what in ("region", "date of birth") or number == "810000199408230021":
        number = number[:17] + check_digit(number[:17])
    detail = refused(RESIDENT, number)
    assert detail is None if what is None else detail is not None and what in detail


@pytest.mark.parametrize(
    ("number", "fits"), [("E12345678", True), ("e1234-5678", True), ("E1", False), ("护照123456", False)]
)
def test_a_passport(number: str, fits: bool) -> None:
    assert (refused(PASSPORT, number) is None) is fits


@given(
    st.dates(date(1900, 1, 1), date(2026, 9, 3)), st.integers(0, 9999), st.integers(0, 16), st.integers(1, 9)
)
def test_one_mistyped_digit_is_always_found(born_on: date, rest: int, place: int, by: int) -> None:
    body = f"11{rest:04d}{born_on:%Y%m%d}{rest % 1000:03d}"
    number = body + check_digit(body)
    wrong = number[:place] + str((int(number[place]) + by) % 10) + number[place + 1 :]
    assert check_digit(wrong[:17]) != number[17]


@given(st.dates(date(1900, 1, 1), date(2026, 9, 3)), st.integers(0, 9999), st.integers(0, 15))
def test_two_neighbours_exchanged_are_always_found(born_on: date, rest: int, place: int) -> None:
    body = f"11{rest:04d}{born_on:%Y%m%d}{rest % 1000:03d}"
    swapped = body[:place] + body[place + 1] + body[place] + body[place + 2 :]
    assert swapped == body or check_digit(swapped) != check_digit(body)


@given(st.text(max_size=40), st.text(max_size=40), st.sampled_from(DocumentKind))
def test_no_text_breaks_it(name: str, document: str, kind: DocumentKind) -> None:
    with contextlib.suppress(Problem):
        claimed = check_claim(kind, name, document, None, TODAY)
        assert claimed.document.text == check_document(kind, claimed.document.text, TODAY)


@pytest.mark.parametrize(
    ("count", "tier"), [(0, Tier.I), (1, Tier.I), (2, Tier.II), (3, Tier.II), (4, Tier.III), (5, Tier.III)]
)
def test_checks_beside_the_phone_give_a_tier(count: int, tier: Tier) -> None:
    assert tier_of_checks(Tier.I, CHECKS[:count]) is tier


@given(st.sampled_from(Tier), st.sets(st.sampled_from(OutsideCheck)))
def test_a_tier_never_falls(before: Tier, checks: set[OutsideCheck]) -> None:
    assert tier_of_checks(before, checks) >= before
    assert tier_of_checks(before, checks) == tier_of_checks(before, checks | {OutsideCheck.PHONE})


@pytest.mark.parametrize(
    ("before", "outcome", "checks", "earlier", "answer"),
    [
        (Tier.I, Outcome.NONE, CHECKS[:2], (), Tier.II),
        (Tier.I, Outcome.NONE, CHECKS[:1], (), Refusal.NOT_CONFIRMED),
        (Tier.I, Outcome.NONE, CHECKS[1:2], CHECKS[:1], Tier.II),  # together with an attempt before
        (
            Tier.I,
            Outcome.NONE,
            CHECKS[:1],
            CHECKS[:1],
            Refusal.NOT_CONFIRMED,
        ),  # the same one twice counts once
        (Tier.II, Outcome.NONE, (), CHECKS[:2], Refusal.NOT_CONFIRMED),  # nothing was confirmed this time
        (Tier.III, Outcome.NONE, CHECKS[:2], (), Tier.III),
        (Tier.I, Outcome.VERIFICATION_REFUSED, CHECKS, (), Refusal.NOT_CONFIRMED),
    ],
)
def test_decide_answer(before, outcome, checks, earlier, answer) -> None:
    assert decide_answer(before, outcome, checks, earlier) is answer


@pytest.mark.parametrize(
    ("outcome", "taken", "other", "answer"),
    [
        (Outcome.NONE, False, False, None),
        (Outcome.NONE, True, False, Refusal.DOCUMENT_TAKEN),
        (
            Outcome.NONE,
            True,
            True,
            Refusal.OTHER_DOCUMENT,
        ),  # one's own other one is told first: it tells nothing
        (Outcome.DOCUMENT_TAKEN, False, False, Refusal.DOCUMENT_TAKEN),
    ],
)
def test_decide_claim(outcome, taken, other, answer) -> None:
    assert decide_claim(outcome, owned_by_another=taken, has_other_document=other) is answer


@pytest.mark.parametrize(
    ("text", "fits"),
    [("11010519491231002X", True), ("110105194912310021", False), ("E1", True), ("--", False)],
)
def test_a_registered_document_of_no_said_kind(text: str, fits: bool) -> None:
    try:
        check_unsaid(text)
        assert fits
    except Problem:
        assert not fits
