"""Limits in the hot path: no draw is accepted above the limit in force, a shared limit or the person's cap."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace
from tests.thorough import examples

from wufeng import credit, ledger
from wufeng.base.claims import Answer
from wufeng.credit.lines.model import Actor, Line, LineStatus
from wufeng.credit.lines.store import insert_lines, load_lines
from wufeng.identity.merchants.model import Scene
from wufeng.ledger import AccountKind
from wufeng.lenders.model import lender_id
from wufeng.payments.pay.model import Capture, Funding, Pay
from wufeng.payments.quotes.commands import create_quote
from wufeng.payments.quotes.model import Asked

from .conftest import TODAY, Payer, Town, seen

PRINCIPAL = AccountKind.LINE_PRINCIPAL
STAFF = UUID(int=5)


async def second_line(town: Town, payer: Payer, limit_minor: int, shared: str | None = None) -> UUID:
    """One more line of the payer, under a product that shares its limit with the first line's, or does not."""
    products = town.catalogue.products
    first = products.version("monthly_bill", 1)
    limit = replace(first.limit, shared=shared)
    products.add([replace(first, limit=limit), replace(first, id="second", limit=limit)])
    line = Line(
        id=town.ids.new(town.at, payer.id.int & 0xFFFF), person_id=payer.id, product="second", product_version=1,
        currency="CNY", limit_minor=limit_minor, status=LineStatus.OPEN, bill_day=1, due_day=10,
        opened_on=TODAY,
        lenders=tuple((lender_id(town.book.id, one.code), one.share_ppm) for one in first.lenders),
    )  # fmt: skip
    async with town.database.transaction() as db:
        await insert_lines(db, payer.bucket, [line])
        await ledger.open_accounts(
            db, payer.bucket, ledger.guarded_accounts(ledger.Owner.LINE, line.id, "CNY")
        )
    return line.id


async def cap(town: Town, payer: Payer, cap_minor: int | None) -> dict[str, Any]:
    command = credit.SetCap(
        at=town.at,
        people=(payer.id,),
        person_id=payer.id,
        cap_minor=cap_minor,
        actor=Actor.STAFF,
        actor_id=STAFF,
        reason="a test",
    )
    status, body = await town.ask(payer.bucket, command)
    assert status == 200, body
    return body


async def change(
    town: Town, payer: Payer, kind: Any, line_id: UUID, **more: Any
) -> tuple[int, dict[str, Any]]:
    command = kind(
        at=town.at,
        people=(payer.id,),
        line_id=line_id,
        actor=more.pop("actor", Actor.STAFF),
        actor_id=STAFF,
        reason="a test",
        **more,
    )
    return await town.ask(payer.bucket, command)


def on(line_id: UUID) -> Funding:
    return Funding(use_wallet=False, line_id=line_id)


def payments_on(town: Town, payer: Payer, lines: list[UUID], count: int, amount_minor: int) -> list[Pay]:
    """Payments that take turns between lines, and between being captured and being held."""
    return [
        town.pay_command(
            payer,
            town.terms(f"o{n}", amount_minor),
            key=f"k{n}",
            funding=on(lines[n % len(lines)]),
            capture=list(Capture)[n // 2 % 2],
        )
        for n in range(count)
    ]


async def race(town: Town, payer: Payer, commands: list[Pay]) -> list[tuple[int, dict[str, Any]]]:
    """Submit to the lanes of two processes in turn, all at once: batches of many, and batches that wait."""
    other = town.more_lanes()
    answers = await asyncio.gather(
        *(
            town.submit(payer.bucket, command, (town.lanes, other)[n // 2 % 2])
            for n, command in enumerate(commands)
        )
    )
    await other.drain()
    return [seen(answer) for answer in answers]


async def taken(town: Town, line_id: UUID) -> int:
    return await town.balance(line_id, PRINCIPAL) + await town.held(line_id, PRINCIPAL)


async def test_a_cap_over_two_lines_holds_in_one_batch_and_over_two_processes(town: Town) -> None:
    [payer] = await town.people(limit_minor=100_00)
    lines = [payer.line_id, await second_line(town, payer, 100_00)]
    assert (await cap(town, payer, 120_00))["available_minor"] == 120_00
    answers = await race(town, payer, payments_on(town, payer, lines, 48, 7_00))
    assert sorted(status for status, _ in answers) == [201] * 17 + [402] * 31
    reasons = {body["reasons"][0]["code"] for status, body in answers if status == 402}
    assert reasons == {"limit_exceeded"}
    used = [await taken(town, line) for line in lines]
    assert sum(used) == 17 * 7_00 <= 120_00
    assert await cap(town, payer, None) == {
        "object": "credit_cap", "person": answers[0][1]["payer"], "currency": "CNY", "cap_minor": None,
        "used_minor": sum([await town.balance(line, PRINCIPAL) for line in lines]),
        "held_minor": sum([await town.held(line, PRINCIPAL) for line in lines]), "available_minor": None,
    }  # fmt: skip
    assert (await town.pay(payer, "more", 7_00, funding=on(lines[0])))[0] == 201


async def test_one_batch_sees_what_its_own_payments_took_of_the_other_line(town: Town) -> None:
    """The lane is kept busy, so that all others wait and are decided in one batch, each after the one before."""
    [payer] = await town.people(limit_minor=100_00)
    lines = [payer.line_id, await second_line(town, payer, 100_00)]
    await cap(town, payer, 50_00)
    before = town.lanes.stats.batches
    commands = payments_on(town, payer, lines, 20, 10_00)
    answers = await asyncio.gather(*(town.submit(payer.bucket, command) for command in commands))
    assert town.lanes.stats.batches - before <= 2
    assert [isinstance(answer, Answer) and answer.status for answer in answers] == [201] * 5 + [402] * 15
    assert (await taken(town, lines[0]), await taken(town, lines[1])) == (30_00, 20_00)


async def test_lines_that_share_a_limit_come_to_the_largest_of_theirs(town: Town) -> None:
    [payer] = await town.people(limit_minor=60_00)
    lines = [payer.line_id, await second_line(town, payer, 100_00, shared="purse")]
    answers = await race(town, payer, payments_on(town, payer, lines, 40, 9_00))
    assert [status for status, _ in answers].count(201) == 11
    used = [await taken(town, line) for line in lines]
    assert (sum(used), used[0] <= 60_00) == (99_00, True)


async def test_what_is_given_back_may_be_used_on_the_other_line(town: Town) -> None:
    [payer] = await town.people(limit_minor=100_00)
    second = await second_line(town, payer, 100_00)
    await cap(town, payer, 100_00)
    status, held = await town.pay(payer, "o1", 80_00, capture=Capture.LATER)
    assert status == 201
    assert (await town.pay(payer, "o2", 20_01, funding=on(second)))[0] == 402
    assert (await town.pay(payer, "o3", 20_00, funding=on(second)))[0] == 201
    assert (await town.capture(payer, held, 30_00))[0] == 200
    status, _ = await town.pay(payer, "o4", 50_01, funding=on(second))
    assert status == 402
    status, paid = await town.pay(payer, "o5", 50_00, funding=on(second))
    assert status == 201
    assert (await town.refund(payer, paid, "r1", 50_00))[0] == 201
    assert (await town.pay(payer, "o6", 50_00))[0] == 201


async def test_a_cap_is_seen_in_quotes_and_in_what_is_available(town: Town) -> None:
    [payer] = await town.people(limit_minor=100_00)
    second = await second_line(town, payer, 100_00)
    await cap(town, payer, 60_00)
    assert (await town.pay(payer, "o1", 40_00, funding=on(second)))[0] == 201
    asked = Asked(
        merchant_id=town.merchant_id, amount_minor=30_00, scene=Scene.RETAIL,
        payer_id=payer.id, order_id=None, shows_wallet=False, language="en",
    )  # fmt: skip
    quote = await create_quote(
        town.database, town.ids, town.catalogue, town.merchants, town.book, asked, None, town.at
    )
    assert quote.options
    assert {tuple(reason.code for reason in option.reasons) for option in quote.options} == {
        ("limit_exceeded",)
    }
    status, body = await change(town, payer, credit.Freeze, payer.line_id)
    assert (status, body["available_minor"], body["limit_minor"]) == (200, 20_00, 100_00)


async def test_a_freeze_that_has_ended_and_a_raise_that_runs_count_before_any_close(town: Town) -> None:
    [payer] = await town.people(limit_minor=500_00)
    line = payer.line_id
    tomorrow, later = TODAY + timedelta(days=1), TODAY + timedelta(days=3)
    assert (await change(town, payer, credit.Freeze, line, until_on=tomorrow))[0] == 200
    status, body = await town.pay(payer, "o1", 1_00)
    assert (status, body["reasons"][0]["code"]) == (402, "line_frozen")
    town.turn(days=1)
    assert (await town.pay(payer, "o2", 1_00))[0] == 201
    status, body = await change(town, payer, credit.SetLimit, line, limit_minor=600_00, until_on=later)
    assert (status, body["effective_limit_minor"], body["available_minor"]) == (200, 600_00, 599_00)
    assert (await town.pay(payer, "o3", 599_01))[0] == 402
    assert (await town.pay(payer, "o4", 549_00))[0] == 201
    town.turn(days=2)
    assert (await town.pay(payer, "o5", 1_00))[0] == 201, "its last date is part of it"
    town.turn(days=1)
    status, body = await town.pay(payer, "o6", 1)
    assert (status, body["reasons"][0]["code"]) == (402, "limit_exceeded")
    assert await town.balance(line, PRINCIPAL) == 551_00


class Step(Struct, frozen=True):
    """One thing that happens to a person with two lines."""

    what: str
    line: int
    amount_minor: int


STEPS = st.lists(
    st.builds(
        Step,
        st.sampled_from(["pay", "pay", "pay", "hold", "void", "limit", "lower", "raise", "cap", "day"]),
        st.integers(0, 1),
        st.integers(1, 90_00),
    ),
    min_size=3,
    max_size=14,
)


@given(steps=STEPS, shared=st.sampled_from([None, "purse"]))
@settings(max_examples=examples(25, 250), suppress_health_check=list(HealthCheck), deadline=None)
async def test_what_is_accepted_is_just_what_may_be(
    town: Town, steps: list[Step], shared: str | None
) -> None:
    """Beside the steps what may be accepted is kept by hand; exactly that is, whatever was lowered before."""
    today = town.book.business_date(town.at)
    [payer] = await town.people(limit_minor=500_00)
    lines = [payer.line_id, await second_line(town, payer, 500_00, shared)]
    limits, raises, used = [500_00, 500_00], [(0, today), (0, today)], [0, 0]
    cap_minor: int | None = None
    held: list[tuple[int, int, dict[str, Any]]] = []
    for n, step in enumerate(steps):
        line, amount = step.line, step.amount_minor * 10
        if step.what in ("pay", "hold"):
            in_force = [
                max(limit, more) if today <= until else limit
                for limit, (more, until) in zip(limits, raises, strict=True)
            ]
            room = in_force[line] - used[line]
            if cap_minor is not None:
                room = min(room, cap_minor - sum(used))
            if shared is not None:
                room = min(room, max(in_force) - sum(used))
            capture = Capture.NOW if step.what == "pay" else Capture.LATER
            order = f"{payer.id}-{n}"
            status, body = await town.pay(payer, order, amount, funding=on(lines[line]), capture=capture)
            assert status == (201 if amount <= room else 402), (step, room)
            if status == 201:
                used[line] += amount
                if capture is Capture.LATER:
                    held.append((line, amount, body))
            else:
                assert body["reasons"][0]["code"] == "limit_exceeded"
        elif step.what == "void" and held:
            line, amount, body = held.pop()
            assert (await town.void(payer, body))[0] == 200
            used[line] -= amount
        elif step.what in ("limit", "lower"):
            actor = Actor.STAFF if step.what == "limit" else Actor.PERSON
            status, body = await change(
                town, payer, credit.SetLimit, lines[line], limit_minor=amount, actor=actor
            )
            fits = amount >= 500_00 if actor is Actor.STAFF else amount <= limits[line]
            assert (status == 200) == fits, body
            if fits:
                limits[line] = amount
                if actor is Actor.PERSON or not amount < raises[line][0] <= amount * 12 // 10:
                    raises[line] = (0, today)
        elif step.what == "raise":
            until, more = today + timedelta(days=1), limits[line] * 11 // 10
            status, body = await change(
                town, payer, credit.SetLimit, lines[line], limit_minor=more, until_on=until
            )
            if status == 200:
                raises[line] = (more, until)
            else:
                assert more == limits[line]
        elif step.what == "cap":
            cap_minor = amount
            await cap(town, payer, cap_minor)
        elif step.what == "day":
            town.turn(days=1)
            today += timedelta(days=1)
    async with town.database.read() as db:
        kept = await load_lines(db, payer.bucket, lines)
    assert [kept[id_].limit_minor for id_ in lines] == limits
    assert [await taken(town, line) for line in lines] == used


async def test_limits_that_are_lowered_in_the_middle_of_payments_hold_from_then_on(town: Town) -> None:
    """Events are numbered in the order in which all was decided: read so, nothing was accepted above a limit."""
    [payer] = await town.people(limit_minor=500_00)
    lines = [payer.line_id, await second_line(town, payer, 500_00)]
    other = town.more_lanes()

    async def lower(n: int) -> None:
        await asyncio.sleep(0.004 * n)
        status, _ = await change(
            town, payer, credit.SetLimit, lines[n % 2], limit_minor=280_00 - n * 20_00, actor=Actor.PERSON
        )
        assert status == 200

    async def pay(n: int, command: Pay) -> tuple[int, dict[str, Any]]:
        await asyncio.sleep(0.0005 * n)
        return seen(await town.submit(payer.bucket, command, (town.lanes, other)[n // 2 % 2]))

    commands = payments_on(town, payer, lines, 100, 9_00)
    answers, _ = await asyncio.gather(
        asyncio.gather(*(pay(n, command) for n, command in enumerate(commands))),
        asyncio.gather(*(lower(n) for n in range(8))),
    )
    await other.drain()
    line_of = {command.payment_id: lines.index(command.funding.line_id) for command in commands}
    used, limits, lowered = [0, 0], [500_00, 500_00], 0
    for row in await town.fetch("select kind, object_id, data from event order by seq"):
        if row["kind"] == "line.limit_changed":
            limits[lines.index(row["object_id"])] = msgspec.json.decode(row["data"])["limit_minor"]
            lowered += 1
        elif row["kind"] in ("payment.captured", "payment.authorised"):
            used[line_of[row["object_id"]]] += 9_00
            assert used[line_of[row["object_id"]]] <= limits[line_of[row["object_id"]]]
    assert lowered == 8
    assert sum(used) == 9_00 * sum(1 for status, _ in answers if status == 201)
    assert used == [await taken(town, line) for line in lines]
