"""Bills debited when they are due: in the person's order, as far as there is money, once a date until it is paid."""

from datetime import date
from uuid import UUID

import msgspec
import pytest
from tests.credit.conftest import SECRETS, House, Payer

from wufeng import credit
from wufeng.base.claims import Answer
from wufeng.base.errors import Code, Problem
from wufeng.base.ids import Prefix, encode
from wufeng.credit.lines.model import Actor
from wufeng.credit.repayments.model import SourceKind
from wufeng.credit.repayments.rules import Money, debits
from wufeng.credit.views import LineView
from wufeng.identity.bank_accounts.commands import add_bank_account, mark_verified
from wufeng.identity.vault import Private, Vault

WALLET, BANK, OTHER_BANK = (
    encode(prefix, UUID(int=n)) for n, prefix in enumerate((Prefix.WALLET, *[Prefix.BANK_ACCOUNT] * 2), 1)
)


@pytest.mark.parametrize(
    ("sources", "due_minor", "money", "asked"),
    [
        ((WALLET,), 100, Money(100, bank_is_free=True), [("wallet", 100)]),
        ((WALLET,), 100, Money(99, bank_is_free=True), [("wallet", 99)]),
        ((WALLET,), 100, Money(0, bank_is_free=True), []),
        ((WALLET, BANK), 100, Money(30, bank_is_free=True), [("wallet", 30), ("bank_account", 70)]),
        ((BANK, WALLET), 100, Money(30, bank_is_free=True), [("bank_account", 100)]),
        ((BANK, OTHER_BANK), 100, Money(0, bank_is_free=True), [("bank_account", 100)]),
        ((WALLET, BANK), 100, Money(30, bank_is_free=False), [("wallet", 30)]),
        ((WALLET, BANK), 0, Money(30, bank_is_free=True), []),
    ],
)
def test_debits(sources: tuple[str, ...], due_minor: int, money: Money, asked: list[tuple[str, int]]) -> None:
    found = debits(sources, due_minor, money)
    assert [(source.kind.value, amount) for source, amount in found] == asked


async def choose(house: House, payer: Payer, *sources: str) -> Answer | Problem:
    return await house.send(house.change(credit.SetAutoDebit, payer, Actor.PERSON, sources=sources))


def wallet_of(payer: Payer) -> str:
    return encode(Prefix.WALLET, payer.wallet_id)


async def bank_of(house: House, payer: Payer) -> str:
    account = await add_bank_account(
        house.database, Vault(SECRETS), house.ids, house.book, payer.id, "ICBC",
        Private("6222021234567890123"), house.at,
    )  # fmt: skip
    async with house.database.transaction() as db:
        await mark_verified(db, house.bucket, account.id, house.at)
    return encode(Prefix.BANK_ACCOUNT, account.id)


async def test_a_person_chooses_their_own_sources(house: House) -> None:
    payer, other = await house.payer(), await house.payer()
    bank = await bank_of(house, payer)
    answer = await choose(house, payer, wallet_of(payer), bank, bank)
    assert isinstance(answer, Answer)
    assert msgspec.json.decode(answer.body, type=LineView).auto_debit == (wallet_of(payer), bank)
    for foreign in (wallet_of(other), await bank_of(house, other)):
        refused = await choose(house, payer, foreign)
        assert isinstance(refused, Problem)
        assert refused.code is Code.INVALID_FIELD
    await choose(house, payer)
    assert (await house.line(payer)).auto_debit == ()


async def test_on_the_due_date_the_wallet_pays_the_bill(house: House) -> None:
    payer = await house.payer(wallet_minor=200_000)
    await choose(house, payer, wallet_of(payer))
    await house.buy(payer, 100_000)
    await house.turn_to(date(2026, 10, 9))
    assert await house.repayments(payer) == []
    await house.buy(payer, 5_000)
    await house.turn_to(date(2026, 10, 10))
    (repaid,) = await house.repayments(payer)
    assert (repaid.amount_minor, repaid.status) == (100_000, "posted")
    assert [bill.status for bill in await house.bills(payer)] == ["paid"]
    assert (await house.line(payer)).unbilled_minor == 5_000, "what is not due is not debited"
    await house.turn_to(date(2026, 10, 12))
    assert len(await house.repayments(payer)) == 1
    await house.prove(payer)


async def test_what_is_missing_is_tried_again_each_day(house: House) -> None:
    payer = await house.payer(wallet_minor=30_000)
    await choose(house, payer, wallet_of(payer))
    await house.buy(payer, 100_000)
    await house.turn_to(date(2026, 10, 11))
    assert [one.amount_minor for one in await house.repayments(payer)] == [30_000]
    assert (await house.line(payer)).status == "open", "the minimum was met"
    await house.fill(payer, 500_000)
    await house.turn_to(date(2026, 10, 12))
    # 700.00 and two days of interest on it; all of it at once
    assert [one.amount_minor for one in await house.repayments(payer)] == [30_000, 70_070]
    assert (await house.line(payer)).billed_minor == 0
    await house.prove(payer)


async def test_a_bank_is_asked_once_while_it_has_not_answered(house: House) -> None:
    payer = await house.payer(wallet_minor=30_000)
    await choose(house, payer, wallet_of(payer), await bank_of(house, payer))
    await house.buy(payer, 100_000)
    await house.turn_to(date(2026, 10, 13))
    posted, pending = sorted(await house.repayments(payer), key=lambda one: one.source)[::-1]
    assert (posted.source, posted.amount_minor) == (SourceKind.WALLET, 30_000)
    assert (pending.source, pending.amount_minor, pending.status) == (
        SourceKind.BANK_ACCOUNT,
        70_000,
        "pending",
    )
    await house.prove(payer)


async def test_who_has_chosen_nothing_is_not_debited(house: House) -> None:
    payer = await house.payer(wallet_minor=200_000)
    await house.buy(payer, 100_000)
    await house.turn_to(date(2026, 10, 12))
    assert await house.repayments(payer) == []
