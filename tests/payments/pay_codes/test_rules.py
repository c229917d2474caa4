"""How pay codes are made and read: beside an independent one-time password program, at every border of time."""

import random
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wufeng.payments.pay.model import Funding
from wufeng.payments.pay_codes import rules
from wufeng.payments.pay_codes.model import Handle, Made, OfflineCode, OnlineCode, Standing

START = datetime(2026, 9, 3, 4, 0, tzinfo=UTC)  # the first second of a minute
HANDLE = "123456789"
PERSON, DEVICE, NAME, OTHER = (UUID(int=n) for n in range(1, 5))
SECRETS = st.binary(min_size=32, max_size=32)
INSTANTS = st.integers(0, 4_000_000_000).map(lambda s: datetime.fromtimestamp(s, UTC))


def an_independent_program(secret: bytes, at: datetime) -> str:
    """What a phone shows, by another's program: the handle, then RFC 6238."""
    import base64

    return pyotp.TOTP(base64.b32encode(secret).decode(), digits=7, digest=sha256, interval=60).at(at)


@given(SECRETS, INSTANTS)
def test_the_password_is_rfc_6238(secret: bytes, at: datetime) -> None:
    assert rules.password(secret, rules.step_of(at)) == an_independent_program(secret, at)


def test_the_published_vectors_of_rfc_6238() -> None:
    """Appendix B, SHA-256: eight digits there, our seven are their last."""
    secret = b"12345678901234567890123456789012"
    for seconds, expected in ((59, "46119246"), (1111111109, "68084774"), (20000000000, "77737706")):
        step = seconds // 30
        digest_digits = rules.password(secret, step)
        assert digest_digits == expected[1:]


@given(SECRETS, st.integers(-300, 300))
def test_a_code_is_good_for_its_minute_the_next_and_the_one_before(secret: bytes, skew_s: int) -> None:
    """A phone's clock is off by so much: it is accepted in steps of a minute, and at most 120 s after it was made."""
    at = START + timedelta(seconds=30)
    made_at = at + timedelta(seconds=skew_s)
    shown = rules.offline_code(HANDLE, secret, made_at).removeprefix(f"38{HANDLE}")
    step = rules.matching_step(secret, shown, at)
    fits = rules.step_of(made_at) - rules.step_of(at) in (-1, 0, 1)
    assert (step is not None) == fits or step in (rules.step_of(at) + n for n in (-1, 0, 1))
    if fits:
        assert step == rules.step_of(made_at)


@pytest.mark.parametrize(
    ("age_s", "accepted"), [(0, True), (59, True), (60, True), (119, True), (120, False), (121, False)]
)
def test_a_code_is_at_most_two_minutes_old(age_s: int, accepted: bool) -> None:
    secret = b"s" * 32
    shown = rules.password(secret, rules.step_of(START))  # made in the first second of its minute
    found = rules.matching_step(secret, shown, START + timedelta(seconds=age_s))
    assert (found == rules.step_of(START)) is accepted


@given(st.integers(0, 10**9))
def test_codes_have_our_prefix_and_eighteen_digits(seed: int) -> None:
    rng = random.Random(seed)
    online, handle = rules.new_online(rng.randrange), rules.new_handle(rng.randrange)
    assert rules.read_code(online) == OnlineCode(online[2:])
    assert len(handle) == 9 and handle[0] != "0"
    offline = rules.offline_code(handle, b"x" * 32, START)
    assert len(online) == len(offline) == 18 and online.startswith("380") and offline.startswith("38")
    parts = rules.read_code(offline)
    assert isinstance(parts, OfflineCode) and parts.handle == handle


def test_a_code_never_prints_itself() -> None:
    code = "381234567890123456"
    assert all(part not in repr(rules.read_code(code)) for part in ("123456789", "0123456"))


FUNDING = Funding(use_wallet=True, line_id=None)
GOOD = Standing(PERSON, NAME, None, FUNDING, is_live=True, is_used=False)
MADE = Made(PERSON, DEVICE, START, START + timedelta(seconds=120))


def standing(**more: object) -> Standing:
    fields = {name: getattr(GOOD, name) for name in GOOD.__struct_fields__}
    return Standing(**{**fields, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "after_s", "pays"),
    [
        (GOOD, 0, True),
        (GOOD, 119, True),
        (GOOD, 120, False),  # too old
        (standing(is_live=False), 0, False),  # frozen, signed out, revoked
        (standing(is_used=True), 0, False),
        (standing(person_id=OTHER), 0, False),
        (standing(stopped_at=START), 1, False),
        (standing(stopped_at=START - timedelta(seconds=1)), 1, True),  # stopped before it was made
        (None, 0, False),
    ],
)
def test_pays_online(found: Standing | None, after_s: int, pays: bool) -> None:
    assert rules.pays_online(MADE, found, START + timedelta(seconds=after_s)) is pays
    assert not rules.pays_online(None, found, START)


@pytest.mark.parametrize(
    ("tries", "step", "found", "pays"),
    [
        (0, 1, GOOD, True),
        (4, 1, GOOD, True),
        (5, 1, GOOD, False),  # five wrong ones before: dead, also for the right one
        (0, None, GOOD, False),
        (0, 1, standing(handle_name=OTHER), False),  # the phone has enrolled anew
        (0, 1, standing(handle_name=None), False),  # stopped
        (0, 1, standing(is_live=False), False),
        (0, 1, standing(is_used=True), False),
        (0, 1, None, False),
    ],
)
def test_pays_offline(tries: int, step: int | None, found: Standing | None, pays: bool) -> None:
    handle = Handle(PERSON, DEVICE, b"", tries)
    assert rules.pays_offline(handle, NAME, step, found) is pays
    assert not rules.pays_offline(None, NAME, step, found)


def test_a_chain_that_is_mostly_right_may_be_wrong_more_often() -> None:
    assert rules.misses_allowed(0) == rules.MISSES_MAX
    assert rules.misses_allowed(10_000) == rules.MISSES_MAX + 1_000


def test_codes_are_read_in_groups() -> None:
    assert rules.grouped("381234567890123456") == "3812 3456 7890 1234 56"
