"""A month's cap under races: many tills at once, two processes, and a machine of every move against a model."""

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.payments.conftest import Town, seen

from wufeng.payments.family.model import Caps, Move
from wufeng.payments.family.rules import used_in
from wufeng.payments.family.store import load_cards
from wufeng.payments.pay.model import Capture

from .world import CAP, Family, a_family


@pytest.mark.parametrize("capture", list(Capture))
async def test_a_cap_is_never_passed_by_sixty_tills_at_once(town: Town, capture: Capture) -> None:
    family = await a_family(town)
    other = town.more_lanes()
    answers = await asyncio.gather(
        *(
            family.submit(family.command(f"o{n}", 9_00, capture=capture), (town.lanes, other)[n % 2])
            for n in range(60)
        )
    )
    await other.drain()
    statuses = [seen(answer)[0] for answer in answers]
    assert (statuses.count(201), statuses.count(402)) == (11, 49), "eleven times 9.00 go into 100.00"
    assert await family.used() == 99_00


async def test_a_card_that_is_stopped_among_payments_pays_none_after_it(town: Town) -> None:
    family = await a_family(town, month_cap_minor=20_000_00)
    other = town.more_lanes()

    async def stop() -> None:
        await asyncio.sleep(0.01)
        assert (await family.move(Move.STOP))[0] == 200
        late = await asyncio.gather(*(family.submit(family.command(f"l{n}", 1)) for n in range(10)))
        assert {seen(answer)[0] for answer in late} == {402}

    paying = [family.submit(family.command(f"o{n}", 1_00), (town.lanes, other)[n % 2]) for n in range(50)]
    *answers, _ = await asyncio.gather(*paying, stop())
    await other.drain()
    paid = [seen(answer)[0] for answer in answers].count(201)
    assert await family.used() == paid * 1_00


Step = tuple[str, int]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("pay"), st.integers(1, 60_00)),
        st.tuples(st.just("hold"), st.integers(1, 60_00)),
        st.tuples(st.sampled_from(["void", "capture", "refund"]), st.integers(0, 7)),
        st.tuples(st.just("cap"), st.integers(1, 150_00)),
        st.tuples(st.sampled_from(["pause", "resume", "month"]), st.just(0)),
    ),
    max_size=25,
)


class Model:
    """What a card of one month may do, in a few lines."""

    def __init__(self) -> None:
        self.cap, self.active, self.month = CAP, True, 0
        self.payments: list[dict[str, Any]] = []

    def used(self) -> int:
        return sum(one["taken"] for one in self.payments if one["month"] == self.month)

    def pays(self, amount_minor: int) -> bool:
        return self.active and self.used() + amount_minor <= self.cap


async def _pay(family: Family, model: Model, number: int, step: Step) -> None:
    kind, amount_minor = step
    capture = Capture.NOW if kind == "pay" else Capture.LATER
    status, body = await family.pay(f"o{family.id}-{number}"[:60], amount_minor, capture=capture)
    assert (status == 201) is model.pays(amount_minor), (status, body)
    if status == 201:
        held = kind == "hold"
        model.payments.append(
            {"body": body, "taken": amount_minor, "month": model.month, "held": held, "amount": amount_minor}
        )


async def _end(family: Family, model: Model, number: int, step: Step) -> None:
    kind, place = step
    wanted = [one for one in model.payments if one["held"] is (kind != "refund") and one["taken"]]
    if not wanted:
        return
    one, town = wanted[place % len(wanted)], family.town
    if kind == "void":
        assert (await town.void(family.owner, one["body"]))[0] == 200
        one |= {"held": False, "taken": 0}
    elif kind == "capture":
        part = max(1, one["amount"] // 2)
        assert (await town.capture(family.owner, one["body"], part))[0] == 200
        one |= {"held": False, "taken": part}
    else:
        part = max(1, one["taken"] // 3)
        assert (await town.refund(family.owner, one["body"], f"r{number}", part))[0] == 201
        one["taken"] -= part


async def _change(family: Family, model: Model, step: Step) -> None:
    kind, amount_minor = step
    if kind == "cap":
        assert (await family.set_caps(Caps(amount_minor, None)))[0] == 200
        model.cap = amount_minor
    elif kind == "month":
        family.town.turn(days=31)
        model.month += 1
    else:
        status, _ = await family.move(Move(kind))
        wanted = kind == "resume"
        assert status == 200
        model.active = wanted


async def used_this_month(family: Family) -> int:
    async with family.town.database.read() as db:
        cards = await load_cards(db, family.owner.bucket, [family.id])
    return used_in(cards[family.id], family.town.book.business_date(family.town.at))


async def test_every_way_a_card_is_used_agrees_with_a_model(town: Town) -> None:
    @settings(max_examples=12, suppress_health_check=list(HealthCheck))
    @given(steps=STEPS)
    def run(steps: list[Step]) -> None:
        pending.append(steps)

    pending: list[list[Step]] = []
    await asyncio.to_thread(run)
    for steps in pending:
        family, model = await a_family(town), Model()
        for number, step in enumerate(steps):
            if step[0] in ("pay", "hold"):
                await _pay(family, model, number, step)
            elif step[0] in ("void", "capture", "refund"):
                await _end(family, model, number, step)
            else:
                await _change(family, model, step)
            assert await used_this_month(family) == model.used()
        await family.used()
