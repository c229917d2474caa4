"""The proof finds what was tampered with, by somebody who owns the tables, and nothing while payments go on."""

import asyncio

from tests.ledger.conftest import NOON, ON, Ledger

from wufeng.base.events import Event, take_numbers, write_events
from wufeng.ledger import AccountKind, BreakKind, Hold, rules, verify

UNLOCK = """
alter table journal disable trigger user;
drop index journal_reversed_once;
alter table journal drop constraint journal_balances, drop constraint journal_legs, drop constraint journal_reversal;
alter table account drop constraint account_floor, drop constraint account_ceiling;
alter table hold drop constraint hold_posted_within, drop constraint hold_posted_whole;
"""
COPY = (
    "insert into journal select bucket, kind, business_on, {}, at, reverses, of, guarded, currency, accounts, amounts, "
    "note from journal where seq = 2"
)
TABLES = ("head", "journal", "event", "account", "hold", "folded_account", "folded_balance", "cursor")
PAYABLE = "(select id from folded_account where kind = 20)"
PRINCIPAL = "kind = 10"
WALLET = "kind = 1"

# Journals 1 to 5 as `live_a_little` writes them (2 a payment on credit, 3 a repayment, 4 its reversal), folded;
# 6 another payment, 7 an event, not folded yet. A hold of 80.00 has 50.00 left.
TAMPERINGS = {
    "an amount": (
        "update journal set amounts[1] = amounts[1] + 1 where seq = 2",
        "unbalanced guarded_balance",
    ),
    "two amounts": (
        "update journal set amounts[1] = amounts[1] + 1, amounts[2] = amounts[2] - 1 where seq = 2",
        "guarded_balance folded_balance",
    ),
    "two folded amounts": (
        "update journal set amounts[2] = amounts[2] + 1, amounts[3] = amounts[3] - 1 where seq = 2",
        "folded_balance",
    ),
    "an amount not folded yet": (
        "update journal set amounts[2] = amounts[2] + 1 where seq = 6",
        "unbalanced trial_balance",
    ),
    "a journal gone": ("delete from journal where seq = 2", "number guarded_balance folded_balance"),
    "the last journal gone": ("delete from journal where seq = 6", "number guarded_balance trial_balance"),
    "all journals gone": ("delete from journal", "number guarded_balance folded_balance"),
    "a journal too much": (COPY.format(8), "number guarded_balance"),
    "a number given twice": (COPY.format(7), "number guarded_balance"),
    "an event gone": ("delete from event where seq = 7", "number"),
    "another account": (
        "update journal set accounts[1] = (select id from account where kind = 12) where seq = 2",
        "guarded_balance",
    ),
    "an account nobody opened": (
        "update journal set accounts[1] = gen_random_uuid() where seq = 2",
        "unknown_account guarded_balance",
    ),
    "another currency": ("update journal set currency = 'JPY' where seq = 2", "currency guarded_balance"),
    "an earlier instant": ("update journal set at = at - interval '1 s' where seq = 5", "went_back"),
    "a guarded leg among the folded": ("update journal set guarded = guarded - 1 where seq = 2", "misplaced"),
    "a folded leg among the guarded": ("update journal set guarded = guarded + 1 where seq = 2", "misplaced"),
    "a kind that is none": ("update journal set kind = 99 where seq = 2", "misshapen"),
    "a leg without account": ("update journal set accounts = accounts[1:6] where seq = 2", "misshapen"),
    "a reversal of nothing": ("update journal set reverses = null where seq = 4", "misshapen"),
    "a reversal of another": ("update journal set reverses = 2 where seq = 4", "reversal"),
    "a reversal that is not the opposite": (
        "update journal set amounts = (select array_agg(2 * a) from unnest(amounts) as a) where seq = 4",
        "reversal guarded_balance folded_balance",
    ),
    "a second reversal": (
        COPY.format(8).replace("seq = 2", "seq = 4"),
        "reversal number",
    ),
    "a balance": (
        f"update account set balance_minor = balance_minor + 1 where {PRINCIPAL}",
        "guarded_balance trial_balance",
    ),
    "two balances": (
        "update account set balance_minor = balance_minor + 1 where kind in (10, 11)",
        "guarded_balance",
    ),
    "a held amount": (f"update account set held_minor = held_minor + 1 where {PRINCIPAL}", "held"),
    "a stripe": (
        f"update folded_balance set balance_minor = balance_minor + 1 where id = {PAYABLE}",
        "folded_balance trial_balance",
    ),
    "a stripe gone": (
        f"delete from folded_balance where id = {PAYABLE}",
        "folded_balance trial_balance",
    ),
    "a stripe of nothing": (
        "insert into folded_balance select 354, gen_random_uuid(), 1",
        "folded_balance",
    ),
    "an account gone": (f"delete from account where {PRINCIPAL}", "unknown_account trial_balance"),
    "a registration gone": ("delete from folded_account where kind = 20", "unknown_account"),
    "an account of another kind": (f"update account set kind = 11 where {PRINCIPAL}", "identity"),
    "an account of another owner": (
        f"update account set owner = gen_random_uuid() where {WALLET}",
        "identity",
    ),
    "a payable of another merchant": (
        "update folded_account set owner = gen_random_uuid() where kind = 20",
        "identity",
    ),
    "an account's currency": (
        f"update account set currency = 'JPY' where {WALLET}",
        "currency guarded_balance",
    ),
    "a folded account's currency": ("update folded_account set currency = 'JPY' where kind = 20", "currency"),
    "a floor": (f"update account set min_minor = balance_minor + 1 where {PRINCIPAL}", "bounds"),
    "a ceiling": (f"update account set max_minor = balance_minor + held_minor - 1 where {WALLET}", "bounds"),
    "a hold posted": ("update hold set posted_minor = posted_minor + 1", "held"),
    "a hold voided": ("update hold set status = 'voided'", "held"),
    "a hold gone": ("delete from hold", "held"),
    "a hold's amount": ("update hold set amount_minor = amount_minor + 1", "held"),
    "a hold ended by word only": ("update hold set status = 'posted'", "misshapen held"),
    "a hold of nobody": ("update hold set account_id = gen_random_uuid()", "held"),
    "a cursor ahead": (
        "update cursor set seq = 8 where follower = 'fold' and seq > 0",
        "cursor folded_balance",
    ),
    "a cursor set back": (
        "update cursor set seq = 1 where follower = 'fold'",
        "folded_balance trial_balance",
    ),
    "a cursor gone": ("delete from cursor where follower = 'fold'", "folded_balance trial_balance"),
    "a head set back": ("update head set seq = seq - 1 where seq > 0", "number"),
    "a head ahead": ("update head set seq = seq + 1 where seq > 0", "number"),
}


async def in_full_life(ledger: Ledger) -> None:
    await ledger.live_a_little()
    await ledger.fold()
    await ledger.post(ledger.buy(20_00))
    async with ledger.database.transaction() as db:
        numbers = await take_numbers(db, ledger.bucket, 1, NOON, ON)
        event = Event("payment.captured", ledger.merchant, b"{}", ON)
        await write_events(db, ledger.bucket, numbers.first_seq, numbers.booked_at, [event])


async def test_every_tampering_is_found(ledger: Ledger) -> None:
    await in_full_life(ledger)
    before = await verify(ledger.database)
    assert before.breaks == () and before.journals == 6
    await ledger.owner.execute(UNLOCK)
    await ledger.owner.execute("; ".join(f"create table kept_{table} as table {table}" for table in TABLES))
    missed = {}
    for name, (statement, kinds) in TAMPERINGS.items():
        await ledger.owner.execute(statement)
        found = {broken.kind for broken in (await verify(ledger.database)).breaks}
        if not found >= {BreakKind(kind) for kind in kinds.split()}:
            missed[name] = found
        await ledger.owner.execute(
            "; ".join(f"delete from {t}; insert into {t} select * from kept_{t}" for t in TABLES)
        )
        assert (await verify(ledger.database)).breaks == (), "all is as it was"
    assert missed == {}


def test_every_kind_of_break_has_its_tampering() -> None:
    assert {kind for _, kinds in TAMPERINGS.values() for kind in kinds.split()} == set(BreakKind)


async def test_nothing_is_found_in_what_never_lived(ledger: Ledger) -> None:
    report = await verify(ledger.database)
    assert report.breaks == ()
    assert (report.buckets, report.journals, report.legs, report.accounts) == (2, 0, 0, 5)


async def test_one_bucket_is_proven_alone(ledger: Ledger) -> None:
    await in_full_life(ledger)
    await ledger.owner.execute("update account set held_minor = 1 where kind = 11")
    good = await verify(ledger.database, [ledger.book.buckets[1]])
    assert good.breaks == () and good.journals == 0
    (found,) = (await verify(ledger.database, [ledger.bucket])).breaks
    assert found.bucket == ledger.bucket and found.kind is BreakKind.HELD
    assert (found.expected, found.found) == ("0", "1")


async def test_it_is_clean_while_payments_go_on(ledger: Ledger) -> None:
    """Writers post, hold, post in parts and void; followers fold; each proof sees a moment, never a mixture."""
    await ledger.post(ledger.top_up(1_000_00))
    await ledger.followers.start()
    stop = asyncio.Event()
    done = 0

    async def pay() -> None:
        nonlocal done
        while not stop.is_set():
            hold = Hold(ledger.new_id(), ledger.account(AccountKind.WALLET), 10, ledger.new_id())
            await ledger.work(holds=(hold,), journals=(ledger.buy(7, 1), ledger.top_up(3)))
            paid = rules.wallet_payment(ledger.cause(), ledger.wallet, 4, ledger.merchant, 1)
            await ledger.work(parts=((hold.id, 4),), journals=(paid,))
            await ledger.work(voids=(hold.id,))
            done += 1

    writers = [asyncio.create_task(pay()) for _ in range(8)]
    reports = []
    while len(reports) < 12:
        reports.append(await verify(ledger.database))
        await asyncio.sleep(0.02)
    stop.set()
    await asyncio.gather(*writers)
    await ledger.followers.stop()
    assert [report.breaks for report in reports] == [()] * 12
    sizes = [report.journals for report in reports]
    assert sizes == sorted(sizes) and sizes[-1] > sizes[0], "payments went on meanwhile"
    last = await verify(ledger.database)
    assert last.breaks == () and last.journals == 1 + 3 * done and last.holds == done
