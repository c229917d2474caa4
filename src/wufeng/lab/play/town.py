"""The town of a play: a book of its own, merchants with seeds, and a person with a line behind every card."""

import asyncio
import random
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from wufeng.base.books import Book
from wufeng.base.claims import Answer
from wufeng.base.ids import Prefix, decode, hashed_id
from wufeng.credit import OpenLine
from wufeng.identity import CreatePerson
from wufeng.identity.merchants.commands import create_merchant
from wufeng.identity.merchants.model import NEVER_CREDITABLE, FeePlan, Scene
from wufeng.identity.vault import Private
from wufeng.lab.play.engine import Engine
from wufeng.lab.play.model import Payer, Phase, PlaySettings, Progress

TERMINALS_A_MERCHANT = 20
FEE_RATES_PPM = (3_800, 6_000, 10_000)
LIMITS_MINOR = (100_000, 300_000, 500_000, 800_000, 1_500_000, 3_000_000)
PRODUCT = "monthly_bill"
STAFF = hashed_id(b"play", b"staff")
SCENES = sorted(set(Scene) - NEVER_CREDITABLE)
CHUNK = 256


async def open_shops(
    engine: Engine, book: Book, terminals: Iterable[int], at: datetime, seed: int
) -> dict[int, UUID]:
    """A merchant for every twenty terminals; the merchant of each terminal."""
    rng = random.Random(seed)
    by_group: dict[int, UUID] = {}
    for group in sorted({terminal // TERMINALS_A_MERCHANT for terminal in terminals}):
        scene, fee = rng.choice(SCENES), FeePlan(rng.choice(FEE_RATES_PPM))
        merchant, _ = await create_merchant(
            engine.database, engine.lanes.ids, book, f"Terminals {group}", scene, fee, at
        )
        by_group[group] = merchant.id
    return {terminal: by_group[terminal // TERMINALS_A_MERCHANT] for terminal in set(terminals)}


async def settle_people(
    engine: Engine, book: Book, cards: Sequence[int], at: datetime, settings: PlaySettings, progress: Progress
) -> dict[int, Payer]:
    """A person with an open line for every card."""
    rng = random.Random(settings.seed + 1)
    payers: dict[int, Payer] = {}
    for start in range(0, len(cards), CHUNK):
        chunk = cards[start : start + CHUNK]
        limits = [rng.choice(LIMITS_MINOR) for _ in chunk]
        habits = [_repays_after(rng, settings.late_share_ppm) for _ in chunk]
        ids = [engine.lanes.ids.new_anywhere(at) for _ in chunk]
        await asyncio.gather(
            *(_create(engine, book, card, id_, at) for card, id_ in zip(chunk, ids, strict=True))
        )
        lines = await asyncio.gather(
            *(_open_line(engine, book, id_, limit, at) for id_, limit in zip(ids, limits, strict=True))
        )
        for card, id_, line_id, habit in zip(chunk, ids, lines, habits, strict=True):
            payers[card] = Payer(id_, line_id, book.bucket_of(id_), habit)
        progress(Phase.PEOPLE, len(payers), len(cards))
    return payers


def _repays_after(rng: random.Random, late_share_ppm: int) -> int | None:
    """Days from the bill to the repayment: bills are due after nine days."""
    if rng.randrange(1_000_000) >= late_share_ppm:
        return rng.randint(1, 9)
    return rng.randint(10, 13) if rng.random() < 0.5 else None


async def _create(engine: Engine, book: Book, card: int, id_: UUID, at: datetime) -> Answer:
    command = CreatePerson(
        at=at, person_id=id_, phone=Private(f"+86170{card:08d}"), external_id=Private(f"card-{card}")
    )
    return await engine.lanes.submit(book.bucket_of(id_), command)


async def _open_line(engine: Engine, book: Book, person_id: UUID, limit_minor: int, at: datetime) -> UUID:
    command = OpenLine(
        at=at,
        people=(person_id,),
        person_id=person_id,
        product=PRODUCT,
        limit_minor=limit_minor,
        staff_id=STAFF,
        reason="a card of the played stream",
    )
    answer = await engine.lanes.submit(book.bucket_of(person_id), command)
    assert answer.status == 201, f"a new person gets a line: {answer.body!r}"
    return decode(Prefix.LINE, msgspec.json.decode(answer.body)["id"])
