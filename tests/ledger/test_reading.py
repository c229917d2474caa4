"""What is read of the ledger: statements, journals with their names, accounts, the trial balance."""

import pytest
from msgspec import json
from tests.ledger.conftest import NOON, ON, Ledger

from wufeng.base import ids
from wufeng.base.ids import Prefix
from wufeng.ledger import (
    AccountKind,
    Owner,
    Posted,
    Upkeep,
    account_id,
    find_accounts,
    find_journal,
    folded_balances,
    guarded_accounts,
    journal_id,
    journals_of,
    newest_entries,
    open_accounts,
    rules,
    statement,
    trial_balance,
    view_journals,
)


async def test_a_statement_runs_its_balance_and_pages(ledger: Ledger) -> None:
    amounts = [100_00, 20_00, 3_00, 40_00]
    for amount in amounts:
        await ledger.post(ledger.top_up(amount))
    await ledger.post(rules.withdrawal(ledger.cause(note=b'{"bank":"x"}'), ledger.wallet, 1_00))
    account = ledger.account(AccountKind.WALLET)
    async with ledger.database.read() as db:
        page = await statement(db, ledger.bucket, account, Upkeep.GUARDED, 2)
        rest = await statement(db, ledger.bucket, account, Upkeep.GUARDED, 10, before_seq=page[-1].seq)
        nobody = await statement(db, ledger.bucket, ledger.new_id(), Upkeep.GUARDED, 10)
    assert [(entry.seq, entry.amount_minor, entry.balance_minor) for entry in page + rest] == [
        (5, 1_00, -162_00),
        (4, -40_00, -163_00),
        (3, -3_00, -123_00),
        (2, -20_00, -120_00),
        (1, -100_00, -100_00),
    ]
    assert page[0].note == b'{"bank":"x"}' and page[0].kind.label == "withdrawal"
    assert page[0].at == NOON and page[0].business_on == ON
    assert nobody == []


async def test_a_statement_of_a_folded_account_has_no_running_balance(ledger: Ledger) -> None:
    await ledger.post(ledger.buy(10_00), ledger.top_up(1_00), ledger.buy(20_00, 12))
    account = ledger.account(AccountKind.MERCHANT_PAYABLE)
    async with ledger.database.read() as db:
        entries = await newest_entries(db, ledger.book.buckets, account, Upkeep.FOLDED, 10)
        newest = await newest_entries(db, ledger.book.buckets, account, Upkeep.FOLDED, 1)
    assert [(entry.seq, entry.amount_minor, entry.balance_minor) for entry in entries] == [
        (3, -19_88, None),
        (1, -10_00, None),
    ]
    assert newest == entries[:1]


async def test_the_trial_balance_is_zero_also_before_anything_is_folded(ledger: Ledger) -> None:
    await ledger.live_a_little()
    async with ledger.database.read() as db:
        before = await trial_balance(db, ledger.book.buckets)
        assert await folded_balances(
            db, ledger.book.buckets, [ledger.account(AccountKind.MERCHANT_PAYABLE)]
        ) == {ledger.account(AccountKind.MERCHANT_PAYABLE): 0}
    await ledger.fold()
    await ledger.post(ledger.buy(7_00))  # folded in part
    async with ledger.database.read() as db:
        after = await trial_balance(db, ledger.book.buckets)
    totals = {line.kind.label: line.balance_minor for line in before if line.kind}
    assert totals == {
        "wallet": -470_00,
        "line_principal": 100_00,
        "line_interest": 0,
        "line_fee": 0,
        "line_credit_balance": 0,
        "merchant_payable": -129_22,
        "lender_principal": -100_00,
        "lender_pool": 100_00,
        "top_up_clearing": 500_00,
        "merchant_fee_income": -78,
    }
    for lines in (before, after):
        assert sum(line.balance_minor for line in lines) == 0
        assert sum(line.debit_minor for line in lines) == sum(line.credit_minor for line in lines)


async def test_currencies_balance_each_for_itself(ledger: Ledger) -> None:
    yen_wallet = ledger.new_id()
    async with ledger.database.transaction() as db:
        await open_accounts(db, ledger.bucket, guarded_accounts(Owner.WALLET, yen_wallet, "JPY"))
    yen = rules.Cause(ledger.new_id(), "JPY", ON, ledger.book.id)
    await ledger.post(ledger.top_up(5_00), rules.top_up(yen, yen_wallet, 700))
    async with ledger.database.read() as db:
        lines = await trial_balance(db, ledger.book.buckets)
    by_currency: dict[str, int] = {}
    for line in lines:
        by_currency[line.currency] = by_currency.get(line.currency, 0) + line.balance_minor
    assert by_currency == {"CNY": 0, "JPY": 0}


async def test_a_journal_is_shown_with_its_accounts_and_owners_named(ledger: Ledger) -> None:
    payment = ledger.new_id()
    await ledger.post(ledger.buy(100_00, 60, of=payment))
    async with ledger.database.read() as db:
        posted = await journals_of(db, ledger.bucket, payment)
        (view,) = await view_journals(db, ledger.book, posted, Prefix.PAYMENT)
        found = await find_journal(db, ledger.book, view.id)
        assert (
            await find_journal(db, ledger.book, ids.encode(Prefix.JOURNAL, journal_id(ledger.bucket, 9)))
            is None
        )
        assert await find_journal(db, ledger.book, ids.encode(Prefix.JOURNAL, journal_id(32_000, 1))) is None
        with pytest.raises(ValueError, match="jnl_"):
            await find_journal(db, ledger.book, ids.encode(Prefix.PAYMENT, payment))
    assert found == view
    line, merchant = ids.encode(Prefix.LINE, ledger.line), ids.encode(Prefix.MERCHANT, ledger.merchant)
    lead, second = (ids.encode(Prefix.LENDER, lender) for lender in (ledger.lead, ledger.second))
    assert [(leg.kind, leg.owner, leg.amount_minor) for leg in view.legs] == [
        ("line_principal", line, 100_00),
        ("lender_principal", lead, -70_00),
        ("lender_principal", second, -30_00),
        ("lender_pool", lead, 70_00),
        ("lender_pool", second, 30_00),
        ("merchant_payable", merchant, -99_40),
        ("merchant_fee_income", "main", -60),
    ]
    shown = json.decode(json.encode(view))
    assert shown["object"] == "journal" and shown["kind"] == "payment" and shown["note"] == {}
    assert shown["of"] == ids.encode(Prefix.PAYMENT, payment) and shown["reverses"] is None
    assert shown["created_at"] == "2026-09-03T04:00:00Z" and shown["business_on"] == "2026-09-03"
    principal = account_id(ledger.line, AccountKind.LINE_PRINCIPAL)
    assert shown["legs"][0]["account"] == ids.encode(Prefix.ACCOUNT, principal)


async def test_a_reversal_names_what_it_reverses(ledger: Ledger) -> None:
    journal, undone = ledger.top_up(5), ledger.new_id()
    await ledger.post(journal)
    original = Posted(bucket=ledger.bucket, seq=1, at=NOON, journal=journal)
    await ledger.post(rules.reversal(ledger.cause(undone), original))
    async with ledger.database.read() as db:
        (view,) = await view_journals(db, ledger.book, await journals_of(db, ledger.bucket, undone))
    assert view.reverses == ids.encode(Prefix.JOURNAL, original.id)


async def test_accounts_are_found_by_their_id_or_their_owners(ledger: Ledger) -> None:
    await ledger.live_a_little()
    await ledger.fold()
    names = {
        ids.encode(Prefix.LINE, ledger.line): {
            "line_principal": (100_00, 0),
            "line_interest": (0, 0),
            "line_fee": (0, 0),
            "line_credit_balance": (0, 0),
        },
        ids.encode(Prefix.WALLET, ledger.wallet): {"wallet": (-470_00, 50_00)},
        ids.encode(Prefix.MERCHANT, ledger.merchant): {"merchant_payable": (-129_22, 0)},
        ids.encode(Prefix.ACCOUNT, ledger.account(AccountKind.WALLET)): {"wallet": (-470_00, 50_00)},
        ids.encode(Prefix.ACCOUNT, ledger.account(AccountKind.LENDER_POOL)): {"lender_pool": (70_00, 0)},
        ids.encode(Prefix.ACCOUNT, ledger.new_id()): {},
        ids.encode(Prefix.LINE, ledger.new_id()): {},
    }
    async with ledger.database.read() as db:
        for text, expected in names.items():
            found = await find_accounts(db, ledger.book, text)
            assert {view.kind: (view.balance_minor, view.held_minor) for view in found} == expected
            assert all(view.id.startswith("acc_") for view in found)
        (lead,) = [v for v in await find_accounts(db, ledger.book, "main") if v.kind == "top_up_clearing"]
        assert (lead.balance_minor, lead.owner, lead.class_) == (500_00, "main", "asset")
        assert len(await find_accounts(db, ledger.book, ids.encode(Prefix.LENDER, ledger.lead))) == 9
        for text in ("", "main2", "lin_", "per_01h455vb4pex5vsknk084sn02q", "acc_ü"):
            with pytest.raises(ValueError, match=r"names no account|is not an id|has a character"):
                await find_accounts(db, ledger.book, text)
