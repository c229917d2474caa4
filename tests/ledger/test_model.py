"""The chart of accounts, and ids that say whose and what without a look-up."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wufeng.base import ids
from wufeng.base.database import Connection
from wufeng.base.ids import Prefix, slot_of
from wufeng.ledger import (
    AccountKind,
    JournalKind,
    Owner,
    Upkeep,
    account_id,
    folded_accounts,
    guarded_accounts,
    journal_id,
    owner_id,
    read_journal_id,
)

UUIDS = st.uuids()


async def test_the_chart_in_the_database_is_the_codes(db: Connection) -> None:
    rows = await db.fetch("select number, name, class, owner, upkeep from account_kind order by number")
    assert [tuple(row) for row in rows] == [
        (kind.number, kind.label, kind.class_, kind.owner, kind.upkeep)
        for kind in sorted(AccountKind, key=lambda kind: kind.number)
    ]
    kinds = await db.fetch("select number, name from journal_kind order by number")
    assert [tuple(row) for row in kinds] == [(kind.value, kind.label) for kind in sorted(JournalKind)]


def test_numbers_are_given_once_and_fit_the_free_bits_of_an_id() -> None:
    numbers = [kind.number for kind in AccountKind]
    assert len(set(numbers)) == len(numbers) and all(0 < number < 1 << 12 for number in numbers)


def test_a_guarded_kind_is_a_persons_and_a_folded_one_is_not() -> None:
    persons = {Owner.WALLET, Owner.LINE}
    assert all((kind.owner in persons) == (kind.upkeep is Upkeep.GUARDED) for kind in AccountKind)


@given(UUIDS, st.sampled_from(AccountKind))
def test_an_accounts_id_gives_its_owner_back(owner: UUID, kind: AccountKind) -> None:
    account = account_id(owner, kind)
    assert owner_id(account, kind) == owner
    assert account != owner and slot_of(account) == slot_of(owner)


@given(UUIDS)
def test_the_accounts_of_an_owner_differ(owner: UUID) -> None:
    assert len({account_id(owner, kind) for kind in AccountKind}) == len(AccountKind)


def test_what_an_owner_is_born_with() -> None:
    owner = UUID(int=1)
    line = guarded_accounts(Owner.LINE, owner, "CNY")
    assert [account.kind.label for account in line] == [
        "line_principal",
        "line_interest",
        "line_fee",
        "line_credit_balance",
    ]
    assert [(account.min_minor, account.max_minor) for account in line] == [(0, None)] * 3 + [(None, 0)]
    (wallet,) = guarded_accounts(Owner.WALLET, owner, "CNY")
    assert (wallet.min_minor, wallet.max_minor) == (None, 0), "a wallet's money is the book's debt"
    assert len(folded_accounts(Owner.LENDER, owner, "CNY", 1)) == 9


@given(st.integers(0, 2**15 - 1), st.integers(1, 2**60 - 1))
def test_a_journals_id_names_its_bucket_and_number(bucket: int, seq: int) -> None:
    made = journal_id(bucket, seq)
    assert read_journal_id(made) == (bucket, seq)
    assert read_journal_id(ids.decode(Prefix.JOURNAL, ids.encode(Prefix.JOURNAL, made))) == (bucket, seq)
    assert made.version == 8 and made.variant == "specified in RFC 4122"


@given(st.integers(0, 2**15 - 1), st.integers(1, 2**60 - 2))
def test_ids_of_journals_sort_as_the_journals_do(bucket: int, seq: int) -> None:
    first, second = (ids.encode(Prefix.JOURNAL, journal_id(bucket, n)) for n in (seq, seq + 1))
    assert first < second


@pytest.mark.parametrize(
    "text",
    [
        "00000000-0000-0000-0000-000000000000",
        "0198f000-0000-7000-8000-000000000001",  # a UUIDv7
        "00000000-0000-8000-8000-000000000001",  # number 0
        "00000000-0000-8001-8000-000000018000",  # something between number and bucket
        "00000000-0000-8001-8000-000000008000",  # no smallint
        "00000000-0000-8001-c000-000000000001",  # another variant
    ],
)
def test_other_ids_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not the id of a journal"):
        read_journal_id(UUID(text))


def test_a_journals_id_never_changes() -> None:
    """Golden: ids that people have written down must stay readable."""
    assert journal_id(354, 42) == UUID("00000000-0000-802a-8000-000000000162")
    assert ids.encode(Prefix.JOURNAL, journal_id(354, 42)) == "jnl_0000000000g0n80000000000b2"
