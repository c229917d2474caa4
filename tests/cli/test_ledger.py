"""`wufeng ledger` on an empty book. With money in it: tests/ledger."""

import pytest
from tests.cli.conftest import Installation

from wufeng.base.ids import Prefix, encode
from wufeng.ledger import journal_id


def test_an_empty_ledger_is_proven(installation: Installation) -> None:
    report = installation.process("ledger", "verify", "--json").json
    assert (report["ok"], report["journals"], report["buckets"], report["breaks"]) == (True, 0, 2, [])
    assert "The ledger is proven" in installation.wufeng("ledger", "verify", "--book", "test").out


def test_trial_balance(installation: Installation) -> None:
    assert installation.wufeng("ledger", "trial-balance", "--json").json == []
    assert "currency" in installation.wufeng("ledger", "trial-balance").out


def test_the_books_own_accounts(installation: Installation) -> None:
    found = installation.wufeng("ledger", "account", "test", "--json").json
    kinds = {one["account"]["kind"]: one["account"]["balance_minor"] for one in found}
    assert kinds["bank_clearing"] == 0
    assert "bank_clearing of test" in installation.wufeng("ledger", "account", "test").out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("account", "nonsense"), "names no account"),
        (("account", "mer_01k6d2yfr0e3ws4f0000000000"), "No such account."),
        (("journal", "jnl_x"), "is not an id"),
        (("journal", encode(Prefix.JOURNAL, journal_id(1, 99))), "No such journal."),
    ],
)
def test_what_is_not_there(installation: Installation, words: tuple[str, ...], said: str) -> None:
    ran = installation.wufeng("ledger", *words)
    assert ran.code == 2
    assert said in ran.err
