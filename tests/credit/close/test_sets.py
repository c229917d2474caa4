"""What the close does by sets is, row for row, what the lane does line by line."""

import random
import re
from collections.abc import Mapping
from datetime import date, timedelta
from uuid import UUID

import msgspec
import pytest
from msgspec.structs import replace
from tests.credit.conftest import House, Payer, make_house, shared_product

from wufeng import credit, ledger
from wufeng.base.database import Connection, Database
from wufeng.base.ids import IdMaker, Prefix, decode, encode
from wufeng.base.lanes import Command
from wufeng.credit.close import steps
from wufeng.credit.close.accruing import accrual_step
from wufeng.credit.close.chunks import Due, Find, Make, send_all
from wufeng.credit.close.model import DayClose, StepResult
from wufeng.credit.close.rules import is_plain, next_by_day
from wufeng.credit.close.steps import close_steps, lane_steps
from wufeng.credit.close.store import load_step_runs
from wufeng.credit.lines.model import Actor
from wufeng.credit.products.files import read_product
from wufeng.credit.products.model import (
    Billing,
    Cycle,
    Instalments,
    Interest,
    Minimum,
    Pieces,
    Price,
    Product,
    Rest,
    Rounding,
    RoundingRules,
)
from wufeng.credit.repayments.model import Target
from wufeng.ledger.model import KINDS, AccountKind, account_id
from wufeng.lenders.model import lender_id

ONE_DAY = timedelta(days=1)
OPENED_ON = date(2026, 9, 3)
ENDS_ON = date(2027, 1, 15)
PEOPLE = 9

TABLES = {
    "line": "select to_jsonb(line) - 'bucket' - 'lenders' as row from line where bucket = $1",
    "draw": "select to_jsonb(draw) - 'bucket' - 'lenders' as row from draw where bucket = $1",
    "bill": "select to_jsonb(bill) - 'bucket' - 'seq' || jsonb_build_object('segments', segments::text,"
    " 'interest_of', interest_of::text) as row from bill where bucket = $1",
    "account": "select to_jsonb(account) - 'bucket' as row from account where bucket = $1",
    "repayment": "select to_jsonb(repayment) - 'bucket' as row from repayment where bucket = $1",
    "line_change": "select to_jsonb(line_change) - 'bucket' - 'id' - 'seq' as row from line_change where bucket = $1",
    "event": "select jsonb_build_object('kind', kind, 'object', object_id, 'person', person_id, 'on', business_on,"
    " 'data', convert_from(data, 'UTF8')) as row from event where bucket = $1",
    "journal": "select to_jsonb(journal) - 'bucket' - 'seq' - 'at' || jsonb_build_object('note', note::text,"
    " 'of', case when kind = 12 then null else of end) as row"
    " from journal where bucket = $1",
    "close_run": "select to_jsonb(close_run) - 'bucket' - 'took_ms' as row from close_run where bucket = $1",
    "accrual": "select to_jsonb(accrual) - 'bucket' as row from accrual where bucket = $1",
    "accrual_close": "select to_jsonb(accrual_close) - 'bucket' as row from accrual_close where bucket = $1",
    "folded": "select jsonb_build_object('id', id, 'balance_minor', balance_minor) as row from folded_balance"
    " where bucket = $1",
}
ANY_ID = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b(?:bil|lin|drw|len|rep|per|wal|mer)_[0-9a-z]{26}"
)


async def rows_of(house: House) -> Mapping[str, list[str]]:
    """Every row of credit and of the ledger, ids that two books cannot share under names that they do."""
    await house.followers.catch_up()
    names: dict[UUID, str] = {}
    owners = {code: lender_id(house.book.id, code) for code in ("lead", "second")}
    for code, owner in (owners | {"book": ledger.book_owner(house.book.id)}).items():
        names[owner] = code
        names |= {account_id(owner, kind): f"{code} {kind.label}" for kind in KINDS.values()}
    async with house.database.read() as db:
        for bill in await db.fetch("select id, line_id, issued_on from bill where bucket = $1", house.bucket):
            names[bill["id"]] = f"bill of {bill['line_id']} {bill['issued_on']}"
        found = {table: await db.fetch(query, house.bucket) for table, query in TABLES.items()}

    def named(match: re.Match[str]) -> str:
        text = match[0]
        id_ = decode(Prefix(text[:3]), text) if text[3] == "_" else UUID(text)
        return names.get(id_, str(id_))

    return {table: sorted(ANY_ID.sub(named, row["row"]) for row in rows) for table, rows in found.items()}


async def live(house: House, seed: int) -> list[Payer]:
    """A random life of a few people, the same in every house; closes have ids of their own."""
    rng = random.Random(seed)
    closing = house.new_lanes()
    closing.ids = IdMaker(random.Random(seed + 1))
    payers = [await house.payer(wallet_minor=900_000) for _ in range(PEOPLE)]
    payments: list[tuple[Payer, UUID, int]] = []
    on = OPENED_ON
    while on < ENDS_ON:
        for payer in payers:
            await act(house, rng, payer, payments)
        on += ONE_DAY
        house.clock.turn_to(house.noon(on))
        closed = await credit.close_through(closing, house.book, house.bucket, on - ONE_DAY, house.steps)
        assert [error for day in closed for error in day.errors] == []
    await closing.drain()
    return payers


async def act(
    house: House, rng: random.Random, payer: Payer, payments: list[tuple[Payer, UUID, int]]
) -> None:
    """What one person does on one day, mostly nothing. Refusals are part of life."""
    chance = rng.random()
    if chance < 0.06:
        amount = rng.randrange(1_000, 40_000)
        more: dict[str, object] = {}
        if rng.random() < 0.4:
            more = {"tenor": rng.choice((3, 6, 12)), "merchant_share_ppm": rng.choice((0, 0, 500_000))}
        command = house.buying(payer, amount, awaits_receipt=rng.random() < 0.1, **more)
        answer = await house.send(command)
        if getattr(answer, "status", 0) == 201:
            payments.append((payer, command.request.payment_id, amount))
    elif chance < 0.11:
        what = rng.choice(
            (Target.MINIMUM, Target.MINIMUM, Target.BILLED, Target.ALL, rng.randrange(1, 9_000))
        )
        await house.send(house.repaying(payer, what))
    elif chance < 0.115 and payments:
        owner, payment, amount = payments.pop(rng.randrange(len(payments)))
        await house.refund(owner, payment, rng.randrange(1, amount + 1))
    elif chance < 0.12:
        kind = rng.choice((credit.Freeze, credit.Unfreeze))
        await house.send(house.change(kind, payer, Actor.PERSON))


def same(ones: Mapping[str, list[str]], others: Mapping[str, list[str]]) -> None:
    """All rows agree, table by table."""
    for table in TABLES:
        assert ones[table] == others[table], table


@pytest.mark.parametrize("seed", range(3))
async def test_sets_do_what_the_lane_does(database: Database, seed: int) -> None:
    rows = []
    for name, made in (("sets", close_steps()), ("lane", [*lane_steps(), accrual_step()])):
        house = await make_house(database, OPENED_ON, name, shared_product())
        house.steps = made
        payers = await live(house, seed)
        await house.prove(*payers)
        rows.append(await rows_of(house))
        await house.lanes.drain()
    same(*rows)
    assert len(rows[0]["bill"]) > PEOPLE


async def test_sixty_days_at_once_are_sixty_closes(database: Database) -> None:
    rows, ends_on = [], OPENED_ON + 60 * ONE_DAY
    for name, days in (("daily", 60), ("at once", 1)):
        house = await make_house(database, OPENED_ON, name, shared_product())
        closing = house.new_lanes()
        closing.ids = IdMaker(random.Random(3))
        payers = await spending(house)
        for n in range(days, 0, -1):
            house.clock.turn_to(house.noon(ends_on - (n - 1) * ONE_DAY))
            through = ends_on - n * ONE_DAY
            closed = await credit.close_through(closing, house.book, house.bucket, through, house.steps)
            assert [error for day in closed for error in day.errors] == []
        await house.prove(*payers)
        rows.append(await rows_of(house))
        await closing.drain()
        await house.lanes.drain()
    same(*rows)
    assert len(rows[0]["close_run"]) == 60 * (len(close_steps()) + 1)


async def spending(house: House) -> list[Payer]:
    """Singles, plans, some with a merchant's share: what bills take on the 1st."""
    payers = [await house.payer(wallet_minor=900_000) for _ in range(PEOPLE)]
    for n, payer in enumerate(payers):
        await house.buy(payer, 30_000 + n)
        if n % 2:
            await house.buy(payer, 90_000 + n, tenor=3)
        if n % 4 == 3:
            await house.buy(payer, 60_000, tenor=6, merchant_share_ppm=400_000)
    return payers


async def test_sets_leave_to_the_lane_only_what_is_to_be_decided(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await spending(house)
    left: list[int] = []

    async def watch(close: DayClose, noun: str, find: Find, make: Make) -> StepResult:
        async def counted(due: Due) -> Command:
            left.append(len(due))
            return await make(due)

        return await send_all(close, noun, find, counted)

    monkeypatch.setattr(steps, "send_all", watch)
    await house.turn_to(date(2026, 10, 2))
    assert left == [2], "the two plans whose merchant carries a share"
    await house.turn_to(date(2026, 10, 10))
    assert len(await house.events("bill.due")) == PEOPLE
    assert left == [2], "what falls due is told by sets"


async def test_a_slice_that_fails_goes_line_by_line(house: House, owner: Connection) -> None:
    payers = await spending(house)
    line_id = payers[1].line_id
    assert line_id is not None
    broken = account_id(line_id, AccountKind.LINE_FEE)
    await owner.execute("update account set max_minor = 0 where id = $1", broken)
    house.clock.turn_to(house.noon(date(2026, 10, 1)))
    closed = await credit.close_through(house.lanes, house.book, house.bucket, date(2026, 9, 30), house.steps)
    assert [str(line_id) in error for error in closed[-1].errors] == [True]
    async with house.database.read() as db:
        runs = await load_step_runs(db, [house.bucket], date(2026, 9, 30), date(2026, 9, 30))
    by_step = {run.step: run for run in runs}
    assert by_step["bills"].row_count == PEOPLE - 1
    assert by_step["bills"].errors == tuple(closed[-1].errors)
    assert by_step["bills"].took_ms >= 0 and by_step["due_dates"].errors == ()
    await owner.execute("update account set max_minor = null where id = $1", broken)
    await house.turn_to(date(2026, 10, 2))
    assert [bill.issued_on for bill in await house.bills(payers[1])] == [date(2026, 10, 1)]
    await house.prove(*payers)


async def test_ids_in_sql_are_ids_in_python(db: Connection) -> None:
    rng = random.Random(5)
    for id_ in [UUID(int=0), UUID(int=2**128 - 1), *(UUID(int=rng.getrandbits(128)) for _ in range(200))]:
        row = await db.fetchrow(
            "select wufeng_id_text(substr(uuid_send($1), 1, 8)::bigint, substr(uuid_send($1), 9, 8)::bigint),"
            " wufeng_account_id($1, 12)",
            id_,
        )
        assert row is not None
        text, account = row
        assert f"bil_{text}" == encode(Prefix.BILL, id_)
        assert account == account_id(id_, AccountKind.LINE_FEE)


@pytest.mark.parametrize("day", range(1, 32))
def test_dates_by_day_are_those_of_a_cycle(day: int) -> None:
    for on in (
        date(2026, 1, 30),
        date(2026, 1, 31),
        date(2026, 2, 28),
        date(2028, 2, 28),
        date(2026, 12, 31),
    ):
        assert next_by_day(on)[day - 1] == Cycle(day, day).bill_on(on) == Cycle(day, day).due_on(on)


LOOKED_AT = {
    Product: "id version effective_from name currency cycle dates due_days billing minimum interest instalments"
    " repayment auto_debit arrears limit opening scenes lenders tiers freeze rounding",
    Billing: "billable_at confirm_after_days grace_days bank_days",
    Minimum: "principal_ppm whole_up_to_minor rest",
    Interest: "daily_ppm revolving_daily_ppm late_daily_ppm annualised_max_ppm late_base late_least_minor"
    " late_most_ppm",
    Instalments: "minimum_minor remainder merchant_share_max_ppm prices single early refund_fees bills day_count",
    RoundingRules: "instalment_multiple_minor levelling interest pieces",
    Price: "tenor fee_ppm fee_period_ppm annual_ppm method merchant_share_ppm",
}
"""Terms of products that were weighed when `is_plain` and the statements of slices were last changed."""


@pytest.mark.parametrize("kind", LOOKED_AT, ids=lambda kind: kind.__name__)
def test_no_term_is_new_to_the_sets(kind: type[msgspec.Struct]) -> None:
    known = set(LOOKED_AT[kind].split())
    assert set(kind.__struct_fields__) <= known, (
        "may sets still bill such a product? see close/rules.py, is_plain"
    )


@pytest.mark.parametrize(
    ("product", "plain"),
    [
        (product := read_product(shared_product(), "shared.toml").product, True),
        (replace(product, billing=Billing(grace_days=3)), False),
        (replace(product, billing=Billing(bank_days=True)), False),
        (replace(product, cycle=None), False),
        (replace(product, minimum=replace(product.minimum, rest=Rest.DRAW)), False),
        (replace(product, minimum=replace(product.minimum, whole_up_to_minor=1)), False),
        (replace(product, interest=replace(product.interest, daily_ppm=1)), False),
        (replace(product, interest=replace(product.interest, late_most_ppm=1)), False),
        (replace(product, rounding=RoundingRules(interest=Rounding.DOWN)), False),
        (replace(product, rounding=RoundingRules(pieces=Pieces.EACH)), False),
        (replace(product, rounding=RoundingRules(instalment_multiple_minor=100)), True),
    ],
)
def test_what_is_plain(product: Product, plain: bool) -> None:
    assert is_plain(product) is plain
