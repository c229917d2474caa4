"""How a pay code is made and read: pure functions.

Eighteen decimal digits, so that every scanner reads them and a person can type them. They begin with 38, a prefix that
no other wallet has (Alipay 25-30, WeChat 10-15), so a till knows whose they are.

    38 0 ddddddddddddddd      made here: 15 digits drawn at random, kept as a hash for two minutes
    38 hhhhhhhhh ppppppp      made by the phone: the handle of its enrolment (it begins with 1 to 9), and a one-time
                              password of the minute (RFC 6238 with SHA-256, 60 s, 7 digits)
"""

import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from wufeng.base.ids import hashed_id
from wufeng.payments.pay_codes.model import Handle, Made, OfflineCode, OnlineCode, Standing

PREFIX = "38"
CODE_DIGITS = 18
HANDLE_DIGITS = 9
PASSWORD_DIGITS = 7
ONLINE_DIGITS = 15
STEP_SECONDS = 60
SECRET_BYTES = 32
CODE_LASTS = timedelta(seconds=120)

TRIES_MAX = 5
"""Wrong passwords in a row after which a handle is dead until its phone enrols anew."""

MISSES_MAX = 300
MISSES_WINDOW = timedelta(minutes=10)
HITS_A_MISS = 10
"""A shop, and an address, may be wrong so often in a window, and once more for every tenth code that was right: a large
chain misreads some, a guesser is never right."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SKEWS = (0, -1, 1)  # this minute's, the one before (a code is at most 120 s old), a phone that is ahead


def new_online(below: Callable[[int], int]) -> str:
    """A code to be kept here. `below` draws a number below another, in a way nobody can foresee."""
    return f"{PREFIX}0{below(10**ONLINE_DIGITS):0{ONLINE_DIGITS}d}"


def new_handle(below: Callable[[int], int]) -> str:
    """A handle: nine digits that say nothing about anybody."""
    first = 10 ** (HANDLE_DIGITS - 1)
    return str(first + below(9 * first))


def read_code(code: str) -> OnlineCode | OfflineCode:
    """The parts of a code. Asserts its form, which the border has checked."""
    assert len(code) == CODE_DIGITS and code.isascii() and code.isdigit() and code.startswith(PREFIX)
    rest = code.removeprefix(PREFIX)
    if rest[0] == "0":
        return OnlineCode(rest)
    return OfflineCode(rest[:HANDLE_DIGITS], rest[HANDLE_DIGITS:])


def step_of(at: datetime) -> int:
    """The minute of an instant, counted since 1970."""
    return (at - _EPOCH) // timedelta(seconds=STEP_SECONDS)


def password(secret: bytes, step: int) -> str:
    """The one-time password of a minute. Source: RFC 6238, and RFC 4226 section 5.3 for the truncation."""
    digest = hmac.digest(secret, step.to_bytes(8), hashlib.sha256)
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4]) & 0x7FFF_FFFF
    return f"{number % 10**PASSWORD_DIGITS:0{PASSWORD_DIGITS}d}"


def offline_code(handle: str, secret: bytes, at: datetime) -> str:
    """The code that a phone shows at an instant."""
    return f"{PREFIX}{handle}{password(secret, step_of(at))}"


def matching_step(secret: bytes, shown: str, at: datetime) -> int | None:
    """The minute that a password was made for; None: it is wrong, too old or from the future.

    Each of the three is made and compared whole, whichever fits: the time that it takes tells nothing.
    """
    now, found = step_of(at), None
    for skew in _SKEWS:
        if hmac.compare_digest(password(secret, now + skew), shown):
            found = now + skew
    return found


def offline_code_id(handle_name: UUID, step: int) -> UUID:
    """What a code of a phone uses up: its enrolment's minute."""
    return hashed_id(b"offline pay code", handle_name.bytes, step.to_bytes(8))


def pays_online(made: Made | None, standing: Standing | None, at: datetime) -> bool:
    """Whether a code made here may pay."""
    if made is None or standing is None or not made.created_at <= at < made.expires_at:
        return False
    stopped = standing.stopped_at is not None and made.created_at <= standing.stopped_at
    return _may_pay(standing, made.person_id) and not stopped


def pays_offline(handle: Handle | None, name: UUID, step: int | None, standing: Standing | None) -> bool:
    """Whether a code of a phone may pay: the right password of the enrolment that the phone has now."""
    if handle is None or step is None or standing is None or handle.tries >= TRIES_MAX:
        return False
    return _may_pay(standing, handle.person_id) and standing.handle_name == name


def _may_pay(standing: Standing, person_id: UUID) -> bool:
    return standing.person_id == person_id and standing.is_live and not standing.is_used


def misses_allowed(hits: int) -> int:
    """How often somebody may be wrong in a window, after so many codes that were right."""
    return MISSES_MAX + hits // HITS_A_MISS


def grouped(code: str) -> str:
    """A code as people read it: in groups of four."""
    return " ".join(code[start : start + 4] for start in range(0, len(code), 4))
