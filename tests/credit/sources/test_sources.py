"""Kinds of repayment sources: who brings one registers it, and credit asks nothing else about it."""

from collections.abc import Collection, Mapping
from datetime import date
from uuid import UUID

import msgspec
import pytest
from tests.credit.conftest import House

from wufeng import credit
from wufeng.base.errors import Code, Problem
from wufeng.base.ids import Prefix, encode
from wufeng.base.lanes import Batch
from wufeng.credit.repayments.model import Source, SourceKind
from wufeng.credit.sources.model import Held, Pays, SourceType
from wufeng.credit.sources.own import OWN_SOURCES, problem_of_status
from wufeng.credit.sources.registry import Sources, known
from wufeng.credit.views import RepaymentView
from wufeng.identity.bank_accounts.model import BankAccountStatus
from wufeng.identity.people.model import Outcome, PersonGuard, PersonStatus, Tier

PERSON, OTHER, ID = UUID(int=1), UUID(int=2), UUID(int=3)
WALLET, BANK = Source(SourceKind.WALLET, ID), Source(SourceKind.BANK_ACCOUNT, ID)
RELAYED = Source(SourceKind.EXTERNAL, None)


def guard(status: PersonStatus = PersonStatus.ACTIVE) -> PersonGuard:
    return PersonGuard(PERSON, status, Tier.III, Outcome.NONE, ID)


@pytest.mark.parametrize(
    ("source", "person", "held", "code"),
    [
        (WALLET, guard(), {ID: Held(PERSON)}, None),
        (WALLET, guard(), {ID: Held(OTHER)}, Code.INVALID_FIELD),
        (WALLET, guard(), {}, Code.INVALID_FIELD),
        (WALLET, guard(PersonStatus.FROZEN), {ID: Held(PERSON)}, Code.FORBIDDEN),
        (BANK, guard(), {ID: Held(PERSON)}, None),
        (BANK, guard(), {ID: Held(OTHER)}, Code.INVALID_FIELD),
        (BANK, guard(), {ID: Held(PERSON, Problem(Code.STATE_CONFLICT, ""))}, Code.STATE_CONFLICT),
        (BANK, guard(PersonStatus.FROZEN), {ID: Held(OTHER)}, Code.FORBIDDEN),
        (RELAYED, guard(PersonStatus.FROZEN), {}, None),
    ],
)
def test_whether_money_may_leave(
    source: Source, person: PersonGuard, held: Mapping[UUID, Held], code: Code | None
) -> None:
    assert getattr(OWN_SOURCES.problem(source, person, held), "code", None) is code


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (BankAccountStatus.VERIFIED, None),
        (BankAccountStatus.UNVERIFIED, Code.STATE_CONFLICT),
        (BankAccountStatus.REFUSED, Code.STATE_CONFLICT),
        (BankAccountStatus.DELETED, Code.INVALID_FIELD),
    ],
)
def test_only_a_verified_bank_account_moves_money(status: BankAccountStatus, code: Code | None) -> None:
    assert getattr(problem_of_status(status), "code", None) is code


def test_ids_at_the_border() -> None:
    assert OWN_SOURCES.parse(encode(Prefix.WALLET, ID)) == WALLET
    assert OWN_SOURCES.parse(encode(Prefix.BANK_ACCOUNT, ID)) == BANK
    for text in ("", "wal", "wal_", encode(Prefix.PERSON, ID), "wallet"):
        with pytest.raises(ValueError, match=r"id|begin"):
            OWN_SOURCES.parse(text)


def test_when_money_is_there() -> None:
    assert [OWN_SOURCES.pays(one) for one in (WALLET, BANK, RELAYED)] == [
        Pays.AT_ONCE, Pays.LATER, Pays.AT_ONCE,
    ]  # fmt: skip


def test_no_more_than_is_known_to_be_there() -> None:
    available = known({ID: Held(PERSON, None, 100)})
    assert OWN_SOURCES.problem_of_amount(WALLET, 100, available) is None
    problem = OWN_SOURCES.problem_of_amount(WALLET, 101, available)
    assert problem is not None
    assert problem.detail == "The wallet has 100 minor units; 101 are needed."
    assert OWN_SOURCES.problem_of_amount(BANK, 101, known({ID: Held(PERSON)})) is None
    assert OWN_SOURCES.problem_of_amount(RELAYED, 101, available) is None


def test_a_kind_stands_once() -> None:
    with pytest.raises(AssertionError):
        Sources((credit.WALLET, credit.WALLET))


async def test_another_kind_is_registered_and_pays_like_any_other(house: House) -> None:
    """A rail that knows what it holds, and answers later: as cards and the fund will come."""
    payer = await house.payer()
    account = house.new_id()
    asked: list[Collection[UUID]] = []

    async def load(batch: Batch, ids: Collection[UUID]) -> Mapping[UUID, Held]:
        asked.append(ids)
        return {account: Held(payer.id, None, 30_000)}

    rail = SourceType(
        SourceKind.BANK_ACCOUNT, Prefix.ACCOUNT, Pays.LATER, "prepaid account", "Not yours.", load
    )
    house.lanes.handlers |= credit.handlers(house.products, Sources((credit.WALLET, rail)))
    chosen = (encode(Prefix.ACCOUNT, account), encode(Prefix.WALLET, payer.wallet_id))
    await house.do(house.change(credit.SetAutoDebit, payer, sources=chosen))
    await house.buy(payer, 50_000)
    await house.turn_to(date(2026, 10, 5))
    source = Source(SourceKind.BANK_ACCOUNT, account)
    refused = await house.send(house.repaying(payer, 30_001, source=source))
    assert isinstance(refused, Problem)
    assert refused.detail == "The prepaid account has 30000 minor units; 30001 are needed."
    answer = await house.do(house.repaying(payer, 10_000, source=source))
    assert (answer.status, msgspec.json.decode(answer.body, type=RepaymentView).status) == (202, "pending")
    await house.do(
        credit.BankAnswered(at=house.at, people=(payer.id,), repayment_id=answer.object_id, ok=True)
    )
    await house.fill(payer, 5_000)
    await house.turn_to(date(2026, 10, 10))
    paid = sorted(await house.repayments(payer), key=lambda one: (one.created_at, one.source))
    assert [(one.source, one.amount_minor) for one in paid[1:]] == [
        (SourceKind.BANK_ACCOUNT, 30_000), (SourceKind.WALLET, 5_000),
    ]  # fmt: skip
    assert asked
