"""What a text is taken for, and links that nobody can guess."""

import contextlib
import statistics
import time
from datetime import time as time_of_day
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wufeng.base.books import Book, Mode
from wufeng.base.config import Secrets
from wufeng.base.errors import Problem
from wufeng.base.ids import Prefix, encode
from wufeng.identity import Vault
from wufeng.payments.scans import rules
from wufeng.payments.scans.model import Kind, Said
from wufeng.payments.tokens import BARE, bare, open_token, token_of

VAULT = Vault(Secrets(pepper=b"p" * 32, sealing_key=b"s" * 32))
ID = UUID("01890a5d-ac96-774b-bcce-b302099a8057")


def book_of(id_: int) -> Book:
    return Book(id_, f"b{id_}", Mode.TEST, "CNY", "Asia/Shanghai", time_of_day(), 0, (0,), (1,))


BOOKS = [book_of(1), book_of(2)]
TOKEN = token_of(VAULT, BOOKS[0], Prefix.PAYMENT_LINK, ID)


@pytest.mark.parametrize(
    ("text", "kind", "id_", "token"),
    [
        (f"https://pay.example.com/q/{bare(Prefix.MERCHANT_CODE, ID)}", Kind.MERCHANT_CODE, ID, ""),
        (f"/q/{bare(Prefix.MERCHANT_CODE, ID)}/", Kind.MERCHANT_CODE, ID, ""),
        (encode(Prefix.MERCHANT_CODE, ID), Kind.MERCHANT_CODE, ID, ""),
        (f" http://localhost:8000/q/{TOKEN}\n", Kind.ORDER, None, TOKEN),
        (f"https://x/l/{TOKEN}", Kind.PAYMENT_LINK, None, TOKEN),
        (f"https://x/f/{TOKEN}", Kind.FRIEND_LINK, None, TOKEN),
    ],
)
def test_what_a_text_names(text: str, kind: Kind, id_: UUID | None, token: str) -> None:
    aim = rules.read_text(text)
    assert (aim.kind, aim.id, aim.token, aim.said) == (kind, id_, token, None)


@pytest.mark.parametrize(
    "text",
    ["", "x", "ftp://x/q/" + "0" * 26, "https://x/z/" + "0" * 26, "https://x/q/" + "0" * 27, "https://x/q/../app",
     encode(Prefix.ORDER, ID), "javascript:/q/" + "0" * 26, "https://x/q/" + "u" * 26],
)  # fmt: skip
def test_what_is_nothing_of_ours(text: str) -> None:
    with pytest.raises(Problem):
        rules.read_text(text)


@given(st.text(max_size=120))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(Problem):
        assert rules.read_text(text).kind in Kind


@pytest.mark.parametrize(
    ("said", "ok"),
    [
        (None, True),
        (Said(ID, "CNY", 100), True),
        (Said(ID, "CNY", None), True),  # what is paid is what its id stands for
        (Said(ID, "CNY", 99), False),
        (Said(ID, "USD", 100), False),
        (Said(uuid4(), "CNY", 100), False),
    ],
)
def test_a_code_says_what_it_stands_for(said: Said | None, ok: bool) -> None:
    assert (rules.problem_if_altered(said, Said(ID, "CNY", 100)) is None) == ok
    assert rules.problem_if_altered(Said(ID, "CNY", 5), Said(ID, "CNY", None)) is not None


def test_a_token_opens_in_its_book_for_its_kind() -> None:
    assert open_token(VAULT, BOOKS, Prefix.PAYMENT_LINK, TOKEN) == (BOOKS[0], ID)
    assert open_token(VAULT, BOOKS[1:], Prefix.PAYMENT_LINK, TOKEN) is None
    assert open_token(VAULT, BOOKS, Prefix.FRIEND_LINK, TOKEN) is None
    other = Vault(Secrets(pepper=b"q" * 32, sealing_key=b"s" * 32))
    assert open_token(other, BOOKS, Prefix.PAYMENT_LINK, TOKEN) is None


@given(st.integers(0, 2 * BARE - 1), st.characters(codec="utf-8"))
def test_one_changed_character_opens_nothing(at: int, other: str) -> None:
    guess = TOKEN[:at] + other + TOKEN[at + 1 :]
    opened = open_token(VAULT, BOOKS, Prefix.PAYMENT_LINK, guess)
    assert opened == ((BOOKS[0], ID) if guess == TOKEN else None)


@pytest.mark.parametrize("token", ["", "\ud800" * 52, "é" * 52, TOKEN[:26], TOKEN + "0", TOKEN.upper()])
def test_what_is_no_token(token: str) -> None:
    assert open_token(VAULT, BOOKS, Prefix.PAYMENT_LINK, token) is None


def test_a_guess_takes_the_time_of_any_guess() -> None:
    """A guess of an id that exists and of one that does not: neither asks the database, and both hash alike."""
    near = TOKEN[:-1] + ("0" if TOKEN[-1] != "0" else "1")
    far = bare(Prefix.PAYMENT_LINK, uuid4()) + "0" * BARE
    took: dict[str, list[int]] = {near: [], far: []}
    for _ in range(2_000):
        for guess, times in took.items():
            began = time.perf_counter_ns()
            open_token(VAULT, BOOKS, Prefix.PAYMENT_LINK, guess)
            times.append(time.perf_counter_ns() - began)
    fast, slow = sorted(statistics.median(times) for times in took.values())
    assert slow < 1.3 * fast, took.keys()
